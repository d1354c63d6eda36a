use std::borrow::Cow;
use std::fmt;

use super::grammar::{Commas, take_token, token_length, trim, trim_start, unquote};
use super::{HeaderFault, TypedHeader, Values};
use crate::message::HeaderName;

/// The comma-separated `name=value` pairs of a challenge or of credentials, as written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthParams<'a> {
    text: Cow<'a, str>,
}

impl<'a> AuthParams<'a> {
    fn parse(text: &'a str) -> Result<Self, HeaderFault> {
        let params = Self {
            text: Cow::Borrowed(text),
        };
        for pair in Commas::new(text) {
            let (name, value) = pair.split_once('=').ok_or(HeaderFault::Parameter)?;
            let name = trim(name);
            if name.is_empty() || token_length(name) != name.len() {
                return Err(HeaderFault::Parameter);
            }
            let value = trim(value);
            if value.starts_with('"') && super::grammar::quoted_length(value) != Some(value.len()) {
                return Err(HeaderFault::Unbalanced);
            }
        }
        Ok(params)
    }

    /// Value of `name` in any case, without quotes and escapes.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(unquote)
    }

    /// Value of `name` in any case, as written.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The pairs in order: name, and value as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        Commas::new(&self.text)
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (trim(name), trim(value)))
    }
}

impl fmt::Debug for AuthParams<'_> {
    /// Names only: the values are secrets, or made of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

/// One challenge of a `WWW-Authenticate` or `Proxy-Authenticate` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    scheme: &'a str,
    params: AuthParams<'a>,
}

/// The value of an `Authorization` or `Proxy-Authorization` line; its text never shows in `Debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCredentials<'a> {
    scheme: &'a str,
    token: Token<'a>,
    params: AuthParams<'a>,
}

#[derive(Clone, PartialEq, Eq)]
struct Token<'a>(&'a str);

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "…" })
    }
}

fn scheme(value: &str) -> Result<(&str, &str), HeaderFault> {
    let (scheme, rest) = take_token(trim(value)).ok_or(HeaderFault::Syntax)?;
    let spaced = rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']);
    spaced
        .then_some((scheme, trim_start(rest)))
        .ok_or(HeaderFault::Syntax)
}

impl<'a> Challenge<'a> {
    /// The challenges of one line. RFC 3261 §7.3.1 wants each on a line of its own; HTTP libraries
    /// put them together, and where one ends is certain: what is no `name=value` begins the next.
    pub fn all(line: &'a str) -> impl Iterator<Item = Self> {
        let mut rest = trim(line);
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (first, others) = rest.split_at(challenge_length(rest));
                rest = others;
                if let Ok(challenge) = Self::parse(trim_separators(first)) {
                    return Some(challenge);
                }
            }
            None
        })
    }

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let (scheme, rest) = scheme(value)?;
        let params = AuthParams::parse(rest)?;
        Ok(Self { scheme, params })
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Whether this is the scheme, in any case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// Its parameters.
    pub fn params(&self) -> &AuthParams<'a> {
        &self.params
    }

    /// Value of the parameter `name`, without quotes and escapes.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(name)
    }

    /// Whether only the nonce was too old (RFC 7616 §3.3).
    pub fn is_stale(&self) -> bool {
        self.param("stale")
            .is_some_and(|stale| stale.eq_ignore_ascii_case("true"))
    }
}

/// Where the second challenge of `text` begins.
fn challenge_length(text: &str) -> usize {
    let mut at = 0;
    let starts = Commas::new(text).map(|element| {
        // Elements are parts of the text, in order.
        let start = text[at..]
            .find(element)
            .map_or(text.len(), |found| at + found);
        at = start + element.len();
        (start, element)
    });
    let mut later = starts
        .skip(1)
        .filter(|(_, element)| begins_challenge(element));
    later.next().map_or(text.len(), |(start, _)| start)
}

/// `Digest realm="x"` or `Negotiate`, but no `realm="x"`.
fn begins_challenge(element: &str) -> bool {
    take_token(element).is_some_and(|(_, rest)| !trim_start(rest).starts_with('='))
}

fn trim_separators(text: &str) -> &str {
    text.trim_matches(|c: char| c == ',' || c.is_ascii_whitespace())
}

impl<'a> ShownCredentials<'a> {
    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let (scheme, rest) = scheme(value)?;
        // RFC 8898 §3: the Bearer scheme carries a bare token68, whose padding is no `name=value`.
        let (token, params) = match AuthParams::parse(rest) {
            Ok(params) if !scheme.eq_ignore_ascii_case("Bearer") => ("", params),
            Ok(_) => (rest, AuthParams::default()),
            Err(fault) if scheme.eq_ignore_ascii_case("Digest") => return Err(fault),
            Err(_) => (rest, AuthParams::default()),
        };
        Ok(Self {
            scheme,
            token: Token(token),
            params,
        })
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// Whether this is the scheme, in any case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The bare token of a scheme that has one instead of parameters.
    pub fn token(&self) -> Option<&'a str> {
        (!self.token.0.is_empty()).then_some(self.token.0)
    }

    /// Its parameters.
    pub fn params(&self) -> &AuthParams<'a> {
        &self.params
    }

    /// Value of the parameter `name`, without quotes and escapes.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(name)
    }
}

macro_rules! lines {
    ($($(#[$doc:meta])* $name:ident($inner:ident);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a>(pub $inner<'a>);

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::Line;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                $inner::parse(trim(value)).map(Self)
            }
        }

        impl<'a> std::ops::Deref for $name<'a> {
            type Target = $inner<'a>;

            fn deref(&self) -> &$inner<'a> {
                &self.0
            }
        }
    )*};
}

lines! {
    /// A challenge of a user agent or registrar (RFC 3261 §20.44).
    WwwAuthenticate(Challenge);
    /// A challenge of a proxy (RFC 3261 §20.27).
    ProxyAuthenticate(Challenge);
    /// The answer to a user agent or registrar (RFC 3261 §20.7).
    Authorization(ShownCredentials);
    /// The answer to a proxy (RFC 3261 §20.28).
    ProxyAuthorization(ShownCredentials);
    /// What the server says after a successful authentication (RFC 7616 §3.5).
    AuthenticationInfo(AuthParams);
    /// What a proxy says after a successful authentication (RFC 7615 §4).
    ProxyAuthenticationInfo(AuthParams);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_parameters_and_not_challenges() {
        let text = r#"Digest realm="a, \"b\"", nonce = "1,2" ,qop="auth,auth-int",stale=TRUE"#;
        let challenge = WwwAuthenticate::parse(text).unwrap();
        assert!(challenge.is("digest"));
        assert_eq!(challenge.param("REALM").as_deref(), Some("a, \"b\""));
        assert_eq!(challenge.params().raw("realm"), Some(r#""a, \"b\"""#));
        assert_eq!(challenge.param("nonce").as_deref(), Some("1,2"));
        assert_eq!(challenge.param("qop").as_deref(), Some("auth,auth-int"));
        assert!(challenge.is_stale());
    }

    #[test]
    fn challenges_in_one_line_are_read_one_by_one() {
        let read = |line| -> Vec<(String, String)> {
            Challenge::all(line)
                .map(|one| {
                    (
                        one.scheme().to_owned(),
                        one.param("realm").unwrap_or_default().into_owned(),
                    )
                })
                .collect()
        };
        let pair = |scheme: &str, realm: &str| (scheme.to_owned(), realm.to_owned());
        for (line, expected) in [
            (r#"Digest realm="a", nonce="1""#, vec![pair("Digest", "a")]),
            (
                r#"Digest realm="a, Digest b=c", nonce="1", Digest nonce = "2", realm=b,"#,
                vec![pair("Digest", "a, Digest b=c"), pair("Digest", "b")],
            ),
            (
                r#"Negotiate, Basic realm="x" , Digest realm="y",, qop="auth,auth-int""#,
                vec![
                    pair("Negotiate", ""),
                    pair("Basic", "x"),
                    pair("Digest", "y"),
                ],
            ),
            // One that can't be read takes no other with it.
            (
                r#"Digest realm="a"x, NTLM abc==, Digest realm="b""#,
                vec![pair("NTLM", ""), pair("Digest", "b")],
            ),
            (r#"Digest realm="open, Digest realm="b""#, vec![]),
            (" , ", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(line), expected, "{line}");
        }
    }

    #[test]
    fn token_and_quoted_values_read_alike() {
        let token = Authorization::parse("Digest cnonce=abc,nc=00000001").unwrap();
        let quoted = Authorization::parse("Digest cnonce=\"abc\", nc=00000001").unwrap();
        assert_eq!(token.param("cnonce"), quoted.param("cnonce"));
    }

    #[test]
    fn an_unknown_scheme_keeps_its_token() {
        let odd = Authorization::parse("NoOneKnowsThisScheme opaque-data=here==").unwrap();
        assert!(odd.is("nooneknowsthisscheme"));
        let bearer = Authorization::parse("Bearer eyJ.abc.def==").unwrap();
        assert_eq!(bearer.token(), Some("eyJ.abc.def=="));
        assert!(!format!("{bearer:?}").contains("eyJ"));
    }

    #[test]
    fn secrets_do_not_show() {
        let digest = Authorization::parse("Digest username=\"al\", response=\"c0ffee\"").unwrap();
        let shown = format!("{digest:?}");
        assert!(shown.contains("response") && !shown.contains("c0ffee"));
    }

    #[test]
    fn malformed_parameters_are_refused() {
        for text in [
            "",
            "Digest realm",
            "Digest realm=\"x",
            "Digest =1",
            "Digest realm=\"x\"y",
        ] {
            assert!(WwwAuthenticate::parse(text).is_err(), "{text}");
        }
    }
}
