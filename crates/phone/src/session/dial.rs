//! An outgoing call: offer, INVITE, ringing, answer.

use std::collections::VecDeque;
use std::time::Duration;

use sip::dialog::SessionUuids;
use sip::endpoint::{Caller, Invite, Reply};
use sip::message::Response;
use sip::uri::Uri;

use super::protection::KEPT_BACK;
use super::{
    Active, Choice, Closed, Context, Dialing, Facts, Fork, MediaPath, Negotiation, Offering,
    Pictures, Report, Session, Shown, State,
};
use crate::door::audio;
use crate::door::caller_identity::CallerIdentity;
use crate::door::command::VoiceActivity;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::event::{Direction, EndToEndId, Event, SessionChanges};
use crate::door::id::{SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::{KeyingWish, MediaFailure, StreamCommand};
use crate::door::output;
use crate::door::peer::Peer;
use crate::door::sdp::Sdp;
use crate::reading::{conversation_id, outcome, parties, sdp};

/// A call that the application places.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) ticket: Ticket,
    pub(crate) target: Uri<'static>,
    pub(crate) peer: Peer,
    pub(crate) conversation_id: String,
    pub(crate) from: Option<Box<Caller>>,
    pub(crate) anonymous: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) voice_activity: VoiceActivity,
    pub(crate) input: Option<audio::Input>,
    pub(crate) output: Option<audio::Output>,
    pub(crate) processing: audio::Processing,
    pub(crate) shown: Shown,
    /// How its media may be protected, if not as the phone's.
    pub(crate) media: Option<Vec<KeyingWish>>,
    pub(crate) closed: Closed,
    /// Our half of the session's name, if it is the one of the call that led to this one (RFC 7989 §10.2).
    pub(crate) session: Option<u128>,
    /// Who referred us to the target and wants to know what comes of it.
    pub(crate) report: Option<Report>,
}

impl Session {
    /// Makes the session and asks media for its offer.
    pub(crate) fn dial(id: SessionId, dial: Dial, ctx: &mut Context<'_>) -> Self {
        let state = State::Offering(Offering {
            ticket: dial.ticket,
            target: dial.target,
            from: dial.from,
            anonymous: dial.anonymous,
            headers: dial.headers,
            timeout: dial.timeout,
            held: Vec::new(),
        });
        let facts = Facts {
            called: String::new(),
            conversation_id: dial.conversation_id,
            call_id: String::new(),
            peer: dial.peer,
            identity: CallerIdentity::default(),
            uuids: dial.session.map(|local| SessionUuids {
                local,
                remote: None,
            }),
            direction: Direction::Outgoing,
            headers: Vec::new(),
            start_time: None,
        };
        let mut session = Self::new(id, state, facts);
        session.handover.report = dial.report;
        session.near_end.voice_activity = dial.voice_activity;
        session.near_end.input = dial.input.map_or(Choice::Default, Choice::Own);
        session.near_end.output = dial.output.map_or(Choice::Default, Choice::Own);
        session.near_end.processing = dial.processing;
        session.protection.wished = dial.media;
        session.near_end.muted = dial.closed.muted;
        session.pictures = Pictures::new(dial.shown);
        session.pictures.muted = dial.closed.video_muted;
        session.holding.held = dial.closed.held;
        session.holding.kept = dial.closed.kept_held;
        session.start(ctx);
        if session.holding.held {
            ctx.media(id, StreamCommand::SetHeld { held: true });
        }
        session.wish_video(ctx);
        session.describe(StreamCommand::Offer, ctx);
        session.start_media(false, ctx);
        session.start_closed(ctx);
        session.start_video(ctx);
        session
    }

    /// The offer is there: sends the INVITE.
    pub(super) fn send_invite(&mut self, sdp: Sdp, ctx: &mut Context<'_>) {
        let State::Offering(offering) = &mut self.state else {
            return;
        };
        let ticket = offering.ticket;
        let timeout = offering.timeout;
        let held = std::mem::take(&mut offering.held);
        let headers = std::mem::take(&mut offering.headers);
        let from = offering.from.take();
        let invite = Invite {
            headers: headers.clone(),
            from,
            anonymous: offering.anonymous,
            session: self.facts.uuids.map(|uuids| uuids.local),
            ..Invite::offer(offering.target.clone(), sdp)
        };
        match ctx.act(|endpoint, now| endpoint.invite(invite, now)) {
            Ok(usage) => {
                self.usage = Some(usage);
                self.facts.call_id = ctx.agent.call_id(usage).unwrap_or_default();
                self.facts.uuids = ctx.agent.endpoint_of(&usage).session(usage);
                if self.facts.conversation_id.is_empty() {
                    self.facts.conversation_id = self.told(headers, ctx);
                }
                self.state = State::Dialing(Dialing {
                    ticket,
                    until: timeout.map(|timeout| ctx.now + timeout),
                    rings: false,
                    early: Vec::new(),
                    offers: VecDeque::new(),
                });
                let changes = SessionChanges {
                    call_id: Some(self.facts.call_id.clone()),
                    conversation_id: Some(self.facts.conversation_id.clone()),
                    session_id: self.facts.uuids.map(EndToEndId::from),
                    ..SessionChanges::default()
                };
                self.show_state(ctx, changes);
                let snapshot = Box::new(self.snapshot());
                ctx.reply(ticket, Ok(output::Reply::Session(snapshot)));
                for event in held {
                    ctx.emit(event);
                }
            }
            Err(error) => self.not_sent(&error, ctx),
        }
    }

    /// The conversation that the other party finds in our INVITE.
    fn told(&self, mut headers: Vec<(String, String)>, ctx: &Context<'_>) -> String {
        let own = self.facts.uuids.map(|uuids| EndToEndId::from(uuids).local);
        headers.extend(own.map(|own| ("Session-ID".to_owned(), own)));
        let named = &ctx.config.conversation_id_headers;
        conversation_id::find(&headers, named, &self.facts.call_id)
    }

    fn not_sent(&mut self, error: &super::NotSent, ctx: &mut Context<'_>) {
        let (condition, side, code) = match error {
            super::NotSent::NoFlow => (
                Condition::ConnectivityError,
                Side::Network,
                ErrorCode::NotConnected,
            ),
            super::NotSent::Limit { .. } => (
                Condition::GeneralError,
                Side::Local,
                ErrorCode::TooManySessions,
            ),
            super::NotSent::Header { .. }
            | super::NotSent::Target { .. }
            | super::NotSent::Insecure => (
                Condition::GeneralError,
                Side::Local,
                ErrorCode::InvalidArgument,
            ),
            super::NotSent::Unknown
            | super::NotSent::WrongState { .. }
            | super::NotSent::OfferPending
            | super::NotSent::Code { .. } => {
                (Condition::GeneralError, Side::Local, ErrorCode::CallFailed)
            }
        };
        let text = error.to_string();
        let ticket = self.call_ticket();
        self.state = State::Ended;
        self.finish(
            EndReason::new(condition, side, text.clone()),
            State::Ended,
            ctx,
        );
        if let Some(ticket) = ticket {
            ctx.reply(
                ticket,
                Err(PhoneError::new(code, text).with_kind(ErrorType::Call)),
            );
        }
    }

    /// The flow of our INVITE was lost, and there is another: the call rings on over it where the server
    /// lets it, and else the endpoint cancels it there.
    pub(super) fn ring_on(&mut self, ctx: &mut Context<'_>) {
        let usage = self.usage;
        if self.protection.says_keys && self.is_overheard(ctx) {
            let reason = EndReason::new(Condition::ConnectivityError, Side::Network, KEPT_BACK);
            self.end_because(reason, ctx);
        }
        if let Some(usage) = usage {
            ctx.act_for(&usage, |endpoint, now| endpoint.resume(usage, now));
        }
    }

    /// The callee rings, or sends early media.
    pub(crate) fn progress(&mut self, response: &Response, ctx: &mut Context<'_>) {
        let State::Dialing(dialing) = &mut self.state else {
            return;
        };
        let status = outcome::status(response);
        dialing.rings |= status.code == 180;
        let sdp = sdp::of_response(response);
        let early_media = sdp.is_some();
        if let Some(sdp) = sdp {
            let tag = parties::to_tag(response);
            let settled =
                |fork: &Fork| fork.tag == tag && (fork.sdp == sdp || fork.renewed.is_some());
            if !dialing.early.iter().any(settled) {
                dialing.early.retain(|fork| fork.tag != tag);
                dialing.early.push(Fork {
                    tag,
                    sdp: sdp.clone(),
                    renewed: None,
                    unreachable: false,
                });
                self.apply_answer(sdp, true, ctx);
            }
        }
        self.report(&status, ctx);
        ctx.emit(Event::Progress {
            id: self.id,
            code: status.code,
            reason: status.reason,
            early_media,
        });
    }

    /// An answer sends the call elsewhere, and it goes there.
    pub(crate) fn redirected(
        &mut self,
        target: &Uri<'_>,
        response: &Response,
        ctx: &mut Context<'_>,
    ) {
        if let State::Dialing(dialing) = &mut self.state {
            dialing.early.clear();
            ctx.emit(Event::Redirected {
                id: self.id,
                code: response.status().code(),
                target: target.to_string(),
            });
        }
    }

    /// The callee has answered.
    pub(crate) fn answered(&mut self, response: &Response, ctx: &mut Context<'_>) {
        let State::Dialing(dialing) = &mut self.state else {
            return;
        };
        let tag = parties::to_tag(response);
        let mut forks = std::mem::take(&mut dialing.early);
        let heard = forks.last().is_some_and(|heard| heard.tag == tag);
        let early = forks
            .iter()
            .position(|fork| fork.tag == tag)
            .map(|index| forks.swap_remove(index));
        let lost = heard && early.as_ref().is_some_and(|fork| fork.unreachable);
        let overtaken = std::mem::take(&mut dialing.offers);
        for open in &overtaken {
            // Its sender did not wait for our answer.
            ctx.answer(open.request, &Reply::new(500).header("Retry-After", "1"));
        }
        let said = sdp::of_response(response);
        // Some gateways send the answer only in the 183 before (RFC 3261 §13.2.1 allows it there).
        let (answer, renewed) = match early {
            Some(fork) if fork.renewed.is_some() || said.is_none() => {
                (Some(fork.sdp), fork.renewed)
            }
            Some(_) | None => (said, None),
        };
        let mut active = Active::new(Negotiation::Applying);
        active.early.untold = true;
        active.early.renewed = renewed.filter(|_| !heard);
        active.early.overtaken = !overtaken.is_empty();
        self.state = State::Active(Box::new(active));
        let Some(answer) = answer else {
            let text = "The answer has no session description";
            let reason = EndReason::new(Condition::IncompatibleParameters, Side::Remote, text);
            return self.end_because(reason, ctx);
        };
        self.report_finally(&outcome::status(response), ctx);
        self.apply_answer(answer, false, ctx);
        // Behind it: nothing is shown to another phone that rang.
        self.drive_shown(ctx);
        if lost {
            self.path_failed(
                MediaFailure::Ice,
                "Its early media could not be reached",
                ctx,
            );
        }
        self.follow_early_move(ctx);
    }

    /// Tells that the callee has answered, once media know by which codec.
    pub(super) fn tell_answered(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state
            && std::mem::take(&mut active.early.untold)
        {
            self.activate(ctx);
            ctx.emit(Event::Answered { id: self.id });
        }
    }

    /// The phone that is heard before the answer can't be reached, or not any more: the others ring on,
    /// and the one that answers may be another.
    pub(super) fn early_path_failed(&mut self, text: &str, ctx: &mut Context<'_>) {
        if let State::Dialing(dialing) = &mut self.state {
            if let Some(heard) = dialing.early.last_mut() {
                heard.unreachable = true;
            }
            let details = serde_json::json!({ "id": self.id, "reason": text });
            ctx.trace(Level::Warn, "Early media could not be reached", details);
            self.path_changed(MediaPath::None, ctx);
        }
    }

    fn apply_answer(&mut self, sdp: Sdp, provisional: bool, ctx: &mut Context<'_>) {
        ctx.media(self.id, StreamCommand::SetAnswer { sdp, provisional });
        if self.connectivity.media == MediaPath::None {
            self.connectivity.media = MediaPath::Connecting;
            self.show_connection(ctx);
        }
    }
}
