use crate::header::grammar::trim;
use crate::message::HeaderName;

const HIDDEN: &str = "…";

/// Parameters and JSON or form fields whose value is a secret, also behind other words: `X-Auth-Token`, `client_secret`.
const SECRET_NAMES: [&str; 11] = [
    "accesstoken",
    "authorization",
    "token",
    "password",
    "passwd",
    "pwd",
    "secret",
    "ha1",
    "credential",
    "credentials",
    "apikey",
];

/// What names a secret only behind another word: `api_key`, `X-API-Key`.
const SECRET_ENDS: [&str; 1] = ["key"];

/// Fields of bodies whose value is what somebody pressed, whatever the body is called.
const DIGIT_NAMES: [&str; 2] = ["signal", "digits"];

/// Headers beside those of SIP whose whole value is a secret.
const SECRET_HEADERS: [&str; 2] = ["cookie", "set-cookie"];

/// Bodies that are DTMF digits.
const DTMF_BODIES: [&str; 4] = [
    "application/dtmf-relay",
    "application/dtmf",
    "application/vnd.nortelnetworks.digits",
    "audio/telephone-event",
];

pub(super) fn redact(text: &str) -> String {
    let mut redactor = Redactor::default();
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        redactor.take(content);
        redactor.out.push_str(&line[content.len()..]);
    }
    redactor.out
}

/// Goes over a message line by line.
#[derive(Default)]
struct Redactor {
    out: String,
    place: LinePlace,
    /// The body is what somebody pressed.
    pressed: bool,
    /// This part of it is.
    part_pressed: bool,
    /// The header that a folded line goes on with says what the body is.
    is_content_type: bool,
}

#[derive(Clone, Copy, Default)]
enum LinePlace {
    #[default]
    Head,
    /// In a header whose further lines are hidden too.
    HiddenHeader,
    Body,
}

impl Redactor {
    fn take(&mut self, line: &str) {
        match self.place {
            // Line ends before the start line are no end of the headers (RFC 3261 §7.5).
            LinePlace::Head | LinePlace::HiddenHeader if line.is_empty() => {
                if !self.out.trim_end().is_empty() {
                    self.place = LinePlace::Body;
                }
            }
            LinePlace::HiddenHeader if line.starts_with([' ', '\t']) => {
                self.out.push_str(HIDDEN);
            }
            LinePlace::Head | LinePlace::HiddenHeader => {
                self.pressed |= self.says_pressed(line);
                self.place = header(line, &mut self.out);
            }
            LinePlace::Body => self.take_of_body(line),
        }
    }

    fn take_of_body(&mut self, line: &str) {
        // RFC 2046 §5.1.1: a part ends here, and the next says what it is.
        let is_boundary = line.starts_with("--");
        if (self.pressed || self.part_pressed && !is_boundary) && !line.is_empty() {
            self.out.push_str(HIDDEN);
            return;
        }
        self.part_pressed &= !is_boundary;
        self.part_pressed |= self.says_pressed(line);
        body_line(line, &mut self.out);
    }

    /// Whether a line says that what follows the headers is what somebody pressed.
    fn says_pressed(&mut self, line: &str) -> bool {
        let value = match line.strip_prefix([' ', '\t']) {
            Some(folded) => folded,
            None => {
                let named = line.split_once(':');
                let (name, value) = named.unwrap_or_default();
                self.is_content_type =
                    HeaderName::lookup(trim(name)) == Some(HeaderName::ContentType);
                value
            }
        };
        self.is_content_type && is_pressed(value)
    }
}

fn is_pressed(content_type: &str) -> bool {
    let kind = content_type.split(';').next().map(trim).unwrap_or_default();
    is_one_of(&DTMF_BODIES, kind)
}

fn is_one_of(names: &[&str], word: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(word))
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
        Some(_) | None if is_one_of(&SECRET_HEADERS, trim(name)) => {
            out.push_str(name);
            out.push_str(": ");
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
    // A part of a body may be a message (RFC 3261 §23).
    let name = line.split_once(':').map(|(name, _)| trim(name));
    let hides = |name: &str| match HeaderName::lookup(name) {
        Some(HeaderName::Authorization | HeaderName::ProxyAuthorization) => true,
        Some(_) | None => is_one_of(&SECRET_HEADERS, name),
    };
    match name.is_some_and(hides) {
        true => drop(header(line, out)),
        false => named_fields(line, &[&SECRET_NAMES[..], &DIGIT_NAMES].concat(), out),
    }
}

/// Copies a line, hiding the passwords of URIs and the values of fields with a secret name, be
/// they `name=value`, `name: value` or `"name": "value"`.
fn fields(line: &str, out: &mut String) {
    named_fields(line, &SECRET_NAMES, out);
}

fn named_fields(line: &str, names: &[&str], out: &mut String) {
    let mut rest = line;
    while let Some((before, value, after)) = next_secret(rest, names) {
        out.push_str(before);
        if !value.is_empty() {
            out.push_str(HIDDEN);
        }
        rest = after;
    }
    out.push_str(rest);
}

/// The first secret of a text: what stands before it, itself, and what follows.
fn next_secret<'a>(text: &'a str, names: &[&str]) -> Option<(&'a str, &'a str, &'a str)> {
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
        let value_at = match secret_value(word, names, &text[at..]) {
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
fn secret_value(word: &str, names: &[&str], after: &str) -> Option<usize> {
    let is_secret = match word.rsplit_once(['-', '_']) {
        Some((_, last)) => is_one_of(names, last) || is_one_of(&SECRET_ENDS, last),
        None => is_one_of(names, word),
    };
    is_secret.then_some(())?;
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
