//! STUN messages and ChannelData on a stream of octets (RFC 8489 §6.2.2, RFC 8656 §12.5).

use bytes::{Buf as _, BytesMut};

use super::stun::COOKIE;

/// No datagram of media is larger; what is, is passed over whole.
const MAX_MESSAGE: usize = 2048;
const STUN_HEADER: usize = 20;
const CHANNEL_HEADER: usize = 4;

/// What came is no STUN and no ChannelData: nobody knows where the next message would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unframed;

/// Finds the messages in a stream. It holds one unfinished message at most, of [`MAX_MESSAGE`] octets.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    buffer: BytesMut,
    /// Octets of a message that is too large and still to come.
    passed_over: usize,
}

/// Whether ChannelData may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    None,
    Possible,
}

/// Where the first message of a buffer ends, and how much of it is padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    length: usize,
    padding: usize,
}

impl Deframer {
    /// Takes octets as they come, and hands each whole message to `take`; no ChannelData comes before a channel is bound.
    pub(super) fn push(
        &mut self,
        mut octets: &[u8],
        channels: Channels,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Unframed> {
        while !octets.is_empty() {
            let skipped = self.passed_over.min(octets.len());
            self.passed_over -= skipped;
            octets = &octets[skipped..];
            // A piece at a time, so that a large read needs no large buffer.
            let piece = octets.len().min(MAX_MESSAGE);
            self.buffer.extend_from_slice(&octets[..piece]);
            octets = &octets[piece..];
            self.find(channels, &mut take)?;
        }
        Ok(())
    }

    fn find(&mut self, channels: Channels, take: &mut impl FnMut(&[u8])) -> Result<(), Unframed> {
        while let Some(Frame { length, padding }) = frame(&self.buffer, channels)? {
            let whole = length + padding;
            if length > MAX_MESSAGE {
                self.passed_over = whole.saturating_sub(self.buffer.len());
                self.buffer.advance(whole.min(self.buffer.len()));
            } else if self.buffer.len() < whole {
                break;
            } else {
                take(&self.buffer[..length]);
                self.buffer.advance(whole);
            }
        }
        Ok(())
    }
}

fn frame(buffer: &[u8], channels: Channels) -> Result<Option<Frame>, Unframed> {
    let Some([first, _, high, low]) = buffer.first_chunk::<4>().copied() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    match first {
        0x00..=0x3F => {
            let Some(cookie) = buffer.get(4..8) else {
                return Ok(None);
            };
            if cookie != COOKIE || length % 4 != 0 {
                return Err(Unframed);
            }
            Ok(Some(Frame {
                length: STUN_HEADER + length,
                padding: 0,
            }))
        }
        // RFC 8656 §12: other numbers are reserved.
        0x40..=0x4F if channels == Channels::Possible => {
            let length = CHANNEL_HEADER + length;
            Ok(Some(Frame {
                length,
                padding: length.next_multiple_of(4) - length,
            }))
        }
        0x40.. => Err(Unframed),
    }
}

/// Makes of a message what goes on a stream.
pub(super) fn framed(mut message: BytesMut) -> BytesMut {
    if message.first().is_some_and(|first| *first >= 0x40) {
        message.resize(message.len().next_multiple_of(4), 0);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(length: usize) -> Vec<u8> {
        let mut message = vec![1, 3];
        message.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        message.extend_from_slice(&COOKIE);
        message.resize(STUN_HEADER + length, 7);
        message
    }

    fn channel(length: usize) -> Vec<u8> {
        let mut message = vec![0x40, 1];
        message.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        message.resize(CHANNEL_HEADER + length, 9);
        message
    }

    fn read(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Result<(), Unframed>) {
        let mut deframer = Deframer::default();
        let mut found = Vec::new();
        for octets in stream.chunks(piece) {
            let read = deframer.push(octets, Channels::Possible, |message| {
                found.push(message.to_vec())
            });
            if read.is_err() {
                return (found, read);
            }
            assert!(deframer.buffer.len() <= MAX_MESSAGE + 4);
        }
        (found, Ok(()))
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut() {
        let messages = [
            stun(0),
            channel(5),
            channel(0),
            stun(12),
            channel(1200),
            channel(4),
        ];
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend_from_slice(&framed(BytesMut::from(&message[..])));
        }
        assert_eq!(stream.len() % 4, 0);
        for piece in [1, 2, 3, 4, 7, 64, stream.len()] {
            let (found, outcome) = read(&stream, piece);
            assert_eq!((&found[..], outcome), (&messages[..], Ok(())), "{piece}");
        }
    }

    #[test]
    fn a_message_larger_than_any_datagram_of_media_is_passed_over_and_what_follows_is_read() {
        let mut stream = Vec::new();
        for message in [channel(65_535), stun(60_000), channel(2045), stun(8)] {
            stream.extend_from_slice(&framed(BytesMut::from(&message[..])));
        }
        for piece in [1, 100, 4096, stream.len()] {
            assert_eq!(read(&stream, piece), (vec![stun(8)], Ok(())), "{piece}");
        }
    }

    #[test]
    fn what_is_no_message_ends_the_stream() {
        let mut wrong_cookie = stun(0);
        wrong_cookie[5] ^= 1;
        let mut odd = stun(8);
        odd[3] = 7;
        for stream in [
            &b"SSH-2.0-x\r\n"[..],
            &[0x80; 4],
            &[0xFF; 4],
            &wrong_cookie,
            &odd,
        ] {
            let (found, outcome) = read(stream, 1);
            assert_eq!((found, outcome), (Vec::new(), Err(Unframed)), "{stream:?}");
        }
    }

    #[test]
    fn a_server_of_something_else_is_known_by_its_first_octets_where_no_channel_can_be() {
        let mut deframer = Deframer::default();
        let answer = b"HTTP/1.1 400 Bad Request\r\n";
        let read = deframer.push(answer, Channels::None, |_| panic!("it is no message"));
        assert_eq!(read, Err(Unframed));
    }
}
