//! What the INVITE of a call says beside its offer: the conversation, who calls, what is handed over, how it is to be answered.

use sip::endpoint::Caller;

use crate::config::{Config, may_be_added};
use crate::door::command::{AnswerRequest, CallOptions};
use crate::door::text::is_printable;
use crate::reading::{conversation_id, target, user_to_user};

type Header = (String, String);

/// What an INVITE says beside its offer.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// Who calls, if it is not the phone's own address.
    pub(crate) from: Option<Box<Caller>>,
    pub(crate) headers: Vec<Header>,
}

/// A URI where headers want one and there is nothing to say: a name that never exists (RFC 6761 §6.4).
const NOWHERE: &str = "auto-answer.invalid";

const PREFERRED_IDENTITY: &str =
    "preferredIdentity must be a SIP or tel URI, an address such as 'bob@example.com', or a number";

const FROM: &str =
    "from must be a SIP or tel URI, an address such as 'bob@example.com', or a number";

/// Reads the options; a text is returned where something can't be written.
pub(crate) fn read(options: &mut CallOptions, config: &Config) -> Result<Invitation, Refusal> {
    let mut headers = std::mem::take(&mut options.headers);
    headers.extend(conversation(options, config)?);
    let from = caller(options, config)?;
    headers.extend(identity(options, from.as_deref(), config)?);
    if let Some(handed_over) = &options.user_to_user {
        let value = user_to_user::write(handed_over).ok_or(
            "userToUser must be at most 1024 bytes of text, or data as its encoding wants it",
        )?;
        headers.push(("User-to-User".into(), value));
    }
    headers.extend(options.auto_answer.iter().flat_map(auto_answer));
    Ok(Invitation { from, headers })
}

/// What an option must be.
type Refusal = &'static str;

fn conversation(options: &CallOptions, config: &Config) -> Result<Option<Header>, Refusal> {
    let Some(id) = &options.conversation_id else {
        return Ok(None);
    };
    check_text(id, "conversationId must have no control characters")?;
    let mut named = config.conversation_id_headers.iter();
    let name = named
        .find(|name| may_be_added(name))
        .map_or(conversation_id::SENT_AS, String::as_str);
    Ok(Some((name.to_owned(), id.clone())))
}

/// Who a trunk is told that calls. A registrar knows us by our own address alone.
fn caller(options: &CallOptions, config: &Config) -> Result<Option<Box<Caller>>, Refusal> {
    let Some(from) = &options.from else {
        return Ok(None);
    };
    if config.register {
        return Err(
            "from needs register: false, for a server where the phone registers knows it by its uri; preferredIdentity asks that server to show another",
        );
    }
    let uri = target::resolve(&from.number, &config.address).map_err(|_| FROM)?;
    let name = from.name.as_deref().unwrap_or_default();
    check_text(name, "from.name must have no control characters")?;
    Ok(Some(Box::new(Caller {
        uri,
        display_name: from.name.clone(),
    })))
}

/// RFC 3325: within the trust domain we say ourselves who calls (§5), and a server outside of it is asked to say it, or not
/// (§9.2). Behind an anonymous From it is what says who pays.
fn identity(
    options: &CallOptions,
    from: Option<&Caller>,
    config: &Config,
) -> Result<Option<Header>, Refusal> {
    let own = || from.map_or_else(|| config.address.to_string(), |from| from.uri.to_string());
    let asserts = config.trust_domain.has_servers;
    let preferred = match &options.preferred_identity {
        Some(preferred) => {
            let uri = target::resolve(preferred, &config.address);
            let uri = uri.map_err(|_| PREFERRED_IDENTITY)?;
            Some(uri.to_string())
        }
        None if options.display_name.is_some() || options.anonymous || asserts => Some(own()),
        None => None,
    };
    let Some(uri) = preferred else {
        return Ok(None);
    };
    let of_ours = match from {
        Some(from) => from.display_name.as_deref(),
        None => config.display_name.as_deref(),
    };
    let of_ours = of_ours.filter(|_| uri == own());
    let name = options.display_name.as_deref().or(of_ours);
    let value = match name.filter(|name| !name.is_empty()) {
        Some(name) => {
            check_text(name, "displayName must have no control characters")?;
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{quoted}\" <{uri}>")
        }
        None => format!("<{uri}>"),
    };
    let header = match asserts {
        true => "P-Asserted-Identity",
        false => "P-Preferred-Identity",
    };
    Ok(Some((header.into(), value)))
}

/// The three forms that phones understand, for none understands all. `Answer-Mode` (RFC 5373) knows no delay: whoever
/// reads nothing else would answer too early.
fn auto_answer(wish: &AnswerRequest) -> Vec<Header> {
    let seconds = wish.delay.div_ceil(1000);
    let mode = match wish.required {
        true => Some("Auto;require"),
        false if seconds == 0 => Some("Auto"),
        false => None,
    };
    let mode = mode.map(|mode| ("Answer-Mode".into(), mode.into()));
    let infos = [
        (
            "Call-Info",
            format!("<sip:{NOWHERE}>;answer-after={seconds}"),
        ),
        (
            "Alert-Info",
            format!("<http://{NOWHERE}>;info=alert-autoanswer;delay={seconds}"),
        ),
    ];
    let infos = infos.map(|(name, value)| (name.into(), value));
    mode.into_iter().chain(infos).collect()
}

fn check_text(text: &str, otherwise: Refusal) -> Result<(), Refusal> {
    match is_printable(text) {
        true => Ok(()),
        false => Err(otherwise),
    }
}
