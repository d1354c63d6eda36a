//! Connections through proxies: which one, and what is said until it has opened a tunnel.
//!
//! A [`Proxy`] is read from a URL, taken from an [`Environment`], or named by a PAC function's answer ([`routes`]). A
//! [`Handshake`] then speaks with it: HTTP CONNECT (RFC 9110 §9.3.6) with Basic (RFC 7617) or Digest (RFC 7616), or SOCKS5
//! (RFC 1928, RFC 1929). Names are resolved by the proxy. What runs in the tunnel is the caller's: WebSocket, TLS or TURN.
//!
//! ```text
//! Handshake ─ poll_output ─► Transmit ─ Wait ─┬─► Open(early octets)
//!     ▲ handle_octets, handle_end             └─► Reconnect ─ handle_reconnected ─► Transmit …
//! ```
//!
//! **No clock and no socket inside: the caller's deadline bounds the time, the crate bounds octets, answers and rounds.**
//!
//! ```
//! use tunnel::{Handshake, Output, Proxy, Target};
//!
//! let proxy: Proxy = "http://proxy.example.com:3128".parse()?;
//! let target = Target::new("pbx.example.com", 443)?;
//! let mut handshake = Handshake::new(&proxy, &target, None, [0; 32]);
//! let Output::Transmit(request) = handshake.poll_output() else { unreachable!() };
//! assert!(request.starts_with(b"CONNECT pbx.example.com:443 HTTP/1.1\r\n"));
//! handshake.handle_octets(b"HTTP/1.1 200 Here you are\r\n\r\n")?;
//! assert_eq!(handshake.poll_output(), Output::Open(Vec::new()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod proxy;
pub use proxy::{BadProxy, Login, Proxy, Scheme};

mod environment;
pub use environment::{BadVariable, Environment, Variables};

mod route;
pub use route::{Route, routes};

mod target;
pub use target::{BadTarget, Target};

mod handshake;
pub use handshake::{Handshake, Output};

mod http;
pub use http::Strength;

mod socks;

mod fault;
pub use fault::{Blame, TunnelFault};
