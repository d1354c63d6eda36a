//! The few productions of RFC 3261 §25.1 that every header is made of.

use std::borrow::Cow;

use crate::octets;

/// Longer values are refused where spans of two octets mark their parts. No value that came in a
/// message as UTF-8 is longer.
pub(crate) const MAX_TEXT: usize = u16::MAX as usize;

pub(crate) const TOKEN: u8 = 1;
pub(crate) const PARAM_VALUE: u8 = 2;
/// What a display name without quotes is made of.
pub(crate) const WORDS: u8 = 4;
/// Neither white space nor a control character.
pub(crate) const VISIBLE: u8 = 8;
/// No control character but the tab.
pub(crate) const PRINTABLE: u8 = 16;

/// What each octet may be part of.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let octet = byte as u8;
        let token = octet.is_ascii_alphanumeric()
            || matches!(
                octet,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        // RFC 3261 §25.1: gen-value is a token, a host (so IPv6 in brackets) or a quoted string;
        // RFC 5626 and others add `/`, `@` and `&` through their own values.
        let value = token
            || octet >= 0x80
            || matches!(
                octet,
                b'[' | b']'
                    | b':'
                    | b'/'
                    | b'@'
                    | b'&'
                    | b'$'
                    | b'#'
                    | b'^'
                    | b'{'
                    | b'}'
                    | b'|'
                    | b'('
                    | b')'
                    | b'?'
                    | b'\\'
            );
        if token {
            table[byte] |= TOKEN | WORDS;
        }
        if octet > b' ' && octet != 0x7f {
            table[byte] |= VISIBLE;
        }
        if !octet.is_ascii_control() || octet == b'\t' {
            table[byte] |= PRINTABLE;
        }
        if octet == b' ' {
            table[byte] |= WORDS;
        }
        if value {
            table[byte] |= PARAM_VALUE;
        }
        byte += 1;
    }
    table
}

#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TOKEN != 0
}

#[inline]
pub(crate) fn is_param_value(byte: u8) -> bool {
    CLASS[usize::from(byte)] & PARAM_VALUE != 0
}

#[inline]
pub(crate) fn is_lws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Where the octets of `class` end that start at `at`.
#[inline]
pub(crate) fn run(bytes: &[u8], at: usize, class: u8) -> usize {
    octets::run(bytes, at, &CLASS, class)
}

/// Cuts white space, and nothing else, from both ends.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    trim_end(trim_start(text))
}

#[inline]
pub(crate) fn trim_end(text: &str) -> &str {
    let tail = text.bytes().rev().take_while(|b| is_lws(*b)).count();
    &text[..text.len() - tail]
}

#[inline]
pub(crate) fn trim_start(text: &str) -> &str {
    let white = text.bytes().take_while(|b| is_lws(*b)).count();
    &text[white..]
}

/// Length of the token that `text` starts with.
#[inline]
pub(crate) fn token_length(text: &str) -> usize {
    run(text.as_bytes(), 0, TOKEN)
}

/// Splits off the token that `text` starts with; `None` if there is none.
pub(crate) fn take_token(text: &str) -> Option<(&str, &str)> {
    match token_length(text) {
        0 => None,
        length => Some(text.split_at(length)),
    }
}

/// Length of the quoted string that `text` starts with, both quotes included; `None` if it never
/// ends.
pub(crate) fn quoted_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        at += match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => 2,
            _ => 1,
        };
    }
    None
}

/// The text of a quoted string without its quotes and escapes; other text as it is.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    match is_escaped(inner) {
        true => Cow::Owned(unescape(inner)),
        false => Cow::Borrowed(inner),
    }
}

/// Whether the inside of a quoted string has a quoted-pair.
pub(crate) fn is_escaped(inner: &str) -> bool {
    memchr::memchr(b'\\', inner.as_bytes()).is_some()
}

/// The inside of a quoted string without its escapes.
pub(crate) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            plain => out.push(plain),
        }
    }
    out
}

/// Appends `text` as a quoted string, escaping what must be (RFC 3261 §25.1).
pub(crate) fn write_quoted(out: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    out.write_str("\"")?;
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\\']) {
        let (before, escaped) = rest.split_at(at);
        out.write_str(before)?;
        out.write_str("\\")?;
        out.write_str(&escaped[..1])?;
        rest = &escaped[1..];
    }
    out.write_str(rest)?;
    out.write_str("\"")
}

/// The elements of a comma-separated value; commas in quotes or angle brackets do not separate.
/// Empty elements are left out.
#[derive(Debug, Clone)]
pub(crate) struct Commas<'a> {
    rest: &'a str,
}

impl<'a> Commas<'a> {
    pub(crate) fn new(value: &'a str) -> Self {
        Self { rest: value }
    }
}

impl<'a> Iterator for Commas<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = element_length(self.rest);
            let element = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

fn element_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if octets::find(bytes, 0, b',').is_none() {
        return bytes.len();
    }
    let mut at = 0;
    while let Some(octet) = bytes.get(at) {
        let end = match octet {
            b',' => return at,
            b'"' => quoted_length(&text[at..]).map(|length| at + length),
            b'<' => octets::find(bytes, at, b'>').map(|bracket| bracket + 1),
            _ => Some(at + 1),
        };
        at = end.unwrap_or(bytes.len());
    }
    bytes.len()
}

/// Reads a decimal number, refusing signs, white space and anything above the type's range.
pub(crate) fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let value = r#""Smith, \"J\", <x>" <sip:a,b@c>;p="1,2", , sip:d@e"#;
        let elements: Vec<_> = Commas::new(value).collect();
        assert_eq!(
            elements,
            [r#""Smith, \"J\", <x>" <sip:a,b@c>;p="1,2""#, "sip:d@e"]
        );
    }

    #[test]
    fn an_open_quote_takes_the_rest() {
        assert_eq!(
            Commas::new("a, \"b, c").collect::<Vec<_>>(),
            ["a", "\"b, c"]
        );
        assert_eq!(Commas::new(",, ,").count(), 0);
        assert_eq!(Commas::new("\"\\").count(), 1);
        assert_eq!(Commas::new("a,\"\\").count(), 2);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "plain", "a\"b\\c", "日本, <語>"] {
            let mut quoted = String::new();
            write_quoted(&mut quoted, text).unwrap();
            assert_eq!(quoted_length(&quoted), Some(quoted.len()));
            assert_eq!(unquote(&quoted), text);
        }
    }

    #[test]
    fn a_decimal_has_no_sign() {
        assert_eq!(decimal::<u32>("0068"), Some(68));
        assert_eq!(decimal::<u32>("+1"), None);
        assert_eq!(decimal::<u32>(""), None);
        assert_eq!(decimal::<u8>("256"), None);
    }
}
