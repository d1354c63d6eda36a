use super::grammar::{
    MAX_TEXT, WORDS, is_escaped, is_lws, is_token, quoted_length, run, trim, trim_end, trim_start,
    unescape, write_quoted,
};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::{HeaderName, Headers};
use crate::octets;
use crate::uri::{self, Span, Uri};
use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut, Range};

/// `"display" <uri>;params`: RFC 3261 §20.10, where parameters after a URI without brackets belong
/// to the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr<'a> {
    display: Option<Cow<'a, str>>,
    uri: Uri<'a>,
    params: Params<'a>,
    conforming: bool,
}

impl<'a> NameAddr<'a> {
    /// An address without a display name and parameters.
    pub fn new(uri: Uri<'a>) -> Self {
        Self {
            display: None,
            uri,
            params: Params::default(),
            conforming: true,
        }
    }

    /// The same address with a display name; an empty one stands for none.
    pub fn with_display(mut self, display: impl Into<Cow<'a, str>>) -> Self {
        self.display = Some(display.into()).filter(|d| !d.is_empty());
        self
    }

    /// The same address with the header parameter set; an empty value stands for none.
    pub fn with_param(mut self, name: &str, value: &str) -> Self {
        self.params.set(name, value);
        self
    }

    /// Reads `name-addr` or `addr-spec` with its parameters.
    pub fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        Ok(Self::of_parts(value, AddressParts::of(value)?))
    }

    /// Reads it as this header is written.
    pub(super) fn of_header(value: &'a str, name: HeaderName) -> Result<Self, HeaderFault> {
        let parts = AddressParts::read(value, Manner::of(name))?;
        Ok(Self::of_parts(value, parts))
    }

    /// The same with a URI that can stand in a request line. One without a user stays as it was written: whoever wrote it
    /// has to know it again.
    pub(super) fn made_reachable(mut self) -> Result<Self, HeaderFault> {
        if self.uri.is_strict() {
            return Ok(self);
        }
        if self.uri.host_text().is_empty() {
            return Err(HeaderFault::Syntax);
        }
        if self.uri.user() == Some("") {
            return Ok(self);
        }
        let text = self.uri.as_str().replace([' ', '\t'], "%20");
        self.uri = text.parse()?;
        Ok(self)
    }

    pub(crate) fn of_parts(value: &'a str, parts: AddressParts) -> Self {
        let display = parts.display.map(|span| span.of(value));
        Self {
            display: display.map(|text| match parts.escaped {
                true => Cow::Owned(unescape(text)),
                false => Cow::Borrowed(text),
            }),
            uri: Uri::from_parts(parts.uri.of(value), parts.uri_parts),
            params: Params::checked(parts.params.of(value)),
            conforming: parts.conforming,
        }
    }

    /// The display name without quotes and escapes.
    pub fn display(&self) -> Option<&str> {
        self.display.as_deref()
    }

    /// The URI.
    pub fn uri(&self) -> &Uri<'a> {
        &self.uri
    }

    /// The header parameters.
    pub fn params(&self) -> &Params<'a> {
        &self.params
    }

    /// The header parameters, to be changed.
    pub fn params_mut(&mut self) -> &mut Params<'a> {
        &mut self.params
    }

    /// Value of the header parameter `name`, without quotes.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Sets the `tag` parameter.
    pub fn set_tag(&mut self, tag: &str) {
        self.params.set("tag", tag);
    }

    /// Whether it followed the grammar without an unquoted comma or the like in the display name,
    /// white space inside the brackets, or a character in the URI that should be escaped.
    pub fn is_conforming(&self) -> bool {
        self.conforming
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> NameAddr<'static> {
        NameAddr {
            display: self.display.map(|d| Cow::Owned(d.into_owned())),
            uri: self.uri.into_owned(),
            params: self.params.into_owned(),
            conforming: self.conforming,
        }
    }
}

impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        f.write_str("<")?;
        f.write_str(self.uri.as_str())?;
        f.write_str(">")?;
        self.params.fmt(f)
    }
}

/// Where the parts of a [`NameAddr`] are in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AddressParts {
    /// The display name without its quotes; never empty.
    display: Option<Span>,
    /// Whether the display name has escapes.
    escaped: bool,
    uri: Span,
    uri_parts: uri::Parts,
    params: Span,
    conforming: bool,
}

/// How far a header's address may be off the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    ByTheLetter,
    /// Who somebody is.
    Party,
    /// Where somebody is: as [`Manner::Party`], and a parameter that only a URI has is the URI's also without brackets.
    Place,
    /// A proxy: without brackets all parameters are the URI's, as `lr` always is.
    Proxy,
    /// A target: without brackets one that asks for headers is a URI to its end.
    Target,
}

impl Manner {
    fn of(name: HeaderName) -> Self {
        use HeaderName::{Contact, From, Path, RecordRoute, ReferTo, Route, ServiceRoute, To};
        let all = [
            (Self::Party, &[From, To][..]),
            (Self::Place, &[Contact]),
            (Self::Proxy, &[Route, RecordRoute, Path, ServiceRoute]),
            (Self::Target, &[ReferTo]),
        ];
        let found = all.iter().find(|(_, names)| names.contains(&name));
        found.map_or(Self::ByTheLetter, |(manner, _)| *manner)
    }

    fn uri(self, text: &str) -> Result<uri::Parts, uri::UriError> {
        match self {
            Self::Party | Self::Place => uri::Parts::of_party(text),
            Self::ByTheLetter | Self::Proxy | Self::Target => uri::Parts::of(text),
        }
    }

    /// Where a URI without brackets ends, at the first semicolon by RFC 3261 §20.
    fn uri_end(self, value: &str, semicolon: usize) -> usize {
        match self {
            Self::ByTheLetter | Self::Party => semicolon,
            Self::Proxy => value.len(),
            Self::Target if value.contains('?') => value.len(),
            Self::Target => semicolon,
            Self::Place => {
                let params = value[semicolon..].split_inclusive(';').skip(1);
                let own = params.take_while(|param| is_of_uri(param));
                let length: usize = own.map(str::len).sum();
                let end = semicolon + if length > 0 { length + 1 } else { 0 };
                end - usize::from(length > 0 && value[..end].ends_with(';'))
            }
        }
    }
}

/// Whether a parameter of a Contact can only be its URI's (RFC 3261 §19.1.1, RFC 5626 §5.4, RFC 5627 §4.1).
fn is_of_uri(param: &str) -> bool {
    let name = param.split(['=', ';']).next().unwrap_or_default();
    let names = ["transport", "ob", "lr", "maddr", "ttl", "user", "gr"];
    names
        .iter()
        .any(|known| trim(name).eq_ignore_ascii_case(known))
}

/// What stands before the brackets of an address.
struct Display {
    span: Span,
    escaped: bool,
    conforming: bool,
}

impl AddressParts {
    pub(crate) fn is_conforming(&self) -> bool {
        self.conforming
    }

    pub(crate) fn of(value: &str) -> Result<Self, HeaderFault> {
        Self::read(value, Manner::ByTheLetter)
    }

    /// Reads From or To.
    pub(crate) fn of_party(value: &str) -> Result<Self, HeaderFault> {
        Self::read(value, Manner::Party)
    }

    fn read(value: &str, manner: Manner) -> Result<Self, HeaderFault> {
        if value.len() > MAX_TEXT {
            return Err(HeaderFault::Syntax);
        }
        match Self::usual(value) {
            Some(parts) => Ok(parts),
            None => Self::any(value, manner),
        }
    }

    /// Reads `["display"] <uri>;params` in one go where nothing in it is escaped or out of the
    /// ordinary, and as [`AddressParts::any`] does; `None` leaves everything else to that.
    #[inline]
    fn usual(value: &str) -> Option<Self> {
        let bytes = value.as_bytes();
        let (name, mut bracket) = match bytes.first()? {
            b' ' => return None,
            b'<' => (0..0, 0),
            b'"' => {
                let end = octets::find(bytes, 1, b'"')?;
                let escaped = octets::find(&bytes[..end], 1, b'\\').is_some();
                (!escaped).then_some((1..end, end + 1))?
            }
            _ => {
                let end = run(bytes, 0, WORDS);
                let space = end > 0 && bytes[end - 1] == b' ';
                (0..end - usize::from(space), end)
            }
        };
        bracket += usize::from(bytes.get(bracket) == Some(&b' '));
        let start = bracket + 1;
        let untrimmed = name.start == 0 && name.end > 0 && bytes[name.end - 1] == b' ';
        if bytes.get(bracket) != Some(&b'<') || untrimmed {
            return None;
        }
        let (uri_parts, length) = uri::Parts::usual(&bytes[start..])?;
        let end = start + length;
        let params = end + 1;
        if bytes.get(end) != Some(&b'>') {
            return None;
        }
        match bytes.get(params..)? {
            [] => {}
            [b';', .., last] if *last > b' ' => Params::check(&value[params..]).ok()?,
            [..] => return None,
        }
        let display = Span::new(name.start, name.end);
        Some(Self {
            display: (!display.is_empty()).then_some(display),
            escaped: false,
            uri: Span::new(start, end),
            uri_parts,
            params: Span::new(params, bytes.len()),
            conforming: true,
        })
    }

    fn any(value: &str, manner: Manner) -> Result<Self, HeaderFault> {
        let value = trim_end(value);
        let start = value.len() - trim_start(value).len();
        let bytes = value.as_bytes();
        if bytes.get(start) == Some(&b'"') {
            return Self::quoted(value, start, manner);
        }
        let words = bytes[start..]
            .iter()
            .position(|b| !is_token(*b) && !is_lws(*b));
        let words = start + words.unwrap_or_default();
        let mark = match bytes.get(words) {
            Some(b'<') => Some(words),
            Some(_) | None => {
                let found = memchr::memchr3(b'<', b'"', b';', &bytes[words..]);
                found.map(|at| words + at)
            }
        };
        match mark.map(|at| (at, bytes[at])) {
            Some((at, b'<')) => Self::named(value, start..at, at == words, manner),
            Some((_, b'"')) => Err(HeaderFault::Unbalanced),
            Some((at, _)) => Self::bare(value, start, at, manner),
            None => Self::bare(value, start, value.len(), manner),
        }
    }

    fn named(
        value: &str,
        name: Range<usize>,
        conforming: bool,
        manner: Manner,
    ) -> Result<Self, HeaderFault> {
        let bracket = name.end;
        let display = Display {
            span: Span::new(name.start, name.start + trim_end(&value[name]).len()),
            escaped: false,
            conforming,
        };
        Self::bracketed(value, display, bracket, manner)
    }

    fn quoted(value: &str, start: usize, manner: Manner) -> Result<Self, HeaderFault> {
        let length = quoted_length(&value[start..]).ok_or(HeaderFault::Unbalanced)?;
        let end = start + length;
        let display = Display {
            span: Span::new(start + 1, end - 1),
            escaped: is_escaped(&value[start + 1..end - 1]),
            conforming: true,
        };
        let bracket = value.len() - trim_start(&value[end..]).len();
        Self::bracketed(value, display, bracket, manner)
    }

    /// Reads on from the `<` that should be at `bracket`.
    fn bracketed(
        value: &str,
        display: Display,
        bracket: usize,
        manner: Manner,
    ) -> Result<Self, HeaderFault> {
        let rest = value[bracket..]
            .strip_prefix('<')
            .ok_or(HeaderFault::Syntax)?;
        let length = memchr::memchr(b'>', rest.as_bytes()).ok_or(HeaderFault::Unbalanced)?;
        let inner = trim(&rest[..length]);
        let uri_parts = manner.uri(inner)?;
        let params = trim_start(&rest[length + 1..]);
        Params::check(params)?;
        let uri_start = value.len() - trim_start(rest).len();
        Ok(Self {
            display: Some(display.span).filter(|span| !span.is_empty()),
            escaped: display.escaped,
            uri: Span::new(uri_start, uri_start + inner.len()),
            uri_parts,
            params: Span::new(value.len() - params.len(), value.len()),
            conforming: display.conforming && inner.len() == length && uri_parts.is_conforming(),
        })
    }

    fn bare(
        value: &str,
        start: usize,
        semicolon: usize,
        manner: Manner,
    ) -> Result<Self, HeaderFault> {
        let end = manner.uri_end(value, semicolon);
        let (text, params) = value.split_at(end);
        let text = trim_end(&text[start..]);
        // RFC 3261 §20: a URI with a comma, question mark or semicolon must be in brackets.
        if text.contains(',') || (text.contains('?') && manner != Manner::Target) {
            return Err(HeaderFault::Syntax);
        }
        let uri_parts = manner.uri(text)?;
        Params::check(params)?;
        Ok(Self {
            display: None,
            escaped: false,
            uri: Span::new(start, start + text.len()),
            uri_parts,
            params: Span::new(end, value.len()),
            conforming: uri_parts.is_conforming() && end == semicolon,
        })
    }
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident, $values:ident $(, $remembered:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a>(pub NameAddr<'a>);

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::$values;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                NameAddr::of_header(value, Self::NAME).map(Self)
            }

            $(
                fn remembered(headers: &'a Headers) -> Option<Self> {
                    let (text, parts) = headers.$remembered()?;
                    Some(Self(NameAddr::of_parts(text, *parts)))
                }
            )?
        }

        impl<'a> Deref for $name<'a> {
            type Target = NameAddr<'a>;

            fn deref(&self) -> &NameAddr<'a> {
                &self.0
            }
        }

        impl DerefMut for $name<'_> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl $name<'_> {
            /// A copy that borrows nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name(self.0.into_owned())
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

addresses! {
    /// Who sends the request (RFC 3261 §20.20).
    From, Line, remembered_from;
    /// Whom the request is meant for (RFC 3261 §20.39).
    To, Line, remembered_to;
    /// A proxy to pass (RFC 3261 §20.34).
    Route, Commas;
    /// A proxy that wants to stay in the path (RFC 3261 §20.30).
    RecordRoute, Commas;
    /// A proxy between registrar and user agent (RFC 3327).
    Path, Commas;
    /// A proxy for the requests of a registered user agent (RFC 3608).
    ServiceRoute, Commas;
    /// Where a REFER sends its receiver (RFC 3515).
    ReferTo, Line;
    /// Who referred (RFC 3892).
    ReferredBy, Line;
    /// Whom to answer to (RFC 3261 §20.31).
    ReplyTo, Line;
    /// The caller as a trusted proxy knows him (RFC 3325).
    PAssertedIdentity, Commas;
    /// The identity that the caller would like (RFC 3325).
    PPreferredIdentity, Commas;
    /// The caller as older systems say it (an expired draft that many PBXs still send).
    RemotePartyId, Commas;
    /// Who diverted the call, as RFC 5806 has it.
    Diversion, Commas;
    /// Where the call has been (RFC 7044).
    HistoryInfo, Commas;
}

#[cfg(test)]
mod tests;
