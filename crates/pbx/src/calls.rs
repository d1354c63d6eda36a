//! Which calls go through the PBX: told to tests, and asked about a party that is away.

use std::collections::BTreeMap;

use sip::message::{HeaderName, Headers, Method, Request};

use crate::event::{Call, Event};

// Calls whose end nobody saw must not pile up.
const MAX_CALLS: usize = 4096;

#[derive(Debug)]
struct Progress {
    call: Call,
    rang: bool,
    answered: bool,
}

/// The calls alive, by Call-ID.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    alive: BTreeMap<String, Progress>,
}

impl Calls {
    /// An INVITE outside a dialog was taken.
    pub(crate) fn begin(&mut self, request: &Request, to: &str) -> Option<Event> {
        let call_id = call_id(request.headers())?;
        if self.alive.contains_key(&call_id) || self.alive.len() >= MAX_CALLS {
            return None;
        }
        let from = request.headers().from().ok()?;
        let call = Call {
            call_id: call_id.clone(),
            from: from
                .uri()
                .user_unescaped()
                .map(|user| user.into_owned())
                .unwrap_or_default(),
            to: to.to_owned(),
        };
        let progress = Progress {
            call: call.clone(),
            rang: false,
            answered: false,
        };
        self.alive.insert(call_id, progress);
        Some(Event::Call(call))
    }

    /// An answer of ours or of a device goes back to a caller.
    pub(crate) fn answer(&mut self, headers: &Headers, code: u16) -> Option<Event> {
        let cseq = headers.cseq().ok()?;
        if cseq.method != Method::Invite || code <= 100 {
            return None;
        }
        let call_id = call_id(headers)?;
        let progress = self.alive.get_mut(&call_id)?;
        if code < 200 {
            let first = !std::mem::replace(&mut progress.rang, true) && !progress.answered;
            return first.then(|| Event::Ringing(progress.call.clone()));
        }
        if progress.answered {
            return None;
        }
        if code < 300 {
            progress.answered = true;
            return Some(Event::Answered(progress.call.clone()));
        }
        // A challenge is answered by the same call.
        if matches!(code, 401 | 407) {
            return None;
        }
        self.end(&call_id, Some(code))
    }

    /// A BYE goes through.
    pub(crate) fn bye(&mut self, request: &Request) -> Option<Event> {
        let call_id = call_id(request.headers())?;
        self.end(&call_id, None)
    }

    /// Whether the call of a request inside a dialog was answered and is not over.
    pub(crate) fn stands(&self, request: &Request) -> bool {
        call_id(request.headers())
            .and_then(|call_id| self.alive.get(&call_id))
            .is_some_and(|progress| progress.answered)
    }

    fn end(&mut self, call_id: &str, code: Option<u16>) -> Option<Event> {
        let Progress { call, answered, .. } = self.alive.remove(call_id)?;
        Some(Event::Ended {
            call,
            answered,
            code,
        })
    }
}

fn call_id(headers: &Headers) -> Option<String> {
    headers.get(HeaderName::CallId).map(str::to_owned)
}
