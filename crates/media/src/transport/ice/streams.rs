//! The peer's addresses that take streams (RFC 6544), and when one is opened to them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rtc_ice::tcp_type::TcpType as AgentTcpType;

use super::candidate::agent_stream_end;
use super::{Base, BaseId, Ice, IceEvent};
use crate::transport::config::Policy;
use crate::transport::parameters::{Candidate, CandidateKind};
use crate::transport::peer_streams::{stand_ins, stream_priority};

/// What works by UDP works in this time, nearly always; a stream is not opened for nothing.
const STREAM_PATIENCE: Duration = Duration::from_secs(1);
/// Streams opened at most after each restart.
const MAX_STREAMS: usize = 4;
/// Streams opened at most in a call: a peer restarts as often as it likes.
const MAX_STREAMS_EVER: usize = 16;

/// An address of the peer that takes streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passive {
    address: SocketAddr,
    priority: u32,
    pub(super) kind: CandidateKind,
    tried: bool,
}

impl Passive {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Ice {
    /// Opens no stream to anybody.
    pub(in crate::transport) fn keep_to_datagrams(&mut self) {
        self.opens_streams = false;
    }

    /// Notes an address that takes streams.
    pub(super) fn add_passive(&mut self, candidate: &Candidate) {
        let known = |known: &Passive| known.address == candidate.address;
        let unwanted = self.policy == Policy::Relay || !self.opens_streams;
        if unwanted || self.passive.iter().any(known) {
            return;
        }
        if self.passive.len() >= MAX_STREAMS || !may_be_opened_to(candidate.address) {
            self.counters.refused_candidates += 1;
            return;
        }
        self.passive.push(Passive {
            address: candidate.address,
            priority: candidate.priority,
            kind: candidate.kind,
            tried: false,
        });
    }

    /// Returns whether the peer takes streams.
    pub(in crate::transport) fn takes_streams(&self) -> bool {
        !self.passive.is_empty()
    }

    /// Returns when streams are opened, unless datagrams have found a way before.
    pub(super) fn streams_due(&self) -> Option<Instant> {
        let waits = self.selected().is_none() && self.passive.iter().any(|one| !one.tried);
        let since = self.checking_since.filter(|_| waits)?;
        Some(since + STREAM_PATIENCE)
    }

    pub(super) fn open_streams(&mut self, now: Instant) {
        if self.streams_due().is_some_and(|due| due <= now) {
            for passive in self.passive.iter_mut().filter(|one| !one.tried) {
                passive.tried = true;
                if self.streams_opened < MAX_STREAMS_EVER {
                    self.streams_opened += 1;
                    let connect = IceEvent::Connect(passive.address);
                    self.events.push_back(connect);
                }
            }
        }
    }

    /// Takes a stream that is up.
    pub(in crate::transport) fn add_stream(
        &mut self,
        id: BaseId,
        local: SocketAddr,
        remote: SocketAddr,
        now: Instant,
    ) {
        let passive = self.passive.iter().find(|one| one.address == remote);
        let Some(passive) = passive.copied().filter(|_| self.selected().is_none()) else {
            return;
        };
        let (ours, theirs) = stand_ins(id, remote);
        let priority = stream_priority(0);
        let (Ok(active), Ok(taking)) = (
            agent_stream_end(AgentTcpType::Active, ours, priority),
            agent_stream_end(AgentTcpType::Passive, theirs, passive.priority),
        ) else {
            return;
        };
        if self.agent.add_local_candidate(active) == Ok(true) {
            self.bases.push(Base {
                id,
                address: local,
                told: ours,
                stream: Some((remote, theirs)),
                kind: CandidateKind::Host,
                priority,
                mapped: None,
            });
            // It refuses active ends and names only.
            let _ = self.agent.add_remote_candidate(taking);
            self.wake(now);
        }
    }

    /// Forgets a stream that is over; a path that took it is known to be.
    pub(in crate::transport) fn drop_stream(&mut self, id: BaseId) {
        let path = self.media_pair();
        if path.is_none_or(|pair| pair.base != id) {
            self.bases.retain(|base| base.id != id);
        }
        self.validated.retain(|pair| pair.base != id);
    }

    /// Forgets all of them but the one that the path takes: a restart opens its own.
    pub(super) fn drop_streams(&mut self) {
        let path = self.media_pair();
        let stays = |id: BaseId| path.is_some_and(|pair| pair.base == id);
        self.bases
            .retain(|base| base.stream.is_none() || stays(base.id));
        self.passive.clear();
    }
}

/// Returns whether a peer may have us connect there by TCP, which reaches more than datagrams of ours do: not the services of a
/// machine or of a local network. As libwebrtc has it, that meets the same servers.
fn may_be_opened_to(address: SocketAddr) -> bool {
    let is_private = match address.ip() {
        IpAddr::V4(ip) if ip.is_link_local() => return false,
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback(),
        // To the kernel that is an address of IPv4.
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => return false,
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback(),
    };
    match address.port() {
        80 | 443 => !is_private,
        port => port >= 1024,
    }
}
