//! Any JSON as options and as a command: taken, or refused by name without showing a secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/phone/tests/it/fuzzed/options.rs"]
mod options;

fuzz_target!(|bytes: &[u8]| without_leak(|| options::take(bytes, std::time::Instant::now())));
