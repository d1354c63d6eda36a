//! Any bytes as the body of a notification: it is read or left alone, and what is told of it is not much larger.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/phone/tests/it/fuzzed/state_documents.rs"]
mod state_documents;

fuzz_target!(|bytes: &[u8]| {
    without_leak(|| state_documents::notify(bytes, std::time::Instant::now()));
});
