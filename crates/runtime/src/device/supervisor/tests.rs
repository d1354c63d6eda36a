use std::any::Any;
use std::sync::Mutex;

use super::Replacement::{AfterUse, AtOnce, Never};
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

fn denied() -> Fault {
    Fault::Denied {
        reason: "forbidden".to_owned(),
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

fn microphone_of(backend: &Arc<Scripted>, wanted: Wanted) -> (Handle, mpsc::Receiver<DeviceEvent>) {
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

fn headset(replacement: Replacement) -> Wanted {
    Wanted {
        selection: Selection::Id(DeviceId("alsa:headset".to_owned())),
        replacement,
    }
}

fn unplug(backend: &Scripted) {
    unplug_silently(backend);
    backend.notices.lock().unwrap().pop().unwrap()(lost());
}

/// As PulseAudio does: the stream goes on, on another device.
fn unplug_silently(backend: &Scripted) {
    let headset = headset(AfterUse).selection;
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
    backend.faults.lock().unwrap().extend([denied(), denied()]);
    let (handle, events) = microphone(&backend);
    let expected = DeviceEvent::Failed {
        fault: denied(),
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
    backend.faults.lock().unwrap().push(denied());
    backend.notices.lock().unwrap().pop().unwrap()(lost());
    let expected = DeviceEvent::Failed {
        fault: denied(),
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
fn a_device_in_use_is_asked_for_and_opened_once_it_is_let_go() {
    let backend = Arc::new(Scripted::default());
    backend.faults.lock().unwrap().extend([busy(), busy()]);
    let (handle, events) = microphone(&backend);
    assert_eq!(next(&events), DeviceEvent::Busy);
    assert_eq!(next(&events), DeviceEvent::Busy);
    assert!(is_opened(next(&events)));
    handle.close();
}

#[test]
fn a_device_that_stays_in_use_is_told() {
    let backend = Arc::new(Scripted::default());
    let faults = vec![busy(); BUSY_ATTEMPTS as usize + 1];
    backend.faults.lock().unwrap().extend(faults);
    let (handle, events) = microphone(&backend);
    for _ in 0..BUSY_ATTEMPTS {
        assert_eq!(next(&events), DeviceEvent::Busy);
    }
    let expected = DeviceEvent::Failed {
        fault: busy(),
        retry_in: FIRST_RETRY,
    };
    assert_eq!(next(&events), expected);
    assert!(is_opened(next(&events)));
    handle.close();
}

#[test]
fn the_default_stands_in_at_once_where_that_is_wanted() {
    let backend = Arc::new(Scripted::default());
    unplug_silently(&backend);
    let (handle, events) = microphone_of(&backend, headset(AtOnce));
    assert_eq!(next(&events), replaced());
    backend.absent.lock().unwrap().clear();
    assert!(is_opened(next(&events)));
    handle.close();
}

#[test]
fn the_default_stands_in_when_somebody_else_wants_that() {
    let backend = Arc::new(Scripted::default());
    unplug_silently(&backend);
    let (handle, events) = microphone_of(&backend, headset(Never));
    assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
    handle.set_replacement(AtOnce);
    assert_eq!(next(&events), replaced());
    handle.close();
}

#[test]
fn the_default_stands_in_for_a_vanished_device_until_it_is_back() {
    for fails_late in [false, true] {
        let backend = Arc::new(Scripted {
            fails_late,
            ..Scripted::default()
        });
        let (handle, events) = microphone_of(&backend, headset(AfterUse));
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
            since
                .iter()
                .all(|tried| *tried == headset(AfterUse).selection),
            "the stream in use is left alone: {since:?}"
        );
        backend.absent.lock().unwrap().clear();
        assert!(is_opened(next(&events)));
        assert_eq!(
            backend.opened.lock().unwrap().last(),
            Some(&headset(AfterUse).selection)
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
        let (handle, events) = microphone_of(&backend, headset(AfterUse));
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
    let (handle, events) = microphone_of(&backend, headset(Never));
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
    let (handle, events) = microphone_of(&backend, headset(AfterUse));
    assert!(is_opened(next(&events)));
    backend.faults.lock().unwrap().push(busy());
    wait_until_asked_again(&backend, 2);
    assert!(events.try_recv().is_err(), "a card that only one may open");
    handle.close();
    let (handle, events) = microphone(&backend);
    assert!(is_opened(next(&events)));
    let asked = *backend.asked.lock().unwrap();
    std::thread::sleep(LOOK_AFTER + LOOK_AFTER / 2);
    assert_eq!(*backend.asked.lock().unwrap(), asked);
    handle.close();
}

#[test]
fn nothing_stands_in_where_that_is_off_or_the_device_was_never_there() {
    let backend = Arc::new(Scripted::default());
    let (handle, events) = microphone_of(&backend, headset(Never));
    assert!(is_opened(next(&events)));
    unplug(&backend);
    assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
    handle.close();
    let (handle, events) = microphone_of(&backend, headset(AfterUse));
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
    let (handle, events) = microphone_of(&backend, headset(AfterUse));
    assert!(is_opened(next(&events)));
    unplug(&backend);
    let failed = next(&events);
    let expected = matches!(&failed, DeviceEvent::Failed { fault, .. } if *fault == gone());
    assert!(expected, "{failed:?}");
    // The default comes first.
    let headset = self::headset(AfterUse).selection;
    *backend.absent.lock().unwrap() = vec![headset];
    assert_eq!(next(&events), replaced());
    handle.close();
}

#[test]
fn a_stand_in_that_fails_too_is_told_and_replaced() {
    let backend = Arc::new(Scripted::default());
    let (handle, events) = microphone_of(&backend, headset(AfterUse));
    assert!(is_opened(next(&events)));
    unplug(&backend);
    assert_eq!(next(&events), replaced());
    backend.notices.lock().unwrap().pop().unwrap()(lost());
    assert!(matches!(next(&events), DeviceEvent::Failed { .. }));
    assert_eq!(next(&events), replaced());
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
