use std::io::{self, Read};

use super::Error;
use crate::companding;

const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_A_LAW: u16 = 6;
const TAG_MU_LAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// More than any speaker layout; it bounds one sample's size.
const MOST_CHANNELS: u16 = 32;
/// As much of a format chunk as means anything (WAVE_FORMAT_EXTENSIBLE).
const FORMAT_BYTES: usize = 40;

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 8 bits, unsigned.
    Unsigned8,
    /// 16 bits, signed.
    Signed16,
    /// 24 bits, signed.
    Signed24,
    /// 32 bits, signed.
    Signed32,
    /// 32 bits, floating point, full scale 1.
    Float32,
    /// 64 bits, floating point, full scale 1.
    Float64,
    /// G.711 A-law.
    ALaw,
    /// G.711 µ-law.
    MuLaw,
}

impl Encoding {
    const fn bytes(self) -> usize {
        match self {
            Self::Unsigned8 | Self::ALaw | Self::MuLaw => 1,
            Self::Signed16 => 2,
            Self::Signed24 => 3,
            Self::Signed32 | Self::Float32 => 4,
            Self::Float64 => 8,
        }
    }

    fn from_tag(tag: u16, bits: u16) -> Result<Self, Error> {
        match (tag, bits) {
            (TAG_PCM, 8) => Ok(Self::Unsigned8),
            (TAG_PCM, 16) => Ok(Self::Signed16),
            (TAG_PCM, 24) => Ok(Self::Signed24),
            (TAG_PCM, 32) => Ok(Self::Signed32),
            (TAG_FLOAT, 32) => Ok(Self::Float32),
            (TAG_FLOAT, 64) => Ok(Self::Float64),
            (TAG_A_LAW, 8) => Ok(Self::ALaw),
            (TAG_MU_LAW, 8) => Ok(Self::MuLaw),
            (tag, bits) => Err(Error::Encoding { tag, bits }),
        }
    }

    /// Decodes one sample out of exactly [`Encoding::bytes`] bytes, scaled to 16 bits.
    fn decode(self, bytes: &[u8]) -> i32 {
        let float = |value: f64| (value * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i32;
        match (self, bytes) {
            (Self::Unsigned8, [a, ..]) => (i32::from(*a) - 128) << 8,
            (Self::ALaw, [a, ..]) => i32::from(companding::from_a_law(*a)),
            (Self::MuLaw, [a, ..]) => i32::from(companding::from_mu_law(*a)),
            (Self::Signed16, [a, b, ..]) => i32::from(i16::from_le_bytes([*a, *b])),
            (Self::Signed24, [_, b, c, ..]) => i32::from(i16::from_le_bytes([*b, *c])),
            (Self::Signed32, [_, _, c, d, ..]) => i32::from(i16::from_le_bytes([*c, *d])),
            (Self::Float32, [a, b, c, d, ..]) => {
                float(f64::from(f32::from_le_bytes([*a, *b, *c, *d])))
            }
            (Self::Float64, [a, b, c, d, e, f, g, h, ..]) => {
                float(f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            // A slice shorter than its sample is never passed; it would be silent.
            (
                Self::Unsigned8
                | Self::ALaw
                | Self::MuLaw
                | Self::Signed16
                | Self::Signed24
                | Self::Signed32
                | Self::Float32
                | Self::Float64,
                _,
            ) => 0,
        }
    }
}

/// What a file's format chunk says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Samples per second and channel.
    pub hz: u32,
    /// How many voices side by side.
    pub channels: u16,
    /// How each sample is stored.
    pub encoding: Encoding,
}

/// Reads a WAV file as 16-bit mono at the file's own rate; channels are averaged.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    format: Format,
    /// Bytes left in the data chunk; `None` when the file was written through a pipe and doesn't know.
    left: Option<u64>,
    buffer: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads up to where the sound begins.
    pub fn new(mut input: R) -> Result<Self, Error> {
        // EBU Tech 3306: RF64 is a WAV file whose sizes stand in 64 bits in its first chunk.
        expect_word(&mut input, &[b"RIFF", b"RF64"])?;
        skip(&mut input, 4)?;
        expect_word(&mut input, &[b"WAVE"])?;
        let mut format = None;
        let mut data_size = None;
        let mut padded = false;
        loop {
            let missing = if format.is_none() { "fmt " } else { "data" };
            let Some((id, size)) = chunk_header(&mut input, padded)? else {
                return Err(Error::Incomplete { missing });
            };
            padded = size & 1 == 1;
            match &id {
                b"fmt " => format = Some(read_format(&mut input, size)?),
                b"ds64" => data_size = read_sizes(&mut input, size)?,
                b"data" => {
                    let size = match (size, data_size) {
                        (u32::MAX, Some(size)) => size,
                        // 0 and all ones are what a writer leaves that could not come back to the header.
                        (0 | u32::MAX, _) => 0,
                        (size, _) => u64::from(size),
                    };
                    let format = format.ok_or(Error::DataBeforeFormat)?;
                    return Ok(Self {
                        input,
                        format,
                        left: (size != 0).then_some(size),
                        buffer: Vec::new(),
                    });
                }
                _ => skip(&mut input, u64::from(size))?,
            }
        }
    }

    /// Returns what the file's format chunk says.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Fills `out` and returns how many samples it read: fewer only at the end, 0 after it.
    ///
    /// A file that is shorter than it says ends where it ends.
    pub fn read(&mut self, out: &mut [i16]) -> Result<usize, Error> {
        let sample = self.format.encoding.bytes();
        let block = sample * usize::from(self.format.channels);
        let wanted = (out.len() * block) as u64;
        let wanted = self.left.map_or(wanted, |left| wanted.min(left)) as usize;
        self.buffer.resize(wanted, 0);
        let got = read_fully(&mut self.input, &mut self.buffer)?;
        if let Some(left) = &mut self.left {
            *left = if got < wanted { 0 } else { *left - got as u64 };
        }
        let channels = i32::from(self.format.channels);
        let blocks = self.buffer[..got].chunks_exact(block);
        let count = blocks.len();
        for (out, block) in out.iter_mut().zip(blocks) {
            let sum: i32 = block
                .chunks_exact(sample)
                .map(|bytes| self.format.encoding.decode(bytes))
                .sum();
            *out = (sum / channels) as i16;
        }
        Ok(count)
    }
}

fn read_format(input: &mut impl Read, size: u32) -> Result<Format, Error> {
    if size < 16 {
        return Err(Error::ShortFormat { bytes: size });
    }
    let mut bytes = [0; FORMAT_BYTES];
    let known = (size as usize).min(FORMAT_BYTES);
    if read_fully(input, &mut bytes[..known])? < known {
        return Err(Error::Incomplete { missing: "fmt " });
    }
    skip(input, u64::from(size) - known as u64)?;
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let (channels, block, bits) = (word(2), word(12), word(14));
    let tag = match word(0) {
        // The true tag begins the sub-format's GUID.
        TAG_EXTENSIBLE if known >= 26 => word(24),
        tag => tag,
    };
    let encoding = Encoding::from_tag(tag, bits)?;
    if !(1..=MOST_CHANNELS).contains(&channels) {
        return Err(Error::Channels { got: channels });
    }
    let expected = channels * encoding.bytes() as u16;
    // Some writers leave it out; it says nothing that the other fields don't.
    if block != 0 && block != expected {
        return Err(Error::BlockSize {
            got: block,
            expected,
        });
    }
    Ok(Format {
        hz: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        channels,
        encoding,
    })
}

/// Reads the size of the data out of a `ds64` chunk, which has the one of the file before it.
fn read_sizes(input: &mut impl Read, size: u32) -> Result<Option<u64>, Error> {
    let mut bytes = [0; 16];
    let known = (size as usize).min(bytes.len());
    let got = read_fully(input, &mut bytes[..known])?;
    skip(input, u64::from(size) - known as u64)?;
    let [.., a, b, c, d, e, f, g, h] = bytes;
    let data = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    Ok((got == bytes.len()).then_some(data))
}

fn expect_word(input: &mut impl Read, expected: &[&[u8; 4]]) -> Result<(), Error> {
    let mut got = [0; 4];
    let length = read_fully(input, &mut got)?;
    if expected.contains(&&got) {
        return Ok(());
    }
    Err(Error::NotWave {
        got: got[..length].escape_ascii().to_string(),
    })
}

/// Reads the head of a chunk, `padded` where the one before it has an odd size: then a byte stands between them, which
/// some writers leave out.
fn chunk_header(input: &mut impl Read, padded: bool) -> Result<Option<([u8; 4], u32)>, Error> {
    let mut bytes = [0; 8];
    if read_fully(input, &mut bytes)? < bytes.len() {
        return Ok(None);
    }
    let known = |id: &[u8]| [&b"fmt "[..], b"data", b"fact", b"LIST", b"ds64"].contains(&id);
    let is_id = bytes[..4].iter().all(|byte| (b' '..=b'~').contains(byte));
    if padded && (!is_id || known(&bytes[1..5])) {
        bytes.rotate_left(1);
        if read_fully(input, &mut bytes[7..])? < 1 {
            return Ok(None);
        }
    }
    let [a, b, c, d, size @ ..] = bytes;
    Ok(Some(([a, b, c, d], u32::from_le_bytes(size))))
}

/// Reads past `bytes`, without storing them whatever a header claims their number to be.
fn skip(input: &mut impl Read, bytes: u64) -> Result<(), Error> {
    io::copy(&mut input.take(bytes), &mut io::sink())?;
    Ok(())
}

fn read_fully(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(tag: u16, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
        let block = channels.wrapping_mul(bits / 8);
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        bytes.extend(tag.to_le_bytes());
        bytes.extend(channels.to_le_bytes());
        bytes.extend(8_000_u32.to_le_bytes());
        bytes.extend((8_000 * u32::from(block)).to_le_bytes());
        bytes.extend(block.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        // An odd chunk between, with its byte of padding.
        bytes.extend(b"LIST\x03\0\0\0abc\0data");
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<i16>, Error> {
        let mut reader = Reader::new(bytes)?;
        let mut out = [0; 64];
        let count = reader.read(&mut out)?;
        assert_eq!(reader.read(&mut [0; 4])?, 0);
        Ok(out[..count].to_vec())
    }

    #[test]
    fn every_encoding_gives_sixteen_bits() {
        let half = 0.5_f32.to_le_bytes();
        let loud = 7.0_f64.to_le_bytes();
        for (tag, bits, data, expected) in [
            (1, 8, &[0, 128, 255][..], &[-32_768, 0, 32_512][..]),
            (1, 16, &[0x34, 0x12, 0xff, 0xff], &[0x1234, -1]),
            (1, 24, &[0x99, 0x34, 0x12], &[0x1234]),
            (1, 32, &[0x99, 0x99, 0x34, 0x12], &[0x1234]),
            (3, 32, &half, &[16_384]),
            (3, 64, &loud, &[i16::MAX]),
            (6, 8, &[0x2a, 0xd5], &[-32_256, 8]),
            (7, 8, &[0x80, 0xff], &[32_124, 0]),
        ] {
            assert_eq!(
                read(&file(tag, 1, bits, data)).unwrap(),
                expected,
                "{tag} {bits}"
            );
        }
    }

    #[test]
    fn channels_are_averaged() {
        let data = [100_i16, 300, -4, -8].map(i16::to_le_bytes).concat();
        assert_eq!(read(&file(1, 2, 16, &data)).unwrap(), [200, -6]);
    }

    #[test]
    fn an_extensible_header_is_looked_into() {
        let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x28\0\0\0".to_vec();
        bytes.extend(
            b"\xfe\xff\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0\x16\0\x10\0\0\0\0\0\x01\0",
        );
        bytes.extend([0; 14]);
        bytes.extend(b"data\x02\0\0\0\x05\0");
        assert_eq!(read(&bytes).unwrap(), [5]);
    }

    #[test]
    fn sizes_that_lie_end_with_the_file() {
        for size in [0_u32, 1_000, u32::MAX] {
            let mut bytes = file(1, 1, 16, &[1, 0, 2, 0, 3]);
            let at = bytes.len() - 9;
            bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
            assert_eq!(read(&bytes).unwrap(), [1, 2], "{size}");
        }
    }

    #[test]
    fn a_file_with_sizes_of_64_bits_is_read() {
        let plain = file(1, 1, 16, &[1, 0, 2, 0]);
        for (said, trailer) in [(4_u64, &b"id3 \x02\0\0\0\x7f\x7f"[..]), (0, b"")] {
            let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0".to_vec();
            bytes.extend(0_u64.to_le_bytes());
            bytes.extend(said.to_le_bytes());
            bytes.extend([0; 12]);
            bytes.extend(&plain[12..]);
            let at = bytes.len() - 8;
            bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            bytes.extend(trailer);
            assert_eq!(read(&bytes).unwrap(), [1, 2], "{said}");
        }
        assert!(Reader::new(&b"RF64\xff\xff\xff\xffWAVEds64\x02\0\0\0ab"[..]).is_err());
    }

    #[test]
    fn a_block_size_that_is_left_out_follows_from_the_rest() {
        let mut bytes = file(1, 2, 16, &[100, 0, 44, 1]);
        bytes[32..34].copy_from_slice(&[0, 0]);
        assert_eq!(read(&bytes).unwrap(), [200]);
    }

    #[test]
    fn an_odd_chunk_may_lack_its_byte_of_padding_or_have_another_than_zero() {
        let sound = [1, 0, 2, 0];
        let padded = file(1, 1, 16, &sound);
        let at = padded.len() - 8 - sound.len() - 1;
        assert_eq!(padded[at], 0);
        let mut bare = padded.clone();
        bare.remove(at);
        let mut odd = padded.clone();
        odd[at] = b'x';
        for bytes in [padded, bare, odd] {
            assert_eq!(read(&bytes).unwrap(), [1, 2]);
        }
    }

    #[test]
    fn what_follows_the_sound_is_not_played() {
        let mut bytes = file(1, 1, 16, &[1, 0, 2, 0]);
        bytes.extend(b"id3 \x04\0\0\0\x7f\x7f\x7f\x7f");
        assert_eq!(read(&bytes).unwrap(), [1, 2]);
    }

    #[test]
    fn each_fault_is_named() {
        let good = file(1, 1, 16, &[0, 0]);
        let broken = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            read(&bytes).unwrap_err().to_string()
        };
        assert!(broken(0, b'X').contains("XIFF"));
        assert!(broken(8, b'X').contains("XAVE"));
        assert!(broken(16, 4).contains("4 bytes instead of at least 16"));
        assert!(broken(20, 0x55).contains("0x0055 with 16 bits"));
        assert!(broken(22, 0).contains("0 channels"));
        assert!(broken(22, 99).contains("99 channels"));
        assert!(broken(32, 9).contains("block size is 9 bytes, but 2"));
        assert!(broken(34, 12).contains("12 bits"));
        assert!(matches!(
            read(&good[..30]),
            Err(Error::Incomplete { missing: "fmt " })
        ));
        assert!(matches!(
            read(&good[..40]),
            Err(Error::Incomplete { missing: "data" })
        ));
        assert!(matches!(
            read(b"RIFF\0\0\0\0WAVEdata\0\0\0\0"),
            Err(Error::DataBeforeFormat)
        ));
        assert!(matches!(read(b""), Err(Error::NotWave { .. })));
    }

    #[test]
    fn no_prefix_and_no_flipped_byte_of_a_file_panics() {
        let good = file(1, 2, 24, &[7; 60]);
        for end in 0..good.len() {
            let _ = read(&good[..end]);
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = good.clone();
                bytes[end] = value;
                if let Ok(mut reader) = Reader::new(&bytes[..]) {
                    let _ = reader.read(&mut [0; 64]);
                }
            }
        }
    }
}
