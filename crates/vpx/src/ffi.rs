//! `shim.c`, as it is written there.

use std::ffi::c_void;

/// An encoder of the shim's.
pub(crate) type RawEncoder = c_void;
/// A decoder of the shim's.
pub(crate) type RawDecoder = c_void;

unsafe extern "C" {
    pub(crate) fn oh_vpx_encoder_new(
        width: u32,
        height: u32,
        bits_per_second: u32,
        threads: u32,
        speed: i32,
        screen: i32,
        made: *mut *mut RawEncoder,
    ) -> i32;
    pub(crate) fn oh_vpx_encoder_set_rate(encoder: *mut RawEncoder, bits_per_second: u32) -> i32;
    pub(crate) fn oh_vpx_encode(
        encoder: *mut RawEncoder,
        i420: *const u8,
        at_us: i64,
        lasts_us: u64,
        key: i32,
        data: *mut *const u8,
        length: *mut usize,
        is_key: *mut i32,
    ) -> i32;
    pub(crate) fn oh_vpx_encoder_free(encoder: *mut RawEncoder);

    pub(crate) fn oh_vpx_decoder_new(threads: u32, made: *mut *mut RawDecoder) -> i32;
    pub(crate) fn oh_vpx_decode(
        decoder: *mut RawDecoder,
        data: *const u8,
        length: u32,
        width: *mut u32,
        height: *mut u32,
    ) -> i32;
    pub(crate) fn oh_vpx_copy(decoder: *const RawDecoder, into: *mut u8, length: usize) -> i32;
    pub(crate) fn oh_vpx_decoder_free(decoder: *mut RawDecoder);

    pub(crate) fn oh_vpx_give_way();
}
