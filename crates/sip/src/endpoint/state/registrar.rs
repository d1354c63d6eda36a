//! Our place at the registrar: what is wished, what is granted, and the Contact under which we are reached for it.

use std::time::{Duration, Instant};

use rand::Rng;

use crate::endpoint::compose;
use crate::endpoint::config::EndpointConfig;
use crate::message::{Request, Response};
use crate::registration::{Bound, Phase, Registration, RegistrationOutcome, Settings};
use crate::transaction::Flow;
use crate::uri::Uri;

/// One registration, from the wish for it to the wish for none.
#[derive(Debug)]
pub(in crate::endpoint) struct Registrar {
    registration: Registration,
    wish: Wish,
    binding: Option<Granted>,
    /// The REGISTER that is out shows credentials that were replaced since.
    outdated: bool,
    /// The name that nobody else has.
    host: String,
    /// Whether our flows are kept for us as RFC 5626 says.
    outbound: bool,
    /// Over WebSocket the same for the endpoint's whole life, whatever flows come and go.
    contact: Uri<'static>,
    /// The same without our name.
    private_contact: Uri<'static>,
}

/// What was wished of the registration last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Nothing,
    Registered,
    Unregistered,
}

/// What the registrar gave us beside a lifetime.
#[derive(Debug)]
struct Granted {
    pub_gruu: Option<String>,
    temp_gruu: Option<String>,
    service_route: Vec<String>,
}

/// What is still to be said to the registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::endpoint) enum Owed {
    Nothing,
    Register,
    Unregister,
}

impl Registrar {
    /// For a Contact at `host`, which is nobody else's.
    pub(in crate::endpoint) fn new(
        config: &EndpointConfig,
        host: &str,
        rng: &mut impl Rng,
    ) -> Self {
        let user = config
            .aor
            .user_unescaped()
            .map(std::borrow::Cow::into_owned);
        let contact = compose::contact_uri(config, user.as_deref(), host, None);
        let registration = Registration::new(Settings {
            registrar: compose::registrar(config),
            aor: compose::name_addr(config.display_name.as_deref(), &config.aor),
            contact: contact.clone(),
            instance_id: config.instance_id.clone(),
            reg_id: config.reg_id,
            expires: config.register_expires,
            call_id: compose::long_id(rng),
        });
        Self {
            registration,
            wish: Wish::Nothing,
            binding: None,
            outdated: false,
            host: host.to_owned(),
            outbound: config.supported.iter().any(|tag| tag == "outbound"),
            contact,
            private_contact: compose::contact_uri(config, Some("anonymous"), host, None),
        }
    }

    /// Takes the Contact that belongs to a flow: where our end of it is, unless the configuration names a host. Over
    /// WebSocket nobody could reach that, and the name that nobody else has stays.
    pub(in crate::endpoint) fn moved(&mut self, config: &EndpointConfig, flow: &Flow) {
        let user = config
            .aor
            .user_unescaped()
            .map(std::borrow::Cow::into_owned);
        let at = |user, flow| compose::contact_uri(config, user, &self.host, Some(flow));
        self.contact = at(user.as_deref(), flow);
        // Who hides its name does not tell where it is either.
        let nowhere = Flow {
            local: None,
            ..*flow
        };
        self.private_contact = at(Some("anonymous"), &nowhere);
        self.registration.set_contact(self.contact.clone());
    }

    pub(in crate::endpoint) fn contact(&self) -> &Uri<'static> {
        &self.contact
    }

    /// The Contact of a dialog: a GRUU once we have one, else our own with `ob` (RFC 5626 §4.3, RFC 5627 §4.4).
    pub(in crate::endpoint) fn dialog_contact(&self, private: bool) -> String {
        let gruu = self.binding.as_ref().and_then(|granted| match private {
            true => granted.temp_gruu.as_ref(),
            false => granted.pub_gruu.as_ref(),
        });
        match gruu {
            Some(gruu) => format!("<{gruu}>"),
            None => {
                let bare = match private {
                    true => &self.private_contact,
                    false => &self.contact,
                };
                let ob = if self.outbound { ";ob" } else { "" };
                format!("<{bare}{ob}>")
            }
        }
    }

    /// The Route that the registrar gave us, if it gave one (RFC 3608).
    pub(in crate::endpoint) fn service_route(&self) -> Option<&[String]> {
        let granted = self.binding.as_ref()?;
        (!granted.service_route.is_empty()).then_some(&granted.service_route[..])
    }

    pub(in crate::endpoint) fn phase(&self) -> Phase {
        self.registration.phase()
    }

    /// Says whether a REGISTER is out.
    pub(in crate::endpoint) fn is_asked(&self) -> bool {
        self.registration.is_outstanding()
    }

    /// Says whether the registrar knows us.
    pub(in crate::endpoint) fn is_bound(&self) -> bool {
        self.binding.is_some()
    }

    pub(in crate::endpoint) fn wants_binding(&self) -> bool {
        self.wish == Wish::Registered
    }

    pub(in crate::endpoint) fn want_binding(&mut self) {
        self.wish = Wish::Registered;
    }

    pub(in crate::endpoint) fn want_no_binding(&mut self) {
        self.wish = Wish::Unregistered;
    }

    /// Other credentials hold from now on.
    pub(in crate::endpoint) fn credentials_changed(&mut self) {
        self.outdated = self.is_asked();
    }

    /// A REGISTER is answered with what holds now.
    pub(in crate::endpoint) fn is_up_to_date(&mut self) {
        self.outdated = false;
    }

    /// Says whether a refusal is of credentials that are in force no more.
    pub(in crate::endpoint) fn is_outdated(&self) -> bool {
        self.outdated && self.wants_binding()
    }

    /// The REGISTER that binds us or renews our binding.
    pub(in crate::endpoint) fn register(&mut self) -> Request {
        self.outdated = false;
        self.registration.register()
    }

    /// The REGISTER that removes our binding.
    pub(in crate::endpoint) fn unregister(&mut self) -> Request {
        self.registration.unregister()
    }

    /// The REGISTER that is out, once more.
    pub(in crate::endpoint) fn again(&mut self) -> Request {
        self.registration.request()
    }

    pub(in crate::endpoint) fn next_cseq(&mut self) -> u32 {
        self.registration.next_cseq()
    }

    pub(in crate::endpoint) fn answered(
        &mut self,
        response: &Response,
        now: Instant,
        rng: &mut impl Rng,
    ) -> RegistrationOutcome {
        self.registration.handle_response(response, now, rng)
    }

    /// Nobody has answered; returns how long to wait before the next try.
    pub(in crate::endpoint) fn unanswered(
        &mut self,
        now: Instant,
        rng: &mut impl Rng,
    ) -> Option<Duration> {
        self.registration.handle_silence(now, rng)
    }

    /// The machine slept; returns when the next REGISTER is due.
    pub(in crate::endpoint) fn slept(&mut self, slept: Duration, now: Instant) -> Option<Instant> {
        self.registration.handle_sleep(slept, now)
    }

    /// Returns whether we were bound before.
    pub(in crate::endpoint) fn bind(&mut self, bound: &Bound) -> bool {
        let granted = Granted {
            pub_gruu: bound.pub_gruu.clone(),
            temp_gruu: bound.temp_gruu.clone(),
            service_route: bound.service_route.clone(),
        };
        self.binding.replace(granted).is_some()
    }

    pub(in crate::endpoint) fn unbind(&mut self) {
        self.binding = None;
    }

    /// There is nothing to say to the registrar, and nothing more is wanted of it.
    pub(in crate::endpoint) fn stop(&mut self) {
        self.registration.stop();
    }

    /// It will not have us.
    pub(in crate::endpoint) fn give_up(&mut self) {
        self.unbind();
        if self.wants_binding() {
            self.wish = Wish::Nothing;
        }
    }

    /// What was wished while a REGISTER was out.
    pub(in crate::endpoint) fn owed(&self) -> Owed {
        let idle = self.phase() == Phase::Idle;
        match self.wish {
            _ if self.is_asked() => Owed::Nothing,
            Wish::Unregistered if self.is_bound() => Owed::Unregister,
            Wish::Registered if self.outdated || idle => Owed::Register,
            Wish::Unregistered | Wish::Registered | Wish::Nothing => Owed::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn registrar() -> Registrar {
        let aor = "sip:alice@example.com".parse().expect("it is a URI");
        let config = EndpointConfig::new(aor, "urn:uuid:1");
        Registrar::new(&config, "0a.invalid", &mut StdRng::from_seed([1; 32]))
    }

    fn bound() -> Bound {
        Bound {
            expires: Duration::from_secs(600),
            refresh_in: Duration::from_secs(500),
            pub_gruu: Some("sip:alice@example.com;gr=1".into()),
            temp_gruu: None,
            service_route: vec!["<sip:edge.example.com;lr>".into()],
        }
    }

    #[test]
    fn what_is_wished_while_a_register_is_out_is_owed_after_it() {
        let mut registrar = registrar();
        assert_eq!(registrar.owed(), Owed::Nothing);
        registrar.want_binding();
        assert_eq!(registrar.owed(), Owed::Register);
        registrar.register();
        registrar.want_no_binding();
        assert_eq!(registrar.owed(), Owed::Nothing, "one at a time");
        registrar.bind(&bound());
        registrar.stop();
        assert_eq!(registrar.owed(), Owed::Unregister);
        registrar.give_up();
        assert_eq!(registrar.owed(), Owed::Nothing);
    }

    #[test]
    fn credentials_that_are_replaced_under_way_are_shown_next() {
        let mut registrar = registrar();
        registrar.want_binding();
        registrar.credentials_changed();
        assert!(!registrar.is_outdated(), "nothing is out");
        registrar.register();
        registrar.credentials_changed();
        assert!(registrar.is_outdated());
        registrar.register();
        assert!(!registrar.is_outdated());
    }

    #[test]
    fn a_dialog_has_the_gruu_that_was_granted_and_privacy_has_no_name() {
        let mut registrar = registrar();
        assert!(
            registrar
                .dialog_contact(false)
                .starts_with("<sip:alice@0a.invalid")
        );
        assert!(!registrar.bind(&bound()) && registrar.bind(&bound()));
        assert_eq!(
            registrar.dialog_contact(false),
            "<sip:alice@example.com;gr=1>"
        );
        assert!(
            registrar
                .dialog_contact(true)
                .starts_with("<sip:anonymous@0a.invalid")
        );
        assert!(registrar.service_route().is_some());
        registrar.unbind();
        assert!(registrar.service_route().is_none() && !registrar.is_bound());
    }
}
