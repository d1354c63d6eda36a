//! What the application asks of a session.

use super::Phone;
use super::command::{Settled, check_headers, check_text, refusal};
use super::sessions::Ended;
use crate::agent::Context;
use crate::door::audio;
use crate::door::command::AcceptOptions;
use crate::door::end_reason::{Condition, EndReason};
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::hold_via::HoldVia;
use crate::door::id::{SessionId, Ticket};
use crate::door::media::SoundCommand;
use crate::reading::target;
use crate::session::Session;

impl Phone {
    pub(super) fn accept(
        &mut self,
        id: SessionId,
        options: AcceptOptions,
    ) -> Result<(), PhoneError> {
        check_headers(&options.headers)?;
        // Accepting again changes nothing until the end.
        self.known(id)?;
        self.check_shown(Some(id), [options.video.as_ref(), options.screen.as_ref()])?;
        self.check_acceptance(id)?;
        self.act_on(id, |session, ctx| session.accept(options, false, ctx));
        Ok(())
    }

    pub(super) fn early_media(&mut self, id: SessionId) -> Result<(), PhoneError> {
        self.live(id)?;
        self.act_on(id, Session::send_early_media).unwrap_or(Ok(()))
    }

    pub(super) fn reject(
        &mut self,
        id: SessionId,
        code: Option<u16>,
        reason: Option<String>,
        cause: Option<u8>,
    ) -> Result<(), PhoneError> {
        let code = refusal(code.unwrap_or(486), reason.as_deref())?;
        check_cause(cause)?;
        self.refusable(id)?;
        self.act_on(id, |session, ctx| session.reject(code, reason, cause, ctx));
        Ok(())
    }

    pub(super) fn redirect(
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
        let target = target::resolve(target, &self.around.config.address)?;
        self.refusable(id)?;
        self.act_on(id, |session, ctx| session.redirect(code, target, why, ctx));
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

    pub(super) fn end(
        &mut self,
        id: Option<SessionId>,
        conversation: Option<String>,
        reason: Option<String>,
        cause: Option<u8>,
        text: Option<String>,
    ) -> Result<(), PhoneError> {
        let wanted = wanted_end(reason, cause, text)?;
        let id = match (id, conversation) {
            (Some(id), _) => Some(id),
            (None, Some(conversation)) => self
                .sessions
                .values()
                .find(|session| session.is_live() && session.facts.conversation_id == conversation)
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
            let code = match id.and_then(|id| self.sessions.ended(id)) {
                Some(Ended::Started) => ErrorCode::SessionEnded,
                Some(Ended::Cancelled) | None => ErrorCode::SessionNotFound,
            };
            return Err(PhoneError::new(
                code,
                "Unable to end session: session not connected.",
            ));
        };
        self.act_on(live, |session, ctx| session.end(wanted, ctx));
        Ok(())
    }

    /// Holds a session or resumes it, with its conference where it went on hold with that.
    pub(super) fn hold(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        held: bool,
        music: Option<audio::Input>,
        via: HoldVia,
    ) -> Settled {
        let music = music.unwrap_or_else(|| self.around.config.hold_music.clone());
        if !held && self.resumes_conference(ticket, id) {
            return Settled::Later;
        }
        if !held && self.live(id).is_ok() {
            self.hold_others(self.party_of(id));
        }
        Settled::begun(self.act_on_live(id, |session, ctx| {
            session.hold(ticket, held, music, via, ctx);
        }))
    }

    pub(super) fn measure(&mut self, id: SessionId, wanted: bool) -> Result<(), PhoneError> {
        self.act_on_live(id, |session, ctx| {
            ctx.media(session.id, SoundCommand::Measure { wanted });
        })
    }

    pub(super) fn delivered(&mut self, id: SessionId) {
        self.act_on(id, Session::delivered);
    }

    /// Lets a started session act.
    pub(super) fn act_on_live(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>),
    ) -> Result<(), PhoneError> {
        self.live(id)?;
        self.act_on(id, act);
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
        let (code, message) = match self.sessions.ended(id) {
            Some(Ended::Started) => (ErrorCode::SessionEnded, "The session has ended"),
            Some(Ended::Cancelled) => (
                ErrorCode::SessionCancelled,
                "The pending session was cancelled or handled elsewhere",
            ),
            None => (ErrorCode::SessionNotFound, "There is no session of this id"),
        };
        Err(PhoneError::new(code, message))
    }
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

fn check_cause(cause: Option<u8>) -> Result<(), PhoneError> {
    match cause {
        None | Some(1..=127) => Ok(()),
        Some(_) => Err(PhoneError::invalid("cause must be a Q.850 cause, 1 to 127")),
    }
}
