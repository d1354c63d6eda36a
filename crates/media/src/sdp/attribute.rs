//! The ICE and DTLS attributes of a section, with the session level behind them.

use super::candidate::{parse_candidate, parse_named_candidate};
use super::description::Description;
use super::parse::limit;
use crate::transport::{
    self, Candidate, CandidateKind, Fingerprint, Protocol, RemoteAddress, RemoteDtls, RemoteIce,
    RemoteKeying, RemoteParameters, RemotePath, Secret, Setup, is_reachable,
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
        Some(RemoteParameters {
            description,
            keying: RemoteKeying::Dtls(self.dtls(index, description)?),
            path: RemotePath::Ice(self.ice(index)?),
        })
    }

    /// The DTLS parameters of section `index`; `None` without a fingerprint.
    pub fn dtls(&self, index: usize, description: transport::Description) -> Option<RemoteDtls> {
        let fingerprints = self.fingerprints(index);
        (!fingerprints.is_empty()).then(|| RemoteDtls {
            fingerprints,
            setup: self.setup(index, description),
        })
    }

    /// The ICE parameters of section `index`; `None` without credentials.
    pub fn ice(&self, index: usize) -> Option<RemoteIce> {
        let credential = |name| {
            self.value(index, name)
                .filter(|v| (1..=limit::ICE_TEXT).contains(&v.len()))
        };
        let ufrag = credential("ice-ufrag")?.to_owned();
        let pwd = credential("ice-pwd")?;
        let mut candidates: Vec<Candidate> = self
            .values(index, "candidate")
            .into_iter()
            .take(limit::CANDIDATES)
            .filter_map(parse_candidate)
            .collect();
        if self.values(index, "candidate").is_empty() {
            candidates.extend(self.default_candidate(index));
        }
        Some(RemoteIce {
            ufrag,
            pwd: Secret::new(pwd),
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

    /// Where section `index` wants its media without ICE; `None` if that can't be read as an address that anybody can send to.
    pub fn destination(&self, index: usize) -> Option<RemoteAddress> {
        let media = self.media.get(index)?;
        let ip: IpAddr = self.address(index)?.parse().ok()?;
        let rtp = SocketAddr::new(ip, media.port);
        if ip.is_unspecified() {
            // RFC 3264 §8.4: a hold of old.
            return Some(RemoteAddress {
                rtp: None,
                rtcp: None,
            });
        }
        let rtcp = (!self.has(index, "rtcp-mux")).then(|| self.report_address(index, rtp));
        is_reachable(rtp).then_some(RemoteAddress {
            rtp: Some(rtp),
            rtcp: rtcp.flatten(),
        })
    }

    /// RFC 3605: `port [IN IP4 address]`; without it the port above that of sound (RFC 3550 §11).
    fn report_address(&self, index: usize, rtp: SocketAddr) -> Option<SocketAddr> {
        let usual = SocketAddr::new(rtp.ip(), rtp.port().checked_add(1)?);
        let Some(text) = self.media.get(index).and_then(|m| m.value("rtcp")) else {
            return Some(usual);
        };
        let mut words = text.split_ascii_whitespace();
        let port: u16 = words.next()?.parse().ok()?;
        let ip = words.nth(2).and_then(|ip| ip.parse().ok());
        let named = SocketAddr::new(ip.unwrap_or(rtp.ip()), port);
        // Nobody elsewhere has reports sent to this machine.
        let here = |address: SocketAddr| address.ip().is_loopback();
        Some(named).filter(|named| is_reachable(*named) && here(*named) == here(rtp))
    }

    /// RFC 8839 §5.4: whether the address of section `index` is none of its candidates, because somebody on the way has
    /// changed it who knows no ICE.
    pub fn has_ice_mismatch(&self, index: usize) -> bool {
        let Some(named) = self.default_candidate(index) else {
            return false;
        };
        let candidates = self.values(index, "candidate");
        let mut known = candidates.into_iter().filter_map(parse_candidate);
        !known.any(|candidate| candidate.address == named.address)
            && !self.values(index, "candidate").is_empty()
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
