//! What stands between a packet and the network: SRTP, or nothing.

use bytes::BytesMut;

use super::keys::Keying;
use super::output::SendError;
use super::packet::HeaderView;
use super::srtp::{Opened, Srtp};

/// The shortest report: a header and a source (RFC 3550 §6.4).
const SHORTEST_REPORT: usize = 8;

/// How packets are protected.
#[derive(Debug)]
pub(super) enum Protection {
    /// Under keys of this kind.
    Srtp(Keying, Box<Srtp>),
    /// Not at all: only the caller knows whose they are.
    Plain,
}

impl Protection {
    pub(super) fn keying(&self) -> Keying {
        match self {
            Self::Srtp(keying, _) => *keying,
            Self::Plain => Keying::Plain,
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.keying() == Keying::Plain
    }

    /// The IANA name of its profile.
    pub(super) fn profile(&self) -> Option<&'static str> {
        match self {
            Self::Srtp(_, srtp) => Some(srtp.profile()),
            Self::Plain => None,
        }
    }

    /// Protects a packet whose header is `header_len` bytes long.
    pub(super) fn seal_rtp(
        &mut self,
        packet: &[u8],
        header_len: usize,
        ssrc: u32,
        seq: u16,
    ) -> Result<BytesMut, SendError> {
        match self {
            Self::Srtp(_, srtp) => srtp.seal_rtp(packet, header_len, ssrc, seq),
            Self::Plain => Ok(BytesMut::from(packet)),
        }
    }

    /// Protects a compound RTCP packet.
    pub(super) fn seal_rtcp(&mut self, compound: &[u8]) -> Result<BytesMut, SendError> {
        match self {
            Self::Srtp(_, srtp) => srtp.seal_rtcp(compound),
            Self::Plain => Ok(BytesMut::from(compound)),
        }
    }

    /// Authenticates and decrypts a media packet.
    pub(super) fn open_rtp(&mut self, packet: &[u8], view: &HeaderView) -> Opened {
        match self {
            Self::Srtp(_, srtp) => srtp.open_rtp(packet, view),
            Self::Plain => Opened::Packet(BytesMut::from(packet)),
        }
    }

    /// Authenticates and decrypts a compound RTCP packet.
    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Opened {
        match self {
            Self::Srtp(_, srtp) => srtp.open_rtcp(packet),
            Self::Plain if packet.len() < SHORTEST_REPORT => Opened::Forged,
            Self::Plain => Opened::Packet(BytesMut::from(packet)),
        }
    }
}
