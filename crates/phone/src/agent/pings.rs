//! Whether a peer is there, asked by OPTIONS. A question is sent once and leaves nothing in the endpoint: neither does it hold a
//! peer's place, nor does whoever forges an address have more than one sent there at a time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::transaction::{Flow, answer_to, ask_statelessly};
use sip::uri::Uri;

use crate::door::tally::PeerState;

/// Questions in a row without an answer, after which a peer counts as gone: one datagram may be lost.
const MOST_MISSED: u8 = 2;

/// What one peer was asked.
#[derive(Debug)]
pub(super) struct Ping {
    pub(super) due: Instant,
    every: Duration,
    /// The Call-ID of the question that is not answered.
    open: Option<String>,
    missed: u8,
    code: Option<u16>,
}

impl Ping {
    /// The first question is due when the interval is over: the peer has just been heard.
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self {
            due: now + every,
            every,
            open: None,
            missed: 0,
            code: None,
        }
    }

    /// The next question, if there is a way; one that was not answered until now is missed.
    pub(super) fn ask(
        &mut self,
        flow: Option<Flow>,
        from: &Uri<'_>,
        draw: u128,
        now: Instant,
    ) -> Option<Bytes> {
        self.due = now + self.every;
        let lost = self.open.take().is_some() || flow.is_none();
        self.missed = self.missed.saturating_add(u8::from(lost));
        let call_id = format!("{draw:032x}");
        let question = ask_statelessly(flow?, from, &call_id)?;
        self.open = Some(call_id);
        Some(question)
    }

    /// Takes the answer to the open question, and says whether the message was that.
    pub(super) fn hear(&mut self, message: &Bytes) -> bool {
        let open = self.open.as_deref();
        let Some(code) = open.and_then(|call_id| answer_to(call_id, message)) else {
            return false;
        };
        self.open = None;
        self.missed = 0;
        self.code = Some(code);
        true
    }

    pub(super) fn state(&self) -> PeerState {
        if self.missed >= MOST_MISSED {
            PeerState::Unreachable
        } else if self.code.is_some() {
            PeerState::Reachable
        } else {
            PeerState::Unknown
        }
    }

    /// The status of the last answer.
    pub(super) fn code(&self) -> Option<u16> {
        self.code
    }
}
