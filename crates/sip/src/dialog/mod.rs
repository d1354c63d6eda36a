//! Dialogs: what two user agents remember of each other between requests (RFC 3261 §12).

mod id;
mod record;
mod routing;
mod session_uuids;

pub use id::DialogId;
pub(crate) use id::{from_tag, to_tag};
pub use record::DialogRecord;
pub use session_uuids::SessionUuids;
pub(crate) use session_uuids::draw as draw_uuid;

use crate::header::{CSeq, Contact};
use crate::message::{HeaderName, Headers, Method, Request, Response};
use crate::put::Put;
use crate::uri::Uri;
use routing::{RouteSet, record_routes};

/// How far a dialog has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogState {
    /// Made by a provisional answer.
    Early,
    /// Made, or confirmed, by a 2xx.
    Confirmed,
}

/// Who sent the request that made the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We did, and own its Call-ID.
    Caller,
    /// The other side did.
    Callee,
}

/// Where a dialog began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// With a request of ours.
    Ours {
        /// Where it went.
        target: Uri<'static>,
        /// Whether it carried `Authorization`: the answer to a 401.
        signed: bool,
    },
    /// With one of the other side.
    Theirs,
}

impl Origin {
    /// That of the dialog which this request of ours begins.
    pub(crate) fn of(request: &Request) -> Self {
        Self::Ours {
            target: request.uri().into_owned(),
            signed: request.headers().contains(HeaderName::Authorization),
        }
    }
}

/// Requests outside a dialog begin at 1, and a challenge or two adds one each.
const AFTER_SUBSCRIBE: u32 = 16;

/// One dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    id: DialogId,
    state: DialogState,
    role: Role,
    origin: Origin,
    local: String,
    remote: String,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// Their last offer met one of ours: JsSIP sends it again under the same number (RFC 3261 §12.2.2 refuses lower ones).
    may_repeat: bool,
    target: Uri<'static>,
    routes: RouteSet,
    session: Option<SessionUuids>,
    /// Our side does not want to be known (RFC 3323).
    private: bool,
}

/// A request inside the dialog that is older than one we have seen (RFC 3261 §12.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("CSeq {got} comes after {seen}")]
pub struct OldCSeq {
    /// Its number.
    pub got: u32,
    /// The highest number seen.
    pub seen: u32,
}

impl Dialog {
    /// Makes the dialog that `response` to our `request` creates; `None` if either lacks what a dialog needs.
    ///
    /// An answer without a Contact leaves the target where the request went.
    pub fn caller(request: &Request, response: &Response) -> Option<Self> {
        let headers = response.headers();
        let id = DialogId::of_answer(headers)?;
        let mut session = SessionUuids::of_request(request.headers());
        if let Some(session) = &mut session {
            session.learn(headers);
        }
        Some(Self {
            id,
            state: state_after(response),
            role: Role::Caller,
            origin: Origin::of(request),
            local: headers.get(HeaderName::From)?.to_owned(),
            remote: headers.get(HeaderName::To)?.to_owned(),
            local_cseq: request.headers().cseq().ok()?.number,
            remote_cseq: None,
            may_repeat: false,
            target: contact_of(headers).unwrap_or_else(|| request.uri().into_owned()),
            routes: RouteSet::of_caller(record_routes(headers)),
            session,
            private: wants_privacy(request.headers()),
        })
    }

    /// Makes the dialog that our answer with To tag `local_tag` to their `request` creates.
    pub fn callee(request: &Request, local_tag: &str) -> Option<Self> {
        let headers = request.headers();
        let id = DialogId::of_request_answered(headers, local_tag)?;
        Some(Self {
            id,
            state: DialogState::Early,
            role: Role::Callee,
            origin: Origin::Theirs,
            local: format!("{};tag={local_tag}", headers.get(HeaderName::To)?),
            remote: headers.get(HeaderName::From)?.to_owned(),
            local_cseq: 0,
            remote_cseq: Some(headers.cseq().ok()?.number),
            may_repeat: false,
            target: contact_of(headers)?,
            routes: RouteSet::of_callee(record_routes(headers)),
            session: None,
            private: false,
        })
    }

    /// Makes the dialog that their NOTIFY creates, the answer to our SUBSCRIBE of that origin or not (RFC 6665 §4.4.1).
    pub(crate) fn notified(notify: &Request, origin: Origin) -> Option<Self> {
        let headers = notify.headers();
        let number = headers.cseq().ok()?.number;
        Some(Self {
            id: DialogId::of_request(headers)?,
            state: DialogState::Confirmed,
            role: Role::Caller,
            origin,
            local: headers.get(HeaderName::To)?.to_owned(),
            remote: headers.get(HeaderName::From)?.to_owned(),
            // Above the SUBSCRIBE that it answers, however often that was challenged.
            local_cseq: AFTER_SUBSCRIBE,
            remote_cseq: Some(number),
            may_repeat: false,
            target: contact_of(headers)?,
            routes: RouteSet::of_callee(record_routes(headers)),
            session: None,
            private: false,
        })
    }

    /// Returns its name.
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// Returns how far it has come.
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// Returns who started it.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns where it began.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns where the other side wants to be reached.
    pub fn target(&self) -> &Uri<'static> {
        &self.target
    }

    /// Returns where a request inside the dialog goes first: its first Route, or the target (RFC 3261 §12.2.1.1, §8.1.2).
    pub fn next_hop(&self) -> Uri<'static> {
        let first = self.routes.first();
        first.unwrap_or_else(|| self.target.clone())
    }

    /// Returns what names the session from end to end, if it is a call's.
    pub fn session(&self) -> Option<SessionUuids> {
        self.session
    }

    /// Says whether our side asked for privacy.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Takes our half of the session's name; the other side's is that of their INVITE.
    pub(crate) fn name_session(&mut self, local: u128, invite: &Headers) {
        let mut session = SessionUuids::new(local);
        session.learn(invite);
        self.session = Some(session);
    }

    /// Takes the other side's half out of what it sent inside the dialog.
    pub(crate) fn learn_session(&mut self, headers: &Headers) {
        if let Some(session) = &mut self.session {
            session.learn(headers);
        }
    }

    /// Confirms an early dialog of ours by the 2xx, whose Record-Route counts from now on (RFC 3261 §13.2.2.4).
    pub fn confirm_by(&mut self, response: &Response) {
        if self.state == DialogState::Early {
            self.routes = RouteSet::of_caller(record_routes(response.headers()));
            self.state = DialogState::Confirmed;
        }
        self.refresh_target(response.headers());
    }

    /// Confirms an early dialog of theirs: our 2xx went out.
    pub fn confirm(&mut self) {
        self.state = DialogState::Confirmed;
    }

    /// Takes the Contact of a target refresh: a re-INVITE or UPDATE, or the 2xx to one (RFC 3261 §12.2).
    ///
    /// The route set stays as it is.
    pub fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = contact_of(headers) {
            self.target = target;
        }
        self.learn_session(headers);
    }

    /// Takes the CSeq of a request inside the dialog, unless it is older than one seen; gaps are fine.
    pub fn accept_cseq(&mut self, number: u32) -> Result<(), OldCSeq> {
        match self.remote_cseq {
            Some(seen) if number < seen || (number == seen && !self.may_repeat) => {
                Err(OldCSeq { got: number, seen })
            }
            Some(_) | None => {
                self.remote_cseq = Some(number);
                self.may_repeat = false;
                Ok(())
            }
        }
    }

    /// Notes that the request whose CSeq was taken last is refused by a 491, and may come again.
    pub fn met_glare(&mut self) {
        self.may_repeat = true;
    }

    /// Makes the next request inside the dialog, up to its CSeq; the caller adds Contact, body and the rest.
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.make(method, self.local_cseq)
    }

    /// Counts a request sent again with a higher CSeq, and returns that number.
    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// Makes the ACK of the 2xx to the INVITE numbered `cseq`: along the dialog's route set, not the INVITE's path.
    pub fn ack(&self, cseq: u32) -> Request {
        self.make(Method::Ack, cseq)
    }

    fn make(&self, method: Method, cseq: u32) -> Request {
        let (uri, routes) = self.routes.apply(&self.target);
        let mut request = Request::new(method.clone(), uri);
        let headers = request.headers_mut();
        for route in &routes {
            headers.put(HeaderName::Route, route);
        }
        headers.put(HeaderName::MaxForwards, "70");
        headers.put(HeaderName::From, &self.local);
        headers.put(HeaderName::To, &self.remote);
        headers.put(HeaderName::CallId, &self.id.call_id);
        headers.push_typed(&CSeq::new(cseq, method));
        if let Some(session) = self.session {
            headers.put(HeaderName::SessionId, &session.to_header());
        }
        request
    }
}

/// Says whether the sender of a request wants not to be known to its receiver (RFC 3323 §4.2).
pub(crate) fn wants_privacy(headers: &Headers) -> bool {
    let privacy = headers.get(HeaderName::Privacy);
    privacy.is_some_and(|value| !value.trim().eq_ignore_ascii_case("none"))
}

fn state_after(response: &Response) -> DialogState {
    if response.status().is_success() {
        DialogState::Confirmed
    } else {
        DialogState::Early
    }
}

fn contact_of(headers: &Headers) -> Option<Uri<'static>> {
    let contact = headers.typed::<Contact>()?.ok()?;
    Some(contact.uri()?.to_request_uri())
}
