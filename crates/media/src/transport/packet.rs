//! The RTP header, read and written without allocating.

use std::ops::Range;

const FIXED_HEADER: usize = 12;
const ONE_BYTE_PROFILE: u16 = 0xBEDE;
/// The low four bits of the two-byte profile are the application's (RFC 8285 §4.3).
const TWO_BYTE_PROFILE: u16 = 0x1000;

/// A received RTP header: fields, and where the parts lie in the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderView {
    pub(super) pt: u8,
    pub(super) marker: bool,
    pub(super) seq: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) padding: bool,
    pub(super) extension_profile: u16,
    pub(super) extensions: Range<usize>,
    pub(super) len: usize,
}

impl HeaderView {
    /// Reads the header, or returns `None` when the packet is too short for what it says.
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<FIXED_HEADER>()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut len = FIXED_HEADER + 4 * usize::from(fixed[0] & 0x0F);
        let mut extension_profile = 0;
        let mut extensions = len..len;
        if fixed[0] & 0x10 != 0 {
            let block = packet.get(len..len + 4)?;
            extension_profile = u16::from_be_bytes([block[0], block[1]]);
            let words = usize::from(u16::from_be_bytes([block[2], block[3]]));
            extensions = len + 4..len + 4 + 4 * words;
            len = extensions.end;
        }
        if packet.len() < len {
            return None;
        }
        Some(Self {
            pt: fixed[1] & 0x7F,
            marker: fixed[1] & 0x80 != 0,
            seq: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            padding: fixed[0] & 0x20 != 0,
            extension_profile,
            extensions,
            len,
        })
    }

    /// Finds the payload of the decrypted packet, without padding.
    pub(super) fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        let mut end = packet.len();
        if self.padding {
            let padding = usize::from(*packet.last()?);
            if padding == 0 {
                return None;
            }
            end = end.checked_sub(padding)?;
        }
        (self.len <= end).then_some(self.len..end)
    }
}

/// What to write into the header of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderFields<'a> {
    pub(super) pt: u8,
    pub(super) marker: bool,
    pub(super) seq: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) extensions: &'a [(u8, &'a [u8])],
}

/// Appends a header; returns its length, or `None` when a field can't be expressed.
pub(super) fn write_header(fields: &HeaderFields<'_>, out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    if fields.pt > 0x7F {
        return None;
    }
    let has_extensions = !fields.extensions.is_empty();
    out.push(0x80 | if has_extensions { 0x10 } else { 0 });
    out.push(fields.pt | if fields.marker { 0x80 } else { 0 });
    out.extend_from_slice(&fields.seq.to_be_bytes());
    out.extend_from_slice(&fields.timestamp.to_be_bytes());
    out.extend_from_slice(&fields.ssrc.to_be_bytes());
    if has_extensions {
        write_extensions(fields.extensions, out)?;
    }
    Some(out.len() - start)
}

fn write_extensions(extensions: &[(u8, &[u8])], out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&ONE_BYTE_PROFILE.to_be_bytes());
    let length_at = out.len();
    out.extend_from_slice(&[0, 0]);
    for (id, value) in extensions {
        if !(1..=14).contains(id) || !(1..=16).contains(&value.len()) {
            return None;
        }
        let length = u8::try_from(value.len() - 1).ok()?;
        out.push(id << 4 | length);
        out.extend_from_slice(value);
    }
    let block = out.len() - length_at - 2;
    out.resize(out.len() + block.next_multiple_of(4) - block, 0);
    let words = u16::try_from(block.div_ceil(4)).ok()?;
    out[length_at..length_at + 2].copy_from_slice(&words.to_be_bytes());
    Some(())
}

/// Walks over header extensions of either form; a malformed rest ends the walk.
#[derive(Debug)]
pub(super) struct Extensions<'a> {
    two_byte: bool,
    rest: &'a [u8],
}

impl<'a> Extensions<'a> {
    pub(super) fn new(profile: u16, block: &'a [u8]) -> Self {
        let two_byte = profile & 0xFFF0 == TWO_BYTE_PROFILE;
        let known = two_byte || profile == ONE_BYTE_PROFILE;
        Self {
            two_byte,
            rest: if known { block } else { &[] },
        }
    }

    fn take(&mut self, id: u8, header: usize, length: usize) -> Option<(u8, &'a [u8])> {
        let value = self.rest.get(header..header + length);
        self.rest = self.rest.get(header + length..).unwrap_or(&[]);
        value.map(|value| (id, value))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let [first, tail @ ..] = self.rest {
            if *first == 0 {
                self.rest = tail;
            } else if self.two_byte {
                let length = usize::from(*tail.first()?);
                return self.take(*first, 2, length);
            } else if first >> 4 == 15 {
                // RFC 8285 §4.2: id 15 ends the processing of the whole block.
                self.rest = &[];
            } else {
                return self.take(first >> 4, 1, usize::from(first & 0x0F) + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<'a>(extensions: &'a [(u8, &'a [u8])]) -> HeaderFields<'a> {
        HeaderFields {
            pt: 111,
            marker: true,
            seq: 0xABCD,
            timestamp: 0x0102_0304,
            ssrc: 0xCAFE_BABE,
            extensions,
        }
    }

    #[test]
    fn a_written_header_reads_back() {
        let extensions: [(u8, &[u8]); 2] = [(1, &[9, 8, 7]), (14, &[5])];
        let mut packet = Vec::new();
        let len = write_header(&fields(&extensions), &mut packet).unwrap();
        packet.extend_from_slice(b"payload");
        let header = HeaderView::read(&packet).unwrap();
        assert_eq!(header.len, len);
        assert_eq!(header.len % 4, 0);
        assert_eq!((header.pt, header.marker, header.seq), (111, true, 0xABCD));
        assert_eq!((header.timestamp, header.ssrc), (0x0102_0304, 0xCAFE_BABE));
        assert_eq!(&packet[header.payload(&packet).unwrap()], b"payload");
        let read: Vec<_> =
            Extensions::new(header.extension_profile, &packet[header.extensions]).collect();
        assert_eq!(read, extensions);
    }

    #[test]
    fn a_header_that_promises_more_than_the_packet_holds_is_refused() {
        assert_eq!(HeaderView::read(&[0x80; 11]), None);
        let mut with_csrcs = vec![0x8F, 0];
        with_csrcs.resize(12 + 4 * 15 - 1, 0);
        assert_eq!(HeaderView::read(&with_csrcs), None);
        let mut with_extension = vec![0x90, 0];
        with_extension.resize(12, 0);
        with_extension.extend_from_slice(&[0xBE, 0xDE, 0xFF, 0xFF, 0, 0, 0, 0]);
        assert_eq!(HeaderView::read(&with_extension), None);
    }

    #[test]
    fn padding_longer_than_the_packet_is_refused() {
        let mut packet = vec![0xA0, 0];
        packet.resize(12, 0);
        packet.extend_from_slice(&[1, 2, 3, 4, 2]);
        let header = HeaderView::read(&packet).unwrap();
        assert_eq!(header.payload(&packet), Some(12..15));
        *packet.last_mut().unwrap() = 200;
        assert_eq!(header.payload(&packet), None);
        *packet.last_mut().unwrap() = 0;
        assert_eq!(header.payload(&packet), None);
    }

    #[test]
    fn two_byte_extensions_are_read_and_a_truncated_one_ends_the_walk() {
        let block = [3, 2, 0xAA, 0xBB, 0, 4, 0, 7, 200, 1];
        let read: Vec<_> = Extensions::new(0x1003, &block).collect();
        assert_eq!(read, vec![(3, &[0xAA, 0xBB][..]), (4, &[][..])]);
    }

    #[test]
    fn extensions_outside_the_one_byte_form_are_not_written() {
        let too_long = [0; 17];
        for extension in [(0, &[1][..]), (15, &[1]), (1, &[]), (1, &too_long)] {
            let extensions = [extension];
            assert_eq!(write_header(&fields(&extensions), &mut Vec::new()), None);
        }
    }
}
