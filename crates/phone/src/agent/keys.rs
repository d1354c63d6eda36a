//! Keys of media on their way out: they are for nobody who reads along.

use sip::endpoint::UsageId;
use sip::transaction::Transport;

use super::Agent;
use crate::door::neighbour::Neighbour;

/// Whether a message describes media with keys.
fn has_keys(message: &[u8]) -> bool {
    let has = |text: &[u8]| message.windows(text.len()).any(|part| part == text);
    shows_keys(message) && has(b"application/sdp")
}

/// Whether a description has keys in it.
pub(crate) fn shows_keys(description: &[u8]) -> bool {
    const LINE: &[u8] = b"\na=crypto:";
    description.windows(LINE.len()).any(|part| part == LINE)
}

impl Agent {
    /// Whether nobody on the way can read what is said in this usage, or outside of any.
    pub(crate) fn is_hidden(&self, usage: Option<UsageId>) -> bool {
        let checks = match usage.and_then(|usage| self.trunk_of(&usage)) {
            Some(_) => self.checks_peers,
            None => self.checks_certificates,
        };
        checks && self.transport_for(usage).is_some_and(Transport::is_secure)
    }

    /// What this usage goes over, or what is outside of any.
    pub(crate) fn transport_for(&self, usage: Option<UsageId>) -> Option<Transport> {
        match usage.and_then(|usage| self.trunk_of(&usage)) {
            Some(trunk) => self.trunks.transport(trunk),
            None => self.transport(),
        }
    }

    /// Whether keys may be said in this usage as its connection is now.
    pub(crate) fn may_say_keys(&self, usage: Option<UsageId>) -> bool {
        self.says_keys_openly || self.is_hidden(usage)
    }

    /// Whether nobody may be shown this over the flow to the server: the connection may be another than when it was written.
    pub(super) fn is_withheld(&self, message: &[u8]) -> bool {
        !self.is_hidden(None) && !self.says_keys_openly && has_keys(message)
    }

    /// The same of whoever came to a listener of ours.
    pub(super) fn is_withheld_from(&self, neighbour: Neighbour, message: &[u8]) -> bool {
        let flow = self.trunks.flow_of(neighbour);
        let secure = flow.is_some_and(|flow| flow.transport.is_secure());
        let hidden = secure && self.checks_peers;
        !hidden && !self.says_keys_openly && has_keys(message)
    }
}
