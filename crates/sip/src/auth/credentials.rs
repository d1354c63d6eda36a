use std::fmt;

use super::{Algorithm, Target, Way};

/// What an account proves itself with. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// A password.
    Password(String),
    /// The hash of `username:realm:password`, which answers challenges of its algorithm only.
    Ha1 {
        /// What it was made with.
        algorithm: Algorithm,
        /// Lower-case hex digits.
        hex: String,
    },
    /// A token for the Bearer scheme (RFC 8898).
    Bearer(String),
}

impl Secret {
    /// Takes an HA1 in hex: 32 digits are MD5, 64 are SHA-256. An HA1 of SHA-512/256 has 64 digits
    /// too and is given as [`Secret::Ha1`].
    pub fn ha1(hex: &str) -> Result<Self, BadCredentials> {
        let algorithm = match hex.len() {
            32 => Algorithm::Md5,
            64 => Algorithm::Sha256,
            _ => return Err(BadCredentials::Ha1),
        };
        let hex = hex.to_ascii_lowercase();
        let digits = hex.bytes().all(|b| b.is_ascii_hexdigit());
        digits
            .then_some(Self::Ha1 { algorithm, hex })
            .ok_or(BadCredentials::Ha1)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Ha1 { .. } => "Ha1(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Which realms an account answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Realms {
    /// Every one that asks.
    Any,
    /// These, in any case.
    Only(Vec<String>),
}

impl Realms {
    pub(super) fn contains(&self, realm: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(realms) => realms.iter().any(|own| own.eq_ignore_ascii_case(realm)),
        }
    }
}

/// An account as challenges see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) username: String,
    pub(super) secret: Secret,
    pub(super) realms: Realms,
    pub(super) unasked: bool,
}

/// Why credentials can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCredentials {
    /// The username, password or token has a control character.
    #[error("a control character")]
    ControlCharacter,
    /// An HA1 that is not 32 or 64 hex digits.
    #[error("an HA1 has 32 (MD5) or 64 (SHA-256) hex digits")]
    Ha1,
    /// The token is empty or has characters that the Bearer scheme does not admit.
    #[error("a bearer token consists of letters, digits and -._~+/ with = at the end")]
    Token,
}

impl Credentials {
    /// An account that answers every realm, with a username that may differ from its address.
    pub fn new(username: impl Into<String>, secret: Secret) -> Result<Self, BadCredentials> {
        let username = username.into();
        let text = match &secret {
            Secret::Password(password) => password,
            Secret::Ha1 { algorithm, hex } => {
                let digits = hex.bytes().all(|b| b.is_ascii_hexdigit());
                if !digits || hex.len() != algorithm.hex_length() {
                    return Err(BadCredentials::Ha1);
                }
                hex
            }
            Secret::Bearer(token) if is_token68(token) => token,
            Secret::Bearer(_) => return Err(BadCredentials::Token),
        };
        if username
            .chars()
            .chain(text.chars())
            .any(|c| c.is_ascii_control())
        {
            return Err(BadCredentials::ControlCharacter);
        }
        Ok(Self {
            username,
            secret,
            realms: Realms::Any,
            unasked: false,
        })
    }

    /// An account with a password.
    pub fn password(
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Result<Self, BadCredentials> {
        Self::new(username, Secret::Password(password.into()))
    }

    /// A token, sent to these realms only: whoever has it is the user (RFC 8898 §4).
    pub fn bearer(token: impl Into<String>, realms: Vec<String>) -> Result<Self, BadCredentials> {
        let credentials = Self::new(String::new(), Secret::Bearer(token.into()))?;
        Ok(credentials.only(realms))
    }

    /// The same account for these realms only.
    pub fn only(mut self, realms: Vec<String>) -> Self {
        self.realms = Realms::Only(realms);
        self
    }

    /// The same account, whose token goes without a challenge into every request to a host that is
    /// one of its realms.
    pub fn unasked(mut self) -> Self {
        self.unasked = true;
        self
    }

    /// Whether a request of this way carries the token unasked: the application's word for its own platform, which has
    /// also placed the calls that we place there.
    pub(super) fn goes_unasked(&self, way: Way) -> bool {
        self.unasked && (way.target != Target::Elsewhere || way.began_at_home())
    }

    /// The username.
    pub fn username(&self) -> &str {
        &self.username
    }
}

/// RFC 7235 §2.1.
fn is_token68(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(allowed)
}
