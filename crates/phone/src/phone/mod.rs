//! The phone itself: one input in, outputs out.

mod aborting;
mod admission;
mod announced;
mod call_requests;
mod calling;
mod command;
mod conferring;
mod counting;
mod draining;
mod ending;
mod forwarding;
mod ice_servers;
mod incoming;
mod messaging;
mod notifiers;
mod orphans;
mod recordings;
mod ringing;
mod session_commands;
mod sessions;
mod settings;
mod sip_event;
mod subscriptions;
mod timetable;
mod transferring;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::endpoint::Intake;

use crate::account::{Account, FlowChange};
use crate::agent::{Agent, Context, Surroundings, TrunkNews};
use crate::config::Config;
use crate::door::audio::Ring;
use crate::door::event::millis;
use crate::door::id::{SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::MediaEvent;
use crate::door::neighbour::{Neighbour, NeighbourNews, TrunkId};
use crate::door::network::NetworkChange;
use crate::door::output::{Connection, Output, Wake};
use crate::session::{Session, Succession};
use announced::Announced;
use call_requests::CallRequests;
use conferring::{Conferences, Heard};
use counting::Counting;
use draining::Draining;
use ending::Ending;
use messaging::StandaloneRequests;
use notifiers::Notifiers;
use orphans::Orphans;
use recordings::Recordings;
use sessions::Sessions;
use subscriptions::Subscriptions;
use transferring::Transfers;

/// Nothing is due for this long at most: a driver's clock may be changed meanwhile.
const IDLE: Duration = Duration::from_secs(3600);

/// Octets of events that may wait for the application: some hundred calls or messages of the usual size.
const MOST_UNREAD: usize = 4 << 20;
const MORE_UNREAD: usize = 2 * MOST_UNREAD;

/// A softphone without I/O.
///
/// **Give one input, then drain [`poll_output`](Self::poll_output) until `Timeout` or `Closed`.**
pub struct Phone {
    around: Surroundings,
    account: Account,
    sessions: Sessions,
    standalone_requests: StandaloneRequests,
    subscriptions: Subscriptions,
    notifiers: Notifiers,
    call_requests: CallRequests,
    transfers: Transfers,
    conferences: Conferences,
    recordings: Recordings,
    orphans: Orphans,
    announced: Announced,
    draining: Draining,
    counting: Counting,
    ending: Ending,
    /// What rings now.
    ringing: Option<Ring>,
    /// Commands that are not settled.
    open: BTreeSet<Ticket>,
    rng: StdRng,
}

impl Phone {
    /// Makes a phone that waits for `Initialize`. `unix_time` is the time since 1970 at `now`.
    pub fn new(config: Config, seed: [u8; 32], now: Instant, unix_time: Duration) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let instance_id = match &config.instance_id {
            Some(id) => id.clone(),
            None => SessionId::from_random(draw(&mut rng)).to_string(),
        };
        let mut branch = || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            seed
        };
        let agent = Agent::new(&config, &instance_id, branch());
        let account = Account::new(&config, branch());
        Self {
            around: Surroundings::new(config, agent, now, unix_time),
            account,
            sessions: Sessions::default(),
            standalone_requests: StandaloneRequests::default(),
            subscriptions: Subscriptions::default(),
            notifiers: Notifiers::default(),
            call_requests: CallRequests::default(),
            transfers: Transfers::default(),
            conferences: Conferences::default(),
            recordings: Recordings::default(),
            orphans: Orphans::default(),
            announced: Announced::default(),
            draining: Draining::default(),
            counting: Counting::default(),
            ending: Ending::No,
            ringing: None,
            open: BTreeSet::new(),
            rng,
        }
    }

    /// What the phone was made with, and what commands have changed since.
    pub fn config(&self) -> &Config {
        &self.around.config
    }

    /// Takes one input, and all that it causes.
    fn input(&mut self, now: Instant, take: impl FnOnce(&mut Self)) {
        if self.ending.is_over() {
            return;
        }
        self.around.now = now;
        take(self);
        self.settle();
    }

    /// Takes news of the WebSocket.
    pub fn handle_connection(&mut self, connection: Connection, now: Instant) {
        self.input(now, |phone| {
            let change = phone
                .account
                .handle_connection(connection, &mut phone.around.context());
            phone.changed(change);
        });
    }

    /// Takes note of how much of what the phone told the application has not read yet, in octets; before each message that
    /// arrives, and what media tells. Too much closes the phone's door: whoever asks for something that the application would have to be told of is
    /// asked to come later.
    pub fn handle_backlog(&mut self, unread: usize) {
        self.around.agent.set_intake(match unread {
            ..MOST_UNREAD => Intake::Open,
            // What belongs to a call has as much room again.
            MOST_UNREAD..MORE_UNREAD => Intake::Dialogs,
            MORE_UNREAD.. => Intake::Closed,
        });
    }

    /// Takes the payload of one WebSocket message.
    pub fn handle_signaling(&mut self, message: Bytes, now: Instant) {
        self.input(now, |phone| {
            let change = phone.account.heard(&mut phone.around.context());
            phone.changed(change);
            phone
                .around
                .agent
                .handle_message(message, now, &mut phone.around.outputs);
        });
    }

    /// Takes whether the phone listens now, or why it can't.
    pub fn handle_listening(&mut self, outcome: Result<(), String>, now: Instant) {
        self.input(now, |phone| {
            let mut ctx = phone.around.context();
            let change = phone.account.handle_listening(outcome, &mut ctx);
            phone.changed(change);
        });
    }

    /// Takes what somebody does who has come without a server.
    pub fn handle_neighbour(&mut self, neighbour: Neighbour, news: NeighbourNews, now: Instant) {
        self.input(now, |phone| {
            let around = &mut phone.around;
            let may_call = |from| around.config.may_call(from);
            let agent = &mut around.agent;
            agent.handle_neighbour(neighbour, news, may_call, now, &mut around.outputs);
        });
    }

    /// Takes note that a connection which `Reach` asked for could not be opened.
    pub fn handle_unreached(&mut self, trunk: TrunkId, now: Instant) {
        self.input(now, |phone| phone.around.agent.handle_unreached(trunk, now));
    }

    /// Takes the pong to our ping.
    pub fn handle_pong(&mut self, now: Instant) {
        self.input(now, |phone| {
            phone
                .around
                .agent
                .handle_pong(now, &mut phone.around.outputs);
        });
    }

    /// Takes news of a session's media.
    pub fn handle_media(&mut self, id: SessionId, event: MediaEvent, now: Instant) {
        self.input(now, |phone| {
            phone.act_on(id, |session, ctx| session.handle_media(event, ctx));
        });
    }

    /// Takes note that the machine's network is another, or that the machine slept.
    pub fn handle_network(&mut self, change: NetworkChange, now: Instant) {
        self.input(now, |phone| {
            phone.around.slept(change.slept);
            let mut ctx = phone.around.context();
            let details = serde_json::json!({
                "online": change.online,
                "rerouted": change.rerouted,
                "slept": millis(change.slept),
            });
            let level = match change.rerouted {
                true => Level::Info,
                false => Level::Debug,
            };
            ctx.trace(level, "The network has changed", details);
            let flow = phone.account.network_changed(&change, &mut ctx);
            phone.changed(flow);
            if change.rerouted {
                phone.each(Session::network_changed);
            }
            let around = &mut phone.around;
            around.agent.slept(change.slept, now, &mut around.outputs);
        });
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.input(now, |phone| {
            phone
                .around
                .agent
                .handle_timeout(now, &mut phone.around.outputs);
            let change = phone.account.handle_timeout(&mut phone.around.context());
            phone.changed(change);
            let mut ctx = phone.around.context();
            phone.subscriptions.handle_timeout(&mut ctx);
            phone.notifiers.handle_timeout(&mut ctx);
            phone.call_requests.handle_timeout(&mut ctx);
            phone.drive_decisions();
            phone.drive_ice_servers();
            for id in phone.sessions.due(now) {
                phone.act_on(id, Session::handle_timeout);
            }
        });
    }

    /// Gives the next thing to do.
    pub fn poll_output(&mut self) -> Output {
        while let Some(output) = self.around.outputs.pop_front() {
            // What was given up is settled already.
            if let Output::Reply(ticket, _) = &output
                && !self.open.remove(ticket)
            {
                continue;
            }
            if let Output::Event(event) = &output {
                self.counting.note(event, self.around.now);
            }
            return output;
        }
        if self.ending.is_over() {
            return Output::Closed;
        }
        let (at, why) = self.deadline();
        Output::Timeout(at, why)
    }

    fn deadline(&self) -> (Instant, Wake) {
        let sip = self.around.agent.deadline().map(|at| (at, Wake::Sip));
        let sessions = self.sessions.deadline(self.around.now);
        sessions
            .into_iter()
            .chain(sip)
            .chain(self.account.deadline())
            .chain(self.draining.deadline())
            .chain(self.ending.deadline())
            .chain(self.subscriptions.deadline())
            .chain(self.notifiers.deadline())
            .chain(self.call_requests.deadline())
            .chain(self.ice_servers_deadline())
            .min_by_key(|(at, _)| *at)
            .unwrap_or((self.around.now + IDLE, Wake::Idle))
    }

    /// Takes all that the input caused, until nothing more comes of it.
    fn settle(&mut self) {
        loop {
            if let Some(event) = self.around.agent.next_event() {
                self.take(event);
            } else if let Some(news) = self.around.agent.next_trunk_news() {
                self.trunk_changed(news);
            } else {
                break;
            }
        }
        self.drive_forwarding();
        self.drive_waiting_transfers();
        self.drive_conferences();
        self.drive_ringing();
        self.tell_unserved();
        self.drive_orphans();
        self.drive_draining();
        self.drive_ending();
    }

    /// The sessions of a trunk, or those that are not of any.
    fn sessions_of(&self, trunk: Option<TrunkId>) -> Vec<SessionId> {
        let of = |session: &&Session| {
            let usage = session.usage;
            usage.and_then(|usage| self.around.agent.trunk_of(&usage)) == trunk
        };
        let all = self.sessions.values().filter(of);
        all.map(|session| session.id).collect()
    }

    /// What a change of the way to a peer means for its sessions.
    fn trunk_changed(&mut self, news: TrunkNews) {
        match news {
            TrunkNews::Found(trunk) => {
                for id in self.sessions_of(Some(trunk)) {
                    self.act_on(id, Session::flow_found);
                }
            }
            TrunkNews::Lost(trunk) => {
                for id in self.sessions_of(Some(trunk)) {
                    self.act_on(id, |session, ctx| session.flow_lost(false, ctx));
                }
            }
        }
    }

    /// What a change of the connection to the server means for every session that needs it.
    fn changed(&mut self, change: FlowChange) {
        let ids = self.sessions_of(None);
        match change {
            FlowChange::None => {}
            FlowChange::Usable => {
                for id in ids {
                    self.act_on(id, Session::flow_found);
                }
                self.subscriptions.flow_found(&mut self.around.context());
            }
            FlowChange::Lost { wanted } => {
                for id in ids {
                    self.act_on(id, |session, ctx| session.flow_lost(wanted, ctx));
                }
            }
        }
    }

    /// Lets a session act, and takes note of what became of it, and of the one it has replaced.
    fn act_on<R>(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let (result, taken) = self.act_on_one(id, act)?;
        if let Some((old, taken)) = taken {
            self.expect_heir(old, id);
            let last = self
                .act_on_one(old, Session::replaced)
                .and_then(|(last, _)| last);
            if let Some(last) = &last {
                self.take_over(old, last, id);
            }
            self.act_on_one(id, |session, ctx| session.inherit(taken, last, ctx));
        }
        Some(result)
    }

    fn act_on_one<R>(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> R,
    ) -> Option<(R, Option<(SessionId, Succession)>)> {
        let mut session = self.sessions.take(id)?;
        let pended = session.is_pending();
        if let Some(old) = session.to_replace() {
            session.look_back(self.sessions.get(&old).and_then(Session::heritage));
        }
        let result = act(&mut session, &mut self.around.context());
        session.show_uuids(&mut self.around.context());
        let accepted = pended && session.is_live() && !session.succeeds_in_silence();
        let old = session.to_replace();
        let taken = old.zip(session.take_replaced());
        let over = !session.is_live();
        self.conferences.note_change(&session);
        self.sessions.keep(session, self.around.now);
        if over {
            self.end_recordings_of(id);
        }
        if accepted {
            self.hold_others(Heard::Session(id));
        }
        Some((result, taken))
    }

    /// One call, or one conference, is heard at a time, if that is wanted.
    fn hold_others(&mut self, heard: Heard) {
        if !self.around.config.hold_others {
            return;
        }
        // Who ends with the answer of the one that is heard needs no hold, nor does its conference.
        let replaced = match heard {
            Heard::Session(id) => match self.sessions.get(&id) {
                Some(session) => session.to_replace(),
                None => return,
            },
            Heard::Conference(_) => None,
        };
        self.hold_other_conferences(replaced.map_or(heard, |replaced| self.party_of(replaced)));
        let others: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.place().conference().is_none())
            .map(|session| session.id)
            .filter(|id| heard != Heard::Session(*id) && replaced != Some(*id))
            .collect();
        for id in others {
            let music = self.around.config.hold_music.clone();
            self.act_on_one(id, |session, ctx| session.make_way(music, ctx));
        }
    }

    fn new_id(&mut self) -> SessionId {
        SessionId::from_random(draw(&mut self.rng))
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone")
            .field("address", &self.around.config.address)
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

fn draw(rng: &mut StdRng) -> u128 {
    (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64())
}
