//! Calls that the PBX places: two parties and the bridge between them.

use std::time::Instant;

use phone::Ticket;
use sip::uri::Uri;

use crate::bridge::{self, Bridge, Party};
use crate::command::Originate;
use crate::output::{CommandError, Output, Reply};
use crate::pbx::{Pbx, fresh};

impl Pbx {
    pub(crate) fn originate(
        &mut self,
        ticket: Ticket,
        originate: Originate,
        now: Instant,
    ) -> Result<(), CommandError> {
        let first = self.party(&originate.to)?;
        let second = self.party(&originate.with)?;
        let mut headers = originate.headers;
        if let Some(seconds) = originate.answer_after {
            let value = format!("<sip:{}>;answer-after={seconds}", self.config.domain);
            headers.push(("Call-Info".into(), value));
        }
        if let Some(id) = originate.conversation_id {
            headers.push(("X-Conversation-Id".into(), id));
        }
        let flows = [first.flow, second.flow];
        let id = self.next_call;
        self.next_call += 1;
        match Bridge::start(
            id,
            ticket,
            first,
            second,
            originate.display_name,
            headers,
            now,
        ) {
            Ok(mut bridge) => {
                let steps = bridge.drain(now);
                self.bridges.push(bridge);
                self.take_bridge_steps(steps);
                Ok(())
            }
            Err(error) => {
                for flow in flows {
                    self.layer.handle_flow_down(flow, now);
                }
                Err(error)
            }
        }
    }

    fn party(&mut self, name: &str) -> Result<Party, CommandError> {
        let known = self.gate.knows(name)
            || self.attendants.contains_key(name)
            || self.refusing.contains_key(name)
            || !self.registrar.bindings(name).is_empty();
        let uri = Uri::sip(Some(name), &self.config.domain, None).ok();
        match uri {
            Some(uri) if known => Ok(Party {
                uri,
                flow: self.inside_flow(),
                seed: fresh(&mut self.rng),
            }),
            Some(_) | None => Err(CommandError::NoSuchParty {
                name: name.to_owned(),
            }),
        }
    }

    pub(crate) fn hang_up(&mut self, ticket: Ticket, id: u64, now: Instant) {
        let bridge = self.bridges.iter_mut().find(|bridge| bridge.id() == id);
        match bridge {
            Some(bridge) => {
                let steps = bridge.hang_up(now);
                self.take_bridge_steps(steps);
                self.done(ticket);
            }
            None => {
                let error = CommandError::NoSuchCall { id };
                self.outputs.push_back(Output::Reply(ticket, Err(error)));
            }
        }
    }

    pub(crate) fn forget_finished_bridges(&mut self, now: Instant) {
        let mut flows = Vec::new();
        self.bridges.retain(|bridge| {
            let over = bridge.is_over();
            if over {
                flows.extend(bridge.flows());
            }
            !over
        });
        for flow in flows {
            self.layer.handle_flow_down(flow, now);
            self.proxy.forget_flow(flow);
        }
    }

    pub(crate) fn take_bridge_steps(&mut self, steps: Vec<bridge::BridgeStep>) {
        for step in steps {
            match step {
                bridge::BridgeStep::Send(flow, bytes) => self.inbox.push_back((flow, bytes)),
                bridge::BridgeStep::Reply(ticket, outcome) => self
                    .outputs
                    .push_back(Output::Reply(ticket, outcome.map(|id| Reply::Call { id }))),
            }
        }
    }
}
