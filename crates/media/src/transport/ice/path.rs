//! The way that media takes, and how it outlives a restart that doesn't come about.
//!
//! A restart begins a new generation of credentials. The path of the one before stays in force with
//! its own credentials, roles and consent until the new one finds a pair: RFC 8445 §2.4 keeps media
//! on it, and whoever refuses the new credentials may well go on with the old ones.

use std::time::Instant;

use bytes::BytesMut;
use rand::Rng as _;

use super::credentials::Credentials;
use super::rival::Rival;
use super::{Ice, IceEvent, Pair, Sent, Verdict};
use crate::transport::consent::Consent;
use crate::transport::parameters::Secret;
use crate::transport::stun::{self, Check, Stun, USE_CANDIDATE};

/// The pair that media takes, and what it was found with.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) pair: Pair,
    /// The generation whose checks found it.
    pub(super) generation: u32,
    local: Credentials,
    remote: Credentials,
    /// Our role in its generation, once another has begun.
    controlling: bool,
    /// Where the peer wants it in that generation, once our own check is answered.
    nominated: Option<Pair>,
    pub(super) consent: Consent,
    /// Where the peer may be instead.
    pub(super) rival: Option<Rival>,
}

impl Ice {
    /// Returns the pair that media takes: of this generation, or of the last before it.
    pub(in crate::transport) fn media_pair(&self) -> Option<Pair> {
        self.path.as_ref().map(|path| path.pair)
    }

    /// Returns the pair of this generation.
    pub(in crate::transport) fn selected(&self) -> Option<Pair> {
        let path = self.path.as_ref()?;
        (path.generation == self.generation).then_some(path.pair)
    }

    /// Returns the path that was in force before this generation, and still is.
    fn outlived(&self) -> Option<&Path> {
        let generation = self.generation;
        self.path
            .as_ref()
            .filter(|path| path.generation != generation)
    }

    pub(super) fn select(&mut self, pair: Pair, now: Instant) {
        if self.selected() == Some(pair) {
            return;
        }
        let Some(remote) = self.remote.clone() else {
            return;
        };
        self.path = Some(Path {
            pair,
            generation: self.generation,
            local: self.local.clone(),
            remote,
            controlling: self.agent.role(),
            nominated: None,
            consent: Consent::new(now, self.jitter()),
            rival: None,
        });
        self.nominated = None;
        self.stop_checks();
        self.counters.selected_changes += 1;
        self.events.push_back(IceEvent::Selected);
    }

    /// Notes what the path was found with, before a restart takes the agent away from it.
    pub(super) fn begin_generation(&mut self) {
        let controlling = self.agent.role();
        if let Some(path) = &mut self.path
            && path.generation == self.generation
        {
            path.controlling = controlling;
        }
        self.generation += 1;
        let kept = self.path.as_ref().map(|path| path.generation);
        self.checks
            .retain(|sent| sent.for_consent && Some(sent.generation) == kept);
    }

    /// Checks nothing more, and lets go what was found: the peer speaks no ICE any more.
    pub(in crate::transport) fn stop(&mut self) {
        self.forget_paths();
        self.checks.clear();
        self.stop_checks();
    }

    /// Forgets every local end and what was found from it: the machine is elsewhere now.
    pub(in crate::transport) fn leave(&mut self, now: Instant) {
        self.forget_paths();
        self.bases.clear();
        self.passive.clear();
        self.checks.clear();
        self.stop_checks();
        // It fails on empty credentials only.
        let _ = self.agent.generate_restart_credentials(
            self.local.ufrag.clone(),
            self.local.pwd.expose().to_owned(),
        );
        let _ = self.agent.apply_restart(now, false);
    }

    /// Our password, if `ours` and `theirs` are credentials in force; the agent takes only those of
    /// its own generation. A peer that kept half of its session mixes them.
    pub(super) fn outlived_password(&self, ours: &str, theirs: &str) -> Option<&Secret> {
        let path = self.outlived()?;
        let latest = self.remote.as_ref()?;
        let known = [&path.remote.ufrag, &latest.ufrag]
            .into_iter()
            .any(|ufrag| ufrag == theirs);
        [&path.local, &self.local]
            .into_iter()
            .find(|local| known && local.ufrag == ours)
            .map(|local| &local.pwd)
    }

    /// Answers a check under credentials that a restart was to replace.
    pub(super) fn handle_outlived_request(
        &mut self,
        pair: Pair,
        request: &Stun<'_>,
        pwd: &Secret,
        now: Instant,
    ) -> Verdict {
        if self.grant(pair, request, pwd) == Verdict::Refused {
            return Verdict::Refused;
        }
        self.validate(pair);
        let nominated = request.attribute(USE_CANDIDATE).is_some();
        let Some(path) = &mut self.path else {
            return Verdict::Accepted;
        };
        path.consent.heard(now);
        // RFC 8445 §7.3.1.5: whoever controls may go elsewhere, as after another binding of its NAT.
        if nominated && !path.controlling && path.pair != pair {
            path.nominated = Some(pair);
            self.check_under_path(pair, now);
        }
        Verdict::Accepted
    }

    /// The password under which the answer to a check of ours is authentic.
    pub(super) fn password_of(&self, sent: &Sent) -> Option<&Secret> {
        let path = self.path.as_ref();
        if sent.generation == self.generation {
            return self.remote.as_ref().map(|remote| &remote.pwd);
        }
        path.filter(|path| path.generation == sent.generation)
            .map(|path| &path.remote.pwd)
    }

    /// Follows the peer to where a check under the path's credentials was answered from.
    pub(super) fn follow_outlived(&mut self, sent: &Sent, now: Instant) {
        let jitter = self.jitter();
        if let Some(path) = &mut self.path
            && path.nominated == Some(sent.pair)
            && path.generation == sent.generation
        {
            path.nominated = None;
            path.pair = sent.pair;
            path.consent = Consent::new(now, jitter);
            self.counters.selected_changes += 1;
            self.events.push_back(IceEvent::Selected);
        }
    }

    /// RFC 8445 §7.2.5.1, for a check under credentials that a restart was to replace.
    pub(super) fn change_outlived_role(&mut self, controlling: bool) {
        if let Some(path) = &mut self.path {
            path.controlling = controlling;
        }
    }

    /// Asks the peer whether it still takes what comes on the path, and where it may be instead.
    pub(super) fn check_consent(&mut self, now: Instant) {
        for pair in self.media_pair().into_iter().chain(self.unanswered_rival()) {
            self.check_under_path(pair, now);
        }
    }

    /// Asks the peer now whether the path is alive: packets may take another way than before.
    pub(in crate::transport) fn doubt(&mut self, now: Instant) {
        if let Some(path) = &mut self.path {
            path.consent.doubt(now);
            self.check_consent(now);
        }
    }

    pub(super) fn check_under_path(&mut self, pair: Pair, now: Instant) {
        let mut transaction = [0; 12];
        self.rng.fill_bytes(&mut transaction);
        let base = self.bases.iter().find(|base| base.id == pair.base);
        let priority = base.map_or(1, |base| base.priority);
        let Some(path) = &self.path else {
            return;
        };
        let controlling = match path.generation == self.generation {
            true => self.agent.role(),
            false => path.controlling,
        };
        let check = Check {
            transaction,
            local_ufrag: &path.local.ufrag,
            remote_ufrag: &path.remote.ufrag,
            remote_pwd: &path.remote.pwd,
            controlling,
            tie_breaker: self.tie_breaker,
            priority,
        };
        let sent = Sent {
            transaction,
            pair,
            at: now,
            controlling,
            for_consent: true,
            generation: path.generation,
        };
        if let Some(raw) = stun::write_check(&check, self.provider.crypto()) {
            self.remember(sent);
            self.transmit(pair, BytesMut::from(&raw[..]));
        }
    }
}
