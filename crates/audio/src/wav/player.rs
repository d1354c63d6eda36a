use std::io::Read;

use super::{Error, Reader};
use crate::Rate;
use crate::resample::Resampler;

/// Plays a WAV file of any rate at one of ours.
#[derive(Debug)]
pub struct Player<R> {
    reader: Reader<R>,
    resampler: Resampler,
    /// Converted and not yet played.
    ready: Vec<i16>,
    /// The file's samples, before conversion.
    raw: Vec<i16>,
    /// What the resampler still holds back when the file has ended, in samples of the file.
    tail: usize,
}

impl<R: Read> Player<R> {
    /// Reads the file's head; its errors name the fault.
    pub fn new(input: R, rate: Rate) -> Result<Self, Error> {
        let reader = Reader::new(input)?;
        let hz = reader.format().hz;
        let resampler = Resampler::from_hz(hz, rate)?;
        Ok(Self {
            tail: resampler.delay().ceil() as usize,
            reader,
            resampler,
            ready: Vec::new(),
            // A tick's worth at a time: never 0, since `from_hz` refuses rates below 4 kHz.
            raw: vec![0; hz as usize / 100],
        })
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub fn set_short(&mut self, short: bool) {
        self.resampler.set_short(short);
    }

    /// Fills `out` and returns how many samples it played: fewer only at the end, 0 after it. The rest is silence.
    pub fn fill(&mut self, out: &mut [i16]) -> Result<usize, Error> {
        while self.ready.len() < out.len() {
            let count = self.reader.read(&mut self.raw)?;
            if count > 0 {
                self.resampler.process(&self.raw[..count], &mut self.ready);
            } else if self.tail > 0 {
                let silence = vec![0; std::mem::take(&mut self.tail)];
                self.resampler.process(&silence, &mut self.ready);
            } else {
                break;
            }
        }
        let played = self.ready.len().min(out.len());
        out[..played].copy_from_slice(&self.ready[..played]);
        out[played..].fill(0);
        self.ready.drain(..played);
        Ok(played)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::ToneFit;
    use crate::wav::whole;

    #[test]
    fn a_file_of_another_rate_plays_at_ours_and_then_ends() {
        let sine: Vec<i16> = (0..44_100)
            .map(|n| {
                ((std::f64::consts::TAU * 440.0 * f64::from(n) / 44_100.0).sin() * 9_000.0) as i16
            })
            .collect();
        let bytes = whole(44_100, 1, &sine);
        let mut player = Player::new(&bytes[..], Rate::Hz16000).unwrap();
        let (mut tick, mut out) = ([0; 160], Vec::new());
        loop {
            let played = player.fill(&mut tick).unwrap();
            out.extend_from_slice(&tick[..played]);
            if played < tick.len() {
                break;
            }
        }
        assert_eq!(player.fill(&mut tick).unwrap(), 0);
        assert!((16_000..16_100).contains(&out.len()), "{}", out.len());
        assert!(ToneFit::of(&out[2_000..14_000], Rate::Hz16000, 440.0).signal_to_noise_db > 65.0);
    }
}
