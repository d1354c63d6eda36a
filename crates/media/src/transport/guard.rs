//! What DTLS may be given before it has authenticated anybody.
//!
//! The DTLS crate reassembles fragments by recursion, keeps records of the next epoch without
//! limit, ends the handshake over any record that it can't decode, and stops its own timer when
//! a flight is repeated to it. So each record is looked at here first; what a real handshake
//! would not contain, or not twice, is dropped.

const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;

/// A handshake has at most 7 messages a side; certificates of 8 kB make 8 fragments; all of it
/// may come a handful of times.
const MAX_FRAGMENTS: u32 = 192;
/// Reassembly recurses once a fragment; a message in more pieces than this is not genuine.
const MAX_FRAGMENTS_OF_A_MESSAGE: u8 = 48;
/// The bytes of handshake fragments kept at most.
const MAX_FRAGMENT_BYTES: usize = 128 * 1024;
/// A certificate chain fits.
const MAX_MESSAGE: usize = 32 * 1024;
/// The highest message sequence a handshake reaches, repeats of the hello included.
const MAX_MESSAGE_SEQUENCE: usize = 24;
/// Encrypted records that come before the keys: a Finished or two, and some early data.
const MAX_EARLY_RECORDS: u32 = 16;
/// Handshake records accepted after the end of the handshake: repeated last flights.
const MAX_LATE_FRAGMENTS: u32 = 64;
const MAX_RECORDS_OF_A_DATAGRAM: u32 = 32;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;

/// What a datagram is to the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Give it to DTLS.
    Admitted,
    /// Give it to a new DTLS server: the peer began anew.
    ClientStartedAnew,
    /// Drop it: it repeats what was already received whole.
    Repeated,
    /// Drop it.
    Refused,
}

/// The budget of one DTLS handshake.
#[derive(Debug)]
pub(super) struct Guard {
    server: bool,
    fragments: u32,
    bytes: usize,
    early: u32,
    late: u32,
    messages: [Message; MAX_MESSAGE_SEQUENCE],
    client_random: Option<[u8; 32]>,
}

/// Which bytes of a handshake message were received, as merged ranges.
#[derive(Debug, Default)]
struct Message {
    pieces: u8,
    seen: bool,
    ranges: Vec<(usize, usize)>,
    whole: bool,
}

impl Message {
    fn add(&mut self, fragment: &Fragment<'_>) {
        self.seen = true;
        let (mut start, mut end) = (fragment.offset, fragment.offset + fragment.body.len());
        self.ranges.retain(|(other_start, other_end)| {
            let apart = *other_end < start || end < *other_start;
            if !apart {
                start = start.min(*other_start);
                end = end.max(*other_end);
            }
            apart
        });
        self.whole |= start == 0 && end == fragment.total;
        self.ranges.push((start, end));
    }
}

struct Fragment<'a> {
    kind: u8,
    total: usize,
    sequence: usize,
    offset: usize,
    body: &'a [u8],
}

impl Guard {
    pub(super) fn new(server: bool) -> Self {
        Self {
            server,
            fragments: 0,
            bytes: 0,
            early: 0,
            late: 0,
            messages: Default::default(),
            client_random: None,
        }
    }

    /// Judges a datagram, and takes it off the budget when it is admitted.
    pub(super) fn admit(&mut self, datagram: &[u8], done: bool) -> Admission {
        if !done && self.is_repeated(datagram) {
            return Admission::Repeated;
        }
        let mut rest = datagram;
        let mut records = 0;
        let mut admission = Admission::Admitted;
        while !rest.is_empty() {
            records += 1;
            let Some((record, tail)) = split_record(rest) else {
                return Admission::Refused;
            };
            if records > MAX_RECORDS_OF_A_DATAGRAM || !self.admit_record(record, done) {
                return Admission::Refused;
            }
            if !done && self.starts_anew(record) {
                admission = Admission::ClientStartedAnew;
            }
            rest = tail;
        }
        admission
    }

    /// Finds out whether all of a datagram was received before.
    ///
    /// The first hello of a client that got no answer is the exception: the server answers it
    /// again from nothing.
    fn is_repeated(&self, datagram: &[u8]) -> bool {
        let unanswered = self.server && !self.messages[1..].iter().any(|message| message.seen);
        let mut rest = datagram;
        while let Some((record, tail)) = split_record(rest) {
            if record[0] != HANDSHAKE || record[3..5] != [0, 0] {
                return false;
            }
            let mut body = &record[RECORD_HEADER..];
            while let Some((fragment, tail)) = split_fragment(body) {
                let message = self.messages.get(fragment.sequence);
                let whole = message.is_some_and(|message| message.whole);
                if unanswered || !whole || self.is_another_client(&fragment) {
                    return false;
                }
                body = tail;
            }
            if !body.is_empty() {
                return false;
            }
            rest = tail;
        }
        rest.is_empty()
    }

    fn admit_record(&mut self, record: &[u8], done: bool) -> bool {
        let body = &record[RECORD_HEADER..];
        let version = [record[1], record[2]];
        // RFC 6347 §4.1: DTLS 1.0 in the first hello, 1.2 afterwards.
        if version != [0xFE, 0xFD] && version != [0xFE, 0xFF] || body.is_empty() {
            return false;
        }
        let epoch = u16::from_be_bytes([record[3], record[4]]);
        // A server that was made anew must not take up the middle of an older handshake.
        if self.server && !done && self.client_random.is_none() && !is_first_hello(record) {
            return false;
        }
        match (epoch, record[0]) {
            (0, HANDSHAKE) => self.admit_fragments(body, done),
            (0, CHANGE_CIPHER_SPEC) => !done && body == [1],
            (0, ALERT) => !done && matches!(body, [1 | 2, _]),
            (1, CHANGE_CIPHER_SPEC | ALERT | HANDSHAKE | APPLICATION_DATA) if done => true,
            (1, HANDSHAKE | ALERT | APPLICATION_DATA) => {
                self.early += 1;
                self.early <= MAX_EARLY_RECORDS
            }
            _ => false,
        }
    }

    fn admit_fragments(&mut self, mut body: &[u8], done: bool) -> bool {
        while !body.is_empty() {
            let Some((fragment, tail)) = split_fragment(body) else {
                return false;
            };
            // The crate takes what follows a partial message for more of it.
            let partial = fragment.body.len() < fragment.total;
            if partial && !tail.is_empty() || !self.admit_fragment(&fragment, done) {
                return false;
            }
            body = tail;
        }
        true
    }

    fn admit_fragment(&mut self, fragment: &Fragment<'_>, done: bool) -> bool {
        let plausible = fragment.total <= MAX_MESSAGE
            && fragment.offset + fragment.body.len() <= fragment.total
            && (fragment.total == 0 || !fragment.body.is_empty());
        let Some(message) = self.messages.get_mut(fragment.sequence) else {
            return false;
        };
        if !plausible {
            return false;
        }
        if done {
            self.late += 1;
            return self.late <= MAX_LATE_FRAGMENTS;
        }
        message.pieces = message.pieces.saturating_add(1);
        self.fragments += 1;
        self.bytes += fragment.body.len();
        let affordable = message.pieces <= MAX_FRAGMENTS_OF_A_MESSAGE
            && self.fragments <= MAX_FRAGMENTS
            && self.bytes <= MAX_FRAGMENT_BYTES;
        if affordable {
            message.add(fragment);
        }
        affordable
    }

    /// Notices a first ClientHello with another random than before: the peer gave up its first
    /// handshake, and the crate's replay window would never let the new one in.
    fn starts_anew(&mut self, record: &[u8]) -> bool {
        if record[0] != HANDSHAKE || record[3..5] != [0, 0] {
            return false;
        }
        let Some((fragment, _)) = split_fragment(&record[RECORD_HEADER..]) else {
            return false;
        };
        if self.server && self.client_random.is_none() {
            self.client_random = fragment.client_random();
        }
        self.is_another_client(&fragment)
    }

    fn is_another_client(&self, fragment: &Fragment<'_>) -> bool {
        let random = fragment.client_random();
        fragment.sequence == 0
            && random.is_some()
            && self.client_random.is_some()
            && random != self.client_random
    }
}

impl Fragment<'_> {
    fn client_random(&self) -> Option<[u8; 32]> {
        let random = self.body.get(2..34)?.try_into().ok()?;
        (self.kind == CLIENT_HELLO && self.offset == 0).then_some(random)
    }
}

fn is_first_hello(record: &[u8]) -> bool {
    let fragment = split_fragment(&record[RECORD_HEADER..]);
    record[0] == HANDSHAKE
        && record[3..5] == [0, 0]
        && fragment.is_some_and(|(one, _)| one.sequence == 0 && one.client_random().is_some())
}

fn split_record(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    let header = datagram.first_chunk::<RECORD_HEADER>()?;
    let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
    datagram.split_at_checked(RECORD_HEADER + length)
}

fn split_fragment(body: &[u8]) -> Option<(Fragment<'_>, &[u8])> {
    let header = body.first_chunk::<HANDSHAKE_HEADER>()?;
    let three = |at: usize| {
        usize::from(header[at]) << 16
            | usize::from(header[at + 1]) << 8
            | usize::from(header[at + 2])
    };
    let (piece, tail) = body[HANDSHAKE_HEADER..].split_at_checked(three(9))?;
    let fragment = Fragment {
        kind: header[0],
        total: three(1),
        sequence: usize::from(u16::from_be_bytes([header[4], header[5]])),
        offset: three(6),
        body: piece,
    };
    Some((fragment, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u16, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 0xFE, 0xFD];
        record.extend_from_slice(&epoch.to_be_bytes());
        record.extend_from_slice(&[0; 6]);
        record.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
        record.extend_from_slice(body);
        record
    }

    fn fragment(total: u32, sequence: u16, offset: u32, body: &[u8]) -> Vec<u8> {
        let mut fragment = vec![CLIENT_HELLO];
        fragment.extend_from_slice(&total.to_be_bytes()[1..]);
        fragment.extend_from_slice(&sequence.to_be_bytes());
        fragment.extend_from_slice(&offset.to_be_bytes()[1..]);
        let length = u32::try_from(body.len()).unwrap();
        fragment.extend_from_slice(&length.to_be_bytes()[1..]);
        fragment.extend_from_slice(body);
        record(HANDSHAKE, 0, &fragment)
    }

    fn hello(random: u8, sequence: u16) -> Vec<u8> {
        let mut body = vec![0xFE, 0xFD];
        body.extend_from_slice(&[random; 32]);
        body.extend_from_slice(&[0; 10]);
        fragment(44, sequence, 0, &body)
    }

    #[test]
    fn empty_fragments_of_a_message_that_is_not_empty_are_refused() {
        let mut guard = Guard::new(false);
        assert_eq!(
            guard.admit(&fragment(10, 0, 0, &[]), false),
            Admission::Refused
        );
        assert_eq!(
            guard.admit(&fragment(0, 0, 0, &[]), false),
            Admission::Admitted
        );
    }

    #[test]
    fn a_message_received_whole_is_not_admitted_again_but_a_missing_piece_is() {
        let mut guard = Guard::new(false);
        assert_eq!(
            guard.admit(&fragment(8, 1, 4, &[0; 4]), false),
            Admission::Admitted
        );
        assert_eq!(
            guard.admit(&fragment(8, 1, 4, &[0; 4]), false),
            Admission::Admitted
        );
        assert_eq!(
            guard.admit(&fragment(8, 1, 0, &[0; 4]), false),
            Admission::Admitted
        );
        assert_eq!(
            guard.admit(&fragment(8, 1, 0, &[0; 8]), false),
            Admission::Repeated
        );
        let mut both = fragment(8, 1, 0, &[0; 8]);
        both.extend_from_slice(&fragment(4, 2, 0, &[0; 4]));
        assert_eq!(guard.admit(&both, false), Admission::Admitted);
    }

    #[test]
    fn a_fresh_server_does_not_take_up_the_middle_of_a_handshake() {
        let mut guard = Guard::new(true);
        assert_eq!(guard.admit(&hello(1, 1), false), Admission::Refused);
        assert_eq!(guard.admit(&hello(1, 0), false), Admission::Admitted);
        assert_eq!(guard.admit(&hello(1, 1), false), Admission::Admitted);
    }

    #[test]
    fn the_fragments_of_one_message_are_capped() {
        let mut guard = Guard::new(false);
        let admitted = (0..1000)
            .filter(|at| {
                guard.admit(&fragment(1000, 0, *at % 500, &[0]), false) == Admission::Admitted
            })
            .count();
        assert_eq!(admitted, usize::from(MAX_FRAGMENTS_OF_A_MESSAGE));
    }

    #[test]
    fn the_bytes_of_all_fragments_are_capped() {
        let mut guard = Guard::new(false);
        let piece = vec![0; 8 * 1024];
        let admitted = (0..1000)
            .filter(|at| {
                let datagram = fragment(32 * 1024, at % 24, 0, &piece);
                guard.admit(&datagram, false) == Admission::Admitted
            })
            .count();
        assert_eq!(admitted * piece.len(), MAX_FRAGMENT_BYTES);
    }

    #[test]
    fn a_gap_in_message_sequences_beyond_a_handshake_is_refused() {
        let mut guard = Guard::new(false);
        for (sequence, expected) in [
            (23, Admission::Admitted),
            (24, Admission::Refused),
            (65535, Admission::Refused),
        ] {
            assert_eq!(
                guard.admit(&fragment(4, sequence, 0, &[0; 4]), false),
                expected
            );
        }
    }

    #[test]
    fn records_of_the_next_epoch_are_capped_before_the_keys_are_known() {
        let mut guard = Guard::new(false);
        let admitted = (0..100)
            .filter(|_| guard.admit(&record(HANDSHAKE, 1, &[0; 40]), false) == Admission::Admitted)
            .count();
        assert_eq!(admitted, 16);
        assert_eq!(
            guard.admit(&record(HANDSHAKE, 2, &[0; 40]), false),
            Admission::Refused
        );
    }

    #[test]
    fn records_that_would_end_the_handshake_are_refused() {
        let mut guard = Guard::new(false);
        for body in [&[0][..], &[1, 1], &[]] {
            let datagram = record(CHANGE_CIPHER_SPEC, 0, body);
            assert_eq!(guard.admit(&datagram, false), Admission::Refused);
        }
        for datagram in [
            record(APPLICATION_DATA, 0, b"plain"),
            record(ALERT, 0, &[9, 40]),
            record(ALERT, 0, &[2]),
            record(99, 0, &[1]),
        ] {
            assert_eq!(guard.admit(&datagram, false), Admission::Refused);
        }
    }

    #[test]
    fn a_partial_message_must_end_its_record() {
        let mut guard = Guard::new(false);
        let mut body = fragment(10, 0, 0, &[0; 4])[RECORD_HEADER..].to_vec();
        body.extend_from_slice(&fragment(4, 1, 0, &[0; 4])[RECORD_HEADER..]);
        assert_eq!(
            guard.admit(&record(HANDSHAKE, 0, &body), false),
            Admission::Refused
        );
    }

    #[test]
    fn a_truncated_record_is_refused() {
        let mut guard = Guard::new(false);
        let whole = hello(1, 0);
        for len in 1..whole.len() {
            assert_eq!(
                guard.admit(&whole[..len], false),
                Admission::Refused,
                "{len}"
            );
        }
    }

    #[test]
    fn a_first_hello_with_another_random_means_that_the_client_started_anew() {
        let mut guard = Guard::new(true);
        assert_eq!(guard.admit(&hello(1, 0), false), Admission::Admitted);
        assert_eq!(guard.admit(&hello(1, 0), false), Admission::Admitted);
        assert_eq!(guard.admit(&hello(1, 1), false), Admission::Admitted);
        assert_eq!(
            guard.admit(&hello(2, 0), false),
            Admission::ClientStartedAnew
        );
    }
}
