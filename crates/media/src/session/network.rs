//! Datagrams, deadlines and outputs.

use super::{ConnectionState, MediaEvent, Output, Session, Silence, Wake};
use crate::transport::{self, LinkEvent, LinkId, PathId, StreamId, Transport};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How far away an idle session's deadline is.
const FAR: Duration = Duration::from_secs(3_600);

impl Session {
    /// Takes a datagram that arrived on socket `path`.
    pub fn handle_datagram(&mut self, path: PathId, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.now = now;
        if let Some(transport) = self.apart_for(path, from, bytes) {
            transport.handle_datagram(path, from, bytes, now);
        } else if let Some(transport) = &mut self.transport {
            if transport.may_be_anothers(path, from, bytes) {
                // Only the keys tell whose they are.
                for way in &mut self.apart {
                    way.transport.handle_datagram(path, from, bytes, now);
                }
            }
            transport.handle_datagram(path, from, bytes, now);
        }
        self.drain_transport();
    }

    /// Takes what happened to a stream that was asked for.
    pub fn handle_link(&mut self, link: LinkId, event: LinkEvent<'_>, now: Instant) {
        self.now = now;
        if let Some(transport) = &mut self.transport {
            transport.handle_link(link, event, now);
        }
        self.drain_transport();
    }

    /// Takes the address for which a name stands.
    pub fn resolved(&mut self, name: &str, ip: IpAddr, now: Instant) {
        self.now = now;
        self.each_transport(|transport| transport.resolved(name, ip, now));
        self.drain_transport();
    }

    /// Acts on what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed() {
            return;
        }
        if let Some(transport) = &mut self.transport
            && self.transport_deadline.is_none_or(|(at, _)| at <= now)
        {
            transport.handle_timeout(now);
        }
        self.act_apart();
        self.drain_transport();
        self.report_if_due();
        self.note_silence();
        if let Some(tone) = self.inbound.release_keys(now) {
            self.event(tone);
        }
        // Sound first.
        if let Some((lines, work)) = self.work() {
            lines.act(work);
            self.drain_transport();
        }
    }

    /// Gives the next thing to do or to know; [`Output::Timeout`] is the last.
    pub fn poll_output(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let deadlines = [
            self.transport_deadline
                .map(|(at, why)| (at, Wake::Transport(why))),
            self.apart_deadline()
                .map(|(at, why)| (at, Wake::Transport(why))),
            self.report_deadline().map(|at| (at, Wake::Report)),
            self.silence_deadline().map(|at| (at, Wake::NoMedia)),
            self.inbound.key_deadline().map(|at| (at, Wake::KeyRelease)),
            self.lines_deadline().map(|at| (at, Wake::Video)),
        ];
        deadlines
            .into_iter()
            .flatten()
            .filter(|_| !self.is_closed())
            .min_by_key(|(at, _)| *at)
            .map_or(Output::Timeout(self.now + FAR, Wake::Idle), |(at, why)| {
                Output::Timeout(at, why)
            })
    }

    /// Moves what the transports say to where it belongs.
    pub(super) fn drain_transport(&mut self) {
        loop {
            self.drain_bundle();
            // What they say may make lines send something over another.
            if !self.drain_apart() {
                break;
            }
        }
        self.note_security();
        self.write_if_gathered();
    }

    fn drain_bundle(&mut self) {
        while let Some(transport) = &mut self.transport {
            match transport.poll_output() {
                transport::Output::Transmit(transmit) => {
                    self.outputs.push_back(Output::Transmit(transmit));
                }
                transport::Output::Connect(link, target) => {
                    self.outputs.push_back(Output::Connect(link, target));
                }
                transport::Output::Send(link, octets) => {
                    self.outputs.push_back(Output::Send(link, octets));
                }
                transport::Output::Disconnect(link) => {
                    self.outputs.push_back(Output::Disconnect(link));
                }
                transport::Output::ServerFault(name, fault) => {
                    self.event(MediaEvent::ServerFault { name, fault });
                }
                transport::Output::Resolve(name) => self.outputs.push_back(Output::Resolve(name)),
                transport::Output::Way(way, news) => {
                    self.outputs.push_back(Output::Way(way, news));
                }
                transport::Output::Captured(packet) => {
                    self.outputs.push_back(Output::Captured(packet));
                }
                transport::Output::Rtp(packet) if packet.stream == StreamId::AUDIO => {
                    self.receive(packet);
                }
                transport::Output::Rtp(packet) => {
                    if let Some((lines, work)) = self.work() {
                        lines.receive(packet, work);
                    }
                }
                transport::Output::Rtcp(compound) => {
                    let lines = &self.lines;
                    let is_sound = |ssrc: u32| !lines.has_source(ssrc);
                    let learned = {
                        let heard = self.inbound.reception.ssrc();
                        self.reports.receive(&compound, is_sound, heard, self.now)
                    };
                    if let Some((lines, work)) = self.work() {
                        lines.hear(&compound, work);
                    }
                    if let Some(loss) = learned.loss {
                        self.outbound.tell_loss(loss, learned.round_trip, self.now);
                    }
                    if learned.bye {
                        self.event(MediaEvent::ByeReceived);
                    }
                }
                transport::Output::State(state) => self.enter(state.into()),
                // The descriptions carry all candidates; none is trickled.
                transport::Output::LocalCandidate(_) => {}
                transport::Output::EndOfCandidates => self.event(MediaEvent::EndOfCandidates),
                transport::Output::SelectedPath(path) => {
                    self.event(MediaEvent::SelectedPath(path));
                }
                transport::Output::Timeout(at, why) => {
                    self.transport_deadline = Some((at, why));
                    break;
                }
            }
        }
    }

    /// Tells how media are protected, each time that changes.
    fn note_security(&mut self) {
        let transport = self.transport.as_ref();
        let security = transport
            .and_then(Transport::security)
            .filter(|_| self.is_connected());
        if security.is_some() && security != self.security {
            self.security = security;
            self.outputs
                .extend(security.map(|s| Output::Event(MediaEvent::Secured(s))));
        }
    }

    fn receive(&mut self, packet: transport::Rtp) {
        let heard = self.inbound.has_sound();
        if let Some(event) = self.inbound.receive(packet, self.now) {
            self.event(event);
        }
        if self.inbound.reception.has_lost() {
            self.reports.hasten();
        }
        if self.inbound.has_sound() && !heard {
            self.event(MediaEvent::FirstSound);
        }
        if self.silence == Silence::Reported {
            self.silence = Silence::Waiting;
            self.event(MediaEvent::MediaResumed);
        }
    }

    fn enter(&mut self, state: ConnectionState) {
        if self.connection == state {
            return;
        }
        let was_connected = self.is_connected();
        self.connection = state;
        if self.is_connected() && !was_connected {
            self.connected_at = Some(self.now);
            self.reports.start(self.now);
        }
        self.event(MediaEvent::State(state));
        if self.is_connected() != was_connected
            && let Some((lines, work)) = self.work()
        {
            lines.settle(work);
        }
    }

    fn lines_deadline(&mut self) -> Option<Instant> {
        let deadline = self.lines.deadline();
        deadline.filter(|_| self.is_connected())
    }

    fn report_deadline(&self) -> Option<Instant> {
        self.is_connected()
            .then(|| self.reports.deadline())
            .flatten()
    }

    fn report_if_due(&mut self) {
        if self.report_deadline().is_some_and(|at| at <= self.now)
            && let Some(transport) = &mut self.transport
        {
            self.reports
                .send(&self.outbound, &mut self.inbound, transport, self.now);
            self.drain_transport();
        }
    }

    fn silence_deadline(&self) -> Option<Instant> {
        let connected_at = self.connected_at?;
        if self.silence == Silence::Reported || !self.is_connected() || !self.expects_media() {
            return None;
        }
        let since = self
            .inbound
            .last_arrival()
            .map_or(connected_at, |at| at.max(connected_at));
        Some(since + self.config.no_media_after)
    }

    /// Whether the peer's silence is odd: one that holds us may send music or nothing.
    pub(super) fn expects_media(&self) -> bool {
        self.receives() && !self.peer_holds
    }

    /// The peer's silence counts from here, or does not count any more.
    pub(super) fn expectation_changed(&mut self, before: bool) {
        match (before, self.expects_media()) {
            (false, true) if self.connected_at.is_some() => self.connected_at = Some(self.now),
            (true, false) if self.silence == Silence::Reported => {
                self.silence = Silence::Waiting;
                self.event(MediaEvent::MediaResumed);
            }
            (true, _) | (false, _) => {}
        }
    }

    fn note_silence(&mut self) {
        if self.silence_deadline().is_some_and(|at| at <= self.now) {
            self.silence = Silence::Reported;
            self.event(MediaEvent::NoMedia {
                silent: self.config.no_media_after,
            });
        }
    }
}
