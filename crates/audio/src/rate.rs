use std::time::Duration;

/// A sampling rate that audio passes between rooms at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// Narrowband: G.711.
    Hz8000,
    /// Wideband: G.722, Opus for bots.
    Hz16000,
    /// Superwideband: what speech engines like.
    Hz24000,
    /// Fullband: devices, Opus.
    Hz48000,
}

impl Rate {
    /// Every rate, lowest first.
    pub const ALL: [Self; 4] = [Self::Hz8000, Self::Hz16000, Self::Hz24000, Self::Hz48000];

    /// Returns the rate in samples per second.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
            Self::Hz48000 => 48_000,
        }
    }

    /// Returns the samples in one tick of 10 ms.
    pub const fn samples_per_tick(self) -> usize {
        self.hz() as usize / 100
    }

    /// Returns the whole samples in `duration`, rounded down.
    pub const fn samples_in(self, duration: Duration) -> usize {
        (duration.as_micros() * self.hz() as u128 / 1_000_000) as usize
    }

    /// Returns how long `samples` last.
    pub const fn duration_of(self, samples: usize) -> Duration {
        Duration::from_nanos(samples as u64 * 1_000_000_000 / self.hz() as u64)
    }
}

/// A number of samples per second that is none of [`Rate::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{hz} Hz is none of 8000, 16000, 24000 and 48000 Hz")]
pub struct UnknownRate {
    /// What was asked for, in samples per second.
    pub hz: u32,
}

impl TryFrom<u32> for Rate {
    type Error = UnknownRate;

    fn try_from(hz: u32) -> Result<Self, UnknownRate> {
        Self::ALL
            .into_iter()
            .find(|rate| rate.hz() == hz)
            .ok_or(UnknownRate { hz })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_durations_agree() {
        for rate in Rate::ALL {
            let tick = Duration::from_millis(10);
            assert_eq!(rate.samples_in(tick), rate.samples_per_tick());
            assert_eq!(rate.duration_of(rate.samples_per_tick()), tick);
            assert_eq!(Rate::try_from(rate.hz()), Ok(rate));
        }
        assert_eq!(Rate::try_from(44_100), Err(UnknownRate { hz: 44_100 }));
    }
}
