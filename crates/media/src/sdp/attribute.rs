//! The ICE and DTLS attributes of a section, with the session level behind them.

use super::candidate::{parse_candidate, parse_named_candidate};
use super::description::Description;
use super::parse::limit;
use crate::transport::{
    self, Candidate, CandidateKind, Fingerprint, Protocol, RemoteParameters, Secret, Setup,
};
use std::net::{IpAddr, SocketAddr};

impl Description {
    /// The fingerprints of section `index` that we can check, at most [`limit::FINGERPRINTS`].
    pub fn fingerprints(&self, index: usize) -> Vec<Fingerprint> {
        self.values(index, "fingerprint")
            .into_iter()
            .take(limit::FINGERPRINTS)
            .filter_map(|v| v.parse().ok())
            .collect()
    }

    /// The ICE and DTLS parameters of section `index`; `None` without ICE credentials or a fingerprint.
    pub fn transport(
        &self,
        index: usize,
        description: transport::Description,
    ) -> Option<RemoteParameters> {
        let credential = |name| {
            self.value(index, name)
                .filter(|v| (1..=limit::ICE_TEXT).contains(&v.len()))
        };
        let ufrag = credential("ice-ufrag")?.to_owned();
        let pwd = credential("ice-pwd")?;
        let fingerprints = self.fingerprints(index);
        if fingerprints.is_empty() {
            return None;
        }
        let mut candidates: Vec<Candidate> = self
            .values(index, "candidate")
            .into_iter()
            .take(limit::CANDIDATES)
            .filter_map(parse_candidate)
            .collect();
        if self.values(index, "candidate").is_empty() {
            candidates.extend(self.default_candidate(index));
        }
        Some(RemoteParameters {
            description,
            ufrag,
            pwd: Secret::new(pwd),
            fingerprints,
            setup: self.setup(index, description),
            candidates,
            named: self
                .values(index, "candidate")
                .into_iter()
                .take(limit::CANDIDATES)
                .filter_map(parse_named_candidate)
                .collect(),
            lite: self.has(index, "ice-lite"),
            end_of_candidates: self.has(index, "end-of-candidates") || !self.trickles(index),
        })
    }

    fn setup(&self, index: usize, description: transport::Description) -> Setup {
        match self.value(index, "setup") {
            Some(v) if v.eq_ignore_ascii_case("active") => Setup::Active,
            Some(v) if v.eq_ignore_ascii_case("passive") => Setup::Passive,
            // RFC 4145 §4: an answer without a choice is passive; so are those who repeat our `actpass`.
            Some(_) | None => match description {
                transport::Description::Offer => Setup::ActPass,
                transport::Description::Answer => Setup::Passive,
            },
        }
    }

    fn trickles(&self, index: usize) -> bool {
        self.values(index, "ice-options").iter().any(|v| {
            v.split_ascii_whitespace()
                .any(|o| o.eq_ignore_ascii_case("trickle"))
        })
    }

    /// The address of the `c=` and `m=` lines, for peers that speak ICE but list no candidate.
    fn default_candidate(&self, index: usize) -> Option<Candidate> {
        let ip: IpAddr = self.address(index)?.parse().ok()?;
        let port = self.media.get(index)?.port;
        // RFC 8838 §4.1.1: port 9 and 0.0.0.0 stand for "candidates will come".
        (!ip.is_unspecified() && port > 9).then(|| Candidate {
            foundation: "default".into(),
            component: 1,
            protocol: Protocol::Udp,
            priority: 2_130_706_431,
            address: SocketAddr::new(ip, port),
            kind: CandidateKind::Host,
            related: None,
        })
    }

    /// Whether section `index` holds in the way of RFC 2543: no direction, an unspecified address on a real port.
    pub fn holds_by_address(&self, index: usize) -> bool {
        let unspecified = self
            .address(index)
            .and_then(|a| a.parse::<IpAddr>().ok())
            .is_some_and(|ip| ip.is_unspecified());
        let port = self.media.get(index).map_or(0, |m| m.port);
        unspecified
            && port > 9
            && self.stated_direction(index).is_none()
            && self.values(index, "candidate").is_empty()
    }
}
