//! Which call a Replaces means (RFC 3891 §3).

use super::Endpoint;
use super::event::UsageId;
use super::state::usage::Usage;
use crate::dialog::DialogId;
use crate::header::Replaces;

/// What a Replaces means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// No dialog, or an early one that the other side began.
    Nothing,
    /// A call that has ended.
    Ended,
    /// A call that we placed and that is not answered.
    Early(UsageId),
    /// A call that is answered.
    Confirmed(UsageId),
}

impl Endpoint {
    /// Returns the call that a Replaces means: all three parts must match.
    pub fn replaced(&self, replaces: &Replaces<'_>) -> Replaced {
        let named = DialogId {
            call_id: replaces.call_id().to_owned(),
            local_tag: replaces.local_tag().to_owned(),
            remote_tag: replaces.remote_tag().to_owned(),
        };
        // RFC 3891 §6.1: a tag of zero also means the lack of one.
        let tagless = (named.remote_tag == "0").then(|| DialogId {
            remote_tag: String::new(),
            ..named.clone()
        });
        let names = [Some(named), tagless];
        let mut names = names.iter().flatten();
        let found = names.clone().find_map(|id| self.calls.of_dialog(id));
        let Some(usage) = found else {
            return match names.any(|id| self.calls.has_ended(id)) {
                true => Replaced::Ended,
                false => Replaced::Nothing,
            };
        };
        match self.calls.get(usage) {
            Some(Usage::Calling(_)) => Replaced::Early(usage),
            Some(Usage::Established(established)) if established.bye.is_none() => {
                Replaced::Confirmed(usage)
            }
            Some(Usage::Established(_) | Usage::Lingering(_)) => Replaced::Ended,
            Some(Usage::Called(_)) | None => Replaced::Nothing,
        }
    }
}
