//! A call that takes another's place (RFC 3891): an attended transfer from its target's side, or a pick-up.
//!
//! **It is as closed as the one before it.** Mute, hold, input, output, video and the place in a conference are carried over
//! before its 200 OK: no INVITE opens a microphone that its user closed.

use super::pictures::CONTENTS;
use super::{Choice, Context, Seat, Session, Shown, State};
use crate::door::audio;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::hold_via::HoldVia;
use crate::door::id::SessionId;
use crate::door::media::{KeyingWish, SoundCommand};
use crate::door::video::VideoContent;
use crate::reading::parties::Claims;

/// What the new call takes over from the old one.
#[derive(Debug, Clone)]
pub(crate) struct Heritage {
    input: Choice<audio::Input>,
    output: Choice<audio::Output>,
    processing: audio::Processing,
    shown: Shown,
    muted: bool,
    video_muted: bool,
    held: bool,
    kept_held: bool,
    /// In its conference.
    pub(crate) seat: Option<Seat>,
}

/// How far a call is closed from its start, as the one was that led to it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Closed {
    /// The far end hears silence.
    pub(crate) muted: bool,
    /// The far end sees nothing of the camera.
    pub(crate) video_muted: bool,
    /// The far end is on hold.
    pub(crate) held: bool,
    /// Only the user takes it off.
    pub(crate) kept_held: bool,
}

/// The place that a call is to take.
#[derive(Debug)]
pub(crate) struct Succession {
    old: SessionId,
    /// The old call is there still.
    lives: bool,
    /// As it was when this one was accepted: what differs here was chosen for this one since, and stays.
    heritage: Heritage,
    /// How its media may be protected, if not as in the phone.
    pub(super) media: Option<Vec<KeyingWish>>,
    /// How far it is closed now.
    closed: Closed,
}

impl Heritage {
    /// Whether its far end hears music or silence.
    fn is_held(&self) -> bool {
        self.held || self.seat.is_some_and(|seat| seat.held)
    }

    /// For a call that it leads to; what its whole conference is, that one becomes in its seat.
    pub(crate) fn closed(&self) -> Closed {
        let held = self.is_held_alone();
        Closed {
            muted: self.muted,
            video_muted: self.video_muted,
            held,
            kept_held: held && self.kept_held,
        }
    }

    /// Whether the old call has something that can be opened once only.
    fn has_own_input(&self) -> bool {
        self.seat.is_some() || matches!(self.input, Choice::Own(_))
    }

    /// Whether it stays on hold when its conference is resumed.
    pub(crate) fn is_held_alone(&self) -> bool {
        match self.seat {
            Some(seat) => seat.held_alone || (self.held && !seat.held),
            None => self.held,
        }
    }

    fn has_own_output(&self) -> bool {
        self.seat.is_some() || matches!(self.output, Choice::Own(_))
    }
}

impl Shown {
    /// Whether this is of the call before, which has it.
    fn inherits(&self, heritage: &Heritage, content: VideoContent) -> bool {
        let before = heritage.shown.of(content);
        before.is_some() && before == self.of(content)
    }
}

impl Session {
    /// Whether a caller that wants this call's place is shown to belong to it (RFC 3891 §3 and §8): its far end asks
    /// itself, as when it goes on at another of its phones, or has referred whoever asks (RFC 3892).
    ///
    /// Neither is proof: without P-Asserted-Identity both are the caller's own words. That is enough because it has to
    /// name the dialog too, which its two ends know and whom they tell, and because nothing opens that was not open.
    pub(crate) fn admits(&self, claims: &Claims) -> bool {
        let is_far_end = |claim: &String| self.facts.is_far_end(claim);
        let asks_itself = !claims.callers.is_empty() && claims.callers.iter().all(is_far_end);
        asks_itself || claims.referred_by.as_ref().is_some_and(is_far_end)
    }

    /// The place of this call, for one that is to take it in a phone whose media may be protected so.
    pub(crate) fn succession(&self, phone: &[KeyingWish]) -> Option<Succession> {
        Some(Succession {
            media: self.kept_media(phone),
            old: self.id,
            lives: true,
            closed: self.heritage()?.closed(),
            heritage: self.heritage()?,
        })
    }

    /// What one that takes its place takes over; nothing once it is over.
    pub(crate) fn heritage(&self) -> Option<Heritage> {
        self.is_live().then(|| Heritage {
            input: self.near_end.input.clone(),
            output: self.near_end.output.clone(),
            processing: self.near_end.processing,
            shown: self.shown(),
            muted: self.near_end.muted,
            video_muted: self.pictures.muted,
            held: self.is_wanted_held(),
            kept_held: self.holding.kept,
            seat: self.near_end.place.seat(),
        })
    }

    fn is_wanted_held(&self) -> bool {
        match &self.state {
            State::Active(active) => active.holds.wanted(self.holding.held),
            State::Answering(_) => self.holding.held,
            State::Pending(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Takes note of how the call is whose place this one is to take, until this one is accepted.
    pub(crate) fn look_back(&mut self, heritage: Option<Heritage>) {
        let pending = self.is_pending();
        let Some(succession) = &mut self.handover.replaces else {
            return;
        };
        succession.lives = heritage.is_some();
        let Some(heritage) = heritage else {
            return;
        };
        succession.closed = heritage.closed();
        if pending {
            succession.heritage = heritage;
        }
    }

    /// Whether this one is muted was chosen for itself: only what is closed in the old one after that is closed here too.
    pub(super) fn chose_muted(&mut self) {
        if let Some(succession) = &mut self.handover.replaces {
            succession.heritage.muted = succession.closed.muted;
        }
    }

    /// The same of its camera.
    pub(super) fn chose_video_muted(&mut self) {
        if let Some(succession) = &mut self.handover.replaces {
            succession.heritage.video_muted = succession.closed.video_muted;
        }
    }

    /// The call whose place this one has just taken; asked once.
    pub(crate) fn take_replaced(&mut self) -> Option<Succession> {
        match &self.state {
            State::Active(_) => self.handover.replaces.take(),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// The call whose place this one is to take.
    pub(crate) fn to_replace(&self) -> Option<SessionId> {
        self.handover
            .replaces
            .as_ref()
            .map(|succession| succession.old)
    }

    /// Whether the call whose place it was to take has ended.
    pub(super) fn is_too_late(&self) -> bool {
        self.handover
            .replaces
            .as_ref()
            .is_some_and(|succession| !succession.lives)
    }

    /// Whether it goes on where a call was that is not heard now: nobody has to make way for it.
    pub(crate) fn succeeds_in_silence(&self) -> bool {
        let succession = self.handover.replaces.as_ref();
        succession.is_some_and(|succession| succession.heritage.is_held())
    }

    /// Is as the call is whose place it takes, if the application asks for nothing else.
    pub(super) fn succeed(
        &mut self,
        input: Option<audio::Input>,
        output: Option<audio::Output>,
        processing: audio::Processing,
        shown: Shown,
    ) {
        let mut shown = shown;
        if let Some(succession) = &self.handover.replaces {
            self.near_end.input = succession.heritage.input.clone();
            self.near_end.output = succession.heritage.output.clone();
            self.near_end.processing = succession.heritage.processing;
            self.near_end.muted = succession.heritage.muted;
            self.pictures.muted = succession.heritage.video_muted;
            shown = shown.or(succession.heritage.shown.clone());
            self.holding.held = succession.heritage.is_held();
            self.holding.kept = succession.heritage.kept_held;
        }
        self.pictures.choose(shown);
        self.near_end.processing = processing.or(self.near_end.processing);
        if let Some(input) = input {
            self.near_end.input = Choice::Own(input);
        }
        if let Some(output) = output {
            self.near_end.output = Choice::Own(output);
        }
    }

    /// Whether what it is to hear and to say belongs to the old call until that has ended: a source or a file is opened
    /// once.
    pub(super) fn waits_for_input(&self) -> bool {
        let waits = |succession: &Succession| {
            let heritage = &succession.heritage;
            heritage.has_own_input() && self.near_end.input == heritage.input
        };
        self.predecessor().is_some_and(waits)
    }

    pub(super) fn waits_for_output(&self) -> bool {
        let waits = |succession: &Succession| {
            let heritage = &succession.heritage;
            heritage.has_own_output() && self.near_end.output == heritage.output
        };
        self.predecessor().is_some_and(waits)
    }

    /// What it is to show and the old call still has.
    pub(super) fn waits_for_video(&self) -> Vec<VideoContent> {
        let Some(succession) = self.predecessor() else {
            return Vec::new();
        };
        let shown = self.shown();
        let inherited = |content: &VideoContent| shown.inherits(&succession.heritage, *content);
        CONTENTS.into_iter().filter(inherited).collect()
    }

    /// The call whose place it is to take, while that is there.
    fn predecessor(&self) -> Option<&Succession> {
        self.handover.replaces.as_ref().filter(|it| it.lives)
    }

    /// Another call has taken this one's place: BYE, or CANCEL if it was not answered.
    pub(crate) fn replaced(&mut self, ctx: &mut Context<'_>) -> Option<Heritage> {
        let heritage = self.heritage()?;
        let text = "Another call has taken its place";
        let reason = EndReason::new(Condition::AlternativeSession, Side::Remote, text);
        self.end_because(reason, ctx);
        Some(heritage)
    }

    /// Is as the call was at last whose place it has taken; what was closed meanwhile is closed here too.
    pub(crate) fn inherit(
        &mut self,
        taken: Succession,
        last: Option<Heritage>,
        ctx: &mut Context<'_>,
    ) {
        let first = taken.heritage;
        let last = last.unwrap_or_else(|| first.clone());
        if last.muted && !first.muted {
            self.mute(true, ctx);
        }
        if last.is_held() && !first.is_held() {
            let music = ctx.config.hold_music.clone();
            self.holding.kept = last.kept_held;
            self.keep_held(true, music, HoldVia::default(), ctx);
        }
        if last.video_muted && !first.video_muted {
            self.mute_video(true, ctx);
        }
        for content in CONTENTS {
            if self.shown().inherits(&first, content) {
                self.take_video(content, last.shown.of(content).cloned(), ctx);
            }
        }
        let alone = self.near_end.place.seat().is_none();
        let own_input = first.has_own_input() || last.has_own_input();
        let own_output = first.has_own_output() || last.has_own_output();
        if own_input && self.near_end.input == first.input {
            self.near_end.input = last.input;
            let input = self.near_end.input(ctx);
            if alone {
                ctx.media(self.id, SoundCommand::SetInput { input });
            }
        }
        if own_output && self.near_end.output == first.output {
            self.near_end.output = last.output;
            let output = self.near_end.output(ctx);
            if alone {
                ctx.media(self.id, SoundCommand::SetOutput { output });
            }
        }
    }
}
