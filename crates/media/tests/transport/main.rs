//! Transports against each other over a network that exists in virtual time only.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod harness;
mod turn_server;

mod allocations;
mod connect;
mod hostile;
mod liveness;
mod nat;
mod peer_streams;
mod restart;
mod restart_refused;
mod server_faults;
mod stream_octets;
mod streams;
