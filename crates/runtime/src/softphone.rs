//! The handle of one phone: commands go in, the phone's task lives until it is closed.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fmt, io};

use phone::{Command, Config, SessionId, Ticket};
use tokio::sync::Notify;

use crate::commands::{CommandError, Commands, Kind};
use crate::driver::{Driver, Request};
use crate::event::EventSink;
use crate::farewell::Attendance;
use crate::io_threads::IoThreads;
use crate::metrics::{Health, Showcase};

/// A running phone; dropping it closes the phone politely in the background, without waiting.
pub struct Softphone {
    requests: Commands<Request>,
    showcase: Arc<Showcase>,
    _threads: Arc<IoThreads>,
}

impl Softphone {
    /// Starts a phone's task; `events` gets its one ordered stream.
    ///
    /// # Errors
    ///
    /// The system has no thread, socket or randomness to give.
    pub fn start(config: Config, events: Box<dyn EventSink>) -> io::Result<Softphone> {
        let threads = IoThreads::shared()?;
        let (requests, inbox) = Commands::new();
        let leave = Arc::new(Notify::new());
        let hangs_up = config.hang_up_on_exit;
        let attendance = hangs_up.then(|| Attendance::begin(Arc::clone(&leave)));
        let driver = Driver::new(config, inbox, leave, seed()?);
        let showcase = driver.showcase();
        // Not joined: it ends by itself when the phone is closed, and the threads with the last one.
        threads.spawn(async move {
            driver.run(events).await;
            drop(attendance);
        });
        Ok(Softphone {
            requests,
            showcase,
            _threads: threads,
        })
    }

    /// Gives a command; its outcome is the reply event with this ticket.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a command of another kind is an ordinary one"
    )]
    pub fn command(&self, ticket: Ticket, command: Command) -> Result<(), CommandError> {
        let kind = match &command {
            Command::Destroy {} => Kind::Ends,
            Command::Abort { .. } => Kind::GivesUp,
            _ => Kind::Ordinary,
        };
        self.requests.give(kind, Request::Command(ticket, command))
    }

    /// Whether it would take a call now, and what speaks for it.
    pub fn health(&self) -> Health {
        self.showcase.health()
    }

    /// What it has to show, in Prometheus' text form.
    pub fn metrics(&self) -> String {
        self.showcase.page()
    }

    /// Asks for all figures of a session; they are the value of the reply event with this ticket.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn stats(&self, ticket: Ticket, id: SessionId) -> Result<(), CommandError> {
        self.requests
            .give(Kind::Ordinary, Request::Stats(ticket, id))
    }

    /// Writes the report of a session to a file; the reply event with this ticket says how that went.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn report(&self, ticket: Ticket, id: SessionId, path: PathBuf) -> Result<(), CommandError> {
        self.requests
            .give(Kind::Ordinary, Request::Report(ticket, id, path))
    }

    /// Writes to a file what goes over the network from now on; the reply event with this ticket says whether it could be
    /// opened.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn capture(&self, ticket: Ticket, path: PathBuf) -> Result<(), CommandError> {
        self.requests
            .give(Kind::Ordinary, Request::Capture(ticket, path))
    }

    /// Writes no more; the reply event with this ticket says whether all was written.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn stop_capture(&self, ticket: Ticket) -> Result<(), CommandError> {
        self.requests
            .give(Kind::Ordinary, Request::StopCapture(ticket))
    }
}

impl fmt::Debug for Softphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Softphone")
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

pub(crate) fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    tokio_rustls::rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut seed)
        .map_err(|_| io::Error::other("the system gives no randomness"))?;
    Ok(seed)
}
