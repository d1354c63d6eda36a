//! Descriptions on their way through the PBX: with the relay, each names the relay's ports.

use std::time::Instant;

use bytes::Bytes;
use sip::message::{HeaderName, Headers, Message};
use sip::transaction::FlowId;

use crate::bridge::Bridge;
use crate::pbx::Pbx;
use crate::relay::Owner;

const SDP: &str = "application/sdp";

impl Pbx {
    /// Rewrites a party's own description, before anybody else reads it.
    pub(crate) fn relay_media(&mut self, flow: FlowId, message: &mut Message, now: Instant) {
        if self.relay.is_none() || self.is_bridge(flow) {
            // What a bridge sends was rewritten when its author sent it.
            return;
        }
        let content_type = message.headers().get(HeaderName::ContentType);
        let is_sdp = content_type.is_some_and(|content_type| {
            let essence = content_type.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(SDP)
        });
        let Ok(description) = std::str::from_utf8(message.body()) else {
            return;
        };
        if !is_sdp || description.is_empty() {
            return;
        }
        let (Some(owner), Some(relay)) = (self.author(flow, message), &mut self.relay) else {
            return;
        };
        let body = Bytes::from(relay.rewrite(description, &owner, now));
        // A content type that was read can be written.
        match message {
            Message::Request(request) => {
                let _written = request.set_body(SDP, body);
            }
            Message::Response(response) => {
                if let Ok(rewritten) = response.clone().with_body(SDP, body) {
                    *response = rewritten;
                }
            }
        }
    }

    fn is_bridge(&self, flow: FlowId) -> bool {
        let is_its = |bridge: &Bridge| bridge.flows().contains(&flow);
        self.bridges.iter().any(is_its)
    }

    fn author(&self, flow: FlowId, message: &Message) -> Option<Owner> {
        let extension = self
            .attendants
            .iter()
            .find(|(_, attendant)| attendant.flow == flow)
            .map(|(user, _)| user.as_str());
        let known = extension.or_else(|| self.registrar.user_of(flow));
        let user = match known {
            Some(user) => user.to_owned(),
            None => named(message)?,
        };
        let call_id = message.headers().get(HeaderName::CallId)?.to_owned();
        Some(Owner { user, call_id })
    }
}

/// Who says it: a request's From, a response's To.
fn named(message: &Message) -> Option<String> {
    let of = |headers: &Headers| match message {
        Message::Request(_) => headers
            .from()
            .ok()?
            .uri()
            .user_unescaped()
            .map(String::from),
        Message::Response(_) => headers.to().ok()?.uri().user_unescaped().map(String::from),
    };
    of(message.headers())
}
