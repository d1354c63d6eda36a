//! Two endpoints, a network that loses, delays and reorders, and a clock that only we move.

use audio::Rate;
use media::codec::{Codec, OpusSettings};
use media::sdp::Direction;
use media::sdp::negotiate::{
    Agreed, Content, Identity, KeySeed, LocalSource, LocalTransport, Negotiation, Terms, VideoLine,
    VideoWish,
};
use media::session::{
    ConnectionState, LineState, MediaEvent, Output, Session, SessionConfig, VideoEvent,
};
use media::transport::{
    self, Certificate, Keying, OutboundStream, PathId, RemotePath, Role, RtpOut, StreamId,
    Transport,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use video::{EncodedFrame, VideoCodec};

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn certificate() -> Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE
        .get_or_init(|| Certificate::generate().unwrap())
        .clone()
}

pub(crate) fn config(address: SocketAddr) -> SessionConfig {
    SessionConfig {
        opus: OpusSettings::fleet(),
        ..SessionConfig::new(vec![address], certificate())
    }
}

/// Whatever has an address on the network.
pub(crate) trait Endpoint {
    fn address(&self) -> SocketAddr;
    fn datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant);
    fn timeout(&mut self, now: Instant);
    fn deadline(&self) -> Instant;
    fn tick(&mut self, now: Instant);
    /// What it wants sent since the last call.
    fn take_sent(&mut self) -> Vec<(SocketAddr, Vec<u8>)>;
}

pub(crate) struct Network {
    pub(crate) now: Instant,
    rng: StdRng,
    pub(crate) loss: f64,
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    /// What each sender's line carries, in bit/s; it holds 200 ms, and what comes beyond that is lost.
    pub(crate) line: Option<f64>,
    /// Whose line that is, if not everybody's.
    pub(crate) narrow_sender: Option<SocketAddr>,
    /// Whose datagrams come from another address, by which alone it is reached.
    pub(crate) seen_as: Option<(SocketAddr, SocketAddr)>,
    /// Nothing comes to or from there.
    pub(crate) cut_off: Option<SocketAddr>,
    /// Until when each sender's line is busy.
    busy: Vec<(SocketAddr, Instant)>,
    travelling: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    elapsed_ms: u64,
}

impl Network {
    #[allow(
        clippy::disallowed_methods,
        reason = "an instant can only come from a clock; all others are computed from it"
    )]
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::now(),
            rng: StdRng::seed_from_u64(seed),
            loss: 0.0,
            delay: 10 * MS,
            jitter: Duration::ZERO,
            line: None,
            narrow_sender: None,
            seen_as: None,
            cut_off: None,
            busy: Vec::new(),
            travelling: Vec::new(),
            elapsed_ms: 0,
        }
    }

    /// Runs both endpoints for so long.
    pub(crate) fn run(&mut self, a: &mut dyn Endpoint, b: &mut dyn Endpoint, time: Duration) {
        self.run_all(&mut [a, b], time);
    }

    /// Runs all of them for so long.
    pub(crate) fn run_all(&mut self, all: &mut [&mut dyn Endpoint], time: Duration) {
        for _ in 0..time.as_millis() {
            self.now += MS;
            self.elapsed_ms += 1;
            for endpoint in all.iter_mut() {
                self.deliver(*endpoint);
            }
            for (phase, endpoint) in (0..).step_by(3).zip(all.iter_mut()) {
                if self.elapsed_ms % 10 == phase % 10 {
                    endpoint.tick(self.now);
                }
            }
            for endpoint in all.iter_mut() {
                self.wake(*endpoint);
            }
        }
    }

    fn wake(&mut self, endpoint: &mut dyn Endpoint) {
        if endpoint.deadline() <= self.now {
            endpoint.timeout(self.now);
        }
        self.accept(endpoint);
    }

    /// Where others see it.
    fn seen(&self, address: SocketAddr) -> SocketAddr {
        let translated = self.seen_as.filter(|(own, _)| *own == address);
        translated.map_or(address, |(_, seen)| seen)
    }

    fn accept(&mut self, endpoint: &mut dyn Endpoint) {
        for (to, bytes) in endpoint.take_sent() {
            let cut_off = |address: SocketAddr| self.cut_off == Some(address);
            if cut_off(endpoint.address()) || cut_off(to) {
                continue;
            }
            if self.loss > 0.0 && self.rng.random_bool(self.loss) {
                continue;
            }
            let Some(queued) = self.queue(endpoint.address(), bytes.len()) else {
                continue;
            };
            let extra = queued + self.jitter.mul_f64(self.rng.random());
            self.travelling.push((
                self.now + self.delay + extra,
                self.seen(endpoint.address()),
                to,
                bytes,
            ));
        }
    }

    /// How long a datagram waits for its line and takes on it; `None` if there is no room.
    fn queue(&mut self, from: SocketAddr, bytes: usize) -> Option<Duration> {
        let Some(line) = self.line else {
            return Some(Duration::ZERO);
        };
        if self.narrow_sender.is_some_and(|sender| sender != from) {
            return Some(Duration::ZERO);
        }
        if !self.busy.iter().any(|(sender, _)| *sender == from) {
            self.busy.push((from, self.now));
        }
        let now = self.now;
        let (_, until) = self.busy.iter_mut().find(|(sender, _)| *sender == from)?;
        let begins = (*until).max(now);
        if begins - now > 200 * MS {
            return None;
        }
        *until = begins + Duration::from_secs_f64(bytes as f64 * 8.0 / line);
        Some(*until - now)
    }

    fn deliver(&mut self, endpoint: &mut dyn Endpoint) {
        let (now, address) = (self.now, self.seen(endpoint.address()));
        let mut due: Vec<_> = self
            .travelling
            .extract_if(.., |(at, _, to, _)| *at <= now && *to == address)
            .collect();
        due.sort_by_key(|(at, ..)| *at);
        for (_, from, _, bytes) in due {
            endpoint.datagram(from, &bytes, now);
        }
    }
}

/// A session with a microphone that hears a tone.
pub(crate) struct Phone {
    pub(crate) session: Session,
    address: SocketAddr,
    pub(crate) events: Vec<MediaEvent>,
    pub(crate) in_the_clear: Vec<media::transport::Captured>,
    pub(crate) heard: Vec<i16>,
    pub(crate) heard_rate: Rate,
    /// In Hz; 0 for silence.
    pub(crate) tone: f64,
    /// Whether the tone comes in syllables, as speech does.
    pub(crate) syllables: bool,
    /// Whether it sends what it captures.
    pub(crate) speaks: bool,
    phase: f64,
    captured: u64,
    deadline: Instant,
    now: Instant,
    begin: Instant,
    sent: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) ticks: u32,
    /// What is filmed.
    pub(crate) cameras: Vec<Camera>,
    /// What is seen: the line, the number of the frame, and when.
    pub(crate) seen: Vec<(VideoLine, u32, Instant)>,
    /// What our lines may send, as last told.
    pub(crate) targets: Vec<(Content, u64)>,
}

/// A source of 33 numbered frames a second, whose first is a key frame, and each that is asked for.
pub(crate) struct Camera {
    pub(crate) content: Content,
    pub(crate) number: u32,
    /// Octets of a frame; a key frame has four times as many.
    pub(crate) size: usize,
    /// Its frames are as large as may be sent.
    pub(crate) adapts: bool,
    wants_key: bool,
    pub(crate) key_frames: u32,
}

impl Camera {
    pub(crate) fn new(content: Content) -> Self {
        Self {
            content,
            number: 0,
            size: 2_000,
            adapts: false,
            wants_key: true,
            key_frames: 0,
        }
    }

    fn frame(&mut self, at: Duration) -> EncodedFrame {
        let key = std::mem::take(&mut self.wants_key);
        self.number += 1;
        self.key_frames += u32::from(key);
        // RFC 6386 §9.1: the tag, and of a key frame the start code and 640 × 360.
        let mut data = vec![if key { 0x10 } else { 0x11 }, 0, 0];
        if key {
            data.extend_from_slice(&[0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]);
        }
        data.extend_from_slice(&self.number.to_be_bytes());
        data.resize(if key { 4 * self.size } else { self.size }, 7);
        EncodedFrame::read(VideoCodec::Vp8, at, data.into()).unwrap()
    }
}

/// The number of a [`Camera`]'s frame.
pub(crate) fn number_of(frame: &EncodedFrame) -> u32 {
    let at = if frame.key { 10 } else { 3 };
    u32::from_be_bytes(frame.data[at..at + 4].try_into().unwrap())
}

impl Phone {
    pub(crate) fn new(address: &str, tone: f64, network: &Network) -> Self {
        Self::with(address, tone, network, |_| {})
    }

    pub(crate) fn with(
        address: &str,
        tone: f64,
        network: &Network,
        change: impl FnOnce(&mut SessionConfig),
    ) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let mut config = config(address);
        change(&mut config);
        let seed = [address.port() as u8; 32];
        Self {
            session: Session::new(config, seed, network.now).unwrap(),
            address,
            events: Vec::new(),
            in_the_clear: Vec::new(),
            heard: Vec::new(),
            heard_rate: Rate::Hz8000,
            tone,
            syllables: false,
            speaks: true,
            phase: 0.0,
            captured: 0,
            deadline: network.now,
            now: network.now,
            begin: network.now,
            sent: Vec::new(),
            ticks: 0,
            cameras: Vec::new(),
            seen: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Puts it behind a NAT that lets everything through.
    pub(crate) fn is_seen_at(&mut self, address: &str) {
        self.address = address.parse().unwrap();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.session.poll_output() {
                Output::Transmit(t) => self.sent.push((t.to, t.bytes.to_vec())),
                // No server of these tests is reached by a stream.
                Output::Connect(..)
                | Output::Send(..)
                | Output::Disconnect(_)
                | Output::Way(..)
                | Output::Resolve(_) => {}
                Output::Event(MediaEvent::Video(VideoEvent::Frame { line, frame })) => {
                    self.seen.push((line, number_of(&frame), self.now));
                }
                Output::Event(MediaEvent::Video(VideoEvent::KeyFrameWanted { content })) => {
                    let mut cameras = self.cameras.iter_mut();
                    if let Some(camera) = cameras.find(|camera| camera.content == content) {
                        camera.wants_key = true;
                    }
                }
                Output::Event(MediaEvent::Video(VideoEvent::Target {
                    content,
                    bits_per_second,
                })) => {
                    self.targets.push((content, bits_per_second));
                    let mut cameras = self.cameras.iter_mut();
                    if let Some(camera) =
                        cameras.find(|camera| camera.content == content && camera.adapts)
                    {
                        camera.size = (bits_per_second / 8 * 3 / 100) as usize;
                    }
                }
                Output::Event(event) => self.events.push(event),
                Output::Captured(packet) => self.in_the_clear.push(packet),
                Output::Timeout(at, _) => {
                    self.deadline = at;
                    break;
                }
            }
        }
    }

    /// The description that came out last.
    pub(crate) fn described(&mut self) -> String {
        self.drain();
        let at = self
            .events
            .iter()
            .rposition(|e| matches!(e, MediaEvent::Described { .. }))
            .unwrap_or_else(|| panic!("no description in {:?}", self.events));
        let MediaEvent::Described { sdp } = self.events.remove(at) else {
            unreachable!("its place was just found");
        };
        sdp
    }

    pub(crate) fn states(&self) -> Vec<ConnectionState> {
        self.events
            .iter()
            .filter_map(|e| {
                if let MediaEvent::State(s) = e {
                    Some(*s)
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn keys(&self) -> String {
        self.events
            .iter()
            .filter_map(|e| {
                if let MediaEvent::Dtmf { tone, .. } = e {
                    Some(tone.as_char())
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn has(&self, wanted: impl Fn(&MediaEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    fn film(&mut self, now: Instant) {
        let since = now - self.begin;
        if !(since.as_millis() / 10).is_multiple_of(3) {
            return;
        }
        for camera in &mut self.cameras {
            let frame = camera.frame(since);
            self.session.push_frame(camera.content, &frame, now);
        }
        self.drain();
    }

    /// The video lines as told last.
    pub(crate) fn lines(&self) -> Vec<LineState> {
        let lines = self.events.iter().rev().find_map(|event| {
            if let MediaEvent::Video(VideoEvent::Lines(lines)) = event {
                Some(lines.clone())
            } else {
                None
            }
        });
        lines.unwrap_or_default()
    }

    fn capture(&mut self) -> Vec<i16> {
        let rate = self.session.capture_rate();
        (0..rate.samples_per_tick())
            .map(|_| {
                self.phase += self.tone * std::f64::consts::TAU / f64::from(rate.hz());
                self.captured += 1;
                let syllable = self.captured as f64 / f64::from(rate.hz()) * 4.0;
                let loudness = if self.syllables && syllable.fract() < 0.3 {
                    20.0
                } else {
                    10_000.0
                };
                let voice = self.phase.sin()
                    + if self.syllables {
                        (2.0 * self.phase).sin() * 0.3
                    } else {
                        0.0
                    };
                (voice * loudness) as i16
            })
            .collect()
    }
}

impl Endpoint for Phone {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.now = now;
        self.session.handle_datagram(PathId(0), from, bytes, now);
        self.drain();
    }

    fn timeout(&mut self, now: Instant) {
        self.now = now;
        self.session.handle_timeout(now);
        self.drain();
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn tick(&mut self, now: Instant) {
        self.now = now;
        self.film(now);
        if !self.session.needs_tick() {
            return;
        }
        self.ticks += 1;
        let captured = self.capture();
        if self.speaks {
            self.session.push_captured(&captured, now);
            self.drain();
        }
        let rate = self.session.playout_rate();
        if rate != self.heard_rate {
            self.heard.clear();
            self.heard_rate = rate;
        }
        let mut playout = vec![0; rate.samples_per_tick()];
        self.session.pull_playout(&mut playout, now);
        self.heard.extend(playout);
        self.drain();
    }

    fn take_sent(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.sent)
    }
}

/// A peer of which every packet is ours to choose.
pub(crate) struct RawPeer {
    pub(crate) transport: Transport,
    negotiation: Negotiation,
    address: SocketAddr,
    pub(crate) received: Vec<transport::Rtp>,
    pub(crate) reports: Vec<Vec<u8>>,
    deadline: Instant,
    sent: Vec<(SocketAddr, Vec<u8>)>,
}

pub(crate) const SECOND_STREAM: StreamId = StreamId(1);
pub(crate) const RAW_SSRCS: [u32; 2] = [0x1111_1111, 0x2222_2222];

impl RawPeer {
    pub(crate) fn new(address: &str, codecs: &[Codec], network: &Network) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let mut config =
            transport::Config::new(vec![address], Role::Controlled, certificate(), RAW_SSRCS[0]);
        config.streams.push(OutboundStream {
            id: SECOND_STREAM,
            ssrc: RAW_SSRCS[1],
        });
        let identity = Identity {
            session_id: 1,
            cname: "raw".into(),
            audio: LocalSource {
                ssrc: RAW_SSRCS[0],
                stream_id: "s".into(),
                track_id: "t".into(),
                rtx: None,
            },
            video: KeySeed::new([1; 32]),
            keys: KeySeed::new([2; 32]),
        };
        let terms = Terms {
            codecs: codecs.to_vec(),
            telephone_event: true,
            ptime: 20,
            dtx: false,
            opus_max_average_bitrate: None,
            apart: true,
            media: vec![Keying::Dtls],
        };
        Self {
            transport: Transport::new(config, [address.port() as u8; 32], network.now).unwrap(),
            negotiation: Negotiation::new(identity, terms),
            address,
            received: Vec::new(),
            reports: Vec::new(),
            deadline: network.now,
            sent: Vec::new(),
        }
    }

    pub(crate) fn wish_video(&mut self, wishes: Vec<VideoWish>) {
        self.negotiation.wish_video(wishes);
    }

    pub(crate) fn answer(&mut self, offer: &str, now: Instant) -> (String, Agreed) {
        self.drain();
        let agreed = self
            .negotiation
            .receive_offer(offer, Direction::SendRecv)
            .unwrap();
        self.transport
            .set_remote(agreed.transport.clone(), now)
            .unwrap();
        self.drain();
        let local = LocalTransport {
            apart: &[],
            parameters: &self.transport.local(),
            end_of_candidates: true,
        };
        (self.negotiation.answer(local).unwrap(), agreed)
    }

    /// Answers as a gateway that knows no BUNDLE: the pictures of section 1 have the other transport.
    pub(crate) fn answer_apart(
        &mut self,
        pictures: &mut Self,
        offer: &str,
        now: Instant,
    ) -> String {
        self.drain();
        pictures.drain();
        let real = ufrag(offer).to_owned();
        let offer = Self::apart(offer).replacen(&real, "elsewhere", 1);
        self.take_apart(pictures, &offer, Some(real), now)
    }

    /// Answers a later offer, in which the lines are apart already.
    pub(crate) fn answer_later(
        &mut self,
        pictures: &mut Self,
        offer: &str,
        now: Instant,
    ) -> String {
        self.take_apart(pictures, offer, None, now)
    }

    fn take_apart(
        &mut self,
        pictures: &mut Self,
        offer: &str,
        real: Option<String>,
        now: Instant,
    ) -> String {
        let mut agreed = self
            .negotiation
            .receive_offer(offer, Direction::SendRecv)
            .unwrap();
        if let (Some(real), RemotePath::Ice(ice)) = (real, &mut agreed.transport.path) {
            ice.ufrag = real;
        }
        self.reach(pictures, agreed, now);
        let apart = [(VideoLine(1), pictures.transport.local())];
        let local = LocalTransport {
            parameters: &self.transport.local(),
            apart: &apart,
            end_of_candidates: true,
        };
        self.negotiation.answer(local).unwrap()
    }

    /// Offers as such a gateway.
    pub(crate) fn offer_apart(&mut self, pictures: &mut Self) -> String {
        self.drain();
        pictures.drain();
        let apart = [(VideoLine(1), pictures.transport.local())];
        let local = LocalTransport {
            parameters: &self.transport.local(),
            apart: &apart,
            end_of_candidates: true,
        };
        let offer = self.negotiation.offer(local, Direction::SendRecv).unwrap();
        Self::apart(&offer)
    }

    /// Takes the answer to that.
    pub(crate) fn accept_apart(&mut self, pictures: &mut Self, answer: &str, now: Instant) {
        let agreed = self.negotiation.accept(answer, false).unwrap();
        self.reach(pictures, agreed, now);
    }

    fn reach(&mut self, pictures: &mut Self, agreed: Agreed, now: Instant) {
        let apart = agreed.video.first().and_then(|video| video.apart.clone());
        self.transport.set_remote(agreed.transport, now).unwrap();
        self.drain();
        if let Some(apart) = apart {
            pictures.transport.set_remote(apart, now).unwrap();
        }
        pictures.drain();
    }

    fn apart(sdp: &str) -> String {
        let group = |line: &&str| !line.starts_with("a=group");
        sdp.lines()
            .filter(group)
            .map(|line| format!("{line}\r\n"))
            .collect()
    }

    pub(crate) fn send(
        &mut self,
        stream: StreamId,
        pt: u8,
        timestamp: u32,
        payload: &[u8],
        now: Instant,
    ) {
        let packet = RtpOut {
            pt,
            timestamp,
            marker: false,
            extensions: &[],
            payload,
        };
        self.transport.send_rtp(stream, packet, now).unwrap();
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.transport.poll_output() {
                transport::Output::Transmit(t) => self.sent.push((t.to, t.bytes.to_vec())),
                // No server is asked.
                transport::Output::Connect(..)
                | transport::Output::Send(..)
                | transport::Output::Disconnect(_)
                | transport::Output::ServerFault(..)
                | transport::Output::Way(..)
                | transport::Output::Resolve(_) => {}
                transport::Output::Rtp(packet) => self.received.push(packet),
                transport::Output::Rtcp(compound) => self.reports.push(compound.to_vec()),
                transport::Output::Timeout(at, _) => {
                    self.deadline = at;
                    break;
                }
                transport::Output::State(_)
                | transport::Output::Captured(_)
                | transport::Output::LocalCandidate(_)
                | transport::Output::EndOfCandidates
                | transport::Output::SelectedPath(_) => {}
            }
        }
    }
}

impl Endpoint for RawPeer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.transport.handle_datagram(PathId(0), from, bytes, now);
        self.drain();
    }

    fn timeout(&mut self, now: Instant) {
        self.transport.handle_timeout(now);
        self.drain();
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn tick(&mut self, _now: Instant) {}

    fn take_sent(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.sent)
    }
}

/// The first user name fragment of a description.
fn ufrag(sdp: &str) -> &str {
    let line = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    line.unwrap()
}

/// Connects two phones; `a` calls.
pub(crate) fn connect(network: &mut Network, a: &mut Phone, b: &mut Phone) {
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    for _ in 0..200 {
        if a.session.is_connected() && b.session.is_connected() {
            return;
        }
        network.run(a, b, 20 * MS);
    }
    panic!("not connected: {:?} {:?}", a.states(), b.states());
}

/// Connects a phone that calls to a raw peer.
pub(crate) fn connect_raw(network: &mut Network, a: &mut Phone, b: &mut RawPeer) -> Agreed {
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    let (answer, agreed) = b.answer(&offer, network.now);
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    for _ in 0..200 {
        if a.session.is_connected() && b.transport.state() == transport::State::Connected {
            return agreed;
        }
        network.run(a, b, 20 * MS);
    }
    panic!("not connected: {:?} {:?}", a.states(), b.transport.state());
}

/// The share of the energy in `sound` that is at `hz`, 0 to 1 (Goertzel).
pub(crate) fn share_at(sound: &[i16], rate: Rate, hz: f64) -> f64 {
    let blocks: Vec<f64> = sound
        .chunks_exact(rate.samples_per_tick() * 5)
        .map(|block| {
            let step = hz * std::f64::consts::TAU / f64::from(rate.hz());
            let (mut re, mut im, mut energy) = (0.0, 0.0, 1.0);
            for (i, s) in block.iter().enumerate() {
                let s = f64::from(*s);
                re += s * (i as f64 * step).cos();
                im += s * (i as f64 * step).sin();
                energy += s * s;
            }
            2.0 * (re * re + im * im) / block.len() as f64 / energy
        })
        .collect();
    blocks.iter().sum::<f64>() / blocks.len().max(1) as f64
}

/// The last second that a phone heard.
pub(crate) fn last_second(phone: &Phone) -> &[i16] {
    let second = phone.heard_rate.hz() as usize;
    &phone.heard[phone.heard.len().saturating_sub(second)..]
}

/// How much of what a phone heard in the last second is the tone `hz`.
pub(crate) fn hears(phone: &Phone, hz: f64) -> f64 {
    share_at(last_second(phone), phone.heard_rate, hz)
}

pub(crate) fn loudness(sound: &[i16]) -> f64 {
    (sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / sound.len().max(1) as f64).sqrt()
}
