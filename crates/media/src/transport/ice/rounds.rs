//! What goes to the peer, and when: the crate's checks at our pace, and consent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_ice::agent::Event;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;

use super::{CHECKS_OF_A_ROUND, Ice, IceEvent, MAX_CHECKS, Pair, Sent};
use crate::transport::consent::ConsentDue;
use crate::transport::output::TransportFailure;
use crate::transport::stun::{self, Class, ICE_CONTROLLING, Stun, Transaction, USE_CANDIDATE};

impl Ice {
    pub(super) fn give_to_agent(&mut self, pair: Pair, raw: &[u8], now: Instant) {
        let Some(base) = self.bases.iter().find(|known| known.id == pair.base) else {
            return;
        };
        let message = TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: base.told,
                peer_addr: base.stream.map_or(pair.remote, |(_, told)| told),
                transport_protocol: match base.stream {
                    Some(_) => TransportProtocol::TCP,
                    None => TransportProtocol::UDP,
                },
                ecn: None,
            },
            message: BytesMut::from(raw),
        };
        // What it refuses after our own checks is nothing that a peer could use.
        let _ = self.agent.handle_read(message);
    }

    /// Takes over what the agent wants sent and selected; returns whether it answered a request.
    pub(super) fn drain_agent(
        &mut self,
        now: Instant,
        request: Option<(Pair, Transaction)>,
    ) -> bool {
        let mut answered = false;
        while let Some(write) = self.agent.poll_write() {
            let pair = self.pair(write.transport.local_addr, write.transport.peer_addr);
            let (Some(pair), Some(message)) = (pair, Stun::parse(&write.message)) else {
                continue;
            };
            let transaction = message.transaction;
            match message.class {
                Class::Request if message.attribute(USE_CANDIDATE).is_some() => {
                    self.send_check(pair, write.message, now);
                }
                Class::Request if request.is_some() => self.send_check(pair, write.message, now),
                Class::Request => self.enqueue(pair, write.message),
                Class::Success => {
                    answered |= request == Some((pair, transaction));
                    self.counters.responses_sent += 1;
                    let answer = self.answer_on(pair, transaction).unwrap_or(write.message);
                    self.transmit(pair, answer);
                }
                // Its 487 goes with a change of its own role, and would make the peer change too.
                Class::Error | Class::Indication => {}
            }
        }
        while let Some(event) = self.agent.poll_event() {
            if let Event::SelectedCandidatePairChange(local, remote) = event.event
                && let Some(pair) = self.pair(local.base_addr(), remote.addr())
            {
                self.select(pair, now);
            }
        }
        answered
    }

    fn pair(&self, local: SocketAddr, remote: SocketAddr) -> Option<Pair> {
        let base = self.bases.iter().find(|base| base.told == local)?;
        let remote = match base.stream {
            None => remote,
            // The agent pairs each end with each; a stream reaches one.
            Some((reached, told)) => (told == remote).then_some(reached)?,
        };
        let base = base.id;
        Some(Pair { base, remote })
    }

    /// An answer on a stream says where the peer really is, which the agent was not told.
    fn answer_on(&self, pair: Pair, transaction: Transaction) -> Option<BytesMut> {
        let base = self.bases.iter().find(|base| base.id == pair.base)?;
        base.stream?;
        let crypto = self.provider.crypto();
        let answer = stun::write_success(transaction, pair.remote, &self.local.pwd, crypto)?;
        Some(BytesMut::from(&answer[..]))
    }

    fn enqueue(&mut self, pair: Pair, message: BytesMut) {
        match self.queue.iter_mut().find(|(queued, _)| *queued == pair) {
            Some((_, queued)) => *queued = message,
            None => self.queue.push_back((pair, message)),
        }
    }

    pub(super) fn send_check(&mut self, pair: Pair, message: BytesMut, now: Instant) {
        let Some(request) = Stun::parse(&message) else {
            return;
        };
        let sent = Sent {
            transaction: request.transaction,
            pair,
            at: now,
            controlling: request.attribute(ICE_CONTROLLING).is_some(),
            for_consent: false,
            generation: self.generation,
        };
        self.remember(sent);
        self.transmit(pair, message);
    }

    pub(super) fn remember(&mut self, sent: Sent) {
        if self.checks.len() >= MAX_CHECKS {
            self.checks.pop_front();
        }
        self.checks.push_back(sent);
        self.counters.requests_sent += 1;
    }

    pub(super) fn transmit(&mut self, pair: Pair, message: BytesMut) {
        self.events.push_back(IceEvent::Transmit(pair, message));
    }

    pub(in crate::transport) fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    /// Returns when the next round of checks is due, or the end of checking.
    pub(in crate::transport) fn poll_round(&self) -> Option<Instant> {
        let limit = self.checking_since.map(|since| since + self.limit);
        let due = [limit, self.next_round, self.streams_due()];
        due.into_iter().flatten().min()
    }

    /// Returns when consent wants to be looked at.
    pub(in crate::transport) fn poll_consent(&self) -> Option<Instant> {
        let path = self.path.as_ref();
        let consent = path.map(|path| path.consent.poll_timeout());
        consent.into_iter().chain(self.rival_due()).min()
    }

    pub(in crate::transport) fn handle_timeout(&mut self, now: Instant) {
        let limit = self.checking_since.map(|since| since + self.limit);
        if limit.is_some_and(|limit| limit <= now) {
            self.end_checks();
        } else if self.next_round.is_some_and(|next| next <= now) {
            self.run_round(now);
        }
        self.open_streams(now);
        self.follow_rival(now);
        let due = self
            .path
            .as_mut()
            .and_then(|path| path.consent.handle_timeout(now));
        match due {
            Some(ConsentDue::Check) => self.check_consent(now),
            Some(ConsentDue::Expired) => self.lose_path(),
            None => {}
        }
    }

    /// Nothing answered in time. Where media have a path all the same, only the restart is given up:
    /// that path stays, and so do its credentials.
    fn end_checks(&mut self) {
        self.stop_checks();
        if self.path.is_none() {
            self.events
                .push_back(IceEvent::Failed(TransportFailure::Ice));
        }
    }

    pub(super) fn stop_checks(&mut self) {
        self.checking_since = None;
        self.next_round = None;
        self.queue.clear();
    }

    /// The peer took up the new credentials after all: what was given up goes on.
    pub(super) fn resume_checks(&mut self, now: Instant) {
        if self.path.is_some() && self.selected().is_none() && self.checking_since.is_none() {
            self.checking_since = Some(now);
            self.next_round = Some(now);
        }
    }

    /// Nothing came on the path for too long. A restart that is under way may find another.
    fn lose_path(&mut self) {
        self.path = None;
        if self.checking_since.is_none() {
            self.events
                .push_back(IceEvent::Failed(TransportFailure::Consent));
        }
    }

    fn run_round(&mut self, now: Instant) {
        // It fails in its mDNS part only, which is off.
        let _ = self.agent.handle_timeout(now);
        self.drain_agent(now, None);
        for _ in 0..CHECKS_OF_A_ROUND {
            if let Some((pair, message)) = self.queue.pop_front() {
                self.send_check(pair, message, now);
            }
        }
        if self.selected().is_none() {
            self.next_round = Some(now + self.round_interval(now));
        }
    }

    /// Slows down with time: a peer that has not answered for long is probably not there yet.
    fn round_interval(&self, now: Instant) -> Duration {
        let elapsed = self
            .checking_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        match elapsed.as_secs() {
            0..2 => self.interval,
            2..5 => self.interval * 2,
            _ => self.interval * 4,
        }
    }
}
