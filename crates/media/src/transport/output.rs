//! What a transport says.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::config::{LinkId, PathId, StreamId, StreamTarget, Way};
use super::parameters::{Candidate, CandidateKind, Protocol};

/// One thing for the caller to do or to know, from [`super::Transport::poll_output`].
#[derive(Debug)]
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// Open a stream, and say how that went by [`super::Transport::handle_link`].
    Connect(LinkId, StreamTarget),
    /// Send these octets on a stream that is up.
    Send(LinkId, BytesMut),
    /// Close a stream; nothing more is wanted of it.
    Disconnect(LinkId),
    /// A media packet arrived and is authentic.
    Rtp(Rtp),
    /// A compound RTCP packet arrived and is authentic; it is in the clear.
    Rtcp(BytesMut),
    /// A packet as it is without its protection; only while [`super::Transport::set_capture`] asks for it.
    Captured(Captured),
    /// The transport's state changed.
    State(State),
    /// A candidate to tell the peer.
    LocalCandidate(Candidate),
    /// All local candidates were told.
    EndOfCandidates,
    /// Media now takes this path.
    SelectedPath(SelectedPath),
    /// A server gives nothing, or no longer; the others do what they can.
    ServerFault(String, ServerFault),
    /// What is known of a way to a server.
    Way(Way, WayNews),
    /// Ask the local network for the address of this name, and give it to [`super::Transport::resolved`].
    Resolve(String),
    /// Nothing more to say: call [`super::Transport::handle_timeout`] at this instant.
    Timeout(Instant, Wake),
}

/// What is known of a way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayNews {
    /// Nothing came on it in the time of gathering.
    Silent,
    /// Something came on one that was silent before.
    Heard,
}

/// What happened to a stream.
#[derive(Debug)]
pub enum LinkEvent<'a> {
    /// It is open, and this is our end of it.
    Up(SocketAddr),
    /// These octets came.
    Octets(&'a [u8]),
    /// It could not be opened or has ended, for this reason.
    Down(String),
}

/// Why a STUN or TURN server gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerFault {
    /// It says nothing.
    #[error("it does not answer")]
    Silent,
    /// The stream to it could not be opened, or has ended.
    #[error("{0}")]
    Unreachable(String),
    /// It answered with an error (RFC 8489 §14.8).
    #[error("it refuses: {code} {reason}")]
    Refused {
        /// Its code, 300 to 699.
        code: u16,
        /// Its words, at most 127 characters without control characters.
        reason: String,
    },
    /// It gave an address that nobody can send to.
    #[error("it gave {0}, which nobody can send to")]
    ImpossibleAddress(SocketAddr),
    /// What it says is neither STUN nor TURN.
    #[error("it speaks neither STUN nor TURN")]
    Nonsense,
    /// It was not asked, for as many others were as are asked at once.
    #[error(
        "it was not asked: four relays are asked for by UDP, and four by streams; name fewer servers"
    )]
    LeftOut,
    /// It has forgotten our allocation.
    #[error("it has forgotten what it gave us")]
    Forgotten,
}

impl ServerFault {
    /// Returns whether it refuses who asks (RFC 8656 §19): with other credentials it may be of use.
    pub fn refuses_login(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                code: 401 | 403 | 441,
                ..
            }
        )
    }
}

/// A datagram to send from one of the local sockets.
#[derive(Debug)]
pub struct Transmit {
    /// The socket to send from.
    pub path: PathId,
    /// The address to send to: the peer's, or a server's.
    pub to: SocketAddr,
    /// The payload of the datagram.
    pub bytes: BytesMut,
}

/// An RTP packet or RTCP compound without its protection.
#[derive(Clone, Debug)]
pub struct Captured {
    /// It was sent; otherwise it came.
    pub sent: bool,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A received media packet, decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtp {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// The payload type.
    pub pt: u8,
    /// The sequence number.
    pub seq: u16,
    /// The timestamp, in units of the codec's clock.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
    /// The marker bit.
    pub marker: bool,
    pub(super) packet: BytesMut,
    pub(super) extensions: Range<usize>,
    pub(super) extension_profile: u16,
    pub(super) payload: Range<usize>,
}

impl Rtp {
    /// Returns the payload without padding.
    pub fn payload(&self) -> &[u8] {
        &self.packet[self.payload.clone()]
    }

    /// Returns the packet's header extensions in order (RFC 8285, both forms).
    pub fn extensions(&self) -> impl Iterator<Item = (u8, &[u8])> {
        super::packet::Extensions::new(
            self.extension_profile,
            &self.packet[self.extensions.clone()],
        )
    }
}

/// A media packet to send.
#[derive(Clone, Copy, Debug)]
pub struct RtpOut<'a> {
    /// The payload type, 0 to 127.
    pub pt: u8,
    /// The timestamp, in units of the codec's clock.
    pub timestamp: u32,
    /// The marker bit.
    pub marker: bool,
    /// Header extensions as (id, value): ids 1 to 14, values of 1 to 16 bytes.
    pub extensions: &'a [(u8, &'a [u8])],
    /// The payload.
    pub payload: &'a [u8],
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No path or no keys yet, or no longer.
    #[error("the transport is not connected")]
    NotConnected,
    /// The stream was not configured.
    #[error("the transport has no stream {0:?}")]
    UnknownStream(StreamId),
    /// The payload type, an extension or the size is outside what RTP allows.
    #[error("the packet can't be expressed in RTP")]
    Inexpressible,
    /// The key has protected all the packets that it may.
    #[error("the SRTP key is exhausted")]
    KeyExhausted,
}

/// Where a transport stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The peer's parameters are not known.
    New,
    /// Connectivity checks or the DTLS handshake are under way.
    Checking,
    /// Media flows.
    Connected,
    /// Nothing authentic came from the peer for a while; it may recover.
    Interrupted,
    /// It is over. Only an ICE restart brings it back, and not after `Fingerprint`.
    Failed(TransportFailure),
    /// Closed by us, or by the peer's `close_notify`.
    Closed,
}

/// Why a transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportFailure {
    /// No candidate pair works.
    Ice,
    /// The peer's consent to receive expired (RFC 7675).
    Consent,
    /// Our own address on the path is gone: the machine is in another network.
    Moved,
    /// The DTLS handshake did not succeed.
    Dtls,
    /// The peer's certificate is not the one that signalling announced.
    Fingerprint,
    /// No SRTP profile in common, or the keys could not be used.
    Srtp,
}

/// The candidate pair that carries media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedPath {
    /// The local socket; none if a stream takes its place.
    pub path: Option<PathId>,
    /// What media goes by; between a TURN server and the peer that is always UDP.
    pub protocol: Protocol,
    /// Our address on that pair: the socket's, or the relayed one.
    pub local: SocketAddr,
    /// How our address was obtained.
    pub local_kind: CandidateKind,
    /// The peer's address.
    pub remote: SocketAddr,
    /// How the peer's address was obtained.
    pub remote_kind: CandidateKind,
    /// How the TURN server that relays for us is reached, if one does.
    pub relay: Option<RelayProtocol>,
    /// The last round trip of a check, if any was measured.
    pub rtt: Option<Duration>,
}

/// How a TURN server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayProtocol {
    /// By datagrams.
    Udp,
    /// By a stream.
    Tcp,
    /// By TLS on a stream.
    Tls,
}

/// Why a transport wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Nothing is due; the instant is far away.
    Idle,
    /// A question to a STUN or TURN server is due, or the gathering cap.
    Gathering,
    /// A TURN allocation or permission must be refreshed.
    Relay,
    /// Connectivity checks are due.
    Checks,
    /// A consent check is due, or silence becomes an interruption.
    Consent,
    /// A DTLS flight must be repeated.
    Handshake,
}

/// Whether local candidates are still being gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// Servers were asked and have not all answered.
    Gathering,
    /// All candidates are known.
    Complete,
}
