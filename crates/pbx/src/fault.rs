//! Faults on demand: what the network between a client and the PBX does to SIP messages.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use sip::transaction::FlowId;

use crate::event::MessageDirection;

/// One disturbance of signalling.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What happens to a message.
    pub action: Action,
    /// Only to messages from (`in`) or to (`out`) a client; both if absent.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Only to messages of this user; of everybody if absent.
    #[serde(default)]
    pub user: Option<String>,
    /// Only to requests of this method and to responses to it; to all if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only to responses of this status; with `method`, to responses to it. To all if absent.
    #[serde(default)]
    pub status: Option<u16>,
    /// How many messages it meets; all if absent.
    #[serde(default)]
    pub count: Option<u32>,
}

/// Which way a message goes, as a fault names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// From a client.
    In,
    /// To a client.
    Out,
}

/// What a fault does to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// It is lost.
    Lose,
    /// It is lost and the connection closes.
    Drop,
    /// It comes so many milliseconds later; what follows may overtake it.
    Delay(u32),
    /// It comes twice.
    Duplicate,
    /// It comes after the next message of the same direction, or after 500 ms.
    Reorder,
    /// Its SDP promises another certificate.
    WrongFingerprint,
    /// Its SDP can't be read.
    WrongSdp,
}

/// How a message is recognised by the faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) flow: FlowId,
    pub(crate) direction: MessageDirection,
    pub(crate) user: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) status: Option<u16>,
}

/// What becomes of a message now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// These messages go on, in this order.
    Pass(Vec<Bytes>),
    /// The connection closes.
    Close,
}

/// A message that waits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeldMessage {
    pub(crate) flow: FlowId,
    pub(crate) direction: MessageDirection,
    pub(crate) bytes: Bytes,
}

// A reordered message whose successor never comes still has to arrive.
const REORDER_PATIENCE: Duration = Duration::from_millis(500);

// A fault that delays everything must not keep everything.
const MAX_HELD: usize = 1024;

/// The faults in force and the messages that they hold back.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    faults: Vec<Fault>,
    held: BTreeMap<(Instant, u64), HeldMessage>,
    overtaken: BTreeMap<(FlowId, bool), (Instant, u64)>,
    sequence: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Decides what becomes of one message.
    pub(crate) fn pass(&mut self, subject: Subject<'_>, bytes: Bytes, now: Instant) -> Passage {
        let lane = (
            subject.flow,
            matches!(subject.direction, MessageDirection::In),
        );
        let action = self.action(subject);
        let mut through = match action {
            None => vec![bytes],
            Some(Action::Lose) => Vec::new(),
            Some(Action::Drop) => return Passage::Close,
            Some(Action::Duplicate) => vec![bytes.clone(), bytes],
            Some(Action::WrongFingerprint) => vec![with_wrong_fingerprint(&bytes)],
            Some(Action::WrongSdp) => vec![with_wrong_sdp(&bytes)],
            Some(Action::Delay(milliseconds)) => {
                let at = now + Duration::from_millis(milliseconds.into());
                self.hold(at, subject, bytes);
                Vec::new()
            }
            Some(Action::Reorder) => {
                if let Some(key) = self.hold(now + REORDER_PATIENCE, subject, bytes) {
                    self.overtaken.insert(lane, key);
                }
                return Passage::Pass(Vec::new());
            }
        };
        if !through.is_empty()
            && let Some(key) = self.overtaken.remove(&lane)
            && let Some(held) = self.held.remove(&key)
        {
            through.push(held.bytes);
        }
        Passage::Pass(through)
    }

    /// Gives the next message whose wait is over.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<HeldMessage> {
        let (key, _) = self.held.first_key_value()?;
        if key.0 > now {
            return None;
        }
        self.held.pop_first().map(|(_, held)| held)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.held.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn forget_flow(&mut self, flow: FlowId) {
        self.held.retain(|_, held| held.flow != flow);
        self.overtaken.retain(|(of, _), _| *of != flow);
    }

    fn action(&mut self, subject: Subject<'_>) -> Option<Action> {
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.count != Some(0) && fault.meets(subject))?;
        if let Some(count) = &mut fault.count {
            *count -= 1;
        }
        Some(fault.action)
    }

    fn hold(&mut self, at: Instant, subject: Subject<'_>, bytes: Bytes) -> Option<(Instant, u64)> {
        if self.held.len() >= MAX_HELD {
            return None;
        }
        self.sequence += 1;
        let key = (at, self.sequence);
        self.held.insert(
            key,
            HeldMessage {
                flow: subject.flow,
                direction: subject.direction,
                bytes,
            },
        );
        Some(key)
    }
}

impl Fault {
    fn meets(&self, subject: Subject<'_>) -> bool {
        let direction = match self.direction {
            None => true,
            Some(Direction::In) => subject.direction == MessageDirection::In,
            Some(Direction::Out) => subject.direction == MessageDirection::Out,
        };
        direction
            && (self.user.is_none() || self.user.as_deref() == subject.user)
            && (self.status.is_none() || self.status == subject.status)
            && self
                .method
                .as_deref()
                .is_none_or(|method| method.eq_ignore_ascii_case(subject.method))
    }
}

/// Turns every hexadecimal pair of the fingerprints to `00`: the message keeps its length.
fn with_wrong_fingerprint(bytes: &Bytes) -> Bytes {
    edit_after(bytes, b"a=fingerprint:", |line| {
        let hash = line.iter().position(|byte| *byte == b' ').unwrap_or(0);
        for byte in &mut line[hash..] {
            if byte.is_ascii_hexdigit() {
                *byte = b'0';
            }
        }
    })
}

/// Turns the `m=` lines into nonsense: the message keeps its length.
fn with_wrong_sdp(bytes: &Bytes) -> Bytes {
    edit_after(bytes, b"\nm=", |line| line.fill(b'?'))
}

fn edit_after(bytes: &Bytes, marker: &[u8], mut edit: impl FnMut(&mut [u8])) -> Bytes {
    let mut bytes = bytes.to_vec();
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .windows(marker.len())
        .position(|window| window == marker)
    {
        let start = from + at + marker.len();
        let end = bytes[start..]
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n'))
            .map_or(bytes.len(), |length| start + length);
        edit(&mut bytes[start..end]);
        from = end;
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(method: &'static str) -> Subject<'static> {
        Subject {
            flow: FlowId(1),
            direction: MessageDirection::In,
            user: Some("alice"),
            method,
            status: None,
        }
    }

    fn fault(action: Action) -> Fault {
        Fault {
            action,
            direction: None,
            user: None,
            method: Some("INVITE".into()),
            status: None,
            count: Some(1),
        }
    }

    fn epoch() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "virtual time needs one instant to count from"
        )]
        Instant::now()
    }

    #[test]
    fn a_lost_message_is_lost_as_often_as_asked() {
        let mut faults = Faults::default();
        faults.add(fault(Action::Lose));
        let now = epoch();
        assert_eq!(
            faults.pass(subject("INVITE"), Bytes::from("1"), now),
            Passage::Pass(vec![])
        );
        assert_eq!(
            faults.pass(subject("INVITE"), Bytes::from("2"), now),
            Passage::Pass(vec![Bytes::from("2")])
        );
    }

    #[test]
    fn other_methods_and_users_are_left_alone() {
        let mut faults = Faults::default();
        faults.add(fault(Action::Drop));
        let now = epoch();
        assert_eq!(
            faults.pass(subject("BYE"), Bytes::from("1"), now),
            Passage::Pass(vec![Bytes::from("1")])
        );
        assert_eq!(
            faults.pass(subject("INVITE"), Bytes::from("1"), now),
            Passage::Close
        );
    }

    #[test]
    fn a_reordered_message_follows_its_successor() {
        let mut faults = Faults::default();
        faults.add(fault(Action::Reorder));
        let now = epoch();
        assert_eq!(
            faults.pass(subject("INVITE"), Bytes::from("1"), now),
            Passage::Pass(vec![])
        );
        assert_eq!(
            faults.pass(subject("ACK"), Bytes::from("2"), now),
            Passage::Pass(vec![Bytes::from("2"), Bytes::from("1")])
        );
        assert_eq!(faults.next_deadline(), None);
    }

    #[test]
    fn a_delayed_message_waits_its_time() {
        let mut faults = Faults::default();
        faults.add(fault(Action::Delay(100)));
        let now = epoch();
        faults.pass(subject("INVITE"), Bytes::from("1"), now);
        let due = now + Duration::from_millis(100);
        assert_eq!(faults.next_deadline(), Some(due));
        assert_eq!(faults.pop_due(now), None);
        assert_eq!(
            faults.pop_due(due).map(|held| held.bytes),
            Some(Bytes::from("1"))
        );
    }

    #[test]
    fn a_wrong_fingerprint_keeps_the_length() {
        let sdp = Bytes::from("v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=audio 9\r\n");
        assert_eq!(
            with_wrong_fingerprint(&sdp),
            Bytes::from("v=0\r\na=fingerprint:sha-256 00:00\r\nm=audio 9\r\n")
        );
        assert_eq!(
            with_wrong_sdp(&sdp),
            Bytes::from("v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=???????\r\n")
        );
    }
}
