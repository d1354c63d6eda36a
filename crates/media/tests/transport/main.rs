//! Transports against each other over a network that exists in virtual time only.

mod harness;
mod turn_server;

mod allocations;
mod connect;
mod hostile;
mod liveness;
mod nat;
mod restart;
