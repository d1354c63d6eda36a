//! Candidates in the ICE crate's words.

use std::net::{IpAddr, SocketAddr};

use rtc_ice::candidate::candidate_host::CandidateHostConfig;
use rtc_ice::candidate::candidate_peer_reflexive::CandidatePeerReflexiveConfig;
use rtc_ice::candidate::candidate_relay::CandidateRelayConfig;
use rtc_ice::candidate::candidate_server_reflexive::CandidateServerReflexiveConfig;
use rtc_ice::candidate::{Candidate as AgentCandidate, CandidateConfig};
use rtc_ice::tcp_type::TcpType as AgentTcpType;
use rtc_shared::error::Error;

use crate::transport::parameters::CandidateKind;

/// Returns whether a candidate's address may be sent to at all.
pub(crate) fn is_reachable(address: SocketAddr) -> bool {
    let usable = match address.ip() {
        IpAddr::V4(ip) => !ip.is_broadcast(),
        // Without a zone nobody knows which link is meant.
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    usable && address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast()
}

/// One end of a stream.
pub(super) fn agent_stream_end(
    tcp_type: AgentTcpType,
    address: SocketAddr,
    priority: u32,
) -> Result<AgentCandidate, Error> {
    CandidateHostConfig {
        base_config: base_config("tcp", address, priority),
        tcp_type,
    }
    .new_candidate_host()
}

fn base_config(network: &str, address: SocketAddr, priority: u32) -> CandidateConfig {
    CandidateConfig {
        // Otherwise the crate draws a random one for each.
        candidate_id: address.to_string(),
        network: network.to_owned(),
        address: address.ip().to_string(),
        port: address.port(),
        component: 1,
        priority,
        ..CandidateConfig::default()
    }
}

pub(super) fn agent_candidate(
    kind: CandidateKind,
    address: SocketAddr,
    priority: u32,
) -> Result<AgentCandidate, Error> {
    let base_config = base_config("udp", address, priority);
    match kind {
        CandidateKind::Host => CandidateHostConfig {
            base_config,
            ..CandidateHostConfig::default()
        }
        .new_candidate_host(),
        CandidateKind::ServerReflexive => CandidateServerReflexiveConfig {
            base_config,
            ..CandidateServerReflexiveConfig::default()
        }
        .new_candidate_server_reflexive(),
        CandidateKind::PeerReflexive => CandidatePeerReflexiveConfig {
            base_config,
            ..CandidatePeerReflexiveConfig::default()
        }
        .new_candidate_peer_reflexive(),
        CandidateKind::Relayed => CandidateRelayConfig {
            base_config,
            ..CandidateRelayConfig::default()
        }
        .new_candidate_relay(),
    }
}
