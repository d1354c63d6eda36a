//! What a session says.

use super::line::VideoEvent;
use crate::codec::Codec;
use crate::sdp::Direction;
use crate::sdp::negotiate::{Misuse, Refusal};
use crate::transport::{
    self, Captured, LinkId, Security, SelectedPath, ServerFault, StreamTarget, Transmit,
    TransportFailure, Way, WayNews,
};
use audio::Rate;
use bytes::BytesMut;
use std::time::{Duration, Instant};

/// One thing for the caller to do or to know, from [`Session::poll_output`](super::Session::poll_output).
#[derive(Debug)]
pub enum Output {
    /// Send this datagram.
    Transmit(Transmit),
    /// Open a stream, and say how that went by [`Session::handle_link`](super::Session::handle_link).
    Connect(LinkId, StreamTarget),
    /// Send these octets on a stream that is up.
    Send(LinkId, BytesMut),
    /// Close a stream.
    Disconnect(LinkId),
    /// What is known of a way to a STUN or TURN server.
    Way(Way, WayNews),
    /// Ask the local network for the address of this name, and give it to
    /// [`Session::resolved`](super::Session::resolved).
    Resolve(String),
    /// A packet as it is without its protection; only while [`Session::set_capture`](super::Session::set_capture) asks for it.
    Captured(Captured),
    /// Something happened.
    Event(MediaEvent),
    /// Nothing more to say: call [`Session::handle_timeout`](super::Session::handle_timeout) at this instant.
    Timeout(Instant, Wake),
}

/// Why a session wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Nothing is due; the instant is far away.
    Idle,
    /// The transport wants it.
    Transport(transport::Wake),
    /// An RTCP report is due.
    Report,
    /// The peer's silence becomes worth a word.
    NoMedia,
    /// A key press of the peer's is over although its end was lost.
    KeyRelease,
    /// Pictures are to be sent, asked for or reported on.
    Video,
}

/// What a session reports.
#[derive(Clone, Debug)]
pub enum MediaEvent {
    /// Our offer or answer is ready to be sent.
    Described {
        /// The description.
        sdp: String,
    },
    /// The peer's final answer is in force, or was already.
    AnswerApplied,
    /// A provisional answer cannot be agreed to; the offer still waits for the final one.
    EarlyAnswerRefused {
        /// Why.
        reason: MediaRefusal,
    },
    /// The peer's description cannot be agreed to; the session is as it was before.
    Refused {
        /// Why.
        reason: MediaRefusal,
    },
    /// The transport's state changed.
    State(ConnectionState),
    /// Media now takes this path.
    SelectedPath(SelectedPath),
    /// A STUN or TURN server gives nothing, or no longer; the call does without it as far as it can.
    ServerFault {
        /// Its name in the configuration.
        name: String,
        /// Why.
        fault: ServerFault,
    },
    /// Media are protected so from now on.
    Secured(Security),
    /// The first sound of the peer has come.
    FirstSound,
    /// All local candidates are known.
    EndOfCandidates,
    /// The peer pressed a key.
    Dtmf {
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        tone: Tone,
        /// How long it was held.
        duration: Duration,
        /// It was heard in the sound itself.
        in_band: bool,
    },
    /// The last key of an order is out: its end was sent once, or it sounded long enough to be recognised.
    DtmfOut {
        /// The number that the order was given.
        order: u64,
    },
    /// A key press of ours has been sent.
    DtmfSent {
        /// How many are still to come.
        remaining: usize,
    },
    /// The agreed direction changed, seen from us.
    Direction {
        /// Who sends now.
        local: Direction,
        /// Whether the peer put us on hold (`sendonly` or `inactive` on its side).
        remote_hold: bool,
    },
    /// What is sent or received changed; ask for the rates again.
    CodecChanged {
        /// The codec we send.
        send: Codec,
        /// The codec that arrives.
        receive: Codec,
        /// The rate at which captured sound is taken.
        capture_rate: Rate,
        /// The rate at which sound is given for playout.
        playout_rate: Rate,
    },
    /// The peer is connected and supposed to send, but nothing has come for so long.
    NoMedia {
        /// How long nothing came.
        silent: Duration,
    },
    /// The peer's media came (again) after [`MediaEvent::NoMedia`].
    MediaResumed,
    /// The peer said goodbye in RTCP.
    ByeReceived,
    /// Something happened on a video line.
    Video(VideoEvent),
}

/// A key of a telephone; its `Debug` output does not tell which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tone(pub(crate) u8);

impl Tone {
    const KEYS: &[u8; 16] = b"0123456789*#ABCD";

    /// The key `key`, in either case; `None` when a telephone has none such.
    pub fn from_char(key: char) -> Option<Self> {
        let key = u8::try_from(key).ok()?.to_ascii_uppercase();
        let event = Self::KEYS.iter().position(|k| *k == key)?;
        u8::try_from(event).ok().map(Self)
    }

    /// The key of event `event` (RFC 4733 §3.2); `None` for events that are no key.
    pub fn from_event(event: u8) -> Option<Self> {
        (usize::from(event) < Self::KEYS.len()).then_some(Self(event))
    }

    /// The key as it is printed on a telephone.
    pub fn as_char(self) -> char {
        char::from(Self::KEYS[usize::from(self.0) % Self::KEYS.len()])
    }

    /// The event code (RFC 4733 §3.2).
    pub fn event(self) -> u8 {
        self.0
    }
}

impl std::fmt::Debug for Tone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tone(…)")
    }
}

/// Why there is no description of ours, or why the peer's is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaRefusal {
    /// Nothing in common: no audio, codec, ICE or DTLS. Answer with 488.
    #[error("{0}")]
    Incompatible(String),
    /// RTP without DTLS. Answer with 488.
    #[error("plain RTP: the description has no DTLS fingerprint")]
    PlainRtp,
    /// The description cannot be read. Answer with 400.
    #[error("{0}")]
    Malformed(String),
    /// Only relays may be used, and no server gave us one. It is not the peer's fault.
    #[error("no TURN server gave a relay, and nothing else may be used")]
    NoRelay,
}

impl From<Refusal> for MediaRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(error) => Self::Malformed(error.to_string()),
            Refusal::PlainRtp => Self::PlainRtp,
            Refusal::Incompatible(why) => Self::Incompatible(why.to_string()),
            Refusal::Keys(_) => Self::Incompatible(refusal.to_string()),
        }
    }
}

/// Where the connection to the peer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// No description of the peer's is known.
    New,
    /// Connectivity checks or the DTLS handshake are under way.
    Checking,
    /// Media flows.
    Connected,
    /// Nothing came from the peer for a while; it may recover.
    Interrupted,
    /// It is over.
    Failed(TransportFailure),
    /// Closed by us or by the peer.
    Closed,
}

impl From<transport::State> for ConnectionState {
    fn from(state: transport::State) -> Self {
        match state {
            transport::State::New => Self::New,
            transport::State::Checking => Self::Checking,
            transport::State::Connected => Self::Connected,
            transport::State::Interrupted => Self::Interrupted,
            transport::State::Failed(failure) => Self::Failed(failure),
            transport::State::Closed => Self::Closed,
        }
    }
}

/// A call that the session's state or configuration does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Offers and answers come in turn.
    #[error(transparent)]
    Negotiation(#[from] Misuse),
    /// The transport cannot be made.
    #[error(transparent)]
    Transport(#[from] transport::ConfigError),
    /// The session is closed.
    #[error("the session is closed")]
    Closed,
    /// How media are protected can't be said over the connection that there is.
    #[error(
        "the keys of this call may not be said over a connection without TLS, unless 'sdes-unprotected' is allowed"
    )]
    Unprotected,
    /// There is no codec to speak.
    #[error("the configuration names no codec")]
    NoCodec,
    /// A key that no telephone has.
    #[error("{0:?} is no key of a telephone")]
    NotAKey(char),
    /// Too many keys wait to be sent.
    #[error("more than {0} keys wait to be sent")]
    TooManyKeys(usize),
    /// The peer did not agree to telephone events.
    #[error("the peer does not take telephone events")]
    NoTelephoneEvents,
}
