//! What the NAL units of an H.264 access unit say (ITU-T H.264 §7.3, Annex B).

use crate::Size;

const SLICE_OF_IDR: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;

/// Whether it holds a key frame, and the size that its parameters say; nothing if it is not Annex B.
pub(crate) fn look(data: &[u8]) -> Option<(bool, Option<Size>)> {
    if !(data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])) {
        return None;
    }
    let (mut key, mut size) = (false, None);
    for unit in units(data) {
        match unit.first().map(|head| head & 0x1f) {
            Some(SLICE_OF_IDR) => key = true,
            Some(SEQUENCE_PARAMETERS) => size = size.or_else(|| size_in(&unit[1..])),
            Some(_) | None => {}
        }
    }
    Some((key, size))
}

/// The NAL units between start codes.
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let begin = start_code(rest)? + 3;
        rest = &rest[begin..];
        let end = start_code(rest).unwrap_or(rest.len());
        Some(&rest[..end])
    })
}

fn start_code(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|three| three == [0, 0, 1])
}

/// The profiles whose parameters say more of colour (§7.3.2.1.1).
const PROFILES_WITH_CHROMA: [u32; 13] =
    [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

/// The size after cropping (§7.4.2.1.1).
fn size_in(parameters: &[u8]) -> Option<Size> {
    let mut bits = Bits::new(parameters);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.golomb()?;
    let mut chroma = 1;
    let mut separate = false;
    if PROFILES_WITH_CHROMA.contains(&profile) {
        chroma = bits.golomb()?;
        if chroma == 3 {
            separate = bits.flag()?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.take(1)?;
        if bits.flag()? {
            skip_scaling(&mut bits, if chroma == 3 { 12 } else { 8 })?;
        }
    }
    bits.golomb()?;
    skip_order(&mut bits)?;
    bits.golomb()?;
    bits.take(1)?;
    let width = bits.golomb()?.checked_add(1)?.checked_mul(16)?;
    let map = bits.golomb()?.checked_add(1)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.take(1)?;
    }
    let height = map.checked_mul(if frames_only { 16 } else { 32 })?;
    bits.take(1)?;
    let mut crop = [0; 4];
    if bits.flag()? {
        for side in &mut crop {
            *side = bits.golomb()?;
        }
    }
    let [left, right, top, bottom] = crop;
    let (across, down) = match (chroma, separate) {
        (1, _) => (2, 2),
        (2, _) => (2, 1),
        _ => (1, 1),
    };
    let down = if frames_only { down } else { down * 2 };
    let cut = |side: u32, a: u32, b: u32, unit: u32| {
        let left = side.checked_sub(a.checked_add(b)?.checked_mul(unit)?)?;
        u16::try_from(left).ok()
    };
    Some(Size::new(
        cut(width, left, right, across)?,
        cut(height, top, bottom, down)?,
    ))
}

/// §7.3.2.1.1.1.
fn skip_scaling(bits: &mut Bits<'_>, lists: usize) -> Option<()> {
    for list in 0..lists {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8_i32, 8_i32);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = last.wrapping_add(bits.signed_golomb()?) & 0xff;
            }
            last = if next == 0 { last } else { next };
        }
    }
    Some(())
}

/// How the order of pictures is coded.
fn skip_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.take(1)?;
            bits.golomb()?;
            bits.golomb()?;
            let cycle = bits.golomb()?;
            if cycle > 255 {
                return None;
            }
            for _ in 0..cycle {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// Reads bits of a NAL unit, without the octets that keep it from looking like a start code (§7.4.1.1).
struct Bits<'a> {
    data: &'a [u8],
    octet: usize,
    bit: u32,
}

impl Bits<'_> {
    fn new(data: &[u8]) -> Bits<'_> {
        Bits {
            data,
            octet: 0,
            bit: 0,
        }
    }

    fn flag(&mut self) -> Option<bool> {
        let octet = *self.data.get(self.octet)?;
        let set = octet & (0x80 >> self.bit) != 0;
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            self.octet += 1;
            let is_guard = self.octet >= 2 && self.data[self.octet - 2..].starts_with(&[0, 0, 3]);
            if is_guard {
                self.octet += 1;
            }
        }
        Some(set)
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// §9.1.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }

    /// §9.1.1.
    fn signed_golomb(&mut self) -> Option<i32> {
        let code = i64::from(self.golomb()?);
        let value = if code % 2 == 1 {
            (code + 1) / 2
        } else {
            -code / 2
        };
        i32::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes parameters bit by bit.
    struct Writer(Vec<bool>);

    impl Writer {
        fn bits(&mut self, value: u32, count: u32) -> &mut Writer {
            self.0
                .extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn golomb(&mut self, value: u32) -> &mut Writer {
            let length = 32 - (value + 1).leading_zeros();
            self.bits(0, length - 1).bits(value + 1, length)
        }

        fn unit(&self) -> Vec<u8> {
            let octets = self.0.chunks(8).map(|eight| {
                eight
                    .iter()
                    .enumerate()
                    .fold(0, |octet, (at, bit)| octet | u8::from(*bit) << (7 - at))
            });
            let mut unit = vec![0, 0, 1, 0x67];
            for octet in octets {
                if unit.ends_with(&[0, 0]) && octet <= 3 {
                    unit.push(3);
                }
                unit.push(octet);
            }
            unit
        }
    }

    fn parameters(profile: u32, across: u32, down: u32, crop: [u32; 4]) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.bits(profile, 8).bits(0, 8).bits(31, 8).golomb(0);
        if profile == 100 {
            writer.golomb(1).golomb(0).golomb(0).bits(0, 2);
        }
        writer.golomb(0).golomb(2).golomb(1).bits(0, 1);
        writer
            .golomb(across - 1)
            .golomb(down - 1)
            .bits(1, 1)
            .bits(1, 1)
            .bits(1, 1);
        for side in crop {
            writer.golomb(side);
        }
        writer.bits(0, 1).bits(1, 1).unit()
    }

    #[test]
    fn a_slice_of_an_idr_makes_a_key_frame() {
        assert_eq!(look(&[0, 0, 1, 0x65, 9]), Some((true, None)));
        assert_eq!(
            look(&[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x41, 9]),
            Some((false, None))
        );
        assert_eq!(
            look(&[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x65, 9]),
            Some((true, None))
        );
    }

    #[test]
    fn parameters_say_the_size_that_is_left_after_cropping() {
        for (profile, across, down, crop, size) in [
            (66, 40, 23, [0, 0, 0, 4], Size::new(640, 360)),
            (100, 80, 45, [0, 0, 0, 0], Size::new(1280, 720)),
            (66, 120, 68, [0, 0, 0, 4], Size::new(1920, 1080)),
            (66, 2, 2, [1, 2, 3, 4], Size::new(26, 18)),
        ] {
            let mut unit = parameters(profile, across, down, crop);
            unit.extend([0, 0, 1, 0x65, 1]);
            assert_eq!(look(&unit), Some((true, Some(size))), "{size}");
        }
    }

    #[test]
    fn parameters_that_lie_or_end_early_say_no_size() {
        let whole = parameters(100, 80, 45, [0; 4]);
        for end in 4..whole.len() - 1 {
            let (key, _) = look(&whole[..end]).unwrap();
            assert!(!key);
        }
        let small = parameters(66, 1, 1, [9, 9, 0, 0]);
        assert_eq!(look(&small), Some((false, None)));
        assert_eq!(
            look(&[0, 0, 1, 0x67, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
            Some((false, None))
        );
    }
}
