//! Which candidates there can be, and how they are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::ice::is_reachable;
use super::parameters::{Candidate, CandidateKind, Protocol};
use super::turn::Via;

/// More than there are ways by UDP.
const BEHIND: usize = 32;

/// Returns whether a server can be reached from a socket: from loopback only loopback can.
pub(super) fn reaches(socket: SocketAddr, server: SocketAddr) -> bool {
    !socket.ip().is_loopback() || server.ip().is_loopback()
}

/// The candidate whose address stands for all others towards a peer without ICE: how a server sees us, or else the first of
/// our own, or a relay if there is nothing else. Before the peer's address is known, that of IPv4 and of a network.
pub fn default_candidate(candidates: &[Candidate], towards: Option<IpAddr>) -> Option<&Candidate> {
    let base = |candidate: &Candidate| match candidate.kind {
        CandidateKind::Host | CandidateKind::PeerReflexive | CandidateKind::Relayed => {
            candidate.address.ip()
        }
        CandidateKind::ServerReflexive => {
            let base = candidate.related.unwrap_or(candidate.address);
            base.ip()
        }
    };
    let worth = |candidate: &Candidate| match candidate.kind {
        CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => 2,
        CandidateKind::Host => 1,
        CandidateKind::Relayed => 0,
    };
    let (is_v4, is_loopback) = match towards.filter(|ip| !ip.is_unspecified()) {
        Some(ip) => (ip.is_ipv4(), ip.is_loopback()),
        None => (true, false),
    };
    let fits = |candidate: &&Candidate| {
        if candidate.protocol != Protocol::Udp {
            return false;
        }
        let reaches = is_loopback == base(candidate).is_loopback();
        towards.is_none() || reaches && candidate.address.is_ipv4() == is_v4
    };
    candidates
        .iter()
        .filter(fits)
        .rev()
        .max_by_key(|candidate| {
            (
                base(candidate).is_loopback() == is_loopback,
                candidate.address.is_ipv4() == is_v4,
                worth(candidate),
            )
        })
}

/// Whether a server can have seen us there.
pub(super) fn is_plausible(address: SocketAddr, server: SocketAddr) -> bool {
    is_reachable(address) && (!address.ip().is_loopback() || server.ip().is_loopback())
}

/// What comes by a stream waits for what was lost of it: each relay by UDP is better.
pub(super) fn preference(via: Via, index: usize) -> usize {
    match via {
        Via::Socket(..) => index,
        Via::Link(..) => index + BEHIND,
    }
}

/// RFC 8445 §5.1.2.1, with a local preference that falls with the caller's order.
pub(super) fn priority(kind: CandidateKind, index: usize) -> u32 {
    let local = 65_535 - u32::try_from(index).unwrap_or(65_535).min(65_535);
    kind.preference() << 24 | local << 8 | 255
}

/// RFC 8445 §5.1.1.3: the same for the same kind, base address and server.
pub(super) fn foundation(kind: CandidateKind, base: IpAddr, server: Option<SocketAddr>) -> String {
    hash(&format!(
        "{kind:?} {base} {:?}",
        server.map(|server| server.ip())
    ))
}

/// The same candidate as it is announced with other credentials: some peers take a restart whose
/// candidates read as before for none, and go on with the session that they have.
pub(super) fn announced(candidate: &Candidate, ufrag: &str) -> Candidate {
    Candidate {
        foundation: hash(&format!("{} {ufrag}", candidate.foundation)),
        ..candidate.clone()
    }
}

fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_string()
}

/// The address that stands for one that must stay hidden.
pub(super) fn unspecified(like: SocketAddr) -> SocketAddr {
    let ip = match like.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(ip, 0)
}
