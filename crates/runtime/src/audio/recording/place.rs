//! Where a recording is written: a file of its own, or a stream that JavaScript reads.

use std::fs::{self, File, Metadata};
use std::io::{self, Seek, SeekFrom, Write};
use std::time::Duration;

use recorder::{Chunk, Recorder};

use super::super::{OpenError, SinkWriter};
use crate::files::{self, Claim};

/// Where a recording is written.
#[derive(Debug)]
pub(crate) struct RecordingPlace {
    kind: Destination,
}

#[derive(Debug)]
enum Destination {
    File {
        file: File,
        /// Octets that are in it.
        length: u64,
        path: String,
        claim: Option<Claim>,
    },
    Stream(SinkWriter),
    #[cfg(test)]
    Slow(super::tests::Slow),
}

/// How far whoever reads a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nobody reads: it is a file, or the reader has let go, having all that it wants.
    Over,
    /// This many chunks were taken.
    On(u64),
}

impl RecordingPlace {
    /// Creates or overwrites a file. Blocks.
    pub(crate) fn create(path: &str) -> Result<RecordingPlace, OpenError> {
        let failed = |why: String| OpenError::File {
            path: path.to_owned(),
            why,
        };
        let (file, claim) = open(path).map_err(failed)?;
        Ok(RecordingPlace {
            kind: Destination::File {
                file,
                length: 0,
                path: path.to_owned(),
                claim,
            },
        })
    }

    /// The writing end of a sink, whose frames are octets of the file.
    pub(crate) fn stream(id: u64) -> Result<RecordingPlace, OpenError> {
        Ok(RecordingPlace {
            kind: Destination::Stream(SinkWriter::open(id)?),
        })
    }

    #[cfg(test)]
    pub(super) fn slow(slow: super::tests::Slow) -> RecordingPlace {
        RecordingPlace {
            kind: Destination::Slow(slow),
        }
    }

    /// What it is called where its trouble is told.
    pub(super) fn name(&self) -> &str {
        match &self.kind {
            Destination::File { path, .. } => path,
            Destination::Stream(_) => "the Writable of a recording",
            #[cfg(test)]
            Destination::Slow(_) => "a slow disk",
        }
    }

    /// Whether the next chunk finds room; a disk has it, or fails.
    pub(super) fn has_room(&self) -> bool {
        match &self.kind {
            Destination::File { .. } => true,
            Destination::Stream(sink) => sink.has_room(),
            #[cfg(test)]
            Destination::Slow(_) => true,
        }
    }

    /// Writes a chunk, for which there is room.
    pub(super) fn write(&mut self, chunk: Chunk) -> io::Result<()> {
        match &mut self.kind {
            Destination::File {
                file,
                length,
                path,
                claim,
            } => {
                append(file, length, &chunk.append)?;
                begin(file, &chunk.begin)?;
                claim.as_ref().map_or(Ok(()), |claim| claim.holds(path))
            }
            Destination::Stream(sink) => {
                if !chunk.append.is_empty() {
                    sink.give(chunk.append);
                }
                Ok(())
            }
            #[cfg(test)]
            Destination::Slow(slow) => slow.write(&chunk),
        }
    }

    /// Says that nothing more is written.
    pub(super) fn finish(&mut self) {
        match &mut self.kind {
            Destination::File { .. } => {}
            Destination::Stream(sink) => sink.finish(),
            #[cfg(test)]
            Destination::Slow(_) => {}
        }
    }

    pub(super) fn reading(&self) -> Reading {
        match &self.kind {
            Destination::File { .. } => Reading::Over,
            Destination::Stream(sink) if sink.is_abandoned() => Reading::Over,
            Destination::Stream(sink) => Reading::On(sink.taken()),
            #[cfg(test)]
            Destination::Slow(_) => Reading::Over,
        }
    }

    /// Makes what could be written of a file whole; how long that is, if it is a file.
    pub(super) fn cut(&mut self, recorder: &Recorder) -> Option<Duration> {
        let Destination::File { file, length, .. } = &mut self.kind else {
            return None;
        };
        let cut = recorder.cut(*length);
        // It failed already; this is an attempt.
        let _ = file.set_len(cut.length);
        let _ = begin(file, &cut.begin);
        Some(cut.duration)
    }
}

/// Counts what was written, also if not all could be.
fn append(file: &mut File, length: &mut u64, mut octets: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(*length))?;
    while !octets.is_empty() {
        match file.write(octets) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                *length += count as u64;
                octets = &octets[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn begin(file: &mut File, octets: &[u8]) -> io::Result<()> {
    if octets.is_empty() {
        return Ok(());
    }
    file.seek(SeekFrom::Start(0))?;
    file.write_all(octets)
}

fn open(path: &str) -> Result<(File, Option<Claim>), String> {
    match fs::metadata(path).is_ok_and(|metadata| is_pipe(&metadata)) {
        true => Err("a pipe or socket can't be gone back in: record to a Writable".to_owned()),
        false => files::create(path),
    }
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    kind.is_fifo() || kind.is_socket()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}
