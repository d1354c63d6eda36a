//! Hold: the other party hears music or silence and is not heard, until it is taken off again.

use std::time::Instant;

use super::holds::HoldChange;
use super::offer::NO_ANSWER;
use super::{Active, Context, Pause, Place, Session, State};
use crate::door::audio;
use crate::door::error::{ErrorCode, PhoneError, SipStatus};
use crate::door::event::SessionChanges;
use crate::door::hold_via::HoldVia;
use crate::door::id::Ticket;
use crate::door::media::SoundCommand;
use crate::door::output::Reply;

impl Active {
    /// Starts the time of a hold that somebody waits for and that could be offered but for the peer.
    pub(super) fn time_hold(&mut self, is_usable: bool, now: Instant) {
        let may_be_offered = self.offerer.pause == Pause::No && is_usable;
        self.holds.time(may_be_offered, now);
    }
}

impl Session {
    /// Wants the peer held, or not; the command is done when the peer has agreed. What the far end
    /// hears changes at once: who is put on hold shall not hear one word more.
    pub(crate) fn hold(
        &mut self,
        ticket: Ticket,
        held: bool,
        music: audio::Input,
        via: HoldVia,
        ctx: &mut Context<'_>,
    ) {
        let may_offer = self.may_offer(ctx);
        let State::Active(active) = &mut self.state else {
            let text = "A session can be held only while it is active";
            let error = PhoneError::wrong_state(text);
            return ctx.reply(ticket, Err(error));
        };
        self.holding.kept = held;
        if let Place::Seated(seat) = &mut self.near_end.place {
            seat.held_alone = held;
        }
        if active.holds.await_last(held, ticket, ctx.now) {
            return active.time_hold(may_offer, ctx.now);
        }
        if active.holds.wanted(self.holding.held) == held {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        self.holding.asked();
        active.offerer.hurry();
        active.holds.push(held, via);
        active.holds.await_last(held, ticket, ctx.now);
        self.drive_voice(music, ctx);
        self.drive_offer(ctx);
    }

    /// Holds the peer because another call is the one to be heard now; nobody waits for it.
    pub(crate) fn make_way(&mut self, music: audio::Input, ctx: &mut Context<'_>) {
        self.keep_held(true, music, HoldVia::default(), ctx);
    }

    /// Whether only the user takes the peer off hold.
    pub(crate) fn is_kept_held(&self) -> bool {
        self.holding.kept
    }

    /// Takes the peer off hold because the platform asks for it; nobody waits for it.
    pub(super) fn take_off_hold(&mut self, ctx: &mut Context<'_>) {
        self.keep_held(false, audio::Input::None, HoldVia::default(), ctx);
    }

    /// The time of a hold is up: whoever waits for it is told, and may ask again.
    pub(super) fn hold_timeout(&mut self, ctx: &mut Context<'_>) {
        self.hold_without_moment(ctx);
        let now = ctx.now;
        while let State::Active(active) = &mut self.state
            && let Some(index) = active.holds.due(now)
        {
            self.give_up_hold(index, ctx);
        }
    }

    /// Somebody else waits for what the peer is to be told about hold.
    pub(super) fn bound_holds(&mut self, now: Instant) {
        if let State::Active(active) = &mut self.state {
            active.holds.bound(now);
        }
    }

    /// The wish is withdrawn. An offer of it that is out is too; a peer that takes it all the same is told what holds.
    fn give_up_hold(&mut self, index: usize, ctx: &mut Context<'_>) {
        let stuck = (!self.may_offer(ctx)).then(|| self.without_connection(ctx));
        let State::Active(active) = &mut self.state else {
            return;
        };
        let is_offering = index == 0 && active.offerer.is_offering();
        let is_offered = index == 0 && active.offerer.purpose.hold.is_some();
        let Some(change) = active.holds.give_up(index) else {
            return;
        };
        let text = stuck.unwrap_or(match (is_offering, change.put_off.is_some()) {
            (true, _) => NO_ANSWER,
            (false, true) => "the other party puts it off",
            (false, false) => "the other party leaves no moment for it",
        });
        if is_offered {
            active.offerer.purpose.hold = None;
            self.withdraw_offer(ctx);
        }
        self.hold_failed(change, text, ctx);
        self.drive_offer(ctx);
    }

    /// The peer can't take the offer of a hold now.
    pub(super) fn hold_put_off(&mut self, status: SipStatus) {
        if let State::Active(active) = &mut self.state
            && active.offerer.purpose.hold.is_some()
        {
            active.holds.put_off(status);
        }
    }

    /// It can't be offered because of the peer's own offers.
    fn hold_without_moment(&mut self, ctx: &mut Context<'_>) {
        let may_offer = self.may_offer(ctx);
        let State::Active(active) = &mut self.state else {
            return;
        };
        if !active.holds.found_no_moment(ctx.now) {
            return;
        }
        // Without a flow it waits for the next one; behind an offer of ours for its answer, and after a glare its turn.
        if may_offer && !active.offerer.is_offering() && active.offerer.pause == Pause::No {
            let text = "the other party leaves no moment for an offer of ours";
            self.hold_refused(text, None, ctx);
            self.drive_offer(ctx);
        }
    }

    /// The peer has agreed to what our offer asked for. Where nobody wants that any more, it is told what holds.
    pub(super) fn hold_agreed(&mut self, held: bool, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        let change = active.holds.next();
        if change.is_none_or(|change| change.held != held) {
            active.offerer.owed.renewal |= held != self.holding.held;
            return;
        }
        let Some(change) = self.take_hold() else {
            return;
        };
        self.holding.held = change.held;
        let changes = SessionChanges {
            held: Some(change.held),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
        for ticket in change.tickets {
            ctx.reply(ticket, Ok(Reply::Done));
        }
        self.drop_idle_holds(ctx);
    }

    /// The peer, or media, did not agree: the call is as it was.
    pub(super) fn hold_refused(
        &mut self,
        text: &str,
        sip: Option<SipStatus>,
        ctx: &mut Context<'_>,
    ) {
        if let Some(mut change) = self.take_hold() {
            change.put_off = sip;
            self.hold_failed(change, text, ctx);
        }
    }

    fn hold_failed(&mut self, change: HoldChange, text: &str, ctx: &mut Context<'_>) {
        let what = if change.held { "hold" } else { "resume" };
        let error = PhoneError::new(
            ErrorCode::HoldFailed,
            format!("Unable to {what} the session: {text}"),
        )
        .with_sip(change.put_off);
        for ticket in change.tickets {
            ctx.reply(ticket, Err(error.clone()));
        }
        self.holding.refused(change.held, error);
        self.drop_idle_holds(ctx);
    }

    fn take_hold(&mut self) -> Option<HoldChange> {
        match &mut self.state {
            State::Active(active) => active.holds.take_next(),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// After one change the next may ask for what is so already.
    fn drop_idle_holds(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            for ticket in active.holds.take_idle(self.holding.held) {
                ctx.reply(ticket, Ok(Reply::Done));
            }
        }
        self.drive_voice(audio::Input::None, ctx);
    }

    /// Lets the far end hear what it shall: the input only if nobody wants it held.
    pub(super) fn drive_voice(&mut self, music: audio::Input, ctx: &mut Context<'_>) {
        let State::Active(active) = &self.state else {
            return;
        };
        // In a conference on hold also who did not agree to be held hears music only.
        let held = self.holding.held
            || active.holds.hold_waits()
            || self.near_end.place.seat().is_some_and(|seat| seat.held);
        if std::mem::replace(&mut self.holding.hears_music, held) != held {
            ctx.media(
                self.id,
                match held {
                    true => SoundCommand::Hold { music },
                    false => SoundCommand::Resume,
                },
            );
            if !held {
                self.music_ended(ctx);
            }
        }
        self.drive_shown(ctx);
        self.drive_seat(ctx);
    }
}
