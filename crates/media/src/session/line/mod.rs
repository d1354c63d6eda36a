//! A session's video lines: which there are, what each sends and receives, and the RTCP about them.
//!
//! Sound goes first: a line does no more in a turn than its pacer lets go.

mod bandwidth;
mod receive;
mod repairs;
mod send;
mod stats;
mod sync;

pub use stats::{RemoteVideo, VideoInbound, VideoOutbound, VideoStats};

use ::video::{EncodedFrame, VideoCodec};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::apart::ApartLine;
use super::{MediaEvent, Output};
use crate::rtp::feedback::{self, Feedback};
use crate::rtp::rtcp::{self, Packet, ReportBlock};
use crate::sdp::Direction;
use crate::sdp::negotiate::{Agreed, AgreedVideo, Content, VideoLine};
use crate::transport::{OutboundStream, Route, Rtp, StreamId, Transport};
use crate::video::Departure;
use bandwidth::{Bandwidth, Losses};
use receive::{FeedbackWish, Receiving};
use send::{Sending, SentOctets, Streams};
pub(super) use sync::HeardSound;

/// How often a line is reported on: senders reckon with what is lost in a second. Between half and one and a half of it
/// (RFC 3550 §6.2).
const REPORTS: Duration = Duration::from_secs(1);

/// What a session tells of its video lines.
#[derive(Clone, Debug)]
pub enum VideoEvent {
    /// The lines are others, or go another way than before; one that is refused or stopped is not among them.
    Lines(Vec<LineState>),
    /// A whole frame of the peer's, in order.
    Frame {
        /// The line on which it came.
        line: VideoLine,
        /// The frame, with its time since the first one.
        frame: EncodedFrame,
    },
    /// What we send can't be seen before a key frame; at most twice a second.
    KeyFrameWanted {
        /// Of what.
        content: Content,
    },
    /// The network takes so much.
    Target {
        /// Of what.
        content: Content,
        /// In bit/s of encoded frames: what is sent again, and headers, are taken off already.
        bits_per_second: u64,
    },
}

/// A video line as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineState {
    /// Which it is.
    pub line: VideoLine,
    /// What it shows.
    pub content: Content,
    /// Who sends, seen from us.
    pub direction: Direction,
    /// What we send, if we may.
    pub send: Option<VideoCodec>,
    /// The id of the peer's stream (RFC 8830), if it names it.
    pub stream_id: Option<String>,
    /// The id of its track.
    pub track_id: Option<String>,
}

/// What lines do their work with.
pub(super) struct Work<'a> {
    pub(super) transport: &'a mut Transport,
    /// Those of lines outside of BUNDLE.
    pub(super) apart: &'a mut [ApartLine],
    pub(super) outputs: &'a mut VecDeque<Output>,
    pub(super) cname: &'a str,
    /// The time of our reports; all our streams have the same.
    pub(super) ntp: u64,
    pub(super) connected: bool,
    /// We hold the call, or ask to: nothing is shown from then on, whatever the peer says to that.
    pub(super) holds: bool,
    pub(super) round_trip: Option<Duration>,
    /// The peer's sound that plays now.
    pub(super) heard: Option<HeardSound>,
    pub(super) now: Instant,
}

impl Work<'_> {
    fn event(&mut self, event: VideoEvent) {
        let event = Output::Event(MediaEvent::Video(event));
        self.outputs.push_back(event);
    }
}

/// All video lines of a session.
#[derive(Debug)]
pub(super) struct Lines {
    lines: Vec<PictureLine>,
    bandwidth: Bandwidth,
    muted: Vec<Content>,
    /// What was told last.
    told: Vec<LineState>,
    /// Whether the transport was told of several streams.
    routed: bool,
    /// Our clock began then.
    begin: Instant,
    rng: StdRng,
}

#[derive(Debug)]
struct PictureLine {
    agreed: AgreedVideo,
    sending: Sending,
    receiving: Receiving,
    remote: Option<RemoteVideo>,
    /// The peer's last report about our stream.
    last_block: Option<ReportBlock>,
    next_report: Option<Instant>,
    compound: Vec<u8>,
}

impl Lines {
    pub(super) fn new(begin: Instant, seed: [u8; 32]) -> Self {
        Self {
            lines: Vec::new(),
            bandwidth: Bandwidth::default(),
            muted: Vec::new(),
            told: Vec::new(),
            routed: false,
            begin,
            rng: StdRng::from_seed(seed),
        }
    }

    /// Puts what was agreed in force.
    pub(super) fn configure(&mut self, agreed: &Agreed, mut work: Work<'_>) {
        let mut before = std::mem::take(&mut self.lines);
        for video in &agreed.video {
            let same = |line: &PictureLine| {
                line.agreed.line == video.line
                    && line.agreed.mid == video.mid
                    && line.agreed.content == video.content
            };
            let known = before.iter().position(same);
            let mut line = known.map_or_else(
                || PictureLine::new(video, self.begin, &mut self.rng),
                |index| before.swap_remove(index),
            );
            line.configure(video, &mut work);
            self.lines.push(line);
        }
        if self.routed || !self.lines.is_empty() {
            self.routed = true;
            work.transport.set_routes(self.routes(agreed));
        }
        for line in self.lines.iter().filter(|line| line.is_apart()) {
            work.transport_of(line.agreed.line)
                .set_routes(vec![line.route()]);
        }
        self.set_active(&mut work);
        let states: Vec<LineState> = self.lines.iter().map(PictureLine::state).collect();
        if states != self.told {
            self.told.clone_from(&states);
            work.event(VideoEvent::Lines(states));
        }
        self.bandwidth.share(&mut self.lines, &mut work);
    }

    fn routes(&self, agreed: &Agreed) -> Vec<Route> {
        // Within BUNDLE a number means one thing (RFC 9143 §7.1.3): what one section calls mid is that in all of them.
        let of_pictures = || agreed.video.iter().find_map(|video| video.extensions.mid);
        let number = agreed.audio.mid_extension.or_else(of_pictures);
        let audio = Route {
            stream: StreamId::AUDIO,
            mid: number.zip(agreed.audio.mid.clone()),
            sources: Vec::new(),
            payload_types: (agreed.audio.receive.iter())
                .map(|payload| payload.payload_type.value())
                .collect(),
        };
        let bundled = self.lines.iter().filter(|line| !line.is_apart());
        std::iter::once(audio)
            .chain(bundled.map(PictureLine::route))
            .collect()
    }

    fn set_active(&mut self, work: &mut Work<'_>) {
        for line in &mut self.lines {
            let muted = self.muted.contains(&line.agreed.content);
            let reached = work.reaches(&line.agreed);
            let active = reached && !work.holds && !muted && line.agreed.direction.sends();
            if reached {
                line.next_report.get_or_insert(work.now + REPORTS / 2);
            }
            line.sending.set_active(active);
            let sent = line.act(work);
            self.bandwidth.sent(sent, work.now);
        }
    }

    /// Stops to show something, or no longer; the line stays. [`settle`](Self::settle) comes next.
    pub(super) fn mute(&mut self, content: Content, muted: bool) {
        self.muted.retain(|other| *other != content);
        if muted {
            self.muted.push(content);
        }
    }

    /// Shows something else of this content, or nothing: what waits of it is not sent.
    pub(super) fn begin_anew(&mut self, content: Content) {
        let shown = |line: &&mut PictureLine| line.agreed.content == content;
        for line in self.lines.iter_mut().filter(shown) {
            line.sending.begin_anew();
        }
    }

    /// Begins and stops to send, as agreements, connection and muting have it.
    pub(super) fn settle(&mut self, mut work: Work<'_>) {
        self.set_active(&mut work);
        self.bandwidth.limit(&self.lines);
        self.bandwidth.share(&mut self.lines, &mut work);
    }

    /// Takes a frame of ours.
    pub(super) fn push(&mut self, content: Content, frame: &EncodedFrame, mut work: Work<'_>) {
        let begin = self.begin;
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|line| line.agreed.content == content) {
            let since_begin = work.now.saturating_duration_since(begin);
            line.sending.push(frame, since_begin);
            let sent = line.act(&mut work);
            self.bandwidth.sent(sent, work.now);
        }
    }

    /// Takes a packet of the peer's.
    pub(super) fn receive(&mut self, packet: Rtp, mut work: Work<'_>) {
        let mut lines = self.lines.iter_mut();
        let stream = packet.stream;
        if let Some(line) = lines.find(|line| frames_of(line.agreed.line) == stream) {
            let octets = packet.payload().len();
            let framed = Departure::framed(packet.ssrc, packet.timestamp);
            let left = line.left(&packet);
            let is_new = line.receiving.receive(packet, work.now);
            // When a frame was taken says nothing of what is sent again of it.
            let left = left.or(Some(framed).filter(|_| is_new));
            self.bandwidth.received(left, octets, work.now);
            let sent = line.act(&mut work);
            self.bandwidth.sent(sent, work.now);
            if self.bandwidth.expects_less(work.now) {
                self.bandwidth.share(&mut self.lines, &mut work);
            }
            self.bandwidth.tell(&self.lines, &mut work);
        }
    }

    /// Takes a compound of the peer's.
    pub(super) fn hear(&mut self, compound: &[u8], mut work: Work<'_>) {
        if self.lines.is_empty() {
            return;
        }
        for packet in rtcp::read(compound) {
            if let Packet::Feedback {
                feedback:
                    Feedback::Bitrate {
                        bits_per_second,
                        mut streams,
                    },
                ..
            } = packet
                && streams.any(|ssrc| self.sends_as(ssrc))
            {
                self.bandwidth.allowed(bits_per_second, work.now);
            }
            for line in &mut self.lines {
                if let Some(lost) = line.hear(&packet, &work) {
                    let round_trip = line.round_trip(&work);
                    self.bandwidth.lost(lost, round_trip, work.now);
                }
            }
        }
        self.bandwidth.share(&mut self.lines, &mut work);
        self.act_all(&mut work);
    }

    fn sends_as(&self, ssrc: u32) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|line| line.agreed.source.ssrc == ssrc)
    }

    fn act_all(&mut self, work: &mut Work<'_>) {
        for line in &mut self.lines {
            let sent = line.act(work);
            self.bandwidth.sent(sent, work.now);
        }
    }

    /// Whether a source of the peer's is that of pictures.
    pub(super) fn has_source(&self, ssrc: u32) -> bool {
        self.lines.iter().any(|line| {
            let named =
                |source: &crate::sdp::RemoteSource| source.ssrc == ssrc || source.rtx == Some(ssrc);
            line.receiving.ssrc() == Some(ssrc) || line.agreed.remote_sources.iter().any(named)
        })
    }

    /// Wishes for a key frame of the peer's.
    pub(super) fn request_key_frame(&mut self, line: VideoLine, mut work: Work<'_>) {
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|known| known.agreed.line == line) {
            line.receiving.request_key_frame();
            let sent = line.act(&mut work);
            self.bandwidth.sent(sent, work.now);
        }
    }

    /// Lets the peer send no more than this on a line.
    pub(super) fn limit(&mut self, line: VideoLine, bits_per_second: Option<u64>) {
        let mut lines = self.lines.iter_mut();
        if let Some(line) = lines.find(|known| known.agreed.line == line) {
            line.receiving.limit = bits_per_second;
            self.bandwidth.limit(&self.lines);
        }
    }

    /// Does what is due.
    pub(super) fn act(&mut self, mut work: Work<'_>) {
        for line in &mut self.lines {
            line.report_if_due(self.begin, &mut self.rng, &mut work);
        }
        self.act_all(&mut work);
        self.bandwidth.share(&mut self.lines, &mut work);
        self.bandwidth.tell(&self.lines, &mut work);
    }

    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let lines = self.lines.iter_mut();
        let first = lines.filter_map(PictureLine::deadline).min();
        let hears = |line: &PictureLine| line.receiving.takes_estimates();
        let estimate = self.bandwidth.deadline();
        let estimate = estimate.filter(|_| self.lines.iter().any(hears));
        let news = self.bandwidth.news();
        [first, estimate, news].into_iter().flatten().min()
    }

    pub(super) fn stats(&self, now: Instant) -> Vec<VideoStats> {
        self.lines.iter().map(|line| line.stats(now)).collect()
    }
}

/// The stream on which a line's frames go, and come.
fn frames_of(line: VideoLine) -> StreamId {
    StreamId(line.0.saturating_mul(2).saturating_add(1).min(253) as u8)
}

impl PictureLine {
    fn new(agreed: &AgreedVideo, begin: Instant, rng: &mut StdRng) -> Self {
        let frames = frames_of(agreed.line);
        let streams = Streams {
            frames,
            again: StreamId(frames.0 + 1),
        };
        Self {
            agreed: agreed.clone(),
            sending: Sending::new(streams, begin, rng.random(), rng.random()),
            receiving: Receiving::new(),
            remote: None,
            last_block: None,
            next_report: None,
            compound: Vec::with_capacity(256),
        }
    }

    fn configure(&mut self, agreed: &AgreedVideo, work: &mut Work<'_>) {
        self.agreed = agreed.clone();
        self.sending
            .configure(&agreed.send, agreed.extensions, &agreed.mid);
        self.receiving
            .configure(&agreed.receive, agreed.direction.receives());
        let frames = frames_of(agreed.line);
        let own = [
            (frames, Some(agreed.source.ssrc)),
            (StreamId(frames.0 + 1), agreed.source.rtx),
        ];
        for (id, ssrc) in own {
            if let Some(ssrc) = ssrc {
                work.transport_of(agreed.line)
                    .add_stream(OutboundStream { id, ssrc });
            }
        }
    }

    fn state(&self) -> LineState {
        let agreed = &self.agreed;
        let msid = agreed.msid.clone().unzip();
        LineState {
            line: agreed.line,
            content: agreed.content,
            direction: agreed.direction,
            send: self.sending.codec().filter(|_| agreed.direction.sends()),
            stream_id: msid.0,
            track_id: msid.1,
        }
    }

    fn is_apart(&self) -> bool {
        self.agreed.apart.is_some()
    }

    /// When a packet left the peer, if it says.
    fn left(&self, packet: &Rtp) -> Option<Departure> {
        let id = self.agreed.extensions.send_time?;
        let (_, value) = packet.extensions().find(|(number, _)| *number == id)?;
        value.try_into().ok().map(Departure::said)
    }

    fn route(&self) -> Route {
        let agreed = &self.agreed;
        let numbers = agreed.receive.iter().flat_map(|payload| {
            let numbers = [Some(payload.payload_type), payload.rtx];
            numbers.into_iter().flatten()
        });
        let sources = agreed.remote_sources.iter();
        Route {
            stream: frames_of(agreed.line),
            mid: agreed.extensions.mid.map(|id| (id, agreed.mid.clone())),
            sources: sources
                .flat_map(|source| [Some(source.ssrc), source.rtx])
                .flatten()
                .collect(),
            payload_types: numbers.map(|number| number.value()).collect(),
        }
    }

    /// Gives what came whole, asks for what did not, and sends what is due; returns how many octets that were.
    fn act(&mut self, work: &mut Work<'_>) -> SentOctets {
        let line = self.agreed.line;
        while let Some(frame) = self.receiving.pop(work.heard, work.now) {
            work.event(VideoEvent::Frame { line, frame });
        }
        self.ask(work);
        if self.sending.key_frame_is_due(work.now) {
            let content = self.agreed.content;
            work.event(VideoEvent::KeyFrameWanted { content });
        }
        let round_trip = self.round_trip(work);
        let now = work.now;
        self.sending.send(work.transport_of(line), round_trip, now)
    }

    /// As sound tells it, or else as our pictures do.
    fn round_trip(&self, work: &Work<'_>) -> Option<Duration> {
        let told = || self.remote.and_then(|remote| remote.round_trip());
        work.round_trip.or_else(told)
    }

    fn ask(&mut self, work: &mut Work<'_>) {
        let (Some(media), true) = (self.receiving.ssrc(), work.reaches(&self.agreed)) else {
            return;
        };
        let ours = self.agreed.source.ssrc;
        let round_trip = self.round_trip(work);
        let compound = &mut self.compound;
        compound.clear();
        self.receiving.ask(round_trip, work.now, &mut |asked| {
            if compound.is_empty() {
                // RFC 4585 §3.1: what is asked for stands behind a report and a name.
                rtcp::write_report(compound, ours, None, &[]);
                rtcp::write_description(compound, ours, work.cname);
            }
            match asked {
                FeedbackWish::Missing(sequences) => {
                    feedback::write_missing(compound, ours, media, sequences);
                }
                FeedbackWish::PictureLoss => feedback::write_picture_loss(compound, ours, media),
                FeedbackWish::FullIntra(number) => {
                    feedback::write_full_intra(compound, ours, media, number);
                }
            }
        });
        if !self.compound.is_empty() {
            let now = work.now;
            let transport = work.transport_of(self.agreed.line);
            // Nothing is lost by a request that finds no way: it is made again.
            let _unsent = transport.send_rtcp(&self.compound, now);
        }
    }

    /// Takes a packet of the peer's RTCP; returns what share of ours it has lost, if it says.
    fn hear(&mut self, packet: &Packet<'_>, work: &Work<'_>) -> Option<Losses> {
        let ours = self.agreed.source.ssrc;
        match packet {
            Packet::Sender { ssrc, info, blocks } => {
                if self.receiving.ssrc() == Some(*ssrc) {
                    self.receiving.reported(*info, work.now);
                }
                return self.learn(*blocks, work);
            }
            Packet::Receiver { blocks, .. } => return self.learn(*blocks, work),
            Packet::Feedback { feedback, .. } => match feedback {
                Feedback::Missing { media, sequences } if *media == ours => {
                    self.sending.missing(*sequences);
                }
                Feedback::PictureLoss { media } if *media == ours => self.sending.picture_loss(),
                Feedback::FullIntra { requests } => {
                    for (_, number) in requests.filter(|(media, _)| *media == ours) {
                        self.sending.full_intra(number);
                    }
                }
                Feedback::Missing { .. }
                | Feedback::PictureLoss { .. }
                | Feedback::Bitrate { .. } => {}
            },
            Packet::Goodbye { .. } | Packet::Other => {}
        }
        None
    }

    fn learn(&mut self, mut blocks: rtcp::Blocks<'_>, work: &Work<'_>) -> Option<Losses> {
        let ours = self.agreed.source.ssrc;
        let block = blocks.find(|block| block.ssrc == ours)?;
        let remote = RemoteVideo::of(&block, work.ntp, self.remote);
        self.remote = Some(remote);
        self.sending.lost(remote.fraction_lost);
        let before = self.last_block.replace(block)?;
        Some(Losses::between(before, block))
    }

    fn report_if_due(&mut self, begin: Instant, rng: &mut StdRng, work: &mut Work<'_>) {
        if !work.reaches(&self.agreed) || self.next_report.is_none_or(|at| work.now < at) {
            return;
        }
        self.next_report = Some(work.now + REPORTS.mul_f64(rng.random_range(0.5..1.5)));
        let since_begin = work.now.saturating_duration_since(begin);
        let info = self.sending.sender_info(work.ntp, since_begin);
        let block: Option<ReportBlock> = self.receiving.report(work.now);
        if info.is_none() && block.is_none() {
            return;
        }
        let ours = self.agreed.source.ssrc;
        self.compound.clear();
        if info.is_some() {
            rtcp::write_report(&mut self.compound, ours, info, &[]);
        }
        // Janus knows the round trip from receiver reports alone, and sends nothing again before it knows that.
        if block.is_some() {
            rtcp::write_report(&mut self.compound, ours, None, block.as_slice());
        }
        rtcp::write_description(&mut self.compound, ours, work.cname);
        let now = work.now;
        let transport = work.transport_of(self.agreed.line);
        let _unsent = transport.send_rtcp(&self.compound, now);
    }

    fn deadline(&mut self) -> Option<Instant> {
        let deadlines = [
            self.sending.deadline(),
            self.receiving.deadline(),
            self.next_report,
        ];
        deadlines.into_iter().flatten().min()
    }
}
