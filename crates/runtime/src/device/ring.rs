use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;

use audio::drift::{DriftController, DriftResampler};
use audio::resample::Resampler;
use audio::{Frame, Rate};

const TICK: usize = Rate::Hz48000.samples_per_tick();

/// The largest callback seen anywhere, in frames.
const LARGEST_BURST: u64 = 96_000;

/// Room for the largest callback and some ticks; full, it drops and counts.
const CAPACITY: usize = 1 << 17;

/// Kept beyond what the callbacks' size demands, against a late tick.
const MARGIN: usize = TICK + TICK / 2;

/// More than this beyond the target is delay nobody needs: 80 ms, dropped and counted.
const EXCESS: usize = 8 * TICK;

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

/// What both sides of a ring count; written by the callback and the tick, read by anyone.
#[derive(Debug, Default)]
pub struct Counters {
    /// Callbacks so far.
    pub callbacks: AtomicU64,
    /// Frames that went through callbacks.
    pub frames: AtomicU64,
    /// Frames of silence given because nothing had come in time.
    pub underrun: AtomicU64,
    /// Frames thrown away because more had come than anyone took.
    pub overrun: AtomicU64,
    /// Underruns and overruns inside the sound system itself.
    pub xruns: AtomicU64,
    /// The stream's samples per second; 0 before it is open.
    pub hz: AtomicU32,
    /// The largest callback since the tick last asked, in frames.
    burst: AtomicU32,
}

impl Counters {
    fn called(&self, frames: usize) {
        self.callbacks.fetch_add(1, Relaxed);
        self.frames.fetch_add(frames as u64, Relaxed);
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
        self.counters
            .overrun
            .fetch_add((frames - room) as u64, Relaxed);
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
        self.counters
            .underrun
            .fetch_add((frames - filled) as u64, Relaxed);
    }
}

/// The largest recent callback, in samples at 48 kHz: what a ring must bridge.
#[derive(Debug)]
struct Burst {
    samples: usize,
    ticks: u32,
}

impl Burst {
    fn update(&mut self, counters: &Counters) -> usize {
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
struct Converter {
    hz: u32,
    resampler: Option<Resampler>,
}

impl Converter {
    fn at(&mut self, hz: u32, make: impl FnOnce() -> Option<Resampler>) -> Option<&mut Resampler> {
        if hz != self.hz {
            self.hz = hz;
            self.resampler = if hz == 48_000 { None } else { make() };
        }
        self.resampler.as_mut()
    }
}

/// The tick's end of an input: 10 ms at a time, in step with the tick whatever the device's clock does.
#[derive(Debug)]
pub struct Microphone {
    ring: rtrb::Consumer<i16>,
    counters: Arc<Counters>,
    burst: Burst,
    converter: Converter,
    drift: DriftResampler,
    controller: DriftController,
    raw: Vec<i16>,
    converted: Vec<i16>,
    ready: Vec<i16>,
    /// Whether enough has come to go on without a gap.
    running: bool,
}

impl Microphone {
    /// Creates the tick's end and the producer that streams borrow.
    pub(super) fn new(counters: Arc<Counters>) -> (Self, rtrb::Producer<i16>) {
        let (producer, ring) = rtrb::RingBuffer::new(CAPACITY);
        let microphone = Self {
            ring,
            counters,
            burst: Burst {
                samples: 0,
                ticks: 0,
            },
            converter: Converter::default(),
            drift: DriftResampler::new(),
            controller: DriftController::new(MARGIN),
            raw: Vec::with_capacity(CAPACITY),
            converted: Vec::with_capacity(CAPACITY),
            ready: Vec::with_capacity(CAPACITY),
            running: false,
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
        if !self.running {
            self.running = burst > 0 && fill >= burst + MARGIN;
            if !self.running {
                return false;
            }
            // What is here beyond the need would only be delay.
            self.ready.drain(..fill - burst - MARGIN);
            self.controller.reset();
        }
        let fill = self.ready.len();
        // A portion as short as a tick may slip past one: then it must be there whole, not half on average.
        let target = MARGIN + (burst / 2).max(burst.min(TICK));
        self.controller.set_target(target);
        self.drift.set_ppm(self.controller.update(fill));
        if fill > burst + MARGIN + EXCESS {
            let surplus = fill - target;
            self.ready.drain(..surplus);
            self.counters.overrun.fetch_add(surplus as u64, Relaxed);
        }
        let given = self.ready.len().min(TICK);
        frame.samples_mut()[..given].copy_from_slice(&self.ready[..given]);
        self.ready.drain(..given);
        if given < TICK {
            self.running = false;
            self.counters
                .underrun
                .fetch_add((TICK - given) as u64, Relaxed);
        }
        given == TICK
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

/// The tick's end of an output: takes 10 ms at a time, whatever the device's clock does.
#[derive(Debug)]
pub struct Speaker {
    ring: rtrb::Producer<i16>,
    counters: Arc<Counters>,
    burst: Burst,
    converter: Converter,
    drift: DriftResampler,
    controller: DriftController,
    steady: Vec<i16>,
    converted: Vec<i16>,
    /// The underrun counter as of the last tick.
    underrun: u64,
}

impl Speaker {
    /// Creates the tick's end and the consumer that streams borrow.
    pub(super) fn new(counters: Arc<Counters>) -> (Self, rtrb::Consumer<i16>) {
        let (ring, consumer) = rtrb::RingBuffer::new(CAPACITY);
        let speaker = Self {
            ring,
            counters,
            burst: Burst {
                samples: 0,
                ticks: 0,
            },
            converter: Converter::default(),
            drift: DriftResampler::new(),
            controller: DriftController::new(MARGIN),
            steady: Vec::with_capacity(2 * TICK),
            converted: Vec::with_capacity(8 * TICK),
            underrun: 0,
        };
        (speaker, consumer)
    }

    /// Returns what both ends of the ring count.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
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
        let underrun = self.counters.underrun.load(Relaxed);
        if underrun != self.underrun {
            // The callbacks ran dry, or have only begun: give them what one of them needs ahead.
            self.underrun = underrun;
            let lead = at_stream_rate(burst + MARGIN).saturating_sub(fill);
            self.push_silence(lead);
            self.controller.reset();
        } else if fill > at_stream_rate(burst + MARGIN + EXCESS) {
            self.counters.overrun.fetch_add(TICK as u64, Relaxed);
            return true;
        }
        self.controller.set_target(burst / 2 + MARGIN);
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

    fn push_silence(&mut self, samples: usize) {
        let room = self.ring.slots().min(samples);
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(std::iter::repeat_n(0, room));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::detect::ToneFit;

    fn tone(hz: u32, from: usize, samples: usize) -> Vec<f32> {
        (from..from + samples)
            .map(|n| {
                let phase = 1_000.0 * n as f64 / f64::from(hz);
                (phase.fract() * std::f64::consts::TAU).sin() as f32 * 0.5
            })
            .collect()
    }

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
        for ppm in [-200.0, 200.0] {
            let (heard, counters) = capture(48_000, 480, ppm, 12_000);
            assert_eq!(counters.underrun.load(Relaxed), 0, "{ppm}");
            assert_eq!(counters.overrun.load(Relaxed), 0, "{ppm}");
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
