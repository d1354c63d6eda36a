//! RTP's bookkeeping (RFC 3550): what arrived, what was lost, and the reports about it.
//!
//! The transport writes and reads RTP headers; here is what follows from them.

pub mod feedback;
pub mod reception;
pub mod red;
pub mod rtcp;
pub mod schedule;
