use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;

use audio::Rate;
use audio::resample::Resampler;

pub(super) const TICK: usize = Rate::Hz48000.samples_per_tick();

/// The largest callback seen anywhere, in frames.
const LARGEST_BURST: u64 = 96_000;

/// Room for the largest callback and some ticks; full, it drops and counts.
pub(super) const CAPACITY: usize = 1 << 17;

/// What is kept beyond what the callbacks' size demands, against a late tick or callback and until it is known how far off
/// a clock is: 10 ms, and 5 more after each gap, up to 30. Every millisecond of it is heard as delay.
#[derive(Debug)]
pub(super) struct Margin(usize);

impl Margin {
    const STEP: usize = TICK / 2;
    const MOST: usize = 3 * TICK;

    pub(super) fn new() -> Margin {
        Margin(TICK)
    }

    pub(super) fn samples(&self) -> usize {
        self.0
    }

    pub(super) fn widen(&mut self) {
        self.0 = (self.0 + Self::STEP).min(Self::MOST);
    }
}

/// More than this beyond the need is delay that nobody needs: 40 ms, dropped and counted.
pub(super) const EXCESS: usize = 4 * TICK;

/// Whether nobody misses these samples, if there are too many: below −42 dBFS.
pub(super) fn is_pause(samples: &[i16]) -> bool {
    samples.iter().all(|sample| sample.unsigned_abs() < 256)
}

/// A sample type that devices use.
pub trait Sample: Copy + Send + 'static {
    /// Converts from a device's sample.
    fn to_i16(self) -> i16;
    /// Converts to a device's sample.
    fn from_i16(sample: i16) -> Self;
}

impl Sample for i16 {
    fn to_i16(self) -> i16 {
        self
    }
    fn from_i16(sample: i16) -> Self {
        sample
    }
}

impl Sample for i32 {
    fn to_i16(self) -> i16 {
        (self >> 16) as i16
    }
    fn from_i16(sample: i16) -> Self {
        Self::from(sample) << 16
    }
}

impl Sample for f32 {
    fn to_i16(self) -> i16 {
        (self * 32_768.0) as i16
    }
    fn from_i16(sample: i16) -> Self {
        Self::from(sample) / 32_768.0
    }
}

/// What both sides of a ring count, in samples at 48 kHz; written by the callback and the tick, read by anyone.
#[derive(Debug, Default)]
pub struct Counters {
    /// Callbacks so far.
    pub callbacks: AtomicU64,
    /// Samples that went through callbacks.
    pub frames: AtomicU64,
    /// Silence given because nothing had come in time.
    pub underrun: AtomicU64,
    /// Thrown away because more had come than anyone took.
    pub overrun: AtomicU64,
    /// Underruns and overruns inside the sound system itself.
    pub xruns: AtomicU64,
    /// The stream's samples per second; 0 before it is open.
    pub hz: AtomicU32,
    /// The largest callback since the tick last asked, in frames.
    burst: AtomicU32,
}

impl Counters {
    /// So many of the stream's frames as samples at 48 kHz.
    fn at_48_khz(&self, frames: usize) -> u64 {
        match u64::from(self.hz.load(Relaxed)) {
            0 => frames as u64,
            hz => frames as u64 * 48_000 / hz,
        }
    }

    fn called(&self, frames: usize) {
        self.callbacks.fetch_add(1, Relaxed);
        self.frames.fetch_add(self.at_48_khz(frames), Relaxed);
        self.burst
            .fetch_max(u32::try_from(frames).unwrap_or(u32::MAX), Relaxed);
    }
}

/// A ring's end that its stream's callback owns and that comes home when the stream is dropped.
#[derive(Debug)]
struct Lent<T> {
    end: Option<T>,
    home: mpsc::Sender<T>,
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // Nobody is at home when the device is being closed for good.
            let _ = self.home.send(end);
        }
    }
}

/// Where an input's callback puts what it hears.
#[derive(Debug)]
pub struct CaptureEnd {
    ring: Lent<rtrb::Producer<i16>>,
    counters: Arc<Counters>,
}

impl CaptureEnd {
    pub(super) fn new(
        end: rtrb::Producer<i16>,
        home: mpsc::Sender<rtrb::Producer<i16>>,
        counters: Arc<Counters>,
    ) -> Self {
        let end = Some(end);
        Self {
            ring: Lent { end, home },
            counters,
        }
    }

    /// Returns what this end counts.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Takes interleaved samples, averaged over the channels; safe in a real-time callback.
    pub fn push<T: Sample>(&mut self, samples: &[T], channels: usize) {
        let channels = channels.max(1);
        let frames = samples.len() / channels;
        self.counters.called(frames);
        let Some(ring) = &mut self.ring.end else {
            return;
        };
        let room = ring.slots().min(frames);
        if let Ok(chunk) = ring.write_chunk_uninit(room) {
            let mono = samples.chunks_exact(channels).map(|frame| {
                let sum: i32 = frame.iter().map(|sample| i32::from(sample.to_i16())).sum();
                (sum / channels as i32) as i16
            });
            chunk.fill_from_iter(mono);
        }
        let overrun = self.counters.at_48_khz(frames - room);
        self.counters.overrun.fetch_add(overrun, Relaxed);
    }
}

/// Where an output's callback takes what it plays.
#[derive(Debug)]
pub struct PlaybackEnd {
    ring: Lent<rtrb::Consumer<i16>>,
    counters: Arc<Counters>,
}

impl PlaybackEnd {
    pub(super) fn new(
        mut end: rtrb::Consumer<i16>,
        home: mpsc::Sender<rtrb::Consumer<i16>>,
        counters: Arc<Counters>,
    ) -> Self {
        // What was meant for the stream before this one is stale.
        let stale = end.slots();
        if let Ok(chunk) = end.read_chunk(stale) {
            chunk.commit_all();
        }
        let end = Some(end);
        Self {
            ring: Lent { end, home },
            counters,
        }
    }

    /// Returns what this end counts.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Fills interleaved samples, the same in each channel; safe in a real-time callback.
    pub fn fill<T: Sample>(&mut self, samples: &mut [T], channels: usize) {
        let channels = channels.max(1);
        let frames = samples.len() / channels;
        self.counters.called(frames);
        let mut filled = 0;
        if let Some(ring) = &mut self.ring.end {
            let ready = ring.slots().min(frames);
            if let Ok(chunk) = ring.read_chunk(ready) {
                for (frame, sample) in samples.chunks_exact_mut(channels).zip(chunk) {
                    frame.fill(T::from_i16(sample));
                }
                filled = ready;
            }
        }
        samples[filled * channels..].fill(T::from_i16(0));
        let underrun = self.counters.at_48_khz(frames - filled);
        self.counters.underrun.fetch_add(underrun, Relaxed);
    }
}

/// The largest recent callback, in samples at 48 kHz: what a ring must bridge.
#[derive(Debug, Default)]
pub(super) struct Burst {
    samples: usize,
    ticks: u32,
}

impl Burst {
    pub(super) fn update(&mut self, counters: &Counters) -> usize {
        self.ticks += 1;
        // A single large callback at the start of a stream is forgotten within seconds.
        if self.ticks % 100 == 1 || self.samples == 0 {
            let hz = u64::from(counters.hz.load(Relaxed)).max(1);
            let frames = u64::from(counters.burst.swap(0, Relaxed));
            let recent = (frames * 48_000 / hz).min(LARGEST_BURST) as usize;
            self.samples = recent.max(self.samples.midpoint(recent));
        }
        self.samples
    }
}

/// Converts between the stream's rate and 48 kHz, and is made anew when the stream has another rate.
#[derive(Debug, Default)]
pub(super) struct Converter {
    hz: u32,
    resampler: Option<Resampler>,
}

impl Converter {
    pub(super) fn at(
        &mut self,
        hz: u32,
        make: impl FnOnce() -> Option<Resampler>,
    ) -> Option<&mut Resampler> {
        if hz != self.hz {
            self.hz = hz;
            self.resampler = if hz == 48_000 { None } else { make() };
        }
        self.resampler.as_mut()
    }
}

#[cfg(test)]
pub(super) fn tone(hz: u32, from: usize, samples: usize) -> Vec<f32> {
    (from..from + samples)
        .map(|n| {
            let phase = 1_000.0 * n as f64 / f64::from(hz);
            (phase.fract() * std::f64::consts::TAU).sin() as f32 * 0.5
        })
        .collect()
}
