//! Devices shared by the sessions of the process: each is opened once, whoever wants it.
//!
//! ```text
//! Microphone ─► one frame a tick ─► a link for each session that hears it
//! a link for each session that plays ─► mixed ─► Speaker
//! ```
//! One thread with the media clock's beat moves the frames; it starts with the first device and ends
//! with the last. A device closes when no session wants it any more. Opening never fails: what can't be
//! opened is silent and told as trouble, while the device's supervisor tries again.

use std::fmt;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use audio::mixer::Mixer;
use audio::{Frame, Rate};
use phone::media::StandIn;

use crate::audio::{LinkReader, LinkWriter, OpenError, link};
use crate::device::{
    Backend, DeviceEvent, Handle, Microphone, Speaker, System, Wanted, open_microphone,
    open_speaker,
};
use crate::tick_clock::Clock;

/// Tells what goes wrong with what was opened; false when nobody has it any more.
pub(crate) type Trouble = Box<dyn Fn(String) -> bool + Send>;

/// Tells one session how its device is, from the device's own thread: open, or why not. False when the session
/// has another device by now.
pub(crate) type Standing = Box<dyn Fn(Result<(), Complaint>) -> bool + Send>;

/// Why what was chosen is not in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// Nothing is.
    Failed(String),
    /// The system's default is.
    Replaced(StandIn),
}

/// The running thread's inbox.
static HUB: Mutex<Option<Sender<DeviceOrder>>> = Mutex::new(None);

enum DeviceOrder {
    Hear(Wanted, LinkWriter, Standing),
    Play(Wanted, LinkReader, Standing),
}

/// Listens to a microphone, the default one if none is named.
pub(crate) fn microphone(wanted: Wanted, standing: Standing) -> Result<LinkReader, OpenError> {
    let (writer, reader) = link();
    order(DeviceOrder::Hear(wanted, writer, standing))?;
    Ok(reader)
}

/// Plays on a speaker, the default one if none is named.
pub(crate) fn speaker(wanted: Wanted, standing: Standing) -> Result<LinkWriter, OpenError> {
    let (writer, reader) = link();
    order(DeviceOrder::Play(wanted, reader, standing))?;
    Ok(writer)
}

fn order(order: DeviceOrder) -> Result<(), OpenError> {
    let mut hub = lock(&HUB);
    let order = match &*hub {
        Some(orders) => match orders.send(order) {
            Ok(()) => return Ok(()),
            // The thread broke; another one takes over.
            Err(mpsc::SendError(order)) => order,
        },
        None => order,
    };
    // Unbounded: sessions ask for devices a few times in their life.
    let (orders, inbox) = mpsc::channel();
    let _ = orders.send(order);
    // Not joined: it ends by itself when the last device is closed.
    thread::Builder::new()
        .name("offhook-sound".to_owned())
        .spawn(move || run(&inbox))
        .map_err(|error| OpenError::Device(error.to_string()))?;
    *hub = Some(orders);
    Ok(())
}

fn run(inbox: &Receiver<DeviceOrder>) {
    let mut devices = Devices::new(Arc::new(System));
    let mut clock = Clock::new(Instant::now());
    loop {
        let wait = clock.deadline().saturating_duration_since(Instant::now());
        match inbox.recv_timeout(wait) {
            Ok(order) => devices.open(order),
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

// Under the lock nobody can send: either an order is there, or the next one starts a new thread.
fn retire(inbox: &Receiver<DeviceOrder>, devices: &mut Devices) -> bool {
    let mut hub = lock(&HUB);
    match inbox.try_recv() {
        Ok(order) => {
            devices.open(order);
            false
        }
        Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
            *hub = None;
            true
        }
    }
}

/// The open devices and who shares them.
struct Devices {
    backend: Arc<dyn Backend>,
    microphones: Vec<Heard>,
    speakers: Vec<Played>,
    mixer: Mixer,
}

struct Heard {
    wanted: Wanted,
    microphone: Microphone,
    listeners: Vec<LinkWriter>,
    audience: DeviceListeners,
    /// Closes the device when it is dropped.
    _handle: Handle,
}

struct Played {
    wanted: Wanted,
    speaker: Speaker,
    voices: Vec<LinkReader>,
    audience: DeviceListeners,
    /// Closes the device when it is dropped.
    _handle: Handle,
}

impl Devices {
    fn new(backend: Arc<dyn Backend>) -> Devices {
        Devices {
            backend,
            microphones: Vec::new(),
            speakers: Vec::new(),
            mixer: Mixer::new(Rate::Hz48000),
        }
    }

    fn open(&mut self, order: DeviceOrder) {
        match order {
            DeviceOrder::Hear(wanted, listener, standing) => self.hear(wanted, listener, standing),
            DeviceOrder::Play(wanted, voice, standing) => self.play(wanted, voice, standing),
        }
    }

    fn hear(&mut self, wanted: Wanted, listener: LinkWriter, standing: Standing) {
        let known = |heard: &&mut Heard| heard.wanted == wanted;
        if let Some(heard) = self.microphones.iter_mut().find(known) {
            heard.audience.join(standing);
            return heard.listeners.push(listener);
        }
        let audience = DeviceListeners::default();
        audience.join(standing);
        let backend = Arc::clone(&self.backend);
        let events = audience.clone();
        let opened = open_microphone(backend, wanted.clone(), move |event| events.tell(&event));
        let Some((microphone, handle)) = audience.unless_failed(opened) else {
            return;
        };
        self.microphones.push(Heard {
            wanted,
            microphone,
            listeners: vec![listener],
            audience,
            _handle: handle,
        });
    }

    fn play(&mut self, wanted: Wanted, voice: LinkReader, standing: Standing) {
        let known = |played: &&mut Played| played.wanted == wanted;
        if let Some(played) = self.speakers.iter_mut().find(known) {
            played.audience.join(standing);
            return played.voices.push(voice);
        }
        let audience = DeviceListeners::default();
        audience.join(standing);
        let backend = Arc::clone(&self.backend);
        let events = audience.clone();
        let opened = open_speaker(backend, wanted.clone(), move |event| events.tell(&event));
        let Some((speaker, handle)) = audience.unless_failed(opened) else {
            return;
        };
        self.speakers.push(Played {
            wanted,
            speaker,
            voices: vec![voice],
            audience,
            _handle: handle,
        });
    }

    fn tick(&mut self) {
        let mut frame = Frame::silence(Rate::Hz48000);
        self.microphones.retain_mut(|heard| {
            heard.microphone.tick(&mut frame);
            heard
                .listeners
                .retain_mut(|listener| listener.write(&frame));
            !heard.listeners.is_empty()
        });
        let mixer = &mut self.mixer;
        self.speakers.retain_mut(|played| {
            mixer.clear();
            played.voices.retain_mut(|voice| {
                mixer.add(&voice.read(Rate::Hz48000));
                !voice.ended()
            });
            played.speaker.tick(&mixer.all());
            !played.voices.is_empty()
        });
    }

    fn are_all_closed(&self) -> bool {
        self.microphones.is_empty() && self.speakers.is_empty()
    }
}

/// Who is told how a device is: all that share it, and those that come later.
#[derive(Clone, Default)]
struct DeviceListeners {
    shared: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    /// Nothing until it was opened, or could not be.
    standing: Option<Result<(), Complaint>>,
    /// One for each session that shared it and was not seen to have another device.
    sessions: Vec<Standing>,
}

impl DeviceListeners {
    fn join(&self, session: Standing) {
        let mut told = lock(&self.shared);
        let stays = match &told.standing {
            Some(standing) => session(standing.clone()),
            None => true,
        };
        if stays {
            told.sessions.push(session);
        }
    }

    fn tell(&self, event: &DeviceEvent) {
        match event {
            DeviceEvent::Opened { .. } => self.say(&Ok(())),
            // It goes on as it was.
            DeviceEvent::Moved => {}
            DeviceEvent::Replaced {
                fault,
                chosen,
                in_use,
            } => self.say(&Err(Complaint::Replaced(StandIn {
                chosen: chosen.to_string(),
                in_use: in_use.clone(),
                reason: fault.to_string(),
            }))),
            DeviceEvent::Failed { fault, .. } => self.complain(&fault.to_string()),
        }
    }

    fn complain(&self, text: &str) {
        self.say(&Err(Complaint::Failed(text.to_owned())));
    }

    fn say(&self, standing: &Result<(), Complaint>) {
        let mut told = lock(&self.shared);
        told.sessions.retain(|session| session(standing.clone()));
        told.standing = Some(standing.clone());
    }

    /// Tells those who wait for a device whose thread could not be started.
    fn unless_failed<T>(&self, opened: io::Result<T>) -> Option<T> {
        opened
            .map_err(|error| self.complain(&format!("no thread for it could be started: {error}")))
            .ok()
    }
}

impl fmt::Debug for DeviceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceOrder::Hear(..) => "Hear",
            DeviceOrder::Play(..) => "Play",
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use crate::device::{
        CaptureEnd, DeviceId, Direction, Fault, Listing, Notice, Opened, PlaybackEnd, Presence,
        Selection,
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
            Presence::There
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

    #[test]
    fn a_microphone_is_opened_once_heard_by_all_and_closed_after_the_last() {
        let backend = Arc::new(MadeUp::default());
        let mut devices = Devices::new(backend.clone());
        let mut readers = Vec::new();
        for _ in 0..3 {
            let (writer, reader) = link();
            devices.open(DeviceOrder::Hear(Wanted::default(), writer, silent()));
            readers.push(reader);
        }
        wait_until(|| backend.capture.lock().unwrap().is_some());
        assert_eq!(*backend.opened.lock().unwrap(), ["microphone"]);
        let mut loudest = [0; 3];
        wait_until(|| {
            if let Some(end) = backend.capture.lock().unwrap().as_mut() {
                end.push(&[8_000_i16; 480], 1);
            }
            devices.tick();
            for (loudest, reader) in loudest.iter_mut().zip(&mut readers) {
                let frame = reader.read(Rate::Hz48000);
                *loudest = frame.samples().iter().copied().max().unwrap().max(*loudest);
            }
            loudest.iter().all(|peak| *peak > 7_000)
        });
        readers.pop();
        devices.tick();
        assert!(!devices.are_all_closed());
        readers.clear();
        devices.tick();
        assert!(devices.are_all_closed());
        wait_until(|| backend.capture.lock().unwrap().is_none());
    }

    #[test]
    fn what_sessions_play_is_mixed_on_one_speaker() {
        let backend = Arc::new(MadeUp::default());
        let mut devices = Devices::new(backend.clone());
        let mut writers = Vec::new();
        for _ in 0..2 {
            let (writer, reader) = link();
            devices.open(DeviceOrder::Play(Wanted::default(), reader, silent()));
            writers.push(writer);
        }
        wait_until(|| backend.playback.lock().unwrap().is_some());
        let voice = Frame::new(Rate::Hz48000, &[4_000; 480]).unwrap();
        let mut played = [0_i16; 480];
        wait_until(|| {
            for writer in &mut writers {
                writer.write(&voice);
            }
            devices.tick();
            if let Some(end) = backend.playback.lock().unwrap().as_mut() {
                end.fill(&mut played, 1);
            }
            played.iter().any(|sample| *sample > 7_500)
        });
        assert_eq!(*backend.opened.lock().unwrap(), ["speaker"]);
        writers.clear();
        wait_until(|| {
            devices.tick();
            devices.are_all_closed()
        });
    }

    #[test]
    fn trouble_is_told_to_all_that_share_the_device_and_to_those_that_come_later() {
        let mut devices = Devices::new(Arc::new(MadeUp::default()));
        let missing = Wanted {
            selection: Selection::Id(DeviceId("gone".to_owned())),
            fallback: true,
        };
        let (tell, told) = mpsc::channel();
        let mut readers = Vec::new();
        for _ in 0..2 {
            let (writer, reader) = link();
            let tell = tell.clone();
            let standing: Standing = Box::new(move |standing| tell.send(standing).is_ok());
            devices.open(DeviceOrder::Hear(missing.clone(), writer, standing));
            readers.push(reader);
            let standing = told.recv_timeout(Duration::from_secs(10)).unwrap();
            let failed =
                matches!(&standing, Err(Complaint::Failed(text)) if text.contains("made up"));
            assert!(failed, "{standing:?}");
        }
    }

    #[test]
    fn that_a_device_is_open_is_told_to_all_and_to_those_that_come_later() {
        let backend = Arc::new(MadeUp::default());
        let mut devices = Devices::new(backend);
        let (tell, told) = mpsc::channel();
        let mut readers = Vec::new();
        for _ in 0..2 {
            let (writer, reader) = link();
            let tell = tell.clone();
            let standing: Standing = Box::new(move |standing| tell.send(standing).is_ok());
            devices.open(DeviceOrder::Hear(Wanted::default(), writer, standing));
            readers.push(reader);
            assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(Ok(())));
        }
    }
}
