//! Any bytes as what a notification says. The fuzz target compiles this file as well.

use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::{
    Command, Config, Connection, Event, MediaCommand, MediaEvent, Output, Phone, StreamCommand,
    Ticket,
};
use serde_json::{Value, json};
use sip::message::{Leniency, Message, Method, Request, Response, StatusCode};
use sip::transaction::Transport;

const KINDS: [(&str, &str); 6] = [
    ("dialog", "application/dialog-info+xml"),
    ("presence", "application/pidf+xml"),
    ("conference", "application/conference-info+xml"),
    ("message-summary", "application/simple-message-summary"),
    // Inside a call: of a conference that the other party holds, and of a transfer.
    ("conference", "application/conference-info+xml"),
    ("refer", "message/sipfrag"),
];
/// What a phone makes of a document is not larger than the document by more than this factor, or this many bytes.
const MOST_TIMES: usize = 16;
const MOST_MORE: usize = 64 * 1024;

struct Told {
    phone: Phone,
    now: Instant,
    sent: Vec<Bytes>,
    events: Vec<Event>,
    tickets: u64,
}

/// Tells a phone, by a notification of the kind that the first byte names, what the others say.
pub(crate) fn notify(bytes: &[u8], start: Instant) {
    let Some((kind, document)) = bytes.split_first() else {
        return;
    };
    let kind = usize::from(*kind) % KINDS.len();
    let (event, content_type) = KINDS[kind];
    let mut told = Told::new(start);
    let dialog = match kind {
        4 | 5 => told.call(event == "refer"),
        _outside => told.subscribe(event),
    };
    told.events.clear();
    told.receive(notification(&dialog, event, content_type, document));
    let size: usize = told
        .events
        .iter()
        .map(|event| serde_json::to_string(event).expect("plain data").len())
        .sum();
    assert!(
        size <= document.len() * MOST_TIMES + MOST_MORE,
        "{size} bytes of {} were told",
        document.len()
    );
    told.order(json!({ "type": "destroy" }));
}

impl Told {
    fn new(now: Instant) -> Self {
        let options = json!({
            "uri": "sip:alice@example.com",
            "servers": "wss://pbx.example.com/ws",
            "register": false,
            "audio": "none",
        });
        let config = Config::from_json(&options).expect("they are good");
        let mut told = Self {
            phone: Phone::new(config, [3; 32], now, Duration::from_secs(1_795_219_200)),
            now,
            sent: Vec::new(),
            events: Vec::new(),
            tickets: 0,
        };
        told.order(json!({ "type": "initialize" }));
        let connection = Connection::Up {
            server: 0,
            transport: Transport::Wss,
            local: None,
        };
        told.phone.handle_connection(connection, now);
        told.drain();
        told
    }

    /// The request that made the dialog in which the notification comes.
    fn subscribe(&mut self, event: &str) -> Request {
        self.order(json!({ "type": "subscribe", "target": "bob", "event": event }));
        let subscribe = self.request(&Method::Subscribe);
        self.receive(answer(&subscribe, 200, "Expires", "600", b""));
        subscribe
    }

    /// A call to a focus, in which a transfer is under way where that is wanted.
    fn call(&mut self, transfers: bool) -> Request {
        self.order(json!({ "type": "call", "target": "bob" }));
        let invite = self.request(&Method::Invite);
        let focus = "<sip:room@example.com>;isfocus";
        self.receive(answer(&invite, 200, "Contact", focus, b"v=0\r\n"));
        if transfers {
            let session = self.events.iter().find_map(|event| {
                let event = serde_json::to_value(event).expect("plain data");
                event["session"]["id"].as_str().map(str::to_owned)
            });
            self.order(json!({ "type": "transfer", "id": session, "target": "carol" }));
            let refer = self.request(&Method::Refer);
            self.receive(answer(&refer, 202, "X-Y", "z", b""));
        }
        invite
    }

    fn order(&mut self, command: Value) {
        let command: Command = serde_json::from_value(command).expect("a good command");
        self.tickets += 1;
        self.phone
            .handle_command(Ticket(self.tickets), command, self.now);
        self.drain();
    }

    fn receive(&mut self, frame: Bytes) {
        self.phone.handle_signaling(frame, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.phone.poll_output() {
                Output::Timeout(..) | Output::Closed => return,
                Output::Send(message) => self.sent.push(message.0),
                Output::Event(event) => self.take(event),
                Output::Media(id, MediaCommand::Stream(StreamCommand::Offer)) => {
                    let sdp = "v=0\r\n".into();
                    let described = MediaEvent::Described { sdp };
                    self.phone.handle_media(id, described, self.now);
                }
                Output::Media(id, MediaCommand::Stream(StreamCommand::SetAnswer { .. })) => {
                    let applied = MediaEvent::AnswerApplied;
                    self.phone.handle_media(id, applied, self.now);
                }
                _output => {}
            }
        }
        panic!("poll_output never came to Timeout");
    }

    fn take(&mut self, event: Event) {
        if let Event::SessionStarted { session } = &event {
            let command = Command::Delivered { id: session.id };
            self.tickets += 1;
            self.phone
                .handle_command(Ticket(self.tickets), command, self.now);
        }
        self.events.push(event);
    }

    /// The latest request of this method that the phone sent.
    fn request(&self, wanted: &Method) -> Request {
        let requests = self.sent.iter().rev().filter_map(|bytes| {
            let parsed = Message::parse(bytes.clone(), Leniency::Interop).ok()?;
            match parsed.message {
                Message::Request(request) if request.method() == wanted => Some(request),
                Message::Request(_) | Message::Response(_) => None,
            }
        });
        requests.into_iter().next().expect("it was sent")
    }
}

fn answer(request: &Request, code: u16, name: &str, value: &str, sdp: &'static [u8]) -> Bytes {
    let code = StatusCode::new(code).expect("a code");
    let mut response = Response::to_request(request, code);
    let mut to = response.headers().to().expect("we wrote one").into_owned();
    to.set_tag("theirs");
    response.headers_mut().replace_typed(&to);
    response.headers_mut().push(name, value).expect("ours");
    if name != "Contact" {
        let contact = "<sip:bob@theirs.invalid>";
        response
            .headers_mut()
            .push("Contact", contact)
            .expect("ours");
    }
    match sdp {
        [] => response.to_bytes(),
        sdp => {
            let described = response.with_body("application/sdp", Bytes::from_static(sdp));
            described.expect("a media type").to_bytes()
        }
    }
}

fn notification(dialog: &Request, event: &str, content_type: &str, document: &[u8]) -> Bytes {
    let get = |name| dialog.headers().get(name).unwrap_or_default();
    let head = format!(
        "NOTIFY sip:alice@a.invalid SIP/2.0\r\n\
         Via: SIP/2.0/WSS p.example.com;branch=z9hG4bKn\r\n\
         From: {};tag=theirs\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 7 NOTIFY\r\n\
         Contact: <sip:bob@theirs.invalid>\r\nEvent: {event}\r\n\
         Subscription-State: active;expires=600\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        get("To"),
        get("From"),
        get("Call-ID"),
        document.len(),
    );
    [head.as_bytes(), document].concat().into()
}
