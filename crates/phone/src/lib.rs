//! The softphone that decides: account, calls, guarantees. Sans-IO; SDP is an opaque string.
//!
//! A [`Phone`] is driven like every layer of this project: wait, give it **one** input
//! (`handle_command`, `handle_connection`, `handle_signaling`, `handle_pong`, `handle_media`,
//! `handle_timeout`), then drain [`Phone::poll_output`] until it returns [`Output::Timeout`] or
//! [`Output::Closed`]. **Never two inputs without a drain in between.**
//!
//! ```text
//!  Command ──►┌─────────┐──► Output::{Connect, Send, Ping}   to the WebSocket
//!  frame   ──►│  Phone  │──► Output::Media(id, command)      to the media session
//!  media   ──►│ account │──► Output::{Event, Reply}          to the application, one ordered stream
//!  time    ──►└ sessions┘──► Output::{Timeout, Closed}
//! ```
//! ```
//! use std::time::{Duration, Instant};
//! use phone::{Command, Config, Output, Phone, Ticket};
//!
//! # #[allow(clippy::disallowed_methods)] fn start() -> Instant { Instant::now() }
//! let config = Config::from_json(&serde_json::json!({
//!     "uri": "sip:alice@example.com",
//!     "password": "secret",
//!     "servers": "wss://pbx.example.com/ws",
//! }))?;
//! let now = start();
//! let mut phone = Phone::new(config, [7; 32], now, Duration::from_secs(1_800_000_000));
//! phone.handle_command(Ticket(1), Command::Initialize {}, now);
//! assert_eq!(phone.poll_output(), Output::Connect { server: 0 });
//! assert!(matches!(phone.poll_output(), Output::Timeout(..)));
//! # Ok::<(), phone::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

mod account;
mod agent;
pub mod audio;
mod auto_answer;
pub mod caller_identity;
pub mod command;
pub mod conference;
pub mod conference_info;
pub mod config;
mod content;
mod context;
mod conversation_id;
mod dtmf_relay;
pub mod end_reason;
pub mod error;
pub mod event;
pub mod id;
mod identity;
mod invitation;
pub mod media;
pub mod message_summary;
pub mod notifier;
pub mod output;
mod phone;
mod refer_to;
pub mod secret;
mod session;
mod sipfrag;
pub mod state_document;
mod target;
mod user_to_user;
mod wire;

pub use command::Command;
pub use config::{Config, ConfigError, Options};
pub use end_reason::{Condition, Elsewhere, EndReason, RedirectTarget, Side};
pub use error::{ErrorCode, ErrorType, PhoneError, SipStatus};
pub use event::Event;
pub use id::{ConferenceId, SessionId, Ticket};
pub use media::{MediaCommand, MediaEvent};
pub use output::{Connection, Output, Reply, Wake};
pub use phone::Phone;
