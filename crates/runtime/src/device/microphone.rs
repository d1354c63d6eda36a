use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use audio::drift::{DriftController, DriftResampler};
use audio::resample::Resampler;
use audio::{Frame, Rate};

use super::ring::{Burst, CAPACITY, Converter, Counters, EXCESS, Margin, TICK, is_pause};

/// The tick's end of an input: 10 ms at a time, in step with the tick whatever the device's clock does.
#[derive(Debug)]
pub struct Microphone {
    ring: rtrb::Consumer<i16>,
    counters: Arc<Counters>,
    burst: Burst,
    converter: Converter,
    drift: DriftResampler,
    controller: DriftController,
    margin: Margin,
    raw: Vec<i16>,
    converted: Vec<i16>,
    ready: Vec<i16>,
    /// Whether enough has come to go on without a gap.
    running: bool,
    /// It ran before: what is missing now is missed.
    begun: bool,
}

impl Microphone {
    /// Creates the tick's end and the producer that streams borrow.
    pub(super) fn new(counters: Arc<Counters>) -> (Self, rtrb::Producer<i16>) {
        let (producer, ring) = rtrb::RingBuffer::new(CAPACITY);
        let microphone = Self {
            ring,
            counters,
            burst: Burst::default(),
            converter: Converter::default(),
            drift: DriftResampler::new(),
            controller: DriftController::new(TICK),
            margin: Margin::new(),
            raw: Vec::with_capacity(CAPACITY),
            converted: Vec::with_capacity(CAPACITY),
            ready: Vec::with_capacity(CAPACITY),
            running: false,
            begun: false,
        };
        (microphone, producer)
    }

    /// Returns what both ends of the ring count.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Gives the next 10 ms at 48 kHz; silence while the device has nothing, and then `false`.
    pub fn tick(&mut self, frame: &mut Frame) -> bool {
        *frame = Frame::silence(Rate::Hz48000);
        self.collect();
        let burst = self.burst.update(&self.counters);
        let fill = self.ready.len();
        // A portion comes at any time between two ticks, so on average half of it is here beside the 10 ms to be given.
        let target = self.margin.samples() + TICK + burst / 2;
        self.controller.set_target(target);
        let need = self.margin.samples() + TICK + burst;
        if !self.running {
            self.running = burst > 0 && fill >= need;
            if !self.running {
                self.count_silence(if self.begun { TICK } else { 0 });
                return false;
            }
            self.begun = true;
            // What is here beyond the need would only be delay.
            self.ready.drain(..fill - need);
            self.controller.restart();
        }
        let fill = self.ready.len();
        self.drift.set_ppm(self.controller.update(fill));
        if fill > need + EXCESS {
            let surplus = fill - target;
            self.ready.drain(..surplus);
            self.counters.overrun.fetch_add(surplus as u64, Relaxed);
        }
        // Nobody hears that a pause is shorter, so that is not counted.
        if fill > need + TICK && self.ready.len() > 2 * TICK && is_pause(&self.ready[..TICK]) {
            self.ready.drain(..TICK);
        }
        let given = self.ready.len().min(TICK);
        frame.samples_mut()[..given].copy_from_slice(&self.ready[..given]);
        self.ready.drain(..given);
        if given < TICK {
            self.running = false;
            self.margin.widen();
            self.count_silence(TICK - given);
        }
        given == TICK
    }

    fn count_silence(&self, samples: usize) {
        self.counters.underrun.fetch_add(samples as u64, Relaxed);
    }

    /// Moves what the callbacks left into `ready`, at 48 kHz.
    fn collect(&mut self) {
        self.raw.clear();
        if let Ok(chunk) = self.ring.read_chunk(self.ring.slots()) {
            self.raw.extend(chunk);
        }
        let hz = self.counters.hz.load(Relaxed);
        let input = match self
            .converter
            .at(hz, || Resampler::from_hz(hz, Rate::Hz48000).ok())
        {
            Some(resampler) => {
                self.converted.clear();
                resampler.process(&self.raw, &mut self.converted);
                &self.converted
            }
            None => &self.raw,
        };
        self.drift.process(input, &mut self.ready);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::device::CaptureEnd;
    use crate::device::ring::tone;
    use audio::detect::ToneFit;

    /// Runs callbacks of `size` frames against ticks, in virtual time, and returns what the ticks heard.
    fn capture(hz: u32, size: usize, clock_ppm: f64, ticks: usize) -> (Vec<i16>, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        counters.hz.store(hz, Relaxed);
        let (mut microphone, producer) = Microphone::new(counters.clone());
        let (home, _keeper) = mpsc::channel();
        let mut end = CaptureEnd::new(producer, home, counters.clone());
        let (mut made, mut heard) = (0, Vec::new());
        let mut frame = Frame::silence(Rate::Hz48000);
        for tick in 0..ticks {
            let due = (tick as f64 * f64::from(hz) / 100.0 * (1.0 + clock_ppm * 1e-6)) as usize;
            while made + size <= due {
                let mono = tone(hz, made, size);
                let stereo: Vec<f32> = mono.iter().flat_map(|sample| [*sample; 2]).collect();
                end.push(&stereo, 2);
                made += size;
            }
            if microphone.tick(&mut frame) || !heard.is_empty() {
                heard.extend_from_slice(frame.samples());
            }
        }
        (heard, counters)
    }

    #[test]
    fn callbacks_of_any_size_become_steady_ticks() {
        for (hz, size) in [
            (48_000, 24),
            (48_000, 320),
            (48_000, 480),
            (48_000, 4_096),
            (44_100, 441),
            (48_000, 96_000),
        ] {
            let (heard, counters) = capture(hz, size, 0.0, 1_500);
            assert_eq!(counters.underrun.load(Relaxed), 0, "{hz} {size}");
            assert_eq!(counters.overrun.load(Relaxed), 0, "{hz} {size}");
            assert!(heard.len() > 480 * 800, "{hz} {size}: {}", heard.len());
            let last = &heard[heard.len() - 4_800..];
            let fit = ToneFit::of(last, Rate::Hz48000, 1_000.0);
            assert!(fit.signal_to_noise_db > 20.0, "{hz} {size}: {fit:?}");
        }
    }

    #[test]
    fn a_clock_that_runs_off_neither_starves_nor_floods() {
        for (ppm, size) in [(-500.0, 480), (500.0, 480), (-500.0, 2_048), (500.0, 2_048)] {
            let (heard, counters) = capture(48_000, size, ppm, 12_000);
            assert_eq!(counters.underrun.load(Relaxed), 0, "{ppm} {size}");
            assert_eq!(counters.overrun.load(Relaxed), 0, "{ppm} {size}");
            assert!(heard.len() > 480 * 11_900);
        }
    }

    #[test]
    fn a_microphone_that_stops_gives_silence_and_says_so() {
        let counters = Arc::new(Counters::default());
        counters.hz.store(48_000, Relaxed);
        let (mut microphone, producer) = Microphone::new(counters.clone());
        let (home, keeper) = mpsc::channel();
        let mut end = CaptureEnd::new(producer, home, counters.clone());
        let mut frame = Frame::silence(Rate::Hz48000);
        for _ in 0..10 {
            end.push(&[1_000_i16; 480], 1);
            microphone.tick(&mut frame);
        }
        assert_eq!(frame.samples()[479], 1_000);
        drop(end);
        assert!(keeper.try_recv().is_ok(), "the ring's end comes home");
        let given = (0..20).filter(|_| microphone.tick(&mut frame)).count();
        assert!(given < 5);
        assert_eq!(frame, Frame::silence(Rate::Hz48000));
        assert!(counters.underrun.load(Relaxed) > 0);
    }

    #[test]
    fn a_flood_is_dropped_and_counted() {
        let counters = Arc::new(Counters::default());
        counters.hz.store(48_000, Relaxed);
        let (_microphone, producer) = Microphone::new(counters.clone());
        let (home, _keeper) = mpsc::channel();
        let mut end = CaptureEnd::new(producer, home, counters.clone());
        end.push(&vec![0.1_f32; CAPACITY + 1_000], 1);
        assert_eq!(counters.overrun.load(Relaxed), 1_000);
    }
}
