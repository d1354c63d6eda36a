//! A look at everything that a call needs, before there is one: what `preflight()` does.
//!
//! ```text
//!            ┌► each server: lookup ─► proxy or TCP ─► TLS ─► WebSocket ─► registration
//! Preflight ─┼► each STUN and TURN server: lookup ─► answer, allocation ─► packets through it; UDP; NAT
//!            ├► microphone, speaker
//!            └► at last the processor, while nothing else is done
//!                    └──── what was seen is judged in the pure crate of this name ────► Check ─► PreflightEventSink
//! ```
//! The steps are those of a phone (`signalling::connect`), and the registration is a phone's own, with an instance of its own, which
//! leaves when it is done: a phone that is registered with the same account stays so.

mod devices;
mod examination;
mod ice;
mod processor;
mod registration;
mod server;
mod verdict;

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use phone::{Config, secret::Secret};
use preflight::Check;
pub use preflight::CheckName;
use serde::Serialize;
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::io_threads::IoThreads;
use examination::Examination;

/// One thing for the application.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PreflightEvent {
    /// Something was looked at.
    Check {
        /// What was found.
        check: Check,
    },
    /// The application's function is asked for the way to a server; it has ten seconds.
    ProxyNeeded {
        /// Names the question in its answer.
        question: u32,
        /// The server, without its query.
        url: String,
    },
    /// The application's function is asked for STUN and TURN servers; it has two seconds.
    IceServersNeeded {
        /// Names the question in its answer.
        question: u32,
    },
    /// All is done; nothing comes after this.
    Done {
        /// Whether nothing has failed.
        ok: bool,
        /// Everything that was told, in a fixed order.
        checks: Vec<Check>,
    },
}

/// Where the events go; dropped when the last one was sent.
pub trait PreflightEventSink: Send {
    /// Takes the next event; called on a task, so it must not block.
    fn send(&mut self, event: PreflightEvent);
}

impl<F: FnMut(PreflightEvent) + Send> PreflightEventSink for F {
    fn send(&mut self, event: PreflightEvent) {
        self(event);
    }
}

/// What a function of the application has answered: the way to a server, or servers as JSON.
#[derive(Debug)]
pub(crate) struct FunctionAnswer {
    pub(crate) question: u32,
    pub(crate) given: Option<Secret>,
    pub(crate) failure: Option<String>,
}

/// A preflight that is under way; dropping it gives it up.
pub struct Preflight {
    answers: UnboundedSender<FunctionAnswer>,
    _threads: Arc<IoThreads>,
}

impl Preflight {
    /// Begins to look at what is `wanted`, with a phone's options.
    ///
    /// # Errors
    ///
    /// The system has no thread to give.
    pub fn start(
        config: Config,
        wanted: BTreeSet<CheckName>,
        events: Box<dyn PreflightEventSink>,
    ) -> io::Result<Preflight> {
        let threads = IoThreads::shared()?;
        // Unbounded: there is an answer for each question, and a question for each server.
        let (answers, inbox) = mpsc::unbounded_channel();
        let examination = Examination::new(config, wanted, Arc::clone(&threads));
        // Not joined: it ends when all is done, or the handle is dropped.
        threads.spawn(examination.run(inbox, events));
        Ok(Preflight {
            answers,
            _threads: threads,
        })
    }

    /// Answers a [`PreflightEvent::ProxyNeeded`] by a proxy, or what a PAC script answers, and an
    /// [`PreflightEvent::IceServersNeeded`] by servers as JSON; one that comes too late says nothing.
    pub fn answer(&self, question: u32, given: Option<String>, failure: Option<String>) {
        let _ = self.answers.send(FunctionAnswer {
            question,
            given: given.map(Secret::new),
            failure,
        });
    }
}

impl fmt::Debug for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preflight")
    }
}
