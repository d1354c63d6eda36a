//! Two user agents and the network between them, in virtual time: seeded loss, delay, order and duplicates.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sip::endpoint::{Endpoint, EndpointConfig, Event, Output};
use sip::transaction::{Flow, FlowId, Transport};

use crate::lone::{config, epoch};

/// How badly the network behaves.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
    /// Milliseconds; over an unreliable flow a wide range reorders.
    pub(crate) delay: RangeInclusive<u64>,
}

impl Weather {
    pub(crate) fn fair() -> Self {
        Self {
            loss: 0.0,
            duplicate: 0.0,
            delay: 10..=10,
        }
    }

    pub(crate) fn foul() -> Self {
        Self {
            loss: 0.2,
            duplicate: 0.2,
            delay: 5..=700,
        }
    }
}

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

pub(crate) struct Network {
    pub(crate) nodes: [Endpoint; 2],
    pub(crate) now: Instant,
    pub(crate) events: [Vec<Event>; 2],
    pub(crate) delivered: usize,
    weather: Weather,
    reliable: bool,
    rng: StdRng,
    under_way: BTreeMap<(Instant, u64), (usize, Bytes)>,
    /// When the last message over a reliable flow arrives: the next can't overtake it.
    last: [Instant; 2],
    deadlines: [Option<Instant>; 2],
    count: u64,
    flow: FlowId,
    /// How many of each node's events were told.
    told: [usize; 2],
}

impl Network {
    pub(crate) fn new(transport: Transport, weather: Weather, seed: u64) -> Self {
        let quiet = |user| EndpointConfig {
            keep_alive: sip::endpoint::KeepAlivePolicy {
                interval: Duration::ZERO,
                ..Default::default()
            },
            ..config(user)
        };
        Self::with([quiet("alice"), quiet("bob")], transport, weather, seed)
    }

    pub(crate) fn with(
        configs: [EndpointConfig; 2],
        transport: Transport,
        weather: Weather,
        seed: u64,
    ) -> Self {
        let now = epoch();
        let [alice, bob] = configs;
        let mut seeds = [[1; 32], [2; 32]];
        seeds[0][..8].copy_from_slice(&seed.to_le_bytes());
        seeds[1][..8].copy_from_slice(&seed.to_le_bytes());
        let mut network = Self {
            nodes: [Endpoint::new(alice, seeds[0]), Endpoint::new(bob, seeds[1])],
            now,
            events: [Vec::new(), Vec::new()],
            delivered: 0,
            weather,
            reliable: transport.is_reliable(),
            rng: StdRng::seed_from_u64(seed),
            under_way: BTreeMap::new(),
            last: [now, now],
            deadlines: [None, None],
            count: 0,
            flow: FlowId(1),
            told: [0, 0],
        };
        for node in [ALICE, BOB] {
            network.nodes[node].handle_flow_up(FlowId(1), Flow::new(transport), now);
            network.drain(node);
        }
        network
    }

    pub(crate) fn act<R>(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut Endpoint, Instant) -> R,
    ) -> R {
        let result = act(&mut self.nodes[node], self.now);
        self.drain(node);
        result
    }

    /// Loses everything under way, and both ends learn of it.
    pub(crate) fn break_flow(&mut self) {
        self.under_way.clear();
        for node in [ALICE, BOB] {
            self.nodes[node].handle_flow_down(self.flow, self.now);
            self.drain(node);
        }
    }

    pub(crate) fn mend_flow(&mut self, transport: Transport) {
        self.flow = FlowId(self.flow.0 + 1);
        for node in [ALICE, BOB] {
            self.nodes[node].handle_flow_up(self.flow, Flow::new(transport), self.now);
            self.drain(node);
        }
    }

    /// Lets time pass; `react` sees each event as it happens.
    pub(crate) fn run(&mut self, by: Duration, mut react: impl FnMut(&mut Self, usize, &Event)) {
        let end = self.now + by;
        let mut steps = 0;
        loop {
            self.tell(&mut react);
            let Some((at, what)) = self.next().filter(|(at, _)| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.step(what);
            steps += 1;
            assert!(steps < 200_000, "the network never comes to rest");
        }
        self.now = end;
    }

    fn tell(&mut self, react: &mut impl FnMut(&mut Self, usize, &Event)) {
        for node in [ALICE, BOB] {
            while let Some(event) = self.events[node].get(self.told[node]).cloned() {
                self.told[node] += 1;
                react(self, node, &event);
            }
        }
    }

    fn next(&self) -> Option<(Instant, Option<usize>)> {
        let packet = self.under_way.keys().next().map(|(at, _)| (*at, None));
        let timers = [ALICE, BOB]
            .into_iter()
            .filter_map(|node| Some((self.deadlines[node]?, Some(node))));
        packet.into_iter().chain(timers).min_by_key(|(at, _)| *at)
    }

    fn step(&mut self, timer: Option<usize>) {
        match timer {
            Some(node) => {
                self.nodes[node].handle_timeout(self.now);
                self.drain(node);
            }
            None => {
                if let Some((_, (node, bytes))) = self.under_way.pop_first() {
                    self.delivered += 1;
                    self.nodes[node].handle_message(self.flow, bytes, self.now);
                    self.drain(node);
                }
            }
        }
    }

    fn drain(&mut self, node: usize) {
        for _ in 0..10_000 {
            match self.nodes[node].poll_output() {
                Output::Transmit { flow, bytes } => {
                    assert_eq!(flow, self.flow, "sent over a flow that is down");
                    self.carry(1 - node, bytes);
                }
                Output::KeepAlive { .. } => {}
                Output::Event(event) => self.events[node].push(event),
                Output::Timeout(deadline, _) => {
                    self.deadlines[node] = deadline;
                    return;
                }
            }
        }
        panic!("poll_output never came to Timeout");
    }

    fn carry(&mut self, to: usize, bytes: Bytes) {
        let copies = if self.reliable {
            1
        } else if self.rng.random_bool(self.weather.loss) {
            0
        } else if self.rng.random_bool(self.weather.duplicate) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = Duration::from_millis(self.rng.random_range(self.weather.delay.clone()));
            let mut at = self.now + delay;
            if self.reliable {
                at = at.max(self.last[to]);
                self.last[to] = at;
            }
            self.count += 1;
            self.under_way.insert((at, self.count), (to, bytes.clone()));
        }
    }
}
