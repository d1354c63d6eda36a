//! Both legs on one time line.

use std::time::Duration;

use audio::convert::RateConverter;
use audio::mixer::together;
use audio::{Frame, Rate};

use crate::file::GrowingFile;
use crate::{Chunk, Cut, Legs, Settings};

/// Ticks that come in a burst, because the machine was busy, are followed by as much sound: only what is further behind is a gap.
const MOST_LATE: Duration = Duration::from_millis(100);
/// Silence is added by so much at a time, so that a gap of an hour is not made in memory.
const MOST_SILENCE: Duration = Duration::from_secs(1);
/// A file is brought up to date when it lacks so much: twice a second, for players and for what may end the process.
const MOST_UNWRITTEN: Duration = Duration::from_millis(500);
/// Of a recording in which nothing was ever heard.
const UNHEARD: Rate = Rate::Hz48000;

/// A recording under way.
#[derive(Debug)]
pub struct Recorder {
    legs: Legs,
    rate: Option<Rate>,
    local: RateConverter,
    remote: RateConverter,
    file: GrowingFile,
    /// Samples of each channel since the beginning.
    position: u64,
    /// Of these, those that a chunk has brought away.
    given: u64,
    samples: Vec<i16>,
    /// Where each begins and ends, in samples of each channel.
    pauses: Vec<[u64; 2]>,
    paused: bool,
}

/// A part that was left out: it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Since the beginning.
    pub from: Duration,
    /// The same, of its end; the end of the recording so far if it lasts.
    pub to: Duration,
}

/// What is in a recording so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How long it is, pauses and gaps included.
    pub duration: Duration,
    /// What was left out, in order.
    pub paused: Vec<Pause>,
}

impl Recorder {
    /// Makes one in which nothing is yet.
    pub fn new(settings: Settings) -> Self {
        let channels = settings.legs.channels();
        let file = GrowingFile::new(settings.format, channels, settings.patched);
        Self {
            legs: settings.legs,
            rate: settings.rate,
            local: RateConverter::default(),
            remote: RateConverter::default(),
            file,
            position: 0,
            given: 0,
            samples: Vec::new(),
            pauses: Vec::new(),
            paused: false,
        }
    }

    /// Takes 10 ms of both legs, heard at `at` after the beginning. While it pauses, they are not in it.
    pub fn take(&mut self, at: Duration, local: &Frame, remote: &Frame) {
        if self.paused {
            return;
        }
        let rate = *self.rate.get_or_insert(remote.rate());
        self.bridge(at);
        let (local, remote) = (
            self.local.convert(local, rate),
            self.remote.convert(remote, rate),
        );
        match self.legs {
            Legs::Stereo => {
                let both = local.samples().iter().zip(remote.samples());
                self.samples
                    .extend(both.flat_map(|(left, right)| [*left, *right]));
            }
            Legs::Mix => self
                .samples
                .extend_from_slice(together(&local, &remote).samples()),
            Legs::Local => self.samples.extend_from_slice(local.samples()),
            Legs::Remote => self.samples.extend_from_slice(remote.samples()),
        }
        self.position += rate.samples_per_tick() as u64;
    }

    /// Adds silence, a second at most, if something comes at `at` and what was before it is far behind; says whether there is more of it.
    pub fn bridge(&mut self, at: Duration) -> bool {
        at > self.duration() + MOST_LATE && self.fill(at)
    }

    /// Adds silence, a second at most, for the time until `at` that was not told of; says whether there is more of it.
    pub fn fill(&mut self, at: Duration) -> bool {
        let rate = self.rate_now();
        let until = rate.samples_in(at) as u64;
        let missing = until.saturating_sub(self.position);
        let now = missing.min(rate.samples_in(MOST_SILENCE) as u64);
        let values = now as usize * usize::from(self.legs.channels());
        self.samples.resize(self.samples.len() + values, 0);
        self.position += now;
        now < missing
    }

    /// Leaves out what is said from `at` on.
    pub fn pause(&mut self, at: Duration) {
        if self.paused {
            return;
        }
        self.fill(at);
        self.paused = true;
        self.pauses.push([self.position; 2]);
    }

    /// Has it again, from `at` on.
    pub fn resume(&mut self, at: Duration) {
        if !self.paused {
            return;
        }
        self.fill(at);
        self.end_pause();
    }

    /// What is to be written now, if it is time for that.
    pub fn chunk(&mut self) -> Option<Chunk> {
        let unwritten = self.position - self.given;
        (unwritten >= self.rate_now().samples_in(MOST_UNWRITTEN) as u64).then(|| self.give())
    }

    /// The rest; nothing is taken after it.
    pub fn finish(&mut self) -> Chunk {
        if self.paused {
            self.end_pause();
        }
        let mut chunk = self.give();
        let rate = self.rate_now();
        let marks = self
            .pauses
            .iter()
            .flat_map(|[from, to]| [(*from, "paused"), (*to, "resumed")]);
        self.file
            .finish(rate, &marks.collect::<Vec<_>>(), &mut chunk);
        chunk
    }

    /// What makes a file whole of which only the first `length` octets could be written.
    pub fn cut(&self, length: u64) -> Cut {
        self.file.cut(self.rate_now(), length)
    }

    /// What is in it so far.
    pub fn report(&self) -> Report {
        let mut pauses = self.pauses.clone();
        if let (true, Some([_, to])) = (self.paused, pauses.last_mut()) {
            *to = self.position;
        }
        let rate = self.rate_now();
        let paused = pauses.iter().map(|[from, to]| Pause {
            from: duration(*from, rate),
            to: duration(*to, rate),
        });
        Report {
            duration: self.duration(),
            paused: paused.collect(),
        }
    }

    /// How far it is.
    pub fn duration(&self) -> Duration {
        duration(self.position, self.rate_now())
    }

    fn end_pause(&mut self) {
        self.paused = false;
        if let Some([_, to]) = self.pauses.last_mut() {
            *to = self.position;
        }
    }

    fn rate_now(&self) -> Rate {
        self.rate.unwrap_or(UNHEARD)
    }

    fn give(&mut self) -> Chunk {
        let chunk = self.file.give(self.rate_now(), &self.samples);
        self.samples.clear();
        self.given = self.position;
        chunk
    }
}

/// [`Rate::duration_of`] ends after four days.
pub(crate) fn duration(samples: u64, rate: Rate) -> Duration {
    let hz = u64::from(rate.hz());
    Duration::from_secs(samples / hz) + Duration::from_nanos(samples % hz * 1_000_000_000 / hz)
}

#[cfg(test)]
mod tests;
