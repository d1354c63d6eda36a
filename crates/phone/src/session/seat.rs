//! A session's place in a conference: its far end hears the other members and is heard by them.

use super::{Context, Session, State};
use crate::door::audio;
use crate::door::error::PhoneError;
use crate::door::hold_via::HoldVia;
use crate::door::id::ConferenceId;
use crate::door::media::{SoundCommand, StreamCommand};

/// Whom a session's far end hears, and who hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Whoever has its input and output.
    Alone,
    /// A conference, once the session is answered.
    Awaited(ConferenceId),
    /// A conference.
    Seated(Seat),
}

/// A member's place in its conference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) conference: ConferenceId,
    /// It is not to be heard.
    pub(crate) muted: bool,
    /// The whole conference is on hold.
    pub(crate) held: bool,
    /// It was put on hold by itself, and stays so when the conference is resumed.
    pub(crate) held_alone: bool,
}

impl Place {
    /// The conference, whether it takes part already or not.
    pub(crate) fn conference(&self) -> Option<ConferenceId> {
        match self {
            Self::Alone => None,
            Self::Awaited(id) => Some(*id),
            Self::Seated(seat) => Some(seat.conference),
        }
    }

    pub(crate) fn seat(&self) -> Option<Seat> {
        match self {
            Self::Seated(seat) => Some(*seat),
            Self::Alone | Self::Awaited(_) => None,
        }
    }
}

impl Session {
    pub(crate) fn place(&self) -> Place {
        self.near_end.place
    }

    /// Will join this conference once it is answered.
    pub(crate) fn await_seat(&mut self, conference: ConferenceId) {
        self.near_end.place = Place::Awaited(conference);
    }

    /// Takes part in a conference from now on, on hold where that is.
    pub(crate) fn take_seat(&mut self, seat: Seat, music: audio::Input, ctx: &mut Context<'_>) {
        let (id, conference) = (self.id, seat.conference);
        self.near_end.place = Place::Seated(seat);
        self.put_changes_off(ctx);
        if self.near_end.muted {
            // The far end is not to hear this machine, but the other members.
            ctx.media(id, StreamCommand::Mute { muted: false });
            ctx.media(id, SoundCommand::SetHearing { host: false });
        }
        self.drive_seat(ctx);
        let output = audio::Output::None;
        ctx.media(id, SoundCommand::SetOutput { output });
        let input = audio::Input::Conference { id: conference };
        ctx.media(id, SoundCommand::SetInput { input });
        let held = seat.held || seat.held_alone;
        self.keep_held(held, music, HoldVia::default(), ctx);
        self.bound_holds(ctx.now);
    }

    /// Goes on alone, as far as it goes on at all.
    pub(crate) fn leave_seat(&mut self, ctx: &mut Context<'_>) {
        let was = std::mem::replace(&mut self.near_end.place, Place::Alone);
        let Some(seat) = was.seat().filter(|_| self.is_live()) else {
            return;
        };
        self.holding.kept |= seat.held;
        let id = self.id;
        let input = self.near_end.input(ctx);
        ctx.media(id, SoundCommand::SetInput { input });
        let output = self.near_end.output(ctx);
        ctx.media(id, SoundCommand::SetOutput { output });
        if self.near_end.muted {
            ctx.media(id, SoundCommand::SetHearing { host: true });
            ctx.media(id, StreamCommand::Mute { muted: true });
        }
        self.drive_voice(audio::Input::None, ctx);
    }

    /// Is held, or not any more, because the conference is.
    pub(crate) fn hold_in_conference(
        &mut self,
        held: bool,
        music: audio::Input,
        via: HoldVia,
        ctx: &mut Context<'_>,
    ) {
        let Place::Seated(seat) = &mut self.near_end.place else {
            return;
        };
        seat.held = held;
        match seat.held_alone && !held {
            true => self.drive_voice(music, ctx),
            false => self.keep_held(held, music, via, ctx),
        }
        self.bound_holds(ctx.now);
    }

    /// Is not heard in its conference, or is again; says whether that is news.
    pub(crate) fn mute_in_conference(&mut self, muted: bool, ctx: &mut Context<'_>) -> bool {
        let Place::Seated(seat) = &mut self.near_end.place else {
            return false;
        };
        let news = std::mem::replace(&mut seat.muted, muted) != muted;
        self.drive_seat(ctx);
        news
    }

    /// Lets the others hear the far end, but not the music that it plays to us or while it is on hold.
    pub(super) fn drive_seat(&mut self, ctx: &mut Context<'_>) {
        let heard = match self.near_end.place {
            Place::Seated(seat) => !(seat.muted || self.holding.hears_music || self.holding.remote),
            Place::Alone | Place::Awaited(_) => true,
        };
        let percent = if heard { 100 } else { 0 };
        if std::mem::replace(&mut self.near_end.voice, percent) != percent {
            ctx.media(self.id, SoundCommand::SetVoice { percent });
        }
    }

    /// Wants the peer held, or not, if that is not so already; nobody waits for it.
    pub(super) fn keep_held(
        &mut self,
        held: bool,
        music: audio::Input,
        via: HoldVia,
        ctx: &mut Context<'_>,
    ) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        self.holding.kept &= held;
        if active.holds.wanted(self.holding.held) != held {
            self.holding.asked();
            active.holds.push(held, via);
        }
        self.drive_voice(music, ctx);
        self.drive_offer(ctx);
    }

    /// Whether no change of hold waits for the peer.
    pub(crate) fn hold_is_settled(&self) -> bool {
        match &self.state {
            State::Active(active) => active.holds.is_empty(),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => true,
        }
    }

    /// Whether it is the call of who sits here, and not on hold.
    pub(crate) fn is_heard(&self) -> bool {
        self.is_answered() && !self.holding.hears_music
    }

    /// Comes back when its conference is resumed.
    pub(crate) fn come_back(&mut self) {
        self.holding.kept = false;
        if let Place::Seated(seat) = &mut self.near_end.place {
            seat.held_alone = false;
        }
    }

    /// Is over, and a member no more.
    pub(crate) fn leave_conference(&mut self) {
        self.near_end.place = Place::Alone;
    }

    /// Why the peer is not held, or still is, where it did not agree.
    pub(crate) fn hold_failure(&self, held: bool) -> Option<&PhoneError> {
        self.holding.failure(held)
    }
}
