//! URIs: `sip`, `sips` and `tel` understood, every other scheme kept as it was written.

mod compare;
mod escape;
mod host;
mod parse;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

pub use host::Host;
pub(crate) use host::{plain_end as plain_host_end, take as take_host};
pub(crate) use parse::{Parts, Span};

/// Whether `text` is a host name, an IPv4 address or a bracketed IPv6 address.
pub(crate) fn is_host(text: &str) -> bool {
    host::check(text).is_some()
}

/// What a URI's scheme says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:` (RFC 3261 §19.1).
    Sip,
    /// `sips:` (RFC 3261 §19.1).
    Sips,
    /// `tel:` (RFC 3966).
    Tel,
    /// Any other, opaque.
    Other,
}

/// Why a text is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// There is no `scheme:` in front.
    #[error("no scheme")]
    Scheme,
    /// The user part is empty, or holds an octet that must be escaped.
    #[error("bad user part")]
    User,
    /// The host is missing or no host name or address.
    #[error("bad host")]
    Host,
    /// The port is no number up to 65535.
    #[error("bad port")]
    Port,
    /// A `;` parameter is empty or holds an octet that it may not.
    #[error("bad parameter")]
    Parameter,
    /// A `?` header is malformed.
    #[error("bad header")]
    Header,
    /// White space, a control character, a quote or an angle bracket is in it.
    #[error("character not allowed")]
    Character,
    /// It is longer than 8 KiB.
    #[error("too long")]
    TooLong,
}

/// A URI: one text and where its parts are; it is written exactly as it was read.
#[derive(Clone)]
pub struct Uri<'a> {
    text: Cow<'a, str>,
    parts: Parts,
}

impl<'a> Uri<'a> {
    /// Reads a URI that fills `text`.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        let parts = Parts::of(text)?;
        Ok(Self {
            text: Cow::Borrowed(text),
            parts,
        })
    }

    /// Reads who somebody is as From and To may say it: also with nobody or with blanks before the `@`, or with nothing
    /// behind the scheme.
    pub fn parse_party(text: &'a str) -> Result<Self, UriError> {
        let parts = Parts::of_party(text)?;
        Ok(Self::from_parts(text, parts))
    }

    pub(crate) fn from_parts(text: &'a str, parts: Parts) -> Self {
        Self {
            text: Cow::Borrowed(text),
            parts,
        }
    }

    pub(crate) fn parts(&self) -> Parts {
        self.parts
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Uri<'static> {
        Uri {
            text: Cow::Owned(self.text.into_owned()),
            parts: self.parts,
        }
    }

    /// A second view of the same URI.
    pub fn reborrow(&self) -> Uri<'_> {
        Uri {
            text: Cow::Borrowed(&self.text),
            parts: self.parts,
        }
    }

    /// The whole URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        self.parts.scheme
    }

    /// The scheme's name as it was written.
    pub fn scheme_name(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }

    /// Whether this is a `sip` or `sips` URI.
    pub fn is_sip(&self) -> bool {
        match self.parts.scheme {
            Scheme::Sip | Scheme::Sips => true,
            Scheme::Tel | Scheme::Other => false,
        }
    }

    /// The user part as written, escapes included, without a password; the number of a `tel` URI.
    pub fn user(&self) -> Option<&str> {
        self.parts.user.map(|span| span.of(&self.text))
    }

    /// Whether it is a URI as [`Uri::parse`] reads it. One that From or To hold may be none, and then says nothing of who
    /// somebody is.
    pub fn is_strict(&self) -> bool {
        self.parts.conforming || Parts::of(&self.text).is_ok()
    }

    /// The user part with its escapes undone; octets that are no UTF-8 become U+FFFD.
    pub fn user_unescaped(&self) -> Option<Cow<'_, str>> {
        self.user().map(escape::unescape)
    }

    /// The password of the user part; RFC 3261 §19.1.1 advises against there being one.
    pub fn password(&self) -> Option<&str> {
        self.parts.password.map(|span| span.of(&self.text))
    }

    /// Host of a `sip` or `sips` URI.
    pub fn host(&self) -> Option<Host<'_>> {
        self.is_sip().then(|| Host::of(self.host_text()))
    }

    /// Host as written, empty for other schemes than `sip` and `sips`.
    pub fn host_text(&self) -> &str {
        self.parts.host.of(&self.text)
    }

    /// The explicit port.
    pub fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// The `;` parameters in order: name, and value as written.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        split_pairs(self.parts.params.of(&self.text), ';')
    }

    /// Value of the `;` parameter `name` in any case, an empty text if it has none.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// Whether the URI is a loose router's (RFC 3261 §19.1.1).
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The `?` headers in order: name and escaped value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        split_pairs(self.parts.headers.of(&self.text), '&')
            .map(|(name, value)| (name, value.unwrap_or_default()))
    }

    /// The unescaped value of the `?` header `name`.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers()
            .find(|(key, _)| escape::unescape(key).eq_ignore_ascii_case(name))
            .map(|(_, value)| escape::unescape(value))
    }

    /// Whether the grammar of RFC 3261 §25.1 holds without the characters that we let through in
    /// user parts (`#`, `[`, `^`, unescaped UTF-8, …) and host names (`_`).
    pub fn is_conforming(&self) -> bool {
        self.parts.conforming
    }

    /// Whether both name the same resource by RFC 3261 §19.1.4; `transport` also has to match
    /// where only one of them has it. Numbers of `tel` URIs compare without visual separators
    /// (RFC 3966 §4), other schemes byte for byte.
    pub fn same_as(&self, other: &Uri<'_>) -> bool {
        compare::same(self, other)
    }

    /// Makes a `sip` URI, escaping what the user part may not hold.
    pub fn sip(
        user: Option<&str>,
        host: &str,
        port: Option<u16>,
    ) -> Result<Uri<'static>, UriError> {
        let mut text = String::from("sip:");
        if let Some(user) = user {
            escape::escape_user(&mut text, user);
            text.push('@');
        }
        text.push_str(host);
        if let Some(port) = port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        text.parse()
    }

    /// The same URI with the `;` parameter set; an empty value stands for none.
    pub fn with_param(&self, name: &str, value: &str) -> Result<Uri<'static>, UriError> {
        let mut text = self.without_param(name).text.into_owned();
        let headers = text
            .find('?')
            .filter(|_| self.is_sip())
            .unwrap_or(text.len());
        let mut param = format!(";{name}");
        if !value.is_empty() {
            param.push('=');
            param.push_str(value);
        }
        text.insert_str(headers, &param);
        text.parse()
    }

    /// The same URI without any `;` parameter `name`.
    pub fn without_param(&self, name: &str) -> Uri<'static> {
        self.rebuilt(|key| !key.eq_ignore_ascii_case(name), true)
    }

    /// The same URI without its `?` headers and its `method` parameter, which no request line may
    /// hold (RFC 3261 §19.1.1, table 1).
    pub fn to_request_uri(&self) -> Uri<'static> {
        self.rebuilt(|key| !key.eq_ignore_ascii_case("method"), false)
    }

    fn rebuilt(&self, keep: impl Fn(&str) -> bool, headers: bool) -> Uri<'static> {
        if self.parts.params.is_empty() && (headers || self.parts.headers.is_empty()) {
            return self.clone().into_owned();
        }
        let mut text = self.text[..usize::from(self.parts.before_params)].to_owned();
        for (name, value) in self.params().filter(|(name, _)| keep(name)) {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
        if headers && !self.parts.headers.is_empty() {
            text.push('?');
            text.push_str(self.parts.headers.of(&self.text));
        }
        let parts = Parts::of_party(&text).expect("a URI less some of its parameters is one");
        Uri {
            text: Cow::Owned(text),
            parts,
        }
    }
}

fn split_pairs(text: &str, separator: char) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(separator)
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        })
}

impl FromStr for Uri<'static> {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let parts = Parts::of(text)?;
        Ok(Uri {
            text: Cow::Owned(text.to_owned()),
            parts,
        })
    }
}

impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts.password {
            None => write!(f, "{:?}", self.text),
            Some(span) => {
                let (before, after) = span.around(&self.text);
                write!(f, "\"{before}…{after}\"")
            }
        }
    }
}

impl PartialEq for Uri<'_> {
    /// Byte for byte; [`Uri::same_as`] compares by meaning.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Uri<'_> {}

#[cfg(test)]
mod tests;
