//! Who is said to call, for whom, and from where: the headers that servers and gateways add.

use sip::header::{
    Diversion, HistoryInfo, NameAddr, PAssertedIdentity, Privacy, RemotePartyId, SessionId,
    UserToUser,
};
use sip::message::{HeaderName, Headers};

use crate::door::caller_identity::{CallerIdentity, Diverted, Party, Visited};
use crate::door::handed_over::HandedOver;
use crate::door::text::short;
use crate::reading::user_to_user;

/// Of each list the first.
const MOST: usize = 16;

/// Whether who sent a request belongs to our trust domain (RFC 3325 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It does: the phone's own server, and the peers that are named.
    Within,
    /// It does not: what it asserts is not told as that.
    Outside,
}

/// Reads a request's headers.
pub(crate) fn read(headers: &Headers, trust: Trust) -> CallerIdentity {
    let asserted = headers.list::<PAssertedIdentity<'_>>().flatten();
    let asserted = asserted.filter(|_| trust == Trust::Within);
    let remote = headers.list::<RemotePartyId<'_>>().flatten();
    let diversion = headers.list::<Diversion<'_>>().flatten();
    let history = headers.list::<HistoryInfo<'_>>().flatten();
    let privacy = headers.typed::<Privacy<'_>>().and_then(Result::ok);
    let handed_over = headers.typed::<UserToUser<'_>>().and_then(Result::ok);
    let session_id = headers.typed::<SessionId<'_>>().and_then(Result::ok);
    CallerIdentity {
        asserted: asserted.take(MOST).map(|id| party(&id)).collect(),
        remote_party: remote.take(MOST).map(|id| party(&id)).collect(),
        privacy: match privacy {
            Some(_) => headers
                .get(HeaderName::Privacy)
                .unwrap_or_default()
                .split([';', ','])
                .take(MOST)
                .map(|value| short(value.trim()))
                .collect(),
            None => Vec::new(),
        },
        diversion: diversion
            .take(MOST)
            .map(|by| Diverted {
                by: party(&by),
                reason: by.param("reason").map(short),
            })
            .collect(),
        history: history
            .take(MOST)
            .map(|target| Visited {
                target: party(&target),
                index: target.param("index").map(short),
            })
            .collect(),
        user_to_user: handed_over.map(|data| HandedOver {
            data: data.data().to_owned(),
            encoding: short(data.encoding()),
            text: match data.encoding().eq_ignore_ascii_case("hex") {
                true => user_to_user::text_of_hex(data.data()),
                false => Some(data.data().to_owned()),
            },
        }),
        session_id: session_id.map(|id| id.local().to_ascii_lowercase()),
    }
}

fn party(address: &NameAddr<'_>) -> Party {
    Party {
        uri: address.uri().to_string(),
        display_name: address.display().filter(|name| !name.is_empty()).map(short),
    }
}
