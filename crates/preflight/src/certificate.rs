use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::clock::day;

/// Authorities renew by themselves a month before; two weeks before the end somebody should look.
const SOON: i64 = 14 * 86_400;
/// More names of a certificate are not shown.
const MOST_NAMES: usize = 8;
/// A name of DNS is not longer.
const LONGEST_NAME: usize = 253;

/// What a server's certificate says of itself; nobody has vouched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names that it is for.
    pub names: Vec<String>,
    /// Who has signed it, as it says.
    pub issuer: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// The base64 of the SHA-256 of its public key, as `tls.pin` takes it.
    pub pin: String,
}

/// How a certificate stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It ends in so many days.
    EndsSoon(i64),
    /// It is valid for longer, or is not valid now, which TLS says.
    Fine,
}

impl CertificateFacts {
    /// Reads a certificate in DER; nothing if it can't be read.
    pub fn read(der: &[u8]) -> Option<CertificateFacts> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|one| one.value.general_names.iter().filter_map(name));
        let issuer = certificate.issuer();
        let common = |name: &x509_parser::x509::X509Name<'_>| {
            let mut names = name.iter_common_name();
            names.next().and_then(|one| one.as_str().ok()).map(shown)
        };
        let mut names: Vec<String> = names.into_iter().flatten().take(MOST_NAMES).collect();
        if names.is_empty() {
            names.extend(common(certificate.subject()));
        }
        Some(CertificateFacts {
            names,
            issuer: common(issuer).unwrap_or_else(|| shown(&issuer.to_string())),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            pin: STANDARD.encode(Sha256::digest(certificate.public_key().raw)),
        })
    }

    /// How it stands at a time since 1970.
    pub fn freshness(&self, unix_seconds: u64) -> Freshness {
        let now = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
        match self.not_after.saturating_sub(now) {
            left @ 0..SOON => Freshness::EndsSoon(left / 86_400),
            _ => Freshness::Fine,
        }
    }

    /// `pbx.example.com, signed by Example CA, valid from 2026-01-01 to 2026-12-31`.
    pub fn sentence(&self) -> String {
        let names = match self.names.is_empty() {
            true => "no name".to_owned(),
            false => self.names.join(", "),
        };
        let (from, to) = (day(self.not_before), day(self.not_after));
        format!(
            "{names}, signed by {}, valid from {from} to {to}",
            self.issuer
        )
    }

    /// The same for programs.
    pub fn details(&self) -> Value {
        json!({
            "names": self.names,
            "issuer": self.issuer,
            "validFrom": day(self.not_before),
            "validTo": day(self.not_after),
            "pin": self.pin,
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no server is found by a name of the other kinds"
    )]
    match name {
        GeneralName::DNSName(name) => Some(shown(name)),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<String> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).to_string());
    let v6 = || <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).to_string());
    v4.or_else(|_| v6()).ok()
}

// A stranger wrote it.
fn shown(name: &str) -> String {
    crate::Secrets::default().clean(name, LONGEST_NAME)
}
