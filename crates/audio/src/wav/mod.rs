//! WAV files, read over `std::io`, chunk by chunk and never whole, and what they begin with when they are written.
//!
//! Own code instead of a crate: telephony's prompts are often A-law or µ-law, files cut short or written
//! through a pipe have no true sizes, and an error must say which field is wrong.

mod error;
mod player;
mod reader;
mod writer;

pub use error::Error;
pub use player::Player;
pub use reader::{Encoding, Format, Reader};
pub use writer::{HEADER, header, whole};
