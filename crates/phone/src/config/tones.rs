//! What a phone sounds like around a call, country by country (ITU-T E.180, Supplement 2; ETSI TR 101 041-2).

use super::ConfigError;
use super::options::{RingOption, ToneOptions, TonesOption};
use crate::door::audio::{self, Beat, Cadence, RingSound};

/// The sounds that the phone makes by itself. There are none unless they are asked for: most applications
/// ring in their own way, and a machine that answers calls must not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallTones {
    /// What rings while a call waits for somebody to answer it.
    pub ring: Option<RingSound>,
    /// What is heard of a call that rings at its callee and brings no sound of its own.
    pub ringback: Option<Cadence>,
    /// What is heard in a call while another one waits.
    pub call_waiting: Option<Cadence>,
}

/// E.180 §7: −10 dBm0, which is −16 dBov.
const RINGBACK: f64 = -16.0;
/// It must not cover the voice.
const CALL_WAITING: f64 = -26.0;
/// To be heard across a room.
const RING: f64 = -10.0;
/// A bell: two notes that take turns 25 times a second.
const BELL: [f64; 2] = [1_000.0, 800.0];
const STROKE: u32 = 40;

/// Frequencies, and milliseconds.
type Note = (&'static [f64], u32);

struct NationalTones {
    country: &'static str,
    ringing: &'static [Note],
    waiting: &'static [Note],
}

/// A pause.
const fn off(ms: u32) -> Note {
    (&[], ms)
}

const fn plan(
    country: &'static str,
    ringing: &'static [Note],
    waiting: &'static [Note],
) -> NationalTones {
    NationalTones {
        country,
        ringing,
        waiting,
    }
}

/// E.180 §4 and §10: what is recommended where no country is given.
const RECOMMENDED: NationalTones = plan(
    "",
    ONE_IN_FIVE,
    &[(&[425.0], 200), off(200), (&[425.0], 200), off(4400)],
);
const ONE_IN_FIVE: &[Note] = &[(&[425.0], 1000), off(4000)];

// A tone that is modulated is written as its carrier and side bands.
const PLANS: &[NationalTones] = &[
    plan(
        "at",
        &[(&[420.0], 1000), off(5000)],
        &[(&[420.0], 40), off(1960)],
    ),
    plan(
        "au",
        &[
            (&[413.0, 438.0], 400),
            off(200),
            (&[413.0, 438.0], 400),
            off(2000),
        ],
        &[(&[425.0], 200), off(200), (&[425.0], 200), off(4400)],
    ),
    plan(
        "be",
        &[(&[425.0], 1000), off(3000)],
        &[(&[1400.0], 175), off(175), (&[1400.0], 175), off(3500)],
    ),
    plan("br", ONE_IN_FIVE, &[(&[425.0], 50), off(1000)]),
    plan(
        "ca",
        &[(&[440.0, 480.0], 2000), off(4000)],
        &[(&[440.0], 300), off(10_000)],
    ),
    plan(
        "ch",
        ONE_IN_FIVE,
        &[(&[425.0], 200), off(200), (&[425.0], 200), off(4000)],
    ),
    plan(
        "cn",
        &[(&[450.0], 1000), off(4000)],
        &[(&[450.0], 400), off(4000)],
    ),
    plan(
        "de",
        ONE_IN_FIVE,
        &[(&[425.0], 200), off(200), (&[425.0], 200), off(5000)],
    ),
    plan(
        "es",
        &[(&[425.0], 1500), off(3000)],
        &[(&[425.0], 175), off(175), (&[425.0], 175), off(3500)],
    ),
    plan(
        "fr",
        &[(&[440.0], 1500), off(3500)],
        &[(&[440.0], 300), off(10_000)],
    ),
    plan(
        "gb",
        &[
            (&[400.0, 450.0], 400),
            off(200),
            (&[400.0, 450.0], 400),
            off(2000),
        ],
        &[(&[400.0], 100), off(4000)],
    ),
    plan(
        "in",
        &[
            (&[375.0, 400.0, 425.0], 400),
            off(200),
            (&[375.0, 400.0, 425.0], 400),
            off(2000),
        ],
        &[(&[400.0], 200), off(100), (&[400.0], 200), off(7500)],
    ),
    plan(
        "it",
        ONE_IN_FIVE,
        &[
            (&[425.0], 400),
            off(100),
            (&[425.0], 250),
            off(100),
            (&[425.0], 150),
            off(14_000),
        ],
    ),
    plan(
        "jp",
        &[(&[384.0, 400.0, 416.0], 1000), off(2000)],
        &[(&[384.0, 400.0, 416.0], 500), off(8000)],
    ),
    plan("nl", ONE_IN_FIVE, &[(&[425.0], 500), off(9500)]),
    plan(
        "nz",
        &[
            (&[400.0, 450.0], 400),
            off(200),
            (&[400.0, 450.0], 400),
            off(2000),
        ],
        &[(&[400.0], 200), off(3000)],
    ),
    plan(
        "se",
        &[(&[425.0], 1000), off(5000)],
        &[(&[425.0], 200), off(500), (&[425.0], 200), off(9100)],
    ),
    plan(
        "us",
        &[(&[440.0, 480.0], 2000), off(4000)],
        &[(&[440.0], 300), off(10_000)],
    ),
];

impl NationalTones {
    fn of(country: &str) -> Result<&'static Self, ConfigError> {
        let wanted = country.to_ascii_lowercase();
        PLANS
            .iter()
            .find(|plan| plan.country == wanted)
            .ok_or_else(|| {
                let known: Vec<&str> = PLANS.iter().map(|plan| plan.country).collect();
                let expected = format!("one of {}", known.join(", "));
                ConfigError::new("tones.country", expected, "another string")
            })
    }

    fn bell(&self) -> Cadence {
        let mut beats = Vec::new();
        for (frequencies, milliseconds) in self.ringing {
            match frequencies.is_empty() {
                true => beats.push(beat(&[], *milliseconds)),
                false => beats.extend(strokes(*milliseconds)),
            }
        }
        Cadence { beats, level: RING }
    }
}

fn strokes(milliseconds: u32) -> impl Iterator<Item = Beat> {
    let notes = BELL.iter().cycle().take((milliseconds / STROKE) as usize);
    notes.map(|note| beat(&[*note], STROKE))
}

fn beat(frequencies: &[f64], milliseconds: u32) -> Beat {
    Beat {
        frequencies: frequencies.to_vec(),
        milliseconds,
    }
}

fn cadence(notes: &[Note], level: f64) -> Cadence {
    Cadence {
        beats: notes.iter().map(|(hz, ms)| beat(hz, *ms)).collect(),
        level,
    }
}

/// `tones`, judged: naming it at all asks for all three sounds, each of which can be left away.
pub(super) fn tones(option: Option<TonesOption>) -> Result<CallTones, ConfigError> {
    let given = match option {
        None | Some(TonesOption::Switch(false)) => return Ok(CallTones::default()),
        Some(TonesOption::Switch(true)) => ToneOptions::default(),
        Some(TonesOption::Country(country)) => ToneOptions {
            country: Some(country),
            ..ToneOptions::default()
        },
        Some(TonesOption::Detailed(given)) => given,
    };
    let plan = match given.country {
        None => &RECOMMENDED,
        Some(country) => NationalTones::of(&country)?,
    };
    let wanted = |switch: Option<bool>| switch.unwrap_or(true);
    Ok(CallTones {
        ring: ring(given.ring, plan)?,
        ringback: wanted(given.ringback).then(|| cadence(plan.ringing, RINGBACK)),
        call_waiting: wanted(given.call_waiting).then(|| cadence(plan.waiting, CALL_WAITING)),
    })
}

fn ring(
    option: Option<RingOption>,
    plan: &NationalTones,
) -> Result<Option<RingSound>, ConfigError> {
    match option {
        None | Some(RingOption::Switch(true)) => Ok(Some(RingSound::Cadence(plan.bell()))),
        Some(RingOption::Switch(false)) => Ok(None),
        Some(RingOption::Input(audio::Input::Wav { path, .. })) => {
            Ok(Some(RingSound::Wav { path }))
        }
        Some(RingOption::Input(_)) => Err(ConfigError::new(
            "tones.ring",
            "a boolean or a WAV file",
            "another input",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_has_sound_and_pause_and_its_country_once() {
        for plan in PLANS.iter().chain([&RECOMMENDED]) {
            for notes in [plan.ringing, plan.waiting] {
                let sounds = |(hz, _): &&Note| !hz.is_empty();
                assert!(notes.iter().any(|note| sounds(&note)), "{}", plan.country);
                assert!(notes.last().unwrap().0.is_empty(), "{}", plan.country);
                assert!(notes.iter().all(|(_, ms)| ms.is_multiple_of(5) && *ms > 0));
            }
            // E.180 §4.2: a ringing tone sounds 0.67 to 1.5 s, some networks' up to 2, in at most 6 s.
            let length: u32 = plan.ringing.iter().map(|(_, ms)| ms).sum();
            assert!((3000..=6000).contains(&length), "{}", plan.country);
        }
        assert!(PLANS.is_sorted_by(|a, b| a.country < b.country));
    }

    #[test]
    fn a_bell_rings_in_the_rhythm_of_the_ringing_tone() {
        let bell = NationalTones::of("GB").unwrap().bell();
        let rhythm = |cadence: &Cadence| {
            let mut rhythm: Vec<(bool, u32)> = Vec::new();
            for beat in &cadence.beats {
                let on = !beat.frequencies.is_empty();
                match rhythm.last_mut() {
                    Some((same, ms)) if *same == on => *ms += beat.milliseconds,
                    Some(_) | None => rhythm.push((on, beat.milliseconds)),
                }
            }
            rhythm
        };
        assert_eq!(
            rhythm(&bell),
            [(true, 400), (false, 200), (true, 400), (false, 2000)]
        );
    }
}
