use super::*;
use crate::wav;

/// 0 dBm0 is 6.15 dB below full scale's 0 dBov (ITU-T G.711).
const DBM0: f64 = -6.15;

/// A key as a test bench makes it, at a place in time that need not be a tick's beginning.
#[derive(Clone, Copy)]
struct Sent {
    key: char,
    /// Of the row, in dBm0.
    level: f64,
    /// How much louder the column is, in dB.
    twist: f64,
    /// Both frequencies are this much too high.
    off: f64,
    ms: f64,
}

const USUAL: Sent = Sent {
    key: '1',
    level: -12.0,
    twist: 0.0,
    off: 0.0,
    ms: 60.0,
};

struct Bench {
    rate: Rate,
    sound: Vec<f64>,
}

impl Bench {
    /// Begins with silence of so many milliseconds.
    fn new(rate: Rate, ms: f64) -> Self {
        let mut bench = Self {
            rate,
            sound: Vec::new(),
        };
        bench.pause(50.0 + ms);
        bench
    }

    fn pause(&mut self, ms: f64) {
        let samples = (ms * f64::from(self.rate.hz()) / 1_000.0).round() as usize;
        self.sound.resize(self.sound.len() + samples, 0.0);
    }

    fn press(&mut self, sent: Sent) {
        let (row, column) = super::super::place(sent.key).unwrap();
        let peak = |dbm0: f64| 10_f64.powf((dbm0 + DBM0) / 20.0) * std::f64::consts::SQRT_2;
        let tones = [
            (ROWS[row], peak(sent.level)),
            (COLUMNS[column], peak(sent.level + sent.twist)),
        ];
        let start = self.sound.len();
        self.pause(sent.ms);
        for (n, sample) in self.sound[start..].iter_mut().enumerate() {
            let time = n as f64 / f64::from(self.rate.hz());
            for (phase, (hz, peak)) in tones.iter().enumerate() {
                let turns = hz * (1.0 + sent.off) * time + phase as f64 / 3.0;
                *sample += peak * (std::f64::consts::TAU * turns).sin();
            }
        }
    }

    /// White noise of so many dBm0 over everything.
    fn noise(&mut self, dbm0: f64, seed: u64) {
        let peak = 10_f64.powf((dbm0 + DBM0) / 20.0) * 3_f64.sqrt();
        let mut state = seed;
        for sample in &mut self.sound {
            // Knuth's generator; its high bits are good enough for noise.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let uniform = (state >> 32) as f64 / f64::from(u32::MAX);
            *sample += peak * (2.0 * uniform - 1.0);
        }
    }

    fn heard(mut self) -> Vec<Press> {
        self.pause(100.0);
        let sound: Vec<i16> = self
            .sound
            .iter()
            .map(|sample| (sample * 32_767.0) as i16)
            .collect();
        listen(self.rate, &sound)
    }

    fn keys(self) -> String {
        self.heard().iter().map(|press| press.key).collect()
    }
}

fn listen(rate: Rate, sound: &[i16]) -> Vec<Press> {
    let mut detector = Detector::new();
    sound
        .chunks_exact(rate.samples_per_tick())
        .filter_map(|tick| detector.push(rate, tick))
        .collect()
}

/// What is heard of one key.
fn one(rate: Rate, start: f64, sent: Sent) -> String {
    let mut bench = Bench::new(rate, start);
    bench.press(sent);
    bench.keys()
}

#[test]
fn every_key_is_heard_once_with_its_duration_at_every_rate_level_and_place() {
    for rate in Rate::ALL {
        for key in KEYS {
            for start in [0.0, 2.5, 5.0, 7.5, 9.0] {
                for level in [0.0, -6.0, -12.0, -20.0, -30.0] {
                    let ms = 40.0 + start * 10.0;
                    let mut bench = Bench::new(rate, start);
                    bench.press(Sent {
                        key,
                        level,
                        ms,
                        ..USUAL
                    });
                    let heard = bench.heard();
                    let [press] = heard[..] else {
                        panic!("{key} at {level} dBm0 after {start} ms: {heard:?}");
                    };
                    assert_eq!(press.key, key);
                    let wrong = press.duration.as_secs_f64() * 1_000.0 - ms;
                    assert!(wrong.abs() < 7.0, "{key}: {press:?} instead of {ms} ms");
                }
            }
        }
    }
}

#[test]
fn forty_milliseconds_are_a_key_and_twenty_three_are_none() {
    for key in KEYS {
        for start in 0..20 {
            let start = f64::from(start) / 2.0;
            let sent = Sent { key, ..USUAL };
            let long = one(Rate::Hz8000, start, Sent { ms: 40.0, ..sent });
            assert_eq!(long, key.to_string(), "after {start} ms");
            let short = one(Rate::Hz8000, start, Sent { ms: 23.0, ..sent });
            assert_eq!(short, "", "{key} after {start} ms");
        }
    }
}

#[test]
fn thirty_milliseconds_of_pause_make_two_keys_and_ten_are_an_interruption() {
    for start in 0..20 {
        for (pause, expected) in [(30.0, "55"), (10.0, "5")] {
            let mut bench = Bench::new(Rate::Hz8000, f64::from(start) / 2.0);
            let five = Sent { key: '5', ..USUAL };
            bench.press(five);
            bench.pause(pause);
            bench.press(five);
            assert_eq!(bench.keys(), expected, "{pause} ms after {start}");
        }
    }
}

#[test]
fn keys_that_follow_without_a_pause_are_told_apart() {
    let mut bench = Bench::new(Rate::Hz8000, 3.0);
    for key in "159D".chars() {
        bench.press(Sent { key, ..USUAL });
    }
    assert_eq!(bench.keys(), "159D");
}

#[test]
fn frequencies_may_be_off_by_1_8_percent_and_not_by_3_5() {
    for key in KEYS {
        for start in [0.0, 3.0, 6.0] {
            for (off, is_key) in [
                (-0.035, false),
                (-0.018, true),
                (0.018, true),
                (0.035, false),
            ] {
                let heard = one(Rate::Hz8000, start, Sent { key, off, ..USUAL });
                assert_eq!(heard == key.to_string(), is_key, "{key}, {off}: {heard:?}");
            }
        }
    }
}

#[test]
fn one_tone_may_be_louder_but_not_by_much() {
    for key in KEYS {
        for (twist, is_key) in [
            (-12.0, false),
            (-8.0, true),
            (-6.0, true),
            (4.0, true),
            (6.0, true),
            (10.0, false),
        ] {
            let heard = one(
                Rate::Hz8000,
                4.0,
                Sent {
                    key,
                    twist,
                    ..USUAL
                },
            );
            assert_eq!(heard == key.to_string(), is_key, "{key}, {twist} dB");
        }
    }
}

#[test]
fn noise_12_db_below_hides_no_key() {
    let mut missed = 0;
    for seed in 0..20 {
        for key in KEYS {
            let mut bench = Bench::new(Rate::Hz8000, 5.0);
            bench.press(Sent {
                key,
                ms: 50.0,
                ..USUAL
            });
            // The two tones together are 3 dB louder than each.
            bench.noise(USUAL.level + 3.0 - 12.0, seed);
            missed += u32::from(bench.keys() != key.to_string());
        }
    }
    assert_eq!(missed, 0);
}

#[test]
fn what_is_quieter_than_a_telephone_is_no_key() {
    let sent = Sent {
        level: -40.0,
        ..USUAL
    };
    assert_eq!(one(Rate::Hz8000, 0.0, sent), "");
}

#[test]
fn speech_is_no_key_however_loud_and_at_any_pitch() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/speech.wav");
    let mut reader =
        wav::Reader::new(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap();
    let mut speech = Vec::new();
    let mut part = [0; 480];
    loop {
        let read = reader.read(&mut part).unwrap();
        if read == 0 {
            break;
        }
        speech.extend_from_slice(&part[..read]);
    }
    assert!(speech.len() > 10 * 8_000);
    // The same samples at another rate are a voice of another pitch.
    for rate in Rate::ALL {
        for gain in [0.1, 0.5, 1.0, 3.0] {
            let loud: Vec<i16> = speech
                .iter()
                .map(|s| (f32::from(*s) * gain) as i16)
                .collect();
            for start in [0, 27, 55] {
                assert_eq!(listen(rate, &loud[start..]), [], "{rate:?}, {gain}");
            }
        }
    }
}

#[test]
fn noise_single_tones_and_the_tones_of_the_network_are_no_keys() {
    for seed in 0..4 {
        let mut bench = Bench::new(Rate::Hz8000, 20_000.0);
        bench.noise(-10.0, seed);
        assert_eq!(bench.keys(), "");
    }
    for pair in [
        [697.0, 0.0],
        [0.0, 1_336.0],
        [350.0, 440.0],
        [440.0, 480.0],
        [480.0, 620.0],
        [697.0, 852.0],
        [1_209.0, 1_477.0],
        [650.0, 1_300.0],
        [1_100.0, 2_100.0],
    ] {
        let sound: Vec<i16> = (0..16_000)
            .map(|n| {
                let sum: f64 = pair
                    .iter()
                    .map(|hz| (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin())
                    .sum();
                (sum * 6_000.0) as i16
            })
            .collect();
        assert_eq!(listen(Rate::Hz8000, &sound), [], "{pair:?}");
    }
}

#[test]
fn another_rate_starts_anew() {
    let mut detector = Detector::new();
    let mut burst = super::super::Burst::new('7', 10).unwrap();
    let mut tick = [0; 480];
    let mut heard = Vec::new();
    for n in 0..30 {
        let rate = if n < 1 { Rate::Hz48000 } else { Rate::Hz8000 };
        let tick = &mut tick[..rate.samples_per_tick()];
        burst.fill(rate, tick);
        heard.extend(detector.push(rate, tick));
    }
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].key, '7');
}
