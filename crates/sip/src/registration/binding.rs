//! Finding our own binding among all that a registrar lists (RFC 3261 §10.2.4, RFC 5626 §4.2).

use std::time::Duration;

use crate::header::Contact;
use crate::message::Headers;

use super::Settings;

/// What a registrar says of our binding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// Its own `expires`, where it has one.
    pub(super) expires: Option<Duration>,
    pub(super) pub_gruu: Option<String>,
    pub(super) temp_gruu: Option<String>,
}

/// Returns our binding; `None` where bindings are listed and ours is not among them.
pub(super) fn own(headers: &Headers, settings: &Settings) -> Option<Binding> {
    let mut listed = false;
    for contact in headers.list::<Contact>().filter_map(Result::ok) {
        listed = true;
        if is_ours(&contact, settings) {
            return Some(read(&contact)).filter(|binding| binding.expires != Some(Duration::ZERO));
        }
    }
    // Some registrars answer with no Contact at all.
    (!listed).then(Binding::default)
}

fn is_ours(contact: &Contact<'_>, settings: &Settings) -> bool {
    let same_uri = contact
        .uri()
        .is_some_and(|uri| uri.same_as(&settings.contact));
    match (contact.instance(), contact.reg_id()) {
        (Some(instance), Some(reg_id)) => {
            same_instance(instance, settings) && reg_id == settings.reg_id
        }
        (Some(instance), None) => same_instance(instance, settings) && same_uri,
        (None, _) => same_uri,
    }
}

/// URNs of UUIDs compare without regard to case (RFC 4122 §3).
fn same_instance(instance: &str, settings: &Settings) -> bool {
    instance.eq_ignore_ascii_case(&settings.instance_id)
}

fn read(contact: &Contact<'_>) -> Binding {
    Binding {
        expires: contact
            .expires()
            .map(|seconds| Duration::from_secs(u64::from(seconds))),
        pub_gruu: contact.pub_gruu().map(|uri| uri.to_string()),
        temp_gruu: contact.temp_gruu().map(|uri| uri.to_string()),
    }
}
