//! Octets eight and sixteen at a time: what is short is read before a call could be made for it.

const ONES: u64 = u64::MAX / 255;
const HIGHEST: u64 = ONES << 7;

/// The eight octets at `at`, the first in the lowest place.
#[inline(always)]
pub(crate) fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*eight))
}

/// The place of the first `octet` among eight.
#[inline(always)]
pub(crate) fn place(eight: u64, octet: u8) -> Option<usize> {
    let other = eight ^ (ONES * octet as u64);
    lowest(other.wrapping_sub(ONES) & !other & HIGHEST)
}

/// The place of the first octet below 0x20 among eight.
#[inline(always)]
fn control_place(eight: u64) -> Option<usize> {
    lowest(eight.wrapping_sub(ONES * 0x20) & !eight & HIGHEST)
}

/// Where the first mark is. A subtraction borrows from higher places only, so it is right.
#[inline(always)]
fn lowest(marks: u64) -> Option<usize> {
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// The first `length` of eight octets, below eight.
#[inline(always)]
pub(crate) const fn first(eight: u64, length: usize) -> u64 {
    eight & ((1 << (8 * length)) - 1)
}

/// Where the first octet below 0x20 is from `at` on; the end if there is none.
#[inline]
pub(crate) fn control(bytes: &[u8], mut at: usize) -> usize {
    while let Some(sixteen) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if sixteen.iter().fold(false, |any, b| any | (*b < 0x20)) {
            break;
        }
        at += 16;
    }
    while let Some(eight) = eight(bytes, at) {
        if let Some(place) = control_place(eight) {
            return at + place;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| *b < 0x20).unwrap_or(rest.len())
}

/// Where the first `octet` is from `at` on.
#[inline]
pub(crate) fn find(bytes: &[u8], mut at: usize, octet: u8) -> Option<usize> {
    while let Some(eight) = eight(bytes, at) {
        if let Some(place) = place(eight, octet) {
            return Some(at + place);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter()
        .position(|b| *b == octet)
        .map(|place| at + place)
}

/// Where the octets of a class end that start at `at`; `table` has the classes of each octet.
#[inline(always)]
pub(crate) fn run(bytes: &[u8], mut at: usize, table: &[u8; 256], class: u8) -> usize {
    let is = |b: u8| table[usize::from(b)];
    while let Some([a, b, c, d]) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        if is(*a) & is(*b) & is(*c) & is(*d) & class == 0 {
            break;
        }
        at += 4;
    }
    while bytes.get(at).is_some_and(|b| is(*b) & class != 0) {
        at += 1;
    }
    at
}

/// `texts` with one to three octets of them changed, left out or added, among them `octets`.
#[cfg(test)]
pub(crate) fn mutilated(texts: &[&str], octets: &[u8]) -> impl Iterator<Item = String> {
    use rand::{Rng, SeedableRng};

    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let mut pick = move |below: usize| (rng.next_u64() % below as u64) as usize;
    (0..20_000).map(move |_| {
        let mut bytes = texts[pick(texts.len())].as_bytes().to_vec();
        for _ in 0..=pick(3) {
            let at = pick(bytes.len());
            let octet = octets[pick(octets.len())];
            match pick(3) {
                0 => bytes[at] = octet,
                1 => bytes.insert(at, octet),
                _ => drop(bytes.remove(at)),
            }
        }
        String::from_utf8(bytes).expect("all of it is ASCII")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_is_found_at_every_place() {
        for length in 0..40 {
            for at in 0..length {
                for octet in 0..=u8::MAX {
                    let mut bytes = vec![octet.wrapping_add(1) | 0x20; length];
                    bytes[at] = octet;
                    let control = if octet < 0x20 { at } else { length };
                    assert_eq!(super::control(&bytes, 0), control, "{octet} at {at}");
                    let first = bytes.iter().position(|b| *b == octet);
                    assert_eq!(find(&bytes, 0, octet), first, "{octet} at {at}");
                }
            }
        }
    }

    #[test]
    fn what_stands_before_is_not_looked_at() {
        let bytes = b"\r\n:abcdefghijklmnopqrstuvwxyz\n:";
        for at in 3..=bytes.len() {
            assert_eq!(control(bytes, at), if at <= 29 { 29 } else { 31 });
            assert_eq!(find(bytes, at, b':'), (at <= 30).then_some(30));
        }
    }

    #[test]
    fn a_run_ends_where_the_class_does() {
        let mut table = [0; 256];
        table[usize::from(b'a')] = 2;
        table[usize::from(b'b')] = 1;
        for length in 0..20 {
            let bytes = [vec![b'a'; length], b"ba".to_vec()].concat();
            for at in 0..=length {
                assert_eq!(run(&bytes, at, &table, 2), length);
                assert_eq!(run(&bytes[..length], at, &table, 2), length);
            }
        }
    }
}
