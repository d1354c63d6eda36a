use super::escape::{escaped, is_unreserved, is_user_unreserved};
use super::{Scheme, UriError, host};
use crate::octets;

/// Longer URIs than this are refused.
const MAX_URI: usize = 8 * 1024;

/// More parameters or headers in one URI than this are refused: comparing looks each up.
const MAX_PAIRS: usize = 64;

/// A part of a text, by its offsets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// The offsets, of a text that is known to have less than 64 KiB.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u16,
            end: end as u16,
        }
    }

    pub(crate) fn of(self, text: &str) -> &str {
        &text[usize::from(self.start)..usize::from(self.end)]
    }

    pub(super) fn around(self, text: &str) -> (&str, &str) {
        (
            &text[..usize::from(self.start)],
            &text[usize::from(self.end)..],
        )
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Where the parts of a URI are in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(super) scheme: Scheme,
    pub(super) user: Option<Span>,
    pub(super) password: Option<Span>,
    pub(super) host: Span,
    pub(super) port: Option<u16>,
    pub(super) before_params: u16,
    pub(super) params: Span,
    pub(super) headers: Span,
    pub(super) conforming: bool,
}

impl Parts {
    /// The parts of a URI that fills `text`.
    pub(crate) fn of(text: &str) -> Result<Self, UriError> {
        match Self::usual(text.as_bytes()) {
            Some((parts, end)) if end == text.len() => Ok(parts),
            Some(_) | None => parts(text),
        }
    }

    /// The parts of a URI that says who somebody is, or where: also of one with nobody before its `@`, with blanks there,
    /// or with nothing behind its scheme, as platforms write it for who withholds their number. Never for what decides
    /// who is let in.
    pub(crate) fn of_party(text: &str) -> Result<Self, UriError> {
        Self::of(text).or_else(|error| loose(text).ok_or(error))
    }

    /// The parts of the URI that `bytes` start with, and where it ends: at a `>`, a space or the
    /// end.
    ///
    /// Reads `sip:`, user and host of letters, digits and the like, port and parameters without
    /// escapes, in one go, and as [`Parts::of`] does; `None` leaves everything else to it.
    #[inline]
    pub(crate) fn usual(bytes: &[u8]) -> Option<(Self, usize)> {
        let start = 4;
        if bytes.first_chunk::<4>()? != b"sip:" {
            return None;
        }
        let mut user = None;
        let mut host = start;
        let mut end = host::plain_end(bytes, start);
        if !matches!(
            bytes.get(end),
            None | Some(b'@' | b'>' | b' ' | b';' | b':')
        ) {
            end = octets::run(bytes, end, &CLASS, USER);
            bytes.get(end).filter(|b| **b == b'@')?;
        }
        if bytes.get(end) == Some(&b'@') {
            user = Some(Span::new(start, end)).filter(|user| !user.is_empty());
            user?;
            host = end + 1;
            end = host::plain_end(bytes, host);
        }
        if end == host || bytes[host] == b'.' {
            return None;
        }
        let host = Span::new(host, end);
        let port = match bytes.get(end) {
            Some(b':') => Some(usual_port(bytes, &mut end)?),
            Some(_) | None => None,
        };
        let before_params = end as u16;
        let mut params = Span::new(end, end);
        if bytes.get(end) == Some(&b';') {
            let start = end + 1;
            end = usual_params(bytes, start)?;
            params = Span::new(start, end);
        }
        let ends = matches!(bytes.get(end), None | Some(b'>' | b' ')) && end <= MAX_URI;
        let parts = Self {
            scheme: Scheme::Sip,
            user,
            password: None,
            host,
            port,
            before_params,
            params,
            headers: Span::new(end, end),
            conforming: true,
        };
        ends.then_some((parts, end))
    }

    pub(crate) fn has_headers(&self) -> bool {
        !self.headers.is_empty()
    }

    pub(crate) fn is_conforming(&self) -> bool {
        self.conforming
    }
}

/// Reads the number after the colon at `end`, and moves `end` behind it.
fn usual_port(bytes: &[u8], end: &mut usize) -> Option<u16> {
    let start = *end + 1;
    *end = start;
    let mut port = 0u16;
    while let Some(digit) = bytes.get(*end).filter(|b| b.is_ascii_digit()) {
        port = port.checked_mul(10)?.checked_add(u16::from(digit - b'0'))?;
        *end += 1;
    }
    (*end > start).then_some(port)
}

/// Where the parameters end that start at `at`, after their first `;`, if each has a name and no
/// octet that [`check_chars`] would have to look at.
fn usual_params(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut pairs = 1;
    loop {
        let start = at;
        at = octets::run(bytes, at, &CLASS, PAIR);
        match bytes.get(at) {
            Some(b'=') if at > start => at = octets::run(bytes, at + 1, &CLASS, PAIR),
            Some(b';' | b'=') if at == start => return None,
            Some(_) | None => {}
        }
        match bytes.get(at) {
            Some(b';') if pairs < MAX_PAIRS => pairs += 1,
            None | Some(b'>' | b' ') => return Some(at),
            Some(_) => return None,
        }
        at += 1;
    }
}

pub(super) fn parts(text: &str) -> Result<Parts, UriError> {
    if text.len() > MAX_URI {
        return Err(UriError::TooLong);
    }
    if text.starts_with("sip:") {
        return sip(text, Scheme::Sip, 4);
    }
    let colon = memchr::memchr(b':', text.as_bytes()).ok_or(UriError::Scheme)?;
    let scheme = scheme(&text[..colon])?;
    match scheme {
        Scheme::Sip | Scheme::Sips => sip(text, scheme, colon + 1),
        Scheme::Tel => tel(text, colon + 1),
        Scheme::Other => other(text, colon + 1),
    }
}

fn scheme(name: &str) -> Result<Scheme, UriError> {
    let known = [
        ("sip", Scheme::Sip),
        ("sips", Scheme::Sips),
        ("tel", Scheme::Tel),
    ];
    if let Some((_, scheme)) = known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
        return Ok(*scheme);
    }
    let tail = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    match name.as_bytes() {
        [first, rest @ ..] if first.is_ascii_alphabetic() && rest.iter().all(|b| tail(*b)) => {
            Ok(Scheme::Other)
        }
        _ => Err(UriError::Scheme),
    }
}

/// What [`Parts::of_party`] takes beside what is a URI.
fn loose(text: &str) -> Option<Parts> {
    let colon = memchr::memchr(b':', text.as_bytes()).filter(|_| text.len() <= MAX_URI)?;
    let scheme = match scheme(&text[..colon]).ok()? {
        scheme @ (Scheme::Sip | Scheme::Sips) => scheme,
        Scheme::Tel | Scheme::Other => return None,
    };
    let start = colon + 1;
    if start == text.len() {
        let nothing = Span::new(start, start);
        return Some(Parts {
            scheme,
            user: Some(nothing),
            password: None,
            host: nothing,
            port: None,
            before_params: start as u16,
            params: nothing,
            headers: nothing,
            conforming: false,
        });
    }
    let at = start + memchr::memchr(b'@', &text.as_bytes()[start..])?;
    let user = text[start..at].replace([' ', '\t'], "_");
    check_chars(&user, USER).filter(|_| !user.contains(':'))?;
    let user = Some(Span::new(start, at));
    let parts = from_host(text, scheme, user, at + 1).ok()?;
    Some(Parts {
        conforming: false,
        ..parts
    })
}

fn sip(text: &str, scheme: Scheme, start: usize) -> Result<Parts, UriError> {
    let mut conforming = true;
    let mut user = None;
    let mut password = None;
    let mut host_start = start;
    let (plain, end) = user_end(text, start);
    if let Some(at) = end {
        let mut colon = at;
        if !plain {
            let found = memchr::memchr(b':', &text.as_bytes()[start..at]);
            colon = found.map_or(at, |colon| start + colon);
            conforming = check_chars(&text[start..colon], USER).ok_or(UriError::User)?;
        }
        if colon == start {
            return Err(UriError::User);
        }
        user = Some(Span::new(start, colon));
        if colon < at {
            conforming &= check_chars(&text[colon + 1..at], PASSWORD).ok_or(UriError::User)?;
            password = Some(Span::new(colon + 1, at));
        }
        host_start = at + 1;
    }
    let parts = from_host(text, scheme, user, host_start)?;
    Ok(Parts {
        password,
        conforming: conforming && parts.conforming,
        ..parts
    })
}

/// Reads on from the host.
fn from_host(
    text: &str,
    scheme: Scheme,
    user: Option<Span>,
    host_start: usize,
) -> Result<Parts, UriError> {
    let (length, conforming) = host::take(&text[host_start..]).ok_or(UriError::Host)?;
    let host_end = host_start + length;
    let (port, before_params) = port(text, host_end)?;
    let (params, headers) = tail(text, before_params)?;
    Ok(Parts {
        scheme,
        user,
        password: None,
        host: Span::new(host_start, host_end),
        port,
        before_params: before_params as u16,
        params,
        headers,
        conforming,
    })
}

/// Where the user part ends, and whether it has no password, escape or odd character. No other
/// part may hold an `@` that is not escaped.
fn user_end(text: &str, start: usize) -> (bool, Option<usize>) {
    let bytes = &text.as_bytes()[start..];
    // A plain user part is shorter than what setting a vector search up costs.
    let plain = bytes
        .iter()
        .take_while(|b| CLASS[usize::from(**b)] & USER != 0)
        .count();
    match bytes.get(plain) {
        None => (true, None),
        Some(b'@') => (true, Some(start + plain)),
        Some(_) => {
            let at = memchr::memchr(b'@', &bytes[plain..]);
            (false, at.map(|at| start + plain + at))
        }
    }
}

const USER: u8 = 1;
const PASSWORD: u8 = 2;
const PARAM: u8 = 4;
const HEADER: u8 = 8;
const NUMBER: u8 = 16;
const OPAQUE: u8 = 32;
/// What would end or hide a URI wherever it stands.
const FORBIDDEN: u8 = 64;
/// What a parameter is made of but its separators.
const PAIR: u8 = 128;

/// What each octet may be part of without being escaped.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if is_unreserved(byte) {
            table[at] |= USER | PASSWORD | PARAM | HEADER;
        }
        if is_user_unreserved(byte) {
            table[at] |= USER;
        }
        if matches!(byte, b'&' | b'=' | b'+' | b'$' | b',') {
            table[at] |= PASSWORD;
        }
        // RFC 3261 §25.1: paramchar and hnv-char, with their separators, and `,` let through.
        if matches!(
            byte,
            b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$' | b'=' | b';' | b','
        ) {
            table[at] |= PARAM | HEADER;
        }
        if table[at] & PARAM != 0 && !matches!(byte, b';' | b'=') {
            table[at] |= PAIR;
        }
        if byte == b'?' {
            table[at] |= HEADER;
        }
        if byte.is_ascii_hexdigit()
            || matches!(byte, b'+' | b'*' | b'#' | b'-' | b'.' | b'(' | b')')
        {
            table[at] |= NUMBER;
        }
        if byte <= b' ' || matches!(byte, b'"' | b'<' | b'>' | 0x7f) {
            table[at] |= FORBIDDEN;
        } else if byte.is_ascii_graphic() && byte != b'%' {
            table[at] |= OPAQUE;
        }
        at += 1;
    }
    table
}

/// Whether `text` holds only what `allowed` admits, or also characters that devices send without
/// escaping them (`#`, `[`, UTF-8, …). `None` for those that would end or hide the URI, and for
/// an escape without two hex digits.
fn check_chars(text: &str, allowed: u8) -> Option<bool> {
    let bytes = text.as_bytes();
    let mut conforming = true;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let class = CLASS[usize::from(byte)];
        if class & allowed != 0 {
        } else if byte == b'%' {
            escaped(&bytes[at..])?;
            at += 2;
        } else if class & FORBIDDEN != 0 || byte == b'@' {
            return None;
        } else {
            conforming = false;
        }
        at += 1;
    }
    Some(conforming)
}

fn port(text: &str, at: usize) -> Result<(Option<u16>, usize), UriError> {
    if text.as_bytes().get(at) != Some(&b':') {
        return Ok((None, at));
    }
    let digits = text[at + 1..]
        .bytes()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let end = at + 1 + digits;
    let port = text[at + 1..end].parse().map_err(|_| UriError::Port)?;
    Ok((Some(port), end))
}

/// Spans of the parameters, without the first `;`, and of the headers, without the `?`.
fn tail(text: &str, start: usize) -> Result<(Span, Span), UriError> {
    if start == text.len() {
        return Ok((Span::new(start, start), Span::new(start, start)));
    }
    let (params, question) = match text.as_bytes()[start] {
        b'?' => (Span::new(start, start), start),
        b';' => {
            let end = params_end(text, start + 1, Some(b'?'))?;
            (Span::new(start + 1, end), end)
        }
        _ => return Err(UriError::Host),
    };
    if question == text.len() {
        return Ok((params, Span::new(question, question)));
    }
    check_headers(&text[question + 1..])?;
    Ok((params, Span::new(question + 1, text.len())))
}

/// Checks the parameters that start at `start`, after their first `;`, and says where they end.
fn params_end(text: &str, start: usize, terminator: Option<u8>) -> Result<usize, UriError> {
    let mut before = b';';
    let mut pairs = 1;
    let mut plain = true;
    let mut end = start;
    for byte in text.as_bytes()[start..].iter().copied() {
        if CLASS[usize::from(byte)] & PAIR == 0 {
            match byte {
                _ if Some(byte) == terminator => break,
                b';' | b'=' if before == b';' => return Err(UriError::Parameter),
                b';' => pairs += 1,
                b'=' => {}
                _ => plain = false,
            }
        }
        before = byte;
        end += 1;
    }
    let clean = plain || check_chars(&text[start..end], PARAM).is_some();
    (clean && pairs <= MAX_PAIRS)
        .then_some(end)
        .ok_or(UriError::Parameter)
}

fn check_headers(headers: &str) -> Result<(), UriError> {
    let clean = check_chars(headers, HEADER).is_some();
    let mut pairs = headers.split('&');
    let few = pairs.clone().count() <= MAX_PAIRS;
    let named = pairs.all(|pair| !pair.is_empty() && !pair.starts_with('='));
    (clean && named && few)
        .then_some(())
        .ok_or(UriError::Header)
}

fn tel(text: &str, start: usize) -> Result<Parts, UriError> {
    let end = memchr::memchr(b';', &text.as_bytes()[start..]).map_or(text.len(), |at| start + at);
    let conforming = check_chars(&text[start..end], NUMBER).ok_or(UriError::User)?;
    if start == end {
        return Err(UriError::User);
    }
    let params = match text.len() {
        length if length == end => Span::new(end, end),
        _ => Span::new(end + 1, params_end(text, end + 1, None)?),
    };
    Ok(Parts {
        scheme: Scheme::Tel,
        user: Some(Span::new(start, end)),
        password: None,
        host: Span::default(),
        port: None,
        before_params: end as u16,
        params,
        headers: Span::default(),
        conforming,
    })
}

fn other(text: &str, start: usize) -> Result<Parts, UriError> {
    let rest = &text[start..];
    if rest.is_empty() {
        return Err(UriError::Character);
    }
    let conforming = check_chars(rest, OPAQUE).ok_or(UriError::Character)?;
    Ok(Parts {
        scheme: Scheme::Other,
        user: None,
        password: None,
        host: Span::default(),
        port: None,
        before_params: text.len() as u16,
        params: Span::default(),
        headers: Span::default(),
        conforming,
    })
}
