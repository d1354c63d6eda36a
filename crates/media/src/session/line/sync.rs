//! Pictures come when their sound is heard (RFC 3550 §6.4.1: both sender's reports are of one clock), and evenly where some
//! of them wait for what was lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::repairs::Repairs;
use crate::rtp::rtcp::SenderInfo;
use crate::video::{Assembled, CLOCK};
use ::video::EncodedFrame;

/// What is further apart is not held: one of the clocks is wrong, or sound waits so long that pictures should not.
const MOST_HELD: Duration = Duration::from_millis(500);
/// More frames than these are not held: half a second of 60 a second.
const MOST_FRAMES: usize = 32;
/// Nobody notices that a picture comes so much later than its sound, in seconds,
const LATER: f64 = 0.040;
/// or so much sooner (EBU R37: 60 ms; the rest is for what ticks and a sound card add).
const SOONER: f64 = 0.025;
/// A second in 32.32 fixed point.
const SECOND: f64 = 4_294_967_296.0;

/// The sound that is heard now.
#[derive(Clone, Copy, Debug)]
pub(in crate::session) struct HeardSound {
    /// Its RTP timestamp,
    pub(in crate::session) timestamp: u32,
    /// of a clock of so many ticks a second.
    pub(in crate::session) clock: u32,
    /// What its sender has told of it.
    pub(in crate::session) report: SenderInfo,
    /// How long it still takes to the ear.
    pub(in crate::session) ahead: Duration,
}

/// Frames that wait for their sound.
#[derive(Debug, Default)]
pub(super) struct Sync {
    report: Option<SenderInfo>,
    repairs: Repairs,
    held: VecDeque<(Instant, EncodedFrame)>,
}

impl Sync {
    /// Takes the sender's report about the frames.
    pub(super) fn reported(&mut self, report: SenderInfo) {
        self.report = Some(report);
    }

    /// Takes a whole frame; `repaired` if it waited for what was sent again.
    pub(super) fn push(
        &mut self,
        given: Assembled,
        heard: Option<HeardSound>,
        repaired: bool,
        now: Instant,
    ) {
        let even = self.repairs.hold(given.timestamp, repaired, now);
        let hold = match heard.and_then(|heard| self.later(given.timestamp, heard)) {
            Some(later) => even.min(later + LATER).max(later - SOONER),
            None => even,
        };
        let due = now + Duration::from_secs_f64(hold.max(0.0));
        // Frames never overtake each other.
        let due = self.held.back().map_or(due, |(before, _)| due.max(*before));
        if self.held.len() >= MOST_FRAMES {
            for (due, _) in &mut self.held {
                *due = now;
            }
        }
        self.held.push_back((due, given.frame));
    }

    /// In how many seconds the sound is heard that was taken with a frame.
    fn later(&self, timestamp: u32, heard: HeardSound) -> Option<f64> {
        let report = self.report?;
        let apart = report.ntp.wrapping_sub(heard.report.ntp) as i64 as f64 / SECOND;
        let later = apart + after(report, timestamp, CLOCK)
            - after(heard.report, heard.timestamp, heard.clock)
            + heard.ahead.as_secs_f64();
        (later.abs() <= MOST_HELD.as_secs_f64()).then_some(later)
    }

    /// Gives the next frame whose time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<EncodedFrame> {
        let (due, _) = self.held.front()?;
        (*due <= now)
            .then(|| self.held.pop_front())?
            .map(|(_, frame)| frame)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.held.front().map(|(due, _)| *due)
    }

    /// Another source follows.
    pub(super) fn forget_report(&mut self) {
        self.report = None;
        self.repairs = Repairs::default();
    }

    /// Forgets what waits, and what was told.
    pub(super) fn clear(&mut self) {
        self.forget_report();
        self.held.clear();
    }
}

/// How many seconds after a report `timestamp` is, whose clock has `clock` ticks a second.
fn after(report: SenderInfo, timestamp: u32, clock: u32) -> f64 {
    let ticks = timestamp.wrapping_sub(report.timestamp) as i32;
    f64::from(ticks) / f64::from(clock.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;
    use ::video::VideoCodec;

    const MS: Duration = Duration::from_millis(1);

    fn frame(timestamp: u32) -> Assembled {
        let data: &[u8] = &[0x11, 0, 0];
        Assembled {
            frame: EncodedFrame::read(VideoCodec::Vp8, Duration::ZERO, data.into()).unwrap(),
            timestamp,
        }
    }

    fn report(ntp: u64, timestamp: u32) -> SenderInfo {
        SenderInfo {
            ntp,
            timestamp,
            packets: 1,
            bytes: 1,
        }
    }

    /// The sender's clock was at 10 s when sound was at 1,000 and pictures at 5,000.
    fn sync(ms_later: u64) -> (Sync, HeardSound) {
        let at = |ms: u64| (10 << 32) + (ms << 32) / 1_000;
        let mut sync = Sync::default();
        let timestamp = 5_000 + ms_later as u32 * 90;
        sync.reported(report(at(ms_later), timestamp));
        let heard = HeardSound {
            timestamp: 1_000_u32.wrapping_sub(480),
            clock: 48_000,
            report: report(at(0), 1_000),
            ahead: 20 * MS,
        };
        (sync, heard)
    }

    fn held(sync: &mut Sync, heard: Option<HeardSound>, timestamp: u32) -> Duration {
        let now = start();
        sync.push(frame(timestamp), heard, false, now);
        let due = sync.deadline().unwrap();
        assert!(due == now || sync.pop(now).is_none());
        assert!(sync.pop(due).is_some());
        due - now
    }

    #[test]
    fn a_frame_waits_until_the_sound_of_its_time_is_nearly_heard() {
        for later in [0, 700] {
            let (mut sync, heard) = sync(later);
            // Taken 50 ms after the reports; what is heard in 20 ms was taken 10 ms before them.
            let waits = held(&mut sync, Some(heard), 5_000 + 50 * 90);
            assert!(waits.abs_diff(55 * MS) < MS, "{waits:?}");
            // The sound of this one was heard already.
            assert_eq!(
                held(&mut sync, Some(heard), 5_000 - 40 * 90),
                Duration::ZERO
            );
            // Nor is that of this one noticed to be later.
            assert_eq!(held(&mut sync, Some(heard), 5_000 - 6 * 90), Duration::ZERO);
            // No sound waits so long.
            assert_eq!(
                held(&mut sync, Some(heard), 5_000 + 600 * 90),
                Duration::ZERO
            );
            assert_eq!(held(&mut sync, None, 5_000 + 50 * 90), Duration::ZERO);
        }
    }

    #[test]
    fn without_a_report_of_the_pictures_none_is_held() {
        let (mut sync, heard) = sync(0);
        sync.clear();
        assert_eq!(held(&mut sync, Some(heard), 5_050 * 90), Duration::ZERO);
    }

    #[test]
    fn frames_keep_their_order_and_are_bounded() {
        let (mut sync, heard) = sync(0);
        let now = start();
        sync.push(frame(5_000 + 100 * 90), Some(heard), false, now);
        sync.push(frame(5_000 + 10 * 90), Some(heard), false, now);
        assert!(sync.pop(now + 100 * MS).is_none());
        assert!(sync.pop(now + 131 * MS).is_some());
        assert!(sync.pop(now + 131 * MS).is_some());
        for _ in 0..2 * MOST_FRAMES {
            sync.push(frame(5_000 + 100 * 90), Some(heard), false, now);
        }
        let given = std::iter::from_fn(|| sync.pop(now)).count();
        assert_eq!(given, 2 * MOST_FRAMES - 1);
    }
}
