//! A path without ICE: the address that the peer's description names, and the one that its media really come from.
//!
//! Nobody vouches for either, so a peer's real source is taken once for each address that it names: the first that sends what
//! the keys open; without keys, the first that sends two packets of one source in order. Whoever sends from the address that
//! was named comes before anybody who does not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::ice::{BaseId, Pair};
use super::packet::HeaderView;
use super::parameters::RemoteAddress;

/// Senders that may be on the way to be taken for the peer, at once.
const CANDIDATES: usize = 4;
/// Without keys, another source of the same address is heard once the one before is silent for so long.
const SOURCE_SILENT: Duration = Duration::from_millis(200);

/// Where the peer's media come from.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// Where they came to: what we send goes from there.
    base: BaseId,
    from: SocketAddr,
    ssrc: u32,
    at: Instant,
}

/// A sender who may be the peer: its next packet has this number.
#[derive(Clone, Copy, Debug)]
struct Probation {
    from: SocketAddr,
    ssrc: u32,
    next: u16,
}

/// The peer, reached without ICE.
#[derive(Debug)]
pub(super) struct Direct {
    base: BaseId,
    named: RemoteAddress,
    /// By a description that names no address: nothing is sent.
    held: bool,
    heard: Option<Heard>,
    reports_from: Option<SocketAddr>,
    probation: Vec<Probation>,
    replaced: usize,
}

impl Direct {
    pub(super) fn new(base: BaseId, named: RemoteAddress) -> Self {
        Self {
            base,
            held: named.rtp.is_none(),
            named,
            heard: None,
            reports_from: None,
            probation: Vec::new(),
            replaced: 0,
        }
    }

    /// Takes another description of the peer, and the base that goes with it. Its source stays if it names the same address.
    pub(super) fn follow(&mut self, base: BaseId, named: RemoteAddress) {
        // A hold by 0.0.0.0 is no other place.
        let same = self.named.rtp == named.rtp || named.rtp.is_none();
        if same {
            self.base = base;
            self.named.rtcp = named.rtcp;
            self.held = named.rtp.is_none();
        } else {
            *self = Self::new(base, named);
        }
    }

    /// Takes note that our own addresses are others: where media come from shows itself anew.
    pub(super) fn leave(&mut self) {
        self.heard = None;
        self.reports_from = None;
        self.probation = Vec::new();
    }

    /// Whether no media of the peer have come.
    pub(super) fn is_unheard(&self) -> bool {
        self.heard.is_none()
    }

    /// Whether that is the address that the peer has named.
    pub(super) fn is_named(&self, address: SocketAddr) -> bool {
        self.named.rtp == Some(address)
    }

    /// Where sound goes; nowhere if the peer has named no address.
    pub(super) fn pair(&self) -> Option<Pair> {
        let named = self.named.rtp.filter(|_| !self.held)?;
        Some(match self.heard {
            Some(heard) => Pair {
                base: heard.base,
                remote: heard.from,
            },
            None => Pair {
                base: self.base,
                remote: named,
            },
        })
    }

    /// Where reports go.
    pub(super) fn report_pair(&self) -> Option<Pair> {
        let pair = self.pair()?;
        let Some(named) = self.named.rtcp else {
            return Some(pair);
        };
        // Behind a NAT only the port may be right.
        let moved = self.named.rtp.map(|rtp| rtp.ip()) != Some(pair.remote.ip());
        let behind = match moved {
            true => SocketAddr::new(pair.remote.ip(), named.port()),
            false => named,
        };
        Some(Pair {
            remote: self.reports_from.unwrap_or(behind),
            ..pair
        })
    }

    /// Whether what comes from there needs no further look before the keys are tried on it.
    pub(super) fn is_known(&self, from: SocketAddr) -> bool {
        let is_source = match self.heard {
            Some(heard) => heard.from == from,
            None => self.is_named(from),
        };
        let reports = self.reports_from.or(self.named.rtcp) == Some(from);
        is_source || reports
    }

    /// Takes note of an authentic packet of sound; returns whether media go elsewhere from now on.
    pub(super) fn hear(
        &mut self,
        base: BaseId,
        from: SocketAddr,
        view: &HeaderView,
        now: Instant,
    ) -> bool {
        let yields = match self.heard {
            None => true,
            Some(heard) => heard.from != from && self.is_named(from),
        };
        let before = self.pair();
        if yields || self.heard.is_some_and(|heard| heard.from == from) {
            self.heard = Some(Heard {
                base,
                from,
                ssrc: view.ssrc,
                at: now,
            });
        }
        if yields {
            self.probation = Vec::new();
        }
        self.pair() != before
    }

    /// Takes note of an authentic report.
    pub(super) fn hear_report(&mut self, from: SocketAddr) {
        let beside = self
            .pair()
            .is_some_and(|pair| pair.remote.ip() == from.ip());
        if beside && self.named.rtcp.is_some() && self.reports_from.is_none() {
            self.reports_from = Some(from);
        }
    }

    /// Whether a packet of sound without protection is taken for the peer's.
    pub(super) fn admits(&mut self, from: SocketAddr, view: &HeaderView, now: Instant) -> bool {
        match self.heard {
            Some(heard) if heard.from == from => {
                heard.ssrc == view.ssrc || heard.at + SOURCE_SILENT <= now
            }
            // Who sends from the address that was named takes the place of a stranger, who does not take its.
            Some(heard) if self.is_named(heard.from) => false,
            Some(_) => self.is_named(from) && self.passes_probation(from, view),
            None => self.is_named(from) || self.passes_probation(from, view),
        }
    }

    /// Whether a report without protection is taken for the peer's: it comes from where its reports or its sound come from, or
    /// names the source that is heard.
    pub(super) fn admits_report(&self, from: SocketAddr, ssrc: Option<u32>) -> bool {
        if let Some(known) = self.reports_from {
            return known == from;
        }
        let is_heard = self.heard.is_some_and(|heard| {
            let beside = heard.from.ip() == from.ip() && self.named.rtcp.is_some();
            heard.from == from || beside && ssrc == Some(heard.ssrc)
        });
        let unheard = self.heard.is_none() && self.is_named(from);
        is_heard || unheard || self.named.rtcp == Some(from)
    }

    /// RFC 3550 §A.1: two packets in order are no accident, and no leftover of another call.
    fn passes_probation(&mut self, from: SocketAddr, view: &HeaderView) -> bool {
        let known = |one: &&mut Probation| one.from == from && one.ssrc == view.ssrc;
        let next = view.seq.wrapping_add(1);
        if let Some(one) = self.probation.iter_mut().find(known) {
            let passes = one.next == view.seq;
            one.next = next;
            return passes;
        }
        let one = Probation {
            from,
            ssrc: view.ssrc,
            next,
        };
        if self.probation.len() < CANDIDATES {
            self.probation.push(one);
        } else {
            // Each in turn, so that a flood of strangers leaves the peer three packets' time.
            self.probation[self.replaced % CANDIDATES] = one;
            self.replaced = self.replaced.wrapping_add(1);
        }
        false
    }
}
