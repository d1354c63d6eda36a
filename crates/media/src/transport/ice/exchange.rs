//! What comes from the peer: who is let in, roles, nominations, answers.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use rand::RngExt as _;

use super::{
    BaseId, Ice, MAX_PEER_REFLEXIVE, MAX_REMOTE_CANDIDATES, MAX_VALIDATED, Pair, Sent, Verdict,
};
use crate::transport::parameters::Secret;
use crate::transport::stun::{
    self, BINDING, Class, ICE_CONTROLLED, ICE_CONTROLLING, Stun, Transaction, USE_CANDIDATE,
    XOR_MAPPED_ADDRESS,
};

impl Ice {
    /// Takes a STUN message that came to a base.
    pub(in crate::transport) fn handle_stun(
        &mut self,
        base: BaseId,
        from: SocketAddr,
        raw: &[u8],
        now: Instant,
    ) -> Verdict {
        let Some(message) = Stun::parse(raw).filter(|message| message.method == BINDING) else {
            return Verdict::Refused;
        };
        let pair = Pair { base, remote: from };
        if !self.bases.iter().any(|known| known.id == base) {
            return Verdict::Refused;
        }
        match message.class {
            Class::Request => self.handle_request(pair, raw, &message, now),
            Class::Success | Class::Error => self.handle_response(pair, raw, &message, now),
            // RFC 8445 §11: a keep-alive, which says nothing.
            Class::Indication => Verdict::Accepted,
        }
    }

    /// Whether a datagram is of this agent's peer, or an answer to a check of this agent.
    pub(in crate::transport) fn expects(
        &self,
        base: BaseId,
        from: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        if !matches!(datagram.first(), Some(0..=3)) {
            return self.is_validated(base, from);
        }
        let Some(message) = Stun::parse(datagram) else {
            return false;
        };
        match (message.class, message.fragments()) {
            (Class::Request, Some((_, theirs))) => {
                let remote = self.remote.as_ref();
                remote.is_some_and(|remote| remote.ufrag == theirs)
                    || self.parked.iter().any(|parked| parked == theirs)
            }
            (Class::Request, None) => false,
            (Class::Success | Class::Error, _) => {
                let mut checks = self.checks.iter();
                checks.any(|sent| sent.transaction == message.transaction)
            }
            (Class::Indication, _) => self.is_validated(base, from),
        }
    }

    fn handle_request(
        &mut self,
        pair: Pair,
        raw: &[u8],
        request: &Stun<'_>,
        now: Instant,
    ) -> Verdict {
        let Some((ours, theirs)) = request.fragments() else {
            return Verdict::Refused;
        };
        let Some(remote) = &self.remote else {
            return early_or_refused(ours == self.local().ufrag);
        };
        let is_latest = ours == self.local.ufrag && theirs == remote.ufrag;
        if !is_latest && let Some(pwd) = self.outlived_password(ours, theirs).cloned() {
            return self.handle_outlived_request(pair, request, &pwd, now);
        }
        if ours != self.local.ufrag {
            let staged = self.staged.as_ref();
            return early_or_refused(staged.is_some_and(|staged| staged.ufrag == ours));
        }
        if theirs != remote.ufrag && self.parked.iter().any(|parked| parked == theirs) {
            // RFC 7675 §5.1: it keeps the consent to be heard later; nothing of it is let in.
            let pwd = self.local.pwd.clone();
            return self.grant(pair, request, &pwd);
        }
        if theirs != remote.ufrag {
            // A peer that restarts may check before its description arrives.
            return early_or_refused(request.fingerprint);
        }
        let crypto = self.provider.crypto();
        if !request.fingerprint || !request.is_authentic(&self.local.pwd, crypto) {
            return Verdict::Refused;
        }
        self.counters.requests_received += 1;
        if self.must_refuse_role(request) {
            self.answer_role_conflict(pair, request.transaction);
            return Verdict::Accepted;
        }
        let is_stream = self
            .bases
            .iter()
            .any(|base| base.id == pair.base && base.stream.is_some());
        if !is_stream && !self.has_room_for(pair.remote) {
            return Verdict::TooManyAddresses;
        }
        let nominated = request.attribute(USE_CANDIDATE).is_some();
        self.resume_checks(now);
        self.give_to_agent(pair, raw, now);
        let answered = self.drain_agent(now, Some((pair, request.transaction)));
        self.validate(pair);
        if nominated && !self.agent.role() {
            self.follow_nomination(pair, answered, now);
        }
        self.heard_check(pair, now);
        Verdict::Accepted
    }

    /// Answers a check that the agent is not to see.
    pub(super) fn grant(&mut self, pair: Pair, request: &Stun<'_>, pwd: &Secret) -> Verdict {
        let crypto = self.provider.crypto();
        if !request.fingerprint || !request.is_authentic(pwd, crypto) {
            return Verdict::Refused;
        }
        let answer = stun::write_success(request.transaction, pair.remote, pwd, crypto);
        self.counters.requests_received += 1;
        if let Some(raw) = answer {
            self.counters.responses_sent += 1;
            self.transmit(pair, BytesMut::from(&raw[..]));
        }
        Verdict::Accepted
    }

    /// RFC 8445 §7.3.1.5: the controlling side decides, and may decide again; the crate never
    /// leaves its first pair, and answers only when its own check succeeded before.
    fn follow_nomination(&mut self, pair: Pair, answered: bool, now: Instant) {
        if answered {
            self.select(pair, now);
        } else {
            self.nominated = Some(pair);
        }
    }

    /// RFC 8445 §7.3.1.1: the larger tie-breaker controls. The crate changes sides correctly, but
    /// answers 487 whichever side it takes; so it only sees what it may accept.
    fn must_refuse_role(&self, request: &Stun<'_>) -> bool {
        if self.agent.role() {
            let theirs = request.tie_breaker(ICE_CONTROLLING);
            theirs.is_some_and(|theirs| self.tie_breaker >= theirs)
        } else {
            let theirs = request.tie_breaker(ICE_CONTROLLED);
            theirs.is_some_and(|theirs| self.tie_breaker <= theirs)
        }
    }

    fn answer_role_conflict(&mut self, pair: Pair, transaction: Transaction) {
        let crypto = self.provider.crypto();
        if let Some(raw) = stun::write_role_conflict(transaction, &self.local.pwd, crypto) {
            self.transmit(pair, BytesMut::from(&raw[..]));
        }
    }

    fn has_room_for(&mut self, remote: SocketAddr) -> bool {
        let known = self.agent.get_remote_candidates();
        let room = known.len() < MAX_REMOTE_CANDIDATES + MAX_PEER_REFLEXIVE
            && known.len() < self.remote_candidates.len() + MAX_PEER_REFLEXIVE
            || known.iter().any(|known| known.addr() == remote);
        self.counters.refused_candidates += u64::from(!room);
        room
    }

    fn handle_response(
        &mut self,
        pair: Pair,
        raw: &[u8],
        response: &Stun<'_>,
        now: Instant,
    ) -> Verdict {
        // RFC 8445 §7.2.5.2.1: an answer from elsewhere than the question went is none.
        let found = self
            .checks
            .iter()
            .position(|sent| sent.transaction == response.transaction && sent.pair == pair);
        let Some(sent) = found.and_then(|at| self.checks.get(at).copied()) else {
            return Verdict::Refused;
        };
        // An answer that anybody could have written says nothing, least of all that there is nobody.
        let authentic = self
            .password_of(&sent)
            .is_some_and(|pwd| response.is_authentic(pwd, self.provider.crypto()));
        if !authentic {
            return Verdict::Refused;
        }
        self.checks
            .retain(|known| known.transaction != sent.transaction);
        if response.class == Class::Error {
            self.handle_error(&sent, response, now);
            return Verdict::Accepted;
        }
        self.counters.responses_received += 1;
        self.validate(pair);
        self.note_mapped(pair.base, response.address(XOR_MAPPED_ADDRESS));
        self.note_answer(&sent, now);
        self.note_rival(&sent);
        if sent.for_consent {
            self.follow_outlived(&sent, now);
        } else {
            self.give_to_agent(pair, raw, now);
            self.drain_agent(now, None);
            if self.nominated == Some(pair) && !self.agent.role() {
                self.select(pair, now);
            }
        }
        Verdict::Accepted
    }

    fn handle_error(&mut self, sent: &Sent, response: &Stun<'_>, now: Instant) {
        let conflict = response.error_code() == Some(487);
        if conflict && sent.generation != self.generation {
            self.change_outlived_role(!sent.controlling);
        } else if conflict && sent.controlling == self.agent.role() {
            // RFC 8445 §7.2.5.1
            self.agent.set_role(!sent.controlling);
            self.wake(now);
        }
    }

    fn note_answer(&mut self, sent: &Sent, now: Instant) {
        let rtt = now.saturating_duration_since(sent.at);
        self.counters.total_rtt += rtt;
        if self.media_pair() == Some(sent.pair) {
            self.rtt = Some(rtt);
            let jitter = self.jitter();
            if let Some(path) = &mut self.path {
                path.consent.granted(now, jitter);
            }
        } else if self.media_pair().is_none() {
            self.rtt = Some(rtt);
        }
    }

    fn note_mapped(&mut self, base: BaseId, mapped: Option<SocketAddr>) {
        if let Some(base) = self.bases.iter_mut().find(|known| known.id == base) {
            base.mapped = mapped.or(base.mapped);
        }
    }

    pub(super) fn validate(&mut self, pair: Pair) {
        if !self.validated.contains(&pair) {
            if self.validated.len() >= MAX_VALIDATED {
                self.validated.pop_front();
            }
            self.validated.push_back(pair);
        }
    }

    pub(super) fn jitter(&mut self) -> f64 {
        self.rng.random_range(0.8..=1.2)
    }
}

fn early_or_refused(early: bool) -> Verdict {
    if early {
        Verdict::Early
    } else {
        Verdict::Refused
    }
}
