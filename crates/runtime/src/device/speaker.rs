use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use audio::drift::{DriftController, DriftResampler};
use audio::resample::Resampler;
use audio::{Frame, Rate};

use super::ring::{Burst, CAPACITY, Converter, Counters, EXCESS, Margin, TICK, is_pause};

/// The tick's end of an output: takes 10 ms at a time, whatever the device's clock does.
#[derive(Debug)]
pub struct Speaker {
    ring: rtrb::Producer<i16>,
    counters: Arc<Counters>,
    burst: Burst,
    converter: Converter,
    drift: DriftResampler,
    controller: DriftController,
    margin: Margin,
    /// Too much waits: what comes is dropped until the ring has no more than it needs.
    draining: bool,
    /// It has played: what is missing now is missed.
    begun: bool,
    steady: Vec<i16>,
    converted: Vec<i16>,
    /// The underrun counter as of the last tick.
    underrun: u64,
    delay: Duration,
}

impl Speaker {
    /// Creates the tick's end and the consumer that streams borrow.
    pub(super) fn new(counters: Arc<Counters>) -> (Self, rtrb::Consumer<i16>) {
        let (ring, consumer) = rtrb::RingBuffer::new(CAPACITY);
        let speaker = Self {
            ring,
            counters,
            burst: Burst::default(),
            converter: Converter::default(),
            drift: DriftResampler::new(),
            controller: DriftController::new(TICK),
            margin: Margin::new(),
            draining: false,
            begun: false,
            steady: Vec::with_capacity(2 * TICK),
            converted: Vec::with_capacity(8 * TICK),
            underrun: 0,
            delay: Duration::ZERO,
        };
        (speaker, consumer)
    }

    /// Returns what both ends of the ring count.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// How long what the next tick brings waits for the device, and in it as far as that is known: for one callback.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Takes the next 10 ms at 48 kHz; `false` while no device plays them.
    pub fn tick(&mut self, frame: &Frame) -> bool {
        debug_assert_eq!(frame.rate(), Rate::Hz48000);
        let hz = self.counters.hz.load(Relaxed);
        let burst = self.burst.update(&self.counters);
        if hz == 0 || burst == 0 {
            return false;
        }
        let at_stream_rate = |samples: usize| samples * hz as usize / 48_000;
        let fill = CAPACITY - self.ring.slots();
        let behind = fill * 48_000 / hz as usize + burst;
        self.delay = Duration::from_micros((behind * 1_000 / 48) as u64);
        let underrun = self.counters.underrun.load(Relaxed);
        if underrun != self.underrun {
            // The callbacks ran dry, or have only begun: give them what one of them needs ahead.
            self.underrun = underrun;
            if std::mem::replace(&mut self.begun, true) {
                self.margin.widen();
            }
            let lead = at_stream_rate(burst + self.margin.samples()).saturating_sub(fill);
            self.push_silence(lead);
            self.controller.restart();
        } else if self.is_too_much(fill * 48_000 / hz as usize, burst, frame) {
            return true;
        }
        let target = self.margin.samples() + burst.max(TICK) / 2;
        self.controller.set_target(target);
        let fill_at_48 = fill * 48_000 / hz as usize;
        self.drift.set_ppm(self.controller.update(fill_at_48));
        self.steady.clear();
        self.drift.process(frame.samples(), &mut self.steady);
        let output = match self
            .converter
            .at(hz, || Resampler::to_hz(Rate::Hz48000, hz).ok())
        {
            Some(resampler) => {
                self.converted.clear();
                resampler.process(&self.steady, &mut self.converted);
                &self.converted
            }
            None => &self.steady,
        };
        let room = self.ring.slots().min(output.len());
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(output.iter().copied());
        }
        true
    }

    /// Whether this tick is left out, given what waits and the largest callback, in samples at 48 kHz.
    fn is_too_much(&mut self, fill: usize, burst: usize, frame: &Frame) -> bool {
        let need = burst + self.margin.samples();
        self.draining = fill > need + EXCESS || (self.draining && fill > need);
        if self.draining {
            self.counters.overrun.fetch_add(TICK as u64, Relaxed);
        }
        // Nobody hears that a pause is shorter, so that is not counted.
        self.draining || (fill > need + TICK && is_pause(frame.samples()))
    }

    fn push_silence(&mut self, samples: usize) {
        let room = self.ring.slots().min(samples);
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(std::iter::repeat_n(0, room));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::device::ring::tone;
    use crate::device::{PlaybackEnd, Sample};

    /// Runs ticks against output callbacks and returns what the device played.
    fn playback(hz: u32, size: usize, ticks: usize) -> (Vec<i16>, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        counters.hz.store(hz, Relaxed);
        let (mut speaker, consumer) = Speaker::new(counters.clone());
        let (home, _keeper) = mpsc::channel();
        let mut end = PlaybackEnd::new(consumer, home, counters.clone());
        let mut played: Vec<i16> = Vec::new();
        let mut buffer = vec![0_i16; size * 2];
        for tick in 0..ticks {
            let due = tick * hz as usize / 100;
            while played.len() + size <= due {
                end.fill(&mut buffer, 2);
                played.extend(buffer.iter().step_by(2));
            }
            let samples: Vec<i16> = tone(48_000, tick * TICK, TICK)
                .into_iter()
                .map(Sample::to_i16)
                .collect();
            speaker.tick(&Frame::new(Rate::Hz48000, &samples).unwrap());
        }
        (played, counters)
    }

    #[test]
    fn output_callbacks_of_any_size_play_without_a_gap_once_started() {
        for (hz, size) in [(48_000, 24), (48_000, 480), (48_000, 1_024), (44_100, 441)] {
            let (played, counters) = playback(hz, size, 600);
            let gaps = counters.underrun.load(Relaxed) as usize;
            assert!(gaps <= 4 * size + 960, "{hz} {size}: {gaps}");
            assert_eq!(counters.overrun.load(Relaxed), 0, "{hz} {size}");
            let last = &played[played.len() - hz as usize..];
            let longest_silence = last.split(|sample| *sample != 0).map(<[i16]>::len).max();
            assert!(
                longest_silence < Some(5),
                "{hz} {size}: {longest_silence:?}"
            );
        }
    }

    #[test]
    fn what_waits_after_a_stall_of_the_device_is_dropped_to_what_is_needed() {
        for (sample, counted) in [(9_000, true), (9, false)] {
            let counters = Arc::new(Counters::default());
            counters.hz.store(48_000, Relaxed);
            let (mut speaker, consumer) = Speaker::new(counters.clone());
            let (home, _keeper) = mpsc::channel();
            let mut end = PlaybackEnd::new(consumer, home, counters.clone());
            let frame = Frame::new(Rate::Hz48000, &[sample; 480]).unwrap();
            for tick in 0..60 {
                // The device stands still for 200 ms.
                if !(20..40).contains(&tick) {
                    end.fill(&mut [0_i16; 480], 1);
                }
                speaker.tick(&frame);
            }
            let waiting = CAPACITY - speaker.ring.slots();
            assert!(waiting <= 3 * TICK + TICK / 2, "{waiting} samples wait");
            assert_eq!(counters.overrun.load(Relaxed) > 0, counted);
        }
    }

    #[test]
    fn a_new_stream_plays_nothing_stale() {
        let counters = Arc::new(Counters::default());
        counters.hz.store(48_000, Relaxed);
        let (mut speaker, consumer) = Speaker::new(counters.clone());
        let (home, keeper) = mpsc::channel();
        let mut end = PlaybackEnd::new(consumer, home.clone(), counters.clone());
        end.fill(&mut [0_i16; 480], 1);
        for _ in 0..5 {
            speaker.tick(&Frame::new(Rate::Hz48000, &[9; 480]).unwrap());
        }
        drop(end);
        let mut end = PlaybackEnd::new(keeper.try_recv().unwrap(), home, counters);
        let mut buffer = [1_i16; 480];
        end.fill(&mut buffer, 1);
        assert_eq!(buffer, [0; 480]);
    }
}
