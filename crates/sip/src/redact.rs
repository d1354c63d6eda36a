//! What may be shown of a message in a log or a trace.

mod lines;

/// The text of a frame with its secrets hidden: credentials, tokens and passwords, ICE passwords
/// and SRTP keys of an SDP body, DTMF digits of an INFO body, passwords in URIs. Frames that are no
/// SIP messages are treated alike, line by line.
pub fn redact(frame: &[u8]) -> String {
    lines::redact(&String::from_utf8_lossy(frame))
}
