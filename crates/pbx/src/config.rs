//! What the embedded PBX is told once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// The users, the policies and the extensions of one embedded PBX.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The SIP domain and digest realm; `pbx.test` by default.
    pub domain: String,
    /// Who may register.
    pub users: Vec<User>,
    /// Whether users have to prove who they are; they do by default.
    pub authentication: Authentication,
    /// Digest algorithms offered, in this order (RFC 8760 §2.4); SHA-256 and MD5 by default.
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce is good, in milliseconds; afterwards it is `stale`. 300 s by default.
    #[serde(deserialize_with = "milliseconds")]
    pub nonce_lifetime: Duration,
    /// The shortest registration that is taken, in seconds; below it 423 is answered. 1 by default.
    #[serde(deserialize_with = "seconds")]
    pub min_expires: Duration,
    /// The longest registration that is granted, in seconds; 3600 by default.
    #[serde(deserialize_with = "seconds")]
    pub max_expires: Duration,
    /// Whether media go through the PBX, so that they can be disturbed; they do not by default.
    pub media_relay: bool,
    /// Makes every decision of the media faults the same again; random if absent.
    pub seed: Option<u64>,
    /// Extensions beside the built-in ones, or in their place: user part to what answers there.
    pub extensions: BTreeMap<String, Line>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            domain: "pbx.test".into(),
            users: Vec::new(),
            authentication: Authentication::Digest,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            nonce_lifetime: Duration::from_secs(300),
            min_expires: Duration::from_secs(1),
            max_expires: Duration::from_secs(3600),
            media_relay: false,
            seed: None,
            extensions: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Returns every extension: the built-in ones and the configured ones, which win.
    pub(crate) fn all_extensions(&self) -> BTreeMap<String, Line> {
        let mut all: BTreeMap<String, Line> = [
            ("echo", Extension::Echo),
            ("tone", Extension::Tone { frequency: 440.0 }),
            ("menu", Extension::Menu),
            ("conference", Extension::Conference),
            ("busy", Extension::Refuse { code: 486 }),
            ("noanswer", Extension::Ring),
        ]
        .into_iter()
        .map(|(user, extension)| (user.to_owned(), Line::from(extension)))
        .collect();
        all.extend(self.extensions.clone());
        all
    }
}

/// A user of the PBX.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The user part of the address.
    pub name: String,
    /// The password for digest.
    #[serde(default)]
    pub password: Option<Password>,
    /// The access token that is taken as a bearer token (RFC 8898).
    #[serde(default)]
    pub token: Option<Password>,
}

impl User {
    /// Whether a header can hold its name.
    pub(crate) fn is_valid(&self) -> bool {
        !self.name.is_empty() && !self.name.contains(char::is_control)
    }
}

/// A password or token; Debug does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Wraps a password or token.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Whether users have to prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Authentication {
    /// By digest or bearer token: REGISTER is given 401, the rest 407.
    #[default]
    Digest,
    /// Not at all.
    None,
}

/// A digest algorithm (RFC 8760).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RFC 2617's.
    #[serde(rename = "MD5")]
    Md5,
    /// SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-512 cut to 256 bits.
    #[serde(rename = "SHA-512-256")]
    Sha512T256,
}

/// An extension and how it answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What answers.
    #[serde(flatten)]
    pub extension: Extension,
    /// How long it rings before, in milliseconds, 60 s at most.
    #[serde(default, deserialize_with = "milliseconds")]
    pub answer_after: Duration,
    /// Whether its sound is heard while it rings, after a 183.
    #[serde(default)]
    pub early_media: bool,
}

impl From<Extension> for Line {
    fn from(extension: Extension) -> Self {
        Self {
            extension,
            answer_after: Duration::ZERO,
            early_media: false,
        }
    }
}

/// What answers at an extension.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Extension {
    /// Answers and sends back what it hears.
    Echo,
    /// Answers and plays a sine tone, in hertz.
    Tone {
        /// Hertz.
        frequency: f64,
    },
    /// Answers and plays a WAV file, again and again where `repeat` is set.
    Prompt {
        /// The file's path.
        path: String,
        /// Starts over at the end.
        #[serde(default)]
        repeat: bool,
    },
    /// Answers with silence; a digit 1 to 9 plays a tone of 100 Hz times the digit, `*` echoes, `#` hangs up.
    Menu,
    /// Answers; everybody who calls it hears all the others. `*` mutes a caller for them, and again unmutes.
    Conference,
    /// Refuses with this status, 300 to 699.
    Refuse {
        /// The status code.
        code: u16,
    },
    /// Rings and never answers.
    Ring,
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}
