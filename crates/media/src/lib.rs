#![forbid(unsafe_code)]
//! Sound over the network: session descriptions, ICE/DTLS-SRTP transport, RTP, codecs and the jitter buffer.

pub mod codec;
pub mod dtmf;
mod echo;
pub mod jitter;
pub mod mos;
pub mod rtp;
pub mod sdp;
pub mod session;
pub mod thrift;
pub mod transport;
pub mod video;
#[cfg(test)]
mod virtual_time;

pub use session::{MediaEvent, Session, SessionConfig};
pub use thrift::Thrift;
