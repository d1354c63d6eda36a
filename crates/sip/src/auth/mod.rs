//! Digest (RFC 7616, RFC 8760) and Bearer (RFC 8898) authentication, of both sides.
//!
//! A user agent keeps one [`Authenticator`]: it reads the challenges of 401 and 407, says whether
//! to send the request again, and signs requests. Whoever answers a request can challenge it; the
//! request's [`Way`] decides whom we believe. A registrar keeps one [`Verifier`].

mod algorithm;
pub use algorithm::Algorithm;

mod credentials;
pub use credentials::{BadCredentials, Credentials, Realms, Secret};

mod calculation;

mod digest;
pub use digest::{Digest, Protected};

mod way;
pub use way::{Target, Way, Within};

mod trust;

mod session;

mod verdict;
pub use verdict::{ChallengeVerdict, Unsupported};

mod reading;

mod authenticator;
pub use authenticator::Authenticator;

mod nonce;

mod verifier;
pub use verifier::{Accounts, BearerOffer, Check, Checker, Qops, Verifier, VerifierConfig};

use crate::message::{HeaderName, StatusCode};

/// Which of the two challenges that a request may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// 401, `WWW-Authenticate`, `Authorization`.
    Server,
    /// 407, `Proxy-Authenticate`, `Proxy-Authorization`.
    Proxy,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Server, Self::Proxy];

    fn of(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::UNAUTHORIZED => Some(Self::Server),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Some(Self::Proxy),
            StatusCode { .. } => None,
        }
    }

    fn challenge(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::WwwAuthenticate,
            Self::Proxy => HeaderName::ProxyAuthenticate,
        }
    }

    fn answer(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::Authorization,
            Self::Proxy => HeaderName::ProxyAuthorization,
        }
    }

    fn info(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::AuthenticationInfo,
            Self::Proxy => HeaderName::ProxyAuthenticationInfo,
        }
    }
}
