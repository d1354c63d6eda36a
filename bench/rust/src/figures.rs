//! What a side says of its calls, measured the same way for every stack.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cpu;

/// From before the calls were made to the end of the measured stretch.
pub struct Meter {
    calls: usize,
    resident: Option<u64>,
    started: Instant,
}

/// The measured stretch.
pub struct Stretch {
    meter: Meter,
    set_up: Duration,
    cpu: Duration,
    wall: Instant,
}

/// What the stretch cost.
pub struct Figures {
    calls: usize,
    set_up: Duration,
    used: Duration,
    seconds: f64,
    bytes: Option<u64>,
}

impl Meter {
    /// Starts before the first of the calls is made; what any process needs is there already.
    pub fn start(calls: usize) -> Meter {
        Meter {
            calls,
            resident: cpu::resident(),
            started: Instant::now(),
        }
    }

    /// How long it took until now, when all are connected.
    pub fn set_up(&self) -> Duration {
        self.started.elapsed()
    }

    /// Starts the stretch, which doesn't include setting up.
    pub fn measure(self, set_up: Duration) -> Stretch {
        Stretch {
            meter: self,
            set_up,
            cpu: cpu::process(),
            wall: Instant::now(),
        }
    }
}

impl Stretch {
    pub fn end(self) -> Figures {
        let used = cpu::process() - self.cpu;
        let seconds = self.wall.elapsed().as_secs_f64();
        let bytes = cpu::resident()
            .zip(self.meter.resident)
            .map(|(after, before)| after.saturating_sub(before));
        Figures {
            calls: self.meter.calls,
            set_up: self.set_up,
            used,
            seconds,
            bytes,
        }
    }
}

impl Figures {
    /// Prints the line of this side, when nothing is on its way any more.
    pub fn print(&self, sent: u64, received: u64, late_ticks: u64) {
        println!(
            "{}",
            json!({
                "calls": self.calls,
                "cpuPerCallSecond": self.used.as_secs_f64() / (self.calls as f64 * self.seconds),
                "bytesPerCall": self.bytes.map(|bytes| bytes / self.calls as u64),
                "expected": sent,
                "lost": sent.saturating_sub(received),
                "lateTicks": late_ticks,
                "setUpAllMs": self.set_up.as_secs_f64() * 1e3,
            })
        );
    }
}
