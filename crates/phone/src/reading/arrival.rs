//! What an INVITE says that makes a new call.

use sip::endpoint::UsageId;
use sip::message::{HeaderName, Request};

use super::caller_identity::{self, Trust};
use super::{conversation_id, headers, parties, sdp};
use crate::config::Config;
use crate::door::caller_identity::CallerIdentity;
use crate::door::peer::Peer;
use crate::door::sdp::Sdp;

/// What an INVITE says.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) usage: UsageId,
    pub(crate) peer: Peer,
    /// Whom it is for: the user part of its URI, or its host if it has none.
    pub(crate) called: String,
    pub(crate) identity: CallerIdentity,
    pub(crate) call_id: String,
    pub(crate) conversation_id: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) offer: Option<Sdp>,
}

/// Reads an INVITE.
pub(crate) fn read(usage: UsageId, request: &Request, config: &Config, trust: Trust) -> Arrival {
    let headers = headers::list(request.headers());
    let call_id = request
        .headers()
        .get(HeaderName::CallId)
        .unwrap_or_default()
        .trim()
        .to_owned();
    Arrival {
        usage,
        called: called(request),
        peer: parties::caller(request.headers()),
        identity: caller_identity::read(request.headers(), trust),
        conversation_id: conversation_id::find(&headers, &config.conversation_id_headers, &call_id),
        call_id,
        headers,
        offer: sdp::of_request(request),
    }
}

fn called(request: &Request) -> String {
    let uri = request.uri();
    match uri.user_unescaped() {
        Some(user) => user.into_owned(),
        None => uri.host_text().to_owned(),
    }
}
