use std::fmt::Write;

use super::algorithm::{Algorithm, hex};
use super::calculation::{Calculation, Qop};
use super::trust::is_same;
use super::{Credentials, Secret, Side, Target, Unsupported, Way};
use crate::header::grammar::{unescape, write_quoted};
use crate::header::{AuthParams, Challenge};
use crate::message::{HeaderName, Request};

/// Longer values in a challenge than this are refused.
const MAX_VALUE: usize = 4 * 1024;

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

#[derive(Debug)]
pub(super) struct Digest {
    pub(super) nonce: String,
    pub(super) cnonce: String,
    algorithm: Algorithm,
    session: bool,
    /// The name as the challenge wrote it, if it did.
    algorithm_name: Option<String>,
    qop: Option<Qop>,
    opaque: Option<String>,
    hashes_username: bool,
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

/// The characters between the quotes, escapes kept: what is hashed and what is sent back
/// (RFC 7616 §3.4.1, `unq`).
pub(super) fn raw<'p>(params: &'p AuthParams<'_>, name: &str) -> Option<&'p str> {
    let value = params.raw(name)?;
    Some(
        value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .unwrap_or(value),
    )
}

impl Digest {
    /// Takes what a challenge asks for, if these credentials can give it.
    pub(super) fn accept(
        challenge: &Challenge<'_>,
        credentials: &Credentials,
        rng: &mut dyn rand::Rng,
    ) -> Result<Self, Unsupported> {
        let params = challenge.params();
        let text = |name| raw(params, name).map(str::to_owned);
        let nonce = text("nonce").ok_or(Unsupported::Malformed)?;
        if params.iter().any(|(_, value)| value.len() > MAX_VALUE) {
            return Err(Unsupported::Malformed);
        }
        // What is empty says no more than what is not there (RFC 7235 §2.1, RFC 8760 §2.6).
        let algorithm_name = text("algorithm").filter(|name| !name.is_empty());
        let (algorithm, session) =
            Algorithm::parse(algorithm_name.as_deref()).ok_or(Unsupported::Algorithm)?;
        let answerable = match &credentials.secret {
            Secret::Password(_) => true,
            Secret::Ha1 { algorithm: own, .. } => *own == algorithm,
            Secret::Bearer(_) => return Err(Unsupported::Scheme),
        };
        if !answerable {
            return Err(Unsupported::Algorithm);
        }
        let mut cnonce = [0; 16];
        rng.fill_bytes(&mut cnonce);
        let userhash = params.get("userhash");
        Ok(Self {
            nonce,
            cnonce: hex(&cnonce),
            algorithm,
            session,
            algorithm_name,
            qop: qop(raw(params, "qop"))?,
            opaque: text("opaque"),
            hashes_username: userhash.is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    /// Takes the nonce that a server wants next (RFC 7616 §3.5).
    pub(super) fn renew(&mut self, next: &str) {
        if next.len() <= MAX_VALUE {
            self.nonce = next.to_owned();
        }
    }

    /// How strong it is: the algorithm decides.
    pub(super) fn strength(&self) -> Algorithm {
        self.algorithm
    }

    /// The value of the header that answers for `request`, being the `count`th with this nonce.
    pub(super) fn answer(
        &self,
        realm: &str,
        credentials: &Credentials,
        request: &Request,
        count: u32,
    ) -> Option<String> {
        let uri = request.uri();
        let count = format!("{count:08x}");
        let response = Calculation {
            algorithm: self.algorithm,
            session: self.session,
            username: &credentials.username,
            realm,
            nonce: &self.nonce,
            cnonce: &self.cnonce,
            count: &count,
            qop: self.qop,
            method: request.method().as_str(),
            uri: uri.as_str(),
            body: request.body(),
        }
        .response(&credentials.secret)?;
        let mut out = String::from("Digest username=");
        self.write_username(&mut out, realm, credentials);
        let (nonce, cnonce) = (&self.nonce, &self.cnonce);
        let _ = write!(out, ", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\"");
        let _ = write!(out, ", response=\"{response}\"");
        if let Some(name) = &self.algorithm_name {
            let _ = write!(out, ", algorithm={name}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(out, ", opaque=\"{opaque}\"");
        }
        match self.qop {
            // RFC 7616 §3.4: qop and nc are tokens in the answer.
            Some(qop) => {
                let _ = write!(
                    out,
                    ", qop={}, cnonce=\"{cnonce}\", nc={count}",
                    qop.as_str()
                );
            }
            None if self.session => {
                let _ = write!(out, ", cnonce=\"{cnonce}\"");
            }
            None => {}
        }
        Some(out)
    }

    fn write_username(&self, out: &mut String, realm: &str, credentials: &Credentials) {
        let username = &credentials.username;
        if self.hashes_username {
            let hash = self
                .algorithm
                .hash(&[username.as_bytes(), realm.as_bytes()]);
            let _ = write!(out, "\"{hash}\", userhash=true");
        } else {
            let _ = write_quoted(out, username);
        }
    }
}

/// `auth` wherever it is offered, since bodies are changed on the way; else `auth-int`.
fn qop(offered: Option<&str>) -> Result<Option<Qop>, Unsupported> {
    let empty = |offered: &&str| offered.chars().all(|c| c == ',' || c.is_whitespace());
    let Some(offered) = offered.filter(|offered| !empty(offered)) else {
        return Ok(None);
    };
    let offers = |wanted: Qop| {
        offered
            .split(',')
            .any(|own| Qop::parse(own.trim()) == Some(wanted))
    };
    match (offers(Qop::Auth), offers(Qop::AuthInt)) {
        (true, _) => Ok(Some(Qop::Auth)),
        (false, true) => Ok(Some(Qop::AuthInt)),
        (false, false) => Err(Unsupported::Qop),
    }
}
