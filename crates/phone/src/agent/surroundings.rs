//! What every input finds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Agent, Context, IceSource, SeenStreams};
use crate::config::Config;
use crate::door::event::millis;
use crate::door::output::Output;

/// The configuration, the endpoint and the time; and what comes of an input.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) config: Config,
    pub(crate) agent: Agent,
    pub(crate) seen: SeenStreams,
    pub(crate) ice: IceSource,
    pub(crate) outputs: VecDeque<Output>,
    /// The last that was told.
    pub(crate) now: Instant,
    /// How full whoever makes the calls' sound is, 1 being full.
    pub(crate) load: f64,
    /// An instant, and the time since 1970 that belongs to it.
    epoch: (Instant, Duration),
}

impl Surroundings {
    pub(crate) fn new(config: Config, agent: Agent, now: Instant, unix_time: Duration) -> Self {
        Self {
            config,
            agent,
            seen: SeenStreams::default(),
            ice: IceSource::default(),
            outputs: VecDeque::new(),
            now,
            load: 0.0,
            epoch: (now, unix_time),
        }
    }

    /// The machine slept: the instants stood still meanwhile, the time since 1970 did not.
    pub(crate) fn slept(&mut self, slept: Duration) {
        self.epoch.1 += slept;
        self.ice.slept(slept, self.now);
    }

    /// What whoever takes the input may touch beside itself.
    pub(crate) fn context(&mut self) -> Context<'_> {
        let (at, time) = self.epoch;
        Context {
            config: &self.config,
            agent: &mut self.agent,
            seen: &mut self.seen,
            ice: &mut self.ice,
            outputs: &mut self.outputs,
            now: self.now,
            unix_now: millis(time + self.now.saturating_duration_since(at)),
        }
    }
}
