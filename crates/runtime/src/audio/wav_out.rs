//! WAV files as outputs: one thread of the process writes them all, so that no tick waits for a disk.

use std::fs::File;
use std::io::BufWriter;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use audio::{Frame, Rate};

use super::OpenError;
use super::convert::RateConverter;

/// 10 s of one file, or 1 s of ten: a disk that is slower loses frames, which are counted.
const CAPACITY: usize = 1000;

type Writer = audio::wav::Writer<BufWriter<File>>;

/// A WAV file being written; finished when it is dropped.
#[derive(Debug)]
pub(crate) struct WavFile {
    thread: Arc<WriterThread>,
    number: u64,
    /// The rate of its first frame, which the whole file has.
    rate: Option<Rate>,
    converter: RateConverter,
    lost: u64,
}

/// Tells the session that its file can't be written, or is not what it should be, from the thread
/// that writes.
pub(crate) type FileTrouble = Box<dyn Fn(String) -> bool + Send>;

/// The thread that writes; it ends when the last file does.
#[derive(Debug)]
struct WriterThread {
    /// Capacity [`CAPACITY`]; full: the frame is lost and counted by its file.
    orders: SyncSender<WriterOrder>,
}

enum WriterOrder {
    Begin(Box<Open>),
    Write(u64, Box<Frame>),
    /// With the number of frames that were lost on the way.
    End(u64, u64),
    /// Answered when everything before it is written.
    Settle(mpsc::Sender<()>),
}

struct WriterQueue {
    thread: Weak<WriterThread>,
    /// Joined by [`settle`], so that a file is whole when a phone has ended.
    ending: Option<JoinHandle<()>>,
    next: u64,
}

static SHARED: Mutex<WriterQueue> = Mutex::new(WriterQueue {
    thread: Weak::new(),
    ending: None,
    next: 0,
});

/// Waits until every file that was ended before is whole. Blocks for as long as the disk takes.
pub(crate) fn settle() {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(thread) = shared.thread.upgrade() {
        // Unbounded: one word comes back.
        let (settled, wait) = mpsc::channel();
        let _ = thread.orders.send(WriterOrder::Settle(settled));
        drop(shared);
        let _ = wait.recv();
    } else if let Some(ending) = shared.ending.take() {
        drop(shared);
        let _ = ending.join();
    }
}

impl WavFile {
    /// Creates or overwrites a file; 16-bit mono at the rate of the first frame. Blocks.
    pub(crate) fn create(path: &str, trouble: FileTrouble) -> Result<WavFile, OpenError> {
        let failed = |error: std::io::Error| OpenError::File {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let file = File::create(path).map_err(failed)?;
        let (thread, number) = WriterThread::shared().map_err(failed)?;
        // A begin waits where a frame would be lost; this thread may block.
        let _ = thread.orders.send(WriterOrder::Begin(Box::new(Open {
            number,
            path: path.to_owned(),
            trouble,
            file: Some(file),
            writer: None,
        })));
        Ok(WavFile {
            thread,
            number,
            rate: None,
            converter: RateConverter::default(),
            lost: 0,
        })
    }

    /// Adds 10 ms.
    pub(crate) fn write(&mut self, frame: &Frame) {
        let rate = *self.rate.get_or_insert(frame.rate());
        let frame = self.converter.convert(frame, rate);
        if self
            .thread
            .orders
            .try_send(WriterOrder::Write(self.number, Box::new(frame)))
            .is_err()
        {
            self.lost += 1;
        }
    }
}

impl Drop for WavFile {
    fn drop(&mut self) {
        let end = WriterOrder::End(self.number, self.lost);
        if let Err(mpsc::TrySendError::Full(end)) = self.thread.orders.try_send(end) {
            // Dropped on the tick: only a disk that is far behind makes this wait, at a call's end.
            let _ = self.thread.orders.send(end);
        }
    }
}

impl WriterThread {
    fn shared() -> std::io::Result<(Arc<WriterThread>, u64)> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.next += 1;
        let number = shared.next;
        if let Some(thread) = shared.thread.upgrade() {
            return Ok((thread, number));
        }
        let (orders, inbox) = mpsc::sync_channel(CAPACITY);
        // It ends by itself when all senders are gone, having written everything.
        let ending = thread::Builder::new()
            .name("offhook-wav".to_owned())
            .spawn(move || write_all(&inbox))?;
        shared.ending = Some(ending);
        let thread = Arc::new(WriterThread { orders });
        shared.thread = Arc::downgrade(&thread);
        Ok((thread, number))
    }
}

struct Open {
    number: u64,
    path: String,
    trouble: FileTrouble,
    /// Until the first frame names the rate.
    file: Option<File>,
    writer: Option<Writer>,
}

fn write_all(inbox: &Receiver<WriterOrder>) {
    let mut open: Vec<Open> = Vec::new();
    while let Ok(order) = inbox.recv() {
        match order {
            WriterOrder::Begin(file) => open.push(*file),
            WriterOrder::Write(number, frame) => {
                if let Some(file) = open.iter_mut().find(|file| file.number == number)
                    && let Err(error) = file.write(&frame)
                {
                    file.tell(&format!("it can't be written: {error}"));
                    open.retain(|file| file.number != number);
                }
            }
            WriterOrder::Settle(settled) => {
                let _ = settled.send(());
            }
            WriterOrder::End(number, lost) => {
                if let Some(index) = open.iter().position(|file| file.number == number) {
                    open.swap_remove(index).finish(lost);
                }
            }
        }
    }
}

impl Open {
    fn write(&mut self, frame: &Frame) -> Result<(), audio::wav::Error> {
        self.begin(frame.rate())?;
        if let Some(writer) = &mut self.writer {
            writer.write(frame.samples())?;
        }
        Ok(())
    }

    fn begin(&mut self, rate: Rate) -> Result<(), audio::wav::Error> {
        if let Some(file) = self.file.take() {
            self.writer = Some(Writer::new(BufWriter::new(file), rate.hz(), 1)?);
        }
        Ok(())
    }

    // A call without a single frame still leaves a valid, empty file.
    fn finish(mut self, lost: u64) {
        let begun = self.begin(Rate::Hz48000);
        let finished = self
            .writer
            .take()
            .map_or(Ok(()), |writer| writer.finish().map(drop));
        if let Err(error) = begun.and(finished) {
            self.tell(&format!("it can't be finished: {error}"));
        }
        if lost > 0 {
            self.tell(&format!("it lacks {} ms: the disk is too slow", lost * 10));
        }
    }

    fn tell(&self, what: &str) {
        (self.trouble)(format!("{}: {what}", self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::WavPlayer;
    #[test]
    fn what_is_written_can_be_played_again() {
        let path = std::env::temp_dir().join(format!("offhook-wav-{}.wav", std::process::id()));
        let path = path.to_str().unwrap();
        let mut file = WavFile::create(path, Box::new(|why| panic!("{why}"))).unwrap();
        file.write(&Frame::new(Rate::Hz16000, &[100; 160]).unwrap());
        file.write(&Frame::new(Rate::Hz16000, &[-200; 160]).unwrap());
        drop(file);
        settle();
        let mut player = WavPlayer::open(path, true).unwrap();
        let frames = [100, -200, 100].map(|value| Frame::new(Rate::Hz16000, &[value; 160]));
        for frame in frames {
            assert_eq!(Some(player.read(Rate::Hz16000)), frame, "and it repeats");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_path_that_can_not_be_used_is_an_error_with_the_reason() {
        let error = WavFile::create("/nonexistent/x.wav", Box::new(|_| true)).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.wav"));
        let error = WavPlayer::open("/nonexistent/x.wav", false).unwrap_err();
        assert!(matches!(error, OpenError::File { .. }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_is_told_with_the_path() {
        let (tell, told) = mpsc::channel();
        let trouble = Box::new(move |why: String| tell.send(why).is_ok());
        let mut file = WavFile::create("/dev/full", trouble).unwrap();
        for _ in 0..100 {
            file.write(&Frame::silence(Rate::Hz48000));
        }
        drop(file);
        settle();
        let why = told.recv().unwrap();
        assert!(why.starts_with("/dev/full: it can't be "), "{why}");
    }
}
