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
mod tests {
    use std::any::Any;
    use std::sync::Mutex;

    use super::*;
    use crate::device::way::NoticeSink;
    use crate::device::{CaptureEnd, Listing, PlaybackEnd, Presence};

    /// A sound system whose devices open or fail as told, in order, and then open.
    #[derive(Default)]
    struct Scripted {
        faults: Mutex<Vec<Fault>>,
        opened: Mutex<Vec<Selection>>,
        absent: Mutex<Vec<Selection>>,
        /// As sound servers do: what is absent is listed, opens, and fails a moment later.
        fails_late: bool,
        /// How often it was asked whether a device is there.
        asked: Mutex<usize>,
        notices: Mutex<Vec<NoticeSink>>,
    }

    impl Scripted {
        fn open(
            &self,
            selection: &Selection,
            end: Box<dyn Any>,
            notice: NoticeSink,
        ) -> Result<Opened, Fault> {
            self.opened.lock().unwrap().push(selection.clone());
            let mut faults = self.faults.lock().unwrap();
            if !faults.is_empty() {
                return Err(faults.remove(0));
            }
            let mut notice = notice;
            if self.absent.lock().unwrap().contains(selection) {
                if !self.fails_late {
                    return Err(gone());
                }
                notice(Notice::Fault(gone()));
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

        fn presence(&self, id: &DeviceId, _: Direction) -> Presence {
            *self.asked.lock().unwrap() += 1;
            let selection = Selection::Id(id.clone());
            match self.absent.lock().unwrap().contains(&selection) {
                _ if self.fails_late => Presence::OpeningTells,
                true => Presence::Gone,
                false => Presence::There,
            }
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
        microphone_of(backend, Wanted::default())
    }

    fn microphone_of(
        backend: &Arc<Scripted>,
        wanted: Wanted,
    ) -> (Handle, mpsc::Receiver<DeviceEvent>) {
        let (sender, events) = mpsc::channel();
        let (_, handle) = open_microphone(backend.clone(), wanted, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        (handle, events)
    }

    fn next(events: &mpsc::Receiver<DeviceEvent>) -> DeviceEvent {
        events.recv_timeout(Duration::from_secs(5)).unwrap()
    }

    fn gone() -> Fault {
        Fault::NotFound {
            device: "alsa:headset".to_owned(),
        }
    }

    fn headset(fallback: bool) -> Wanted {
        Wanted {
            selection: Selection::Id(DeviceId("alsa:headset".to_owned())),
            fallback,
        }
    }

    fn unplug(backend: &Scripted) {
        unplug_silently(backend);
        backend.notices.lock().unwrap().pop().unwrap()(lost());
    }

    /// As PulseAudio does: the stream goes on, on another device.
    fn unplug_silently(backend: &Scripted) {
        let headset = headset(true).selection;
        backend.absent.lock().unwrap().push(headset);
    }

    fn wait_until_asked_again(backend: &Scripted, times: usize) {
        let before = *backend.asked.lock().unwrap();
        while *backend.asked.lock().unwrap() < before + times {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn replaced() -> DeviceEvent {
        DeviceEvent::Replaced {
            fault: gone(),
            chosen: DeviceId("alsa:headset".to_owned()),
            in_use: "made up".to_owned(),
        }
    }

    /// What comes after the openings of a stream that fails late.
    fn after_openings(events: &mpsc::Receiver<DeviceEvent>) -> DeviceEvent {
        loop {
            let event = next(events);
            if !matches!(event, DeviceEvent::Opened { .. }) {
                return event;
            }
        }
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
    fn the_default_stands_in_for_a_vanished_device_until_it_is_back() {
        for fails_late in [false, true] {
            let backend = Arc::new(Scripted {
                fails_late,
                ..Scripted::default()
            });
            let (handle, events) = microphone_of(&backend, headset(true));
            assert!(is_opened(next(&events)));
            unplug(&backend);
            assert_eq!(after_openings(&events), replaced());
            assert_eq!(
                backend.opened.lock().unwrap().last(),
                Some(&Selection::Default)
            );
            let before = backend.opened.lock().unwrap().len();
            wait_until_asked_again(&backend, 2);
            assert!(events.try_recv().is_err(), "nothing to tell meanwhile");
            let since = backend.opened.lock().unwrap()[before..].to_vec();
            assert!(
                since.iter().all(|tried| *tried == headset(true).selection),
                "the stream in use is left alone: {since:?}"
            );
            backend.absent.lock().unwrap().clear();
            assert!(is_opened(next(&events)));
            assert_eq!(
                backend.opened.lock().unwrap().last(),
                Some(&headset(true).selection)
            );
            handle.close();
            assert!(events.recv().is_err(), "it is told once that it is back");
        }
    }

    #[test]
    fn a_device_that_vanishes_without_a_word_is_missed() {
        for fails_late in [false, true] {
            let backend = Arc::new(Scripted {
                fails_late,
                ..Scripted::default()
            });
            let (handle, events) = microphone_of(&backend, headset(true));
            assert!(is_opened(next(&events)));
            wait_until_asked_again(&backend, 1);
            assert!(events.try_recv().is_err(), "it is there");
            unplug_silently(&backend);
            assert_eq!(next(&events), replaced());
            backend.absent.lock().unwrap().clear();
            assert!(is_opened(next(&events)));
            handle.close();
            assert!(events.recv().is_err());
        }
    }

    #[test]
    fn a_device_that_vanishes_without_a_word_is_let_go_where_nothing_may_stand_in() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone_of(&backend, headset(false));
        assert!(is_opened(next(&events)));
        unplug_silently(&backend);
        backend.faults.lock().unwrap().push(gone());
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        backend.absent.lock().unwrap().clear();
        assert!(is_opened(next(&events)));
        let opened = backend.opened.lock().unwrap().clone();
        assert!(!opened.contains(&Selection::Default), "{opened:?}");
        handle.close();
    }

    #[test]
    fn what_we_hold_ourselves_is_there_and_the_default_is_not_asked_for() {
        let backend = Arc::new(Scripted {
            fails_late: true,
            ..Scripted::default()
        });
        let (handle, events) = microphone_of(&backend, headset(true));
        assert!(is_opened(next(&events)));
        backend.faults.lock().unwrap().push(busy());
        wait_until_asked_again(&backend, 2);
        assert!(events.try_recv().is_err(), "a card that only one may open");
        handle.select(Selection::Default);
        assert!(is_opened(next(&events)));
        let asked = *backend.asked.lock().unwrap();
        std::thread::sleep(LOOK_AFTER + LOOK_AFTER / 2);
        assert_eq!(*backend.asked.lock().unwrap(), asked);
        handle.close();
    }

    #[test]
    fn nothing_stands_in_where_that_is_off_or_the_device_was_never_there() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone_of(&backend, headset(false));
        assert!(is_opened(next(&events)));
        unplug(&backend);
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        handle.close();
        let (handle, events) = microphone_of(&backend, headset(true));
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        let before = backend.opened.lock().unwrap().len();
        while backend.opened.lock().unwrap().len() < before + 2 {
            std::thread::yield_now();
        }
        handle.close();
        let opened = backend.opened.lock().unwrap();
        assert!(!opened.contains(&Selection::Default), "{opened:?}");
    }

    #[test]
    fn without_a_default_the_device_is_waited_for() {
        let backend = Arc::new(Scripted::default());
        backend.absent.lock().unwrap().push(Selection::Default);
        let (handle, events) = microphone_of(&backend, headset(true));
        assert!(is_opened(next(&events)));
        unplug(&backend);
        let failed = next(&events);
        let expected = matches!(&failed, DeviceEvent::Failed { fault, .. } if *fault == gone());
        assert!(expected, "{failed:?}");
        // The default comes first.
        let headset = self::headset(true).selection;
        *backend.absent.lock().unwrap() = vec![headset];
        assert_eq!(next(&events), replaced());
        handle.close();
    }

    #[test]
    fn a_stand_in_that_fails_too_is_told_and_replaced() {
        let backend = Arc::new(Scripted::default());
        let (handle, events) = microphone_of(&backend, headset(true));
        assert!(is_opened(next(&events)));
        unplug(&backend);
        assert_eq!(next(&events), replaced());
        backend.notices.lock().unwrap().pop().unwrap()(lost());
        assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
        assert_eq!(next(&events), replaced());
        handle.select(Selection::Default);
        assert!(is_opened(next(&events)));
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
