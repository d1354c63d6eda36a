//! A tone at whatever rate is asked for.

use audio::tone::{Generator, Sequence};
use audio::{Frame, Rate};
use phone::audio::Cadence;
use std::time::Duration;

use audio::convert::RateConverter;

/// The tones of a cadence, over and over.
pub(crate) fn sequence(cadence: &Cadence) -> Sequence {
    let beats = cadence.beats.iter().map(|beat| {
        let duration = Duration::from_millis(u64::from(beat.milliseconds));
        (beat.frequencies.as_slice(), duration)
    });
    Sequence::cadence(beats, cadence.level)
}

/// A sequence of tones, played once or for ever.
#[derive(Debug)]
pub(crate) struct Tone {
    sequence: Sequence,
    /// Made at the rate first asked for; a later rate is converted to.
    generator: Option<(Rate, Generator)>,
    converter: RateConverter,
}

impl Tone {
    pub(crate) fn new(sequence: Sequence) -> Tone {
        Tone {
            sequence,
            generator: None,
            converter: RateConverter::default(),
        }
    }

    /// A sine in hertz at a level in dB relative to full scale, without end.
    pub(crate) fn sine(hz: f64, dbfs: f64) -> Tone {
        // A sine at full scale has a mean level of -3 dBov.
        Tone::new(Sequence::sine(hz, dbfs - 3.0, None))
    }

    /// Gives the next 10 ms at `rate`, silence after the end.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        let (own, generator) = self
            .generator
            .get_or_insert_with(|| (rate, Generator::new(self.sequence.clone(), rate)));
        let mut frame = Frame::silence(*own);
        generator.fill(frame.samples_mut());
        self.converter.convert(&frame, rate)
    }

    /// Whether everything was played.
    pub(crate) fn is_finished(&self) -> bool {
        self.generator
            .as_ref()
            .is_some_and(|(_, generator)| generator.is_finished())
    }
}
