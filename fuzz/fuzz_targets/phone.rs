//! Any bytes as the life of a phone: frames, commands, news of media and connections, and time, in any order.
//! No panic, no endless loop, and every promise is kept.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

#[path = "../../crates/phone/tests/it/fuzzed/life.rs"]
mod life;
#[path = "../../crates/phone/tests/it/fuzzed/promises.rs"]
mod promises;
#[path = "../../crates/phone/tests/it/fuzzed/scripts.rs"]
mod scripts;

fuzz_target!(|bytes: &[u8]| without_leak(|| life::live(bytes, std::time::Instant::now())));
