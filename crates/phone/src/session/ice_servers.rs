//! STUN and TURN servers that are of no use.

use super::{Context, Session, State};
use crate::agent::Gathering;
use crate::door::event::Event;
use crate::door::level::Level;
use crate::door::warning::Warning;

/// What is told of the servers of one call at most: a server that goes and comes says much in a long one.
const MOST_TOLD: usize = 32;

/// What was told of the servers of a call, and what waits until the application has the session.
#[derive(Debug, Default)]
pub(super) struct IceServerFaults {
    told: Vec<String>,
    waiting: Vec<Event>,
}

impl Session {
    /// A server that a function may have given, whose credentials it does not take or which is of no use otherwise.
    pub(super) fn ice_server_failed(
        &mut self,
        (server, reason): (&str, &str),
        refuses_login: bool,
        ctx: &mut Context<'_>,
    ) {
        if refuses_login {
            ctx.ice.refused(ctx.now);
        }
        let is_news = self.tell_ice_fault(server, reason, ctx);
        if is_news && matches!(self.state, State::Active(_)) {
            // Its credentials may have ended.
            ctx.want_ice_servers(self.id, Gathering::Later);
        }
    }

    /// The function that gives servers gave none: it is not asked for that.
    pub(crate) fn ice_function_failed(&mut self, trouble: &str, ctx: &mut Context<'_>) {
        self.tell_ice_fault("iceServers", trouble, ctx);
    }

    /// Returns whether it was not told before.
    fn tell_ice_fault(&mut self, server: &str, reason: &str, ctx: &mut Context<'_>) -> bool {
        let text = format!("{server}: {reason}");
        let faults = &mut self.ice_server_faults;
        if faults.told.contains(&text) || faults.told.len() >= MOST_TOLD {
            return false;
        }
        faults.told.push(text.clone());
        let details = serde_json::json!({ "id": self.id });
        let shown = match server {
            "iceServers" => text.clone(),
            _ => format!("iceServers: {text}"),
        };
        ctx.trace(Level::Warn, &shown, details);
        let warning = Event::warning(self.id, Warning::IceServer, text);
        match &mut self.state {
            State::Offering(offering) => offering.held.push(warning),
            State::Pending(_) => self.ice_server_faults.waiting.push(warning),
            State::Answering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => ctx.emit(warning),
        }
        true
    }

    /// The application has the session now.
    pub(super) fn tell_ice_server_faults(&mut self, ctx: &mut Context<'_>) {
        for warning in std::mem::take(&mut self.ice_server_faults.waiting) {
            ctx.emit(warning);
        }
    }
}
