use std::time::Duration;

use super::*;
use crate::companding::{from_mu_law, to_mu_law};
use crate::tone::{Generator, Sequence};

const RATES: [Rate; 4] = Rate::ALL;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What an ear tells of some sound, with the milliseconds at which it does.
fn told(wanted: Wanted, rate: Rate, sound: &[i16]) -> Vec<(usize, Heard)> {
    let mut ear = Listener::new(wanted);
    let mut told = Vec::new();
    for (tick, samples) in sound.chunks(rate.samples_per_tick()).enumerate() {
        ear.push(rate, samples, |heard| told.push((10 * tick + 10, heard)));
    }
    told
}

fn kinds(told: &[(usize, Heard)]) -> Vec<ToneKind> {
    let kind = |(_, heard): &(usize, Heard)| match heard {
        Heard::Tone { tone, .. } => Some(*tone),
        Heard::SpeechStarted { .. } | Heard::SpeechEnded { .. } | Heard::AnsweredBy { .. } => None,
    };
    told.iter().filter_map(kind).collect()
}

const TONES: Wanted = Wanted {
    speech: None,
    tones: true,
    answerer: false,
    answered: false,
};

fn play(sequence: Sequence, rate: Rate, length: Duration) -> Vec<i16> {
    let mut sound = vec![0; rate.samples_in(length)];
    Generator::new(sequence, rate).fill(&mut sound);
    sound
}

/// Repeatable noise of this level in dBov, as loud at all frequencies, over some sound.
fn noisy(mut sound: Vec<i16>, dbov: f32, seed: u64) -> Vec<i16> {
    let amplitude = 32_768.0 * 10_f32.powf(dbov / 20.0) * 3_f32.sqrt();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for sample in &mut sound {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let unit = (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        *sample = sample.saturating_add((unit * amplitude) as i16);
    }
    sound
}

/// As a telephone line carries it.
fn mulaw(sound: &[i16]) -> Vec<i16> {
    let carried = |sample: &i16| from_mu_law(to_mu_law(*sample));
    sound.iter().map(carried).collect()
}

type Beats<'a> = &'a [(&'a [f64], u64)];

/// Tones of the network by country, with their frequencies in Hz and their beats in ms.
const COUNTRIES: &[(&str, ToneKind, Beats<'_>)] = &[
    (
        "us ringback",
        ToneKind::Ringback,
        &[(&[440.0, 480.0], 2_000), (&[], 4_000)],
    ),
    (
        "us busy",
        ToneKind::Busy,
        &[(&[480.0, 620.0], 500), (&[], 500)],
    ),
    (
        "us reorder",
        ToneKind::Congestion,
        &[(&[480.0, 620.0], 250), (&[], 250)],
    ),
    (
        "gb ringback",
        ToneKind::Ringback,
        &[
            (&[400.0, 450.0], 400),
            (&[], 200),
            (&[400.0, 450.0], 400),
            (&[], 2_000),
        ],
    ),
    ("gb busy", ToneKind::Busy, &[(&[400.0], 375), (&[], 375)]),
    (
        "de ringback",
        ToneKind::Ringback,
        &[(&[425.0], 1_000), (&[], 4_000)],
    ),
    ("de busy", ToneKind::Busy, &[(&[425.0], 480), (&[], 480)]),
    (
        "de congestion",
        ToneKind::Congestion,
        &[(&[425.0], 240), (&[], 240)],
    ),
    (
        "fr ringback",
        ToneKind::Ringback,
        &[(&[440.0], 1_500), (&[], 3_500)],
    ),
    ("fr busy", ToneKind::Busy, &[(&[440.0], 500), (&[], 500)]),
    (
        "jp ringback",
        ToneKind::Ringback,
        &[(&[384.0, 400.0, 416.0], 1_000), (&[], 2_000)],
    ),
    ("jp busy", ToneKind::Busy, &[(&[400.0], 500), (&[], 500)]),
    (
        "au ringback",
        ToneKind::Ringback,
        &[
            (&[400.0, 425.0, 450.0], 400),
            (&[], 200),
            (&[400.0, 425.0, 450.0], 400),
            (&[], 2_000),
        ],
    ),
    ("au busy", ToneKind::Busy, &[(&[425.0], 375), (&[], 375)]),
    (
        "es congestion",
        ToneKind::Congestion,
        &[(&[425.0], 200), (&[], 200)],
    ),
    ("cn busy", ToneKind::Busy, &[(&[450.0], 350), (&[], 350)]),
    (
        "in ringback",
        ToneKind::Ringback,
        &[
            (&[375.0, 400.0, 425.0], 400),
            (&[], 200),
            (&[375.0, 400.0, 425.0], 400),
            (&[], 2_000),
        ],
    ),
    (
        "special information",
        ToneKind::SpecialInformation,
        &[
            (&[950.0], 330),
            (&[1_400.0], 330),
            (&[1_800.0], 330),
            (&[], 1_000),
        ],
    ),
    (
        "us intercept",
        ToneKind::SpecialInformation,
        &[
            (&[913.8], 274),
            (&[1_370.6], 274),
            (&[1_776.7], 380),
            (&[], 2_000),
        ],
    ),
    (
        "us no circuit",
        ToneKind::SpecialInformation,
        &[
            (&[985.2], 380),
            (&[1_428.5], 380),
            (&[1_776.7], 380),
            (&[], 2_000),
        ],
    ),
];

fn cadence(beats: Beats<'_>, dbov: f64) -> Sequence {
    Sequence::cadence(
        beats
            .iter()
            .map(|(frequencies, length)| (*frequencies, ms(*length))),
        dbov,
    )
}

#[test]
fn the_tones_of_each_country_are_told_once_each() {
    for (name, kind, beats) in COUNTRIES {
        for (rate, level) in [(Rate::Hz8000, -13.0), (Rate::Hz48000, -30.0)] {
            {
                let sound = play(cadence(beats, level), rate, ms(7_500));
                let told = told(TONES, rate, &sound);
                assert_eq!(
                    kinds(&told),
                    [*kind],
                    "{name} at {rate:?}, {level} dBov: {told:?}"
                );
            }
        }
    }
}

#[test]
fn tones_are_told_through_a_telephone_line_with_noise() {
    for (name, kind, beats) in COUNTRIES {
        for seed in 1..=2 {
            let sound = play(cadence(beats, -20.0), Rate::Hz8000, ms(9_000));
            let sound = mulaw(&noisy(sound, -38.0, seed));
            let told = told(TONES, Rate::Hz8000, &sound);
            assert_eq!(kinds(&told), [*kind], "{name}, {seed}: {told:?}");
        }
    }
}

#[test]
fn a_tone_is_told_as_soon_as_its_cadence_is_known_with_its_frequencies() {
    for (name, latest, expected) in [
        ("us busy", 1_600, vec![480, 620]),
        ("de busy", 1_550, vec![425]),
        ("us ringback", 3_400, vec![440, 480]),
        ("de ringback", 2_400, vec![425]),
        ("gb ringback", 2_400, vec![400, 450]),
        ("special information", 800, vec![950, 1_400, 1_800]),
    ] {
        let (_, _, beats) = COUNTRIES.iter().find(|(known, ..)| *known == name).unwrap();
        let sound = play(cadence(beats, -16.0), Rate::Hz16000, ms(5_000));
        let told = told(TONES, Rate::Hz16000, &sound);
        let (at, Heard::Tone { frequencies, .. }) = &told[0] else {
            panic!("{told:?}");
        };
        assert!(*at <= latest, "{name} after {at} ms");
        for (found, wanted) in frequencies.iter().zip(&expected) {
            assert!(found.abs_diff(*wanted) <= 5, "{name}: {frequencies:?}");
        }
        assert_eq!(frequencies.len(), expected.len(), "{name}");
    }
}

#[test]
fn a_high_tone_in_the_cadence_of_ringback_is_none() {
    let rings = |hz| {
        let beats: Beats<'_> = &[(&[hz], 1_000), (&[], 4_000)];
        let sound = play(cadence(beats, -16.0), Rate::Hz8000, ms(12_000));
        kinds(&told(TONES, Rate::Hz8000, &sound))
    };
    assert_eq!(rings(425.0), [ToneKind::Ringback]);
    assert_eq!(rings(560.0), []);
}

#[test]
fn a_tone_that_goes_on_is_told_once_and_again_after_a_long_silence() {
    let beats: Beats<'_> = &[(&[425.0], 480), (&[], 480)];
    let busy = play(cadence(beats, -16.0), Rate::Hz8000, ms(9_600));
    for (silence, times) in [(2_000, 1), (12_000, 2)] {
        let silence = vec![0; Rate::Hz8000.samples_in(ms(silence))];
        let sound = [&busy[..], &silence, &busy].concat();
        let told = told(TONES, Rate::Hz8000, &sound);
        assert_eq!(kinds(&told), vec![ToneKind::Busy; times], "{told:?}");
    }
}

/// The speech of the examples.
fn speech(rate: Rate) -> Vec<i16> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/speech.wav");
    let file = std::fs::File::open(path).unwrap();
    let mut player = crate::wav::Player::new(std::io::BufReader::new(file), rate).unwrap();
    let mut sound = vec![0; rate.samples_in(ms(20_000))];
    let length = player.fill(&mut sound).unwrap();
    sound.truncate(length);
    sound
}

const SPEECH: Wanted = Wanted {
    speech: Some(Duration::from_millis(500)),
    tones: false,
    answerer: false,
    answered: true,
};

#[test]
fn speech_begins_and_ends_once_at_any_rate_also_in_noise() {
    for rate in RATES {
        let silence = vec![0; rate.samples_in(ms(1_000))];
        let spoken = speech(rate);
        let length = rate.duration_of(spoken.len()).as_millis() as usize;
        let whole = [&silence[..], &spoken, &silence].concat();
        for noise in [-90.0, -50.0] {
            let wanted = Wanted {
                speech: Some(ms(900)),
                ..SPEECH
            };
            let told = told(wanted, rate, &noisy(whole.clone(), noise, 7));
            let [
                (begun, Heard::SpeechStarted { level }),
                (
                    ended,
                    Heard::SpeechEnded {
                        duration,
                        level: mean,
                    },
                ),
            ] = &told[..]
            else {
                panic!("{rate:?}: {told:?}");
            };
            let duration = duration.as_millis() as usize;
            assert!((1_000..1_500).contains(begun), "{rate:?}: {told:?}");
            assert!(
                duration <= length && duration + 900 > length,
                "{duration} of {length}"
            );
            assert!(
                (begun + duration..begun + duration + 1_100).contains(ended),
                "{told:?}"
            );
            assert!(*level > 0.003 && *mean > 0.01 && *mean < 0.5, "{told:?}");
        }
    }
}

#[test]
fn neither_silence_nor_noise_nor_tones_are_speech() {
    let rate = Rate::Hz16000;
    let length = ms(10_000);
    let silence = vec![0; rate.samples_in(length)];
    let mut sounds = vec![silence.clone()];
    for (level, seed) in [(-60.0, 1), (-40.0, 2), (-25.0, 3)] {
        sounds.push(noisy(silence.clone(), level, seed));
    }
    for (_, _, beats) in COUNTRIES {
        sounds.push(play(cadence(beats, -20.0), rate, length));
    }
    let heard = |sound: &Vec<i16>| !told(SPEECH, rate, sound).is_empty();
    let wrong: Vec<usize> = (0..sounds.len())
        .filter(|index| heard(&sounds[*index]))
        .collect();
    assert_eq!(wrong, []);
}

#[test]
fn speech_is_none_of_the_tones() {
    for rate in RATES {
        let answered = Wanted {
            answered: true,
            ..TONES
        };
        let told = told(answered, rate, &speech(rate).repeat(4));
        assert_eq!(kinds(&told), [], "{told:?}");
    }
}

#[test]
fn a_beep_is_told_when_it_is_over_and_only_once_a_call_is_answered() {
    let rate = Rate::Hz8000;
    let answered = Wanted {
        answered: true,
        ..TONES
    };
    for hz in [400.0, 620.0, 850.0, 1_000.0, 1_400.0, 2_000.0, 2_600.0] {
        for length in [120, 250, 600, 1_500] {
            let beep = Sequence::sine(hz, -20.0, Some(ms(length)));
            let beep = play(beep, rate, ms(length));
            let spoken = speech(rate);
            let silence = vec![0; rate.samples_in(ms(1_000))];
            let before = [&spoken[..], &silence[..2_000]].concat();
            let over = rate.duration_of(before.len() + beep.len()).as_millis() as usize;
            let sound = mulaw(&noisy([&before[..], &beep, &silence].concat(), -50.0, 5));
            let told = told(answered, rate, &sound);
            let [(at, Heard::Tone { tone, frequencies })] = &told[..] else {
                panic!("{hz} Hz, {length} ms: {told:?}");
            };
            assert_eq!(*tone, ToneKind::Beep);
            assert!((over..over + 120).contains(at), "at {at}, over at {over}");
            assert!(
                frequencies[0].abs_diff(hz as u32) < 10,
                "{hz}: {frequencies:?}"
            );
            assert_eq!(kinds(&super::tests::told(TONES, rate, &sound)), []);
        }
    }
}

#[test]
fn what_goes_on_for_seconds_or_wanders_is_no_beep() {
    let rate = Rate::Hz8000;
    let answered = Wanted {
        answered: true,
        ..TONES
    };
    let spoken = speech(rate);
    let silence = vec![0; rate.samples_in(ms(1_500))];
    let long = play(
        Sequence::sine(1_000.0, -20.0, Some(ms(6_000))),
        rate,
        ms(6_000),
    );
    // From 800 to 2000 Hz within a second.
    let glide: Vec<i16> = (0..8_000)
        .map(|index| f64::from(index) / 8_000.0)
        .map(|at| 3_000.0 * (std::f64::consts::TAU * (800.0 * at + 600.0 * at * at)).sin())
        .map(|sample| sample as i16)
        .collect();
    for (name, whistle) in [("long", long), ("glide", glide)] {
        let sound = [&spoken[..], &silence[..2_000], &whistle, &silence].concat();
        assert_eq!(kinds(&told(answered, rate, &sound)), [], "{name}");
    }
}

#[test]
fn the_first_beat_of_a_busy_line_is_no_beep() {
    let answered = Wanted {
        answered: true,
        ..TONES
    };
    for name in ["de busy", "gb busy", "us busy", "de congestion"] {
        let (_, kind, beats) = COUNTRIES.iter().find(|(known, ..)| *known == name).unwrap();
        let sound = play(cadence(beats, -16.0), Rate::Hz8000, ms(8_000));
        assert_eq!(
            kinds(&told(answered, Rate::Hz8000, &sound)),
            [*kind],
            "{name}"
        );
    }
}

const ANSWER: Wanted = Wanted {
    speech: None,
    tones: false,
    answerer: true,
    answered: true,
};

fn answerer(sound: &[i16], rate: Rate) -> (usize, Answerer, f32) {
    let told = told(ANSWER, rate, sound);
    let [
        (
            at,
            Heard::AnsweredBy {
                answerer,
                confidence,
            },
        ),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    (*at, *answerer, *confidence)
}

#[test]
fn a_word_and_a_pause_are_a_person_and_sentences_a_machine_within_three_seconds() {
    for rate in RATES {
        let spoken = speech(rate);
        let at = |milliseconds| rate.samples_in(ms(milliseconds));
        let silence = vec![0; at(4_000)];
        let greeting = [&silence[..at(500)], &spoken[..at(700)], &silence].concat();
        let (told, who, confidence) = answerer(&greeting, rate);
        assert_eq!(who, Answerer::Human, "{rate:?}");
        assert!(told < 2_200 && confidence > 0.8, "{told} ms, {confidence}");
        let announcement = [&silence[..at(500)], &spoken].concat();
        let (told, who, confidence) = answerer(&announcement, rate);
        assert_eq!(who, Answerer::Machine, "{rate:?}");
        assert!(told <= 3_000 && confidence > 0.6, "{told} ms, {confidence}");
        let (told, who, confidence) = answerer(&silence, rate);
        assert_eq!(who, Answerer::Machine, "{rate:?}");
        assert!(told <= 3_000 && confidence < 0.7, "{told} ms, {confidence}");
    }
}

#[test]
fn a_greeting_of_more_than_a_second_may_be_a_persons_but_less_surely() {
    let rate = Rate::Hz16000;
    let (spoken, silence) = (speech(rate), vec![0; rate.samples_in(ms(4_000))]);
    let said = |milliseconds| {
        let greeting = &spoken[..rate.samples_in(ms(milliseconds))];
        let (_, who, confidence) = answerer(&[greeting, &silence].concat(), rate);
        assert_eq!(who, Answerer::Human, "{milliseconds} ms");
        confidence
    };
    assert!(said(1_400) < said(600));
}

#[test]
fn a_beep_alone_is_a_machine() {
    let rate = Rate::Hz8000;
    let beep = Sequence::silence(ms(600)).then(Sequence::sine(1_000.0, -16.0, Some(ms(300))));
    let (told, who, confidence) = answerer(&play(beep, rate, ms(3_500)), rate);
    assert_eq!(who, Answerer::Machine);
    assert!(told < 2_000 && confidence > 0.9, "{told} ms, {confidence}");
}

#[test]
fn who_has_answered_is_asked_from_the_answer_on() {
    let rate = Rate::Hz16000;
    let unanswered = Wanted {
        answered: false,
        ..ANSWER
    };
    let mut ear = Listener::new(unanswered);
    let mut heard = Vec::new();
    for samples in speech(rate).chunks(160) {
        ear.push(rate, samples, |what| heard.push(what));
    }
    assert_eq!(heard, []);
    ear.want(ANSWER);
    for _ in 0..300 {
        ear.push(rate, &[0; 160], |what| heard.push(what));
    }
    assert_eq!(heard.len(), 1);
}

#[test]
fn the_rate_may_change_while_somebody_speaks() {
    let mut ear = Listener::new(SPEECH);
    let mut heard = Vec::new();
    for rate in [Rate::Hz8000, Rate::Hz48000] {
        let samples = speech(rate);
        for tick in samples[..rate.samples_in(ms(1_000))].chunks(rate.samples_per_tick()) {
            ear.push(rate, tick, |what| heard.push(what));
        }
    }
    assert!(
        matches!(heard[..], [Heard::SpeechStarted { .. }]),
        "{heard:?}"
    );
}
