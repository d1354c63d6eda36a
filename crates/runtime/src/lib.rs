//! The one room that opens sockets, spawns threads and reads a clock.
//!
//! A [`Softphone`] is a task that owns one [`phone::Phone`], its WebSocket and the handles of its
//! sessions' media; the media themselves run on a few threads of the process. Commands go in, one
//! ordered stream of [`Event`]s comes out.
//!
//! ```text
//!  Softphone ──commands──► driver ──► websocket ──► SIP server
//!      ▲                     │  ▲
//!   EventSink ◄───events─────┘  │ news
//!                               ▼
//!   audio::{Source, Sink} ◄─► media_worker ◄─► UDP
//! ```
//!
//! **Everything that waits, waits here; everything that decides is in the pure rooms.**

#![forbid(unsafe_code)]

pub mod audio;
mod backlog;
mod capture;
mod commands;
pub mod device;
mod device_hub;
pub mod devices;
mod driver;
mod event;
mod farewell;
mod files;
mod heard;
mod io_threads;
mod mdns;
mod media_worker;
mod metrics;
mod network;
mod pbx_server;
pub mod preflight;
mod resolver;
pub mod signalling;
mod softphone;
mod tick_clock;
pub mod video;

pub use backlog::{Backlog, Held};
pub use commands::CommandError;
pub use event::{Event, EventSink, Figures, MemberLevel, RuntimeEvent};
pub use farewell::{SignalWatch, Whose, farewell};
pub use heard::{AnsweredBy, HeardTone};
pub use media_worker::{ClockFigures, clock_figures, load as media_load};
pub use metrics::{Health, Queues, metrics};
pub use pbx::{Command as PbxCommand, Config as PbxConfig};
pub use pbx_server::{PbxEvent, PbxEventSink, PbxServer, StartError};
pub use phone::{Command, Config, ConfigError, SessionId, Ticket};
pub use softphone::Softphone;
