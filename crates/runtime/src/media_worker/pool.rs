//! The process's media threads and the handles of the sessions on them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;
use std::{fmt, io, thread};

use mio::Waker;

use super::load::Gauge;
use super::order::{ConferenceOrder, Key, Message, Order, Spec};
use super::worker::Worker;
use crate::audio::{LevelsReport, Member, SeatId, SeatOrder, Tap};

/// More threads than this gain nothing: the work is small and the memory bus is shared.
const MAX_WORKERS: usize = 4;

static POOL: Mutex<Weak<Pool>> = Mutex::new(Weak::new());
static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

/// The media threads; they end when the last [`Handle`] is dropped.
pub(crate) struct Pool {
    threads: Vec<Thread>,
}

struct Thread {
    messages: mpsc::Sender<Message>,
    waker: Arc<Waker>,
    gauge: Arc<Gauge>,
    /// Taken when the pool ends.
    join: Option<JoinHandle<()>>,
}

impl Pool {
    /// The process's pool, started if it does not run.
    pub(crate) fn shared() -> io::Result<Arc<Pool>> {
        let mut shared = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = shared.upgrade() {
            return Ok(pool);
        }
        let pool = Arc::new(Pool::start()?);
        *shared = Arc::downgrade(&pool);
        Ok(pool)
    }

    /// How full the threads are on average: 1 where all of them are.
    fn load(&self) -> f64 {
        let loads = self.threads.iter().map(|thread| thread.gauge.load());
        loads.sum::<f64>() / self.threads.len() as f64
    }

    /// The thread with the fewest sessions of those that are not full.
    fn emptiest(&self) -> usize {
        let fullness = |index: &usize| {
            let gauge = &self.threads[*index].gauge;
            (gauge.load() >= 1.0, gauge.placed())
        };
        (0..self.threads.len())
            .min_by_key(fullness)
            .unwrap_or_default()
    }

    fn start() -> io::Result<Pool> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let epoch = Instant::now();
        Self::of((0..cores.min(MAX_WORKERS)).map(|index| Thread::start(index, epoch)))
    }

    /// Fewer threads than wanted are enough; without any the first failure is told.
    fn of(started: impl Iterator<Item = io::Result<Thread>>) -> io::Result<Pool> {
        let mut threads = Vec::new();
        let mut failure = None;
        for thread in started {
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if threads.is_empty() => Err(error),
            Some(_) | None => Ok(Pool { threads }),
        }
    }

    /// Hosts a session on the thread with the fewest of those that are not full.
    pub(crate) fn host(self: Arc<Pool>, spec: Spec) -> Handle {
        let place = Place::choose(self);
        place.thread().send(Message::Host(place.key, spec));
        Handle { place }
    }

    /// Makes a conference without members, on the thread with the fewest sessions.
    pub(crate) fn conference(self: Arc<Pool>) -> Arc<Conference> {
        Arc::new(Conference {
            place: Place::choose(self),
            next_seat: AtomicU64::new(0),
        })
    }
}

/// How full the media threads are, 0 to 1: at 1 no session should come.
pub fn load() -> f64 {
    let shared = POOL
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .upgrade();
    shared.map_or(0.0, |pool| pool.load())
}

impl Drop for Pool {
    fn drop(&mut self) {
        for thread in &self.threads {
            thread.send(Message::Stop);
        }
        for thread in &mut self.threads {
            if let Some(join) = thread.join.take() {
                let _ = join.join();
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads.len())
            .finish()
    }
}

impl Thread {
    fn start(index: usize, epoch: Instant) -> io::Result<Thread> {
        // Unbounded: orders are few, and the thread never waits for anything else.
        let (messages, inbox) = mpsc::channel();
        let gauge = Arc::new(Gauge::default());
        let (worker, waker) = Worker::new((messages.clone(), inbox), epoch, Arc::clone(&gauge))?;
        let join = thread::Builder::new()
            .name(format!("offhook-media-{index}"))
            .spawn(move || worker.run())?;
        Ok(Thread {
            messages,
            waker,
            gauge,
            join: Some(join),
        })
    }

    fn send(&self, message: Message) {
        if let Err(mpsc::SendError(message)) = self.messages.send(message) {
            return undelivered(message);
        }
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a media thread can't be woken");
        }
    }
}

/// The thread broke before; its sessions were told then.
fn undelivered(message: Message) {
    match message {
        Message::Host(_, spec) => spec.refuse("its media thread has ended".to_owned()),
        Message::Conference(..) | Message::Order(..) | Message::Show(_) | Message::Stop => {}
    }
}

/// Where something runs; it counts as one session of its thread.
#[derive(Debug)]
struct Place {
    pool: Arc<Pool>,
    index: usize,
    key: Key,
}

impl Place {
    fn choose(pool: Arc<Pool>) -> Place {
        let index = pool.emptiest();
        pool.threads[index].gauge.place();
        let key = Key(NEXT_KEY.fetch_add(1, Ordering::Relaxed));
        Place { pool, index, key }
    }

    fn thread(&self) -> &Thread {
        &self.pool.threads[self.index]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.thread().gauge.leave();
    }
}

/// One hosted session; dropping it ends the session.
#[derive(Debug)]
pub(crate) struct Handle {
    place: Place,
}

impl Handle {
    /// A way to the session for what goes on beside it.
    pub(crate) fn post(&self) -> Post {
        let thread = self.place.thread();
        Post {
            messages: thread.messages.clone(),
            waker: Arc::clone(&thread.waker),
            key: self.place.key,
        }
    }

    /// Gives the session an order; orders arrive in order.
    pub(crate) fn send(&self, order: Order) {
        let order = Message::Order(self.place.key, Box::new(order));
        self.place.thread().send(order);
    }
}

/// Gives orders to a session without keeping it; there may be none any more.
pub(crate) struct Post {
    messages: mpsc::Sender<Message>,
    waker: Arc<Waker>,
    key: Key,
}

impl Post {
    pub(crate) fn send(&self, order: Order) {
        let order = Message::Order(self.key, Box::new(order));
        if self.messages.send(order).is_ok() {
            // It fails if the thread has ended, and with it the session.
            let _ = self.waker.wake();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.send(Order::Close);
    }
}

/// One conference, which its seats keep alive.
#[derive(Debug)]
pub(crate) struct Conference {
    place: Place,
    next_seat: AtomicU64,
}

impl Conference {
    /// Takes part from the next tick on.
    pub(crate) fn join(self: Arc<Conference>, member: Member) -> Seat {
        let id = SeatId(self.next_seat.fetch_add(1, Ordering::Relaxed));
        self.send(ConferenceOrder::Join(id, Box::new(member)));
        Seat {
            conference: self,
            id,
        }
    }

    fn send(&self, order: ConferenceOrder) {
        let order = Message::Conference(self.place.key, order);
        self.place.thread().send(order);
    }
}

impl Drop for Conference {
    fn drop(&mut self) {
        self.send(ConferenceOrder::Close);
    }
}

/// A member's place in a conference; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Seat {
    conference: Arc<Conference>,
    id: SeatId,
}

impl Seat {
    pub(crate) fn order(&self, order: SeatOrder) {
        let order = ConferenceOrder::Seat(self.id, Box::new(order));
        self.conference.send(order);
    }

    /// Tells how loud everybody in the conference is, or no more.
    pub(crate) fn report(&self, report: Option<LevelsReport>) {
        self.conference.send(ConferenceOrder::Report(report));
    }

    /// Records the conference.
    pub(crate) fn record(&self, tap: Tap) {
        self.conference.send(ConferenceOrder::Record(tap));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.conference.send(ConferenceOrder::Leave(self.id));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media_worker::load::Load;

    #[test]
    fn a_thread_that_is_full_by_measurement_gets_no_session_although_it_has_the_fewest() {
        let begin = Instant::now();
        let some = |index| Thread::start(index, begin);
        let pool = Arc::new(Pool::of((0..2).map(some)).unwrap());
        let mut places: Vec<Place> = Vec::new();
        places.resize_with(12, || Place::choose(Arc::clone(&pool)));
        let second = Duration::from_secs(1);
        let mut load = Load::new(begin, Duration::ZERO);
        load.worked(begin, begin + second);
        let full = load.reading(begin + second, second);
        pool.threads[0].gauge.show(full, full);
        let first = places.iter().position(|place| place.index == 0);
        places.remove(first.unwrap());
        assert_eq!(Place::choose(Arc::clone(&pool)).index, 1);
    }

    #[test]
    fn sessions_go_where_there_is_room_and_all_is_full_when_every_thread_is() {
        let some = |index| Thread::start(index, Instant::now());
        let pool = Arc::new(Pool::of((0..2).map(some)).unwrap());
        let mut places: Vec<Place> = Vec::new();
        let mut loads = Vec::new();
        while pool.load() < 1.0 {
            places.push(Place::choose(Arc::clone(&pool)));
            loads.push(pool.load());
            assert!(loads.len() < 10_000, "there is room without end");
        }
        assert!(loads.is_sorted(), "{loads:?}");
        let on_first = places.iter().filter(|place| place.index == 0).count();
        assert_eq!(2 * on_first, places.len());
        // Those of one thread end: what comes goes there, although the other has a free place too.
        places.retain(|place| place.index == 0);
        places.pop();
        places.push(Place::choose(Arc::clone(&pool)));
        assert_eq!(places.last().unwrap().index, 1);
        assert!(pool.load() < 1.0);
    }

    #[test]
    fn a_pool_runs_on_the_threads_it_gets_and_fails_only_without_any() {
        let some = || Thread::start(0, Instant::now());
        let none = || Err(io::Error::from(io::ErrorKind::OutOfMemory));
        let pool = Pool::of([none(), some(), none()].into_iter()).unwrap();
        assert_eq!(pool.threads.len(), 1);
        assert!(Pool::of([none(), none()].into_iter()).is_err());
    }
}
