use super::trust::is_same;
use super::{Digest, Side, Target, Way};
use crate::header::grammar::unescape;
use crate::message::{HeaderName, Request};

/// What a realm asked for last, and for which requests.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) side: Side,
    pub(super) scope: Scope,
    pub(super) realm: String,
    pub(super) scheme: AuthScheme,
    /// Whether an answer to this challenge has got through.
    pub(super) proven: bool,
    /// How often in a row only the nonce was too old.
    pub(super) stale: u8,
    /// How often in a row another nonce came instead of a yes.
    pub(super) refused: u8,
}

#[derive(Debug)]
pub(super) enum AuthScheme {
    Digest(Digest),
    Bearer,
}

/// The requests that a challenge is for. Each has challenges of its own: what answers one of the
/// others can't take the registrar's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// REGISTER.
    Registrar,
    /// The requests to our own domain and, if a proxy has asked, all others (RFC 3261 §22.3).
    Home,
    /// The requests of one Call-ID, whose challenge may have come from anywhere.
    Call(String),
}

impl Scope {
    /// That of a challenge to this request.
    pub(super) fn of(side: Side, way: Way, request: &Request) -> Self {
        let beyond = match side {
            Side::Proxy => !way.stays_at_home(),
            Side::Server => way.target == Target::Elsewhere,
        };
        match way.target {
            Target::Registrar => Self::Registrar,
            Target::OwnDomain | Target::Elsewhere if beyond => Self::Call(call_id(request).into()),
            Target::OwnDomain | Target::Elsewhere => Self::Home,
        }
    }

    /// Whether a request is one that the challenge's author is expected to ask about.
    fn covers(&self, side: Side, way: Way, request: &Request) -> bool {
        match self {
            Self::Registrar => way.is_register(),
            Self::Home => match side {
                Side::Proxy => !way.is_register(),
                Side::Server => way.target == Target::OwnDomain && way.ends_at_home(),
            },
            Self::Call(id) => !way.is_register() && id == call_id(request),
        }
    }

    /// The most challenges of this kind that are remembered.
    pub(super) fn limit(&self) -> usize {
        match self {
            Self::Registrar | Self::Home => 8,
            // A call that loses its own is challenged once more.
            Self::Call(_) => 64,
        }
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn call_id(request: &Request) -> &str {
    request
        .headers()
        .get(HeaderName::CallId)
        .unwrap_or_default()
}

impl Session {
    pub(super) fn new(side: Side, scope: Scope, realm: String, scheme: AuthScheme) -> Self {
        Self {
            side,
            scope,
            realm,
            scheme,
            proven: false,
            stale: 0,
            refused: 0,
        }
    }

    /// Whether the request is one that this realm is expected to ask about.
    pub(super) fn covers(&self, side: Side, way: Way, request: &Request) -> bool {
        self.side == side && self.scope.covers(side, way, request)
    }

    /// Whether it is this realm, as it is written: one that is written in another way is no other, or a stranger could
    /// make any number of ours.
    pub(super) fn is_of(&self, realm: &str) -> bool {
        is_same(&unescape(&self.realm), &unescape(realm))
    }

    /// Whether its author has asked about this very call, or else nobody but ours sees the request.
    pub(super) fn is_asked_here(&self, way: Way) -> bool {
        match self.scope {
            Scope::Call(_) => true,
            Scope::Registrar | Scope::Home => way.stays_at_home(),
        }
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        match &self.scheme {
            AuthScheme::Digest(digest) => Some(&digest.nonce),
            AuthScheme::Bearer => None,
        }
    }

    pub(super) fn prove(&mut self) {
        (self.proven, self.stale, self.refused) = (true, 0, 0);
    }
}
