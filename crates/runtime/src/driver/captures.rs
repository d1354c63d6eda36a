//! The capture of a phone: none, being opened, running, or over although nobody has stopped it.

use phone::{ErrorCode, PhoneError, Ticket};
use tokio::task::JoinSet;

use crate::capture::{CaptureFile, CaptureOutcome, PacketTap};

/// At most one at a time.
#[derive(Default)]
pub(super) struct Captures {
    opening: bool,
    tap: Option<PacketTap>,
    /// Who waits until all is written.
    stopping: Vec<Ticket>,
    /// Why one is over that nobody has stopped.
    failure: Option<PhoneError>,
    /// Writes files; joined when the phone ends.
    tasks: JoinSet<CaptureOutcome>,
}

impl Captures {
    /// Who is shown what goes over the line.
    pub(super) fn tap(&self) -> Option<&PacketTap> {
        self.tap.as_ref()
    }

    /// Whether a file may be opened.
    pub(super) fn begin(&mut self) -> Result<(), PhoneError> {
        if self.opening || !self.tasks.is_empty() {
            let text = "A capture of this phone is being written already: stop it first";
            return Err(PhoneError::new(ErrorCode::CaptureFailed, text));
        }
        self.opening = true;
        self.failure = None;
        Ok(())
    }

    /// Takes the file, if it could be opened.
    pub(super) fn opened(
        &mut self,
        opened: Result<CaptureFile, PhoneError>,
    ) -> Result<(), PhoneError> {
        self.opening = false;
        let (tap, write) = opened?.split();
        self.tasks.spawn_blocking(write);
        self.tap = Some(tap);
        Ok(())
    }

    /// Shows nothing any more; gives at once what there is to say if no file is being written.
    pub(super) fn stop(&mut self, ticket: Ticket) -> Option<Result<(), PhoneError>> {
        self.tap = None;
        if self.tasks.is_empty() {
            return Some(self.failure.take().map_or(Ok(()), Err));
        }
        self.stopping.push(ticket);
        None
    }

    /// Waits until a file is written; for ever if there is none.
    pub(super) async fn ended(&mut self) -> Option<CaptureOutcome> {
        let joined = self.tasks.join_next().await?;
        Some(joined.unwrap_or_else(|broken| {
            let text = "The capture broke off; this is a bug in offhook";
            Err(PhoneError::new(ErrorCode::CaptureFailed, text).with_cause(broken.to_string()))
        }))
    }

    /// Who waited for a file that is written now; nobody if it broke off, which is kept for whoever stops it.
    pub(super) fn settle(&mut self, outcome: &CaptureOutcome) -> Vec<Ticket> {
        self.tap = None;
        if self.stopping.is_empty() {
            self.failure = outcome.as_ref().err().cloned();
        }
        std::mem::take(&mut self.stopping)
    }

    /// Ends with the phone.
    pub(super) async fn end(&mut self) {
        self.tap = None;
        while self.tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> PhoneError {
        PhoneError::new(ErrorCode::CaptureFailed, "the disk is full")
    }

    #[tokio::test]
    async fn whoever_stops_one_that_broke_off_learns_why_once() {
        let mut captures = Captures::default();
        captures.begin().expect("none is written");
        assert!(captures.begin().is_err());
        captures.opening = false;
        captures.tasks.spawn_blocking(|| Err(failure()));
        let outcome = captures.ended().await.expect("a file");
        assert!(captures.settle(&outcome).is_empty());
        assert_eq!(captures.stop(Ticket(1)), Some(Err(failure())));
        assert_eq!(captures.stop(Ticket(2)), Some(Ok(())));
        assert!(captures.begin().is_ok());
    }

    #[tokio::test]
    async fn whoever_stops_one_waits_until_it_is_written() {
        let mut captures = Captures::default();
        captures.tasks.spawn_blocking(|| Ok(0));
        assert_eq!(captures.stop(Ticket(1)), None);
        let outcome = captures.ended().await.expect("a file");
        assert_eq!(captures.settle(&outcome), [Ticket(1)]);
        assert!(captures.ended().await.is_none());
    }
}
