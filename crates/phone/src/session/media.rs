//! What media tells a session.

use super::offer::condition;
use super::protection::{KEPT_BACK, has_keys};
use super::{Context, Negotiation, Session, State};
use crate::door::dtmf::DtmfMethod;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::{Event, SessionChanges};
use crate::door::level::Level;
use crate::door::media::{MediaEvent, MediaFailure, MediaRefusal};
use crate::door::sdp::Sdp;
use crate::door::warning::Warning;

impl Session {
    /// Takes news of this session's media; what comes after its end means nothing any more.
    pub(crate) fn handle_media(&mut self, event: MediaEvent, ctx: &mut Context<'_>) {
        if !self.is_live() {
            return;
        }
        let id = self.id;
        match event {
            MediaEvent::Described { sdp } => self.described(sdp, ctx),
            MediaEvent::AnswerApplied => self.answer_applied(ctx),
            // It may come late, when the call is answered: the final answer is what counts.
            MediaEvent::EarlyAnswerRefused { reason } => {
                let details = serde_json::json!({ "id": id, "reason": reason });
                ctx.trace(Level::Warn, "Early media can't be used", details);
            }
            MediaEvent::Refused { refusal, reason } => self.refused(refusal, &reason, ctx),
            MediaEvent::Connecting => self.path_sought(ctx),
            MediaEvent::Connected => self.path_found(ctx),
            MediaEvent::Interrupted => self.path_silent(ctx),
            MediaEvent::Rerouted => self.network_changed(ctx),
            MediaEvent::Failed { failure, reason } => self.failed(failure, &reason, ctx),
            MediaEvent::Secured { keying, cipher } => self.secured(keying, cipher, ctx),
            MediaEvent::FirstSound => self.connectivity.heard = true,
            MediaEvent::EndOfCandidates => ctx.emit(Event::EndOfCandidates { id }),
            MediaEvent::IceServerFailed {
                server,
                reason,
                refuses_login,
            } => {
                self.ice_server_failed((&server, &reason), refuses_login, ctx);
            }
            MediaEvent::RemoteHold { held } => self.held_by_peer(held, ctx),
            MediaEvent::Dtmf {
                tone,
                duration,
                in_band,
            } => {
                let method = match in_band {
                    true => DtmfMethod::Inband,
                    false => DtmfMethod::Rfc4733,
                };
                // RTP can't be asked to come later, as INFO is.
                if !ctx.agent.is_overloaded() {
                    self.pressed(tone, duration, method, ctx);
                }
            }
            MediaEvent::DtmfOut { ticket } => self.tones_out(ticket),
            MediaEvent::DtmfSent { remaining } => self.tones_sent(remaining, ctx),
            MediaEvent::DtmfRefused { ticket, reason } => self.tones_refused(ticket, reason, ctx),
            MediaEvent::DeviceFailed { device, reason } => {
                self.device_failed(device, &reason, ctx);
            }
            MediaEvent::DeviceReplaced { device, stand_in } => {
                self.device_replaced(device, stand_in, ctx);
            }
            MediaEvent::DeviceOpened { device } => self.device_opened(device, ctx),
            MediaEvent::Codec { name } => {
                let changes = SessionChanges {
                    codec: Some(name),
                    ..SessionChanges::default()
                };
                self.show(ctx, changes);
            }
            MediaEvent::Lines { lines } => self.lines_changed(lines, ctx),
            MediaEvent::VideoOutputOpened { line } => self.video_output(line, Ok(()), ctx),
            MediaEvent::VideoOutputFailed { line, reason } => {
                self.video_output(line, Err(reason), ctx);
            }
            MediaEvent::LineCodec { line, codec } => self.line_codec(line, codec, ctx),
            MediaEvent::Resolution {
                line,
                width,
                height,
            } => self.resolution(line, width, height, ctx),
            MediaEvent::PixelsLeftOut { left_out: true } => {
                let text = "More pixels a second come than are decoded: some pictures are left out";
                ctx.emit(Event::warning(id, Warning::TooManyPixels, text.to_owned()));
            }
            MediaEvent::PixelsLeftOut { left_out: false } => ctx.emit(Event::WarningCleared {
                id,
                warning: Warning::TooManyPixels,
            }),
            MediaEvent::NoMedia => {
                let text = "No sound comes from the other side".to_owned();
                ctx.emit(Event::warning(id, Warning::NoMedia, text));
            }
            MediaEvent::MediaResumed => ctx.emit(Event::WarningCleared {
                id,
                warning: Warning::NoMedia,
            }),
            // RFC 3550 §6.6: the stream's end, not the call's; the BYE of SIP ends that.
            MediaEvent::PeerLeft => {}
            MediaEvent::Measured { figures } => self.measured(figures, ctx),
            MediaEvent::Crashed { reason } => self.crashed(&reason, ctx),
        }
    }

    fn described(&mut self, sdp: Sdp, ctx: &mut Context<'_>) {
        if self.would_show_keys(&sdp, ctx) {
            return self.kept_back(ctx);
        }
        self.protection.says_keys = has_keys(&sdp);
        let Some(sdp) = self.answer_early(sdp, ctx) else {
            return;
        };
        match &mut self.state {
            State::Offering(_) => self.send_invite(sdp, ctx),
            State::Answering(answering) => {
                answering.described = Some(sdp);
                self.drive_early_media(ctx);
                self.drive_answer(ctx);
            }
            State::Active(active) => match active.offerer.negotiation {
                Negotiation::Offering => self.send_reoffer(sdp, ctx),
                Negotiation::Answering { request } => {
                    self.answer_reoffer(request, sdp, Negotiation::Stable, ctx);
                }
                Negotiation::OfferingInAnswer { request } => {
                    self.answer_reoffer(request, sdp, Negotiation::AwaitingAck, ctx);
                }
                Negotiation::Abandoned { ours } => self.abandoned(ours, ctx),
                Negotiation::Stable
                | Negotiation::Offered { .. }
                | Negotiation::Withdrawn { .. }
                | Negotiation::Applying
                | Negotiation::AwaitingAck => {}
            },
            State::Pending(_) | State::Dialing(_) | State::Ending | State::Ended => {}
        }
    }

    /// Our description has keys, and the connection that was there for them is gone.
    fn kept_back(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &self.state
            && active.offerer.negotiation == Negotiation::Offering
        {
            // What it was for waits for the next connection with TLS.
            self.take_back(ctx);
            return self.drive_offer(ctx);
        }
        self.refused(MediaRefusal::Unavailable, KEPT_BACK, ctx);
    }

    pub(super) fn refused(&mut self, refusal: MediaRefusal, text: &str, ctx: &mut Context<'_>) {
        if self.refuse_early(ctx) {
            return;
        }
        match &mut self.state {
            State::Offering(_) => {
                let reason = EndReason::new(Condition::MediaError, Side::Local, text);
                self.end_because(reason, ctx);
            }
            State::Answering(_) => {
                let side = match refusal {
                    MediaRefusal::Unavailable => Side::Local,
                    MediaRefusal::Malformed
                    | MediaRefusal::Incompatible
                    | MediaRefusal::PlainRtp => Side::Remote,
                };
                let reason = EndReason::new(condition(refusal), side, text);
                self.end_because(reason, ctx);
            }
            State::Active(active) => match active.offerer.negotiation {
                Negotiation::Offering => self.no_reoffer(text, ctx),
                Negotiation::Abandoned { .. } => self.abandoned(false, ctx),
                Negotiation::Answering { request } => {
                    self.refuse_reoffer(request, 488, ctx);
                }
                Negotiation::OfferingInAnswer { request } => {
                    self.refuse_reoffer(request, 500, ctx);
                }
                Negotiation::Applying => self.answer_refused(refusal, text, ctx),
                Negotiation::Stable
                | Negotiation::Offered { .. }
                | Negotiation::Withdrawn { .. }
                | Negotiation::AwaitingAck => {}
            },
            State::Dialing(_) | State::Pending(_) | State::Ending | State::Ended => {}
        }
    }

    fn failed(&mut self, failure: MediaFailure, text: &str, ctx: &mut Context<'_>) {
        let (condition, side) = match failure {
            MediaFailure::Fingerprint => (Condition::SecurityError, Side::Remote),
            MediaFailure::Moved => return self.moved(text, ctx),
            MediaFailure::Ice | MediaFailure::Dtls | MediaFailure::Consent
                if matches!(self.state, State::Dialing(_)) =>
            {
                return self.early_path_failed(text, ctx);
            }
            MediaFailure::Ice | MediaFailure::Consent if self.connectivity.was_up => {
                return self.path_failed(failure, text, ctx);
            }
            MediaFailure::Dtls if self.connectivity.was_up => {
                (Condition::ConnectivityError, Side::Network)
            }
            MediaFailure::Ice | MediaFailure::Dtls | MediaFailure::Consent => {
                (Condition::FailedTransport, Side::Network)
            }
        };
        self.end_because(EndReason::new(condition, side, text), ctx);
    }

    fn held_by_peer(&mut self, held: bool, ctx: &mut Context<'_>) {
        if self.holding.remote != held {
            self.holding.remote = held;
            let changes = SessionChanges {
                remote_held: Some(held),
                ..SessionChanges::default()
            };
            self.show(ctx, changes);
            self.drive_seat(ctx);
        }
    }

    fn crashed(&mut self, text: &str, ctx: &mut Context<'_>) {
        let error = PhoneError::new(ErrorCode::Media, "Media broke down");
        ctx.emit(Event::Error {
            error: error.with_cause(text),
            id: Some(self.id),
        });
        let reason = EndReason::new(Condition::GeneralError, Side::Local, "Media broke down");
        self.end_because(reason, ctx);
    }
}
