//! The configuration of a phone: judged once, then carried to all who read it.

mod account;
mod error;
mod given;
mod headers;
mod ice;
pub(crate) mod keying;
mod listen;
mod network;
mod options;
mod proxy;
mod read;
mod server;
pub(crate) mod token;
mod tones;

use std::time::Duration;

use serde::Deserialize;

pub(crate) use account::escape_user;
pub use error::ConfigError;
pub(crate) use headers::{check_headers, may_be_added};
pub use ice::given_ice_servers;
pub use ice::{IceScheme, IceTransport, IceUrl};
pub(crate) use ice::{end_of as end_of_ice_servers, ice_servers};
pub use listen::{Listen, ListenPlace, ListenTls, Network, TrustDomain};
pub use network::{InterfaceFilter, PortRange};
pub use options::{
    AudioOption, AudioOptions, Auto, AutoAnswerOption, AutoAnswerOptions, ContactTransportOption,
    DtmfOptions, HeaderOption, InbandOption, InputOption, ListenOptions, ListenTlsOptions, Options,
    OpusOptions, OutputOption, PlaceOption, PortOption, ProxyOption, RingOption, ServerOption,
    SessionTimersOption, SessionTimersOptions, TlsOptions, WeightedServer,
};
pub use proxy::HttpProxy;
pub use server::Server;
pub use sip::endpoint::SessionTimers;
pub use tones::CallTones;

pub use crate::door::ice_server::{IceServer, OneOrMany};

use crate::door::audio;
use crate::door::level::Level;
use crate::door::media::KeyingWish;
use crate::door::secret::Secret;
use crate::door::video::VideoInput;

/// A phone's configuration; made from [`Options`].
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The address of record.
    pub address: Address,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// In the order given; at least one, unless the phone listens.
    pub servers: Vec<Server>,
    /// Where it takes calls without a server.
    pub listen: Option<Listen>,
    /// Who may call there.
    pub peers: Vec<Network>,
    /// Between whom it is said and believed who calls.
    pub trust_domain: TrustDomain,
    /// How often peers are asked whether they are there; never if absent.
    pub ping_interval: Option<Duration>,
    /// How the phone proves who it is.
    pub credentials: Credentials,
    /// Whether it registers.
    pub register: bool,
    /// The expiry asked of the registrar.
    pub register_expires: Duration,
    /// The UUID of `+sip.instance`; a new one for each phone if absent.
    pub instance_id: Option<String>,
    /// The file in which another process of this instance finds the calls that this one has left behind.
    pub journal: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Headers of requests outside of dialogs, of REGISTER and of each INVITE that starts a call.
    pub extra_headers: Vec<(String, String)>,
    /// The `transport` parameter of our Contact.
    pub contact_transport: Option<ContactTransport>,
    /// Host and port of the Contact; a name that nobody else has if absent.
    pub contact_host: Option<(String, Option<u16>)>,
    /// TLS of a wss: connection.
    pub tls: Tls,
    /// The proxy of the WebSocket.
    pub http_proxy: HttpProxy,
    /// The route set of requests outside dialogs.
    pub outbound_proxy: Vec<String>,
    /// When a bearer token is sent.
    pub authorization: Authorization,
    /// A bearer token may go over a connection without TLS.
    pub allow_insecure: bool,
    /// Where the conversation's id is read from; empty for the default precedence.
    pub conversation_id_headers: Vec<String>,
    /// Sent as `X-Organization-Id`.
    pub org_id: Option<String>,
    /// Which calls are answered by themselves.
    pub auto_answer: AutoAnswer,
    /// A 3xx answer is followed to the addresses it names. It is not by default: the callee would
    /// choose what is dialled at the caller's expense.
    pub follow_redirects: bool,
    /// The most sessions at once, pending ones included.
    pub max_sessions: Option<usize>,
    /// The most calls of others that may ring at once; our own calls do not count.
    pub max_ringing: usize,
    /// What a caller hears while no further call is taken.
    pub when_full: WhenFull,
    /// How long an incoming call rings.
    pub no_answer_timeout: Duration,
    /// How long an answered call may hear nothing of the other party: neither RTP nor RTCP nor consent.
    pub media_timeout: Duration,
    /// Calls outlive the WebSocket.
    pub session_survivability: bool,
    /// An accepted session is connected at once.
    pub auto_connect_sessions: bool,
    /// How long calls live without a refresh (RFC 4028).
    pub session_timers: Option<SessionTimers>,
    /// How media may be protected, best first.
    pub media: Vec<KeyingWish>,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Pauses of speech are left out (DTX).
    pub dtx: bool,
    /// How Opus is run.
    pub opus: Opus,
    /// The default devices.
    pub audio: Audio,
    /// The sounds that the phone makes by itself.
    pub tones: CallTones,
    /// One call is heard at a time: placing, accepting or resuming one holds the others.
    pub hold_others: bool,
    /// Whether the end of the process waits until calls and registration are ended.
    pub hang_up_on_exit: bool,
    /// What a party on hold hears, if `hold` names nothing else.
    pub hold_music: audio::Input,
    /// The event packages that others may subscribe to.
    pub notifies: Vec<String>,
    /// The playout volume in percent.
    pub volume: u8,
    /// STUN and TURN servers; if a function gives them, the last that it gave.
    pub ice_servers: Vec<IceServer>,
    /// The application is asked for them.
    pub asks_for_ice_servers: bool,
    /// Whether keys are listened for in the peer's sound.
    pub inband_dtmf: InbandDtmf,
    /// Which candidates may be used.
    pub ice_transport_policy: IceTransportPolicy,
    /// The UDP ports that media may use; any if none are named.
    pub port_range: Option<PortRange>,
    /// The interfaces that media may use.
    pub interfaces: InterfaceFilter,
    /// The most time to gather candidates.
    pub ice_gathering_timeout: Duration,
    /// The least level of `trace` events.
    pub log_level: Level,
    /// What is odd about the options; traced at the start.
    pub warnings: Vec<String>,
}

impl Config {
    /// Whether who is there may come in without a server.
    pub fn may_call(&self, address: std::net::IpAddr) -> bool {
        self.peers.iter().any(|network| network.has(address))
    }
}

/// A user at a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `sip` or `sips`.
    pub scheme: &'static str,
    /// The user part, as written in a URI.
    pub user: String,
    /// The domain, with a port where one was given.
    pub domain: String,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}@{}", self.scheme, self.user, self.domain)
    }
}

/// How the phone proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// It does not.
    None,
    /// By digest, in these realms; if there are none, in those that our own servers ask for; `renewable` where `CredentialNeeded`
    /// brings another.
    Password {
        username: String,
        realms: Vec<String>,
        password: Secret,
        renewable: bool,
    },
    /// By digest, without knowing the password.
    Ha1 {
        username: String,
        realm: String,
        ha1: Secret,
    },
    /// By a bearer token (RFC 8898), sent to these realms only; `renewable` where `CredentialNeeded`
    /// brings a new one.
    Token {
        realms: Vec<String>,
        token: Secret,
        renewable: bool,
    },
}

impl Credentials {
    /// Whether the application can be asked for others.
    pub(crate) fn may_be_replaced(&self) -> bool {
        match self {
            Credentials::Password { renewable, .. } | Credentials::Token { renewable, .. } => {
                *renewable
            }
            Credentials::None | Credentials::Ha1 { .. } => false,
        }
    }
}

/// The `transport` parameter of our Contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactTransport {
    /// As RFC 7118 wants it, also over TLS.
    Ws,
    /// As some servers want it.
    Wss,
}

/// TLS of a wss: connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// PEM certificates trusted beside the system's.
    pub ca: Vec<String>,
    /// Our own PEM certificate chain and its key.
    pub identity: Option<(String, Secret)>,
    /// The name expected in the server's certificate.
    pub servername: Option<String>,
    /// The SHA-256 of the SubjectPublicKeyInfo of each key that the server's certificate may have, in base64 (RFC 7469 §2.4);
    /// any if there are none.
    pub pins: Vec<String>,
    /// A certificate that is not trusted is refused.
    pub reject_unauthorized: bool,
}

/// When a bearer token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authorization {
    /// After a challenge.
    #[default]
    Challenge,
    /// On every request to our own domain.
    Always,
}

/// Which calls are answered by themselves, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoAnswer {
    /// Which calls.
    pub policy: Policy,
    /// Whether calls announced by `expectCall` are.
    pub announced: bool,
    /// The least time between the call and its answer.
    pub delay: Duration,
    /// What happens during another call.
    pub when_busy: WhenBusy,
    /// URIs or domains that are answered unless the policy is `Off`.
    pub trusted_peers: Vec<String>,
    /// A beep before the microphone opens.
    pub beep: bool,
    /// What is shown of the camera; video is refused without.
    pub video: Option<VideoInput>,
    /// What is shown of a screen; a screen is refused without.
    pub screen: Option<VideoInput>,
}

/// Which calls are answered by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// None.
    Off,
    /// Those announced, and those of trusted peers.
    Announced,
    /// These, and those whose headers ask for it.
    Headers,
    /// All.
    Always,
    /// Those for which the application's function says so.
    Function,
}

/// What becomes of a call that would be answered by itself during another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenBusy {
    /// It rings.
    #[default]
    Ring,
    /// It is answered.
    Answer,
    /// It is refused with 486.
    Reject,
}

/// What a caller hears while no further call is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// 486: its user is busy.
    #[default]
    Busy,
    /// 503 with Retry-After: a proxy tries another phone (RFC 3261 §16.7).
    Unavailable,
}

/// How Opus is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opus {
    /// Samples per second: 8000, 16000, 24000 or 48000.
    pub rate: u32,
    /// Bits per second.
    pub bitrate: u32,
    /// The encoder's and the decoder's effort, 0 to 10.
    pub complexity: u8,
}

/// An audio codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Codec {
    /// RFC 7587.
    #[serde(rename = "opus")]
    Opus,
    /// ITU-T G.722.
    G722,
    /// G.711 µ-law.
    #[serde(rename = "PCMU")]
    Pcmu,
    /// G.711 A-law.
    #[serde(rename = "PCMA")]
    Pcma,
}

/// Whether keys are listened for in the peer's sound itself (ITU-T Q.23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InbandDtmf {
    /// Where the peer agrees to no telephone events.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// Never.
    Never,
}

/// The default devices.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Audio {
    /// What the far end hears.
    pub input: audio::Input,
    /// Where it is heard.
    pub output: audio::Output,
    /// Where it rings; where the far end is heard if absent.
    pub ring: Option<audio::Output>,
    /// What stands in for a chosen device that vanishes while it is used.
    pub fallback: Fallback,
    /// What is done to a microphone's sound.
    pub processing: audio::Processing,
}

/// What stands in for a chosen device that vanishes while it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fallback {
    /// The system's default device, until the chosen one is back.
    #[default]
    Default,
    /// Nothing: silence, until the chosen one is back.
    None,
}

/// Which candidates may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IceTransportPolicy {
    /// All.
    #[default]
    All,
    /// Those of TURN servers only.
    Relay,
}
