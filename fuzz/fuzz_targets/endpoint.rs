//! Any bytes as the life of a user agent: frames, answers to its own requests, commands, lost flows
//! and time, in any order. No panic, no endless loop, and each call has one outcome.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/sip/tests/it/chaos/life.rs"]
mod life;

fuzz_target!(|bytes: &[u8]| without_leak(|| life::live(bytes, std::time::Instant::now())));
