//! What a VP8 frame's tag says (RFC 6386 §9.1).

use crate::Size;

/// Whether it is a key frame, and then its size; nothing if it is no VP8 frame.
pub(crate) fn look(data: &[u8]) -> Option<(bool, Option<Size>)> {
    match data {
        [first, _, _, ..] if first & 1 == 1 => Some((false, None)),
        [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] => {
            // The upper two bits of each side say how it may be scaled, which nobody does.
            let side = |low, high| u16::from_le_bytes([low, high]) & Size::LONGEST_SIDE;
            Some((true, Some(Size::new(side(*w0, *w1), side(*h0, *h1)))))
        }
        _ => None,
    }
}
