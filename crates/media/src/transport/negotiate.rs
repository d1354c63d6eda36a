//! What a description of the peer changes: roles, credentials, associations.

use super::dtls::Dtls;
use super::ice::Credentials;
use super::srtp::Srtp;
use super::{Description, RemoteParameters, Role, Setup, Transport, TransportFailure};

/// More forks than these have no early media worth keeping.
const MOST_PARKED: usize = 8;

/// The association with a fork in whose place another is heard. It may be who answers the call at last, and does not make
/// another association for that (RFC 8842 §3.1). A final answer ends the wait.
#[derive(Debug)]
pub(super) struct Parked {
    remote: Credentials,
    dtls: Dtls,
    srtp: Option<Srtp>,
}

/// What the credentials of a description say about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SenderChange {
    /// It goes on as before.
    Unchanged,
    /// It starts ICE, for the first time or anew.
    Restarts,
    /// It is not who answered before, whatever its certificate.
    Another,
}

impl Transport {
    /// Starts or restarts ICE when the credentials ask for it.
    pub(super) fn follow_credentials(
        &mut self,
        credentials: Credentials,
        remote: &RemoteParameters,
    ) -> SenderChange {
        let answers_restart =
            remote.description == Description::Answer && self.ice.has_staged_restart();
        let known = self.ice.remote();
        if known == Some(&credentials) && !answers_restart {
            return SenderChange::Unchanged;
        }
        if known.is_none() && !self.ice.has_staged_restart() {
            let role = self.role_towards(remote, self.role);
            self.ice.start(role, credentials, self.now);
            return SenderChange::Restarts;
        }
        // RFC 8839 §4.4.1.1: an answer restarts ICE only if its offer did. Another one that
        // changes the credentials comes from another fork, or from where the call was moved to.
        let is_another = remote.description == Description::Answer && !answers_restart;
        if is_another {
            self.change_peers(&credentials);
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
        self.paths.close_streams_but(self.ice.media_pair());
        match is_another {
            true => SenderChange::Another,
            false => SenderChange::Restarts,
        }
    }

    /// Takes nothing more from who answered before: with a shared certificate its hello would
    /// pass for one of the peer that took its place.
    fn change_peers(&mut self, to: &Credentials) {
        self.undecrypted.take();
        let (dtls, srtp) = (self.dtls.take(), self.srtp.take());
        if let (Some(dtls), Some(remote)) = (dtls, self.ice.remote().cloned())
            && !dtls.is_over()
        {
            self.parked.truncate(MOST_PARKED - 1);
            self.parked.insert(0, Parked { remote, dtls, srtp });
        }
        self.ice.forget_paths();
        if let Some(known) = self.parked.iter().position(|p| p.remote == *to) {
            let Parked { dtls, srtp, .. } = self.parked.remove(known);
            self.dtls = Some(dtls);
            self.srtp = srtp;
        }
        let parked = self.parked.iter().map(|parked| &parked.remote.ufrag);
        self.ice.park(parked.cloned().collect());
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
    pub(super) fn follow_fingerprints(&mut self, remote: &RemoteParameters, sender: SenderChange) {
        let goes_on = self.dtls.as_ref().is_some_and(|dtls| {
            dtls.expects(&remote.fingerprints)
                && !(dtls.is_over() && sender == SenderChange::Restarts)
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
        // A restart may lead elsewhere: its handshake waits for its own path.
        if sender == SenderChange::Unchanged && self.ice.media_pair().is_some() {
            dtls.start(self.now);
        }
        if self.dtls.as_ref().is_some_and(Dtls::is_over) {
            self.srtp = None;
        }
        self.dtls = Some(dtls);
        self.failure = None;
    }
}
