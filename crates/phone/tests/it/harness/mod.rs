//! One phone, driven by the contract, with fake media and a server that the test plays.

mod peer;
mod proxy;

pub(crate) use peer::{Caller, answer, header, redirection, with_header};
pub(crate) use proxy::Pair;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::audio::Device;
use phone::neighbour::{Neighbour, NeighbourNews, TrunkId};
use phone::network::{NetworkChange, OurEnd};
use phone::{
    Command, ConferenceId, Config, Connection, Event, MediaCommand, MediaEvent, Output, Phone,
    PhoneError, RecordingId, Reply, SessionId, SoundCommand, StreamCommand, Ticket, VideoCommand,
    conference, recording,
};
use serde_json::{Value, json};
use sip::locating::Place;
use sip::message::{Leniency, Message, Method, Request, Response};

/// 2026-11-21T00:00:00Z: what the phone's wall clock says when a test begins.
pub(crate) const EPOCH: Duration = Duration::from_secs(1_795_219_200);

/// How the fake media behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// It describes itself, applies answers and connects at once.
    Willing,
    /// It does nothing: the test plays it.
    Manual,
}

/// A phone and all that came out of it.
#[derive(Debug)]
pub(crate) struct Rig {
    /// What rings now.
    pub(crate) ringing: Option<phone::audio::Ring>,
    pub(crate) phone: Phone,
    pub(crate) now: Instant,
    /// When it was [`EPOCH`].
    pub(crate) begun: Instant,
    pub(crate) events: Vec<Event>,
    pub(crate) replies: BTreeMap<u64, Result<Reply, PhoneError>>,
    pub(crate) media: Vec<(SessionId, MediaCommand)>,
    /// Orders for this machine's place in conferences.
    pub(crate) seats: Vec<(ConferenceId, conference::HostOrder)>,
    pub(crate) recordings: Vec<(RecordingId, recording::RecordingOrder)>,
    /// What the journal was to say last.
    pub(crate) journal: Option<String>,
    /// What was sent to whom, who has come without a server.
    pub(crate) neighbours: VecDeque<(Neighbour, Bytes)>,
    /// The trunks for which a connection was asked.
    pub(crate) reached_for: Vec<TrunkId>,
    pub(crate) connects: Vec<(usize, Instant)>,
    /// The way of each.
    pub(crate) routes: Vec<tunnel::Route>,
    /// The place of each.
    pub(crate) places: Vec<Place>,
    /// What the DNS says of any server, and for how long; else it is where its URL says.
    pub(crate) dns: Option<(Vec<Place>, Duration)>,
    pub(crate) disconnects: usize,
    pub(crate) pings: usize,
    /// Whether the server answers pings.
    pub(crate) pongs: bool,
    /// The server answers keep-alives over a stream, too (RFC 5626 §3.5.1), if it answers any.
    pub(crate) answers_line_ends: bool,
    pub(crate) closed: bool,
    /// Everything in the order in which it came out, by name.
    pub(crate) order: Vec<String>,
    pub(crate) outbox: VecDeque<Bytes>,
    pub(crate) media_mode: Media,
    /// Whether the application acknowledges events.
    pub(crate) listens: bool,
    /// Whether the server answers REGISTER with 200.
    pub(crate) registrar: bool,
    pub(crate) registers: Vec<Request>,
    pub(crate) deadline: Option<Instant>,
    /// When whoever drives the phone gives up the attempt that is under way.
    gives_up: Option<Instant>,
    follow_ups: VecDeque<FollowUp>,
    tickets: u64,
    descriptions: u64,
}

#[derive(Debug)]
enum FollowUp {
    Delivered(SessionId),
    Media(SessionId, MediaEvent),
    Frame(Bytes),
    Pong,
    Found(usize),
}

/// The options of Alice, who has a password.
pub(crate) fn alice() -> Value {
    json!({
        "uri": "sip:alice@example.com",
        "password": "secret",
        "servers": "wss://pbx.example.com/ws",
        "noAnswerTimeout": 60_000,
        "audio": "none",
    })
}

/// Alice with other options beside.
pub(crate) fn alice_with(more: Value) -> Value {
    let mut options = alice();
    for (name, value) in more.as_object().expect("options are an object") {
        options[name] = value.clone();
    }
    options
}

#[allow(
    clippy::disallowed_methods,
    reason = "virtual time has to start somewhere; the clock is read only here"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}

impl Rig {
    pub(crate) fn new(options: Value) -> Self {
        Self::seeded(options, 1, start())
    }

    pub(crate) fn seeded(options: Value, seed: u8, now: Instant) -> Self {
        let config = Config::from_json(&options).expect("the options are good");
        Self {
            phone: Phone::new(config, [seed; 32], now, EPOCH),
            now,
            begun: now,
            events: Vec::new(),
            replies: BTreeMap::new(),
            media: Vec::new(),
            seats: Vec::new(),
            recordings: Vec::new(),
            journal: None,
            neighbours: VecDeque::new(),
            reached_for: Vec::new(),
            connects: Vec::new(),
            routes: Vec::new(),
            places: Vec::new(),
            dns: None,
            disconnects: 0,
            pings: 0,
            pongs: true,
            answers_line_ends: false,
            closed: false,
            order: Vec::new(),
            outbox: VecDeque::new(),
            media_mode: Media::Willing,
            listens: true,
            registrar: true,
            registers: Vec::new(),
            deadline: None,
            gives_up: None,
            follow_ups: VecDeque::new(),
            tickets: 0,
            descriptions: 0,
            ringing: None,
        }
    }

    /// Alice, connected and registered, with nothing left of how that came.
    pub(crate) fn registered(options: Value) -> Self {
        let mut rig = Self::new(options);
        rig.initialize();
        rig
    }

    /// Alice in a call that Bob has placed: what came out meanwhile is gone.
    pub(crate) fn talking(options: Value) -> (Self, Caller, SessionId) {
        let mut rig = Self::registered(options);
        let mut bob = Caller::new("c1");
        let (id, _) = rig.takes(&mut bob, &[]);
        rig.events.clear();
        rig.media.clear();
        (rig, bob, id)
    }

    /// Alice in a call that she has placed to Bob: what came out meanwhile is gone.
    pub(crate) fn having_called(options: Value) -> (Self, Caller, SessionId) {
        let mut rig = Self::registered(options);
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 200, Some("v=0\r\n")));
        rig.request(&Method::Ack);
        let id = rig.id_of("sessionStarted");
        rig.events.clear();
        rig.media.clear();
        (rig, Caller::of_callee(&invite), id)
    }

    /// Rings and is answered; returns the session and the 200.
    pub(crate) fn takes(
        &mut self,
        caller: &mut Caller,
        headers: &[(&str, &str)],
    ) -> (SessionId, Response) {
        self.receive(caller.invite(headers, Some("v=0 theirs\r\n")));
        caller.learn(&self.beyond_trying(180));
        let id = self.id_of("pendingSession");
        self.command(json!({ "type": "accept", "id": id }));
        let ok = self.response(200);
        self.receive(caller.ack(None));
        (id, ok)
    }

    pub(crate) fn initialize(&mut self) {
        let ticket = self.command(json!({ "type": "initialize" }));
        self.up();
        assert_eq!(self.reply(ticket), Some(&Ok(Reply::Done)));
        self.events.clear();
        self.order.clear();
        self.outbox.clear();
    }

    /// The server that was asked for last is reached.
    pub(crate) fn up(&mut self) {
        self.open(None);
    }

    /// The same, from an address of ours that is known, as it is of every transport but WebSockets.
    pub(crate) fn up_at(&mut self, local: SocketAddr) {
        self.open(Some(local));
    }

    fn open(&mut self, local: Option<SocketAddr>) {
        let (server, _) = *self.connects.last().expect("a connection was asked for");
        let transport = self.phone.config().servers[server].transport;
        self.connection(Connection::Up {
            server,
            transport,
            local,
        });
    }

    /// The phone listens, or can't.
    pub(crate) fn listening(&mut self, outcome: Result<(), String>) {
        self.phone.handle_listening(outcome, self.now);
        self.drain();
    }

    /// Somebody does something without a server.
    pub(crate) fn neighbour(&mut self, neighbour: Neighbour, news: NeighbourNews) {
        self.phone.handle_neighbour(neighbour, news, self.now);
        self.drain();
    }

    /// A connection to a trunk's peer can't be opened.
    pub(crate) fn unreached(&mut self, trunk: TrunkId) {
        self.phone.handle_unreached(trunk, self.now);
        self.drain();
    }

    pub(crate) fn down(&mut self) {
        self.connection(Connection::Down {
            reason: "reset by peer".into(),
        });
    }

    pub(crate) fn connection(&mut self, connection: Connection) {
        self.gives_up = None;
        self.phone.handle_connection(connection, self.now);
        self.drain();
    }

    /// The machine is in another network: nothing else has changed yet.
    pub(crate) fn moved(&mut self, our_end: OurEnd) {
        self.network(NetworkChange {
            slept: Duration::ZERO,
            rerouted: true,
            online: true,
            our_end,
        });
    }

    pub(crate) fn network(&mut self, change: NetworkChange) {
        self.phone.handle_network(change, self.now);
        self.drain();
    }

    /// Gives a command as JavaScript does.
    pub(crate) fn command(&mut self, command: Value) -> Ticket {
        let command: Command = serde_json::from_value(command).expect("a good command");
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.phone.handle_command(ticket, command, self.now);
        self.drain();
        ticket
    }

    /// The commands that were never settled.
    pub(crate) fn unsettled(&self) -> Vec<u64> {
        (1..=self.tickets)
            .filter(|ticket| !self.replies.contains_key(ticket))
            .collect()
    }

    /// Gives a command and expects it to be done at once.
    pub(crate) fn done(&mut self, command: Value) {
        let shown = command.to_string();
        let ticket = self.command(command);
        assert_eq!(self.reply(ticket), Some(&Ok(Reply::Done)), "{shown}");
    }

    /// Gives a command and expects it to fail at once; returns the code.
    pub(crate) fn refused(&mut self, command: Value) -> String {
        let ticket = self.command(command);
        let error = self.error(ticket);
        code(&error)
    }

    pub(crate) fn reply(&self, ticket: Ticket) -> Option<&Result<Reply, PhoneError>> {
        self.replies.get(&ticket.0)
    }

    pub(crate) fn error(&self, ticket: Ticket) -> PhoneError {
        match self.reply(ticket) {
            Some(Err(error)) => error.clone(),
            other => panic!("an error was expected, not {other:?}"),
        }
    }

    pub(crate) fn receive(&mut self, frame: impl Into<Bytes>) {
        self.phone.handle_signaling(frame.into(), self.now);
        self.drain();
    }

    pub(crate) fn journal_found(&mut self, text: Result<String, String>) {
        self.phone.handle_journal(text, self.now);
        self.drain();
    }

    pub(crate) fn journal_written(&mut self, outcome: Result<(), String>) {
        self.phone.handle_journal_written(outcome, self.now);
        self.drain();
    }

    /// The server's answer to a ping that it was given before.
    pub(crate) fn late_pong(&mut self) {
        match self.answers_line_ends {
            true => self.receive("\r\n"),
            false => self.phone.handle_pong(self.now),
        }
        self.drain();
    }

    pub(crate) fn media_event(&mut self, id: SessionId, event: MediaEvent) {
        self.phone.handle_media(id, event, self.now);
        self.drain();
    }

    pub(crate) fn recording_event(&mut self, id: RecordingId, event: recording::RecordingEvent) {
        self.phone.handle_recording(id, event, self.now);
        self.drain();
    }

    pub(crate) fn describe(&mut self, id: SessionId, sdp: &str) {
        self.media_event(id, MediaEvent::Described { sdp: sdp.into() });
    }

    /// Lets time pass, waking the phone whenever it wants to be.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        let mut wakes = 0;
        while let Some(at) = self.next_due().filter(|at| *at <= end && !self.closed) {
            wakes += 1;
            assert!(wakes < 10_000, "the phone wakes all the time");
            self.now = self.now.max(at);
            if self.deadline.is_some_and(|at| at <= self.now) {
                self.phone.handle_timeout(self.now);
                self.drain();
            } else {
                self.connection(Connection::Refused {
                    code: phone::ErrorCode::ConnectionFailed,
                    reason: "the server did not answer".into(),
                });
            }
        }
        self.now = end;
    }

    fn next_due(&self) -> Option<Instant> {
        self.deadline.into_iter().chain(self.gives_up).min()
    }

    /// Lets time pass until the phone tries a server.
    pub(crate) fn until_connect(&mut self) {
        let tried = self.connects.len();
        for _ in 0..1000 {
            if self.connects.len() > tried {
                return;
            }
            let next = self.next_due().expect("the phone wants to be woken");
            self.advance(next.saturating_duration_since(self.now));
        }
        panic!("the phone never connects");
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
    }

    /// Asserts that no session ends in the next minute: longer than any timer that a lost connection
    /// starts.
    pub(crate) fn lives_on(&mut self) {
        let ended = self.count("terminated");
        self.seconds(60);
        assert_eq!(self.count("terminated"), ended, "{:?}", self.order);
    }

    fn drain(&mut self) {
        self.drain_once();
        while let Some(next) = self.follow_ups.pop_front() {
            match next {
                FollowUp::Found(server) => {
                    let at_url = || vec![self.phone.config().servers[server].place()];
                    let (places, valid) = self
                        .dns
                        .clone()
                        .unwrap_or_else(|| (at_url(), Duration::ZERO));
                    self.phone
                        .handle_connection(Connection::Found { places, valid }, self.now);
                }
                FollowUp::Delivered(id) => {
                    self.tickets += 1;
                    let command = Command::Delivered { id };
                    self.phone
                        .handle_command(Ticket(self.tickets), command, self.now);
                }
                FollowUp::Media(id, event) => self.phone.handle_media(id, event, self.now),
                FollowUp::Pong => self.phone.handle_pong(self.now),
                FollowUp::Frame(frame) => self.phone.handle_signaling(frame, self.now),
            }
            self.drain_once();
        }
    }

    fn drain_once(&mut self) {
        for _ in 0..100_000 {
            match self.phone.poll_output() {
                Output::Timeout(at, _) => {
                    self.deadline = Some(at);
                    return;
                }
                Output::Closed => {
                    self.closed = true;
                    return;
                }
                output => self.take(output),
            }
        }
        panic!("the phone never stops giving");
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Find { server } => {
                self.order.push("find".into());
                self.follow_ups.push_back(FollowUp::Found(server));
            }
            Output::Connect {
                server,
                place,
                route,
            } => {
                self.places.push(place);
                self.order.push("connect".into());
                self.connects.push((server, self.now));
                self.gives_up = Some(self.now + phone::CONNECT_WITHIN);
                self.routes.push(route);
            }
            Output::Disconnect => {
                self.order.push("disconnect".into());
                self.disconnects += 1;
                self.gives_up = None;
            }
            Output::Send(frame) => self.take_frame(frame.0),
            Output::Ping => {
                self.pings += 1;
                if self.pongs {
                    self.follow_ups.push_back(FollowUp::Pong);
                }
            }
            Output::Media(id, command) => self.take_media(id, command),
            Output::Conference(id, order) => self.seats.push((id, order)),
            Output::Recording(id, order) => self.recordings.push((id, order)),
            Output::Journal(text) => self.journal = Some(text.0),
            Output::IceServers(known) => self.order.push(format!("ice {known:?}")),
            Output::Listen => self.order.push("listen".into()),
            Output::StopListening => self.order.push("stop listening".into()),
            Output::SendTo(neighbour, frame) => self.neighbours.push_back((neighbour, frame.0)),
            Output::HangUp(neighbour) => self.order.push(format!("hang up {neighbour:?}")),
            Output::Reach {
                trunk,
                place,
                transport,
            } => {
                self.order.push(format!("reach {place} {transport:?}"));
                self.reached_for.push(trunk);
            }
            Output::Ring(ring) => {
                let rings = if ring.is_some() { "ring" } else { "silence" };
                self.order.push(rings.into());
                self.ringing = ring;
            }
            Output::Event(event) => {
                self.order.push(name(&event));
                let delivered = match &event {
                    Event::PendingSession(pending) => Some(pending.id),
                    Event::SessionStarted { session } => Some(session.id),
                    _ => None,
                };
                if let (true, Some(id)) = (self.listens, delivered) {
                    self.follow_ups.push_back(FollowUp::Delivered(id));
                }
                self.events.push(event);
            }
            Output::Reply(ticket, result) => {
                self.order.push(format!("reply {}", ticket.0));
                let again = self.replies.insert(ticket.0, result);
                assert!(again.is_none(), "{ticket:?} was settled twice");
            }
            Output::Timeout(..) | Output::Closed => unreachable!("taken by the caller"),
        }
    }

    fn take_frame(&mut self, frame: Bytes) {
        // A keep-alive over UDP or a stream.
        if frame.iter().all(u8::is_ascii_whitespace) {
            if self.answers_line_ends && self.pongs {
                let pong = FollowUp::Frame(Bytes::from_static(b"\r\n"));
                self.follow_ups.push_back(pong);
            }
            return;
        }
        let message = parse(frame.clone());
        self.order.push(start_line(&message));
        if let Message::Request(request) = &message
            && *request.method() == Method::Register
        {
            self.registers.push(request.clone());
            if self.registrar {
                let reply = peer::registered(request);
                self.follow_ups.push_back(FollowUp::Frame(reply));
                return;
            }
        }
        self.outbox.push_back(frame);
    }

    fn take_media(&mut self, id: SessionId, command: MediaCommand) {
        self.order.push(format!("media {}", media_name(&command)));
        if self.media_mode == Media::Willing {
            for event in self.willing(&command) {
                self.follow_ups.push_back(FollowUp::Media(id, event));
            }
        }
        self.media.push((id, command));
    }

    fn willing(&mut self, command: &MediaCommand) -> Vec<MediaEvent> {
        match command {
            MediaCommand::Stream(command) => self.willing_stream(command),
            MediaCommand::Sound(SoundCommand::SetInput { .. }) => vec![opened(Device::Input)],
            MediaCommand::Sound(SoundCommand::SetOutput { .. }) => vec![opened(Device::Output)],
            MediaCommand::Video(
                VideoCommand::SetVideo { content, .. } | VideoCommand::ShowLine { content, .. },
            ) => {
                vec![opened(Device::from(*content))]
            }
            MediaCommand::Video(VideoCommand::SetVideoOutput { line, .. }) => {
                vec![MediaEvent::VideoOutputOpened { line: *line }]
            }
            MediaCommand::Sound(_) | MediaCommand::Close => Vec::new(),
        }
    }

    fn willing_stream(&mut self, command: &StreamCommand) -> Vec<MediaEvent> {
        match command {
            StreamCommand::Offer
            | StreamCommand::Reoffer { .. }
            | StreamCommand::AnswerReoffer { .. } => vec![self.description()],
            StreamCommand::Answer { .. } => vec![self.description(), MediaEvent::Connected],
            StreamCommand::SetAnswer { provisional, .. } => match provisional {
                true => vec![MediaEvent::Connected],
                false => vec![MediaEvent::AnswerApplied, MediaEvent::Connected],
            },
            StreamCommand::SendDtmf { tones, .. } => (0..tones.reveal().len() as u32)
                .rev()
                .map(|remaining| MediaEvent::DtmfSent { remaining })
                .collect(),
            StreamCommand::StopDtmf { .. } => vec![MediaEvent::DtmfSent { remaining: 0 }],
            StreamCommand::Rollback
            | StreamCommand::Protect { .. }
            | StreamCommand::CheckPath
            | StreamCommand::SetHeld { .. }
            | StreamCommand::WishVideo { .. }
            | StreamCommand::MuteVideo { .. }
            | StreamCommand::Mute { .. } => Vec::new(),
        }
    }

    fn description(&mut self) -> MediaEvent {
        self.descriptions += 1;
        MediaEvent::Described {
            sdp: format!("v=0 ours {}\r\n", self.descriptions).into(),
        }
    }

    /// The next message that the phone sent.
    pub(crate) fn sent(&mut self) -> Message {
        parse(self.outbox.pop_front().expect("the phone sent something"))
    }

    /// The next message, which is a request of this method.
    pub(crate) fn request(&mut self, method: &Method) -> Request {
        match self.sent() {
            Message::Request(request) if request.method() == method => request,
            other => panic!("{method:?} was expected, not {}", start_line(&other)),
        }
    }

    /// The next message, which is a response of this code.
    pub(crate) fn response(&mut self, code: u16) -> Response {
        match self.sent() {
            Message::Response(response) if response.status().code() == code => response,
            other => panic!("{code} was expected, not {}", start_line(&other)),
        }
    }

    /// The next response above 100.
    pub(crate) fn beyond_trying(&mut self, code: u16) -> Response {
        while self
            .outbox
            .front()
            .is_some_and(|frame| frame.starts_with(b"SIP/2.0 100"))
        {
            self.outbox.pop_front();
        }
        self.response(code)
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.outbox.is_empty()
    }

    /// How many events of this name there were.
    pub(crate) fn count(&self, wanted: &str) -> usize {
        self.events
            .iter()
            .filter(|event| name(event) == wanted)
            .count()
    }

    /// The last event of this name, as JavaScript sees it.
    pub(crate) fn last(&self, wanted: &str) -> Value {
        self.events
            .iter()
            .rev()
            .find(|event| name(event) == wanted)
            .map(|event| serde_json::to_value(event).expect("events are plain data"))
            .unwrap_or_else(|| panic!("there was no {wanted}, only {:?}", self.order))
    }

    /// Where in the order something of this name came first.
    pub(crate) fn place(&self, wanted: &str) -> usize {
        self.order
            .iter()
            .position(|entry| entry.starts_with(wanted))
            .unwrap_or_else(|| panic!("there was no {wanted}, only {:?}", self.order))
    }

    /// Where in the order this command was settled.
    pub(crate) fn place_of_reply(&self, ticket: u64) -> usize {
        let reply = format!("reply {ticket}");
        let place = self.order.iter().position(|entry| *entry == reply);
        place.expect("it was settled")
    }

    /// The sessions that were told of and not told to have ended, in order.
    pub(crate) fn open_sessions(&self) -> Vec<SessionId> {
        let mut open = Vec::new();
        for event in &self.events {
            match event {
                Event::PendingSession(pending) => open.push(pending.id),
                Event::SessionStarted { session } if !open.contains(&session.id) => {
                    open.push(session.id);
                }
                Event::CancelPendingSession { id, .. }
                | Event::HandledPendingSession { id, .. }
                | Event::SessionEnded { id, .. } => open.retain(|known| known != id),
                _ => {}
            }
        }
        open
    }

    /// The media commands of this name.
    pub(crate) fn media_named(&self, wanted: &str) -> Vec<&MediaCommand> {
        self.media
            .iter()
            .map(|(_, command)| command)
            .filter(|command| media_name(command) == wanted)
            .collect()
    }

    /// Every change of one property of a session, in order.
    pub(crate) fn changes(&self, property: &str) -> Vec<Value> {
        self.events
            .iter()
            .filter(|event| name(event) == "sessionChanged")
            .map(|event| serde_json::to_value(event).expect("events are plain data"))
            .filter_map(|event| event["changes"].get(property).cloned())
            .collect()
    }

    /// The id in the last event of this name.
    pub(crate) fn id_of(&self, wanted: &str) -> SessionId {
        let event = self.last(wanted);
        let id = event.get("id").or_else(|| event["session"].get("id"));
        let id = id.and_then(Value::as_str).expect("the event has an id");
        id.parse().expect("an id is a UUID")
    }

    /// Asserts that a session that started ended once, for this reason.
    pub(crate) fn assert_ended_once(&self, condition: &str, side: &str) {
        assert_eq!(self.count("terminated"), 1, "{:?}", self.order);
        assert_eq!(self.count("sessionEnded"), 1, "{:?}", self.order);
        assert!(self.place("terminated") < self.place("sessionEnded"));
        let reason = &self.last("sessionEnded")["reason"];
        assert_eq!(reason["condition"], condition, "{reason}");
        assert_eq!(reason["side"], side, "{reason}");
    }
}

pub(crate) fn parse(frame: Bytes) -> Message {
    let read = match Message::parse(frame.clone(), Leniency::Strict) {
        // What the other party wrote of itself goes back as it came.
        Err(error) if error.to_string().contains("From ") || error.to_string().contains("To ") => {
            Message::parse(frame.clone(), Leniency::Interop)
        }
        read => read,
    };
    read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&frame)))
        .message
}

pub(crate) fn code(error: &PhoneError) -> String {
    serde_json::to_value(error).expect("plain data")["code"]
        .as_str()
        .expect("a code is text")
        .to_owned()
}

fn name(event: &Event) -> String {
    serde_json::to_value(event).expect("events are plain data")["type"]
        .as_str()
        .expect("events have a type")
        .to_owned()
}

fn media_name(command: &MediaCommand) -> String {
    media_json(command)["type"]
        .as_str()
        .expect("commands have a type")
        .to_owned()
}

/// A media command with its type and its members.
pub(crate) fn media_json(command: &MediaCommand) -> Value {
    let json = match command {
        MediaCommand::Stream(command) => serde_json::to_value(command),
        MediaCommand::Sound(command) => serde_json::to_value(command),
        MediaCommand::Video(command) => serde_json::to_value(command),
        MediaCommand::Close => return json!({ "type": "close" }),
    };
    json.expect("commands are plain data")
}

fn start_line(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method().as_str().to_owned(),
        Message::Response(response) => {
            let cseq = response.headers().cseq().expect("a response has a CSeq");
            format!("{} to {}", response.status().code(), cseq.method.as_str())
        }
    }
}

fn opened(device: Device) -> MediaEvent {
    MediaEvent::DeviceOpened { device }
}
