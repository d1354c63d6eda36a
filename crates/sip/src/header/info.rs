use std::borrow::Cow;
use std::fmt;

use super::grammar::{trim, trim_start};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::HeaderName;

macro_rules! infos {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a> {
            target: Cow<'a, str>,
            params: Params<'a>,
        }

        impl<'a> $name<'a> {
            /// What stands in the angle brackets, or the bare text that some systems send.
            pub fn target(&self) -> &str {
                &self.target
            }

            /// Value of the parameter `name` in any case, without quotes.
            pub fn param(&self, name: &str) -> Option<&str> {
                self.params.get(name)
            }

            /// The parameters.
            pub fn params(&self) -> &Params<'a> {
                &self.params
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name {
                    target: Cow::Owned(self.target.into_owned()),
                    params: self.params.into_owned(),
                }
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::Commas;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                let (target, params) = target_and_params(value)?;
                Ok(Self { target: Cow::Borrowed(target), params })
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "<{}>{}", self.target, self.params)
            }
        }
    )*};
}

infos! {
    /// How to alert (RFC 3261 §20.4); often a bare word, as in `Auto Answer`.
    AlertInfo;
    /// More about the caller or the call (RFC 3261 §20.9).
    CallInfo;
    /// More about an error (RFC 3261 §20.18).
    ErrorInfo;
}

/// `<absoluteURI>` or, as PBXs write it, any text without a semicolon; then parameters. A value
/// may also be nothing but parameters (`;answer-after=0`, `info=alert-autoanswer`).
fn target_and_params(value: &str) -> Result<(&str, Params<'_>), HeaderFault> {
    let value = trim(value);
    if let Some(rest) = value.strip_prefix('<') {
        let (target, rest) = rest.split_once('>').ok_or(HeaderFault::Unbalanced)?;
        return Ok((trim(target), Params::parse(trim_start(rest))?));
    }
    let (target, params) = value.split_at(value.find(';').unwrap_or(value.len()));
    Ok((trim(target), Params::parse(params)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_in_brackets_or_bare() {
        let text = "<http://localhost/AutoAnswer>;delay=0;info=alert-autoanswer";
        let info = AlertInfo::parse(text).unwrap();
        assert_eq!(info.target(), "http://localhost/AutoAnswer");
        assert_eq!(info.param("info"), Some("alert-autoanswer"));
        assert_eq!(
            AlertInfo::parse("Auto Answer").unwrap().target(),
            "Auto Answer"
        );
        assert_eq!(
            AlertInfo::parse(";answer-after=2")
                .unwrap()
                .param("answer-after"),
            Some("2")
        );
        assert!(AlertInfo::parse("<open").is_err());
    }

    #[test]
    fn parameters_are_read_in_any_case() {
        let text = "<224981555_132089748@192.0.2.116>;purpose=info;Answer-After=0";
        assert_eq!(
            CallInfo::parse(text).unwrap().param("answer-after"),
            Some("0")
        );
    }
}
