//! The safe door to libopus: one encoder or decoder per stream, mono (an encoder also of two channels), 16-bit samples.
//!
//! ```text
//! samples (2.5–120 ms) ── Encoder::encode ──▶ packet ── Decoder::decode ──▶ samples
//!                                                lost ── Decoder::conceal ─▶ samples
//!                            the packet after it ── Decoder::recover ──────▶ samples
//! ```
//! A stream lives as `Encoder::new` → settings → `encode` for each frame, which may change settings at
//! any time; the decoder takes what arrives in the order of playing and is told of each gap.
//!
//! **Invariant: libopus never sees a length that does not belong to the slice it points into, and no
//! state is reachable from two threads at once (`Send`, not `Sync`).**
//!
//! ```
//! let mut encoder = opus::Encoder::new(opus::SampleRate::Hz16000, opus::Application::Voip)?;
//! let mut decoder = opus::Decoder::new(opus::SampleRate::Hz48000)?;
//! let mut packet = [0; opus::MAX_PACKET];
//! let length = encoder.encode(&[0; 320], &mut packet)?;
//! let mut samples = [0; 960];
//! assert_eq!(decoder.decode(&packet[..length], &mut samples)?, 960);
//! # Ok::<(), opus::Error>(())
//! ```

mod decoder;
mod encoder;
mod error;
pub mod packet;
mod without_dred;

pub use decoder::Decoder;
pub use encoder::{Application, Bandwidth, Encoder, Signal};
pub use error::Error;

/// The largest packet that a 20 ms frame can need at any bitrate, in bytes (RFC 6716 §3.4).
pub const MAX_PACKET: usize = 1275;

/// A sampling rate that libopus works at; the RTP clock stays 48 kHz whichever is chosen (RFC 7587 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleRate {
    /// Narrowband, 8 kHz.
    Hz8000,
    /// Mediumband, 12 kHz.
    Hz12000,
    /// Wideband, 16 kHz.
    Hz16000,
    /// Superwideband, 24 kHz.
    Hz24000,
    /// Fullband, 48 kHz.
    Hz48000,
}

impl SampleRate {
    /// Returns the rate in samples per second.
    pub const fn hz(self) -> u32 {
        match self {
            Self::Hz8000 => 8_000,
            Self::Hz12000 => 12_000,
            Self::Hz16000 => 16_000,
            Self::Hz24000 => 24_000,
            Self::Hz48000 => 48_000,
        }
    }

    /// Returns the number of samples in 120 ms, the longest packet there is (RFC 6716 §2.1.4).
    pub const fn longest_packet(self) -> usize {
        self.hz() as usize * 120 / 1000
    }
}
