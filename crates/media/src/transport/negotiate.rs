//! What a description of the peer changes: roles, credentials, associations.

use super::candidates::default_candidate;
use super::direct::Direct;
use super::dtls::Dtls;
use super::ice::Credentials;
use super::output::Output;
use super::protection::Protection;
use super::srtp::{Keys, Srtp};
use super::{
    Description, Keying, RemoteAddress, RemoteDtls, RemoteError, RemoteIce, RemoteKeying,
    RemoteParameters, Role, SdesKeys, Setup, Transport, TransportFailure,
};

/// More forks than these have no early media worth keeping.
const MOST_PARKED: usize = 8;

/// The association with a fork in whose place another is heard. It may be who answers the call at last, and does not make
/// another association for that (RFC 8842 §3.1). A final answer ends the wait.
#[derive(Debug)]
pub(super) struct Parked {
    remote: Credentials,
    dtls: Dtls,
    protection: Option<Protection>,
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
    /// Goes on with a peer that speaks ICE.
    pub(super) fn follow_ice_of(
        &mut self,
        remote: &RemoteIce,
        description: Description,
    ) -> Result<SenderChange, RemoteError> {
        let credentials = Credentials {
            ufrag: remote.ufrag.clone(),
            pwd: remote.pwd.clone(),
        };
        if !credentials.is_plausible() {
            return Err(RemoteError::Credentials);
        }
        let sender = self.follow_credentials(credentials, remote, description);
        self.direct = None;
        for candidate in &remote.candidates {
            self.ice.add_remote(candidate, self.now);
        }
        self.take_named(&remote.named);
        if remote.end_of_candidates {
            self.ice.end_of_candidates();
        }
        Ok(sender)
    }

    /// Goes on with a peer that names an address and speaks no ICE.
    pub(super) fn follow_address(
        &mut self,
        named: RemoteAddress,
    ) -> Result<SenderChange, RemoteError> {
        let towards = named.rtp.map(|address| address.ip());
        let ours = default_candidate(self.paths.candidates(), towards);
        let base = ours.and_then(|ours| self.paths.base_of(ours));
        let base = base.ok_or(RemoteError::Unreachable)?;
        if self.failure != Some(TransportFailure::Fingerprint) {
            self.failure = None;
        }
        match &mut self.direct {
            Some(direct) => direct.follow(base, named),
            None => {
                // Drops what was staged.
                let _ = self.ice.take_staged();
                self.ice.stop();
                self.direct = Some(Direct::new(base, named));
            }
        }
        let selected = self.selected_path();
        self.out.extend(selected.map(Output::SelectedPath));
        Ok(SenderChange::Unchanged)
    }

    /// Protects media as was agreed.
    pub(super) fn follow_keying(&mut self, remote: &RemoteParameters, sender: SenderChange) {
        match &remote.keying {
            RemoteKeying::Dtls(dtls) => self.follow_fingerprints(dtls, remote.description, sender),
            RemoteKeying::Sdes(keys) => {
                self.dtls = None;
                self.follow_keys(keys);
            }
            RemoteKeying::Plain => {
                self.dtls = None;
                self.protection = Some(Protection::Plain);
            }
        }
    }

    /// A peer without ICE may have named its address later than its fingerprint.
    fn begin_direct(&mut self) {
        let reaches = self
            .direct
            .as_ref()
            .is_some_and(|direct| direct.pair().is_some());
        if let Some(dtls) = self.dtls.as_mut().filter(|_| reaches) {
            dtls.start(self.now);
        }
    }

    fn follow_keys(&mut self, keys: &SdesKeys) {
        let keys = Keys::from(keys);
        let made = match &mut self.protection {
            Some(Protection::Srtp(Keying::Sdes, srtp)) => srtp.rekey(keys),
            Some(_) | None => Srtp::new(keys, self.certificate.provider().clone()).map(|srtp| {
                self.protection = Some(Protection::Srtp(Keying::Sdes, Box::new(srtp)));
            }),
        };
        // Their lengths were judged when they were read.
        if made.is_err() {
            self.failure = Some(TransportFailure::Srtp);
        }
    }

    /// Starts or restarts ICE when the credentials ask for it.
    fn follow_credentials(
        &mut self,
        credentials: Credentials,
        remote: &RemoteIce,
        description: Description,
    ) -> SenderChange {
        let answers_restart = description == Description::Answer && self.ice.has_staged_restart();
        let known = self.ice.remote();
        let is_known = known == Some(&credentials);
        // What was found before the peer left ICE was let go.
        if is_known && !answers_restart && self.direct.is_none() {
            return SenderChange::Unchanged;
        }
        if known.is_none() && !self.ice.has_staged_restart() {
            let role = self.role_towards(remote, self.role);
            self.ice.start(role, credentials, self.now);
            return SenderChange::Restarts;
        }
        // RFC 8839 §4.4.1.1: an answer restarts ICE only if its offer did. Another one that
        // changes the credentials comes from another fork, or from where the call was moved to.
        let is_another = description == Description::Answer && !answers_restart && !is_known;
        if is_another {
            self.change_peers(&credentials);
        }
        // RFC 8445 §9: a restart settles the roles anew; who offered it controls.
        let (role, local) = match description {
            Description::Answer => (Role::Controlling, self.ice.take_staged()),
            Description::Offer if is_known && self.ice.is_controlling() => {
                (Role::Controlling, None)
            }
            Description::Offer if is_known => (Role::Controlled, None),
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
        if let Some(dtls) = self.dtls.take() {
            let protection = self.protection.take();
            if let Some(remote) = self.ice.remote().cloned().filter(|_| !dtls.is_over()) {
                self.parked.truncate(MOST_PARKED - 1);
                let parked = Parked {
                    remote,
                    dtls,
                    protection,
                };
                self.parked.insert(0, parked);
            }
        }
        self.ice.forget_paths();
        if let Some(known) = self.parked.iter().position(|p| p.remote == *to) {
            let Parked {
                dtls, protection, ..
            } = self.parked.remove(known);
            self.dtls = Some(dtls);
            self.protection = protection;
        }
        let parked = self.parked.iter().map(|parked| &parked.remote.ufrag);
        self.ice.park(parked.cloned().collect());
    }

    /// RFC 8445 §6.1.1: a lite agent never controls a full one.
    fn role_towards(&self, remote: &RemoteIce, otherwise: Role) -> Role {
        if remote.lite {
            Role::Controlling
        } else {
            otherwise
        }
    }

    /// RFC 8842 §3.1: a new association for a new certificate, and after the end of the last one.
    fn follow_fingerprints(
        &mut self,
        remote: &RemoteDtls,
        description: Description,
        sender: SenderChange,
    ) {
        // Nothing goes on as it was before DTLS was agreed on.
        let is_less = |protection: &Protection| protection.keying() != Keying::Dtls;
        self.protection.take_if(|protection| is_less(protection));
        let goes_on = self.dtls.as_ref().is_some_and(|dtls| {
            dtls.expects(&remote.fingerprints)
                && !(dtls.is_over() && sender == SenderChange::Restarts)
        });
        if goes_on {
            self.begin_direct();
            return;
        }
        let client = match remote.setup {
            Setup::Passive => true,
            Setup::Active => false,
            // RFC 8842 §5.3: answering such an offer we choose to be active. In an answer it is
            // against the rules, and its sender waits.
            Setup::ActPass => description == Description::Offer,
        };
        let made = Dtls::new(&self.certificate, client, remote.fingerprints.clone());
        let Ok(mut dtls) = made else {
            self.failure = Some(TransportFailure::Dtls);
            return;
        };
        // A restart may lead elsewhere: its handshake waits for its own path.
        if sender == SenderChange::Unchanged && self.media_pair().is_some() {
            dtls.start(self.now);
        }
        if self.dtls.as_ref().is_some_and(Dtls::is_over) {
            self.protection = None;
        }
        self.dtls = Some(dtls);
        self.failure = None;
    }
}
