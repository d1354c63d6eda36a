//! Whose certificate it is, by the rules of SIP (RFC 5922 §7).

use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{self, CertificateError};
use webpki::EndEntityCert;

/// More names of a certificate are not shown in an error.
const MOST_SHOWN: usize = 4;

/// A certificate of another SIP domain.
#[derive(Debug, thiserror::Error)]
#[error(
    "it was issued for {} and not for the SIP domain {wanted} (RFC 5922){}; {}",
    shown(.found), remark(.found), remedy(.found)
)]
pub(super) struct ForeignDomain {
    wanted: String,
    found: Vec<String>,
}

/// Whether the certificate is of this SIP domain: a `sip:` URI without a user names one, DNS names do only without such a URI,
/// and a wildcard never does.
///
/// # Errors
///
/// It is of another, or no certificate.
pub(super) fn check(end_entity: &CertificateDer<'_>, wanted: &str) -> Result<(), rustls::Error> {
    let certificate = EndEntityCert::try_from(end_entity)
        .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let mut found: Vec<&str> = certificate
        .valid_uri_names()
        .filter_map(domain_of)
        .collect();
    if found.is_empty() {
        found = certificate.valid_dns_names().collect();
    }
    let wanted = wanted.trim_end_matches('.');
    if found.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let foreign = ForeignDomain {
        wanted: wanted.to_owned(),
        found: found.into_iter().map(str::to_owned).collect(),
    };
    Err(rustls::Error::InvalidCertificate(CertificateError::Other(
        rustls::OtherError(Arc::new(foreign)),
    )))
}

fn domain_of(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") || rest.contains('@') {
        return None;
    }
    rest.split([':', ';', '?']).next()
}

fn shown(found: &[String]) -> String {
    let names: Vec<_> = found.iter().take(MOST_SHOWN).map(String::as_str).collect();
    match names.is_empty() {
        true => "no domain".to_owned(),
        false => names.join(", "),
    }
}

fn remedy(found: &[String]) -> &'static str {
    let mut names = found.iter();
    match names.len() {
        0 => "the server needs a certificate with that name",
        _ if names.all(|name| name.starts_with("*.")) => {
            "the server needs a certificate with that name, or is reached by wss:, where a wildcard counts"
        }
        _ => "use a name of the certificate in the URL or give it in tls.servername",
    }
}

fn remark(found: &[String]) -> &'static str {
    match found.iter().any(|name| name.starts_with("*.")) {
        true => ", of which no wildcard names one",
        false => "",
    }
}
