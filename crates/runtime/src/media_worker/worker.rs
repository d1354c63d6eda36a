//! A media thread's loop: wait for datagrams, orders, deadlines or the tick; drive what is due.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{io, mem};

use cpu_time::ThreadTime;
use media::Thrift;
use media::transport::Silence;
use mio::{Events, Poll, Token, Waker};

use super::figures;
use super::hosted::{Hosted, Life};
use super::load::{Economy, Gauge, Load, Reading};
use super::order::{self, ConferenceOrder, Key, Message, Order, Spec};
use super::sockets::{self, DATAGRAM, Readiness, Sockets};
use crate::audio::{Conference, SinkGroup};
use crate::tick_clock::{Clock, TICK};
use crate::video::Wake;

/// How many more sessions may begin their frames on one phase than on the other: some hundred
/// microseconds of encoding, far less than the 10 ms that waiting for the other phase would cost.
const MOST_UNEVEN: usize = 4;

/// How long orders, datagrams or ticks are worked off before the others get their turn: with more sound to make than there is time for,
/// calls are still set up and ended, and a burst of handshakes does not silence those that are up.
const TURN: Duration = Duration::from_millis(2);

const WAKE: Token = Token(usize::MAX);

/// One media thread's state.
pub(super) struct Worker {
    poll: Poll,
    waker: Arc<Waker>,
    /// For who wakes the thread for a session.
    post: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    /// The turn was over before the inbox was empty.
    unordered: bool,
    sessions: BTreeMap<Key, Hosted>,
    /// Those that have members.
    conferences: BTreeMap<Key, Conference>,
    /// Deadlines, some outdated: what counts is the session's own.
    deadlines: BinaryHeap<Reverse<(Instant, Key)>>,
    clock: Clock,
    /// How many sessions tick on even and on odd ticks.
    ticking: [usize; 2],
    /// Sockets with something to read, in turn.
    unread: VecDeque<(Key, usize)>,
    /// Sockets that had more than a turn's worth, and when they have their next.
    flooded: VecDeque<(Instant, (Key, usize))>,
    /// Sessions that the current tick has still to reach.
    unticked: VecDeque<Key>,
    /// Sessions whose pictures the current tick has still to reach.
    unshown: VecDeque<Key>,
    /// Whom to wake when it has reached all.
    readers: Vec<Arc<SinkGroup>>,
    buffer: Vec<u8>,
    load: Load,
    /// Of the window before.
    reading: Reading,
    economy: Economy,
    gauge: Arc<Gauge>,
    stopping: bool,
}

impl Worker {
    pub(super) fn new(
        (post, inbox): (mpsc::Sender<Message>, mpsc::Receiver<Message>),
        epoch: Instant,
        gauge: Arc<Gauge>,
    ) -> io::Result<(Worker, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let worker = Worker {
            poll,
            waker: Arc::clone(&waker),
            post,
            inbox,
            unordered: false,
            sessions: BTreeMap::new(),
            conferences: BTreeMap::new(),
            deadlines: BinaryHeap::new(),
            clock: Clock::new(epoch),
            ticking: [0; 2],
            unread: VecDeque::new(),
            flooded: VecDeque::new(),
            unticked: VecDeque::new(),
            unshown: VecDeque::new(),
            readers: Vec::new(),
            buffer: vec![0; DATAGRAM],
            load: Load::new(epoch, Duration::ZERO),
            reading: Reading::default(),
            economy: Economy::new(),
            gauge,
            stopping: false,
        };
        Ok((worker, waker))
    }

    /// Runs until the pool is dropped; where that fails, no session is left without a word.
    pub(super) fn run(mut self) {
        match catch_unwind(AssertUnwindSafe(|| self.serve())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.break_off(&format!(
                    "a media thread can't wait for its sockets: {error}"
                ));
            }
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                self.break_off(&format!("a media thread broke: {text}"));
            }
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        while !self.stopping {
            self.wait(&mut events)?;
            let from = self.awake_since(Instant::now());
            self.take_messages();
            self.read_sockets(Instant::now());
            self.run_deadlines();
            self.run_ticks();
            self.run_pictures();
            self.measure(from, Instant::now(), cpu_time);
        }
        Ok(())
    }

    /// Waits until there is something to do.
    pub(super) fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.timeout(Instant::now())) {
            Ok(()) => {
                self.note_readable(events);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Since when there is something to do: a tick that the system let wait was due before the thread awoke.
    pub(super) fn awake_since(&self, woke: Instant) -> Instant {
        match self.is_ticking() {
            true => woke.min(self.clock.deadline()),
            false => woke,
        }
    }

    /// Takes note of what was done from `from` to `now`, and once a second of what follows; `cpu` is the thread's so far.
    pub(super) fn measure(&mut self, from: Instant, now: Instant, cpu: impl FnOnce() -> Duration) {
        if !self.is_ticking() {
            return self.rest(now, cpu());
        }
        self.load.worked(from, now);
        if self.load.is_due(now) {
            let reading = self.load.reading(now, cpu());
            let before = mem::replace(&mut self.reading, reading);
            self.gauge.show(reading, before);
            for session in self.sessions.values_mut() {
                session.set_pressure(reading.pressure());
            }
            if let Some(thrift) = self.economy.take(reading) {
                self.set_thrift(thrift);
            }
        }
    }

    /// Nothing ticks, and what was measured is past.
    fn rest(&mut self, now: Instant, cpu: Duration) {
        self.load = Load::new(now, cpu);
        self.reading = Reading::default();
        self.gauge.rest();
        if mem::replace(&mut self.economy, Economy::new()).thrift() != Thrift::None {
            self.set_thrift(Thrift::None);
        }
    }

    fn set_thrift(&mut self, thrift: Thrift) {
        if thrift != Thrift::None {
            figures::count_thrift();
        }
        for session in self.sessions.values_mut() {
            session.set_thrift(thrift);
        }
    }

    /// Tells every session that is here, or on its way here, that it is over.
    pub(super) fn break_off(mut self, reason: &str) {
        for session in mem::take(&mut self.sessions).into_values() {
            session.crashed(reason.to_owned());
            // A broken session may break again while it is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(session)));
        }
        for conference in mem::take(&mut self.conferences).values() {
            conference.broke(reason);
        }
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                Message::Host(_, spec) => spec.refuse(reason.to_owned()),
                Message::Conference(..) | Message::Order(..) | Message::Show(_) | Message::Stop => {
                }
            }
        }
    }

    fn timeout(&self, now: Instant) -> Option<Duration> {
        let unfinished = !(self.unticked.is_empty() && self.unshown.is_empty());
        if self.unordered || !self.unread.is_empty() || unfinished {
            return Some(Duration::ZERO);
        }
        let tick = self.is_ticking().then(|| self.clock.deadline());
        let deadline = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let flooded = self.flooded.front().map(|(at, _)| *at);
        let next = tick.into_iter().chain(deadline).chain(flooded).min()?;
        Some(next.saturating_duration_since(now))
    }

    pub(super) fn take_messages(&mut self) {
        let until = Instant::now() + TURN;
        self.unordered = false;
        while !self.unordered
            && let Ok(message) = self.inbox.try_recv()
        {
            self.unordered = Instant::now() >= until;
            match message {
                Message::Host(key, spec) => self.host(key, spec),
                Message::Order(key, order) => self.order(key, *order),
                Message::Conference(key, order) => self.order_conference(key, order),
                Message::Show(key) => self.show_soon(key),
                Message::Stop => self.stopping = true,
            }
        }
    }

    fn host(&mut self, key: Key, spec: Spec) {
        let Spec {
            id,
            addresses,
            ports,
            build,
            news,
        } = spec;
        let refused = |reason| order::refuse(id, &news, reason);
        let registry = self.poll.registry();
        let (sockets, bound) =
            match Sockets::bind((&addresses, ports), registry, first_token(key), None) {
                Ok(bound) => bound,
                Err(error) => return refused(format!("no UDP socket could be opened: {error}")),
            };
        match catch_unwind(AssertUnwindSafe(|| build(bound, Instant::now()))) {
            Ok(Ok(engine)) => {
                let mut session = Hosted::new(id, engine, sockets, news);
                session.set_thrift(self.economy.thrift());
                self.sessions.insert(key, session);
            }
            Ok(Err(reason)) => refused(reason),
            Err(panic) => refused(panic_text(panic.as_ref())),
        }
    }

    fn order(&mut self, key: Key, order: Order) {
        if let Order::Addresses(all, silence) = order {
            return self.follow_addresses(key, &all, silence);
        }
        if let Order::Network { all, rerouted } = order {
            self.follow_addresses(key, &all, Silence::IsWaitedOut);
            if let Some(session) = self.sessions.get_mut(&key) {
                session.follow_network(rerouted);
            }
            return;
        }
        if let Order::Show(_, Some(reader)) = &order {
            reader.wake_by(self.waker_of(key));
        }
        if self.drive(key, |session, now| session.order(order, now)) == Some(Life::Over) {
            self.remove(key);
        }
    }

    /// A session whose own address is gone gets sockets on those that there are.
    fn follow_addresses(&mut self, key: Key, addresses: &[IpAddr], silence: Silence) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        if !session.has_moved(addresses, silence) {
            return;
        }
        let registry = self.poll.registry();
        let wanted = (addresses, session.sockets.ports());
        let old = Some(&mut session.sockets);
        match Sockets::bind(wanted, registry, first_token(key), old) {
            Ok((sockets, bound)) => {
                session.sockets.deregister(registry);
                self.drive(key, |session, now| {
                    session.take_sockets(sockets, bound, now)
                });
            }
            // It stays where it was; there may be an address when it is asked for the next offer.
            Err(error) => tracing::debug!(%error, "no address is left for media"),
        }
    }

    /// Has a session look for frames when they come, and not on its next tick.
    fn waker_of(&self, key: Key) -> Wake {
        let (post, waker) = (self.post.clone(), Arc::clone(&self.waker));
        Arc::new(move || {
            if post.send(Message::Show(key)).is_ok() {
                // It fails if the thread has ended, and with it the session.
                let _ = waker.wake();
            }
        })
    }

    /// Frames of a session that does not tick wait until it does.
    fn show_soon(&mut self, key: Key) {
        let ticks = |session: &Hosted| session.phase.is_some();
        if self.sessions.get(&key).is_some_and(ticks) && !self.unshown.contains(&key) {
            self.unshown.push_back(key);
        }
    }

    fn order_conference(&mut self, key: Key, order: ConferenceOrder) {
        match order {
            ConferenceOrder::Join(seat, member) => {
                self.start_clock();
                self.conferences
                    .entry(key)
                    .or_insert_with(Conference::new)
                    .join(seat, *member);
            }
            ConferenceOrder::Leave(seat) => {
                if let Some(conference) = self.conferences.get_mut(&key) {
                    conference.leave(seat);
                    if conference.is_empty() {
                        self.conferences.remove(&key);
                    }
                }
            }
            ConferenceOrder::Seat(seat, order) => {
                if let Some(conference) = self.conferences.get_mut(&key) {
                    conference.order(seat, *order);
                }
            }
            ConferenceOrder::Report(report) => {
                if let Some(conference) = self.conferences.get_mut(&key) {
                    conference.report(report);
                }
            }
            ConferenceOrder::Record(tap) => {
                if let Some(conference) = self.conferences.get_mut(&key) {
                    conference.record(tap);
                }
            }
            ConferenceOrder::Close => {
                self.conferences.remove(&key);
            }
        }
    }

    fn note_readable(&mut self, events: &Events) {
        for event in events {
            if event.token() != WAKE {
                let key = Key((event.token().0 / sockets::MAX) as u64);
                let socket = (key, event.token().0 % sockets::MAX);
                // One turn each, however often a socket says that there is more.
                let waits = self.flooded.iter().any(|(_, waiting)| *waiting == socket);
                if !waits && !self.unread.contains(&socket) {
                    self.unread.push_back(socket);
                }
            }
        }
    }

    /// A socket that has more than a turn's worth waits a tick for its next: what anybody sends to its port costs a bounded
    /// part of the thread's time, and the system drops the rest.
    pub(super) fn read_sockets(&mut self, now: Instant) {
        while let Some((at, socket)) = self.flooded.front().copied()
            && at <= now
        {
            self.flooded.pop_front();
            self.unread.push_back(socket);
        }
        let until = Instant::now() + TURN;
        for _ in 0..self.unread.len() {
            let Some((key, socket)) = self.unread.pop_front() else {
                return;
            };
            let mut buffer = mem::take(&mut self.buffer);
            let more = self.drive(key, |session, started| {
                session.receive(socket, &mut buffer, now, started)
            });
            self.buffer = buffer;
            if more == Some(Readiness::More) {
                self.flooded.push_back((now + TICK, (key, socket)));
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn run_deadlines(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((at, key))) = self.deadlines.peek().copied() {
            if at > now {
                break;
            }
            self.deadlines.pop();
            let due = |session: &Hosted| session.deadline == Some(at);
            if self.sessions.get(&key).is_some_and(due) {
                self.drive(key, Hosted::timeout);
            }
        }
    }

    fn run_ticks(&mut self) {
        let until = Instant::now() + TURN;
        loop {
            if self.unticked.is_empty() && !self.begin_tick() {
                return;
            }
            let begun = Instant::now();
            while let Some(key) = self.unticked.pop_front() {
                self.tick(key);
                if Instant::now() >= until {
                    break;
                }
            }
            if self.unticked.is_empty() {
                self.tick_conferences();
            }
            self.load.sounded(begun.elapsed());
            if !self.unticked.is_empty() {
                return;
            }
            for reader in self.readers.drain(..) {
                reader.wake();
            }
            if Instant::now() >= until {
                return;
            }
        }
    }

    /// Begins the next tick if it is due. Sessions join on the tick of their phase, so that the 20 ms frames of half of
    /// them are made on even ticks and of the other half on odd ones.
    fn begin_tick(&mut self) -> bool {
        if !self.is_ticking() {
            return false;
        }
        let Some(number) = self.clock.take(Instant::now()) else {
            return false;
        };
        let late = mem::take(&mut self.clock.late);
        let skipped = mem::take(&mut self.clock.skipped);
        self.load.skipped(skipped);
        figures::count(1, late, skipped);
        let joining = self
            .sessions
            .iter_mut()
            .filter_map(|(key, session)| session.joins_tick(number).then_some(*key));
        self.unticked.extend(joining);
        self.load.ticked(self.unticked.len());
        let sessions = self.sessions.iter();
        let seen = sessions.filter_map(|(key, session)| session.has_pictures().then_some(*key));
        // Those that the last tick did not reach come first.
        for key in seen {
            if !self.unshown.contains(&key) {
                self.unshown.push_back(key);
            }
        }
        true
    }

    /// Pictures, once all sound of the tick is made, as long as there is time.
    pub(super) fn run_pictures(&mut self) {
        let until = Instant::now() + TURN;
        while self.unticked.is_empty()
            && let Some(key) = self.unshown.pop_front()
        {
            self.drive(key, Hosted::show);
            if Instant::now() >= until {
                return;
            }
        }
    }

    fn tick(&mut self, key: Key) {
        let reader = self.drive(key, |session, now| session.tick(now).cloned());
        if let Some(Some(reader)) = reader {
            note(&mut self.readers, &reader);
        }
    }

    // After the sessions: conferences mix what these have just heard.
    fn tick_conferences(&mut self) {
        let readers = &mut self.readers;
        let now = Instant::now();
        self.conferences.retain(|_, conference| {
            let tick = || conference.tick(now, |reader| note(readers, reader));
            let ticked = catch_unwind(AssertUnwindSafe(tick));
            if let Err(panic) = &ticked {
                let reason = panic_text(panic.as_ref());
                tracing::error!(reason, "a conference broke");
                conference.broke(&reason);
            }
            ticked.is_ok()
        });
    }

    /// Gives one session one input and notes what it wants next; a panic ends that session.
    fn drive<T>(&mut self, key: Key, input: impl FnOnce(&mut Hosted, Instant) -> T) -> Option<T> {
        let session = self.sessions.get_mut(&key)?;
        let before = session.deadline;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let now = Instant::now();
            let outcome = input(session, now);
            session.follow_flow(now);
            (outcome, session.needs_tick())
        }));
        match outcome {
            Ok((outcome, needs_tick)) => {
                if session.deadline != before
                    && let Some(deadline) = session.deadline
                {
                    self.deadlines.push(Reverse((deadline, key)));
                }
                self.set_ticking(key, needs_tick);
                Some(outcome)
            }
            Err(panic) => {
                session.crashed(panic_text(panic.as_ref()));
                self.remove(key);
                None
            }
        }
    }

    fn set_ticking(&mut self, key: Key, needs_tick: bool) {
        if needs_tick {
            self.start_clock();
        }
        let phase = self.phase();
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        match (session.phase, needs_tick) {
            (None, true) => {
                self.ticking[phase] += 1;
                session.join_at(phase);
            }
            (Some(phase), false) => {
                self.ticking[phase] -= 1;
                session.leave();
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    // The next tick's phase, so that sound begins at once, unless that one has too many already.
    fn phase(&self) -> usize {
        let soonest = (self.clock.next() % 2) as usize;
        if self.ticking[soonest] > self.ticking[1 - soonest] + MOST_UNEVEN {
            return 1 - soonest;
        }
        soonest
    }

    fn remove(&mut self, key: Key) {
        self.set_ticking(key, false);
        if let Some(mut session) = self.sessions.remove(&key) {
            session.sockets.deregister(self.poll.registry());
            // A broken session may break again while it is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(session)));
        }
    }

    // Before the first one that needs a tick is noted as such.
    fn start_clock(&mut self) {
        if !self.is_ticking() {
            self.clock.resume(Instant::now());
        }
    }

    fn is_ticking(&self) -> bool {
        self.ticking != [0; 2] || !self.conferences.is_empty()
    }
}

/// What the processor has given this thread; nothing where the system does not say, and then nobody is refused.
fn cpu_time() -> Duration {
    ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

fn first_token(key: Key) -> Token {
    Token(key.0 as usize * sockets::MAX)
}

fn note(readers: &mut Vec<Arc<SinkGroup>>, reader: &Arc<SinkGroup>) {
    if !readers.iter().any(|known| Arc::ptr_eq(known, reader)) {
        readers.push(Arc::clone(reader));
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a text".to_owned())
}
