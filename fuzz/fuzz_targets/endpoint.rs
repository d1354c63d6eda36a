//! Any bytes as the life of a user agent: frames, answers to its own requests, commands, lost flows
//! and time, in any order. No panic, no endless loop, and each call has one outcome.
//!
//! `cargo +nightly fuzz run endpoint -- -max_len=4096`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sip/tests/it/chaos/life.rs"]
mod life;

fuzz_target!(|bytes: &[u8]| life::live(bytes, std::time::Instant::now()));
