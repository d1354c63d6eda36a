//! The addresses of a transport: which it has, and which take their place.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::candidates::announced;
use super::config::{ConfigError, GatheringCap, Server};
use super::dtls::Dtls;
use super::output::{Gathering, TransportFailure};
use super::parameters::{LocalParameters, Setup};
use super::path_event::Asked;
use super::paths::Paths;
use super::peer_streams::active_candidates;
use super::{MAX_SOCKETS, Transport};

/// Whether a path on which nothing comes may be left for the addresses that are there beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It may come back: addresses come and go for many reasons.
    IsWaitedOut,
    /// ICE is restarted in any case.
    MayBeLeft,
}

impl Transport {
    /// Returns what our description must say; while a restart is staged, its new credentials.
    pub fn local(&self) -> LocalParameters {
        let credentials = self.ice.local();
        let streams = match self.ice.takes_streams() {
            true => active_candidates(self.paths.sockets()),
            false => Vec::new(),
        };
        LocalParameters {
            ufrag: credentials.ufrag.clone(),
            pwd: credentials.pwd.clone(),
            fingerprints: self.certificate.fingerprints(),
            setup: match self.dtls.as_ref().map(Dtls::is_client) {
                None => Setup::ActPass,
                Some(true) => Setup::Active,
                Some(false) => Setup::Passive,
            },
            candidates: self
                .paths
                .candidates()
                .iter()
                .chain(&streams)
                .map(|candidate| announced(candidate, &credentials.ufrag))
                .collect(),
        }
    }

    /// Returns whether candidates are still being gathered.
    pub fn gathering(&self) -> Gathering {
        self.paths.gathering()
    }

    /// Returns whether there is no local candidate and none can come.
    pub fn is_stranded(&self) -> bool {
        self.paths.is_stranded()
    }

    /// Says whether media can't go on with sockets of these addresses of ours only: the one that the path takes is gone, or
    /// what a TURN server gave for it, or it is interrupted, may be left for that, and there are others; or, without a path,
    /// any that a peer was told is gone.
    pub fn has_moved(&self, addresses: &[IpAddr], silence: Silence) -> bool {
        let gone =
            |socket: &SocketAddr| !socket.ip().is_loopback() && !addresses.contains(&socket.ip());
        let path = self.media_pair();
        if path.is_some_and(|pair| self.paths.is_lost(pair.base)) {
            return true;
        }
        match path.and_then(|pair| self.paths.socket(pair.base)) {
            Some(socket) => {
                let known = |ip: &IpAddr| self.paths.sockets().iter().any(|s| s.ip() == *ip);
                let leaves = silence == Silence::MayBeLeft && self.ice.is_interrupted();
                gone(&socket) || leaves && !addresses.iter().all(known)
            }
            None => self.paths.sockets().iter().any(gone),
        }
    }

    /// Takes note that there are other credentials: what a server gave is not worth waiting for if it refuses the old ones, for
    /// others can't renew it (RFC 8656 §5).
    pub fn renew_servers(&mut self, now: Instant) {
        self.now = now;
        self.paths.renew_servers(now);
        self.settle();
    }

    /// Takes other sockets in place of all that were, numbered from 0 again, and gathers anew. The state is `Failed` until
    /// the restart that this stages has found a path; keys and associations stay as they are.
    pub fn take_sockets(
        &mut self,
        sockets: Vec<SocketAddr>,
        servers: Vec<Server>,
        gathering: GatheringCap,
        now: Instant,
    ) -> Result<(), ConfigError> {
        check_sockets(&sockets)?;
        self.now = now;
        let policy = self.paths.policy();
        let asked = Asked {
            sockets,
            servers,
            // They were doubted in another network.
            doubted: Vec::new(),
            policy,
            gathering,
        };
        self.paths.close_links(now);
        self.drain_paths();
        let next_link = self.paths.next_link();
        self.paths = Paths::new(&asked, next_link, &self.certificate, &mut self.rng, now);
        self.ice.leave(now);
        if let Some(direct) = &mut self.direct {
            direct.leave();
        }
        if self.failure != Some(TransportFailure::Fingerprint) {
            self.failure = Some(TransportFailure::Moved);
        }
        self.restart_ice(now);
        self.settle();
        Ok(())
    }
}

pub(super) fn check_sockets(sockets: &[SocketAddr]) -> Result<(), ConfigError> {
    if sockets.is_empty() {
        return Err(ConfigError::NoSocket);
    }
    if sockets.len() > MAX_SOCKETS {
        return Err(ConfigError::TooManySockets {
            got: sockets.len(),
            limit: MAX_SOCKETS,
        });
    }
    let unspecified = |address: &&SocketAddr| match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_unspecified(),
    };
    match sockets.iter().find(unspecified) {
        Some(address) => Err(ConfigError::UnspecifiedAddress(*address)),
        None => Ok(()),
    }
}
