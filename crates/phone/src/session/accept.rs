//! Accepting a pending call: `SessionStarted`, media, and the 200 OK when both are ready.

use sip::endpoint::Reply;

use super::protection::{KEPT_BACK, has_keys};
use super::{Active, Answering, Context, MediaPath, Negotiation, Session, Shown, State};
use crate::door::audio;
use crate::door::command::AcceptOptions;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::event::SessionChanges;
use crate::door::media::{MediaRefusal, SoundCommand, StreamCommand};

impl Session {
    /// Starts the session; the 200 OK follows when media has described itself and the
    /// application's listeners have run (guarantee 3). Accepting again changes nothing.
    pub(crate) fn accept(&mut self, options: AcceptOptions, beep: bool, ctx: &mut Context<'_>) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        let connect = options.auto_connect_session.unwrap_or(
            // PureCloud's fourth example: asking for media alone does not connect.
            ctx.config.auto_connect_sessions && options.auto_start_media != Some(true),
        );
        let offer = pending.offer.take();
        self.near_end.voice_activity = options.voice_activity;
        let silent = options.auto_start_media == Some(false);
        self.succeed(
            options.input.or(silent.then_some(audio::Input::None)),
            options.output.or(silent.then_some(audio::Output::None)),
            options.audio,
            Shown {
                camera: options.video,
                screen: options.screen,
            },
        );
        self.state = State::Answering(Answering {
            offer,
            connect: false,
            early: false,
            described: None,
            offer_open: None,
            renewed: false,
            headers: options.headers,
        });
        self.start(ctx);
        if self.holding.held {
            ctx.media(self.id, StreamCommand::SetHeld { held: true });
        }
        self.wish_video(ctx);
        if connect {
            self.connect(ctx);
        }
        self.start_media(beep, ctx);
        self.start_closed(ctx);
        self.start_video(ctx);
    }

    /// Asks media for the answer; until then nothing is sent (guarantee 3).
    pub(crate) fn connect(&mut self, ctx: &mut Context<'_>) {
        let State::Answering(answering) = &mut self.state else {
            return;
        };
        if std::mem::replace(&mut answering.connect, true) {
            return;
        }
        if answering.early {
            return self.drive_answer(ctx);
        }
        let command = match &answering.offer {
            Some(offer) => StreamCommand::Answer {
                offer: offer.clone(),
            },
            None => StreamCommand::Offer,
        };
        self.describe(command, ctx);
        self.connectivity.media = MediaPath::Connecting;
        self.show_connection(ctx);
    }

    /// Says nothing if the call was muted or on hold whose place it takes, or which led to it.
    pub(super) fn start_closed(&mut self, ctx: &mut Context<'_>) {
        if self.near_end.muted {
            ctx.media(self.id, StreamCommand::Mute { muted: true });
        }
        if self.holding.held {
            self.holding.hears_music = true;
            let music = ctx.config.hold_music.clone();
            ctx.media(self.id, SoundCommand::Hold { music });
        }
    }

    /// Opens the devices chosen for this session.
    pub(super) fn start_media(&self, beep: bool, ctx: &mut Context<'_>) {
        let start = SoundCommand::Start {
            input: match self.waits_for_input() {
                true => audio::Input::None,
                false => self.near_end.input(ctx),
            },
            output: match self.waits_for_output() {
                true => audio::Output::None,
                false => self.near_end.output(ctx),
            },
            beep,
        };
        ctx.media(self.id, start);
        if self.near_end.processing(ctx) != audio::Processing::default() {
            self.tell_processing(ctx);
        }
        if let percent @ ..100 = ctx.config.volume {
            ctx.media(self.id, SoundCommand::SetVolume { percent });
        }
    }

    /// Sends the 200 OK if nothing is missing any more.
    pub(super) fn drive_answer(&mut self, ctx: &mut Context<'_>) {
        let overheard = self.is_overheard(ctx);
        let State::Answering(answering) = &mut self.state else {
            return;
        };
        if !answering.connect || !self.delivery.is_done(ctx.now) {
            return;
        }
        let (Some(usage), Some(sdp)) = (self.usage, &answering.described) else {
            return;
        };
        if overheard && !answering.renewed && has_keys(sdp) {
            return self.refused(MediaRefusal::Unavailable, KEPT_BACK, ctx);
        }
        let late_offer = answering.offer.is_none();
        let mut reply = Reply::new(200);
        // RFC 6337 §3.1.1: what was said since would be taken back by the first answer.
        if !answering.renewed {
            reply = reply.sdp(sdp.clone());
        }
        reply.headers = answering.headers.clone();
        match ctx.respond(usage, &reply) {
            Ok(()) => {}
            // The caller is gone, which is told separately; or its PRACK or our answer comes first.
            Err(super::NotSent::Unknown | super::NotSent::OfferPending) => return,
            Err(error) => {
                let text = error.to_string();
                let reason = EndReason::new(Condition::GeneralError, Side::Local, text);
                return self.end_because(reason, ctx);
            }
        }
        let negotiation = match late_offer {
            true => Negotiation::AwaitingAck,
            false => Negotiation::Stable,
        };
        self.state = State::Active(Box::new(Active::new(negotiation)));
        self.drive_shown(ctx);
        self.activate(ctx);
        if !late_offer {
            self.follow_streams(ctx);
        }
        self.follow_early_move(ctx);
    }

    pub(super) fn activate(&mut self, ctx: &mut Context<'_>) {
        self.facts.start_time = Some(ctx.unix_now);
        let changes = SessionChanges {
            start_time: self.facts.start_time,
            ..SessionChanges::default()
        };
        self.show_state(ctx, changes);
        self.listen_answered(ctx);
    }
}
