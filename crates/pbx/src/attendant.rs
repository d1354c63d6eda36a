//! The extensions that answer: each is a phone of its own, on a flow inside the PBX.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::audio::Input;
use phone::config::Options;
use phone::{
    Command, Config, ConfigError, Connection, MediaCommand, MediaEvent, Phone, SessionId, Ticket,
};
use serde_json::{Value, json};
use sip::transaction::FlowId;

use crate::config::Extension;
use crate::event::Event;

/// What an extension wants done.
#[derive(Debug)]
pub(crate) enum Step {
    /// A SIP message, into the switch.
    Send(Bytes),
    Media(SessionId, MediaCommand),
    Event(Event),
}

/// What an extension's phone is given next.
#[derive(Debug)]
enum Due {
    Connected,
    Pong,
    Command(Command),
}

/// One extension.
#[derive(Debug)]
pub(crate) struct Attendant {
    pub(crate) flow: FlowId,
    user: String,
    kind: Extension,
    phone: Phone,
    wake: Option<Instant>,
}

// Nobody waits for what an extension's phone replies.
const NOBODY: Ticket = Ticket(0);

impl Attendant {
    /// Makes the phone of one extension; the first `drain` connects it.
    pub(crate) fn new(
        user: &str,
        kind: Extension,
        domain: &str,
        flow: FlowId,
        seed: [u8; 32],
        now: Instant,
        unix_time: Duration,
    ) -> Result<Self, ConfigError> {
        let config = Config::try_from(Options::from_json(&options(user, &kind, domain))?)?;
        let mut phone = Phone::new(config, seed, now, unix_time);
        phone.handle_command(NOBODY, Command::Initialize {}, now);
        Ok(Self {
            flow,
            user: user.to_owned(),
            kind,
            phone,
            wake: None,
        })
    }

    pub(crate) fn handle_signaling(&mut self, bytes: Bytes, now: Instant) -> Vec<Step> {
        self.phone.handle_signaling(bytes, now);
        self.drain(now)
    }

    pub(crate) fn handle_media(
        &mut self,
        id: SessionId,
        event: MediaEvent,
        now: Instant,
    ) -> Vec<Step> {
        self.phone.handle_media(id, event, now);
        self.drain(now)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<Step> {
        self.phone.handle_timeout(now);
        self.drain(now)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.wake
    }

    /// Takes everything out of the phone, and gives it what its own outputs call for.
    pub(crate) fn drain(&mut self, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut due = VecDeque::new();
        loop {
            match self.phone.poll_output() {
                phone::Output::Send(bytes) => steps.push(Step::Send(bytes)),
                phone::Output::Media(id, command) => steps.push(Step::Media(id, command)),
                phone::Output::Connect { .. } => due.push_back(Due::Connected),
                phone::Output::Event(event) => self.react(event, &mut due, &mut steps),
                phone::Output::Ping => due.push_back(Due::Pong),
                phone::Output::Reply(..) | phone::Output::Disconnect => {}
                phone::Output::Timeout(at, _) => match due.pop_front() {
                    Some(Due::Connected) => self.phone.handle_connection(
                        Connection::Up {
                            server: 0,
                            secure: false,
                        },
                        now,
                    ),
                    Some(Due::Pong) => self.phone.handle_pong(now),
                    Some(Due::Command(command)) => {
                        self.phone.handle_command(NOBODY, command, now);
                    }
                    None => {
                        self.wake = Some(at);
                        return steps;
                    }
                },
                phone::Output::Closed => {
                    self.wake = None;
                    return steps;
                }
            }
        }
    }

    fn react(&self, event: phone::Event, due: &mut VecDeque<Due>, steps: &mut Vec<Step>) {
        let mut order = |command| due.push_back(Due::Command(command));
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "an extension reacts to four of a phone's events, whatever others there are"
        )]
        match event {
            phone::Event::PendingSession(pending) => order(Command::Delivered { id: pending.id }),
            phone::Event::SessionStarted { session } => {
                let id = session.id;
                order(Command::Delivered { id });
                if self.kind == Extension::Echo {
                    order(Command::SetInput {
                        id,
                        input: Input::Session { id },
                    });
                }
            }
            phone::Event::Dtmf { id, tone, duration } => {
                if self.kind == Extension::Menu
                    && let Some(command) = menu(id, tone.reveal())
                {
                    order(command);
                }
                steps.push(Step::Event(Event::Dtmf {
                    extension: self.user.clone(),
                    tone: tone.reveal().to_owned(),
                    duration,
                }));
            }
            _ => {}
        }
    }
}

/// What the menu does about a key.
fn menu(id: SessionId, key: &str) -> Option<Command> {
    let input = match key {
        "#" => {
            return Some(Command::End {
                id: Some(id),
                conversation_id: None,
                reason: None,
            });
        }
        "*" => Input::Session { id },
        "0" => Input::None,
        key => Input::Tone {
            frequency: 100.0 * f64::from(key.parse::<u8>().ok()?),
            level: -18.0,
        },
    };
    Some(Command::SetInput { id, input })
}

fn options(user: &str, kind: &Extension, domain: &str) -> Value {
    let input = match kind {
        Extension::Tone { frequency } => json!({ "type": "tone", "frequency": frequency }),
        Extension::Prompt { path, repeat } => {
            json!({ "type": "wav", "path": path, "repeat": repeat })
        }
        Extension::Echo | Extension::Menu | Extension::Refuse { .. } | Extension::Ring => {
            json!({ "type": "none" })
        }
    };
    json!({
        "uri": format!("sip:{user}@{domain}"),
        "servers": "ws://pbx.invalid/",
        "register": false,
        "autoAnswer": { "policy": "always", "whenBusy": "answer" },
        "audio": { "input": input, "output": "none" },
        "userAgent": concat!("offhook-pbx/", env!("CARGO_PKG_VERSION")),
    })
}
