//! What names a call from end to end, in everything that is sent for it (RFC 7989).

use super::Endpoint;
use super::event::UsageId;
use super::state::usage::Usage;
use crate::dialog::{Dialog, DialogId, SessionUuids, draw_uuid};
use crate::message::{HeaderName, Request, Response};
use crate::put::Put;

impl Endpoint {
    /// Returns what names a call's session from end to end (RFC 7989).
    pub fn session(&self, usage: UsageId) -> Option<SessionUuids> {
        match (self.dialog(usage), self.calls.get(usage)?) {
            (Some(dialog), _) => dialog.session(),
            (None, Usage::Calling(calling)) => SessionUuids::of_request(calling.request.headers()),
            (None, Usage::Called(_) | Usage::Established(_) | Usage::Lingering(_)) => None,
        }
    }

    /// Lets a call that somebody places, and that is not answered in any way yet, belong to a session that has a name.
    pub fn keep_session(&mut self, usage: UsageId, local: u128) {
        if let Some(called) = self.calls.called_mut(usage) {
            called.dialog.name_session(local, called.request.headers());
        }
    }

    fn dialog_named(&self, id: &DialogId) -> Option<&Dialog> {
        match self.calls.get(self.calls.of_dialog(id)?)? {
            Usage::Calling(calling) => {
                let mut early = calling.early.iter().map(|early| &early.dialog);
                early.find(|early| early.id() == id)
            }
            Usage::Called(called) => Some(&called.dialog),
            Usage::Established(established) => Some(&established.dialog),
            Usage::Lingering(lingering) => Some(&lingering.dialog),
        }
    }

    /// Gives a call's INVITE our half of the session's name, unless the application wrote one (RFC 7989 §6).
    pub(super) fn name_session(&mut self, invite: &mut Request, local: Option<u128>) {
        if SessionUuids::of_request(invite.headers()).is_none() {
            let session = SessionUuids::new(local.unwrap_or_else(|| draw_uuid(self.draws.rng())));
            let headers = invite.headers_mut();
            headers.put_instead(HeaderName::SessionId, &session.to_header());
        }
    }

    /// Every answer in a call carries the session's name (RFC 7989 §6).
    pub(super) fn name_answer(&self, request: &Request, tag: &str, response: &mut Response) {
        let asked = request.headers();
        let id = DialogId::of_request(asked).or_else(|| DialogId::of_request_answered(asked, tag));
        let session = id.and_then(|id| self.dialog_named(&id)?.session());
        let headers = response.headers_mut();
        if let Some(session) = session
            && headers.get(HeaderName::SessionId).is_none()
        {
            headers.put(HeaderName::SessionId, &session.to_header());
        }
    }
}
