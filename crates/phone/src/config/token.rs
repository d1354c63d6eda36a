use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What this phone reads from a JSON Web Token; its signature is the server's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenClaims {
    pub(crate) subject: Option<String>,
    /// Since 1970.
    pub(crate) expires: Option<Duration>,
}

impl TokenClaims {
    /// Reads a token that is a JWT (RFC 7519); nothing if it is opaque.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&json).ok()?;
        let object = claims.as_object()?;
        Some(Self {
            subject: object
                .get("sub")
                .and_then(|sub| sub.as_str())
                .map(str::to_owned),
            expires: object
                .get("exp")
                .and_then(serde_json::Value::as_f64)
                .and_then(|exp| Duration::try_from_secs_f64(exp).ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_gives_subject_and_expiry() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"alice","exp":1700000000}"#);
        let claims = TokenClaims::read(&format!("e30.{payload}.sig")).expect("a JWT");
        assert_eq!(claims.subject.as_deref(), Some("alice"));
        assert_eq!(claims.expires, Some(Duration::from_secs(1_700_000_000)));
    }

    #[test]
    fn an_opaque_token_has_no_claims() {
        for token in ["abc", "a.b.c", "a.b", "", "....", "e30.WzFd.x"] {
            assert_eq!(TokenClaims::read(token), None, "{token}");
        }
    }
}
