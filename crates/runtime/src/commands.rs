//! Commands on their way to a task: so many may wait, and what gives up or ends has room in any case.

use std::fmt;

use thiserror::Error;
use tokio::sync::mpsc::{self, error::TrySendError};

/// Commands that may wait at once; a caller that is faster is told so instead of being queued.
const MAX_WAITING: usize = 1024;

/// A command was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The task has ended.
    #[error("the softphone is closed")]
    Closed,
    /// More commands wait than may.
    #[error("too many commands are waiting ({MAX_WAITING})")]
    Busy,
}

/// What a command may fill of the room that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Room for [`MAX_WAITING`].
    Ordinary,
    /// As much again: each gives up what another one began.
    GivesUp,
    /// The last place. There is one such command.
    Ends,
}

impl Kind {
    /// Places that it leaves to others.
    fn leaves(self) -> usize {
        match self {
            Kind::Ordinary => MAX_WAITING + 1,
            Kind::GivesUp => 1,
            Kind::Ends => 0,
        }
    }
}

/// The sending end, of a handle.
pub(crate) struct Commands<T> {
    /// Room as [`Kind`] says; what finds none is refused as [`CommandError::Busy`].
    sender: mpsc::Sender<T>,
}

impl<T> Commands<T> {
    pub(crate) fn new() -> (Commands<T>, mpsc::Receiver<T>) {
        let (sender, inbox) = mpsc::channel(2 * MAX_WAITING + 1);
        (Commands { sender }, inbox)
    }

    /// Gives a command, after those that wait.
    pub(crate) fn give(&self, kind: Kind, command: T) -> Result<(), CommandError> {
        let room = self.sender.try_reserve_many(1 + kind.leaves());
        let mut room = room.map_err(|error| match error {
            TrySendError::Full(()) => CommandError::Busy,
            TrySendError::Closed(()) => CommandError::Closed,
        })?;
        if let Some(place) = room.next() {
            place.send(command);
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Commands<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands")
            .field("closed", &self.sender.is_closed())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_wait_there_is_room_to_give_up_and_to_end() {
        let (commands, mut inbox) = Commands::new();
        for number in 0..MAX_WAITING {
            assert_eq!(commands.give(Kind::Ordinary, number), Ok(()));
        }
        assert_eq!(commands.give(Kind::Ordinary, 0), Err(CommandError::Busy));
        for number in MAX_WAITING..2 * MAX_WAITING {
            assert_eq!(commands.give(Kind::GivesUp, number), Ok(()));
        }
        assert_eq!(commands.give(Kind::GivesUp, 0), Err(CommandError::Busy));
        assert_eq!(commands.give(Kind::Ends, 2 * MAX_WAITING), Ok(()));
        let taken: Vec<usize> = std::iter::from_fn(|| inbox.try_recv().ok()).collect();
        assert_eq!(taken, (0..=2 * MAX_WAITING).collect::<Vec<_>>(), "in order");
        drop(inbox);
        assert_eq!(commands.give(Kind::Ends, 0), Err(CommandError::Closed));
    }
}
