//! Requests that were refused without a transaction: what is answered the same again costs eight octets (RFC 3261 §8.2.7).

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::ids::ServerId;
use crate::message::StatusCode;

/// A repeat comes within seconds; who sends more than this meanwhile is judged anew.
const REMEMBERED: usize = 512;

/// The latest refusals, each by the digest of its request's name.
#[derive(Debug)]
pub(super) struct Refusals {
    seed: u64,
    latest: VecDeque<(u64, StatusCode)>,
}

impl Refusals {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            latest: VecDeque::new(),
        }
    }

    /// The To tag of a refusal: the same for each repeat, and known again in the ACK without being kept.
    pub(super) fn tag(&self, id: &ServerId) -> String {
        format!("{:016x}", self.digest(id))
    }

    pub(super) fn remember(&mut self, id: &ServerId, status: StatusCode) {
        if self.latest.len() >= REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back((self.digest(id), status));
    }

    pub(super) fn status_of(&self, id: &ServerId) -> Option<StatusCode> {
        let digest = self.digest(id);
        let mut latest = self.latest.iter().rev();
        latest
            .find(|(known, _)| *known == digest)
            .map(|(_, status)| *status)
    }

    fn digest(&self, id: &ServerId) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, id).hash(&mut hasher);
        hasher.finish()
    }
}
