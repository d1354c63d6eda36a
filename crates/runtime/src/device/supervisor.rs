use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::backend::{Backend, DeviceId, Direction, Fault, Notice, Opened, Selection};
use super::microphone::Microphone;
use super::ring::Counters;
use super::speaker::Speaker;
use super::way::{Inward, Outward, Way};

/// Waits between attempts to open a device: doubled from the first to the last.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// A stream that lived this long was fine: its end starts the back-off anew.
const SETTLED: Duration = Duration::from_secs(10);
/// Streams return their ring's end when dropped; one that doesn't is broken beyond use.
const HOMECOMING: Duration = Duration::from_secs(2);

/// What holds a device may be ours, and needs some ticks to be let go.
const BUSY_ATTEMPTS: u32 = 4;
const BUSY_RETRY: Duration = Duration::from_millis(60);

/// How often it is asked whether a chosen device is still there: some sound servers move the stream of one that is
/// gone to another, and say nothing.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// How often it is tried whether a chosen device is back while another stands in for it.
const LOOK_FOR: Duration = Duration::from_secs(1);

/// What is to be kept open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The device.
    pub selection: Selection,
    /// When the system's default stands in for a chosen one.
    pub replacement: Replacement,
}

/// When the system's default stands in for a chosen device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replacement {
    /// The device is waited for.
    #[default]
    Never,
    /// If the device was open before: one that never was may be a mistake.
    AfterUse,
    /// Whenever the device can't be used.
    AtOnce,
}

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
    /// Somebody has it to himself. If that is another device of this process, it is to be let go now: a few attempts
    /// follow before this is a failure.
    Busy,
    /// It vanished, and the system's default stands in for it until it is open again.
    Replaced {
        /// Why it can't be used.
        fault: Fault,
        /// The chosen one.
        chosen: DeviceId,
        /// What to show a person of the one in use.
        in_use: String,
    },
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
    Replace(Replacement),
    /// From the stream with this number: a later stream is not blamed for an earlier one's fault.
    Notice(u64, Notice),
    Close,
}

impl Handle {
    /// Lets the system's default stand in as soon as this says.
    pub fn set_replacement(&self, replacement: Replacement) {
        let _ = self.orders.send(Order::Replace(replacement));
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
    wanted: Wanted,
    events: impl FnMut(DeviceEvent) + Send + 'static,
) -> std::io::Result<(Microphone, Handle)> {
    let counters = Arc::new(Counters::default());
    let (microphone, end) = Microphone::new(counters.clone());
    let handle = supervise(Inward(backend), counters, wanted, end, events)?;
    Ok((microphone, handle))
}

/// Opens an output and keeps it open; `events` is called on its supervisor's thread.
///
/// # Errors
/// Only when the system refuses to start a thread.
pub fn open_speaker(
    backend: Arc<dyn Backend>,
    wanted: Wanted,
    events: impl FnMut(DeviceEvent) + Send + 'static,
) -> std::io::Result<(Speaker, Handle)> {
    let counters = Arc::new(Counters::default());
    let (speaker, end) = Speaker::new(counters.clone());
    let handle = supervise(Outward(backend), counters, wanted, end, events)?;
    Ok((speaker, handle))
}

/// Starts the thread that opens, watches and reopens one stream; it ends with its `Handle`.
fn supervise<W: Way>(
    way: W,
    counters: Arc<Counters>,
    wanted: Wanted,
    end: W::End,
    events: impl FnMut(DeviceEvent) + Send + 'static,
) -> std::io::Result<Handle> {
    // Unbounded: an order is a user's choice or the fault of a stream, of which there is one.
    let (orders, inbox) = mpsc::channel();
    // Unbounded: a stream gives its end back once.
    let (home, returned) = mpsc::channel();
    let supervisor = Supervisor {
        way,
        counters,
        wanted,
        was_open: false,
        busy: 0,
        vanished: None,
        // A weak copy would end the thread by itself, but mpsc has none: `Handle` always sends `Close`.
        orders: orders.clone(),
        inbox,
        home,
        returned,
        events,
        stream: 0,
        retry: FIRST_RETRY,
        excused: false,
        told: None,
    };
    let name = match W::DIRECTION {
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

struct Supervisor<W: Way, Events> {
    way: W,
    counters: Arc<Counters>,
    wanted: Wanted,
    was_open: bool,
    /// Attempts that found the device in use before it was open for the first time.
    busy: u32,
    /// Why the next stream is that of another device.
    vanished: Option<(DeviceId, Fault)>,
    orders: mpsc::Sender<Order>,
    inbox: mpsc::Receiver<Order>,
    home: mpsc::Sender<W::End>,
    returned: mpsc::Receiver<W::End>,
    events: Events,
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

/// Why a stream is given up.
enum Parting {
    /// Nobody wants it any more.
    Close,
    /// It is over by itself.
    Failed(Fault),
    /// It goes on, but its device is gone.
    Vanished(Fault),
    /// The device that it stands in for is there.
    Back,
}

impl<W, Events> Supervisor<W, Events>
where
    W: Way,
    Events: FnMut(DeviceEvent),
{
    fn run(mut self, first: W::End) {
        let mut end = first;
        loop {
            let next = match self.vanished.take() {
                Some((chosen, fault)) => self.stand_in(chosen, fault, end),
                None => self.attempt(end),
            };
            if let Next::Close = next {
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

    fn start(&mut self, selection: &Selection, end: W::End) -> Result<Opened, Fault> {
        self.stream += 1;
        let (number, orders) = (self.stream, self.orders.clone());
        let notice = Box::new(move |notice| {
            let _ = orders.send(Order::Notice(number, notice));
        });
        let home = self.home.clone();
        self.way
            .open(selection, end, home, self.counters.clone(), notice)
    }

    /// Opens the stream and stays with it until it has to be opened anew.
    fn attempt(&mut self, end: W::End) -> Next {
        let selection = self.wanted.selection.clone();
        match self.start(&selection, end) {
            Ok(opened) => {
                self.told = None;
                self.was_open = true;
                (self.events)(DeviceEvent::Opened {
                    name: opened.name.clone(),
                    hz: opened.hz,
                });
                let since = Instant::now();
                let parting = self.stay(LOOK_AFTER, |way| match &selection {
                    Selection::Id(id) => way.missing(id).map(Parting::Vanished),
                    Selection::Default => None,
                });
                drop(opened);
                if since.elapsed() >= SETTLED {
                    self.retry = FIRST_RETRY;
                    self.excused = false;
                }
                match parting {
                    Parting::Close => Next::Close,
                    Parting::Back => Next::Reopen,
                    Parting::Vanished(fault) => self.go_without(fault),
                    Parting::Failed(fault) if self.excused => self.go_without(fault),
                    Parting::Failed(_) => {
                        self.excused = true;
                        Next::Reopen
                    }
                }
            }
            Err(Fault::Busy { .. }) if !self.was_open && self.busy < BUSY_ATTEMPTS => {
                self.busy += 1;
                (self.events)(DeviceEvent::Busy);
                self.wait(BUSY_RETRY)
            }
            Err(fault) => self.go_without(fault),
        }
    }

    /// Lets another device stand in next if that is wanted, and waits if it is not.
    fn go_without(&mut self, fault: Fault) -> Next {
        match &self.wanted.selection {
            Selection::Id(chosen) if self.may_be_replaced() => {
                self.vanished = Some((chosen.clone(), fault));
                Next::Reopen
            }
            Selection::Id(_) | Selection::Default => self.back_off(fault),
        }
    }

    /// Opens the default in place of the chosen device and stays with it until that is back.
    fn stand_in(&mut self, chosen: DeviceId, fault: Fault, end: W::End) -> Next {
        let Ok(opened) = self.start(&Selection::Default, end) else {
            return self.back_off(fault);
        };
        self.told = None;
        (self.events)(DeviceEvent::Replaced {
            fault: fault.clone(),
            chosen: chosen.clone(),
            in_use: opened.name.clone(),
        });
        let since = Instant::now();
        let parting = self.stay(LOOK_FOR, |way| {
            way.is_back(&chosen).then_some(Parting::Back)
        });
        drop(opened);
        if since.elapsed() >= SETTLED {
            self.retry = FIRST_RETRY;
        }
        match parting {
            Parting::Close => Next::Close,
            Parting::Back => Next::Reopen,
            // The default is gone as well.
            Parting::Failed(_) | Parting::Vanished(_) => self.back_off(fault),
        }
    }

    fn may_be_replaced(&self) -> bool {
        match self.wanted.replacement {
            Replacement::Never => false,
            Replacement::AfterUse => self.was_open,
            Replacement::AtOnce => true,
        }
    }

    /// Stays with a stream, and looks `every` so often whether there is another reason to leave it.
    fn stay(&mut self, every: Duration, look: impl Fn(&W) -> Option<Parting>) -> Parting {
        let mut due = Instant::now() + every;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Order::Notice(number, notice)) if number == self.stream => match notice {
                    Notice::Moved => (self.events)(DeviceEvent::Moved),
                    Notice::Fault(fault) => return Parting::Failed(fault),
                },
                Ok(Order::Notice(..)) => {}
                Ok(Order::Replace(replacement)) => self.wanted.replacement = replacement,
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return Parting::Close,
                Err(RecvTimeoutError::Timeout) => match look(&self.way) {
                    Some(parting) => return parting,
                    None => due = Instant::now() + every,
                },
            }
        }
    }

    /// Tells of the fault and waits for the next attempt.
    fn back_off(&mut self, fault: Fault) -> Next {
        self.tell(fault);
        let wait = self.retry;
        self.retry = (self.retry * 2).min(LAST_RETRY);
        self.wait(wait)
    }

    /// Waits for the next attempt, or until the default may stand in.
    fn wait(&mut self, wait: Duration) -> Next {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Order::Notice(..)) => {}
                Ok(Order::Replace(replacement)) => {
                    let before = self.may_be_replaced();
                    self.wanted.replacement = replacement;
                    if self.may_be_replaced() && !before {
                        return Next::Reopen;
                    }
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
mod tests;
