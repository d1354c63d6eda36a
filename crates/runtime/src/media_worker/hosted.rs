//! One session on a media thread: its engine, sockets, sound and news.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::hearing::{Listener, Wanted};
use audio::level::Meter;
use audio::tone::Sequence;
use audio::{Frame, Rate};
use media::Thrift;
use media::transport::{Captured, SelectedPath, Silence};
use phone::{MediaEvent, SessionId, StreamCommand};
use tokio::sync::mpsc;

use super::engine::{DevicesInUse, Engine, Step};
use super::links::LinkSenders;
use super::order::{News, Order, What};
use super::pictures::Pictures;
use super::sockets::{Readiness, ReadingPace, Sockets};
use crate::audio::{Ear, Input, LinkWriter, Output, SinkGroup, Tap, Tone, Underway};
use crate::capture::PacketTap;
use crate::network::source_towards;

/// Ticks between two `stats` events: one second.
const TICKS_PER_SUMMARY: u64 = 100;
/// Ticks between two `level` events: 100 ms.
const TICKS_PER_LEVEL: u64 = 10;

/// A session being driven.
pub(super) struct Hosted {
    pub(super) sockets: Sockets,
    links: LinkSenders,
    /// When the engine wants to be woken.
    pub(super) deadline: Option<Instant>,
    /// Which of two alternating ticks begins this session's 20 ms frames; `None` while it needs none.
    pub(super) phase: Option<usize>,
    thrift: Thrift,
    /// What part of its time for sound the thread needs.
    pressure: f64,
    /// It has had its first tick since it joined.
    joined: bool,
    /// The engine has sound to send or to play.
    flows: bool,
    id: SessionId,
    engine: Box<dyn Engine>,
    input: Input,
    /// What the far end hears instead of the input, while it is on hold.
    hold: Option<Input>,
    output: Output,
    pace: ReadingPace,
    pictures: Pictures,
    listeners: Vec<LinkWriter>,
    /// Recordings of both legs.
    taps: Vec<Tap>,
    /// What the application hears beside the output.
    ears: Vec<Ear>,
    /// The far end hears silence.
    muted: bool,
    /// Percent.
    volume: u8,
    /// While it sounds the input is silent.
    beep: Option<Tone>,
    /// What the near end hears over what the far end says.
    tone: Option<Tone>,
    /// Of the near end and of the far end, while somebody wants to know.
    meters: Option<[Meter; 2]>,
    /// Hears what the far end's sound means, while somebody wants to know.
    meaning: Option<Box<Listener>>,
    ticks: u64,
    /// How long what is sent takes until the far end hears it, as of the last figures.
    far_delay: Option<Duration>,
    news: mpsc::UnboundedSender<News>,
    wire: Wiretap,
}

/// Who sees what goes over the network, and between which addresses that goes.
#[derive(Default)]
struct Wiretap {
    tap: Option<PacketTap>,
    path: Option<(SocketAddr, SocketAddr)>,
    /// Where our packets go, and the address of ours that the system would send them from; nothing if a TURN server relays.
    way: Option<(IpAddr, Option<IpAddr>)>,
}

impl Wiretap {
    fn follow(&mut self, path: &SelectedPath) {
        self.path = Some((path.local, path.remote));
        let remote = path.remote.ip();
        self.way = (path.relay.is_none()).then(|| (remote, source_towards(remote)));
    }

    /// Whether packets go another way than when this was asked last; nothing if that can't be told.
    fn is_rerouted(&mut self) -> Option<bool> {
        let (remote, before) = self.way.as_mut()?;
        let now = source_towards(*remote);
        Some(std::mem::replace(before, now) != now)
    }

    fn take(&self, Captured { sent, bytes }: Captured) {
        let (Some(tap), Some((local, remote))) = (&self.tap, self.path) else {
            return;
        };
        match sent {
            true => tap.media(local, remote, bytes),
            false => tap.media(remote, local, bytes),
        }
    }
}

/// The 10 ms of input that are sent before the first tick: one frame of the usual 20 ms, which need not wait for the
/// clock to fill it.
const AHEAD: usize = 2;

/// Of a call that is over within a second something is known as well.
const FIRST_MEASURED: [u64; 3] = [1, 10, 50];

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    On,
    Over,
}

impl Hosted {
    pub(super) fn new(
        id: SessionId,
        engine: Box<dyn Engine>,
        sockets: Sockets,
        news: mpsc::UnboundedSender<News>,
    ) -> Hosted {
        Hosted {
            sockets,
            links: LinkSenders::default(),
            deadline: None,
            phase: None,
            thrift: Thrift::None,
            pressure: 0.0,
            joined: false,
            flows: false,
            id,
            engine,
            input: Input::Silence,
            hold: None,
            output: Output::Nowhere,
            pictures: Pictures::default(),
            pace: ReadingPace::default(),
            listeners: Vec::new(),
            taps: Vec::new(),
            ears: Vec::new(),
            muted: false,
            volume: 100,
            beep: None,
            tone: None,
            meters: None,
            meaning: None,
            ticks: 0,
            far_delay: None,
            wire: Wiretap::default(),
            news,
        }
    }

    /// Whether the engine has sound, or a tone is played although it has none.
    pub(super) fn needs_tick(&self) -> bool {
        self.engine.needs_tick() || self.tone.is_some()
    }

    /// Leaves out what costs time and can be done without, or no longer.
    pub(super) fn set_thrift(&mut self, thrift: Thrift) {
        self.thrift = thrift;
        self.engine.set_thrift(thrift);
        self.spare();
    }

    /// Says what part of its time for sound the thread needs.
    pub(super) fn set_pressure(&mut self, pressure: f64) {
        self.pressure = pressure;
    }

    fn spare(&mut self) {
        let short = self.thrift == Thrift::Bare;
        self.input.set_short(short);
        self.output.set_short(short);
        if let Some(music) = &mut self.hold {
            music.set_short(short);
        }
    }

    pub(super) fn join_at(&mut self, phase: usize) {
        self.phase = Some(phase);
    }

    pub(super) fn leave(&mut self) {
        self.phase = None;
        self.joined = false;
    }

    /// Whether this session takes part in a tick; it begins with one of its own phase.
    pub(super) fn joins_tick(&mut self, number: u64) -> bool {
        let Some(phase) = self.phase else {
            return false;
        };
        self.joined = self.joined || number % 2 == phase as u64;
        self.joined
    }

    pub(super) fn order(&mut self, order: Order, now: Instant) -> Life {
        match order {
            Order::Media(command) => {
                if let StreamCommand::Mute { muted } = command {
                    self.muted = muted;
                }
                if let StreamCommand::MuteVideo { content, muted } = command {
                    self.pictures.mute(content, muted);
                }
                self.engine.command(command, now);
            }
            // The worker's, which has the poll that sockets are registered with.
            Order::Addresses(..) | Order::Network { .. } => {}
            Order::Resolved(name, ip) => self.engine.resolved(&name, ip, now),
            Order::Servers(servers) => self.engine.set_servers(servers, now),
            Order::Link(link, news) => news.with(|event| {
                self.engine.handle_link(link, event, now);
            }),
            Order::SetInput(input) => self.input.replace(input),
            Order::SetOutput(output) => self.output.replace(output),
            Order::Show(content, reader) => {
                self.pictures.show(content, reader);
                self.engine.begin_anew(content);
            }
            Order::See(line, output) => self.pictures.see(line, output),
            Order::Forward(line, viewer, wish) => self.pictures.forward(line, viewer, wish),
            Order::Hold(music) => self.hold.get_or_insert(Input::Silence).replace(music),
            Order::Resume => {
                self.hold = None;
                self.input.resume();
            }
            Order::Beep => {
                self.beep = Some(Tone::new(Sequence::beep()));
            }
            Order::Measure(wanted) => {
                let meters = || [Meter::new(Rate::Hz48000), Meter::new(Rate::Hz48000)];
                self.meters = wanted.then(meters);
            }
            Order::Attend(wanted) => self.attend(wanted),
            Order::Tone(sequence) => self.tone = sequence.map(Tone::new),
            Order::SetVolume(percent) => self.volume = percent.min(100),
            Order::Capture(tap) => {
                self.engine.set_capture(tap.is_some());
                self.wire.tap = tap;
            }
            Order::AddListener(link) => self.listeners.push(link),
            Order::Record(tap) => self.taps.push(tap),
            Order::Listen(ear) => self.ears.push(ear),
            Order::Report(inquiry) => inquiry.answer(self.engine.report(self.devices(), now)),
            Order::Close => {
                self.engine.close(now);
                self.drain();
                return Life::Over;
            }
        }
        // What was opened just now costs as little as what was open.
        self.spare();
        self.drain();
        Life::On
    }

    /// Whether it needs sockets of other addresses than it has.
    pub(super) fn has_moved(&self, addresses: &[IpAddr], silence: Silence) -> bool {
        self.engine.has_moved(addresses, silence)
    }

    /// The network has changed, and with it perhaps the way of our packets to the peer, which the phone is told.
    pub(super) fn follow_network(&mut self, rerouted: bool) {
        if self.wire.is_rerouted().unwrap_or(rerouted) {
            self.tell(What::Media(MediaEvent::Rerouted));
        }
    }

    pub(super) fn take_sockets(&mut self, sockets: Sockets, bound: Vec<SocketAddr>, now: Instant) {
        sockets.make_room(self.pictures.traffic());
        self.sockets = sockets;
        self.engine.take_sockets(bound, now);
        self.drain();
    }

    /// Reads one socket in the turn that began at `turn`.
    pub(super) fn receive(
        &mut self,
        socket: usize,
        buffer: &mut [u8],
        turn: Instant,
        now: Instant,
    ) -> Readiness {
        let pace = (&mut self.pace, self.pictures.traffic(), turn);
        // Each datagram is one input, so each is followed by a drain; the sockets are lent meanwhile.
        let mut engine_and_news = Driven {
            id: self.id,
            engine: self.engine.as_mut(),
            sockets: &self.sockets,
            links: &mut self.links,
            deadline: &mut self.deadline,
            news: &self.news,
            wire: &mut self.wire,
            pictures: &mut self.pictures,
        };
        self.sockets.receive(socket, pace, buffer, |from, bytes| {
            engine_and_news
                .engine
                .handle_datagram(socket, from, bytes, now);
            engine_and_news.drain();
        })
    }

    /// Whether pictures want their part of the tick, after all sound.
    pub(super) fn has_pictures(&self) -> bool {
        self.pictures.are_any()
    }

    /// Sends what there is to be seen.
    pub(super) fn show(&mut self, now: Instant) {
        self.pictures.drive(self.engine.as_mut(), now);
        for event in self.pictures.tidings(now) {
            self.tell(What::Media(event));
        }
        self.drain();
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
        self.drain();
    }

    /// Sends the first frame as soon as sound may flow; the ticks go on from there.
    pub(super) fn follow_flow(&mut self, now: Instant) {
        let flowed = std::mem::replace(&mut self.flows, self.engine.needs_tick());
        if flowed || !self.flows {
            return;
        }
        self.input.resume();
        for _ in 0..AHEAD {
            let said = self.send_captured(now);
            self.record(now, &said, &Frame::silence(said.rate()));
        }
    }

    /// One tick of sound: capture, send, receive, play. Returns whom to wake when all have ticked.
    pub(super) fn tick(&mut self, now: Instant) -> Option<&Arc<SinkGroup>> {
        // What the input has is for later where only a tone is played.
        let said = match self.flows {
            true => self.send_captured(now),
            false => Frame::silence(self.engine.capture_rate()),
        };
        let mut played = Frame::silence(self.engine.playout_rate());
        self.engine.pull_playout(played.samples_mut(), now);
        self.drain();
        if let Some([_, far]) = &mut self.meters {
            far.add(played.samples());
        }
        self.record(now, &said, &played);
        self.hear(&played);
        self.summarise(now);
        self.play(played)
    }

    /// Both legs at once, so that nothing can put them out of step.
    fn record(&mut self, now: Instant, said: &Frame, played: &Frame) {
        self.taps.retain_mut(|tap| tap.write(now, said, played));
        self.ears.retain_mut(|ear| ear.write(said, played));
    }

    fn attend(&mut self, wanted: Wanted) {
        if !(wanted.speech.is_some() || wanted.tones || wanted.answerer) {
            self.meaning = None;
        } else if let Some(listener) = &mut self.meaning {
            listener.want(wanted);
        } else {
            self.meaning = Some(Box::new(Listener::new(wanted)));
        }
    }

    fn hear(&mut self, played: &Frame) {
        // Before the path is there nothing comes, and a tone of our own is not the far end's.
        if let Some(listener) = self.meaning.as_mut().filter(|_| self.flows) {
            let (id, news) = (self.id, &self.news);
            listener.push(played.rate(), played.samples(), |heard| {
                let what = What::Heard(heard);
                let _ = news.send(News { id, what });
            });
        }
    }

    /// Sends the next 10 ms; returns what of them the far end hears.
    fn send_captured(&mut self, now: Instant) -> Frame {
        let captured = self.capture();
        if let Some([near, _]) = &mut self.meters {
            near.add(captured.samples());
        }
        self.engine.push_captured(captured.samples(), now);
        self.drain();
        // Music stands in for the input, of which nothing was read.
        if self.hold.is_none() && self.engine.sends() {
            self.input.handed(Underway {
                unsent: self.engine.unsent(),
                delay: self.far_delay,
            });
        }
        match self.muted || !self.engine.sends() {
            true => Frame::silence(captured.rate()),
            false => captured,
        }
    }

    fn capture(&mut self) -> Frame {
        let rate = self.engine.capture_rate();
        match (&mut self.hold, &self.beep) {
            (Some(music), _) => music.read(rate),
            (None, Some(_)) => Frame::silence(rate),
            (None, None) if self.engine.sends() => self.input.read(rate),
            (None, None) => self.input.read_unheard(rate),
        }
    }

    fn play(&mut self, mut frame: Frame) -> Option<&Arc<SinkGroup>> {
        self.listeners.retain_mut(|link| link.write(&frame));
        if let Some(tone) = &mut self.tone {
            let tone = tone.read(frame.rate());
            for (sample, tone) in frame.samples_mut().iter_mut().zip(tone.samples()) {
                *sample = sample.saturating_add(*tone);
            }
        }
        if self.volume < 100 {
            for sample in frame.samples_mut() {
                *sample = (i32::from(*sample) * i32::from(self.volume) / 100) as i16;
            }
        }
        if let Some(beep) = &mut self.beep {
            frame = beep.read(frame.rate());
            if beep.is_finished() {
                self.beep = None;
            }
        }
        self.output.write(&frame)
    }

    fn summarise(&mut self, now: Instant) {
        self.ticks += 1;
        let is_second = self.ticks.is_multiple_of(TICKS_PER_SUMMARY);
        if is_second || (self.flows && FIRST_MEASURED.contains(&self.ticks)) {
            self.engine.set_playout_delay(self.output.delay());
            let (mut figures, summary) = self.engine.summary(now);
            self.far_delay = self.engine.far_delay();
            let raw = self.input.take_microphone_peak();
            if self.flows {
                figures.pressure = self.pressure;
                // What was captured is what noise suppression and gain control have left.
                figures.near_peak = figures.near_peak.map(|peak| raw.unwrap_or(peak));
                self.tell(What::Media(MediaEvent::Measured { figures }));
            }
            if is_second {
                self.tell(What::Summary(summary));
            }
        }
        if self.ticks.is_multiple_of(TICKS_PER_LEVEL)
            && let Some(meters) = &mut self.meters
        {
            let level = What::Level(meters.each_mut().map(|meter| meter.take().linear()));
            self.tell(level);
        }
    }

    fn devices(&self) -> DevicesInUse {
        DevicesInUse {
            input: self.input.figures(),
            output: self.output.figures(),
        }
    }

    pub(super) fn crashed(&self, reason: String) {
        self.tell(What::Media(MediaEvent::Crashed { reason }));
    }

    fn drain(&mut self) {
        Driven {
            id: self.id,
            engine: self.engine.as_mut(),
            sockets: &self.sockets,
            links: &mut self.links,
            deadline: &mut self.deadline,
            news: &self.news,
            wire: &mut self.wire,
            pictures: &mut self.pictures,
        }
        .drain();
    }

    fn tell(&self, what: What) {
        let _ = self.news.send(News { id: self.id, what });
    }
}

/// The part of a session that carries the engine's outputs out.
struct Driven<'a> {
    id: SessionId,
    engine: &'a mut dyn Engine,
    sockets: &'a Sockets,
    links: &'a mut LinkSenders,
    deadline: &'a mut Option<Instant>,
    news: &'a mpsc::UnboundedSender<News>,
    wire: &'a mut Wiretap,
    pictures: &'a mut Pictures,
}

impl Driven<'_> {
    fn drain(&mut self) {
        loop {
            match self.engine.poll() {
                Step::Transmit(socket, to, bytes) => self.sockets.send(socket, to, &bytes),
                Step::Connect(link, target) => {
                    let what = What::Connect(link, target, self.links.open(link));
                    let _ = self.news.send(News { id: self.id, what });
                }
                Step::Send(link, octets) => self.links.send(link, octets),
                Step::Disconnect(link) => self.links.close(link),
                Step::Event(event) => {
                    let what = What::Media(event);
                    let _ = self.news.send(News { id: self.id, what });
                }
                Step::Pictures(step) => {
                    if let Some(event) = self.pictures.take(step) {
                        if matches!(event, MediaEvent::Lines { .. }) {
                            self.sockets.make_room(self.pictures.traffic());
                        }
                        let what = What::Media(event);
                        let _ = self.news.send(News { id: self.id, what });
                    }
                }
                Step::Resolve(name) => {
                    let what = What::Resolve(name);
                    let _ = self.news.send(News { id: self.id, what });
                }
                Step::Way(way, news) => {
                    let what = What::Way(way, news);
                    let _ = self.news.send(News { id: self.id, what });
                }
                Step::Captured(packet) => self.wire.take(packet),
                Step::Path(path) => {
                    self.wire.follow(&path);
                    let what = What::Path(path);
                    let _ = self.news.send(News { id: self.id, what });
                }
                Step::Timeout(deadline) => {
                    *self.deadline = Some(deadline);
                    return;
                }
            }
        }
    }
}
