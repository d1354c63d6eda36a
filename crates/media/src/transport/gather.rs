//! One question to one STUN server: what is my address?

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rand::Rng as _;
use rand::rngs::StdRng;

use super::config::PathId;
use super::output::ServerFault;
use super::stun::{self, BINDING, Class, Stun, Transaction, XOR_MAPPED_ADDRESS};

/// The first repetition (RFC 8489 §6.2.1 allows less than 500 ms); doubled each time.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
/// Questions asked before a server counts as silent: 0, 0.25, 0.75, 1.75 and 3.75 s.
const MAX_ASKED: u32 = 5;
/// NATs drop silent UDP mappings after 30 s, and a callee may take longer to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GatherState {
    Asking,
    Answered,
    Refused,
    Silent,
}

/// What a server said.
#[derive(Debug)]
pub(super) enum Answer {
    /// Our address as it sees us.
    Mapped(SocketAddr),
    /// It was known before.
    Known,
    Refused(ServerFault),
}

/// A question and its repetitions.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) path: PathId,
    pub(super) server: SocketAddr,
    /// Which of the servers that were asked.
    pub(super) asked_server: usize,
    transaction: Transaction,
    asked: u32,
    due: Option<Instant>,
    state: GatherState,
}

impl Query {
    pub(super) fn new(path: PathId, server: SocketAddr, asked_server: usize, now: Instant) -> Self {
        Self {
            path,
            server,
            asked_server,
            transaction: [0; 12],
            asked: 0,
            due: Some(now),
            state: GatherState::Asking,
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.state != GatherState::Asking
    }

    /// Returns whether the server told an address.
    pub(super) fn is_answered(&self) -> bool {
        self.state == GatherState::Answered
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Stops asking, because a path is in use that keeps itself alive.
    pub(super) fn stop(&mut self) {
        self.due = None;
    }

    /// Returns the question when it is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, rng: &mut StdRng) -> Option<BytesMut> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        if self.asked >= MAX_ASKED {
            if self.state == GatherState::Asking {
                self.state = GatherState::Silent;
            }
            self.due = None;
            return None;
        }
        if self.asked == 0 {
            rng.fill_bytes(&mut self.transaction);
        }
        self.due = Some(now + FIRST_REPEAT * (1 << self.asked));
        self.asked += 1;
        stun::write_query(self.transaction).map(|raw| BytesMut::from(&raw[..]))
    }

    /// Takes an answer; returns for which server and what it says, or `None` when it isn't ours.
    pub(super) fn handle_answer(
        &mut self,
        path: PathId,
        from: SocketAddr,
        message: &Stun<'_>,
        now: Instant,
    ) -> Option<(usize, Answer)> {
        let ours = self.path == path
            && self.server == from
            && self.asked > 0
            && message.method == BINDING
            && message.transaction == self.transaction
            && matches!(message.class, Class::Success | Class::Error);
        if !ours {
            return None;
        }
        let first = self.state == GatherState::Asking;
        self.state = GatherState::Answered;
        self.asked = 0;
        self.due = Some(now + KEEP_ALIVE);
        let answer = match (first, message.class) {
            (true, Class::Success) => message
                .address(XOR_MAPPED_ADDRESS)
                .map_or(Answer::Refused(ServerFault::Nonsense), Answer::Mapped),
            (true, Class::Error) => Answer::Refused(ServerFault::Refused {
                code: message.error_code().unwrap_or_default(),
                reason: message.error_reason(),
            }),
            (_, Class::Request | Class::Indication) | (false, Class::Success | Class::Error) => {
                Answer::Known
            }
        };
        if let Answer::Refused(_) = answer {
            self.state = GatherState::Refused;
        }
        Some((self.asked_server, answer))
    }
}
