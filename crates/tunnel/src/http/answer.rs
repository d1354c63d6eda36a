use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use sip::auth::{Algorithm, Credentials, Digest, Protected, Unsupported};
use sip::header::Challenge;

use crate::{Login, TunnelFault};

/// The most challenges that are read of one answer.
const MOST_CHALLENGES: usize = 32;
/// The most schemes that an error names.
const MOST_NAMED: usize = 4;

/// How well credentials are kept from who listens, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The password itself (RFC 7617).
    Basic,
    /// A digest (RFC 7616).
    Digest(Algorithm),
}

/// What answers a challenge.
pub(super) enum Answer {
    Basic(String),
    Digest {
        credentials: Credentials,
        realm: String,
        nonce: String,
        is_stale: bool,
        digest: Box<Digest>,
        /// How often this nonce was answered.
        count: u32,
    },
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?})", self.strength())
    }
}

impl Answer {
    pub(super) fn strength(&self) -> Strength {
        match self {
            Self::Basic(_) => Strength::Basic,
            Self::Digest { digest, .. } => Strength::Digest(digest.strength()),
        }
    }

    /// The value of `Proxy-Authorization` for one more CONNECT.
    pub(super) fn value(&mut self, authority: &str) -> Option<String> {
        match self {
            Self::Basic(value) => Some(value.clone()),
            Self::Digest {
                credentials,
                realm,
                digest,
                count,
                ..
            } => {
                *count += 1;
                let protected = Protected {
                    method: "CONNECT",
                    // RFC 7616 §3.4.1: as the request line has it.
                    uri: authority,
                    body: b"",
                };
                digest.answer(realm, credentials, &protected, *count)
            }
        }
    }

    /// Whether a proxy that was given `before` says no more by this than that it wants another nonce.
    pub(super) fn asks_anew(&self, before: &Answer) -> bool {
        match (self, before) {
            (
                Self::Digest {
                    nonce, is_stale, ..
                },
                Self::Digest { nonce: old, .. },
            ) => *is_stale && nonce != old,
            (Self::Basic(_), _) | (_, Self::Basic(_)) => false,
        }
    }
}

/// The challenges of a 407.
pub(super) struct Offers<'a>(Vec<Challenge<'a>>);

impl<'a> Offers<'a> {
    pub(super) fn read(lines: &'a [String]) -> Self {
        let challenges = lines.iter().flat_map(|line| Challenge::all(line));
        Self(challenges.take(MOST_CHALLENGES).collect())
    }

    /// Their names for an error; those that are none of the known ones may be anything and are counted as others.
    pub(super) fn schemes(&self) -> String {
        let known = ["Basic", "Digest", "Negotiate", "NTLM", "Kerberos", "Bearer"];
        let name = |one: &Challenge<'_>| {
            let known = known.into_iter().find(|known| one.is(known));
            known.unwrap_or("another scheme")
        };
        let mut names: Vec<&str> = self.0.iter().map(name).collect();
        names.dedup();
        names.truncate(MOST_NAMED);
        match names.is_empty() {
            true => "it does not say how".to_owned(),
            false => names.join(", "),
        }
    }

    /// How well whoever asks this keeps credentials: as the strongest challenge that can be answered, by whomever. A digest that
    /// can't be is no request for the password either.
    pub(super) fn asked(&self, rng: &mut StdRng) -> Option<Strength> {
        let anybody = Login {
            username: "anybody".to_owned(),
            password: String::new(),
        };
        let answers = self
            .0
            .iter()
            .filter_map(|one| answer(one, &anybody, &mut *rng));
        let strongest = answers.map(|answer| answer.strength()).max();
        let is_digest = |one: &Challenge<'_>| one.is("Digest");
        strongest.or_else(|| {
            let digest = Strength::Digest(Algorithm::Md5);
            self.0.iter().any(is_digest).then_some(digest)
        })
    }

    /// The answer to the strongest challenge that can be answered, none of them weaker than `least`.
    pub(super) fn strongest(
        &self,
        login: &Login,
        least: Option<Strength>,
        rng: &mut StdRng,
    ) -> Result<Answer, TunnelFault> {
        let answers = self.0.iter().filter_map(|one| answer(one, login, rng));
        // The first of several that are as strong: the proxy's own preference.
        let best = answers.reduce(|best, next| match next.strength() > best.strength() {
            true => next,
            false => best,
        });
        match best {
            None => Err(TunnelFault::Unsupported {
                schemes: self.schemes(),
            }),
            Some(best) if least.is_some_and(|least| best.strength() < least) => {
                Err(TunnelFault::Weaker)
            }
            Some(best) => Ok(best),
        }
    }
}

/// `None` if it can't be answered.
fn answer(challenge: &Challenge<'_>, login: &Login, rng: &mut StdRng) -> Option<Answer> {
    let Login { username, password } = login;
    if challenge.is("Basic") {
        let both = STANDARD.encode(format!("{username}:{password}"));
        return Some(Answer::Basic(format!("Basic {both}")));
    }
    if !challenge.is("Digest") {
        return None;
    }
    let credentials = Credentials::password(username, password).ok()?;
    let realm = as_written(challenge, "realm")?;
    let nonce = as_written(challenge, "nonce")?;
    let digest: Result<Digest, Unsupported> = Digest::accept(challenge, &credentials, rng);
    Some(Answer::Digest {
        credentials,
        realm,
        nonce,
        is_stale: challenge.is_stale(),
        digest: Box::new(digest.ok()?),
        count: 0,
    })
}

/// The characters between the quotes, escapes kept: what a digest is made of.
fn as_written(challenge: &Challenge<'_>, name: &str) -> Option<String> {
    let value = challenge.params().raw(name)?;
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    Some(inner.unwrap_or(value).to_owned())
}
