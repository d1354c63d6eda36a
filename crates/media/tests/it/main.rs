//! Sessions against each other over a seeded network in virtual time.

#![allow(
    clippy::unwrap_used,
    reason = "what a test expects and does not get must end it"
)]

mod allocation;
mod apart;
mod audio_only;
mod calls;
mod copies;
mod descriptions;
mod forks;
mod fuzzed;
mod harness;
mod in_band;
mod keyings;
mod keys;
mod lip_sync;
mod pauses;
mod renegotiation;
mod reports;
mod samples;
mod sections;
mod video;
mod video_loss;
mod video_peers;
