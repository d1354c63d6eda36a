//! Both sides of digest and bearer authentication against each other, and against servers that do
//! it differently.

mod answering;
mod bearer;
mod refusing;

use crate::compose::{parse_request, request, start};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::auth::{
    Accounts, Algorithm, Authenticator, BearerOffer, ChallengeVerdict, Check, Checker, Credentials,
    Qops, Secret, Target, Unsupported, Verifier, VerifierConfig, Way, Within,
};
use sip::header::{Authorization, ProxyAuthorization};
use sip::message::{HeaderName, Method, Request, Response, StatusCode};
use std::time::{Duration, Instant};

pub(super) struct Ann;

pub(super) struct Bench {
    rng: StdRng,
    now: Instant,
    verifier: Verifier,
    client: Authenticator,
}

impl Bench {
    fn new(client: Credentials) -> Self {
        Self::with(client, vec![Algorithm::Sha256, Algorithm::Md5], Qops::Auth)
    }

    fn with(client: Credentials, algorithms: Vec<Algorithm>, qops: Qops) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let now = start();
        let config = VerifierConfig {
            realm: "r \"q\", 1".into(),
            algorithms,
            qops,
            nonce_lifetime: Duration::from_secs(60),
            bearer: Some(BearerOffer {
                scope: Some("sip".into()),
                authz_server: None,
            }),
        };
        let verifier = Verifier::new(config, now, &mut rng);
        let client = Authenticator::new(client, "example.com");
        Self {
            rng,
            now,
            verifier,
            client,
        }
    }

    fn check(&mut self, request: &Request) -> Check {
        self.verifier
            .verify(request, Checker::Server, &Ann, self.now)
    }

    fn challenge(&mut self, request: &Request, stale: bool) -> Response {
        let mut response = Response::to_request(request, StatusCode::UNAUTHORIZED);
        self.verifier
            .challenge(&mut response, stale, self.now, &mut self.rng);
        response
    }

    fn answer(&mut self, response: &Response, request: &Request) -> ChallengeVerdict {
        self.client
            .challenge(response, request, way(request), &mut self.rng)
    }

    /// Signs a request in answer to a first challenge.
    fn signed(&mut self) -> Request {
        let mut request = register();
        let challenge = self.challenge(&request, false);
        assert_eq!(self.answer(&challenge, &request), ChallengeVerdict::Retry);
        sign(&mut self.client, &mut request);
        request
    }
}

pub(super) fn ann() -> Credentials {
    Credentials::password("ann", "pa\"ss").unwrap()
}

pub(super) fn register() -> Request {
    parse_request(request("REGISTER", "sip:example.com", &["-Contact:"], b""))
}

/// Where a request goes as a phone of example.com sees it, outside any dialog.
pub(super) fn way(request: &Request) -> Way {
    let target = match (request.method(), request.uri().host_text()) {
        (Method::Register, _) => Target::Registrar,
        (_, "example.com") => Target::OwnDomain,
        _ => Target::Elsewhere,
    };
    Way {
        target,
        within: Within::NoDialog,
    }
}

pub(super) fn sign(client: &mut Authenticator, request: &mut Request) {
    let way = way(request);
    client.authorize(request, way);
}

pub(super) fn challenged(status: StatusCode, request: &Request, challenges: &[&str]) -> Response {
    let name = match status {
        StatusCode::UNAUTHORIZED => "WWW-Authenticate",
        _ => "Proxy-Authenticate",
    };
    let response = Response::to_request(request, status);
    challenges.iter().fold(response, |response, value| {
        response.header(name, value).unwrap()
    })
}

pub(super) fn param(request: &Request, name: &str) -> String {
    let header: Authorization<'_> = request.headers().require().unwrap();
    header.params().raw(name).unwrap_or_default().to_owned()
}
