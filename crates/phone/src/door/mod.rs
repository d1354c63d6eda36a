//! The words between a phone and who drives it: what it is asked, what it tells and what it wants done. None of them
//! needs the engine.

pub mod audio;
pub mod command;
pub mod conference;
pub mod end_reason;
pub mod error;
pub mod event;
pub mod id;
pub mod media;
pub mod notifier;
pub mod output;
pub mod secret;
