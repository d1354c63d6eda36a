//! The handle of one phone: commands go in, the phone's task lives until it is closed.

use std::sync::Arc;
use std::{fmt, io};

use phone::{Command, Config, SessionId, Ticket};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::driver::{Driver, Request};
use crate::event::EventSink;
use crate::farewell::Attendance;
use crate::io_threads::IoThreads;

/// Commands that may wait at once; a caller that is faster is told so instead of being queued.
const MAX_WAITING: usize = 1024;

/// A running phone; dropping it closes the phone politely in the background, without waiting.
pub struct Softphone {
    requests: mpsc::Sender<Request>,
    _threads: Arc<IoThreads>,
}

/// A command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The phone has ended.
    #[error("the softphone is closed")]
    Closed,
    /// More commands wait than may.
    #[error("too many commands are waiting ({MAX_WAITING})")]
    Busy,
}

impl Softphone {
    /// Starts a phone's task; `events` gets its one ordered stream.
    ///
    /// # Errors
    ///
    /// The system has no thread, socket or randomness to give.
    pub fn start(config: Config, events: Box<dyn EventSink>) -> io::Result<Softphone> {
        let threads = IoThreads::shared()?;
        let (requests, inbox) = mpsc::channel(MAX_WAITING);
        let hangs_up = config.hang_up_on_exit;
        let attendance = hangs_up.then(|| Attendance::begin(&requests));
        let driver = Driver::new(config, inbox, seed()?);
        // Not joined: it ends by itself when the phone is closed, and the threads with the last one.
        threads.spawn(async move {
            driver.run(events).await;
            drop(attendance);
        });
        Ok(Softphone {
            requests,
            _threads: threads,
        })
    }

    /// Gives a command; its outcome is the reply event with this ticket.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn command(&self, ticket: Ticket, command: Command) -> Result<(), CommandError> {
        self.request(Request::Command(ticket, command))
    }

    /// Asks for all figures of a session; they are the value of the reply event with this ticket.
    ///
    /// # Errors
    ///
    /// The phone has ended, or too many commands wait.
    pub fn stats(&self, ticket: Ticket, id: SessionId) -> Result<(), CommandError> {
        self.request(Request::Stats(ticket, id))
    }

    fn request(&self, request: Request) -> Result<(), CommandError> {
        self.requests
            .try_send(request)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => CommandError::Busy,
                mpsc::error::TrySendError::Closed(_) => CommandError::Closed,
            })
    }
}

impl fmt::Debug for Softphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Softphone")
            .field("closed", &self.requests.is_closed())
            .finish()
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
