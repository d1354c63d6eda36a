//! Counters of a transport.

use std::time::Duration;

use super::output::{SelectedPath, State};

/// A snapshot of a transport's counters, all since it was made.
#[derive(Clone, Debug)]
pub struct TransportStats {
    /// The state at the time of the snapshot.
    pub state: State,
    /// The pair that carries media.
    pub selected: Option<SelectedPath>,
    /// How often the selected pair changed.
    pub selected_changes: u32,
    /// The last round trip of a check on the selected pair.
    pub rtt: Option<Duration>,
    /// The sum of all measured round trips.
    pub total_rtt: Duration,
    /// Answers received to our connectivity and consent checks.
    pub responses_received: u64,
    /// Connectivity and consent checks sent.
    pub requests_sent: u64,
    /// Authentic checks received.
    pub requests_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Datagrams sent, of every kind.
    pub packets_sent: u64,
    /// Datagrams received, of every kind.
    pub packets_received: u64,
    /// Bytes of datagrams sent.
    pub bytes_sent: u64,
    /// Bytes of datagrams received.
    pub bytes_received: u64,
    /// The DTLS version negotiated, such as `FEFD`.
    pub tls_version: Option<&'static str>,
    /// The DTLS cipher suite's IANA name.
    pub dtls_cipher: Option<String>,
    /// The SRTP profile's IANA name, such as `SRTP_AEAD_AES_128_GCM`.
    pub srtp_cipher: Option<&'static str>,
    /// Whether we are the DTLS client; `None` before the role is known.
    pub dtls_client: Option<bool>,
    /// Whether we are the controlling ICE agent.
    pub controlling: bool,
    /// What was refused, by reason.
    pub refused: Refused,
}

/// Datagrams that were not let in, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// STUN messages that are malformed, unauthenticated or for someone else.
    pub stun: u64,
    /// Media or DTLS from an address that no authenticated check came from.
    pub unknown_source: u64,
    /// DTLS records beyond what a handshake needs.
    pub dtls: u64,
    /// SRTP and SRTCP packets that failed authentication.
    pub srtp_authentication: u64,
    /// SRTP and SRTCP packets seen before or too old.
    pub srtp_replay: u64,
    /// Packets that came before the peer's parameters and found the buffer full.
    pub early: u64,
    /// Candidates and peer-reflexive addresses beyond the cap.
    pub candidates: u64,
    /// Received packets dropped because the caller did not drain the output.
    pub undrained: u64,
    /// Media packets of streams that were not agreed to.
    pub unknown_stream: u64,
    /// Datagrams that are neither STUN, DTLS nor SRTP.
    pub unknown_protocol: u64,
}

/// What went over the wire.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) packets_sent: u64,
    pub(super) packets_received: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

impl Traffic {
    pub(super) fn sent(&mut self, bytes: usize) {
        self.packets_sent += 1;
        self.bytes_sent += bytes as u64;
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.packets_received += 1;
        self.bytes_received += bytes as u64;
    }
}
