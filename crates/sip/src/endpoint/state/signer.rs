//! Who we are to those who ask: which requests are signed, and which challenges are answered.

use rand::Rng;

use crate::auth::{Authenticator, ChallengeVerdict, Credentials, Target, Unsupported, Way, Within};
use crate::dialog::Origin;
use crate::message::{Method, Request, Response};
use crate::uri::Uri;

/// Signs our requests.
#[derive(Debug)]
pub(in crate::endpoint) struct Signer {
    authenticator: Option<Authenticator>,
    /// The host of our address of record.
    home: String,
    /// The hosts of our own platform.
    domains: Vec<String>,
}

impl Signer {
    pub(in crate::endpoint) fn new(
        credentials: Option<Credentials>,
        home: &str,
        domains: Vec<String>,
    ) -> Self {
        Self {
            authenticator: credentials.map(|credentials| Authenticator::new(credentials, home)),
            home: home.to_owned(),
            domains,
        }
    }

    /// Takes what challenges are answered with from now on; open nonces are forgotten, and not which realms are ours.
    pub(in crate::endpoint) fn set_credentials(&mut self, credentials: Option<Credentials>) {
        match (&mut self.authenticator, credentials) {
            (Some(authenticator), Some(credentials)) => authenticator.set_credentials(credentials),
            (authenticator, credentials) => {
                *authenticator = credentials.map(|new| Authenticator::new(new, &self.home));
            }
        }
    }

    pub(in crate::endpoint) fn forget_algorithms(&mut self) {
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.forget_algorithms();
        }
    }

    /// Signs a request, of the dialog that began there, with every credential that is known to fit.
    pub(in crate::endpoint) fn sign(&mut self, request: &mut Request, origin: Option<&Origin>) {
        let way = self.way(request, origin);
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.authorize(request, way);
        }
    }

    /// Takes from an ACK what its way is not to show.
    pub(in crate::endpoint) fn withhold(&self, ack: &mut Request, origin: &Origin) {
        let way = self.way(ack, Some(origin));
        if let Some(authenticator) = &self.authenticator {
            authenticator.withhold(ack, way);
        }
    }

    /// What was let through proves its credentials, and may bring the next nonce.
    pub(in crate::endpoint) fn accepted(
        &mut self,
        response: &Response,
        request: &Request,
        origin: Option<&Origin>,
    ) {
        let way = self.way(request, origin);
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.accepted(response, request, way);
        }
    }

    /// Signs the request `again` because of a challenge to `request`, or says what is wrong with the challenge, if it is that.
    pub(in crate::endpoint) fn answer(
        &mut self,
        challenge: &Response,
        request: &Request,
        origin: Option<&Origin>,
        mut again: Request,
        rng: &mut impl Rng,
    ) -> Result<Request, Option<Unsupported>> {
        let way = self.way(request, origin);
        let authenticator = self.authenticator.as_mut().ok_or(None)?;
        match authenticator.challenge(challenge, request, way, rng) {
            ChallengeVerdict::Retry => {}
            ChallengeVerdict::WrongPassword { .. } => return Err(None),
            ChallengeVerdict::Unsupported { why } => return Err(Some(why)),
        }
        authenticator.authorize(&mut again, way);
        Ok(again)
    }

    /// The way of a request, of the dialog that began there, by which it is decided who can have challenged it.
    fn way(&self, request: &Request, origin: Option<&Origin>) -> Way {
        if request.method() == &Method::Register {
            return Way::REGISTER;
        }
        Way {
            target: match self.is_ours(&request.uri()) {
                true => Target::OwnDomain,
                false => Target::Elsewhere,
            },
            within: match origin {
                None => Within::NoDialog,
                Some(Origin::Ours { target, signed }) if self.is_ours(target) => match signed {
                    true => Within::Signed,
                    false => Within::Ours,
                },
                Some(Origin::Ours { .. } | Origin::Theirs) => Within::Theirs,
            },
        }
    }

    /// Says whether a URI is of our own domain. One without a host, such as a telephone number, is for our servers to resolve.
    fn is_ours(&self, uri: &Uri<'_>) -> bool {
        let host = uri.host_text();
        let own = |own: &String| own.eq_ignore_ascii_case(host);
        host.is_empty() || self.domains.iter().any(own)
    }
}
