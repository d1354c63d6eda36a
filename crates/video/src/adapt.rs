//! How large and how often pictures are sent, by what the network takes and the processor has time for.

use std::time::{Duration, Instant};

use crate::Size;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The pictures' size.
    pub size: Size,
    /// In bit/s.
    pub bitrate: u32,
    /// Pictures a second at most.
    pub rate: u32,
}

/// What pictures show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Motive {
    /// What moves: it gets smaller before it stutters.
    #[default]
    Camera,
    /// What is read: it keeps its size and comes less often.
    Screen,
}

/// Decides the [`Plan`] before each picture.
#[derive(Debug)]
pub struct Adaptation {
    motive: Motive,
    target: u64,
    /// How much smaller than the source by what the network takes, and since when.
    by_bits: usize,
    changed: Option<Instant>,
    cpu: Processor,
}

/// A side's parts of the source's, each step some half of the pixels.
const STEPS: [(u32, u32); 6] = [(1, 1), (3, 4), (1, 2), (3, 8), (1, 4), (1, 8)];
const LAST: usize = STEPS.len() - 1;

/// Frames a second that are sent at most, and of a screen at least if the network takes that.
const MOST_RATE: u32 = 30;
const LEAST_RATE: u32 = 5;
/// At 35 bits for 1000 pixels VP8 of a face is clear: 240 kbit/s for 640 × 360 at 30 frames a second.
const CLEAR_BITS: u64 = 35;
/// Above three times as many nobody sees a difference.
const MOST_BITS: u64 = 105;
/// What a session says before it knows its network.
const FIRST_TARGET: u64 = 500_000;
/// A step up waits for so long, for each begins with a key frame.
const CALM: Duration = Duration::from_secs(5);
/// No picture of fewer pixels: nobody could tell what it shows.
const LEAST_SIDE: u16 = 90;

impl Adaptation {
    /// Begins with what most networks take.
    pub fn new(motive: Motive) -> Adaptation {
        Adaptation {
            motive,
            target: FIRST_TARGET,
            by_bits: 0,
            changed: None,
            cpu: Processor::default(),
        }
    }

    /// Says what the pictures show.
    pub fn set_motive(&mut self, motive: Motive) {
        self.motive = motive;
    }

    /// Says what the network takes, in bit/s.
    pub fn set_target(&mut self, bits_per_second: u64) {
        self.target = bits_per_second;
    }

    /// Decides about the next picture of a source; `dropped` are those that came too fast to be encoded, since the
    /// beginning.
    pub fn plan(&mut self, source: Size, dropped: u64, now: Instant) -> Plan {
        self.cpu.picture(dropped, now);
        if self.motive == Motive::Camera {
            self.follow_bits(source, now);
        }
        let step = match self.motive {
            Motive::Camera => self.by_bits.max(self.cpu.step),
            Motive::Screen => self.cpu.step,
        };
        let size = smaller(source, step);
        let affordable = self.target * 1_000 / (u64::from(size.pixels()) * CLEAR_BITS).max(1);
        let most = u64::from(size.pixels()) * u64::from(MOST_RATE) * MOST_BITS / 1_000;
        Plan {
            size,
            bitrate: u32::try_from(self.target.min(most.max(50_000))).unwrap_or(u32::MAX),
            rate: u32::try_from(affordable)
                .unwrap_or(MOST_RATE)
                .clamp(LEAST_RATE, MOST_RATE),
        }
    }

    fn follow_bits(&mut self, source: Size, now: Instant) {
        let clear = |step| {
            u64::from(smaller(source, step).pixels()) * u64::from(MOST_RATE) * CLEAR_BITS / 1_000
        };
        let fits = |step: &usize| self.target >= clear(*step);
        let Some(changed) = self.changed else {
            self.by_bits = (0..LAST).find(fits).unwrap_or(LAST);
            self.changed = Some(now);
            return;
        };
        // A fifth less than is clear is borne, so that a network that wavers does not make the size waver.
        if self.by_bits < LAST && self.target * 5 < clear(self.by_bits) * 4 {
            self.by_bits = (self.by_bits..LAST).find(fits).unwrap_or(LAST);
            self.changed = Some(now);
        } else if self.by_bits > 0
            && self.target * 5 >= clear(self.by_bits - 1) * 6
            && now >= changed + CALM
        {
            self.by_bits -= 1;
            self.changed = Some(now);
        }
    }
}

/// Smaller by so many steps, with even sides, and never so small that nothing is seen.
fn smaller(source: Size, step: usize) -> Size {
    let least = |side: u16| side.min(LEAST_SIDE);
    (1..=step)
        .rev()
        .map(|step| {
            let (part, of) = STEPS[step];
            let side = |side: u16| (u32::from(side) * part / of) as u16 & !1;
            Size::new(side(source.width), side(source.height))
        })
        .find(|size| size.width >= least(source.width) && size.height >= least(source.height))
        .filter(|size| size.is_fair())
        .unwrap_or(source)
}

/// Whether there is time to encode what comes.
#[derive(Debug)]
struct Processor {
    step: usize,
    window: Option<Window>,
    /// How long there must be time before more is tried; twice as long after each time that it was too early.
    patience: Duration,
    calm_since: Option<Instant>,
    raised: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Instant,
    pictures: u64,
    dropped: u64,
}

const WINDOW: Duration = Duration::from_secs(2);
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
const MOST_PATIENCE: Duration = Duration::from_secs(160);

impl Default for Processor {
    fn default() -> Processor {
        Processor {
            step: 0,
            window: None,
            patience: FIRST_PATIENCE,
            calm_since: None,
            raised: None,
        }
    }
}

impl Processor {
    fn picture(&mut self, dropped: u64, now: Instant) {
        let window = self.window.get_or_insert(Window {
            begin: now,
            pictures: 0,
            dropped,
        });
        window.pictures += 1;
        if now < window.begin + WINDOW {
            return;
        }
        let (encoded, lost) = (window.pictures, dropped.saturating_sub(window.dropped));
        self.window = None;
        // One in ten is missed by nobody; a machine that is busy for a moment makes no picture smaller.
        match lost * 9 > encoded {
            true => self.lower(now),
            false if lost == 0 => self.raise(now),
            false => self.calm_since = None,
        }
    }

    fn lower(&mut self, now: Instant) {
        self.calm_since = None;
        self.step = (self.step + 1).min(LAST);
        if self
            .raised
            .take()
            .is_some_and(|raised| now < raised + self.patience)
        {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
        }
    }

    fn raise(&mut self, now: Instant) {
        let since = *self.calm_since.get_or_insert(now);
        if self.step > 0 && now >= since + self.patience {
            self.step -= 1;
            self.calm_since = None;
            self.raised = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size::new(1280, 720);

    /// Thirty pictures a second in virtual time, some of them lost to a processor.
    struct Clock {
        begin: Instant,
        picture: u64,
        dropped: u64,
    }

    impl Clock {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test needs some instant to begin with"
        )]
        fn new() -> Clock {
            Clock {
                begin: Instant::now(),
                picture: 0,
                dropped: 0,
            }
        }

        /// So many seconds; `most` pixels a second are encoded.
        fn run(&mut self, adaptation: &mut Adaptation, seconds: u64, most: u64) -> Plan {
            let mut plan = None;
            let mut room = 0_u64;
            for _ in 0..seconds * 30 {
                self.picture += 1;
                let now = self.begin + Duration::from_micros(self.picture * 33_333);
                room = (room + most / 30).min((2 * most / 30).max(HD.pixels().into()));
                let size = plan.map_or(HD, |plan: Plan| plan.size);
                if room < size.pixels().into() {
                    self.dropped += 1;
                    continue;
                }
                room -= u64::from(size.pixels());
                plan = Some(adaptation.plan(HD, self.dropped, now));
            }
            plan.unwrap()
        }
    }

    const ALL: u64 = 1 << 40;

    #[test]
    fn a_narrow_network_gets_smaller_pictures_and_a_wide_one_all() {
        for (target, size) in [
            (3_000_000, HD),
            (900_000, Size::new(960, 540)),
            (300_000, Size::new(640, 360)),
            (150_000, Size::new(480, 270)),
            (70_000, Size::new(320, 180)),
        ] {
            let mut adaptation = Adaptation::new(Motive::Camera);
            adaptation.set_target(target);
            let plan = Clock::new().run(&mut adaptation, 1, ALL);
            assert_eq!(plan.size, size, "{target}");
            assert!(u64::from(plan.bitrate) <= target);
        }
    }

    #[test]
    fn what_little_is_left_makes_pictures_rarer_but_not_invisible() {
        let mut adaptation = Adaptation::new(Motive::Camera);
        adaptation.set_target(20_000);
        let plan = Clock::new().run(&mut adaptation, 1, ALL);
        assert_eq!((plan.size, plan.rate), (Size::new(160, 90), 30));
        adaptation.set_target(0);
        let plan = Clock::new().run(&mut adaptation, 1, ALL);
        assert_eq!(
            (plan.size, plan.rate, plan.bitrate),
            (Size::new(160, 90), LEAST_RATE, 0)
        );
    }

    #[test]
    fn a_network_that_wavers_does_not_make_the_size_waver() {
        let (mut adaptation, mut clock) = (Adaptation::new(Motive::Camera), Clock::new());
        let mut sizes = Vec::new();
        for second in 0..60 {
            adaptation.set_target(if second % 2 == 0 { 1_050_000 } else { 850_000 });
            sizes.push(clock.run(&mut adaptation, 1, ALL).size);
        }
        sizes.dedup();
        assert_eq!(sizes, [HD]);
    }

    #[test]
    fn pictures_grow_again_step_by_step() {
        let (mut adaptation, mut clock) = (Adaptation::new(Motive::Camera), Clock::new());
        adaptation.set_target(200_000);
        assert_eq!(clock.run(&mut adaptation, 1, ALL).size, Size::new(480, 270));
        adaptation.set_target(3_000_000);
        assert_eq!(clock.run(&mut adaptation, 7, ALL).size, Size::new(640, 360));
        assert_eq!(clock.run(&mut adaptation, 12, ALL).size, HD);
    }

    #[test]
    fn a_screen_keeps_its_size_and_comes_less_often() {
        let mut adaptation = Adaptation::new(Motive::Screen);
        adaptation.set_target(400_000);
        let plan = Clock::new().run(&mut adaptation, 1, ALL);
        assert_eq!((plan.size, plan.rate), (HD, 12));
    }

    #[test]
    fn a_slow_processor_gets_smaller_pictures_and_larger_ones_rarely_tried() {
        let (mut adaptation, mut clock) = (Adaptation::new(Motive::Camera), Clock::new());
        adaptation.set_target(5_000_000);
        let slow = u64::from(HD.pixels()) * 12;
        let plan = clock.run(&mut adaptation, 10, slow);
        assert_eq!(plan.size, Size::new(640, 360));
        let before = clock.dropped;
        clock.run(&mut adaptation, 120, slow);
        let lost = clock.dropped - before;
        assert!(lost < 120 * 30 / 10, "{lost}");
        assert_eq!(
            clock.run(&mut adaptation, 400, ALL).size,
            HD,
            "it has time again"
        );
    }

    #[test]
    fn a_moment_of_other_work_changes_nothing() {
        let (mut adaptation, mut clock) = (Adaptation::new(Motive::Camera), Clock::new());
        adaptation.set_target(5_000_000);
        clock.run(&mut adaptation, 4, ALL);
        clock.dropped += 4;
        assert_eq!(clock.run(&mut adaptation, 4, ALL).size, HD);
    }

    #[test]
    fn no_source_is_too_small_or_odd() {
        for size in [
            Size::new(1, 1),
            Size::new(33, 17),
            Size::new(100, 3_000),
            Size::new(16_383, 5),
        ] {
            let mut adaptation = Adaptation::new(Motive::Camera);
            adaptation.set_target(1);
            let plan = adaptation.plan(size, 0, Clock::new().begin);
            assert!(plan.size.is_fair() && plan.size.pixels() <= size.pixels());
        }
    }
}
