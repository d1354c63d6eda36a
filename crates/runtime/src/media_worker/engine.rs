//! What a worker drives: a sans-IO media session, behind the few verbs a worker needs.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use audio::Rate;
use bytes::BytesMut;
use media::Thrift;
use media::transport::{
    Captured, LinkEvent, LinkId, SelectedPath, Server, Silence, StreamTarget, Way, WayNews,
};
use phone::media::Figures;
use phone::video::{VideoContent, VideoLine};
use phone::{MediaEvent, StreamCommand};
use video::EncodedFrame;

use crate::audio::DeviceFigures;

/// What a media session does with pictures.
pub(crate) trait PictureEngine {
    /// Takes a frame that the far end shall see, if it takes any.
    fn push_frame(&mut self, content: VideoContent, frame: &EncodedFrame, now: Instant);
    /// Sends nothing more of what this content has shown; what comes next begins with a key frame.
    fn begin_anew(&mut self, content: VideoContent);
    /// Asks the far end for a key frame on this line.
    fn request_key_frame(&mut self, line: u32, now: Instant);
    /// Lets the far end send no more than so many bit/s on this line, or what comes through.
    fn limit_line(&mut self, line: u32, bits_per_second: Option<u64>);
}

/// A media session as a worker sees it; every call but `poll` and the questions is one input.
pub(crate) trait Engine: PictureEngine + Send {
    /// Carries out an order.
    fn command(&mut self, command: StreamCommand, now: Instant);
    /// Says goodbye to the peer; nothing is asked of it any more.
    fn close(&mut self, now: Instant);
    /// Whether it needs sockets of other addresses, these being all that the machine has now.
    fn has_moved(&self, addresses: &[IpAddr], silence: Silence) -> bool;
    /// Takes other sockets in place of those it had, of these addresses, numbered from 0.
    fn take_sockets(&mut self, sockets: Vec<SocketAddr>, now: Instant);
    /// Takes other STUN and TURN servers, for when it gathers anew.
    fn set_servers(&mut self, servers: Vec<Server>, now: Instant);
    /// Takes the address for which a name stands.
    fn resolved(&mut self, name: &str, ip: IpAddr, now: Instant);
    /// Takes a datagram received on the socket with this index.
    fn handle_datagram(&mut self, socket: usize, from: SocketAddr, bytes: &[u8], now: Instant);
    /// Takes what happened to a stream that it asked for.
    fn handle_link(&mut self, link: LinkId, event: LinkEvent<'_>, now: Instant);
    /// Acts on what is due.
    fn handle_timeout(&mut self, now: Instant);
    /// Takes 10 ms of what the far end shall hear, at [`Engine::capture_rate`].
    fn push_captured(&mut self, samples: &[i16], now: Instant);
    /// Gives 10 ms of what the far end said, at [`Engine::playout_rate`].
    fn pull_playout(&mut self, samples: &mut [i16], now: Instant);
    /// Leaves out what costs time and can be done without, or no longer.
    fn set_thrift(&mut self, thrift: Thrift);
    /// Says how long it takes from [`Engine::pull_playout`] to the ear.
    fn set_playout_delay(&mut self, delay: Duration);
    /// Tells each packet without its protection as well, or no longer.
    fn set_capture(&mut self, wanted: bool);
    /// The next thing to do; `Timeout` is the last.
    fn poll(&mut self) -> Step;
    /// Whether what is captured is sent: not while the peer holds us.
    fn sends(&self) -> bool;
    /// How much of what was captured waits until its packet is full.
    fn unsent(&self) -> Duration;
    /// How long what is sent takes until the far end hears it, by estimate.
    fn far_delay(&self) -> Option<Duration>;
    /// Samples per second of what is captured now.
    fn capture_rate(&self) -> Rate;
    /// Samples per second of what is played now.
    fn playout_rate(&self) -> Rate;
    /// Whether sound flows, so that the tick matters.
    fn needs_tick(&self) -> bool;
    /// The figures in short: for the phone, and as the JSON of the `stats` event.
    fn summary(&mut self, now: Instant) -> (Figures, serde_json::Value);
    /// All figures, as the JSON of `getStats()`.
    fn report(&mut self, devices: DevicesInUse, now: Instant) -> serde_json::Value;
}

/// How well the devices go; nothing for what is none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DevicesInUse {
    /// The microphone.
    pub(crate) input: Option<DeviceFigures>,
    /// The speaker.
    pub(crate) output: Option<DeviceFigures>,
}

/// One output of an [`Engine`].
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this datagram from the socket with this index.
    Transmit(usize, SocketAddr, BytesMut),
    /// Open a stream.
    Connect(LinkId, StreamTarget),
    /// Send this on a stream.
    Send(LinkId, BytesMut),
    /// Close a stream.
    Disconnect(LinkId),
    /// Tell the phone.
    Event(MediaEvent),
    /// Media take this way from now on.
    Path(Box<SelectedPath>),
    /// What is known of a way to a STUN or TURN server.
    Way(Way, WayNews),
    /// The address of this name is wanted.
    Resolve(String),
    /// A packet as it is without its protection.
    Captured(Captured),
    /// Something about pictures.
    Pictures(PictureStep),
    /// Nothing more until this instant.
    Timeout(Instant),
}

/// What an [`Engine`] says of pictures.
#[derive(Debug)]
pub(crate) enum PictureStep {
    /// These lines live now.
    Lines(Vec<VideoLine>),
    /// A whole frame of the far end's on this line.
    Frame(u32, EncodedFrame),
    /// The far end can't go on without a key frame.
    KeyFrameWanted(VideoContent),
    /// So many bits per second may be sent.
    Target(VideoContent, u64),
}
