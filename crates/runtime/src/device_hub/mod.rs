//! Devices shared by the sessions of the process: each is opened once, whoever wants it.
//!
//! ```text
//! a share for each session that plays ─► mixed ─► Speaker
//!                                          └► what is played, for the processing of
//! Microphone ─► one frame a tick ─► processed ─► a share for each session that hears it
//! supervisor of a device ─► what happens to it ─► each share's session
//! ```
//! One thread with the media clock's beat moves the frames and tells what happens; it starts with the first
//! device and ends with the last. A device closes when no session wants it any more. Opening never fails:
//! what can't be opened is silent and told as trouble, while the device's supervisor tries again.

mod headset;
mod processed;
mod shared;

use std::fmt;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use phone::media::StandIn;

use crate::audio::{DeviceEnd, DeviceGauge, LinkReader, LinkWriter, OpenError, link};
use crate::device::{DeviceEvent, DeviceId, Replacement, Selection, System};
use crate::tick_clock::Clock;
use processed::Listener;
pub(crate) use processed::SharedPreference;
use shared::{Devices, Share};

/// Tells what goes wrong with what was opened; false when nobody has it any more.
pub(crate) type Trouble = Box<dyn Fn(String) -> bool + Send>;

/// Tells one session how its device is, from the hub's thread: open, or why not. False when the session has another
/// device by now.
pub(crate) type Standing = Box<dyn Fn(Result<(), Complaint>) -> bool + Send>;

/// Why what was chosen is not in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// Nothing is.
    Failed(String),
    /// The system's default is.
    Replaced(StandIn),
}

/// Which device a session wants, and when the system's default may stand in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) selection: Selection,
    pub(crate) replacement: Replacement,
}

impl Wish {
    /// The system's default.
    pub(crate) fn default_device() -> Wish {
        Wish {
            selection: Selection::Default,
            replacement: Replacement::Never,
        }
    }
}

/// The running thread, and what outlives it.
static HUB: Mutex<Hub> = Mutex::new(Hub {
    inbox: None,
    used: Vec::new(),
});

struct Hub {
    inbox: Option<Sender<DeviceOrder>>,
    /// The devices that were open in this process: one of these that is missing was unplugged.
    used: Vec<DeviceId>,
}

enum DeviceOrder {
    Hear(Wish, Share<Listener>),
    Play(Wish, Share<LinkReader>),
    /// Something happened to the device with this number.
    Happened(u64, DeviceEvent),
}

/// Listens to a microphone, the default one if none is named.
pub(crate) fn microphone(
    wish: Wish,
    preference: SharedPreference,
    standing: Standing,
) -> Result<DeviceEnd<LinkReader>, OpenError> {
    let (writer, reader) = link();
    let gauge = Arc::new(DeviceGauge::default());
    let listener = Listener::new(writer, preference);
    let share = Share::new(listener, Arc::clone(&gauge), standing);
    order(DeviceOrder::Hear(wish, share))?;
    Ok(DeviceEnd::new(reader, gauge))
}

/// Plays on a speaker, the default one if none is named.
pub(crate) fn speaker(wish: Wish, standing: Standing) -> Result<DeviceEnd<LinkWriter>, OpenError> {
    let (writer, reader) = link();
    let gauge = Arc::new(DeviceGauge::default());
    let share = Share::new(reader, Arc::clone(&gauge), standing);
    order(DeviceOrder::Play(wish, share))?;
    Ok(DeviceEnd::new(writer, gauge))
}

fn order(order: DeviceOrder) -> Result<(), OpenError> {
    let mut hub = lock(&HUB);
    let order = match &hub.inbox {
        Some(orders) => match orders.send(order) {
            Ok(()) => return Ok(()),
            // The thread broke; another one takes over.
            Err(mpsc::SendError(order)) => order,
        },
        None => order,
    };
    // Unbounded: sessions ask for devices a few times in their life, and devices change as seldom.
    let (orders, inbox) = mpsc::channel();
    let _ = orders.send(order);
    let used = hub.used.clone();
    let supervisors = orders.clone();
    // Not joined: it ends by itself when the last device is closed.
    thread::Builder::new()
        .name("offhook-sound".to_owned())
        .spawn(move || run(&inbox, Devices::new(Arc::new(System), supervisors, used)))
        .map_err(|error| OpenError::Device(error.to_string()))?;
    hub.inbox = Some(orders);
    Ok(())
}

fn run(inbox: &Receiver<DeviceOrder>, mut devices: Devices) {
    let mut clock = Clock::new(Instant::now());
    loop {
        let wait = clock.deadline().saturating_duration_since(Instant::now());
        match inbox.recv_timeout(wait) {
            Ok(order) => devices.take(order),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while clock.take(Instant::now()).is_some() {
            devices.tick();
        }
        if devices.are_all_closed() && retire(inbox, &mut devices) {
            return;
        }
    }
}

// Under the lock nobody can order: either an order is there, or the next one starts a new thread.
fn retire(inbox: &Receiver<DeviceOrder>, devices: &mut Devices) -> bool {
    let mut hub = lock(&HUB);
    match inbox.try_recv() {
        Ok(order) => {
            devices.take(order);
            false
        }
        Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
            hub.inbox = None;
            hub.used = devices.used().to_vec();
            true
        }
    }
}

impl fmt::Debug for DeviceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceOrder::Hear(..) => "Hear",
            DeviceOrder::Play(..) => "Play",
            DeviceOrder::Happened(..) => "Happened",
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
