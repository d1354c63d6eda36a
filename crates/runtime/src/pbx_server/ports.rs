use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use pbx::PortId;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

/// Datagrams of all ports that may wait for the PBX; when it is full, more are lost, as in a network.
const INBOX: usize = 1024;
/// Larger than any datagram that fits an Ethernet frame.
const DATAGRAM: usize = 2048;

/// What came to a port of the media relay.
pub(super) struct Datagram {
    pub(super) port: PortId,
    pub(super) from: SocketAddr,
    pub(super) bytes: Bytes,
}

/// The UDP ports of the media relay: a task each that reads.
pub(super) struct Ports {
    open: BTreeMap<PortId, (Arc<UdpSocket>, AbortHandle)>,
    inbox: mpsc::Receiver<Datagram>,
    to_inbox: mpsc::Sender<Datagram>,
    /// Each is aborted when its port closes, or with the server.
    tasks: JoinSet<()>,
}

impl Ports {
    pub(super) fn new() -> Ports {
        let (to_inbox, inbox) = mpsc::channel(INBOX);
        Ports {
            open: BTreeMap::new(),
            inbox,
            to_inbox,
            tasks: JoinSet::new(),
        }
    }

    /// Waits for the next datagram; cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Datagram> {
        loop {
            tokio::select! {
                datagram = self.inbox.recv() => return datagram,
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    /// Binds a free loopback port; what comes to it is told from now on.
    pub(super) fn open(&mut self, port: PortId) -> io::Result<SocketAddr> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let reader = read(port, Arc::clone(&socket), self.to_inbox.clone());
        let reader = self.tasks.spawn(reader);
        self.open.insert(port, (socket, reader));
        Ok(address)
    }

    pub(super) fn close(&mut self, port: PortId) {
        if let Some((_, reader)) = self.open.remove(&port) {
            reader.abort();
        }
    }

    /// Sends, or loses the datagram as a network would.
    pub(super) fn send(&self, port: PortId, to: SocketAddr, bytes: &[u8]) {
        if let Some((socket, _)) = self.open.get(&port)
            && let Err(error) = socket.try_send_to(bytes, to)
        {
            tracing::trace!(%to, %error, "a datagram was not relayed");
        }
    }

    pub(super) async fn end(&mut self) {
        self.open.clear();
        self.tasks.shutdown().await;
    }
}

async fn read(port: PortId, socket: Arc<UdpSocket>, inbox: mpsc::Sender<Datagram>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, from)) => {
                let bytes = Bytes::copy_from_slice(&buffer[..length]);
                let _full = inbox.try_send(Datagram { port, from, bytes });
            }
            // An ICMP error of an earlier send: the next datagram may be fine.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => return tracing::warn!(%error, "a port of the media relay broke"),
        }
    }
}
