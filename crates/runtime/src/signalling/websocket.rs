//! An open WebSocket (RFC 7118): what is to be sent waits in a bounded queue.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Sink, Stream as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::connection::{CROWDED, Incoming, MAX_WAITING};
use super::error::{self, DownReason};
use super::paced::Paced;

/// Control frames that are taken in one go: what else this task does may not wait for a server that sends nothing else.
const MOST_CONTROL: usize = 64;

/// An open WebSocket with the subprotocol `sip`.
#[derive(Debug)]
pub(super) struct WebSocket {
    stream: WebSocketStream<Paced>,
    /// Capacity [`MAX_WAITING`] bytes; when it is full the connection is given up as stuck.
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    unflushed: bool,
}

impl WebSocket {
    pub(super) fn new(stream: WebSocketStream<Paced>) -> WebSocket {
        WebSocket {
            stream,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unflushed: false,
        }
    }

    /// Queues one SIP message; it leaves while `poll_next` is called.
    pub(super) fn send(&mut self, message: Bytes) {
        // RFC 7118 §5: text where it is UTF-8, which every peer can read; binary otherwise.
        let message = match Utf8Bytes::try_from(message.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(message),
        };
        self.queue(message);
    }

    /// Queues a WebSocket ping.
    pub(super) fn ping(&mut self) {
        self.queue(Message::Ping(Bytes::new()));
    }

    /// Queues the close handshake.
    pub(super) fn say_goodbye(&mut self) {
        self.queue(Message::Close(None));
    }

    fn queue(&mut self, message: Message) {
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
    }

    /// Gives the next thing the server says, and sends what is queued meanwhile.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if let Err(error) = self.poll_send(cx) {
            return Poll::Ready(Incoming::Down(error::down(error)));
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
        self.stream.get_mut().begin_turn();
        for _ in 0..MOST_CONTROL {
            let message = match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    return Poll::Ready(Incoming::Down(DownReason::Closed(None)));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Incoming::Down(error::down(error)));
                }
                Poll::Ready(Some(Ok(message))) => message,
            };
            match message {
                Message::Text(text) => return Poll::Ready(Incoming::Message(text.into())),
                Message::Binary(bytes) => return Poll::Ready(Incoming::Message(bytes)),
                Message::Pong(_) => return Poll::Ready(Incoming::Pong),
                Message::Close(frame) => {
                    let why = frame.map(|f| (f.code.into(), f.reason.as_str().to_owned()));
                    return Poll::Ready(Incoming::Down(DownReason::Closed(why)));
                }
                Message::Ping(_) | Message::Frame(_) => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), tungstenite::Error> {
        let mut stream = Pin::new(&mut self.stream);
        while !self.waiting.is_empty() {
            match stream.as_mut().poll_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready?,
            }
            if let Some(message) = self.waiting.pop_front() {
                self.waiting_bytes -= message.len();
                stream.as_mut().start_send(message)?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            match stream.as_mut().poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(flushed) => {
                    flushed?;
                    self.unflushed = false;
                }
            }
        }
        Ok(())
    }
}
