//! The options as JavaScript passes them: typed, but not yet judged together.

use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::error::{ConfigError, describe, foreign, shown_name};
use super::given;
use crate::door::audio;
use crate::door::ice_server::{IceServer, OneOrMany};
use crate::door::level::Level;
use crate::door::media::KeyingWish;
use crate::door::secret::Secret;
use crate::door::video::VideoInput;

/// What `lib` adds to what its user gave.
const NOT_THE_USERS: &str = "renewable";

/// A value that an option can have.
trait OptionValue: Sized {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError>;
}

macro_rules! plain_values {
    ($($type:ty),* $(,)?) => {$(
        impl OptionValue for $type {
            fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
                given::read(path, value, expected)
            }
        }
    )*};
}

plain_values!(
    String,
    bool,
    u64,
    Secret,
    Level,
    OneOrMany<String>,
    OneOrMany<ServerOption>,
    HeaderOption,
    Vec<String>,
    Vec<super::Codec>,
    Vec<KeyingWish>,
    super::IceTransportPolicy,
    super::Authorization,
    ContactTransportOption,
    super::WhenBusy,
    super::Fallback,
    super::WhenFull,
    InputOption,
    OutputOption,
    InbandOption,
    RingOption,
    VideoInput,
);

macro_rules! options {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident, $json:literal: $type:ty = $expected:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
        }

        impl OptionValue for $name {
            fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
                let Some(object) = value.as_object().filter(|_| foreign(value).is_none()) else {
                    return Err(ConfigError::new(path, expected, describe(expected, value)));
                };
                let name = |key: &str| match path {
                    "" => key.to_owned(),
                    path => format!("{path}.{key}"),
                };
                let known = [$($json),*];
                if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
                    let users: Vec<_> = known.into_iter().filter(|name| *name != NOT_THE_USERS).collect();
                    let expected = format!("one of {}", users.join(", "));
                    return Err(ConfigError::new(name(&shown_name(key)), expected, "unknown"));
                }
                Ok(Self {
                    $($field: match object.get($json) {
                        None => None,
                        Some(value) => Some(OptionValue::read(&name($json), value, $expected)?),
                    },)*
                })
            }
        }
    };
}

options! {
    /// The constructor's options; each is absent where the application did not give it.
    /// Durations are milliseconds, except `registerExpires`.
    Options {
        /// The bearer token; if it is a JWT, its `sub` is the user.
        access_token, "accessToken": Secret = "a non-empty string";
        /// A function gave the password or the token, and can be asked for another with `CredentialNeeded`.
        renewable, "renewable": bool = "a boolean";
        /// The SIP domain of the PureCloud triple.
        environment, "environment": String = "a domain name";
        /// Sent as `X-Organization-Id`.
        org_id, "orgId": String = "a GUID";
        /// Calls outlive the WebSocket; default true.
        session_survivability, "sessionSurvivability": bool = "a boolean";
        /// Announced calls are answered; default true.
        auto_answer_outbound_calls, "autoAnswerOutboundCalls": bool = "a boolean";
        /// An accepted session is connected at once; default true.
        auto_connect_sessions, "autoConnectSessions": bool = "a boolean";
        hold_others, "holdOthers": bool = "a boolean";
        hang_up_on_exit, "hangUpOnExit": bool = "a boolean";
        /// STUN and TURN servers.
        ice_servers, "iceServers": IceServersOption = "an array of { urls, username?, credential?, expires? } or a function";
        /// `all` or `relay`.
        ice_transport_policy, "iceTransportPolicy": super::IceTransportPolicy = "'all' or 'relay'";
        /// The UDP ports of media; default any.
        port_range, "portRange": PortRangeOptions = "an object such as { min: 40000, max: 40199 }";
        /// The interfaces and addresses of media; default all.
        interfaces, "interfaces": Vec<String> = "an array of names of interfaces, addresses and networks";
        /// The least level of `trace` events; default `info`.
        log_level, "logLevel": Level = "'trace', 'debug', 'log', 'info', 'warn' or 'error'";
        /// The address of record, such as `sip:alice@example.com`.
        uri, "uri": String = "a SIP URI such as 'sip:alice@example.com'";
        /// The name shown to others.
        display_name, "displayName": String = "a string";
        /// WebSocket URLs.
        servers, "servers": OneOrMany<ServerOption> = "a ws: or wss: URL, a SIP server such as 'sips:pbx.example.com', { url, priority?, weight? }, or an array of these";
        /// The user name for authentication; default the user part of `uri`.
        username, "username": String = "a non-empty string";
        /// The password.
        password, "password": Secret = "a non-empty string";
        /// MD5 or SHA-256 of `username:realm:password` in hexadecimal digits.
        ha1, "ha1": Secret = "32 or 64 hexadecimal digits";
        /// The realms that are shown an answer made of the password, or the token, or the one for which `ha1` was made; default
        /// what the registrar or proxy asks for, and for `ha1` and `accessToken` the domain.
        realm, "realm": OneOrMany<String> = "a non-empty string or an array of them";
        /// Whether to register; default true.
        register, "register": bool = "a boolean";
        /// Where calls are taken without a server.
        listen, "listen": ListenOptions = "an object such as { udp: 5060 }";
        /// Who may call there.
        peers, "peers": Vec<String> = "an array of addresses and networks such as ['203.0.113.0/24']";
        /// Whose P-Asserted-Identity is believed, and who gets ours.
        trust_domain, "trustDomain": Vec<String> = "an array of addresses, networks such as '203.0.113.0/24', and hosts of servers";
        /// How often those are asked who have come; default never.
        ping_interval, "pingInterval": u64 = "a whole number of milliseconds from 1000 to 300000";
        /// Seconds; default 600.
        register_expires, "registerExpires": u64 = "a whole number of seconds from 1 to 86400";
        /// The `+sip.instance` of RFC 5626; default a new one for each phone.
        instance_id, "instanceId": String = "a UUID";
        /// The file of the calls that there are; default none.
        journal, "journal": String = "the path of a file";
        /// The `User-Agent` header; default `offhook/<version>`.
        user_agent, "userAgent": String = "a string";
        /// Headers of every request.
        extra_headers, "extraHeaders": HeaderOption = "an object or an array of [name, value]";
        /// The `transport` parameter of our Contact; default `ws`.
        contact_transport, "contactTransport": ContactTransportOption = "'ws', 'wss' or false";
        contact_host, "contactHost": String = "a host name or address";
        /// TLS of a wss: connection.
        tls, "tls": TlsOptions = "an object";
        /// The proxy of the WebSocket; default none.
        http_proxy, "httpProxy": ProxyOption = "a proxy's URL such as 'http://user:password@proxy.example.com:3128', 'https://…' or 'socks5://…', 'environment', false or a function";
        /// The route set of requests outside dialogs.
        outbound_proxy, "outboundProxy": OneOrMany<String> = "a SIP URI or an array of them";
        /// When a bearer token is sent.
        authorization, "authorization": super::Authorization = "'challenge' or 'always'";
        /// A bearer token may go over a connection without TLS; default false.
        allow_insecure, "allowInsecure": bool = "a boolean";
        /// Where the conversation's id is read from.
        conversation_id_header, "conversationIdHeader": OneOrMany<String> = "a header name or an array of them";
        /// Which calls are answered by themselves.
        auto_answer, "autoAnswer": AutoAnswerOption = "'off', 'announced', 'headers', 'always', a function or { policy, delay, whenBusy, trustedPeers, beep, video, screen }";
        /// A 3xx answer is followed to the addresses it names; default false.
        follow_redirects, "followRedirects": bool = "a boolean";
        /// The most sessions at once, pending ones included; default unlimited.
        max_sessions, "maxSessions": u64 = "a whole number of at least 1";
        /// The most calls that may ring at once; default 32.
        max_ringing, "maxRinging": u64 = "a whole number of calls from 1 to 1000";
        /// What a caller hears while no further call is taken; default `busy`.
        when_full, "whenFull": super::WhenFull = "'busy' or 'unavailable'";
        /// Milliseconds an incoming call rings; default 60 000.
        no_answer_timeout, "noAnswerTimeout": u64 = "a whole number of milliseconds from 1000 to 3600000";
        /// Milliseconds without RTP, RTCP and consent until an answered call ends; default 60 000.
        media_timeout, "mediaTimeout": u64 = "a whole number of milliseconds from 1000 to 3600000";
        /// Session timers; default true.
        session_timers, "sessionTimers": SessionTimersOption = "a boolean or { expires, minSe }";
        /// How media may be protected, best first; default DTLS alone.
        media, "media": Vec<KeyingWish> = "an array of 'dtls', 'sdes', 'sdes-unprotected' and 'rtp'";
        /// Codecs in order of preference.
        codecs, "codecs": Vec<super::Codec> = "an array of 'opus', 'G722', 'PCMU' and 'PCMA'";
        /// Pauses of speech are left out.
        dtx, "dtx": bool = "a boolean";
        /// How Opus is run.
        opus, "opus": OpusOptions = "an object";
        /// Keys of the other party.
        dtmf, "dtmf": DtmfOptions = "an object";
        /// The sounds that the phone makes by itself; default none.
        tones, "tones": TonesOption = "a boolean, a country such as 'us', or { country, ring, ringback, callWaiting }";
        /// Devices.
        audio, "audio": AudioOption = "'none' or an object such as { input, output, echoCancellation }";
        /// What a party on hold hears; default silence.
        hold_music, "holdMusic": InputOption = "'default', 'none', a device id or an input";
        /// Event packages that others may subscribe to; default none.
        notifies, "notifies": Vec<String> = "an array of event packages such as 'conference'";
        /// The most milliseconds to gather ICE candidates; default 5000.
        ice_gathering_timeout, "iceGatheringTimeout": u64 = "a whole number of milliseconds from 0 to 60000";
    }
}

options! {
    /// The UDP ports of media.
    PortRangeOptions {
        /// The first.
        min, "min": u64 = "a port from 1024 to 65535";
        /// The last.
        max, "max": u64 = "a port from 1024 to 65535";
    }
}

options! {
    /// How long calls live without a refresh, in seconds.
    SessionTimersOptions {
        /// What to ask for; default 1800.
        expires, "expires": u64 = "a whole number of seconds from 90 to 86400";
        /// The least to agree to; default 90.
        min_se, "minSe": u64 = "a whole number of seconds from 90 to 86400";
    }
}

options! {
    /// How Opus is run.
    OpusOptions {
        /// Samples per second of the sound that is encoded and decoded; default 48 000.
        rate, "rate": u64 = "8000, 16000, 24000 or 48000";
        /// Bits per second; default 32 000, at 16 000 samples per second or less 24 000.
        bitrate, "bitrate": u64 = "a whole number of bits per second from 6000 to 510000";
        /// The effort; default 5.
        complexity, "complexity": u64 = "a whole number from 0 to 10";
    }
}

options! {
    /// The sounds that the phone makes by itself.
    ToneOptions {
        /// Whose tones, in two letters of ISO 3166-1; default those that ITU-T E.180 recommends.
        country, "country": String = "a country such as 'us'";
        /// While a call waits to be answered; default true.
        ring, "ring": RingOption = "a boolean or a WAV file";
        /// While a call rings at its callee; default true.
        ringback, "ringback": bool = "a boolean";
        /// In a call while another one waits; default true.
        call_waiting, "callWaiting": bool = "a boolean";
    }
}

options! {
    /// Keys of the other party.
    DtmfOptions {
        /// Whether they are listened for in the sound; default `auto`.
        inband, "inband": InbandOption = "'auto' or a boolean";
    }
}

options! {
    /// Where calls are taken without a server.
    ListenOptions {
        /// Over UDP.
        udp, "udp": PortOption = "a port, or { port, host? }";
        /// Over TCP.
        tcp, "tcp": PortOption = "a port, or { port, host? }";
        /// Over TLS.
        tls, "tls": ListenTlsOptions = "{ port, cert, key, host? }";
    }
}

options! {
    /// A port of this machine.
    PlaceOption {
        /// The port.
        port, "port": u64 = "a whole number from 1 to 65535";
        /// One of this machine's addresses; default all of IPv4.
        host, "host": String = "an address";
    }
}

options! {
    /// A port of this machine with TLS.
    ListenTlsOptions {
        /// The port.
        port, "port": u64 = "a whole number from 1 to 65535";
        /// One of this machine's addresses; default all of IPv4.
        host, "host": String = "an address";
        /// Our PEM certificate chain.
        cert, "cert": String = "a PEM certificate chain";
        /// Its PEM key.
        key, "key": Secret = "a PEM private key";
        /// Who must have signed the certificate of whoever connects.
        ca, "ca": OneOrMany<String> = "a PEM certificate or an array of them";
    }
}

options! {
    /// TLS of a wss: connection.
    TlsOptions {
        /// PEM certificates trusted beside the system's.
        ca, "ca": OneOrMany<String> = "a PEM certificate or an array of them";
        /// Our own PEM certificate chain.
        cert, "cert": String = "a PEM certificate chain";
        /// Its PEM key.
        key, "key": Secret = "a PEM private key";
        /// The name expected in the server's certificate; default the URL's host.
        servername, "servername": String = "a host name";
        /// Which keys the server's certificate may have, beside being trusted; default any.
        pin, "pin": OneOrMany<String> = "the base64 of a SHA-256 of a certificate's public key or an array of them";
        /// False accepts any certificate; default true.
        reject_unauthorized, "rejectUnauthorized": bool = "a boolean";
    }
}

options! {
    /// Which calls are answered by themselves, and how.
    AutoAnswerOptions {
        /// The policy by its name.
        policy, "policy": String = "'off', 'announced', 'headers', 'always' or a function";
        /// Milliseconds; the header's own delay, where longer, wins.
        delay, "delay": u64 = "a whole number of milliseconds from 0 to 60000";
        /// What happens during another call.
        when_busy, "whenBusy": super::WhenBusy = "'ring', 'answer' or 'reject'";
        /// URIs or domains that are always answered.
        trusted_peers, "trustedPeers": Vec<String> = "an array of SIP URIs and domain names";
        /// A beep before the microphone opens.
        beep, "beep": bool = "a boolean";
        /// What is shown of the camera; video is refused if absent.
        video, "video": VideoInput = "'none' or a video input";
        /// What is shown of a screen; a screen is refused if absent.
        screen, "screen": VideoInput = "'none' or a video input";
    }
}

options! {
    /// The default devices.
    AudioOptions {
        /// What the far end hears.
        input, "input": InputOption = "'default', 'none', a device id or an input";
        /// Where it is heard.
        output, "output": OutputOption = "'default', 'none', a device id or an output";
        /// Where it rings; default `output`.
        ring, "ring": OutputOption = "'default', 'none', a device id or an output";
        /// What stands in for a chosen device that vanishes while it is used; default `'default'`.
        fallback, "fallback": super::Fallback = "'default' or 'none'";
        /// Whether what the loudspeaker plays is taken out of the microphone's sound; default as fits the devices.
        echo_cancellation, "echoCancellation": bool = "a boolean";
        /// Whether what is not speech is lowered; default as fits the devices.
        noise_suppression, "noiseSuppression": bool = "a boolean";
        /// Whether speech is brought to an even level; default as fits the devices.
        auto_gain_control, "autoGainControl": bool = "a boolean";
    }
}

impl Options {
    /// Reads the options from JSON, naming the first that is unknown or has a wrong type.
    pub fn from_json(value: &Value) -> Result<Self, ConfigError> {
        if value.is_null() {
            return Err(ConfigError::missing(
                "options",
                "an object",
                "Options required to create an instance of the SDK",
            ));
        }
        Self::read("", value, "an object").map_err(|error| match error.option.as_str() {
            "" => ConfigError::new("options", error.expected, error.got),
            _ => error,
        })
    }
}

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(D::Error::custom)
    }
}

/// A WebSocket server.
#[derive(Clone, PartialEq)]
pub enum ServerOption {
    /// Its URL.
    Url(String),
    /// Its URL and its place among the others (RFC 2782).
    Weighted(WeightedServer),
}

impl<'de> Deserialize<'de> for ServerOption {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ServerShapes)
    }
}

struct ServerShapes;

impl<'de> Visitor<'de> for ServerShapes {
    type Value = ServerOption;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a ws: or wss: URL, a SIP server or { url, priority?, weight? }")
    }

    fn visit_str<E: Error>(self, url: &str) -> Result<ServerOption, E> {
        Ok(ServerOption::Url(url.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ServerOption, A::Error> {
        WeightedServer::deserialize(MapAccessDeserializer::new(map)).map(ServerOption::Weighted)
    }
}

impl std::fmt::Debug for ServerOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[server]")
    }
}

/// A WebSocket server with its place among the others.
#[derive(Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedServer {
    /// Its ws: or wss: URL, or its SIP URI.
    pub url: String,
    /// The lowest is tried first.
    #[serde(default)]
    pub priority: u16,
    /// Its share among servers of the same priority.
    #[serde(default = "one")]
    pub weight: u16,
}

impl std::fmt::Debug for WeightedServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeightedServer")
            .field("priority", &self.priority)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

fn one() -> u16 {
    1
}

/// `httpProxy`, as `lib` passes it on.
#[derive(Debug, Clone, PartialEq)]
pub enum ProxyOption {
    /// False: none.
    Direct,
    /// A proxy's URL.
    Url(Secret),
    /// The variables of the process's environment.
    Environment(tunnel::Variables),
    /// A function of the application.
    Function,
}

impl OptionValue for ProxyOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        if let Some(url) = value.as_str() {
            return Ok(Self::Url(Secret::new(url)));
        }
        if value.as_bool() == Some(false) {
            return Ok(Self::Direct);
        }
        match (value.get("environment"), value.get("function")) {
            (Some(variables), None) => {
                given::read(path, variables, expected).map(Self::Environment)
            }
            (None, Some(Value::Bool(true))) => Ok(Self::Function),
            (_, _) => Err(ConfigError::new(path, expected, describe(expected, value))),
        }
    }
}

/// `iceServers`.
#[derive(Debug, Clone, PartialEq)]
pub enum IceServersOption {
    /// These.
    List(Vec<IceServer>),
    /// A function of the application gives them.
    Function,
}

impl OptionValue for IceServersOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        match value.get("function") {
            Some(Value::Bool(true)) => Ok(Self::Function),
            Some(_) | None => given::read(path, value, expected).map(Self::List),
        }
    }
}

/// `listen.udp`: a port, by itself or with an address.
#[derive(Debug, Clone, PartialEq)]
pub enum PortOption {
    /// By itself.
    Port(u64),
    /// Perhaps with an address.
    Place(PlaceOption),
}

impl OptionValue for PortOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        if value.is_number() {
            return given::read(path, value, expected).map(Self::Port);
        }
        PlaceOption::read(path, value, expected).map(Self::Place)
    }
}

/// Headers, as an object or in order.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum HeaderOption {
    /// Name to value.
    Map(BTreeMap<String, String>),
    /// In order.
    List(Vec<(String, String)>),
}

/// `contactTransport`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum ContactTransportOption {
    /// `ws` or `wss`.
    Name(super::ContactTransport),
    /// False leaves the parameter away.
    Absent(bool),
}

/// `autoAnswer`: a policy's name, or an object.
#[derive(Debug, Clone, PartialEq)]
pub enum AutoAnswerOption {
    /// The policy alone.
    Policy(String),
    /// The policy and its circumstances.
    Detailed(AutoAnswerOptions),
}

impl OptionValue for AutoAnswerOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        match value.as_str() {
            Some(policy) => Ok(Self::Policy(policy.to_owned())),
            None => AutoAnswerOptions::read(path, value, expected).map(Self::Detailed),
        }
    }
}

/// `tones`: a switch, a country, or an object.
#[derive(Debug, Clone, PartialEq)]
pub enum TonesOption {
    /// Whether there are any.
    Switch(bool),
    /// All, as in this country.
    Country(String),
    /// Each by itself.
    Detailed(ToneOptions),
}

impl OptionValue for TonesOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        match (value.as_bool(), value.as_str()) {
            (Some(switch), _) => Ok(Self::Switch(switch)),
            (None, Some(country)) => Ok(Self::Country(country.to_owned())),
            (None, None) => ToneOptions::read(path, value, expected).map(Self::Detailed),
        }
    }
}

/// `tones.ring`: a switch, or what rings.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum RingOption {
    /// Whether it rings.
    Switch(bool),
    /// A WAV file.
    Input(audio::Input),
}

/// `dtmf.inband`: a switch, or a word.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum InbandOption {
    /// Whether they are listened for in any case.
    Switch(bool),
    /// When: only `auto` is a word.
    Word(Auto),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// As fits.
    Auto,
}

/// `audio`: `'none'`, or an object.
#[derive(Debug, Clone, PartialEq)]
pub enum AudioOption {
    /// A word: only `none` is one.
    Word(String),
    /// The devices.
    Devices(AudioOptions),
}

impl OptionValue for AudioOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        match value.as_str() {
            Some(word) => Ok(Self::Word(word.to_owned())),
            None => AudioOptions::read(path, value, expected).map(Self::Devices),
        }
    }
}

/// An input: a word, a device id or the input itself.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum InputOption {
    /// `default`, `none` or a device id.
    Word(String),
    /// Any input.
    Input(audio::Input),
}

impl From<InputOption> for audio::Input {
    fn from(option: InputOption) -> Self {
        match option {
            InputOption::Word(word) if word == "default" => Self::Default,
            InputOption::Word(word) if word == "none" => Self::None,
            InputOption::Word(id) => Self::Device { id },
            InputOption::Input(input) => input,
        }
    }
}

/// An output: a word, a device id or the output itself.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(untagged)]
pub enum OutputOption {
    /// `default`, `none` or a device id.
    Word(String),
    /// Any output.
    Output(audio::Output),
}

/// `sessionTimers`: a switch, or the intervals.
#[derive(Debug, Clone, PartialEq)]
pub enum SessionTimersOption {
    /// Whether there are any.
    Switch(bool),
    /// Their intervals.
    Intervals(SessionTimersOptions),
}

impl OptionValue for SessionTimersOption {
    fn read(path: &str, value: &Value, expected: &str) -> Result<Self, ConfigError> {
        match value.as_bool() {
            Some(switch) => Ok(Self::Switch(switch)),
            None => SessionTimersOptions::read(path, value, expected).map(Self::Intervals),
        }
    }
}

impl From<OutputOption> for audio::Output {
    fn from(option: OutputOption) -> Self {
        match option {
            OutputOption::Word(word) if word == "default" => Self::Default,
            OutputOption::Word(word) if word == "none" => Self::None,
            OutputOption::Word(id) => Self::Device { id },
            OutputOption::Output(output) => output,
        }
    }
}
