//! The machine's sound system, for real: a virtual card of PulseAudio's, and none at all.
//!
//! Each test starts itself again in a process whose environment leads to its own sound system.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use audio::detect::{ToneFit, is_tone};
use audio::tone::{Generator, Sequence};
use audio::{Frame, Rate};
use runtime::device::{
    Backend, DeviceEvent, DeviceId, Direction, Fault, Microphone, Replacement, Selection, Speaker,
    System, Wanted, open_microphone, open_speaker,
};

fn chosen(selection: Selection) -> Wanted {
    Wanted {
        selection,
        replacement: Replacement::Never,
    }
}

const ROLE: &str = "OFFHOOK_TEST_ROLE";
const CARD: &str = "OFFHOOK_TEST_CARD";

/// Whether this process is the inner one of a test.
fn is_inner() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs the test `name` again in a process with `environment`, and fails with it.
fn run_inner(name: &str, environment: &[(&str, &str)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROLE, "inner")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(
        stdout.contains("1 passed"),
        "{name} is not a test: {stdout}"
    );
    assert!(
        !stderr.contains("ALSA lib"),
        "libasound wrote to stderr: {stderr}"
    );
}

/// A PulseAudio daemon with one virtual card, whose microphone hears what its speaker plays.
struct VirtualCard {
    directory: PathBuf,
    daemon: Child,
}

impl VirtualCard {
    fn start(name: &str) -> Option<Self> {
        let installed = Command::new("pulseaudio").arg("--version").output().is_ok();
        if !installed {
            assert!(std::env::var_os("CI").is_none(), "CI has PulseAudio");
            eprintln!("NOT RUN: {name} needs the packages pulseaudio and libasound2-plugins");
            return None;
        }
        let directory = std::env::temp_dir().join(format!("offhook-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let daemon = start_daemon(&directory);
        Some(Self { directory, daemon })
    }

    fn run(&self, test: &str) {
        let directory = self.directory.to_str().unwrap();
        let server = format!("unix:{directory}/native");
        let environment = [
            ("XDG_RUNTIME_DIR", directory),
            ("HOME", directory),
            ("PULSE_SERVER", &server),
            (CARD, directory),
        ];
        run_inner(test, &environment);
    }
}

impl Drop for VirtualCard {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Starts a daemon in `directory` and waits until it answers.
fn start_daemon(directory: &Path) -> Child {
    let socket = directory.join("native");
    let _ = fs::remove_file(&socket);
    // Without norewinds=1 the first stream loses one or two seconds.
    let script = format!(
        "load-module module-native-protocol-unix auth-anonymous=1 socket={}\n\
         load-module module-null-sink sink_name=speaker norewinds=1 rate=48000\n\
         load-module module-remap-source master=speaker.monitor source_name=mic\n\
         set-default-sink speaker\n\
         set-default-source mic\n",
        socket.display()
    );
    let file = directory.join("card.pa");
    fs::write(&file, script).unwrap();
    let daemon = Command::new("pulseaudio")
        .args([
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--disable-shm",
            "-n",
            "-F",
        ])
        .arg(&file)
        .env("XDG_RUNTIME_DIR", directory)
        .env("HOME", directory)
        .env_remove("PULSE_SERVER")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "pulseaudio does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon
}

/// Both ways of a call's sound, and a tick of 10 ms.
struct Bench {
    microphone: Microphone,
    speaker: Speaker,
    tone: Generator,
    next: Instant,
}

impl Bench {
    fn new(microphone: Microphone, speaker: Speaker) -> Self {
        Self {
            microphone,
            speaker,
            tone: Generator::new(Sequence::sine(1_000.0, -12.0, None), Rate::Hz48000),
            next: Instant::now(),
        }
    }

    /// Plays the tone for `ticks` and returns what was heard meanwhile.
    fn run(&mut self, ticks: usize) -> Vec<i16> {
        let mut frame = Frame::silence(Rate::Hz48000);
        let mut heard = Vec::new();
        for _ in 0..ticks {
            self.tone.fill(frame.samples_mut());
            self.speaker.tick(&frame);
            self.microphone.tick(&mut frame);
            heard.extend_from_slice(frame.samples());
            self.next += Duration::from_millis(10);
            std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        }
        heard
    }

    /// Runs until a whole second is nearly all tone, as it must be in the end.
    fn hear_tone(&mut self) -> Vec<i16> {
        for _ in 0..15 {
            let second = self.run(100);
            let clean = second
                .chunks_exact(480)
                .filter(|tick| is_tone(tick, Rate::Hz48000, 1_000.0))
                .count();
            if clean >= 95 {
                return second;
            }
        }
        panic!("the tone was never heard for a second");
    }
}

fn next(events: &mpsc::Receiver<DeviceEvent>) -> DeviceEvent {
    events.recv_timeout(Duration::from_secs(20)).unwrap()
}

#[test]
fn a_tone_played_is_heard_back_through_the_default_devices() {
    if !is_inner() {
        if let Some(card) = VirtualCard::start("default") {
            card.run("device::a_tone_played_is_heard_back_through_the_default_devices");
        }
        return;
    }
    let listing = System.list();
    assert_eq!(listing.unavailable, None);
    for direction in [Direction::Input, Direction::Output] {
        let first = listing
            .devices
            .iter()
            .find(|device| device.direction == direction)
            .unwrap();
        assert!(first.is_default, "{listing:?}");
    }
    assert_eq!(System.list(), listing, "ids are stable");

    let system: Arc<dyn Backend> = Arc::new(System);
    let (sender, events) = mpsc::channel();
    let speaker_sender = sender.clone();
    let (microphone, hears) = open_microphone(system.clone(), Wanted::default(), move |event| {
        let _ = sender.send(event);
    })
    .unwrap();
    let pulse = Selection::Id(DeviceId("alsa:pulse".to_owned()));
    let (speaker, plays) = open_speaker(system, chosen(pulse), move |event| {
        let _ = speaker_sender.send(event);
    })
    .unwrap();
    for _ in 0..2 {
        let event = next(&events);
        assert!(
            matches!(event, DeviceEvent::Opened { hz: 48_000, .. }),
            "{event:?}"
        );
    }
    let mut bench = Bench::new(microphone, speaker);
    let second = bench.hear_tone();
    let fit = ToneFit::of(&second[..4_800], Rate::Hz48000, 1_000.0);
    println!("heard {fit:?}");
    println!("microphone {:?}", bench.microphone.counters());
    println!("speaker {:?}", bench.speaker.counters());
    assert!(fit.amplitude > 3_000.0, "{fit:?}");
    assert!(bench.microphone.counters().callbacks.load(Relaxed) > 50);
    hears.close();
    plays.close();
}

#[test]
fn a_sound_server_that_dies_is_told_and_found_again_when_it_is_back() {
    if !is_inner() {
        if let Some(card) = VirtualCard::start("restart") {
            card.run("device::a_sound_server_that_dies_is_told_and_found_again_when_it_is_back");
        }
        return;
    }
    // The outer process's daemon is left alone: this test's own lives in a directory of its own.
    let directory = PathBuf::from(std::env::var_os(CARD).unwrap());
    let system: Arc<dyn Backend> = Arc::new(System);
    let (sender, events) = mpsc::channel();
    let mut missing = System.list().devices.first().unwrap().id.clone();
    missing.0.push_str(":gone");
    let (mut microphone, handle) = open_microphone(
        system.clone(),
        chosen(Selection::Id(missing)),
        move |event| {
            let _ = sender.send(event);
        },
    )
    .unwrap();
    let event = next(&events);
    assert!(
        matches!(
            &event,
            DeviceEvent::Failed {
                fault: Fault::NotFound { .. },
                ..
            }
        ),
        "{event:?}"
    );
    let mut frame = Frame::silence(Rate::Hz48000);
    assert!(!microphone.tick(&mut frame), "a call goes on in silence");
    handle.close();
    let (sender, events) = mpsc::channel();
    let (_microphone, handle) = open_microphone(system, Wanted::default(), move |event| {
        let _ = sender.send(event);
    })
    .unwrap();
    assert!(matches!(next(&events), DeviceEvent::Opened { .. }));

    Command::new("pactl").arg("exit").status().unwrap();
    let event = next(&events);
    assert!(matches!(&event, DeviceEvent::Failed { .. }), "{event:?}");
    let mut daemon = start_daemon(&directory);
    while !matches!(next(&events), DeviceEvent::Opened { .. }) {}
    handle.close();
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

#[test]
fn without_libasound_the_list_is_empty_with_the_reason_and_a_call_goes_on_in_silence() {
    if !is_inner() {
        run_inner(
            "device::without_libasound_the_list_is_empty_with_the_reason_and_a_call_goes_on_in_silence",
            &[(asound::LIBRARY_VARIABLE, "libasound-is-not-installed.so.2")],
        );
        return;
    }
    let mapped = fs::read_to_string("/proc/self/maps").unwrap();
    assert!(
        !mapped.contains("libasound"),
        "the program depends on libasound"
    );
    let listing = System.list();
    assert!(listing.devices.is_empty());
    let reason = listing.unavailable.unwrap();
    assert!(
        reason.contains("libasound-is-not-installed.so.2"),
        "{reason}"
    );

    let (sender, events) = mpsc::channel();
    let (mut microphone, handle) =
        open_microphone(Arc::new(System), Wanted::default(), move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
    let event = next(&events);
    assert!(
        matches!(
            &event,
            DeviceEvent::Failed {
                fault: Fault::NoHost { .. },
                ..
            }
        ),
        "{event:?}"
    );
    assert!(!microphone.tick(&mut Frame::silence(Rate::Hz48000)));
    handle.close();
}
