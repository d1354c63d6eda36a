//! The words between a phone and who drives it: what it is asked, what it tells and what it wants done. None of them
//! needs the engine.

pub mod audio;
pub mod caller_identity;
pub mod command;
pub mod conference;
pub mod conference_info;
pub mod content;
pub mod dtmf;
pub mod end_reason;
pub mod error;
pub mod event;
pub mod handed_over;
pub mod hold_via;
pub mod ice_server;
pub mod id;
pub mod level;
pub mod media;
pub mod message_summary;
pub mod neighbour;
pub mod network;
pub mod notifier;
pub mod orphan;
pub mod output;
pub(crate) mod peer;
pub mod recording;
pub(crate) mod sdp;
pub mod secret;
pub mod state_document;
pub mod tally;
pub(crate) mod text;
pub mod video;
pub mod warning;
