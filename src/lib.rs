//! The addon: what JavaScript says is converted and given to `runtime`, and back. Nothing is decided here.

mod events;
mod handle;
mod readers;

pub mod devices;
pub mod farewell;
pub mod figures;
pub mod pbx;
pub mod phone;
pub mod preflight;
pub mod sink;
pub mod source;
pub mod video_sink;
pub mod video_source;
