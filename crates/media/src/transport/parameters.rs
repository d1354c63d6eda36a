//! What two agents tell each other through signalling, as plain data.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use super::keys::{Keying, SdesKeys};

/// A string that never shows itself in `Debug` output.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the secret itself, for the one place that writes it to the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// How an address of a candidate was obtained (RFC 8445 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An address of an interface.
    Host,
    /// An address that a STUN server saw.
    ServerReflexive,
    /// An address that the peer saw, or that we saw the peer use.
    PeerReflexive,
    /// An address of a TURN server.
    Relayed,
}

impl CandidateKind {
    /// Returns the name that SDP and W3C statistics use: `host`, `srflx`, `prflx` or `relay`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }

    /// Returns the recommended type preference (RFC 8445 §5.1.2.2).
    pub(crate) fn preference(self) -> u32 {
        match self {
            Self::Host => 126,
            Self::PeerReflexive => 110,
            Self::ServerReflexive => 100,
            Self::Relayed => 0,
        }
    }
}

/// The transport protocol of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP (RFC 6544).
    Tcp(TcpType),
}

/// Who opens the stream to a candidate of TCP (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// Its owner, which takes none: all of ours are of that type.
    Active,
    /// The other side.
    Passive,
}

impl TcpType {
    /// Returns the name that SDP and W3C statistics use: `active` or `passive`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

/// One transport address at which an agent may be reached (RFC 8839 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Groups candidates of the same kind, base and server.
    pub foundation: String,
    /// 1 for RTP; others are accepted from a peer and ignored.
    pub component: u16,
    /// The transport protocol.
    pub protocol: Protocol,
    /// The priority as its owner computed it.
    pub priority: u32,
    /// The address to send to.
    pub address: SocketAddr,
    /// How the address was obtained.
    pub kind: CandidateKind,
    /// The base of a reflexive candidate, or the mapped address of a relayed one.
    pub related: Option<SocketAddr>,
}

/// A candidate whose address hides behind a name of multicast DNS (`….local`), as those of browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCandidate {
    /// The name.
    pub name: String,
    /// The rest; its address is the unspecified one.
    pub candidate: Candidate,
}

/// The hash function of a certificate's fingerprint; SHA-1 and MD5 are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashFunction {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashFunction {
    /// Returns the name of RFC 8122 §5, such as `sha-256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Finds the function of a name in any case, or `None` when it is too weak or unknown.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// Returns the length of a digest in bytes.
    pub fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The digest of a certificate, which signalling carries (RFC 8122).
///
/// Parses from and displays as `sha-256 AB:CD:…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash function.
    pub function: HashFunction,
    /// The digest, `function.digest_len()` bytes.
    pub digest: Vec<u8>,
}

/// Why a text is no usable fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// The hash function is unknown or too weak.
    #[error("the hash function `{0}` is not accepted")]
    UnsupportedHash(String),
    /// The digest has the wrong length or is not hexadecimal.
    #[error("the digest is malformed")]
    MalformedDigest,
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, digits) = text
            .trim()
            .split_once(' ')
            .ok_or(FingerprintError::MalformedDigest)?;
        let function = HashFunction::from_name(name)
            .ok_or_else(|| FingerprintError::UnsupportedHash(name.chars().take(32).collect()))?;
        let digest = digits
            .trim()
            .split(':')
            .take(function.digest_len() + 1)
            .map(hex_octet)
            .collect::<Option<Vec<_>>>()
            .filter(|digest| digest.len() == function.digest_len())
            .ok_or(FingerprintError::MalformedDigest)?;
        Ok(Self { function, digest })
    }
}

fn hex_octet(digits: &str) -> Option<u8> {
    let valid = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    valid.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.function.name())?;
        for (index, octet) in self.digest.iter().enumerate() {
            write!(
                formatter,
                "{}{octet:02X}",
                if index == 0 { ' ' } else { ':' }
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Who starts the DTLS handshake (RFC 8842 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// This side is the DTLS client.
    Active,
    /// This side is the DTLS server.
    Passive,
    /// The other side chooses; only in offers.
    ActPass,
}

/// Whether the peer's parameters came in an offer or in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Description {
    /// New credentials in it ask us to restart ICE with new credentials of our own.
    Offer,
    /// It answers the parameters that we sent last.
    Answer,
}

/// What our side must write into its description.
#[derive(Clone, Debug)]
pub struct LocalParameters {
    /// The user name fragment.
    pub ufrag: String,
    /// The ICE password.
    pub pwd: Secret,
    /// The fingerprint of our certificate for each hash function worth announcing.
    pub fingerprints: Vec<Fingerprint>,
    /// `ActPass` until the roles are known. An offer always says `ActPass` (RFC 8842 §5.2).
    pub setup: Setup,
    /// The candidates known so far.
    pub candidates: Vec<Candidate>,
}

/// What the peer wrote into its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteParameters {
    /// Where the parameters come from.
    pub description: Description,
    /// How media are protected.
    pub keying: RemoteKeying,
    /// How the peer is reached.
    pub path: RemotePath,
}

/// How media of and to a peer are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteKeying {
    /// By DTLS-SRTP.
    Dtls(RemoteDtls),
    /// By SRTP under keys of the descriptions.
    Sdes(SdesKeys),
    /// Not at all.
    Plain,
}

/// What the peer says of its DTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteDtls {
    /// The fingerprints that we can check; at least one.
    pub fingerprints: Vec<Fingerprint>,
    /// The peer's DTLS role.
    pub setup: Setup,
}

/// How a peer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemotePath {
    /// By ICE.
    Ice(RemoteIce),
    /// At the address that it names.
    Direct(RemoteAddress),
}

/// What the peer says of its ICE agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteIce {
    /// The user name fragment.
    pub ufrag: String,
    /// The ICE password.
    pub pwd: Secret,
    /// The candidates known so far.
    pub candidates: Vec<Candidate>,
    /// The candidates that are named.
    pub named: Vec<NamedCandidate>,
    /// Whether the peer is an ICE lite agent, which never sends checks.
    pub lite: bool,
    /// Whether no further candidates will come.
    pub end_of_candidates: bool,
}

/// Where a peer without ICE wants its media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteAddress {
    /// Sound; `None` as long as it wants none (`c=IN IP4 0.0.0.0`).
    pub rtp: Option<SocketAddr>,
    /// Reports, if they have a port of their own (RFC 3605).
    pub rtcp: Option<SocketAddr>,
}

impl RemoteKeying {
    /// Returns which kind it is.
    pub fn kind(&self) -> Keying {
        match self {
            Self::Dtls(_) => Keying::Dtls,
            Self::Sdes(_) => Keying::Sdes,
            Self::Plain => Keying::Plain,
        }
    }
}

impl RemoteParameters {
    /// Returns what tells this peer from another, or from itself after it has moved; nothing while it names no address.
    pub fn peer(&self) -> Option<String> {
        match &self.path {
            RemotePath::Ice(ice) => Some(ice.ufrag.clone()),
            RemotePath::Direct(address) => address.rtp.map(|rtp| rtp.to_string()),
        }
    }

    /// Returns the user name fragment of a peer with ICE.
    pub fn ufrag(&self) -> Option<&str> {
        match &self.path {
            RemotePath::Ice(ice) => Some(&ice.ufrag),
            RemotePath::Direct(_) => None,
        }
    }
}
