//! What a user agent is asked to do.

use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use crate::uri::Uri;

/// A message body.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// Its Content-Type.
    pub content_type: String,
    /// The bytes.
    pub bytes: Bytes,
}

impl Body {
    /// Makes a body of `application/sdp`.
    pub fn sdp(sdp: impl Into<Bytes>) -> Self {
        Self {
            content_type: "application/sdp".into(),
            bytes: sdp.into(),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Bodies carry DTMF digits and media keys.
        write!(f, "Body({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

/// A call to place.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Whom to call.
    pub target: Uri<'static>,
    /// Headers of the caller's own, added as they are.
    pub headers: Vec<(String, String)>,
    /// The offer; `None` asks the other side for one.
    pub body: Option<Body>,
    /// Who calls, in the place of the endpoint's own address and name; the dialog is that party's.
    pub from: Option<Box<Caller>>,
    /// Says nothing of who calls: an anonymous From, a Contact without our name, and `Privacy: id` where the headers
    /// have none (RFC 3323 §4.1.1, RFC 3325 §9.3).
    pub anonymous: bool,
    /// Our half of the session's name (RFC 7989), if the call belongs to a session that has one already.
    pub session: Option<u128>,
}

/// A party that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its address.
    pub uri: Uri<'static>,
    /// Its name.
    pub display_name: Option<String>,
}

impl Invite {
    /// Makes a call to `target` that asks for an offer.
    pub fn new(target: Uri<'static>) -> Self {
        Self {
            target,
            headers: Vec::new(),
            body: None,
            from: None,
            anonymous: false,
            session: None,
        }
    }

    /// Makes a call to `target` with an SDP offer.
    pub fn offer(target: Uri<'static>, sdp: impl Into<Bytes>) -> Self {
        Self {
            body: Some(Body::sdp(sdp)),
            ..Self::new(target)
        }
    }
}

/// An answer to a request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// 101–699.
    pub code: u16,
    /// Reason phrase; `None` takes the RFC's.
    pub reason: Option<String>,
    /// Headers of the caller's own, added as they are.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Body>,
    /// Where a 3xx sends the caller.
    pub elsewhere: Option<Box<Uri<'static>>>,
}

impl Reply {
    /// Makes an answer of `code` with the RFC's reason phrase and nothing else.
    pub fn new(code: u16) -> Self {
        Self {
            code,
            reason: None,
            headers: Vec::new(),
            body: None,
            elsewhere: None,
        }
    }

    /// Makes a 3xx that sends the caller to `target`.
    pub fn redirect(code: u16, target: Uri<'static>) -> Self {
        Self {
            elsewhere: Some(Box::new(target)),
            ..Self::new(code)
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the reason phrase.
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds an SDP body.
    pub fn sdp(mut self, sdp: impl Into<Bytes>) -> Self {
        self.body = Some(Body::sdp(sdp));
        self
    }
}

/// A misuse by the caller; nothing was sent and nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// There is no flow to send over.
    #[error("no flow is up")]
    NoFlow,
    /// No call or request of that name is alive.
    #[error("nothing of that name is alive")]
    Unknown,
    /// The call is not in a state where this can be done.
    #[error("not possible while {state}")]
    WrongState {
        /// What the call is doing.
        state: &'static str,
    },
    /// Another INVITE or offer of this dialog is still unanswered (RFC 3261 §14.1).
    #[error("another offer of this dialog is unanswered")]
    OfferPending,
    /// A header's name is no token, is one that the stack writes itself, or its value holds CR, LF or NUL.
    #[error("the header {name:?} can't be set to that")]
    Header {
        /// The name as it was given, cut to 64 characters.
        name: String,
    },
    /// The target is not one that can be called.
    #[error("a {scheme} URI can't be the target of a request")]
    Target {
        /// The URI's scheme.
        scheme: String,
    },
    /// RFC 3261 §26.2.2: a sips: URI promises TLS on each hop, and ours has none.
    #[error("a sips: URI can't be reached over a connection without TLS: take a server with TLS")]
    Insecure,
    /// The status code is not one that answers this.
    #[error("{code} can't answer this")]
    Code {
        /// The code as it was given.
        code: u16,
    },
    /// As many calls or transactions are alive as the limits allow.
    #[error("the limit of {limit} is reached")]
    Limit {
        /// The limit.
        limit: usize,
    },
}

/// What to subscribe to.
#[derive(Debug, Clone)]
pub struct Subscribe {
    /// Whose state.
    pub target: Uri<'static>,
    /// The event package, perhaps with an `id`.
    pub event: String,
    /// Media types that its notifications may have; empty leaves it to the package.
    pub accept: Vec<String>,
    /// How long the subscription is asked for.
    pub expires: Duration,
    /// Headers of the caller's own, added as they are.
    pub headers: Vec<(String, String)>,
}
