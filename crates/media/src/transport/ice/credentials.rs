//! User name fragments, passwords and tie-breakers.

use std::sync::Arc;

use rand::RngExt;
use rand::rngs::StdRng;
use rtc_crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom};

use crate::transport::parameters::Secret;

/// One side's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::transport) struct Credentials {
    pub(in crate::transport) ufrag: String,
    pub(in crate::transport) pwd: Secret,
}

impl Credentials {
    /// Draws new ones: 24 bits and 128 bits at least (RFC 8445 §5.3).
    pub(super) fn random(rng: &mut StdRng) -> Self {
        Self {
            ufrag: ice_chars(rng, 8),
            pwd: Secret::new(ice_chars(rng, 24)),
        }
    }

    pub(in crate::transport) fn is_plausible(&self) -> bool {
        let chars = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b':')
        };
        // RFC 8839 §5.4; shorter ones than it allows are seen and do no harm.
        (1..=256).contains(&self.ufrag.len())
            && (1..=256).contains(&self.pwd.expose().len())
            && chars(&self.ufrag)
            && self
                .pwd
                .expose()
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
    }
}

fn ice_chars(rng: &mut StdRng, len: usize) -> String {
    const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..len)
        .map(|_| char::from(CHARS[rng.random_range(0..CHARS.len())]))
        .collect()
}

/// The crate draws the tie-breaker from its provider; we have to know it too.
pub(super) struct KnownTieBreaker {
    inner: Arc<dyn RTCCryptoProvider>,
    tie_breaker: FixedRandom,
}

impl KnownTieBreaker {
    pub(super) fn new(inner: Arc<dyn RTCCryptoProvider>, tie_breaker: u64) -> Self {
        Self {
            inner,
            tie_breaker: FixedRandom(tie_breaker.to_be_bytes()),
        }
    }
}

struct FixedRandom([u8; 8]);

impl RTCRandom for FixedRandom {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        for (out, byte) in output.iter_mut().zip(self.0.iter().cycle()) {
            *out = *byte;
        }
        Ok(())
    }
}

impl RTCCryptoProvider for KnownTieBreaker {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.inner.crypto()
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.tie_breaker
    }
}
