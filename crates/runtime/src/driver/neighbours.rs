//! Those who come without a server.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use phone::SipText;
use phone::neighbour::{Neighbour, NeighbourNews};
use report::Direction;

use super::Driver;
use crate::signalling::NeighbourReport;

impl Driver {
    /// Opens what the phone listens at; it is told of it when nothing else is to be done.
    pub(super) fn listen(&mut self) {
        let config = self.phone.config();
        let listen = config.listen.as_ref();
        self.listened = listen.map(|listen| self.listeners.open(listen, &config.peers));
    }

    pub(super) fn send_to(&mut self, neighbour: Neighbour, SipText(message): SipText) {
        let ends = self.listeners.ends(neighbour);
        self.note_message(Direction::Sent, ends, &message, Instant::now());
        self.listeners.send(neighbour, message);
    }

    pub(super) fn take_neighbour(&mut self, report: NeighbourReport, unread: usize, now: Instant) {
        let (neighbour, ends, news) = match report {
            NeighbourReport::Unreached(trunk) => return self.phone.handle_unreached(trunk, now),
            NeighbourReport::News(neighbour, ends, news) => (neighbour, ends, news),
        };
        if let NeighbourNews::Message { from, bytes, .. } = &news
            && self.phone.config().may_call(*from)
        {
            self.calls.server_is_local |= from.to_canonical().is_loopback();
            self.note_message(Direction::Received, Some(ends), bytes, now);
        }
        self.phone.handle_backlog(unread);
        self.phone.handle_load((self.load)());
        self.phone.handle_neighbour(neighbour, news, now);
    }

    /// For the report of its call, and for whoever captures.
    fn note_message(
        &mut self,
        direction: Direction,
        ends: Option<(SocketAddr, SocketAddr)>,
        message: &Bytes,
        now: Instant,
    ) {
        self.journals.message(direction, message, now);
        self.capture_message(direction, ends, message);
    }
}
