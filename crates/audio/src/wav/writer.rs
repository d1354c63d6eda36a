use std::io::{Seek, SeekFrom, Write};

use super::Error;

const HEADER: u32 = 44;

/// Writes 16-bit PCM; the header's sizes are completed by [`Writer::finish`], or by `flush` for as far as it got.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    channels: u16,
    /// Bytes of sound written.
    written: u32,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes the header of a file with `hz` samples per second in each of `channels`.
    pub fn new(mut output: W, hz: u32, channels: u16) -> Result<Self, Error> {
        if !(1..=32).contains(&channels) {
            return Err(Error::Channels { got: channels });
        }
        let block = channels * 2;
        let mut header = Vec::with_capacity(HEADER as usize);
        header.extend(b"RIFF");
        header.extend((HEADER - 8).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(16_u32.to_le_bytes());
        header.extend(1_u16.to_le_bytes());
        header.extend(channels.to_le_bytes());
        header.extend(hz.to_le_bytes());
        header.extend(hz.saturating_mul(u32::from(block)).to_le_bytes());
        header.extend(block.to_le_bytes());
        header.extend(16_u16.to_le_bytes());
        header.extend(b"data");
        header.extend(0_u32.to_le_bytes());
        output.write_all(&header)?;
        Ok(Self {
            output,
            channels,
            written: 0,
            buffer: Vec::new(),
        })
    }

    /// Appends samples; with several channels they take turns, and their number is a multiple of the channels.
    pub fn write(&mut self, samples: &[i16]) -> Result<(), Error> {
        let bytes = u32::try_from(samples.len() * 2).map_err(|_| Error::Full)?;
        let written = self.written.checked_add(bytes).ok_or(Error::Full)?;
        if written > u32::MAX - HEADER {
            return Err(Error::Full);
        }
        self.buffer.clear();
        self.buffer
            .extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        self.output.write_all(&self.buffer)?;
        self.written = written;
        Ok(())
    }

    /// Appends one sample of each of two channels at a time; the shorter side is padded with silence.
    pub fn write_stereo(&mut self, left: &[i16], right: &[i16]) -> Result<(), Error> {
        if self.channels != 2 {
            return Err(Error::Channels { got: self.channels });
        }
        let side = |side: &[i16], at: usize| side.get(at).copied().unwrap_or(0);
        let both: Vec<i16> = (0..left.len().max(right.len()))
            .flat_map(|at| [side(left, at), side(right, at)])
            .collect();
        self.write(&both)
    }

    /// Makes the file complete as far as it got, so that it can be played if the process dies.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.output.seek(SeekFrom::Start(4))?;
        self.output
            .write_all(&(HEADER - 8 + self.written).to_le_bytes())?;
        self.output.seek(SeekFrom::Start(u64::from(HEADER) - 4))?;
        self.output.write_all(&self.written.to_le_bytes())?;
        self.output.seek(SeekFrom::End(0))?;
        self.output.flush()?;
        Ok(())
    }

    /// Completes the header and returns the output.
    pub fn finish(mut self) -> Result<W, Error> {
        self.flush()?;
        Ok(self.output)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::wav::{Encoding, Format, Reader};

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::new(Cursor::new(Vec::new()), 16_000, 1).unwrap();
        writer.write(&[1, -2, 3]).unwrap();
        writer.flush().unwrap();
        writer.write(&[i16::MIN, i16::MAX]).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(bytes.len(), 44 + 10);
        assert_eq!(bytes[4..8], 46_u32.to_le_bytes());
        let mut reader = Reader::new(&bytes[..]).unwrap();
        let expected = Format {
            hz: 16_000,
            channels: 1,
            encoding: Encoding::Signed16,
        };
        assert_eq!(reader.format(), expected);
        let mut out = [0; 9];
        assert_eq!(reader.read(&mut out).unwrap(), 5);
        assert_eq!(out[..5], [1, -2, 3, i16::MIN, i16::MAX]);
    }

    #[test]
    fn a_flushed_file_is_whole_before_it_is_finished() {
        let mut output = Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut output, 8_000, 1).unwrap();
        writer.write(&[7, 8]).unwrap();
        writer.flush().unwrap();
        drop(writer);
        let mut out = [0; 4];
        let bytes = output.into_inner();
        assert_eq!(Reader::new(&bytes[..]).unwrap().read(&mut out).unwrap(), 2);
        assert_eq!(bytes[40..44], 4_u32.to_le_bytes());
    }

    #[test]
    fn two_legs_become_two_channels() {
        let mut writer = Writer::new(Cursor::new(Vec::new()), 8_000, 2).unwrap();
        writer.write_stereo(&[1, 2], &[10]).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(bytes[44..], [1, 0, 10, 0, 2, 0, 0, 0]);
        assert!(matches!(
            Writer::new(Cursor::new(Vec::new()), 8_000, 0),
            Err(Error::Channels { got: 0 })
        ));
    }
}
