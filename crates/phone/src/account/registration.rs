//! What the registrar says, and who hears it.

use sip::endpoint;

use super::link::Change;
use super::{Account, Goal};
use crate::config::Credentials;
use crate::context::Context;
use crate::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
use crate::event::Event;
use crate::session::millis;
use crate::wire;

/// `initialize()` waits out a short overload, not a long one.
const PATIENCE_WITH_OVERLOAD: std::time::Duration = std::time::Duration::from_secs(10);

impl Account {
    pub(crate) fn registered(
        &mut self,
        granted: &endpoint::Registered,
        ctx: &mut Context<'_>,
    ) -> Change {
        let was_usable = ctx.agent.is_usable();
        if !std::mem::replace(&mut self.registered, true) {
            ctx.emit(Event::Registered {
                expires: granted.expires.as_secs(),
            });
        }
        self.token.accepted();
        self.became_usable(ctx);
        match was_usable {
            true => Change::None,
            false => Change::Usable,
        }
    }

    pub(crate) fn unregistered(&mut self, ctx: &mut Context<'_>) {
        if std::mem::replace(&mut self.registered, false) {
            ctx.emit(Event::Unregistered);
        }
        self.settle(&[Goal::Unregistered], ctx);
    }

    pub(crate) fn registration_failed(
        &mut self,
        failed: &endpoint::RegistrationFailed,
        ctx: &mut Context<'_>,
    ) -> Change {
        self.registered = false;
        let status = failed.response.as_ref().map(wire::status);
        let refused = matches!(
            status.as_ref().map(|status| status.code),
            Some(401 | 403 | 407)
        );
        if failed.fatal && refused && self.ask_for_token(failed, ctx) {
            return Change::None;
        }
        self.refused(failed, ctx)
    }

    /// The registrar refuses us, and no new token will change that.
    pub(super) fn refused(
        &mut self,
        failed: &endpoint::RegistrationFailed,
        ctx: &mut Context<'_>,
    ) -> Change {
        let status = failed.response.as_ref().map(wire::status);
        ctx.emit(Event::RegistrationFailed {
            code: status.as_ref().map(|status| status.code),
            reason: match &status {
                Some(status) => status.reason.clone(),
                None => "The registrar does not answer".into(),
            },
            fatal: failed.fatal,
            retry_in: failed.retry_in.map(millis),
        });
        let patient = status.is_some()
            && failed
                .retry_in
                .is_some_and(|wait| wait <= PATIENCE_WITH_OVERLOAD);
        // Without a flow the next one registers by itself.
        if !ctx.agent.is_up() || patient {
            return Change::None;
        }
        let error = failure(status, failed.fatal, &ctx.config.credentials);
        if !self.ready {
            self.initialize_failed(error, ctx);
            return Change::None;
        }
        self.fail_waiters(&error, ctx);
        // The proxy may still carry what goes on inside dialogs.
        let was_usable = ctx.agent.is_usable();
        ctx.agent.set_usable();
        match was_usable {
            true => Change::None,
            false => Change::Usable,
        }
    }
}

fn failure(status: Option<SipStatus>, fatal: bool, credentials: &Credentials) -> PhoneError {
    let unauthorized = matches!(
        status.as_ref().map(|status| status.code),
        Some(401 | 403 | 407)
    );
    let (code, kind) = match (unauthorized && fatal, credentials) {
        (true, Credentials::Token { .. }) => {
            (ErrorCode::AuthenticationFailed, ErrorType::InvalidToken)
        }
        (true, Credentials::None | Credentials::Password { .. } | Credentials::Ha1 { .. }) => {
            (ErrorCode::AuthenticationFailed, ErrorType::Initialization)
        }
        (false, _) => (ErrorCode::RegistrationFailed, ErrorType::Initialization),
    };
    let cause = match &status {
        Some(status) => format!("The registrar answered {} {}", status.code, status.reason),
        None => "The registrar does not answer".into(),
    };
    PhoneError::new(code, kind, "Failed to initialize SDK")
        .with_cause(cause)
        .with_sip(status)
}
