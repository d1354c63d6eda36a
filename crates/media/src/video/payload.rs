//! What the payload formats have in common.

use ::video::VideoCodec;
use std::time::Duration;

use super::parameter_sets::ParameterSets;
use super::{h264, vp8};

/// Ticks of every video's RTP clock in a second (RFC 7741 §6.1, RFC 6184 §8.1).
pub const CLOCK: u32 = 90_000;

/// Why payloads are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A payload ends before what it promises.
    #[error("the payload is cut off")]
    Truncated,
    /// Parts that are not of one frame, or not of one NAL unit.
    #[error("the parts do not belong together")]
    Mismatched,
    /// A kind of packet that was not agreed to, such as an interleaved one.
    #[error("packets of type {0} are not used here")]
    Unsupported(u8),
    /// What came is no frame of its codec.
    #[error("the payloads are no frame")]
    NotAFrame,
}

/// Whether a frame begins with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// It says so.
    Certain,
    /// It does if what was sent before it ended a frame.
    Possible,
    /// It continues a frame.
    No,
}

/// What a payload tells of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) opening: Opening,
    /// Whether it is a key frame, if it tells.
    pub(super) key: Option<bool>,
}

/// What payloads together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    Picture,
    /// Nothing to be shown, such as parameter sets alone.
    Nothing,
}

/// What a payload is in its frame.
pub(super) fn look(codec: VideoCodec, payload: &[u8]) -> Result<Look, PayloadError> {
    match codec {
        VideoCodec::Vp8 => vp8::look(payload),
        VideoCodec::H264 => h264::look(payload),
    }
}

/// Keeps the parameter sets of a payload.
pub(super) fn learn(codec: VideoCodec, payload: &[u8], sets: &mut ParameterSets) {
    match codec {
        VideoCodec::Vp8 => {}
        VideoCodec::H264 => h264::learn(payload, sets),
    }
}

/// Writes into `frame` what the payloads of one frame hold.
pub(super) fn join<'a>(
    codec: VideoCodec,
    payloads: impl Iterator<Item = &'a [u8]>,
    sets: &ParameterSets,
    frame: &mut Vec<u8>,
) -> Result<Joined, PayloadError> {
    frame.clear();
    match codec {
        VideoCodec::Vp8 => vp8::join(payloads, frame).map(|()| Joined::Picture),
        VideoCodec::H264 => h264::join(payloads, sets, frame),
    }
}

/// The duration of so many ticks.
pub(super) fn ticks(count: u64) -> Duration {
    let clock = u64::from(CLOCK);
    let below = (count % clock) * 1_000_000_000 / clock;
    Duration::from_secs(count / clock) + Duration::from_nanos(below)
}

/// The timestamp of an instant of the source's clock, without its offset.
pub fn timestamp(at: Duration) -> u32 {
    let below = u64::from(at.subsec_nanos()) * u64::from(CLOCK) / 1_000_000_000;
    at.as_secs()
        .wrapping_mul(u64::from(CLOCK))
        .wrapping_add(below) as u32
}
