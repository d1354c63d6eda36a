use audio::tone::{Generator, Sequence};
use audio::wav::{HEADER, Reader};

use super::*;
use crate::Format;

const TICK: Duration = Duration::from_millis(10);

fn settings(legs: Legs) -> Settings {
    Settings {
        format: Format::Wav,
        legs,
        rate: Some(Rate::Hz8000),
        patched: true,
    }
}

/// What is in a file after each chunk that was written into it.
#[derive(Default)]
struct Disk(Vec<u8>);

impl Disk {
    fn write(&mut self, chunk: &Chunk) {
        self.0.extend(&chunk.append);
        self.0[..chunk.begin.len()].copy_from_slice(&chunk.begin);
    }

    /// The samples of one channel of two.
    fn leg(&self, channel: usize) -> Vec<i16> {
        let values = self.0[HEADER..].chunks_exact(2);
        let values = values.map(|octets| i16::from_le_bytes([octets[0], octets[1]]));
        values.skip(channel).step_by(2).collect()
    }
}

fn frame(rate: Rate, value: i16) -> Frame {
    Frame::new(rate, &vec![value; rate.samples_per_tick()]).unwrap()
}

fn silence() -> Frame {
    Frame::silence(Rate::Hz8000)
}

/// Where a click of each second is in a leg, in milliseconds.
fn clicks(samples: &[i16], hz: usize) -> Vec<usize> {
    let loud = |second: &[i16]| {
        let peak = second.iter().map(|sample| sample.unsigned_abs()).max()?;
        let first = |sample: &i16| sample.unsigned_abs() > peak / 2;
        (peak > 4_000).then(|| second.iter().position(first))?
    };
    let seconds = samples.chunks(hz).enumerate();
    seconds
        .filter_map(|(number, second)| Some(number * 1_000 + loud(second)? * 1_000 / hz))
        .collect()
}

/// Both sides click in the middle of each second; codecs change, the call is on hold, ticks come late, in bursts, or not at all.
#[test]
fn legs_are_in_step_and_in_time_for_an_hour_of_changes() {
    let mut recorder = Recorder::new(settings(Legs::Stereo));
    let mut disk = Disk::default();
    let rates = [Rate::Hz8000, Rate::Hz16000, Rate::Hz24000, Rate::Hz48000];
    let mut late = Duration::ZERO;
    let mut expected = Vec::new();
    for tick in 0..360_000_u64 {
        let at = TICK * tick as u32;
        let (minute, within) = (tick / 6_000, tick % 6_000);
        // On hold without media in a part of every fifth minute; a second of it is left out by the machine in every seventh.
        let held = minute % 5 == 4 && within < 2_000;
        let skipped = minute % 7 == 6 && (3_000..3_090).contains(&within);
        if held || skipped {
            late = Duration::ZERO;
            continue;
        }
        // A machine that is busy comes up to 50 ms late, and catches up.
        late = match tick % 100 {
            60 => TICK * (tick / 100 % 6) as u32,
            _ => late.saturating_sub(TICK),
        };
        let click = if tick % 100 == 50 { 16_000 } else { 0 };
        if click > 0 {
            expected.push(tick as usize * 10);
        }
        let local = frame(rates[minute as usize % 4], click);
        let remote = frame(rates[(minute as usize / 3 + 1) % 4], click);
        recorder.bridge(at + late);
        while recorder.bridge(at + late) {}
        recorder.take(at + late, &local, &remote);
        if let Some(chunk) = recorder.chunk() {
            disk.write(&chunk);
        }
    }
    disk.write(&recorder.finish());
    let (local, remote) = (clicks(&disk.leg(0), 8_000), clicks(&disk.leg(1), 8_000));
    assert_eq!(local.len(), expected.len());
    assert_eq!(remote.len(), expected.len());
    for ((local, remote), true_place) in local.iter().zip(&remote).zip(&expected) {
        assert!(local.abs_diff(*remote) < 10, "{local} and {remote} ms");
        assert!(
            local.abs_diff(*true_place) < 110,
            "{local}, not {true_place} ms"
        );
    }
    let an_hour = Duration::from_secs(3_600);
    assert!(recorder.duration().abs_diff(an_hour) < MOST_LATE * 2);
}

#[test]
fn each_kind_of_legs_has_what_it_says() {
    let tone = |hz| Generator::new(Sequence::sine(hz, -12.0, None), Rate::Hz16000);
    for (legs, channels, heard) in [
        (Legs::Stereo, 2, vec![vec![500.0], vec![900.0]]),
        (Legs::Mix, 1, vec![vec![500.0, 900.0]]),
        (Legs::Local, 1, vec![vec![500.0]]),
        (Legs::Remote, 1, vec![vec![900.0]]),
    ] {
        let mut recorder = Recorder::new(settings(legs));
        let (mut near, mut far) = (tone(500.0), tone(900.0));
        for tick in 0..100 {
            let (mut local, mut remote) =
                (Frame::silence(Rate::Hz16000), Frame::silence(Rate::Hz16000));
            near.fill(local.samples_mut());
            far.fill(remote.samples_mut());
            recorder.take(TICK * tick, &local, &remote);
        }
        let bytes = recorder.finish().append;
        let mut reader = Reader::new(&bytes[..]).unwrap();
        assert_eq!(reader.format().channels, channels, "{legs:?}");
        assert_eq!(reader.format().hz, 8_000);
        let mut all = vec![0; 16_000];
        assert_eq!(reader.read(&mut all).unwrap(), 8_000, "a second");
        let values: Vec<i16> = bytes[HEADER..]
            .chunks_exact(2)
            .map(|octets| i16::from_le_bytes([octets[0], octets[1]]))
            .collect();
        for (channel, wanted) in heard.iter().enumerate() {
            let leg: Vec<i16> = values
                .iter()
                .skip(channel)
                .step_by(usize::from(channels))
                .copied()
                .collect();
            for hz in [500.0, 900.0] {
                let mut goertzel = audio::detect::Goertzel::new(Rate::Hz8000, hz);
                goertzel.push(&leg[800..]);
                let is_there = goertzel.take().dbov > -30.0;
                assert_eq!(is_there, wanted.contains(&hz), "{legs:?} {channel}: {hz}");
            }
        }
    }
}

#[test]
fn what_is_said_in_a_pause_is_silent_and_marked_and_time_goes_on() {
    let mut recorder = Recorder::new(settings(Legs::Stereo));
    let loud = frame(Rate::Hz8000, 9_000);
    for tick in 0..300_u32 {
        let at = TICK * tick;
        if tick == 100 {
            recorder.pause(at);
            recorder.pause(at);
        }
        if tick == 200 {
            recorder.resume(at);
            recorder.resume(at);
        }
        recorder.take(at, &loud, &loud);
    }
    recorder.pause(TICK * 300);
    recorder.fill(TICK * 350);
    let part = |from: u32, to: u32| Pause {
        from: TICK * from,
        to: TICK * to,
    };
    let parts = [part(100, 200), part(300, 350)];
    assert_eq!(recorder.report().paused, parts, "it pauses still");
    let mut disk = Disk::default();
    disk.write(&recorder.finish());
    assert_eq!(recorder.report().paused, parts);
    assert_eq!(recorder.report().duration, TICK * 350);
    let leg = disk.leg(0);
    assert!(leg[..8_000].iter().all(|sample| *sample == 9_000));
    assert!(leg[8_000..16_000].iter().all(|sample| *sample == 0));
    assert!(leg[16_000..24_000].iter().all(|sample| *sample == 9_000));
    // Four marks behind the sound, and a size that holds them.
    let bytes = &disk.0;
    let sound = u32::from_le_bytes(bytes[40..44].try_into().unwrap()) as usize;
    assert_eq!(sound, 28_000 * 4);
    assert_eq!(
        u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize,
        bytes.len() - 8
    );
    let behind = &bytes[HEADER + sound..];
    assert_eq!(&behind[..4], b"cue ");
    assert_eq!(u32::from_le_bytes(behind[8..12].try_into().unwrap()), 4);
    let first = u32::from_le_bytes(behind[16..20].try_into().unwrap());
    assert_eq!(first, 8_000, "in samples of each channel");
    let text = String::from_utf8_lossy(behind);
    assert_eq!(text.matches("paused").count(), 2);
    assert_eq!(text.matches("resumed").count(), 2);
}

#[test]
fn a_pause_begins_and_ends_at_the_sample_that_its_marks_name() {
    // The first tick came late, so that what follows begins within a millisecond; the ticks that follow are early for their time.
    for late in (150_000..151_000).step_by(37) {
        let mut recorder = Recorder::new(Settings {
            rate: Some(Rate::Hz48000),
            ..settings(Legs::Stereo)
        });
        let loud = frame(Rate::Hz48000, 9_000);
        let begin = Duration::from_micros(late);
        for tick in 0..60_u32 {
            let at = begin + TICK * tick - Duration::from_millis(u64::from(tick.min(8)));
            match tick {
                20 => recorder.pause(at),
                40 => recorder.resume(at),
                _ => {}
            }
            recorder.take(at, &loud, &loud);
        }
        let mut disk = Disk::default();
        disk.write(&recorder.finish());
        let leg = disk.leg(1);
        let silent = |at: &usize| leg.get(*at) == Some(&0);
        let begin = leg.iter().position(|sample| *sample == 9_000).unwrap();
        let from = (begin..leg.len()).find(silent).unwrap();
        let to = (from..leg.len()).find(|at| !silent(at)).unwrap();
        let sound = u32::from_le_bytes(disk.0[40..44].try_into().unwrap()) as usize;
        let behind = &disk.0[HEADER + sound..];
        let mark = |at: usize| u32::from_le_bytes(behind[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((mark(16), mark(40)), (from, to), "{late}");
        let pause = recorder.report().paused[0];
        let sample = |at: Duration| (at.as_secs_f64() * 48_000.0).round() as usize;
        assert_eq!((sample(pause.from), sample(pause.to)), (from, to), "{late}");
    }
}

#[test]
fn ticks_that_come_late_in_a_burst_leave_no_silence() {
    let mut recorder = Recorder::new(settings(Legs::Mix));
    for tick in 0..100_u32 {
        // Each tenth comes 90 ms late, and those behind it at once.
        let at = TICK * (tick / 10 * 10 + 9);
        assert!(!recorder.bridge(at));
        recorder.take(at, &frame(Rate::Hz8000, 7), &silence());
    }
    assert_eq!(recorder.duration(), TICK * 100);
    let file = recorder.finish().append;
    assert!(
        file[HEADER..]
            .chunks_exact(2)
            .all(|sample| sample == [7, 0])
    );
}

/// The chunks of a RIFF file, or of a list: what it is called, and what is in it.
fn riff_chunks(mut octets: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut chunks = Vec::new();
    while !octets.is_empty() {
        let size = u32::from_le_bytes(octets[4..8].try_into().unwrap()) as usize;
        chunks.push((&octets[..4], &octets[8..8 + size]));
        octets = &octets[8 + size.next_multiple_of(2)..];
    }
    chunks
}

#[test]
fn a_recording_that_ends_in_a_pause_is_marked_at_its_end_in_chunks_that_can_be_walked() {
    let mut recorder = Recorder::new(settings(Legs::Stereo));
    recorder.take(Duration::ZERO, &silence(), &silence());
    recorder.pause(TICK);
    recorder.fill(TICK * 30);
    let mut disk = Disk::default();
    disk.write(&recorder.finish());
    let chunks = riff_chunks(&disk.0[12..]);
    let names: Vec<_> = chunks.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [b"fmt ", b"data", b"cue ", b"LIST"]);
    let cue = chunks[2].1;
    let place = |at: usize| u32::from_le_bytes(cue[at..at + 4].try_into().unwrap());
    assert_eq!([place(8), place(32)], [80, 2_400]);
    let labels: Vec<_> = riff_chunks(&chunks[3].1[4..]);
    let text = |(_, label): &(&[u8], &[u8])| String::from_utf8_lossy(&label[4..]).into_owned();
    assert_eq!(
        labels.iter().map(text).collect::<Vec<_>>(),
        ["paused\0", "resumed\0"]
    );
    // Should the marks be cut, the sound in front of them stays.
    let cut = recorder.cut(disk.0.len() as u64 - 1);
    assert_eq!(
        (cut.length, cut.duration),
        (HEADER as u64 + 9_600, TICK * 30)
    );
}

#[test]
fn a_file_is_whole_after_each_chunk() {
    let mut recorder = Recorder::new(settings(Legs::Mix));
    let mut disk = Disk::default();
    let mut chunks = 0;
    for tick in 0..500 {
        let at = TICK * tick;
        recorder.take(at, &frame(Rate::Hz48000, 100), &silence());
        if let Some(chunk) = recorder.chunk() {
            disk.write(&chunk);
            chunks += 1;
            let mut reader = Reader::new(&disk.0[..]).unwrap();
            let mut all = vec![0; 50_000];
            let there = reader.read(&mut all).unwrap();
            let said = recorder.duration().as_millis() as usize * 8;
            assert_eq!(there, said);
            assert_eq!(disk.0.len(), HEADER + there * 2);
        }
    }
    assert_eq!(chunks, 10, "twice a second");
}

#[test]
fn what_could_be_written_of_a_file_is_whole() {
    let mut recorder = Recorder::new(settings(Legs::Stereo));
    for tick in 0..50 {
        recorder.take(TICK * tick, &frame(Rate::Hz8000, 1), &silence());
    }
    let mut file = recorder.chunk().unwrap().append;
    let cut = recorder.cut(1_001);
    assert_eq!(cut.length, 1_000, "whole samples of both channels");
    assert_eq!(cut.duration, Duration::from_micros(29_875));
    file.truncate(cut.length as usize);
    file[..cut.begin.len()].copy_from_slice(&cut.begin);
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.read(&mut [0; 1_000]).unwrap(), (1_000 - HEADER) / 4);
    assert_eq!(recorder.cut(20), Cut::default(), "not even a beginning");
}

#[test]
fn a_stream_says_that_nobody_knows_how_long_it_will_be() {
    let mut recorder = Recorder::new(Settings {
        patched: false,
        ..settings(Legs::Mix)
    });
    recorder.take(Duration::ZERO, &silence(), &silence());
    recorder.pause(TICK);
    recorder.resume(TICK * 2);
    let last = recorder.finish();
    assert_eq!(last.begin, []);
    assert_eq!(last.append[40..44], [0xff; 4]);
    assert_eq!(
        last.append.len(),
        HEADER + 2 * 160,
        "no mark is heard as sound"
    );
}

#[test]
fn a_recording_of_nothing_is_an_empty_file_at_the_rate_that_was_asked_for() {
    let mut recorder = Recorder::new(Settings {
        rate: None,
        ..settings(Legs::Stereo)
    });
    let file = recorder.finish().append;
    let reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.format().hz, 48_000);
    assert_eq!(recorder.report().duration, Duration::ZERO);
    let mut recorder = Recorder::new(Settings {
        rate: None,
        ..settings(Legs::Stereo)
    });
    recorder.take(Duration::ZERO, &silence(), &frame(Rate::Hz16000, 1));
    let file = recorder.finish().append;
    assert_eq!(Reader::new(&file[..]).unwrap().format().hz, 16_000);
}

#[test]
fn a_gap_is_filled_a_second_at_a_time() {
    let mut recorder = Recorder::new(settings(Legs::Mix));
    let late = Duration::from_secs(5);
    let mut most = 0;
    while recorder.bridge(late) {
        most = most.max(recorder.chunk().map_or(0, |chunk| chunk.append.len()));
    }
    recorder.take(late, &silence(), &silence());
    assert_eq!(recorder.duration(), late + TICK);
    assert_eq!(most, HEADER + 16_000);
}
