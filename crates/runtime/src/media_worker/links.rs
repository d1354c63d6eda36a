//! A session's streams: what is to be sent goes to their tasks, what came is an order from them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use media::transport::{LinkEvent, LinkId};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Packets that wait for a stream which does not take them: seconds of sound, and more than a key frame. When it is full,
/// what comes is lost.
const WAITING: usize = 256;

/// A message that a stream is to take.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) octets: BytesMut,
    /// What media has to say is worth nothing later.
    pub(crate) since: Instant,
}

/// What is to be sent on a stream; capacity [`WAITING`], and what comes when it is full is lost.
pub(crate) type Outbox = mpsc::Receiver<Outgoing>;

/// What a stream's task tells its session.
#[derive(Debug)]
pub(crate) enum LinkNews {
    /// It is open, and this is our end.
    Up(SocketAddr),
    /// What came, and leave to read more once that is taken.
    Octets(BytesMut, OwnedSemaphorePermit),
    /// It could not be opened or has ended.
    Down(String),
}

impl LinkNews {
    /// Hands it on as the engine takes it.
    pub(super) fn with(self, take: impl FnOnce(LinkEvent<'_>)) {
        match self {
            LinkNews::Up(local) => take(LinkEvent::Up(local)),
            LinkNews::Octets(octets, _leave) => take(LinkEvent::Octets(&octets)),
            LinkNews::Down(reason) => take(LinkEvent::Down(reason)),
        }
    }
}

/// The ways to the tasks of a session's streams.
#[derive(Debug, Default)]
pub(super) struct LinkSenders {
    open: BTreeMap<LinkId, mpsc::Sender<Outgoing>>,
}

impl LinkSenders {
    /// Notes a stream, and gives what its task is to send.
    pub(super) fn open(&mut self, link: LinkId) -> Outbox {
        let (sender, outbox) = mpsc::channel(WAITING);
        self.open.insert(link, sender);
        outbox
    }

    /// Sends, or loses the message as a network would.
    pub(super) fn send(&self, link: LinkId, octets: BytesMut) {
        let since = Instant::now();
        if let Some(sender) = self.open.get(&link)
            && let Err(error) = sender.try_send(Outgoing { octets, since })
        {
            tracing::trace!(%error, "a stream does not take what is sent");
        }
    }

    /// Its task sends what waits, and ends.
    pub(super) fn close(&mut self, link: LinkId) {
        self.open.remove(&link);
    }
}
