//! Offers and answers: what the signalling says, turned into transport and sound.

use super::{ConnectionState, MediaEvent, MediaRefusal, Session, SessionError, Writing};
use crate::sdp::Direction;
use crate::sdp::negotiate::{Agreed, LocalTransport, Misuse, Negotiation, Refusal};
use crate::transport::{
    Config, Gathering, Keying, OutboundStream, Role, Secret, Server, Silence, StreamId, Transport,
    TransportFailure,
};
use rand::RngExt;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

impl Session {
    /// Makes an offer; [`MediaEvent::Described`] comes when gathering is over.
    ///
    /// # Errors
    /// When an offer is open, the session closed or the transport impossible.
    pub fn create_offer(&mut self, now: Instant) -> Result<(), SessionError> {
        self.now = now;
        self.must_be_stable()?;
        if !self.negotiation.may_offer() {
            return Err(SessionError::Unprotected);
        }
        self.ensure_transport(Role::Controlling)?;
        self.remember();
        self.answer = None;
        self.write_when_gathered(Writing::Offer);
        Ok(())
    }

    /// Makes a later offer, with new ICE credentials where `restart_ice`, in which we want `direction`.
    ///
    /// It says what we want, also to a peer that holds us (RFC 6337 §5.1): the answer tells whether its hold goes on.
    ///
    /// # Errors
    /// As [`create_offer`](Self::create_offer).
    pub fn reoffer(
        &mut self,
        restart_ice: bool,
        direction: Direction,
        now: Instant,
    ) -> Result<(), SessionError> {
        self.now = now;
        self.must_be_stable()?;
        if !self.negotiation.may_offer() {
            return Err(SessionError::Unprotected);
        }
        self.remember();
        self.wish = direction;
        self.settle_lines();
        let moved = self.connection == ConnectionState::Failed(TransportFailure::Moved);
        if restart_ice || moved {
            self.each_transport(|transport| transport.restart_ice(now));
            self.drain_transport();
        }
        self.create_offer(now)
    }

    /// Asks the peer now whether its path is alive, for packets may take another way than before.
    pub fn check_path(&mut self, now: Instant) {
        self.now = now;
        if let Some(transport) = &mut self.transport {
            transport.check_path(now);
        }
        self.drain_transport();
    }

    /// Says whether the call needs sockets of other addresses than it has: the one of its path is not among ours any more, or
    /// nothing comes on it, it may be left for that, and there are others.
    pub fn has_moved(&self, addresses: &[IpAddr], silence: Silence) -> bool {
        let transport = self.transport.as_ref();
        transport.is_some_and(|transport| transport.has_moved(addresses, silence))
    }

    /// Takes other sockets in place of all that it has, numbered from 0 again; the next offer restarts ICE with them.
    ///
    /// # Errors
    /// When no path can be made from them; then nothing has changed.
    pub fn take_sockets(
        &mut self,
        sockets: Vec<SocketAddr>,
        now: Instant,
    ) -> Result<(), SessionError> {
        self.now = now;
        if let Some(transport) = &mut self.transport {
            let servers = self.config.servers.clone();
            transport.take_sockets(sockets.clone(), servers, self.config.gathering, now)?;
        }
        for way in &mut self.apart {
            let gathering = self.config.gathering;
            way.transport
                .take_sockets(sockets.clone(), Vec::new(), gathering, now)?;
        }
        self.config.sockets = sockets;
        self.drain_transport();
        Ok(())
    }

    /// Takes other STUN and TURN servers, for when it gathers anew. What a server gave that refuses its old credentials is
    /// given up.
    pub fn set_servers(&mut self, servers: Vec<Server>, now: Instant) {
        self.now = now;
        self.config.servers = servers;
        if let Some(transport) = &mut self.transport {
            transport.renew_servers(now);
        }
        self.drain_transport();
    }

    /// Answers a first offer: [`MediaEvent::Described`] comes when gathering is over, or else
    /// [`MediaEvent::Refused`].
    ///
    /// # Errors
    /// When an offer is open, the session closed or the transport impossible.
    pub fn create_answer(&mut self, offer: &str, now: Instant) -> Result<(), SessionError> {
        self.now = now;
        if self.is_closed() || !self.negotiation.may_receive_offer() {
            self.must_be_stable()?;
        }
        self.ensure_transport(Role::Controlled)?;
        match self.negotiation.receive_offer(offer, self.wish) {
            Ok(agreed) => {
                self.write_when_gathered(Writing::Answer(Box::new(agreed)));
                Ok(())
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Answers a later offer, as [`create_answer`](Self::create_answer); or the one of a peer whose answer to our first
    /// offer is only provisional, which goes on waiting for the final one.
    ///
    /// # Errors
    /// As [`create_answer`](Self::create_answer).
    pub fn answer_reoffer(&mut self, offer: &str, now: Instant) -> Result<(), SessionError> {
        self.create_answer(offer, now)
    }

    /// Takes the answer to our offer: [`MediaEvent::AnswerApplied`] or [`MediaEvent::Refused`] comes.
    ///
    /// A provisional one (early media) leaves the offer open, and only its refusal is told, by
    /// [`MediaEvent::EarlyAnswerRefused`]; the same text again changes nothing; another one (a fork's) takes its place.
    ///
    /// # Errors
    /// When there is no open offer of ours.
    pub fn set_answer(
        &mut self,
        answer: &str,
        provisional: bool,
        now: Instant,
    ) -> Result<(), SessionError> {
        self.now = now;
        if self.is_closed() {
            return Err(SessionError::Closed);
        }
        let outcome = self.take_answer(answer, provisional)?;
        match (outcome, provisional) {
            (Ok(()), true) => {}
            (Ok(()), false) => {
                self.before = None;
                self.each_transport(Transport::release_forks);
                self.event(MediaEvent::AnswerApplied);
            }
            (Err(reason), true) => self.event(MediaEvent::EarlyAnswerRefused { reason }),
            (Err(reason), false) => self.event(MediaEvent::Refused { reason }),
        }
        Ok(())
    }

    fn take_answer(
        &mut self,
        answer: &str,
        provisional: bool,
    ) -> Result<Result<(), MediaRefusal>, SessionError> {
        let repeated = self
            .answer
            .as_ref()
            .is_some_and(|known| known.expose() == answer);
        if repeated && !self.negotiation.has_offered() {
            return Ok(Ok(()));
        }
        let agreed = match self.negotiation.accept(answer, provisional) {
            Ok(_) if repeated => return Ok(Ok(())),
            Ok(agreed) => agreed,
            Err(refusal) => return Ok(Err(refusal?.into())),
        };
        if let Err(reason) = self.set_remote(&agreed) {
            return Ok(Err(reason));
        }
        self.answer = Some(Secret::new(answer));
        // Early media may come one way; nobody is held before the call is answered.
        let holds = !provisional && self.holds_by_answer(&agreed);
        self.apply(agreed, holds);
        Ok(Ok(()))
    }

    /// Forgets the open offer, whoever made it; the session goes on as it was.
    pub fn rollback(&mut self, now: Instant) {
        self.now = now;
        self.negotiation.rollback();
        self.writing = None;
        if let Some(before) = self.before.take() {
            self.wish = before.wish;
            if let Some(agreed) = before.agreed {
                self.apply(agreed, before.peer_holds);
            }
        }
        self.each_transport(Transport::rollback_restart);
        self.drain_transport();
    }

    /// Says how media may be protected from the next description on, best first; never less than they are.
    pub fn set_media(&mut self, media: Vec<Keying>) {
        self.negotiation.set_media(media);
    }

    /// Sets the direction that our next offer or answer asks for.
    pub fn set_direction(&mut self, direction: Direction) {
        self.wish = direction;
    }

    /// Notes what holds, unless an open offer has changed it already.
    fn remember(&mut self) {
        self.before.get_or_insert_with(|| super::BeforeOffer {
            agreed: self.agreed.clone(),
            wish: self.wish,
            peer_holds: self.peer_holds,
        });
    }

    fn must_be_stable(&self) -> Result<(), SessionError> {
        if self.is_closed() {
            Err(SessionError::Closed)
        } else if self.negotiation.has_offered() || matches!(self.writing, Some(Writing::Offer)) {
            Err(Misuse::OfferPending.into())
        } else if self.negotiation.is_answering() {
            Err(Misuse::AnswerPending.into())
        } else {
            Ok(())
        }
    }

    fn refuse(&mut self, refusal: Result<Refusal, Misuse>) -> Result<(), SessionError> {
        let reason = MediaRefusal::from(refusal.map_err(SessionError::from)?);
        self.event(MediaEvent::Refused { reason });
        Ok(())
    }

    fn ensure_transport(&mut self, role: Role) -> Result<(), SessionError> {
        if self.transport.is_some() {
            return Ok(());
        }
        let config = Config {
            sockets: self.config.sockets.clone(),
            servers: self.config.servers.clone(),
            doubted: self.config.doubted.clone(),
            policy: self.config.policy,
            role,
            certificate: self.config.certificate.clone(),
            streams: vec![OutboundStream {
                id: StreamId::AUDIO,
                ssrc: self.identity.audio.ssrc,
            }],
            check_interval: self.config.check_interval,
            gathering: self.config.gathering,
            opens_streams: true,
        };
        let seed = self.rng.random();
        let mut transport = Transport::new(config, seed, self.now)?;
        transport.set_capture(self.captures);
        self.transport = Some(transport);
        self.drain_transport();
        Ok(())
    }

    pub(super) fn each_transport(&mut self, act: impl FnMut(&mut Transport)) {
        let apart = self.apart.iter_mut().map(|way| &mut way.transport);
        self.transport.iter_mut().chain(apart).for_each(act);
    }

    fn set_remote(&mut self, agreed: &Agreed) -> Result<(), MediaRefusal> {
        let now = self.now;
        let result = match &mut self.transport {
            Some(transport) => transport.set_remote(agreed.transport.clone(), now),
            None => Ok(()),
        };
        self.drain_transport();
        result.map_err(|error| MediaRefusal::Incompatible(error.to_string()))
    }

    /// Whether the peer that answers so holds us. What it says to our hold tells little: some answer `inactive`
    /// although they hold nothing themselves, and browsers `recvonly` although they hold.
    fn holds_by_answer(&self, agreed: &Agreed) -> bool {
        let unchanged = (self.before.as_ref()).is_some_and(|before| before.wish == self.offered);
        match (self.offered, agreed.audio.remote_direction.receives()) {
            (Direction::SendRecv, receives) => !receives,
            // It heard of our hold before: it has ended its own, if it wants to hear us now.
            (Direction::SendOnly, true) if unchanged => false,
            (Direction::SendOnly | Direction::RecvOnly | Direction::Inactive, _) => self.peer_holds,
        }
    }

    fn apply(&mut self, agreed: Agreed, peer_holds: bool) {
        let before = self
            .agreed
            .as_ref()
            .map(|a| (a.audio.direction, self.peer_holds));
        let after = (agreed.audio.direction, peer_holds);
        let expected_media = self.expects_media();
        self.settle_apart(&agreed);
        self.outbound.configure(&self.config, &agreed, self.now);
        self.inbound.configure(&agreed);
        self.reports.configure(&agreed);
        self.agreed = Some(agreed);
        self.peer_holds = peer_holds;
        self.expectation_changed(expected_media);
        // What nobody was told before counts as "both send".
        if before.unwrap_or((Direction::SendRecv, false)) != after {
            self.event(MediaEvent::Direction {
                local: after.0,
                remote_hold: after.1,
            });
        }
        self.note_codecs();
        self.configure_lines();
    }

    fn configure_lines(&mut self) {
        let agreed = self.agreed.take();
        if let (Some(agreed), Some((lines, work))) = (&agreed, self.work()) {
            lines.configure(agreed, work);
        }
        self.agreed = agreed;
    }

    /// Shows nothing while we hold the call, and again what was shown before if that is taken back.
    fn settle_lines(&mut self) {
        if let Some((lines, work)) = self.work() {
            lines.settle(work);
        }
    }

    fn write_when_gathered(&mut self, writing: Writing) {
        self.writing = Some(writing);
        self.write_if_gathered();
    }

    /// Writes the description that waits, once all candidates are known.
    pub(super) fn write_if_gathered(&mut self) {
        let Some(transport) = &self.transport else {
            return;
        };
        if transport.gathering() != Gathering::Complete {
            return;
        }
        let stranded = transport.is_stranded();
        match self.writing.take() {
            Some(Writing::Offer | Writing::Answer(_)) if stranded => {
                self.refuse_described(MediaRefusal::NoRelay);
            }
            Some(Writing::Offer) => {
                self.offered = self.wish;
                self.write(|negotiation, local, wish| negotiation.offer(local, wish));
            }
            Some(Writing::Answer(agreed)) => match self.set_remote(&agreed) {
                Ok(()) => {
                    let holds = !agreed.audio.remote_direction.receives();
                    self.apply(*agreed, holds);
                    self.write(|negotiation, local, _| negotiation.answer(local));
                }
                Err(reason) => self.refuse_described(reason),
            },
            None => {}
        }
    }

    /// Takes back what was to be described.
    fn refuse_described(&mut self, reason: MediaRefusal) {
        self.negotiation.rollback();
        if !self.negotiation.has_offered()
            && let Some(before) = self.before.take()
        {
            self.wish = before.wish;
            self.settle_lines();
        }
        self.event(MediaEvent::Refused { reason });
    }

    fn write(
        &mut self,
        describe: impl FnOnce(&mut Negotiation, LocalTransport<'_>, Direction) -> Result<String, Misuse>,
    ) {
        let Some(transport) = &self.transport else {
            return;
        };
        let parameters = transport.local();
        let apart = self.local_apart(&parameters);
        let local = LocalTransport {
            parameters: &parameters,
            apart: &apart,
            end_of_candidates: true,
        };
        // The state was checked when the description was asked for, and a rollback clears `writing`.
        if let Ok(sdp) = describe(&mut self.negotiation, local, self.offered) {
            self.event(MediaEvent::Described { sdp });
        }
    }

    /// Says goodbye to the peer and stops; drain the output once more.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed() {
            return;
        }
        self.writing = None;
        if let Some(transport) = &mut self.transport {
            self.reports.bye(transport, now);
        }
        self.drain_transport();
        self.each_transport(|transport| transport.close(now));
        self.drain_transport();
        self.closed = true;
        self.transport_deadline = None;
        if self.connection != ConnectionState::Closed {
            self.connection = ConnectionState::Closed;
            self.event(MediaEvent::State(ConnectionState::Closed));
        }
    }
}
