use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::http::{HttpConnect, Strength};
use crate::socks::Socks;
use crate::{Proxy, Scheme, Target, TunnelFault};

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these octets to the proxy.
    Transmit(Vec<u8>),
    /// Read from the proxy.
    Wait,
    /// Close this connection, open another to the same proxy, and say so by [`Handshake::handle_reconnected`].
    Reconnect,
    /// The tunnel is open; these octets came out of it already.
    Open(Vec<u8>),
}

/// What is said to a proxy until it has opened a tunnel.
///
/// **After each input, take outputs until there is `Wait`, `Reconnect` or `Open`.** A fault ends it.
#[derive(Debug)]
pub struct Handshake(Speech);

#[derive(Debug)]
enum Speech {
    Http(Box<HttpConnect>),
    Socks(Socks),
}

impl Handshake {
    /// Begins to ask `proxy` for a tunnel to `target`. `least` is how this proxy has asked for credentials before: a weaker way
    /// is not answered. The seed is for the client's nonces.
    pub fn new(
        proxy: &Proxy,
        target: &Target,
        least: Option<Strength>,
        seed: [u8; 32],
    ) -> Handshake {
        let login = proxy.login.clone();
        Handshake(match proxy.scheme {
            Scheme::Http | Scheme::Https => {
                let rng = StdRng::from_seed(seed);
                Speech::Http(Box::new(HttpConnect::new(target, login, least, rng)))
            }
            Scheme::Socks5 => Speech::Socks(Socks::new(target, login)),
        })
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Output {
        match &mut self.0 {
            Speech::Http(http) => http.poll_output(),
            Speech::Socks(socks) => socks.poll_output(),
        }
    }

    /// Takes what the proxy has sent, in pieces of any size.
    pub fn handle_octets(&mut self, octets: &[u8]) -> Result<(), TunnelFault> {
        match &mut self.0 {
            Speech::Http(http) => http.handle_octets(octets),
            Speech::Socks(socks) => socks.handle_octets(octets),
        }
    }

    /// The proxy has closed the connection, or it broke.
    pub fn handle_end(&mut self) -> Result<(), TunnelFault> {
        match &mut self.0 {
            Speech::Http(http) => http.handle_end(),
            Speech::Socks(_) => Err(TunnelFault::ClosedEarly),
        }
    }

    /// There is another connection to the proxy.
    pub fn handle_reconnected(&mut self) {
        match &mut self.0 {
            Speech::Http(http) => http.handle_reconnected(),
            Speech::Socks(_) => {}
        }
    }

    /// The strongest way in which the proxy has asked for credentials, `least` included: the next handshake's `least`, however
    /// this one ends.
    pub fn asked(&self) -> Option<Strength> {
        match &self.0 {
            Speech::Http(http) => http.asked(),
            Speech::Socks(_) => None,
        }
    }
}
