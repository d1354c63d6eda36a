//! Sending a caller elsewhere: 302, which says who diverted the call (RFC 5806, RFC 7044).

use sip::endpoint::Reply;
use sip::header::NameAddr;
use sip::message::StatusCode;
use sip::uri::Uri;

use super::{Context, Session};
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::error::SipStatus;

impl Session {
    /// Answers with this 3xx.
    pub(crate) fn redirect(
        &mut self,
        code: u16,
        target: Uri<'static>,
        why: &str,
        ctx: &mut Context<'_>,
    ) {
        let mut reply = Reply::redirect(code, target);
        reply.headers = self.diverted(why, ctx);
        let text = StatusCode::new(code).map_or("", StatusCode::default_reason);
        let reason = EndReason {
            sip: Some(SipStatus {
                code,
                reason: text.to_owned(),
            }),
            ..EndReason::new(Condition::Decline, Side::Local, text)
        };
        self.refuse_with(reply, reason, ctx);
    }

    /// RFC 5806 §4: the last diversion on top. RFC 7044 §7.3: where the call has been goes back to who asked for it.
    fn diverted(&self, why: &str, ctx: &Context<'_>) -> Vec<(String, String)> {
        let name = ctx.config.display_name.as_deref().unwrap_or_default();
        let own: Option<Uri<'static>> = ctx.config.address.to_string().parse().ok();
        let ours = own.map(|uri| NameAddr::new(uri).with_display(name).to_string());
        let ours = ours.map(|by| ("Diversion".into(), format!("{by};reason={why};counter=1")));
        let asked = self.all_of("Supported").any(|tags| {
            tags.split(',')
                .any(|tag| tag.trim().eq_ignore_ascii_case("histinfo"))
        });
        let earlier = self.all_of("Diversion").map(|value| ("Diversion", value));
        let history = self.all_of("History-Info").filter(|_| asked);
        let history = history.map(|value| ("History-Info", value));
        let received = earlier.chain(history);
        let received = received.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ours.into_iter().chain(received).collect()
    }

    fn all_of(&self, wanted: &str) -> impl Iterator<Item = &str> {
        self.facts
            .headers
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    }
}
