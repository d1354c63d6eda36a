//! The phone itself: one input in, outputs out.

mod aborting;
mod beside;
mod call_requests;
mod calling;
mod command;
mod conferring;
mod ending;
mod incoming;
mod notifying;
mod ringing;
mod session_commands;
mod settings;
mod sip_event;
mod subscribing;
mod transferring;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::endpoint::{Intake, RequestId, UsageId};

use crate::account::{Account, Change};
use crate::agent::Agent;
use crate::agent::Context;
use crate::config::Config;
use crate::door::audio::Ring;
use crate::door::event::millis;
use crate::door::id::{SessionId, Ticket};
use crate::door::media::MediaEvent;
use crate::door::output::{Connection, Output, Wake};
use crate::session::{Session, State, Succession};
use conferring::{Conferences, Party};
use ending::Ending;

pub(crate) use ending::Fate;

/// Nothing is due for this long at most: a driver's clock may be changed meanwhile.
const IDLE: Duration = Duration::from_secs(3600);

/// Octets of events that may wait for the application: some hundred calls or messages of the usual size.
const MOST_UNREAD: usize = 4 << 20;
const MORE_UNREAD: usize = 2 * MOST_UNREAD;

/// A softphone without I/O.
///
/// **Give one input, then drain [`poll_output`](Self::poll_output) until `Timeout` or `Closed`.**
pub struct Phone {
    config: Config,
    agent: Agent,
    account: Account,
    sessions: BTreeMap<SessionId, Session>,
    usages: BTreeMap<UsageId, SessionId>,
    /// How the latest sessions that are gone ended, oldest first.
    fates: VecDeque<(SessionId, Fate)>,
    /// Requests outside any call that are not answered, and what they are for.
    outside: BTreeMap<RequestId, beside::Outside>,
    /// What the application subscribes to, by the number that it knows.
    subscriptions: BTreeMap<u64, subscribing::Subscription>,
    subscription_count: u64,
    /// Who subscribes to what this phone tells, by the number that the application knows.
    notifiers: BTreeMap<u64, notifying::Notifier>,
    notifier_count: u64,
    /// Who asks this phone to call somebody, by the number that the application knows.
    call_requests: BTreeMap<u64, call_requests::Asked>,
    call_request_count: u64,
    /// Transfers to calls that are not answered yet.
    waiting_transfers: Vec<transferring::Waiting>,
    conferences: Conferences,
    /// Conversations that the application announced, and until when.
    expected: Vec<(String, Instant)>,
    ending: Ending,
    /// What rings now.
    ringing: Option<Ring>,
    /// Commands that are not settled.
    open: BTreeSet<Ticket>,
    outputs: VecDeque<Output>,
    rng: StdRng,
    /// The last `now`, and the time since 1970 at the first.
    now: Instant,
    epoch: (Instant, Duration),
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
        Self {
            agent: Agent::new(&config, &instance_id, branch()),
            account: Account::new(&config, branch()),
            config,
            sessions: BTreeMap::new(),
            usages: BTreeMap::new(),
            fates: VecDeque::new(),
            outside: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            subscription_count: 0,
            notifiers: BTreeMap::new(),
            notifier_count: 0,
            call_requests: BTreeMap::new(),
            call_request_count: 0,
            waiting_transfers: Vec::new(),
            conferences: Conferences::default(),
            expected: Vec::new(),
            ending: Ending::No,
            ringing: None,
            open: BTreeSet::new(),
            outputs: VecDeque::new(),
            rng,
            now,
            epoch: (now, unix_time),
        }
    }

    /// What the phone was made with, and what commands have changed since.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one input, and all that it causes.
    fn input(&mut self, now: Instant, take: impl FnOnce(&mut Self)) {
        if self.ending.is_over() {
            return;
        }
        self.now = now;
        take(self);
        self.settle();
    }

    /// Takes news of the WebSocket.
    pub fn handle_connection(&mut self, connection: Connection, now: Instant) {
        self.input(now, |phone| {
            let (account, mut ctx) = phone.account();
            let change = account.handle_connection(connection, &mut ctx);
            phone.changed(change);
        });
    }

    /// Takes note of how much of what the phone told the application has not read yet, in octets; before each message that
    /// arrives, and what media tells. Too much closes the phone's door: whoever asks for something that the application would have to be told of is
    /// asked to come later.
    pub fn handle_backlog(&mut self, unread: usize) {
        self.agent.set_intake(match unread {
            ..MOST_UNREAD => Intake::Open,
            // What belongs to a call has as much room again.
            MOST_UNREAD..MORE_UNREAD => Intake::Dialogs,
            MORE_UNREAD.. => Intake::Closed,
        });
    }

    /// Takes the payload of one WebSocket message.
    pub fn handle_signaling(&mut self, message: Bytes, now: Instant) {
        self.input(now, |phone| {
            phone.agent.handle_message(message, now, &mut phone.outputs);
        });
    }

    /// Takes the pong to our ping.
    pub fn handle_pong(&mut self, now: Instant) {
        self.input(now, |phone| {
            phone.agent.handle_pong(now, &mut phone.outputs);
        });
    }

    /// Takes news of a session's media.
    pub fn handle_media(&mut self, id: SessionId, event: MediaEvent, now: Instant) {
        self.input(now, |phone| {
            phone.with(id, |session, ctx| session.handle_media(event, ctx));
        });
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.input(now, |phone| {
            phone.agent.handle_timeout(now, &mut phone.outputs);
            let (account, mut ctx) = phone.account();
            account.handle_timeout(&mut ctx);
            phone.drive_subscriptions();
            phone.drive_notifiers();
            phone.drive_call_requests();
            phone.drive_decisions();
            let due: Vec<SessionId> = phone
                .sessions
                .values()
                .filter(|session| session.deadline(now).is_some_and(|(at, _)| at <= now))
                .map(|session| session.id)
                .collect();
            for id in due {
                phone.with(id, Session::handle_timeout);
            }
        });
    }

    /// Gives the next thing to do.
    pub fn poll_output(&mut self) -> Output {
        while let Some(output) = self.outputs.pop_front() {
            // What was given up is settled already.
            if let Output::Reply(ticket, _) = &output
                && !self.open.remove(ticket)
            {
                continue;
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
        let sip = self.agent.deadline().map(|at| (at, Wake::Sip));
        let sessions = self
            .sessions
            .values()
            .filter_map(|session| session.deadline(self.now));
        sessions
            .chain(sip)
            .chain(self.account.deadline())
            .chain(self.ending.deadline())
            .chain(self.subscription_deadline())
            .chain(self.notifier_deadline())
            .chain(self.call_request_deadline())
            .min_by_key(|(at, _)| *at)
            .unwrap_or((self.now + IDLE, Wake::Idle))
    }

    /// Takes all that the input caused, until nothing more comes of it.
    fn settle(&mut self) {
        while let Some(event) = self.agent.next_event() {
            self.take(event);
        }
        self.drive_waiting_transfers();
        self.drive_conferences();
        self.drive_ringing();
        self.drive_ending();
    }

    /// What a change of the connection means for every session.
    fn changed(&mut self, change: Change) {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        match change {
            Change::None => {}
            Change::Usable => {
                for id in ids {
                    self.with(id, Session::flow_found);
                }
                self.refresh_subscriptions();
            }
            Change::Lost { wanted } => {
                for id in ids {
                    self.with(id, |session, ctx| session.flow_lost(wanted, ctx));
                }
            }
        }
    }

    /// Lets a session act, and takes note of what became of it, and of the one it has replaced.
    fn with<R>(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let (result, taken) = self.lend(id, act)?;
        if let Some((old, taken)) = taken {
            let last = self.lend(old, Session::replaced).and_then(|(last, _)| last);
            if let Some(last) = &last {
                self.take_over(old, last, id);
            }
            self.lend(id, |session, ctx| session.inherit(taken, last, ctx));
        }
        Some(result)
    }

    fn lend<R>(
        &mut self,
        id: SessionId,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> R,
    ) -> Option<(R, Option<(SessionId, Succession)>)> {
        let mut session = self.sessions.remove(&id)?;
        let pended = session.is_pending();
        if let Some(old) = session.to_replace() {
            session.look_back(self.sessions.get(&old).and_then(Session::heritage));
        }
        let result = act(&mut session, &mut self.context());
        session.show_uuids(&mut self.context());
        let accepted = pended && session.is_live() && !session.succeeds_in_silence();
        let old = session.to_replace();
        let taken = old.zip(session.take_replaced());
        self.conferences.stir(&session);
        self.keep(session);
        if accepted {
            self.hold_others(Party::Session(id));
        }
        Some((result, taken))
    }

    /// One call, or one conference, is heard at a time, if that is wanted.
    fn hold_others(&mut self, heard: Party) {
        if !self.config.hold_others {
            return;
        }
        // Who ends with the answer of the one that is heard needs no hold, nor does its conference.
        let replaced = match heard {
            Party::Session(id) => match self.sessions.get(&id) {
                Some(session) => session.to_replace(),
                None => return,
            },
            Party::Conference(_) => None,
        };
        self.hold_other_conferences(replaced.map_or(heard, |replaced| self.party_of(replaced)));
        let others: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.place().conference().is_none())
            .map(|session| session.id)
            .filter(|id| heard != Party::Session(*id) && replaced != Some(*id))
            .collect();
        for id in others {
            let music = self.config.hold_music.clone();
            self.lend(id, |session, ctx| session.make_way(music, ctx));
        }
    }

    /// Keeps a session that is not over, and remembers how one that is has ended.
    fn keep(&mut self, session: Session) {
        let over = matches!(session.state, State::Ended);
        if let Some(usage) = session.usage {
            match over {
                true => self.usages.remove(&usage),
                false => self.usages.insert(usage, session.id),
            };
        }
        if !session.is_pending() && !session.is_live() {
            self.remember(&session);
        }
        if !over {
            self.sessions.insert(session.id, session);
        }
    }

    fn context(&mut self) -> Context<'_> {
        Context {
            unix_now: self.unix_now(),
            config: &self.config,
            agent: &mut self.agent,
            outputs: &mut self.outputs,
            now: self.now,
        }
    }

    fn account(&mut self) -> (&mut Account, Context<'_>) {
        let unix_now = self.unix_now();
        let ctx = Context {
            unix_now,
            config: &self.config,
            agent: &mut self.agent,
            outputs: &mut self.outputs,
            now: self.now,
        };
        (&mut self.account, ctx)
    }

    fn unix_now(&self) -> u64 {
        let (at, time) = self.epoch;
        millis(time + self.now.saturating_duration_since(at))
    }

    fn new_id(&mut self) -> SessionId {
        SessionId::from_random(draw(&mut self.rng))
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone")
            .field("address", &self.config.address)
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

fn draw(rng: &mut StdRng) -> u128 {
    (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64())
}
