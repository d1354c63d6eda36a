//! The TLS client: the system's authorities, the application's own, a client certificate.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
    SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::{ConnectError, domain_names};

/// What the application says about TLS; all PEM texts.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Authorities trusted besides the system's, each text one or several certificates.
    pub ca: Vec<String>,
    /// The client certificate with its chain.
    pub cert: Option<String>,
    /// The key of the client certificate.
    pub key: Option<String>,
    /// The name to ask for and to check the certificate against, instead of the URL's host.
    pub servername: Option<String>,
    /// The SHA-256 of the SubjectPublicKeyInfo of each key that the server's own certificate may have, in base64; any if there are
    /// none. It is checked beside the chain, and also if that is not.
    pub pins: Vec<String>,
    /// Whether a certificate that does not verify ends the connection.
    pub reject_unauthorized: bool,
}

impl Default for TlsOptions {
    fn default() -> TlsOptions {
        TlsOptions {
            ca: Vec::new(),
            cert: None,
            key: None,
            servername: None,
            pins: Vec::new(),
            reject_unauthorized: true,
        }
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.len())
            .field("cert", &self.cert.is_some())
            .field("key", &self.key.as_ref().map(|_| "redacted"))
            .field("servername", &self.servername)
            .field("pins", &self.pins)
            .field("reject_unauthorized", &self.reject_unauthorized)
            .finish()
    }
}

impl From<&phone::config::Tls> for TlsOptions {
    fn from(tls: &phone::config::Tls) -> TlsOptions {
        let identity = tls.identity.as_ref();
        TlsOptions {
            ca: tls.ca.clone(),
            cert: identity.map(|(cert, _)| cert.clone()),
            key: identity.map(|(_, key)| key.reveal().to_owned()),
            servername: tls.servername.clone(),
            pins: tls.pins.clone(),
            reject_unauthorized: tls.reject_unauthorized,
        }
    }
}

/// Is given the certificate that a server shows, whether it is trusted or not.
pub(crate) type Witness = Arc<OnceLock<CertificateDer<'static>>>;

/// By which rules the names in a certificate are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Those of the web, for WebSockets, proxies and TURN servers.
    Web,
    /// Those of SIP over TLS (RFC 5922).
    Sip,
}

/// Whether the system tells of a name only if all else of a certificate is good; who else would say nothing of the chain by that.
const NAMES_ARE_JUDGED_LAST: bool = cfg!(all(
    unix,
    not(target_vendor = "apple"),
    not(target_os = "android")
));

/// Builds the client configuration; reads the system's certificates from disk, so it blocks.
pub(super) fn client_config(
    options: &TlsOptions,
    naming: Naming,
    witness: Witness,
) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("ca", &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier(options, naming, provider, witness)?);
    match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates("cert", cert)?, private_key(key)?)
            .map_err(|error| invalid("cert", &error)),
        (Some(_), None) => Err(invalid("key", &"is missing: tls.cert needs its key")),
        (None, Some(_)) => Err(invalid(
            "cert",
            &"is missing: tls.key needs its certificate",
        )),
        (None, None) => Ok(builder.with_no_client_auth()),
    }
}

/// Builds the configuration of a server with this certificate chain, which lets in whoever has a certificate of `ca` if there are
/// any.
pub(super) fn server_config(
    cert: &str,
    key: &str,
    ca: &[String],
) -> Result<ServerConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client_check = match ca.is_empty() {
        true => WebPkiClientVerifier::no_client_auth(),
        false => {
            let mut roots = RootCertStore::empty();
            for certificate in ca.iter().map(|pem| certificates("ca", pem)) {
                for certificate in certificate? {
                    roots
                        .add(certificate)
                        .map_err(|error| invalid("ca", &error))?;
                }
            }
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .map_err(|error| invalid("ca", &error))?
        }
    };
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid("cert", &error))?
        .with_client_cert_verifier(client_check)
        .with_single_cert(certificates("cert", cert)?, private_key(key)?)
        .map_err(|error| invalid("cert", &error))
}

/// The name the certificate is checked against.
pub(super) fn server_name(
    options: &TlsOptions,
    host: &str,
) -> Result<ServerName<'static>, ConnectError> {
    let name = options.servername.as_deref().unwrap_or(host);
    ServerName::try_from(name.to_owned()).map_err(|_| ConnectError::InvalidTlsOption {
        option: "servername",
        why: format!("{name:?} is no host name and no address"),
    })
}

fn verifier(
    options: &TlsOptions,
    naming: Naming,
    provider: Arc<CryptoProvider>,
    witness: Witness,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectError> {
    let algorithms = provider.signature_verification_algorithms;
    let trust = match options.reject_unauthorized {
        true => system(&options.ca, provider)?,
        false => Trust::Anyone,
    };
    Ok(Arc::new(ServerCheck {
        trust,
        naming,
        pins: options.pins.clone(),
        algorithms,
        witness,
    }))
}

fn system(ca: &[String], provider: Arc<CryptoProvider>) -> Result<Trust, ConnectError> {
    let mut extra = Vec::new();
    for pem in ca {
        extra.extend(certificates("ca", pem)?);
    }
    let verifier = Verifier::new_with_extra_roots(extra.iter().cloned(), provider)
        .map_err(|error| invalid("ca", &error))?;
    Ok(Trust::System { verifier, extra })
}

fn certificates(
    option: &'static str,
    pem: &str,
) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(option, &error))?;
    if found.is_empty() {
        return Err(invalid(option, &"holds no PEM certificate"));
    }
    Ok(found)
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, ConnectError> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| invalid("key", &"holds no unencrypted PEM private key"))
}

fn invalid(option: &'static str, why: &dyn fmt::Display) -> ConnectError {
    ConnectError::InvalidTlsOption {
        option,
        why: why.to_string(),
    }
}

/// Who checks the server's certificate.
#[derive(Debug)]
enum Trust {
    /// `rejectUnauthorized: false`: nobody.
    Anyone,
    /// The system, with the authorities of `tls.ca` beside its own.
    System {
        verifier: Verifier,
        extra: Vec<CertificateDer<'static>>,
    },
}

/// The check of a server; the handshake's signatures are always checked.
#[derive(Debug)]
struct ServerCheck {
    trust: Trust,
    naming: Naming,
    pins: Vec<String>,
    algorithms: WebPkiSupportedAlgorithms,
    witness: Witness,
}

/// A key that is none of `tls.pin`.
#[derive(Debug, thiserror::Error)]
#[error(
    "its key is none of tls.pin: it is {key}; was the server's key changed, or is somebody between?"
)]
pub(super) struct UnpinnedKey {
    key: String,
}

impl ServerCheck {
    /// The server's own key counts alone (of RFC 7469 §2.6 any of the chain's would): the rest of what a server sends need not be part of
    /// the chain that was checked, and so proves nothing.
    fn check_pin(&self, end_entity: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let certificate = webpki::EndEntityCert::try_from(end_entity)
            .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let key = STANDARD.encode(Sha256::digest(certificate.subject_public_key_info()));
        if self.pins.contains(&key) {
            return Ok(());
        }
        let unpinned = rustls::OtherError(Arc::new(UnpinnedKey { key }));
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(
            unpinned,
        )))
    }

    fn check_trust(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Trust::System { verifier, extra } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let verdict = match verdict {
            Err(error) if extra.contains(end_entity) && is_about_the_chain(&error) => {
                let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&certificate, server_name)
                    .map(|()| ServerCertVerified::assertion())
            }
            verdict => verdict,
        };
        match (self.naming, server_name) {
            (Naming::Sip, ServerName::DnsName(domain)) => {
                by_the_rules_of_sip(verdict, end_entity, domain.as_ref())
            }
            (Naming::Sip | Naming::Web, _) => verdict,
        }
    }
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let _ = self.witness.set(end_entity.clone().into_owned());
        let trusted =
            self.check_trust(end_entity, intermediates, server_name, ocsp_response, now)?;
        self.check_pin(end_entity)?;
        Ok(trusted)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What the web's rules say of the name does not count, but what is said of all else does.
fn by_the_rules_of_sip(
    verdict: Result<ServerCertVerified, rustls::Error>,
    end_entity: &CertificateDer<'_>,
    domain: &str,
) -> Result<ServerCertVerified, rustls::Error> {
    let is_about_the_name = matches!(
        verdict,
        Err(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        ))
    );
    let trusted = match is_about_the_name && NAMES_ARE_JUDGED_LAST {
        true => ServerCertVerified::assertion(),
        false => verdict?,
    };
    domain_names::check(end_entity, domain)?;
    Ok(trusted)
}

/// Whether a certificate was refused only for who has signed it, or for being an authority itself, as
/// self-signed ones usually are: neither matters where `tls.ca` holds that very certificate. Dates
/// are checked before both.
fn is_about_the_chain(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(fault) = error else {
        return false;
    };
    let is_authority = |error: &rustls::OtherError| {
        let known = error.0.downcast_ref::<webpki::Error>();
        known == Some(&webpki::Error::CaUsedAsEndEntity)
    };
    *fault == CertificateError::UnknownIssuer
        || matches!(fault, CertificateError::Other(error) if is_authority(error))
}
