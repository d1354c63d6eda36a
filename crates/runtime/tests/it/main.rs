//! The runtime against real sockets on loopback, ports chosen by the system.

mod server;
mod websocket;
