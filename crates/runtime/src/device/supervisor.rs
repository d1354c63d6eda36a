use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::backend::{Backend, Direction, Fault, Notice, Opened, Selection};
use super::microphone::Microphone;
use super::ring::{CaptureEnd, Counters, PlaybackEnd};
use super::speaker::Speaker;

/// Waits between attempts to open a device: doubled from the first to the last.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// A stream that lived this long was fine: its end starts the back-off anew.
const SETTLED: Duration = Duration::from_secs(10);
/// Streams return their ring's end when dropped; one that doesn't is broken beyond use.
const HOMECOMING: Duration = Duration::from_secs(2);

/// What a device's user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEvent {
    /// It is open, for the first time or again.
    Opened {
        /// What to show a person.
        name: String,
        /// The stream's samples per second.
        hz: u32,
    },
    /// The system moved the stream to another device.
    Moved,
    /// It can't be opened, or was lost and opening it again did not help; further attempts are made without
    /// another event for the same fault.
    Failed {
        /// Why.
        fault: Fault,
        /// When the next attempt is made.
        retry_in: Duration,
    },
}

/// Keeps a device open; dropping it closes the device without waiting.
#[derive(Debug)]
pub struct Handle {
    orders: mpsc::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Select(Selection),
    /// From the stream with this number: a later stream is not blamed for an earlier one's fault.
    Notice(u64, Notice),
    Close,
}

impl Handle {
    /// Goes over to another device; the ring and its user stay.
    pub fn select(&self, selection: Selection) {
        let _ = self.orders.send(Order::Select(selection));
    }

    /// Closes the device and waits until it is closed.
    pub fn close(mut self) {
        let _ = self.orders.send(Order::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Close);
    }
}

/// Opens an input and keeps it open; `events` is called on its supervisor's thread.
///
/// # Errors
/// Only when the system refuses to start a thread.
pub fn open_microphone(
    backend: Arc<dyn Backend>,
    selection: Selection,
    events: impl FnMut(DeviceEvent) + Send + 'static,
) -> std::io::Result<(Microphone, Handle)> {
    let counters = Arc::new(Counters::default());
    let (microphone, end) = Microphone::new(counters.clone());
    let handle = supervise(Direction::Input, counters, selection, end, events, {
        move |selection, end, home, counters, notice| {
            backend.open_input(selection, CaptureEnd::new(end, home, counters), notice)
        }
    })?;
    Ok((microphone, handle))
}

/// Opens an output and keeps it open; `events` is called on its supervisor's thread.
///
/// # Errors
/// Only when the system refuses to start a thread.
pub fn open_speaker(
    backend: Arc<dyn Backend>,
    selection: Selection,
    events: impl FnMut(DeviceEvent) + Send + 'static,
) -> std::io::Result<(Speaker, Handle)> {
    let counters = Arc::new(Counters::default());
    let (speaker, end) = Speaker::new(counters.clone());
    let handle = supervise(Direction::Output, counters, selection, end, events, {
        move |selection, end, home, counters, notice| {
            backend.open_output(selection, PlaybackEnd::new(end, home, counters), notice)
        }
    })?;
    Ok((speaker, handle))
}

type NoticeSink = Box<dyn FnMut(Notice) + Send>;

/// Starts the thread that opens, watches and reopens one stream; it ends with its `Handle`.
fn supervise<End: Send + 'static>(
    direction: Direction,
    counters: Arc<Counters>,
    selection: Selection,
    end: End,
    events: impl FnMut(DeviceEvent) + Send + 'static,
    open: impl Fn(
        &Selection,
        End,
        mpsc::Sender<End>,
        Arc<Counters>,
        NoticeSink,
    ) -> Result<Opened, Fault>
    + Send
    + 'static,
) -> std::io::Result<Handle> {
    let (orders, inbox) = mpsc::channel();
    let (home, returned) = mpsc::channel();
    let supervisor = Supervisor {
        counters,
        selection,
        // A weak copy would end the thread by itself, but mpsc has none: `Handle` always sends `Close`.
        orders: orders.clone(),
        inbox,
        home,
        returned,
        events,
        open,
        stream: 0,
        retry: FIRST_RETRY,
        excused: false,
        told: None,
    };
    let name = match direction {
        Direction::Input => "offhook-mic",
        Direction::Output => "offhook-speaker",
    };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || supervisor.run(end))?;
    Ok(Handle {
        orders,
        thread: Some(thread),
    })
}

struct Supervisor<End, Events, Open> {
    counters: Arc<Counters>,
    selection: Selection,
    orders: mpsc::Sender<Order>,
    inbox: mpsc::Receiver<Order>,
    home: mpsc::Sender<End>,
    returned: mpsc::Receiver<End>,
    events: Events,
    open: Open,
    /// The number of the stream opened last.
    stream: u64,
    retry: Duration,
    /// Whether a stream's fault was passed over lately: sound servers let streams fail in their first moments.
    excused: bool,
    /// The fault that was last told, until the device is open.
    told: Option<Fault>,
}

/// Why a wait is over.
enum Next {
    Reopen,
    Close,
}

impl<End, Events, Open> Supervisor<End, Events, Open>
where
    Events: FnMut(DeviceEvent),
    Open:
        Fn(&Selection, End, mpsc::Sender<End>, Arc<Counters>, NoticeSink) -> Result<Opened, Fault>,
{
    fn run(mut self, first: End) {
        let mut end = first;
        loop {
            if let Next::Close = self.attempt(end) {
                return;
            }
            self.counters.hz.store(0, Relaxed);
            match self.returned.recv_timeout(HOMECOMING) {
                Ok(returned) => end = returned,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let reason = "the closed stream did not let go of its buffer".to_owned();
                    self.tell(Fault::Other { reason });
                    return;
                }
            }
        }
    }

    /// Opens the stream and stays with it until it has to be opened anew.
    fn attempt(&mut self, end: End) -> Next {
        self.stream += 1;
        let (number, orders) = (self.stream, self.orders.clone());
        let notice = Box::new(move |notice| {
            let _ = orders.send(Order::Notice(number, notice));
        });
        let home = self.home.clone();
        match (self.open)(&self.selection, end, home, self.counters.clone(), notice) {
            Ok(opened) => {
                self.told = None;
                (self.events)(DeviceEvent::Opened {
                    name: opened.name.clone(),
                    hz: opened.hz,
                });
                let since = Instant::now();
                let (next, fault) = self.stay();
                drop(opened);
                if since.elapsed() >= SETTLED {
                    self.retry = FIRST_RETRY;
                    self.excused = false;
                }
                match fault {
                    Some(fault) if self.excused => self.back_off(fault),
                    Some(_) => {
                        self.excused = true;
                        Next::Reopen
                    }
                    None => next,
                }
            }
            Err(fault) => self.back_off(fault),
        }
    }

    fn stay(&mut self) -> (Next, Option<Fault>) {
        loop {
            match self.inbox.recv() {
                Ok(Order::Notice(number, Notice::Moved)) if number == self.stream => {
                    (self.events)(DeviceEvent::Moved);
                }
                Ok(Order::Notice(number, Notice::Fault(fault))) if number == self.stream => {
                    return (Next::Reopen, Some(fault));
                }
                Ok(Order::Notice(..)) => {}
                Ok(Order::Select(selection)) => {
                    if selection != self.selection {
                        self.selection = selection;
                        self.retry = FIRST_RETRY;
                        return (Next::Reopen, None);
                    }
                }
                Ok(Order::Close) | Err(mpsc::RecvError) => return (Next::Close, None),
            }
        }
    }

    /// Tells of the fault and waits for the next attempt, or for another device to be chosen.
    fn back_off(&mut self, fault: Fault) -> Next {
        self.tell(fault);
        let until = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(LAST_RETRY);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Order::Notice(..)) => {}
                Ok(Order::Select(selection)) => {
                    self.selection = selection;
                    self.retry = FIRST_RETRY;
                    self.told = None;
                    return Next::Reopen;
                }
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return Next::Close,
                Err(RecvTimeoutError::Timeout) => return Next::Reopen,
            }
        }
    }

    fn tell(&mut self, fault: Fault) {
        if self.told.as_ref() != Some(&fault) {
            self.told = Some(fault.clone());
            (self.events)(DeviceEvent::Failed {
                fault,
                retry_in: self.retry,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::device::{DeviceId, Listing};

    /// A sound system whose devices open or fail as told, in order, and then open.
    #[derive(Default)]
    struct Scripted {
        faults: Mutex<Vec<Fault>>,
        opened: Mutex<Vec<Selection>>,
        notices: Mutex<Vec<NoticeSink>>,
    }

    impl Scripted {
        fn open(
            &self,
            selection: &Selection,
            end: Box<dyn std::any::Any>,
            notice: NoticeSink,
        ) -> Result<Opened, Fault> {
            self.opened.lock().unwrap().push(selection.clone());
            let mut faults = self.faults.lock().unwrap();
            if !faults.is_empty() {
                return Err(faults.remove(0));
            }
            self.notices.lock().unwrap().push(notice);
            Ok(Opened {
                name: "made up".to_owned(),
                hz: 48_000,
                stream: end,
            })
        }
    }

    impl Backend for Scripted {
        fn list(&self) -> Listing {
            Listing::default()
        }

        fn open_input(
            &self,
            selection: &Selection,
            end: CaptureEnd,
            notice: NoticeSink,
        ) -> Result<Opened, Fault> {
            self.open(selection, Box::new(end), notice)
        }

        fn open_output(
            &self,
            selection: &Selection,
            end: PlaybackEnd,
            notice: NoticeSink,
        ) -> Result<Opened, Fault> {
            self.open(selection, Box::new(end), notice)
        }
    }

    fn busy() -> Fault {
        Fault::Busy {
            reason: "held".to_owned(),
        }
    }

    fn lost() -> Notice {
        Notice::Fault(Fault::Lost {
            reason: "unplugged".to_owned(),
        })
    }

    fn microphone(backend: &Arc<Scripted>) -> (Handle, mpsc::Receiver<DeviceEvent>) {
        let (sender, events) = mpsc::channel();
        let (_, handle) = open_microphone(backend.clone(), Selection::Default, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        (handle, events)
    }

    fn next(events: &mpsc::Receiver<DeviceEvent>) -> DeviceEvent {
        events.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    fn is_opened(event: DeviceEvent) -> bool {
        matches!(event, DeviceEvent::Opened { .. })
    }

    #[test]
    fn a_fault_is_told_once_and_the_device_opens_when_it_can() {
        let backend = Arc::new(Scripted::default());
        backend.faults.lock().unwrap().extend([busy(), busy()]);
        let (handle, events) = microphone(&backend);
        let expected = DeviceEvent::Failed {
            fault: busy(),
            retry_in: FIRST_RETRY,
        };
        assert_eq!(next(&events), expected);
        assert!(is_opened(next(&events)));
        assert_eq!(backend.opened.lock().unwrap().len(), 3);
        handle.close();
        assert!(events.recv().is_err(), "nothing runs after close");
    }

    #[test]
    fn a_stream_that_keeps_failing_is_told_and_opened_after_a_while() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone(&backend);
        for _ in 0..2 {
            assert!(is_opened(next(&events)));
            let mut notice = backend.notices.lock().unwrap().pop().unwrap();
            notice(lost());
        }
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        assert!(is_opened(next(&events)));
        handle.close();
    }

    #[test]
    fn a_lost_stream_that_cannot_be_opened_again_is_told() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone(&backend);
        assert!(is_opened(next(&events)));
        backend.faults.lock().unwrap().push(busy());
        backend.notices.lock().unwrap().pop().unwrap()(lost());
        let expected = DeviceEvent::Failed {
            fault: busy(),
            retry_in: FIRST_RETRY,
        };
        assert_eq!(next(&events), expected);
        handle.close();
    }

    #[test]
    fn a_lost_stream_is_opened_again_and_an_old_streams_fault_is_ignored() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone(&backend);
        assert!(is_opened(next(&events)));
        let mut old = backend.notices.lock().unwrap().remove(0);
        old(Notice::Moved);
        assert_eq!(next(&events), DeviceEvent::Moved);
        old(lost());
        assert!(is_opened(next(&events)));
        old(lost());
        handle.close();
        assert!(events.recv().is_err());
        assert_eq!(backend.opened.lock().unwrap().len(), 2);
    }

    #[test]
    fn another_device_is_opened_at_once_even_while_waiting_to_retry() {
        let backend = Arc::new(Scripted::default());
        backend.faults.lock().unwrap().push(busy());
        let (handle, events) = microphone(&backend);
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        let headset = Selection::Id(DeviceId("alsa:headset".to_owned()));
        handle.select(headset.clone());
        assert!(is_opened(next(&events)));
        assert_eq!(backend.opened.lock().unwrap().last(), Some(&headset));
        handle.close();
    }

    #[test]
    fn dropping_the_handle_ends_the_thread() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone(&backend);
        assert!(is_opened(next(&events)));
        drop(handle);
        assert!(events.recv_timeout(Duration::from_secs(5)).is_err());
    }
}
