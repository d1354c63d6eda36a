//! One life of a phone, told by bytes. The fuzz target compiles this file as well.

use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::{
    Command, Config, Connection, MediaCommand, MediaEvent, Output, Phone, SessionId, StreamCommand,
    Ticket,
};
use serde_json::{Value, json};
use sip::message::{Leniency, Message, Method, Request, Response, StatusCode};
use sip::transaction::Transport;

use super::promises::Promises;
use super::scripts::{self, BODIES, CODES, HEADERS, METHODS};

/// 2026-11-21T00:00:00Z.
const EPOCH: Duration = Duration::from_secs(1_795_219_200);
pub(crate) const PASSWORD: &str = "a password that nobody is told";
const POLICIES: [&str; 5] = ["off", "announced", "headers", "always", "function"];

struct Life<'b> {
    bytes: &'b [u8],
    phone: Phone,
    now: Instant,
    deadline: Option<Instant>,
    /// The server that it wants to reach.
    wanted: Option<usize>,
    up: bool,
    requests: Vec<Request>,
    answers: Vec<Response>,
    /// What media that do as they are told have to say.
    media: Vec<(SessionId, MediaEvent)>,
    promises: Promises,
    closed: bool,
}

/// Lives it to the end, and panics where a promise is broken.
pub(crate) fn live(bytes: &[u8], start: Instant) {
    let (traits, bytes) = bytes.split_at(bytes.len().min(2));
    let traits = u16::from_le_bytes([
        traits.first().copied().unwrap_or_default(),
        traits.get(1).copied().unwrap_or_default(),
    ]);
    let config = Config::from_json(&options(traits)).expect("they are good");
    let mut life = Life {
        bytes,
        phone: Phone::new(config, [5; 32], start, EPOCH),
        now: start,
        deadline: None,
        wanted: None,
        up: false,
        requests: Vec::new(),
        answers: Vec::new(),
        media: Vec::new(),
        promises: Promises::default(),
        closed: false,
    };
    // A life that has to find its registrar first is told by the other half of all bytes.
    if traits & 1 == 0 {
        life.register();
    }
    while let Some(what) = life.byte() {
        life.step(what);
    }
    life.leave();
}

fn options(traits: u16) -> Value {
    let has = |bit: u16| traits & (1 << bit) != 0;
    let mut options = json!({
        "uri": "sip:alice@example.com",
        "servers": ["wss://a.example.com/ws", "ws://b.example.com/ws"],
        "audio": "none",
        "logLevel": if has(1) { "trace" } else { "error" },
        "sessionSurvivability": has(2),
        "autoConnectSessions": has(3),
        "holdOthers": has(4),
        "followRedirects": has(5),
        "tones": has(6),
        "noAnswerTimeout": 10_000,
        "notifies": ["conference", "presence"],
        "extraHeaders": { "X-Extra": "yes" },
        "autoAnswer": { "policy": POLICIES[usize::from(traits >> 8) % POLICIES.len()] },
    });
    match has(7) {
        true => options["password"] = json!(PASSWORD),
        false => options["register"] = json!(false),
    }
    if has(15) {
        options["maxSessions"] = json!(2);
    }
    options
}

impl Life<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn pick(&mut self) -> usize {
        usize::from(self.byte().unwrap_or_default())
    }

    fn some_bytes(&mut self) -> Bytes {
        let length = self.pick().min(self.bytes.len());
        let (bytes, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Bytes::copy_from_slice(bytes)
    }

    fn step(&mut self, what: u8) {
        match what % 20 {
            0 => {
                let frame = self.some_bytes();
                self.receive(frame);
            }
            1..=4 => self.answer_something(),
            5..=8 => self.request_something(),
            9..=12 => self.command(),
            13 => self.call(),
            14 | 15 => self.media_event(),
            16 => self.willing_media(),
            17 => self.change_connection(),
            18 => self.wait(),
            19.. => {
                self.phone.handle_pong(self.now);
                self.drain();
            }
        }
    }

    fn register(&mut self) {
        self.order(json!({ "type": "initialize" }));
        self.change_connection();
        if let Some(register) = self.requests.pop() {
            self.receive(registered(&register));
        }
    }

    /// Answers one of its requests: any code, any of three forks, with or without what it should have.
    fn answer_something(&mut self) {
        let (which, code, fork) = (self.pick(), self.pick(), self.pick());
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests[which % self.requests.len()].clone();
        if *request.method() == Method::Register && code.is_multiple_of(4) {
            return self.receive(registered(&request));
        }
        let code = StatusCode::new(CODES[code % CODES.len()]).expect("a code of ours");
        let mut response = Response::to_request(&request, code);
        let mut to = response.headers().to().expect("we wrote one").into_owned();
        if to.tag().is_none() && code.code() > 100 {
            to.set_tag(&format!("fork{}", fork % 3));
        }
        response.headers_mut().replace_typed(&to);
        let contact = "<sip:bob@callee.invalid>;expires=60";
        response
            .headers_mut()
            .push("Contact", contact)
            .expect("ours");
        for (name, value) in self.headers() {
            response.headers_mut().push(name, value).expect("ours");
        }
        let (content_type, body) = self.body();
        if !body.is_empty() {
            let described = response.with_body(content_type, body);
            response = described.expect("a media type");
        }
        self.receive(response.to_bytes());
    }

    /// Sends it a request, alone or inside a dialog that one of its messages made.
    fn request_something(&mut self) {
        let (method, call, cseq, dialog) = (self.pick(), self.pick(), self.pick(), self.pick());
        let method = METHODS[method % METHODS.len()];
        let mut to = "<sip:alice@example.com>".to_owned();
        let mut from = "\"Bob\" <sip:bob@example.com>;tag=b".to_owned();
        let mut call_id = format!("c{}", call % 4);
        let last = |index: usize, length: usize| length.checked_sub(1 + index);
        if dialog < 100
            && let Some(answer) = last(dialog % 10, self.answers.len())
        {
            let headers = self.answers[answer].headers();
            to = headers.get("To").unwrap_or_default().to_owned();
            from = headers.get("From").unwrap_or_default().to_owned();
            call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
        } else if dialog < 200
            && let Some(request) = last(dialog % 10, self.requests.len())
        {
            let headers = self.requests[request].headers();
            from = headers.get("To").unwrap_or_default().to_owned();
            if !from.contains("tag=") {
                from = format!("{from};tag=fork{}", call % 3);
            }
            to = headers.get("From").unwrap_or_default().to_owned();
            call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
        }
        let headers: String = self
            .headers()
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (content_type, body) = self.body();
        let number = 1 + cseq % 8;
        let head = format!(
            "{method} sip:alice@a.invalid SIP/2.0\r\n\
             Via: SIP/2.0/WSS p.example.com;branch=z9hG4bK{}{number}\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:bob@theirs.invalid>\r\n{headers}\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            call % 16,
            body.len(),
        );
        self.receive([head.as_bytes(), &body].concat().into());
    }

    fn headers(&mut self) -> Vec<(&'static str, &'static str)> {
        (0..self.pick() % 5)
            .map(|_| HEADERS[self.pick() % HEADERS.len()])
            .collect()
    }

    fn body(&mut self) -> (&'static str, Bytes) {
        let which = self.pick() % (BODIES.len() + 1);
        match BODIES.get(which) {
            Some((content_type, body)) => (content_type, Bytes::from_static(body.as_bytes())),
            None => {
                let (content_type, _) = BODIES[self.pick() % BODIES.len()];
                (content_type, self.some_bytes())
            }
        }
    }

    fn call(&mut self) {
        let target = [
            "bob",
            "+15550100",
            "sip:carol@[2001:db8::1]:5061;x=y",
            "\u{0}",
        ];
        let target = target[self.pick() % target.len()];
        let what = self.pick();
        let mut options = json!({ "headers": [["X-Call", "yes"]] });
        if what.is_multiple_of(2) {
            options["timeout"] = json!(9000);
        }
        if what.is_multiple_of(3) {
            options["autoAnswer"] = json!({ "delay": 1, "required": what.is_multiple_of(2) });
        }
        if what.is_multiple_of(5) {
            options["video"] = json!({ "type": "source", "id": 1, "codecs": ["vp8"] });
        }
        self.order(json!({ "type": "call", "target": target, "options": options }));
    }

    fn command(&mut self) {
        let (what, which, more) = (self.pick(), self.pick(), self.pick());
        let command = scripts::command(what, which, more, &self.promises);
        self.order(command);
    }

    /// Gives a command as JavaScript does.
    fn order(&mut self, command: Value) {
        let command: Command = serde_json::from_value(command).expect("a good command");
        let ticket = Ticket(self.promises.new_ticket());
        self.phone.handle_command(ticket, command, self.now);
        self.drain();
    }

    /// What no media was asked for.
    fn media_event(&mut self) {
        let (which, what) = (self.pick(), self.pick());
        let line = |line: usize| {
            let content = ["camera", "screen"][(which + line) % 2];
            let (sends, receives) = (what.is_multiple_of(2), which.is_multiple_of(2));
            json!({ "line": line, "content": content, "sends": sends, "receives": receives })
        };
        let device = ["camera", "screen"][which % 2];
        let event = match what % 18 {
            0 => json!({ "type": "described", "sdp": "v=0\r\n" }),
            1 => json!({ "type": "answerApplied" }),
            2 => json!({ "type": "earlyAnswerRefused", "reason": "r" }),
            3 => json!({ "type": "refused", "refusal": "incompatible", "reason": "r" }),
            4 => json!({ "type": "connected" }),
            5 => json!({ "type": "interrupted" }),
            6 => json!({ "type": "failed", "failure": "consent", "reason": "r" }),
            7 => json!({ "type": "remoteHold", "held": which.is_multiple_of(2) }),
            8 => json!({ "type": "dtmfSent", "remaining": 0 }),
            9 => json!({ "type": "noMedia" }),
            10 => json!({ "type": "peerLeft" }),
            11 => json!({ "type": "crashed", "reason": "r" }),
            12 | 13 => json!({ "type": "lines", "lines": [line(1), line(2)] }),
            14 => json!({ "type": "lines", "lines": [line(which)] }),
            15 => json!({ "type": "deviceOpened", "device": device }),
            16 => json!({ "type": "deviceFailed", "device": device, "reason": "r" }),
            17.. => json!({ "type": "resolution", "line": 1, "width": 2, "height": 2 }),
        };
        let event: MediaEvent = serde_json::from_value(event).expect("a good event");
        if let Some(id) = self.promises.session_id(which) {
            self.phone.handle_media(id, event, self.now);
            self.drain();
        }
    }

    /// Lets media say what it was asked for.
    fn willing_media(&mut self) {
        for (id, event) in std::mem::take(&mut self.media) {
            self.phone.handle_media(id, event, self.now);
            self.drain();
        }
    }

    fn change_connection(&mut self) {
        let reason = "r".to_owned();
        let connection = match (self.wanted.take(), self.up) {
            (Some(server), _) if self.pick() % 4 < 3 => Connection::Up {
                server,
                local: None,
                transport: match server {
                    0 => Transport::Wss,
                    _ => Transport::Ws,
                },
            },
            (Some(_), _) => Connection::Refused {
                reason,
                code: phone::ErrorCode::ConnectionFailed,
            },
            (None, true) => Connection::Down { reason },
            (None, false) => return,
        };
        self.up = matches!(connection, Connection::Up { .. });
        self.phone.handle_connection(connection, self.now);
        self.drain();
    }

    fn wait(&mut self) {
        let end = self.now + Duration::from_millis(400 * self.pick() as u64);
        self.wait_until(end);
    }

    fn wait_until(&mut self, end: Instant) {
        for _ in 0..2000 {
            let Some(deadline) = self.deadline.filter(|deadline| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            self.phone.handle_timeout(self.now);
            self.drain();
        }
        let still = self.deadline.is_some_and(|deadline| deadline <= end);
        assert!(!still || self.closed, "time stands still");
        self.now = end;
    }

    fn receive(&mut self, frame: Bytes) {
        self.phone.handle_signaling(frame, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.phone.poll_output() {
                Output::Timeout(deadline, _) => {
                    self.deadline = Some(deadline);
                    return;
                }
                Output::Closed => {
                    self.closed = true;
                    self.deadline = None;
                    return;
                }
                Output::Find { server } | Output::Connect { server, .. } => {
                    self.up = false;
                    self.wanted = Some(server);
                }
                Output::Disconnect => {
                    self.up = false;
                    self.wanted = None;
                }
                Output::Send(message) => self.keep(message.0),
                Output::Media(id, command) => self.obey(id, &command),
                Output::Event(event) => self.promises.take_event(&event),
                Output::Reply(ticket, reply) => self.promises.take_reply(ticket, &reply),
                Output::Ring(ring) => self.promises.rings = ring.is_some(),
                Output::Conference(..)
                | Output::Recording(..)
                | Output::Journal(_)
                | Output::IceServers(_)
                | Output::Listen
                | Output::SendTo(..)
                | Output::StopListening
                | Output::HangUp(_)
                | Output::Reach { .. }
                | Output::Ping => {}
            }
        }
        panic!("poll_output never came to Timeout");
    }

    fn keep(&mut self, bytes: Bytes) {
        let sent = String::from_utf8_lossy(&bytes);
        assert!(!sent.contains(PASSWORD), "{sent}");
        match Message::parse(bytes, Leniency::Interop).map(|parsed| parsed.message) {
            Ok(Message::Request(request)) => self.requests.push(request),
            Ok(Message::Response(response)) => self.answers.push(response),
            // A refusal echoes the headers of what could not be read.
            Err(_) => {}
        }
    }

    fn obey(&mut self, id: SessionId, command: &MediaCommand) {
        let MediaCommand::Stream(command) = command else {
            return;
        };
        let described = || MediaEvent::Described {
            sdp: "v=0\r\n".into(),
        };
        let told = match command {
            StreamCommand::Offer
            | StreamCommand::Reoffer { .. }
            | StreamCommand::AnswerReoffer { .. } => vec![described()],
            StreamCommand::Answer { .. } => vec![described(), MediaEvent::Connected],
            StreamCommand::SetAnswer { .. } => {
                vec![MediaEvent::AnswerApplied, MediaEvent::Connected]
            }
            StreamCommand::StopDtmf { .. } => vec![MediaEvent::DtmfSent { remaining: 0 }],
            StreamCommand::SetHeld { .. }
            | StreamCommand::WishVideo { .. }
            | StreamCommand::MuteVideo { .. }
            | StreamCommand::Rollback
            | StreamCommand::Protect { .. }
            | StreamCommand::CheckPath
            | StreamCommand::Mute { .. }
            | StreamCommand::SendDtmf { .. } => Vec::new(),
        };
        self.media.extend(told.into_iter().map(|event| (id, event)));
    }

    /// Whatever came before, the phone is gone two seconds after it was told to go, and has kept its promises.
    fn leave(&mut self) {
        self.order(json!({ "type": "destroy" }));
        self.wait_until(self.now + Duration::from_secs(3));
        assert!(self.closed, "the phone does not close");
        self.promises.check();
    }
}

fn registered(register: &Request) -> Bytes {
    let ok = StatusCode::new(200).expect("a code");
    let mut response = Response::to_request(register, ok);
    let contact = register.headers().get("Contact").unwrap_or("*");
    let contact = format!("{contact};expires=600");
    let _none = response.headers_mut().push("Contact", &contact);
    response.to_bytes()
}
