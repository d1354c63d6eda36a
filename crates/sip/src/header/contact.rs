//! Where to reach a user agent.

use std::fmt;

use super::grammar::{decimal, trim};
use super::{HeaderFault, NameAddr, TypedHeader, Values};
use crate::message::HeaderName;
use crate::uri::Uri;

/// Where to reach a user agent (RFC 3261 §20.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact<'a> {
    /// `*`: all bindings, in a REGISTER that removes them.
    All,
    /// One address.
    Address(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// The address, unless this is `*`.
    pub fn address(&self) -> Option<&NameAddr<'a>> {
        match self {
            Self::All => None,
            Self::Address(address) => Some(address),
        }
    }

    /// The URI, unless this is `*`.
    pub fn uri(&self) -> Option<&Uri<'a>> {
        self.address().map(NameAddr::uri)
    }

    /// Value of the header parameter `name`, without quotes.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.address()?.param(name)
    }

    /// The `expires` parameter in seconds; one that is too large counts as the largest there is,
    /// a malformed one as absent (RFC 3261 §20.10).
    pub fn expires(&self) -> Option<u32> {
        let text = self.param("expires")?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u32::MAX))
    }

    /// The preference in thousandths, 1000 if there is none.
    pub fn q(&self) -> u16 {
        self.param("q").and_then(thousandths).unwrap_or(1000)
    }

    /// The `+sip.instance` (RFC 5626 §4.1) without quotes and angle brackets.
    pub fn instance(&self) -> Option<&str> {
        let text = self.param("+sip.instance")?;
        Some(
            text.strip_prefix('<')
                .and_then(|t| t.strip_suffix('>'))
                .unwrap_or(text),
        )
    }

    /// The `reg-id` (RFC 5626 §4.2).
    pub fn reg_id(&self) -> Option<u32> {
        self.param("reg-id").and_then(decimal)
    }

    /// The public GRUU that a registrar gave (RFC 5627 §4.1).
    pub fn pub_gruu(&self) -> Option<Uri<'_>> {
        self.param("pub-gruu").and_then(|uri| Uri::parse(uri).ok())
    }

    /// The temporary GRUU that a registrar gave (RFC 5627 §4.1).
    pub fn temp_gruu(&self) -> Option<Uri<'_>> {
        self.param("temp-gruu").and_then(|uri| Uri::parse(uri).ok())
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Contact<'static> {
        match self {
            Self::All => Contact::All,
            Self::Address(address) => Contact::Address(address.into_owned()),
        }
    }
}

/// A qvalue, `0` to `1` with up to three decimals, in thousandths.
pub(crate) fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match (whole, fraction) {
        ("0" | "", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

impl<'a> TypedHeader<'a> for Contact<'a> {
    const NAME: HeaderName = HeaderName::Contact;
    const VALUES: Values = Values::Commas;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        match trim(value) {
            "*" => Ok(Self::All),
            text => NameAddr::of_header(text, Self::NAME)?
                .made_reachable()
                .map(Self::Address),
        }
    }
}

impl fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Address(address) => address.fmt(f),
        }
    }
}
