//! Encoded frames in a file: IVF, as ffmpeg and libvpx have it.
//!
//! Nothing is reserved for what a file claims before its octets are there, and what is missing at its end is
//! left out.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use thiserror::Error;

use crate::{EncodedFrame, NotAFrame, VideoCodec};

const HEADER: u16 = 32;
/// Longer than any version has it.
const LONGEST_HEADER: u16 = 1_024;
const FRAME_HEADER: usize = 12;

/// Why a file is not played.
#[derive(Debug, Error)]
pub enum IvfError {
    /// The system's own words.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as such files do.
    #[error("it is no IVF file")]
    NotIvf,
    /// Frames of a codec that no call takes.
    #[error("its codec is {0:?}; VP80 and H264 are played")]
    Codec(String),
    /// Its clock has no rate.
    #[error("its clock makes {0} ticks in {1} s")]
    Clock(u32, u32),
    /// A frame that is none.
    #[error("frame {number} is damaged: {why}")]
    Frame {
        /// Counted from 0.
        number: u64,
        /// What is wrong with it.
        why: NotAFrame,
    },
}

/// Reads one frame after the other.
#[derive(Debug)]
pub struct IvfReader<R> {
    from: R,
    codec: VideoCodec,
    ticks: u32,
    seconds: u32,
    number: u64,
}

impl<R: Read> IvfReader<R> {
    /// Reads the header.
    pub fn new(mut from: R) -> Result<IvfReader<R>, IvfError> {
        let mut header = [0; HEADER as usize];
        if !fill(&mut from, &mut header)? || !header.starts_with(b"DKIF") {
            return Err(IvfError::NotIvf);
        }
        let length = u16::from_le_bytes([header[6], header[7]]);
        if !(HEADER..=LONGEST_HEADER).contains(&length) {
            return Err(IvfError::NotIvf);
        }
        io::copy(
            &mut from.by_ref().take(u64::from(length - HEADER)),
            &mut io::sink(),
        )?;
        let codec = match &header[8..12] {
            b"VP80" => VideoCodec::Vp8,
            b"H264" => VideoCodec::H264,
            other => return Err(IvfError::Codec(String::from_utf8_lossy(other).into_owned())),
        };
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (ticks, seconds) = (number(16), number(20));
        if ticks == 0 || seconds == 0 {
            return Err(IvfError::Clock(ticks, seconds));
        }
        Ok(IvfReader {
            from,
            codec,
            ticks,
            seconds,
            number: 0,
        })
    }

    /// Returns the codec of all frames.
    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// Reads the next frame; none at the end, also if that comes within a frame.
    pub fn read(&mut self) -> Result<Option<EncodedFrame>, IvfError> {
        let mut head = [0; FRAME_HEADER];
        if !fill(&mut self.from, &mut head)? {
            return Ok(None);
        }
        let [l0, l1, l2, l3, time @ ..] = head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let damaged = |why| IvfError::Frame {
            number: self.number,
            why,
        };
        if length > EncodedFrame::MOST_OCTETS {
            return Err(damaged(NotAFrame::TooLarge(length)));
        }
        let mut data = Vec::new();
        self.from
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut data)?;
        if data.len() < length {
            return Ok(None);
        }
        let micros = u128::from(u64::from_le_bytes(time)) * u128::from(self.seconds) * 1_000_000
            / u128::from(self.ticks);
        let at = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        let frame = EncodedFrame::read(self.codec, at, data.into()).map_err(damaged)?;
        self.number += 1;
        Ok(Some(frame))
    }
}

/// Whether there were as many octets.
fn fill(from: &mut impl Read, octets: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(octets) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// Writes frames, from a key frame on; the file is whole after each.
#[derive(Debug)]
pub struct IvfWriter<W> {
    into: W,
    begun: Option<IvfBegun>,
}

#[derive(Debug)]
struct IvfBegun {
    codec: VideoCodec,
    /// What is added to a frame's time, in microseconds.
    offset: i128,
    last: u64,
    written: u32,
}

/// Microseconds.
const CLOCK: u32 = 1_000_000;
/// A clock that goes back by more, or ahead by more, is another; what it says goes on from there.
const MOST_BACK: i128 = 1_000_000;
const MOST_AHEAD: i128 = 86_400_000_000;
/// How long a frame is shown before one of another clock.
const ASSUMED_FRAME: i128 = 33_000;
/// Where the header says how many frames there are.
const COUNT_AT: u64 = 24;

impl IvfBegun {
    /// Where a frame of this time stands: no two have one place, whatever their source's clock says.
    fn place(&mut self, timestamp: Duration) -> u64 {
        let (time, last) = (timestamp.as_micros() as i128, i128::from(self.last));
        if !(last - MOST_BACK..=last + MOST_AHEAD).contains(&(time + self.offset)) {
            self.offset = last + ASSUMED_FRAME - time;
        }
        u64::try_from((time + self.offset).max(last + 1)).unwrap_or(u64::MAX)
    }
}

impl<W: Write + Seek> IvfWriter<W> {
    /// Makes one that writes nothing before the first key frame.
    pub fn new(into: W) -> IvfWriter<W> {
        IvfWriter { into, begun: None }
    }

    /// Writes a frame; says whether it did, which it does not before the first key frame, nor of another codec.
    pub fn write(&mut self, frame: &EncodedFrame) -> io::Result<bool> {
        if self.begun.is_none() && !self.begin(frame)? {
            return Ok(false);
        }
        let Some(begun) = self
            .begun
            .as_mut()
            .filter(|begun| begun.codec == frame.codec)
        else {
            return Ok(false);
        };
        if begun.written > 0 {
            begun.last = begun.place(frame.timestamp);
        }
        begun.written = begun.written.saturating_add(1);
        let length = (frame.data.len() as u32).to_le_bytes();
        let octets = [&length[..], &begun.last.to_le_bytes(), &frame.data].concat();
        self.into.write_all(&octets)?;
        self.into.seek(SeekFrom::Start(COUNT_AT))?;
        self.into.write_all(&begun.written.to_le_bytes())?;
        self.into.seek(SeekFrom::End(0))?;
        self.into.flush()?;
        Ok(true)
    }

    fn begin(&mut self, frame: &EncodedFrame) -> io::Result<bool> {
        if !frame.key {
            return Ok(false);
        }
        let size = frame.size.unwrap_or(crate::Size::new(0, 0));
        let name = match frame.codec {
            VideoCodec::Vp8 => b"VP80",
            VideoCodec::H264 => b"H264",
        };
        let mut header = Vec::with_capacity(HEADER.into());
        header.extend(b"DKIF\0\0");
        header.extend(HEADER.to_le_bytes());
        header.extend(name);
        header.extend(size.width.to_le_bytes());
        header.extend(size.height.to_le_bytes());
        header.extend(CLOCK.to_le_bytes());
        header.extend(1_u32.to_le_bytes());
        header.extend([0; 8]);
        self.into.write_all(&header)?;
        self.begun = Some(IvfBegun {
            codec: frame.codec,
            offset: -(frame.timestamp.as_micros() as i128),
            last: 0,
            written: 0,
        });
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const KEY: [u8; 10] = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1];
    const DELTA: [u8; 4] = [0x11, 0, 0, 7];

    fn frame(ms: u64, octets: &[u8]) -> EncodedFrame {
        let at = Duration::from_millis(ms);
        EncodedFrame::read(VideoCodec::Vp8, at, octets.into()).unwrap()
    }

    fn written(frames: &[EncodedFrame]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut writer = IvfWriter::new(&mut file);
        for frame in frames {
            writer.write(frame).unwrap();
        }
        file.into_inner()
    }

    fn read(file: &[u8]) -> Vec<EncodedFrame> {
        let mut reader = IvfReader::new(file).unwrap();
        std::iter::from_fn(|| reader.read().unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_read_from_its_first_key_frame_on() {
        let frames = [
            frame(900, &DELTA),
            frame(1_000, &KEY),
            frame(1_033, &DELTA),
            frame(1_000, &DELTA),
        ];
        let file = written(&frames);
        assert_eq!(file[24], 3, "the header counts");
        assert_eq!(&file[12..16], [0x80, 2, 0x68, 1]);
        let seen = read(&file);
        let times: Vec<_> = seen
            .iter()
            .map(|frame| frame.timestamp.as_micros())
            .collect();
        assert_eq!(times, [0, 33_000, 33_001], "each has a time of its own");
        assert!(seen[0].key && !seen[1].key);
    }

    #[test]
    fn a_file_that_ends_within_a_frame_ends_before_it() {
        let file = written(&[frame(0, &KEY), frame(1, &DELTA)]);
        for end in file.len() - DELTA.len() - FRAME_HEADER..file.len() {
            assert_eq!(read(&file[..end]).len(), 1);
        }
        assert_eq!(read(&file[..32]).len(), 0);
        assert!(matches!(IvfReader::new(&file[..31]), Err(IvfError::NotIvf)));
    }

    #[test]
    fn a_clock_that_leaps_harms_no_time_but_its_own() {
        let times = [
            0,
            33,
            u64::MAX / 2_000,
            u64::MAX / 2_000 + 40,
            66,
            100,
            0,
            30,
        ];
        let frames = times.map(|ms| frame(ms, &KEY));
        let seen = read(&written(&frames));
        let seen: Vec<_> = seen
            .iter()
            .map(|frame| frame.timestamp.as_millis())
            .collect();
        assert_eq!(seen, [0, 33, 66, 106, 139, 173, 173, 173]);
    }

    #[test]
    fn a_frame_of_another_codec_is_not_written() {
        let mut file = Cursor::new(Vec::new());
        let mut writer = IvfWriter::new(&mut file);
        assert!(writer.write(&frame(0, &KEY)).unwrap());
        let other = EncodedFrame::read(
            VideoCodec::H264,
            Duration::ZERO,
            [0, 0, 1, 0x65].as_slice().into(),
        );
        assert!(!writer.write(&other.unwrap()).unwrap());
    }

    #[test]
    fn a_file_that_lies_is_refused_and_reserves_nothing() {
        let file = written(&[frame(0, &KEY), frame(1, &DELTA)]);
        let with = |at: usize, octets: &[u8]| {
            let mut file = file.clone();
            file[at..at + octets.len()].copy_from_slice(octets);
            file
        };
        assert!(matches!(
            IvfReader::new(&with(0, b"RIFF")[..]),
            Err(IvfError::NotIvf)
        ));
        assert!(matches!(
            IvfReader::new(&with(6, &[31, 0])[..]),
            Err(IvfError::NotIvf)
        ));
        assert!(matches!(
            IvfReader::new(&with(6, &[255, 255])[..]),
            Err(IvfError::NotIvf)
        ));
        assert!(matches!(
            IvfReader::new(&with(8, b"AV01")[..]),
            Err(IvfError::Codec(_))
        ));
        assert!(matches!(
            IvfReader::new(&with(16, &[0; 4])[..]),
            Err(IvfError::Clock(0, 1))
        ));
        let first = |file: &[u8]| IvfReader::new(file).unwrap().read();
        let huge = first(&with(32, &[255, 255, 255, 255]));
        assert!(matches!(
            huge,
            Err(IvfError::Frame {
                number: 0,
                why: NotAFrame::TooLarge(_)
            })
        ));
        // 3 MB, which may be, but is not there.
        assert!(first(&with(32, &[0, 0, 48, 0])).unwrap().is_none());
        assert!(matches!(
            first(&with(32, &[0; 4])),
            Err(IvfError::Frame {
                why: NotAFrame::Empty,
                ..
            })
        ));
        let late = first(&with(36, &[255; 8])).unwrap().unwrap();
        assert_eq!(
            late.timestamp.as_micros(),
            u128::from(u64::MAX),
            "as it says, within what a time can be"
        );
    }
}
