//! The flows that are up, and which of them a request takes (RFC 5626 §4.2, §5.3).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::transaction::{ClientKey, Flow, FlowId, Transport};

/// Less than this is no keep-alive but a flood.
const SHORTEST_SILENCE: Duration = Duration::from_secs(5);

/// Who has answered so many pings in a row answers them: one line end may have come by itself.
const PINGS_ANSWERED: u8 = 2;

/// Over UDP each probe keeps a NAT's mapping, and each fourth, about twice a minute, asks whether anybody is there.
const PROBES_A_QUESTION: u32 = 4;

/// A server that has restarted knows everybody again after so long: a phone tries every 2 to 30 s.
const UNTIL_ALL_ARE_BACK: Duration = Duration::from_secs(32);

/// The CRLF pings of one stream (RFC 5626 §3.5.1).
#[derive(Debug, Default)]
struct Pings {
    /// One of ours has no answer yet.
    is_out: bool,
    /// So many of ours were answered in a row.
    answered: u8,
    /// One line end has come that was no answer: half of the other side's ping, or nothing.
    is_half_come: bool,
}

/// The flows that are up.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Flows {
    up: BTreeMap<FlowId, Flow>,
    /// Those over UDP whose other end answers questions: not every server does.
    answering: BTreeSet<FlowId>,
    /// Our CRLF pings over streams, which not every server answers.
    pings: BTreeMap<FlowId, Pings>,
    /// How often each flow over UDP was probed.
    probes: BTreeMap<FlowId, u32>,
    /// OPTIONS of ours that ask whether anybody is there.
    questions: BTreeMap<ClientKey, FlowId>,
    /// The one that requests take which belong to none: the last that came up.
    newest: Option<FlowId>,
    /// The longest silence that the edge proxy allows (RFC 5626 §4.4).
    longest_silence: Option<Duration>,
    /// Since when there is a flow again after none was left.
    found_again: Option<Instant>,
    was_lost: bool,
}

impl Flows {
    pub(in crate::endpoint) fn open(&mut self, id: FlowId, flow: Flow, now: Instant) {
        if std::mem::take(&mut self.was_lost) {
            self.found_again = Some(now);
        }
        self.up.insert(id, flow);
        self.newest = Some(id);
    }

    /// Returns whether it was up.
    pub(in crate::endpoint) fn close(&mut self, id: FlowId) -> bool {
        let was_up = self.up.remove(&id).is_some();
        self.answering.remove(&id);
        self.pings.remove(&id);
        self.probes.remove(&id);
        if self.newest == Some(id) {
            self.newest = self.up.keys().next_back().copied();
        }
        self.was_lost |= was_up && self.up.is_empty();
        was_up
    }

    /// Whether the server may have restarted so lately that it does not know yet where others are.
    pub(in crate::endpoint) fn may_lead_nowhere(&self, now: Instant) -> bool {
        let since = self.found_again;
        since.is_some_and(|since| now < since + UNTIL_ALL_ARE_BACK)
    }

    pub(in crate::endpoint) fn is_up(&self, id: FlowId) -> bool {
        self.up.contains_key(&id)
    }

    pub(in crate::endpoint) fn all(&self) -> Vec<FlowId> {
        self.up.keys().copied().collect()
    }

    pub(in crate::endpoint) fn newest(&self) -> Option<FlowId> {
        self.newest
    }

    pub(in crate::endpoint) fn transport(&self, id: FlowId) -> Option<Transport> {
        self.up.get(&id).map(|flow| flow.transport)
    }

    /// A CRLF ping goes out.
    pub(in crate::endpoint) fn pinged(&mut self, id: FlowId) {
        let pings = self.pings.entry(id).or_default();
        if std::mem::replace(&mut pings.is_out, true) {
            pings.answered = 0;
        }
    }

    /// One line end has come: the answer to our ping if one is out, else half of a ping. Says whether it was the second half.
    pub(in crate::endpoint) fn line_end(&mut self, id: FlowId) -> bool {
        let pings = self.pings.entry(id).or_default();
        if std::mem::take(&mut pings.is_out) {
            pings.answered = pings.answered.saturating_add(1);
            return false;
        }
        let is_second = pings.is_half_come;
        pings.is_half_come = !is_second;
        is_second
    }

    /// What comes now is no half of a ping any more.
    pub(in crate::endpoint) fn heard(&mut self, id: FlowId) {
        if let Some(pings) = self.pings.get_mut(&id) {
            pings.is_half_come = false;
        }
    }

    /// The other end has answered a question over UDP.
    pub(in crate::endpoint) fn answered(&mut self, id: FlowId) {
        if self.is_up(id) {
            self.answering.insert(id);
        }
    }

    /// Whether silence after a probe means that the flow is dead: WebSocket has pongs of its own, over a stream it shows
    /// whether a server knows RFC 5626, and over UDP whether it answers questions.
    pub(in crate::endpoint) fn owes_pong(&self, id: FlowId) -> bool {
        match self.transport(id) {
            Some(Transport::Ws | Transport::Wss) => true,
            Some(Transport::Tcp | Transport::Tls) => self
                .pings
                .get(&id)
                .is_some_and(|pings| pings.answered >= PINGS_ANSWERED),
            Some(Transport::Udp) => self.answering.contains(&id) && self.is_asked(id),
            None => false,
        }
    }

    fn is_asked(&self, id: FlowId) -> bool {
        self.questions.values().any(|flow| *flow == id)
    }

    /// Whether this probe is one that asks: the first is, and each fourth after it.
    pub(in crate::endpoint) fn is_question_due(&mut self, id: FlowId) -> bool {
        let probes = self.probes.entry(id).or_default();
        let is_due = probes.is_multiple_of(PROBES_A_QUESTION);
        *probes = probes.wrapping_add(1);
        is_due && !self.is_asked(id)
    }

    pub(in crate::endpoint) fn asked(&mut self, id: FlowId, question: ClientKey) {
        self.questions.insert(question, id);
    }

    /// The flow over which it was asked, if it was a question.
    pub(in crate::endpoint) fn take_asked(&mut self, question: ClientKey) -> Option<FlowId> {
        self.questions.remove(&question)
    }

    /// The flow that a request takes: the one its dialog came over, else the newest; never one chosen by a host name.
    pub(in crate::endpoint) fn choose(&self, preferred: Option<FlowId>) -> Option<FlowId> {
        preferred.filter(|id| self.is_up(*id)).or(self.newest)
    }

    /// Takes the Flow-Timer of a REGISTER's answer (RFC 5626 §5.4).
    pub(in crate::endpoint) fn allow_silence(&mut self, timer: Option<Duration>) {
        self.longest_silence = timer.map(|timer| timer.max(SHORTEST_SILENCE));
    }

    /// How long a flow may be silent: as we like, or as the edge proxy allows (RFC 5626 §4.4.1).
    pub(in crate::endpoint) fn silence(&self, wanted: Duration) -> Duration {
        self.longest_silence
            .map_or(wanted, |longest| longest.min(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to start somewhere"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_flow_that_is_found_again_may_lead_nowhere_for_half_a_minute() {
        let (mut flows, now) = (Flows::default(), start());
        let after = |seconds| now + Duration::from_secs(seconds);
        flows.open(FlowId(1), Flow::new(Transport::Wss), now);
        assert!(!flows.may_lead_nowhere(now), "none was lost");
        flows.open(FlowId(2), Flow::new(Transport::Wss), now);
        flows.close(FlowId(1));
        flows.open(FlowId(3), Flow::new(Transport::Wss), now);
        assert!(!flows.may_lead_nowhere(now), "one was left");
        flows.close(FlowId(2));
        flows.close(FlowId(3));
        flows.open(FlowId(4), Flow::new(Transport::Wss), after(10));
        assert!(flows.may_lead_nowhere(after(10)) && flows.may_lead_nowhere(after(41)));
        assert!(!flows.may_lead_nowhere(after(42)));
    }

    #[test]
    fn a_request_takes_its_own_flow_or_the_newest() {
        let mut flows = Flows::default();
        assert_eq!(flows.choose(None), None);
        for id in [1, 2, 3] {
            flows.open(FlowId(id), Flow::new(Transport::Wss), start());
        }
        assert_eq!(flows.choose(Some(FlowId(1))), Some(FlowId(1)));
        assert_eq!(flows.choose(Some(FlowId(9))), Some(FlowId(3)));
        assert!(flows.close(FlowId(3)) && !flows.close(FlowId(3)));
        assert_eq!(flows.choose(None), Some(FlowId(2)));
    }

    #[test]
    fn an_edge_proxy_may_ask_for_more_keep_alives_but_not_for_a_flood() {
        let mut flows = Flows::default();
        let [wanted, short] = [25, 10].map(Duration::from_secs);
        assert_eq!(flows.silence(wanted), wanted);
        flows.allow_silence(Some(short));
        assert_eq!(flows.silence(wanted), short);
        flows.allow_silence(Some(Duration::ZERO));
        assert_eq!(flows.silence(wanted), SHORTEST_SILENCE);
    }
}
