//! The safe door to libvpx: VP8 (RFC 6386) of I420 pictures, in real time.
//!
//! ```text
//! Picture ── Encoder::encode ──▶ EncodedFrame ── Decoder::decode ──▶ Picture
//!               │ none: it was left out for the bitrate     │ error: go on with a key frame
//! ```
//! libvpx is the system's, linked statically; `shim.c` stands between, so that none of its structs is described
//! here twice.
//!
//! **Invariant: libvpx never sees a length that does not belong to the slice it points into, nor a picture or a key
//! frame of another size than was checked, and no state is reachable from two threads at once (`Send`, not `Sync`).**
//!
//! ```
//! use std::time::Duration;
//! use video::{Picture, Size};
//!
//! let size = Size::new(320, 180);
//! let mut encoder = vpx::Encoder::new(size, &vpx::Settings::default())?;
//! let mut decoder = vpx::Decoder::new()?;
//! let picture = Picture::black(size, Duration::ZERO)?;
//! let frame = encoder.encode(&picture, true)?.expect("a key frame is never left out");
//! assert_eq!(decoder.decode(&frame)?.map(|seen| seen.size()), Some(size));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decoder;
mod encoder;
mod error;
mod ffi;

pub use decoder::Decoder;
pub use encoder::{Encoder, Settings};
pub use error::Error;

/// Lets other threads go before the calling one, which codes pictures; where the system can't, nothing changes.
pub fn give_way() {
    // SAFETY: it takes nothing, and changes nothing but the calling thread's priority.
    unsafe { ffi::oh_vpx_give_way() }
}

#[cfg(test)]
mod tests;
