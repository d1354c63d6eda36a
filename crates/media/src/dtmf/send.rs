//! Pressing keys, as events or as sound, one after the other: one tick is 10 ms.

use super::{Event, PAYLOAD};
use audio::Rate;
use audio::dtmf::Burst;
use std::collections::VecDeque;
use std::time::Duration;

/// The most keys that wait: a calling-card number with its PIN is far below.
pub const MAX_KEYS: usize = 256;

/// −10 dBm0, as most telephones send.
const VOLUME: u8 = 10;
/// RFC 4733 §2.5.1.4: the end is sent three times.
const END_COPIES: u8 = 3;
/// ITU-T Q.24: a key in the sound is recognised after 40 ms, in ticks.
const RECOGNISED: usize = 4;
/// W3C webrtc-pc §7.2: what `,` means.
const PAUSE: u32 = 200;

/// One telephone-event packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPacket {
    /// The RTP timestamp: when the event (or its segment) began.
    pub timestamp: u32,
    /// The marker bit: set on the first packet of an event.
    pub marker: bool,
    /// The payload.
    pub payload: [u8; PAYLOAD],
}

/// The clocks in use, in Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Of the audio stream, whose timestamps events share.
    pub audio: u32,
    /// Of the telephone-event payload type, which counts durations.
    pub event: u32,
}

#[derive(Clone, Copy)]
enum Step {
    Press { code: u8, ticks: u32, gap: u32 },
    Sound { burst: Burst, gap: u32 },
    Pause { ticks: u32 },
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// In the sound itself.
    Bursting {
        burst: Burst,
        gap: u32,
    },
    Sounding(Sounding),
    /// The end has been sent `sent` times.
    Ending {
        last: KeyPacket,
        sent: u8,
        gap: u32,
    },
    /// Between two keys, or in a pause of the caller's.
    Silent {
        left: u32,
        after: After,
    },
}

/// What a silence follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Event,
    /// Nothing else may sound in it, or the keys would run together.
    Burst,
    Comma,
}

#[derive(Clone, Copy)]
struct Sounding {
    code: u8,
    /// When the segment began.
    timestamp: u32,
    /// Duration of the segment so far, in event ticks.
    duration: u32,
    /// Ticks of 10 ms so far, and in all.
    elapsed: u32,
    ticks: u32,
    gap: u32,
    first: bool,
}

/// One step of an order.
#[derive(Clone, Copy)]
struct Waiting {
    order: u64,
    step: Step,
}

/// Turns queued keys into packets, tick by tick.
pub struct Sender {
    queue: VecDeque<Waiting>,
    /// What is pressed belongs to this order.
    order: u64,
    /// What is under way belongs to this one.
    current: u64,
    state: State,
    completed: bool,
    /// The last key of this order is out.
    out: Option<u64>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender")
            .field("waiting", &self.queue.len())
            .finish_non_exhaustive()
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            order: 0,
            current: 0,
            state: State::Idle,
            completed: false,
            out: None,
        }
    }
}

impl Sender {
    /// Lets what is pressed from now on belong to this order, by which it can be forgotten.
    pub fn begin_order(&mut self, order: u64) {
        self.order = order;
    }

    /// Forgets what waits of an order; a key that sounds goes on to its end.
    pub fn forget(&mut self, order: u64) {
        let waiting = self.queue.len();
        self.queue.retain(|waiting| waiting.order != order);
        // What is under way tells of its own end.
        let is_over = match self.state {
            State::Idle => true,
            State::Silent { after, .. } => after != After::Comma,
            State::Bursting { .. } | State::Sounding(_) | State::Ending { .. } => false,
        };
        self.completed |= is_over && self.queue.len() < waiting;
    }

    fn queue(&mut self, step: Step) {
        let order = self.order;
        self.queue.push_back(Waiting { order, step });
    }

    /// Queues a key for `duration`, with silence of `gap` after it.
    pub fn press(&mut self, code: u8, duration: Duration, gap: Duration) {
        self.queue(Step::Press {
            code,
            ticks: ticks(duration).max(1),
            gap: ticks(gap),
        });
    }

    /// Queues a key in the sound itself, with silence of `gap` after it; nothing for what is no key.
    pub fn press_in_band(&mut self, key: char, duration: Duration, gap: Duration) {
        let ticks = ticks(duration).max(1) as usize;
        if let Some(burst) = Burst::new(key, ticks) {
            self.queue(Step::Sound {
                burst,
                gap: self::ticks(gap),
            });
        }
    }

    /// Queues two seconds without a key.
    pub fn pause(&mut self) {
        self.queue(Step::Pause { ticks: PAUSE });
    }

    /// Forgets every event, the one under way too: nobody takes them any more.
    pub fn abandon_events(&mut self) {
        let waiting = self.queue.len();
        self.queue
            .retain(|waiting| !matches!(waiting.step, Step::Press { .. }));
        let under_way = self.is_sounding();
        if under_way {
            self.state = State::Idle;
        }
        self.completed |= under_way || self.queue.len() < waiting;
    }

    /// How many steps wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether an event takes the place of sound.
    pub fn is_sounding(&self) -> bool {
        matches!(self.state, State::Sounding(_) | State::Ending { .. })
    }

    /// Writes the 10 ms of [`tick`](Self::tick) in place of any other sound, if a key or the gap after it wants that.
    pub fn fill(&mut self, rate: Rate, out: &mut [i16]) -> bool {
        match &mut self.state {
            State::Bursting { burst, .. } => burst.fill(rate, out),
            State::Silent {
                after: After::Burst,
                ..
            } => out.fill(0),
            State::Idle | State::Sounding(_) | State::Ending { .. } | State::Silent { .. } => {
                return false;
            }
        }
        true
    }

    /// Whether a key press or a pause was completed, or some that waited are forgotten, since the last call.
    pub fn take_completed(&mut self) -> bool {
        std::mem::take(&mut self.completed)
    }

    /// The order whose last key is out since the last call: the far end knows it and may act on it, although copies of
    /// its end or the rest of its sound are still to come.
    pub fn take_out(&mut self) -> Option<u64> {
        self.out.take()
    }

    fn key_is_out(&mut self) {
        let is_key = |step: &Step| !matches!(step, Step::Pause { .. });
        let order = self.current;
        let follows = |waiting: &Waiting| waiting.order == order && is_key(&waiting.step);
        if !self.queue.iter().any(follows) {
            self.out = Some(order);
        }
    }

    /// One tick of 10 ms that begins at `now` in audio RTP time. At most two packets come of it.
    ///
    /// `update` is every how many ticks a sounding event is repeated.
    pub fn tick(&mut self, now: u32, clocks: Clocks, update: u32) -> [Option<KeyPacket>; 2] {
        if let State::Silent { left, after } = &mut self.state {
            *left = left.saturating_sub(1);
            if *left > 0 {
                return [None, None];
            }
            self.completed |= *after == After::Comma;
            self.state = State::Idle;
        }
        if matches!(self.state, State::Idle) {
            self.begin(now);
        }
        match self.state {
            State::Sounding(sounding) => self.sound(sounding, clocks, update.max(1)),
            State::Ending { last, sent, gap } => self.end(last, sent, gap),
            State::Bursting { burst, gap } if burst.is_over() => {
                self.key_is_out();
                self.completed = true;
                self.state = State::Silent {
                    left: gap.max(1),
                    after: After::Burst,
                };
                [None, None]
            }
            State::Bursting { burst, .. } => {
                if burst.played() == RECOGNISED {
                    self.key_is_out();
                }
                [None, None]
            }
            State::Idle | State::Silent { .. } => [None, None],
        }
    }

    fn begin(&mut self, now: u32) {
        let next = self.queue.pop_front();
        self.current = next.as_ref().map_or(self.current, |next| next.order);
        self.state = match next.map(|waiting| waiting.step) {
            Some(Step::Press { code, ticks, gap }) => State::Sounding(Sounding {
                code,
                timestamp: now,
                duration: 0,
                elapsed: 0,
                ticks,
                gap,
                first: true,
            }),
            Some(Step::Sound { burst, gap }) => State::Bursting { burst, gap },
            Some(Step::Pause { ticks }) => State::Silent {
                left: ticks,
                after: After::Comma,
            },
            None => State::Idle,
        };
    }

    fn sound(&mut self, mut key: Sounding, clocks: Clocks, update: u32) -> [Option<KeyPacket>; 2] {
        key.elapsed += 1;
        key.duration += clocks.event / 100;
        // RFC 4733 §2.5.1.3: a longer event goes on as a new segment, which begins where the full one ends.
        let full = if key.duration > u32::from(u16::MAX) {
            let packet = key.packet(u16::MAX, false);
            let advance =
                u64::from(u16::MAX) * u64::from(clocks.audio) / u64::from(clocks.event.max(1));
            key.timestamp = key.timestamp.wrapping_add(advance as u32);
            key.duration -= u32::from(u16::MAX);
            key.first = false;
            Some(packet)
        } else {
            None
        };
        if key.elapsed >= key.ticks {
            self.key_is_out();
            let last = key.packet(key.duration as u16, true);
            self.state = State::Ending {
                last: KeyPacket {
                    marker: false,
                    ..last
                },
                sent: 1,
                gap: key.gap,
            };
            return [full, Some(last)];
        }
        let due = full.is_none() && (key.first || key.elapsed.is_multiple_of(update));
        let packet = due.then(|| key.packet(key.duration as u16, false));
        key.first &= packet.is_none();
        self.state = State::Sounding(key);
        [full, packet]
    }

    fn end(&mut self, last: KeyPacket, sent: u8, gap: u32) -> [Option<KeyPacket>; 2] {
        let sent = sent + 1;
        self.state = if sent >= END_COPIES {
            self.completed = true;
            State::Silent {
                left: gap.saturating_sub(u32::from(END_COPIES) - 2).max(1),
                after: After::Event,
            }
        } else {
            State::Ending { last, sent, gap }
        };
        [Some(last), None]
    }
}

impl Sounding {
    fn packet(&self, duration: u16, end: bool) -> KeyPacket {
        KeyPacket {
            timestamp: self.timestamp,
            marker: self.first,
            payload: Event {
                code: self.code,
                end,
                volume: VOLUME,
                duration,
            }
            .write(),
        }
    }
}

fn ticks(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(10)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCKS: Clocks = Clocks {
        audio: 8_000,
        event: 8_000,
    };

    fn run(sender: &mut Sender, clocks: Clocks, ticks: u32) -> Vec<(u32, KeyPacket, Event)> {
        (0..ticks)
            .flat_map(|tick| {
                let now = 1_000_u32.wrapping_add(tick * clocks.audio / 100);
                let packets = sender.tick(now, clocks, 2);
                packets
                    .into_iter()
                    .flatten()
                    .map(move |p| (tick, p, Event::read(&p.payload).unwrap()))
            })
            .collect()
    }

    #[test]
    fn the_last_key_of_each_order_is_out_with_its_first_end() {
        let mut sender = Sender::default();
        let (length, gap) = (Duration::from_millis(100), Duration::from_millis(70));
        for (order, keys) in [(1, 2), (2, 1)] {
            sender.begin_order(order);
            for _ in 0..keys {
                sender.press(5, length, gap);
            }
            sender.pause();
        }
        let mut ends = 0;
        let mut out = Vec::new();
        for tick in 0..900 {
            let packets = sender.tick(tick * 80, CLOCKS, 2);
            let end = |packet: &KeyPacket| Event::read(&packet.payload).unwrap().end;
            ends += packets
                .iter()
                .flatten()
                .filter(|packet| end(packet))
                .count();
            out.extend(sender.take_out().map(|order| (order, ends)));
        }
        assert_eq!(out, [(1, 4), (2, 7)]);
    }

    #[test]
    fn a_key_in_the_sound_is_out_once_it_can_be_recognised() {
        let mut sender = Sender::default();
        sender.begin_order(7);
        sender.press_in_band('5', Duration::from_millis(200), Duration::from_millis(70));
        let mut samples = [0; 80];
        let out: Vec<u32> = (0..30)
            .filter(|tick| {
                sender.tick(tick * 80, CLOCKS, 2);
                sender.fill(Rate::Hz8000, &mut samples);
                sender.take_out() == Some(7)
            })
            .collect();
        assert_eq!(out.first(), Some(&4), "after 40 ms of sound");
    }

    #[test]
    fn one_key_has_one_timestamp_a_rising_duration_and_three_ends() {
        let mut sender = Sender::default();
        sender.press(5, Duration::from_millis(100), Duration::from_millis(70));
        let sent = run(&mut sender, CLOCKS, 40);
        assert!(
            sent.iter()
                .all(|(_, p, e)| p.timestamp == 1_000 && e.code == 5)
        );
        let durations: Vec<u16> = sent.iter().map(|(_, _, e)| e.duration).collect();
        assert_eq!(durations, [80, 160, 320, 480, 640, 800, 800, 800]);
        let marks: Vec<bool> = sent.iter().map(|(_, p, _)| p.marker).collect();
        assert_eq!(marks.iter().filter(|m| **m).count(), 1);
        assert!(marks[0]);
        assert_eq!(sent.iter().filter(|(_, _, e)| e.end).count(), 3);
        assert!(sender.take_completed() && !sender.take_completed());
    }

    #[test]
    fn keys_wait_for_each_other_with_the_gap_between() {
        let mut sender = Sender::default();
        for code in [1, 1] {
            sender.press(code, Duration::from_millis(100), Duration::from_millis(70));
        }
        let sent = run(&mut sender, CLOCKS, 60);
        let begins: Vec<u32> = sent
            .iter()
            .filter(|(_, p, _)| p.marker)
            .map(|(t, _, _)| *t)
            .collect();
        assert_eq!(begins, [0, 17]);
        let timestamps: std::collections::BTreeSet<u32> =
            sent.iter().map(|(_, p, _)| p.timestamp).collect();
        assert_eq!(
            timestamps.into_iter().collect::<Vec<_>>(),
            [1_000, 1_000 + 17 * 80]
        );
    }

    #[test]
    fn a_pause_is_two_seconds() {
        let mut sender = Sender::default();
        sender.pause();
        sender.press(1, Duration::from_millis(100), Duration::from_millis(70));
        assert_eq!(run(&mut sender, CLOCKS, 230)[0].0, 200);
    }

    #[test]
    fn a_pause_at_the_end_is_completed_too() {
        let mut sender = Sender::default();
        sender.pause();
        run(&mut sender, CLOCKS, 199);
        assert!(!sender.take_completed());
        run(&mut sender, CLOCKS, 2);
        assert!(sender.take_completed());
        assert_eq!(sender.waiting(), 0);
    }

    #[test]
    fn a_key_in_the_sound_takes_its_place_for_itself_and_its_gap() {
        let mut sender = Sender::default();
        for key in ['1', 'x', '2'] {
            sender.press_in_band(key, Duration::from_millis(80), Duration::from_millis(50));
        }
        assert_eq!(sender.waiting(), 2);
        let mut shape = String::new();
        let mut done = Vec::new();
        for tick in 0..30 {
            assert_eq!(sender.tick(0, CLOCKS, 2), [None, None]);
            let mut out = [7; 160];
            shape.push(match sender.fill(Rate::Hz16000, &mut out) {
                false => '-',
                true if out.iter().all(|sample| *sample == 0) => '.',
                true => '#',
            });
            if sender.take_completed() {
                done.push((tick, sender.waiting()));
            }
        }
        assert_eq!(shape, "########.....########.....----");
        assert_eq!(done, [(8, 1), (21, 0)]);
    }

    #[test]
    fn events_and_sound_wait_for_each_other() {
        let mut sender = Sender::default();
        let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
        sender.press(5, duration, gap);
        sender.press_in_band('6', duration, gap);
        sender.press(7, duration, gap);
        let mut order = Vec::new();
        for tick in 0..60 {
            let packets = sender.tick(0, CLOCKS, 2);
            let code = |p: KeyPacket| Event::read(&p.payload).unwrap().code;
            if packets[1].is_some_and(|p| p.marker) || sender.is_sounding() && packets[1].is_some()
            {
                order.push((tick, packets[1].map(code)));
            }
            if sender.fill(Rate::Hz8000, &mut [0; 80]) {
                order.push((tick, None));
            }
        }
        let began = |code| order.iter().position(|(_, what)| *what == code).unwrap();
        assert!(began(Some(5)) < began(None) && began(None) < began(Some(7)));
        assert_eq!(order[began(None)].0, 17);
    }

    #[test]
    fn who_takes_no_events_still_hears_the_sound() {
        let mut sender = Sender::default();
        let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
        sender.press(5, duration, gap);
        sender.press_in_band('6', duration, gap);
        sender.tick(0, CLOCKS, 2);
        sender.abandon_events();
        assert!(sender.take_completed());
        assert_eq!(sender.waiting(), 1);
        sender.tick(0, CLOCKS, 2);
        assert!(sender.fill(Rate::Hz8000, &mut [0; 80]));
    }

    #[test]
    fn a_forgotten_order_leaves_the_key_that_sounds_and_those_of_others() {
        let mut sender = Sender::default();
        let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
        for (order, code) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
            sender.begin_order(order);
            sender.press(code, duration, gap);
        }
        let mut codes: Vec<u8> = Vec::new();
        codes.extend(
            run(&mut sender, CLOCKS, 3)
                .iter()
                .map(|(_, _, event)| event.code),
        );
        sender.forget(1);
        assert!(!sender.take_completed(), "the key that sounds will tell");
        codes.extend(
            run(&mut sender, CLOCKS, 60)
                .iter()
                .map(|(_, _, event)| event.code),
        );
        codes.dedup();
        assert_eq!(codes, [1, 3]);
        assert!(sender.take_completed());
        assert_eq!(sender.waiting(), 0);
    }

    #[test]
    fn what_is_forgotten_in_the_gap_is_over() {
        let mut sender = Sender::default();
        let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(500));
        for code in [1, 2] {
            sender.press(code, duration, gap);
        }
        run(&mut sender, CLOCKS, 20);
        assert!(sender.take_completed());
        sender.forget(0);
        assert!(sender.take_completed());
        assert_eq!(sender.waiting(), 0);
        assert!(run(&mut sender, CLOCKS, 100).is_empty());
    }

    #[test]
    fn abandoned_keys_are_silent_and_over() {
        let mut sender = Sender::default();
        for code in [1, 2] {
            sender.press(code, Duration::from_millis(100), Duration::from_millis(70));
        }
        run(&mut sender, CLOCKS, 3);
        assert!(sender.is_sounding());
        sender.abandon_events();
        assert!(!sender.is_sounding());
        assert!(sender.take_completed() && !sender.take_completed());
        assert!(run(&mut sender, CLOCKS, 30).is_empty());
    }

    #[test]
    fn a_long_key_goes_on_in_segments_that_touch() {
        let clocks = Clocks {
            audio: 48_000,
            event: 48_000,
        };
        let mut sender = Sender::default();
        sender.press(9, Duration::from_secs(4), Duration::from_millis(70));
        let sent = run(&mut sender, clocks, 500);
        let mut begins: Vec<u32> = sent.iter().map(|(_, p, _)| p.timestamp).collect();
        begins.dedup();
        assert_eq!(begins, [1_000, 1_000 + 65_535, 1_000 + 2 * 65_535]);
        let full: Vec<_> = sent
            .iter()
            .filter(|(_, _, e)| e.duration == u16::MAX)
            .collect();
        assert_eq!(full.len(), 2);
        assert!(full.iter().all(|(_, p, e)| !e.end && !p.marker));
        let last = sent.last().unwrap();
        assert_eq!(u32::from(last.2.duration) + 2 * 65_535, 4 * 48_000);
        assert_eq!(sent.iter().filter(|(_, p, _)| p.marker).count(), 1);
    }

    #[test]
    fn durations_count_in_the_events_own_clock() {
        let mut sender = Sender::default();
        sender.press(1, Duration::from_millis(100), Duration::from_millis(70));
        let sent = run(
            &mut sender,
            Clocks {
                audio: 48_000,
                event: 8_000,
            },
            20,
        );
        assert_eq!(sent.last().unwrap().2.duration, 800);
    }
}
