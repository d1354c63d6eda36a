//! Who may do what: digest and bearer challenges of the PBX's realm.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::auth::{Accounts, BearerOffer, Check, Checker, Qops, Secret, Verifier, VerifierConfig};
use sip::message::{Method, Request, Response, StatusCode};

use crate::config::{Algorithm, Authentication, Config, Password};

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It goes on; `user` is who sent it, where that is known.
    Pass { user: Option<String> },
    /// This answers it.
    Challenge(Box<Response>),
}

/// The PBX's door.
#[derive(Debug)]
pub(crate) struct Gate {
    open: bool,
    verifier: Verifier,
    accounts: Known,
    rng: StdRng,
}

#[derive(Debug)]
struct Known {
    users: BTreeMap<String, Password>,
    tokens: BTreeMap<Password, String>,
}

impl Accounts for Known {
    fn secret(&self, username: &str) -> Option<Secret> {
        let password = self.users.get(username)?;
        Some(Secret::Password(password.reveal().to_owned()))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        self.tokens.get(&Password::new(token)).cloned()
    }
}

impl Gate {
    pub(crate) fn new(config: &Config, seed: [u8; 32], now: Instant) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let bearer = (!config.tokens.is_empty()).then(BearerOffer::default);
        let verifier = VerifierConfig {
            realm: config.domain.clone(),
            algorithms: config.algorithms.iter().map(|name| digest(*name)).collect(),
            qops: Qops::Both,
            nonce_lifetime: config.nonce_lifetime,
            bearer,
        };
        Self {
            open: config.authentication == Authentication::None,
            verifier: Verifier::new(verifier, now, &mut rng),
            accounts: Known {
                users: config.users.clone(),
                tokens: config.tokens.clone(),
            },
            rng,
        }
    }

    pub(crate) fn add_user(&mut self, user: &str, password: &Password) {
        self.accounts
            .users
            .insert(user.to_owned(), password.clone());
    }

    pub(crate) fn remove_user(&mut self, user: &str) {
        self.accounts.users.remove(user);
        self.accounts.tokens.retain(|_, owner| owner != user);
    }

    /// Lets a request through, or says what answers it.
    pub(crate) fn judge(&mut self, request: &Request, now: Instant) -> Verdict {
        // RFC 3261 §22.1: these can't be challenged.
        let exempt = matches!(request.method(), Method::Ack | Method::Cancel);
        if self.open || exempt {
            return Verdict::Pass { user: None };
        }
        let checker = match *request.method() == Method::Register {
            true => Checker::Server,
            false => Checker::Proxy,
        };
        match self.verifier.verify(request, checker, &self.accounts, now) {
            Check::Accepted { username } => Verdict::Pass {
                user: Some(username),
            },
            Check::Missing | Check::Denied { .. } => self.challenge(request, checker, false, now),
            Check::Stale => self.challenge(request, checker, true, now),
            Check::Malformed => Verdict::Challenge(Box::new(Response::to_request(
                request,
                StatusCode::BAD_REQUEST,
            ))),
        }
    }

    fn challenge(
        &mut self,
        request: &Request,
        checker: Checker,
        stale: bool,
        now: Instant,
    ) -> Verdict {
        let status = match checker {
            Checker::Server => StatusCode::UNAUTHORIZED,
            Checker::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        };
        let mut response = Response::to_request(request, status);
        self.verifier
            .challenge(&mut response, stale, now, &mut self.rng);
        Verdict::Challenge(Box::new(response))
    }
}

fn digest(algorithm: Algorithm) -> sip::auth::Algorithm {
    match algorithm {
        Algorithm::Md5 => sip::auth::Algorithm::Md5,
        Algorithm::Sha256 => sip::auth::Algorithm::Sha256,
        Algorithm::Sha512T256 => sip::auth::Algorithm::Sha512_256,
    }
}
