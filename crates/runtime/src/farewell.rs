//! The end of the process or of a JavaScript thread: the phones say goodbye first, within a bound.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// What the end of the process waits for all of its phones together. A server that answers takes a round trip
/// or two; one that doesn't has at least been written to.
const FAREWELL: Duration = Duration::from_millis(500);

/// The phones of the process whose task runs, also those that are closing already.
static PHONES: Mutex<Vec<Attending>> = Mutex::new(Vec::new());
/// One of them has ended.
static ENDED: Condvar = Condvar::new();

/// A phone's entry, taken out when its task has ended.
#[derive(Debug)]
pub(crate) struct Attendance {
    key: u64,
}

#[derive(Debug)]
struct Attending {
    key: u64,
    /// The JavaScript thread that it belongs to.
    thread: ThreadId,
    /// Tells its task, beside the commands that wait for it: there is always room.
    leave: Arc<Notify>,
    /// When it was told to leave.
    leaving: Option<Instant>,
}

/// Whose phones say goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// All of the process.
    Process,
    /// The calling thread's.
    Thread,
}

impl Attendance {
    /// Notes a phone of the calling thread that hangs up before the process ends.
    pub(crate) fn begin(leave: Arc<Notify>) -> Attendance {
        let mut phones = phones();
        let key = phones.last().map_or(0, |last| last.key + 1);
        phones.push(Attending {
            key,
            thread: std::thread::current().id(),
            leave,
            leaving: None,
        });
        Attendance { key }
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        phones().retain(|phone| phone.key != self.key);
        ENDED.notify_all();
    }
}

/// Lets all phones say goodbye before a signal ends the process, until it is dropped.
#[derive(Debug)]
pub struct SignalWatch {
    _watch: signals::Watch,
}

impl SignalWatch {
    /// Watches the signals of these names; others are left alone.
    ///
    /// # Errors
    /// The system has no pipe or no thread to give.
    pub fn start(names: &[String]) -> std::io::Result<SignalWatch> {
        let named = |signal: &signals::Signal| names.iter().any(|name| name == signal.name());
        let wanted: Vec<_> = signals::Signal::ALL.into_iter().filter(named).collect();
        let watch = signals::Watch::start(&wanted, || farewell(Whose::Process))?;
        Ok(SignalWatch { _watch: watch })
    }
}

/// Ends every call and registration, and waits until that is done: [`FAREWELL`] at most, and no longer than that
/// after the first time it was asked.
pub fn farewell(whose: Whose) {
    let thread = std::thread::current().id();
    let concerned = |phone: &Attending| whose == Whose::Process || phone.thread == thread;
    let now = Instant::now();
    let mut phones = phones();
    for phone in phones.iter_mut().filter(|phone| concerned(phone)) {
        phone.leave(now);
    }
    loop {
        let left = phones.iter().filter(|phone| concerned(phone));
        let Some(until) = left.filter_map(|phone| phone.leaving).max() else {
            return;
        };
        let wait = (until + FAREWELL).saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return;
        }
        let waited = ENDED.wait_timeout(phones, wait);
        phones = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

impl Attending {
    fn leave(&mut self, now: Instant) {
        if self.leaving.is_none() {
            self.leaving = Some(now);
            self.leave.notify_one();
        }
    }
}

fn phones() -> MutexGuard<'static, Vec<Attending>> {
    PHONES.lock().unwrap_or_else(PoisonError::into_inner)
}
