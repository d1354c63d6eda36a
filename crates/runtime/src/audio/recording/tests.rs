use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use audio::wav::Reader;
use audio::{Frame, Rate};
use recorder::{Chunk, Format, Legs};

use super::super::{Sink, SinkGroup};
use super::thread::{Course, OpenRecording};
use super::*;

/// A disk that writes nothing as long as it stands still.
#[derive(Debug, Clone, Default)]
pub(super) struct Slow {
    stands: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Slow {
    pub(super) fn write(&self, chunk: &Chunk) -> io::Result<()> {
        while self.stands.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.written.lock().unwrap().extend(&chunk.append);
        Ok(())
    }
}

fn settings() -> Settings {
    Settings {
        format: Format::Wav,
        legs: Legs::Stereo,
        rate: Some(Rate::Hz8000),
        patched: true,
    }
}

fn frame(value: i16) -> Frame {
    Frame::new(Rate::Hz8000, &[value; 80]).unwrap()
}

fn path(name: &str) -> String {
    let name = format!("offhook-recording-{name}-{}.wav", std::process::id());
    std::env::temp_dir().join(name).to_str().unwrap().to_owned()
}

fn begin(place: RecordingPlace) -> (Recording, Receiver<RecordingNews>) {
    let recording = Recording::new(settings(), true).unwrap();
    let (tell, told) = mpsc::channel();
    let tell = Box::new(move |news| drop(tell.send(news)));
    recording.opening().begin(place, tell);
    (recording, told)
}

fn end(told: &Receiver<RecordingNews>) -> RecordingEnd {
    loop {
        if let RecordingNews::Ended(end) = told.recv().unwrap() {
            return end;
        }
    }
}

/// A second of both legs, told at the time that it was said; whether all of it was taken.
#[must_use]
fn second(recording: &Recording, tap: &mut Tap, number: u32) -> bool {
    let begin = recording.queue.at(Instant::now());
    (0..100_u32).all(|tick| {
        let at = Duration::from_secs(number.into()) + Duration::from_millis(u64::from(tick) * 10);
        let now = Instant::now() + at.saturating_sub(begin);
        tap.write(now, &frame(1_000), &frame(-2_000))
    })
}

#[test]
fn a_file_is_whole_while_it_is_written() {
    let path = path("whole");
    let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
    let mut tap = recording.tap();
    assert!(second(&recording, &mut tap, 0));
    // Nothing has ended, as when the process dies now; the thread has had its turn.
    let until = Instant::now() + Duration::from_secs(20);
    let length = loop {
        let bytes = std::fs::read(&path).unwrap();
        let mut samples = vec![0; 9_000];
        let read = Reader::new(&bytes[..]).and_then(|mut reader| reader.read(&mut samples));
        match read {
            Ok(count) if count >= 8_000 => break count,
            Ok(_) | Err(_) => assert!(Instant::now() < until, "not written"),
        }
    };
    assert!(length >= 8_000);
    drop(recording);
    assert!(end(&told).report.duration >= Duration::from_secs(1));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_is_said_in_a_pause_never_gets_to_the_queue() {
    let path = path("pause");
    let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
    let mut tap = recording.tap();
    recording.pause(true);
    assert!(tap.write(Instant::now(), &frame(1), &frame(1)));
    assert!(recording.queue.pop().is_none());
    recording.pause(false);
    drop(recording);
    let report = end(&told).report;
    assert_eq!(report.paused.len(), 1);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn who_takes_the_place_of_another_is_heard_alone() {
    let path = path("follow");
    let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
    let mut old = recording.tap();
    let mut new = recording.tap();
    assert!(!old.write(Instant::now(), &frame(1), &frame(1)));
    assert!(new.write(Instant::now(), &frame(2), &frame(2)));
    drop(recording);
    end(&told);
    assert!(!new.write(Instant::now(), &frame(3), &frame(3)));
    let bytes = std::fs::read(&path).unwrap();
    let loudest = bytes[44..].iter().max();
    assert_eq!(loudest, Some(&2));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn two_recordings_are_not_written_into_one_file_at_once_but_one_after_the_other_are() {
    let path = path("twice");
    let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
    let error = RecordingPlace::create(&path).unwrap_err().to_string();
    assert!(
        error.contains(&path) && error.contains("name another file"),
        "{error}"
    );
    drop(recording);
    RecordingPlace::create(&path).unwrap();
    end(&told);
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn one_file_by_two_names_is_written_once_and_not_emptied() {
    let (first, hard, soft) = (path("first"), path("hard"), path("soft"));
    std::os::unix::fs::symlink(&first, &soft).unwrap();
    let (recording, told) = begin(RecordingPlace::create(&soft).unwrap());
    std::fs::hard_link(&first, &hard).unwrap();
    for name in [&first, &hard, &soft] {
        let error = RecordingPlace::create(name).unwrap_err().to_string();
        assert!(error.contains("name another file"), "{error}");
    }
    drop(recording);
    end(&told);
    assert!(
        std::fs::metadata(&first).unwrap().len() > 0,
        "nobody emptied it"
    );
    for name in [first, hard, soft] {
        std::fs::remove_file(name).unwrap();
    }
}

#[test]
fn a_file_that_a_call_plays_is_not_emptied_for_a_recording_of_it() {
    let path = path("played");
    let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
    assert!(second(&recording, &mut recording.tap(), 0));
    drop(recording);
    end(&told);
    let length = std::fs::metadata(&path).unwrap().len();
    let player = crate::audio::wav_in::WavPlayer::open(&path, true).unwrap();
    let error = RecordingPlace::create(&path).unwrap_err().to_string();
    assert!(
        error.contains(&path) && error.contains("name another file"),
        "{error}"
    );
    assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
    drop(player);
    RecordingPlace::create(&path).unwrap();
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_or_moved_meanwhile_ends_its_recording_with_a_word() {
    let (path, moved) = (path("gone"), path("moved"));
    for delete in [true, false] {
        let (recording, told) = begin(RecordingPlace::create(&path).unwrap());
        let mut tap = recording.tap();
        assert!(second(&recording, &mut tap, 0));
        match delete {
            true => std::fs::remove_file(&path).unwrap(),
            false => std::fs::rename(&path, &moved).unwrap(),
        }
        // The writer may find it out before all is told.
        let _is_taken = second(&recording, &mut tap, 1);
        let told_of = told.recv_timeout(Duration::from_secs(20));
        let Ok(RecordingNews::Failed(why)) = told_of else {
            panic!("it did not fail");
        };
        assert!(why.starts_with(&path) && why.contains("deleted"), "{why}");
        assert!(end(&told).report.duration > Duration::ZERO);
        drop(recording);
    }
    let bytes = std::fs::read(&moved).unwrap();
    let mut samples = vec![0; 100_000];
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let played = reader.read(&mut samples).unwrap();
    assert!(played > 0, "what was written plays");
    std::fs::remove_file(moved).unwrap();
}

fn sink_of(chunks: u64) -> Sink {
    Sink::new(
        Rate::Hz48000,
        Duration::from_millis(20 * chunks),
        SinkGroup::new(|| {}),
    )
}

/// A recording of some seconds into a sink, which has ended, and whose turns are taken by hand.
fn ended_stream(sink: &Sink, seconds: u32) -> (OpenRecording, Receiver<RecordingNews>) {
    let recording = Recording::new(settings(), true).unwrap();
    let mut tap = recording.tap();
    assert!((0..seconds).all(|number| second(&recording, &mut tap, number)));
    let (tell, told) = mpsc::channel();
    let place = RecordingPlace::stream(sink.id()).unwrap();
    let tell = Box::new(move |news| drop(tell.send(news)));
    let queue = Arc::clone(&recording.queue);
    drop(recording);
    (OpenRecording::new(queue, settings(), place, tell), told)
}

fn is_failure(news: Result<RecordingNews, mpsc::TryRecvError>) -> bool {
    matches!(news, Ok(RecordingNews::Failed(why)) if why.contains("took nothing for 10 s"))
}

#[test]
fn a_reader_that_takes_nothing_is_given_up_also_if_all_fits_in_its_queue() {
    for chunks in [2, 100] {
        let sink = sink_of(chunks);
        let (mut open, told) = ended_stream(&sink, 4);
        let begin = Instant::now();
        let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
        assert_eq!(open.turn(at(0.0)), Course::On);
        assert_eq!(open.turn(at(9.9)), Course::On);
        assert!(told.try_recv().is_err());
        assert_eq!(open.turn(at(10.0)), Course::Over);
        assert!(is_failure(told.try_recv()));
        assert!(matches!(told.try_recv(), Ok(RecordingNews::Ended(_))));
    }
}

#[test]
fn a_slow_reader_is_waited_for_as_long_as_it_reads_and_loses_nothing() {
    let sink = sink_of(2);
    let (mut open, told) = ended_stream(&sink, 4);
    let (mut now, mut read) = (Instant::now(), Vec::new());
    while !sink.ended() {
        assert_eq!(open.turn(now), Course::On);
        read.extend(sink.read().iter().flat_map(|octets| octets.to_vec()));
        now += Duration::from_secs(9);
    }
    assert_eq!(open.turn(now), Course::On, "it is not whole where it goes");
    assert!(told.try_recv().is_err());
    drop(sink);
    assert_eq!(open.turn(now), Course::Over);
    let duration = end(&told).report.duration;
    assert!(duration >= Duration::from_secs(4));
    let octets = (duration.as_secs_f64() * 8_000.0 * 4.0).round() as usize;
    assert!((read.len() - audio::wav::HEADER).abs_diff(octets) <= 4);
}

#[test]
fn what_can_not_be_written_says_what_and_why() {
    let folder = std::env::temp_dir();
    for (path, why) in [
        (folder.join("no/such/call.wav"), "create it first"),
        (folder.clone(), "it is a folder"),
    ] {
        let path = path.to_str().unwrap();
        let error = RecordingPlace::create(path).unwrap_err().to_string();
        assert!(error.starts_with(path) && error.contains(why), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_recording_with_a_word_and_the_tap_with_it() {
    let (recording, told) = begin(RecordingPlace::create("/dev/full").unwrap());
    let mut tap = recording.tap();
    let _is_taken = second(&recording, &mut tap, 0);
    let RecordingNews::Failed(why) = told.recv().unwrap() else {
        panic!("it did not fail");
    };
    assert!(
        why.starts_with("/dev/full: it can't be written any more"),
        "{why}"
    );
    assert_eq!(end(&told).report.duration, Duration::ZERO);
    assert!(!tap.write(Instant::now(), &frame(1), &frame(1)));
    drop(recording);
}

#[test]
fn a_disk_that_stands_still_loses_what_does_not_fit_and_says_how_much() {
    let slow = Slow::default();
    slow.stands.store(true, Ordering::Release);
    let (recording, told) = begin(RecordingPlace::slow(slow.clone()));
    let mut tap = recording.tap();
    // The thread stands at what the first second made; the queue holds ten, and the rest is lost.
    for number in 0..13 {
        assert!(second(&recording, &mut tap, number));
        if number == 0 {
            while recording.queue.holds() > 0 {
                std::thread::sleep(Duration::from_millis(1));
                if recording.queue.holds() <= 50 {
                    break;
                }
            }
        }
    }
    let lost = recording.queue.lost_so_far();
    assert!(lost >= 100, "{lost} ticks");
    slow.stands.store(false, Ordering::Release);
    let RecordingNews::Lost(told_lost) = told.recv().unwrap() else {
        panic!("nothing was told");
    };
    assert!(told_lost >= Duration::from_secs(1));
    drop(recording);
    let end = end(&told);
    assert_eq!(end.lost, told_lost);
}
