//! What a session or the account may touch beside itself.

use std::collections::VecDeque;
use std::time::Instant;

use sip::endpoint::{Body, CommandError, Endpoint, Reply, RequestId, ServerRequestId, UsageId};
use sip::header::Reason;
use sip::message::Method;

use crate::agent::{Agent, Gathering, IceSource, Named, SeenStreams};
use crate::config::Config;
use crate::door::event::Event;
use crate::door::id::{SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::{Keying, KeyingWish, MediaCommand, StreamCommand};
use crate::door::output::Output;

/// One input's surroundings: built for it, gone after it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) agent: &'a mut Agent,
    pub(crate) seen: &'a mut SeenStreams,
    pub(crate) ice: &'a mut IceSource,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    pub(crate) now: Instant,
    /// Milliseconds since 1970.
    pub(crate) unix_now: u64,
}

/// A request was not sent, because of a caller's mistake or the lack of a flow.
pub(crate) type NotSent = CommandError;

impl Context<'_> {
    pub(crate) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn media(&mut self, id: SessionId, command: impl Into<MediaCommand>) {
        let command = command.into();
        match &command {
            MediaCommand::Stream(StreamCommand::Offer | StreamCommand::Answer { .. }) => {
                self.want_ice_servers(id, Gathering::First);
            }
            MediaCommand::Stream(StreamCommand::Reoffer { restart_ice, .. }) if *restart_ice => {
                self.want_ice_servers(id, Gathering::Later);
            }
            MediaCommand::Stream(_)
            | MediaCommand::Sound(_)
            | MediaCommand::Video(_)
            | MediaCommand::Close => {}
        }
        self.outputs.push_back(Output::Media(id, command));
    }

    /// What media may be protected by over the connection as it is: keys of descriptions are for nobody who reads along.
    pub(crate) fn keyings(&self, wished: &[KeyingWish], usage: Option<UsageId>) -> Vec<Keying> {
        let secure = self.agent.is_hidden(usage);
        let allowed = wished.iter().filter_map(|wish| match wish {
            KeyingWish::Dtls => Some(Keying::Dtls),
            KeyingWish::Sdes => secure.then_some(Keying::Sdes),
            KeyingWish::SdesUnprotected => Some(Keying::Sdes),
            KeyingWish::Rtp => Some(Keying::Rtp),
        });
        let mut keyings: Vec<Keying> = Vec::new();
        for keying in allowed {
            if !keyings.contains(&keying) {
                keyings.push(keying);
            }
        }
        keyings
    }

    /// Asks for STUN and TURN servers, if a function gives them and what it gave is too old.
    pub(crate) fn want_ice_servers(&mut self, id: SessionId, gathering: Gathering) {
        self.ice
            .want((id, gathering), self.config, self.now, self.outputs);
    }

    pub(crate) fn reply(
        &mut self,
        ticket: Ticket,
        result: Result<crate::door::output::Reply, crate::door::error::PhoneError>,
    ) {
        self.outputs.push_back(Output::Reply(ticket, result));
    }

    pub(crate) fn trace(&mut self, level: Level, message: &str, details: serde_json::Value) {
        if level >= self.config.log_level {
            self.emit(Event::Trace {
                level,
                message: message.into(),
                details,
            });
        }
    }

    /// Lets the endpoint do something now that has given this name, and takes what comes of it.
    pub(crate) fn act_for<R>(
        &mut self,
        named: &impl Named,
        act: impl FnOnce(&mut Endpoint, Instant) -> R,
    ) -> R {
        let now = self.now;
        self.agent
            .act_for(named, self.outputs, |endpoint| act(endpoint, now))
    }

    /// Lets the server's endpoint do something now, and takes what comes of it.
    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let now = self.now;
        self.agent.act(self.outputs, |endpoint| act(endpoint, now))
    }

    /// Cancels a call of ours, or an offer.
    pub(crate) fn cancel(&mut self, usage: UsageId, reason: Option<Reason<'_>>) {
        // Where nothing can be cancelled any more, the end of the call is told by itself.
        let _ = self.act_for(&usage, |endpoint, now| endpoint.cancel(usage, reason, now));
    }

    /// Answers an INVITE; where its caller is gone, that is told separately.
    pub(crate) fn respond(&mut self, usage: UsageId, reply: &Reply) -> Result<(), NotSent> {
        self.act_for(&usage, |endpoint, now| endpoint.respond(usage, reply, now))
    }

    /// Sends a request inside a call.
    pub(crate) fn request(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
    ) -> Result<RequestId, NotSent> {
        let sent = self.act_for(&usage, |endpoint, now| {
            endpoint.request(usage, method, headers, body, now)
        });
        if let Ok(id) = sent {
            self.agent.remember_requester(id, usage);
        }
        sent
    }

    /// Answers a request that is no INVITE of a new call.
    pub(crate) fn answer(&mut self, request: ServerRequestId, reply: &Reply) {
        // Where nobody waits for it any more, `RequestGone` has said so.
        let _ = self.act_for(&request, |endpoint, now| {
            endpoint.answer(request, reply, now)
        });
    }
}
