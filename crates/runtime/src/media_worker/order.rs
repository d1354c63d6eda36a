//! What the driver tells a worker, and what a worker tells the driver.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Weak;
use std::time::Instant;

use audio::hearing::{Heard, Wanted};
use audio::tone::Sequence;
use media::transport::{LinkId, SelectedPath, Server, Silence, StreamTarget, Way, WayNews};
use phone::config::PortRange;
use phone::media::MediaRefusal;
use phone::video::VideoContent;
use phone::{MediaEvent, SessionId, StreamCommand, Ticket};
use tokio::sync::mpsc;

use super::engine::Engine;
use super::links::{LinkNews, Outbox};
use super::pictures::KeyFrameWish;
use crate::audio::{Ear, Input, LevelsReport, LinkWriter, Member, Output, SeatId, SeatOrder, Tap};
use crate::capture::PacketTap;
use crate::video::{VideoLinkWriter, VideoReader, VideoWriter};

/// Names a session among all of the process: session ids are unique only within one phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(super) u64);

/// Makes a session once its sockets are bound.
pub(crate) type Build =
    Box<dyn FnOnce(Vec<SocketAddr>, Instant) -> Result<Box<dyn Engine>, String> + Send>;

/// A session to be hosted.
pub(crate) struct Spec {
    /// The session's name towards its phone.
    pub(crate) id: SessionId,
    /// Local addresses to bind one UDP socket on each.
    pub(crate) addresses: Vec<IpAddr>,
    /// The ports to bind them to; any if none are named.
    pub(crate) ports: Option<PortRange>,
    /// Makes the engine.
    pub(crate) build: Build,
    /// Where news of the session go.
    pub(crate) news: mpsc::UnboundedSender<News>,
}

impl Spec {
    /// Tells the phone that the session can't be hosted.
    pub(super) fn refuse(self, reason: String) {
        refuse(self.id, &self.news, reason);
    }
}

pub(super) fn refuse(id: SessionId, news: &mpsc::UnboundedSender<News>, reason: String) {
    let refusal = MediaRefusal::Unavailable;
    let what = What::Media(MediaEvent::Refused { refusal, reason });
    let _ = news.send(News { id, what });
}

/// An order for one session.
pub(crate) enum Order {
    /// For the engine.
    Media(StreamCommand),
    /// What addresses the machine has now, before an offer; if the session's own is not among them, it gets other sockets.
    Addresses(Vec<IpAddr>, Silence),
    /// The network has changed: what addresses the machine has now, and whether the way out is another. A session whose
    /// packets take another way for it tells that.
    Network { all: Vec<IpAddr>, rerouted: bool },
    /// Other STUN and TURN servers, for when it gathers anew.
    Servers(Vec<Server>),
    /// The address for which a name stands.
    Resolved(String, IpAddr),
    /// What happened to a stream.
    Link(LinkId, LinkNews),
    /// Replaces what the far end hears.
    SetInput(Input),
    /// Replaces where the far end is heard.
    SetOutput(Output),
    /// Replaces what the far end sees; nothing shows nothing.
    Show(VideoContent, Option<VideoReader>),
    /// Replaces where the pictures of a line go; nothing lets nobody see them.
    See(u32, Option<(VideoWriter, KeyFrameWish)>),
    /// Another session shows what comes on a line.
    Forward(u32, VideoLinkWriter, KeyFrameWish),
    /// Lets the far end hear this instead of the input, which is not read meanwhile.
    Hold(Input),
    /// Lets the far end hear the input again.
    Resume,
    /// Plays a short beep to the near end; the input is silent meanwhile.
    Beep,
    /// Plays this to the near end, over what the far end says, or nothing any more.
    Tone(Option<Sequence>),
    /// Tells ten times a second how loud it is, or no more.
    Measure(bool),
    /// Tells what the far end's sound means, as far as somebody wants to know.
    Attend(Wanted),
    /// Sets the playout volume in percent.
    SetVolume(u8),
    /// Hands what goes over the network to this, or to nobody any more.
    Capture(Option<PacketTap>),
    /// Another session listens to this one.
    AddListener(LinkWriter),
    /// Both legs are recorded.
    Record(Tap),
    /// The application hears one leg, or both.
    Listen(Ear),
    /// `getStats()`.
    Report(Inquiry),
    /// Ends the session.
    Close,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Order::Media(_) => "Media",
            Order::Addresses(..) => "Addresses",
            Order::Network { .. } => "Network",
            Order::Servers(_) => "Servers",
            Order::Resolved(..) => "Resolved",
            Order::Link(..) => "Link",
            Order::SetInput(_) => "SetInput",
            Order::SetOutput(_) => "SetOutput",
            Order::Show(..) => "Show",
            Order::See(..) => "See",
            Order::Forward(..) => "Forward",
            Order::Hold(_) => "Hold",
            Order::Resume => "Resume",
            Order::Beep => "Beep",
            Order::Tone(_) => "Tone",
            Order::Measure(_) => "Measure",
            Order::Attend(_) => "Attend",
            Order::SetVolume(_) => "SetVolume",
            Order::Capture(_) => "Capture",
            Order::AddListener(_) => "AddListener",
            Order::Record(_) => "Record",
            Order::Listen(_) => "Listen",
            Order::Report(_) => "Report",
            Order::Close => "Close",
        })
    }
}

/// A question that is answered in any case: with nothing when it is dropped.
#[derive(Debug)]
pub(crate) struct Inquiry {
    id: SessionId,
    ticket: Ticket,
    news: mpsc::UnboundedSender<News>,
    answer: Option<serde_json::Value>,
}

impl Inquiry {
    pub(crate) fn new(id: SessionId, ticket: Ticket, news: mpsc::UnboundedSender<News>) -> Inquiry {
        Inquiry {
            id,
            ticket,
            news,
            answer: None,
        }
    }

    pub(super) fn answer(mut self, report: serde_json::Value) {
        self.answer = Some(report);
    }
}

impl Drop for Inquiry {
    fn drop(&mut self) {
        let what = What::Report(self.ticket, self.answer.take());
        let _ = self.news.send(News { id: self.id, what });
    }
}

/// What a worker says about one session.
#[derive(Debug)]
pub(crate) struct News {
    /// The session's name towards its phone.
    pub(crate) id: SessionId,
    /// What happened.
    pub(crate) what: What,
}

impl News {
    /// Whether nobody wants to know any more.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(&self.what, What::Opening(choice, _) if choice.strong_count() == 0)
    }
}

/// What happened in a hosted session.
#[derive(Debug)]
pub(crate) enum What {
    /// For the phone.
    Media(MediaEvent),
    /// What became of what was chosen, for the phone as long as that choice lives: another one may be made while
    /// this waits to be read, and is not to be blamed for it.
    Opening(Weak<()>, MediaEvent),
    /// A stream is wanted; what is to be sent on it comes out of this, which ends when it is wanted no longer.
    Connect(LinkId, StreamTarget, Outbox),
    /// The address of this name is wanted.
    Resolve(String),
    /// What is known of a way to a STUN or TURN server.
    Way(Way, WayNews),
    /// Media take this way from now on.
    Path(Box<SelectedPath>),
    /// The figures of the last second.
    Summary(serde_json::Value),
    /// How loud the near end and the far end were in the last 100 ms, 0 to 1 as W3C's `audioLevel`.
    Level([f32; 2]),
    /// What the far end's sound means.
    Heard(Heard),
    /// The answer to [`Order::Report`]; nothing if the session has gone meanwhile.
    Report(Ticket, Option<serde_json::Value>),
}

/// An order for one conference.
pub(super) enum ConferenceOrder {
    /// The first one opens the conference.
    Join(SeatId, Box<Member>),
    Leave(SeatId),
    Seat(SeatId, Box<SeatOrder>),
    /// Tells how loud everybody is, or no more.
    Report(Option<LevelsReport>),
    /// Whoever sits at this machine is recorded beside all others.
    Record(Tap),
    Close,
}

impl fmt::Debug for ConferenceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConferenceOrder::Join(..) => "Join",
            ConferenceOrder::Leave(_) => "Leave",
            ConferenceOrder::Seat(..) => "Seat",
            ConferenceOrder::Report(_) => "Report",
            ConferenceOrder::Record(_) => "Record",
            ConferenceOrder::Close => "Close",
        })
    }
}

/// What goes through a worker's channel.
pub(super) enum Message {
    Conference(Key, ConferenceOrder),
    Host(Key, Spec),
    Order(Key, Box<Order>),
    /// Frames have come to be shown.
    Show(Key),
    Stop,
}
