//! SIP over UDP (RFC 3261 §18): one message a datagram.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::connection::Incoming;
use super::error::DownReason;

/// The system takes datagrams at once unless its own queue is full; what is beyond this is lost as on the way.
const MOST_WAITING: usize = 256;
/// The most that a datagram has.
const DATAGRAM: usize = 64 * 1024;

/// A socket that is connected to a server.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: UdpSocket,
    /// Capacity [`MOST_WAITING`].
    waiting: VecDeque<Bytes>,
    octets: Box<[u8]>,
    has_heard: bool,
}

impl Datagrams {
    pub(super) fn new(socket: UdpSocket) -> Datagrams {
        Datagrams {
            socket,
            waiting: VecDeque::new(),
            octets: vec![0; DATAGRAM].into(),
            has_heard: false,
        }
    }

    /// Queues one message; it leaves while `poll_next` is called.
    pub(super) fn send(&mut self, message: Bytes) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(message);
        }
    }

    /// Gives the next message, and sends what is queued meanwhile.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return self.lost(&error);
        }
        let mut datagram = ReadBuf::new(&mut self.octets);
        match ready!(self.socket.poll_recv(cx, &mut datagram)) {
            Ok(()) => {
                self.has_heard = true;
                let message = Bytes::copy_from_slice(datagram.filled());
                Poll::Ready(Incoming::Message(message))
            }
            Err(error) => self.lost(&error),
        }
    }

    fn lost(&self, error: &io::Error) -> Poll<Incoming> {
        let is_nobody_there = matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
        );
        Poll::Ready(Incoming::Down(match (is_nobody_there, self.has_heard) {
            (true, false) => DownReason::NobodyThere,
            (true, true) => DownReason::Lost("nobody listens there any more".to_owned()),
            (false, _) => DownReason::Lost(error.to_string()),
        }))
    }

    /// Sends what is queued.
    pub(super) async fn finish(&mut self) {
        let _ = poll_fn(|cx| self.poll_send(cx)).await;
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(message) = self.waiting.front() {
            let sent = ready!(self.socket.poll_send(cx, message));
            self.waiting.pop_front();
            match sent {
                Ok(_) => {}
                // One that is too large is lost, as it would be on the way.
                Err(error) if is_too_large(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(TOO_LARGE)
}

#[cfg(unix)]
const TOO_LARGE: i32 = libc::EMSGSIZE;
/// `WSAEMSGSIZE`.
#[cfg(not(unix))]
const TOO_LARGE: i32 = 10_040;
