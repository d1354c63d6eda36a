//! Who talks here, over a faint echo or none: then the sound as it is, is better than what the canceller leaves of it.

use crate::TICK;
use crate::echo::LATE;

/// Ticks in which what was played may still be heard: 300 ms, as long as rings, drivers and a room take.
const REACH: usize = 30;
/// How far a voice has to be above the echo: 6 dB for what the estimate falls short of it, and 3 for ears.
const ABOVE_ECHO: f32 = 8.0;
/// What the canceller leaves of the energy of a voice at least; of an echo it leaves less.
const LEFT_OF_VOICE: f32 = 0.02;
/// An energy is the mean of about 50 ms.
const SMOOTHING: f32 = 0.2;
/// Ticks that it lasts: the soft ends of words are part of them.
const HOLD: u32 = 25;
/// −70 dB: softer is no voice.
const LEAST: f32 = 1e-7;
/// −50 dB: what is played so loud tells how loud its echo is.
const LOUD: f32 = 1e-5;
/// What the canceller takes so much of may be an echo: 6 dB.
const LEFT_OF_ECHO: f32 = 0.25;
/// What it takes nearly all of for so many ticks is one. At the beginning of a word it does so for 250 ms at most.
const SURELY_ECHO: u32 = 30;
/// Its own estimate begins 30 dB too high and takes many seconds to come down in a large room. Below −20 dB ours counts,
/// once it was made of a second of echoes.
const FAINT: f32 = 0.01;
const ENOUGH: u32 = 100;
/// No room is taken to give back less: 40 dB below what is played.
const FAINTEST: f32 = 1e-4;
/// How fast the estimate follows: 4 dB a second, and 100 upwards if it is surely an echo.
const SLOWLY: f32 = 1.01;
const AT_ONCE: f32 = 1.26;

/// Chooses between the sound before and after the canceller, from tick to tick.
#[derive(Debug)]
pub(crate) struct NearTalk {
    /// Energies of the last ticks that were played.
    played: [f32; REACH],
    next: usize,
    heard: f32,
    left: f32,
    /// How loud an echo is at most, as a part of what is played, and the ticks that tell so.
    echo: f32,
    learned: u32,
    /// Ticks in which it was louder, and nearly all of it was taken.
    louder: u32,
    hold: u32,
    /// Of the sound before, as of the last tick.
    share: f32,
    before: [f32; TICK],
}

impl NearTalk {
    pub(crate) fn new() -> Self {
        Self {
            played: [0.0; REACH],
            next: 0,
            heard: 0.0,
            left: 0.0,
            echo: FAINT,
            learned: 0,
            louder: 0,
            hold: 0,
            share: 0.0,
            before: [0.0; TICK],
        }
    }

    pub(crate) fn render(&mut self, played: &[f32; TICK]) {
        self.played[self.next] = energy(played);
        self.next = (self.next + 1) % REACH;
    }

    /// Puts back of `raw` what the canceller should have left; `loss_db` is how much softer an echo is heard than
    /// it was played, as far as is known.
    pub(crate) fn restore(&mut self, raw: &[f32; TICK], out: &mut [f32; TICK], loss_db: f64) {
        self.heard += (energy(raw) - self.heard) * SMOOTHING;
        self.left += (energy(out) - self.left) * SMOOTHING;
        let played = self.played.iter().copied().fold(0.0, f32::max);
        self.learn(played);
        self.hold = match self.is_clear(played, loss_db) {
            true => HOLD,
            false => self.hold.saturating_sub(1),
        };
        let share = if self.hold > 0 && self.is_left() {
            1.0
        } else {
            0.0
        };
        self.fade(raw, out, share);
        self.before = *raw;
    }

    /// Listens to echoes, to know those that are fainter than the canceller can tell.
    fn learn(&mut self, played: f32) {
        if played < LOUD || self.left >= self.heard * LEFT_OF_ECHO {
            self.louder = 0;
            return;
        }
        self.learned = self.learned.saturating_add(1);
        let now = self.heard / played;
        self.louder = match now > self.echo && !self.is_left() {
            true => self.louder.saturating_add(1),
            false => 0,
        };
        let upwards = match self.louder > SURELY_ECHO {
            true => AT_ONCE,
            false => SLOWLY,
        };
        self.echo = now
            .clamp(self.echo / SLOWLY, self.echo * upwards)
            .max(FAINTEST);
    }

    fn is_clear(&self, played: f32, loss_db: f64) -> bool {
        let told = 10_f32.powf(-loss_db as f32 / 10.0);
        let echo = match self.learned >= ENOUGH && self.echo < FAINT {
            true => told.min(self.echo),
            false => told,
        };
        self.heard > LEAST && self.heard > played * echo * ABOVE_ECHO
    }

    fn is_left(&self) -> bool {
        self.left > self.heard * LEFT_OF_VOICE
    }

    fn fade(&mut self, raw: &[f32; TICK], out: &mut [f32; TICK], share: f32) {
        if self.share == 0.0 && share == 0.0 {
            return;
        }
        let late = self.before[TICK - LATE..].iter().chain(raw);
        for (index, (out, late)) in out.iter_mut().zip(late).enumerate() {
            let share = self.share + (share - self.share) * index as f32 / TICK as f32;
            *out += (late - *out) * share;
        }
        self.share = share;
    }
}

fn energy(samples: &[f32; TICK]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / TICK as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud(number: usize) -> [f32; TICK] {
        std::array::from_fn(|at| ((number * TICK + at) as f32 * 0.05).sin() * 0.3)
    }

    /// What is restored of a voice of which the canceller leaves a half, after 30 ticks of playing at this level.
    fn restored(played: f32, loss_db: f64) -> bool {
        let mut talk = NearTalk::new();
        let mut out = [0.0; TICK];
        for tick in 0..30 {
            talk.render(&[played; TICK]);
            out = loud(tick).map(|sample| sample * 0.5);
            talk.restore(&loud(tick), &mut out, loss_db);
        }
        let raw: Vec<f32> = (28..30).flat_map(loud).collect();
        let late = &raw[TICK - LATE..2 * TICK - LATE];
        out.iter()
            .zip(late)
            .all(|(out, late)| (out - late).abs() < 1e-6)
    }

    #[test]
    fn a_voice_far_above_the_echo_is_heard_as_it_is() {
        assert!(restored(0.0, -30.0), "nothing is played");
        assert!(restored(0.3, 30.0), "the echo is faint");
    }

    /// What the canceller tells at first, of a loud echo and a faint one.
    const UNKNOWN_DB: f64 = -30.0;

    /// Echoes alone, so loud as `level` says, of which the canceller leaves next to nothing.
    fn echoes(talk: &mut NearTalk, ticks: usize, level: f32) {
        for number in 0..ticks {
            talk.render(&[0.05; TICK]);
            says_over(talk, number, level, 0.05, UNKNOWN_DB);
        }
    }

    /// Whether a voice is heard as it is while something is played.
    fn hears_voice(talk: &mut NearTalk) -> bool {
        let heard = (0..10).map(|number| says_over(talk, number, 0.05, 0.5, UNKNOWN_DB));
        heard.last() == Some(true)
    }

    #[test]
    fn how_faint_an_echo_is_shows_while_nobody_else_talks() {
        let mut talk = NearTalk::new();
        echoes(&mut talk, 30, 0.005);
        assert!(!hears_voice(&mut talk), "too little is known");
        echoes(&mut talk, 400, 0.005);
        assert!(hears_voice(&mut talk));
    }

    #[test]
    fn an_echo_that_becomes_louder_is_no_voice() {
        let mut talk = NearTalk::new();
        echoes(&mut talk, 400, 0.005);
        // Somebody turns the loudspeaker up.
        echoes(&mut talk, 60, 0.1);
        assert!(!hears_voice(&mut talk));
    }

    #[test]
    fn the_beginning_of_a_word_that_the_canceller_takes_is_no_echo() {
        let mut talk = NearTalk::new();
        echoes(&mut talk, 400, 0.005);
        echoes(&mut talk, 25, 0.1);
        // Longer than a word lasts on.
        assert!((0..5).all(|_| hears_voice(&mut talk)));
    }

    /// One tick of a voice, so loud as `level` says, of which the canceller leaves a part; whether it is heard as it is.
    fn says(talk: &mut NearTalk, number: usize, level: f32, left: f32) -> bool {
        says_over(talk, number, level, left, 10.0)
    }

    fn says_over(talk: &mut NearTalk, number: usize, level: f32, left: f32, loss_db: f64) -> bool {
        let raw = loud(number).map(|sample| sample * level);
        let mut out = raw.map(|sample| sample * left);
        let before = out;
        talk.restore(&raw, &mut out, loss_db);
        out != before
    }

    #[test]
    fn what_was_played_may_come_back_for_300_ms() {
        let mut talk = NearTalk::new();
        talk.render(&[0.9; TICK]);
        let silent = |talk: &mut NearTalk, number| {
            talk.render(&[0.0; TICK]);
            says(talk, number, 1.0, 0.5)
        };
        assert!((0..29).all(|number| !silent(&mut talk, number)));
        assert!(silent(&mut talk, 29));
    }

    #[test]
    fn the_soft_end_of_a_word_is_part_of_it_and_lasts_a_quarter_of_a_second() {
        let mut talk = NearTalk::new();
        for number in 0..30 {
            talk.render(&[0.05; TICK]);
            says(&mut talk, number, 1.0, 0.5);
        }
        let mut soft = |number| {
            talk.render(&[0.05; TICK]);
            says(&mut talk, number, 0.05, 0.5)
        };
        let ticks = (30..100).take_while(|number| soft(*number)).count();
        // What was loud before takes some ticks to be forgotten.
        assert!((26..45).contains(&ticks), "{ticks}");
    }

    #[test]
    fn what_the_canceller_took_out_was_an_echo() {
        for (left, restored) in [(0.1, false), (0.4, true)] {
            let mut talk = NearTalk::new();
            let heard = (0..30).map(|number| says(&mut talk, number, 1.0, left));
            assert_eq!(heard.last(), Some(restored), "{left}");
        }
    }

    #[test]
    fn a_voice_comes_back_without_a_click() {
        let mut talk = NearTalk::new();
        talk.render(&[0.9; TICK]);
        let mut last: f32 = 0.0;
        for number in 0..40 {
            talk.render(&[0.0; TICK]);
            let mut out = loud(number).map(|sample| sample * 0.5);
            talk.restore(&loud(number), &mut out, 10.0);
            for sample in out {
                // The voice itself moves by half of this from sample to sample.
                assert!(
                    (sample - last).abs() < 0.03,
                    "{number}: {last} and then {sample}"
                );
                last = sample;
            }
        }
        assert!(says(&mut talk, 40, 1.0, 0.5), "it came back");
    }

    #[test]
    fn a_voice_that_may_be_an_echo_is_not_restored() {
        assert!(!restored(0.3, 0.0), "the echo is as loud");
        assert!(!restored(0.3, -30.0), "nothing is known of the room");
    }
}
