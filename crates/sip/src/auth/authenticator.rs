use super::digest::raw;
use super::reading::{answers, challenges, next_nonce};
use super::session::{AuthScheme, Scope, Session};
use super::trust::Trust;
use super::verdict::{Next, RealmVerdicts};
use super::{ChallengeVerdict, Credentials, Digest, Protected, Secret, Side, Unsupported, Way};
use crate::header::{Challenge, ShownCredentials as Answer};
use crate::message::{Request, Response, StatusCode};

/// The most realms that one request answers.
const MAX_REALMS: usize = 4;
/// The most nonces whose counts are remembered: more than challenges are.
const MAX_NONCES: usize = 256;
/// How often in a row a nonce may be too old.
const MAX_STALE: u8 = 3;
/// How often in a row another nonce may come instead of a yes: one server of several does not know
/// the other's. More often it means the password, and servers lock accounts.
const MAX_REFUSED: u8 = 1;

/// The client's side: reads challenges, remembers them by realm and by the requests that they are
/// for, and signs requests.
///
/// **Give it every response that is not a 401 or 407 ([`Authenticator::accepted`]), every one that
/// is ([`Authenticator::challenge`]), and every request before it is sent
/// ([`Authenticator::authorize`]), each with the way of its request; ACK and CANCEL are never
/// challenged and are signed by copying.**
#[derive(Debug)]
pub struct Authenticator {
    credentials: Credentials,
    trust: Trust,
    sessions: Vec<Session>,
    nonces: Vec<Nonce>,
}

/// A nonce that a server gave, whichever of its two headers it came in.
#[derive(Debug)]
struct Nonce {
    value: String,
    /// The last count sent; RFC 7616 §3.4 wants it to rise with each request.
    count: u32,
}

/// A realm that asks for an answer to `request`.
#[derive(Clone, Copy)]
struct Asking<'a> {
    side: Side,
    way: Way,
    /// As it is written.
    realm: &'a str,
    request: &'a Request,
    /// Whether only the nonce of our answer was too old.
    stale: bool,
}

impl Authenticator {
    /// Starts without having been challenged; `home` is the domain of our address, which is the
    /// realm as long as nobody has named another.
    pub fn new(credentials: Credentials, home: &str) -> Self {
        Self {
            credentials,
            trust: Trust::new(home),
            sessions: Vec::new(),
            nonces: Vec::new(),
        }
    }

    /// Takes another password or token and forgets all challenges, but not which realms are ours.
    pub fn set_credentials(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.sessions.clear();
        self.nonces.clear();
    }

    /// Forgets how strong each realm has been: somebody knows why one has become weaker.
    pub fn forget_algorithms(&mut self) {
        self.trust.forget_algorithms();
    }

    /// Reads the challenges of `response`, a 401 or 407 to `request`.
    ///
    /// Forks may have collected several: each realm of ours is answered, with the strongest
    /// algorithm that it offers and we can (RFC 8760 §2.4), for as long as one of them is not wrong.
    pub fn challenge(
        &mut self,
        response: &Response,
        request: &Request,
        way: Way,
        rng: &mut dyn rand::Rng,
    ) -> ChallengeVerdict {
        // What a proxy let through to its server proves the answer that it was given.
        if response.status() == StatusCode::UNAUTHORIZED {
            self.prove(Side::Proxy, request, way);
        }
        let mut outcome = RealmVerdicts::default();
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
                let same: Vec<_> = same.collect();
                let asking = Asking {
                    side,
                    way,
                    realm,
                    request,
                    stale: same.iter().any(|challenge| challenge.is_stale()),
                };
                outcome.add(realm, self.realm(asking, &same, rng));
            }
        }
        outcome.verdict()
    }

    fn realm(
        &mut self,
        asking: Asking<'_>,
        challenges: &[&Challenge<'_>],
        rng: &mut dyn rand::Rng,
    ) -> Result<Next, Unsupported> {
        let Asking {
            side, way, realm, ..
        } = asking;
        self.trust.admits(&self.credentials, realm, side, way)?;
        let answers = answers(asking.request, side);
        let answered = answers.iter().find(|answer| match answer.is("Bearer") {
            true => self.is_our_token(answer),
            false => raw(answer.params(), "realm") == Some(realm),
        });
        if answered.is_none() && answers.len() >= MAX_REALMS {
            return Err(Unsupported::TooManyRealms);
        }
        if let Some(answer) = answered
            && !asking.stale
            && self.is_refusal(asking, answer, challenges)
        {
            return Ok(Next::WrongPassword);
        }
        let scheme = self.strongest(asking, challenges, rng)?;
        self.remember(asking, scheme, answered.is_some())
    }

    /// A token that was replaced meanwhile was not refused.
    fn is_our_token(&self, answer: &Answer<'_>) -> bool {
        match &self.credentials.secret {
            Secret::Bearer(token) => answer.token() == Some(token),
            Secret::Password(_) | Secret::Ha1 { .. } => false,
        }
    }

    /// Whether this answer is refused. One to another nonce than is asked for now is not, so that
    /// the challenge is a new one (RFC 7616 §3.3); but nor can it be for ever.
    fn is_refusal(
        &mut self,
        asking: Asking<'_>,
        answer: &Answer<'_>,
        challenges: &[&Challenge<'_>],
    ) -> bool {
        if answer.is("Bearer") {
            return true;
        }
        let used = raw(answer.params(), "nonce").unwrap_or_default();
        let same = challenges
            .iter()
            .any(|challenge| raw(challenge.params(), "nonce") == Some(used));
        let Some(session) = self.session_mut(asking).filter(|session| !session.proven) else {
            return false;
        };
        session.refused = match same {
            true => MAX_REFUSED + 1,
            false => session.refused.saturating_add(1),
        };
        session.refused > MAX_REFUSED
    }

    fn strongest(
        &self,
        asking: Asking<'_>,
        challenges: &[&Challenge<'_>],
        rng: &mut dyn rand::Rng,
    ) -> Result<AuthScheme, Unsupported> {
        let mut best: Result<AuthScheme, Unsupported> = Err(Unsupported::Scheme);
        for challenge in challenges {
            let candidate = self.scheme(asking, challenge, rng);
            let better = match (&best, &candidate) {
                (Err(_), _) => true,
                (Ok(_), Err(_)) | (Ok(AuthScheme::Bearer), _) | (Ok(_), Ok(AuthScheme::Bearer)) => {
                    false
                }
                (Ok(AuthScheme::Digest(old)), Ok(AuthScheme::Digest(new))) => {
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
        asking: Asking<'_>,
        challenge: &Challenge<'_>,
        rng: &mut dyn rand::Rng,
    ) -> Result<AuthScheme, Unsupported> {
        let Asking {
            side, way, realm, ..
        } = asking;
        let bearer = matches!(self.credentials.secret, Secret::Bearer(_));
        match (challenge.is("Digest"), challenge.is("Bearer") && bearer) {
            (true, _) => {
                let digest = Digest::accept(challenge, &self.credentials, rng)?;
                match self.trust.is_weaker(realm, digest.strength()) {
                    true => Err(Unsupported::Weaker),
                    false => Ok(AuthScheme::Digest(digest)),
                }
            }
            (false, true) => {
                let trust = &self.trust;
                match trust.admits_token(&self.credentials, realm, side, way) {
                    true => Ok(AuthScheme::Bearer),
                    false => Err(Unsupported::Stranger),
                }
            }
            (false, false) => Err(Unsupported::Scheme),
        }
    }

    fn remember(
        &mut self,
        asking: Asking<'_>,
        scheme: AuthScheme,
        answered: bool,
    ) -> Result<Next, Unsupported> {
        let Asking {
            side,
            way,
            realm,
            request,
            stale,
        } = asking;
        let algorithm = match &scheme {
            AuthScheme::Digest(digest) => Some(digest.strength()),
            AuthScheme::Bearer => None,
        };
        self.trust.answered(realm, algorithm, side, way);
        let scope = Scope::of(side, way, request);
        let mut session = match self.position(asking) {
            Some(at) => self.sessions.remove(at),
            None => Session::new(side, scope, realm.to_owned(), AuthScheme::Bearer),
        };
        // It is hashed as it is written now.
        session.realm = realm.to_owned();
        session.scheme = scheme;
        session.proven = false;
        if !answered {
            session.refused = 0;
        }
        session.stale = if stale && answered {
            session.stale + 1
        } else {
            0
        };
        if session.stale > MAX_STALE {
            return Err(Unsupported::StaleAgain);
        }
        self.keep(session);
        Ok(Next::Retry)
    }

    /// Keeps a challenge, and no more of its kind than that has room for.
    fn keep(&mut self, session: Session) {
        let alike = |other: &Session| other.scope.is_like(&session.scope);
        let count = self.sessions.iter().filter(|other| alike(other)).count();
        if count >= session.scope.limit()
            && let Some(oldest) = self.sessions.iter().position(alike)
        {
            self.sessions.remove(oldest);
        }
        self.sessions.push(session);
    }

    /// The counts of nonces in use are kept whatever comes, and some of those that may come again.
    fn forget_nonces(&mut self) {
        let sessions = &self.sessions;
        let unused = |nonce: &Nonce| {
            let value = Some(nonce.value.as_str());
            !sessions.iter().any(|session| session.nonce() == value)
        };
        while self.nonces.len() > MAX_NONCES
            && let Some(oldest) = self.nonces.iter().position(unused)
        {
            self.nonces.remove(oldest);
        }
    }

    fn position(&self, asking: Asking<'_>) -> Option<usize> {
        let Asking {
            side,
            way,
            realm,
            request,
            ..
        } = asking;
        let scope = Scope::of(side, way, request);
        self.sessions
            .iter()
            .position(|s| s.side == side && s.scope == scope && s.is_of(realm))
    }

    fn session_mut(&mut self, asking: Asking<'_>) -> Option<&mut Session> {
        let at = self.position(asking)?;
        self.sessions.get_mut(at)
    }

    /// Puts into `request` the answer to every challenge that it is expected to meet, in place of
    /// those that are in it. Without a challenge it changes nothing, but for a token that is to be
    /// sent unasked.
    pub fn authorize(&mut self, request: &mut Request, way: Way) {
        self.trust.sends(way);
        for side in Side::BOTH {
            let values = self.values(side, request, way);
            if values.is_empty() {
                continue;
            }
            request.headers_mut().remove(side.answer());
            for value in values {
                // Only a request URI of several KiB makes it too long; the server will say so.
                let _ = request.headers_mut().push(side.answer(), &value);
            }
        }
        self.forget_nonces();
    }

    fn values(&mut self, side: Side, request: &Request, way: Way) -> Vec<String> {
        let credentials = &self.credentials;
        let nonces = &mut self.nonces;
        let mut values: Vec<String> = covering(&self.sessions, side, way, request)
            .into_iter()
            .filter_map(|session| match &session.scheme {
                // Without a question a token does not leave our domain.
                AuthScheme::Bearer => bearer(credentials).filter(|_| session.is_asked_here(way)),
                AuthScheme::Digest(digest) => {
                    let count = next_count(nonces, &digest.nonce);
                    let uri = request.uri();
                    let protected = Protected {
                        method: request.method().as_str(),
                        uri: uri.as_str(),
                        body: request.body(),
                    };
                    digest.answer(&session.realm, credentials, &protected, count)
                }
            })
            .take(MAX_REALMS)
            .collect();
        if values.is_empty() && side == Side::Server && self.credentials.goes_unasked(way) {
            values.extend(bearer(&self.credentials));
        }
        values
    }

    /// Takes a token out of an ACK, whose credentials are those of its INVITE: it goes to the other
    /// side's Contact, and nobody can ask for it there.
    pub fn withhold(&self, ack: &mut Request, way: Way) {
        for side in Side::BOTH {
            let has_token = answers(ack, side).iter().any(|answer| answer.is("Bearer"));
            if has_token && !self.credentials.goes_unasked(way) {
                ack.headers_mut().remove(side.answer());
            }
        }
    }

    /// Learns from a response that is neither 401 nor 407: what `request` was signed with is
    /// right, and `Authentication-Info` may bring the next nonce (RFC 7616 §3.5).
    pub fn accepted(&mut self, response: &Response, request: &Request, way: Way) {
        if response.status() == StatusCode::TRYING || Side::of(response.status()).is_some() {
            return;
        }
        for side in Side::BOTH {
            self.prove(side, request, way);
            if let Some(next) = next_nonce(response, side) {
                self.renew(side, &next, request, way);
            }
        }
    }

    fn prove(&mut self, side: Side, request: &Request, way: Way) {
        for answer in answers(request, side) {
            let used = raw(answer.params(), "nonce");
            let meant = |session: &&mut Session| match answer.is("Bearer") {
                true => matches!(session.scheme, AuthScheme::Bearer),
                false => session.nonce() == used,
            };
            let sessions = self.sessions.iter_mut();
            let covering = sessions.filter(|session| session.covers(side, way, request));
            for session in covering.filter(meant) {
                session.prove();
                let secret = &self.credentials.secret;
                self.trust.passed(&session.realm, secret, side, way);
            }
        }
    }

    /// Only who may challenge such requests says what comes next: others' answers have no challenge of their own.
    fn renew(&mut self, side: Side, next: &str, request: &Request, way: Way) {
        let scope = Scope::of(side, way, request);
        let answers = answers(request, side);
        let Some(realm) = answers.first().and_then(|a| raw(a.params(), "realm")) else {
            return;
        };
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|s| s.side == side && s.scope == scope && s.is_of(realm));
        if let Some(session) = session
            && let AuthScheme::Digest(digest) = &mut session.scheme
        {
            digest.renew(next);
        }
    }
}

/// One challenge for each realm that may ask about the request: its call's own, before all others.
fn covering<'s>(
    sessions: &'s [Session],
    side: Side,
    way: Way,
    request: &Request,
) -> Vec<&'s Session> {
    let mut chosen: Vec<&Session> = Vec::new();
    // After a refusal a request starts without an answer, as if nobody had asked.
    let good = sessions.iter().filter(|s| s.refused <= MAX_REFUSED);
    for session in good.filter(|s| s.covers(side, way, request)) {
        let known = chosen.iter_mut().find(|known| known.is_of(&session.realm));
        match known {
            Some(known) if matches!(session.scope, Scope::Call(_)) => *known = session,
            Some(_) => {}
            None => chosen.push(session),
        }
    }
    chosen
}

fn bearer(credentials: &Credentials) -> Option<String> {
    match &credentials.secret {
        Secret::Bearer(token) => Some(format!("Bearer {token}")),
        Secret::Password(_) | Secret::Ha1 { .. } => None,
    }
}

fn next_count(nonces: &mut Vec<Nonce>, value: &str) -> u32 {
    if let Some(nonce) = nonces.iter_mut().find(|nonce| nonce.value == value) {
        nonce.count = nonce.count.saturating_add(1);
        return nonce.count;
    }
    nonces.push(Nonce {
        value: value.to_owned(),
        count: 1,
    });
    1
}
