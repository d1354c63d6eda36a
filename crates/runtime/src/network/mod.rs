//! This machine's network and its sleep, watched once for all phones of the process.
//!
//! Linux says by netlink that something has changed; what it is, is looked up. Elsewhere, and if there is no netlink, it is
//! looked up every second: 30 µs of the processor.

mod sighting;
mod sleep;

#[cfg(target_os = "linux")]
#[path = "netlink.rs"]
mod notices;
#[cfg(not(target_os = "linux"))]
#[path = "no_notices.rs"]
mod notices;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::AbortHandle;

pub(crate) use sighting::{Sighting, source_towards, ways_out};

use notices::Notices;
use sleep::SleepWatch;

/// Changes come in bursts: an address, its route, the default route.
const BURST: Duration = Duration::from_millis(50);
/// Whoever sleeps for longer is noticed that much later at most, unless the network tells of it, as it mostly does.
const LOOK: Duration = Duration::from_secs(5);
/// The same if nobody tells of changes.
const LOOK_ALONE: Duration = Duration::from_secs(1);

static WATCH: Mutex<Weak<NetworkWatch>> = Mutex::new(Weak::new());

/// The process's watch of the network; it ends with the last phone.
pub(crate) struct NetworkWatch {
    seen: watch::Receiver<Sighting>,
    task: AbortHandle,
}

impl NetworkWatch {
    /// The watch, begun on this I/O thread if there is none.
    pub(crate) fn shared() -> Arc<NetworkWatch> {
        let mut shared = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = shared.upgrade() {
            return watch;
        }
        let (sender, seen) = watch::channel(Sighting::first());
        // Ends with the watch, which aborts it.
        let task = tokio::spawn(keep_watch(sender)).abort_handle();
        let watch = Arc::new(NetworkWatch { seen, task });
        *shared = Arc::downgrade(&watch);
        watch
    }

    /// What is seen from now on, beginning with what was seen last.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Sighting> {
        self.seen.clone()
    }
}

impl Drop for NetworkWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_watch(sender: watch::Sender<Sighting>) {
    let mut notices = Notices::open();
    let mut clock = SleepWatch::new(Instant::now(), sleep::waking_and_sleeping());
    loop {
        let look = match notices {
            Some(_) => LOOK,
            None => LOOK_ALONE,
        };
        tokio::select! {
            () = told(&mut notices) => tokio::time::sleep(BURST).await,
            () = tokio::time::sleep(look) => {}
        }
        let rest = clock.look(Instant::now(), sleep::waking_and_sleeping());
        sender.send_if_modified(|seen| seen.renew(rest));
    }
}

async fn told(notices: &mut Option<Notices>) {
    let Some(open) = notices else {
        return std::future::pending().await;
    };
    if open.changed().await.is_err() {
        // From now on it is looked up.
        *notices = None;
    }
}
