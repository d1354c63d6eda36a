//! What a packet says about itself before it is decoded.

use std::ffi::c_int;

use opusic_sys as sys;

use crate::SampleRate;
use crate::error::{Error, count};

/// Returns how many samples at `rate` the packet holds, at most 120 ms.
pub fn samples(packet: &[u8], rate: SampleRate) -> Result<usize, Error> {
    let length = c_int::try_from(packet.len()).map_err(|_| Error::InvalidPacket)?;
    // SAFETY: `length` is the length of the slice passed, and libopus only reads it.
    let samples =
        unsafe { sys::opus_packet_get_nb_samples(packet.as_ptr(), length, rate.hz() as i32) };
    count(samples).map_err(|_| Error::InvalidPacket)
}

/// Tells whether the packet carries a copy of the frame before it; false for what is no valid packet.
pub fn has_fec(packet: &[u8]) -> bool {
    let Ok(length) = i32::try_from(packet.len()) else {
        return false;
    };
    // SAFETY: `length` is the length of the slice passed, and libopus only reads it.
    length > 0 && unsafe { sys::opus_packet_has_lbrr(packet.as_ptr(), length) } == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_follows_from_the_table_of_contents_byte() {
        // RFC 6716 §3.1: config 9 (wideband SILK, 20 ms), mono, one frame.
        assert_eq!(samples(&[9 << 3, 0], SampleRate::Hz48000), Ok(960));
        assert_eq!(samples(&[9 << 3, 0], SampleRate::Hz16000), Ok(320));
        // Code 3 with 6 frames of 20 ms is 120 ms, the limit of §3.2.5; 7 are refused.
        assert_eq!(samples(&[(9 << 3) | 3, 6], SampleRate::Hz16000), Ok(1920));
        assert_eq!(
            samples(&[(9 << 3) | 3, 7], SampleRate::Hz16000),
            Err(Error::InvalidPacket)
        );
        assert_eq!(samples(&[], SampleRate::Hz16000), Err(Error::InvalidPacket));
    }

    #[test]
    fn what_is_no_packet_has_no_copy() {
        assert!(!has_fec(&[]));
        assert!(!has_fec(&[0xff]));
        assert!(!has_fec(&[0x03]));
    }
}
