//! Typed views of header values: parsed on demand, borrowing from the message.
//!
//! Grouped by grammar: addresses, Via, numbers, tokens, dialog identifiers, media types,
//! information with a URI, authentication. Every view can be written back with `Display`;
//! parameters that nobody asked for survive as they were.

pub(crate) mod grammar;

mod params;
pub use params::Params;

mod address;
pub use address::{
    Diversion, From, HistoryInfo, NameAddr, PAssertedIdentity, PPreferredIdentity, Path,
    RecordRoute, ReferTo, ReferredBy, RemotePartyId, ReplyTo, Route, ServiceRoute, To,
};

pub(crate) use address::AddressParts;

mod contact;
pub use contact::Contact;

mod via;
pub(crate) use via::ViaParts;
pub use via::{MAGIC_COOKIE, Via};

mod number;
pub use number::{
    CSeq, ContentLength, Expires, FlowTimer, MaxForwards, MinExpires, MinSe, RAck, RSeq, Refresher,
    RetryAfter, SessionExpires,
};

mod date;
pub use date::Date;

mod token;
pub use token::{
    Accept, Allow, AllowEvents, AnswerMode, AnswerModeKind, ContentDisposition, ContentType, Event,
    PrivAnswerMode, Privacy, ProxyRequire, Reason, ReferSub, Require, SubscriptionState, Supported,
    Unsupported,
};

mod identifier;
pub use identifier::{CallId, Join, Replaces, SessionId, TargetDialog, UserToUser};

mod info;
pub use info::{AlertInfo, CallInfo, ErrorInfo};

mod authentication;
pub use authentication::{
    AuthParams, AuthenticationInfo, Authorization, Challenge, ProxyAuthenticate,
    ProxyAuthenticationInfo, ProxyAuthorization, ShownCredentials, WwwAuthenticate,
};

use crate::message::{HeaderName, Headers};

/// How a header holds several values (RFC 3261 §7.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// One value a line; a comma is part of it.
    Line,
    /// A comma-separated list, which may go on in further lines.
    Commas,
}

/// A header value that can be read from its text.
pub trait TypedHeader<'a>: Sized {
    /// The header that it is the value of.
    const NAME: HeaderName;
    /// Whether commas separate values.
    const VALUES: Values;

    /// Reads one value, without the white space around it.
    fn parse(value: &'a str) -> Result<Self, HeaderFault>;

    /// The first value of `headers`, if parsing the message has read it and it still stands there.
    #[doc(hidden)]
    fn remembered(_: &'a Headers) -> Option<Self> {
        None
    }
}

/// What is wrong with a header's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The header is not there.
    #[error("is missing")]
    Missing,
    /// It stands more than once where one is allowed.
    #[error("appears more than once")]
    Repeated,
    /// The value breaks the header's grammar.
    #[error("does not follow its grammar")]
    Syntax,
    /// The value is a number outside the header's range.
    #[error("is a number out of range")]
    Range,
    /// A parameter is malformed.
    #[error("has a malformed parameter")]
    Parameter,
    /// A quoted string or an angle bracket is not closed.
    #[error("has an unbalanced quote or bracket")]
    Unbalanced,
    /// The URI in it is malformed.
    #[error("has a malformed URI: {0}")]
    Uri(#[from] crate::uri::UriError),
}

/// A header that could not be read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{header} {fault}")]
pub struct HeaderError {
    /// Which header.
    pub header: HeaderName,
    /// What is wrong with it.
    pub fault: HeaderFault,
}
