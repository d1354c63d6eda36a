//! What the application asks for, taken to whom it concerns.

use std::time::Instant;

use super::Phone;
use crate::config;
use crate::door::command::Command;
use crate::door::error::PhoneError;
use crate::door::id::Ticket;
use crate::door::media::SoundCommand;
use crate::door::output::{Output, Reply};
use crate::door::recording::RecordingPlan;
use crate::door::text::is_printable;
use crate::session::Session;

pub(super) type CommandOutcome = Result<Reply, PhoneError>;

/// What came of a command.
pub(super) enum Settled {
    /// This, now.
    Now(CommandOutcome),
    /// The outcome comes later, or came already.
    Later,
}

impl Settled {
    pub(super) const DONE: Self = Self::Now(Ok(Reply::Done));

    /// Done, or failed.
    pub(super) fn done(result: Result<(), PhoneError>) -> Self {
        Self::Now(result.map(|()| Reply::Done))
    }

    /// Begun, or failed: what it comes to is told later.
    pub(super) fn begun(result: Result<(), PhoneError>) -> Self {
        match result {
            Ok(()) => Self::Later,
            Err(error) => Self::Now(Err(error)),
        }
    }
}

impl Phone {
    /// Takes a command of the application; its `Reply` names the ticket.
    pub fn handle_command(&mut self, ticket: Ticket, command: Command, now: Instant) {
        self.input(now, |phone| {
            phone.open.insert(ticket);
            match phone.perform(ticket, command) {
                Settled::Now(outcome) => {
                    // Guarantee 5: a reply comes after the events that its command caused.
                    phone.settle();
                    phone.reply(ticket, outcome);
                }
                Settled::Later => {}
            }
        });
    }

    /// Takes a command to where it belongs: the phone's own, those to a session, and those to what goes on beside
    /// calls.
    fn perform(&mut self, ticket: Ticket, command: Command) -> Settled {
        let leaves = matches!(command, Command::Destroy {} | Command::Delivered { .. });
        if self.ending.has_begun() && !leaves {
            return Settled::Now(Err(PhoneError::destroyed()));
        }
        match command {
            Command::Initialize {} => {
                if let Err(error) = self.open_journal() {
                    return Settled::Now(Err(error));
                }
                self.ask_account(|account, ctx| account.initialize(ticket, ctx))
            }
            Command::Register {} => self.ask_account(|account, ctx| account.register(ticket, ctx)),
            Command::Unregister {} => {
                self.ask_account(|account, ctx| account.unregister(ticket, ctx))
            }
            Command::Reconnect {} => self.reconnect(ticket),
            Command::Disconnect {} => {
                self.disconnect();
                Settled::DONE
            }
            Command::Destroy {} => {
                self.destroy(ticket);
                Settled::Later
            }
            Command::Drain { timeout, code } => self.drain(ticket, timeout, code),
            Command::Abort { ticket } => {
                self.abort(ticket);
                Settled::DONE
            }
            Command::SetAccessToken { token } => Settled::done(self.set_access_token(token)),
            Command::IceServersGiven {
                question,
                servers,
                failure,
            } => {
                self.ice_servers_given(question, servers.as_ref(), failure);
                Settled::DONE
            }
            Command::SetPassword { password } => Settled::done(self.set_password(password)),
            Command::SetIceServers { ice_servers } => {
                Settled::done(self.set_ice_servers(ice_servers))
            }
            Command::SetAudioDevice {
                input,
                output,
                ring,
            } => {
                self.set_audio_device(input, output, ring);
                Settled::DONE
            }
            Command::SetAudioProcessing { id, processing } => {
                Settled::done(self.set_audio_processing(id, processing))
            }
            Command::SetVolume { id, volume } => Settled::done(self.set_volume(id, volume)),
            Command::SetLogLevel { level } => {
                self.set_log_level(level);
                Settled::DONE
            }
            Command::ExpectCall {
                conversation_id,
                timeout,
            } => {
                self.announced
                    .expect(conversation_id, timeout, self.around.now);
                Settled::DONE
            }

            Command::Call { target, options } => {
                Settled::begun(self.call(ticket, &target, *options))
            }
            Command::EndOrphan { call_id } => self.end_orphan(ticket, &call_id),
            Command::TakeOver { call_id, options } => {
                Settled::begun(self.adopt_orphan(ticket, &call_id, *options))
            }
            Command::Accept { id, options } => Settled::done(self.accept(id, *options)),
            Command::AutoAnswerDecision { id, answer } => {
                self.decide(id, answer);
                Settled::DONE
            }
            Command::ProxyChosen {
                question,
                proxy,
                failure,
            } => {
                let ctx = &mut self.around.context();
                self.account
                    .proxy_chosen(question, proxy.as_ref(), failure, ctx);
                Settled::DONE
            }
            Command::CredentialFailed => {
                self.account.no_other_credential(&self.around.context());
                Settled::DONE
            }
            Command::Delivered { id } => {
                self.delivered(id);
                Settled::DONE
            }
            Command::Connect { id } => Settled::done(self.act_on_live(id, Session::connect)),
            Command::SendEarlyMedia { id } => Settled::done(self.early_media(id)),
            Command::Reject {
                id,
                code,
                reason,
                cause,
            } => Settled::done(self.reject(id, code, reason, cause)),
            Command::Redirect {
                id,
                target,
                code,
                reason,
            } => Settled::done(self.redirect(id, &target, code, reason)),
            Command::End {
                id,
                conversation_id,
                reason,
                cause,
                text,
            } => Settled::done(self.end(id, conversation_id, reason, cause, text)),
            Command::Mute { id, muted } => {
                Settled::done(self.act_on_live(id, |s, ctx| s.mute(muted, ctx)))
            }
            Command::Hold {
                id,
                held,
                music,
                via,
            } => self.hold(ticket, id, held, music, via),
            Command::SendInfo {
                id,
                content_type,
                body,
            } => Settled::begun(
                self.act_on_live(id, |s, ctx| s.send_info(ticket, &content_type, &body, ctx)),
            ),
            Command::SendDtmf {
                id,
                tones,
                duration,
                gap,
                via,
            } => Settled::begun(self.act_on_live(id, |s, ctx| {
                s.send_dtmf(ticket, &tones, duration, gap, via, ctx)
            })),
            Command::SetInput { id, input } => {
                Settled::begun(self.act_on_live(id, |s, ctx| s.set_input(ticket, input, ctx)))
            }
            Command::SetOutput { id, output } => {
                Settled::begun(self.act_on_live(id, |s, ctx| s.set_output(ticket, output, ctx)))
            }
            Command::SetVideo { id, content, input } => {
                let begun = self.check_shown(Some(id), [input.as_ref(), None]);
                Settled::begun(begun.and_then(|()| {
                    self.act_on_live(id, |session, ctx| {
                        session.set_video(ticket, content, input, ctx);
                    })
                }))
            }
            Command::SetVideoOutput { id, stream, output } => {
                Settled::begun(self.act_on_live(id, |session, ctx| {
                    session.set_video_output(ticket, &stream, output, ctx);
                }))
            }
            Command::MuteVideo { id, muted } => {
                Settled::done(self.act_on_live(id, |s, ctx| s.mute_video(muted, ctx)))
            }
            Command::Record {
                recorded,
                target,
                format,
                legs,
                rate,
            } => Settled::begun(self.record(
                ticket,
                RecordingPlan {
                    recorded,
                    target,
                    format,
                    legs,
                    rate,
                },
            )),
            Command::PauseRecording { recording, paused } => {
                self.pause_recording(recording, paused)
            }
            Command::StopRecording { recording, failure } => {
                self.stop_recording(recording, failure);
                Settled::DONE
            }
            Command::Tap { id, tapped, sink } => Settled::done(self.act_on_live(id, |s, ctx| {
                ctx.media(s.id, SoundCommand::Tap { tapped, sink });
            })),
            Command::Measure { id, wanted } => Settled::done(self.measure(id, wanted)),
            Command::Listen {
                id,
                speech,
                tones,
                answerer,
            } => Settled::done(self.act_on_live(id, |session, ctx| {
                session.listen(speech, tones, answerer, ctx);
            })),

            Command::Transfer { id, target } => Settled::begun(self.transfer(ticket, id, &target)),
            Command::AttendedTransfer { id, other, ringing } => {
                Settled::begun(self.attended_transfer(ticket, id, other, ringing))
            }
            Command::AcceptTransfer { id, options } => {
                Settled::begun(self.follow(ticket, id, *options))
            }
            Command::RejectTransfer { id } => Settled::done(self.refuse_transfer(id)),
            Command::AcceptCallRequest { request, options } => {
                Settled::begun(self.accept_call_request(ticket, request, *options))
            }
            Command::RejectCallRequest {
                request,
                code,
                reason,
            } => Settled::done(self.call_requests.reject(
                request,
                code,
                reason,
                &mut self.around.context(),
            )),

            Command::Confer {
                sessions,
                input,
                output,
            } => Settled::begun(self.confer(ticket, sessions, input, output)),
            Command::Conference { id, request } => self.ask_conference(ticket, id, request),

            Command::SendMessage {
                target,
                content_type,
                body,
                headers,
            } => Settled::begun(self.standalone_requests.send_message(
                ticket,
                &target,
                &content_type,
                &body,
                &headers,
                &mut self.around.context(),
            )),
            Command::SendOptions { target, headers } => {
                Settled::begun(self.standalone_requests.send_options(
                    ticket,
                    &target,
                    &headers,
                    &mut self.around.context(),
                ))
            }
            Command::Subscribe {
                target,
                event,
                options,
            } => Settled::begun(self.subscriptions.subscribe(
                ticket,
                &target,
                event,
                options,
                &mut self.around.context(),
            )),
            Command::Unsubscribe { subscription } => {
                self.subscriptions
                    .unsubscribe(ticket, subscription, &mut self.around.context())
            }
            Command::AcceptSubscription {
                notifier,
                expires,
                content_type,
                body,
            } => {
                let state = (content_type.as_str(), body.as_ref());
                let ctx = &mut self.around.context();
                Settled::done(self.notifiers.accept(notifier, expires, state, ctx))
            }
            Command::RejectSubscription {
                notifier,
                code,
                reason,
            } => Settled::done(self.notifiers.reject(
                notifier,
                code,
                reason,
                &mut self.around.context(),
            )),
            Command::Notify {
                notifier,
                content_type,
                body,
            } => Settled::done(self.notifiers.notify(
                notifier,
                &content_type,
                &body,
                &mut self.around.context(),
            )),
            Command::TerminateNotifier { notifier, reason } => Settled::done(
                self.notifiers
                    .terminate(notifier, reason.as_deref(), &mut self.around.context()),
            ),
        }
    }

    pub(super) fn reply(&mut self, ticket: Ticket, outcome: CommandOutcome) {
        self.around
            .outputs
            .push_back(Output::Reply(ticket, outcome));
    }
}

/// Judges the headers that a command adds.
pub(super) fn check_headers(headers: &[(String, String)]) -> Result<(), PhoneError> {
    config::check_headers("headers", headers)
        .map_err(|error| PhoneError::invalid(error.to_string()))
}

/// Judges the status with which something is refused.
pub(super) fn refusal(code: u16, reason: Option<&str>) -> Result<u16, PhoneError> {
    if !(300..=699).contains(&code) {
        return Err(PhoneError::invalid("code must be 300 to 699"));
    }
    if let Some(reason) = reason {
        check_text("reason", reason)?;
    }
    Ok(code)
}

/// Judges a sentence for the other party: a message that is longer than 64 KiB is none to most servers, and costs the connection.
pub(super) fn check_text(name: &str, text: &str) -> Result<(), PhoneError> {
    if text.len() > LONGEST_TEXT {
        return Err(PhoneError::invalid(format!(
            "{name} must have 1 KiB at most"
        )));
    }
    match is_printable(text) {
        true => Ok(()),
        false => Err(PhoneError::invalid(format!(
            "{name} must have no control characters"
        ))),
    }
}

const LONGEST_TEXT: usize = 1024;
