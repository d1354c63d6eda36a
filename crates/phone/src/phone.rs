//! The phone itself: one input in, outputs out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::command::Command;
use crate::config::Config;
use crate::error::{ErrorCode, ErrorType, PhoneError};
use crate::event::Event;
use crate::id::{SessionId, Ticket};
use crate::media::MediaEvent;
use crate::output::{Connection, Output, Reply, Wake};

/// A softphone without I/O: **give one input, then drain `poll_output` until `Timeout`.**
#[derive(Debug)]
pub struct Phone {
    config: Config,
    outputs: VecDeque<Output>,
    closed: bool,
    far: Instant,
}

impl Phone {
    /// Makes a phone that waits for `Initialize`. `unix_time` is the time since 1970 at `now`.
    pub fn new(config: Config, _seed: [u8; 32], now: Instant, _unix_time: Duration) -> Self {
        Self {
            config,
            outputs: VecDeque::new(),
            closed: false,
            far: now + Duration::from_secs(3600),
        }
    }

    /// What the phone was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes a command of the application; its `Reply` names the ticket.
    pub fn handle_command(&mut self, ticket: Ticket, command: Command, _now: Instant) {
        match command {
            Command::Destroy {} => {
                self.outputs.push_back(Output::Event(Event::Closed));
                self.outputs
                    .push_back(Output::Reply(ticket, Ok(Reply::Done)));
                self.closed = true;
            }
            _other => self.outputs.push_back(Output::Reply(
                ticket,
                Err(PhoneError::new(
                    ErrorCode::NotConnected,
                    ErrorType::Generic,
                    "Not connected",
                )),
            )),
        }
    }

    /// Takes news of the WebSocket.
    pub fn handle_connection(&mut self, _connection: Connection, _now: Instant) {}

    /// Takes the payload of one WebSocket message.
    pub fn handle_signaling(&mut self, _message: Bytes, _now: Instant) {}

    /// Takes the pong to our ping.
    pub fn handle_pong(&mut self, _now: Instant) {}

    /// Takes news of a session's media.
    pub fn handle_media(&mut self, _id: SessionId, _event: MediaEvent, _now: Instant) {}

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, _now: Instant) {}

    /// Gives the next thing to do.
    pub fn poll_output(&mut self) -> Output {
        match self.outputs.pop_front() {
            Some(output) => output,
            None if self.closed => Output::Closed,
            None => Output::Timeout(self.far, Wake::Idle),
        }
    }
}
