#![forbid(unsafe_code)]
//! Sound over the network: session descriptions, ICE/DTLS-SRTP transport, RTP, codecs and the jitter buffer.

pub mod codec;
pub mod sdp;
pub mod transport;
