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
use std::time::Instant;

use audio::level::Meter;
use audio::mixer::{Mixer, Voice};
use audio::{Frame, Rate};
use phone::SessionId;

use super::{Input, Output, SinkGroup, Tap, Underway};
use crate::device_hub::Trouble;

/// Ticks between two reports of how loud everybody is: 100 ms.
const TICKS_PER_REPORT: u64 = 10;

/// Who takes part: what it says, where it hears the others, and whom to tell when the conference breaks.
pub(crate) struct Member {
    /// The session; none is whoever sits at this machine.
    session: Option<SessionId>,
    input: Input,
    output: Output,
    voice: Voice,
    meter: Meter,
    /// It hears whoever sits at this machine.
    hears_host: bool,
    /// It neither speaks nor hears; what it has to say is not read.
    paused: bool,
    /// How loud it hears the others, in percent.
    volume: u8,
    trouble: Trouble,
}

impl Member {
    /// A session's far end, or if none is named whoever sits at this machine.
    pub(crate) fn new(
        session: Option<SessionId>,
        input: Input,
        output: Output,
        trouble: Trouble,
    ) -> Member {
        Member {
            session,
            input,
            output,
            voice: Voice::new(100),
            meter: Meter::new(Rate::Hz48000),
            hears_host: true,
            paused: false,
            volume: 100,
            trouble,
        }
    }

    /// Is so loud for the others from its first tick on, in percent.
    pub(crate) fn with_voice(mut self, percent: u8) -> Member {
        self.voice = Voice::new(percent);
        self
    }

    fn speak(&mut self, rate: Rate) -> Frame {
        match self.paused {
            true => Frame::silence(rate),
            false => {
                let said = self.input.read(rate);
                // When the members hear it is known of each session alone.
                self.input.handed(Underway::default());
                said
            }
        }
    }

    fn hear(&mut self, host: Option<&Frame>, mixer: &Mixer) -> Option<&Arc<SinkGroup>> {
        let mut heard = match host {
            _ if self.paused => Frame::silence(mixer.rate()),
            Some(host) if !self.hears_host => self.voice.hear_without(host, mixer),
            Some(_) | None => self.voice.hear(mixer),
        };
        if self.volume < 100 {
            for sample in heard.samples_mut() {
                *sample = (i32::from(*sample) * i32::from(self.volume) / 100) as i16;
            }
        }
        self.output.write(&heard)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("session", &self.session)
            .field("input", &self.input)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Names a member within its conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeatId(pub(crate) u64);

/// What one member may be asked to do.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "it is boxed on its way, and taken once"
)]
pub(crate) enum SeatOrder {
    /// Replaces what it says.
    SetInput(Input),
    /// Replaces where it hears the others.
    SetOutput(Output),
    /// Makes it so loud for the others, in percent; 0 mutes it.
    SetVoice(u8),
    /// Makes the others so loud for it, in percent.
    SetVolume(u8),
    /// Lets it hear whoever sits at this machine, or only the other members.
    SetHearing { host: bool },
    /// It neither speaks nor hears, or does both again.
    Pause(bool),
}

/// How loud everybody was for the others, as W3C's `audioLevel`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    /// Whoever sits at this machine, if somebody does.
    pub(crate) local: Option<f32>,
    pub(crate) members: Vec<(SessionId, f32)>,
}

/// Told how loud everybody is.
pub(crate) type LevelsReport = Box<dyn FnMut(Levels) + Send>;

/// The members and their mix.
pub(crate) struct Conference {
    members: BTreeMap<SeatId, Member>,
    mixer: Mixer,
    report: Option<LevelsReport>,
    taps: Vec<Tap>,
    ticks: u64,
}

impl fmt::Debug for Conference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conference")
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}

impl Conference {
    pub(crate) fn new() -> Conference {
        Conference {
            members: BTreeMap::new(),
            mixer: Mixer::new(Rate::Hz8000),
            report: None,
            taps: Vec::new(),
            ticks: 0,
        }
    }

    pub(crate) fn join(&mut self, seat: SeatId, member: Member) {
        self.members.insert(seat, member);
    }

    pub(crate) fn leave(&mut self, seat: SeatId) {
        self.members.remove(&seat);
    }

    pub(crate) fn order(&mut self, seat: SeatId, order: SeatOrder) {
        let Some(member) = self.members.get_mut(&seat) else {
            return;
        };
        match order {
            SeatOrder::SetInput(input) => member.input.replace(input),
            SeatOrder::SetOutput(output) => member.output.replace(output),
            SeatOrder::SetVoice(percent) => member.voice.set_volume(percent),
            SeatOrder::SetVolume(percent) => member.volume = percent,
            SeatOrder::SetHearing { host } => member.hears_host = host,
            SeatOrder::Pause(paused) => {
                member.paused = paused;
                member.input.resume();
            }
        }
    }

    /// Tells ten times a second how loud everybody is, or no more.
    pub(crate) fn report(&mut self, report: Option<LevelsReport>) {
        self.report = report;
        self.ticks = 0;
        for member in self.members.values_mut() {
            member.meter.take();
        }
    }

    /// Records whoever sits at this machine beside all others.
    pub(crate) fn record(&mut self, tap: Tap) {
        self.taps.push(tap);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Mixes one tick; `wake` is given whom to wake when all have ticked.
    pub(crate) fn tick(&mut self, now: Instant, mut wake: impl FnMut(&Arc<SinkGroup>)) {
        self.follow_rates();
        let rate = self.mixer.rate();
        for member in self.members.values_mut() {
            let said = member.speak(rate);
            member.voice.say(said, &mut self.mixer);
        }
        let host = self.host();
        for member in self.members.values_mut() {
            if let Some(group) = member.hear(host.as_ref(), &self.mixer) {
                wake(group);
            }
        }
        self.tick_taps(now);
        self.mixer.clear();
        self.measure();
    }

    fn tick_taps(&mut self, now: Instant) {
        if self.taps.is_empty() {
            return;
        }
        let rate = self.mixer.rate();
        let host = self.host_said().unwrap_or(Frame::silence(rate));
        let others = self.mixer.without(&host);
        self.taps.retain_mut(|tap| tap.write(now, &host, &others));
    }

    /// What whoever sits at this machine said in this tick, if somebody does not want to hear it.
    fn host(&self) -> Option<Frame> {
        if self.members.values().all(|member| member.hears_host) {
            return None;
        }
        self.host_said()
    }

    fn host_said(&self) -> Option<Frame> {
        let mut members = self.members.values();
        let host = members.find(|member| member.session.is_none());
        host.map(|host| *host.voice.said())
    }

    fn measure(&mut self) {
        let Some(report) = &mut self.report else {
            return;
        };
        self.ticks += 1;
        let due = self.ticks.is_multiple_of(TICKS_PER_REPORT);
        let mut levels = Levels {
            local: None,
            members: Vec::new(),
        };
        for member in self.members.values_mut() {
            member.meter.add(member.voice.said().samples());
            if !due {
                continue;
            }
            let level = member.meter.take().linear();
            match member.session {
                Some(id) => levels.members.push((id, level)),
                None => levels.local = Some(level),
            }
        }
        if due {
            report(levels);
        }
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
        let id = Some(SessionId::from_random(u128::from(seat)));
        let (input, output) = (Input::Link(input), Output::Link(output));
        let member = Member::new(id, input, output, Box::new(|_| true));
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
            conference.tick(Instant::now(), |_| {});
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
        conference.order(SeatId(1), SeatOrder::SetVoice(0));
        pass(&mut conference, &mut [&mut muted, &mut other], 100);
        assert!(muted.hears(700.0) && !other.hears(400.0));
        conference.order(SeatId(1), SeatOrder::SetVoice(100));
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

    /// Whoever sits at this machine: sends a tone, and writes down what it hears.
    fn sit(conference: &mut Conference, seat: u64, hz: f64) -> LinkReader {
        let (output, heard) = link();
        let (input, output) = (Input::Tone(Tone::sine(hz, -24.0)), Output::Link(output));
        let host = Member::new(None, input, output, Box::new(|_| true));
        conference.join(SeatId(seat), host);
        heard
    }

    #[test]
    fn who_is_not_to_hear_this_machine_hears_the_other_members() {
        let mut conference = Conference::new();
        let mut one = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut other = join(&mut conference, 2, Rate::Hz16000, 700.0);
        let _heard = sit(&mut conference, 3, 1_100.0);
        conference.order(SeatId(1), SeatOrder::SetHearing { host: false });
        pass(&mut conference, &mut [&mut one, &mut other], 100);
        assert!(one.hears(700.0) && !one.hears(1_100.0));
        assert!(other.hears(400.0) && other.hears(1_100.0));
        conference.order(SeatId(1), SeatOrder::SetHearing { host: true });
        pass(&mut conference, &mut [&mut one, &mut other], 100);
        assert!(one.hears(1_100.0));
    }

    #[test]
    fn this_machine_neither_speaks_nor_hears_while_it_pauses() {
        let mut conference = Conference::new();
        let mut one = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut heard = sit(&mut conference, 2, 1_100.0);
        pass(&mut conference, &mut [&mut one], 100);
        assert!(one.hears(1_100.0));
        conference.order(SeatId(2), SeatOrder::Pause(true));
        heard.resume();
        pass(&mut conference, &mut [&mut one], 100);
        assert!(!one.hears(1_100.0));
        for _ in 0..8 {
            assert_eq!(heard.read(Rate::Hz16000), Frame::silence(Rate::Hz16000));
        }
        conference.order(SeatId(2), SeatOrder::Pause(false));
        pass(&mut conference, &mut [&mut one], 100);
        assert!(one.hears(1_100.0));
    }

    #[test]
    fn levels_are_told_ten_times_a_second_and_are_those_that_the_others_hear() {
        let mut conference = Conference::new();
        let mut loud = join(&mut conference, 1, Rate::Hz16000, 400.0);
        let mut muted = join(&mut conference, 2, Rate::Hz16000, 700.0);
        let _heard = sit(&mut conference, 3, 1_100.0);
        conference.order(SeatId(2), SeatOrder::SetVoice(0));
        pass(&mut conference, &mut [&mut loud, &mut muted], 100);
        let (tell, told) = std::sync::mpsc::channel();
        conference.report(Some(Box::new(move |levels| drop(tell.send(levels)))));
        pass(&mut conference, &mut [&mut loud, &mut muted], 100);
        let told: Vec<Levels> = told.try_iter().collect();
        assert_eq!(told.len(), 10);
        for Levels { local, members } in told {
            let [(first, loud), (second, silent)] = members[..] else {
                panic!("two members");
            };
            assert_eq!([first, second], [1, 2].map(SessionId::from_random));
            // A sine at -24 dB of full scale.
            assert!((loud - 0.0446).abs() < 0.01, "{loud}");
            assert!((local.unwrap() - 0.0446).abs() < 0.01, "{local:?}");
            assert_eq!(silent, 0.0);
        }
    }
}
