//! A phone in virtual time, against a scripted peer and against another phone.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "these are tests, though most of their functions do not say so"
)]

mod aborting;
mod admission;
mod auto_answer;
mod beside;
mod call_credentials;
mod call_requests;
mod chaos;
mod coincidences;
mod conference;
mod config;
mod connection;
mod connection_over_udp;
mod connection_places;
mod counting;
mod credentials;
mod destroy;
mod draining;
mod early_media;
mod fuzzed;
mod harness;
mod hold;
mod ice_servers;
mod identity;
mod incoming;
mod info;
mod keys_kept_back;
mod live;
mod long_life;
mod matrix;
mod media;
mod microphone;
mod notifying;
mod oddities;
mod orphans;
mod outgoing;
mod pair;
mod protection;
mod proxy;
mod reasons;
mod recording;
mod redirect;
mod reoffer;
mod ringing;
mod rooms;
mod session_name;
mod session_timer;
mod several;
mod subscribing;
mod survival;
mod taking_place;
mod transfer;
mod transferred;
mod trunk;
mod video;
