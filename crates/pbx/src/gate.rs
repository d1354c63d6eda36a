//! Who may do what: digest and bearer challenges of the PBX's realm.

use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::auth::{Accounts, BearerOffer, Check, Checker, Qops, Secret, Verifier, VerifierConfig};
use sip::message::{Method, Request, Response, StatusCode};

use crate::config::{Algorithm, Authentication, Config, Password, User};

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It goes on; `user` is who sent it, if that is known.
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
    users: Vec<User>,
}

impl Accounts for Known {
    fn secret(&self, username: &str) -> Option<Secret> {
        let user = self.users.iter().find(|user| user.name == username)?;
        let password = user.password.as_ref()?;
        Some(Secret::Password(password.reveal().to_owned()))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        let token = Password::new(token);
        self.users
            .iter()
            .find(|user| user.token.as_ref() == Some(&token))
            .map(|user| user.name.clone())
    }
}

impl Gate {
    pub(crate) fn new(config: &Config, seed: [u8; 32], now: Instant) -> Self {
        let mut rng = StdRng::from_seed(seed);
        let bearer = config
            .users
            .iter()
            .any(|user| user.token.is_some())
            .then(BearerOffer::default);
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
            },
            rng,
        }
    }

    /// Adds a user, in place of one of the same name.
    pub(crate) fn add_user(&mut self, user: User) {
        self.remove_user(&user.name);
        if user.token.is_some() {
            self.verifier.offer_bearer(BearerOffer::default());
        }
        self.accounts.users.push(user);
    }

    pub(crate) fn remove_user(&mut self, name: &str) {
        self.accounts.users.retain(|user| user.name != name);
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.accounts.users.iter().any(|user| user.name == name)
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
            Check::Missing => self.challenge(request, checker, false, now),
            Check::Denied { .. } => {
                let mut response = Response::to_request(request, status(checker));
                self.verifier
                    .deny(&mut response, request, now, &mut self.rng);
                Verdict::Challenge(Box::new(response))
            }
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
        let mut response = Response::to_request(request, status(checker));
        self.verifier
            .challenge(&mut response, stale, now, &mut self.rng);
        Verdict::Challenge(Box::new(response))
    }
}

fn status(checker: Checker) -> StatusCode {
    match checker {
        Checker::Server => StatusCode::UNAUTHORIZED,
        Checker::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    }
}

fn digest(algorithm: Algorithm) -> sip::auth::Algorithm {
    match algorithm {
        Algorithm::Md5 => sip::auth::Algorithm::Md5,
        Algorithm::Sha256 => sip::auth::Algorithm::Sha256,
        Algorithm::Sha512T256 => sip::auth::Algorithm::Sha512_256,
    }
}
