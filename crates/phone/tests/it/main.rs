//! A phone in virtual time, against a scripted peer and against another phone.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "these are tests, though most of their functions do not say so"
)]

mod auto_answer;
mod chaos;
mod config;
mod connection;
mod destroy;
mod harness;
mod incoming;
mod media;
mod outgoing;
mod pair;
mod reoffer;
mod survival;
