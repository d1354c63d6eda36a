//! SIP over WebSocket (RFC 7118), TCP, TLS and UDP: connecting, and an open connection that owns its queue.

mod accept;
mod asked;
mod connect;
mod connection;
mod datagrams;
mod dns;
mod domain_names;
mod error;
mod listeners;
mod message_stream;
mod paced;
mod probe;
mod tls;
mod transport;
mod tunnel;
mod websocket;

pub(crate) use accept::accept;
pub use connect::Connector;
pub(crate) use connect::lookup;
pub use connection::{Connection, Incoming};
pub use dns::Dns;
pub use error::{ConnectError, ConnectStep, Distrust, DownReason};
pub use listeners::{Listeners, NeighbourReport};
pub(crate) use probe::{HttpAnswer, SecuredWay, TriedAddress, Way, try_each};
pub use tls::TlsOptions;
pub(crate) use transport::Stream;
