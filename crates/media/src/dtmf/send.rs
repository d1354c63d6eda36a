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
mod tests;
