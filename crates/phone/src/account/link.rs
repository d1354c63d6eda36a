//! The WebSocket: opened, lost, opened again.

use std::net::SocketAddr;
use std::time::Duration;

use rand::{Rng, RngExt};
use sip::endpoint::Endpoint;
use sip::transaction::Transport;
use tunnel::Route;

use super::{Account, Goal, Link, ListenState, backoff};
use crate::agent::Context;
use crate::config::Server;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::{Event, millis};
use crate::door::id::Ticket;
use crate::door::level::Level;
use crate::door::output::{CONNECT_WITHIN, Connection, Output, Reply};
use crate::door::secret::Secret;

/// Whoever has not said by which proxy a server is reached, or has not answered over UDP, by then is silent.
const PATIENCE: Duration = CONNECT_WITHIN;
/// The same, if it has other addresses; a request that was lost three times was repeated by then (RFC 3261 §17.1.2.1).
const LITTLE_PATIENCE: Duration = Duration::from_secs(4);
/// A connection that lived this long makes past failures irrelevant (RFC 5626 §4.5).
const STABLE: Duration = Duration::from_secs(120);

/// What a piece of news means for the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowChange {
    /// Nothing.
    None,
    /// The flow is there and the registrar knows it.
    Usable,
    /// The flow is gone; `wanted` by the application.
    Lost { wanted: bool },
}

impl Account {
    /// Takes news of the WebSocket.
    pub(crate) fn handle_connection(
        &mut self,
        connection: Connection,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        match (connection, self.link) {
            (
                Connection::Up {
                    server,
                    transport,
                    local,
                },
                Link::Connecting { .. },
            ) => self.opened(server, (transport, local), ctx),
            (Connection::Found { places, valid }, Link::Finding { server }) => {
                self.found(server, places, valid, ctx)
            }
            (
                Connection::Refused { reason, code },
                Link::Finding { server } | Link::Connecting { server },
            ) => self.attempt_failed(server, &reason, code, ctx),
            (
                Connection::Down { reason } | Connection::Refused { reason, .. },
                Link::Asked { server, .. },
            ) => self.attempt_failed(server, &reason, ErrorCode::ConnectionFailed, ctx),
            (Connection::Down { reason } | Connection::Refused { reason, .. }, Link::Up { .. }) => {
                self.shun_useless(ctx.now);
                self.lost(&reason, ctx)
            }
            // News of a connection that we have given up already.
            (
                Connection::Found { .. }
                | Connection::Up { .. }
                | Connection::Down { .. }
                | Connection::Refused { .. },
                Link::Idle
                | Link::Asking { .. }
                | Link::Finding { .. }
                | Link::Connecting { .. }
                | Link::Asked { .. }
                | Link::Waiting { .. }
                | Link::Up { .. },
            ) => FlowChange::None,
        }
    }

    /// A message has come: who was asked by datagrams is there.
    pub(crate) fn heard(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        match self.link {
            Link::Asked { server, .. } => {
                self.came_up(server, ctx);
                self.take_flow(ctx)
            }
            Link::Idle
            | Link::Asking { .. }
            | Link::Finding { .. }
            | Link::Connecting { .. }
            | Link::Waiting { .. }
            | Link::Up { .. } => FlowChange::None,
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        let change = self.take_next_step(ctx);
        match self.drive_token(ctx) {
            FlowChange::None => change,
            of_refusal @ (FlowChange::Usable | FlowChange::Lost { .. }) => of_refusal,
        }
    }

    fn take_next_step(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        match self.link {
            Link::Asked { server, until } if until <= ctx.now => {
                ctx.outputs.push_back(Output::Disconnect);
                let code = ErrorCode::ConnectionFailed;
                self.attempt_failed(server, "The server does not answer", code, ctx)
            }
            Link::Asking { server, until } if until <= ctx.now => {
                let reason = format!(
                    "The httpProxy function did not answer within {} s",
                    PATIENCE.as_secs()
                );
                self.attempt_failed(server, &reason, ErrorCode::ProxyFailed, ctx)
            }
            Link::Waiting { until } if until <= ctx.now => {
                self.connect(ctx);
                FlowChange::None
            }
            Link::Finding { .. }
            | Link::Connecting { .. }
            | Link::Asked { .. }
            | Link::Asking { .. }
            | Link::Waiting { .. }
            | Link::Idle
            | Link::Up { .. } => FlowChange::None,
        }
    }

    /// Closes the WebSocket for good; calls live on.
    pub(crate) fn disconnect(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        self.token.forget_refusal();
        let change = self.close("Disconnected by the application", false, ctx);
        let error = PhoneError::new(ErrorCode::Aborted, "Disconnected");
        self.fail_waiters(&error, ctx);
        change
    }

    /// Closes the WebSocket and opens it at once.
    pub(crate) fn reconnect(&mut self, ticket: Ticket, ctx: &mut Context<'_>) -> FlowChange {
        if ctx.config.servers.is_empty() {
            ctx.reply(ticket, Ok(Reply::Done));
            return FlowChange::None;
        }
        let change = self.close("Reconnecting", true, ctx);
        self.failures = 0;
        self.round.clear();
        self.wait(ticket, Goal::Ready);
        self.connect(ctx);
        change
    }

    /// The flow answers no keep-alive any more.
    pub(crate) fn fell_silent(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        match self.link {
            Link::Up { .. } => {
                ctx.outputs.push_back(Output::Disconnect);
                self.shun_unreached(ctx.now);
                self.lost("The server does not answer keep-alives", ctx)
            }
            Link::Idle
            | Link::Asking { .. }
            | Link::Finding { .. }
            | Link::Connecting { .. }
            | Link::Asked { .. }
            | Link::Waiting { .. } => FlowChange::None,
        }
    }

    /// The registrar is not reached over this server: tries those that were not tried since it was reached last. If there is
    /// none, all of them are tried again when the next REGISTER has failed, which waits longer each time.
    pub(super) fn leave_for_another_server(
        &mut self,
        wait: Duration,
        ctx: &mut Context<'_>,
    ) -> Option<FlowChange> {
        let Link::Up { server, .. } = self.link else {
            return None;
        };
        self.shun(wait, ctx.now);
        self.places_left += 1;
        if self.has_another_place(server, ctx.now) {
            let tried = &self.without_registrar;
            let others = order(&ctx.config.servers, &mut self.rng).into_iter();
            let others = others.filter(|other| *other != server && !tried.contains(other));
            self.round = std::iter::once(server).chain(others).collect();
            ctx.outputs.push_back(Output::Disconnect);
            return Some(self.lost(
                "The registrar is not reached at this place of the server",
                ctx,
            ));
        }
        self.places_left = 0;
        self.without_registrar.push(server);
        let tried = &self.without_registrar;
        let mut others = order(&ctx.config.servers, &mut self.rng);
        others.retain(|other| !tried.contains(other));
        if others.is_empty() {
            self.without_registrar.clear();
            return None;
        }
        self.round = others.into();
        ctx.outputs.push_back(Output::Disconnect);
        Some(self.lost("The registrar is not reached over this server", ctx))
    }

    /// Leaves without a word about it: `destroy()`, or an `initialize()` that failed.
    pub(super) fn go_idle(&mut self, ctx: &mut Context<'_>) {
        self.token.forget_question();
        self.close("Not initialized", false, ctx);
        if std::mem::replace(&mut self.listening, ListenState::No) != ListenState::No {
            ctx.outputs.push_back(Output::StopListening);
        }
    }

    fn close(&mut self, reason: &str, reconnecting: bool, ctx: &mut Context<'_>) -> FlowChange {
        let was = std::mem::replace(&mut self.link, Link::Idle);
        self.round.clear();
        self.routes.clear();
        self.places.clear();
        match was {
            Link::Idle | Link::Asking { .. } | Link::Waiting { .. } => FlowChange::None,
            Link::Finding { .. } | Link::Connecting { .. } | Link::Asked { .. } => {
                ctx.outputs.push_back(Output::Disconnect);
                self.drop_doubtful_flow(true, ctx)
            }
            Link::Up { .. } => {
                ctx.outputs.push_back(Output::Disconnect);
                self.registered = false;
                ctx.agent.flow_down(ctx.now, ctx.outputs);
                ctx.emit(Event::Disconnected {
                    reconnecting,
                    reason: reason.into(),
                    retry_in: reconnecting.then_some(0),
                });
                FlowChange::Lost { wanted: true }
            }
        }
    }

    /// Tries the next server of the round, or begins another round.
    pub(super) fn connect(&mut self, ctx: &mut Context<'_>) {
        if self.round.is_empty() {
            self.round = order(&ctx.config.servers, &mut self.rng).into();
        }
        if let Some(server) = self.round.pop_front() {
            self.approach(server, ctx);
        }
    }

    /// Finds the ways to a server, which only the application may know.
    fn approach(&mut self, server: usize, ctx: &mut Context<'_>) {
        let Some(known) = ctx.config.servers.get(server) else {
            return;
        };
        if let Some(route) = ctx.config.http_proxy.route_to(server) {
            self.routes = [route].into();
            return self.take_route(server, ctx);
        }
        self.question = self.question.wrapping_add(1);
        self.link = Link::Asking {
            server,
            until: ctx.now + PATIENCE,
        };
        ctx.emit(Event::ProxyNeeded {
            question: self.question,
            url: known.shown(),
        });
    }

    /// Takes the application's answer to `ProxyNeeded`; one that comes too late says nothing.
    pub(crate) fn proxy_chosen(
        &mut self,
        question: u32,
        proxy: Option<&Secret>,
        failure: Option<String>,
        ctx: &mut Context<'_>,
    ) {
        let Link::Asking { server, .. } = self.link else {
            return;
        };
        if question != self.question {
            return;
        }
        let chosen = match (proxy, failure) {
            (_, Some(failure)) => Err(format!("The httpProxy function failed: {failure}")),
            (None, None) => Ok(vec![Route::Direct]),
            (Some(answer), None) => tunnel::routes(answer.reveal())
                .map_err(|bad| format!("The httpProxy function gave {bad}")),
        };
        match chosen {
            Ok(routes) => {
                self.routes = routes.into();
                self.take_route(server, ctx);
            }
            Err(reason) => {
                self.attempt_failed(server, &reason, ErrorCode::ProxyFailed, ctx);
            }
        }
    }

    /// Tries the next way to a server.
    fn take_route(&mut self, server: usize, ctx: &mut Context<'_>) {
        if let Some(route) = self.routes.pop_front() {
            let is_direct = route == Route::Direct;
            self.route = route;
            match ctx.config.servers.get(server) {
                // A proxy looks names up by itself.
                Some(known) if !is_direct => {
                    self.places = [known.place()].into();
                    self.take_place(server, ctx);
                }
                Some(_) | None => self.find(server, ctx),
            }
        }
    }

    fn opened(
        &mut self,
        server: usize,
        (transport, local): (Transport, Option<SocketAddr>),
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        // A socket for datagrams opens also if nobody is there: the first that comes tells.
        let is_heard = transport != Transport::Udp;
        if is_heard {
            self.came_up(server, ctx);
        } else {
            let patience = match self.places.is_empty() {
                true => PATIENCE,
                false => LITTLE_PATIENCE,
            };
            self.link = Link::Asked {
                server,
                until: ctx.now + patience,
            };
        }
        ctx.agent.flow_up(transport, local, ctx.now, ctx.outputs);
        if self.registering {
            ctx.act(Endpoint::register);
        } else if !is_heard {
            ctx.act(|endpoint, now| endpoint.check_flows(PATIENCE, now));
        }
        match is_heard {
            true => self.take_flow(ctx),
            false => FlowChange::None,
        }
    }

    fn came_up(&mut self, server: usize, ctx: &mut Context<'_>) {
        self.link = Link::Up {
            server,
            since: ctx.now,
        };
        self.round.clear();
        self.routes.clear();
        self.places.clear();
        let reconnect = std::mem::replace(&mut self.was_up, true);
        ctx.emit(Event::Connected {
            reconnect,
            server: ctx
                .config
                .servers
                .get(server)
                .map(Server::shown)
                .unwrap_or_default(),
        });
    }

    /// The flow is there; if a registration is wanted, it is of use only with that.
    fn take_flow(&mut self, ctx: &mut Context<'_>) -> FlowChange {
        if self.registering {
            return FlowChange::None;
        }
        self.became_usable(ctx);
        FlowChange::Usable
    }

    /// Gives up a flow on which nobody was heard, if there is one.
    pub(super) fn drop_doubtful_flow(&mut self, wanted: bool, ctx: &mut Context<'_>) -> FlowChange {
        if !ctx.agent.is_up() {
            return FlowChange::None;
        }
        ctx.agent.flow_down(ctx.now, ctx.outputs);
        FlowChange::Lost { wanted }
    }

    /// Registered, or connected where that is all that is wanted.
    pub(super) fn became_usable(&mut self, ctx: &mut Context<'_>) {
        ctx.agent.set_usable();
        if !std::mem::replace(&mut self.ready, true) {
            ctx.emit(Event::Ready);
        }
        self.settle(&[Goal::Ready, Goal::Registered], ctx);
    }

    pub(super) fn attempt_failed(
        &mut self,
        server: usize,
        reason: &str,
        code: ErrorCode,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        let was_tried = !matches!(self.link, Link::Asking { .. } | Link::Finding { .. });
        self.link = Link::Idle;
        let change = self.drop_doubtful_flow(false, ctx);
        let shown = ctx.config.servers.get(server).map(Server::shown);
        let details = serde_json::json!({ "server": shown, "reason": reason, "code": code });
        ctx.trace(Level::Warn, "A server could not be reached", details);
        if was_tried {
            self.shun_unreached(ctx.now);
        }
        if was_tried && self.places.is_empty() {
            // What leads nowhere is asked for again.
            self.found.remove(&server);
        }
        if !self.places.is_empty() {
            self.take_place(server, ctx);
        } else if !self.routes.is_empty() {
            self.take_route(server, ctx);
        } else if !self.round.is_empty() {
            self.connect(ctx);
        } else if !self.ready {
            let error = PhoneError::new(code, "Failed to initialize SDK");
            self.initialize_failed(error.with_cause(reason), ctx);
        } else {
            self.failures = self.failures.max(1);
            self.wait_for_next_round(reason, ctx);
        }
        change
    }

    /// `initialize()` has failed: the phone is as before it.
    pub(super) fn initialize_failed(&mut self, error: PhoneError, ctx: &mut Context<'_>) {
        self.go_idle(ctx);
        ctx.emit(Event::Error {
            error: error.clone(),
            id: None,
        });
        self.fail_waiters(&error, ctx);
    }

    pub(super) fn lost(&mut self, reason: &str, ctx: &mut Context<'_>) -> FlowChange {
        let Link::Up { since, .. } = self.link else {
            return FlowChange::None;
        };
        self.registered = false;
        ctx.agent.flow_down(ctx.now, ctx.outputs);
        if ctx.now.duration_since(since) >= STABLE {
            self.failures = 0;
        }
        self.wait_for_next_round(reason, ctx);
        FlowChange::Lost { wanted: false }
    }

    fn wait_for_next_round(&mut self, reason: &str, ctx: &mut Context<'_>) {
        let wait = backoff::wait(self.failures, &mut self.rng);
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Waiting {
            until: ctx.now + wait,
        };
        ctx.emit(Event::Disconnected {
            reconnecting: true,
            reason: reason.into(),
            retry_in: Some(millis(wait)),
        });
    }
}

/// The order in which servers are tried: by priority, within one by weighted draw (RFC 2782).
fn order(servers: &[Server], rng: &mut impl Rng) -> Vec<usize> {
    let mut left: Vec<usize> = (0..servers.len()).collect();
    left.sort_by_key(|index| servers[*index].priority);
    let mut order = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = servers[*first].priority;
        let group = left
            .iter()
            .take_while(|index| servers[**index].priority == priority)
            .count();
        let weights: Vec<u32> = left[..group]
            .iter()
            .map(|index| u32::from(servers[*index].weight))
            .collect();
        order.push(left.remove(draw(&weights, rng)));
    }
    order
}

fn draw(weights: &[u32], rng: &mut impl Rng) -> usize {
    let total: u32 = weights.iter().sum();
    if total == 0 {
        return 0;
    }
    let mut left = rng.random_range(0..total);
    for (index, weight) in weights.iter().enumerate() {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn servers(list: &[(u16, u16)]) -> Vec<Server> {
        list.iter()
            .map(|(priority, weight)| Server {
                transport: Transport::Wss,
                host: "a".into(),
                port: 443,
                resource: "/".into(),
                sought: None,
                priority: *priority,
                weight: *weight,
            })
            .collect()
    }

    #[test]
    fn the_lowest_priority_goes_first() {
        let mut rng = StdRng::from_seed([1; 32]);
        assert_eq!(
            order(&servers(&[(2, 1), (0, 1), (1, 1)]), &mut rng),
            [1, 2, 0]
        );
    }

    #[test]
    fn weights_share_the_first_place() {
        let mut rng = StdRng::from_seed([1; 32]);
        let servers = servers(&[(0, 1), (0, 3), (0, 0)]);
        let mut first = [0; 3];
        for _ in 0..1000 {
            first[order(&servers, &mut rng)[0]] += 1;
        }
        assert!((650..850).contains(&first[1]), "{first:?}");
        assert_eq!(first[2], 0);
    }
}
