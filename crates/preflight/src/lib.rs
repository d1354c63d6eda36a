//! What is looked at before a call, and what is said of it: names, codes, advice, and how each is judged.
//!
//! `runtime::preflight` opens the sockets and the devices; what it saw is judged here, and a [`Check`] is what comes of it.
//!
//! ```text
//! what a server, a network or a device did ─► judged ─► CheckCode ─► status and advice
//!                                                           └──────► Check { name, code, status, found, advice, ms, details }
//! ```
//!
//! **A code always has the same status and the same advice; `found` says what was seen this time, and holds no secret.**
//!
//! ```
//! use preflight::{Check, CheckCode, CheckName, CheckStatus};
//!
//! let check = Check::new(CheckName::Dns, CheckCode::DnsNotFound, "pbx.example.com has no address");
//! assert_eq!(check.status, CheckStatus::Failed);
//! assert!(check.advice.is_some());
//! ```
#![forbid(unsafe_code)]

mod check;
pub use check::{Check, CheckName, CheckStatus, is_well};

mod code;
pub use code::CheckCode;

mod certificate;
pub use certificate::{CertificateFacts, Freshness};

mod clock;
pub use clock::{ClockSkew, seconds_of};

mod headroom;
pub use headroom::CpuHeadroom;

mod nat;
pub use nat::{NatMapping, socket_addresses};

mod path;
pub use path::{PacketPath, PathFigures};

mod secrets;
pub use secrets::Secrets;

mod stun;
pub use stun::{BindingAnswer, Framed, StunReply, StunTransaction, binding_request, framed};

mod turn;
pub use turn::{TurnAllocation, TurnAnswer, TurnClient};
