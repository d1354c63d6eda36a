//! What is said to a proxy, and what of its answers is believed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod digest;
mod fuzzed;
mod harness;
mod http;
mod socks;
