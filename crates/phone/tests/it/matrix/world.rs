//! Alice, Bob and Carol, their server, and the network between them, in virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pbx::{FlowId, Pbx};
use phone::{Connection, ErrorCode, Event, SessionId, Ticket};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::cells::{Trouble, Way};
use super::sound::Sound;
use crate::harness::{EPOCH, Media, Rig, alice_with, start};

pub(super) const ALICE: usize = 0;
pub(super) const BOB: usize = 1;
pub(super) const CAROL: usize = 2;
const USERS: [&str; 3] = ["alice", "bob", "carol"];

const TICK: Duration = Duration::from_millis(500);
/// One way.
const LATENCY: Duration = Duration::from_millis(20);
/// TCP's first repetition (RFC 6298 §2: a second at first, then what the path needs, 200 ms at least on Linux).
const REPEATED: Duration = Duration::from_millis(300);
/// A server's kernel gives up a peer that is gone.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What is under way.
#[derive(Debug)]
enum Parcel {
    ToServer(FlowId, Bytes),
    ToPhone(usize, FlowId, Bytes),
    HangUp(FlowId),
    /// A phone's attempt to connect, by its number.
    Reached(usize, usize),
    Command(usize, Value),
    /// Sound that can be heard before the call is answered.
    Sounds(usize, SessionId),
}

/// What a phone's user does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// Nothing.
    Rings,
    /// Answers after a while.
    Answers(Duration),
    /// Lets early media be heard, and answers after a while.
    Sounds(Duration),
}

#[derive(Debug)]
struct Line {
    flow: Option<FlowId>,
    /// Nothing passes, in either way, and nobody is told.
    is_dead: bool,
    /// Attempts to connect that were seen.
    asked: usize,
    disconnects: usize,
    media: usize,
    events: usize,
    manners: Manners,
    /// When the last message of each direction arrives: later ones do not overtake it.
    last: [Instant; 2],
}

/// What the network does to Alice's messages now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fine,
    Late,
    Lossy,
    Shuffled,
    Doubled,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rigs: Vec<Rig>,
    pub(super) now: Instant,
    pbx: Pbx,
    /// It was given something, and may have something to say.
    server_was_asked: bool,
    pbx_deadline: Option<Instant>,
    lines: Vec<Line>,
    parcels: BTreeMap<(Instant, u64), Parcel>,
    sound: Sound,
    rng: StdRng,
    weather: Weather,
    frozen_until: Instant,
    refuses_until: Instant,
    /// Alice's JavaScript runs nothing.
    is_blocked: bool,
    /// Alice's machine sleeps.
    sleeps: bool,
    /// How much Alice's clock is behind.
    skew: Duration,
    next_tick: Instant,
    numbers: u64,
    flows: u64,
    pub(super) rig_commands: Vec<(usize, Ticket, Value)>,
}

impl World {
    pub(super) fn new(way: Way, seed: u64) -> Self {
        let now = start();
        let mut rng = StdRng::seed_from_u64(seed);
        let rigs = USERS.iter().zip(0u8..).map(|(user, number)| {
            let options = json!({
                "uri": format!("sip:{user}@example.com"),
                "servers": if number == 0 { way.url() } else { "wss://pbx.example.com/ws" },
            });
            let seed = rng.random_range(0..80) * 3 + number;
            let mut rig = Rig::seeded(alice_with(options), seed, now);
            rig.registrar = false;
            rig.media_mode = Media::Manual;
            rig.answers_line_ends = number == 0 && matches!(way, Way::Tcp | Way::Tls);
            rig
        });
        let rigs: Vec<Rig> = rigs.collect();
        let line = || Line {
            flow: None,
            is_dead: false,
            asked: 0,
            disconnects: 0,
            media: 0,
            events: 0,
            manners: Manners::Rings,
            last: [now; 2],
        };
        let mut world = Self {
            lines: rigs.iter().map(|_| line()).collect(),
            rigs,
            now,
            pbx: server(now, 1),
            server_was_asked: true,
            pbx_deadline: None,
            parcels: BTreeMap::new(),
            sound: Sound::default(),
            rng,
            weather: Weather::Fine,
            frozen_until: now,
            refuses_until: now,
            is_blocked: false,
            sleeps: false,
            skew: Duration::ZERO,
            next_tick: now,
            numbers: 0,
            flows: 0,
            rig_commands: Vec::new(),
        };
        for who in 0..USERS.len() {
            world.command(who, json!({ "type": "initialize" }));
        }
        world.advance(Duration::from_secs(1));
        let registered = world.rigs.iter().all(|rig| rig.count("registered") == 1);
        assert!(registered, "{:?}", world.rigs[0].order);
        if !matches!(way, Way::Ws | Way::Wss) {
            // By then the phone knows that its server answers keep-alives.
            world.advance(Duration::from_secs(300));
        }
        world
    }

    /// What this phone's user does from now on when it rings.
    pub(super) fn manners(&mut self, who: usize, manners: Manners) {
        self.lines[who].manners = manners;
    }

    pub(super) fn command(&mut self, who: usize, command: Value) -> Ticket {
        let ticket = self.rigs[who].command(command.clone());
        self.rig_commands.push((who, ticket, command));
        self.settle();
        ticket
    }

    /// Gives a command later.
    pub(super) fn later(&mut self, after: Duration, who: usize, command: Value) {
        self.put(self.now + after, Parcel::Command(who, command));
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            self.settle();
            let at = self.next().min(end).max(self.now);
            let is_last = at == end && self.next() > end;
            self.now = at;
            self.wake();
            if is_last {
                return self.settle();
            }
        }
    }

    /// Lets time pass until something is so, ten seconds at most.
    pub(super) fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..500 {
            if is_so(self) {
                return;
            }
            self.advance(Duration::from_millis(20));
        }
        panic!("{what} never came: {:?}", self.rigs[ALICE].order);
    }

    /// Lets it happen.
    pub(super) fn strike(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::SocketDrop => self.drop_line(ALICE),
            Trouble::HalfOpen => self.silence(),
            Trouble::AddressChange => {
                self.silence();
                self.move_alice();
            }
            Trouble::TurnDeath => self.move_alice(),
            Trouble::ServerRestart => {
                self.refuses_until = self.now + trouble.lasts();
                for who in 0..USERS.len() {
                    self.drop_line(who);
                }
                self.numbers += 1;
                self.pbx = server(self.now, 2);
                self.server_was_asked = true;
                self.parcels
                    .retain(|_, parcel| !matches!(parcel, Parcel::HangUp(_)));
            }
            Trouble::Freeze => {
                self.frozen_until = self.now + trouble.lasts();
                for rig in &mut self.rigs {
                    rig.pongs = false;
                }
            }
            Trouble::Loss => self.weather = Weather::Late,
            Trouble::Forgotten => self.weather = Weather::Lossy,
            Trouble::Reordering => self.weather = Weather::Shuffled,
            Trouble::Duplication => self.weather = Weather::Doubled,
            Trouble::ShortSleep | Trouble::LongSleep | Trouble::ClockJump => {
                self.sleeps = true;
                self.sound.deaf = Some(ALICE);
                if trouble.lasts() > FORGOTTEN {
                    self.silence();
                }
            }
            Trouble::JavaScriptBlocked => {
                self.is_blocked = true;
                self.rigs[ALICE].listens = false;
            }
        }
    }

    /// Lets it be over.
    pub(super) fn heal(&mut self, trouble: Trouble) {
        self.weather = Weather::Fine;
        match trouble {
            Trouble::Freeze => {
                for rig in &mut self.rigs {
                    rig.pongs = true;
                    rig.late_pong();
                }
            }
            Trouble::ShortSleep | Trouble::LongSleep => {
                self.skew += trouble.lasts();
                self.awake();
            }
            Trouble::ClockJump => self.awake(),
            Trouble::JavaScriptBlocked => self.unblock(),
            Trouble::SocketDrop
            | Trouble::HalfOpen
            | Trouble::ServerRestart
            | Trouble::Loss
            | Trouble::Forgotten
            | Trouble::Reordering
            | Trouble::Duplication
            | Trouble::AddressChange
            | Trouble::TurnDeath => {}
        }
        self.settle();
    }

    fn awake(&mut self) {
        self.sleeps = false;
        self.sound.deaf = None;
        let rig = &mut self.rigs[ALICE];
        rig.now = self.now - self.skew;
        rig.advance(Duration::ZERO);
    }

    /// What was delivered while JavaScript was blocked is heard now.
    fn unblock(&mut self) {
        self.is_blocked = false;
        let rig = &mut self.rigs[ALICE];
        rig.listens = true;
        let unheard: Vec<SessionId> = rig.events[self.lines[ALICE].events..]
            .iter()
            .filter_map(|event| match event {
                Event::PendingSession(pending) => Some(pending.id),
                Event::SessionStarted { session } => Some(session.id),
                _ => None,
            })
            .collect();
        for id in unheard {
            rig.command(json!({ "type": "delivered", "id": id }));
        }
    }

    fn move_alice(&mut self) {
        *self.sound.places.entry(ALICE).or_default() += 1;
    }

    /// Alice's connection is dead, and neither she nor the server knows.
    fn silence(&mut self) {
        self.rigs[ALICE].pongs = false;
        self.lines[ALICE].is_dead = true;
        if let Some(flow) = self.lines[ALICE].flow {
            self.put(self.now + FORGOTTEN, Parcel::HangUp(flow));
        }
    }

    fn drop_line(&mut self, who: usize) {
        let Some(flow) = self.lines[who].flow.take() else {
            return;
        };
        self.rigs[who].down();
        self.server(|pbx, now| pbx.handle_disconnected(flow, now));
    }

    fn server(&mut self, take: impl FnOnce(&mut Pbx, Instant)) {
        self.server_was_asked = true;
        take(&mut self.pbx, self.now);
    }

    fn put(&mut self, at: Instant, parcel: Parcel) {
        self.numbers += 1;
        self.parcels.insert((at, self.numbers), parcel);
    }

    fn next(&self) -> Instant {
        let parcel = self.parcels.keys().next().map(|(at, _)| *at);
        let rigs = self.rigs.iter().enumerate().filter_map(|(who, rig)| {
            let sleeps = who == ALICE && self.sleeps;
            let is_down = rig.closed || sleeps;
            let skew = self.skew_of(who);
            rig.deadline.filter(|_| !is_down).map(|at| at + skew)
        });
        let tick = self.sound.is_restless().then_some(self.next_tick);
        let others = [tick, self.pbx_deadline, parcel];
        let all = others.into_iter().flatten().chain(rigs);
        all.min().unwrap_or(self.now + FORGOTTEN)
    }

    fn skew_of(&self, who: usize) -> Duration {
        match who {
            ALICE => self.skew,
            _ => Duration::ZERO,
        }
    }

    /// Everybody whose time has come.
    fn wake(&mut self) {
        for who in 0..self.rigs.len() {
            if who == ALICE && self.sleeps {
                continue;
            }
            let now = self.now - self.skew_of(who);
            let rig = &mut self.rigs[who];
            rig.advance(now.saturating_duration_since(rig.now));
        }
        if self.pbx_deadline.is_some_and(|at| at <= self.now) {
            self.server(|pbx, now| pbx.handle_timeout(now));
        }
        if self.next_tick <= self.now {
            self.next_tick = self.now + TICK;
            for (who, id, event) in self.sound.tick(self.now) {
                if !(who == ALICE && self.sleeps) {
                    self.rigs[who].media_event(id, event);
                }
            }
        }
        self.settle();
        while let Some(entry) = self.parcels.first_entry() {
            if entry.key().0 > self.now {
                return;
            }
            let parcel = entry.remove();
            self.deliver(parcel);
            self.settle();
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToServer(flow, bytes) => {
                self.server(|pbx, now| pbx.handle_signaling(flow, bytes, now));
            }
            Parcel::ToPhone(who, flow, bytes) => {
                let is_there = self.lines[who].flow == Some(flow) && !self.lines[who].is_dead;
                match who == ALICE && self.sleeps {
                    true if is_there => {
                        let again = self.now + Duration::from_millis(200);
                        self.put(again, Parcel::ToPhone(who, flow, bytes));
                    }
                    false if is_there => self.rigs[who].receive(bytes),
                    true | false => {}
                }
            }
            Parcel::HangUp(flow) => self.server(|pbx, now| pbx.handle_disconnected(flow, now)),
            Parcel::Reached(who, attempt) => self.reached(who, attempt),
            Parcel::Command(who, command) => {
                if who == ALICE && (self.is_blocked || self.sleeps) {
                    let again = self.now + Duration::from_millis(100);
                    return self.put(again, Parcel::Command(who, command));
                }
                self.command(who, command);
            }
            Parcel::Sounds(who, id) => {
                self.command(who, json!({ "type": "sendEarlyMedia", "id": id }));
            }
        }
    }

    fn reached(&mut self, who: usize, attempt: usize) {
        if who == ALICE && self.sleeps {
            return self.put(self.now + TICK, Parcel::Reached(who, attempt));
        }
        if self.rigs[who].connects.len() != attempt || self.rigs[who].closed {
            return;
        }
        if self.now < self.refuses_until {
            return self.refuse(who);
        }
        if self.now < self.frozen_until {
            return self.put(self.now + TICK, Parcel::Reached(who, attempt));
        }
        self.flows += 1;
        let flow = FlowId(self.flows);
        let peer: SocketAddr = ([192, 0, 2, 1], 40_000).into();
        self.server(|pbx, now| pbx.handle_connected(flow, peer, now));
        let line = &mut self.lines[who];
        (line.flow, line.is_dead) = (Some(flow), false);
        self.rigs[who].pongs = true;
        let local = ([192, 0, 2, 1], 40_000 + self.flows as u16).into();
        self.rigs[who].up_at(local);
    }

    fn refuse(&mut self, who: usize) {
        self.rigs[who].connection(Connection::Refused {
            code: ErrorCode::ConnectionFailed,
            reason: "refused".into(),
        });
    }

    /// Takes what everybody has to say until nobody has anything.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut is_quiet = !self.take_server();
            for who in 0..self.rigs.len() {
                is_quiet &= !self.take_phone(who);
            }
            if is_quiet {
                return;
            }
        }
        panic!("they never stop talking");
    }

    fn take_server(&mut self) -> bool {
        if !std::mem::take(&mut self.server_was_asked) {
            return false;
        }
        let mut said = false;
        loop {
            match self.pbx.poll_output() {
                pbx::Output::Send { flow, bytes } => {
                    said = true;
                    let who = self.lines.iter().position(|line| line.flow == Some(flow));
                    if let Some(who) = who.filter(|who| !self.lines[*who].is_dead) {
                        let make = |bytes| Parcel::ToPhone(who, flow, bytes);
                        self.post(who, 1, bytes.0, make);
                    }
                }
                pbx::Output::Close { flow } => {
                    said = true;
                    let who = self.lines.iter().position(|line| line.flow == Some(flow));
                    match who {
                        Some(who) => self.drop_line(who),
                        None => self.server(|pbx, now| pbx.handle_disconnected(flow, now)),
                    }
                }
                pbx::Output::Timeout(at, _) => {
                    self.pbx_deadline = at;
                    return said;
                }
                pbx::Output::Closed => return said,
                pbx::Output::Media(..)
                | pbx::Output::Relay(_)
                | pbx::Output::Event(_)
                | pbx::Output::Reply(..) => said = true,
            }
        }
    }

    fn take_phone(&mut self, who: usize) -> bool {
        let mut said = false;
        while let Some(frame) = self.rigs[who].outbox.pop_front() {
            said = true;
            let flow = self.lines[who].flow.filter(|_| !self.lines[who].is_dead);
            if let Some(flow) = flow {
                self.post(who, 0, frame, |bytes| Parcel::ToServer(flow, bytes));
            }
        }
        if self.rigs[who].disconnects > self.lines[who].disconnects {
            self.lines[who].disconnects = self.rigs[who].disconnects;
            self.leave(who);
        }
        let attempt = self.rigs[who].connects.len();
        if attempt > self.lines[who].asked {
            self.lines[who].asked = attempt;
            self.leave(who);
            self.put(self.now + 2 * LATENCY, Parcel::Reached(who, attempt));
            said = true;
        }
        said |= self.take_media(who);
        self.take_events(who);
        said
    }

    /// The phone closes its connection after what it has sent.
    fn leave(&mut self, who: usize) {
        if let Some(flow) = self.lines[who].flow.take() {
            let at = self.lines[who].last[0].max(self.now + LATENCY);
            self.put(at, Parcel::HangUp(flow));
        }
    }

    fn take_media(&mut self, who: usize) -> bool {
        let mut said = false;
        while let Some((id, command)) = self.rigs[who].media.get(self.lines[who].media) {
            self.lines[who].media += 1;
            said = true;
            let id = *id;
            for event in self.sound.obey(who, id, command) {
                self.rigs[who].media_event(id, event);
            }
        }
        said
    }

    fn take_events(&mut self, who: usize) {
        if who == ALICE && self.is_blocked {
            return;
        }
        while let Some(event) = self.rigs[who].events.get(self.lines[who].events) {
            self.lines[who].events += 1;
            match event {
                Event::PendingSession(pending) => {
                    let id = pending.id;
                    self.answer(who, id);
                }
                Event::TransferRequested { id, .. } => {
                    let command = json!({ "type": "acceptTransfer", "id": id });
                    self.later(Duration::from_millis(200), who, command);
                }
                _ => {}
            }
        }
    }

    fn answer(&mut self, who: usize, id: SessionId) {
        match self.lines[who].manners {
            Manners::Rings => {}
            Manners::Answers(after) => {
                self.later(after, who, json!({ "type": "accept", "id": id }));
            }
            Manners::Sounds(after) => {
                let options = json!({ "autoConnectSession": false });
                let accept = json!({ "type": "accept", "id": id, "options": options });
                self.later(Duration::from_millis(50), who, accept);
                let at = self.now + Duration::from_millis(100);
                self.put(at, Parcel::Sounds(who, id));
                self.later(after, who, json!({ "type": "connect", "id": id }));
            }
        }
    }

    /// Sends one message; `direction` is 0 to the server.
    fn post(&mut self, who: usize, direction: usize, bytes: Bytes, make: impl Fn(Bytes) -> Parcel) {
        let mut delay = LATENCY + Duration::from_millis(self.rng.random_range(0..5));
        let meets = who == ALICE && self.rng.random_bool(0.3);
        let weather = if meets { self.weather } else { Weather::Fine };
        match weather {
            Weather::Fine | Weather::Doubled => {}
            Weather::Late => {
                delay += REPEATED * 2u32.pow(u32::from(self.rng.random_bool(0.3)));
            }
            Weather::Lossy => return,
            Weather::Shuffled => {
                // What follows overtakes it.
                let at = self.now + delay + Duration::from_millis(150);
                return self.put(at, make(bytes));
            }
        }
        let at = (self.now + delay).max(self.frozen_until);
        let at = at.max(self.lines[who].last[direction]);
        self.lines[who].last[direction] = at;
        if weather == Weather::Doubled {
            self.put(at, make(bytes.clone()));
        }
        self.put(at, make(bytes));
    }
}

fn server(now: Instant, seed: u8) -> Pbx {
    let user = |name: &str| pbx::User {
        name: name.into(),
        password: Some(pbx::Password::new("secret")),
        token: None,
    };
    let config = pbx::Config {
        domain: "example.com".into(),
        users: USERS.map(user).into(),
        ..pbx::Config::default()
    };
    let address: SocketAddr = ([192, 0, 2, 10], 5060).into();
    Pbx::new(config, address, [seed; 32], now, EPOCH).expect("a good configuration")
}
