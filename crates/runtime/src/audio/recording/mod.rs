//! Recordings: ticks put what both legs say into a queue, and one thread of the process writes all files.
//!
//! ```text
//! a tick ─ Tap ──────────► RecordingQueue ─┐
//! the driver ─ Recording ─► pause, resume ─┴─► the thread ─ Recorder ─► a file, or a stream that JavaScript reads
//! ```
//! **No tick waits for a disk: what does not fit in the queue is silent in the file, and told.**

mod place;
mod queue;
mod thread;

use std::sync::Arc;
use std::time::{Duration, Instant};

use recorder::{Report, Settings};

pub(crate) use place::RecordingPlace;
use queue::RecordingQueue;
pub(crate) use queue::Tap;
pub(crate) use thread::settle;
use thread::{OpenRecording, RecordingThread};

/// What is told of a recording, from the thread that writes.
#[derive(Debug)]
pub(crate) enum RecordingNews {
    /// It can't be written any more, and is over: what was written is whole.
    Failed(String),
    /// So much more is missing, because whoever takes it is too slow.
    Lost(Duration),
    /// It is written in time again.
    InTime,
    /// It is whole; nothing comes after this.
    Ended(RecordingEnd),
}

/// What became of a recording.
#[derive(Debug)]
pub(crate) struct RecordingEnd {
    pub(crate) report: Report,
    /// What is silent because whoever took it was too slow.
    pub(crate) lost: Duration,
}

/// Takes the news; called by the thread that writes, so it must not block.
pub(crate) type TellOfRecording = Box<dyn Fn(RecordingNews) + Send>;

/// A recording, before it is open and until it ends; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    queue: Arc<RecordingQueue>,
    thread: Arc<RecordingThread>,
    settings: Settings,
}

impl Recording {
    /// Makes one whose taps are heard from now on, although nothing is written yet. If it keeps time, what nobody tells of is silence.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn new(settings: Settings, keeps_time: bool) -> std::io::Result<Recording> {
        Ok(Recording {
            queue: Arc::new(RecordingQueue::new(Instant::now(), keeps_time)),
            thread: RecordingThread::shared()?,
            settings,
        })
    }

    /// Hears a session or a conference from its next tick on, in place of who was heard before.
    pub(crate) fn tap(&self) -> Tap {
        Tap::new(&self.queue)
    }

    /// What opens it, on a thread that may block.
    pub(crate) fn opening(&self) -> RecordingOpening {
        RecordingOpening {
            queue: Arc::clone(&self.queue),
            thread: Arc::clone(&self.thread),
            settings: self.settings,
        }
    }

    /// Leaves out what is said from now on, or has it again.
    pub(crate) fn pause(&self, paused: bool) {
        if let Some(at) = self.queue.pause(paused) {
            self.thread.mark(&self.queue, at, paused);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.queue.end();
        self.thread.look();
    }
}

/// Begins to write what a recording has heard.
#[derive(Debug)]
pub(crate) struct RecordingOpening {
    queue: Arc<RecordingQueue>,
    thread: Arc<RecordingThread>,
    settings: Settings,
}

impl RecordingOpening {
    /// Writes to this place.
    pub(crate) fn begin(self, place: RecordingPlace, tell: TellOfRecording) {
        let open = OpenRecording::new(self.queue, self.settings, place, tell);
        self.thread.begin(open);
    }
}

#[cfg(test)]
mod tests;
