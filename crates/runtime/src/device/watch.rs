use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Backend, Listing};

/// Hosts say nothing when devices come and go, so they are asked this often (a poll takes 1–10 ms).
const INTERVAL: Duration = Duration::from_secs(2);

/// Looks for devices that come and go, while it exists; dropping it ends its thread without waiting.
#[derive(Debug)]
pub struct Watch {
    /// Closed by dropping: that is what ends the thread.
    _stop: mpsc::Sender<()>,
    _thread: JoinHandle<()>,
}

impl Watch {
    /// Starts looking; `changed` gets the new list, on the watch's thread, after each difference.
    ///
    /// # Errors
    /// Only when the system refuses to start a thread.
    pub fn start(
        backend: Arc<dyn Backend>,
        changed: impl FnMut(Listing) + Send + 'static,
    ) -> std::io::Result<Self> {
        Self::every(INTERVAL, backend, changed)
    }

    fn every(
        interval: Duration,
        backend: Arc<dyn Backend>,
        mut changed: impl FnMut(Listing) + Send + 'static,
    ) -> std::io::Result<Self> {
        // Unbounded: nothing is sent; its end is what is waited for.
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("offhook-devices".to_owned())
            .spawn(move || {
                let mut known = backend.list();
                while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    let now = backend.list();
                    if now != known {
                        known = now.clone();
                        changed(now);
                    }
                }
            })?;
        Ok(Self {
            _stop: stop,
            _thread: thread,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::device::backend::Notice;
    use crate::device::{
        CaptureEnd, DeviceId, DeviceInfo, Direction, Fault, Opened, PlaybackEnd, Presence,
        Selection,
    };

    /// Has one device more after the third look.
    #[derive(Default)]
    struct Plugged(AtomicUsize);

    impl Backend for Plugged {
        fn list(&self) -> Listing {
            let present = self.0.fetch_add(1, Relaxed) >= 3;
            let headset = DeviceInfo {
                id: DeviceId("made:up".to_owned()),
                name: "Headset".to_owned(),
                direction: Direction::Input,
                is_default: false,
                behind: None,
            };
            Listing {
                devices: present.then_some(headset).into_iter().collect(),
                unavailable: None,
            }
        }

        fn presence(&self, _: &DeviceId, _: Direction) -> Presence {
            Presence::There
        }

        fn open_input(
            &self,
            _: &Selection,
            _: CaptureEnd,
            _: Box<dyn FnMut(Notice) + Send>,
        ) -> Result<Opened, Fault> {
            Err(Fault::NotFound {
                device: String::new(),
            })
        }

        fn open_output(
            &self,
            _: &Selection,
            _: PlaybackEnd,
            _: Box<dyn FnMut(Notice) + Send>,
        ) -> Result<Opened, Fault> {
            Err(Fault::NotFound {
                device: String::new(),
            })
        }
    }

    #[test]
    fn each_difference_is_told_once_and_nothing_after_the_drop() {
        let (sender, changes) = mpsc::channel();
        let backend = Arc::new(Plugged::default());
        let watch = Watch::every(Duration::from_millis(1), backend.clone(), move |listing| {
            let _ = sender.send(listing);
        })
        .unwrap();
        let listing = changes.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(listing.devices.len(), 1);
        while backend.0.load(Relaxed) < 20 {
            std::thread::yield_now();
        }
        drop(watch);
        assert!(
            changes.recv().is_err(),
            "the thread ended without another event"
        );
    }
}
