//! The runtime against the machine: sockets on loopback with ports chosen by the system, and its sound.

#[cfg(target_os = "linux")]
mod device;
mod server;
mod websocket;
