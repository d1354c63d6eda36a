//! The STUN and TURN servers of a phone's calls: which there are, where, and which say nothing.

use std::collections::{HashMap, VecDeque, hash_map::Entry};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use media::transport::{Server, Way, WayNews};
use phone::{ServersKnown, SessionId};
use tokio::task::JoinSet;

use super::Job;
use super::calls::{Call, Calls, MediaPlace};
use crate::mdns;
use crate::media_worker::Order;
use crate::resolver::{self, IceServers};

/// What is known of them.
#[derive(Debug)]
pub(super) struct IceSupply {
    pub(super) servers: IceServers,
    pub(super) silent: SilentWays,
    pub(super) looking_up: bool,
    /// The application is asked for servers: sessions that begin wait.
    awaited: bool,
    /// Sessions that run have not got the latest servers yet.
    renewed: bool,
    /// Counts the lists of servers, so that the answer about an old one is known as such.
    pub(super) list: u32,
    /// Names that the local network is asked for, and the calls that gave them.
    pub(super) resolving: HashMap<String, Vec<SessionId>>,
    /// Counts the networks that the machine was in.
    pub(super) network: u32,
}

impl IceSupply {
    pub(super) fn new(servers: &[phone::config::IceServer]) -> IceSupply {
        IceSupply {
            servers: IceServers::new(servers),
            silent: SilentWays::default(),
            looking_up: false,
            awaited: false,
            renewed: false,
            list: 0,
            resolving: HashMap::new(),
            network: 0,
        }
    }

    /// Names and ways may mean something else in another network.
    pub(super) fn forget(&mut self) {
        self.servers.forget();
        self.silent = SilentWays::default();
        self.network += 1;
    }
}

/// Each call tries them all the same, and says so if one answers: this is only for phones that have none for long.
const SILENT: Duration = Duration::from_secs(600);
/// Eight servers from a few addresses.
const MOST_SILENT: usize = 32;

/// As many names as one call may have: each takes a socket on each of a few interfaces.
const MOST_RESOLVED: usize = 8;

/// Ways to servers on which nothing came in the last call.
#[derive(Debug, Default)]
pub(super) struct SilentWays(VecDeque<(Way, Instant)>);

impl SilentWays {
    fn note(&mut self, way: Way, news: WayNews, now: Instant) {
        self.0.retain(|(known, _)| *known != way);
        if news == WayNews::Silent {
            self.0.push_back((way, now));
        }
        if self.0.len() > MOST_SILENT {
            self.0.pop_front();
        }
    }

    /// Those for which no call waits.
    pub(super) fn doubted(&self, now: Instant) -> Vec<Way> {
        let lately = |at: &Instant| now.saturating_duration_since(*at) < SILENT;
        let silent = self.0.iter().filter(|(_, at)| lately(at));
        silent.map(|(way, _)| way.clone()).collect()
    }
}

/// The addresses of a list of ICE servers; none where the lookup itself broke.
#[derive(Debug)]
pub(crate) struct LookedUp {
    pub(super) list: u32,
    pub(super) found: Option<resolver::Found>,
}

impl Calls {
    /// Takes another list of ICE servers, for sessions to come.
    pub(crate) fn set_ice_servers(&mut self, servers: &[phone::config::IceServer]) {
        self.ice.servers = IceServers::new(servers);
        self.ice.list += 1;
    }

    /// Takes note of what is known of the servers that the application's function gives.
    pub(crate) fn know_servers(
        &mut self,
        known: ServersKnown,
        servers: &[phone::config::IceServer],
        jobs: &mut JoinSet<Job>,
    ) {
        self.ice.awaited = known == ServersKnown::Awaited;
        if known == ServersKnown::Renewed {
            self.set_ice_servers(servers);
            let is_hosted = |call: &Call| matches!(call.place, MediaPlace::Hosted(_));
            self.ice.renewed = self.calls.values().any(is_hosted);
        }
        self.host_waiting(Instant::now(), jobs);
    }

    /// Asks the local network for the address of a name that a peer gave; for all calls at once, and for a few names at a time.
    pub(crate) fn resolve(&mut self, id: SessionId, name: String, jobs: &mut JoinSet<Job>) {
        let waiting = self.ice.resolving.len();
        match self.ice.resolving.entry(name) {
            Entry::Occupied(calls) if calls.get().contains(&id) => {}
            Entry::Occupied(mut calls) => calls.get_mut().push(id),
            Entry::Vacant(_) if waiting >= MOST_RESOLVED => {}
            Entry::Vacant(free) => {
                let name = free.key().clone();
                free.insert(vec![id]);
                let addresses = self.addresses();
                jobs.spawn(async move {
                    let found = mdns::resolve(&name, &addresses).await;
                    Job::Resolved(name, found)
                });
            }
        }
    }

    /// Takes what came of it.
    pub(crate) fn resolved(&mut self, name: &str, found: Option<IpAddr>) {
        let calls = self.ice.resolving.remove(name).unwrap_or_default();
        if let Some(ip) = found {
            for id in calls {
                self.send(id, Order::Resolved(name.to_owned(), ip));
            }
        }
    }

    /// Takes note of what a call knows of a way to a server. In another network than it began in, silence says nothing.
    pub(crate) fn note_way(&mut self, id: SessionId, (way, news): (Way, WayNews), now: Instant) {
        let call = self.calls.get(&id);
        let is_here = call.is_some_and(|call| call.network == self.ice.network);
        if is_here || news == WayNews::Heard {
            self.ice.silent.note(way, news, now);
        }
    }

    /// Takes what a lookup of the ICE servers found, and hosts the sessions that waited for it.
    pub(crate) fn looked_up(&mut self, found: LookedUp, now: Instant, jobs: &mut JoinSet<Job>) {
        self.ice.looking_up = false;
        match found.found {
            Some(addresses) if found.list == self.ice.list => self.ice.servers.keep(addresses, now),
            Some(_) => {}
            None => {
                self.ice.renewed = false;
                self.log("iceServers: their lookup broke; calls go on without them".to_owned());
                return self.host_all(&self.waiting(), &[]);
            }
        }
        self.host_waiting(now, jobs);
    }

    fn waiting(&self) -> Vec<SessionId> {
        self.calls
            .iter()
            .filter(|(_, call)| matches!(call.place, MediaPlace::Waiting(_)))
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn host_waiting(&mut self, now: Instant, jobs: &mut JoinSet<Job>) {
        let waiting = self.waiting();
        if self.ice.awaited || waiting.is_empty() && !self.ice.renewed {
            return;
        }
        match self.ice.servers.at_hand(now) {
            Some(servers) => {
                self.renew(&servers);
                self.host_all(&waiting, &servers);
            }
            None if self.ice.looking_up => {}
            None => {
                self.ice.looking_up = true;
                jobs.spawn(looking_up(self.ice.list, self.ice.servers.lookup()));
            }
        }
    }

    /// Gives sessions that run other servers, for when they gather anew.
    fn renew(&mut self, servers: &[Server]) {
        if std::mem::take(&mut self.ice.renewed) {
            for call in self.calls.values() {
                if let MediaPlace::Hosted(handle) = &call.place {
                    handle.send(Order::Servers(servers.to_vec()));
                }
            }
        }
    }

    fn host_all(&mut self, waiting: &[SessionId], servers: &[Server]) {
        for id in waiting {
            self.host(*id, servers.to_vec());
        }
    }
}

pub(super) async fn looking_up(list: u32, lookup: impl Future<Output = resolver::Found>) -> Job {
    let found = AssertUnwindSafe(lookup).catch_unwind().await.ok();
    Job::IceServers(LookedUp { list, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(port: u16) -> Way {
        Way::Datagrams([192, 0, 2, 1].into(), ([192, 0, 2, 2], port).into())
    }

    #[test]
    fn a_way_that_was_silent_is_doubted_until_something_comes_or_it_is_long_ago() {
        let (mut silent, now) = (SilentWays::default(), Instant::now());
        silent.note(way(1), WayNews::Silent, now);
        silent.note(way(2), WayNews::Silent, now);
        silent.note(way(1), WayNews::Heard, now);
        silent.note(way(3), WayNews::Heard, now);
        assert_eq!(silent.doubted(now), [way(2)]);
        assert_eq!(silent.doubted(now + SILENT), []);
    }

    #[test]
    fn no_more_than_a_few_ways_are_kept_and_the_latest() {
        let (mut silent, now) = (SilentWays::default(), Instant::now());
        for port in 1..=1000 {
            silent.note(way(port), WayNews::Silent, now);
        }
        let doubted = silent.doubted(now);
        assert_eq!((doubted.len(), doubted.last()), (32, Some(&way(1000))));
    }
}
