//! The one room that opens sockets, spawns threads and reads a clock.

pub mod websocket;
