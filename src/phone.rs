//! `NativePhone`.

use napi::bindgen_prelude::{Env, Error, Function, Result, Status};
use napi_derive::napi;
use runtime::{Command, CommandError, Config, SessionId, Softphone, Ticket};

use crate::events::{EventStream, Liveness};

/// One phone: a task of the runtime with its ordered event stream.
#[napi]
#[derive(Debug)]
pub struct NativePhone {
    softphone: Option<Softphone>,
    liveness: Liveness,
}

#[napi]
impl NativePhone {
    /// Starts a phone; throws where an option is wrong, with the text for the user.
    #[napi(constructor)]
    pub fn new(options: String, on_event: Function<'_, String, ()>) -> Result<NativePhone> {
        let config = config(&options)?;
        let (events, liveness) = EventStream::new(&on_event)?;
        let softphone = Softphone::start(config, Box::new(events)).map_err(failed)?;
        Ok(NativePhone {
            softphone: Some(softphone),
            liveness,
        })
    }

    /// Queues a command; its outcome is the reply event with this ticket.
    #[napi]
    pub fn command(&self, ticket: f64, command: String) -> Result<()> {
        let command: Command = serde_json::from_str(&command).map_err(invalid)?;
        self.softphone()?
            .command(Ticket(ticket as u64), command)
            .map_err(failed)
    }

    /// Asks for a session's statistics; they are the value of the reply event with this ticket.
    #[napi]
    pub fn stats(&self, ticket: f64, session_id: String) -> Result<()> {
        let id: SessionId = session_id.parse().map_err(invalid)?;
        self.softphone()?
            .stats(Ticket(ticket as u64), id)
            .map_err(failed)
    }

    /// Keeps Node alive while the phone runs, which is the default.
    #[napi(js_name = "ref")]
    pub fn hold(&self, env: Env) -> Result<()> {
        self.liveness.hold(&env)
    }

    /// Lets Node end although the phone runs.
    #[napi]
    pub fn unref(&self, env: Env) -> Result<()> {
        self.liveness.release(&env)
    }

    /// Closes the phone in the background.
    #[napi]
    pub fn close(&mut self) {
        self.softphone = None;
    }

    fn softphone(&self) -> Result<&Softphone> {
        self.softphone
            .as_ref()
            .ok_or_else(|| failed(CommandError::Closed))
    }
}

/// Throws where an option is wrong, with the text for the user; nothing is started.
#[napi]
pub fn check_options(options: String) -> Result<()> {
    config(&options).map(|_| ())
}

fn config(options: &str) -> Result<Config> {
    let options = serde_json::from_str(options).map_err(invalid)?;
    Config::from_json(&options).map_err(invalid)
}

pub(crate) fn invalid(error: impl ToString) -> Error {
    Error::new(Status::InvalidArg, error.to_string())
}

pub(crate) fn failed(error: impl ToString) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}
