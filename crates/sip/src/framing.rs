//! SIP over a stream: where one message ends and the next begins (RFC 3261 §18.3), and the keep-alives between them
//! (RFC 5626 §3.5.1).

use std::str;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use crate::message::MAX_MESSAGE;

const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

/// Cuts what a stream brings into messages. At most one message of the largest size waits, and what came with its end.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Up to here there is no end of a head.
    scanned: usize,
    /// The length of the message that has begun, once its head is whole.
    length: Option<usize>,
}

/// Why a stream can't be read on: where its next message begins is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A head, or a head with its body, is larger than a message may be.
    #[error("a message of more than {MAX_MESSAGE} octets")]
    TooLarge,
    /// RFC 3261 §18.3: over a stream it must be there.
    #[error("a message without Content-Length")]
    NoLength,
    /// It is no number, or there are two that differ.
    #[error("a message whose Content-Length can't be read")]
    BadLength,
}

impl Framer {
    /// Takes what the stream has brought.
    pub fn push(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    /// Says whether no message has begun.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Gives the next message, or a keep-alive between two; none if it is not whole yet.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FramingError> {
        if self.length.is_none()
            && let Some(keep_alive) = self.keep_alive()
        {
            return Ok(Some(keep_alive));
        }
        let length = match self.length {
            Some(length) => length,
            None => match self.head_end()? {
                Some(head) if head > MAX_MESSAGE => return Err(FramingError::TooLarge),
                Some(head) => {
                    let body = content_length(&self.buffer[..head])?;
                    let length = head.saturating_add(body);
                    if length > MAX_MESSAGE {
                        return Err(FramingError::TooLarge);
                    }
                    self.length = Some(length);
                    length
                }
                None => return Ok(None),
            },
        };
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.length = None;
        self.scanned = 0;
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    /// A ping or a pong. Two pongs at once look like a ping, whose answer nobody minds; half a ping looks like a pong, and
    /// none is sent in halves.
    fn keep_alive(&mut self) -> Option<Bytes> {
        let found = [PING, PONG]
            .into_iter()
            .find(|end| self.buffer.starts_with(end))?;
        self.buffer.advance(found.len());
        self.scanned = 0;
        Some(Bytes::from_static(found))
    }

    /// Where the head ends, its blank line included.
    fn head_end(&mut self) -> Result<Option<usize>, FramingError> {
        let from = self.scanned;
        for (at, octet) in self.buffer.iter().enumerate().skip(from) {
            if *octet != b'\n' {
                continue;
            }
            match &self.buffer[at + 1..] {
                [b'\n', ..] => return Ok(Some(at + 2)),
                [b'\r', b'\n', ..] => return Ok(Some(at + 3)),
                _ => {}
            }
        }
        if self.buffer.len() > MAX_MESSAGE {
            return Err(FramingError::TooLarge);
        }
        // A blank line may have come by half.
        self.scanned = self.buffer.len().saturating_sub(2);
        Ok(None)
    }
}

/// The Content-Length of a head, whatever else is wrong with it: the parser says that.
fn content_length(head: &[u8]) -> Result<usize, FramingError> {
    let mut length = None;
    let mut lines = head.split(|octet| *octet == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some(value) = value_of_length(line) else {
            continue;
        };
        // RFC 3261 §7.3.1: a header may go on in the next line.
        let folded = lines
            .peek()
            .filter(|next| next.starts_with(b" ") || next.starts_with(b"\t"));
        let value = [value, folded.copied().unwrap_or_default()].concat();
        let number = number(value.trim_ascii())?;
        if length.is_some_and(|length| length != number) {
            return Err(FramingError::BadLength);
        }
        length = Some(number);
    }
    length.ok_or(FramingError::NoLength)
}

fn value_of_length(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    let (name, value) = line.split_at(colon);
    let name = name.trim_ascii_end();
    let is_length = name.eq_ignore_ascii_case(b"Content-Length") || name.eq_ignore_ascii_case(b"l");
    is_length.then(|| &value[1..])
}

fn number(digits: &[u8]) -> Result<usize, FramingError> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FramingError::BadLength);
    }
    let text = str::from_utf8(digits).map_err(|_| FramingError::BadLength)?;
    text.parse().map_err(|_| FramingError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@example.com SIP/2.0\r\nContent-Length: 3\r\n\r\nabc";

    /// What comes of octets that arrive `step` at a time.
    fn frames(octets: &[u8], step: usize) -> Result<Vec<Bytes>, FramingError> {
        let mut framer = Framer::default();
        let mut frames = Vec::new();
        for piece in octets.chunks(step) {
            framer.push(piece);
            while let Some(frame) = framer.next_frame()? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn messages_are_cut_wherever_the_stream_is() {
        let two = format!("{OPTIONS}{OPTIONS}");
        for step in 1..=two.len() {
            let found = frames(two.as_bytes(), step).unwrap();
            assert_eq!(found, [OPTIONS.as_bytes(), OPTIONS.as_bytes()], "{step}");
        }
    }

    #[test]
    fn keep_alives_stand_between_messages() {
        let octets = format!("\r\n{OPTIONS}\r\n\r\n{OPTIONS}");
        let found = frames(octets.as_bytes(), octets.len()).unwrap();
        let wanted: [&[u8]; 4] = [PONG, OPTIONS.as_bytes(), PING, OPTIONS.as_bytes()];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_length_is_found_in_any_spelling() {
        for header in [
            "content-length : 3",
            "l:3",
            "L: \r\n 3",
            "Content-Length: 3\r\nl: 03",
        ] {
            let message = format!("OPTIONS sip:a SIP/2.0\r\n{header}\r\n\r\nabc");
            let found = frames(message.as_bytes(), 7).unwrap();
            assert_eq!(found, [message.as_bytes()], "{header}");
        }
        let bare = "OPTIONS sip:a SIP/2.0\nl: 3\n\nabc";
        assert_eq!(frames(bare.as_bytes(), 5).unwrap(), [bare.as_bytes()]);
    }

    #[test]
    fn a_stream_that_can_t_be_cut_is_given_up() {
        use FramingError::{BadLength, NoLength, TooLarge};
        for (headers, wanted) in [
            ("To: a", NoLength),
            ("X: l: 3", NoLength),
            ("Content-Length: -3", BadLength),
            ("Content-Length: +3", BadLength),
            ("Content-Length: 3 3", BadLength),
            ("Content-Length:", BadLength),
            ("Content-Length: 3\r\nl: 4", BadLength),
            ("Content-Length: 65536", TooLarge),
            ("Content-Length: 99999999999999999999999", TooLarge),
        ] {
            let message = format!("OPTIONS sip:a SIP/2.0\r\n{headers}\r\n\r\nabc");
            assert_eq!(frames(message.as_bytes(), 9), Err(wanted), "{headers}");
        }
    }

    #[test]
    fn a_head_without_end_is_given_up_at_the_size_of_a_message() {
        let mut framer = Framer::default();
        let line = [b'a'; 1024];
        for _ in 0..MAX_MESSAGE / line.len() {
            framer.push(&line);
            assert_eq!(framer.next_frame(), Ok(None));
        }
        framer.push(&line);
        assert_eq!(framer.next_frame(), Err(FramingError::TooLarge));
    }
}
