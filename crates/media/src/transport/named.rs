//! The peer's candidates that are named: whoever drives the transport finds their addresses.

use std::net::IpAddr;
use std::time::Instant;

use super::Transport;
use super::config::Policy;
use super::output::Output;
use super::parameters::NamedCandidate;

/// A browser has one for each of its interfaces.
const MOST_NAMED: usize = 8;

/// A candidate, and what its name stands for once that is known.
#[derive(Debug)]
pub(super) struct Naming {
    named: NamedCandidate,
    found: Option<IpAddr>,
}

impl Transport {
    /// Asks for the addresses of named candidates, each name once; what another description named is forgotten.
    /// Nobody but a relay would be sent to them with [`Policy::Relay`], and no relay reaches them.
    pub(super) fn take_named(&mut self, named: &[NamedCandidate]) {
        if self.paths.policy() == Policy::Relay {
            return;
        }
        let before = std::mem::take(&mut self.namings);
        for one in named {
            if self.namings.len() >= MOST_NAMED {
                break;
            }
            if self.namings.iter().any(|known| known.named == *one) {
                continue;
            }
            let mut known = before.iter().chain(&self.namings);
            let known = known.find(|known| known.named.name == one.name);
            let (is_asked, found) = (known.is_some(), known.and_then(|known| known.found));
            if !is_asked {
                self.out.push_back(Output::Resolve(one.name.clone()));
            }
            let named = one.clone();
            self.namings.push(Naming { named, found });
            if let Some(ip) = found {
                self.add_found(one, ip);
            }
        }
    }

    /// Takes the address for which a name stands.
    pub fn resolved(&mut self, name: &str, ip: IpAddr, now: Instant) {
        self.now = now;
        if self.closed {
            return;
        }
        let mut found = Vec::new();
        for naming in &mut self.namings {
            if naming.named.name == name {
                naming.found = Some(ip);
                found.push(naming.named.clone());
            }
        }
        for named in found {
            self.add_found(&named, ip);
        }
        self.settle();
    }

    fn add_found(&mut self, named: &NamedCandidate, ip: IpAddr) {
        let mut candidate = named.candidate.clone();
        candidate.address.set_ip(ip.to_canonical());
        self.ice.add_remote(&candidate, self.now);
    }
}
