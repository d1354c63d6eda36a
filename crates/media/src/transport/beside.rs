//! A transport that shares its sockets with another: that of a media line outside of BUNDLE.

use std::net::SocketAddr;

use super::ice::{BaseId, Credentials};
use super::{LocalParameters, PathId, Transport};

impl Transport {
    /// Takes the credentials under which another transport has announced these sockets, before there is a peer.
    pub fn take_over(&mut self, announced: &LocalParameters) {
        let credentials = Credentials {
            ufrag: announced.ufrag.clone(),
            pwd: announced.pwd.clone(),
        };
        self.ice.announce(credentials, self.now);
    }

    /// Says whether a datagram on a socket that several transports share is this one's: a check between its credentials, an
    /// answer to one of its own, or anything else from an address that has passed one.
    pub fn expects(&self, path: PathId, from: SocketAddr, datagram: &[u8]) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        self.ice.expects(BaseId(path.0), from, datagram)
    }
}
