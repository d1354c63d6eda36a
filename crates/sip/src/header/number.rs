use std::fmt;
use std::time::Duration;

use super::grammar::{decimal, is_lws, take_token, trim, trim_start};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::{HeaderName, Headers, Method};

/// The place of a request in its dialog (RFC 3261 §20.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// The sequence number; below 2³¹ in messages of ours (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

impl CSeq {
    /// A sequence number with its method.
    pub fn new(number: u32, method: Method) -> Self {
        Self { number, method }
    }
}

impl<'a> TypedHeader<'a> for CSeq {
    const NAME: HeaderName = HeaderName::CSeq;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let value = trim(value);
        let mut number = 0u64;
        let mut digits = 0;
        for digit in value.bytes().take_while(u8::is_ascii_digit) {
            let next = number * 10 + u64::from(digit - b'0');
            number = next.min(u64::from(u32::MAX) + 1);
            digits += 1;
        }
        let rest = &value[digits..];
        if digits == 0 || !rest.bytes().next().is_some_and(is_lws) {
            return Err(HeaderFault::Syntax);
        }
        let number = u32::try_from(number).map_err(|_| HeaderFault::Range)?;
        let method = Method::parse(trim_start(rest)).ok_or(HeaderFault::Syntax)?;
        Ok(Self { number, method })
    }

    fn remembered(headers: &'a Headers) -> Option<Self> {
        headers.remembered_cseq().cloned()
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// Which reliable response a PRACK acknowledges (RFC 3262 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RAck {
    /// The response's RSeq.
    pub rseq: u32,
    /// The response's CSeq.
    pub cseq: CSeq,
}

impl<'a> TypedHeader<'a> for RAck {
    const NAME: HeaderName = HeaderName::RAck;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let (rseq, rest) = take_token(trim(value)).ok_or(HeaderFault::Syntax)?;
        Ok(Self {
            rseq: decimal(rseq).ok_or(HeaderFault::Range)?,
            cseq: CSeq::parse(trim_start(rest))?,
        })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($type:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $type);

        impl<'a> TypedHeader<'a> for $name {
            const NAME: HeaderName = HeaderName::$name;
            const VALUES: Values = Values::Line;

            fn parse(value: &'a str) -> Result<Self, HeaderFault> {
                let value = trim(value);
                if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(HeaderFault::Syntax);
                }
                value.parse().map(Self).map_err(|_| HeaderFault::Range)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// How many hops a request may still take, 0 to 255 (RFC 3261 §20.22).
    MaxForwards(u8);
    /// Octets of the body (RFC 3261 §20.14).
    ContentLength(u32);
    /// Sequence number of a reliable provisional response (RFC 3262 §7.1).
    RSeq(u32);
    /// Seconds until something expires (RFC 3261 §20.19).
    Expires(u32);
    /// The least number of seconds that a registrar takes (RFC 3261 §20.23).
    MinExpires(u32);
    /// Seconds between keep-alives that the edge proxy asks for (RFC 5626 §5.4).
    FlowTimer(u32);
}

/// Seconds with parameters: what `Retry-After`, `Session-Expires` and `Min-SE` are made of. A
/// comment after the number is skipped.
fn seconds(value: &str) -> Result<(u32, Params<'_>), HeaderFault> {
    let value = trim(value);
    let digits = value.bytes().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return Err(HeaderFault::Syntax);
    }
    let (number, rest) = value.split_at(digits);
    let number = decimal(number).ok_or(HeaderFault::Range)?;
    let rest = trim_start(rest);
    let rest = match rest.starts_with('(') {
        true => rest.rsplit_once(')').ok_or(HeaderFault::Unbalanced)?.1,
        false => rest,
    };
    Ok((number, Params::parse(rest)?))
}

/// When to try again (RFC 3261 §20.33).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// Seconds to wait.
    pub seconds: u32,
    /// `duration` and others.
    pub params: Params<'a>,
}

impl RetryAfter<'_> {
    /// The time to wait.
    pub fn delay(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }
}

impl<'a> TypedHeader<'a> for RetryAfter<'a> {
    const NAME: HeaderName = HeaderName::RetryAfter;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let (seconds, params) = seconds(value)?;
        Ok(Self { seconds, params })
    }
}

impl fmt::Display for RetryAfter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

/// Which side of a transaction refreshes the session (RFC 4028 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresher {
    /// The one that sent the request.
    Uac,
    /// The one that answers it.
    Uas,
}

/// How long a session lives without a refresh (RFC 4028 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionExpires<'a> {
    /// Seconds.
    pub seconds: u32,
    /// `refresher` and others.
    pub params: Params<'a>,
}

impl<'a> SessionExpires<'a> {
    /// An interval, with the refresher if it is settled.
    pub fn new(seconds: u32, refresher: Option<Refresher>) -> Self {
        let mut params = Params::default();
        match refresher {
            Some(Refresher::Uac) => params.set("refresher", "uac"),
            Some(Refresher::Uas) => params.set("refresher", "uas"),
            None => {}
        }
        Self { seconds, params }
    }

    /// Who refreshes, if the message says so.
    pub fn refresher(&self) -> Option<Refresher> {
        let text = self.params.get("refresher")?;
        match () {
            () if text.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            () if text.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            () => None,
        }
    }
}

impl<'a> TypedHeader<'a> for SessionExpires<'a> {
    const NAME: HeaderName = HeaderName::SessionExpires;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        let (seconds, params) = seconds(value)?;
        Ok(Self { seconds, params })
    }
}

impl fmt::Display for SessionExpires<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.params)
    }
}

/// The least session interval that somebody on the path takes, in seconds (RFC 4028 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MinSe(pub u32);

impl<'a> TypedHeader<'a> for MinSe {
    const NAME: HeaderName = HeaderName::MinSe;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        seconds(value).map(|(seconds, _)| Self(seconds))
    }
}

impl fmt::Display for MinSe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cseq_may_be_folded_and_have_leading_zeros() {
        let cseq = CSeq::parse("0009\r\n  INVITE").unwrap();
        assert_eq!(cseq, CSeq::new(9, Method::Invite));
        assert_eq!(cseq.to_string(), "9 INVITE");
        assert_eq!(
            CSeq::parse("36893488147419103232 INVITE"),
            Err(HeaderFault::Range)
        );
        assert_eq!(CSeq::parse("1INVITE"), Err(HeaderFault::Syntax));
        assert_eq!(CSeq::parse("-1 INVITE"), Err(HeaderFault::Syntax));
        assert_eq!(CSeq::parse("1 IN VITE"), Err(HeaderFault::Syntax));
    }

    #[test]
    fn a_retry_after_may_have_a_comment() {
        let retry = RetryAfter::parse("18000 (in (a) meeting);duration=3600").unwrap();
        assert_eq!(retry.delay(), Duration::from_secs(18000));
        assert_eq!(retry.params.get("duration"), Some("3600"));
        assert!(RetryAfter::parse("949302838503028349304023988").is_err());
        assert!(RetryAfter::parse("5 (open").is_err());
    }

    #[test]
    fn a_session_timer_names_its_refresher() {
        let timer = SessionExpires::parse("1800;Refresher=UAS").unwrap();
        assert_eq!(timer.refresher(), Some(Refresher::Uas));
        let own = SessionExpires::new(90, Some(Refresher::Uac));
        assert_eq!(own.to_string(), "90;refresher=uac");
        assert_eq!(MinSe::parse("90;x=1"), Ok(MinSe(90)));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(MaxForwards::parse("0068"), Ok(MaxForwards(68)));
        assert_eq!(MaxForwards::parse("300"), Err(HeaderFault::Range));
        assert_eq!(ContentLength::parse("-999"), Err(HeaderFault::Syntax));
        let rack = RAck::parse("776656 1 INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq.number), (776_656, 1));
    }
}
