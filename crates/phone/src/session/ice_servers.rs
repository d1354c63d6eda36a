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
    pub(crate) fn ice_server_failed(&mut self, server: &str, reason: &str, ctx: &mut Context<'_>) {
        let text = format!("{server}: {reason}");
        let faults = &mut self.ice_server_faults;
        if faults.told.contains(&text) || faults.told.len() >= MOST_TOLD {
            return;
        }
        faults.told.push(text.clone());
        if matches!(self.state, State::Active(_)) {
            // Its credentials may have ended.
            ctx.want_ice_servers(self.id, Gathering::Later);
        }
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
    }

    /// The application has the session now.
    pub(super) fn tell_ice_server_faults(&mut self, ctx: &mut Context<'_>) {
        for warning in std::mem::take(&mut self.ice_server_faults.waiting) {
            ctx.emit(warning);
        }
    }
}
