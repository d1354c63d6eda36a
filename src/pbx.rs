//! `NativePbx`.

use napi::bindgen_prelude::{Env, Function, Result};
use napi_derive::napi;
use runtime::{PbxServer, Ticket};

use crate::handle::{Handle, invalid, read, refused};

/// The embedded PBX: a task of the runtime with its ordered event stream.
#[napi]
#[derive(Debug)]
pub struct NativePbx {
    server: Handle<PbxServer>,
    port: u16,
}

#[napi]
impl NativePbx {
    /// Starts a PBX on a free loopback port; throws if an option is wrong, with the text for the user.
    #[napi(constructor)]
    pub fn new(options: String, on_event: Function<'_, String, ()>) -> Result<NativePbx> {
        let config = read(&options)?;
        let server = Handle::start(&on_event, |events| {
            PbxServer::start(config, events).map_err(invalid)
        })?;
        let port = server.task()?.address().port();
        Ok(NativePbx { server, port })
    }

    /// The port it listens on.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Queues a command; its outcome is the reply event with this ticket.
    #[napi]
    pub fn command(&self, ticket: f64, command: String) -> Result<()> {
        self.server
            .task()?
            .command(Ticket(ticket as u64), read(&command)?)
            .map_err(refused)
    }

    /// Keeps Node alive while the PBX runs, which is the default.
    #[napi(js_name = "ref")]
    pub fn hold(&self, env: Env) -> Result<()> {
        self.server.hold(&env)
    }

    /// Lets Node end although the PBX runs.
    #[napi]
    pub fn unref(&self, env: Env) -> Result<()> {
        self.server.release(&env)
    }

    /// Stops the PBX in the background.
    #[napi]
    pub fn close(&mut self) {
        self.server.close();
    }
}
