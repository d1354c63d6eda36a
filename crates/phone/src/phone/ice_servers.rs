//! STUN and TURN servers: those that the application names, and those that its function gives.

use std::time::{Duration, Instant};

use super::Phone;
use crate::config;
use crate::door::error::PhoneError;
use crate::door::ice_server::IceServer;
use crate::door::level::Level;
use crate::door::output::{Output, ServersKnown, Wake};
use crate::door::secret::Secret;
use crate::session::Session;

/// Characters of what a function failed with that are shown.
const MOST_SHOWN: usize = 200;

impl Phone {
    pub(super) fn set_ice_servers(&mut self, servers: Vec<IceServer>) -> Result<(), PhoneError> {
        self.around.config.ice_servers = config::ice_servers("iceServers", servers)
            .map_err(|error| PhoneError::invalid(error.to_string()))?;
        if std::mem::take(&mut self.around.config.asks_for_ice_servers) {
            self.around.ice.replaced();
            self.know_servers(ServersKnown::Unchanged);
        }
        Ok(())
    }

    /// Takes the answer of the application's function; one that comes too late says nothing.
    pub(super) fn ice_servers_given(
        &mut self,
        question: u32,
        servers: Option<&Secret>,
        failure: Option<String>,
    ) {
        if !self.around.ice.is_asked(question) {
            return;
        }
        let now = self.around.now;
        let json = servers.map_or("null", Secret::reveal);
        let given = match failure {
            Some(failure) => {
                let shown: String = failure.chars().take(MOST_SHOWN).collect();
                Err(format!("the function failed: {shown}"))
            }
            None => config::given_ice_servers(json)
                .map_err(|error| format!("what the function gave can't be used: {error}")),
        };
        match given {
            Ok(servers) => {
                let unix_now = self.around.context().unix_now;
                let left = config::end_of_ice_servers(&servers)
                    .map(|end| Duration::from_millis(end.saturating_sub(unix_now)));
                self.around.ice.answered(left, now);
                self.around.config.ice_servers = servers;
                self.know_servers(ServersKnown::Renewed);
            }
            Err(trouble) => {
                self.around.ice.failed(trouble.clone(), now);
                self.know_servers(ServersKnown::Unchanged);
                self.tell_trouble(&trouble);
            }
        }
    }

    pub(super) fn ice_servers_deadline(&self) -> Option<(Instant, Wake)> {
        let due = self.around.ice.deadline(!self.sessions.is_empty());
        due.map(|at| (at, Wake::IceServers))
    }

    pub(super) fn drive_ice_servers(&mut self) {
        let (runs, now) = (!self.sessions.is_empty(), self.around.now);
        let around = &mut self.around;
        let trouble = around.ice.handle_timeout(runs, now, &mut around.outputs);
        if let Some(trouble) = trouble {
            self.tell_trouble(&trouble);
        }
    }

    /// Calls that begin without what a function should have given are told so.
    pub(super) fn tell_unserved(&mut self) {
        if let Some((unserved, trouble)) = self.around.ice.take_unserved() {
            for id in unserved {
                self.act_on(id, |session, ctx| {
                    session.ice_function_failed(&trouble, ctx);
                });
            }
        }
    }

    fn tell_trouble(&mut self, trouble: &str) {
        if self.sessions.is_empty() {
            let text = format!("iceServers: {trouble}");
            let details = serde_json::json!({});
            return self.around.context().trace(Level::Warn, &text, details);
        }
        self.each(|session: &mut Session, ctx| {
            if session.is_live() {
                session.ice_function_failed(trouble, ctx);
            }
        });
    }

    fn know_servers(&mut self, known: ServersKnown) {
        self.around.outputs.push_back(Output::IceServers(known));
    }
}
