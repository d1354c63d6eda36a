//! Streams to TURN servers, and to peers that take some: one task each, which opens it, carries octets between it and its session, and ends with either.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use media::transport::{LinkId, StreamTarget};
use phone::config::HttpProxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tunnel::Route;

use crate::media_worker::{LinkNews, Order, Outbox, Outgoing, Post};
use crate::signalling::{Connector, Stream};

/// What is read at once.
const PIECE: usize = 16 * 1024;
/// Pieces that the session has not taken: the server waits before it fills our memory.
const MOST_UNTAKEN: usize = 8;
/// Media that waited longer for a stream would come too late, and hold up what follows.
const STALE: Duration = Duration::from_millis(400);
/// A server that takes nothing for so long takes nothing any more, though its connection stands.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the end of a stream may take: the allocation was given back before.
const FAREWELL: Duration = Duration::from_millis(200);

/// Opens the streams of a phone's sessions.
pub(super) struct LinkOpener {
    connector: Arc<Connector>,
    proxy: HttpProxy,
    /// The way that the WebSocket has taken last.
    latest: Route,
    /// They end with their sessions; what is left at the end of the phone is aborted.
    tasks: JoinSet<()>,
}

impl LinkOpener {
    pub(super) fn new(connector: Arc<Connector>, proxy: HttpProxy) -> LinkOpener {
        LinkOpener {
            connector,
            proxy,
            latest: Route::Direct,
            tasks: JoinSet::new(),
        }
    }

    /// Notes how the WebSocket goes.
    pub(super) fn follow(&mut self, route: Route) {
        self.latest = route;
    }

    pub(super) fn open(&mut self, link: LinkId, target: StreamTarget, outbox: Outbox, post: Post) {
        while self.tasks.try_join_next().is_some() {}
        let StreamTarget { host, port, tls } = &target;
        let route = match self.proxy.route_for(*tls, host, *port) {
            Ok(route) => route.unwrap_or_else(|| self.latest.clone()),
            Err(bad) => {
                return post.send(Order::Link(link, LinkNews::Down(bad.to_string())));
            }
        };
        let connector = Arc::clone(&self.connector);
        let task = LinkTask { link, outbox, post };
        self.tasks.spawn(task.run(connector, target, route));
    }

    /// Waits until what was said last is sent.
    pub(super) async fn end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// One stream. It ends when the session closes it, or when the server does.
struct LinkTask {
    link: LinkId,
    outbox: Outbox,
    post: Post,
}

impl LinkTask {
    async fn run(mut self, connector: Arc<Connector>, target: StreamTarget, route: Route) {
        let proxy = match &route {
            Route::Direct => None,
            Route::Through(proxy) => Some(proxy),
        };
        let opened = tokio::select! {
            opened = connector.open(&target, proxy) => opened.map_err(|error| error.to_string()),
            // Nothing is sent before it is up: the session wants it no longer.
            _ = self.outbox.recv() => return,
        };
        match opened.and_then(|stream| {
            let local = stream.local().map_err(|error| error.to_string());
            local.map(|local| (stream, local))
        }) {
            Ok((stream, local)) => {
                self.tell(LinkNews::Up(local));
                self.carry(stream).await;
            }
            Err(reason) => self.tell(LinkNews::Down(reason)),
        }
    }

    async fn carry(self, stream: Stream) {
        let LinkTask { link, outbox, post } = self;
        let (reader, writer) = tokio::io::split(stream);
        let reason = tokio::select! {
            reason = read(reader, link, &post) => reason,
            written = write(writer, outbox) => match written {
                Ok(()) => return,
                Err(error) => format!("the connection broke: {error}"),
            },
        };
        post.send(Order::Link(link, LinkNews::Down(reason)));
    }

    fn tell(&self, news: LinkNews) {
        self.post.send(Order::Link(self.link, news));
    }
}

async fn read(mut reader: impl AsyncReadExt + Unpin, link: LinkId, post: &Post) -> String {
    let leave = Arc::new(Semaphore::new(MOST_UNTAKEN));
    let mut buffer = BytesMut::new();
    loop {
        // It is never closed.
        let Ok(permit) = Arc::clone(&leave).acquire_owned().await else {
            return "it was given up".to_owned();
        };
        buffer.reserve(PIECE);
        match reader.read_buf(&mut buffer).await {
            Ok(0) => return "the server closed the connection".to_owned(),
            Ok(_) => {
                let octets = buffer.split();
                post.send(Order::Link(link, LinkNews::Octets(octets, permit)));
            }
            Err(error) => return format!("the connection broke: {error}"),
        }
    }
}

async fn write(mut writer: impl AsyncWriteExt + Unpin, mut outbox: Outbox) -> io::Result<()> {
    while let Some(message) = outbox.recv().await {
        if is_worth_sending(&message, Instant::now()) {
            within(PATIENCE, writer.write_all(&message.octets)).await?;
        }
        if outbox.is_empty() {
            within(PATIENCE, writer.flush()).await?;
        }
    }
    let farewell = async {
        let _ = writer.flush().await;
        let _ = writer.shutdown().await;
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    Ok(())
}

async fn within(limit: Duration, work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "the server takes nothing any more");
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| Err(late()))
}

/// A request is sent once on a stream, so that each must go; media is ChannelData, or within a Send indication, or to a peer what
/// begins as RTP does behind its length.
fn is_worth_sending(message: &Outgoing, now: Instant) -> bool {
    let is_framed =
        |length: [u8; 2]| usize::from(u16::from_be_bytes(length)) + 2 == message.octets.len();
    let is_media = match message.octets[..] {
        [high, low, 0x80..=0xBF, ..] if is_framed([high, low]) => true,
        [first, second, ..] => first >= 0x40 || (first, second) == (0x00, 0x16),
        [] | [_] => false,
    };
    !is_media || now.saturating_duration_since(message.since) < STALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_that_waited_too_long_is_left_out_and_requests_are_not() {
        let since = Instant::now();
        let at = |octets: &[u8], waited| {
            let octets = BytesMut::from(octets);
            is_worth_sending(&Outgoing { octets, since }, since + waited)
        };
        let (channel, indication, to_peer) = ([0x40, 0, 0, 0], [0, 0x16, 0, 0], [0, 2, 0x80, 0]);
        for media in [channel, indication, to_peer] {
            assert!(at(&media, STALE - Duration::from_millis(1)));
            assert!(!at(&media, STALE));
        }
        // Of a TURN server, a peer's check and its handshake.
        for request in [[0, 8, 0, 0], [0, 2, 0, 1], [0, 2, 22, 254]] {
            assert!(at(&request, Duration::from_secs(60)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_nothing_is_given_up_after_ten_seconds() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let (outbox, waiting) = tokio::sync::mpsc::channel(1);
        let (octets, since) = (BytesMut::from(&[0; 65][..]), Instant::now());
        outbox.try_send(Outgoing { octets, since }).unwrap();
        let began = tokio::time::Instant::now();
        let error = write(ours, waiting).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
