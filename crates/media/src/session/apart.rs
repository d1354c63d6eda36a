//! Video lines outside of BUNDLE: what gateways and media servers answer that know no BUNDLE (RFC 9143 §7.3).
//!
//! Each has ICE, DTLS and SRTP of its own, over the sockets of the sound. They are told apart by the peer's credentials and
//! addresses. A relay serves the sound alone: a TURN server has one allocation for a socket (RFC 8656 §5).

use super::Session;
use super::line::Work;
use crate::sdp::negotiate::{Agreed, AgreedVideo, VideoLine};
use crate::transport::{
    self, CandidateKind, Config, Description, LocalParameters, PathId, Role, State, Transport, Wake,
};
use std::net::SocketAddr;
use std::time::Instant;

/// The transport of one line.
#[derive(Debug)]
pub(super) struct ApartLine {
    pub(super) line: VideoLine,
    pub(super) transport: Transport,
    deadline: Option<(Instant, Wake)>,
}

impl ApartLine {
    pub(super) fn is_connected(&self) -> bool {
        matches!(
            self.transport.state(),
            State::Connected | State::Interrupted
        )
    }
}

impl Session {
    /// Begins, changes and ends transports of lines outside of BUNDLE, as was agreed.
    pub(super) fn settle_apart(&mut self, agreed: &Agreed) {
        let now = self.now;
        let stands = |line: VideoLine| {
            let mut video = agreed.video.iter();
            video.any(|video| video.line == line && video.apart.is_some())
        };
        for way in &mut self.apart {
            if !stands(way.line) {
                way.transport.close(now);
            }
        }
        self.drain_transport();
        self.apart.retain(|way| stands(way.line));
        for video in &agreed.video {
            self.reach_apart(video);
        }
        self.drain_transport();
    }

    fn reach_apart(&mut self, video: &AgreedVideo) {
        let Some(remote) = &video.apart else { return };
        let known = self.apart.iter().any(|way| way.line == video.line);
        if !known && let Some(transport) = self.make_apart(remote.description) {
            self.apart.push(ApartLine {
                line: video.line,
                transport,
                deadline: None,
            });
        }
        let mut apart = self.apart.iter_mut();
        if let Some(way) = apart.find(|way| way.line == video.line) {
            // A line whose parameters are bad never connects; the sound goes on.
            let _unreached = way.transport.set_remote(remote.clone(), self.now);
        }
    }

    /// A transport over the sockets of the sound. Under the credentials of our offer if `description` answers that.
    fn make_apart(&mut self, description: Description) -> Option<Transport> {
        let announced = self.transport.as_ref()?.local();
        let answers = description == Description::Answer;
        let config = Config {
            sockets: self.config.sockets.clone(),
            servers: Vec::new(),
            doubted: Vec::new(),
            policy: self.config.policy,
            role: if answers {
                Role::Controlling
            } else {
                Role::Controlled
            },
            certificate: self.config.certificate.clone(),
            streams: Vec::new(),
            check_interval: self.config.check_interval,
            gathering: self.config.gathering,
            // Nobody carries them for a line of its own.
            opens_streams: false,
        };
        let seed = rand::RngExt::random(&mut self.rng);
        let mut transport = Transport::new(config, seed, self.now).ok()?;
        transport.set_capture(self.captures);
        if answers {
            transport.take_over(&announced);
        }
        Some(transport)
    }

    /// What our descriptions say of lines outside of BUNDLE.
    pub(super) fn local_apart(&self, ours: &LocalParameters) -> Vec<(VideoLine, LocalParameters)> {
        // Servers have told where these sockets are seen.
        let reflexive = ours.candidates.iter();
        let reflexive = reflexive.filter(|c| c.kind == CandidateKind::ServerReflexive);
        let local = |way: &ApartLine| {
            let mut local = way.transport.local();
            local.candidates.extend(reflexive.clone().cloned());
            (way.line, local)
        };
        self.apart.iter().map(local).collect()
    }

    /// The transport of a line outside of BUNDLE that a datagram belongs to.
    pub(super) fn apart_for(
        &mut self,
        path: PathId,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<&mut Transport> {
        let mut apart = self.apart.iter_mut().map(|way| &mut way.transport);
        apart.find(|transport| transport.expects(path, from, datagram))
    }

    pub(super) fn apart_deadline(&self) -> Option<(Instant, Wake)> {
        let deadlines = self.apart.iter().filter_map(|way| way.deadline);
        deadlines.min_by_key(|(at, _)| *at)
    }

    pub(super) fn act_apart(&mut self) {
        let now = self.now;
        for way in &mut self.apart {
            if way.deadline.is_none_or(|(at, _)| at <= now) {
                way.transport.handle_timeout(now);
            }
        }
    }

    /// Moves what these transports say to where it belongs; returns whether they said anything.
    pub(super) fn drain_apart(&mut self) -> bool {
        let mut said = false;
        let mut index = 0;
        while let Some(way) = self.apart.get_mut(index) {
            let output = way.transport.poll_output();
            if let transport::Output::Timeout(at, why) = output {
                way.deadline = Some((at, why));
                index += 1;
            } else {
                said = true;
                self.follow_apart(output);
            }
        }
        said
    }

    fn follow_apart(&mut self, output: transport::Output) {
        match output {
            transport::Output::Transmit(transmit) => {
                self.outputs.push_back(super::Output::Transmit(transmit));
            }
            transport::Output::Captured(packet) => {
                self.outputs.push_back(super::Output::Captured(packet));
            }
            transport::Output::Rtp(packet) => {
                if let Some((lines, work)) = self.work() {
                    lines.receive(packet, work);
                }
            }
            transport::Output::Rtcp(compound) => {
                if let Some((lines, work)) = self.work() {
                    lines.hear(&compound, work);
                }
            }
            transport::Output::State(_) => {
                if let Some((lines, work)) = self.work() {
                    lines.settle(work);
                }
            }
            transport::Output::Resolve(name) => {
                self.outputs.push_back(super::Output::Resolve(name));
            }
            // It has no servers, and opens no streams.
            transport::Output::Connect(..)
            | transport::Output::Send(..)
            | transport::Output::Disconnect(_)
            | transport::Output::ServerFault(..)
            | transport::Output::Way(..) => {}
            // What the call is told of its path is that of its sound.
            transport::Output::LocalCandidate(_)
            | transport::Output::EndOfCandidates
            | transport::Output::SelectedPath(_)
            | transport::Output::Timeout(..) => {}
        }
    }
}

impl Work<'_> {
    /// The transport of a line.
    pub(super) fn transport_of(&mut self, line: VideoLine) -> &mut Transport {
        match self.apart.iter_mut().find(|way| way.line == line) {
            Some(way) => &mut way.transport,
            None => self.transport,
        }
    }

    /// Whether pictures of a line can flow.
    pub(super) fn reaches(&self, agreed: &AgreedVideo) -> bool {
        let mut apart = self.apart.iter();
        let way = apart.find(|way| way.line == agreed.line);
        self.connected && way.map_or(agreed.apart.is_none(), ApartLine::is_connected)
    }

    /// Sends a compound over each transport that has pictures.
    pub(super) fn tell_all(&mut self, compound: &[u8], bundled: bool) {
        let apart = self.apart.iter_mut().map(|way| &mut way.transport);
        let main = bundled.then_some(&mut *self.transport);
        for transport in main.into_iter().chain(apart) {
            // The next one says the same.
            let _unsent = transport.send_rtcp(compound, self.now);
        }
    }
}
