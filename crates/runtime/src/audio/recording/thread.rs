//! The thread that writes all files.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use recorder::{Recorder, Settings};

use super::place::Reading;
use super::queue::{Heard, RecordingQueue};
use super::{RecordingEnd, RecordingNews, RecordingPlace, TellOfRecording};

/// How long what is heard waits at most until it is looked at.
const TURN: Duration = Duration::from_millis(100);
/// What nobody tells of for so long is silence: a call on hold has no ticks, and what a tick hears arrives within two turns.
const QUIET: Duration = Duration::from_secs(1);
/// A disk that lost nothing for so long is fast enough again.
const CALM: Duration = Duration::from_secs(5);
/// How long a reader that takes nothing is waited for when the recording has ended. What waits for it is bounded, too: by the queue,
/// and by what its sink holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// The thread that writes; it ends when the last recording does.
#[derive(Debug)]
pub(super) struct RecordingThread {
    /// Unbounded: a few words for each recording.
    orders: Sender<WriterOrder>,
}

enum WriterOrder {
    Begin(Box<OpenRecording>),
    /// This one pauses since then, or does not any more.
    Mark(Arc<RecordingQueue>, Duration, bool),
    /// One has ended.
    Look,
    /// Answered when what has ended before is whole.
    Settle(Sender<()>),
}

struct SharedThread {
    thread: Weak<RecordingThread>,
    /// Joined by [`settle`], so that a file is whole when a phone has ended.
    ending: Option<JoinHandle<()>>,
}

static SHARED: Mutex<SharedThread> = Mutex::new(SharedThread {
    thread: Weak::new(),
    ending: None,
});

/// Waits until every recording that has ended before is whole. Blocks for as long as the disk takes.
pub(crate) fn settle() {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(thread) = shared.thread.upgrade() {
        // Unbounded: one word comes back.
        let (settled, wait) = mpsc::channel();
        let _ = thread.orders.send(WriterOrder::Settle(settled));
        drop(shared);
        drop(thread);
        let _ = wait.recv();
    } else if let Some(ending) = shared.ending.take() {
        drop(shared);
        let _ = ending.join();
    }
}

impl RecordingThread {
    pub(super) fn shared() -> io::Result<Arc<RecordingThread>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = shared.thread.upgrade() {
            return Ok(thread);
        }
        // Unbounded: a few words for each recording; what is heard takes another way.
        let (orders, inbox) = mpsc::channel();
        // It ends by itself when all senders are gone, having written everything.
        let ending = thread::Builder::new()
            .name("offhook-recorder".to_owned())
            .spawn(move || Writer::default().run(&inbox))?;
        shared.ending = Some(ending);
        let thread = Arc::new(RecordingThread { orders });
        shared.thread = Arc::downgrade(&thread);
        Ok(thread)
    }

    pub(super) fn begin(&self, open: OpenRecording) {
        let _ = self.orders.send(WriterOrder::Begin(Box::new(open)));
    }

    pub(super) fn mark(&self, queue: &Arc<RecordingQueue>, at: Duration, paused: bool) {
        let mark = WriterOrder::Mark(Arc::clone(queue), at, paused);
        let _ = self.orders.send(mark);
    }

    pub(super) fn look(&self) {
        let _ = self.orders.send(WriterOrder::Look);
    }
}

#[derive(Default)]
struct Writer {
    open: Vec<OpenRecording>,
    settling: Vec<Sender<()>>,
}

/// Whether something goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    On,
    Over,
}

impl Writer {
    fn run(mut self, inbox: &Receiver<WriterOrder>) {
        while self.take_orders(inbox) == Course::On || !self.open.is_empty() {
            let now = Instant::now();
            self.open.retain_mut(|open| {
                let turn = catch_unwind(AssertUnwindSafe(|| open.turn(now)));
                turn.unwrap_or_else(|_| open.broke()) == Course::On
            });
            for settled in self.settling.drain(..) {
                let _ = settled.send(());
            }
        }
    }

    /// Waits for a turn's time, if something is open, or until there is something to do.
    fn take_orders(&mut self, inbox: &Receiver<WriterOrder>) -> Course {
        let first = match self.open.is_empty() {
            true => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => inbox.recv_timeout(TURN),
        };
        match first {
            Ok(order) => {
                self.take(order);
                while let Ok(order) = inbox.try_recv() {
                    self.take(order);
                }
                Course::On
            }
            Err(RecvTimeoutError::Timeout) => Course::On,
            Err(RecvTimeoutError::Disconnected) => {
                // What is left waits for a reader that is slow.
                if !self.open.is_empty() {
                    thread::sleep(TURN);
                }
                Course::Over
            }
        }
    }

    fn take(&mut self, order: WriterOrder) {
        match order {
            WriterOrder::Begin(open) => self.open.push(*open),
            WriterOrder::Mark(queue, at, paused) => {
                let marked = |open: &&mut OpenRecording| Arc::ptr_eq(&open.queue, &queue);
                if let Some(open) = self.open.iter_mut().find(marked) {
                    open.marks.push_back((at, paused));
                }
            }
            WriterOrder::Look => {}
            WriterOrder::Settle(settled) => self.settling.push(settled),
        }
    }
}

/// A recording that is being written.
pub(super) struct OpenRecording {
    queue: Arc<RecordingQueue>,
    recorder: Recorder,
    place: RecordingPlace,
    tell: TellOfRecording,
    /// Where pauses begin and end, in order.
    marks: VecDeque<(Duration, bool)>,
    /// What was taken and waits for room.
    next: Option<Box<Heard>>,
    lost: Duration,
    /// When something was lost last, as long as that is a trouble.
    lossy_since: Option<Instant>,
    /// Everything is written, but its reader may not have it yet.
    finished: bool,
    patience: Patience,
}

/// Waits for a reader as long as it takes something now and then.
#[derive(Debug, Default)]
struct Patience {
    /// What it has taken, and since when no more.
    last: Option<(u64, Instant)>,
}

impl Patience {
    fn lasts(&mut self, taken: u64, now: Instant) -> bool {
        match self.last {
            Some((before, since)) if before == taken => now < since + PATIENCE,
            Some(_) | None => {
                self.last = Some((taken, now));
                true
            }
        }
    }
}

impl OpenRecording {
    pub(super) fn new(
        queue: Arc<RecordingQueue>,
        settings: Settings,
        place: RecordingPlace,
        tell: TellOfRecording,
    ) -> OpenRecording {
        OpenRecording {
            queue,
            recorder: Recorder::new(settings),
            place,
            tell,
            marks: VecDeque::new(),
            next: None,
            lost: Duration::ZERO,
            lossy_since: None,
            finished: false,
            patience: Patience::default(),
        }
    }

    pub(super) fn turn(&mut self, now: Instant) -> Course {
        if self.finished {
            return self.wait_for_reader(now);
        }
        // Before it is emptied: what was heard before the end is in it.
        let ended = self.queue.ended();
        let until = ended.unwrap_or_else(|| self.queue.at(now));
        let worked = match self.work(until, ended.is_some()) {
            Ok(worked) => worked,
            Err(error) => return self.fail(&format!("it can't be written any more: {error}")),
        };
        self.tell_lost(now);
        match (ended, worked) {
            // The last chunk needs room as any other.
            (Some(_), Course::Over) if self.place.has_room() => self.finish(now),
            (Some(_), Course::On | Course::Over) => self.wait_for_reader(now),
            (None, Course::On | Course::Over) => Course::On,
        }
    }

    /// Writes what there is until then, as far as there is room; says whether that was all.
    fn work(&mut self, until: Duration, ended: bool) -> io::Result<Course> {
        while let Some(heard) = self.next.take().or_else(|| self.queue.pop()) {
            if self.bring_to(heard.at)? == Course::On {
                self.next = Some(heard);
                return Ok(Course::On);
            }
            self.recorder.take(heard.at, &heard.local, &heard.remote);
            self.write()?;
        }
        if !self.queue.keeps_time() {
            return Ok(Course::Over);
        }
        let silent = match ended {
            true => until,
            false => until.saturating_sub(QUIET),
        };
        if self.mark(until)? == Course::On {
            return Ok(Course::On);
        }
        self.fill(silent)
    }

    /// Does what comes before this moment; says whether more of that is left.
    fn bring_to(&mut self, at: Duration) -> io::Result<Course> {
        if self.mark(at)? == Course::On {
            return Ok(Course::On);
        }
        loop {
            if !self.place.has_room() {
                return Ok(Course::On);
            }
            let more = self.recorder.bridge(at);
            self.write()?;
            if !more {
                return Ok(Course::Over);
            }
        }
    }

    fn mark(&mut self, until: Duration) -> io::Result<Course> {
        while let Some((at, paused)) = self.marks.front().copied()
            && at <= until
        {
            if self.fill(at)? == Course::On {
                return Ok(Course::On);
            }
            match paused {
                true => self.recorder.pause(at),
                false => self.recorder.resume(at),
            }
            self.marks.pop_front();
        }
        Ok(Course::Over)
    }

    fn fill(&mut self, until: Duration) -> io::Result<Course> {
        loop {
            if !self.place.has_room() {
                return Ok(Course::On);
            }
            let more = self.recorder.fill(until);
            self.write()?;
            if !more {
                return Ok(Course::Over);
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        match self.recorder.chunk() {
            Some(chunk) => self.place.write(chunk),
            None => Ok(()),
        }
    }

    fn tell_lost(&mut self, now: Instant) {
        let lost = self.queue.take_lost();
        self.lost += lost;
        if !lost.is_zero() {
            self.lossy_since = Some(now);
            (self.tell)(RecordingNews::Lost(lost));
        } else if self.lossy_since.is_some_and(|last| now > last + CALM) {
            self.lossy_since = None;
            (self.tell)(RecordingNews::InTime);
        }
    }

    fn wait_for_reader(&mut self, now: Instant) -> Course {
        match self.place.reading() {
            Reading::Over => self.end(self.recorder.report()),
            Reading::On(taken) if self.patience.lasts(taken, now) => Course::On,
            Reading::On(_) => self.fail(&format!(
                "it took nothing for {} s and is given up",
                PATIENCE.as_secs()
            )),
        }
    }

    fn finish(&mut self, now: Instant) -> Course {
        let last = self.recorder.finish();
        match self.place.write(last) {
            Ok(()) => {
                self.place.finish();
                self.finished = true;
                self.wait_for_reader(now)
            }
            Err(error) => self.fail(&format!("it can't be finished: {error}")),
        }
    }

    fn fail(&mut self, why: &str) -> Course {
        self.queue.end();
        let mut report = self.recorder.report();
        if let Some(duration) = self.place.cut(&self.recorder) {
            report.duration = duration;
            report.paused.retain(|pause| pause.from < duration);
        }
        let name = self.place.name();
        (self.tell)(RecordingNews::Failed(format!("{name}: {why}")));
        self.end(report)
    }

    /// What is in the file stays; nothing is asked of what broke.
    fn broke(&mut self) -> Course {
        self.queue.end();
        let name = self.place.name();
        (self.tell)(RecordingNews::Failed(format!("{name}: writing it broke")));
        self.end(self.recorder.report())
    }

    fn end(&mut self, report: recorder::Report) -> Course {
        let lost = self.lost;
        (self.tell)(RecordingNews::Ended(RecordingEnd { report, lost }));
        Course::Over
    }
}
