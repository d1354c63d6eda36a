//! Calls that are sent elsewhere (RFC 3261 §8.1.3.4, §21.3).

use super::event::{Alternative, Event, UsageId};
use super::standalone_requests::renumbered;
use super::state::usage::Calling;
use super::{Endpoint, Redirects};
use crate::header::Contact;
use crate::message::{HeaderName, Request, Response};

/// The most that is read of one answer.
const MOST_ALTERNATIVES: usize = 16;

impl Endpoint {
    /// The next alternative, best first over all answers, none twice, under the same Call-ID and From tag.
    pub(super) fn redirected(
        &mut self,
        usage: UsageId,
        calling: &mut Calling,
        response: &Response,
    ) -> Option<Request> {
        let Redirects::Follow(most) = self.config.redirects else {
            return None;
        };
        let redirection = &mut calling.redirection;
        if response.status().class() == 6 {
            redirection.left.clear();
        }
        redirection.left.extend(alternatives(response));
        redirection
            .left
            .sort_by_key(|next| std::cmp::Reverse(next.q));
        while redirection.tried.len() <= most as usize && !redirection.left.is_empty() {
            let target = redirection.left.remove(0).uri;
            if redirection.tried.iter().any(|tried| tried.same_as(&target)) {
                continue;
            }
            redirection.tried.push(target.clone());
            let mut again = renumbered(&calling.request, None);
            again.set_uri(target.clone());
            // RFC 5806 §5.2: who diverted the call is told where it goes next.
            again
                .headers_mut()
                .copy(HeaderName::Diversion, response.headers());
            self.signer.sign(&mut again, None);
            self.emit(Event::Redirecting {
                usage,
                target,
                response: response.clone(),
            });
            return Some(again);
        }
        None
    }
}

/// 305 would choose our proxy for us, 380 is no address (RFC 3261 §21.3.4, §21.3.5).
pub(super) fn is_redirection(response: &Response) -> bool {
    matches!(response.status().code(), 300..=304 | 306..=379 | 381..=399)
}

/// The SIP addresses that a redirection names, best first; none of any other answer.
pub fn alternatives(response: &Response) -> Vec<Alternative> {
    if !is_redirection(response) {
        return Vec::new();
    }
    let mut alternatives: Vec<Alternative> = response
        .headers()
        .list::<Contact>()
        .filter_map(Result::ok)
        .filter_map(|contact| {
            Some(Alternative {
                uri: contact.uri().filter(|uri| uri.is_sip())?.to_request_uri(),
                display_name: contact.address()?.display().map(str::to_owned),
                q: contact.q(),
            })
        })
        .take(MOST_ALTERNATIVES)
        .collect();
    alternatives.sort_by_key(|next| std::cmp::Reverse(next.q));
    alternatives
}
