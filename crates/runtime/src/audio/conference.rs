//! A conference: each member hears the others, mixed once a tick.
//!
//! ```text
//! a session's far end ─ Link ─► Input ─┐         ┌─► Output ─ Link ─► what that far end hears
//!  microphone, AudioSource, … ─► Input ─┼─ mix ───┼─► Output ─► speaker, AudioSink, …
//! ```
//! A member is an input and an output of any kind, so that a session's far end and whoever sits at this
//! machine are members alike. The links are bounded rings: a conference and its sessions may tick on
//! different threads, and none of them waits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use audio::Rate;
use audio::mixer::{Mixer, Voice};

use super::{Input, Output, SinkGroup};
use crate::device_hub::Trouble;

/// Who takes part: what it says, where it hears the others, and whom to tell when the conference breaks.
pub(crate) struct Member {
    input: Input,
    output: Output,
    voice: Voice,
    trouble: Trouble,
}

impl Member {
    pub(crate) fn new(input: Input, output: Output, trouble: Trouble) -> Member {
        Member {
            input,
            output,
            voice: Voice::new(100),
            trouble,
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("input", &self.input)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Names a member within its conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeatId(pub(crate) u64);

/// The members and their mix.
#[derive(Debug)]
pub(crate) struct Conference {
    members: BTreeMap<SeatId, Member>,
    mixer: Mixer,
}

impl Conference {
    pub(crate) fn new() -> Conference {
        Conference {
            members: BTreeMap::new(),
            mixer: Mixer::new(Rate::Hz8000),
        }
    }

    pub(crate) fn join(&mut self, seat: SeatId, member: Member) {
        self.members.insert(seat, member);
    }

    pub(crate) fn leave(&mut self, seat: SeatId) {
        self.members.remove(&seat);
    }

    /// Makes a member so loud for the others, in percent; 0 mutes it.
    pub(crate) fn set_volume(&mut self, seat: SeatId, percent: u8) {
        if let Some(member) = self.members.get_mut(&seat) {
            member.voice.set_volume(percent);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Mixes one tick; `wake` is given whom to wake when all have ticked.
    pub(crate) fn tick(&mut self, mut wake: impl FnMut(&Arc<SinkGroup>)) {
        self.follow_rates();
        let rate = self.mixer.rate();
        for member in self.members.values_mut() {
            member.voice.say(member.input.read(rate), &mut self.mixer);
        }
        for member in self.members.values_mut() {
            let group = member.output.write(&member.voice.hear(&self.mixer));
            if let Some(group) = group {
                wake(group);
            }
        }
        self.mixer.clear();
    }

    /// Tells every member that it hears nothing any more.
    pub(crate) fn broke(&self, reason: &str) {
        for member in self.members.values() {
            (member.trouble)(format!("the conference broke: {reason}"));
        }
    }

    // The mix has the best rate that anybody has spoken at: a conference of telephones never resamples.
    fn follow_rates(&mut self) {
        let best = self
            .members
            .values()
            .filter_map(|member| member.input.own_rate())
            .max();
        if let Some(best) = best
            && best > self.mixer.rate()
        {
            self.mixer = Mixer::new(best);
        }
    }
}

#[cfg(test)]
mod tests {
    use audio::Frame;
    use audio::detect::Goertzel;

    use super::*;
    use crate::audio::{LinkReader, LinkWriter, Tone, link};

    /// The far end of a session in a conference, at its codec's rate.
    struct Leg {
        rate: Rate,
        tone: Tone,
        to_conference: LinkWriter,
        from_conference: LinkReader,
        heard: Vec<i16>,
    }

    fn join(conference: &mut Conference, seat: u64, rate: Rate, hz: f64) -> Leg {
        let (to_conference, input) = link();
        let (output, from_conference) = link();
        let member = Member::new(Input::Link(input), Output::Link(output), Box::new(|_| true));
        conference.join(SeatId(seat), member);
        Leg {
            rate,
            tone: Tone::sine(hz, -24.0),
            to_conference,
            from_conference,
            heard: Vec::new(),
        }
    }

    impl Leg {
        fn tick(&mut self) {
            let heard = self.from_conference.read(self.rate);
            self.heard.extend_from_slice(heard.samples());
            self.to_conference.write(&self.tone.read(self.rate));
        }

        /// Whether it heard `hz` in the last half second.
        fn hears(&self, hz: f64) -> bool {
            let mut goertzel = Goertzel::new(self.rate, hz);
            let recent = self.rate.samples_per_tick() * 50;
            goertzel.push(&self.heard[self.heard.len() - recent..]);
            goertzel.take().dbov > -40.0
        }
    }

    fn pass(conference: &mut Conference, legs: &mut [&mut Leg], ticks: usize) {
        for _ in 0..ticks {
            legs.iter_mut().for_each(|leg| leg.tick());
            conference.tick(|_| {});
        }
    }

    #[test]
    fn legs_of_different_rates_hear_each_other_and_not_themselves() {
        let mut conference = Conference::new();
        let mut phone = join(&mut conference, 1, Rate::Hz8000, 400.0);
        let mut wide = join(&mut conference, 2, Rate::Hz16000, 700.0);
        let mut full = join(&mut conference, 3, Rate::Hz48000, 1_100.0);
        pass(
            &mut conference,
            &mut [&mut phone, &mut wide, &mut full],
            100,
        );
        assert_eq!(conference.mixer.rate(), Rate::Hz48000);
        for (leg, own) in [(&phone, 400.0), (&wide, 700.0), (&full, 1_100.0)] {
            for hz in [400.0, 700.0, 1_100.0] {
                assert_eq!(leg.hears(hz), hz != own, "{hz} at {own}");
            }
        }
    }

    #[test]
    fn a_conference_of_telephones_is_mixed_at_their_rate() {
        let mut conference = Conference::new();
        let mut one = join(&mut conference, 1, Rate::Hz8000, 400.0);
        let mut other = join(&mut conference, 2, Rate::Hz8000, 700.0);
        pass(&mut conference, &mut [&mut one, &mut other], 100);
        assert_eq!(conference.mixer.rate(), Rate::Hz8000);
        assert!(one.hears(700.0));
    }

    #[test]
    fn who_leaves_is_heard_no_more_and_who_joins_late_is_heard() {
        let mut conference = Conference::new();
        let mut stays = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut leaves = join(&mut conference, 2, Rate::Hz16000, 700.0);
        pass(&mut conference, &mut [&mut stays, &mut leaves], 100);
        assert!(stays.hears(700.0));
        conference.leave(SeatId(2));
        let mut late = join(&mut conference, 3, Rate::Hz16000, 1_100.0);
        pass(
            &mut conference,
            &mut [&mut stays, &mut leaves, &mut late],
            100,
        );
        assert!(stays.hears(1_100.0) && !stays.hears(700.0));
        assert!(late.hears(400.0) && !late.hears(700.0));
        assert!(!leaves.hears(400.0));
    }

    #[test]
    fn a_muted_member_still_hears() {
        let mut conference = Conference::new();
        let mut muted = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut other = join(&mut conference, 2, Rate::Hz16000, 700.0);
        conference.set_volume(SeatId(1), 0);
        pass(&mut conference, &mut [&mut muted, &mut other], 100);
        assert!(muted.hears(700.0) && !other.hears(400.0));
        conference.set_volume(SeatId(1), 100);
        pass(&mut conference, &mut [&mut muted, &mut other], 100);
        assert!(other.hears(400.0));
    }

    #[test]
    fn what_was_said_before_a_pause_is_not_heard_after_it() {
        let mut conference = Conference::new();
        let mut held = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut other = join(&mut conference, 2, Rate::Hz16000, 700.0);
        pass(&mut conference, &mut [&mut held, &mut other], 50);
        pass(&mut conference, &mut [&mut other], 100);
        let mut input = Input::Link(held.from_conference);
        input.resume();
        assert_eq!(input.read(Rate::Hz16000), Frame::silence(Rate::Hz16000));
    }
}
