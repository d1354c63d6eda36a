//! How much of the processor the far end's pictures may take.

use std::time::Instant;

use video::EncodedFrame;

/// 1920 × 1080 at 60 frames a second; half a core of a laptop decodes them.
const PIXELS_PER_SECOND: f64 = 1_920.0 * 1_080.0 * 60.0;
/// What is saved up: a second of that.
const SAVED: f64 = PIXELS_PER_SECOND;
/// It goes on once so much of that is there again.
const RESTED: f64 = 0.5;

/// The pixels that may be decoded: who sends more is seen less often.
#[derive(Debug)]
pub(super) struct PixelBudget {
    credit: f64,
    since: Option<Instant>,
    /// Of the last key frame.
    pixels: f64,
    rests: bool,
}

impl Default for PixelBudget {
    fn default() -> Self {
        Self {
            credit: SAVED,
            since: None,
            pixels: 0.0,
            rests: false,
        }
    }
}

impl PixelBudget {
    /// Whether there is time for a frame; if not, there is none for those up to a key frame.
    pub(super) fn takes(&mut self, frame: &EncodedFrame, now: Instant) -> bool {
        self.save(now);
        if let Some(size) = frame.size {
            self.pixels = f64::from(size.pixels());
        }
        let goes_on = frame.key && self.has_rested();
        self.rests = self.credit < self.pixels || (self.rests && !goes_on);
        if !self.rests {
            self.credit -= self.pixels;
        }
        !self.rests
    }

    /// Whether there is time again, for a key frame.
    pub(super) fn wants_key_frame(&mut self, now: Instant) -> bool {
        self.save(now);
        self.rests && self.has_rested()
    }

    fn has_rested(&self) -> bool {
        self.credit >= RESTED * SAVED
    }

    fn save(&mut self, now: Instant) {
        let since = self.since.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(since).as_secs_f64();
        self.credit = (self.credit + passed * PIXELS_PER_SECOND).min(SAVED);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use video::{Size, VideoCodec};

    use super::*;

    /// How many frames a second are taken of a minute of them, whose key frames come when they are wished for.
    fn taken(size: Size, rate: u32) -> f64 {
        let begin = Instant::now();
        let mut budget = PixelBudget::default();
        let (mut taken, mut wished, mut decodable) = (0, true, false);
        for number in 0..60 * rate {
            let now = begin + Duration::from_secs(1) * number / rate;
            let key = std::mem::take(&mut wished);
            let frame = EncodedFrame {
                codec: VideoCodec::Vp8,
                key,
                timestamp: now - begin,
                size: Some(size).filter(|_| key),
                data: [0].as_slice().into(),
            };
            let takes = budget.takes(&frame, now);
            assert!(!takes || key || decodable, "it needs one that was left out");
            decodable = takes;
            taken += u32::from(takes);
            wished = budget.wants_key_frame(now);
        }
        f64::from(taken) / 60.0
    }

    #[test]
    fn what_cameras_send_is_seen_in_full() {
        for (size, rate) in [(Size::new(1_280, 720), 60), (Size::new(1_920, 1_080), 60)] {
            assert_eq!(taken(size, rate), f64::from(rate));
        }
    }

    #[test]
    fn who_sends_too_many_pixels_is_seen_less_often() {
        let seen = taken(Size::new(3_840, 2_160), 60);
        assert!((10.0..17.0).contains(&seen), "{seen}");
    }
}
