//! Streams to a peer that takes some (RFC 6544): we open them, and it never does.
//!
//! Each is a base of its own that reaches one address. What goes on it is framed as RFC 4571 says.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::config::{LinkId, StreamTarget};
use super::ice::BaseId;
use super::output::LinkEvent;
use super::parameters::{Candidate, CandidateKind, Protocol, TcpType};
use super::path_event::PathEvent;

/// No datagram of media is larger; what is, is passed over whole.
const MAX_PACKET: usize = 2048;
const LENGTH: usize = 2;
/// Sockets and relays are numbered from 0, and are far fewer.
const FIRST_BASE: u16 = 0x4000;
/// RFC 6544 §4.5: the port of an end that opens streams and takes none.
const DISCARD: u16 = 9;
/// Below all of UDP but relays, as libwebrtc has it, so that nobody prefers a stream.
const TYPE_PREFERENCE: u32 = 90;
/// RFC 6544 §4.2: of an active end.
const DIRECTION_PREFERENCE: u32 = 6 << 13;

/// The streams that were opened to peers.
#[derive(Debug, Default)]
pub(super) struct PeerStreams(Vec<PeerStream>);

#[derive(Debug)]
struct PeerStream {
    link: LinkId,
    base: BaseId,
    remote: SocketAddr,
    state: StreamState,
    deframer: PacketDeframer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamState {
    Opening,
    /// Our end.
    Open(SocketAddr),
    Over,
}

impl PeerStreams {
    /// Opens a stream to an address of the peer.
    pub(super) fn open(&mut self, link: LinkId, remote: SocketAddr) -> PathEvent {
        self.0.retain(|stream| stream.state != StreamState::Over);
        // Links are never so many that one of the same number is still there.
        let number = u16::try_from(link.0 % u32::from(FIRST_BASE)).unwrap_or(0);
        self.0.push(PeerStream {
            link,
            base: BaseId(FIRST_BASE + number),
            remote,
            state: StreamState::Opening,
            deframer: PacketDeframer::default(),
        });
        let target = StreamTarget {
            host: remote.ip().to_string(),
            port: remote.port(),
            tls: false,
        };
        PathEvent::Connect(link, target)
    }

    /// Takes what happened to a stream; returns false if it is none of these.
    pub(super) fn handle_link(
        &mut self,
        link: LinkId,
        event: &LinkEvent<'_>,
        mut tell: impl FnMut(PathEvent),
    ) -> bool {
        let Some(stream) = self.0.iter_mut().find(|stream| stream.link == link) else {
            return false;
        };
        match (event, stream.state) {
            (LinkEvent::Up(local), StreamState::Opening) => {
                stream.state = StreamState::Open(*local);
                tell(PathEvent::Stream(stream.base, *local, stream.remote));
            }
            (LinkEvent::Octets(octets), StreamState::Open(_)) => {
                let (base, remote) = (stream.base, stream.remote);
                stream.deframer.push(octets, |packet| {
                    tell(PathEvent::Received(base, remote, BytesMut::from(packet)));
                });
            }
            (LinkEvent::Down(_), StreamState::Opening | StreamState::Open(_)) => {
                stream.state = StreamState::Over;
                tell(PathEvent::Disconnect(link));
                tell(PathEvent::StreamOver(stream.base));
            }
            (LinkEvent::Up(_), StreamState::Open(_) | StreamState::Over)
            | (LinkEvent::Octets(_), StreamState::Opening | StreamState::Over)
            | (LinkEvent::Down(_), StreamState::Over) => {}
        }
        true
    }

    /// Returns what sends a packet to the peer; `None` if this base is no stream, or reaches somebody else.
    pub(super) fn send(
        &mut self,
        base: BaseId,
        to: SocketAddr,
        packet: &[u8],
    ) -> Option<PathEvent> {
        let stream = self.find(base)?;
        let is_up = matches!(stream.state, StreamState::Open(_)) && stream.remote == to;
        let link = stream.link;
        let framed = framed(packet).filter(|_| is_up)?;
        Some(PathEvent::Send(link, framed))
    }

    pub(super) fn is_stream(base: BaseId) -> bool {
        base.0 >= FIRST_BASE
    }

    pub(super) fn is_over(&self, base: BaseId) -> bool {
        self.find(base)
            .is_none_or(|stream| stream.state == StreamState::Over)
    }

    /// Returns our end of an open stream.
    pub(super) fn local(&self, base: BaseId) -> Option<SocketAddr> {
        match self.find(base)?.state {
            StreamState::Open(local) => Some(local),
            StreamState::Opening | StreamState::Over => None,
        }
    }

    fn find(&self, base: BaseId) -> Option<&PeerStream> {
        self.0.iter().find(|stream| stream.base == base)
    }

    /// Closes all but one, or really all.
    pub(super) fn close_but(&mut self, kept: Option<BaseId>, mut tell: impl FnMut(PathEvent)) {
        self.0.retain(|stream| {
            let stays = Some(stream.base) == kept;
            if !stays && stream.state != StreamState::Over {
                tell(PathEvent::Disconnect(stream.link));
            }
            stays
        });
    }
}

/// What the ICE crate is told instead of a stream's ends. It tells active ends apart by IP alone, and a peer may have the same
/// address for UDP.
pub(super) fn stand_ins(base: BaseId, remote: SocketAddr) -> (SocketAddr, SocketAddr) {
    let [high, low] = base.0.to_be_bytes();
    let end = |side: u8| match remote {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::new(0, side, high, low), DISCARD)),
        SocketAddr::V6(_) => {
            // RFC 6666: nobody is there.
            let ip = Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, side.into(), base.0);
            SocketAddr::from((ip, DISCARD))
        }
    };
    (end(1), end(2))
}

/// RFC 6544 §4.2, for the socket of this number.
pub(super) fn stream_priority(index: usize) -> u32 {
    let other = 8191 - u32::try_from(index).unwrap_or(8191).min(8191);
    TYPE_PREFERENCE << 24 | (DIRECTION_PREFERENCE | other) << 8 | 255
}

/// The ends of streams that we may open, for a peer that takes some (RFC 6544 §4.5).
pub(super) fn active_candidates(sockets: &[SocketAddr]) -> Vec<Candidate> {
    let ends = sockets.iter().enumerate().map(|(index, socket)| Candidate {
        foundation: format!(
            "tcp{}",
            super::candidates::foundation(CandidateKind::Host, socket.ip(), None)
        ),
        component: 1,
        protocol: Protocol::Tcp(TcpType::Active),
        priority: stream_priority(index),
        address: SocketAddr::new(socket.ip(), DISCARD),
        kind: CandidateKind::Host,
        related: None,
    });
    ends.collect()
}

/// RFC 4571 §2.
fn framed(packet: &[u8]) -> Option<BytesMut> {
    let length = u16::try_from(packet.len()).ok()?;
    let mut framed = BytesMut::with_capacity(LENGTH + packet.len());
    framed.put_u16(length);
    framed.put_slice(packet);
    Some(framed)
}

/// Finds the packets in a stream. It holds one unfinished packet at most, of [`MAX_PACKET`] octets.
#[derive(Debug, Default)]
struct PacketDeframer {
    buffer: BytesMut,
    /// Octets of a packet that is too large and still to come.
    passed_over: usize,
}

impl PacketDeframer {
    fn push(&mut self, mut octets: &[u8], mut take: impl FnMut(&[u8])) {
        while !octets.is_empty() {
            let skipped = self.passed_over.min(octets.len());
            self.passed_over -= skipped;
            octets = &octets[skipped..];
            // A piece at a time, so that a large read needs no large buffer.
            let piece = octets.len().min(MAX_PACKET);
            self.buffer.extend_from_slice(&octets[..piece]);
            octets = &octets[piece..];
            self.find(&mut take);
        }
    }

    fn find(&mut self, take: &mut impl FnMut(&[u8])) {
        while let Some([high, low]) = self.buffer.first_chunk::<LENGTH>().copied() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            let whole = LENGTH + length;
            if length > MAX_PACKET {
                self.passed_over = whole.saturating_sub(self.buffer.len());
                self.buffer.advance(whole.min(self.buffer.len()));
            } else if self.buffer.len() < whole {
                break;
            } else if length == 0 {
                // Of nothing there may be thousands in a read.
                self.buffer.advance(whole);
            } else {
                take(&self.buffer[LENGTH..whole]);
                self.buffer.advance(whole);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let mut deframer = PacketDeframer::default();
        let mut found = Vec::new();
        for octets in stream.chunks(piece) {
            deframer.push(octets, |packet| found.push(packet.to_vec()));
            assert!(deframer.buffer.len() <= LENGTH + MAX_PACKET);
        }
        found
    }

    #[test]
    fn packets_are_found_however_the_stream_is_cut() {
        let packets: Vec<Vec<u8>> = [1, 20, 1200, MAX_PACKET, 3]
            .iter()
            .map(|length| vec![7; *length])
            .collect();
        let stream: Vec<u8> = packets
            .iter()
            .flat_map(|one| framed(one).unwrap())
            .collect();
        for piece in [1, 2, 3, 7, 64, stream.len()] {
            assert_eq!(read(&stream, piece), packets, "{piece}");
        }
    }

    #[test]
    fn packets_of_nothing_are_passed_over() {
        let mut stream = BytesMut::from(&[0; 16_384][..]);
        stream.unsplit(framed(&[3; 8]).unwrap());
        for piece in [1, 100, stream.len()] {
            assert_eq!(read(&stream, piece), [vec![3; 8]], "{piece}");
        }
    }

    #[test]
    fn a_packet_larger_than_any_of_media_is_passed_over_and_what_follows_is_read() {
        let mut stream = framed(&[1; 65_535]).unwrap();
        stream.unsplit(framed(&[2; MAX_PACKET + 1]).unwrap());
        stream.unsplit(framed(&[3; 8]).unwrap());
        for piece in [1, 100, 4096, stream.len()] {
            assert_eq!(read(&stream, piece), [vec![3; 8]], "{piece}");
        }
    }

    #[test]
    fn the_ice_crate_is_told_an_address_for_each_end_and_none_twice() {
        let mut told = Vec::new();
        for remote in ["192.0.2.1:443", "[2001:db8::1]:443"] {
            for number in [FIRST_BASE, FIRST_BASE + 1, FIRST_BASE + 700] {
                let (ours, theirs) = stand_ins(BaseId(number), remote.parse().unwrap());
                told.extend([ours.ip(), theirs.ip()]);
            }
        }
        let count = told.len();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), count);
    }
}
