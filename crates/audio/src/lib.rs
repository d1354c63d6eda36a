//! What happens to samples between legs, files and devices. Pure: no clock, no threads, no devices.
#![forbid(unsafe_code)]

pub mod companding;
mod frame;
mod rate;

pub use frame::Frame;
pub use rate::{Rate, UnknownRate};
