//! The access token's life: announced before its end, asked for anew, replaced.

use std::time::{Duration, Instant};

use sip::endpoint::{Endpoint, RegistrationFailed};

use super::{Account, FlowChange, Needed};
use crate::agent::Context;
use crate::config::{Credentials, token::TokenClaims};
use crate::door::event::{Event, millis};
use crate::door::secret::Secret;

/// How long before its end a token is asked for; half of its life where that is shorter.
const AHEAD: Duration = Duration::from_secs(60);

/// How long the application may take to bring a token or a password after one was refused.
const PATIENCE: Duration = Duration::from_secs(30);

/// When the token ends, and whether another, or another password, was asked for.
#[derive(Debug, Default)]
pub(super) struct TokenClock {
    expires: Option<Instant>,
    warn: Option<Instant>,
    /// The registrar refused what it was shown and another was asked for; once for each success.
    asked: bool,
    question: Option<Question>,
}

/// Another token or password was asked for, because one was refused.
#[derive(Debug)]
struct Question {
    /// When it is given up.
    until: Instant,
    /// The registrar's refusal, which is told if none comes.
    registrar: Option<RegistrationFailed>,
    /// Calls wait for it.
    calls: bool,
}

impl TokenClock {
    /// Reads the end of a token that is a JWT; another one is never known to end.
    pub(super) fn start(&mut self, token: &Secret, ctx: &Context<'_>) {
        let now = Duration::from_millis(ctx.unix_now);
        let left = TokenClaims::read(token.reveal())
            .and_then(|claims| claims.expires)
            .map(|expires| expires.saturating_sub(now));
        self.expires = left.and_then(|left| ctx.now.checked_add(left));
        self.warn = left.and_then(|left| {
            ctx.now
                .checked_add(left.saturating_sub(AHEAD.min(left / 2)))
        });
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let question = self.question.as_ref().map(|question| question.until);
        self.warn.into_iter().chain(question).min()
    }

    /// The machine slept, and the token grew older meanwhile.
    pub(super) fn slept(&mut self, slept: Duration) {
        for at in [&mut self.expires, &mut self.warn] {
            *at = at.map(|at| at.checked_sub(slept).unwrap_or(at));
        }
    }

    pub(super) fn accepted(&mut self) {
        self.asked = false;
        self.forget_refusal();
    }

    /// The application wants to be registered, by itself: it may know of another token or password.
    pub(super) fn wanted_anew(&mut self) {
        if self.question.is_none() {
            self.asked = false;
        }
    }

    /// Nobody wants to be registered any more, or we are.
    pub(super) fn forget_refusal(&mut self) {
        self.question = self.question.take().filter(|question| question.calls);
        if let Some(question) = &mut self.question {
            question.registrar = None;
        }
    }

    /// Nobody waits for anything any more.
    pub(super) fn forget_question(&mut self) {
        self.question = None;
    }
}

impl Account {
    /// Tells that the token ends soon, once for each token.
    pub(super) fn drive_token(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        let in_vain = self
            .token
            .question
            .take_if(|question| question.until <= ctx.now);
        self.warn_of_end(ctx);
        let Some(question) = in_vain else {
            return FlowChange::None;
        };
        if question.calls {
            ctx.act(|endpoint, _| endpoint.drop_refused());
        }
        match question.registrar {
            Some(failed) => self.refused(&failed, Needed::ForCalls, ctx),
            None => FlowChange::None,
        }
    }

    fn warn_of_end(&mut self, ctx: &mut Context<'_>) {
        if self.token.warn.is_none_or(|warn| warn > ctx.now) {
            return;
        }
        self.token.warn = None;
        let left = self
            .token
            .expires
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(ctx.now));
        ctx.emit(Event::TokenWillExpire {
            expires_in: millis(left),
        });
        if let Credentials::Token {
            renewable: true, ..
        } = ctx.config.credentials
        {
            ctx.emit(Event::CredentialNeeded);
        }
    }

    /// The registrar refuses the token or the password: asks for another, once, where one can be had.
    pub(super) fn ask_for_another(
        &mut self,
        failed: &RegistrationFailed,
        ctx: &mut Context<'_>,
    ) -> bool {
        let asked = std::mem::replace(&mut self.token.asked, true);
        let may_ask = ctx.config.credentials.may_be_replaced() && !asked;
        // A question that is open is about this refusal, too.
        if self.token.question.is_none() && !may_ask {
            return false;
        }
        let question = self.question(ctx);
        question.registrar.get_or_insert_with(|| failed.clone());
        true
    }

    /// The credentials of a call are refused, which waits for others.
    pub(crate) fn call_refused(&mut self, ctx: &mut Context<'_>) {
        self.question(ctx).calls = true;
    }

    /// The question that is open, or a new one.
    fn question(&mut self, ctx: &mut Context<'_>) -> &mut Question {
        if self.token.question.is_none() {
            ctx.emit(Event::CredentialNeeded);
        }
        self.token.question.get_or_insert(Question {
            until: ctx.now + PATIENCE,
            registrar: None,
            calls: false,
        })
    }

    /// The application has no other: what was refused is refused at once.
    pub(crate) fn no_other_credential(&mut self, ctx: &Context<'_>) {
        if let Some(question) = &mut self.token.question {
            question.until = ctx.now;
        }
    }

    /// Takes the password or the token that is already in force in the configuration.
    pub(crate) fn credentials_replaced(&mut self, ctx: &mut Context<'_>) {
        if let Credentials::Token { token, .. } = &ctx.config.credentials {
            self.token.start(token, ctx);
        }
        self.token.question = None;
        ctx.act(Endpoint::send_refused);
        if self.registering && ctx.agent.is_up() {
            ctx.act(Endpoint::register);
        }
    }
}
