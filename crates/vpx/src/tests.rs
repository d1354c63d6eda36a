//! Pictures through libvpx and back.

use std::time::Duration;

use cpu_time::ProcessTime;

use crate::{Decoder, Encoder, Error, Settings};
use video::{EncodedFrame, Picture, Rotation, Size, VideoCodec};

const SIZE: Size = Size::new(320, 180);
const STEP: Duration = Duration::from_micros(33_333);

/// A bright bar that moves over a slope.
fn picture(size: Size, number: u32) -> Picture {
    let mut data = vec![128; size.i420_octets()];
    let width = usize::from(size.width);
    for (at, pixel) in data[..size.pixels() as usize].iter_mut().enumerate() {
        let (x, y) = (at % width, at / width);
        let bar = (x + 4 * number as usize) % width < width / 8;
        *pixel = if bar {
            220
        } else {
            40 + (x / 4 + y / 4) as u8 % 120
        };
    }
    Picture::new(size, STEP * number, Rotation::Upright, data.into()).unwrap()
}

fn encoder(settings: Settings) -> Encoder {
    Encoder::new(SIZE, &settings).unwrap()
}

fn frames(count: u32) -> Vec<EncodedFrame> {
    let mut encoder = encoder(Settings::default());
    (0..count)
        .filter_map(|number| encoder.encode(&picture(SIZE, number), false).unwrap())
        .collect()
}

fn difference(one: &Picture, other: &Picture) -> f64 {
    assert_eq!(one.size(), other.size());
    let pairs = one.data().iter().zip(other.data());
    let squares: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    squares as f64 / one.data().len() as f64
}

#[test]
fn what_goes_in_comes_out_much_alike_at_any_size() {
    for size in [
        SIZE,
        Size::new(321, 181),
        Size::new(1, 1),
        Size::new(16, 2),
        Size::new(641, 359),
    ] {
        let settings = Settings {
            bitrate: 1_500_000,
            ..Settings::default()
        };
        let mut encoder = Encoder::new(size, &settings).unwrap();
        let mut decoder = Decoder::new().unwrap();
        for number in 0..10 {
            let picture = picture(size, number);
            let Some(frame) = encoder.encode(&picture, number == 0).unwrap() else {
                continue;
            };
            assert_eq!(frame.key, number == 0);
            let read = EncodedFrame::read(VideoCodec::Vp8, frame.timestamp, frame.data.clone());
            assert_eq!(read.unwrap(), frame, "its octets say what it is");
            let seen = decoder.decode(&frame).unwrap().unwrap();
            assert_eq!(seen.timestamp(), picture.timestamp());
            let apart = difference(&seen, &picture);
            assert!(apart < 60.0, "{size}, picture {number}: {apart}");
        }
    }
}

#[test]
fn a_key_frame_comes_when_it_is_wanted_and_only_then() {
    let mut encoder = encoder(Settings::default());
    let mut keys = Vec::new();
    for number in 0..300 {
        let frame = encoder.encode(&picture(SIZE, number), number == 100);
        if frame.unwrap().is_some_and(|frame| frame.key) {
            keys.push(number);
        }
    }
    assert_eq!(keys, [0, 100]);
}

#[test]
fn the_bitrate_is_kept_and_changes_while_it_runs() {
    let mut encoder = encoder(Settings {
        bitrate: 400_000,
        ..Settings::default()
    });
    let mut second = |from: u32| -> usize {
        let frames = (from..from + 90).filter_map(|number| {
            // Noise can't be foreseen: it takes what bits there are.
            let mut data = picture(SIZE, number).data().to_vec();
            let mut noise = number;
            for pixel in &mut data[..SIZE.pixels() as usize] {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *pixel = pixel.wrapping_add((noise >> 28) as u8);
            }
            let picture = Picture::new(SIZE, STEP * number, Rotation::Upright, data.into());
            encoder.encode(&picture.unwrap(), false).unwrap()
        });
        frames.map(|frame| frame.data.len() * 8).sum::<usize>() / 3
    };
    second(0);
    let first = second(90);
    assert!((300_000..460_000).contains(&first), "{first} bit/s");
    encoder.set_bitrate(150_000).unwrap();
    let mut second = |from: u32| -> usize {
        (from..from + 90)
            .filter_map(|number| encoder.encode(&picture(SIZE, number), false).unwrap())
            .map(|frame| frame.data.len() * 8)
            .sum::<usize>()
            / 3
    };
    second(180);
    let later = second(270);
    assert!(later < 180_000, "{later} bit/s");
}

#[test]
fn a_clock_that_goes_back_or_stands_still_or_jumps_harms_nothing() {
    let mut encoder = encoder(Settings::default());
    let mut decoder = Decoder::new().unwrap();
    let day = 86_400_000_000;
    for (number, us) in [0, 0, 5, 4, day, day, 3, day * 365_000, 1, 2, 2]
        .into_iter()
        .enumerate()
    {
        let picture = Picture::new(
            SIZE,
            Duration::from_micros(us),
            Rotation::Upright,
            picture(SIZE, number as u32).data().into(),
        );
        let frame = encoder.encode(&picture.unwrap(), false).unwrap();
        if let Some(frame) = frame {
            assert!(decoder.decode(&frame).unwrap().is_some());
        }
    }
}

#[test]
fn a_decoder_begins_with_a_key_frame() {
    let frames = frames(3);
    let mut decoder = Decoder::new().unwrap();
    assert_eq!(decoder.decode(&frames[1]), Err(Error::KeyFrameNeeded));
    assert!(decoder.decode(&frames[0]).unwrap().is_some());
    assert!(!decoder.needs_key_frame());
    assert!(decoder.decode(&frames[1]).unwrap().is_some());
}

#[test]
fn what_is_too_large_is_refused_before_anything_is_reserved_for_it() {
    let mut decoder = Decoder::new().unwrap();
    let octets: [u8; 12] = [0x10, 1, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0];
    let frame = EncodedFrame::read(VideoCodec::Vp8, Duration::ZERO, octets.as_slice().into());
    let huge = Size::new(16_383, 16_383);
    assert_eq!(decoder.decode(&frame.unwrap()), Err(Error::Size(huge)));
    assert_eq!(
        Encoder::new(huge, &Settings::default()).unwrap_err(),
        Error::Size(huge)
    );
    assert!(Encoder::new(Size::new(0, 5), &Settings::default()).is_err());
}

#[test]
fn a_frame_of_h264_and_a_picture_of_another_size_are_refused() {
    let mut decoder = Decoder::new().unwrap();
    let octets: [u8; 5] = [0, 0, 1, 0x65, 0];
    let frame = EncodedFrame::read(VideoCodec::H264, Duration::ZERO, octets.as_slice().into());
    let refused = Error::OtherCodec(VideoCodec::H264);
    assert_eq!(decoder.decode(&frame.unwrap()), Err(refused));
    let mut encoder = encoder(Settings::default());
    let other = picture(Size::new(64, 64), 0);
    assert!(matches!(
        encoder.encode(&other, false),
        Err(Error::OtherSize { .. })
    ));
}

#[test]
fn damage_of_any_kind_is_an_error_or_a_picture_and_a_key_frame_mends_it() {
    let whole = frames(8);
    let mut random = 1_u32;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 8
    };
    let mut failures = 0;
    for _ in 0..100 {
        let mut decoder = Decoder::new().unwrap();
        for frame in &whole {
            let mut octets = frame.data.to_vec();
            match next() % 4 {
                0 => octets.truncate(next() as usize % octets.len()),
                1 => {
                    for _ in 0..1 + next() % 20 {
                        let at = next() as usize % octets.len();
                        octets[at] = next() as u8;
                    }
                }
                2 => octets.extend((0..next() % 200).map(|octet| octet as u8)),
                _ => {}
            }
            let read = EncodedFrame::read(VideoCodec::Vp8, frame.timestamp, octets.into());
            let decoded = read
                .map_err(Error::from)
                .and_then(|frame| decoder.decode(&frame));
            if decoded.is_err() {
                failures += 1;
            }
        }
        assert!(decoder.decode(&whole[0]).unwrap().is_some());
    }
    assert!(failures > 25, "{failures}");
}

#[test]
fn a_size_may_change_with_each_key_frame() {
    let mut decoder = Decoder::new().unwrap();
    for size in [SIZE, Size::new(640, 360), Size::new(17, 33), SIZE] {
        let mut encoder = Encoder::new(size, &Settings::default()).unwrap();
        let frame = encoder.encode(&picture(size, 0), true).unwrap().unwrap();
        assert_eq!(decoder.decode(&frame).unwrap().unwrap().size(), size);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_that_gives_way_has_a_lower_priority_and_others_keep_theirs() {
    let nice = || {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, behind_name) = stat.rsplit_once(')').unwrap();
        let nice = behind_name.split_ascii_whitespace().nth(16).unwrap();
        nice.parse::<i32>().unwrap()
    };
    let before = nice();
    let lowered = std::thread::spawn(move || {
        crate::give_way();
        nice()
    });
    assert_eq!(lowered.join().unwrap(), before.max(5));
    assert_eq!(nice(), before);
}

/// What a frame costs, for whoever changes the settings: `cargo test --release -p vpx -- --ignored --nocapture cost`.
#[test]
#[ignore = "it measures, and says nothing of right or wrong"]
fn the_cost_of_a_frame() {
    const FRAMES: u64 = 60;
    for (size, bitrate) in [
        (Size::new(640, 360), 600_000),
        (Size::new(1_280, 720), 1_500_000),
    ] {
        let pictures: Vec<_> = (0..FRAMES).map(|number| moving(size, number)).collect();
        for (threads, speed) in [(1, 6), (1, 8), (1, 12), (2, 8)] {
            let settings = Settings {
                bitrate,
                threads,
                speed,
                screen: false,
            };
            let mut encoder = Encoder::new(size, &settings).unwrap();
            let begin = ProcessTime::now();
            let encode = |picture| encoder.encode(picture, false).unwrap();
            let frames: Vec<_> = pictures.iter().filter_map(encode).collect();
            let encoded = begin.elapsed();
            let mut decoder = Decoder::new().unwrap();
            let begin = ProcessTime::now();
            let mut error = 0.0;
            for frame in &frames {
                let seen = decoder.decode(frame).unwrap().unwrap();
                let number = frame.timestamp.as_millis() as usize / 33;
                error += difference(&pictures[number], &seen);
            }
            let decoded = begin.elapsed();
            let octets: usize = frames.iter().map(|frame| frame.data.len()).sum();
            let each = |time: Duration| time.as_secs_f64() * 1_000.0 / frames.len() as f64;
            println!(
                "{size:?} {threads} thread(s), speed {speed}: encode {:.2} ms, decode {:.2} ms, \
                 {:.0} kbit/s, {} of {FRAMES} frames, {:.1} dB",
                each(encoded),
                each(decoded),
                octets as f64 * 8.0 / 1_000.0 / (FRAMES as f64 / 30.0),
                frames.len(),
                10.0 * (255.0 * 255.0 / (error / frames.len() as f64)).log10(),
            );
        }
    }
}

/// A picture with large and small forms that move, and the noise of a camera.
fn moving(size: Size, number: u64) -> Picture {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    let mut data = vec![128; size.i420_octets()];
    let mut noise = number as u32 * 2_654_435_761 + 1;
    for y in 0..height {
        for x in 0..width {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (dx, dy) = (x + 3 * number as usize, y + number as usize);
            let wave = ((dx as f64 / 40.0).sin() + (dy as f64 / 25.0).cos()) * 40.0;
            let edge = if (dx / 64 + dy / 48) % 2 == 0 {
                20.0
            } else {
                0.0
            };
            data[y * width + x] = (110.0 + wave + edge + f64::from(noise >> 30)) as u8;
        }
    }
    let at = Duration::from_millis(number * 33);
    Picture::new(size, at, Rotation::Upright, data.into()).unwrap()
}

/// What a linker takes of the archive is held to its size by `scripts/release.mjs`; this says what went wrong.
#[test]
#[cfg(target_os = "linux")]
fn nothing_of_vp9_is_in_the_archive() {
    let archive = std::fs::read(concat!(env!("OUT_DIR"), "/libvpx.a")).unwrap();
    let names = |name: &[u8]| archive.windows(name.len()).any(|part| part == name);
    assert!(names(b"vp8_decode"));
    for absent in [b"vp9_".as_slice(), b"vpx_highbd_convolve8_c"] {
        let absent_text = String::from_utf8_lossy(absent);
        assert!(!names(absent), "{absent_text}");
    }
}
