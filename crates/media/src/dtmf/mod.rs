//! Key presses in RTP: telephone events (RFC 4733) sent and received, and keys sent in the sound itself.

mod receive;
mod send;

pub use receive::{Header, Press, Receiver};
pub use send::{Clocks, KeyPacket, MAX_KEYS, Sender};

/// How many bytes an event has on the wire.
pub const PAYLOAD: usize = 4;

/// The payload of a telephone-event packet (RFC 4733 §2.3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The event code: 0–15 are the keys.
    pub code: u8,
    /// Whether the event is over.
    pub end: bool,
    /// In −dBm0, 0–63.
    pub volume: u8,
    /// So far, in ticks of the payload type's clock.
    pub duration: u16,
}

impl Event {
    /// Reads a payload; `None` when it is too short.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let bytes = payload.get(..PAYLOAD)?;
        Some(Self {
            code: bytes[0],
            end: bytes[1] & 0x80 != 0,
            volume: bytes[1] & 0x3f,
            duration: u16::from_be_bytes([bytes[2], bytes[3]]),
        })
    }

    /// Writes the payload.
    pub fn write(self) -> [u8; PAYLOAD] {
        let [high, low] = self.duration.to_be_bytes();
        [
            self.code,
            u8::from(self.end) << 7 | (self.volume & 0x3f),
            high,
            low,
        ]
    }
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("code", &"…")
            .field("end", &self.end)
            .field("duration", &self.duration)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_the_same_and_shows_no_digit() {
        let event = Event {
            code: 11,
            end: true,
            volume: 10,
            duration: 0xfedc,
        };
        assert_eq!(event.write(), [11, 0x8a, 0xfe, 0xdc]);
        assert_eq!(Event::read(&event.write()), Some(event));
        assert_eq!(Event::read(&[1, 2, 3]), None);
        assert!(!format!("{event:?}").contains("11"));
    }
}
