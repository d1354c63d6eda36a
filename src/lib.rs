//! The addon: what JavaScript says is converted and given to `runtime`, and back. Nothing is decided here.

mod devices;
mod events;
mod phone;
mod sink;
mod source;
