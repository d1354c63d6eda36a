use std::time::Duration;

/// Fewer calls than this is little for a machine that does something else as well.
const FEW: f64 = 4.0;
/// As media threads do: seven tenths of the time is full.
const USABLE: f64 = 0.7;

/// What a call costs on a machine, as far as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuHeadroom {
    /// The time that a call's sound took of a processor.
    pub busy: Duration,
    /// The time that this took by the clock, while others had the processor as well.
    pub elapsed: Duration,
    /// How much sound it was.
    pub sound: Duration,
    /// Processors that the process may use.
    pub processors: usize,
}

impl CpuHeadroom {
    /// Percent of one processor that a call needs.
    pub fn percent(&self) -> f64 {
        100.0 * self.busy.as_secs_f64() / self.sound.as_secs_f64().max(f64::EPSILON)
    }

    /// The part of one processor that we were given while we wanted all of it, 0 to 1.
    pub fn share(&self) -> f64 {
        let elapsed = self.elapsed.as_secs_f64().max(f64::EPSILON);
        (self.busy.as_secs_f64() / elapsed).min(1.0)
    }

    /// Calls for which there is time, roughly: on each processor as much as we were given on the one that was tried.
    pub fn calls(&self) -> f64 {
        let each = self.percent().max(f64::EPSILON) / 100.0;
        self.processors as f64 * USABLE * self.share() / each
    }

    /// What that means.
    pub fn code(&self) -> crate::CheckCode {
        match self.calls() {
            calls if calls < 1.0 => crate::CheckCode::CpuFull,
            calls if calls < FEW => crate::CheckCode::CpuTight,
            _ => crate::CheckCode::CpuOk,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckCode;

    fn headroom(busy: u64, elapsed: u64, processors: usize) -> CpuHeadroom {
        CpuHeadroom {
            busy: Duration::from_millis(busy),
            elapsed: Duration::from_millis(elapsed),
            sound: Duration::from_secs(1),
            processors,
        }
    }

    #[test]
    fn what_a_call_costs_and_what_others_take_say_how_many_there_is_time_for() {
        let idle = headroom(20, 20, 2);
        assert_eq!(
            (idle.percent(), idle.share(), idle.calls()),
            (2.0, 1.0, 70.0)
        );
        assert_eq!(idle.code(), CheckCode::CpuOk);
        let shared = headroom(20, 40, 1);
        assert_eq!((shared.share(), shared.calls()), (0.5, 17.5));
        assert_eq!(headroom(300, 600, 1).code(), CheckCode::CpuTight);
        assert_eq!(headroom(900, 2000, 1).code(), CheckCode::CpuFull);
    }
}
