//! What the application asks for, taken to whom it concerns.

use std::time::{Duration, Instant};

use super::{Fate, Phone};
use crate::agent::Context;
use crate::config::{self, Credentials};
use crate::door::audio;
use crate::door::command::{AcceptOptions, Command};
use crate::door::end_reason::{Condition, EndReason};
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::ice_server::IceServer;
use crate::door::id::{SessionId, Ticket};
use crate::door::media::SoundCommand;
use crate::door::output::{Output, Reply};
use crate::door::secret::Secret;
use crate::door::text::is_printable;
use crate::reading::target;
use crate::session::Session;

/// How long an announced call may take to come.
const EXPECTATION: Duration = Duration::from_secs(60);
/// Announcements beyond this replace the oldest.
const MOST_EXPECTED: usize = 1024;

pub(super) type Outcome = Result<Reply, PhoneError>;

impl Phone {
    /// Takes a command of the application; its `Reply` names the ticket.
    pub fn handle_command(&mut self, ticket: Ticket, command: Command, now: Instant) {
        if self.ending.is_over() {
            return;
        }
        self.now = now;
        self.open.insert(ticket);
        if let Some(outcome) = self.perform(ticket, command) {
            // Guarantee 5: a reply comes after the events that its command caused.
            self.settle();
            self.reply(ticket, outcome);
        }
        self.settle();
    }

    /// Does what is asked; nothing is returned where the outcome comes later, or came already.
    fn perform(&mut self, ticket: Ticket, command: Command) -> Option<Outcome> {
        let leaves = matches!(command, Command::Destroy {} | Command::Delivered { .. });
        if self.ending.has_begun() && !leaves {
            return Some(Err(PhoneError::destroyed()));
        }
        let done = match command {
            Command::Initialize {} => {
                let (account, mut ctx) = self.account();
                account.initialize(ticket, &mut ctx);
                return None;
            }
            Command::Reconnect {} => {
                let (account, mut ctx) = self.account();
                let change = account.reconnect(ticket, &mut ctx);
                self.changed(change);
                return None;
            }
            Command::Register {} => {
                let (account, mut ctx) = self.account();
                account.register(ticket, &mut ctx);
                return None;
            }
            Command::Unregister {} => {
                let (account, mut ctx) = self.account();
                account.unregister(ticket, &mut ctx);
                return None;
            }
            Command::Destroy {} => {
                self.destroy(ticket);
                return None;
            }
            Command::Call { target, options } => match self.call(ticket, &target, *options) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::SendDtmf {
                id,
                tones,
                duration,
                gap,
                via,
            } => match self.session(id, |session, ctx| {
                session.send_dtmf(ticket, &tones, duration, gap, via, ctx);
            }) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::Transfer { id, target } => match self.transfer(ticket, id, &target) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::AttendedTransfer { id, other, ringing } => {
                match self.attended_transfer(ticket, id, other, ringing) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::AcceptTransfer { id, options } => match self.follow(ticket, id, *options) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::RejectTransfer { id } => self.refuse_transfer(id),
            Command::AcceptCallRequest { request, options } => {
                match self.accept_call_request(ticket, request, *options) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::RejectCallRequest {
                request,
                code,
                reason,
            } => self.reject_call_request(request, code, reason),
            Command::SendInfo {
                id,
                content_type,
                body,
            } => match self.session(id, |session, ctx| {
                session.send_info(ticket, &content_type, &body, ctx);
            }) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::Hold {
                id,
                held,
                music,
                via,
            } => {
                let music = music.unwrap_or_else(|| self.config.hold_music.clone());
                if !held && self.resumes_conference(ticket, id) {
                    return None;
                }
                if !held && self.live(id).is_ok() {
                    self.hold_others(self.party_of(id));
                }
                match self.session(id, |session, ctx| {
                    session.hold(ticket, held, music, via, ctx);
                }) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::Confer {
                sessions,
                input,
                output,
            } => return self.confer(ticket, sessions, input, output),
            Command::Conference { id, request } => {
                return self.ask_conference(ticket, id, request);
            }
            Command::Subscribe {
                target,
                event,
                options,
            } => match self.subscribe(ticket, &target, event, options) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::Unsubscribe { subscription } => {
                return self.unsubscribe(ticket, subscription);
            }
            Command::AcceptSubscription {
                notifier,
                expires,
                content_type,
                body,
            } => {
                let state = body.map(|body| (content_type, body));
                self.accept_subscription(notifier, expires, state.as_ref())
            }
            Command::RejectSubscription {
                notifier,
                code,
                reason,
            } => self.reject_subscription(notifier, code, reason),
            Command::Notify {
                notifier,
                content_type,
                body,
            } => self.notify(notifier, &content_type, &body),
            Command::TerminateNotifier { notifier, reason } => {
                self.terminate_notifier(notifier, reason.as_deref())
            }
            Command::SendMessage {
                target,
                content_type,
                body,
                headers,
            } => match self.send_message(ticket, &target, &content_type, &body, &headers) {
                Ok(()) => return None,
                Err(error) => Err(error),
            },
            Command::SendOptions { target, headers } => {
                match self.send_options(ticket, &target, &headers) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::Disconnect {} => {
                let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
                for id in ids {
                    self.with(id, Session::give_up_with_flow);
                }
                let (account, mut ctx) = self.account();
                let change = account.disconnect(&mut ctx);
                self.changed(change);
                Ok(())
            }
            Command::Delivered { id } => {
                self.with(id, Session::delivered);
                Ok(())
            }
            Command::Abort { ticket } => {
                self.abort(ticket);
                Ok(())
            }
            Command::Accept { id, options } => self.accept(id, options),
            Command::Connect { id } => self.session(id, Session::connect),
            Command::SendEarlyMedia { id } => self.early_media(id),
            Command::Reject {
                id,
                code,
                reason,
                cause,
            } => self.reject(id, code, reason, cause),
            Command::Redirect {
                id,
                target,
                code,
                reason,
            } => self.redirect(id, &target, code, reason),
            Command::End {
                id,
                conversation_id,
                reason,
                cause,
                text,
            } => wanted_end(reason, cause, text)
                .and_then(|wanted| self.end(id, conversation_id, wanted)),
            Command::Mute { id, muted } => self.session(id, |s, ctx| s.mute(muted, ctx)),
            Command::ExpectCall {
                conversation_id,
                timeout,
            } => {
                self.expect_call(conversation_id, timeout);
                Ok(())
            }
            Command::AutoAnswerDecision { id, answer } => {
                self.decide(id, answer);
                Ok(())
            }
            Command::SetAccessToken { token } => self.set_access_token(token),
            Command::SetIceServers { ice_servers } => self.set_ice_servers(ice_servers),
            Command::SetAudioDevice {
                input,
                output,
                ring,
            } => {
                self.set_audio_device(input, output);
                self.config.audio.ring = ring.or(self.config.audio.ring.take());
                Ok(())
            }
            Command::SetInput { id, input } => {
                match self.session(id, |s, ctx| s.set_input(ticket, input, ctx)) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::SetOutput { id, output } => {
                match self.session(id, |s, ctx| s.set_output(ticket, output, ctx)) {
                    Ok(()) => return None,
                    Err(error) => Err(error),
                }
            }
            Command::Measure { id, wanted } => self.session(id, |session, ctx| {
                ctx.media(session.id, SoundCommand::Measure { wanted });
            }),
            Command::SetVolume { id, volume } => self.set_volume(id, volume),
            Command::SetLogLevel { level } => {
                self.config.log_level = level;
                self.agent.set_log_level(level);
                Ok(())
            }
        };
        Some(done.map(|()| Reply::Done))
    }

    fn accept(&mut self, id: SessionId, options: AcceptOptions) -> Result<(), PhoneError> {
        check_headers(&options.headers)?;
        // Accepting again changes nothing until the end.
        self.known(id)?;
        self.with(id, |session, ctx| session.accept(options, false, ctx));
        Ok(())
    }

    fn early_media(&mut self, id: SessionId) -> Result<(), PhoneError> {
        self.live(id)?;
        self.with(id, Session::send_early_media).unwrap_or(Ok(()))
    }

    fn reject(
        &mut self,
        id: SessionId,
        code: Option<u16>,
        reason: Option<String>,
        cause: Option<u8>,
    ) -> Result<(), PhoneError> {
        let code = refusal(code.unwrap_or(486), reason.as_deref())?;
        check_cause(cause)?;
        self.refusable(id)?;
        self.with(id, |session, ctx| session.reject(code, reason, cause, ctx));
        Ok(())
    }

    fn redirect(
        &mut self,
        id: SessionId,
        target: &str,
        code: Option<u16>,
        reason: Option<String>,
    ) -> Result<(), PhoneError> {
        let code = code.unwrap_or(302);
        if !(301..=302).contains(&code) {
            return Err(PhoneError::invalid("code must be 301 or 302"));
        }
        let why = reason.as_deref().unwrap_or("deflection");
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if why.is_empty() || why.len() > 64 || !why.bytes().all(word) {
            return Err(PhoneError::invalid("reason must be a word of RFC 5806"));
        }
        let target = target::resolve(target, &self.config.address)?;
        self.refusable(id)?;
        self.with(id, |session, ctx| session.redirect(code, target, why, ctx));
        Ok(())
    }

    /// Whether a session can still be refused.
    fn refusable(&self, id: SessionId) -> Result<(), PhoneError> {
        self.known(id)?;
        if self
            .sessions
            .get(&id)
            .is_some_and(Session::is_beyond_refusal)
        {
            return Err(PhoneError::wrong_state(
                "The session is answered already, or is a call of our own: end it",
            ));
        }
        Ok(())
    }

    fn end(
        &mut self,
        id: Option<SessionId>,
        conversation: Option<String>,
        wanted: Option<EndReason>,
    ) -> Result<(), PhoneError> {
        let id = match (id, conversation) {
            (Some(id), _) => Some(id),
            (None, Some(conversation)) => self
                .sessions
                .values()
                .find(|session| session.is_live() && session.conversation_id == conversation)
                .map(|session| session.id),
            (None, None) => {
                return Err(PhoneError::new(
                    ErrorCode::InvalidArgument,
                    "Unable to end session: must provide session id or conversationId.",
                )
                .with_kind(ErrorType::Session));
            }
        };
        let live = id.filter(|id| self.sessions.get(id).is_some_and(Session::is_live));
        let Some(live) = live else {
            let code = match id.and_then(|id| self.fate(id)) {
                Some(Fate::Ended) => ErrorCode::SessionEnded,
                Some(Fate::Cancelled) | None => ErrorCode::SessionNotFound,
            };
            return Err(PhoneError::new(
                code,
                "Unable to end session: session not connected.",
            ));
        };
        self.with(live, |session, ctx| session.end(wanted, ctx));
        Ok(())
    }

    fn expect_call(&mut self, conversation: String, timeout: Option<u64>) {
        let until = self.now + timeout.map_or(EXPECTATION, Duration::from_millis);
        self.expected.retain(|(known, _)| *known != conversation);
        if self.expected.len() >= MOST_EXPECTED {
            self.expected.remove(0);
        }
        self.expected.push((conversation, until));
    }

    fn set_access_token(&mut self, new: Secret) -> Result<(), PhoneError> {
        if sip::auth::Credentials::bearer(new.reveal(), Vec::new()).is_err() {
            return Err(PhoneError::invalid(
                "The access token must be a bearer token of letters, digits and -._~+/=",
            ));
        }
        let Credentials::Token { token, .. } = &mut self.config.credentials else {
            return Err(PhoneError::new(
                ErrorCode::InvalidArgument,
                "This phone was made without an access token",
            )
            .with_kind(ErrorType::NotSupported));
        };
        *token = new.clone();
        self.agent
            .set_credentials(&self.config, &self.config.credentials);
        let (account, mut ctx) = self.account();
        account.token_replaced(&new, &mut ctx);
        Ok(())
    }

    fn set_ice_servers(&mut self, servers: Vec<IceServer>) -> Result<(), PhoneError> {
        self.config.ice_servers = config::ice_servers("iceServers", servers)
            .map_err(|error| PhoneError::invalid(error.to_string()))?;
        Ok(())
    }

    fn set_audio_device(&mut self, input: Option<audio::Input>, output: Option<audio::Output>) {
        self.default_devices_changed(input.as_ref(), output.as_ref());
        if let Some(input) = input {
            self.config.audio.input = input.clone();
            self.each(|session, ctx| session.default_input_changed(&input, ctx));
        }
        if let Some(output) = output {
            self.config.audio.output = output.clone();
            self.each(|session, ctx| session.default_output_changed(&output, ctx));
        }
    }

    fn set_volume(&mut self, id: Option<SessionId>, volume: u8) -> Result<(), PhoneError> {
        if volume > 100 {
            return Err(PhoneError::invalid("volume must be 0 to 100"));
        }
        let command = SoundCommand::SetVolume { percent: volume };
        match id {
            Some(id) => self.session(id, |session, ctx| ctx.media(session.id, command)),
            None => {
                self.config.volume = volume;
                self.default_volume_changed(volume);
                self.each(|session, ctx| {
                    if session.is_live() {
                        ctx.media(session.id, command.clone());
                    }
                });
                Ok(())
            }
        }
    }

    fn each(&mut self, act: impl Fn(&mut Session, &mut Context<'_>)) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.with(id, &act);
        }
    }

    /// Lets a started session act.
    pub(super) fn session(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>),
    ) -> Result<(), PhoneError> {
        self.live(id)?;
        self.with(id, act);
        Ok(())
    }

    /// Whether a session pends or lives.
    ///
    /// # Errors
    /// What became of it, as commands to it are told.
    pub fn knows(&self, id: SessionId) -> Result<(), PhoneError> {
        self.known(id)
    }

    pub(super) fn live(&self, id: SessionId) -> Result<(), PhoneError> {
        self.known(id)?;
        match self.sessions.get(&id).is_some_and(Session::is_live) {
            true => Ok(()),
            false => Err(PhoneError::wrong_state("The session has not started yet")),
        }
    }

    /// Whether a session pends or lives; else what became of it.
    pub(super) fn known(&self, id: SessionId) -> Result<(), PhoneError> {
        let here = |session: &Session| session.is_pending() || session.is_live();
        if self.sessions.get(&id).is_some_and(here) {
            return Ok(());
        }
        let (code, message) = match self.fate(id) {
            Some(Fate::Ended) => (ErrorCode::SessionEnded, "The session has ended"),
            Some(Fate::Cancelled) => (
                ErrorCode::SessionCancelled,
                "The pending session was cancelled or handled elsewhere",
            ),
            None => (ErrorCode::SessionNotFound, "There is no session of this id"),
        };
        Err(PhoneError::new(code, message))
    }

    pub(super) fn reply(&mut self, ticket: Ticket, outcome: Outcome) {
        self.outputs.push_back(Output::Reply(ticket, outcome));
    }
}

/// Judges the headers that a command adds.
pub(super) fn check_headers(headers: &[(String, String)]) -> Result<(), PhoneError> {
    config::check_headers("headers", headers)
        .map_err(|error| PhoneError::invalid(error.to_string()))
}

/// What an end is to say, as the application wants it.
fn wanted_end(
    reason: Option<String>,
    cause: Option<u8>,
    text: Option<String>,
) -> Result<Option<EndReason>, PhoneError> {
    let condition = match reason.as_deref().map(Condition::parse) {
        None => None,
        Some(Some(condition)) => Some(condition),
        Some(None) => {
            return Err(PhoneError::invalid(
                "reason must be a condition of XEP-0166 §7.4",
            ));
        }
    };
    check_cause(cause)?;
    if let Some(text) = &text {
        check_text("text", text)?;
        if condition.is_none() && cause.is_none() {
            return Err(PhoneError::invalid("text goes with a reason or a cause"));
        }
    }
    Ok(EndReason::wanted(condition, cause, text))
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

fn check_cause(cause: Option<u8>) -> Result<(), PhoneError> {
    match cause {
        None | Some(1..=127) => Ok(()),
        Some(_) => Err(PhoneError::invalid("cause must be a Q.850 cause, 1 to 127")),
    }
}

pub(super) fn check_text(name: &str, text: &str) -> Result<(), PhoneError> {
    match is_printable(text) {
        true => Ok(()),
        false => Err(PhoneError::invalid(format!(
            "{name} must have no control characters"
        ))),
    }
}
