//! What is said of the servers that were asked: each once, and only what no other way to it makes good.

use super::config::{Reach, Server, StreamTarget};
use super::output::ServerFault;

#[derive(Debug)]
struct AskedServer {
    name: String,
    /// Where a stream to it leads, if it is reached by one.
    target: Option<StreamTarget>,
    /// The latest, of any way to it.
    fault: Option<ServerFault>,
    told: bool,
}

/// The servers in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct AskedServers(Vec<AskedServer>);

impl AskedServers {
    pub(super) fn new(servers: &[Server]) -> Self {
        let servers = servers.iter().map(|server| AskedServer {
            name: server.name.clone(),
            target: match &server.reach {
                Reach::Datagrams(_) => None,
                Reach::Stream(target) => Some(target.clone()),
            },
            fault: None,
            told: false,
        });
        Self(servers.collect())
    }

    pub(super) fn target(&self, server: usize) -> Option<&StreamTarget> {
        self.0.get(server)?.target.as_ref()
    }

    pub(super) fn note(&mut self, server: usize, fault: ServerFault) {
        if let Some(server) = self.0.get_mut(server) {
            server.fault = Some(fault);
        }
    }

    /// Returns whether both are addresses of the same server.
    pub(super) fn are_one(&self, server: usize, other: usize) -> bool {
        let name = |index: usize| self.0.get(index).map(|server| &server.name);
        name(server) == name(other)
    }

    /// Returns what is to be told of servers that have not `served`.
    pub(super) fn blame(
        &mut self,
        served: impl Fn(usize) -> bool,
    ) -> impl Iterator<Item = (String, ServerFault)> {
        let mut found = Vec::new();
        for (index, server) in self.0.iter_mut().enumerate() {
            let left_out = server.fault == Some(ServerFault::LeftOut);
            if !server.told && (left_out || !served(index)) {
                server.told = true;
                let fault = server.fault.clone().unwrap_or(ServerFault::Silent);
                found.push((server.name.clone(), fault));
            }
        }
        found.into_iter()
    }

    /// Returns what is to be told of a server that is of use all the same.
    pub(super) fn complain(&mut self, server: usize) -> Option<String> {
        let server = self.0.get_mut(server).filter(|server| !server.told)?;
        server.told = true;
        Some(server.name.clone())
    }
}
