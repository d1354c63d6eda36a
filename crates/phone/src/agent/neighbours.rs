//! What comes without a server: refused and forgotten, answered and forgotten, or taken to the endpoint of its trunk.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use sip::endpoint::{self, Endpoint};
use sip::message::{Method, StatusCode};
use sip::transaction::{Flow, FlowId, Transport, read_request, refuse_statelessly};

use super::Agent;
use crate::door::neighbour::{Neighbour, NeighbourNews, TrunkId};
use crate::door::output::{Output, SipText};

/// Whoever has no room now has some after so many seconds.
const COME_LATER: u32 = 5;

impl Agent {
    /// Takes what a neighbour does. Who may not call is refused, and nothing is kept of it.
    pub(crate) fn handle_neighbour(
        &mut self,
        neighbour: Neighbour,
        news: NeighbourNews,
        may_call: impl Fn(IpAddr) -> bool,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        match news {
            NeighbourNews::Up { peer, .. } if !may_call(peer.ip()) => {
                out.push_back(Output::HangUp(neighbour));
            }
            NeighbourNews::Up {
                transport,
                local,
                peer,
                opened_for,
            } => {
                let flow = Flow::new(transport)
                    .with_local(plain(local))
                    .with_peer(plain(peer));
                self.trunks.note(neighbour, flow, now);
                // What waits for this peer goes over it at once.
                if opened_for.is_some() || self.trunks.of_flow(&flow).is_some() {
                    self.admit(neighbour, flow, opened_for, now, out);
                }
            }
            NeighbourNews::Message { from, local, bytes } => match neighbour {
                Neighbour::Datagrams(from) if !may_call(from.ip()) => {
                    let answer = read_request(bytes).and_then(|request| {
                        refuse_statelessly(request, plain(from), StatusCode::FORBIDDEN, None)
                    });
                    let answer = answer.map(|answer| Output::SendTo(neighbour, SipText(answer)));
                    out.extend(answer);
                }
                Neighbour::Stream(_) if !may_call(from) => {}
                Neighbour::Datagrams(_) | Neighbour::Stream(_) => {
                    self.hear(neighbour, local, bytes, now, out);
                }
            },
            NeighbourNews::Down => self.leave(neighbour, now, out),
        }
    }

    /// A connection to a trunk's peer could not be opened.
    pub(crate) fn handle_unreached(&mut self, trunk: TrunkId, now: Instant) {
        self.trunks.unreached(trunk, now);
    }

    /// Takes a message of a peer. Whoever has no flow is given one for a request that can be read, and for nothing else.
    fn hear(
        &mut self,
        neighbour: Neighbour,
        local: SocketAddr,
        bytes: Bytes,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        let known = self.trunks.heard(neighbour, now);
        if bytes.iter().all(|octet| matches!(octet, b'\r' | b'\n')) {
            // RFC 5626 §4.4.1: a ping, whose answer needs no state.
            if bytes.starts_with(b"\r\n\r\n") {
                let pong = SipText(Bytes::from_static(b"\r\n"));
                out.push_back(Output::SendTo(neighbour, pong));
            }
            return;
        }
        let open = known.or_else(|| self.open(neighbour, local, &bytes, now, out));
        if let Some((trunk, flow)) = open {
            self.trace("SIP message received", &bytes, out);
            if self.trunks.is_answer(trunk, &bytes) {
                return;
            }
            self.act_in(trunk, out, |endpoint| {
                endpoint.handle_message(flow, bytes, now);
            });
        }
    }

    fn open(
        &mut self,
        neighbour: Neighbour,
        local: SocketAddr,
        bytes: &Bytes,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<(TrunkId, FlowId)> {
        let request = read_request(bytes.clone())?;
        let flow = match neighbour {
            Neighbour::Datagrams(peer) => Flow::new(Transport::Udp)
                .with_local(plain(local))
                .with_peer(plain(peer)),
            Neighbour::Stream(_) => self.trunks.flow_of(neighbour)?,
        };
        // An ACK belongs to a call, or to nothing.
        if request.method() == &Method::Ack && self.trunks.of_flow(&flow).is_none() {
            return None;
        }
        let open = self.admit(neighbour, flow, None, now, out);
        if open.is_none()
            && let Some(peer) = flow.peer
        {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let answer = refuse_statelessly(request, peer, status, Some(COME_LATER));
            out.extend(answer.map(|answer| Output::SendTo(neighbour, SipText(answer))));
        }
        open
    }

    fn admit(
        &mut self,
        neighbour: Neighbour,
        flow: Flow,
        into: Option<TrunkId>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Option<(TrunkId, FlowId)> {
        let admitted = self.trunks.admit(neighbour, flow, into, now).ok()?;
        for gone in admitted.gone {
            self.leave(gone, now, out);
        }
        let (trunk, id) = (admitted.trunk, admitted.flow);
        self.act_in(trunk, out, |endpoint| {
            endpoint.handle_flow_up(id, flow, now);
        });
        Some((trunk, id))
    }

    fn leave(&mut self, neighbour: Neighbour, now: Instant, out: &mut VecDeque<Output>) {
        if let Neighbour::Stream(_) = neighbour {
            out.push_back(Output::HangUp(neighbour));
        }
        if let Some((trunk, flow)) = self.trunks.leave(neighbour) {
            self.act_in(trunk, out, |endpoint| endpoint.handle_flow_down(flow, now));
            out.extend(self.trunks.is_left(trunk, now));
        }
    }

    pub(super) fn trunks_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        for trunk in self.trunks.ids() {
            let due = self.trunks.get(trunk).and_then(|trunk| trunk.deadline);
            if due.is_some_and(|due| due <= now) {
                self.act_in(trunk, out, |endpoint| endpoint.handle_timeout(now));
            }
        }
        for (neighbour, question) in self.trunks.ask(now) {
            self.trace("SIP message sent", &question, out);
            out.push_back(Output::SendTo(neighbour, SipText(question)));
        }
        let (reach, silent) = self.trunks.handle_timeout(now);
        out.extend(reach);
        for neighbour in silent {
            self.leave(neighbour, now, out);
        }
    }

    /// Lets a trunk's endpoint do something, and takes what comes of it.
    pub(super) fn act_in<R>(
        &mut self,
        id: TrunkId,
        out: &mut VecDeque<Output>,
        act: impl FnOnce(&mut Endpoint) -> R,
    ) -> Option<R> {
        let trunk = self.trunks.get_mut(id)?;
        let result = act(&mut trunk.endpoint);
        loop {
            let trunk = self.trunks.get_mut(id)?;
            match trunk.endpoint.poll_output() {
                endpoint::Output::Transmit { flow, bytes } => {
                    let neighbour = self.trunks.end_of(flow);
                    let withheld = |to| self.is_withheld_from(to, &bytes);
                    if neighbour.is_some_and(withheld) {
                        self.tell_withheld(out);
                    } else if let Some(neighbour) = neighbour {
                        self.trace("SIP message sent", &bytes, out);
                        out.push_back(Output::SendTo(neighbour, SipText(bytes)));
                    }
                }
                // Whoever has come keeps its flow alive itself.
                endpoint::Output::KeepAlive { .. }
                | endpoint::Output::Event(endpoint::Event::FlowFailed { .. }) => {}
                endpoint::Output::Event(event) => self.events.push_back(event),
                endpoint::Output::Timeout(deadline, _) => {
                    trunk.deadline = deadline;
                    return Some(result);
                }
            }
        }
    }
}

/// A socket of IPv6 shows an IPv4 address as one of its own, which is nobody's name for it.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
