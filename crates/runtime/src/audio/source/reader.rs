//! Who plays a source.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use audio::Rate;

use super::super::OpenError;
use super::{NEXT_LEASE, NOBODY, SOURCES, SharedSource, Underway, lock, try_lock};

/// Says that a session plays a [`Source`]; what waits is dropped with it.
pub(crate) struct Lease {
    shared: Arc<SharedSource>,
    number: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.let_go(self.number);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.number).finish()
    }
}

/// The playing end of a [`Source`], held by the one session that plays it. Silent once a [`Lease`] of
/// it is dropped, which whoever holds one does without waiting for the tick.
pub(crate) struct SourceReader {
    shared: Arc<SharedSource>,
    lease: u64,
}

impl SourceReader {
    /// Takes the playing end of the source with this number.
    pub(crate) fn open(id: u64) -> Result<SourceReader, OpenError> {
        let shared = lock(&SOURCES)
            .get(&id)
            .cloned()
            .ok_or(OpenError::NoSource(id))?;
        let lease = NEXT_LEASE.fetch_add(1, Ordering::Relaxed);
        let (free, held) = (Ordering::AcqRel, Ordering::Acquire);
        match shared.holder.compare_exchange(NOBODY, lease, free, held) {
            Ok(_) => {
                shared.was_held.store(true, Ordering::Release);
                Ok(SourceReader { shared, lease })
            }
            Err(_) => Err(OpenError::SourceBusy(id)),
        }
    }

    /// What ends it from elsewhere.
    pub(crate) fn lease(&self) -> Lease {
        Lease {
            shared: Arc::clone(&self.shared),
            number: self.lease,
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        self.shared.rate
    }

    /// Fills `out` from what waits, and with silence if nothing does.
    pub(crate) fn read(&mut self, out: &mut [i16]) {
        // A tick waits for nobody: whoever has the queue drops what is in it, or found it idle just before.
        let Some(mut queue) = try_lock(&self.shared.queue) else {
            return out.fill(0);
        };
        if self.shared.holder.load(Ordering::Acquire) != self.lease {
            return out.fill(0);
        }
        queue.read(&self.shared, out);
        drop(queue);
        self.shared.tell_drain();
    }

    /// Says what is on its way to the far end now that what was read last was taken.
    pub(crate) fn handed(&mut self, underway: Underway) {
        // Who has the queue, if anybody, keeps it for so short a time that the next tick will do.
        let Some(mut queue) = try_lock(&self.shared.queue) else {
            return;
        };
        if self.shared.holder.load(Ordering::Acquire) == self.lease {
            let shared = &self.shared;
            queue.history.note(&shared.track, shared.rate, underway);
        }
    }
}

impl Drop for SourceReader {
    fn drop(&mut self) {
        self.shared.let_go(self.lease);
    }
}

impl fmt::Debug for SourceReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceReader")
            .field("rate", &self.shared.rate)
            .finish_non_exhaustive()
    }
}
