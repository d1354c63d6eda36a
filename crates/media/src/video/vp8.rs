//! VP8 in RTP (RFC 7741).

use super::payload::{Look, Opening, PayloadError};

/// Bits of the descriptor's first octet (§4.2).
const EXTENDED: u8 = 0x80;
const NON_REFERENCE: u8 = 0x20;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
/// Bits of the octet that says what else there is.
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0PICIDX: u8 = 0x40;
const HAS_TID: u8 = 0x20;
const HAS_KEYIDX: u8 = 0x10;
/// The picture id has 15 bits, not 7.
const LONG: u8 = 0x80;
/// §4.3: this bit of a frame's first octet is not set in a key frame.
const INTER: u8 = 0x01;
/// What [`write`] puts before each part of a frame.
pub(super) const DESCRIPTOR: usize = 4;

/// How a picture is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureId {
    /// Modulo 128.
    Short(u8),
    /// Modulo 32,768.
    Long(u16),
}

/// To which temporal layer a picture belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// TID, 0 for the base.
    pub id: u8,
    /// Y: depends on nothing but the base layer, so a receiver may step up here.
    pub syncs: bool,
}

/// What stands before a part of a frame (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// No other picture depends on this one.
    pub non_reference: bool,
    /// A partition begins here.
    pub starts_partition: bool,
    /// Which partition it is; 0 is the first.
    pub partition: u8,
    /// The picture's number.
    pub picture_id: Option<PictureId>,
    /// The number of the base layer's picture that it depends on.
    pub tl0picidx: Option<u8>,
    /// Its layer.
    pub layer: Option<Layer>,
    /// The number of the key frame that it depends on, modulo 32.
    pub keyidx: Option<u8>,
}

impl Descriptor {
    /// Reads a payload: its descriptor, and the part of a frame behind it, which has an octet at least.
    ///
    /// # Errors
    /// When the payload ends before its part of a frame begins.
    pub fn read(payload: &[u8]) -> Result<(Self, &[u8]), PayloadError> {
        let mut octets = Octets(payload);
        let first = octets.take()?;
        let what = if first & EXTENDED != 0 {
            octets.take()?
        } else {
            0
        };
        let picture_id = match what & HAS_PICTURE_ID {
            0 => None,
            _set => Some(octets.picture_id()?),
        };
        let tl0picidx = match what & HAS_TL0PICIDX {
            0 => None,
            _set => Some(octets.take()?),
        };
        let layers = match what & (HAS_TID | HAS_KEYIDX) {
            0 => 0,
            _set => octets.take()?,
        };
        let descriptor = Self {
            non_reference: first & NON_REFERENCE != 0,
            starts_partition: first & START != 0,
            partition: first & PARTITION,
            picture_id,
            tl0picidx,
            layer: (what & HAS_TID != 0).then_some(Layer {
                id: layers >> 6,
                syncs: layers & 0x20 != 0,
            }),
            keyidx: (what & HAS_KEYIDX != 0).then_some(layers & 0x1f),
        };
        let part = octets.0;
        if part.is_empty() {
            return Err(PayloadError::Truncated);
        }
        Ok((descriptor, part))
    }

    /// Whether a frame begins here.
    pub fn starts_frame(&self) -> bool {
        self.starts_partition && self.partition == 0
    }
}

struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn take(&mut self) -> Result<u8, PayloadError> {
        let (first, rest) = self.0.split_first().ok_or(PayloadError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    fn picture_id(&mut self) -> Result<PictureId, PayloadError> {
        let first = self.take()?;
        if first & LONG == 0 {
            return Ok(PictureId::Short(first));
        }
        let low = self.take()?;
        Ok(PictureId::Long(u16::from_be_bytes([first & !LONG, low])))
    }
}

/// What a payload is in its frame.
pub(super) fn look(payload: &[u8]) -> Result<Look, PayloadError> {
    let (descriptor, part) = Descriptor::read(payload)?;
    let first = part.first().filter(|_| descriptor.starts_frame());
    Ok(Look {
        opening: match first {
            Some(_) => Opening::Certain,
            None => Opening::No,
        },
        key: first.map(|first| first & INTER == 0),
    })
}

/// Puts the parts of a frame together again.
pub(super) fn join<'a>(
    payloads: impl Iterator<Item = &'a [u8]>,
    frame: &mut Vec<u8>,
) -> Result<(), PayloadError> {
    let mut number = None;
    for (at, payload) in payloads.enumerate() {
        let (descriptor, part) = Descriptor::read(payload)?;
        let begins = at == 0;
        let same = begins || number == descriptor.picture_id;
        if begins != descriptor.starts_frame() || !same {
            return Err(PayloadError::Mismatched);
        }
        number = descriptor.picture_id;
        frame.extend_from_slice(part);
    }
    Ok(())
}

/// Cuts a frame into payloads of at most `most` octets, which are about equally long.
pub(super) fn split(
    data: &[u8],
    picture_id: u16,
    most: usize,
    scratch: &mut Vec<u8>,
    put: &mut dyn FnMut(&[u8], bool),
) {
    let most = most.saturating_sub(DESCRIPTOR).max(1);
    let count = data.len().div_ceil(most).max(1);
    let length = data.len().div_ceil(count).max(1);
    let parts = data.chunks(length);
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.enumerate() {
        let start = if at == 0 { START } else { 0 };
        let [high, low] = picture_id.to_be_bytes();
        scratch.clear();
        scratch.extend_from_slice(&[EXTENDED | start, HAS_PICTURE_ID, LONG | high, low]);
        scratch.extend_from_slice(part);
        put(scratch, at == last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_descriptor_is_read() {
        let (all, part) =
            Descriptor::read(&[0xb3, 0xf0, 0x92, 0x34, 0x56, 0x60 | 0x11, 7]).unwrap();
        let expected = Descriptor {
            non_reference: true,
            starts_partition: true,
            partition: 3,
            picture_id: Some(PictureId::Long(0x1234)),
            tl0picidx: Some(0x56),
            layer: Some(Layer { id: 1, syncs: true }),
            keyidx: Some(0x11),
        };
        assert_eq!((all, part), (expected, &[7][..]));
        let (short, _) = Descriptor::read(&[0x90, 0x80, 0x7f, 7]).unwrap();
        assert_eq!(short.picture_id, Some(PictureId::Short(0x7f)));
        let (keyidx, _) = Descriptor::read(&[0x80, 0x10, 0xff, 7]).unwrap();
        assert_eq!((keyidx.layer, keyidx.keyidx), (None, Some(0x1f)));
    }

    #[test]
    fn a_payload_of_any_length_is_read_and_one_without_a_part_is_not() {
        assert!(Descriptor::read(&[0x10, 1]).is_ok());
        let whole = [0x90, 0xf0, 0x80, 1, 2, 3, 9];
        for end in 0..whole.len() {
            let cut = Descriptor::read(&whole[..end]);
            assert_eq!(cut, Err(PayloadError::Truncated), "{end}");
        }
    }

    #[test]
    fn key_frames_are_known_by_their_first_octet() {
        let look = |payload: &[u8]| look(payload).map(|look| (look.opening, look.key));
        assert_eq!(look(&[0x10, 0x10]), Ok((Opening::Certain, Some(true))));
        assert_eq!(look(&[0x10, 0x11]), Ok((Opening::Certain, Some(false))));
        assert_eq!(look(&[0x11, 0x10]), Ok((Opening::No, None)));
        assert_eq!(look(&[0x00, 0x10]), Ok((Opening::No, None)));
    }

    #[test]
    fn parts_of_two_frames_are_not_one() {
        let mut frame = Vec::new();
        let first: &[u8] = &[0x90, 0x80, 1, 7];
        let other: &[u8] = &[0x80, 0x80, 2, 8];
        let begin: &[u8] = &[0x90, 0x80, 1, 8];
        for pair in [[first, other], [first, begin], [other, other]] {
            let joined = join(pair.into_iter(), &mut frame);
            assert_eq!(joined, Err(PayloadError::Mismatched));
        }
    }
}
