//! The file of the calls that there are, for whoever comes after a process that was killed.
//!
//! It is replaced whole, by renaming, so that nobody ever finds half of it, and only its owner may read it. One process has it
//! at a time: the lock is on a file beside it, for the file itself is another one after each change, and the system lets go of
//! it however a process ends. Who has the lock removes its file at the end; who was waiting for it sees that and makes another.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinHandle;

/// A file that is larger is no journal: one of all calls that are written down has some 300 kB.
const LARGEST: u64 = 4 << 20;
/// How often a lock whose owner went just then is taken anew.
const MOST_TRIES: usize = 16;
/// A disk that does not answer keeps no phone from starting for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who writes the file, one text after the other.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    /// Held for as long as the phone lives.
    _lock: Lock,
    /// The write that is under way; awaited before the next, and at the end.
    writing: Option<JoinHandle<Result<(), String>>>,
    /// What is to be written after it: the newest counts.
    next: Option<String>,
}

impl JournalFile {
    /// Takes the file for this phone and reads it, or says why it can't be used.
    pub(super) async fn open(path: String) -> Result<(Self, String), String> {
        let opening = tokio::task::spawn_blocking(move || take(PathBuf::from(path)));
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(broken)) => Err(format!("opening it broke ({broken})")),
            Err(_) => Err("its disk does not answer".into()),
        }
    }

    /// Has the file say this; an empty text removes it.
    pub(super) fn write(&mut self, text: String) {
        self.next = Some(text);
        self.go_on();
    }

    fn go_on(&mut self) {
        if self.writing.is_some() {
            return;
        }
        if let Some(text) = self.next.take() {
            let path = self.path.clone();
            let writing = tokio::task::spawn_blocking(move || replace(&path, &text));
            self.writing = Some(writing);
        }
    }

    /// How the write that is under way went; never if there is none.
    pub(super) async fn written(&mut self) -> Result<(), String> {
        let Some(writing) = &mut self.writing else {
            return std::future::pending().await;
        };
        let outcome = writing.await;
        self.writing = None;
        self.go_on();
        outcome.unwrap_or_else(|broken| Err(format!("writing it broke ({broken})")))
    }

    /// Waits until all is written.
    pub(super) async fn end(mut self) {
        while self.writing.is_some() {
            // Nobody is left who could be told.
            let _ = self.written().await;
        }
    }
}

/// A file whose lock is held.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn take(path: PathBuf) -> Result<Lock, String> {
        for _ in 0..MOST_TRIES {
            let file = options()
                .create(true)
                .open(&path)
                .map_err(|error| format!("'{}' can't be opened ({error})", path.display()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(error)) => {
                    return Err(format!("'{}' can't be locked ({error})", path.display()));
                }
            }
            let lock = Lock {
                path: path.clone(),
                file,
            };
            if lock.is_in_place() {
                return Ok(lock);
            }
        }
        Err("another phone is using it: give each its own".into())
    }

    /// Whether this is the file that whoever comes next will lock: the last owner may have removed it just before we locked it.
    #[cfg(unix)]
    fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: fs::Metadata| (found.dev(), found.ino());
        let ours = self.file.metadata().map(identity);
        let there = fs::symlink_metadata(&self.path).map(identity);
        matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
    }

    /// Nobody removes it there, where a file can't be told from another of its name.
    #[cfg(not(unix))]
    fn is_in_place(&self) -> bool {
        true
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked: whoever opened it before finds that it is not in place.
        if cfg!(unix) && self.is_in_place() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn take(path: PathBuf) -> Result<(JournalFile, String), String> {
    let lock = Lock::take(beside(&path, "lock"))?;
    let text = read(&path)?;
    let journal = JournalFile {
        path,
        _lock: lock,
        writing: None,
        next: None,
    };
    Ok((journal, text))
}

fn read(path: &Path) -> Result<String, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(format!("it can't be read ({error})")),
    };
    let kind = file.metadata().map_err(|error| error.to_string())?;
    if !kind.is_file() {
        return Err("it is no file".into());
    }
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    read.map_err(|error| format!("it can't be read ({error})"))?;
    match text.len() as u64 > LARGEST {
        true => Err("it is too large for a journal".into()),
        false => Ok(text),
    }
}

fn replace(path: &Path, text: &str) -> Result<(), String> {
    let said = |error: io::Error| error.to_string();
    if text.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(said(error)),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    let new = beside(path, "new");
    // One that a killed process has left may be anybody's.
    let _ = fs::remove_file(&new);
    let written = options().create_new(true).open(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written.map_err(said)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// For writing, and for nobody but its owner.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        let seed = crate::softphone::seed().unwrap();
        let name = format!("offhook-journal-{:02x?}", &seed[..8]).replace([' ', '[', ']', ','], "");
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }

    async fn opened(path: &Path) -> Result<(JournalFile, String), String> {
        JournalFile::open(path.to_str().unwrap().to_owned()).await
    }

    #[tokio::test]
    async fn the_newest_text_is_what_the_next_process_finds() {
        let folder = folder();
        let path = folder.join("calls");
        let (mut journal, found) = opened(&path).await.unwrap();
        assert_eq!(found, "");
        for text in ["one", "two", "three"] {
            journal.write(text.into());
        }
        journal.end().await;
        let (mut journal, found) = opened(&path).await.unwrap();
        assert_eq!(found, "three");
        journal.write(String::new());
        journal.end().await;
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_but_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.join("calls");
        let (mut journal, _) = opened(&path).await.unwrap();
        // As one that another process has left, readable for all.
        fs::write(beside(&path, "new"), "old").unwrap();
        journal.write("text".into());
        journal.end().await;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn two_phones_do_not_share_one() {
        let folder = folder();
        let path = folder.join("calls");
        let first = opened(&path).await.unwrap();
        let problem = opened(&path).await.unwrap_err();
        assert!(problem.contains("another phone is using it"), "{problem}");
        drop(first);
        assert!(opened(&path).await.is_ok());
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_is_left_of_a_lock_that_was_given_back() {
        let folder = folder();
        let path = folder.join("calls");
        let (journal, _) = opened(&path).await.unwrap();
        assert!(beside(&path, "lock").exists());
        journal.end().await;
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        // As after a process that was killed: the system has let go of it.
        fs::write(beside(&path, "lock"), "").unwrap();
        drop(opened(&path).await.unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_was_removed_is_no_lock() {
        let folder = folder();
        let path = folder.join("lock");
        let first = Lock::take(path.clone()).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!first.is_in_place());
        let second = Lock::take(path.clone()).unwrap();
        drop(first);
        assert!(second.is_in_place(), "it is not the first one's to remove");
        assert!(Lock::take(path).is_err());
        drop(second);
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn of_many_that_come_and_go_one_has_it_at_a_time() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let folder = folder();
        let path = folder.join("lock");
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while taken.load(Ordering::SeqCst) < 200 {
                        if let Ok(lock) = Lock::take(path.clone()) {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            std::thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                            taken.fetch_add(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_can_not_be_used_is_said() {
        let folder = folder();
        let nowhere = folder.join("no/calls");
        assert!(
            opened(&nowhere)
                .await
                .unwrap_err()
                .contains("can't be opened")
        );
        let directory = folder.join("directory");
        fs::create_dir(&directory).unwrap();
        assert!(opened(&directory).await.is_err());
        let large = folder.join("large");
        fs::write(&large, vec![b' '; 5 << 20]).unwrap();
        assert!(opened(&large).await.unwrap_err().contains("too large"));
        let path = folder.join("calls");
        let (mut journal, _) = opened(&path).await.unwrap();
        fs::create_dir(&path).unwrap();
        journal.write("text".into());
        assert!(journal.written().await.is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
