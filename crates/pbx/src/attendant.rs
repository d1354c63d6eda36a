//! The extensions that answer: each is a phone of its own, on a flow inside the PBX.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::audio::Input;
use phone::config::Options;
use phone::{
    Command, ConferenceId, Config, ConfigError, Connection, MediaCommand, MediaEvent, Phone,
    SessionId, SipText, SoundCommand, Ticket,
};
use serde_json::{Value, json};
use sip::transaction::{FlowId, Transport};

use crate::config::{Extension, Line};
use crate::event::Event;

/// What an extension wants done.
#[derive(Debug)]
pub(crate) enum Step {
    /// A SIP message, into the switch.
    Send(SipText),
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
    answer_after: Duration,
    early_media: bool,
    phone: Phone,
    /// Calls that ring, and when they are answered.
    ringing: BTreeSet<(Instant, SessionId)>,
    /// Callers of a conference that the others don't hear.
    muted: BTreeSet<SessionId>,
    wake: Option<Instant>,
}

// Nobody waits for what an extension's phone replies.
const NOBODY: Ticket = Ticket(0);

impl Attendant {
    /// Makes the phone of one extension; the first `drain` connects it.
    pub(crate) fn new(
        user: &str,
        line: Line,
        domain: &str,
        flow: FlowId,
        seed: [u8; 32],
        now: Instant,
        unix_time: Duration,
    ) -> Result<Self, ConfigError> {
        let config = Config::try_from(Options::from_json(&options(user, &line, domain))?)?;
        let mut phone = Phone::new(config, seed, now, unix_time);
        phone.handle_command(NOBODY, Command::Initialize {}, now);
        Ok(Self {
            flow,
            user: user.to_owned(),
            kind: line.extension,
            answer_after: line.answer_after,
            early_media: line.early_media,
            phone,
            ringing: BTreeSet::new(),
            muted: BTreeSet::new(),
            wake: None,
        })
    }

    pub(crate) fn handle_load(&mut self, load: f64) {
        self.phone.handle_load(load);
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
        let mut steps = self.drain(now);
        while let Some((at, id)) = self.ringing.first().copied()
            && at <= now
        {
            self.ringing.pop_first();
            self.phone
                .handle_command(NOBODY, Command::Connect { id }, now);
            steps.extend(self.drain(now));
        }
        steps
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let answer = self.ringing.first().map(|(at, _)| *at);
        self.wake.into_iter().chain(answer).min()
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
                phone::Output::Event(event) => self.react(event, &mut due, &mut steps, now),
                phone::Output::Ping => due.push_back(Due::Pong),
                phone::Output::Reply(..)
                | phone::Output::Find { .. }
                | phone::Output::Disconnect
                | phone::Output::Conference(..)
                | phone::Output::Recording(..)
                | phone::Output::Journal(_)
                | phone::Output::IceServers(_)
                | phone::Output::Listen
                | phone::Output::SendTo(..)
                | phone::Output::StopListening
                | phone::Output::HangUp(_)
                | phone::Output::Reach { .. }
                | phone::Output::Ring(_) => {}
                phone::Output::Timeout(at, _) => match due.pop_front() {
                    Some(Due::Connected) => self.phone.handle_connection(
                        Connection::Up {
                            server: 0,
                            transport: Transport::Ws,
                            local: None,
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

    fn react(
        &mut self,
        event: phone::Event,
        due: &mut VecDeque<Due>,
        steps: &mut Vec<Step>,
        now: Instant,
    ) {
        let mut order = |command| due.push_back(Due::Command(command));
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "an extension reacts to few of a phone's events, whatever others there are"
        )]
        match event {
            phone::Event::PendingSession(pending) => order(Command::Delivered { id: pending.id }),
            phone::Event::SessionStarted { session } => {
                let id = session.id;
                order(Command::Delivered { id });
                if let Some(input) = self.greeting(id) {
                    order(Command::SetInput { id, input });
                }
                if self.early_media {
                    order(Command::SendEarlyMedia { id });
                }
                match self.answer_after.is_zero() {
                    true => order(Command::Connect { id }),
                    false => {
                        self.ringing.insert((now + self.answer_after, id));
                    }
                }
            }
            phone::Event::SessionEnded { id, .. } => {
                self.ringing.retain(|(_, ringing)| *ringing != id);
                self.muted.remove(&id);
            }
            phone::Event::Dtmf {
                id, tone, duration, ..
            } => {
                if self.kind == Extension::Menu
                    && let Some(command) = menu(id, tone.reveal())
                {
                    order(command);
                }
                if self.kind == Extension::Conference && tone.reveal() == "*" {
                    steps.push(Step::Media(id, self.toggle_mute(id).into()));
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

    /// What a caller hears from the start, if that is not the same for all.
    fn greeting(&self, id: SessionId) -> Option<Input> {
        match self.kind {
            Extension::Echo => Some(Input::Session { id }),
            Extension::Conference => Some(Input::Conference {
                id: ConferenceId(self.flow.0),
            }),
            Extension::Tone { .. }
            | Extension::Prompt { .. }
            | Extension::Menu
            | Extension::Refuse { .. }
            | Extension::Ring => None,
        }
    }

    fn toggle_mute(&mut self, id: SessionId) -> SoundCommand {
        let muted = self.muted.insert(id) || !self.muted.remove(&id);
        let percent = if muted { 0 } else { 100 };
        SoundCommand::SetVoice { percent }
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
                cause: None,
                text: None,
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

fn options(user: &str, line: &Line, domain: &str) -> Value {
    let input = match &line.extension {
        Extension::Tone { frequency } => json!({ "type": "tone", "frequency": frequency }),
        Extension::Prompt { path, repeat } => {
            json!({ "type": "wav", "path": path, "repeat": repeat })
        }
        Extension::Echo
        | Extension::Menu
        | Extension::Conference
        | Extension::Refuse { .. }
        | Extension::Ring => json!({ "type": "none" }),
    };
    json!({
        "uri": format!("sip:{user}@{domain}"),
        "servers": "ws://pbx.invalid/",
        "register": false,
        "autoAnswer": { "policy": "always", "whenBusy": "answer" },
        // Whoever tries what a hundred calls at once do to an application rings here first.
        "maxRinging": 1000,
        // The extension's own time decides when it is connected.
        "autoConnectSessions": false,
        "audio": { "input": input, "output": "none" },
        "userAgent": concat!("offhook-pbx/", env!("CARGO_PKG_VERSION")),
    })
}
