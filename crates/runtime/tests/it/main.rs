//! The runtime against the machine: sockets on loopback with ports chosen by the system, and its sound.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says loudly what it does not run"
)]

#[cfg(target_os = "linux")]
mod device;
mod finding;
mod ice_preflight;
mod name_server;
mod preflight;
mod proxy;
mod server;
mod signalling;
mod softphone;
mod stream_preflight;
mod webrtc;
