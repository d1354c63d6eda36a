//! Any bytes as what a proxy says: the conversation ends, its requests are ours alone, and a digest is not forgotten.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/tunnel/tests/it/fuzzed/conversation.rs"]
mod conversation;

fuzz_target!(|bytes: &[u8]| without_leak(|| conversation::converse(bytes)));
