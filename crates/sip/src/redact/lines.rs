use crate::header::grammar::trim;
use crate::message::HeaderName;

const HIDDEN: &str = "…";

/// Parameters and JSON or form fields whose value is a secret.
const SECRET_NAMES: [&str; 12] = [
    "access_token",
    "accesstoken",
    "token",
    "password",
    "passwd",
    "pwd",
    "secret",
    "ha1",
    "client_secret",
    "ice-pwd",
    "credential",
    "apikey",
];

/// Bodies that are DTMF digits.
const DTMF_BODIES: [&str; 3] = [
    "application/dtmf-relay",
    "application/dtmf",
    "audio/telephone-event",
];

pub(super) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut place = LinePlace::Head;
    let mut body_is_dtmf = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let ending = &line[content.len()..];
        match place {
            // Line ends before the start line are no end of the headers (RFC 3261 §7.5).
            LinePlace::Head | LinePlace::HiddenHeader if content.is_empty() => {
                if !out.trim_end().is_empty() {
                    place = LinePlace::Body;
                }
            }
            LinePlace::HiddenHeader if content.starts_with([' ', '\t']) => {
                out.push_str(HIDDEN);
            }
            LinePlace::Head | LinePlace::HiddenHeader => {
                body_is_dtmf |= is_dtmf(content);
                place = header(content, &mut out);
            }
            LinePlace::Body if body_is_dtmf && !content.is_empty() => out.push_str(HIDDEN),
            LinePlace::Body => body_line(content, &mut out),
        }
        out.push_str(ending);
    }
    out
}

#[derive(Clone, Copy)]
enum LinePlace {
    Head,
    /// In a header whose further lines are hidden too.
    HiddenHeader,
    Body,
}

fn is_dtmf(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else {
        return false;
    };
    let kind = trim(value).split(';').next().map(trim).unwrap_or_default();
    HeaderName::lookup(trim(name)) == Some(HeaderName::ContentType)
        && DTMF_BODIES
            .iter()
            .any(|dtmf| dtmf.eq_ignore_ascii_case(kind))
}

fn header(line: &str, out: &mut String) -> LinePlace {
    let Some((name, value)) = line.split_once(':') else {
        fields(line, out);
        return LinePlace::Head;
    };
    match HeaderName::lookup(trim(name)) {
        Some(HeaderName::Authorization | HeaderName::ProxyAuthorization) => {
            let scheme = trim(value).split([' ', '\t']).next().unwrap_or_default();
            out.push_str(name);
            out.push_str(": ");
            // A line without a space after its scheme is all token.
            if scheme.len() < trim(value).len() {
                out.push_str(scheme);
                out.push(' ');
            }
            out.push_str(HIDDEN);
            LinePlace::HiddenHeader
        }
        Some(_) | None => {
            fields(line, out);
            LinePlace::Head
        }
    }
}

fn body_line(line: &str, out: &mut String) {
    for prefix in ["a=ice-pwd:", "a=crypto:", "k="] {
        if line
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        {
            out.push_str(prefix);
            out.push_str(HIDDEN);
            return;
        }
    }
    fields(line, out);
}

/// Copies a line, hiding the passwords of URIs and the values of fields with a secret name, be
/// they `name=value`, `name: value` or `"name": "value"`.
fn fields(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some((before, value, after)) = next_secret(rest) {
        out.push_str(before);
        if !value.is_empty() {
            out.push_str(HIDDEN);
        }
        rest = after;
    }
    out.push_str(rest);
}

/// The first secret of a text: what stands before it, itself, and what follows.
fn next_secret(text: &str) -> Option<(&str, &str, &str)> {
    let mut word_start = None;
    for (at, c) in text.char_indices() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            word_start.get_or_insert(at);
            continue;
        }
        let Some(start) = word_start.take() else {
            continue;
        };
        let word = &text[start..at];
        let value_at = match secret_value(word, &text[at..]) {
            Some(offset) => at + offset,
            None => match uri_password(word, &text[at..]) {
                Some(offset) => at + offset,
                None => continue,
            },
        };
        let (before, value) = text.split_at(value_at);
        let length = value_length(value, before.ends_with('"'));
        return Some((before, &value[..length], &value[length..]));
    }
    None
}

/// Where the value of `word` starts after it, if `word` names a secret.
fn secret_value(word: &str, after: &str) -> Option<usize> {
    let is_secret = |word: &str| {
        SECRET_NAMES
            .iter()
            .any(|name| name.eq_ignore_ascii_case(word))
    };
    // `X-Auth-Token` and its kin.
    let last = word.rsplit('-').next().unwrap_or_default();
    (is_secret(word) || is_secret(last)).then_some(())?;
    let quote = usize::from(after.starts_with('"'));
    let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let mut at = quote + spaces(&after[quote..]);
    after[at..].strip_prefix(['=', ':'])?;
    at += 1;
    at += spaces(&after[at..]);
    at += usize::from(after[at..].starts_with('"'));
    Some(at)
}

/// Where the password of a `sip:user:password@host` starts, `word` being the scheme.
fn uri_password(word: &str, after: &str) -> Option<usize> {
    let sip = word.eq_ignore_ascii_case("sip") || word.eq_ignore_ascii_case("sips");
    let rest = after.strip_prefix(':').filter(|_| sip)?;
    let end = rest.find(['@', '>', ' ', '"', '<'])?;
    let colon = rest[..end].find(':')?;
    rest[end..].starts_with('@').then_some(1 + colon + 1)
}

fn value_length(value: &str, quoted: bool) -> usize {
    match quoted {
        true => {
            let mut escaped = false;
            let end = value.char_indices().find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(value.len(), |(at, _)| at)
        }
        false => value
            .find([' ', '\t', ';', ',', '&', '>', '"', '@', '}', ')'])
            .unwrap_or(value.len()),
    }
}
