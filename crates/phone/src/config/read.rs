//! From options to a configuration: the rules that concern more than one option.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::account::{account, authorization, bearer_is_safe, domain};
use super::headers::{check_headers, may_be_added};
use super::keying::keyings;
use super::listen::{Listen, listen, peers, trust_domain};
use super::network::{interfaces, port_range};
use super::options::{
    AudioOption, AutoAnswerOption, AutoAnswerOptions, ContactTransportOption, HeaderOption,
    IceServersOption, InbandOption, Options, OpusOptions, ServerOption, SessionTimersOption,
    SessionTimersOptions, TlsOptions,
};
use super::server::contact_host;
use super::{
    Address, Audio, AutoAnswer, Codec, Config, ConfigError, ContactTransport, Fallback, HttpProxy,
    InbandDtmf, InterfaceFilter, Opus, Policy, Server, SessionTimers, Tls,
};
use crate::door::audio;
use crate::door::ice_server::OneOrMany;
use crate::door::id::is_uuid;
use crate::door::level::Level;
use crate::door::secret::Secret;
use crate::door::text::{is_printable, is_token};
use crate::door::video::VideoInput;

/// Octets of SHA-256.
const PIN: usize = 32;
/// RFC 3261 gives no limit; nobody configures more, and a list must end.
const MOST_SERVERS: usize = 64;
/// There are not as many that a phone could tell of.
const MOST_PACKAGES: usize = 16;

impl Config {
    /// Whether nobody gets in by TLS without a certificate that we know the signer of.
    pub(crate) fn checks_peers(&self) -> bool {
        self.listen.as_ref().is_some_and(Listen::checks_peers)
    }

    /// Reads and judges options given as JSON.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, ConfigError> {
        Self::try_from(Options::from_json(value)?)
    }
}

impl TryFrom<Options> for Config {
    type Error = ConfigError;

    fn try_from(options: Options) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let account = account(&options, &mut warnings)?;
        let auto_answer = auto_answer(&options, account.is_triple)?;
        let listen = listen(options.listen, options.peers.as_ref())?;
        let register = options.register.unwrap_or(true);
        let servers = match (&listen, &options.servers, register) {
            (Some(_), None, false) => Vec::new(),
            (Some(_), None, true) => {
                let expected = "false if listen is given, and no servers";
                return Err(ConfigError::new("register", expected, "true"));
            }
            (_, Some(_), _) | (None, None, _) => servers(options.servers, &account.address)?,
        };
        warnings.extend(open_beside_secure(&servers));
        let checks = options.tls.as_ref().and_then(|tls| tls.reject_unauthorized);
        let by_tls = listen.as_ref().is_some_and(Listen::checks_peers);
        let media = keyings(options.media, &servers, by_tls, checks.unwrap_or(true))?;
        let allow_insecure = options.allow_insecure.unwrap_or(false);
        bearer_is_safe(&account.credentials, &servers, allow_insecure)?;
        let authorization = authorization(options.authorization, &account.credentials)?;
        let http_proxy = HttpProxy::read(options.http_proxy, &servers)?;
        let (ice_servers, asks_for_ice_servers) = match options.ice_servers {
            None => (Vec::new(), false),
            Some(IceServersOption::List(list)) => (super::ice_servers("iceServers", list)?, false),
            Some(IceServersOption::Function) => (Vec::new(), true),
        };
        Ok(Self {
            display_name: options
                .display_name
                .map(|name| printable("displayName", name))
                .transpose()?,
            trust_domain: trust_domain(options.trust_domain.unwrap_or_default(), &servers)?,
            servers,
            listen,
            peers: peers(options.peers.unwrap_or_default())?,
            ping_interval: options.ping_interval.map(ping_interval).transpose()?,
            credentials: account.credentials,
            register,
            register_expires: Duration::from_secs(within(
                "registerExpires",
                options.register_expires.unwrap_or(600),
                1..=86_400,
                "seconds",
            )?),
            journal: options
                .journal
                .map(|path| journal(path, options.instance_id.is_some()))
                .transpose()?,
            instance_id: options.instance_id.map(instance_id).transpose()?,
            user_agent: filled(
                "userAgent",
                options
                    .user_agent
                    .as_deref()
                    .unwrap_or(concat!("offhook/", env!("CARGO_PKG_VERSION"))),
            )?,
            extra_headers: extra_headers(options.extra_headers)?,
            contact_transport: match options.contact_transport {
                None => Some(ContactTransport::Ws),
                Some(ContactTransportOption::Name(name)) => Some(name),
                Some(ContactTransportOption::Absent(false)) => None,
                Some(ContactTransportOption::Absent(true)) => {
                    return Err(ConfigError::new(
                        "contactTransport",
                        "'ws', 'wss' or false",
                        "the boolean true",
                    ));
                }
            },
            contact_host: options
                .contact_host
                .map(|host| contact_host(&host))
                .transpose()?,
            tls: tls(options.tls.unwrap_or_default())?,
            http_proxy,
            outbound_proxy: each("outboundProxy", options.outbound_proxy, route)?,
            authorization,
            allow_insecure,
            conversation_id_headers: each(
                "conversationIdHeader",
                options.conversation_id_header,
                header_name,
            )?,
            org_id: options.org_id.map(org_id).transpose()?,
            auto_answer,
            follow_redirects: options.follow_redirects.unwrap_or(false),
            max_sessions: options.max_sessions.map(max_sessions).transpose()?,
            max_ringing: max_ringing(options.max_ringing.unwrap_or(32))?,
            when_full: options.when_full.unwrap_or_default(),
            no_answer_timeout: Duration::from_millis(within(
                "noAnswerTimeout",
                options.no_answer_timeout.unwrap_or(60_000),
                1000..=3_600_000,
                "milliseconds",
            )?),
            media_timeout: Duration::from_millis(within(
                "mediaTimeout",
                options.media_timeout.unwrap_or(60_000),
                1000..=3_600_000,
                "milliseconds",
            )?),
            session_survivability: options.session_survivability.unwrap_or(true),
            auto_connect_sessions: options.auto_connect_sessions.unwrap_or(true),
            session_timers: session_timers(options.session_timers)?,
            media,
            codecs: codecs(options.codecs)?,
            dtx: options.dtx.unwrap_or(false),
            opus: opus(options.opus.unwrap_or_default())?,
            inband_dtmf: match options.dtmf.and_then(|dtmf| dtmf.inband) {
                None | Some(InbandOption::Word(_)) => InbandDtmf::Auto,
                Some(InbandOption::Switch(true)) => InbandDtmf::Always,
                Some(InbandOption::Switch(false)) => InbandDtmf::Never,
            },
            audio: audio(options.audio)?,
            tones: super::tones::tones(options.tones)?,
            hold_others: options.hold_others.unwrap_or(false),
            hang_up_on_exit: options.hang_up_on_exit.unwrap_or(true),
            hold_music: options.hold_music.map_or(audio::Input::None, Into::into),
            notifies: notifies(options.notifies)?,
            volume: 100,
            ice_servers,
            asks_for_ice_servers,
            ice_transport_policy: options.ice_transport_policy.unwrap_or_default(),
            port_range: options.port_range.map(port_range).transpose()?,
            interfaces: match options.interfaces {
                Some(given) => interfaces(&given)?,
                None => InterfaceFilter::default(),
            },
            ice_gathering_timeout: Duration::from_millis(within(
                "iceGatheringTimeout",
                options.ice_gathering_timeout.unwrap_or(5000),
                0..=60_000,
                "milliseconds",
            )?),
            log_level: options.log_level.unwrap_or(Level::Info),
            address: account.address,
            warnings,
        })
    }
}

fn servers(
    given: Option<OneOrMany<ServerOption>>,
    address: &Address,
) -> Result<Vec<Server>, ConfigError> {
    let expected =
        "a ws: or wss: URL, a SIP server such as 'sips:pbx.example.com', or a list of them";
    let options = match given {
        None => {
            let url = format!("wss://{}/ws", address.domain);
            return Server::read(ServerOption::Url(url), "servers").map(|server| vec![server]);
        }
        Some(OneOrMany::One(only)) => {
            return Server::read(only, "servers").map(|server| vec![server]);
        }
        Some(OneOrMany::Many(options)) => options,
    };
    match options.len() {
        0 => Err(ConfigError::new("servers", expected, "an empty array")),
        n if n > MOST_SERVERS => Err(ConfigError::new(
            "servers",
            format!("at most {MOST_SERVERS} servers"),
            format!("{n} servers"),
        )),
        _ => options
            .into_iter()
            .enumerate()
            .map(|(index, option)| Server::read(option, &format!("servers[{index}]")))
            .collect(),
    }
}

/// Whoever can block the one gets us to speak openly over the other.
fn open_beside_secure(servers: &[Server]) -> Option<String> {
    servers.iter().find(|server| server.is_secure())?;
    let open = servers.iter().find(|server| !server.is_secure())?;
    Some(format!(
        "The server {open} has no TLS and stands beside servers that do: whoever blocks those reads and changes what is said over it, \
         also what the encryption of calls rests on"
    ))
}

fn auto_answer(options: &Options, is_triple: bool) -> Result<AutoAnswer, ConfigError> {
    let outbound = options.auto_answer_outbound_calls.unwrap_or(true);
    let (option, given) = match options.auto_answer.clone() {
        None => ("autoAnswer", AutoAnswerOptions::default()),
        Some(AutoAnswerOption::Detailed(given)) => ("autoAnswer.policy", given),
        Some(AutoAnswerOption::Policy(policy)) => {
            let policy = Some(policy);
            let others = AutoAnswerOptions::default();
            ("autoAnswer", AutoAnswerOptions { policy, ..others })
        }
    };
    let named = given.policy.as_deref();
    let explicit = named.map(|name| policy(option, name)).transpose()?;
    Ok(AutoAnswer {
        policy: explicit.unwrap_or(match (is_triple, outbound) {
            (true, true) => Policy::Headers,
            (true, false) | (false, _) => Policy::Announced,
        }),
        announced: explicit.is_some() || outbound,
        delay: Duration::from_millis(within(
            "autoAnswer.delay",
            given.delay.unwrap_or(0),
            0..=60_000,
            "milliseconds",
        )?),
        when_busy: given.when_busy.unwrap_or_default(),
        trusted_peers: given
            .trusted_peers
            .unwrap_or_default()
            .iter()
            .enumerate()
            .map(|(index, peer)| filled(&format!("autoAnswer.trustedPeers[{index}]"), peer))
            .collect::<Result<_, _>>()?,
        beep: given.beep.unwrap_or(false),
        video: lasting("autoAnswer.video", given.video)?,
        screen: lasting("autoAnswer.screen", given.screen)?,
    })
}

/// A stream is over when its session is; what is set up for calls to come is there for each of them.
fn lasting(option: &str, input: Option<VideoInput>) -> Result<Option<VideoInput>, ConfigError> {
    match input {
        Some(VideoInput::Stream { .. }) => Err(ConfigError::new(
            option,
            "'none', a VideoSource, { y4m } or { ivf }",
            "a stream of a session, which goes to acceptPendingSession()",
        )),
        Some(
            VideoInput::Source { .. }
            | VideoInput::Y4m { .. }
            | VideoInput::Ivf { .. }
            | VideoInput::None,
        )
        | None => Ok(input),
    }
}

fn policy(option: &str, name: &str) -> Result<Policy, ConfigError> {
    match name {
        "off" => Ok(Policy::Off),
        "announced" => Ok(Policy::Announced),
        "headers" => Ok(Policy::Headers),
        "always" => Ok(Policy::Always),
        "function" => Ok(Policy::Function),
        _ => Err(ConfigError::new(
            option,
            "'off', 'announced', 'headers', 'always' or a function",
            "another string",
        )),
    }
}

fn tls(options: TlsOptions) -> Result<Tls, ConfigError> {
    let pem = |option: &str, text: &str| match text.contains("-----BEGIN ") {
        true => Ok(()),
        false => Err(ConfigError::new(option, "PEM text", "another string")),
    };
    // No certificate more is none more.
    let given = options.ca.filter(|ca| *ca != OneOrMany::Many(Vec::new()));
    let ca = each("tls.ca", given, |option, text| {
        pem(option, &text).map(|()| text)
    })?;
    let identity = match (options.cert, options.key) {
        (None, None) => None,
        (Some(cert), Some(key)) => {
            pem("tls.cert", &cert)?;
            pem("tls.key", key.reveal())?;
            Some((cert, key))
        }
        (Some(_), None) => {
            return Err(ConfigError::new("tls.key", "given with tls.cert", "absent"));
        }
        (None, Some(_)) => {
            return Err(ConfigError::new("tls.cert", "given with tls.key", "absent"));
        }
    };
    Ok(Tls {
        ca,
        identity,
        servername: options
            .servername
            .map(|name| domain("tls.servername", &name))
            .transpose()?,
        pins: each("tls.pin", options.pin, |option, text| pin(option, &text))?,
        reject_unauthorized: options.reject_unauthorized.unwrap_or(true),
    })
}

/// Takes a pin as RFC 7469 §2.1 writes it, alone or with what curl and others put around it.
fn pin(option: &str, text: &str) -> Result<String, ConfigError> {
    let directive = text
        .strip_prefix("pin-sha256=\"")
        .and_then(|rest| rest.strip_suffix('"'));
    let named = text
        .strip_prefix("sha256//")
        .or_else(|| text.strip_prefix("sha256/"));
    let value = directive.or(named).unwrap_or(text);
    match STANDARD.decode(value) {
        Ok(digest) if digest.len() == PIN => Ok(value.to_owned()),
        Ok(_) | Err(_) => Err(ConfigError::new(
            option,
            "the base64 of 32 octets, the SHA-256 of a certificate's public key, such as 'd6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM='",
            "another string",
        )),
    }
}

fn codecs(given: Option<Vec<Codec>>) -> Result<Vec<Codec>, ConfigError> {
    let Some(codecs) = given else {
        return Ok(vec![Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma]);
    };
    if codecs.is_empty() {
        let expected = "an array of 'opus', 'G722', 'PCMU' and 'PCMA', each once";
        return Err(ConfigError::new("codecs", expected, "an empty array"));
    }
    let is_again = |(index, codec): &(usize, &Codec)| codecs[..*index].contains(codec);
    if let Some((index, _)) = codecs.iter().enumerate().find(is_again) {
        let option = format!("codecs[{index}]");
        return Err(ConfigError::new(
            option,
            "another codec than before",
            "the same again",
        ));
    }
    Ok(codecs)
}

fn opus(options: OpusOptions) -> Result<Opus, ConfigError> {
    let rate = options.rate.unwrap_or(48_000);
    let rate = [8000, 16_000, 24_000, 48_000]
        .into_iter()
        .find(|possible| u64::from(*possible) == rate)
        .ok_or_else(|| {
            let expected = "8000, 16000, 24000 or 48000";
            ConfigError::new("opus.rate", expected, format!("the number {rate}"))
        })?;
    let bitrate = if rate <= 16_000 { 24_000 } else { 32_000 };
    let bitrate = within(
        "opus.bitrate",
        options.bitrate.unwrap_or(bitrate),
        6000..=510_000,
        "bits per second",
    )?;
    let complexity = options.complexity.unwrap_or(5);
    let complexity = within("opus.complexity", complexity, 0..=10, "steps of effort")?;
    Ok(Opus {
        rate,
        bitrate: bitrate as u32,
        complexity: complexity as u8,
    })
}

fn session_timers(
    option: Option<SessionTimersOption>,
) -> Result<Option<SessionTimers>, ConfigError> {
    let options = match option {
        None | Some(SessionTimersOption::Switch(true)) => SessionTimersOptions::default(),
        Some(SessionTimersOption::Switch(false)) => return Ok(None),
        Some(SessionTimersOption::Intervals(options)) => options,
    };
    // RFC 4028 §4 and §5: half an hour is recommended, less than 90 s is forbidden.
    let seconds = |name, given: Option<u64>, default| {
        within(name, given.unwrap_or(default), 90..=86_400, "seconds")
    };
    let min_se = seconds("sessionTimers.minSe", options.min_se, 90)?;
    let expires = seconds("sessionTimers.expires", options.expires, 1800.max(min_se))?;
    match expires < min_se {
        true => Err(ConfigError::new(
            "sessionTimers.expires",
            "no less than sessionTimers.minSe",
            expires.to_string(),
        )),
        false => Ok(Some(SessionTimers {
            expires: expires as u32,
            min_se: min_se as u32,
        })),
    }
}

fn audio(option: Option<AudioOption>) -> Result<Audio, ConfigError> {
    match option {
        None => Ok(Audio::default()),
        Some(AudioOption::Word(word)) if word == "none" => Ok(Audio {
            input: audio::Input::None,
            output: audio::Output::None,
            ring: None,
            fallback: Fallback::default(),
            processing: audio::Processing::default(),
        }),
        Some(AudioOption::Word(_)) => Err(ConfigError::new(
            "audio",
            "'none' or an object such as { input, output, echoCancellation }",
            "another string",
        )),
        Some(AudioOption::Devices(devices)) => Ok(Audio {
            input: devices.input.map(Into::into).unwrap_or_default(),
            output: devices.output.map(Into::into).unwrap_or_default(),
            ring: devices.ring.map(Into::into),
            fallback: devices.fallback.unwrap_or_default(),
            processing: audio::Processing {
                echo_cancellation: devices.echo_cancellation,
                noise_suppression: devices.noise_suppression,
                auto_gain_control: devices.auto_gain_control,
            },
        }),
    }
}

fn extra_headers(option: Option<HeaderOption>) -> Result<Vec<(String, String)>, ConfigError> {
    let headers: Vec<(String, String)> = match option {
        None => Vec::new(),
        Some(HeaderOption::Map(map)) => map.into_iter().collect(),
        Some(HeaderOption::List(list)) => list,
    };
    check_headers("extraHeaders", &headers)?;
    Ok(headers)
}

fn header_name(option: &str, name: String) -> Result<String, ConfigError> {
    match (is_token(&name), may_be_added(&name)) {
        (true, true) => Ok(name),
        (true, false) => Err(ConfigError::new(
            option,
            "the name of a header that SIP leaves to applications",
            format!("'{name}'"),
        )),
        (false, _) => Err(ConfigError::new(option, "a header name", "another string")),
    }
}

fn printable(option: &str, text: String) -> Result<String, ConfigError> {
    match is_printable(&text) {
        true => Ok(text),
        false => Err(ConfigError::new(
            option,
            "a string without control characters",
            "a string with one",
        )),
    }
}

pub(super) fn filled(option: &str, text: &str) -> Result<String, ConfigError> {
    match text {
        "" => Err(ConfigError::new(
            option,
            "a non-empty string",
            "an empty string",
        )),
        text => printable(option, text.to_owned()),
    }
}

pub(super) fn filled_secret(option: &str, secret: &Secret) -> Result<Secret, ConfigError> {
    filled(option, secret.reveal()).map(Secret::new)
}

fn route(option: &str, uri: String) -> Result<String, ConfigError> {
    match sip::uri::Uri::parse(&uri) {
        Ok(parsed) if parsed.is_sip() => Ok(uri),
        Ok(_) | Err(_) => Err(ConfigError::new(
            option,
            "a SIP URI such as 'sip:proxy.example.com;lr'",
            "another string",
        )),
    }
}

fn journal(path: String, is_named: bool) -> Result<String, ConfigError> {
    if path.is_empty() || path.contains('\0') {
        return Err(ConfigError::new(
            "journal",
            "the path of a file",
            "another string",
        ));
    }
    match is_named {
        true => Ok(path),
        false => Err(ConfigError::new(
            "instanceId",
            "a UUID that is the same in each process if journal is used",
            "missing",
        )),
    }
}

fn instance_id(text: String) -> Result<String, ConfigError> {
    let uuid = text.strip_prefix("urn:uuid:").unwrap_or(&text);
    match is_uuid(uuid) {
        true => Ok(uuid.to_ascii_lowercase()),
        false => Err(ConfigError::new("instanceId", "a UUID", "another string")),
    }
}

fn org_id(text: String) -> Result<String, ConfigError> {
    match is_uuid(&text) {
        true => Ok(text),
        false => Err(ConfigError::new("orgId", "a GUID", "another string")),
    }
}

fn notifies(packages: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    let packages = packages.unwrap_or_default();
    let expected = "an array of event packages such as 'conference'";
    if packages.len() > MOST_PACKAGES {
        let found = format!("{} packages", packages.len());
        return Err(ConfigError::new("notifies", expected, found));
    }
    match packages.iter().find(|package| !is_token(package)) {
        Some(_) => Err(ConfigError::new("notifies", expected, "another string")),
        None => Ok(packages),
    }
}

fn max_sessions(number: u64) -> Result<usize, ConfigError> {
    count("maxSessions", number, 1..=1_000_000, "sessions")
}

fn max_ringing(number: u64) -> Result<usize, ConfigError> {
    count("maxRinging", number, 1..=1000, "calls")
}

fn count(
    option: &str,
    number: u64,
    range: std::ops::RangeInclusive<u64>,
    unit: &str,
) -> Result<usize, ConfigError> {
    let number = within(option, number, range, unit)?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Short enough that a peer which answers is not forgotten between two questions.
fn ping_interval(milliseconds: u64) -> Result<Duration, ConfigError> {
    let range = 1000..=300_000;
    within("pingInterval", milliseconds, range, "milliseconds").map(Duration::from_millis)
}

fn within(
    option: &str,
    number: u64,
    range: std::ops::RangeInclusive<u64>,
    unit: &str,
) -> Result<u64, ConfigError> {
    match range.contains(&number) {
        true => Ok(number),
        false => Err(ConfigError::new(
            option,
            format!(
                "a whole number of {unit} from {} to {}",
                range.start(),
                range.end()
            ),
            format!("the number {number}"),
        )),
    }
}

/// Judges one value, or each of several by its place.
fn each(
    option: &str,
    given: Option<OneOrMany<String>>,
    judge: impl Fn(&str, String) -> Result<String, ConfigError>,
) -> Result<Vec<String>, ConfigError> {
    match given {
        None => Ok(Vec::new()),
        Some(OneOrMany::One(value)) => judge(option, value).map(|value| vec![value]),
        Some(OneOrMany::Many(values)) if values.is_empty() => {
            let expected = "one or more, or not given";
            Err(ConfigError::new(option, expected, "an empty array"))
        }
        Some(OneOrMany::Many(values)) => values
            .into_iter()
            .enumerate()
            .map(|(index, value)| judge(&format!("{option}[{index}]"), value))
            .collect(),
    }
}
