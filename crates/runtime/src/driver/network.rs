//! What a phone's task sees of the network.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use phone::network::{NetworkChange, OurEnd};
use tokio::sync::watch;

use crate::network::{NetworkWatch, Sighting, source_towards};

/// The watch of the network, which all phones share, and what this one has seen of it.
pub(super) enum Network {
    /// The task does not run yet.
    Unwatched,
    Watched {
        /// Lives as long as a phone wants it.
        _watch: Arc<NetworkWatch>,
        news: watch::Receiver<Sighting>,
        seen: Sighting,
        towards: Option<Towards>,
    },
}

/// The way to the server, when somebody looked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Towards {
    /// Our end of the last connection.
    local: IpAddr,
    server: IpAddr,
    /// From where the system would send there.
    source: Option<IpAddr>,
}

impl Towards {
    /// A connection that is open, and nothing is known of beyond that.
    fn of((local, server): (SocketAddr, SocketAddr)) -> Towards {
        let (local, server) = (local.ip().to_canonical(), server.ip().to_canonical());
        Towards {
            local,
            server,
            source: Some(local),
        }
    }

    fn is_of(&self, other: &Towards) -> bool {
        (self.local, self.server) == (other.local, other.server)
    }
}

impl Network {
    /// Looks from now on; on an I/O thread.
    pub(super) fn watched() -> Network {
        let watch = NetworkWatch::shared();
        let mut news = watch.subscribe();
        let seen = news.borrow_and_update().clone();
        Network::Watched {
            _watch: watch,
            news,
            seen,
            towards: None,
        }
    }

    /// Waits until it is not what it was; cancel-safe.
    pub(super) async fn changed(&mut self) {
        if let Network::Watched { news, .. } = self
            && news.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }

    /// What is different now, also for the connection with these ends, and whether the way out is another one.
    pub(super) fn take(&mut self, ends: Option<(SocketAddr, SocketAddr)>) -> (NetworkChange, bool) {
        let Network::Watched {
            news,
            seen,
            towards,
            ..
        } = self
        else {
            return (
                look(&Sighting::default(), &Sighting::default(), None, None),
                false,
            );
        };
        let now = news.borrow_and_update().clone();
        let open = ends.map(Towards::of);
        let before = match (open, *towards) {
            (Some(open), Some(known)) if !known.is_of(&open) => Some(open),
            (open, known) => known.or(open),
        };
        let way = before.map(|before| Towards {
            source: source_towards(before.server),
            ..before
        });
        let ways = before.zip(way);
        let change = look(&now, seen, ways, open);
        *towards = way;
        let rerouted = now.since(seen).rerouted;
        *seen = now;
        (change, rerouted)
    }
}

/// What has become of the network and, from the first to the second way to the server, of the connection, if one is open.
fn look(
    now: &Sighting,
    seen: &Sighting,
    ways: Option<(Towards, Towards)>,
    open: Option<Towards>,
) -> NetworkChange {
    let difference = now.since(seen);
    let is_other = ways.is_some_and(|(before, way)| before.source != way.source);
    // Addresses of no use to the server come and go, as those of containers do.
    let leads_there = ways.is_some_and(|(_, way)| way.source.is_some());
    let our_end = match (open, ways) {
        (Some(open), _) if !now.has(open.local) => OurEnd::Gone,
        (Some(open), Some((_, way)))
            if is_other && way.source.is_some_and(|ip| ip != open.local) =>
        {
            OurEnd::Elsewhere
        }
        (Some(_) | None, _) => OurEnd::Kept,
    };
    NetworkChange {
        slept: difference.slept,
        rerouted: is_other
            || difference.rested
            || difference.rerouted && !leads_there
            || now.is_online() && !seen.is_online()
            || our_end != OurEnd::Kept,
        online: now.is_online(),
        our_end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn way(source: Option<&str>) -> Towards {
        Towards {
            local: ip("10.0.0.1"),
            server: ip("10.9.0.1"),
            source: source.map(ip),
        }
    }

    fn seen(addresses: &[&str], out: Option<&str>) -> Sighting {
        Sighting::of(addresses.iter().map(|text| ip(text)), out.map(ip))
    }

    const HERE: Option<&str> = Some("10.0.0.1");
    const THERE: Option<&str> = Some("10.1.0.1");

    #[test]
    fn addresses_that_the_server_is_not_reached_from_are_no_other_way() {
        let (before, now) = (
            seen(&["10.0.0.1"], HERE),
            seen(&["10.0.0.1", "172.17.0.1"], Some("172.17.0.1")),
        );
        let open = Some(way(HERE));
        let change = look(&now, &before, Some((way(HERE), way(HERE))), open);
        assert!(!change.rerouted, "the way to the server is what it was");
        assert_eq!(change.our_end, OurEnd::Kept);
        // It has been elsewhere for long: that was told when it came to be.
        let change = look(&now, &before, Some((way(THERE), way(THERE))), open);
        assert!(!change.rerouted);
        assert_eq!(change.our_end, OurEnd::Kept);
    }

    #[test]
    fn another_way_to_the_server_is_one_if_it_is_connected_or_not() {
        let (before, now) = (
            seen(&["10.0.0.1"], HERE),
            seen(&["10.0.0.1", "10.1.0.1"], THERE),
        );
        let ways = Some((way(HERE), way(THERE)));
        let change = look(&now, &before, ways, Some(way(HERE)));
        assert!(change.rerouted);
        assert_eq!(change.our_end, OurEnd::Elsewhere);
        let change = look(&now, &before, ways, None);
        assert!(change.rerouted);
        assert_eq!(change.our_end, OurEnd::Kept);
        let gone = look(&seen(&["10.1.0.1"], THERE), &before, ways, Some(way(HERE)));
        assert!(gone.rerouted);
        assert_eq!(gone.our_end, OurEnd::Gone);
    }

    #[test]
    fn a_network_where_there_was_none_is_another_way() {
        let none = seen(&[], None);
        let lost = Some((way(None), way(None)));
        assert!(look(&seen(&["10.2.0.1"], None), &none, lost, None).rerouted);
        let (before, now) = (
            seen(&["10.2.0.1"], None),
            seen(&["10.2.0.1"], Some("10.2.0.1")),
        );
        assert!(
            look(&now, &before, lost, None).rerouted,
            "its name may mean another server"
        );
        assert!(look(&now, &before, None, None).rerouted);
        assert!(!look(&before, &before, lost, None).rerouted);
    }
}
