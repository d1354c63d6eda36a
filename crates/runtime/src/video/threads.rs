//! The threads on which pictures are encoded, decoded and read and written: a few for the whole process, so that none of
//! this takes a media thread's time.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle, Thread};
use std::time::Instant;

use super::codec::give_way;

/// More than this gain nothing on a machine that has sound to make too.
const MAX_THREADS: usize = 4;

/// What a thread does for one source or sink, a picture at a time.
pub(super) trait Task: Send {
    /// Does the next piece of work. If nobody wants it any more, it finishes what must not be lost.
    fn turn(&mut self, now: Instant, is_wanted: bool) -> Turn;
}

/// When a task has its next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Once the others had theirs.
    Again,
    /// At this time, or when it is woken.
    At(Instant),
    /// When it is woken.
    Wait,
    /// Never.
    Over,
}

/// Wakes a task from any thread.
#[derive(Debug, Clone)]
pub(super) struct TaskWaker(Arc<TaskState>);

#[derive(Debug)]
struct TaskState {
    ready: AtomicBool,
    let_go: AtomicBool,
    thread: Thread,
}

impl TaskWaker {
    pub(super) fn wake(&self) {
        if !self.0.ready.swap(true, Ordering::AcqRel) {
            self.0.thread.unpark();
        }
    }
}

/// A running task; dropping it lets it finish and end.
#[derive(Debug)]
pub(super) struct TaskHandle {
    waker: TaskWaker,
    /// They run as long as somebody holds them.
    _threads: Arc<CodecThreads>,
}

impl TaskHandle {
    /// Starts a task on the thread that has the fewest; it is given what wakes it.
    pub(super) fn start<T: Task + 'static>(
        make: impl FnOnce(&TaskWaker) -> T,
    ) -> io::Result<TaskHandle> {
        let threads = CodecThreads::shared()?;
        let thread = threads.emptiest();
        let state = Arc::new(TaskState {
            ready: AtomicBool::new(true),
            let_go: AtomicBool::new(false),
            thread: thread.thread.clone(),
        });
        let waker = TaskWaker(Arc::clone(&state));
        let task = Box::new(make(&waker));
        thread.count.fetch_add(1, Ordering::Relaxed);
        thread.send(CodecOrder::Begin(RunningTask {
            state,
            due: None,
            task,
        }));
        Ok(TaskHandle {
            waker,
            _threads: threads,
        })
    }

    pub(super) fn waker(&self) -> &TaskWaker {
        &self.waker
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        self.waker.0.let_go.store(true, Ordering::Release);
        self.waker.0.ready.store(true, Ordering::Release);
        self.waker.0.thread.unpark();
    }
}

enum CodecOrder {
    Begin(RunningTask),
    /// Answered when what was let go before is finished.
    Settle(Sender<()>),
}

/// The threads; they end by themselves when the last task is let go and finished.
#[derive(Debug)]
struct CodecThreads(Vec<CodecThread>);

#[derive(Debug)]
struct CodecThread {
    /// Unbounded: one order for each source or sink that begins. Taken when all end.
    orders: Option<Sender<CodecOrder>>,
    thread: Thread,
    count: Arc<AtomicUsize>,
}

struct SharedThreads {
    threads: Weak<CodecThreads>,
    /// Joined by [`settle`], so that files are whole when a phone has ended.
    ending: Vec<JoinHandle<()>>,
}

static SHARED: Mutex<SharedThreads> = Mutex::new(SharedThreads {
    threads: Weak::new(),
    ending: Vec::new(),
});

/// Waits until every file that was written is whole. Blocks for as long as the disk takes.
pub(crate) fn settle() {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(threads) = shared.threads.upgrade() {
        drop(shared);
        // Unbounded: one word comes back from each thread.
        let (settled, wait) = mpsc::channel();
        for thread in &threads.0 {
            thread.send(CodecOrder::Settle(settled.clone()));
        }
        drop((settled, threads));
        while wait.recv().is_ok() {}
    } else {
        let ending = std::mem::take(&mut shared.ending);
        drop(shared);
        for thread in ending {
            let _ = thread.join();
        }
    }
}

impl CodecThreads {
    fn shared() -> io::Result<Arc<CodecThreads>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(threads) = shared.threads.upgrade() {
            return Ok(threads);
        }
        shared.ending.retain(|thread| !thread.is_finished());
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let count = cores.min(MAX_THREADS);
        let threads = CodecThreads::begin(count, &mut shared.ending, CodecThread::start)?;
        let threads = Arc::new(threads);
        shared.threads = Arc::downgrade(&threads);
        Ok(threads)
    }

    /// Starts all of them, or none: those that have started end if a later one can't.
    fn begin(
        count: usize,
        ending: &mut Vec<JoinHandle<()>>,
        start: impl Fn(usize) -> io::Result<(CodecThread, JoinHandle<()>)>,
    ) -> io::Result<CodecThreads> {
        let mut threads = CodecThreads(Vec::new());
        for index in 0..count {
            let (thread, end) = start(index)?;
            threads.0.push(thread);
            ending.push(end);
        }
        Ok(threads)
    }

    fn emptiest(&self) -> &CodecThread {
        let by_count = |thread: &&CodecThread| thread.count.load(Ordering::Relaxed);
        let emptiest = self.0.iter().min_by_key(by_count);
        emptiest.expect("there is at least one core")
    }
}

impl Drop for CodecThreads {
    fn drop(&mut self) {
        for thread in &mut self.0 {
            thread.orders = None;
            thread.thread.unpark();
        }
    }
}

impl CodecThread {
    fn start(index: usize) -> io::Result<(CodecThread, JoinHandle<()>)> {
        // Unbounded: one order for each source or sink that begins.
        let (orders, inbox) = mpsc::channel();
        let count = Arc::<AtomicUsize>::default();
        let tasks = Tasks {
            inbox,
            running: Vec::new(),
            settling: Vec::new(),
            count: Arc::clone(&count),
        };
        // It ends by itself when its inbox is closed, having finished everything.
        let ending = thread::Builder::new()
            .name(format!("offhook-video-{index}"))
            .spawn(move || {
                // Sound has to be in time; a picture may be late.
                give_way();
                tasks.run();
            })?;
        let thread = CodecThread {
            orders: Some(orders),
            thread: ending.thread().clone(),
            count,
        };
        Ok((thread, ending))
    }

    fn send(&self, order: CodecOrder) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
            self.thread.unpark();
        }
    }
}

/// What one thread has to do.
struct Tasks {
    inbox: Receiver<CodecOrder>,
    running: Vec<RunningTask>,
    settling: Vec<Sender<()>>,
    count: Arc<AtomicUsize>,
}

struct RunningTask {
    state: Arc<TaskState>,
    due: Option<Instant>,
    task: Box<dyn Task>,
}

impl Tasks {
    fn run(mut self) {
        loop {
            let is_closed = self.take_orders();
            let now = Instant::now();
            let before = self.running.len();
            self.running.retain_mut(|task| task.step(now));
            let over = before - self.running.len();
            self.count.fetch_sub(over, Ordering::Relaxed);
            if !self.running.iter().any(RunningTask::is_let_go) {
                for settled in self.settling.drain(..) {
                    let _ = settled.send(());
                }
            }
            if is_closed && self.running.is_empty() {
                return;
            }
            self.wait();
        }
    }

    /// Says whether nothing more will come.
    fn take_orders(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(CodecOrder::Begin(task)) => self.running.push(task),
                Ok(CodecOrder::Settle(settled)) => self.settling.push(settled),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
            }
        }
    }

    /// Until something is due, or this thread is woken; a wake-up that came meanwhile ends it at once.
    fn wait(&self) {
        let is_ready = |task: &RunningTask| task.state.ready.load(Ordering::Acquire);
        if self.running.iter().any(is_ready) {
            return;
        }
        match self.running.iter().filter_map(|task| task.due).min() {
            Some(due) => thread::park_timeout(due.saturating_duration_since(Instant::now())),
            None => thread::park(),
        }
    }
}

impl RunningTask {
    fn is_let_go(&self) -> bool {
        self.state.let_go.load(Ordering::Acquire)
    }

    /// Has its turn if it is time; says whether it goes on.
    fn step(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if !self.state.ready.swap(false, Ordering::AcqRel) && !is_due {
            return true;
        }
        self.due = None;
        let is_wanted = !self.is_let_go();
        let turn = catch_unwind(AssertUnwindSafe(|| self.task.turn(now, is_wanted)));
        match turn.unwrap_or(Turn::Over) {
            Turn::Again => self.state.ready.store(true, Ordering::Release),
            Turn::At(due) => self.due = Some(due),
            Turn::Wait => {}
            Turn::Over => return false,
        }
        true
    }
}

impl fmt::Debug for RunningTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningTask")
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Tells each turn that it has.
    struct Told {
        turns: Sender<bool>,
        next: Box<dyn FnMut(Instant, bool) -> Turn + Send>,
    }

    impl Task for Told {
        fn turn(&mut self, now: Instant, is_wanted: bool) -> Turn {
            let turn = (self.next)(now, is_wanted);
            let _ = self.turns.send(is_wanted);
            turn
        }
    }

    fn start(
        next: impl FnMut(Instant, bool) -> Turn + Send + 'static,
    ) -> (TaskHandle, Receiver<bool>) {
        let (turns, told) = mpsc::channel();
        let next = Box::new(next);
        let handle = TaskHandle::start(|_| Told { turns, next }).unwrap();
        (handle, told)
    }

    fn over(is_wanted: bool) -> Turn {
        if is_wanted { Turn::Wait } else { Turn::Over }
    }

    #[test]
    fn a_task_has_a_turn_when_it_begins_is_woken_and_is_let_go() {
        let (handle, told) = start(|_, is_wanted| over(is_wanted));
        assert_eq!(told.recv(), Ok(true));
        handle.waker().wake();
        assert_eq!(told.recv(), Ok(true));
        drop(handle);
        assert_eq!(told.recv(), Ok(false));
        assert!(told.recv().is_err(), "it is gone");
    }

    #[test]
    fn a_task_has_its_turn_at_its_time() {
        let (due, mut first) = (Duration::from_millis(30), None);
        let (_handle, told) = start(move |now, _| match first {
            None => {
                first = Some(now);
                Turn::At(now + due)
            }
            Some(first) => {
                assert!(now >= first + due);
                Turn::Over
            }
        });
        assert_eq!(told.iter().count(), 2);
    }

    #[test]
    fn one_that_breaks_takes_no_other_with_it() {
        let (_broken, told_of_broken) = start(|_, _| panic!("on purpose"));
        let (others, told): (Vec<_>, Vec<_>) = (0..8)
            .map(|_| start(|_, is_wanted| over(is_wanted)))
            .unzip();
        assert!(told_of_broken.recv().is_err());
        for (other, told) in others.iter().zip(&told) {
            assert_eq!(told.recv(), Ok(true));
            other.waker().wake();
            assert_eq!(told.recv(), Ok(true));
        }
    }

    #[test]
    fn threads_that_have_started_end_if_a_later_one_can_not() {
        let mut ending = Vec::new();
        let begun = CodecThreads::begin(3, &mut ending, |index| match index {
            2 => Err(io::Error::other("no more of them")),
            _ => CodecThread::start(index),
        });
        assert!(begun.is_err());
        assert_eq!(ending.len(), 2);
        for thread in ending {
            thread.join().unwrap();
        }
    }

    #[test]
    fn what_was_let_go_is_finished_when_all_is_settled() {
        let mut left = 50;
        let (handle, told) = start(move |_, is_wanted| {
            left -= u32::from(!is_wanted);
            if left == 0 { Turn::Over } else { Turn::Again }
        });
        drop(handle);
        settle();
        assert_eq!(told.try_iter().filter(|is_wanted| !is_wanted).count(), 50);
    }
}
