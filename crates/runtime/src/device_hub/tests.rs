use std::sync::atomic::Ordering;
use std::time::Duration;

use audio::{Frame, Rate};

use super::*;
use crate::device::{
    Backend, CaptureEnd, Direction, Fault, Listing, Notice, Opened, PlaybackEnd, Presence,
};

/// Streams as a test holds them.
#[derive(Default)]
struct MadeUp {
    opened: Mutex<Vec<&'static str>>,
    capture: Arc<Mutex<Option<CaptureEnd>>>,
    playback: Arc<Mutex<Option<PlaybackEnd>>>,
}

/// Takes a stream's end away when the stream is closed.
struct Stream<T>(Arc<Mutex<Option<T>>>);

impl<T> Drop for Stream<T> {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = None;
    }
}

impl Backend for MadeUp {
    fn list(&self) -> Listing {
        Listing::default()
    }

    fn presence(&self, _: &DeviceId, _: Direction) -> Presence {
        Presence::Gone
    }

    fn open_input(
        &self,
        selection: &Selection,
        end: CaptureEnd,
        _: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        if *selection != Selection::Default {
            return Err(Fault::NotFound {
                device: "made up".to_owned(),
            });
        }
        self.opened.lock().unwrap().push("microphone");
        end.counters().hz.store(48_000, Ordering::Relaxed);
        *self.capture.lock().unwrap() = Some(end);
        Ok(Opened {
            name: "Microphone".to_owned(),
            hz: 48_000,
            stream: Box::new(Stream(Arc::clone(&self.capture))),
        })
    }

    fn open_output(
        &self,
        _: &Selection,
        end: PlaybackEnd,
        _: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        self.opened.lock().unwrap().push("speaker");
        end.counters().hz.store(48_000, Ordering::Relaxed);
        *self.playback.lock().unwrap() = Some(end);
        Ok(Opened {
            name: "Speaker".to_owned(),
            hz: 48_000,
            stream: Box::new(Stream(Arc::clone(&self.playback))),
        })
    }
}

impl MadeUp {
    /// One callback of a microphone.
    fn capture(&self, sample: i16) {
        if let Some(end) = self.capture.lock().unwrap().as_mut() {
            end.push(&[sample; 480], 1);
        }
    }

    /// One callback of a speaker: the loudest that it played.
    fn playback(&self) -> i16 {
        let mut played = [0_i16; 480];
        if let Some(end) = self.playback.lock().unwrap().as_mut() {
            end.fill(&mut played, 1);
        }
        played.into_iter().max().unwrap_or_default()
    }
}

fn silent() -> Standing {
    Box::new(|_| true)
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to that");
        thread::yield_now();
    }
}

/// Devices, and what their supervisors say.
struct Hub {
    devices: Devices,
    inbox: Receiver<DeviceOrder>,
}

impl Hub {
    fn new(backend: &Arc<MadeUp>) -> Hub {
        Hub::with_used(backend, Vec::new())
    }

    fn with_used(backend: &Arc<MadeUp>, used: Vec<DeviceId>) -> Hub {
        let (orders, inbox) = mpsc::channel();
        let devices = Devices::new(backend.clone(), orders, used);
        Hub { devices, inbox }
    }

    fn tick(&mut self) {
        for order in self.inbox.try_iter() {
            self.devices.take(order);
        }
        self.devices.tick();
    }

    fn hear(&mut self, wish: Wish, standing: Standing) -> DeviceEnd<LinkReader> {
        let (writer, reader) = link();
        let gauge = Arc::new(DeviceGauge::default());
        let listener = Listener::new(writer, SharedPreference::default());
        let share = Share::new(listener, Arc::clone(&gauge), standing);
        self.devices.take(DeviceOrder::Hear(wish, share));
        DeviceEnd::new(reader, gauge)
    }

    fn play(&mut self, wish: Wish, standing: Standing) -> DeviceEnd<LinkWriter> {
        let (writer, reader) = link();
        let gauge = Arc::new(DeviceGauge::default());
        let share = Share::new(reader, Arc::clone(&gauge), standing);
        self.devices.take(DeviceOrder::Play(wish, share));
        DeviceEnd::new(writer, gauge)
    }

    fn told(&mut self, told: &Receiver<Result<(), Complaint>>) -> Result<(), Complaint> {
        let mut standing = None;
        wait_until(|| {
            self.tick();
            standing = told.try_recv().ok();
            standing.is_some()
        });
        standing.unwrap()
    }
}

fn headset(replacement: Replacement) -> Wish {
    Wish {
        selection: Selection::Id(DeviceId("headset".to_owned())),
        replacement,
    }
}

fn telling() -> (Standing, Receiver<Result<(), Complaint>>) {
    let (tell, told) = mpsc::channel();
    (Box::new(move |standing| tell.send(standing).is_ok()), told)
}

fn loudest(frame: &Frame) -> i16 {
    frame.samples().iter().copied().max().unwrap()
}

#[test]
fn a_microphone_is_opened_once_heard_by_all_and_closed_after_the_last() {
    let backend = Arc::new(MadeUp::default());
    let mut hub = Hub::new(&backend);
    let mut readers: Vec<_> = (0..3)
        .map(|_| hub.hear(Wish::default_device(), silent()))
        .collect();
    wait_until(|| backend.capture.lock().unwrap().is_some());
    assert_eq!(*backend.opened.lock().unwrap(), ["microphone"]);
    let mut peaks = [0; 3];
    wait_until(|| {
        backend.capture(8_000);
        hub.tick();
        for (peak, reader) in peaks.iter_mut().zip(&mut readers) {
            *peak = loudest(&reader.read(Rate::Hz48000)).max(*peak);
        }
        peaks.iter().all(|peak| *peak > 7_000)
    });
    backend.capture(8_000);
    hub.tick();
    assert!(readers[0].figures().total >= 480);
    assert!(readers[0].take_peak().is_some_and(|peak| peak > 0.1));
    readers.pop();
    hub.tick();
    assert!(!hub.devices.are_all_closed());
    readers.clear();
    hub.tick();
    assert!(hub.devices.are_all_closed());
    wait_until(|| backend.capture.lock().unwrap().is_none());
}

#[test]
fn what_sessions_play_is_mixed_on_one_speaker() {
    let backend = Arc::new(MadeUp::default());
    let mut hub = Hub::new(&backend);
    let mut writers: Vec<_> = (0..2)
        .map(|_| hub.play(Wish::default_device(), silent()))
        .collect();
    wait_until(|| backend.playback.lock().unwrap().is_some());
    let voice = Frame::new(Rate::Hz48000, &[4_000; 480]).unwrap();
    wait_until(|| {
        for writer in &mut writers {
            writer.write(&voice);
        }
        hub.tick();
        backend.playback() > 7_500
    });
    assert_eq!(*backend.opened.lock().unwrap(), ["speaker"]);
    writers.clear();
    wait_until(|| {
        hub.tick();
        hub.devices.are_all_closed()
    });
}

#[test]
fn trouble_is_told_to_all_that_share_the_device_and_to_those_that_come_later() {
    let mut hub = Hub::new(&Arc::new(MadeUp::default()));
    let mut readers = Vec::new();
    for _ in 0..2 {
        let (standing, told) = telling();
        readers.push(hub.hear(headset(Replacement::AfterUse), standing));
        let standing = hub.told(&told);
        let failed = matches!(&standing, Err(Complaint::Failed(text)) if text.contains("made up"));
        assert!(failed, "{standing:?}");
    }
}

#[test]
fn that_a_device_is_open_is_told_to_all_and_to_those_that_come_later() {
    let mut hub = Hub::new(&Arc::new(MadeUp::default()));
    let mut readers = Vec::new();
    for _ in 0..2 {
        let (standing, told) = telling();
        readers.push(hub.hear(Wish::default_device(), standing));
        assert_eq!(hub.told(&told), Ok(()));
    }
}

#[test]
fn a_device_that_was_open_before_is_replaced_at_once_but_not_for_those_who_do_not_want_it() {
    let backend = Arc::new(MadeUp::default());
    let mut hub = Hub::with_used(&backend, vec![DeviceId("headset".to_owned())]);
    let (standing, told) = telling();
    let mut strict = hub.hear(headset(Replacement::Never), standing);
    assert!(matches!(hub.told(&told), Err(Complaint::Failed(_))));
    let (standing, told_of_default) = telling();
    let mut content = hub.hear(headset(Replacement::AfterUse), standing);
    let mut replaced = Err(Complaint::Failed(String::new()));
    while matches!(replaced, Err(Complaint::Failed(_))) {
        replaced = hub.told(&told_of_default);
    }
    let Err(Complaint::Replaced(stand_in)) = replaced else {
        panic!("{replaced:?}");
    };
    assert_eq!(stand_in.in_use, "Microphone");
    assert!(matches!(hub.told(&told), Err(Complaint::Failed(_))));
    wait_until(|| {
        backend.capture(8_000);
        hub.tick();
        assert_eq!(loudest(&strict.read(Rate::Hz48000)), 0);
        loudest(&content.read(Rate::Hz48000)) > 7_000
    });
}

#[test]
fn what_a_microphone_left_out_is_counted_for_who_heard_it() {
    let backend = Arc::new(MadeUp::default());
    let mut hub = Hub::new(&backend);
    let mut reader = hub.hear(Wish::default_device(), silent());
    wait_until(|| {
        backend.capture(8_000);
        hub.tick();
        loudest(&reader.read(Rate::Hz48000)) > 7_000
    });
    assert_eq!(reader.figures().synthesized, 0);
    for _ in 0..20 {
        hub.tick();
    }
    let figures = reader.figures();
    assert!(figures.synthesized > 10 * 480, "{figures:?}");
    assert_eq!(figures.synthesized_events, 1);
    let late = hub.hear(Wish::default_device(), silent());
    hub.tick();
    assert_eq!(late.figures().synthesized, 480, "from when it came");
}
