//! What the registrar says, and who hears it.

use std::time::Duration;

use sip::auth::Unsupported;
use sip::endpoint::{self, Obstacle};

use super::link::FlowChange;
use super::{Account, Goal};
use crate::agent::Context;
use crate::config::Credentials;
use crate::door::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
use crate::door::event::{Event, millis};
use crate::reading::outcome;

/// `initialize()` waits out a short overload, not a long one, however often a registrar asks for a little time.
const PATIENCE_WITH_OVERLOAD: Duration = Duration::from_secs(10);

/// A place over which the registrar is not reached is the last choice for so long, or as long as it says.
const SHUNNED: Duration = Duration::from_secs(60);

/// What the connection is needed for beside the registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Another would do as well.
    ForNothing,
    /// There are calls that would end with it.
    ForCalls,
}

impl Account {
    pub(crate) fn registered(
        &mut self,
        granted: &endpoint::Registered,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        let was_usable = ctx.agent.is_usable();
        if !std::mem::replace(&mut self.registered, true) {
            ctx.emit(Event::Registered {
                expires: granted.expires.as_secs(),
            });
        }
        self.token.accepted();
        self.refused_since = None;
        self.without_registrar.clear();
        self.places_left = 0;
        if let Some(place) = &self.place {
            self.shunned.forgive(place);
        }
        self.became_usable(ctx);
        match was_usable {
            true => FlowChange::None,
            false => FlowChange::Usable,
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
        connection: Needed,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        self.registered = false;
        let status = failed.response.as_ref().map(outcome::status);
        let refused = matches!(
            status.as_ref().map(|status| status.code),
            Some(401 | 403 | 407)
        );
        // A challenge that can't be answered is none for another password.
        if failed.fatal && refused && failed.why.is_none() && self.ask_for_another(failed, ctx) {
            return match self.ready && ctx.agent.is_up() {
                true => usable_unregistered(ctx),
                false => FlowChange::None,
            };
        }
        self.refused(failed, connection, ctx)
    }

    /// The registrar refuses us, and no other token or password will change that.
    pub(super) fn refused(
        &mut self,
        failed: &endpoint::RegistrationFailed,
        connection: Needed,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        // The connection went, which is told by itself: the registrar has refused nothing, and the next flow registers.
        if failed.response.is_none() && !ctx.agent.is_up() {
            return FlowChange::None;
        }
        let status = failed.response.as_ref().map(outcome::status);
        let why = failed.why.map(obstacle);
        ctx.emit(Event::RegistrationFailed {
            code: status.as_ref().map(|status| status.code),
            reason: reason(status.as_ref(), why.as_deref()),
            fatal: failed.fatal,
            retry_in: failed.retry_in.map(millis),
        });
        if connection == Needed::ForNothing
            && is_out_of_reach(status.as_ref())
            && let Some(change) =
                self.leave_for_another_server(failed.retry_in.unwrap_or_default().max(SHUNNED), ctx)
        {
            return change;
        }
        // Without a flow the next one registers by itself.
        if !ctx.agent.is_up() || self.is_patient(failed, ctx) {
            return FlowChange::None;
        }
        let error = failure(
            status,
            why.as_deref(),
            failed.fatal,
            &ctx.config.credentials,
        );
        if !self.ready {
            self.initialize_failed(error, ctx);
            return FlowChange::None;
        }
        self.fail_waiters(&error, ctx);
        usable_unregistered(ctx)
    }

    /// Whether the next try may still be waited for.
    fn is_patient(&mut self, failed: &endpoint::RegistrationFailed, ctx: &Context<'_>) -> bool {
        let (Some(_), Some(wait)) = (&failed.response, failed.retry_in) else {
            return false;
        };
        let since = *self.refused_since.get_or_insert(ctx.now);
        ctx.now + wait <= since + PATIENCE_WITH_OVERLOAD
    }
}

/// The proxy may still carry what goes on inside dialogs.
fn usable_unregistered(ctx: &mut Context<'_>) -> FlowChange {
    let was_usable = ctx.agent.is_usable();
    ctx.agent.set_usable();
    match was_usable {
        true => FlowChange::None,
        false => FlowChange::Usable,
    }
}

/// Whether this server is there and the registrar behind it is not, or has no time: another may reach one (RFC 3263 §4.3).
fn is_out_of_reach(status: Option<&SipStatus>) -> bool {
    status.is_none_or(|status| matches!(status.code, 408 | 502 | 503 | 504))
}

/// Where credentials are asked for and there are none.
const NOTHING_TO_SHOW: &str = "none of the options 'password', 'ha1' and 'accessToken' is given";

/// What keeps us from being registered, and what the application can do about it.
pub(crate) fn obstacle(why: Obstacle) -> String {
    match why {
        Obstacle::Challenge(Unsupported::Realm) => {
            "the challenge is for a realm that 'realm' does not name".into()
        }
        Obstacle::Challenge(
            why @ (Unsupported::NoChallenge
            | Unsupported::Malformed
            | Unsupported::Scheme
            | Unsupported::Algorithm
            | Unsupported::Qop
            | Unsupported::Stranger
            | Unsupported::Weaker
            | Unsupported::StaleAgain
            | Unsupported::TooManyRealms),
        ) => format!("the challenge can't be answered: {why}"),
        Obstacle::NoBinding => Obstacle::NoBinding.to_string(),
    }
}

/// The answer's own reason, unless it says that all is well.
fn reason(status: Option<&SipStatus>, obstacle: Option<&str>) -> String {
    match (status, obstacle) {
        (Some(status), Some(obstacle)) if status.code < 300 => obstacle.into(),
        (Some(status), Some(obstacle)) => format!("{} ({obstacle})", status.reason),
        (Some(status), None) => status.reason.clone(),
        (None, _) => "The registrar does not answer".into(),
    }
}

fn failure(
    status: Option<SipStatus>,
    obstacle: Option<&str>,
    fatal: bool,
    credentials: &Credentials,
) -> PhoneError {
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
    let obstacle = match credentials {
        Credentials::None if unauthorized => Some(NOTHING_TO_SHOW),
        Credentials::None
        | Credentials::Password { .. }
        | Credentials::Ha1 { .. }
        | Credentials::Token { .. } => obstacle,
    };
    let cause = match &status {
        Some(status) => {
            let answer = format!("The registrar answered {} {}", status.code, status.reason);
            obstacle.map_or(answer.clone(), |obstacle| format!("{answer}: {obstacle}"))
        }
        None => "The registrar does not answer".into(),
    };
    PhoneError::new(code, "Failed to initialize SDK")
        .with_kind(kind)
        .with_cause(cause)
        .with_sip(status)
}
