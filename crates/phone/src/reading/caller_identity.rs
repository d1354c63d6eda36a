//! Who is said to call, for whom, and from where: the headers that servers and gateways add.

use serde::Serialize;
use sip::header::{
    Diversion, HistoryInfo, NameAddr, PAssertedIdentity, Privacy, RemotePartyId, SessionId,
    UserToUser,
};
use sip::message::{HeaderName, Headers};

use crate::reading::user_to_user;
use crate::reading::wire::short;

/// Of each list the first.
const MOST: usize = 16;

/// What a call's headers say of its parties beside From and To. Only a server that the phone
/// trusts makes it true (RFC 3325 §4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerIdentity {
    /// Who calls, as the network has verified (`P-Asserted-Identity`, RFC 3325).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asserted: Vec<Party>,
    /// Who calls, as older systems say it (`Remote-Party-ID`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote_party: Vec<Party>,
    /// What the caller wants hidden (`Privacy`, RFC 3323).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub privacy: Vec<String>,
    /// Who diverted the call, the last first (`Diversion`, RFC 5806).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diversion: Vec<Diverted>,
    /// Where the call has been, in order (`History-Info`, RFC 7044).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Visited>,
    /// What the caller's application hands over (`User-to-User`, RFC 7433).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_to_user: Option<HandedOver>,
    /// Names the session from end to end (`Session-ID`, RFC 7989): 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The SIP or tel URI.
    pub uri: String,
    /// The name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A diversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diverted {
    /// Who diverted it.
    #[serde(flatten)]
    pub by: Party,
    /// Why: `no-answer`, `user-busy`, `unconditional`, `deflection`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A station of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Visited {
    /// Where it was.
    #[serde(flatten)]
    pub target: Party,
    /// Its place in the tree of retargetings, such as `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

/// Data from application to application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    /// The data as written.
    pub data: String,
    /// How it is encoded; `hex` where nothing is said.
    pub encoding: String,
    /// What it says, where it is the UTF-8 of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Reads a request's headers.
pub(crate) fn read(headers: &Headers) -> CallerIdentity {
    let asserted = headers.list::<PAssertedIdentity<'_>>().flatten();
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
