//! Files that are written and played: no two are written into one, and none is emptied that is played.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::audio::played_paths;

/// A file that a call has just let go of is finished within a turn of the thread that writes.
const TRY_EVERY: Duration = Duration::from_millis(5);
const TRIES: u32 = 100;

/// Files that are being written: two recordings in one would be none.
static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Files of pictures that are played, and how often.
static PLAYED: Mutex<BTreeMap<PathBuf, usize>> = Mutex::new(BTreeMap::new());

/// A file that nobody else may write meanwhile.
#[derive(Debug)]
pub(crate) struct Claim(PathBuf);

impl Claim {
    /// A file that nobody finds any more takes everything without a word.
    pub(crate) fn holds(&self, path: &str) -> io::Result<()> {
        let there = fs::metadata(path).and_then(|metadata| identity(Path::new(path), &metadata));
        match there {
            Ok(file) if file == self.0 => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Ok(()),
            Ok(_) | Err(_) => Err(io::Error::new(
                io::ErrorKind::NotFound,
                "it was deleted, moved or replaced",
            )),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        written().remove(&self.0);
    }
}

/// A file that is played, and not emptied meanwhile.
#[derive(Debug)]
pub(crate) struct PlayedFile {
    // Before the file: once that is closed, its identity may be another file's.
    _mark: PlayedMark,
    file: File,
}

impl PlayedFile {
    /// Opens a file that has an end; what has none, such as a pipe, would keep a thread waiting. Blocks.
    pub(crate) fn open(path: &str) -> io::Result<PlayedFile> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let file = File::open(path)?;
        let played = identity(Path::new(path), &file.metadata()?)?;
        *players().entry(played.clone()).or_default() += 1;
        Ok(PlayedFile {
            _mark: PlayedMark(played),
            file,
        })
    }
}

impl Read for PlayedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

#[derive(Debug)]
struct PlayedMark(PathBuf);

impl Drop for PlayedMark {
    fn drop(&mut self) {
        let mut players = players();
        if let Some(count) = players.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                players.remove(&self.0);
            }
        }
    }
}

/// Opens a file, and empties it only when nobody else writes or plays it, by whatever name. Nothing is claimed of what is no
/// file of its own, such as `/dev/null`. Blocks.
pub(crate) fn create(path: &str) -> Result<(File, Option<Claim>), String> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
        return Err("it is a folder: name a file in it".to_owned());
    }
    let told = |error: io::Error| explained(&error);
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    let file = options.open(path).map_err(told)?;
    let metadata = file.metadata().map_err(told)?;
    if !metadata.is_file() {
        return Ok((file, None));
    }
    let written_file = identity(Path::new(path), &metadata).map_err(told)?;
    if is_played(&written_file) {
        return Err(
            "a call plays it as its input, and it would be emptied: name another file".to_owned(),
        );
    }
    for _ in 0..TRIES {
        if written().insert(written_file.clone()) {
            let claim = Claim(written_file);
            file.set_len(0).map_err(told)?;
            return Ok((file, Some(claim)));
        }
        thread::sleep(TRY_EVERY);
    }
    Err("another recording is being written to it: name another file".to_owned())
}

fn is_played(file: &Path) -> bool {
    let sound = played_paths().iter().any(|path| {
        let played = fs::metadata(path).and_then(|metadata| identity(Path::new(path), &metadata));
        played.is_ok_and(|played| played == file)
    });
    sound || players().contains_key(file)
}

/// What tells a file from others, whatever links lead to it.
#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> io::Result<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    Ok(PathBuf::from(format!(
        "{}/{}",
        metadata.dev(),
        metadata.ino()
    )))
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

fn explained(error: &io::Error) -> String {
    match error.kind() == io::ErrorKind::NotFound {
        true => format!("its folder does not exist ({error}): create it first"),
        false => error.to_string(),
    }
}

fn written() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn players() -> MutexGuard<'static, BTreeMap<PathBuf, usize>> {
    PLAYED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_new_file_is_not_taken_for_one_that_was_played() {
        let folder = std::env::temp_dir().join(format!("offhook-{}-played", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let (old, new) = (path("old"), path("new"));
        let playing = thread::spawn(move || {
            for _ in 0..2000 {
                fs::write(&old, "sound").unwrap();
                let played = PlayedFile::open(&old).unwrap();
                fs::remove_file(&old).unwrap();
                drop(played);
            }
        });
        while !playing.is_finished() {
            // Its number is soon that of the file that was just closed.
            drop(create(&new).unwrap());
            fs::remove_file(&new).unwrap();
        }
        playing.join().unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
