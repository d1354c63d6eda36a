//! Where a server is, and which of its places is tried next.

use std::time::{Duration, Instant};

use rand::RngExt;
use sip::locating::{Place, in_turn};
use sip::transaction::Transport;

use super::{Account, FlowChange, Link};
use crate::agent::Context;
use crate::door::error::ErrorCode;
use crate::door::output::Output;

/// What could not be reached is tried after all others for so long.
const UNREACHED: Duration = Duration::from_secs(30);
/// More are not tried in one go: each may take seconds, and whoever answers for the DNS says how many there are.
const MOST_TRIED: usize = 16;

/// What was found of a server.
#[derive(Debug)]
pub(super) struct FoundServer {
    places: Vec<Place>,
    until: Instant,
}

impl Account {
    /// Finds out where a server is, if that is not known.
    pub(super) fn find(&mut self, server: usize, ctx: &mut Context<'_>) {
        let Some(known) = ctx.config.servers.get(server) else {
            return;
        };
        if known.sought.is_none() {
            self.places = [known.place()].into();
            return self.take_place(server, ctx);
        }
        match self.found.get(&server) {
            Some(found) if found.until > ctx.now => {
                let places = found.places.clone();
                self.take_places(server, places, ctx);
            }
            Some(_) | None => {
                self.link = Link::Finding { server };
                ctx.outputs.push_back(Output::Find { server });
            }
        }
    }

    /// The server that was sought is at one of these places.
    pub(super) fn found(
        &mut self,
        server: usize,
        places: Vec<Place>,
        valid: Duration,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        if places.is_empty() {
            let code = ErrorCode::ConnectionFailed;
            return self.attempt_failed(server, "The server is nowhere", code, ctx);
        }
        let found = FoundServer {
            places: places.clone(),
            until: ctx.now + valid,
        };
        self.found.insert(server, found);
        self.take_places(server, places, ctx);
        FlowChange::None
    }

    fn take_places(&mut self, server: usize, places: Vec<Place>, ctx: &mut Context<'_>) {
        let rng = &mut self.rng;
        let ordered = in_turn(places, |most| rng.random_range(0..=most));
        let each = ordered.into_iter().flat_map(apart).collect();
        self.places = self.shunned.last(each, ctx.now).into();
        self.places.truncate(MOST_TRIED);
        self.take_place(server, ctx);
    }

    /// Tries the next place of the server.
    pub(super) fn take_place(&mut self, server: usize, ctx: &mut Context<'_>) {
        let Some(place) = self.places.pop_front() else {
            return;
        };
        self.link = Link::Connecting { server };
        ctx.outputs.push_back(Output::Connect {
            server,
            place: place.clone(),
            route: self.route.clone(),
        });
        self.place = Some(place);
    }

    /// Nobody was reached where we tried last.
    pub(super) fn shun_unreached(&mut self, now: Instant) {
        self.shun(UNREACHED, now);
    }

    /// A connection that was opened and has been of no use: whoever takes them may have nobody behind.
    pub(super) fn shun_useless(&mut self, now: Instant) {
        let Link::Up { since, .. } = self.link else {
            return;
        };
        let was_of_use = match self.registering {
            true => self.registered,
            false => now.duration_since(since) >= UNREACHED,
        };
        if !was_of_use {
            self.shun_unreached(now);
        }
    }

    pub(super) fn shun(&mut self, wait: Duration, now: Instant) {
        if let Some(place) = &self.place {
            self.shunned.add(place, now + wait);
        }
    }

    /// Whether the server has a place that was not of no use of late. Each has one turn until the registrar is reached, however soon
    /// the first is free again.
    pub(super) fn has_another_place(&self, server: usize, now: Instant) -> bool {
        let found = self.found.get(&server);
        let places = found.into_iter().flat_map(|found| found.places.clone());
        let each: Vec<_> = places.flat_map(apart).collect();
        let is_free = |place: &Place| !self.shunned.has(place, now);
        self.places_left < each.len().min(MOST_TRIED) && each.iter().any(is_free)
    }
}

/// A stream tries all addresses of a place by itself (RFC 8305); a datagram goes to one of them.
fn apart(place: Place) -> Vec<Place> {
    if place.transport != Transport::Udp || place.addresses.is_empty() {
        return vec![place];
    }
    let each = place.addresses.iter().map(|address| Place {
        addresses: vec![*address],
        ..place.clone()
    });
    each.collect()
}
