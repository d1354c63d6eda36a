//! SIP over TCP or TLS (RFC 3261 §18.3): messages one after the other, each as long as it says.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use sip::framing::Framer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::connection::{CROWDED, Incoming, MAX_WAITING};
use super::error::DownReason;
use super::transport::Stream;

/// A few messages come in one piece.
const PIECE: usize = 8 * 1024;

/// An open stream of SIP messages.
#[derive(Debug)]
pub(super) struct MessageStream<S = Stream> {
    stream: S,
    framer: Framer,
    /// Capacity [`MAX_WAITING`] bytes; when it is full the connection is given up as stuck.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    unflushed: bool,
    /// Since when a message has begun and not ended.
    unfinished: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageStream<S> {
    pub(super) fn new(stream: S) -> MessageStream<S> {
        MessageStream {
            stream,
            framer: Framer::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unflushed: false,
            unfinished: None,
        }
    }

    /// For how long a message has begun and not ended.
    pub(super) fn unfinished(&self) -> Option<Duration> {
        self.unfinished.map(|since| since.elapsed())
    }

    /// Queues one SIP message; it leaves while `poll_next` is called.
    pub(super) fn send(&mut self, message: Bytes) {
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
    }

    /// Gives the next thing the server says, and sends what is queued meanwhile.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return lost(&error);
        }
        if self.waiting_bytes > MAX_WAITING {
            return Poll::Ready(Incoming::Down(DownReason::Stuck {
                waiting: self.waiting_bytes,
            }));
        }
        if self.waiting_bytes > CROWDED {
            // Whoever could not be written to wakes us.
            return Poll::Pending;
        }
        loop {
            match self.framer.next_frame() {
                Ok(Some(frame)) => {
                    self.unfinished = None;
                    return Poll::Ready(Incoming::Message(frame));
                }
                Ok(None) if self.framer.is_empty() => {}
                Ok(None) => {
                    self.unfinished.get_or_insert_with(Instant::now);
                }
                Err(error) => return Poll::Ready(Incoming::Down(DownReason::Framing(error))),
            }
            let mut octets = [0; PIECE];
            let mut piece = ReadBuf::new(&mut octets);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece)) {
                Err(error) => return lost(&error),
                Ok(()) if piece.filled().is_empty() => {
                    return Poll::Ready(Incoming::Down(DownReason::Closed(None)));
                }
                Ok(()) => self.framer.push(piece.filled()),
            }
        }
    }

    /// Sends what is queued, and says that nothing follows.
    pub(super) async fn finish(&mut self) {
        if poll_fn(|cx| self.poll_send(cx)).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(message) = self.waiting.front_mut() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, message))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.waiting_bytes -= written;
            message.advance(written);
            if message.is_empty() {
                self.waiting.pop_front();
            }
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

fn lost(error: &io::Error) -> Poll<Incoming> {
    Poll::Ready(Incoming::Down(DownReason::Lost(error.to_string())))
}
