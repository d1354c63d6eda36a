//! Packets that carry copies of those before them (RFC 2198).

use std::collections::VecDeque;
use std::ops::Range;

/// RFC 2198 §3: another header follows this one.
const FOLLOWED: u8 = 0x80;
/// A copy's header, and the packet's own.
const COPY_HEADER: usize = 4;
const OWN_HEADER: usize = 1;
/// What the fields of a copy's header have room for.
const LONGEST_OFFSET: u32 = (1 << 14) - 1;
const LONGEST_COPY: usize = (1 << 10) - 1;
/// Nobody sends more copies in a packet; further ones are left aside.
const MOST_COPIES: usize = 8;
/// A packet with copies stays below what tunnels leave of 1500 bytes; copies that don't fit are left out.
const LONGEST_PAYLOAD: usize = 1_200;

/// One encoded frame in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub payload_type: u8,
    /// How much older it is than the packet, in ticks of the RTP clock.
    pub offset: u32,
    /// How many packets earlier it was sent, if no copy between was left out; 0 for what the packet carries of its own.
    pub steps: u16,
    /// Where it lies in the payload.
    pub range: Range<usize>,
}

/// A packet's copies, oldest first, and what it carries of its own.
#[derive(Clone, Debug)]
pub struct RedPayload<'a> {
    /// The copies that are not taken yet.
    headers: &'a [u8],
    data: usize,
    own: Block,
}

impl<'a> RedPayload<'a> {
    /// Reads a payload; `None` if its headers promise more than there is.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let (mut header, mut copied) = (0, 0);
        while payload.get(header)? & FOLLOWED != 0 {
            let copy = payload.get(header..header + COPY_HEADER)?;
            copied += length_of(copy);
            header += COPY_HEADER;
        }
        let data = header + OWN_HEADER;
        let own = data + copied..payload.len();
        (own.start <= own.end).then(|| Self {
            headers: &payload[..header],
            data,
            own: Block {
                payload_type: payload[header],
                offset: 0,
                steps: 0,
                range: own,
            },
        })
    }

    /// What the packet carries of its own.
    pub fn own(&self) -> &Block {
        &self.own
    }

    /// Its copies, oldest first.
    pub fn copies(self) -> impl Iterator<Item = Block> + 'a {
        self.take(MOST_COPIES)
    }
}

impl Iterator for RedPayload<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let (header, rest) = self.headers.split_at_checked(COPY_HEADER)?;
        self.headers = rest;
        let begin = self.data;
        self.data += length_of(header);
        Some(Block {
            payload_type: header[0] & !FOLLOWED,
            offset: u32::from(header[1]) << 6 | u32::from(header[2]) >> 2,
            steps: (rest.len() / COPY_HEADER + 1) as u16,
            range: begin..self.data,
        })
    }
}

fn length_of(header: &[u8]) -> usize {
    usize::from(header[2] & 0x03) << 8 | usize::from(header[3])
}

/// What was sent last, to be sent again with what follows.
#[derive(Debug, Default)]
pub struct Copies {
    /// Newest last, with the RTP time of each.
    sent: VecDeque<(u32, Vec<u8>)>,
    /// Buffers of copies that are no longer needed.
    spare: Vec<Vec<u8>>,
}

impl Copies {
    /// Writes into `out` the payload of a packet of `payload_type` that carries `own` and the newest `wanted` copies.
    pub fn write(
        &self,
        wanted: usize,
        payload_type: u8,
        timestamp: u32,
        own: &[u8],
        out: &mut Vec<u8>,
    ) {
        out.clear();
        let mut room = LONGEST_PAYLOAD.saturating_sub(OWN_HEADER + own.len());
        let fits = |(sent, copy): &&(u32, Vec<u8>)| {
            let needed = COPY_HEADER + copy.len();
            let has_room = needed <= room && copy.len() <= LONGEST_COPY;
            let is_near = timestamp.wrapping_sub(*sent) <= LONGEST_OFFSET;
            room = room.saturating_sub(needed);
            has_room && is_near
        };
        let count = self.sent.iter().rev().take(wanted).take_while(fits).count();
        let copies = self.sent.range(self.sent.len() - count..);
        for (sent, copy) in copies.clone() {
            let offset = timestamp.wrapping_sub(*sent);
            let fields = offset << 10 | copy.len() as u32;
            out.push(FOLLOWED | payload_type);
            out.extend_from_slice(&fields.to_be_bytes()[1..]);
        }
        out.push(payload_type);
        for (_, copy) in copies {
            out.extend_from_slice(copy);
        }
        out.extend_from_slice(own);
    }

    /// Keeps a payload, and the `kept - 1` before it.
    pub fn keep(&mut self, kept: usize, timestamp: u32, payload: &[u8]) {
        while self.sent.len() >= kept.max(1) {
            self.spare
                .extend(self.sent.pop_front().map(|(_, copy)| copy));
        }
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(payload);
        self.sent.push_back((timestamp, copy));
    }

    /// Forgets what was sent.
    pub fn clear(&mut self) {
        self.spare.extend(self.sent.drain(..).map(|(_, copy)| copy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = Vec<(u8, u32, Vec<u8>)>;

    fn blocks(payload: &[u8]) -> Option<(Found, (u8, Vec<u8>))> {
        let blocks = RedPayload::read(payload)?;
        let own = blocks.own().clone();
        let copies = blocks
            .copies()
            .map(|b| (b.payload_type, b.offset, payload[b.range].to_vec()))
            .collect();
        let steps = RedPayload::read(payload)?.copies().map(|b| b.steps);
        assert!(steps.eq((1..=blocks_in(payload)).rev().take(MOST_COPIES)));
        Some((copies, (own.payload_type, payload[own.range].to_vec())))
    }

    fn blocks_in(payload: &[u8]) -> u16 {
        let headers = payload.chunks(COPY_HEADER);
        headers.take_while(|h| h[0] & FOLLOWED != 0).count() as u16
    }

    #[test]
    fn what_is_written_reads_back_oldest_copy_first() {
        let mut copies = Copies::default();
        copies.keep(2, 4_294_967_000, &[1; 300]);
        copies.keep(2, 664, &[2; 2]);
        let mut payload = Vec::new();
        copies.write(2, 111, 1_624, &[3; 4], &mut payload);
        let expected = vec![(111, 1_920, vec![1; 300]), (111, 960, vec![2; 2])];
        assert_eq!(blocks(&payload), Some((expected, (111, vec![3; 4]))));
        copies.write(1, 111, 1_624, &[3; 4], &mut payload);
        let expected = vec![(111, 960, vec![2; 2])];
        assert_eq!(blocks(&payload), Some((expected, (111, vec![3; 4]))));
    }

    #[test]
    fn as_the_rfc_draws_it() {
        let mut copies = Copies::default();
        copies.keep(1, 1_000, &[0xaa]);
        let mut payload = Vec::new();
        copies.write(1, 5, 1_960, &[0xbb], &mut payload);
        // RFC 2198 §3: F, PT, 14 bits of offset (960), 10 bits of length (1); then F = 0, PT.
        assert_eq!(payload, [0x85, 0x0f, 0x00, 0x01, 0x05, 0xaa, 0xbb]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_forgotten() {
        let mut copies = Copies::default();
        for n in 0..10 {
            copies.keep(2, n * 960, &[n as u8]);
        }
        let mut payload = Vec::new();
        copies.write(9, 111, 9_600, &[0xff], &mut payload);
        let (found, _) = blocks(&payload).unwrap();
        assert_eq!(found.len(), 2);
        copies.clear();
        copies.write(9, 111, 9_600, &[0xff], &mut payload);
        assert_eq!(payload, [111, 0xff]);
    }

    #[test]
    fn copies_that_are_too_long_or_too_old_are_left_out() {
        let written = |age: u32, copy: usize, own: usize| {
            let mut copies = Copies::default();
            copies.keep(1, 0, &vec![1; copy]);
            let mut payload = Vec::new();
            copies.write(1, 111, age, &vec![2; own], &mut payload);
            blocks(&payload).unwrap().0.len()
        };
        assert_eq!(written(16_383, 1_000, 100), 1);
        assert_eq!(written(16_384, 1_000, 100), 0);
        assert_eq!(written(960, 1_024, 100), 0);
        assert_eq!(written(960, 1_000, 250), 0);
    }

    #[test]
    fn a_payload_that_promises_more_than_it_has_is_refused() {
        for lie in [
            &[][..],
            &[0x80 | 111],
            &[0x80 | 111, 0, 0],
            &[0x80 | 111, 0, 0, 0],
            &[0x80 | 111, 0, 0, 5, 111, 1, 2, 3, 4],
            &[0x80 | 111, 0x0f, 0x03, 0xff, 111, 1],
            &[0xff; 64],
        ] {
            assert_eq!(blocks(lie), None, "{lie:?}");
        }
        assert_eq!(blocks(&[111]), Some((vec![], (111, vec![]))));
        let exact = [0x80 | 111, 0, 0, 4, 111, 1, 2, 3, 4];
        assert!(blocks(&exact).unwrap().1.1.is_empty());
    }

    #[test]
    fn no_more_copies_are_taken_than_anybody_sends() {
        let mut payload = [0x80 | 111, 0, 0, 0].repeat(300);
        payload.push(111);
        assert_eq!(blocks(&payload).unwrap().0.len(), MOST_COPIES);
    }
}
