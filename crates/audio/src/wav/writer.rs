/// Octets before the sound.
pub const HEADER: usize = 44;

/// What players take for "until the end".
const UNKNOWN: u32 = u32::MAX;

/// What a file of 16-bit PCM begins with: `hz` samples per second in each of `channels`, so many octets of sound, and so many of
/// other chunks behind them. A stream does not know how long it will be, and nor does a file of more than 4 GiB.
pub fn header(hz: u32, channels: u16, sound: Option<u64>, behind: u32) -> [u8; HEADER] {
    let block = channels * 2;
    let size = |octets: Option<u64>| {
        let known = octets.map(|octets| octets.try_into().unwrap_or(UNKNOWN));
        known.unwrap_or(UNKNOWN).to_le_bytes()
    };
    let riff = sound.map(|sound| HEADER as u64 - 8 + sound + u64::from(behind));
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &size(riff),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &hz.to_le_bytes(),
        &hz.saturating_mul(u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &size(sound),
    ];
    let mut header = [0; HEADER];
    header.copy_from_slice(&fields.concat());
    header
}

/// A whole file of 16-bit PCM; with several channels their samples take turns.
pub fn whole(hz: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let sound = samples.iter().flat_map(|sample| sample.to_le_bytes());
    let length = Some(samples.len() as u64 * 2);
    header(hz, channels, length, 0)
        .into_iter()
        .chain(sound)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wav::{Encoding, Format, Reader};

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = whole(16_000, 1, &[1, -2, 3, i16::MIN, i16::MAX]);
        assert_eq!(bytes.len(), 44 + 10);
        assert_eq!(bytes[4..8], 46_u32.to_le_bytes());
        assert_eq!(bytes[40..44], 10_u32.to_le_bytes());
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
    fn a_stream_that_does_not_know_its_length_is_read_to_its_end() {
        for sound in [None, Some(5 << 30)] {
            let mut bytes = header(8_000, 1, sound, 0).to_vec();
            bytes.extend([7, 0, 8, 0]);
            let mut out = [0; 4];
            assert_eq!(Reader::new(&bytes[..]).unwrap().read(&mut out).unwrap(), 2);
        }
    }
}
