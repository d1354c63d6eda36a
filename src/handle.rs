//! What every native object with a task of the runtime has: the task's handle, and its hold on Node.

use napi::bindgen_prelude::{Env, Error, Function, Result, Status};
use runtime::CommandError;
use serde::de::DeserializeOwned;

use crate::events::{EventStream, Liveness};

/// A task of the runtime with its ordered event stream; closing or dropping it ends the task.
#[derive(Debug)]
pub(crate) struct Handle<T> {
    task: Option<T>,
    liveness: Liveness,
}

impl<T> Handle<T> {
    pub(crate) fn start(
        on_event: &Function<'_, String, ()>,
        start: impl FnOnce(Box<EventStream>) -> Result<T>,
    ) -> Result<Handle<T>> {
        let (events, liveness) = EventStream::new(on_event)?;
        let task = Some(start(Box::new(events))?);
        Ok(Handle { task, liveness })
    }

    pub(crate) fn task(&self) -> Result<&T> {
        self.task
            .as_ref()
            .ok_or_else(|| refused(CommandError::Closed))
    }

    /// Keeps Node alive while the task runs.
    pub(crate) fn hold(&self, env: &Env) -> Result<()> {
        self.liveness.hold(env)
    }

    /// Lets Node end although the task runs.
    pub(crate) fn release(&self, env: &Env) -> Result<()> {
        self.liveness.release(env)
    }

    pub(crate) fn close(&mut self) {
        self.task = None;
    }
}

/// Reads what JavaScript wrote; what can't be read is the caller's mistake.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(invalid)
}

pub(crate) fn invalid(error: impl ToString) -> Error {
    Error::new(Status::InvalidArg, error.to_string())
}

/// A command that the task does not take; the status says why.
pub(crate) fn refused(error: CommandError) -> Error {
    let status = match error {
        CommandError::Closed => Status::Closing,
        CommandError::Busy => Status::QueueFull,
    };
    Error::new(status, error.to_string())
}

pub(crate) fn failed(error: impl ToString) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}
