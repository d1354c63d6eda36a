//! `NativePbx`.

use napi::bindgen_prelude::{Env, Function, Result};
use napi_derive::napi;
use runtime::{CommandError, PbxCommand, PbxConfig, PbxServer, Ticket};

use crate::events::{EventStream, Liveness};
use crate::phone::{failed, invalid};

/// The embedded PBX: a task of the runtime with its ordered event stream.
#[napi]
#[derive(Debug)]
pub struct NativePbx {
    server: Option<PbxServer>,
    port: u16,
    liveness: Liveness,
}

#[napi]
impl NativePbx {
    /// Starts a PBX on a free loopback port; throws where an option is wrong, with the text for the user.
    #[napi(constructor)]
    pub fn new(options: String, on_event: Function<'_, String, ()>) -> Result<NativePbx> {
        let config: PbxConfig = serde_json::from_str(&options).map_err(invalid)?;
        let (events, liveness) = EventStream::new(&on_event)?;
        let server = PbxServer::start(config, Box::new(events)).map_err(invalid)?;
        Ok(NativePbx {
            port: server.address().port(),
            server: Some(server),
            liveness,
        })
    }

    /// The port it listens on.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Queues a command; its outcome is the reply event with this ticket.
    #[napi]
    pub fn command(&self, ticket: f64, command: String) -> Result<()> {
        let command: PbxCommand = serde_json::from_str(&command).map_err(invalid)?;
        self.server()?
            .command(Ticket(ticket as u64), command)
            .map_err(failed)
    }

    /// Keeps Node alive while the PBX runs, which is the default.
    #[napi(js_name = "ref")]
    pub fn hold(&self, env: Env) -> Result<()> {
        self.liveness.hold(&env)
    }

    /// Lets Node end although the PBX runs.
    #[napi]
    pub fn unref(&self, env: Env) -> Result<()> {
        self.liveness.release(&env)
    }

    /// Stops the PBX in the background.
    #[napi]
    pub fn close(&mut self) {
        self.server = None;
    }

    fn server(&self) -> Result<&PbxServer> {
        self.server
            .as_ref()
            .ok_or_else(|| failed(CommandError::Closed))
    }
}
