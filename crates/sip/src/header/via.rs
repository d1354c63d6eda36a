use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::grammar::{MAX_TEXT, TOKEN, decimal, run, take_token, trim, trim_start};
use super::{HeaderFault, Params, TypedHeader, Values};
use crate::message::{HeaderName, Headers};
use crate::uri::{self, Host, Span};

/// What an RFC 3261 branch starts with (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop that the request took, and where its response goes (RFC 3261 §20.42).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via<'a> {
    transport: Cow<'a, str>,
    host: Cow<'a, str>,
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    pub(crate) fn of_parts(value: &'a str, parts: ViaParts) -> Self {
        Self {
            transport: Cow::Borrowed(parts.transport.of(value)),
            host: Cow::Borrowed(parts.host.of(value)),
            port: parts.port,
            params: Params::checked(parts.params.of(value)),
        }
    }

    /// A hop over `transport` (`WSS`, `UDP`, …) whose responses belong to `host`.
    pub fn new(transport: &'a str, host: &'a str, port: Option<u16>, branch: &str) -> Self {
        let mut params = Params::default();
        params.set("branch", branch);
        Self {
            transport: transport.into(),
            host: host.into(),
            port,
            params,
        }
    }

    /// The transport as written: `UDP`, `TCP`, `TLS`, `WS`, `WSS` or another token.
    pub fn transport(&self) -> &str {
        &self.transport
    }

    /// The host of the sent-by.
    pub fn host(&self) -> Host<'_> {
        Host::of(&self.host)
    }

    /// The host of the sent-by as written.
    pub fn host_text(&self) -> &str {
        &self.host
    }

    /// The port of the sent-by, if it is explicit.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The branch.
    pub fn branch(&self) -> Option<&str> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// The branch if it identifies the transaction by itself: the magic cookie and something more.
    pub fn unique_branch(&self) -> Option<&str> {
        let branch = self.branch()?;
        let cookie = branch.get(..MAGIC_COOKIE.len())?;
        let unique = cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && branch.len() > cookie.len();
        unique.then_some(branch)
    }

    /// Whether the sender has this sent-by: host by value, port 5060 or 5061 by default as the
    /// transport has it (RFC 3261 §18.1.2).
    pub fn is_sent_by(&self, host: &str, port: Option<u16>) -> bool {
        uri::is_host(host)
            && self.host().same_as(&Host::of(host))
            && self.port.unwrap_or(self.default_port()) == port.unwrap_or(self.default_port())
    }

    fn default_port(&self) -> u16 {
        match &*self.transport.to_ascii_uppercase() {
            "TLS" | "TLS-SCTP" => 5061,
            "WS" => 80,
            "WSS" => 443,
            _ => 5060,
        }
    }

    /// The address that the next hop saw the request come from.
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        bare.unwrap_or(text).parse().ok()
    }

    /// The port that the next hop saw the request come from (RFC 3581).
    pub fn rport(&self) -> Option<u16> {
        self.params.get("rport").and_then(decimal)
    }

    /// Whether the sender asks for the port to be filled in (RFC 3581).
    pub fn wants_rport(&self) -> bool {
        self.params.contains("rport")
    }

    /// The parameters.
    pub fn params(&self) -> &Params<'a> {
        &self.params
    }

    /// The parameters, to be changed.
    pub fn params_mut(&mut self) -> &mut Params<'a> {
        &mut self.params
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Via<'static> {
        Via {
            transport: Cow::Owned(self.transport.into_owned()),
            host: Cow::Owned(self.host.into_owned()),
            port: self.port,
            params: self.params.into_owned(),
        }
    }
}

impl<'a> TypedHeader<'a> for Via<'a> {
    const NAME: HeaderName = HeaderName::Via;
    const VALUES: Values = Values::Commas;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        Ok(Self::of_parts(value, ViaParts::of(value)?))
    }

    fn remembered(headers: &'a Headers) -> Option<Self> {
        let (text, parts) = headers.remembered_via()?;
        Some(Self::of_parts(text, *parts))
    }
}

/// Where the parts of a [`Via`] are in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ViaParts {
    transport: Span,
    host: Span,
    port: Option<u16>,
    params: Span,
}

impl ViaParts {
    pub(crate) fn of(value: &str) -> Result<Self, HeaderFault> {
        if value.len() > MAX_TEXT {
            return Err(HeaderFault::Syntax);
        }
        match Self::usual(value) {
            Some(parts) => Ok(parts),
            None => Self::any(value),
        }
    }

    /// Reads `SIP/2.0/transport host;params` in one go where no more white space than this is in
    /// it, and as [`ViaParts::any`] does; `None` leaves everything else to that.
    #[inline]
    fn usual(value: &str) -> Option<Self> {
        let bytes = value.as_bytes();
        let start = 8;
        if bytes.first_chunk::<8>()? != b"SIP/2.0/" {
            return None;
        }
        let end = run(bytes, start, TOKEN);
        let host = end + 1;
        let host_end = uri::plain_host_end(bytes, host);
        let named = end > start && host_end > host && bytes[end] == b' ' && bytes[host] != b'.';
        match bytes.get(host_end..)? {
            [] => {}
            [b';', .., last] if *last > b' ' => Params::check(&value[host_end..]).ok()?,
            [..] => return None,
        }
        named.then(|| Self {
            transport: Span::new(start, end),
            host: Span::new(host, host_end),
            port: None,
            params: Span::new(host_end, bytes.len()),
        })
    }

    fn any(value: &str) -> Result<Self, HeaderFault> {
        let end_of = |rest: &str| value.len() - rest.len();
        let (transport, rest) = sent_protocol(value).ok_or(HeaderFault::Syntax)?;
        let transport_end = end_of(rest);
        let rest = trim_start(rest);
        let (length, _) = uri::take_host(rest).ok_or(HeaderFault::Syntax)?;
        let host = Span::new(end_of(rest), end_of(rest) + length);
        let (port, rest) = port(trim_start(&rest[length..]))?;
        let params = trim_start(rest);
        Params::check(params)?;
        Ok(Self {
            transport: Span::new(transport_end - transport.len(), transport_end),
            host,
            port,
            params: Span::new(end_of(params), value.len()),
        })
    }
}

/// `SIP / 2.0 / transport LWS`, white space allowed around the slashes.
fn sent_protocol(value: &str) -> Option<(&str, &str)> {
    if let Some(rest) = value.strip_prefix("SIP/2.0/") {
        let (transport, rest) = take_token(trim_start(rest))?;
        return rest
            .starts_with([' ', '\t', '\r', '\n'])
            .then_some((transport, rest));
    }
    let (name, rest) = take_token(trim(value))?;
    let rest = trim_start(trim_start(rest).strip_prefix('/')?);
    let (version, rest) = take_token(rest)?;
    let rest = trim_start(trim_start(rest).strip_prefix('/')?);
    let (transport, rest) = take_token(rest)?;
    let ours = name.eq_ignore_ascii_case("SIP") && version == "2.0";
    (ours && rest.starts_with([' ', '\t', '\r', '\n'])).then_some((transport, rest))
}

fn port(text: &str) -> Result<(Option<u16>, &str), HeaderFault> {
    let Some(rest) = text.strip_prefix(':') else {
        return Ok((None, text));
    };
    let rest = trim_start(rest);
    let digits = rest.bytes().take_while(|b| b.is_ascii_digit()).count();
    let port = rest[..digits].parse().map_err(|_| HeaderFault::Range)?;
    Ok((Some(port), &rest[digits..]))
}

impl fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SIP/2.0/")?;
        f.write_str(&self.transport)?;
        f.write_str(" ")?;
        f.write_str(&self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octets::mutilated;

    #[test]
    fn what_is_read_in_one_go_is_what_the_grammar_reads() {
        let texts = [
            "SIP/2.0/WSS p.example.com;branch=z9hG4bK1;rport",
            "SIP/2.0/UDP a.b",
        ];
        let mut usual = 0;
        for text in mutilated(&texts, b" ;=:.[]\t/\"_a1,") {
            if let Some(parts) = ViaParts::usual(&text) {
                assert_eq!(ViaParts::any(&text), Ok(parts), "{text:?}");
                usual += 1;
            }
        }
        assert!(usual > 100);
    }

    #[test]
    fn rport_and_received_are_read_from_responses() {
        let text = "SIP/2.0/WSS x.invalid;branch=z9hG4bK1;rport=41000;received=2001:db8::7";
        let via = Via::parse(text).unwrap();
        assert_eq!(via.transport(), "WSS");
        assert_eq!(via.rport(), Some(41000));
        assert_eq!(via.received(), Some("2001:db8::7".parse().unwrap()));
        assert_eq!(via.unique_branch(), Some("z9hG4bK1"));
        assert_eq!(via.to_string(), text);
    }

    #[test]
    fn the_sent_by_is_compared_by_host_and_port() {
        let via = Via::parse("SIP/2.0/UDP [2001:db8::1]").unwrap();
        assert!(via.is_sent_by("[2001:DB8:0::1]", None));
        assert!(via.is_sent_by("[2001:db8::1]", Some(5060)));
        assert!(!via.is_sent_by("[2001:db8::1]", Some(5062)));
        assert!(!via.is_sent_by("example.com", None));
        assert!(!via.is_sent_by("", None));
    }

    #[test]
    fn white_space_may_stand_around_every_separator() {
        let via =
            Via::parse("SIP  /   2.0\t/UDP    192.0.2.2 : 5070 ; branch = 390skdjuw").unwrap();
        assert_eq!(via.port(), Some(5070));
        assert_eq!(via.branch(), Some("390skdjuw"));
        assert_eq!(via.unique_branch(), None);
    }

    #[test]
    fn the_magic_cookie_alone_is_no_unique_branch() {
        let via = Via::parse("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK").unwrap();
        assert_eq!(via.branch(), Some("z9hG4bK"));
        assert_eq!(via.unique_branch(), None);
    }

    #[test]
    fn a_malformed_via_is_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 host",
            "SIP/3.0/UDP host",
            "SIP/2.0/UDP host:99999",
            "SIP/2.0/UDP 192.0.2.15;;",
            "SIP/2.0/UDP ;branch=1",
            "SIP/2.0/UDP a b",
            "HTTP/2.0/UDP a",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }
}
