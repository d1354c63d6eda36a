use std::fmt::Write;

use super::algorithm::{Algorithm, hex};
use super::calculation::{Calculation, Qop};
use super::{Credentials, Secret, Unsupported};
use crate::header::grammar::write_quoted;
use crate::header::{AuthParams, Challenge};

/// Longer values in a challenge than this are refused.
const MAX_VALUE: usize = 4 * 1024;

/// What of a request a digest protects.
#[derive(Debug, Clone, Copy)]
pub struct Protected<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its target, as the request line has it.
    pub uri: &'a str,
    /// Its body.
    pub body: &'a [u8],
}

/// What a challenge asked for, and how it is answered; of SIP and of HTTP, which have the same (RFC 7616).
#[derive(Debug)]
pub struct Digest {
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
    pub fn accept(
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
    pub fn strength(&self) -> Algorithm {
        self.algorithm
    }

    /// The value of the header that answers for a request, being the `count`th with this nonce; `realm` as the challenge
    /// wrote it between its quotes. `None` if these credentials can't answer it.
    pub fn answer(
        &self,
        realm: &str,
        credentials: &Credentials,
        protected: &Protected<'_>,
        count: u32,
    ) -> Option<String> {
        let uri = protected.uri;
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
            method: protected.method,
            uri,
            body: protected.body,
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
