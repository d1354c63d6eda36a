//! One call's sound and pictures: descriptions, transport, codec, jitter buffer, key presses and video lines in one pure
//! state machine.
//!
//! ```text
//! create_offer ──► Described ──► set_answer ──┐
//! create_answer ─► Described ─────────────────┴─► State(Checking) ─► State(Connected) ─► … close
//!                          every 10 ms while needs_tick(): push_captured, pull_playout
//!                          whenever there is one: push_frame; and VideoEvent::Frame
//! ```
//! Give a [`Session`] one input (a command, a datagram, a timeout, 10 ms of sound), then call
//! [`Session::poll_output`] until it returns [`Output::Timeout`]. **Never two inputs without a drain.**
//! What a peer does wrong is an event; `Err` is the caller's own misuse.

mod apart;
mod config;
mod description;
mod event;
mod far_delay;
mod in_band;
mod inbound;
mod line;
mod loudness;
mod network;
mod outbound;
mod protection;
mod report;
mod rest;
mod snapshot;
mod stats;

pub use config::{InBandKeys, SessionConfig};
pub use event::{ConnectionState, MediaEvent, MediaRefusal, Output, SessionError, Tone, Wake};
pub use line::{LineState, RemoteVideo, VideoEvent, VideoInbound, VideoOutbound, VideoStats};
pub use stats::{
    CodecStats, InboundRtp, OutboundRtp, RemoteInboundRtp, RemoteOutboundRtp, Stats, Summary,
};

use crate::codec::Codec;
use crate::echo::EchoWatch;
use crate::sdp::Direction;
use crate::sdp::negotiate::{
    Agreed, Content, Identity, KeySeed, LocalSource, Negotiation, Terms, VideoLine, VideoWish,
    token,
};
use crate::thrift::Thrift;
use crate::transport::{Policy, Secret, Security, Transport};
use ::video::EncodedFrame;
use audio::Rate;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use apart::ApartLine;
use inbound::Inbound;
use line::{HeardSound, Lines, Work};
use outbound::Outbound;
use report::Reports;

/// One call's sound and pictures.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    rng: StdRng,
    identity: Identity,
    negotiation: Negotiation,
    /// Made with the first offer or answer, because only then the ICE role is known.
    transport: Option<Transport>,
    /// The transports of video lines outside of BUNDLE.
    apart: Vec<ApartLine>,
    /// The description to be written when gathering is over.
    writing: Option<Writing>,
    /// The answer in force to our last offer.
    answer: Option<Secret>,
    agreed: Option<Agreed>,
    /// The direction that we want.
    wish: Direction,
    /// The direction that our open offer asks for.
    offered: Direction,
    /// The peer wants to hear nothing from us.
    peer_holds: bool,
    /// What held before the open offer, for when it is rolled back.
    before: Option<BeforeOffer>,
    connection: ConnectionState,
    /// By us: a peer that leaves may still be followed by another.
    closed: bool,
    connected_at: Option<Instant>,
    outbound: Outbound,
    inbound: Inbound,
    reports: Reports,
    lines: Lines,
    silence: Silence,
    /// Bounded by what one input causes: the caller drains after each.
    outputs: VecDeque<Output>,
    transport_deadline: Option<(Instant, crate::transport::Wake)>,
    now: Instant,
    last_codecs: Option<(Codec, Codec)>,
    security: Option<Security>,
    summary: snapshot::SummaryWindow,
    echo: EchoWatch,
    captures: bool,
    /// What stands behind our playout until the ear.
    playout_delay: Duration,
}

/// What a rolled back offer leaves in force.
#[derive(Clone, Debug)]
struct BeforeOffer {
    agreed: Option<Agreed>,
    wish: Direction,
    peer_holds: bool,
}

/// A description that waits for gathering.
#[derive(Debug)]
enum Writing {
    Offer,
    /// With what it agrees to, which takes effect when the answer is written.
    Answer(Box<Agreed>),
}

/// Whether the peer's silence has been reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    Waiting,
    Reported,
}

/// The keys to press, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct Tones {
    /// `0`–`9`, `*`, `#`, `A`–`D` in either case; `,` is a pause of two seconds.
    pub digits: String,
    /// How long each key is held: 40 ms to 6 s, as W3C has it.
    pub duration: Duration,
    /// The silence after each: at least 30 ms.
    pub gap: Duration,
    /// Names them, so that they can be [stopped](Session::stop_dtmf).
    pub order: u64,
    /// In the sound itself (ITU-T Q.23) instead of telephone events.
    pub in_band: bool,
}

impl std::fmt::Debug for Tones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tones")
            .field("digits", &"…")
            .field("duration", &self.duration)
            .field("gap", &self.gap)
            .field("in_band", &self.in_band)
            .finish()
    }
}

impl Session {
    /// Makes a session in which nothing has been said; `seed` feeds ids, SSRC, credentials and timers.
    ///
    /// # Errors
    /// When the configuration names no codec.
    pub fn new(config: SessionConfig, seed: [u8; 32], now: Instant) -> Result<Self, SessionError> {
        if config.codecs.is_empty() {
            return Err(SessionError::NoCodec);
        }
        let mut rng = StdRng::from_seed(seed);
        let identity = identity(&mut rng, config.cname.as_deref(), seed);
        let terms = Terms {
            codecs: config.codecs.clone(),
            telephone_event: config.telephone_event,
            ptime: u8::try_from(config.packet_time.as_millis())
                .unwrap_or(20)
                .clamp(10, 60),
            dtx: config.dtx,
            opus_max_average_bitrate: None,
            // A relay carries the sound's transport alone.
            apart: config.policy == Policy::All,
            media: config.media.clone(),
        };
        Ok(Self {
            negotiation: Negotiation::new(identity.clone(), terms),
            outbound: Outbound::new(&config, rng.random(), now),
            inbound: Inbound::new(&config, now),
            reports: Reports::new(
                identity.cname.clone(),
                identity.audio.ssrc,
                now,
                rng.random(),
            ),
            // Of its own seed: what else is random stays as it is in a call without pictures.
            lines: Lines::new(now, seed.map(|byte| byte ^ 0xa5)),
            summary: snapshot::SummaryWindow::new(now),
            echo: EchoWatch::default(),
            captures: false,
            playout_delay: Duration::ZERO,
            config,
            identity,
            rng,
            transport: None,
            apart: Vec::new(),
            writing: None,
            answer: None,
            agreed: None,
            wish: Direction::SendRecv,
            offered: Direction::SendRecv,
            peer_holds: false,
            before: None,
            connection: ConnectionState::New,
            closed: false,
            connected_at: None,
            silence: Silence::Waiting,
            outputs: VecDeque::new(),
            transport_deadline: None,
            now,
            last_codecs: None,
            security: None,
        })
    }

    /// The rate at which [`push_captured`](Self::push_captured) takes sound.
    pub fn capture_rate(&self) -> Rate {
        self.outbound.rate()
    }

    /// The rate at which the next [`pull_playout`](Self::pull_playout) gives sound; ask before each, because a peer
    /// may change its codec at any time.
    pub fn playout_rate(&self) -> Rate {
        self.inbound.rate()
    }

    /// Whether sound flows, so that the caller must tick: [`push_captured`](Self::push_captured) and
    /// [`pull_playout`](Self::pull_playout) every 10 ms.
    pub fn needs_tick(&self) -> bool {
        self.is_connected() && (self.sends() || self.receives())
    }

    /// Whether captured sound is sent, so that a microphone makes sense.
    pub fn sends(&self) -> bool {
        self.agreed
            .as_ref()
            .is_some_and(|a| a.audio.direction.sends())
    }

    /// Whether the peer's sound is played.
    pub fn receives(&self) -> bool {
        self.agreed
            .as_ref()
            .is_some_and(|a| a.audio.direction.receives())
    }

    /// Whether media can flow now.
    pub fn is_connected(&self) -> bool {
        matches!(
            self.connection,
            ConnectionState::Connected | ConnectionState::Interrupted
        )
    }

    /// Sends silence in place of what is captured, or no longer.
    pub fn mute(&mut self, muted: bool) {
        self.outbound.mute(muted);
    }

    /// Whether silence is sent.
    pub fn is_muted(&self) -> bool {
        self.outbound.is_muted()
    }

    /// Leaves out what costs time and can be done without, or no longer; a caller that comes late with its ticks asks for it.
    pub fn set_thrift(&mut self, thrift: Thrift) {
        self.outbound.set_thrift(thrift);
        self.inbound.set_thrift(thrift);
    }

    /// Tells each packet without its protection as well, or no longer.
    pub fn set_capture(&mut self, wanted: bool) {
        self.captures = wanted;
        let apart = self.apart.iter_mut().map(|way| &mut way.transport);
        for transport in self.transport.iter_mut().chain(apart) {
            transport.set_capture(wanted);
        }
    }

    /// Says how long sound takes from [`pull_playout`](Self::pull_playout) to the ear.
    pub fn set_playout_delay(&mut self, delay: Duration) {
        self.playout_delay = delay;
    }

    /// Presses keys, after those that still wait.
    ///
    /// # Errors
    /// When a key does not exist, too many wait, or the peer takes no telephone events and is to have them. Then none
    /// is sent.
    pub fn send_dtmf(&mut self, tones: &Tones, now: Instant) -> Result<(), SessionError> {
        self.now = now;
        if self.is_closed() {
            return Err(SessionError::Closed);
        }
        let takes_none = |agreed: &Agreed| agreed.audio.send_events.is_none();
        if !tones.in_band && self.agreed.as_ref().is_some_and(takes_none) {
            return Err(SessionError::NoTelephoneEvents);
        }
        self.outbound.press(tones)
    }

    /// Forgets the keys of an order that are not pressed yet.
    pub fn stop_dtmf(&mut self, order: u64) {
        self.outbound.forget_keys(order);
    }

    /// Takes 10 ms of captured sound at [`capture_rate`](Self::capture_rate); too little is filled with silence,
    /// too much is left aside.
    pub fn push_captured(&mut self, samples: &[i16], now: Instant) {
        self.now = now;
        if !(self.is_connected() && self.sends()) {
            return;
        }
        if let Some(transport) = &mut self.transport {
            self.outbound
                .tick(samples, transport, &mut self.outputs, now);
        }
        self.drain_transport();
    }

    /// Gives 10 ms of sound to play at [`playout_rate`](Self::playout_rate).
    ///
    /// A slice of another length is filled as far as it goes.
    pub fn pull_playout(&mut self, samples: &mut [i16], now: Instant) {
        self.now = now;
        if !self.receives() {
            samples.fill(0);
            return;
        }
        if let Some(key) = self.inbound.pull(samples, now) {
            self.event(key);
        }
        let said = if self.outbound.is_muted() {
            0.0
        } else {
            self.outbound.level.level
        };
        self.echo.add(said, self.inbound.level.level);
        self.note_codecs();
    }

    /// Says which video lines our next offer or answer has: state, not a message. Without any, and before the first call of
    /// this, video is neither offered nor taken. Returns whether an offer of ours is needed for it.
    pub fn wish_video(&mut self, wishes: Vec<VideoWish>) -> bool {
        self.negotiation.wish_video(wishes)
    }

    /// Sends a frame on the line that shows `content`; one that can't be sent, or not be shown there, is left out and
    /// counted.
    pub fn push_frame(&mut self, content: Content, frame: &EncodedFrame, now: Instant) {
        self.now = now;
        if let Some((lines, work)) = self.work() {
            lines.push(content, frame, work);
        }
        self.drain_transport();
    }

    /// Says that the frames that come are of something else than those before, or that none come any more: what waits of
    /// `content` is not sent, nor is anything sent again, and the next frame sent is a key frame.
    pub fn begin_anew(&mut self, content: Content) {
        self.lines.begin_anew(content);
    }

    /// Asks the peer for a key frame on `line`, twice a second at most.
    pub fn request_key_frame(&mut self, line: VideoLine, now: Instant) {
        self.now = now;
        if let Some((lines, work)) = self.work() {
            lines.request_key_frame(line, work);
        }
        self.drain_transport();
    }

    /// Lets the peer send no more than `bits_per_second` on `line`, as far as it listens (REMB), or as much as comes through:
    /// whoever the pictures are for takes no more.
    pub fn limit_video(&mut self, line: VideoLine, bits_per_second: Option<u64>) {
        self.lines.limit(line, bits_per_second);
    }

    /// Sends nothing of `content`, or no longer; the line stays, and the peer sees the last picture.
    pub fn mute_video(&mut self, content: Content, muted: bool, now: Instant) {
        self.now = now;
        self.lines.mute(content, muted);
        if let Some((lines, work)) = self.work() {
            lines.settle(work);
        }
        self.drain_transport();
    }

    /// The video lines, and what they do their work with; `None` before there is a transport.
    fn work(&mut self) -> Option<(&mut Lines, Work<'_>)> {
        let connected = self.is_connected() && !self.is_closed();
        let round_trip = self
            .round_trip_ms()
            .map(|ms| Duration::from_secs_f64(ms / 1_000.0));
        let heard = self.heard();
        let work = Work {
            transport: self.transport.as_mut()?,
            apart: &mut self.apart,
            outputs: &mut self.outputs,
            cname: &self.identity.cname,
            ntp: self.reports.ntp(self.now),
            connected,
            holds: !self.wish.receives(),
            round_trip,
            heard,
            now: self.now,
        };
        Some((&mut self.lines, work))
    }

    /// The peer's sound that plays now, if the peer has told when it was taken.
    fn heard(&self) -> Option<HeardSound> {
        let playing = self.inbound.playout.playing(self.now)?;
        let report = self.reports.of_sound(playing.ssrc)?;
        Some(HeardSound {
            timestamp: playing.timestamp,
            clock: playing.clock,
            report,
            ahead: self.playout_delay,
        })
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn event(&mut self, event: MediaEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells when what is sent or received has changed.
    fn note_codecs(&mut self) {
        let Some(agreed) = &self.agreed else { return };
        let send = agreed.audio.send.codec;
        let codecs = (send, self.inbound.codec().unwrap_or(send));
        if self.last_codecs != Some(codecs) {
            self.last_codecs = Some(codecs);
            self.event(MediaEvent::CodecChanged {
                send: codecs.0,
                receive: codecs.1,
                capture_rate: self.capture_rate(),
                playout_rate: self.playout_rate(),
            });
        }
    }
}

fn identity(rng: &mut StdRng, cname: Option<&str>, seed: [u8; 32]) -> Identity {
    // A cname goes into a description as a token.
    let given = cname.map(|c| {
        c.chars()
            .filter(|c| c.is_ascii_graphic())
            .take(64)
            .collect::<String>()
    });
    let session_id = rng.random::<u64>() >> 2;
    let ssrc = rng.random_range(1..u32::MAX);
    Identity {
        // RFC 8829 §5.2.1: 62 bits.
        session_id,
        cname: given
            .filter(|c| !c.is_empty())
            .unwrap_or_else(|| token(rng)),
        audio: LocalSource {
            ssrc,
            stream_id: token(rng),
            track_id: token(rng),
            rtx: None,
        },
        // Of seeds of their own: what else is random stays as it is without them.
        video: KeySeed::new(seed.map(|byte| !byte)),
        keys: KeySeed::new(seed.map(|byte| byte ^ 0x5a)),
    }
}
