//! What one part of a transport says to the others.

use super::Transport;
use super::candidates::announced;
use super::dtls::{Dtls, DtlsEvent};
use super::ice::IceEvent;
use super::keys::Keying;
use super::output::{Output, SelectedPath, State, Transmit, TransportFailure};
use super::parameters::{CandidateKind, Protocol, TcpType};
use super::path_event::PathEvent;
use super::peer_streams::PeerStreams;
use super::protection::Protection;
use super::srtp::{Keys, Srtp};

impl Transport {
    /// Carries what one part said to the others until all are silent.
    pub(super) fn settle(&mut self) {
        loop {
            self.drain_paths();
            let Some(event) = self.ice.poll_event() else {
                break;
            };
            self.follow_ice(event);
        }
        self.drain_dtls();
        self.note_lost_relay();
        let state = self.current_state();
        if self.state != state {
            self.state = state;
            self.out.push_back(Output::State(state));
        }
    }

    /// What a TURN server has taken back is gone as the address of a network is that the machine has left.
    fn note_lost_relay(&mut self) {
        let pair = self.media_pair();
        if self.failure.is_none() && pair.is_some_and(|pair| self.paths.has_failed(pair.base)) {
            self.failure = Some(TransportFailure::Moved);
        }
    }

    pub(super) fn drain_paths(&mut self) {
        while let Some(event) = self.paths.poll_event() {
            match event {
                PathEvent::Transmit(path, to, bytes) => {
                    self.traffic.sent(bytes.len());
                    let transmit = Transmit { path, to, bytes };
                    self.out.push_back(Output::Transmit(transmit));
                }
                PathEvent::Connect(link, target) => {
                    self.out.push_back(Output::Connect(link, target));
                }
                PathEvent::Send(link, octets) => {
                    self.traffic.sent(octets.len());
                    self.out.push_back(Output::Send(link, octets));
                }
                PathEvent::Disconnect(link) => self.out.push_back(Output::Disconnect(link)),
                PathEvent::ServerFault(name, fault) => {
                    self.out.push_back(Output::ServerFault(name, fault));
                }
                PathEvent::Way(way, news) => self.out.push_back(Output::Way(way, news)),
                PathEvent::Base(id, address, kind, priority) => {
                    self.ice.add_base(id, address, kind, priority, self.now);
                }
                PathEvent::Stream(id, local, remote) => {
                    self.ice.add_stream(id, local, remote, self.now);
                }
                PathEvent::StreamOver(base) => self.ice.drop_stream(base),
                PathEvent::Candidate(candidate) => {
                    let candidate = announced(&candidate, &self.ice.local().ufrag);
                    self.out.push_back(Output::LocalCandidate(candidate));
                }
                PathEvent::Complete => {
                    self.out.push_back(Output::EndOfCandidates);
                    if self.ice.media_pair().is_some() {
                        self.paths.stop_keeping_alive();
                    }
                }
                PathEvent::Received(base, from, bytes) => self.receive(base, from, &bytes),
            }
        }
    }

    fn follow_ice(&mut self, event: IceEvent) {
        match event {
            IceEvent::Transmit(pair, bytes) => {
                self.paths.send(pair.base, pair.remote, bytes, self.now);
            }
            IceEvent::Connect(remote) => self.paths.open_stream(remote),
            IceEvent::Selected => {
                self.paths.close_streams_but(self.ice.media_pair());
                self.paths.stop_keeping_alive();
                let selected = self.selected_path();
                self.out.extend(selected.map(Output::SelectedPath));
                if let Some(dtls) = self.dtls.as_mut() {
                    dtls.start(self.now);
                }
                self.drain_dtls();
            }
            IceEvent::Failed(failure) => self.failure = self.failure.or(Some(failure)),
        }
    }

    pub(super) fn follow_dtls(&mut self, event: Option<DtlsEvent>) {
        self.drain_dtls();
        match event {
            Some(DtlsEvent::Connected(keys)) => self.install(keys),
            Some(DtlsEvent::Failed(failure)) => self.failure = self.failure.or(Some(failure)),
            Some(DtlsEvent::PeerClosed) => self.protection = None,
            None => {}
        }
    }

    fn install(&mut self, keys: Keys) {
        match Srtp::new(keys, self.certificate.provider().clone()) {
            Ok(srtp) => self.protection = Some(Protection::Srtp(Keying::Dtls, Box::new(srtp))),
            Err(_) => self.failure = Some(TransportFailure::Srtp),
        }
        for (base, from, datagram) in self.undecrypted.take() {
            self.receive_media(base, from, &datagram);
        }
    }

    pub(super) fn drain_dtls(&mut self) {
        let pair = match &self.direct {
            Some(direct) => direct.pair(),
            None => self.ice.handshake_pair(),
        };
        let (Some(dtls), Some(pair)) = (self.dtls.as_mut(), pair) else {
            return;
        };
        while let Some(flight) = dtls.poll_transmit() {
            self.paths.send(pair.base, pair.remote, flight, self.now);
        }
        self.drain_paths();
    }

    fn current_state(&self) -> State {
        let established = self.dtls.as_ref().is_none_or(Dtls::is_established);
        let reaches = self.direct.is_some() || self.ice.media_pair().is_some();
        let ended = self.dtls.as_ref().is_some_and(Dtls::is_over);
        match self.failure {
            _ if self.closed => State::Closed,
            Some(failure) => State::Failed(failure),
            None if ended => State::Closed,
            None if self.direct.is_none() && self.ice.remote().is_none() => State::New,
            None if self.protection.is_none() || !reaches => State::Checking,
            // Without ICE nobody knows that a peer is there.
            None if self.direct.is_some() => State::Connected,
            None if established && self.ice.is_interrupted() => State::Interrupted,
            None => State::Connected,
        }
    }

    pub(super) fn selected_path(&self) -> Option<SelectedPath> {
        let pair = self.media_pair()?;
        let named = self
            .direct
            .as_ref()
            .map(|direct| direct.is_named(pair.remote));
        let reflexive = self.paths.reflexive();
        let (local, local_kind) = self.ice.local_address(pair.base, reflexive)?;
        Some(SelectedPath {
            path: self.paths.path(pair.base),
            protocol: match PeerStreams::is_stream(pair.base) {
                true => Protocol::Tcp(TcpType::Active),
                false => Protocol::Udp,
            },
            local,
            local_kind,
            remote: pair.remote,
            remote_kind: match named {
                Some(true) => CandidateKind::Host,
                Some(false) => CandidateKind::PeerReflexive,
                None => self.ice.remote_kind(pair.remote),
            },
            relay: self.paths.relay_protocol(pair.base),
            rtt: self.ice.rtt(),
        })
    }
}
