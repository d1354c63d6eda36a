use audio::detect::ToneFit;

use super::*;

/// Deterministic noise, quieter from block to block: from full scale, which overflows every
/// intermediate value that can overflow, down to a few steps.
fn noise(samples: usize) -> Vec<i16> {
    let mut state = 1_u32;
    (0..samples)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as u16).cast_signed() >> ((n / 1_600) % 10)
        })
        .collect()
}

fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A voice-like signal: a pitch of 140 Hz with its harmonics, swelling at the rhythm of syllables.
fn voice(rate: Rate, seconds: f32) -> Vec<i16> {
    let hz = rate.hz() as f32;
    (0..(hz * seconds) as usize)
        .map(|n| {
            let t = n as f32 / hz;
            let voiced: f32 = (1..12)
                .map(|k| (std::f32::consts::TAU * 140.0 * k as f32 * t).sin() / k as f32)
                .sum();
            (voiced * 5_000.0 * (0.6 + 0.4 * (std::f32::consts::TAU * 3.0 * t).sin())) as i16
        })
        .collect()
}

/// The same with a pitch that rises from 110 to 150 Hz.
fn gliding_voice(rate: Rate, seconds: f32) -> Vec<i16> {
    let hz = rate.hz() as f32;
    (0..(hz * seconds) as usize)
        .map(|n| {
            let t = n as f32 / hz;
            let cycles = 110.0 * t + 20.0 * t * t / seconds;
            let voiced: f32 = (1..12)
                .map(|k| (std::f32::consts::TAU * k as f32 * cycles).sin() / k as f32)
                .sum();
            (voiced * 5_000.0 * (0.6 + 0.4 * (std::f32::consts::TAU * 3.0 * t).sin())) as i16
        })
        .collect()
}

fn sine(rate: Rate, hz: f64, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| {
            let cycles = hz * n as f64 / f64::from(rate.hz());
            ((std::f64::consts::TAU * cycles).sin() * 10_000.0) as i16
        })
        .collect()
}

fn settings(rate: Rate) -> OpusSettings {
    OpusSettings {
        rate,
        ..OpusSettings::default()
    }
}

fn encode(codec: Codec, settings: &OpusSettings, samples: &[i16], loss: u8) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(codec, settings).unwrap();
    encoder.set_expected_loss(loss).unwrap();
    samples
        .chunks_exact(encoder.rate().samples_per_tick() * 2)
        .map(|frame| {
            let mut payload = Vec::new();
            encoder.encode(frame, &mut payload).unwrap();
            payload
        })
        .collect()
}

fn decode(codec: Codec, settings: &OpusSettings, packets: &[Vec<u8>], lost: &[usize]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec, settings).unwrap();
    let frame = decoder.rate().samples_per_tick() * 2;
    let mut out = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        if lost.contains(&index) {
            decoder.conceal(frame, &mut out);
        } else {
            assert_eq!(decoder.decode(packet, &mut out), Ok(frame));
        }
    }
    out
}

fn energy(samples: &[i16]) -> f64 {
    samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum()
}

#[test]
fn g722_gives_the_bits_of_the_itus_reference() {
    // The hashes are those of the outputs of encg722 and decg722 (ITU-T G.191) for this input.
    let mut payload = Vec::new();
    let mut encoder = Encoder::new(Codec::G722, &OpusSettings::default()).unwrap();
    let mut packets = Vec::new();
    for frame in noise(16_000).chunks(320) {
        encoder.encode(frame, &mut payload).unwrap();
        packets.push(payload.clone());
    }
    assert_eq!(fnv(packets.concat()), 0xe6f9_59ce_ed8c_49eb);
    let samples = decode(Codec::G722, &OpusSettings::default(), &packets, &[]);
    let bytes = samples.into_iter().flat_map(i16::to_le_bytes);
    assert_eq!(fnv(bytes), 0xe3d3_7854_b1db_7e68);
}

#[test]
fn each_codec_carries_a_tone() {
    for (codec, hz, least) in [
        (Codec::Opus, 1_000.0, 20.0),
        (Codec::G722, 1_000.0, 30.0),
        (Codec::G722, 6_000.0, 12.0),
        (Codec::Pcmu, 1_000.0, 35.0),
        (Codec::Pcma, 1_000.0, 35.0),
    ] {
        let settings = settings(Rate::Hz16000);
        let rate = codec.rate(&settings);
        let packets = encode(codec, &settings, &sine(rate, hz, rate.hz() as usize), 0);
        let out = decode(codec, &settings, &packets, &[]);
        let fit = ToneFit::of(&out[out.len() / 2..], rate, hz);
        assert!(fit.signal_to_noise_db > least, "{codec:?} {hz}: {fit:?}");
        assert!(
            (fit.amplitude / 10_000.0 - 1.0).abs() < 0.1,
            "{codec:?} {hz}: {fit:?}"
        );
    }
}

#[test]
fn opus_runs_at_each_of_our_rates() {
    for rate in Rate::ALL {
        let settings = settings(rate);
        let packets = encode(Codec::Opus, &settings, &voice(rate, 0.5), 0);
        let out = decode(Codec::Opus, &settings, &packets, &[]);
        assert_eq!(out.len(), rate.hz() as usize / 2);
        assert!(energy(&out) > 0.5 * energy(&voice(rate, 0.5)), "{rate:?}");
    }
}

#[test]
fn opus_recovers_a_lost_frame_from_the_next_and_else_conceals() {
    let settings = settings(Rate::Hz16000);
    let input = voice(Rate::Hz16000, 1.0);
    for (loss, expected) in [(20, Recovery::Redundancy), (0, Recovery::Concealed)] {
        let packets = encode(Codec::Opus, &settings, &input, loss);
        let mut decoder = Decoder::new(Codec::Opus, &settings).unwrap();
        let mut out = Vec::new();
        for packet in &packets[..30] {
            decoder.decode(packet, &mut out).unwrap();
        }
        let with_copy = (31..40)
            .find(|next| ::opus::packet::has_fec(&packets[*next]))
            .unwrap_or(31);
        out.clear();
        assert_eq!(
            decoder.recover(&packets[with_copy], 320, &mut out),
            expected
        );
        assert_eq!(out.len(), 320);
        assert!(energy(&out) > 0.0);
    }
}

#[test]
fn a_gap_of_one_frame_is_hardly_heard_in_g711_and_g722() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let settings = OpusSettings::default();
        let rate = codec.rate(&settings);
        let frame = rate.samples_per_tick() * 2;
        let packets = encode(codec, &settings, &voice(rate, 1.0), 0);
        let whole = decode(codec, &settings, &packets, &[]);
        let patched = decode(codec, &settings, &packets, &[20]);
        let gap = 20 * frame..21 * frame;
        let error: f64 = whole[gap.clone()]
            .iter()
            .zip(&patched[gap.clone()])
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        let ratio = 10.0 * (energy(&whole[gap]) / error).log10();
        assert!(ratio > 8.0, "{codec:?}: {ratio:.1} dB");
        let steepest = |samples: &[i16]| {
            samples
                .windows(2)
                .map(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs())
                .max()
        };
        let edges = 20 * frame - 10..22 * frame;
        assert!(
            steepest(&patched[edges.clone()]) <= steepest(&whole[edges]).map(|step| step * 3 / 2),
            "{codec:?}: a click"
        );
    }
}

#[test]
fn a_long_gap_fades_to_silence_and_the_stream_comes_back() {
    // libopus fades more slowly than Appendix I's 60 ms.
    for (codec, most) in [
        (Codec::Pcmu, 0.001),
        (Codec::G722, 0.001),
        (Codec::Opus, 0.2),
    ] {
        let settings = OpusSettings {
            decoder_complexity: 0,
            ..settings(Rate::Hz16000)
        };
        let rate = codec.rate(&settings);
        let frame = rate.samples_per_tick() * 2;
        let packets = encode(codec, &settings, &voice(rate, 1.0), 0);
        let lost: Vec<usize> = (20..35).collect();
        let out = decode(codec, &settings, &packets, &lost);
        let whole = decode(codec, &settings, &packets, &[]);
        let level =
            |samples: &[i16], index: usize| energy(&samples[index * frame..(index + 1) * frame]);
        assert!(level(&out, 20) > 0.2 * level(&whole, 20), "{codec:?}");
        assert!(
            level(&out, 34) < most * level(&whole, 34),
            "{codec:?}: {}",
            level(&out, 34) / level(&whole, 34)
        );
        assert!(
            level(&out, 45) > 0.5 * level(&whole, 45),
            "{codec:?}: {}",
            level(&out, 45) / level(&whole, 45)
        );
    }
}

#[test]
fn a_gap_before_anything_was_heard_is_silent() {
    for codec in Codec::ALL {
        let mut decoder = Decoder::new(codec, &OpusSettings::default()).unwrap();
        let mut out = Vec::new();
        decoder.conceal(decoder.rate().samples_per_tick() * 2, &mut out);
        assert!(out.iter().all(|sample| sample.abs() < 10), "{codec:?}");
    }
}

#[test]
fn payloads_of_ten_to_one_hundred_and_twenty_milliseconds_are_taken_and_others_refused() {
    let settings = OpusSettings::default();
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let mut decoder = Decoder::new(codec, &settings).unwrap();
        let mut out = vec![7];
        assert_eq!(decoder.decode(&[], &mut out), Err(DecodeError::Empty));
        let too_long = decoder.decode(&[0; 968], &mut out);
        assert_eq!(too_long, Err(DecodeError::TooLong { milliseconds: 121 }));
        assert_eq!(out, [7]);
        for milliseconds in [1, 10, 20, 30, 60, 120] {
            let decoded = decoder.decode(&vec![0xff; milliseconds * 8], &mut out);
            assert_eq!(
                decoded,
                Ok(milliseconds * decoder.rate().hz() as usize / 1000)
            );
        }
    }
    let mut decoder = Decoder::new(Codec::Opus, &settings).unwrap();
    let mut out = vec![7];
    assert_eq!(decoder.decode(&[], &mut out), Err(DecodeError::Empty));
    let malformed = DecodeError::Malformed { codec: "opus" };
    for hostile in [&[0xff][..], &[0x03, 0x3f], &[0x03, 0x00], &[0x4b, 0x07]] {
        assert_eq!(
            decoder.decode(hostile, &mut out),
            Err(malformed),
            "{hostile:?}"
        );
    }
    assert_eq!(out, [7]);
}

#[test]
fn no_payload_panics_whatever_its_bytes() {
    let bytes: Vec<u8> = noise(4_000)
        .into_iter()
        .flat_map(i16::to_le_bytes)
        .collect();
    for codec in Codec::ALL {
        let mut decoder = Decoder::new(codec, &OpusSettings::default()).unwrap();
        let mut out = Vec::new();
        for start in (0..6_000).step_by(61) {
            let payload = &bytes[start..start + start % 400];
            let _ = decoder.decode(payload, &mut out);
            let _ = decoder.recover(payload, 960, &mut out);
            decoder.conceal(17, &mut out);
            out.clear();
        }
    }
}

#[test]
fn a_frame_of_the_wrong_length_is_the_callers_error() {
    let mut encoder = Encoder::new(Codec::Pcmu, &OpusSettings::default()).unwrap();
    let mut payload = Vec::new();
    for samples in [0, 79, 81, 1_040] {
        let refused = EncodeError::FrameLength {
            got: samples,
            hz: 8_000,
        };
        assert_eq!(
            encoder.encode(&vec![0; samples], &mut payload),
            Err(refused)
        );
    }
}

#[test]
fn names_clocks_and_static_types_are_those_of_the_rfcs() {
    assert_eq!(Codec::from_rtpmap("OPUS", 48_000), Some(Codec::Opus));
    assert_eq!(Codec::from_rtpmap("g722", 8_000), Some(Codec::G722));
    assert_eq!(Codec::from_rtpmap("G722", 16_000), None);
    assert_eq!(Codec::from_static_payload_type(0), Some(Codec::Pcmu));
    assert_eq!(Codec::from_static_payload_type(8), Some(Codec::Pcma));
    assert_eq!(Codec::from_static_payload_type(9), Some(Codec::G722));
    assert_eq!(Codec::from_static_payload_type(111), None);
    for codec in Codec::ALL {
        assert_eq!(
            Codec::from_rtpmap(codec.name(), codec.clock_rate()),
            Some(codec)
        );
    }
}

#[test]
fn a_mute_stretch_under_dtx_need_not_be_sent() {
    let settings = OpusSettings {
        dtx: true,
        ..settings(Rate::Hz16000)
    };
    let mut encoder = Encoder::new(Codec::Opus, &settings).unwrap();
    let mut payload = Vec::new();
    for _ in 0..50 {
        encoder.encode(&[0; 320], &mut payload).unwrap();
    }
    assert!(encoder.in_dtx());
}

#[test]
fn thrift_lowers_opus_to_complexity_1_and_0_and_no_thrift_gives_it_back() {
    let speech = voice(Rate::Hz16000, 0.4);
    let (before, after) = speech.split_at(speech.len() / 2);
    let of = |complexity: u8, thrift: Option<Thrift>| {
        let complex = OpusSettings {
            complexity,
            ..settings(Rate::Hz16000)
        };
        let mut encoder = Encoder::new(Codec::Opus, &complex).unwrap();
        if let Some(thrift) = thrift {
            encoder.set_thrift(thrift);
        }
        let mut packets = Vec::new();
        for frame in before.chunks_exact(320) {
            let mut payload = Vec::new();
            encoder.encode(frame, &mut payload).unwrap();
            packets.push(payload);
        }
        packets
    };
    for (thrift, complexity) in [(Thrift::None, 9), (Thrift::Plain, 1), (Thrift::Bare, 0)] {
        assert_eq!(of(9, Some(thrift)), of(complexity, None), "{thrift:?}");
    }
    assert_eq!(of(0, Some(Thrift::Plain)), of(0, None), "never more");
    assert_ne!(of(9, None), of(1, None), "or nothing is seen here");

    let mut encoder = Encoder::new(Codec::Opus, &settings(Rate::Hz16000)).unwrap();
    encoder.set_thrift(Thrift::Bare);
    encoder.set_thrift(Thrift::None);
    let mut untouched = Encoder::new(Codec::Opus, &settings(Rate::Hz16000)).unwrap();
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for frame in after.chunks_exact(320) {
        encoder.encode(frame, &mut one).unwrap();
        untouched.encode(frame, &mut other).unwrap();
        assert_eq!(one, other);
    }
}

#[test]
fn a_gap_is_led_over_into_the_packet_behind_it() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let settings = OpusSettings::default();
        let rate = codec.rate(&settings);
        let frame = rate.samples_per_tick() * 2;
        let packets = encode(codec, &settings, &gliding_voice(rate, 1.0), 0);
        let whole = decode(codec, &settings, &packets, &[]);
        let errors = |led_over: bool| -> f64 {
            let lost = (10..45).step_by(5);
            lost.map(|lost| {
                let mut decoder = Decoder::new(codec, &settings).unwrap();
                let mut out = Vec::new();
                for packet in &packets[..lost] {
                    decoder.decode(packet, &mut out).unwrap();
                }
                if led_over {
                    let from = decoder.recover(&packets[lost + 1], frame, &mut out);
                    assert_eq!(from, Recovery::Concealed);
                } else {
                    decoder.conceal(frame, &mut out);
                }
                decoder.decode(&packets[lost + 1], &mut out).unwrap();
                let heard = whole[lost * frame..].iter().zip(&out[lost * frame..]);
                heard
                    .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
                    .sum::<f64>()
            })
            .sum()
        };
        let (bridged, continued) = (errors(true), errors(false));
        assert!(
            bridged < continued / 3.0,
            "{codec:?}: {bridged} {continued}"
        );
    }
}

#[test]
fn behind_a_gap_the_bands_of_g722_are_where_what_was_invented_has_brought_them() {
    let settings = OpusSettings::default();
    let frame = 2 * Rate::Hz16000.samples_per_tick();
    let packets = encode(
        Codec::G722,
        &settings,
        &gliding_voice(Rate::Hz16000, 1.0),
        0,
    );
    let whole = decode(Codec::G722, &settings, &packets, &[]);
    let (mut signal, mut error) = (0.0, 0.0);
    for lost in (10..45).step_by(5) {
        let patched = decode(Codec::G722, &settings, &packets, &[lost]);
        let behind = (lost + 1) * frame..(lost + 2) * frame;
        signal += energy(&whole[behind.clone()]);
        let pairs = whole[behind.clone()].iter().zip(&patched[behind]);
        error += pairs
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum::<f64>();
    }
    assert!(error < signal / 4.0, "{error} {signal}");
}

#[test]
fn under_thrift_a_gap_is_searched_for_no_pitch_and_not_led_over() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let settings = OpusSettings::default();
        let rate = codec.rate(&settings);
        let tick = rate.samples_per_tick();
        // Clicks every 8 ms: what is repeated every 10 ms has others.
        let clicks: Vec<i16> = (0..tick * 40)
            .map(|at| i16::from(at % (tick * 4 / 5) == 0) * 20_000)
            .collect();
        let packets = encode(codec, &settings, &clicks, 0);
        let filled = |thrift: Thrift, led_over: bool| {
            let mut decoder = Decoder::new(codec, &settings).unwrap();
            decoder.set_thrift(thrift);
            decoder.reset();
            let mut out = Vec::new();
            for packet in &packets[..10] {
                decoder.decode(packet, &mut out).unwrap();
            }
            out.clear();
            if led_over {
                decoder.recover(&packets[11], 2 * tick, &mut out);
            } else {
                decoder.conceal(2 * tick, &mut out);
            }
            out
        };
        let loudest = |sound: &[i16]| (0..sound.len()).max_by_key(|at| sound[*at].abs());
        let again = |sound: Vec<i16>| {
            let first = loudest(&sound[..tick]).unwrap();
            loudest(&sound[first + tick / 2..]).unwrap() + tick / 2
        };
        let near = |got: usize, wanted: usize| got.abs_diff(wanted) <= 2;
        assert!(near(again(filled(Thrift::None, false)), tick * 4 / 5));
        assert!(near(again(filled(Thrift::Plain, false)), tick), "{codec:?}");
        assert_eq!(filled(Thrift::Plain, true), filled(Thrift::Plain, false));
        assert_ne!(filled(Thrift::None, true), filled(Thrift::None, false));
    }
}

#[test]
fn under_thrift_opus_conceals_without_its_neural_model() {
    let speech = voice(Rate::Hz16000, 1.0);
    let packets = encode(Codec::Opus, &settings(Rate::Hz16000), &speech, 0);
    let concealed = |decoder_complexity: u8, thrift: Thrift| {
        let settings = OpusSettings {
            decoder_complexity,
            ..settings(Rate::Hz16000)
        };
        let mut decoder = Decoder::new(Codec::Opus, &settings).unwrap();
        decoder.set_thrift(thrift);
        let mut out = Vec::new();
        for packet in &packets[..30] {
            decoder.decode(packet, &mut out).unwrap();
        }
        decoder.conceal(960, &mut out);
        out
    };
    assert_eq!(concealed(5, Thrift::Plain), concealed(0, Thrift::None));
    assert_ne!(concealed(5, Thrift::None), concealed(0, Thrift::None));
}
