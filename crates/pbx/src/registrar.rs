//! The registrar's bindings (RFC 3261 §10.3, RFC 5626 §6, RFC 5627 §5).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip::header::Contact;
use sip::transaction::FlowId;
use sip::uri::Uri;

// A user with more devices than this is a client gone wrong.
const MAX_BINDINGS: usize = 32;

/// A REGISTER, read.
#[derive(Debug)]
pub(crate) struct Registration<'a> {
    pub(crate) user: &'a str,
    pub(crate) flow: FlowId,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    pub(crate) contacts: Vec<Contact<'a>>,
    /// The Expires header, in seconds.
    pub(crate) expires: Option<u32>,
}

/// Where one of a user's devices can be reached.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) uri: Uri<'static>,
    pub(crate) flow: FlowId,
    pub(crate) expires_at: Instant,
    pub(crate) instance: Option<String>,
    pub(crate) reg_id: Option<u32>,
    q: u16,
    call_id: String,
    cseq: u32,
}

/// What a REGISTER changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Added {
        contact: String,
        renewed: bool,
        expires: Duration,
    },
    Removed {
        contact: String,
    },
}

/// Why a REGISTER is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: the Contact can't be read, or `*` stands beside something.
    BadContact,
    /// 423.
    TooBrief,
    /// 500: an older request of the same client (RFC 3261 §10.3, step 7).
    OutOfOrder,
    /// 403: too many devices.
    TooMany,
}

/// Every user's bindings.
#[derive(Debug)]
pub(crate) struct Registrar {
    min_expires: Duration,
    max_expires: Duration,
    bindings: BTreeMap<String, Vec<Binding>>,
}

impl Registrar {
    pub(crate) fn new(min_expires: Duration, max_expires: Duration) -> Self {
        Self {
            min_expires,
            max_expires,
            bindings: BTreeMap::new(),
        }
    }

    /// Applies a REGISTER whole, or not at all.
    pub(crate) fn register(
        &mut self,
        request: &Registration<'_>,
        now: Instant,
    ) -> Result<Vec<Change>, Refusal> {
        if request
            .contacts
            .iter()
            .any(|contact| contact.uri().is_none())
        {
            return self.remove_all(request);
        }
        let wanted = request
            .contacts
            .iter()
            .map(|contact| self.granted(contact, request))
            .collect::<Result<Vec<_>, _>>()?;
        let mut bindings = self.bindings.get(request.user).cloned().unwrap_or_default();
        let mut changes = Vec::new();
        for (contact, expires) in request.contacts.iter().zip(wanted) {
            if let Some(change) = bind(&mut bindings, contact, expires, request, now)? {
                changes.push(change);
            }
        }
        if bindings.len() > MAX_BINDINGS {
            return Err(Refusal::TooMany);
        }
        self.bindings.insert(request.user.to_owned(), bindings);
        Ok(changes)
    }

    /// Returns a user's bindings, best `q` first.
    pub(crate) fn bindings(&self, user: &str) -> Vec<&Binding> {
        let mut bindings: Vec<_> = self.bindings.get(user).into_iter().flatten().collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.q));
        bindings
    }

    /// Returns the device of a user that a `gr` parameter names (RFC 5627 §5.2).
    pub(crate) fn device(&self, user: &str, gruu: &str) -> Option<&Binding> {
        self.bindings
            .get(user)?
            .iter()
            .find(|binding| binding.instance.as_deref() == Some(gruu))
    }

    /// Returns the user and the flow of a contact URI, wherever it is registered.
    pub(crate) fn flow_of(&self, contact: &Uri<'_>) -> Option<FlowId> {
        self.bindings
            .values()
            .flatten()
            .find(|binding| same_contact(&binding.uri, contact))
            .map(|binding| binding.flow)
    }

    /// Returns the user that registered over a flow.
    pub(crate) fn user_of(&self, flow: FlowId) -> Option<&str> {
        self.bindings
            .iter()
            .find(|(_, bindings)| bindings.iter().any(|binding| binding.flow == flow))
            .map(|(user, _)| user.as_str())
    }

    /// Forgets what a lost connection had registered.
    pub(crate) fn forget_flow(&mut self, flow: FlowId) -> Vec<(String, String)> {
        self.remove_where(|_, binding| binding.flow == flow)
    }

    /// Forgets what a user had registered.
    pub(crate) fn forget_user(&mut self, user: &str) -> Vec<(String, String)> {
        self.remove_where(|owner, _| owner == user)
    }

    /// Forgets what was not renewed in time.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(String, String)> {
        self.remove_where(|_, binding| binding.expires_at <= now)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.bindings
            .values()
            .flatten()
            .map(|binding| binding.expires_at)
            .min()
    }

    pub(crate) fn min_expires(&self) -> Duration {
        self.min_expires
    }

    fn granted(
        &self,
        contact: &Contact<'_>,
        request: &Registration<'_>,
    ) -> Result<Duration, Refusal> {
        let wanted = contact.expires().or(request.expires);
        let wanted = wanted.map_or(self.max_expires, |seconds| {
            Duration::from_secs(seconds.into())
        });
        if wanted.is_zero() {
            return Ok(wanted);
        }
        if wanted < self.min_expires {
            return Err(Refusal::TooBrief);
        }
        Ok(wanted.min(self.max_expires))
    }

    // RFC 3261 §10.3, step 6: `*` stands alone and with an Expires of zero.
    fn remove_all(&mut self, request: &Registration<'_>) -> Result<Vec<Change>, Refusal> {
        if request.contacts.len() != 1 || request.expires != Some(0) {
            return Err(Refusal::BadContact);
        }
        Ok(self
            .forget_user(request.user)
            .into_iter()
            .map(|(_, contact)| Change::Removed { contact })
            .collect())
    }

    fn remove_where(&mut self, gone: impl Fn(&str, &Binding) -> bool) -> Vec<(String, String)> {
        let mut removed = Vec::new();
        for (user, bindings) in &mut self.bindings {
            bindings.retain(|binding| {
                let gone = gone(user, binding);
                if gone {
                    removed.push((user.clone(), binding.uri.to_string()));
                }
                !gone
            });
        }
        self.bindings.retain(|_, bindings| !bindings.is_empty());
        removed
    }
}

fn bind(
    bindings: &mut Vec<Binding>,
    contact: &Contact<'_>,
    expires: Duration,
    request: &Registration<'_>,
    now: Instant,
) -> Result<Option<Change>, Refusal> {
    let uri = contact.uri().ok_or(Refusal::BadContact)?;
    let place = bindings
        .iter()
        .position(|binding| is_binding_of(binding, contact, uri));
    if let Some(place) = place
        && bindings[place].call_id == request.call_id
        && bindings[place].cseq >= request.cseq
    {
        return Err(Refusal::OutOfOrder);
    }
    let old = place.map(|place| bindings.remove(place));
    let name = uri.to_string();
    if expires.is_zero() {
        return Ok(old.map(|_| Change::Removed { contact: name }));
    }
    bindings.push(Binding {
        uri: uri.reborrow().into_owned().to_request_uri(),
        flow: request.flow,
        expires_at: now + expires,
        instance: contact.instance().map(str::to_owned),
        reg_id: contact.reg_id(),
        q: contact.q(),
        call_id: request.call_id.to_owned(),
        cseq: request.cseq,
    });
    Ok(Some(Change::Added {
        contact: name,
        renewed: old.is_some(),
        expires,
    }))
}

// RFC 5626 §6: a device's flow is known by its instance and reg-id, whatever its URI.
fn is_binding_of(binding: &Binding, contact: &Contact<'_>, uri: &Uri<'_>) -> bool {
    match (contact.instance(), contact.reg_id()) {
        (Some(instance), Some(reg_id)) => {
            binding.instance.as_deref() == Some(instance) && binding.reg_id == Some(reg_id)
        }
        (Some(_) | None, _) => binding.uri.same_as(uri),
    }
}

// Contacts over WebSocket differ in their random host: parameters such as `ob` come and go.
fn same_contact(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.user() == b.user()
        && a.port() == b.port()
        && a.host_text().eq_ignore_ascii_case(b.host_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::header::TypedHeader;

    fn epoch() -> Instant {
        #[expect(
            clippy::disallowed_methods,
            reason = "virtual time needs one instant to count from"
        )]
        Instant::now()
    }

    fn contact(text: &str) -> Contact<'_> {
        Contact::parse(text).unwrap()
    }

    fn request<'a>(cseq: u32, contacts: &[&'a str], expires: Option<u32>) -> Registration<'a> {
        Registration {
            user: "alice",
            flow: FlowId(u64::from(cseq)),
            call_id: "one",
            cseq,
            contacts: contacts.iter().map(|text| contact(text)).collect(),
            expires,
        }
    }

    fn registrar() -> Registrar {
        Registrar::new(Duration::from_secs(10), Duration::from_secs(3600))
    }

    const OUTBOUND: &str =
        r#"<sip:a@x.invalid;transport=ws>;reg-id=1;+sip.instance="<urn:uuid:1>""#;
    const MOVED: &str = r#"<sip:a@y.invalid;transport=ws>;reg-id=1;+sip.instance="<urn:uuid:1>""#;

    #[test]
    fn a_device_that_moved_keeps_one_binding() {
        let (mut registrar, now) = (registrar(), epoch());
        registrar
            .register(&request(1, &[OUTBOUND], None), now)
            .unwrap();
        let changes = registrar
            .register(&request(2, &[MOVED], None), now)
            .unwrap();
        assert!(matches!(
            &changes[..],
            [Change::Added { renewed: true, .. }]
        ));
        let bindings = registrar.bindings("alice");
        assert_eq!(bindings.len(), 1);
        assert_eq!(bindings[0].flow, FlowId(2));
        assert!(registrar.device("alice", "urn:uuid:1").is_some());
    }

    #[test]
    fn an_older_request_of_the_same_client_is_refused() {
        let (mut registrar, now) = (registrar(), epoch());
        registrar
            .register(&request(5, &[OUTBOUND], None), now)
            .unwrap();
        assert_eq!(
            registrar.register(&request(4, &[OUTBOUND], Some(0)), now),
            Err(Refusal::OutOfOrder)
        );
    }

    #[test]
    fn too_brief_a_registration_is_refused_and_changes_nothing() {
        let (mut registrar, now) = (registrar(), epoch());
        assert_eq!(
            registrar.register(&request(1, &[OUTBOUND], Some(9)), now),
            Err(Refusal::TooBrief)
        );
        assert!(registrar.bindings("alice").is_empty());
    }

    #[test]
    fn a_star_stands_alone_and_with_zero() {
        let (mut registrar, now) = (registrar(), epoch());
        registrar
            .register(&request(1, &[OUTBOUND], None), now)
            .unwrap();
        assert_eq!(
            registrar.register(&request(2, &["*"], None), now),
            Err(Refusal::BadContact)
        );
        assert_eq!(
            registrar.register(&request(2, &["*", OUTBOUND], Some(0)), now),
            Err(Refusal::BadContact)
        );
        registrar
            .register(&request(2, &["*"], Some(0)), now)
            .unwrap();
        assert!(registrar.bindings("alice").is_empty());
    }

    #[test]
    fn a_binding_that_is_not_renewed_ends() {
        let (mut registrar, now) = (registrar(), epoch());
        registrar
            .register(&request(1, &[OUTBOUND], Some(60)), now)
            .unwrap();
        let end = now + Duration::from_secs(60);
        assert_eq!(registrar.next_deadline(), Some(end));
        assert!(registrar.expire(end - Duration::from_millis(1)).is_empty());
        assert_eq!(registrar.expire(end).len(), 1);
        assert!(registrar.bindings("alice").is_empty());
    }
}
