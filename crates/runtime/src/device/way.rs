use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use super::backend::{Backend, DeviceId, Direction, Fault, Notice, Opened, Presence, Selection};
use super::ring::{CaptureEnd, Counters, PlaybackEnd};

/// Sound servers open what is not there, and let its stream fail in its first moments.
const PROOF: Duration = Duration::from_millis(200);

pub(super) type NoticeSink = Box<dyn FnMut(Notice) + Send>;

/// One way through the devices of a sound system: into the process, or out of it.
pub(super) trait Way: Send + 'static {
    /// A ring's end, which streams borrow.
    type End: Send + 'static;
    const DIRECTION: Direction;

    fn backend(&self) -> &dyn Backend;

    /// Opens a stream; `end` comes `home` when it is closed.
    fn open(
        &self,
        selection: &Selection,
        end: Self::End,
        home: mpsc::Sender<Self::End>,
        counters: Arc<Counters>,
        notice: NoticeSink,
    ) -> Result<Opened, Fault>;

    /// The end of a ring that nobody fills or empties: inputs fill it up, and outputs play silence from it.
    fn spare() -> Self::End;

    /// Why a device is gone although its stream goes on; nothing if it is there.
    fn missing(&self, id: &DeviceId) -> Option<Fault> {
        match self.backend().presence(id, Self::DIRECTION) {
            Presence::There => None,
            Presence::Gone => Some(Fault::NotFound {
                device: id.to_string(),
            }),
            Presence::OpeningTells => match self.try_out(id) {
                // What is refused is there: most likely we hold it ourselves.
                Ok(())
                | Err(Fault::Busy { .. } | Fault::Denied { .. } | Fault::Unsupported { .. }) => {
                    None
                }
                Err(
                    fault @ (Fault::NoHost { .. }
                    | Fault::NotFound { .. }
                    | Fault::Lost { .. }
                    | Fault::Slow
                    | Fault::Other { .. }),
                ) => Some(fault),
            },
        }
    }

    /// Whether a device that was gone can be opened.
    fn is_back(&self, id: &DeviceId) -> bool {
        self.backend().presence(id, Self::DIRECTION) != Presence::Gone && self.try_out(id).is_ok()
    }

    /// Opens a device beside the stream in use, which is not interrupted.
    fn try_out(&self, id: &DeviceId) -> Result<(), Fault> {
        // Unbounded: a stream gives its end back once.
        let (home, _returned) = mpsc::channel();
        // Unbounded: a stream on trial tells little before it is dropped.
        let (failed, failure) = mpsc::channel();
        let notice = Box::new(move |notice| {
            if let Notice::Fault(fault) = notice {
                let _ = failed.send(fault);
            }
        });
        let selection = Selection::Id(id.clone());
        let counters = Arc::new(Counters::default());
        let _opened = self.open(&selection, Self::spare(), home, counters, notice)?;
        failure.recv_timeout(PROOF).map_or(Ok(()), Err)
    }
}

/// From a microphone.
pub(super) struct Inward(pub(super) Arc<dyn Backend>);

impl Way for Inward {
    type End = rtrb::Producer<i16>;
    const DIRECTION: Direction = Direction::Input;

    fn backend(&self) -> &dyn Backend {
        &*self.0
    }

    fn open(
        &self,
        selection: &Selection,
        end: Self::End,
        home: mpsc::Sender<Self::End>,
        counters: Arc<Counters>,
        notice: NoticeSink,
    ) -> Result<Opened, Fault> {
        let end = CaptureEnd::new(end, home, counters);
        self.0.open_input(selection, end, notice)
    }

    fn spare() -> Self::End {
        rtrb::RingBuffer::new(1).0
    }
}

/// To a speaker.
pub(super) struct Outward(pub(super) Arc<dyn Backend>);

impl Way for Outward {
    type End = rtrb::Consumer<i16>;
    const DIRECTION: Direction = Direction::Output;

    fn backend(&self) -> &dyn Backend {
        &*self.0
    }

    fn open(
        &self,
        selection: &Selection,
        end: Self::End,
        home: mpsc::Sender<Self::End>,
        counters: Arc<Counters>,
        notice: NoticeSink,
    ) -> Result<Opened, Fault> {
        let end = PlaybackEnd::new(end, home, counters);
        self.0.open_output(selection, end, notice)
    }

    fn spare() -> Self::End {
        rtrb::RingBuffer::new(1).1
    }
}
