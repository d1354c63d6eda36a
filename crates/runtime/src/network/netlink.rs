//! What Linux says of its interfaces, addresses and routes, as `ip monitor` hears it.

use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, socket,
};
use tokio::net::UdpSocket;

/// More than the system writes at once; what does not fit is cut off, and nobody reads it anyway.
const MESSAGES: usize = 8 * 1024;
/// Read in one go, so that a flood of them is one change.
const MOST_READ: usize = 64;

/// A netlink socket that hears of changes. Datagrams are read from it as from any other socket, and nothing else is done
/// with it: tokio takes no other kind of descriptor without unsafe code.
pub(super) struct Notices(UdpSocket);

impl Notices {
    /// Begins to listen; nothing where that is forbidden, as in some sandboxes.
    pub(super) fn open() -> Option<Notices> {
        let failed = |error: &io::Error| tracing::debug!(%error, "netlink can't be heard");
        listen().inspect_err(failed).ok().map(Notices)
    }

    /// Waits until something has changed; cancel-safe.
    pub(super) async fn changed(&mut self) -> io::Result<()> {
        let mut messages = [0; MESSAGES];
        told(self.0.recv(&mut messages).await)?;
        for _ in 0..MOST_READ {
            match self.0.try_recv(&mut messages) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                read => told(read)?,
            }
        }
        Ok(())
    }
}

/// Where more was said than we have read, there is a change in any case.
fn told(read: io::Result<usize>) -> io::Result<()> {
    match read {
        Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(()),
        read => read.map(drop),
    }
}

fn listen() -> io::Result<UdpSocket> {
    let groups = libc::RTMGRP_LINK
        | libc::RTMGRP_IPV4_IFADDR
        | libc::RTMGRP_IPV6_IFADDR
        | libc::RTMGRP_IPV4_ROUTE
        | libc::RTMGRP_IPV6_ROUTE;
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::NetlinkRoute,
    )?;
    let everybody = NetlinkAddr::new(0, groups.cast_unsigned());
    bind(netlink.as_raw_fd(), &everybody)?;
    UdpSocket::from_std(netlink.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn netlink_is_heard_without_privileges_and_waits_in_silence() {
        let mut notices = Notices::open().expect("a netlink socket");
        let silence = std::time::Duration::from_millis(1);
        // Whatever else changes on this machine meanwhile is a change like any other.
        if let Ok(told) = tokio::time::timeout(silence, notices.changed()).await {
            told.expect("it can be read");
        }
    }
}
