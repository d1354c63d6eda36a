//! A handshake that is driven by hand.

use tunnel::{Handshake, Output, Proxy, Strength, Target, TunnelFault};

pub(crate) const BASIC: &str = "Proxy-Authenticate: Basic realm=\"x\"\r\n";

pub(crate) fn target() -> Target {
    Target::new("pbx.example.com", 443).unwrap()
}

pub(crate) fn handshake(url: &str) -> Handshake {
    after(url, None)
}

/// With a proxy that has asked in this way before.
pub(crate) fn after(url: &str, least: Option<Strength>) -> Handshake {
    let proxy: Proxy = url.parse().unwrap();
    Handshake::new(&proxy, &target(), least, [7; 32])
}

/// What is sent next.
pub(crate) fn sent(handshake: &mut Handshake) -> Vec<u8> {
    let output = handshake.poll_output();
    let Output::Transmit(octets) = output else {
        panic!("{output:?}");
    };
    octets
}

/// The same as text.
pub(crate) fn asked(handshake: &mut Handshake) -> String {
    String::from_utf8(sent(handshake)).unwrap()
}

/// The value of a header of a request.
pub(crate) fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Sends the request and takes an answer to it.
pub(crate) fn answer(url: &str, answer: &[u8]) -> Result<Output, TunnelFault> {
    let mut handshake = handshake(url);
    sent(&mut handshake);
    handshake.handle_octets(answer)?;
    Ok(handshake.poll_output())
}

/// A 407 with these header lines and an empty body.
pub(crate) fn challenge(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 407 No\r\n{lines}Content-Length: 0\r\n\r\n").into_bytes()
}
