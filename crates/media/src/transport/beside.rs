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

    /// Whether what comes from there may be another transport's media, whose peer's NAT has given it another address.
    pub fn may_be_anothers(&self, path: PathId, from: SocketAddr, datagram: &[u8]) -> bool {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let is_media = matches!(datagram.first(), Some(128..=191));
        is_media && !self.ice.is_validated(BaseId(path.0), from)
    }
}
