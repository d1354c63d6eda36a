//! Deep redundancy (DRED) is never sent, but libopus has its encoder wherever it has deep concealment, and 0.24 MB of
//! weights with it. These stand for it: one that has not loaded its weights is never asked for more.

use std::ffi::{c_float, c_int, c_void};

#[unsafe(no_mangle)]
extern "C" fn dred_encoder_init(_encoder: *mut c_void, _rate: i32, _channels: c_int) {}

#[unsafe(no_mangle)]
extern "C" fn dred_encoder_reset(_encoder: *mut c_void) {}

#[unsafe(no_mangle)]
extern "C" fn dred_compute_latents(
    _encoder: *mut c_void,
    _samples: *const c_float,
    _length: c_int,
    _delay: c_int,
    _arch: c_int,
) {
}

#[unsafe(no_mangle)]
extern "C" fn dred_encode_silk_frame(
    _encoder: *mut c_void,
    _into: *mut u8,
    _chunks: c_int,
    _length: c_int,
    _q0: c_int,
    _dq: c_int,
    _most_q: c_int,
    _activity: *mut u8,
    _arch: c_int,
) -> c_int {
    0
}
