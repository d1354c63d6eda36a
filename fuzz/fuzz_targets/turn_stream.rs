//! Any octets as what a TURN server sends on a stream. No panic, no endless output, and how it is cut means nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/media/tests/transport/stream_octets.rs"]
mod stream_octets;

fuzz_target!(|bytes: &[u8]| {
    without_leak(|| {
        stream_octets::read_anyhow(bytes);
    });
});
