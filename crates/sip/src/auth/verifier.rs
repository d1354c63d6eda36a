use std::fmt::Write;
use std::time::{Duration, Instant};

use super::calculation::{Calculation, Qop};
use super::digest::raw;
use super::nonce::Nonces;
use super::reading::answers;
use super::{Algorithm, Secret, Side};
use crate::header::ShownCredentials;
use crate::header::grammar::write_quoted;
use crate::message::{Request, Response};
use crate::uri::Uri;

/// Where a verifier finds the accounts of its realm.
pub trait Accounts {
    /// What the user has to know.
    fn secret(&self, username: &str) -> Option<Secret>;
    /// The user that a token stands for.
    fn bearer(&self, token: &str) -> Option<String>;
}

/// What a response may protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qops {
    /// The request line.
    Auth,
    /// The request line and the body.
    AuthInt,
    /// Either, as the client likes.
    Both,
}

impl Qops {
    fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
            Self::Both => "auth,auth-int",
        }
    }

    fn admits(self, qop: Qop) -> bool {
        match (self, qop) {
            (Self::Both, Qop::Auth | Qop::AuthInt)
            | (Self::Auth, Qop::Auth)
            | (Self::AuthInt, Qop::AuthInt) => true,
            (Self::Auth, Qop::AuthInt) | (Self::AuthInt, Qop::Auth) => false,
        }
    }
}

/// The Bearer challenge of a realm that takes tokens (RFC 8898 §3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BearerOffer {
    /// Where tokens are to be had.
    pub authz_server: Option<String>,
    /// What they must be good for.
    pub scope: Option<String>,
}

/// What a realm asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierConfig {
    /// The realm.
    pub realm: String,
    /// One Digest challenge for each, in this order (RFC 8760 §2.4: the best first).
    pub algorithms: Vec<Algorithm>,
    /// What a response may protect.
    pub qops: Qops,
    /// How long a nonce is good for.
    pub nonce_lifetime: Duration,
    /// A Bearer challenge besides.
    pub bearer: Option<BearerOffer>,
}

/// Who asks: it decides which of the two headers is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checker {
    /// A user agent or registrar: `Authorization`, 401.
    Server,
    /// A proxy: `Proxy-Authorization`, 407.
    Proxy,
}

/// What a request's answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It is this user.
    Accepted {
        /// The account.
        username: String,
    },
    /// There is no answer for our realm: challenge.
    Missing,
    /// The answer is right but its nonce, or its count, is not fresh: challenge with `stale`.
    Stale,
    /// The secret is wrong, or nobody has that name or token: challenge, or 403.
    Denied {
        /// The name that was claimed.
        username: Option<String>,
    },
    /// The answer can't be read or is not for this request: 400.
    Malformed,
}

/// The server's side of one realm: makes challenges and checks the answers.
#[derive(Debug)]
pub struct Verifier {
    config: VerifierConfig,
    nonces: Nonces,
}

impl Verifier {
    /// Starts with a key of its own for nonces.
    pub fn new(config: VerifierConfig, now: Instant, rng: &mut dyn rand::Rng) -> Self {
        let nonces = Nonces::new(config.nonce_lifetime, now, rng);
        Self { config, nonces }
    }

    /// Offers bearer tokens too from now on.
    pub fn offer_bearer(&mut self, offer: BearerOffer) {
        self.config.bearer = Some(offer);
    }

    /// Adds our challenges to `response`, a 401 or 407; any other is left as it is.
    pub fn challenge(
        &self,
        response: &mut Response,
        stale: bool,
        now: Instant,
        rng: &mut dyn rand::Rng,
    ) {
        self.challenge_with(response, stale, &mut |nonces| nonces.issue(now, rng));
    }

    /// Adds our challenges to `response`, the 401 or 407 to a request that was [`Check::Denied`].
    ///
    /// They have the nonce that it has answered, so that its sender knows that the secret is wrong: to another nonce it
    /// would be tried once more.
    pub fn deny(
        &self,
        response: &mut Response,
        request: &Request,
        now: Instant,
        rng: &mut dyn rand::Rng,
    ) {
        let Some(side) = Side::of(response.status()) else {
            return;
        };
        let answers = answers(request, side);
        let used = answers
            .iter()
            .filter_map(|answer| raw(answer.params(), "nonce"))
            .find(|nonce| self.nonces.recognise(nonce).is_some());
        self.challenge_with(response, false, &mut |nonces| match used {
            Some(nonce) => nonce.to_owned(),
            None => nonces.issue(now, rng),
        });
    }

    fn challenge_with(
        &self,
        response: &mut Response,
        stale: bool,
        nonce: &mut dyn FnMut(&Nonces) -> String,
    ) {
        let Some(side) = Side::of(response.status()) else {
            return;
        };
        for algorithm in &self.config.algorithms {
            let value = self.digest_challenge(*algorithm, stale, &nonce(&self.nonces));
            // The realm is the only part that could be refused, and then there is no challenge.
            let _ = response.headers_mut().push(side.challenge(), &value);
        }
        if let Some(offer) = &self.config.bearer {
            let _ = response
                .headers_mut()
                .push(side.challenge(), &self.bearer_challenge(offer));
        }
    }

    fn digest_challenge(&self, algorithm: Algorithm, stale: bool, nonce: &str) -> String {
        let mut out = String::from("Digest realm=");
        let _ = write_quoted(&mut out, &self.config.realm);
        let (qops, name) = (self.config.qops.as_str(), algorithm.as_str());
        let _ = write!(out, ", nonce=\"{nonce}\", qop=\"{qops}\", algorithm={name}");
        if stale {
            out.push_str(", stale=true");
        }
        out
    }

    fn bearer_challenge(&self, offer: &BearerOffer) -> String {
        let mut out = String::from("Bearer realm=");
        let _ = write_quoted(&mut out, &self.config.realm);
        for (name, value) in [
            ("scope", &offer.scope),
            ("authz_server", &offer.authz_server),
        ] {
            if let Some(value) = value {
                let _ = write!(out, ", {name}=");
                let _ = write_quoted(&mut out, value);
            }
        }
        out
    }

    /// Adds to a 2xx the nonce to use next, so that the client is never told that one is stale.
    pub fn add_next_nonce(
        &self,
        response: &mut Response,
        checker: Checker,
        now: Instant,
        rng: &mut dyn rand::Rng,
    ) {
        let value = format!("nextnonce=\"{}\"", self.nonces.issue(now, rng));
        let _ = response.headers_mut().push(side(checker).info(), &value);
    }

    /// Checks the answer that `request` has for our realm.
    pub fn verify(
        &mut self,
        request: &Request,
        checker: Checker,
        accounts: &dyn Accounts,
        now: Instant,
    ) -> Check {
        let answers = answers(request, side(checker));
        let ours = answers.iter().find(|answer| match answer.is("Digest") {
            true => answer
                .param("realm")
                .is_some_and(|realm| realm == self.config.realm),
            false => answer.is("Bearer") && self.config.bearer.is_some(),
        });
        match ours {
            None => Check::Missing,
            Some(answer) if answer.is("Bearer") => token(answer, accounts),
            Some(answer) => self
                .digest(answer, request, accounts, now)
                .unwrap_or(Check::Malformed),
        }
    }

    /// `None` if something that must be there is not, or not for this request.
    fn digest(
        &mut self,
        answer: &ShownCredentials<'_>,
        request: &Request,
        accounts: &dyn Accounts,
        now: Instant,
    ) -> Option<Check> {
        let params = answer.params();
        let (algorithm, session) = Algorithm::parse(raw(params, "algorithm"))?;
        let qop = Qop::parse(raw(params, "qop")?)?;
        let (count_text, uri) = (raw(params, "nc")?, raw(params, "uri")?);
        let count = u32::from_str_radix(count_text, 16)
            .ok()
            .filter(|_| count_text.len() == 8)?;
        let offered = self.config.algorithms.contains(&algorithm) && self.config.qops.admits(qop);
        if !offered || !is_for(uri, request) {
            return None;
        }
        let username = params.get("username")?.into_owned();
        let calculation = Calculation {
            algorithm,
            session,
            username: &username,
            realm: raw(params, "realm")?,
            nonce: raw(params, "nonce")?,
            cnonce: raw(params, "cnonce")?,
            count: count_text,
            qop: Some(qop),
            method: request.method().as_str(),
            uri,
            body: request.body(),
        };
        let Some(stamp) = self.nonces.recognise(calculation.nonce) else {
            // Another server's nonce, or one of before a restart: nothing is said of the password.
            return Some(Check::Stale);
        };
        let expected = accounts
            .secret(&username)
            .and_then(|secret| calculation.response(&secret));
        let right =
            expected.is_some_and(|own| same(&own, raw(params, "response").unwrap_or_default()));
        Some(match right {
            false => Check::Denied {
                username: Some(username),
            },
            true if !self.nonces.is_fresh(stamp, now) => Check::Stale,
            true if !self.nonces.count(stamp, count) => Check::Stale,
            true => Check::Accepted { username },
        })
    }
}

fn side(checker: Checker) -> Side {
    match checker {
        Checker::Server => Side::Server,
        Checker::Proxy => Side::Proxy,
    }
}

fn token(answer: &ShownCredentials<'_>, accounts: &dyn Accounts) -> Check {
    match answer.token() {
        None => Check::Malformed,
        Some(token) => match accounts.bearer(token) {
            Some(username) => Check::Accepted { username },
            None => Check::Denied { username: None },
        },
    }
}

/// RFC 7616 §3.4.6: the answer must be for the resource that is asked for.
fn is_for(uri: &str, request: &Request) -> bool {
    let own = request.uri();
    own.as_str() == uri || Uri::parse(uri).is_ok_and(|uri| uri.same_as(&own))
}

/// Compares without telling by its time where the texts differ.
fn same(a: &str, b: &str) -> bool {
    let differences = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differences == 0
}
