//! What a description of the peer changes: roles, credentials, associations.

use super::dtls::Dtls;
use super::ice::Credentials;
use super::{Description, RemoteParameters, Role, Setup, Transport, TransportFailure};

impl Transport {
    /// Starts or restarts ICE when the credentials ask for it; returns whether they did.
    pub(super) fn follow_credentials(
        &mut self,
        credentials: Credentials,
        remote: &RemoteParameters,
    ) -> bool {
        let answers_restart =
            remote.description == Description::Answer && self.ice.has_staged_restart();
        let known = self.ice.remote();
        if known == Some(&credentials) && !answers_restart {
            return false;
        }
        if known.is_none() && !self.ice.has_staged_restart() {
            let role = self.role_towards(remote, self.role);
            self.ice.start(role, credentials, self.now);
            return true;
        }
        // RFC 8445 §9: a restart settles the roles anew; who offered it controls.
        let (role, local) = match remote.description {
            Description::Answer => (Role::Controlling, self.ice.take_staged()),
            Description::Offer => (Role::Controlled, Some(self.ice.fresh_credentials())),
        };
        let role = self.role_towards(remote, role);
        if self.failure != Some(TransportFailure::Fingerprint) {
            self.failure = None;
        }
        let restarted = self.ice.restart(role, local, credentials, self.now);
        if restarted.is_err() {
            self.failure = Some(TransportFailure::Ice);
        }
        true
    }

    /// RFC 8445 §6.1.1: a lite agent never controls a full one.
    fn role_towards(&self, remote: &RemoteParameters, otherwise: Role) -> Role {
        if remote.lite {
            Role::Controlling
        } else {
            otherwise
        }
    }

    /// RFC 8842 §3.1: a new association for a new certificate, and after the end of the last one.
    pub(super) fn follow_fingerprints(&mut self, remote: &RemoteParameters, restarted: bool) {
        let goes_on = self.dtls.as_ref().is_some_and(|dtls| {
            dtls.expects(&remote.fingerprints) && !(dtls.is_over() && restarted)
        });
        if goes_on {
            return;
        }
        let client = match remote.setup {
            Setup::Passive => true,
            Setup::Active => false,
            // RFC 8842 §5.3: answering such an offer we choose to be active. In an answer it is
            // against the rules, and its sender waits.
            Setup::ActPass => remote.description == Description::Offer,
        };
        let made = Dtls::new(&self.certificate, client, remote.fingerprints.clone());
        let Ok(mut dtls) = made else {
            self.failure = Some(TransportFailure::Dtls);
            return;
        };
        if self.ice.selected().is_some() {
            dtls.start(self.now);
        }
        if self.dtls.as_ref().is_some_and(Dtls::is_over) {
            self.srtp = None;
        }
        self.dtls = Some(dtls);
        self.failure = None;
    }
}
