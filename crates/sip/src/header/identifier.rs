use std::borrow::Cow;
use std::fmt;

use super::grammar::{VISIBLE, run, trim};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::{HeaderName, Headers};

/// Names a call, compared byte for byte (RFC 3261 §20.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallId<'a>(pub &'a str);

impl<'a> TypedHeader<'a> for CallId<'a> {
    const NAME: HeaderName = HeaderName::CallId;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let value = trim(value);
        let word = !value.is_empty() && run(value.as_bytes(), 0, VISIBLE) == value.len();
        word.then_some(Self(value)).ok_or(HeaderFault::Syntax)
    }

    fn remembered(headers: &'a Headers) -> Option<Self> {
        headers.remembered_call_id().map(Self)
    }
}

impl fmt::Display for CallId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! dialogs {
    ($($(#[$doc:meta])* $name:ident, $local:literal, $remote:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<'a> {
            call_id: Cow<'a, str>,
            params: Params<'a>,
        }

        impl<'a> $name<'a> {
            /// The dialog's Call-ID.
            pub fn call_id(&self) -> &str {
                &self.call_id
            }

            #[doc = concat!("The tag of the receiver's own side: `", $local, "`.")]
            pub fn local_tag(&self) -> &str {
                self.params.get($local).unwrap_or_default()
            }

            #[doc = concat!("The tag of the other side: `", $remote, "`.")]
            pub fn remote_tag(&self) -> &str {
                self.params.get($remote).unwrap_or_default()
            }

            /// The parameters.
            pub fn params(&self) -> &Params<'a> {
                &self.params
            }

            #[doc = concat!("Names a dialog by Call-ID, `", $local, "` and `", $remote, "`.")]
            pub fn new(call_id: impl Into<Cow<'a, str>>, local_tag: &str, remote_tag: &str) -> Self {
                let mut params = Params::default();
                params.set($local, local_tag);
                params.set($remote, remote_tag);
                Self { call_id: call_id.into(), params }
            }

            /// A copy that borrows nothing.
            pub fn into_owned(self) -> $name<'static> {
                $name {
                    call_id: Cow::Owned(self.call_id.into_owned()),
                    params: self.params.into_owned(),
                }
            }
        }

        impl<'a> TypedHeader<'a> for $name<'a> {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::Line;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                let value = trim(value);
                let (call_id, params) = value.split_at(value.find(';').unwrap_or(value.len()));
                let params = Params::parse(params)?;
                // Each must be there, and once (RFC 3891 §6.1).
                for tag in [$local, $remote] {
                    let mut tags = params.iter().filter(|(name, _)| name.eq_ignore_ascii_case(tag));
                    if tags.next().is_none() || tags.next().is_some() {
                        return Err(HeaderFault::Parameter);
                    }
                }
                let CallId(call_id) = CallId::parse(call_id)?;
                Ok(Self { call_id: Cow::Borrowed(call_id), params })
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", self.call_id, self.params)
            }
        }
    )*};
}

dialogs! {
    /// The dialog that a new one takes the place of (RFC 3891).
    Replaces, "to-tag", "from-tag";
    /// The dialog that a new one is to be mixed with (RFC 3911).
    Join, "to-tag", "from-tag";
    /// A dialog that shows the sender's right to ask (RFC 4538).
    TargetDialog, "local-tag", "remote-tag";
}

impl Replaces<'_> {
    /// Whether only a dialog that is not confirmed may be replaced.
    pub fn is_early_only(&self) -> bool {
        self.params.contains("early-only")
    }
}

/// The identifier of a session from end to end: 32 hex digits a side (RFC 7989).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId<'a> {
    local: &'a str,
    params: Params<'a>,
}

impl SessionId<'_> {
    /// The sender's part.
    pub fn local(&self) -> &str {
        self.local
    }

    /// The receiver's part, as the sender knows it.
    pub fn remote(&self) -> Option<&str> {
        self.params.get("remote")
    }
}

impl<'a> TypedHeader<'a> for SessionId<'a> {
    const NAME: HeaderName = HeaderName::SessionId;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let value = trim(value);
        let (local, params) = value.split_at(value.find(';').unwrap_or(value.len()));
        let local = trim(local);
        if local.len() != 32 || !local.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(HeaderFault::Syntax);
        }
        let params = Params::parse(params)?;
        Ok(Self { local, params })
    }
}

impl fmt::Display for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.local, self.params)
    }
}

/// Data that one user passes to the other (RFC 7433); some systems put commas into it unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToUser<'a> {
    data: &'a str,
    params: Params<'a>,
}

impl UserToUser<'_> {
    /// The data as written, without quotes.
    pub fn data(&self) -> &str {
        self.data
    }

    /// How the data is encoded; `hex` if nothing is said (RFC 7433 §4).
    pub fn encoding(&self) -> &str {
        self.params.get("encoding").unwrap_or("hex")
    }

    /// The parameters.
    pub fn params(&self) -> &Params<'_> {
        &self.params
    }
}

impl<'a> TypedHeader<'a> for UserToUser<'a> {
    const NAME: HeaderName = HeaderName::UserToUser;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let value = trim(value);
        let end = match value.starts_with('"') {
            true => super::grammar::quoted_length(value).ok_or(HeaderFault::Unbalanced)?,
            false => value.find(';').unwrap_or(value.len()),
        };
        let (data, params) = value.split_at(end);
        let data = trim(data).trim_matches('"');
        let params = Params::parse(params)?;
        Ok(Self { data, params })
    }
}

impl fmt::Display for UserToUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.data, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaces_needs_each_tag_once() {
        let text = "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only";
        let replaces = Replaces::parse(text).unwrap();
        assert_eq!(replaces.call_id(), "98732@sip.example.com");
        assert_eq!(replaces.local_tag(), "ff87ff");
        assert_eq!(replaces.remote_tag(), "r33th4x0r");
        assert!(replaces.is_early_only());
        assert!(Replaces::parse("1;to-tag=a").is_err());
        assert!(Replaces::parse("1;to-tag=a;from-tag=b;to-tag=c").is_err());
        assert!(Replaces::parse(";to-tag=a;from-tag=b").is_err());
    }

    #[test]
    fn a_session_id_has_two_sides() {
        let text = "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2";
        let id = SessionId::parse(text).unwrap();
        assert_eq!(id.remote(), Some("47755a9de7794ba387653f2099600ef2"));
        assert!(SessionId::parse("1234").is_err());
    }

    #[test]
    fn user_to_user_data_may_be_quoted() {
        let uui = UserToUser::parse("\"a;b\";encoding=ascii").unwrap();
        assert_eq!((uui.data(), uui.encoding()), ("a;b", "ascii"));
        assert_eq!(UserToUser::parse("00c8,1").unwrap().encoding(), "hex");
    }
}
