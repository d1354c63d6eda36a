//! Finding our own binding among all that a registrar lists (RFC 3261 §10.2.4, RFC 5626 §4.2).

use std::cmp::Reverse;
use std::time::Duration;

use crate::header::Contact;
use crate::message::Headers;

use super::Settings;

/// What a registrar says of our binding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// Its own `expires`, if it has one.
    pub(super) expires: Option<Duration>,
    pub(super) pub_gruu: Option<String>,
    pub(super) temp_gruu: Option<String>,
}

/// Returns our binding as the answer that granted it lists it; `None` if it is listed as over.
///
/// RFC 3261 §10.2.4 says how to find its lifetime, and not that it must be found: registrars give
/// it back as they see it, with another host, port or transport, or don't list it at all.
pub(super) fn own(headers: &Headers, settings: &Settings) -> Option<Binding> {
    let listed: Vec<Contact<'_>> = headers
        .list::<Contact>()
        .filter_map(Result::ok)
        .filter(|contact| contact.uri().is_some())
        .collect();
    let likely = listed
        .iter()
        .map(|contact| (likeness(contact, settings, listed.len()), contact))
        // Of two alike the one that is over was there before.
        .max_by_key(|(likeness, contact)| {
            let stands = contact.expires() != Some(0);
            (*likeness, stands, Reverse(contact.expires()))
        });
    let binding = match likely {
        Some((likeness, contact)) if likeness > Likeness::None => read(contact),
        // One of these is ours: who renews before the first of them ends is in time.
        Some(_) | None => Binding {
            expires: listed
                .iter()
                .filter_map(lifetime)
                .filter(|left| !left.is_zero())
                .min(),
            ..Binding::default()
        },
    };
    Some(binding).filter(|binding| binding.expires != Some(Duration::ZERO))
}

/// What speaks for a contact being ours, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Nothing, or it is another device's.
    None,
    /// There is no other.
    Alone,
    /// The host is ours, and nobody else has it.
    Host,
    /// RFC 5626 §4.2.1: the instance names the device.
    Instance,
    /// It is the very URI.
    Uri,
    /// The instance and the flow.
    Flow,
}

fn likeness(contact: &Contact<'_>, settings: &Settings, listed: usize) -> Likeness {
    let uri = contact.uri();
    let same_uri = uri
        .as_ref()
        .is_some_and(|uri| uri.same_as(&settings.contact));
    let same_host = uri.is_some_and(|uri| {
        let own = settings.contact.host_text();
        uri.host_text().eq_ignore_ascii_case(own)
    });
    match contact.instance() {
        Some(instance) if !same_instance(instance, settings) => Likeness::None,
        Some(_) if contact.reg_id() == Some(settings.reg_id) => Likeness::Flow,
        Some(_) | None if same_uri => Likeness::Uri,
        Some(_) => Likeness::Instance,
        None if same_host => Likeness::Host,
        None if listed == 1 => Likeness::Alone,
        None => Likeness::None,
    }
}

/// URNs of UUIDs compare without regard to case (RFC 4122 §3).
fn same_instance(instance: &str, settings: &Settings) -> bool {
    instance.eq_ignore_ascii_case(&settings.instance_id)
}

fn lifetime(contact: &Contact<'_>) -> Option<Duration> {
    contact
        .expires()
        .map(|seconds| Duration::from_secs(u64::from(seconds)))
}

fn read(contact: &Contact<'_>) -> Binding {
    Binding {
        expires: lifetime(contact),
        pub_gruu: contact.pub_gruu().map(|uri| uri.to_string()),
        temp_gruu: contact.temp_gruu().map(|uri| uri.to_string()),
    }
}
