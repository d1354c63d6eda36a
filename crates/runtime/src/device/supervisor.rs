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
    /// Whether the system's default stands in for a chosen device that vanishes while it is used.
    pub fallback: bool,
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
    /// Whether the chosen device was open since it was chosen: one that never was may be a mistake.
    was_open: bool,
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
    /// Another device was chosen.
    Chosen,
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
                    Parting::Chosen | Parting::Back => Next::Reopen,
                    Parting::Vanished(fault) => self.go_without(fault),
                    Parting::Failed(fault) if self.excused => self.go_without(fault),
                    Parting::Failed(_) => {
                        self.excused = true;
                        Next::Reopen
                    }
                }
            }
            Err(fault) => self.go_without(fault),
        }
    }

    /// Lets another device stand in next if that is wanted, and waits if it is not.
    fn go_without(&mut self, fault: Fault) -> Next {
        match &self.wanted.selection {
            Selection::Id(chosen) if self.wanted.fallback && self.was_open => {
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
            Parting::Chosen | Parting::Back => Next::Reopen,
            // The default is gone as well.
            Parting::Failed(_) | Parting::Vanished(_) => self.back_off(fault),
        }
    }

    /// Takes another choice; false if it is the same.
    fn choose(&mut self, selection: Selection) -> bool {
        let is_new = selection != self.wanted.selection;
        if is_new {
            self.wanted.selection = selection;
            self.was_open = false;
            self.retry = FIRST_RETRY;
        }
        is_new
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
                Ok(Order::Select(selection)) => {
                    if self.choose(selection) {
                        return Parting::Chosen;
                    }
                }
                Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return Parting::Close,
                Err(RecvTimeoutError::Timeout) => match look(&self.way) {
                    Some(parting) => return parting,
                    None => due = Instant::now() + every,
                },
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
                    self.choose(selection);
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
mod tests;
