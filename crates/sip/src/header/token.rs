use std::borrow::Cow;
use std::fmt;

use super::grammar::{decimal, is_token, token_length, trim, trim_start};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::HeaderName;

macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name<'a>(pub &'a str);

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::Commas;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                let value = trim(value);
                let token = !value.is_empty() && value.bytes().all(is_token);
                token.then_some(Self(value)).ok_or(HeaderFault::Syntax)
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
    )*};
}

tokens! {
    /// A method that the sender takes (RFC 3261 §20.5).
    Allow;
    /// An event package that the sender takes (RFC 6665 §8.2.2).
    AllowEvents;
    /// An extension that the sender knows (RFC 3261 §20.37).
    Supported;
    /// An extension that the receiver must know (RFC 3261 §20.32).
    Require;
    /// An extension that proxies must know (RFC 3261 §20.29).
    ProxyRequire;
    /// An extension that was required and is not known (RFC 3261 §20.40).
    Unsupported;
}

macro_rules! valued {
    ($($(#[$doc:meta])* $name:ident, $values:ident, $of:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a> {
            value: Cow<'a, str>,
            params: Params<'a>,
        }

        impl<'a> $name<'a> {
            #[doc = concat!("Makes one from its ", $of, ".")]
            pub fn new(value: impl Into<Cow<'a, str>>) -> Self {
                Self { value: value.into(), params: Params::default() }
            }

            #[doc = concat!("The ", $of, " as written.")]
            pub fn value(&self) -> &str {
                &self.value
            }

            /// Whether the value is this one, in any case.
            pub fn is(&self, value: &str) -> bool {
                self.value.eq_ignore_ascii_case(value)
            }

            /// Value of the parameter `name`, without quotes.
            pub fn param(&self, name: &str) -> Option<&str> {
                self.params.get(name)
            }

            /// The parameters.
            pub fn params(&self) -> &Params<'a> {
                &self.params
            }

            /// The same with the parameter set; an empty value stands for none.
            pub fn with_param(mut self, name: &str, value: &str) -> Self {
                self.params.set(name, value);
                self
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name {
                    value: Cow::Owned(self.value.into_owned()),
                    params: self.params.into_owned(),
                }
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::$values;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                let (value, params) = value_and_params(value)?;
                Ok(Self { value: Cow::Borrowed(value), params })
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", self.value, self.params)
            }
        }
    )*};
}

valued! {
    /// Why something happened; several may stand side by side (RFC 3326).
    Reason, Commas, "protocol";
    /// What a body is (RFC 3261 §20.15).
    ContentType, Line, "media type";
    /// A body that the sender takes (RFC 3261 §20.1).
    Accept, Commas, "media range";
    /// What a body is for (RFC 3261 §20.11).
    ContentDisposition, Line, "disposition";
    /// An event package (RFC 6665 §8.2.1).
    Event, Line, "package";
    /// The state of a subscription (RFC 6665 §8.2.3).
    SubscriptionState, Line, "state";
    /// Whether the caller asks for the call to be answered by itself (RFC 5373).
    AnswerMode, Line, "mode";
    /// The same from a caller with the right to override the callee (RFC 5373).
    PrivAnswerMode, Line, "mode";
    /// Whether a REFER makes a subscription (RFC 4488).
    ReferSub, Line, "flag";
}

/// A token, or two with a slash between, and parameters.
fn value_and_params(text: &str) -> Result<(&str, Params<'_>), HeaderFault> {
    let text = trim(text);
    let first = token_length(text);
    let end = match text[first..].strip_prefix('/') {
        Some(rest) => first + 1 + token_length(rest),
        None => first,
    };
    if first == 0 || text[..end].ends_with('/') {
        return spaced_media_type(text);
    }
    let rest = trim_start(&text[end..]);
    if rest.starts_with('/') {
        return spaced_media_type(text);
    }
    Ok((&text[..end], Params::parse(rest)?))
}

/// `type / subtype` with white space around the slash, which RFC 3261 §25.1 admits.
fn spaced_media_type(text: &str) -> Result<(&str, Params<'_>), HeaderFault> {
    let (kind, rest) = text.split_at(token_length(text));
    let rest = trim_start(rest)
        .strip_prefix('/')
        .ok_or(HeaderFault::Syntax)?;
    let subtype = trim_start(rest);
    let length = token_length(subtype);
    if kind.is_empty() || length == 0 {
        return Err(HeaderFault::Syntax);
    }
    let end = text.len() - subtype.len() + length;
    Ok((&text[..end], Params::parse(trim_start(&subtype[length..]))?))
}

impl Reason<'_> {
    /// The `cause`: a status code for `SIP`, a Q.850 cause for `Q.850`.
    pub fn cause(&self) -> Option<u16> {
        // RFC 3326 §2 writes digits; some quote them.
        self.params.unquoted("cause").as_deref().and_then(decimal)
    }

    /// The `text` without quotes and escapes.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.params.unquoted("text")
    }
}

impl ContentType<'_> {
    /// Whether the media type is this one, in any case and without parameters.
    pub fn is_media_type(&self, media_type: &str) -> bool {
        let strip = |c: &char| !c.is_ascii_whitespace();
        let own = self.value.chars().filter(strip);
        own.map(|c| c.to_ascii_lowercase())
            .eq(media_type.chars().map(|c| c.to_ascii_lowercase()))
    }
}

impl Accept<'_> {
    /// Whether the range takes this media type: `*/*`, `type/*` or the type itself, with a `q`
    /// above zero.
    pub fn takes(&self, media_type: &str) -> bool {
        let quality = self.params.get("q").and_then(super::contact::thousandths);
        if quality == Some(0) {
            return false;
        }
        let (kind, subtype) = media_type.split_once('/').unwrap_or((media_type, ""));
        let (own_kind, own_subtype) = self.value.split_once('/').unwrap_or((&self.value, ""));
        let fits = |own: &str, other: &str| {
            let own = trim(own);
            own == "*" || own.eq_ignore_ascii_case(other)
        };
        fits(own_kind, kind) && fits(own_subtype, subtype)
    }
}

/// What an answer mode asks for (RFC 5373 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerModeKind {
    /// Let somebody answer.
    Manual,
    /// Answer by itself.
    Auto,
}

fn answer_mode(value: &str) -> Option<AnswerModeKind> {
    match () {
        () if value.eq_ignore_ascii_case("auto") => Some(AnswerModeKind::Auto),
        () if value.eq_ignore_ascii_case("manual") => Some(AnswerModeKind::Manual),
        () => None,
    }
}

impl AnswerMode<'_> {
    /// The mode; `None` for one that RFC 5373 does not name.
    pub fn kind(&self) -> Option<AnswerModeKind> {
        answer_mode(&self.value)
    }

    /// Whether the call must fail rather than be answered the other way.
    pub fn is_required(&self) -> bool {
        self.params.contains("require")
    }
}

impl PrivAnswerMode<'_> {
    /// The mode; `None` for one that RFC 5373 does not name.
    pub fn kind(&self) -> Option<AnswerModeKind> {
        answer_mode(&self.value)
    }

    /// Whether the call must fail rather than be answered the other way.
    pub fn is_required(&self) -> bool {
        self.params.contains("require")
    }
}

/// What the sender wants hidden, several values with `;` between (RFC 3323 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy<'a>(&'a str);

impl Privacy<'_> {
    /// Whether this value is among them.
    pub fn contains(&self, value: &str) -> bool {
        let mut values = self.0.split([';', ',']);
        values.any(|own| trim(own).eq_ignore_ascii_case(value))
    }
}

impl<'a> TypedHeader<'a> for Privacy<'a> {
    const NAME: HeaderName = HeaderName::Privacy;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let mut values = value.split([';', ',']).map(trim);
        let tokens = values.all(|own| !own.is_empty() && own.bytes().all(is_token));
        tokens.then_some(Self(value)).ok_or(HeaderFault::Syntax)
    }
}

impl fmt::Display for Privacy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_a_cause_and_a_text() {
        let reason =
            Reason::parse(r#"SIP ;cause=200 ;text="Call completed \"elsewhere\"""#).unwrap();
        assert!(reason.is("sip"));
        assert_eq!(reason.cause(), Some(200));
        assert_eq!(
            reason.text().as_deref(),
            Some("Call completed \"elsewhere\"")
        );
        assert_eq!(Reason::parse("Q.850;cause=26").unwrap().cause(), Some(26));
    }

    #[test]
    fn a_written_text_parameter_is_quoted() {
        let reason = Reason::new("SIP")
            .with_param("cause", "200")
            .with_param("text", "a \"b\"");
        assert_eq!(reason.to_string(), r#"SIP;cause=200;text="a \"b\"""#);
    }

    #[test]
    fn a_media_type_may_have_white_space_around_its_slash() {
        let kind = ContentType::parse("Application / SDP ; charset=\"utf-8\"").unwrap();
        assert!(kind.is_media_type("application/sdp"));
        assert_eq!(kind.param("charset"), Some("utf-8"));
        assert!(ContentType::parse("text/").is_err());
        assert!(ContentType::parse("/plain").is_err());
        assert!(ContentType::parse("").is_err());
    }

    #[test]
    fn an_accept_range_is_matched() {
        let takes = |range| Accept::parse(range).unwrap().takes("application/sdp");
        assert!(takes("*/*") && takes("application/*") && takes("Application/Sdp;level=1"));
        assert!(!takes("text/plain") && !takes("application/sdp;q=0.0"));
    }

    #[test]
    fn an_answer_mode_may_be_required() {
        let mode = AnswerMode::parse("auto;require").unwrap();
        assert_eq!(mode.kind(), Some(AnswerModeKind::Auto));
        assert!(mode.is_required());
    }

    #[test]
    fn option_tags_are_tokens() {
        assert_eq!(Supported::parse(" 100rel "), Ok(Supported("100rel")));
        assert!(Require::parse("two words").is_err());
        assert!(Privacy::parse("id; header").unwrap().contains("Header"));
    }
}
