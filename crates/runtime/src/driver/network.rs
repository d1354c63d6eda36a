//! What a phone's task sees of the network.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use phone::network::{NetworkChange, OurEnd};
use tokio::sync::watch;

use super::line::Line;
use crate::network::{NetworkWatch, Sighting};

/// The watch of the network, which all phones share, and what this one has seen of it.
pub(super) enum Network {
    /// The task does not run yet.
    Unwatched,
    Watched {
        /// Lives as long as a phone wants it.
        _watch: Arc<NetworkWatch>,
        news: watch::Receiver<Sighting>,
        seen: Sighting,
    },
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

    /// What is different now, also for the connection.
    pub(super) fn take(&mut self, line: &Line) -> NetworkChange {
        let mut change = NetworkChange {
            slept: Duration::ZERO,
            rerouted: false,
            online: true,
            our_end: OurEnd::Kept,
        };
        if let Network::Watched { news, seen, .. } = self {
            let now = news.borrow_and_update().clone();
            let difference = now.since(seen);
            change.our_end = line.our_end(&now);
            change.slept = difference.slept;
            change.rerouted = difference.rerouted || change.our_end != OurEnd::Kept;
            change.online = now.is_online();
            *seen = now;
        }
        change
    }
}
