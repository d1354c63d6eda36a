//! A small buffer for datagrams that come before they can be judged.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::BytesMut;

use super::ice::BaseId;

/// A few checks from each of a peer's addresses and its first hello, or 300 ms of media.
const MAX_DATAGRAMS: usize = 16;
/// Larger ones are neither checks nor audio.
const MAX_DATAGRAM: usize = 2048;

/// A datagram and where it came from.
pub(super) type Early = (BaseId, SocketAddr, BytesMut);

/// Keeps the first datagrams that come, and drops the rest.
#[derive(Debug, Default)]
pub(super) struct EarlyBuffer {
    datagrams: VecDeque<Early>,
}

impl EarlyBuffer {
    /// Keeps a datagram; returns whether there was room.
    pub(super) fn push(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) -> bool {
        let room = self.datagrams.len() < MAX_DATAGRAMS && datagram.len() <= MAX_DATAGRAM;
        if room {
            self.datagrams
                .push_back((base, from, BytesMut::from(datagram)));
        }
        room
    }

    /// Takes all of them, oldest first.
    pub(super) fn take(&mut self) -> VecDeque<Early> {
        std::mem::take(&mut self.datagrams)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_few_small_datagrams_are_kept() {
        let from = SocketAddr::from(([192, 0, 2, 1], 9));
        let mut buffer = EarlyBuffer::default();
        assert!(!buffer.push(BaseId(0), from, &[0; 4096]));
        let kept = (0..100u8)
            .filter(|byte| buffer.push(BaseId(0), from, &[*byte]))
            .count();
        let first: Vec<u8> = buffer.take().iter().map(|(.., bytes)| bytes[0]).collect();
        assert_eq!(kept, MAX_DATAGRAMS);
        assert_eq!(first, (0..16).collect::<Vec<u8>>());
        assert!(buffer.take().is_empty());
    }
}
