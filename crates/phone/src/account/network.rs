//! The machine is in another network, or has slept: what that means for the connection.

use std::time::{Duration, Instant};

use super::shunned::Shunned;
use super::{Account, FlowChange, Link, backoff};
use crate::agent::Context;
use crate::door::network::{NetworkChange, OurEnd};
use crate::door::output::Output;

/// A connection that packets may have left has so long to answer: a few round trips, and what is lost of them once.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same, if the server is reached another way now: most likely it is dead.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);
/// So often at once what failed in another network is forgotten and the next attempt made; one real move is several changes.
const MOST_HURRIED: u32 = 4;
/// After so long it may be once more. What changes more often than that is the network that fails.
const REST: Duration = Duration::from_millis(7500);

/// How often one may still hurry.
#[derive(Debug, Default)]
pub(super) struct Hurry {
    spent: u32,
    /// Since when the next one is due.
    since: Option<Instant>,
}

impl Hurry {
    /// Hurries once more, or says when that may be.
    fn once_more(&mut self, now: Instant) -> Result<(), Instant> {
        let mut since = self.since.unwrap_or(now);
        while self.spent > 0 && now >= since + REST {
            self.spent -= 1;
            since += REST;
        }
        if self.spent == 0 {
            since = now;
        }
        self.since = Some(since);
        if self.spent >= MOST_HURRIED {
            return Err(since + REST);
        }
        self.spent += 1;
        Ok(())
    }
}

impl Account {
    /// Takes note that the network is another, or that the machine slept.
    pub(crate) fn network_changed(
        &mut self,
        change: &NetworkChange,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        self.token.slept(change.slept);
        if change.rerouted || !change.slept.is_zero() {
            // Another network has another DNS, and may reach others; what counts for a time counts asleep, too.
            self.found.clear();
        }
        if change.rerouted {
            self.shunned = Shunned::default();
        }
        match (self.link, change.our_end) {
            (Link::Up { .. }, OurEnd::Gone) => {
                ctx.outputs.push_back(Output::Disconnect);
                // It is the path that broke, whatever was before.
                if self.hurry.once_more(ctx.now).is_ok() {
                    self.failures = 0;
                }
                self.lost("The network address of the connection is gone", ctx)
            }
            (Link::Up { .. }, OurEnd::Elsewhere) => {
                ctx.act(|endpoint, now| endpoint.check_flows(LITTLE_PATIENCE, now));
                FlowChange::None
            }
            (Link::Up { .. }, OurEnd::Kept) => {
                if change.rerouted {
                    ctx.act(|endpoint, now| endpoint.check_flows(PATIENCE, now));
                }
                FlowChange::None
            }
            (
                Link::Finding { .. }
                | Link::Connecting { .. }
                | Link::Asked { .. }
                | Link::Waiting { .. },
                _,
            ) if change.online && change.rerouted => {
                match (self.hurry.once_more(ctx.now), self.link) {
                    (
                        Ok(()),
                        Link::Finding { server }
                        | Link::Connecting { server }
                        | Link::Asked { server, .. },
                    ) => {
                        // It may have begun in a network that is gone, which nobody would say for ten seconds.
                        ctx.outputs.push_back(Output::Disconnect);
                        self.round.push_front(server);
                        self.routes.clear();
                        self.places.clear();
                        self.try_soon(ctx);
                        return self.drop_doubtful_flow(false, ctx);
                    }
                    (Ok(()), _) => self.try_soon(ctx),
                    (Err(later), Link::Waiting { until }) => {
                        self.link = Link::Waiting {
                            until: until.min(later),
                        };
                    }
                    // It has ten seconds in any case.
                    (Err(_), _) => {}
                }
                FlowChange::None
            }
            (
                Link::Idle
                | Link::Asking { .. }
                | Link::Finding { .. }
                | Link::Connecting { .. }
                | Link::Asked { .. }
                | Link::Waiting { .. },
                _,
            ) => FlowChange::None,
        }
    }

    /// What failed before has failed in another network. Everybody in this one has lost it at the same moment, hence the
    /// random share of the shortest wait.
    fn try_soon(&mut self, ctx: &mut Context<'_>) {
        self.failures = 0;
        let wait = backoff::wait(self.failures, &mut self.rng);
        self.link = Link::Waiting {
            until: ctx.now + wait,
        };
    }
}
