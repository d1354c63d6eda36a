use std::fmt::Write;

use super::algorithm::{Algorithm, hex};
use super::calculation::{Calculation, Qop};
use super::{Credentials, Secret, Side, Unsupported};
use crate::header::grammar::write_quoted;
use crate::header::{AuthParams, Challenge};
use crate::message::{Method, Request};

/// Longer values in a challenge than this are refused.
const MAX_VALUE: usize = 4 * 1024;
/// The most hosts that one realm's answers go to unasked.
const MAX_SCOPES: usize = 8;

/// What a realm asked for last, and where its answers go.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) side: Side,
    pub(super) realm: String,
    pub(super) scheme: Scheme,
    scopes: Vec<Scope>,
    /// How often in a row only the nonce was too old.
    pub(super) stale: u8,
}

#[derive(Debug)]
pub(super) enum Scheme {
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

/// Requests that are alike enough for one's challenge to be expected by the other: those to the
/// registrar and those to others, by host. An answer to a registrar is not for the callee.
#[derive(Debug, PartialEq, Eq)]
struct Scope {
    registers: bool,
    host: String,
}

impl Scope {
    fn of(request: &Request) -> Self {
        Self {
            registers: *request.method() == Method::Register,
            host: request.uri().host_text().to_ascii_lowercase(),
        }
    }
}

impl Session {
    pub(super) fn new(side: Side, realm: String, scheme: Scheme) -> Self {
        Self {
            side,
            realm,
            scheme,
            scopes: Vec::new(),
            stale: 0,
        }
    }

    pub(super) fn widen_to(&mut self, request: &Request) {
        let scope = Scope::of(request);
        if self.scopes.contains(&scope) {
            return;
        }
        if self.scopes.len() == MAX_SCOPES {
            self.scopes.remove(0);
        }
        self.scopes.push(scope);
    }

    /// Whether the request is one that this realm is expected to ask about.
    pub(super) fn covers(&self, request: &Request) -> bool {
        match self.side {
            // RFC 3261 §22.3: what a proxy asked for goes to it with every request.
            Side::Proxy => true,
            Side::Server => self.scopes.contains(&Scope::of(request)),
        }
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
        let algorithm_name = text("algorithm");
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
    let Some(offered) = offered else {
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
