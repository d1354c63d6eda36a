//! What a session asks of its media, and what media tells it: SDP goes through unread.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::door::audio::{self, Device};
use crate::door::dtmf::Tones;
use crate::door::id::{SessionId, Ticket};
use crate::door::recording::Tapped;
use crate::door::sdp::Sdp;
use crate::door::video::{VideoCodec, VideoContent, VideoInput, VideoLine, VideoOutput, VideoWish};

/// An order for one session's media; the first one creates it.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaCommand {
    /// What is negotiated with the peer and sent to it.
    Stream(StreamCommand),
    /// What the peer hears, and where it is heard.
    Sound(SoundCommand),
    /// What the peer sees, and where its pictures go.
    Video(VideoCommand),
    /// Ends this session's media; nothing is reported after it.
    Close,
}

impl From<StreamCommand> for MediaCommand {
    fn from(command: StreamCommand) -> Self {
        Self::Stream(command)
    }
}

impl From<SoundCommand> for MediaCommand {
    fn from(command: SoundCommand) -> Self {
        Self::Sound(command)
    }
}

impl From<VideoCommand> for MediaCommand {
    fn from(command: VideoCommand) -> Self {
        Self::Video(command)
    }
}

/// An order for a session's media stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum StreamCommand {
    /// Makes an offer; answered by `Described` or `Refused`.
    Offer,
    /// Says before the first description of a call that it shall hold the peer.
    SetHeld { held: bool },
    /// Says before a description which pictures are wanted: it holds for all that follow, until it is said anew. What is
    /// not among them is neither offered nor taken.
    WishVideo { wishes: Vec<VideoWish> },
    /// Says before a description how media may be protected, best first; without it by DTLS alone. Nothing is protected less than
    /// it was.
    Protect { media: Vec<Keying> },
    /// Answers the first offer of a call; answered by `Described` or `Refused`.
    Answer { offer: Sdp },
    /// Applies the answer to our offer; answered by `AnswerApplied` or `Refused`.
    SetAnswer {
        sdp: Sdp,
        /// Of an unreliable 18x: the final answer is still to come (RFC 3261 §13.2.1). Only its
        /// refusal is told, by `EarlyAnswerRefused`.
        provisional: bool,
    },
    /// Makes a new offer in a running call; answered by `Described` or `Refused`.
    Reoffer {
        /// With new ICE credentials.
        restart_ice: bool,
        /// We hold the peer: we want to hear nothing.
        held: bool,
    },
    /// Answers a new offer in a running call; answered by `Described` or `Refused`, which leaves
    /// media as it was.
    AnswerReoffer { offer: Sdp },
    /// Asks the peer now whether its path is alive: packets may take another way than before. One that does not answer is
    /// `Interrupted`.
    CheckPath,
    /// Takes back our last offer: media is as before it.
    Rollback,
    /// Sends silence instead of the input, or the input again.
    Mute { muted: bool },
    /// Sends no pictures of this content, or sends them again.
    MuteVideo { content: VideoContent, muted: bool },
    /// Queues tones; each one played is reported by `DtmfSent`, or all at once by `DtmfRefused`.
    SendDtmf {
        /// Names the order where it is refused.
        ticket: Ticket,
        tones: Tones,
        /// Milliseconds a tone lasts.
        duration: u32,
        /// Milliseconds between two tones.
        gap: u32,
        /// In the sound itself instead of telephone events.
        in_band: bool,
    },
    /// Forgets the tones of an order that are not sent yet; what remains is reported by `DtmfSent`.
    StopDtmf { ticket: Ticket },
}

/// An order about a session's inputs and outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum SoundCommand {
    /// Opens input and output; what fails is reported by `DeviceFailed`.
    Start {
        input: audio::Input,
        output: audio::Output,
        /// Plays a short beep to the near end before the microphone opens (auto-answer).
        beep: bool,
    },
    /// Changes what the far end hears.
    SetInput { input: audio::Input },
    /// Changes where the far end is heard.
    SetOutput { output: audio::Output },
    /// Sets what is done to the sound of a microphone that is the input, now or later.
    SetProcessing { processing: audio::Processing },
    /// Lets the far end hear this instead of the input: it is on hold.
    Hold { music: audio::Input },
    /// Lets the far end hear the input again.
    Resume,
    /// Plays this to the near end, over what the far end says, or nothing any more.
    Tone { cadence: Option<audio::Cadence> },
    /// Lets the application hear one leg, or both, through the sink with this number, until it closes that.
    Tap { tapped: Tapped, sink: u64 },
    /// Tells ten times a second how loud both sides are, or no more.
    Measure { wanted: bool },
    /// Tells what the far end's sound means, as far as somebody wants to know.
    Listen { listening: Listening },
    /// Sets the playout volume in percent, 0 to 100.
    SetVolume { percent: u8 },
    /// Sets how loud the far end is for the others in a conference that is its input, now or later,
    /// in percent, 0 (muted) to 100.
    SetVoice { percent: u8 },
    /// Lets the far end hear whoever sits at this machine in a conference that is its input, now or
    /// later, or only the other members.
    SetHearing { host: bool },
}

/// An order about a session's pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum VideoCommand {
    /// Changes what the far end sees; answered by `DeviceOpened` or `DeviceFailed`.
    SetVideo {
        content: VideoContent,
        input: VideoInput,
    },
    /// Lets the far end see what comes on a line of another session from now on; answered by `DeviceOpened`.
    ShowLine {
        content: VideoContent,
        session: SessionId,
        line: u32,
    },
    /// Changes where the pictures of a line go, until the line stops; answered by `VideoOutputOpened` or `VideoOutputFailed`.
    SetVideoOutput { line: u32, output: VideoOutput },
}

/// What somebody wants to know of the far end's sound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listening {
    /// When it begins and ends to speak: milliseconds of silence that end a turn.
    pub speech: Option<u32>,
    /// The network's tones, and beeps.
    pub tones: bool,
    /// Whether a person or a machine has answered.
    pub answerer: bool,
    /// The call is answered.
    pub answered: bool,
}

/// What is used in place of a chosen device that vanished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StandIn {
    /// The id of the chosen one.
    pub chosen: String,
    /// What to show a person of the one in use.
    pub in_use: String,
    /// Why the chosen one can't be used.
    pub reason: String,
}

impl fmt::Display for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StandIn {
            chosen,
            in_use,
            reason,
        } = self;
        write!(f, "{in_use} is used until {chosen} is back: {reason}")
    }
}

/// What happened in one session's media.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum MediaEvent {
    /// The description asked for by `Offer`, `Answer`, `Reoffer` or `AnswerReoffer` is ready.
    Described { sdp: Sdp },
    /// The peer's final answer is in force.
    AnswerApplied,
    /// A provisional answer can't be used; the final one still counts.
    EarlyAnswerRefused { reason: String },
    /// The peer's description can't be used.
    Refused {
        refusal: MediaRefusal,
        reason: String,
    },
    /// ICE and DTLS are being established.
    Connecting,
    /// Media flows for the first time, or again after `Interrupted`.
    Connected,
    /// The media path was lost; it may come back.
    Interrupted,
    /// Packets to the peer may take another way than before.
    Rerouted,
    /// The media path will not come back by itself.
    Failed {
        failure: MediaFailure,
        reason: String,
    },
    /// Media are protected so from now on.
    Secured {
        keying: Keying,
        /// The IANA name of the SRTP profile; none without protection.
        cipher: Option<String>,
    },
    /// The first sound of the peer has come.
    FirstSound,
    /// All local candidates are known.
    EndOfCandidates,
    /// A STUN or TURN server is of no use; the call does without it as far as it can.
    IceServerFailed {
        server: String,
        reason: String,
        /// It is the credentials that it does not take.
        refuses_login: bool,
    },
    /// The peer put us on hold, or took us off it.
    RemoteHold { held: bool },
    /// The peer pressed a key for so many milliseconds.
    Dtmf {
        tone: Tones,
        duration: u32,
        /// It was heard in the sound itself.
        in_band: bool,
    },
    /// The last tone of this order is out: the far end may act on it before all of it was sent.
    DtmfOut { ticket: Ticket },
    /// One of our tones was sent; so many are still queued.
    DtmfSent { remaining: u32 },
    /// The tones of this order can't be sent.
    DtmfRefused { ticket: Ticket, reason: String },
    /// What was chosen is open, for the first time or again.
    DeviceOpened { device: Device },
    /// A device could not be opened or was lost; the call goes on.
    DeviceFailed { device: Device, reason: String },
    /// The chosen device vanished, and the system's default is used until it is back.
    DeviceReplaced { device: Device, stand_in: StandIn },
    /// The codec in use for sending, by its SDP name.
    Codec { name: String },
    /// All video lines that live, whenever one has changed: told before what the description that changed them is answered
    /// by (`Described`, `AnswerApplied`), and after `RemoteHold`.
    Lines { lines: Vec<VideoLine> },
    /// Where the pictures of a line go is open.
    VideoOutputOpened { line: u32 },
    /// Where the pictures of a line were to go can't be opened or has failed.
    VideoOutputFailed { line: u32, reason: String },
    /// The pictures that come on a line are encoded so from now on.
    LineCodec { line: u32, codec: VideoCodec },
    /// The pictures that come on a line have another size.
    Resolution { line: u32, width: u16, height: u16 },
    /// Pictures are left out, because more pixels come than are decoded, or are no longer.
    PixelsLeftOut { left_out: bool },
    /// The path is up but the peer sends nothing.
    NoMedia,
    /// The peer's media came back after `NoMedia`.
    MediaResumed,
    /// The peer sent an RTCP BYE.
    PeerLeft,
    /// How it sounds now.
    Measured { figures: Figures },
    /// The media task broke; nothing more comes from it.
    Crashed { reason: String },
}

/// How a call sounds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The codec that is sent, by its SDP name.
    pub codec: Option<String>,
    /// The estimated mean opinion score of the last second, 1 to 5.
    pub mos: f64,
    /// Milliseconds of jitter of what is received.
    pub jitter: f64,
    /// Milliseconds of round trip, if it is known.
    pub rtt: Option<f64>,
    /// Packets received since the call began.
    pub received: u64,
    /// Packets that did not come, of these.
    pub lost: u64,
    /// Percent of the packets of the last second that did not come.
    pub loss: f64,
    /// Percent of what we send that the peer has lost of late, if it tells.
    pub peer_loss: Option<f64>,
    /// Percent of the sound of the last second that had to be invented.
    pub concealed: f64,
    /// Milliseconds that sound waits to be played.
    pub buffer: f64,
    /// Milliseconds from the peer's mouth to our ear.
    pub delay: f64,
    /// How loud what is captured and what is played was in the last second, as W3C's `audioLevel`.
    pub near_level: f64,
    pub far_level: f64,
    /// The loudest sample captured in the last second, 0 to 1, if anything was; of a microphone as it gives it.
    pub near_peak: Option<f64>,
    /// Whether a packet came in the last second: if none did, what is said of them is old.
    pub heard: bool,
    /// Percent of the samples captured in the last second that were cut off at full scale.
    pub clipped: f64,
    /// How much what is captured looks like an echo of what is played, 0 to 1, and the other way round.
    pub echo_here: f64,
    pub echo_there: f64,
    /// What part of the time that there is for sound is needed, 1 being all of it.
    pub pressure: f64,
}

/// How media are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keying {
    /// SRTP under keys of a DTLS handshake.
    Dtls,
    /// SRTP under keys that stand in the signalling.
    Sdes,
    /// Not at all.
    Rtp,
}

/// What the application lets media be protected by, from the most to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyingWish {
    /// [`Keying::Dtls`].
    Dtls,
    /// [`Keying::Sdes`], if nobody on the way to the server can read the signalling.
    Sdes,
    /// [`Keying::Sdes`] in any case.
    SdesUnprotected,
    /// [`Keying::Rtp`].
    Rtp,
}

/// Why a description can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MediaRefusal {
    /// It can't be read.
    Malformed,
    /// No codec or no audio in common.
    Incompatible,
    /// RTP without DTLS-SRTP.
    PlainRtp,
    /// Our own side could not describe itself: no address, no certificate.
    Unavailable,
}

/// Why a media path failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MediaFailure {
    /// No candidate pair works.
    Ice,
    /// The DTLS handshake failed.
    Dtls,
    /// The certificate is not the one the description promised.
    Fingerprint,
    /// The peer stopped consenting (RFC 7675).
    Consent,
    /// Our own address is gone; the offer that media are asked for, or the next, restarts ICE from others.
    Moved,
}
