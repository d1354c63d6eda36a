use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use pbx::FlowId;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::signalling::{self, Incoming};

/// Messages of all clients that may wait for the PBX; when it is full, clients wait.
const INBOX: usize = 256;
/// Messages that may wait for one client; one that reads no more is cut off.
const OUTBOX: usize = 256;
/// What the WebSocket's opening may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What a client did.
pub(super) enum FromClient {
    Connected(FlowId, SocketAddr),
    Message(FlowId, Bytes),
    Gone(FlowId),
}

/// The WebSockets of the PBX's clients: one task each.
pub(super) struct Connections {
    clients: BTreeMap<FlowId, mpsc::Sender<Bytes>>,
    inbox: mpsc::Receiver<FromClient>,
    to_inbox: mpsc::Sender<FromClient>,
    /// Each ends when its client is gone, or its sender in `clients` is dropped.
    tasks: JoinSet<()>,
    next_flow: u64,
}

impl Connections {
    pub(super) fn new() -> Connections {
        let (to_inbox, inbox) = mpsc::channel(INBOX);
        Connections {
            clients: BTreeMap::new(),
            inbox,
            to_inbox,
            tasks: JoinSet::new(),
            next_flow: 0,
        }
    }

    /// Waits for what a client does next, and lets new ones in; cancel-safe.
    pub(super) async fn next(&mut self, listener: &TcpListener) -> FromClient {
        loop {
            tokio::select! {
                Some(event) = self.inbox.recv() => {
                    if let FromClient::Gone(flow) = event {
                        self.clients.remove(&flow);
                    }
                    return event;
                }
                accepted = listener.accept() => self.admit(accepted),
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    pub(super) fn send(&mut self, flow: FlowId, message: Bytes) {
        let stuck = self
            .clients
            .get(&flow)
            .is_some_and(|client| client.try_send(message).is_err());
        if stuck {
            self.cut(flow);
        }
    }

    /// Closes a connection without a word.
    pub(super) fn cut(&mut self, flow: FlowId) {
        self.clients.remove(&flow);
    }

    pub(super) async fn end(&mut self) {
        self.clients.clear();
        self.inbox.close();
        self.tasks.shutdown().await;
    }

    fn admit(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        let Ok((stream, peer)) = accepted else {
            return;
        };
        self.next_flow += 1;
        let flow = FlowId(self.next_flow);
        let (client, outbox) = mpsc::channel(OUTBOX);
        self.clients.insert(flow, client);
        self.tasks
            .spawn(serve(flow, stream, peer, outbox, self.to_inbox.clone()));
    }
}

async fn serve(
    flow: FlowId,
    stream: TcpStream,
    peer: SocketAddr,
    mut outbox: mpsc::Receiver<Bytes>,
    inbox: mpsc::Sender<FromClient>,
) {
    let opening = tokio::time::timeout(HANDSHAKE, signalling::accept(stream)).await;
    let Ok(Ok(mut connection)) = opening else {
        return;
    };
    if inbox.send(FromClient::Connected(flow, peer)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            incoming = connection.next() => match incoming {
                Incoming::Message(bytes) => {
                    if inbox.send(FromClient::Message(flow, bytes)).await.is_err() {
                        return;
                    }
                }
                Incoming::Pong => {}
                Incoming::Down(_) => break,
            },
            message = outbox.recv() => match message {
                Some(message) => connection.send(message),
                None => break,
            },
        }
    }
    let _ = inbox.send(FromClient::Gone(flow)).await;
}
