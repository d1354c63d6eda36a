//! Phones and a small stateless proxy and registrar between them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use sip::header::Via;
use sip::message::{HeaderName, Message, Method};

use super::{Rig, alice_with, parse, peer, start};

/// Alice (0) and Bob (1), and where asked for Carol (2), registered at the proxy between them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) rigs: Vec<Rig>,
    hops: u64,
    /// By the branch of each request, which connection of its sender it came over: answers go
    /// there and nowhere else.
    origins: BTreeMap<String, usize>,
    /// Whose connection is broken.
    away: Option<usize>,
}

const USERS: [&str; 3] = ["alice", "bob", "carol"];

impl Pair {
    pub(crate) fn new(more: Value) -> Self {
        Self::of(&USERS[..2], more)
    }

    pub(crate) fn with_carol(more: Value) -> Self {
        Self::of(&USERS, more)
    }

    fn of(users: &[&str], more: Value) -> Self {
        let now = start();
        let rigs = users
            .iter()
            .zip(1u8..)
            .map(|(user, seed)| {
                let mut options = alice_with(more.clone());
                options["uri"] = json!(format!("sip:{user}@example.com"));
                let mut rig = Rig::seeded(options, seed, now);
                rig.initialize();
                rig
            })
            .collect();
        Self {
            rigs,
            hops: 0,
            origins: BTreeMap::new(),
            away: None,
        }
    }

    /// Gives a command to one phone and carries what comes of it.
    pub(crate) fn command(&mut self, who: usize, command: Value) -> phone::Ticket {
        let ticket = self.rigs[who].command(command);
        self.carry();
        ticket
    }

    /// Lets time pass for both.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.rigs[0].now + by;
        loop {
            self.carry();
            let open = self.rigs.iter().filter(|rig| !rig.closed);
            let next = open.filter_map(|rig| rig.deadline).min();
            let at = next.filter(|at| *at < end).unwrap_or(end);
            let now = self.rigs[0].now;
            for rig in &mut self.rigs {
                rig.advance(at.max(now) - rig.now);
            }
            if at == end {
                return self.carry();
            }
        }
    }

    /// Moves messages until nobody has any.
    pub(crate) fn carry(&mut self) {
        for _ in 0..10_000 {
            if !self.carry_one() {
                return;
            }
        }
        panic!("the phones never stop talking");
    }

    /// Moves one message; false where there is none.
    pub(crate) fn carry_one(&mut self) -> bool {
        let from = self.rigs.iter().position(|rig| !rig.outbox.is_empty());
        let Some(from) = from else {
            return false;
        };
        let frame = self.rigs[from].outbox.pop_front().expect("just seen");
        if let Some((to, frame)) = self.route(from, frame) {
            self.rigs[to].receive(frame);
        }
        true
    }

    /// Breaks a phone's connection, with all that it has sent and nobody has yet.
    pub(crate) fn break_line(&mut self, who: usize) {
        self.rigs[who].outbox.clear();
        self.rigs[who].down();
        self.away = Some(who);
    }

    /// Lets a phone whose connection broke find its server again.
    pub(crate) fn mend_line(&mut self, who: usize) {
        let tried = self.rigs[who].connects.len();
        for _ in 0..3000 {
            if self.rigs[who].connects.len() > tried {
                self.away = None;
                return self.rigs[who].up();
            }
            self.advance(Duration::from_millis(10));
        }
        panic!("the phone never connects");
    }

    fn route(&mut self, from: usize, frame: Bytes) -> Option<(usize, Bytes)> {
        match parse(frame) {
            Message::Request(mut request) => {
                let uri = request.uri();
                let host = uri.host_text().to_owned();
                let user = uri.user().unwrap_or_default().to_owned();
                let known = USERS.iter().position(|known| *known == user);
                let to = self
                    .owner(&host)
                    .or(known.filter(|known| *known < self.rigs.len()));
                let Some(to) = to else {
                    let refusal = peer::answer(&request, 404, None);
                    let ack = *request.method() == Method::Ack;
                    return (!ack).then_some((from, refusal));
                };
                if self.away == Some(to) {
                    let refusal = peer::answer(&request, 480, None);
                    let ack = *request.method() == Method::Ack;
                    return (!ack).then_some((from, refusal));
                }
                self.hops += 1;
                let transaction = request.headers().via().unwrap().branch().map(str::to_owned);
                let branch = transaction.unwrap_or_default();
                let connection = self.rigs[from].connects.len();
                self.origins.insert(branch.clone(), connection);
                let via = format!("SIP/2.0/WSS proxy.example.com;branch={branch}p");
                request
                    .headers_mut()
                    .insert_front(HeaderName::Via, &via)
                    .unwrap();
                Some((to, request.to_bytes()))
            }
            Message::Response(mut response) => {
                response.headers_mut().pop_element(HeaderName::Via);
                let via = response.headers().typed::<Via<'_>>()?.ok()?;
                let to = self.owner(via.host_text())?;
                let origin = self.origins.get(via.branch()?)?;
                let arrives = *origin == self.rigs[to].connects.len();
                arrives.then(|| (to, response.to_bytes()))
            }
        }
    }

    /// Whose Contact has this host.
    fn owner(&self, host: &str) -> Option<usize> {
        self.rigs.iter().position(|rig| {
            rig.registers.iter().any(|register| {
                peer::header(register, "Contact").is_some_and(|contact| contact.contains(host))
            })
        })
    }
}
