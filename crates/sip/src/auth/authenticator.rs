use super::session::{Digest, Scheme, Session, raw};
use super::{Credentials, Secret, Side};
use crate::header::Credentials as Answer;
use crate::header::{
    AuthenticationInfo, Authorization, Challenge, ProxyAuthenticate, ProxyAuthenticationInfo,
    ProxyAuthorization, WwwAuthenticate,
};
use crate::message::{HeaderName, Request, Response, StatusCode};

/// The most realms that one request answers.
const MAX_REALMS: usize = 4;
/// The most realms that are remembered.
const MAX_SESSIONS: usize = 8;
/// The most nonces whose counts are remembered.
const MAX_NONCES: usize = 32;
/// How often in a row a nonce may be too old.
const MAX_STALE: u8 = 3;

/// What a 401 or 407 comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Send the request again, signed anew, with CSeq + 1 and another branch (RFC 3261 §22.2).
    Retry,
    /// The server refused an answer to a challenge that was fresh: the password, or the token, is
    /// wrong. Nothing is sent again by itself.
    WrongPassword {
        /// The realm that refused.
        realm: String,
    },
    /// Nothing that was asked for can be answered.
    Unsupported {
        /// Why the last challenge can't be.
        why: Unsupported,
    },
}

/// Why a challenge can't be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// There is no challenge.
    #[error("no challenge")]
    NoChallenge,
    /// It is malformed or above the limits.
    #[error("malformed challenge")]
    Malformed,
    /// A scheme that these credentials are not for.
    #[error("unsupported scheme")]
    Scheme,
    /// An algorithm that we don't know, or that our HA1 was not made with.
    #[error("unsupported algorithm")]
    Algorithm,
    /// Neither `auth` nor `auth-int`.
    #[error("unsupported quality of protection")]
    Qop,
    /// A realm that the credentials are not for.
    #[error("not our realm")]
    Realm,
    /// The server keeps calling fresh nonces stale.
    #[error("every nonce is stale")]
    StaleAgain,
    /// More realms than one request can sensibly answer.
    #[error("too many realms")]
    TooManyRealms,
}

/// The client's side: reads challenges, remembers them by realm, and signs requests.
///
/// **Give it every response that is not a 401 or 407 ([`Authenticator::accepted`]), every one that
/// is ([`Authenticator::challenge`]), and every request before it is sent
/// ([`Authenticator::authorize`]); ACK and CANCEL are never challenged and are signed by copying.**
#[derive(Debug)]
pub struct Authenticator {
    credentials: Credentials,
    sessions: Vec<Session>,
    nonces: Vec<Nonce>,
}

/// A nonce that a server gave, whichever of its two headers it came in.
#[derive(Debug)]
struct Nonce {
    value: String,
    /// The last count sent; RFC 7616 §3.4 wants it to rise with each request.
    count: u32,
    /// Whether an answer with it has got through.
    proven: bool,
}

impl Authenticator {
    /// Starts without having been challenged.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            sessions: Vec::new(),
            nonces: Vec::new(),
        }
    }

    /// Takes another password or token and forgets all challenges.
    pub fn set_credentials(&mut self, credentials: Credentials) {
        *self = Self::new(credentials);
    }

    /// Reads the challenges of `response`, a 401 or 407 to `request`.
    ///
    /// Forks may have collected several: each realm is answered, with the strongest algorithm that
    /// it offers and we can (RFC 8760 §2.4), for as long as one of them is not wrong.
    pub fn challenge(
        &mut self,
        response: &Response,
        request: &Request,
        rng: &mut dyn rand::Rng,
    ) -> Verdict {
        // What a proxy let through to its server proves the answer that it was given.
        if response.status() == StatusCode::UNAUTHORIZED {
            self.prove(Side::Proxy, request);
        }
        let mut outcome = Outcome::default();
        for side in Side::BOTH {
            let challenges = challenges(response, side);
            let mut done: Vec<&str> = Vec::new();
            for realm in challenges.iter().filter_map(|c| raw(c.params(), "realm")) {
                if done.contains(&realm) {
                    continue;
                }
                done.push(realm);
                let same = challenges
                    .iter()
                    .filter(|c| raw(c.params(), "realm") == Some(realm));
                let result = self.realm(side, realm, &same.collect::<Vec<_>>(), request, rng);
                outcome.add(realm, result);
            }
        }
        outcome.verdict()
    }

    fn realm(
        &mut self,
        side: Side,
        realm: &str,
        challenges: &[&Challenge<'_>],
        request: &Request,
        rng: &mut dyn rand::Rng,
    ) -> Result<Next, Unsupported> {
        let answers = answers(request, side);
        let answered = answers.iter().find(|answer| match answer.is("Bearer") {
            true => self.session(side, realm).is_some(),
            false => raw(answer.params(), "realm") == Some(realm),
        });
        if answered.is_none() && answers.len() >= MAX_REALMS {
            return Err(Unsupported::TooManyRealms);
        }
        if !self.credentials.realms.contains(realm) {
            return Err(Unsupported::Realm);
        }
        let stale = challenges.iter().any(|challenge| challenge.is_stale());
        if let Some(answer) = answered
            && !stale
            && self.is_refusal(answer)
        {
            return Ok(Next::WrongPassword);
        }
        let scheme = self.strongest(challenges, rng)?;
        self.remember(side, realm, scheme, stale && answered.is_some(), request)
    }

    /// Whether the challenge refuses this answer, rather than to say that its nonce has had its
    /// day: it was made for a nonce that has never got anything through.
    fn is_refusal(&self, answer: &Answer<'_>) -> bool {
        if answer.is("Bearer") {
            return true;
        }
        let nonce = raw(answer.params(), "nonce").unwrap_or_default();
        let known = self.nonces.iter().find(|known| known.value == nonce);
        known.is_some_and(|known| !known.proven)
    }

    fn strongest(
        &self,
        challenges: &[&Challenge<'_>],
        rng: &mut dyn rand::Rng,
    ) -> Result<Scheme, Unsupported> {
        let mut best: Result<Scheme, Unsupported> = Err(Unsupported::Scheme);
        for challenge in challenges {
            let candidate = self.scheme(challenge, rng);
            let better = match (&best, &candidate) {
                (Err(_), _) => true,
                (Ok(_), Err(_)) | (Ok(Scheme::Bearer), _) | (Ok(_), Ok(Scheme::Bearer)) => false,
                (Ok(Scheme::Digest(old)), Ok(Scheme::Digest(new))) => {
                    new.strength() > old.strength()
                }
            };
            if better {
                best = candidate;
            }
        }
        best
    }

    fn scheme(
        &self,
        challenge: &Challenge<'_>,
        rng: &mut dyn rand::Rng,
    ) -> Result<Scheme, Unsupported> {
        let bearer = matches!(self.credentials.secret, Secret::Bearer(_));
        match (challenge.is("Digest"), challenge.is("Bearer") && bearer) {
            (true, _) => Digest::accept(challenge, &self.credentials, rng).map(Scheme::Digest),
            (false, true) => Ok(Scheme::Bearer),
            (false, false) => Err(Unsupported::Scheme),
        }
    }

    fn remember(
        &mut self,
        side: Side,
        realm: &str,
        scheme: Scheme,
        stale: bool,
        request: &Request,
    ) -> Result<Next, Unsupported> {
        if let Scheme::Digest(digest) = &scheme {
            self.take_nonce(&digest.nonce, false);
        }
        let at = self
            .sessions
            .iter()
            .position(|s| s.side == side && s.realm == realm);
        let mut session = match at {
            Some(at) => self.sessions.remove(at),
            None => Session::new(side, realm.to_owned(), Scheme::Bearer),
        };
        session.scheme = scheme;
        session.stale = if stale { session.stale + 1 } else { 0 };
        session.widen_to(request);
        let tired = session.stale > MAX_STALE;
        if self.sessions.len() == MAX_SESSIONS {
            self.sessions.remove(0);
        }
        if tired {
            return Err(Unsupported::StaleAgain);
        }
        self.sessions.push(session);
        Ok(Next::Retry)
    }

    /// Remembers a nonce with its count; a known one goes on counting.
    fn take_nonce(&mut self, value: &str, proven: bool) {
        if let Some(nonce) = self.nonces.iter_mut().find(|nonce| nonce.value == value) {
            nonce.proven = proven;
            return;
        }
        if self.nonces.len() == MAX_NONCES {
            self.nonces.remove(0);
        }
        self.nonces.push(Nonce {
            value: value.to_owned(),
            count: 0,
            proven,
        });
    }

    /// Puts into `request` the answer to every challenge that it is expected to meet, in place of
    /// those that are in it. Without a challenge it changes nothing, but for a token that is to be
    /// sent unasked.
    pub fn authorize(&mut self, request: &mut Request) {
        for side in Side::BOTH {
            let values = self.values(side, request);
            if values.is_empty() {
                continue;
            }
            request.headers_mut().remove(side.answer());
            for value in values {
                // Only a request URI of several KiB makes it too long; the server will say so.
                let _ = request.headers_mut().push(side.answer(), &value);
            }
        }
    }

    fn values(&mut self, side: Side, request: &Request) -> Vec<String> {
        let credentials = &self.credentials;
        let nonces = &mut self.nonces;
        let covering = self
            .sessions
            .iter()
            .filter(|s| s.side == side && s.covers(request));
        let mut values: Vec<String> = covering
            .filter_map(|session| match &session.scheme {
                Scheme::Bearer => bearer(credentials),
                Scheme::Digest(digest) => {
                    let count = next_count(nonces, &digest.nonce);
                    digest.answer(&session.realm, credentials, request, count)
                }
            })
            .take(MAX_REALMS)
            .collect();
        if values.is_empty() && side == Side::Server && self.goes_unasked(request) {
            values.extend(bearer(&self.credentials));
        }
        values
    }

    fn goes_unasked(&self, request: &Request) -> bool {
        let uri = request.uri();
        let host = uri.host_text();
        self.credentials.unasked && !host.is_empty() && self.credentials.realms.contains(host)
    }

    /// Learns from a response that is neither 401 nor 407: what `request` was signed with is
    /// right, and `Authentication-Info` may bring the next nonce (RFC 7616 §3.5).
    pub fn accepted(&mut self, response: &Response, request: &Request) {
        if response.status() == StatusCode::TRYING || Side::of(response.status()).is_some() {
            return;
        }
        for side in Side::BOTH {
            self.prove(side, request);
            if let Some(next) = next_nonce(response, side) {
                self.renew(side, &next, request);
            }
        }
    }

    fn prove(&mut self, side: Side, request: &Request) {
        for answer in answers(request, side) {
            let used = raw(answer.params(), "nonce").unwrap_or_default();
            if let Some(nonce) = self.nonces.iter_mut().find(|nonce| nonce.value == used) {
                nonce.proven = true;
            }
            let realm = raw(answer.params(), "realm").unwrap_or_default();
            if let Some(session) = self.session_mut(side, realm) {
                session.stale = 0;
            }
        }
    }

    fn renew(&mut self, side: Side, next: &str, request: &Request) {
        let Some(realm) = answers(request, side)
            .first()
            .and_then(|answer| raw(answer.params(), "realm").map(str::to_owned))
        else {
            return;
        };
        if let Some(session) = self.session_mut(side, &realm)
            && let Scheme::Digest(digest) = &mut session.scheme
        {
            digest.nonce = next.to_owned();
            self.take_nonce(next, true);
        }
    }

    fn session(&self, side: Side, realm: &str) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|s| s.side == side && s.realm == realm)
    }

    fn session_mut(&mut self, side: Side, realm: &str) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|s| s.side == side && s.realm == realm)
    }
}

fn bearer(credentials: &Credentials) -> Option<String> {
    match &credentials.secret {
        Secret::Bearer(token) => Some(format!("Bearer {token}")),
        Secret::Password(_) | Secret::Ha1 { .. } => None,
    }
}

fn next_count(nonces: &mut [Nonce], value: &str) -> u32 {
    // The nonce of a session may have been pushed out by those of others: it starts anew.
    nonces
        .iter_mut()
        .find(|nonce| nonce.value == value)
        .map_or(1, |nonce| {
            nonce.count = nonce.count.saturating_add(1);
            nonce.count
        })
}

fn challenges(response: &Response, side: Side) -> Vec<Challenge<'_>> {
    let headers = response.headers();
    match side {
        Side::Server => headers
            .list::<WwwAuthenticate>()
            .flatten()
            .map(|c| c.0)
            .collect(),
        Side::Proxy => headers
            .list::<ProxyAuthenticate>()
            .flatten()
            .map(|c| c.0)
            .collect(),
    }
}

fn answers(request: &Request, side: Side) -> Vec<Answer<'_>> {
    let headers = request.headers();
    match side {
        Side::Server => headers
            .list::<Authorization>()
            .flatten()
            .map(|a| a.0)
            .collect(),
        Side::Proxy => headers
            .list::<ProxyAuthorization>()
            .flatten()
            .map(|a| a.0)
            .collect(),
    }
}

fn next_nonce(response: &Response, side: Side) -> Option<String> {
    debug_assert!(matches!(
        side.info(),
        HeaderName::AuthenticationInfo | HeaderName::ProxyAuthenticationInfo
    ));
    let headers = response.headers();
    let params = match side {
        Side::Server => headers.typed::<AuthenticationInfo>()?.ok()?.0,
        Side::Proxy => headers.typed::<ProxyAuthenticationInfo>()?.ok()?.0,
    };
    raw(&params, "nextnonce")
        .filter(|nonce| !nonce.is_empty())
        .map(str::to_owned)
}

enum Next {
    Retry,
    WrongPassword,
}

/// What the realms of one response come to together.
#[derive(Default)]
struct Outcome {
    retry: bool,
    wrong: Option<String>,
    unsupported: Option<Unsupported>,
}

impl Outcome {
    fn add(&mut self, realm: &str, result: Result<Next, Unsupported>) {
        match result {
            Ok(Next::Retry) => self.retry = true,
            Ok(Next::WrongPassword) => self.wrong = Some(realm.to_owned()),
            Err(why) => self.unsupported = Some(why),
        }
    }

    fn verdict(self) -> Verdict {
        match (self.retry, self.wrong, self.unsupported) {
            (true, _, _) => Verdict::Retry,
            (false, Some(realm), _) => Verdict::WrongPassword { realm },
            (false, None, why) => Verdict::Unsupported {
                why: why.unwrap_or(Unsupported::NoChallenge),
            },
        }
    }
}
