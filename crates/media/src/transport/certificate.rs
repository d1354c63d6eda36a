//! The certificate that a process shows in its DTLS handshakes.

use std::fmt;
use std::sync::Arc;

use rtc_crypto::RTCCryptoProvider;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::parameters::{Fingerprint, HashFunction};

/// A self-signed certificate and its key, cheap to clone: one serves a whole process.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    certificate: rtc_dtls::crypto::Certificate,
    provider: Arc<dyn RTCCryptoProvider>,
    fingerprint: Fingerprint,
}

/// Why a certificate can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No key or certificate was found, or one is malformed.
    #[error("the PEM text holds no usable {0}")]
    Pem(&'static str),
    /// The cryptography refused the key or could not make one.
    #[error("the certificate can't be used: {0}")]
    Crypto(String),
}

impl Certificate {
    /// Makes a new key (ECDSA P-256) and a self-signed certificate for it.
    ///
    /// Needs entropy from the operating system, not a clock.
    pub fn generate() -> Result<Self, CertificateError> {
        let provider = provider()?;
        let names = vec!["offhook".to_owned()];
        let certificate =
            rtc_dtls::crypto::Certificate::generate_self_signed(names, provider.crypto())
                .map_err(|error| CertificateError::Crypto(error.to_string()))?;
        Self::new(certificate, provider)
    }

    /// Reads a PKCS#8 key (RSA or ECDSA P-256) and its certificate chain, in any order.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let provider = provider()?;
        let key = pem_block(pem, "PRIVATE KEY").ok_or(CertificateError::Pem("PKCS#8 key"))?;
        let chain = pem_blocks(pem, "CERTIFICATE");
        if chain.is_empty() {
            return Err(CertificateError::Pem("certificate"));
        }
        // rtc-dtls wants the key first, and its tag written with an underscore.
        let text = format!(
            "-----BEGIN PRIVATE_KEY-----\n{}\n-----END PRIVATE_KEY-----\n{}",
            key.trim(),
            chain
                .iter()
                .map(|block| format!(
                    "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                    block.trim()
                ))
                .collect::<String>()
        );
        let certificate = rtc_dtls::crypto::Certificate::from_pem(&text, provider.crypto())
            .map_err(|_| CertificateError::Pem("RSA or ECDSA P-256 key with its certificate"))?;
        Self::new(certificate, provider)
    }

    /// Returns the fingerprints to announce: SHA-256, which every peer understands.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        vec![self.inner.fingerprint.clone()]
    }

    /// Returns the certificate's fingerprint by another hash function.
    pub fn fingerprint(&self, function: HashFunction) -> Fingerprint {
        let der = self.inner.certificate.certificate.first();
        digest(function, der.map_or(&[][..], |der| der.as_ref()))
    }

    fn new(
        certificate: rtc_dtls::crypto::Certificate,
        provider: Arc<dyn RTCCryptoProvider>,
    ) -> Result<Self, CertificateError> {
        let der = certificate
            .certificate
            .first()
            .ok_or(CertificateError::Pem("certificate"))?;
        let fingerprint = digest(HashFunction::Sha256, der);
        Ok(Self {
            inner: Arc::new(Inner {
                certificate,
                provider,
                fingerprint,
            }),
        })
    }

    pub(super) fn provider(&self) -> &Arc<dyn RTCCryptoProvider> {
        &self.inner.provider
    }

    pub(super) fn dtls(&self) -> rtc_dtls::crypto::Certificate {
        self.inner.certificate.clone()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Certificate")
            .field(&self.inner.fingerprint)
            .finish()
    }
}

/// Hashes a certificate in DER. The DTLS crate knows SHA-256 only.
pub(super) fn digest(function: HashFunction, der: &[u8]) -> Fingerprint {
    let digest = match function {
        HashFunction::Sha256 => Sha256::digest(der).to_vec(),
        HashFunction::Sha384 => Sha384::digest(der).to_vec(),
        HashFunction::Sha512 => Sha512::digest(der).to_vec(),
    };
    Fingerprint { function, digest }
}

fn provider() -> Result<Arc<dyn RTCCryptoProvider>, CertificateError> {
    rtc_crypto::default_provider().map_err(|error| CertificateError::Crypto(error.to_string()))
}

fn pem_block<'a>(pem: &'a str, tag: &str) -> Option<&'a str> {
    pem_blocks(pem, tag).into_iter().next()
}

fn pem_blocks<'a>(pem: &'a str, tag: &str) -> Vec<&'a str> {
    let begin = format!("-----BEGIN {tag}-----");
    let end = format!("-----END {tag}-----");
    let mut blocks = Vec::new();
    let mut rest = pem;
    while let Some((_, after)) = rest.split_once(&begin) {
        let Some((block, tail)) = after.split_once(&end) else {
            break;
        };
        blocks.push(block);
        rest = tail;
    }
    blocks
}
