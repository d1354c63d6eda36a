//! Any bytes as what a network brings to a media session: STUN, DTLS, RTP and RTCP, before, while and after it is set
//! up, from its peer, its relay and strangers. No panic, no endless loop, no answer to a stranger.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/media/tests/it/fuzzed.rs"]
mod fuzzed;
#[allow(dead_code, reason = "most of it serves the crate's own tests")]
#[path = "../../crates/media/tests/it/harness.rs"]
mod harness;

fuzz_target!(|bytes: &[u8]| {
    without_leak(|| {
        fuzzed::besiege(bytes);
    });
});
