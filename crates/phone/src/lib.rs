//! The softphone that decides: account, calls, guarantees. Sans-IO; SDP goes through unread.
//!
//! A [`Phone`] is driven like every layer of this project: wait, give it **one** input
//! (`handle_command`, `handle_connection`, `handle_signaling`, `handle_pong`, `handle_media`,
//! `handle_recording`, `handle_network`, `handle_timeout`), then drain [`Phone::poll_output`] until it returns [`Output::Timeout`] or
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
//! use tunnel::Route;
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
//! assert!(matches!(phone.poll_output(), Output::Connect { server: 0, route: Route::Direct, .. }));
//! assert!(matches!(phone.poll_output(), Output::Timeout(..)));
//! # Ok::<(), phone::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

mod account;
mod agent;
pub mod config;
mod door;
mod phone;
mod reading;
mod session;

pub use config::{Config, ConfigError, Options};
pub use door::command::Command;
pub use door::end_reason::{Condition, Elsewhere, EndReason, RedirectTarget, Side};
pub use door::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
pub use door::event::Event;
pub use door::id::{ConferenceId, RecordingId, SessionId, Ticket};
pub use door::media::{MediaCommand, MediaEvent, SoundCommand, StreamCommand, VideoCommand};
pub use door::output::{CONNECT_WITHIN, Connection, Output, Reply, ServersKnown, SipText, Wake};
pub use door::sdp::Sdp;
pub use door::{
    audio, caller_identity, command, conference, conference_info, content, dtmf, end_reason, error,
    event, handed_over, hold_via, ice_server, id, level, media, message_summary, neighbour,
    network, notifier, orphan, output, recording, secret, state_document, tally, video, warning,
};
pub use phone::Phone;
