//! What goes over the network, in a file that Wireshark reads: one thread writes what the phone's task and the media threads
//! hand it, and none of them waits for it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pcapng::Datagram;
use phone::{ErrorCode, PhoneError};

/// So much waits for the disk: some seconds of a hundred calls. What comes while it is full is left out, and counted.
const CAPACITY: usize = 16 * 1024;

/// Takes what goes over the network; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PacketTap {
    seen: mpsc::SyncSender<Seen>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Seen {
    at: Duration,
    from: SocketAddr,
    to: SocketAddr,
    what: Captured,
}

#[derive(Debug)]
enum Captured {
    /// A SIP message, whose secrets are still to be hidden.
    Signalling(Bytes),
    /// An RTP packet or RTCP compound without its protection.
    Media(Vec<u8>),
}

/// What becomes of a capture: how much was left out, or why it ended early.
pub(crate) type CaptureOutcome = Result<u64, PhoneError>;

impl PacketTap {
    /// Takes a SIP message.
    pub(crate) fn signalling(&self, from: SocketAddr, to: SocketAddr, message: Bytes) {
        self.take(from, to, Captured::Signalling(message));
    }

    /// Takes a packet of media.
    pub(crate) fn media(&self, from: SocketAddr, to: SocketAddr, packet: Vec<u8>) {
        self.take(from, to, Captured::Media(packet));
    }

    fn take(&self, from: SocketAddr, to: SocketAddr, what: Captured) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = at.unwrap_or_default();
        if self.seen.try_send(Seen { at, from, to, what }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A file that is open, and what is written to it.
#[derive(Debug)]
pub(crate) struct CaptureFile {
    pub(crate) tap: PacketTap,
    file: BufWriter<File>,
    path: PathBuf,
    inbox: mpsc::Receiver<Seen>,
}

/// Opens a file, in place of one that is there.
pub(crate) fn open(path: PathBuf) -> Result<CaptureFile, PhoneError> {
    let begun = || {
        let mut file = BufWriter::new(File::create(&path)?);
        file.write_all(&pcapng::header(concat!(
            "offhook ",
            env!("CARGO_PKG_VERSION")
        )))?;
        file.flush()?;
        Ok(file)
    };
    let file = begun().map_err(|error: io::Error| failed(&path, &error))?;
    let (seen, inbox) = mpsc::sync_channel(CAPACITY);
    let tap = PacketTap {
        seen,
        dropped: Arc::default(),
    };
    Ok(CaptureFile {
        tap,
        file,
        path,
        inbox,
    })
}

impl CaptureFile {
    /// Splits it into what takes and what writes, which ends when nothing takes any more.
    pub(crate) fn split(self) -> (PacketTap, impl FnOnce() -> CaptureOutcome + Send + 'static) {
        let CaptureFile {
            tap,
            mut file,
            path,
            inbox,
        } = self;
        let dropped = Arc::clone(&tap.dropped);
        let write = move || {
            write_all(&mut file, &inbox)
                .map(|()| dropped.load(Ordering::Relaxed))
                .map_err(|error| failed(&path, &error))
        };
        (tap, write)
    }
}

fn write_all(file: &mut impl Write, inbox: &mpsc::Receiver<Seen>) -> io::Result<()> {
    let mut block = Vec::new();
    while let Ok(seen) = inbox.recv() {
        write_block(file, &seen, &mut block)?;
        while let Ok(seen) = inbox.try_recv() {
            write_block(file, &seen, &mut block)?;
        }
        // Who looks at the file sees all of what was there to be written.
        file.flush()?;
    }
    Ok(())
}

fn write_block(file: &mut impl Write, seen: &Seen, block: &mut Vec<u8>) -> io::Result<()> {
    let hidden;
    let payload = match &seen.what {
        Captured::Signalling(message) => {
            hidden = sip::redact(message);
            hidden.as_bytes()
        }
        Captured::Media(packet) => packet,
    };
    let Seen { at, from, to, .. } = *seen;
    block.clear();
    let datagram = Datagram {
        at,
        from,
        to,
        payload,
    };
    pcapng::datagram(block, datagram);
    file.write_all(block)
}

fn failed(path: &Path, error: &io::Error) -> PhoneError {
    let text = format!(
        "The capture can't be written to '{}': {error}. Name a file in a folder that is there, may be written to and has room",
        path.display()
    );
    PhoneError::new(ErrorCode::CaptureFailed, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with so much room.
    struct Disk {
        room: usize,
        holds: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            if octets.len() > self.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= octets.len();
            self.holds.extend(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn tap() -> (PacketTap, mpsc::Receiver<Seen>) {
        let (seen, inbox) = mpsc::sync_channel(CAPACITY);
        let dropped = Arc::default();
        (PacketTap { seen, dropped }, inbox)
    }

    fn ends() -> (SocketAddr, SocketAddr) {
        let parse = |text: &str| text.parse().expect("an address");
        (parse("192.0.2.1:4000"), parse("192.0.2.2:5000"))
    }

    #[test]
    fn the_secrets_of_a_message_never_reach_the_disk() {
        let (tap, inbox) = tap();
        let (from, to) = ends();
        let message = b"REGISTER sip:x SIP/2.0\r\nAuthorization: Bearer S3CRET\r\n\r\n";
        tap.signalling(from, to, Bytes::from_static(message));
        drop(tap);
        let mut disk = Disk {
            room: 10_000,
            holds: Vec::new(),
        };
        write_all(&mut disk, &inbox).expect("room");
        let text = String::from_utf8_lossy(&disk.holds);
        assert!(text.contains("REGISTER sip:x") && !text.contains("S3CRET"));
    }

    #[test]
    fn a_full_disk_ends_the_capture_and_holds_nobody_up() {
        let (tap, inbox) = tap();
        let (from, to) = ends();
        for _ in 0..100 {
            tap.media(from, to, vec![0x80; 200]);
        }
        let mut disk = Disk {
            room: 1_000,
            holds: Vec::new(),
        };
        let written = write_all(&mut disk, &inbox);
        assert_eq!(
            written.map_err(|error| error.kind()),
            Err(io::ErrorKind::StorageFull)
        );
        drop(inbox);
        tap.media(from, to, vec![0x80; 200]);
        assert_eq!(tap.dropped.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_a_slow_disk_does_not_take_in_time_is_counted() {
        let (tap, _inbox) = tap();
        let (from, to) = ends();
        for _ in 0..CAPACITY + 7 {
            tap.media(from, to, vec![0x80]);
        }
        assert_eq!(tap.dropped.load(Ordering::Relaxed), 7);
    }
}
