//! Raw pictures and files through the threads that encode and decode them.

#![cfg(feature = "vpx")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use video::ivf::IvfReader;
use video::y4m::Y4mReader;
use video::{EncodedFrame, Rotation, Size};

use super::testing::{counter, delta, key, opened};
use super::*;
use crate::audio::SinkGroup;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A waker, and what says that it was called.
fn waker() -> (Wake, Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let wake = move || {
        let _ = tell.send(());
    };
    (Arc::new(wake), told)
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The next frame, when it has come.
fn next(reader: &mut VideoReader, woken: &Receiver<()>) -> EncodedFrame {
    loop {
        if let Some(frame) = reader.pop() {
            return frame;
        }
        woken.recv_timeout(PATIENCE).expect("a frame comes");
    }
}

fn raw_source() -> VideoSource {
    VideoSource::raw(|_| {})
}

/// A grey of this number in a picture that moves.
fn grey(size: Size, number: u64) -> Vec<u8> {
    let mut data = vec![128; size.i420_octets()];
    data[..size.pixels() as usize].fill(50 + number as u8);
    data
}

fn write(source: &VideoSource, size: Size, number: u64) -> bool {
    let at = Duration::from_millis(number * 34);
    let format = RawFormat::I420;
    let written = source.write_raw(format, size, Rotation::Upright, at, &grey(size, number));
    written.unwrap()
}

fn raw_sink(format: RawFormat) -> (VideoSink, Receiver<()>) {
    let (wake, woken) = waker();
    let group = SinkGroup::new(move || wake());
    (VideoSink::raw(format, 8, group), woken)
}

fn read(sink: &VideoSink) -> RawFrame {
    let mut read = None;
    until("a picture", || {
        read = sink.read();
        read.is_some()
    });
    match read {
        Some(SinkFrame::Raw(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

/// A file in a folder of its own, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("offhook-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn raw_pictures_go_through_a_session_and_come_out_raw() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    assert_eq!(reader.codecs(), [VideoCodec::Vp8]);
    let size = Size::new(64, 48);
    assert!(!write(&source, size, 0), "nothing was agreed");
    reader.set_active(Some(VideoCodec::Vp8));
    let (sink, _woken) = raw_sink(RawFormat::Rgba);
    let mut writer = VideoWriter::open(sink.id(), counter().0).unwrap();
    for number in 0..5 {
        write(&source, size, number);
        let frame = next(&mut reader, &woken);
        assert_eq!(frame.key, number == 0);
        assert!(writer.push(&frame));
        let seen = read(&sink);
        assert_eq!((seen.size, seen.data.len()), (size, 64 * 48 * 4));
        assert_eq!(seen.timestamp, Duration::from_millis(number * 34));
        let bright = (f64::from(50 + number as u8) - 16.0) * 1.164;
        assert!(
            (f64::from(seen.data[0]) - bright).abs() < 6.0,
            "{}",
            seen.data[0]
        );
    }
    drop(sink);
    until("the end of a sink", || !writer.push(&key(9)));
}

#[test]
fn a_sink_that_is_closed_is_let_go_at_once_though_nothing_comes_any_more() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let (sink, seen) = raw_sink(RawFormat::I420);
    let id = sink.id();
    let (wish, wishes) = counter();
    let mut writer = VideoWriter::open(id, wish).unwrap();
    write(&source, Size::new(64, 48), 0);
    let frame = next(&mut reader, &woken);
    assert!(writer.push(&frame));
    until("a picture", || sink.read().is_some());
    assert!(writer.push(&frame), "it waits to be read");
    let wished = wishes.load(Ordering::SeqCst);
    drop(sink);
    // What decodes has ended, and with it all that it held, before another frame shows that nobody reads.
    until("the end of a decoder", || writer.is_over());
    while seen.try_recv().is_ok() {}
    assert!(!writer.push(&frame));
    assert!(!writer.push(&delta(9)));
    assert!(seen.try_recv().is_err(), "nobody is woken");
    assert_eq!(wishes.load(Ordering::SeqCst), wished);
    let gone = VideoWriter::open(id, counter().0).unwrap_err();
    assert_eq!(gone, VideoOpenError::NoSink(id));
}

#[test]
fn a_key_frame_that_the_far_end_wants_is_the_next() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let mut keys = Vec::new();
    for number in 0..6 {
        if number == 3 {
            reader.want_key_frame();
        }
        write(&source, Size::new(32, 32), number);
        keys.push(next(&mut reader, &woken).key);
    }
    assert_eq!(keys, [true, false, false, true, false, false]);
    reader.set_active(None);
    assert!(!write(&source, Size::new(32, 32), 6));
    reader.set_active(Some(VideoCodec::Vp8));
    write(&source, Size::new(32, 32), 7);
    assert!(
        next(&mut reader, &woken).key,
        "whoever takes pictures again has seen none"
    );
}

#[test]
fn a_narrow_network_gets_smaller_pictures() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    reader.set_target(150_000);
    reader.set_active(Some(VideoCodec::Vp8));
    write(&source, Size::new(640, 360), 0);
    assert_eq!(next(&mut reader, &woken).size, Some(Size::new(480, 270)));
}

#[test]
fn a_turned_picture_is_sent_upright() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let size = Size::new(64, 48);
    let data = vec![90; size.rgba_octets()];
    let rotation = Rotation::Quarter;
    let written = source.write_raw(RawFormat::Rgba, size, rotation, Duration::ZERO, &data);
    assert_eq!(written, Ok(true));
    assert_eq!(next(&mut reader, &woken).size, Some(size.turned()));
}

#[test]
fn a_source_that_writes_faster_than_can_be_encoded_is_bounded_and_told() {
    let source = raw_source();
    let (wake, _woken) = waker();
    let reader = opened(VideoReader::open(source.id()), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let size = Size::new(640, 360);
    let refused = (0..200)
        .filter(|number| !write(&source, size, *number))
        .count();
    assert!(refused > 20, "{refused}");
}

#[test]
fn what_is_no_picture_is_refused_by_name() {
    let source = raw_source();
    let write = |size, octets: &[u8]| {
        source.write_raw(
            RawFormat::Rgba,
            size,
            Rotation::Upright,
            Duration::ZERO,
            octets,
        )
    };
    assert!(matches!(
        write(Size::new(2, 2), &[0; 15]),
        Err(WriteError::WrongLength(_))
    ));
    assert!(matches!(
        write(Size::new(0, 0), &[]),
        Err(WriteError::WrongLength(_))
    ));
    let encoded = source.write(VideoCodec::Vp8, Duration::ZERO, &testing::KEY);
    assert_eq!(encoded, Err(WriteError::OtherFormat("raw")));
}

#[test]
fn damage_on_the_way_to_a_raw_sink_asks_for_a_key_frame_and_harms_nothing() {
    let (sink, _woken) = raw_sink(RawFormat::I420);
    let (wish, wishes) = counter();
    let mut writer = VideoWriter::open(sink.id(), wish).unwrap();
    let before = wishes.load(Ordering::SeqCst);
    assert_eq!(before, 1);
    // Its head is a key frame's, and nothing follows.
    until("a wish", || {
        writer.push(&key(1));
        writer.push(&delta(2));
        wishes.load(Ordering::SeqCst) > before
    });
    assert_eq!(sink.read(), None);
}

/// A file of so many grey pictures.
fn y4m_file(path: &str, size: Size, pictures: u64, rate: u32) {
    let mut file =
        format!("YUV4MPEG2 W{} H{} F{rate}:1 Ip\n", size.width, size.height).into_bytes();
    for number in 0..pictures {
        file.extend(b"FRAME\n");
        file.extend(grey(size, number));
    }
    fs::write(path, file).unwrap();
}

#[test]
fn a_file_of_pictures_plays_in_its_time_and_over_and_over() {
    let scratch = Scratch::new("y4m-in");
    let path = scratch.path("clip.y4m");
    y4m_file(&path, Size::new(32, 32), 3, 25);
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::y4m(&path, true), wake);
    let begin = Instant::now();
    reader.set_active(Some(VideoCodec::Vp8));
    let times: Vec<_> = (0..8)
        .map(|_| next(&mut reader, &woken).timestamp)
        .collect();
    assert!(
        begin.elapsed() >= Duration::from_millis(280),
        "each has its time"
    );
    assert!(
        times.is_sorted() && times[7] >= Duration::from_millis(280),
        "{times:?}"
    );
}

#[test]
fn a_file_that_ends_or_lies_or_is_none_plays_what_it_has() {
    let scratch = Scratch::new("y4m-bad");
    let empty = scratch.path("empty.y4m");
    y4m_file(&empty, Size::new(32, 32), 0, 25);
    let (wake, _woken) = waker();
    let mut reader = opened(VideoReader::y4m(&empty, true), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let once = scratch.path("once.y4m");
    y4m_file(&once, Size::new(32, 32), 2, 100);
    let (wake, woken) = waker();
    let mut played = opened(VideoReader::y4m(&once, false), wake);
    played.set_active(Some(VideoCodec::Vp8));
    next(&mut played, &woken);
    assert_eq!(
        reader.pop(),
        None,
        "an empty file is not played over and over"
    );

    let wrong = scratch.path("wrong.y4m");
    fs::write(&wrong, "YUV4MPEG2 W2 H2 F30:1 It\n").unwrap();
    let folder = scratch.path(".");
    for path in [
        wrong.as_str(),
        folder.as_str(),
        "/dev/zero",
        "/nowhere/at/all",
    ] {
        let error = VideoReader::y4m(path, true).unwrap_err();
        assert!(
            matches!(error, VideoOpenError::File { .. }),
            "{path}: {error}"
        );
        assert!(VideoReader::ivf(path, true).is_err());
    }
}

#[test]
fn frames_are_written_as_they_come_and_played_again() {
    let scratch = Scratch::new("ivf");
    let path = scratch.path("call.ivf");
    let mut writer = VideoWriter::ivf(&path, counter().0).unwrap();
    for frame in [key(0), delta(40), delta(80)] {
        assert!(writer.push(&frame));
    }
    let whole = || {
        let file = fs::read(&path).unwrap();
        let mut reader = IvfReader::new(&file[..]).ok()?;
        Some(std::iter::from_fn(|| reader.read().unwrap()).count())
    };
    until("a file that is whole while it is written", || {
        whole() == Some(3)
    });
    writer.push(&delta(120));
    drop(writer);
    settle_video_files();
    assert_eq!(whole(), Some(4));

    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::ivf(&path, true), wake);
    assert_eq!(reader.codecs(), [VideoCodec::Vp8]);
    reader.set_active(Some(VideoCodec::Vp8));
    let frames: Vec<_> = (0..6).map(|_| next(&mut reader, &woken)).collect();
    let keys: Vec<_> = frames.iter().map(|frame| frame.key).collect();
    assert_eq!(keys, [true, false, false, false, true, false]);
    assert!(frames.is_sorted_by_key(|frame| frame.timestamp));
}

#[test]
fn pictures_are_written_into_a_file_that_is_whole() {
    let source = raw_source();
    let (wake, woken) = waker();
    let mut reader = opened(VideoReader::open(source.id()), wake);
    reader.set_active(Some(VideoCodec::Vp8));
    let scratch = Scratch::new("y4m-out");
    let path = scratch.path("call.y4m");
    let mut writer = VideoWriter::y4m(&path, counter().0).unwrap();
    assert_eq!(writer.codecs(), [VideoCodec::Vp8]);
    for number in 0..4 {
        write(&source, Size::new(48, 32), number);
        writer.push(&next(&mut reader, &woken));
    }
    drop(writer);
    settle_video_files();
    let file = fs::read(&path).unwrap();
    let mut pictures = Y4mReader::new(&file[..]).unwrap();
    assert_eq!(pictures.size(), Size::new(48, 32));
    assert_eq!(std::iter::from_fn(|| pictures.read().unwrap()).count(), 4);
}

#[test]
fn a_file_is_written_by_one_call_at_a_time_and_none_that_is_played_is_emptied() {
    let scratch = Scratch::new("written-twice");
    let path = scratch.path("call.ivf");
    let mut writer = VideoWriter::ivf(&path, counter().0).unwrap();
    assert!(writer.push(&key(0)));
    let linked = scratch.path("linked.ivf");
    fs::hard_link(&path, &linked).unwrap();
    for again in [
        VideoWriter::ivf(&path, counter().0),
        VideoWriter::y4m(&path, counter().0),
        VideoWriter::ivf(&linked, counter().0),
    ] {
        let error = again.unwrap_err().to_string();
        assert!(
            error.ends_with("another recording is being written to it: name another file"),
            "{error}"
        );
    }
    drop(writer);
    settle_video_files();
    let whole = fs::read(&path).unwrap();
    assert_eq!(
        IvfReader::new(&whole[..])
            .unwrap()
            .read()
            .unwrap()
            .map(|frame| frame.key),
        Some(true)
    );
    let reader = VideoReader::ivf(&path, true).unwrap();
    let error = VideoWriter::ivf(&path, counter().0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a call plays it as its input"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), whole);
    drop(reader);
    until("the end of what played it", || {
        VideoWriter::ivf(&path, counter().0).is_ok()
    });
}

#[test]
fn a_file_that_is_deleted_is_not_written_on() {
    let scratch = Scratch::new("deleted");
    let path = scratch.path("call.ivf");
    let mut writer = VideoWriter::ivf(&path, counter().0).unwrap();
    assert!(writer.push(&key(0)));
    fs::remove_file(&path).unwrap();
    until("the end of the file", || !writer.push(&key(1)));
}
