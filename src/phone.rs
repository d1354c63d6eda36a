//! `NativePhone`.

use napi::bindgen_prelude::{Env, Function, Result};
use napi_derive::napi;
use runtime::{Config, SessionId, Softphone, Ticket};

use crate::handle::{Handle, failed, invalid, read, refused};

/// One phone: a task of the runtime with its ordered event stream.
#[napi]
#[derive(Debug)]
pub struct NativePhone {
    softphone: Handle<Softphone>,
}

#[napi]
impl NativePhone {
    /// Starts a phone; throws if an option is wrong, with the text for the user.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        options: String,
        on_event: Function<'_, String, ()>,
    ) -> Result<NativePhone> {
        let config = config(&options)?;
        crate::farewell::at_end_of_thread(&env)?;
        let softphone = Handle::start(&on_event, |events| {
            Softphone::start(config, events).map_err(failed)
        })?;
        Ok(NativePhone { softphone })
    }

    /// Queues a command; its outcome is the reply event with this ticket.
    #[napi]
    pub fn command(&self, ticket: f64, command: String) -> Result<()> {
        self.softphone
            .task()?
            .command(Ticket(ticket as u64), read(&command)?)
            .map_err(refused)
    }

    /// Asks for a session's statistics; they are the value of the reply event with this ticket.
    #[napi]
    pub fn stats(&self, ticket: f64, session_id: String) -> Result<()> {
        let id: SessionId = session_id.parse().map_err(invalid)?;
        self.softphone
            .task()?
            .stats(Ticket(ticket as u64), id)
            .map_err(refused)
    }

    /// Writes a session's report to a file; the reply event with this ticket says how that went.
    #[napi]
    pub fn report(&self, ticket: f64, session_id: String, path: String) -> Result<()> {
        let id: SessionId = session_id.parse().map_err(invalid)?;
        self.softphone
            .task()?
            .report(Ticket(ticket as u64), id, path.into())
            .map_err(refused)
    }

    /// Writes to a file what goes over the network; the reply event with this ticket says whether it could be opened.
    #[napi]
    pub fn capture(&self, ticket: f64, path: String) -> Result<()> {
        self.softphone
            .task()?
            .capture(Ticket(ticket as u64), path.into())
            .map_err(refused)
    }

    /// Writes no more; the reply event with this ticket says whether all was written.
    #[napi]
    pub fn stop_capture(&self, ticket: f64) -> Result<()> {
        self.softphone
            .task()?
            .stop_capture(Ticket(ticket as u64))
            .map_err(refused)
    }

    /// How it stands, as JSON.
    #[napi]
    pub fn health(&self) -> Result<String> {
        serde_json::to_string(&self.softphone.task()?.health()).map_err(failed)
    }

    /// What it has to show, in Prometheus' text form.
    #[napi]
    pub fn metrics(&self) -> Result<String> {
        Ok(self.softphone.task()?.metrics())
    }

    /// Keeps Node alive while the phone runs, which is the default.
    #[napi(js_name = "ref")]
    pub fn hold(&self, env: Env) -> Result<()> {
        self.softphone.hold(&env)
    }

    /// Lets Node end although the phone runs.
    #[napi]
    pub fn unref(&self, env: Env) -> Result<()> {
        self.softphone.release(&env)
    }

    /// Closes the phone in the background.
    #[napi]
    pub fn close(&mut self) {
        self.softphone.close();
    }
}

/// Throws if an option is wrong, with the text for the user; nothing is started.
#[napi]
pub fn check_options(options: String) -> Result<()> {
    config(&options).map(|_| ())
}

fn config(options: &str) -> Result<Config> {
    Config::from_json(&read(options)?).map_err(invalid)
}
