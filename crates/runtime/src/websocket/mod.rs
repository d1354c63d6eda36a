//! SIP over WebSocket (RFC 7118): connecting, and an open connection that owns its queue.

mod accept;
mod address;
mod asked;
mod connect;
mod connection;
mod error;
mod paced;
mod tls;
mod transport;
mod tunnel;

pub(crate) use accept::accept;
pub use address::ServerUrl;
pub use connect::Connector;
pub use connection::{Connection, Incoming};
pub use error::{ConnectError, ConnectStep, DownReason};
pub use tls::TlsOptions;
