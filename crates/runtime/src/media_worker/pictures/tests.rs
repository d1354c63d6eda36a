//! What is shown when, and who sees it.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::audio::SinkGroup;
use crate::video::{VideoSink, VideoSource, VideoSourceEvent};

/// Notes what it is given.
#[derive(Debug, Default)]
struct Noted {
    frames: Vec<(VideoContent, Duration)>,
    begun: Vec<VideoContent>,
    asked: Vec<u32>,
    limits: Vec<(u32, Option<u64>)>,
}

impl PictureEngine for Noted {
    fn push_frame(&mut self, content: VideoContent, frame: &EncodedFrame, _: Instant) {
        self.frames.push((content, frame.timestamp));
    }

    fn begin_anew(&mut self, content: VideoContent) {
        self.begun.push(content);
    }

    fn request_key_frame(&mut self, line: u32, _: Instant) {
        self.asked.push(line);
    }

    fn limit_line(&mut self, line: u32, bits_per_second: Option<u64>) {
        self.limits.push((line, bits_per_second));
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "only the time that passes matters"
)]
fn now() -> Instant {
    Instant::now()
}

fn drive(pictures: &mut Pictures, engine: &mut Noted) {
    pictures.drive(engine, now());
}

/// The tag of a VP8 key frame of 16 by 16 pixels (RFC 6386 §9.1).
const KEY: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0];

fn source() -> (VideoSource, mpsc::Receiver<VideoSourceEvent>) {
    let (events, told) = mpsc::channel();
    let source = VideoSource::new(vec![VideoCodec::Vp8], move |event| {
        let _ = events.send(event);
    });
    (source, told)
}

fn reader(source: &VideoSource) -> VideoReader {
    VideoReader::open(source.id()).expect("it is free")
}

fn write(source: &VideoSource, micros: u64) -> bool {
    let timestamp = Duration::from_micros(micros);
    source
        .write(VideoCodec::Vp8, timestamp, &KEY)
        .expect("a frame")
}

fn line(number: u32, content: VideoContent, sends: bool) -> VideoLine {
    VideoLine {
        line: number,
        content,
        sends,
        receives: true,
        codec: sends.then_some(PhoneCodec::Vp8),
    }
}

fn agree(pictures: &mut Pictures, lines: Vec<VideoLine>) {
    let told = pictures.take(PictureStep::Lines(lines));
    assert!(matches!(told, Some(MediaEvent::Lines { .. })));
}

#[test]
fn a_source_is_active_while_the_far_end_sees_it() {
    let (source, told) = source();
    let mut pictures = Pictures::default();
    pictures.show(VideoContent::Camera, Some(reader(&source)));
    let active = |told: &mpsc::Receiver<VideoSourceEvent>| {
        let events = told.try_iter();
        events
            .filter_map(|event| match event {
                VideoSourceEvent::Active(codec) => Some(codec.is_some()),
                VideoSourceEvent::KeyFrameWanted | VideoSourceEvent::Bitrate(_) => None,
            })
            .collect::<Vec<_>>()
    };
    assert!(active(&told).is_empty());
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    assert_eq!(active(&told), [true]);
    pictures.mute(VideoContent::Camera, true);
    pictures.mute(VideoContent::Camera, false);
    assert_eq!(active(&told), [false, true]);
    agree(&mut pictures, vec![line(1, VideoContent::Camera, false)]);
    assert_eq!(active(&told), [false]);
    agree(&mut pictures, vec![line(1, VideoContent::Screen, true)]);
    assert!(active(&told).is_empty(), "a screen is no camera");
}

#[test]
fn what_waits_is_shown_a_few_frames_at_a_time_and_not_while_it_is_muted() {
    let (source, _told) = source();
    let mut pictures = Pictures::default();
    let mut engine = Noted::default();
    pictures.show(VideoContent::Camera, Some(reader(&source)));
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    for micros in 0..6 {
        assert!(write(&source, micros));
    }
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.frames.len(), MOST_FRAMES);
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.frames.len(), 6);
    pictures.mute(VideoContent::Camera, true);
    write(&source, 7);
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.frames.len(), 6);
}

#[test]
fn what_is_replaced_is_not_seen_any_more_and_can_be_shown_elsewhere() {
    let (source, _told) = source();
    let mut pictures = Pictures::default();
    let mut engine = Noted::default();
    pictures.show(VideoContent::Camera, Some(reader(&source)));
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    write(&source, 1);
    pictures.show(VideoContent::Camera, None);
    drive(&mut pictures, &mut engine);
    assert!(engine.frames.is_empty());
    drop(reader(&source));
}

#[test]
fn what_is_shown_later_is_told_what_the_network_takes() {
    let mut pictures = Pictures::default();
    let rates = |told: &mpsc::Receiver<VideoSourceEvent>| {
        let rate = |event| match event {
            VideoSourceEvent::Bitrate(rate) => Some(rate),
            VideoSourceEvent::KeyFrameWanted | VideoSourceEvent::Active(_) => None,
        };
        told.try_iter().filter_map(rate).collect::<Vec<_>>()
    };
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    pictures.take(PictureStep::Target(VideoContent::Camera, 300_000));
    let (first, told) = source();
    pictures.show(VideoContent::Camera, Some(reader(&first)));
    assert_eq!(rates(&told), [300_000]);
    pictures.take(PictureStep::Target(VideoContent::Camera, 200_000));
    assert_eq!(rates(&told), [200_000]);
    let (second, told) = source();
    pictures.show(VideoContent::Camera, Some(reader(&second)));
    assert_eq!(rates(&told), [200_000]);
    let (screen, told) = source();
    pictures.show(VideoContent::Screen, Some(reader(&screen)));
    assert!(rates(&told).is_empty(), "that is the camera's");
    // What comes after a line that stopped is told anew.
    agree(&mut pictures, Vec::new());
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    let (third, told) = source();
    pictures.show(VideoContent::Camera, Some(reader(&third)));
    assert!(rates(&told).is_empty());
}

#[test]
fn what_is_closed_is_not_seen_any_more_nor_what_it_had_written() {
    let (source, told) = source();
    let mut pictures = Pictures::default();
    let mut engine = Noted::default();
    pictures.show(VideoContent::Camera, Some(reader(&source)));
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    write(&source, 1);
    drive(&mut pictures, &mut engine);
    assert!(engine.frames.len() == 1 && engine.begun.is_empty());
    write(&source, 2);
    drop(source);
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.frames.len(), 1);
    assert_eq!(engine.begun, [VideoContent::Camera]);
    assert!(
        told.try_iter()
            .any(|event| event == VideoSourceEvent::Active(None)),
        "it is let go"
    );
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.begun.len(), 1, "once");
}

#[test]
fn a_wish_for_a_key_frame_goes_both_ways() {
    let (source, told) = source();
    let mut pictures = Pictures::default();
    let mut engine = Noted::default();
    pictures.show(VideoContent::Camera, Some(reader(&source)));
    pictures.take(PictureStep::KeyFrameWanted(VideoContent::Camera));
    assert!(
        told.try_iter()
            .any(|event| event == VideoSourceEvent::KeyFrameWanted)
    );
    pictures.take(PictureStep::KeyFrameWanted(VideoContent::Screen));
    pictures.take(PictureStep::Target(VideoContent::Camera, 300_000));
    assert!(
        told.try_iter()
            .any(|event| event == VideoSourceEvent::Bitrate(300_000))
    );

    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    let (writer, wish, seen) = output();
    pictures.see(1, Some((writer, wish)));
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.asked, [1], "whoever begins to look needs one");
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.asked, [1]);
    drop(seen);
}

#[test]
fn pictures_are_seen_until_their_line_stops_or_nobody_looks() {
    let mut pictures = Pictures::default();
    let (writer, wish, seen) = output();
    pictures.see(1, Some((writer, wish)));
    agree(&mut pictures, vec![line(1, VideoContent::Camera, false)]);
    assert!(pictures.seen.is_empty(), "there was no such line");
    let (writer, wish, other) = output();
    pictures.see(1, Some((writer, wish)));
    let frame = || frame(VideoCodec::Vp8, &KEY);
    pictures.take(frame());
    assert!(seen.read().is_none() && other.read().is_some());
    drop(other);
    pictures.take(frame());
    assert!(pictures.seen.values().all(|seen| seen.output.is_none()));
    agree(&mut pictures, Vec::new());
    assert!(pictures.seen.is_empty());
}

/// Somewhere to see pictures, and the end from which they are read.
fn output() -> (VideoWriter, KeyFrameWish, VideoSink) {
    let wish = KeyFrameWish::default();
    let wisher = wish.clone();
    let sink = VideoSink::new(8, SinkGroup::new(|| ()));
    let writer = VideoWriter::open(sink.id(), Arc::new(move || wisher.wish()));
    (writer.expect("it is free"), wish, sink)
}

/// What another session shows, and the end from which it does.
fn viewer() -> (VideoLinkWriter, KeyFrameWish, VideoReader) {
    let wish = KeyFrameWish::default();
    let wisher = wish.clone();
    let (writer, reader) = crate::video::link(Arc::new(move || wisher.wish()));
    (writer, wish, reader)
}

fn frame(codec: VideoCodec, octets: &[u8]) -> PictureStep {
    let frame = EncodedFrame::read(codec, Duration::ZERO, octets.into());
    PictureStep::Frame(1, frame.expect("a frame"))
}

fn forwarding(count: usize) -> (Pictures, Vec<VideoReader>) {
    let mut pictures = Pictures::default();
    agree(&mut pictures, vec![line(1, VideoContent::Camera, false)]);
    let readers = (0..count).map(|_| {
        let (writer, wish, reader) = viewer();
        pictures.forward(1, writer, wish);
        reader.set_active(Some(VideoCodec::Vp8));
        reader
    });
    let readers = readers.collect();
    (pictures, readers)
}

#[test]
fn all_who_show_a_line_get_its_frames_and_whoever_leaves_is_forgotten() {
    let (mut pictures, mut readers) = forwarding(3);
    let mut engine = Noted::default();
    pictures.take(frame(VideoCodec::Vp8, &KEY));
    let seen: Vec<_> = readers.iter_mut().filter_map(VideoReader::pop).collect();
    assert_eq!(seen.len(), 3);
    assert!(
        seen.windows(2)
            .all(|two| Arc::ptr_eq(&two[0].data, &two[1].data)),
        "nothing is copied"
    );
    readers.pop();
    drive(&mut pictures, &mut engine);
    assert_eq!(pictures.seen[&1].viewers.len(), 2, "also if no frame comes");
    // The line stops: what showed it is over, and what comes on a later line of the number is another's.
    agree(&mut pictures, Vec::new());
    assert!(readers.iter().all(VideoReader::is_over));
    let (writer, wish, reader) = viewer();
    pictures.forward(1, writer, wish);
    assert!(reader.is_over(), "there is no such line");
}

#[test]
fn many_who_need_a_key_frame_ask_once() {
    let (mut pictures, readers) = forwarding(3);
    let mut engine = Noted::default();
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.asked, [1], "whoever begins to show needs one");
    readers.iter().for_each(VideoReader::want_key_frame);
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.asked, [1], "twice a second at most");
}

#[test]
fn the_far_end_sends_what_the_least_of_those_take_who_show_it() {
    let (mut pictures, readers) = forwarding(3);
    let mut engine = Noted::default();
    let limited = |pictures: &mut Pictures, engine: &mut Noted, targets: [u64; 3]| {
        for (reader, target) in readers.iter().zip(targets) {
            reader.set_target(target);
        }
        engine.limits.clear();
        drive(pictures, engine);
        engine.limits.clone()
    };
    let mut limited_to = |targets| limited(&mut pictures, &mut engine, targets);
    assert_eq!(limited_to([0, 0, 0]), [], "nothing is known");
    let at = |limit| vec![(1, Some(limit))];
    assert_eq!(limited_to([900_000, 400_000, 800_000]), at(400_000));
    assert_eq!(limited_to([900_000, 400_000, 800_000]), [], "it was told");
    // One behind a narrow line does not take the picture from all others.
    assert_eq!(limited_to([900_000, 50_000, 800_000]), at(225_000));
    // Whose far end sees nothing does not count.
    readers[1].set_active(None);
    assert_eq!(limited_to([900_000, 50_000, 800_000]), at(800_000));
    readers.iter().for_each(|reader| reader.set_active(None));
    assert_eq!(limited_to([900_000, 50_000, 800_000]), [(1, None)]);
}

#[test]
fn a_limit_goes_with_what_it_was_for() {
    let (mut pictures, readers) = forwarding(1);
    let mut engine = Noted::default();
    readers[0].set_target(100_000);
    drive(&mut pictures, &mut engine);
    agree(&mut pictures, Vec::new());
    drive(&mut pictures, &mut engine);
    assert_eq!(engine.limits, [(1, Some(100_000)), (1, None)]);
}

#[test]
fn a_codec_is_told_at_first_and_once_a_second() {
    /// An access unit of a sequence parameter set and an IDR slice.
    const H264: [u8; 14] = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x0a, 0, 0, 0, 1, 0x65, 0x88];
    let (mut pictures, _readers) = forwarding(1);
    let start = now();
    let mut told = |millis: u64, codec: VideoCodec| {
        let octets = match codec {
            VideoCodec::Vp8 => &KEY[..],
            VideoCodec::H264 => &H264[..],
        };
        pictures.take(frame(codec, octets));
        let told = pictures.tidings(start + Duration::from_millis(millis));
        told.into_iter().find_map(|event| {
            let MediaEvent::LineCodec { line: 1, codec } = event else {
                return None;
            };
            Some(codec)
        })
    };
    assert_eq!(told(0, VideoCodec::Vp8), Some(PhoneCodec::Vp8));
    for millis in (10..990).step_by(20) {
        assert_eq!(told(millis, VideoCodec::H264), None);
        assert_eq!(told(millis + 10, VideoCodec::Vp8), None);
    }
    assert_eq!(told(1_000, VideoCodec::H264), Some(PhoneCodec::H264));
}

#[test]
fn a_size_is_told_twice_a_second_however_often_it_changes() {
    let mut pictures = Pictures::default();
    agree(&mut pictures, vec![line(1, VideoContent::Camera, false)]);
    let sized = |pictures: &mut Pictures, width: u8| {
        let mut head = KEY;
        head[6] = width;
        let frame = EncodedFrame::read(VideoCodec::Vp8, Duration::ZERO, head.to_vec().into());
        let step = PictureStep::Frame(1, frame.expect("a frame"));
        assert_eq!(pictures.take(step), None);
    };
    let codec = PhoneCodec::Vp8;
    let first = MediaEvent::LineCodec { line: 1, codec };
    let told = |width| {
        vec![MediaEvent::Resolution {
            line: 1,
            width,
            height: 16,
        }]
    };
    let start = now();
    let at = |millis| start + Duration::from_millis(millis);
    sized(&mut pictures, 16);
    assert_eq!(
        pictures.tidings(at(0)),
        [vec![first], told(16)].concat(),
        "its codec once"
    );
    let mut events = 0;
    for millis in (10..500).step_by(10) {
        sized(&mut pictures, 17 + u8::from(millis % 20 == 0));
        events += pictures.tidings(at(millis)).len();
    }
    assert_eq!(events, 0);
    assert_eq!(pictures.tidings(at(500)), told(17), "the newest");
    sized(&mut pictures, 18);
    sized(&mut pictures, 17);
    assert_eq!(pictures.tidings(at(1500)), Vec::new(), "it is that again");
}

/// More pixels than are decoded in a second, in frames that say so and have no picture.
#[cfg(feature = "vpx")]
fn flood(pictures: &mut Pictures) {
    let largest = [
        0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x0f, 0x70, 0x08, // 3840 by 2160
    ];
    for micros in 0..40 {
        let at = Duration::from_micros(micros);
        let frame = EncodedFrame::read(VideoCodec::Vp8, at, largest.as_slice().into());
        pictures.take_frame(1, &frame.expect("a frame"));
    }
}

#[cfg(feature = "vpx")]
#[test]
fn pixels_that_are_left_out_are_told_until_all_were_decoded_for_five_seconds() {
    let group = SinkGroup::new(|| ());
    let sink = VideoSink::raw(crate::video::RawFormat::I420, 8, group);
    let mut pictures = Pictures::default();
    agree(&mut pictures, vec![line(1, VideoContent::Camera, true)]);
    let writer = VideoWriter::open(sink.id(), Arc::new(|| ())).expect("it is free");
    pictures.see(1, Some((writer, KeyFrameWish::default())));
    let begin = now();
    let told = |pictures: &mut Pictures, after: Duration| {
        let tidings = pictures.tidings(begin + after);
        let of_pixels = tidings.into_iter().filter_map(|event| {
            if let MediaEvent::PixelsLeftOut { left_out } = event {
                Some(left_out)
            } else {
                None
            }
        });
        of_pixels.collect::<Vec<_>>()
    };
    assert!(told(&mut pictures, Duration::ZERO).is_empty());
    let mut at = Duration::ZERO;
    let first = loop {
        flood(&mut pictures);
        std::thread::yield_now();
        at += Duration::from_millis(10);
        let told = told(&mut pictures, at);
        if !told.is_empty() {
            break told;
        }
        assert!(begin.elapsed() < Duration::from_secs(30));
    };
    assert_eq!(first, [true]);
    pictures.see(1, None);
    assert!(told(&mut pictures, at + Duration::from_millis(4_900)).is_empty());
    assert_eq!(
        told(&mut pictures, at + Duration::from_millis(5_100)),
        [false]
    );
}
