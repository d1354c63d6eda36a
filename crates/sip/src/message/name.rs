use std::fmt;

use crate::octets;

macro_rules! header_names {
    ($($variant:ident = $text:literal $($compact:literal)?;)*) => {
        /// The name of a header that this crate knows, whichever case or compact form it came in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum HeaderName {
            $(
                #[doc = concat!("`", $text, "`.")]
                $variant,
            )*
        }

        const ALL: &[HeaderName] = &[$(HeaderName::$variant),*];
        const TEXT: &[&str] = &[$($text),*];

        fn from_compact(letter: u8) -> Option<HeaderName> {
            $($(
                if letter.eq_ignore_ascii_case(&$compact) {
                    return Some(HeaderName::$variant);
                }
            )?)*
            None
        }
    };
}

header_names! {
    Accept = "Accept";
    AcceptContact = "Accept-Contact" b'a';
    AcceptEncoding = "Accept-Encoding";
    AcceptLanguage = "Accept-Language";
    AlertInfo = "Alert-Info";
    Allow = "Allow";
    AllowEvents = "Allow-Events" b'u';
    AnswerMode = "Answer-Mode";
    AuthenticationInfo = "Authentication-Info";
    Authorization = "Authorization";
    CallId = "Call-ID" b'i';
    CallInfo = "Call-Info";
    Contact = "Contact" b'm';
    ContentDisposition = "Content-Disposition";
    ContentEncoding = "Content-Encoding" b'e';
    ContentLanguage = "Content-Language";
    ContentLength = "Content-Length" b'l';
    ContentType = "Content-Type" b'c';
    CSeq = "CSeq";
    Date = "Date";
    Diversion = "Diversion";
    ErrorInfo = "Error-Info";
    Event = "Event" b'o';
    Expires = "Expires";
    FlowTimer = "Flow-Timer";
    From = "From" b'f';
    HistoryInfo = "History-Info";
    Identity = "Identity" b'y';
    InReplyTo = "In-Reply-To";
    InfoPackage = "Info-Package";
    Join = "Join";
    MaxForwards = "Max-Forwards";
    MimeVersion = "MIME-Version";
    MinExpires = "Min-Expires";
    MinSe = "Min-SE";
    Organization = "Organization";
    PAssertedIdentity = "P-Asserted-Identity";
    PPreferredIdentity = "P-Preferred-Identity";
    Path = "Path";
    Priority = "Priority";
    Privacy = "Privacy";
    PrivAnswerMode = "Priv-Answer-Mode";
    ProxyAuthenticate = "Proxy-Authenticate";
    ProxyAuthenticationInfo = "Proxy-Authentication-Info";
    ProxyAuthorization = "Proxy-Authorization";
    ProxyRequire = "Proxy-Require";
    RAck = "RAck";
    Reason = "Reason";
    RecordRoute = "Record-Route";
    RecvInfo = "Recv-Info";
    ReferSub = "Refer-Sub";
    ReferTo = "Refer-To" b'r';
    ReferredBy = "Referred-By" b'b';
    RejectContact = "Reject-Contact" b'j';
    RemotePartyId = "Remote-Party-ID";
    Replaces = "Replaces";
    ReplyTo = "Reply-To";
    RequestDisposition = "Request-Disposition" b'd';
    Require = "Require";
    RetryAfter = "Retry-After";
    Route = "Route";
    RSeq = "RSeq";
    Server = "Server";
    ServiceRoute = "Service-Route";
    SessionExpires = "Session-Expires" b'x';
    SessionId = "Session-ID";
    SipEtag = "SIP-ETag";
    SipIfMatch = "SIP-If-Match";
    Subject = "Subject" b's';
    SubscriptionState = "Subscription-State";
    Supported = "Supported" b'k';
    TargetDialog = "Target-Dialog";
    Timestamp = "Timestamp";
    To = "To" b't';
    Unsupported = "Unsupported";
    UserAgent = "User-Agent";
    UserToUser = "User-to-User";
    Via = "Via" b'v';
    Warning = "Warning";
    WwwAuthenticate = "WWW-Authenticate";
}

/// No known name is as long as this.
const LONGEST: usize = 32;
/// Letters by their low five bits, which are the same in both cases.
const LETTERS: usize = 32;
const NONE: u8 = u8::MAX;

impl HeaderName {
    /// How many there are.
    pub(super) const COUNT: usize = TEXT.len();
}

/// What [`HeaderName::of_line`] looks at of each name; none is the same in it as another one, for
/// the colon has to follow.
static WORDS: [[u64; 2]; TEXT.len()] = words();

const fn words() -> [[u64; 2]; TEXT.len()] {
    let mut words = [[0; 2]; TEXT.len()];
    let mut name = 0;
    while name < TEXT.len() {
        let text = TEXT[name].as_bytes();
        let mut at = 0;
        while at < text.len() && at < 16 {
            words[name][at / 8] |= (text[at] as u64) << (at % 8 * 8);
            at += 1;
        }
        name += 1;
    }
    words
}

/// The known names by length and first letter: for each the first, and for each name the next.
static INDEX: Index = index();

struct Index {
    first: [[u8; LETTERS]; LONGEST],
    next: [u8; TEXT.len()],
}

const fn index() -> Index {
    let mut index = Index {
        first: [[NONE; LETTERS]; LONGEST],
        next: [NONE; TEXT.len()],
    };
    let mut at = 0;
    while at < TEXT.len() {
        let text = TEXT[at].as_bytes();
        let letter = text[0] as usize % LETTERS;
        index.next[at] = index.first[text.len()][letter];
        index.first[text.len()][letter] = at as u8;
        at += 1;
    }
    index
}

impl HeaderName {
    /// The name in its usual spelling.
    pub fn as_str(self) -> &'static str {
        TEXT[self as usize]
    }

    /// The name that a line starts with in its usual spelling, right before the colon, and its
    /// length; `None` leaves everything else to [`HeaderName::lookup_bytes`].
    #[inline]
    pub(super) fn of_line(line: &[u8]) -> Option<(Self, usize)> {
        let low = octets::eight(line, 0)?;
        let (words, length) = match octets::place(low, b':') {
            Some(colon) => ([octets::first(low, colon), 0], colon),
            None => {
                let high = octets::eight(line, 8)?;
                let colon = octets::place(high, b':')?;
                ([low, octets::first(high, colon)], 8 + colon)
            }
        };
        let letter = usize::from(low as u8) % LETTERS;
        let mut at = usize::from(INDEX.first[length][letter]);
        while let Some(candidate) = WORDS.get(at) {
            if *candidate == words {
                return Some((ALL[at], length));
            }
            at = usize::from(INDEX.next[at]);
        }
        None
    }

    /// Finds a name by its long or compact form, in any case.
    pub fn lookup(name: &str) -> Option<Self> {
        Self::lookup_bytes(name.as_bytes())
    }

    #[inline]
    pub(crate) fn lookup_bytes(name: &[u8]) -> Option<Self> {
        let first = match name {
            [] => return None,
            [letter] => return from_compact(*letter),
            [first, ..] => usize::from(*first) % LETTERS,
        };
        let mut at = usize::from(INDEX.first.get(name.len())?[first]);
        while let Some(text) = TEXT.get(at) {
            if text.as_bytes().eq_ignore_ascii_case(name) {
                return ALL.get(at).copied();
            }
            at = usize::from(INDEX.next[at]);
        }
        None
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A header's name as a caller may give it: a known one, or any text.
#[derive(Debug, Clone, Copy)]
pub enum Name<'a> {
    /// A header that this crate knows.
    Known(HeaderName),
    /// Any other, compared without regard to case.
    Other(&'a str),
}

impl<'a> Name<'a> {
    /// The name as it is written into a message.
    pub fn as_str(&self) -> &'a str {
        match self {
            Self::Known(name) => name.as_str(),
            Self::Other(name) => name,
        }
    }
}

impl From<HeaderName> for Name<'_> {
    fn from(name: HeaderName) -> Self {
        Self::Known(name)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Self {
        HeaderName::lookup(name).map_or(Self::Other(name), Self::Known)
    }
}

impl<'a> From<&'a String> for Name<'a> {
    fn from(name: &'a String) -> Self {
        name.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for name in ALL {
            assert_eq!(HeaderName::lookup(name.as_str()), Some(*name));
            assert_eq!(
                HeaderName::lookup(&name.as_str().to_uppercase()),
                Some(*name)
            );
        }
        assert_eq!(HeaderName::lookup("X-Custom"), None);
        assert_eq!(HeaderName::lookup(""), None);
        assert_eq!(HeaderName::lookup(&"x".repeat(4096)), None);
    }

    #[test]
    fn a_name_before_its_colon_is_the_one_that_is_looked_up() {
        let lines: Vec<String> = ALL
            .iter()
            .map(|name| format!("{name}: 0123456789"))
            .collect();
        let names: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mutilated = octets::mutilated(&names, b":-aFT \r\n");
        let mut found = 0;
        for line in mutilated.chain(lines.clone()) {
            let name = line.split(':').next().unwrap_or_default();
            if let Some((of_line, length)) = HeaderName::of_line(line.as_bytes()) {
                assert_eq!(Some(of_line), HeaderName::lookup(name), "{line:?}");
                assert_eq!(length, name.len(), "{line:?}");
                found += 1;
            }
        }
        assert!(found > 1000);
    }

    #[test]
    fn every_compact_form_of_the_registry_is_found() {
        let registry = "acbufikelmdojrstvxy";
        let found = registry.chars().map(|c| HeaderName::lookup(&c.to_string()));
        assert!(found.into_iter().all(|name| name.is_some()));
        assert_eq!(HeaderName::lookup("K"), Some(HeaderName::Supported));
        assert_eq!(HeaderName::lookup("u"), Some(HeaderName::AllowEvents));
        assert_eq!(HeaderName::lookup("x"), Some(HeaderName::SessionExpires));
        assert_eq!(HeaderName::lookup("z"), None);
    }
}
