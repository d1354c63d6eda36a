//! H.264 in RTP (RFC 6184), packetization-mode 1: single NAL units, STAP-A and FU-A.

use super::parameter_sets::ParameterSets;
use super::payload::{Joined, Look, Opening, PayloadError};

const TYPE: u8 = 0x1f;
const FORBIDDEN: u8 = 0x80;
const IMPORTANCE: u8 = 0x60;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// Bits of a fragment's second octet (§5.8).
const FU_START: u8 = 0x80;
const FU_END: u8 = 0x40;
const FU_RESERVED: u8 = 0x20;
const FU_HEADER: usize = 2;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// What a NAL unit is, as far as we care (H.264 table 7-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A slice of a key frame; of a picture's first one, `first` is set.
    KeySlice { first: bool },
    /// Another slice.
    Slice { first: bool },
    /// A sequence parameter set.
    Sequence,
    /// A picture parameter set.
    Picture,
    /// What stands before a picture only: a delimiter or supplemental information.
    Before,
    /// Anything else.
    Other,
}

/// What a NAL unit is, by its first octets.
pub(super) fn kind(unit: &[u8]) -> Kind {
    // `first_mb_in_slice` is 0, which is a single set bit.
    let first = unit.get(1).is_some_and(|octet| octet & 0x80 != 0);
    match unit.first().map_or(0, |header| header & TYPE) {
        1 | 2 => Kind::Slice { first },
        5 => Kind::KeySlice { first },
        6 | 9 => Kind::Before,
        7 => Kind::Sequence,
        8 => Kind::Picture,
        _other => Kind::Other,
    }
}

/// A payload as it is on the wire.
enum H264Payload<'a> {
    Single(&'a [u8]),
    Aggregate(Units<'a>),
    Fragment {
        /// The NAL unit's first octet.
        header: u8,
        start: bool,
        end: bool,
        part: &'a [u8],
    },
}

/// NAL units in a STAP-A whose lengths were checked.
#[derive(Clone)]
struct Units<'a>(&'a [u8]);

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (unit, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.0 = rest;
        Some(unit)
    }
}

impl<'a> H264Payload<'a> {
    fn read(payload: &'a [u8]) -> Result<Self, PayloadError> {
        let (first, rest) = payload.split_first().ok_or(PayloadError::Truncated)?;
        if first & FORBIDDEN != 0 {
            return Err(PayloadError::NotAFrame);
        }
        match first & TYPE {
            1..=23 => Ok(Self::Single(payload)),
            STAP_A => units(rest).map(Self::Aggregate),
            FU_A => fragment(*first, rest),
            other => Err(PayloadError::Unsupported(other)),
        }
    }
}

fn units(rest: &[u8]) -> Result<Units<'_>, PayloadError> {
    let units = Units(rest);
    let mut walk = units.clone();
    let mut count = 0;
    for unit in &mut walk {
        plain(unit.first().copied())?;
        count += 1;
    }
    if count == 0 || !walk.0.is_empty() {
        return Err(PayloadError::Truncated);
    }
    Ok(units)
}

/// Refuses what is no NAL unit of H.264 itself (§5.2).
fn plain(header: Option<u8>) -> Result<u8, PayloadError> {
    let header = header.ok_or(PayloadError::Truncated)?;
    match header & TYPE {
        1..=23 if header & FORBIDDEN == 0 => Ok(header),
        other => Err(PayloadError::Unsupported(other)),
    }
}

fn fragment(indicator: u8, rest: &[u8]) -> Result<H264Payload<'_>, PayloadError> {
    let (fu, part) = rest.split_first().ok_or(PayloadError::Truncated)?;
    let header = plain(Some(indicator & IMPORTANCE | fu & TYPE))?;
    let (start, end) = (fu & FU_START != 0, fu & FU_END != 0);
    // §5.8: the reserved bit is 0, and a fragment is never the whole.
    if fu & FU_RESERVED != 0 || start && end {
        return Err(PayloadError::NotAFrame);
    }
    if part.is_empty() {
        return Err(PayloadError::Truncated);
    }
    Ok(H264Payload::Fragment {
        header,
        start,
        end,
        part,
    })
}

/// What a payload is in its frame.
pub(super) fn look(payload: &[u8]) -> Result<Look, PayloadError> {
    Ok(match H264Payload::read(payload)? {
        H264Payload::Single(unit) => look_at([unit].into_iter()),
        H264Payload::Aggregate(units) => look_at(units),
        H264Payload::Fragment {
            header,
            start: true,
            part,
            ..
        } => {
            let begin = [header, part.first().copied().unwrap_or_default()];
            look_at([&begin[..]].into_iter())
        }
        H264Payload::Fragment { header, .. } => Look {
            opening: Opening::No,
            key: look_at([&[header][..]].into_iter()).key,
        },
    })
}

fn look_at<'a>(units: impl Iterator<Item = &'a [u8]>) -> Look {
    let mut look = None;
    for unit in units {
        let (opening, key) = match kind(unit) {
            Kind::Sequence => (Opening::Certain, None),
            Kind::KeySlice { first } => (if_first(first), Some(true)),
            Kind::Slice { first } => (if_first(first), Some(false)),
            Kind::Picture | Kind::Before | Kind::Other => (Opening::Possible, None),
        };
        let look = look.get_or_insert(Look { opening, key });
        look.key = look.key.max(key);
    }
    look.unwrap_or(Look {
        opening: Opening::No,
        key: None,
    })
}

/// Keeps the parameter sets of a payload.
pub(super) fn learn(payload: &[u8], sets: &mut ParameterSets) {
    match H264Payload::read(payload) {
        Ok(H264Payload::Single(unit)) => sets.learn(unit),
        Ok(H264Payload::Aggregate(units)) => units.for_each(|unit| sets.learn(unit)),
        // A set that needs fragments is larger than any that is kept.
        Ok(H264Payload::Fragment { .. }) | Err(_) => {}
    }
}

fn if_first(first: bool) -> Opening {
    if first {
        Opening::Possible
    } else {
        Opening::No
    }
}

/// Puts the payloads of a frame together as Annex B, with the parameter sets that a key frame lacks.
pub(super) fn join<'a>(
    payloads: impl Iterator<Item = &'a [u8]>,
    sets: &ParameterSets,
    frame: &mut Vec<u8>,
) -> Result<Joined, PayloadError> {
    // The header of the unit whose fragments come.
    let mut open = None;
    let mut has = Seen::default();
    for payload in payloads {
        match H264Payload::read(payload)? {
            H264Payload::Single(unit) if open.is_none() => put(unit, &mut has, frame),
            H264Payload::Aggregate(units) if open.is_none() => {
                for unit in units {
                    put(unit, &mut has, frame);
                }
            }
            H264Payload::Fragment {
                header,
                start,
                end,
                part,
            } if start == open.is_none() && open.is_none_or(|open| open == header) => {
                if start {
                    has.note(kind(&[header]));
                    frame.extend_from_slice(&START_CODE);
                    frame.push(header);
                }
                frame.extend_from_slice(part);
                open = (!end).then_some(header);
            }
            H264Payload::Single(_) | H264Payload::Aggregate(_) | H264Payload::Fragment { .. } => {
                return Err(PayloadError::Mismatched);
            }
        }
    }
    if open.is_some() {
        return Err(PayloadError::Truncated);
    }
    complete(has, sets, frame)?;
    Ok(if has.slice {
        Joined::Picture
    } else {
        Joined::Nothing
    })
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    slice: bool,
    key: bool,
    sequence: bool,
    picture: bool,
}

impl Seen {
    fn note(&mut self, kind: Kind) {
        match kind {
            Kind::KeySlice { .. } => (self.slice, self.key) = (true, true),
            Kind::Slice { .. } => self.slice = true,
            Kind::Sequence => self.sequence = true,
            Kind::Picture => self.picture = true,
            Kind::Before | Kind::Other => {}
        }
    }
}

fn put(unit: &[u8], has: &mut Seen, frame: &mut Vec<u8>) {
    has.note(kind(unit));
    frame.extend_from_slice(&START_CODE);
    frame.extend_from_slice(unit);
}

/// Puts the parameter sets that a key frame lacks before it.
fn complete(has: Seen, sets: &ParameterSets, frame: &mut Vec<u8>) -> Result<(), PayloadError> {
    if !has.key || (has.sequence && has.picture) {
        return Ok(());
    }
    let mut before = Vec::new();
    for (present, kind) in [(has.sequence, Kind::Sequence), (has.picture, Kind::Picture)] {
        let kept = before.len();
        for set in sets.of(kind).filter(|_| !present) {
            before.extend_from_slice(&START_CODE);
            before.extend_from_slice(set);
        }
        if !present && before.len() == kept {
            // Nobody could decode it.
            return Err(PayloadError::NotAFrame);
        }
    }
    // Pictures' parameters name their sequence's, and so stand after them.
    let at = if has.sequence {
        end_of_sequences(frame)
    } else {
        0
    };
    frame.splice(at..at, before);
    Ok(())
}

/// Where the last sequence parameter set of a frame ends.
fn end_of_sequences(frame: &[u8]) -> usize {
    let mut sequences = nal_units(frame).filter(|unit| kind(unit) == Kind::Sequence);
    let Some(last) = sequences.by_ref().last() else {
        return 0;
    };
    last.as_ptr() as usize - frame.as_ptr() as usize + last.len()
}

/// The NAL units of Annex B; octets before the first start code are left aside.
pub(super) fn nal_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = start_code(data).map(|at| &data[at + 3..]);
    std::iter::from_fn(move || {
        let from = rest?;
        let end = start_code(from);
        rest = end.map(|end| &from[end + 3..]);
        let unit = &from[..end.unwrap_or(from.len())];
        // The fourth octet of a long start code, and zeros that fill up (Annex B.1).
        let length = unit.iter().rposition(|octet| *octet != 0);
        Some(&unit[..length.map_or(0, |last| last + 1)])
    })
    .filter(|unit| !unit.is_empty())
}

fn start_code(data: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr(data.get(from + 2..)?)?;
        if data[at] == 0 && data[at + 1] == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Where a 1 is.
fn memchr(data: &[u8]) -> Option<usize> {
    data.iter().position(|octet| *octet == 1)
}

/// Cuts a frame into payloads of at most `most` octets; units that are small travel together.
///
/// # Errors
/// When it holds a unit that is none of H.264.
pub(super) fn split(
    data: &[u8],
    sets: &mut ParameterSets,
    most: usize,
    scratch: &mut Vec<u8>,
    put: &mut dyn FnMut(&[u8], bool),
) -> Result<(), PayloadError> {
    let mut has = Seen::default();
    if nal_units(data).next().is_none() {
        return Err(PayloadError::NotAFrame);
    }
    for unit in nal_units(data) {
        plain(unit.first().copied())?;
        has.note(kind(unit));
        sets.learn(unit);
    }
    let lacks = |kind| match kind {
        Kind::Sequence => has.key && !has.sequence,
        Kind::Picture => has.key && !has.picture,
        Kind::KeySlice { .. } | Kind::Slice { .. } | Kind::Before | Kind::Other => false,
    };
    let kinds = [Kind::Sequence, Kind::Picture].into_iter();
    let kept = kinds
        .filter(|kind| lacks(*kind))
        .flat_map(|kind| sets.of(kind));
    let mut units = kept.chain(nal_units(data)).peekable();
    while let Some(unit) = units.next() {
        let next = units.peek().map(|next| next.len());
        let fits =
            |so_far: usize, next: Option<usize>| next.is_some_and(|next| so_far + 2 + next <= most);
        if unit.len() > most {
            fragments(unit, most, scratch, &mut |part, end| {
                put(part, end && next.is_none());
            });
        } else if !fits(1 + 2 + unit.len(), next) {
            put(unit, next.is_none());
        } else {
            scratch.clear();
            scratch.push(STAP_A);
            append(unit, scratch);
            while fits(scratch.len(), units.peek().map(|next| next.len()))
                && let Some(unit) = units.next()
            {
                append(unit, scratch);
            }
            put(scratch, units.peek().is_none());
        }
    }
    Ok(())
}

/// Adds a unit to a STAP-A (§5.7.1).
fn append(unit: &[u8], stap: &mut Vec<u8>) {
    let header = unit.first().copied().unwrap_or_default();
    // Its importance is that of the most important unit.
    let importance = (stap[0] & IMPORTANCE).max(header & IMPORTANCE);
    stap[0] = importance | STAP_A;
    stap.extend_from_slice(&(unit.len() as u16).to_be_bytes());
    stap.extend_from_slice(unit);
}

fn fragments(unit: &[u8], most: usize, scratch: &mut Vec<u8>, put: &mut dyn FnMut(&[u8], bool)) {
    let Some((header, body)) = unit.split_first() else {
        return;
    };
    let most = most.saturating_sub(FU_HEADER).max(1);
    let count = body.len().div_ceil(most).max(2);
    let parts = body.chunks(body.len().div_ceil(count).max(1));
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.enumerate() {
        let start = if at == 0 { FU_START } else { 0 };
        let end = if at == last { FU_END } else { 0 };
        scratch.clear();
        scratch.extend_from_slice(&[header & IMPORTANCE | FU_A, start | end | header & TYPE]);
        scratch.extend_from_slice(part);
        put(scratch, at == last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPS: &[u8] = &[0x67, 66, 0, 31, 0x80, 1];
    const PPS: &[u8] = &[0x68, 0x80, 1];

    fn annex_b(units: &[&[u8]]) -> Vec<u8> {
        units
            .iter()
            .flat_map(|u| [&START_CODE, *u].concat())
            .collect()
    }

    fn joined(payloads: &[&[u8]]) -> Result<Vec<u8>, PayloadError> {
        let mut frame = Vec::new();
        let sets = ParameterSets::default();
        join(payloads.iter().copied(), &sets, &mut frame).map(|_| frame)
    }

    fn cut(data: &[u8], most: usize) -> Vec<(Vec<u8>, bool)> {
        let mut payloads = Vec::new();
        let put = &mut |payload: &[u8], last| payloads.push((payload.to_vec(), last));
        split(
            data,
            &mut ParameterSets::default(),
            most,
            &mut Vec::new(),
            put,
        )
        .unwrap();
        payloads
    }

    #[test]
    fn small_units_travel_together_and_large_ones_in_parts() {
        let slice: Vec<u8> = [0x65, 0x88]
            .into_iter()
            .chain((0..250).map(|i| i | 1))
            .collect();
        let frame = annex_b(&[SPS, PPS, &slice]);
        let payloads = cut(&frame, 100);
        let kinds: Vec<u8> = payloads.iter().map(|(p, _)| p[0] & TYPE).collect();
        assert_eq!(kinds, [STAP_A, FU_A, FU_A, FU_A]);
        assert!(payloads.iter().all(|(p, _)| p.len() <= 100));
        let marks: Vec<bool> = payloads.iter().map(|(_, last)| *last).collect();
        assert_eq!(marks, [false, false, false, true]);
        let parts: Vec<&[u8]> = payloads.iter().map(|(p, _)| &p[..]).collect();
        assert_eq!(joined(&parts), Ok(frame));
    }

    #[test]
    fn the_last_packet_is_marked_whatever_it_is() {
        let long = [0x61; 50];
        for units in [
            &[PPS, PPS][..],
            &[&long],
            &[PPS, &long],
            &[&long, PPS],
            &[PPS],
        ] {
            let payloads = cut(&annex_b(units), 20);
            let marked = payloads.iter().filter(|(_, last)| *last).count();
            assert_eq!((marked, payloads.last().unwrap().1), (1, true), "{units:?}");
            let parts: Vec<&[u8]> = payloads.iter().map(|(p, _)| &p[..]).collect();
            assert_eq!(joined(&parts), Ok(annex_b(units)));
        }
    }

    #[test]
    fn start_codes_of_either_length_part_units() {
        let data = [
            0, 0, 1, 0x68, 1, 0, 0, 0, 1, 0x41, 2, 0, 0, 0, 0, 1, 0x41, 0, 0,
        ];
        let units: Vec<&[u8]> = nal_units(&data).collect();
        assert_eq!(units, [&[0x68, 1][..], &[0x41, 2], &[0x41]]);
        assert_eq!(nal_units(&[1, 0, 1, 5]).count(), 0);
        assert_eq!(nal_units(&[]).count(), 0);
    }

    #[test]
    fn a_key_frame_gets_the_parameter_sets_that_it_lacks() {
        let mut sets = ParameterSets::default();
        let mut frame = Vec::new();
        let mut join = |units: &[&[u8]]| {
            frame.clear();
            units.iter().for_each(|unit| learn(unit, &mut sets));
            join(units.iter().copied(), &sets, &mut frame).map(|_| frame.clone())
        };
        let key: &[u8] = &[0x65, 0x88];
        assert_eq!(join(&[key]), Err(PayloadError::NotAFrame));
        assert_eq!(join(&[SPS, PPS]), Ok(annex_b(&[SPS, PPS])));
        assert_eq!(join(&[key]), Ok(annex_b(&[SPS, PPS, key])));
        assert_eq!(join(&[SPS, key]), Ok(annex_b(&[SPS, PPS, key])));
        assert_eq!(join(&[PPS, key]), Ok(annex_b(&[SPS, PPS, key])));
        let slice: &[u8] = &[0x61, 0x88];
        assert_eq!(join(&[slice]), Ok(annex_b(&[slice])));
    }

    #[test]
    fn a_sender_repeats_the_sets_that_its_encoder_wrote_once() {
        let mut sets = ParameterSets::default();
        let key: &[u8] = &[0x65, 0x88];
        for units in [&[SPS, PPS, key][..], &[key]] {
            let mut payloads = Vec::new();
            let put = &mut |payload: &[u8], _| payloads.push(payload.to_vec());
            split(&annex_b(units), &mut sets, 100, &mut Vec::new(), put).unwrap();
            let parts: Vec<&[u8]> = payloads.iter().map(|p| &p[..]).collect();
            assert_eq!(joined(&parts), Ok(annex_b(&[SPS, PPS, key])));
        }
    }

    #[test]
    fn fragments_of_two_units_are_not_one() {
        let begin: &[u8] = &[0x7c, 0x85, 0x88];
        let end_of_other: &[u8] = &[0x7c, 0x41, 2];
        let end: &[u8] = &[0x7c, 0x45, 2];
        let single: &[u8] = &[0x41, 1];
        for payloads in [
            &[begin, end_of_other][..],
            &[begin, begin, end],
            &[begin, single, end],
            &[end],
            &[single, end],
        ] {
            assert_eq!(joined(payloads), Err(PayloadError::Mismatched));
        }
        assert_eq!(joined(&[begin]), Err(PayloadError::Truncated));
    }

    #[test]
    fn hostile_payloads_are_errors() {
        for payload in [
            &[][..],
            &[0x78],
            &[0x78, 0],
            &[0x78, 0, 1],
            // One octet left over.
            &[0x78, 0, 1, 0x41, 7],
            &[0x78, 0, 0],
            // A STAP-A and a fragment inside a STAP-A.
            &[0x78, 0, 1, 0x78],
            &[0x78, 0, 2, 0x7c, 0x85],
            &[0x7c],
            &[0x7c, 0x85],
            &[0x7c, 0xc5, 1],
            &[0x7c, 0xa5, 1],
            &[0x7c, 0x98, 1],
            &[0x79, 1, 2, 3],
            &[0x7d, 1, 2, 3],
            &[0x00, 1],
            &[0x9f, 1],
            &[0xe5, 0x88],
        ] {
            assert!(look(payload).is_err(), "{payload:x?}");
            assert!(joined(&[payload]).is_err(), "{payload:x?}");
        }
    }

    #[test]
    fn it_is_known_where_frames_begin_and_whether_they_are_key() {
        let look = |payload: &[u8]| look(payload).map(|look| (look.opening, look.key));
        assert_eq!(look(SPS), Ok((Opening::Certain, None)));
        assert_eq!(look(&[0x65, 0x88]), Ok((Opening::Possible, Some(true))));
        assert_eq!(look(&[0x65, 0x08]), Ok((Opening::No, Some(true))));
        assert_eq!(
            look(&[0x7c, 0x85, 0x88]),
            Ok((Opening::Possible, Some(true)))
        );
        assert_eq!(look(&[0x7c, 0x45, 0x88]), Ok((Opening::No, Some(true))));
        assert_eq!(look(&[0x61, 0x88]), Ok((Opening::Possible, Some(false))));
        let stap = [&[0x78, 0, 3][..], PPS, &[0, 2, 0x65, 0x88]].concat();
        assert_eq!(look(&stap), Ok((Opening::Possible, Some(true))));
    }

    #[test]
    fn parameter_sets_alone_are_no_picture() {
        let mut frame = Vec::new();
        let sets = ParameterSets::default();
        let alone = join([SPS, PPS].into_iter(), &sets, &mut frame);
        assert_eq!(alone, Ok(Joined::Nothing));
        let slice = join([&[0x41, 0x88][..]].into_iter(), &sets, &mut frame);
        assert_eq!(slice, Ok(Joined::Picture));
    }
}
