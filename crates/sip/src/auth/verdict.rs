/// What a 401 or 407 comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeVerdict {
    /// Send the request again, signed anew, with CSeq + 1 and another branch (RFC 3261 §22.2).
    Retry,
    /// The server refused what it had asked for: the password, or the token, is wrong. Nothing is
    /// sent again by itself.
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
    /// It is not a server of ours that asks, as far as the request's way tells.
    #[error("neither our registrar nor our proxy asks")]
    Stranger,
    /// An algorithm that is weaker than one that this realm has used.
    #[error("a weaker algorithm than this realm had before")]
    Weaker,
    /// The server keeps calling fresh nonces stale.
    #[error("every nonce is stale")]
    StaleAgain,
    /// More realms than one request can sensibly answer.
    #[error("too many realms")]
    TooManyRealms,
}

/// What one realm's challenge comes to.
pub(super) enum Next {
    Retry,
    WrongPassword,
}

/// What the realms of one response come to together.
#[derive(Default)]
pub(super) struct RealmVerdicts {
    retry: bool,
    wrong: Option<String>,
    unsupported: Option<Unsupported>,
}

impl RealmVerdicts {
    pub(super) fn add(&mut self, realm: &str, result: Result<Next, Unsupported>) {
        match result {
            Ok(Next::Retry) => self.retry = true,
            Ok(Next::WrongPassword) => self.wrong = Some(realm.to_owned()),
            Err(why) => self.unsupported = Some(why),
        }
    }

    pub(super) fn verdict(self) -> ChallengeVerdict {
        match (self.retry, self.wrong, self.unsupported) {
            (true, _, _) => ChallengeVerdict::Retry,
            (false, Some(realm), _) => ChallengeVerdict::WrongPassword { realm },
            (false, None, why) => ChallengeVerdict::Unsupported {
                why: why.unwrap_or(Unsupported::NoChallenge),
            },
        }
    }
}
