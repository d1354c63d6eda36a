//! Who the phone is: an address with credentials, or the PureCloud triple.

use super::options::Options;
use super::read::{filled, filled_secret};
use super::server::{port, split_port};
use super::token::TokenClaims;
use super::{Address, Authorization, ConfigError, Credentials, Server};
use crate::door::ice_server::OneOrMany;
use crate::door::secret::Secret;

/// The environments that PureCloud's SDK knows; others get its warning, not an error.
const STANDARD_ENVIRONMENTS: [&str; 5] = [
    "mypurecloud.com",
    "mypurecloud.ie",
    "mypurecloud.jp",
    "mypurecloud.de",
    "mypurecloud.com.au",
];

pub(super) struct AccountConfig {
    pub(super) address: Address,
    pub(super) credentials: Credentials,
    pub(super) is_triple: bool,
}

pub(super) fn account(
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<AccountConfig, ConfigError> {
    // Also what is not needed is judged: whoever writes it means something.
    realms(options)?;
    if let Some(environment) = &options.environment {
        domain("environment", &filled("environment", environment)?)?;
    }
    match &options.uri {
        Some(uri) => sip_account(options, address(uri)?),
        None => triple(options, warnings),
    }
}

fn sip_account(options: &Options, address: Address) -> Result<AccountConfig, ConfigError> {
    let username = match &options.username {
        Some(username) => filled("username", username)?,
        None => address.user.clone(),
    };
    let given = [
        ("password", options.password.is_some()),
        ("ha1", options.ha1.is_some()),
        ("accessToken", options.access_token.is_some()),
    ];
    let mut given = given.iter().filter(|(_, given)| *given);
    if let (Some(_), Some((second, _))) = (given.next(), given.next()) {
        return Err(ConfigError::new(
            *second,
            "absent if another of 'password', 'ha1' and 'accessToken' is given",
            "given as well",
        ));
    }
    let credentials = if let Some(password) = &options.password {
        let password = filled_secret("password", password)?;
        Credentials::Password {
            username,
            realms: realms(options)?,
            password,
            renewable: options.renewable.unwrap_or(false),
        }
    } else if let Some(ha1) = &options.ha1 {
        Credentials::Ha1 {
            username,
            realm: only_realm(options, &address)?,
            ha1: hashed(ha1)?,
        }
    } else if let Some(token) = &options.access_token {
        Credentials::Token {
            realms: token_realms(options, &address)?,
            token: bearer(token)?,
            renewable: options.renewable.unwrap_or(false),
        }
    } else {
        Credentials::None
    };
    Ok(AccountConfig {
        address,
        credentials,
        is_triple: false,
    })
}

/// The realms that a credential is for, if they are named.
fn realms(options: &Options) -> Result<Vec<String>, ConfigError> {
    let given = match &options.realm {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(realm)) => vec![filled("realm", realm)?],
        Some(OneOrMany::Many(realms)) => realms
            .iter()
            .enumerate()
            .map(|(index, realm)| filled(&format!("realm[{index}]"), realm))
            .collect::<Result<_, _>>()?,
    };
    match given.is_empty() {
        true => Err(ConfigError::new(
            "realm",
            "at least one realm",
            "an empty array",
        )),
        false => Ok(given),
    }
}

/// Where none is named, a token is for our own domain: it is shown as it is.
fn token_realms(options: &Options, address: &Address) -> Result<Vec<String>, ConfigError> {
    let given = realms(options)?;
    match given.is_empty() {
        true => Ok(vec![host_of(address)]),
        false => Ok(given),
    }
}

/// RFC 7616 §3.4.2: the realm is a part of what was hashed.
fn only_realm(options: &Options, address: &Address) -> Result<String, ConfigError> {
    match <[String; 1]>::try_from(realms(options)?) {
        Ok([realm]) => Ok(realm),
        Err(none) if none.is_empty() => Ok(host_of(address)),
        Err(several) => Err(ConfigError::new(
            "realm",
            "the one realm for which ha1 was made",
            format!("an array of {}", several.len()),
        )),
    }
}

fn host_of(address: &Address) -> String {
    let host = split_port(&address.domain).map(|(host, _)| host);
    match host {
        Some(host) if !host.contains(':') => host.to_owned(),
        Some(_) | None => address.domain.clone(),
    }
}

fn bearer(token: &Secret) -> Result<Secret, ConfigError> {
    match sip::auth::Credentials::bearer(token.reveal(), Vec::new()) {
        Ok(_) => Ok(token.clone()),
        Err(_) => Err(ConfigError::new(
            "accessToken",
            "a bearer token of letters, digits and -._~+/=",
            match token.reveal() {
                "" => "an empty string",
                _ => "another string",
            },
        )),
    }
}

/// The PureCloud triple: `environment`, `accessToken`, `orgId`.
fn triple(options: &Options, warnings: &mut Vec<String>) -> Result<AccountConfig, ConfigError> {
    if *options == Options::default() {
        return Err(ConfigError::missing(
            "options",
            "an object",
            "Options required to create an instance of the SDK",
        ));
    }
    let Some(token) = &options.access_token else {
        return Err(nobody(options));
    };
    let token = bearer(token)?;
    let domain = match &options.environment {
        Some(environment) => {
            if !STANDARD_ENVIRONMENTS.contains(&environment.as_str()) {
                warnings.push(
                    "Environment is not in the standard list. You may not be able to connect."
                        .into(),
                );
            }
            domain("environment", environment)?
        }
        None => {
            warnings.push("No environment provided, using mypurecloud.com".into());
            STANDARD_ENVIRONMENTS[0].into()
        }
    };
    let user = match &options.username {
        Some(username) => filled("username", username)?,
        None => TokenClaims::read(token.reveal())
            .and_then(|claims| claims.subject)
            .filter(|subject| !subject.is_empty())
            .ok_or_else(|| {
                ConfigError::new(
                    "username",
                    "a non-empty string, as accessToken is not a JWT with a 'sub' claim",
                    "absent",
                )
            })?,
    };
    let address = address(&format!("sip:{}@{domain}", escape_user(&user)))?;
    Ok(AccountConfig {
        credentials: Credentials::Token {
            realms: token_realms(options, &address)?,
            token,
            renewable: options.renewable.unwrap_or(false),
        },
        address,
        is_triple: true,
    })
}

/// What is missing of options that name nobody: PureCloud's text is for who has one of its options.
fn nobody(options: &Options) -> ConfigError {
    let purecloud = options.environment.is_some() || options.org_id.is_some();
    let sip = options.password.is_some() || options.ha1.is_some() || options.realm.is_some();
    match (purecloud, sip) {
        (true, _) => ConfigError::missing(
            "accessToken",
            "a non-empty string",
            "Access token is required to create an instance of the SDK",
        ),
        (false, true) => ConfigError::new("uri", SIP_URI, "missing"),
        (false, false) => ConfigError::missing(
            "uri",
            SIP_URI,
            "Access token is required to create an instance of the SDK, or the option 'uri' for a SIP account",
        ),
    }
}

const SIP_URI: &str = "a SIP URI such as 'sip:alice@example.com'";

fn address(uri: &str) -> Result<Address, ConfigError> {
    let wrong = || ConfigError::new("uri", SIP_URI, "another string");
    let (scheme, rest) = match uri.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") => ("sip", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sips") => ("sips", rest),
        Some(_) | None => ("sip", uri),
    };
    let (user, host) = rest.rsplit_once('@').ok_or_else(wrong)?;
    // Whoever writes a space means another address, not its escape.
    let odd = |c: char| c == ':' || c == '@' || c.is_whitespace() || c.is_control();
    if user.is_empty() || user.contains(odd) {
        return Err(wrong());
    }
    let address = Address {
        scheme,
        user: escape_user(user),
        domain: domain("uri", host).map_err(|_| wrong())?,
    };
    match sip::uri::Uri::parse(&address.to_string()) {
        Ok(_) => Ok(address),
        Err(_) => Err(wrong()),
    }
}

fn hashed(ha1: &Secret) -> Result<Secret, ConfigError> {
    let text = ha1.reveal();
    match sip::auth::Secret::ha1(text) {
        Ok(_) => Ok(ha1.clone()),
        Err(_) => Err(ConfigError::new(
            "ha1",
            "32 (MD5) or 64 (SHA-256) hexadecimal digits",
            "another string",
        )),
    }
}

/// Digest needs a challenge: only a bearer token can be sent unasked.
pub(super) fn authorization(
    given: Option<Authorization>,
    credentials: &Credentials,
) -> Result<Authorization, ConfigError> {
    let bearer = matches!(credentials, Credentials::Token { .. });
    match given.unwrap_or_default() {
        Authorization::Always if !bearer => Err(ConfigError::new(
            "authorization",
            "'challenge' if no accessToken is given",
            "'always'",
        )),
        given @ (Authorization::Always | Authorization::Challenge) => Ok(given),
    }
}

/// RFC 8898 §4: a bearer token is for nobody to read on the way.
pub(super) fn bearer_is_safe(
    credentials: &Credentials,
    servers: &[Server],
    allow_insecure: bool,
) -> Result<(), ConfigError> {
    let bearer = matches!(credentials, Credentials::Token { .. });
    match bearer && !allow_insecure && servers.iter().any(|server| !server.is_secure()) {
        true => Err(ConfigError::new(
            "servers",
            "wss: URLs if accessToken is used (or allowInsecure: true), or SIP servers with TLS",
            "a server without TLS",
        )),
        false => Ok(()),
    }
}

/// Escapes what RFC 3261 §25.1 does not allow in a user part; an escape stays as it is.
pub(crate) fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%".contains(&b) => {
                escaped.push(char::from(b));
            }
            b => escaped.push_str(&format!("%{b:02X}")),
        }
    }
    escaped
}

/// A host with or without a port.
pub(super) fn domain(option: &str, text: &str) -> Result<String, ConfigError> {
    let is_domain = split_port(text)
        .is_some_and(|(_, digits)| digits.is_none_or(|digits| port(digits).is_some()));
    match is_domain {
        true => Ok(text.to_owned()),
        false => Err(ConfigError::new(option, "a domain name", "another string")),
    }
}
