//! How each state of a call is reached.

use std::time::Duration;

use phone::SessionId;
use serde_json::{Value, json};

use super::cells::State;
use super::world::{ALICE, BOB, CAROL, Manners, World};

/// How long whoever is called thinks about it.
const SOON: Duration = Duration::from_millis(300);
const LATER: Duration = Duration::from_secs(3);

impl World {
    /// Brings Alice into a state, and a little further, so that what happens then happens at another moment in each round.
    pub(super) fn reach(&mut self, state: State, round: u64) {
        match state {
            State::Dialling => {
                self.manners(BOB, Manners::Answers(LATER));
                self.call(ALICE, "bob");
            }
            State::RingingOut => {
                self.manners(BOB, Manners::Answers(LATER));
                self.call(ALICE, "bob");
                self.until("ringing", |world| world.rigs[ALICE].count("progress") > 0);
            }
            State::EarlyMedia => {
                self.manners(BOB, Manners::Sounds(LATER));
                self.call(ALICE, "bob");
                let connected = |world: &Self| {
                    let told = world.rigs[ALICE].changes("connectionState");
                    told.contains(&json!("connected"))
                };
                self.until("early media", connected);
            }
            State::RingingIn => {
                self.manners(ALICE, Manners::Answers(LATER));
                self.call(BOB, "alice");
                self.until("a call", |world| {
                    world.rigs[ALICE].count("pendingSession") > 0
                });
            }
            State::Answering => {
                self.manners(ALICE, Manners::Rings);
                self.call(BOB, "alice");
                self.until("a call", |world| {
                    world.rigs[ALICE].count("pendingSession") > 0
                });
                let id = self.rigs[ALICE].id_of("pendingSession");
                self.command(ALICE, json!({ "type": "accept", "id": id }));
            }
            State::Calling => self.talk(ALICE, BOB),
            State::Called => self.talk(BOB, ALICE),
            State::Holding => {
                self.talk(ALICE, BOB);
                self.hold(ALICE);
            }
            State::OnHold => {
                self.talk(ALICE, BOB);
                self.hold(ALICE);
                self.advance(SOON);
            }
            State::Held => {
                self.talk(ALICE, BOB);
                self.hold(BOB);
                self.advance(SOON);
            }
            State::Transferring => {
                self.talk(BOB, ALICE);
                self.manners(CAROL, Manners::Answers(SOON));
                let id = self.session_of(ALICE);
                self.transfer(ALICE, id);
            }
            State::Transferred => {
                self.talk(BOB, ALICE);
                self.manners(CAROL, Manners::Answers(LATER));
                let id = self.session_of(BOB);
                self.transfer(BOB, id);
                self.until("the transfer", |world| {
                    world.rigs[ALICE].count("sessionStarted") > 1
                });
            }
            State::Conference => {
                self.talk(ALICE, BOB);
                let bobs = self.session_of(ALICE);
                self.talk(ALICE, CAROL);
                let carols = self.session_of(ALICE);
                self.command(
                    ALICE,
                    json!({ "type": "confer", "sessions": [bobs, carols] }),
                );
                self.advance(SOON);
            }
            State::Ending => {
                self.talk(ALICE, BOB);
                let id = self.session_of(ALICE);
                self.command(ALICE, json!({ "type": "end", "id": id }));
            }
        }
        self.advance(Duration::from_millis(round * 17));
    }

    pub(super) fn call(&mut self, who: usize, target: &str) {
        self.command(who, json!({ "type": "call", "target": target }));
    }

    /// The session that this phone has heard of last.
    pub(super) fn session_of(&self, who: usize) -> SessionId {
        self.rigs[who].id_of("sessionStarted")
    }

    /// A call that both parties are in.
    fn talk(&mut self, from: usize, to: usize) {
        self.manners(to, Manners::Answers(SOON));
        let before = |world: &Self, who: usize| active(&world.rigs[who].changes("state"));
        let (callers, callees) = (before(self, from), before(self, to));
        self.call(from, ["alice", "bob", "carol"][to]);
        self.until("an answer", |world| {
            before(world, from) > callers && before(world, to) > callees
        });
        self.advance(2 * SOON);
    }

    fn hold(&mut self, who: usize) {
        let id = self.session_of(who);
        self.command(who, json!({ "type": "hold", "id": id, "held": true }));
    }

    fn transfer(&mut self, who: usize, id: SessionId) {
        self.command(
            who,
            json!({ "type": "transfer", "id": id, "target": "carol" }),
        );
    }
}

fn active(states: &[Value]) -> usize {
    states.iter().filter(|state| **state == "active").count()
}
