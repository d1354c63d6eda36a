//! What the other side may still need of calls that are answered or over: ACKs to be repeated, BYEs that found no flow, and
//! early dialogs whose CANCEL may come too late (RFC 3261 §13.2.2.4, §15).

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::flows::Flows;
use crate::dialog::Dialog;
use crate::message::Request;
use crate::transaction::{ClientKey, FlowId};

/// BYEs that wait for a flow; the oldest is dropped for a new one.
const MAX_STRANDED: usize = 256;

/// What is not over for the other side.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Unfinished {
    /// The ACK of each 2xx, by INVITE and To tag, for its repeats.
    acks: BTreeMap<(ClientKey, String), SentAck>,
    stranded: VecDeque<StrandedBye>,
    /// The early dialogs of INVITEs that were cancelled because they lost their flow.
    abandoned: BTreeMap<ClientKey, Vec<Dialog>>,
}

/// An ACK of ours, and the flow that it took last.
#[derive(Debug, Clone)]
pub(in crate::endpoint) struct SentAck {
    pub(in crate::endpoint) flow: FlowId,
    pub(in crate::endpoint) bytes: Bytes,
}

/// A BYE that found no flow, and how long it is worth sending.
#[derive(Debug)]
pub(in crate::endpoint) struct StrandedBye {
    pub(in crate::endpoint) dialog: Dialog,
    pub(in crate::endpoint) request: Request,
    pub(in crate::endpoint) until: Instant,
}

impl Unfinished {
    pub(in crate::endpoint) fn is_empty(&self) -> bool {
        self.acks.is_empty() && self.stranded.is_empty() && self.abandoned.is_empty()
    }

    /// Keeps the ACK of the 2xx that came to this INVITE under this To tag.
    pub(in crate::endpoint) fn acknowledged(
        &mut self,
        client: ClientKey,
        tag: String,
        ack: SentAck,
    ) {
        self.acks.insert((client, tag), ack);
    }

    /// The ACK that a 2xx was given before; none for a new one.
    pub(in crate::endpoint) fn ack(&self, client: ClientKey, tag: &str) -> Option<SentAck> {
        self.acks.get(&(client, tag.to_owned())).cloned()
    }

    /// How many forks of an INVITE were acknowledged.
    pub(in crate::endpoint) fn acknowledged_forks(&self, client: ClientKey) -> usize {
        self.tags(client).count()
    }

    /// No further 2xx to this INVITE can come.
    pub(in crate::endpoint) fn forget_acks(&mut self, client: ClientKey) {
        let keys: Vec<_> = self.tags(client).cloned().collect();
        for key in keys {
            self.acks.remove(&key);
        }
    }

    fn tags(&self, client: ClientKey) -> impl Iterator<Item = &(ClientKey, String)> {
        let first = (client, String::new());
        let from_there = self.acks.range(first..).map(|(key, _)| key);
        from_there.take_while(move |(of, _)| *of == client)
    }

    /// The ACKs that may have been lost with their flow; they are `over`'s from now on.
    pub(in crate::endpoint) fn move_lost_acks(
        &mut self,
        flows: &Flows,
        over: FlowId,
    ) -> Vec<Bytes> {
        let lost = self
            .acks
            .values_mut()
            .filter(|ack| !flows.is_up(ack.flow))
            .map(|ack| {
                ack.flow = over;
                ack.bytes.clone()
            });
        lost.collect()
    }

    /// Keeps a BYE that found no flow.
    pub(in crate::endpoint) fn strand(&mut self, bye: StrandedBye) {
        if self.stranded.len() >= MAX_STRANDED {
            self.stranded.pop_front();
        }
        self.stranded.push_back(bye);
    }

    /// The dialogs whose BYEs found no flow.
    pub(in crate::endpoint) fn stranded_dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.stranded.iter().map(|bye| &bye.dialog)
    }

    /// Takes the BYEs that found no flow and are worth sending still.
    pub(in crate::endpoint) fn take_stranded(&mut self, now: Instant) -> Vec<StrandedBye> {
        self.drop_stranded(now);
        self.stranded.drain(..).collect()
    }

    /// Drops the BYEs that are not worth sending any more.
    pub(in crate::endpoint) fn drop_stranded(&mut self, now: Instant) {
        self.stranded.retain(|bye| bye.until > now);
    }

    /// Keeps the early dialogs of an INVITE whose CANCEL may be too late.
    pub(in crate::endpoint) fn abandon(&mut self, client: ClientKey, dialogs: Vec<Dialog>) {
        self.abandoned.insert(client, dialogs);
    }

    pub(in crate::endpoint) fn take_abandoned(&mut self, client: ClientKey) -> Vec<Dialog> {
        self.abandoned.remove(&client).unwrap_or_default()
    }
}
