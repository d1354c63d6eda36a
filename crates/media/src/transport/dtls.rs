//! The DTLS handshake of one association, and its close.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use rtc_srtp::config::{Config as SrtpConfig, LABEL_EXTRACTOR_DTLS_SRTP};
use rtc_srtp::protection_profile::ProtectionProfile;

use super::certificate::{Certificate, digest};
use super::guard::{Admission, Guard};
use super::output::TransportFailure;
use super::parameters::Fingerprint;
use super::srtp::Keys;

/// ICE may move the path in mid-association, and the crate keys associations by address: it gets
/// one address for the peer, whatever the path.
const PEER: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    1,
);
/// Fits the smallest path that carries media: IPv6's 1280 less headers, TURN included.
const MTU: usize = 1200;
/// The first repetition of a flight; each further one waits twice as long.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
const MAX_REPEAT_FACTOR: u32 = 16;
/// How long a handshake may take once there is a path.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
/// The pause before a handshake that broke is tried anew, doubled up to the last.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_millis(1600);
/// A certificate is not protected on its way, and a bent copy of the right one does not match
/// either: the peer has this long to show the right one in another handshake.
const MISMATCH_GRACE: Duration = Duration::from_secs(2);
/// More than the limit has room for, unless a peer says hello anew all the time.
const MAX_RETRIES: u32 = 24;

/// The content type of an alert (RFC 5246 §6.2.1).
const ALERT: u8 = 21;

/// What happened to the association.
#[derive(Debug)]
pub(super) enum DtlsEvent {
    Connected(Keys),
    Failed(TransportFailure),
    PeerClosed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is no path yet.
    Waiting,
    /// Flights go back and forth until the instant.
    Handshaking { until: Instant },
    /// The keys are known.
    Established,
    /// Failed or closed.
    Over,
}

/// One DTLS association, over however many attempts the handshake takes.
pub(super) struct Dtls {
    client: bool,
    config: Arc<HandshakeConfig>,
    /// Raised by the check of the certificate within the crate.
    mismatch: Arc<AtomicBool>,
    mismatched: bool,
    expected: Vec<Fingerprint>,
    endpoint: Endpoint,
    last_words: VecDeque<BytesMut>,
    guard: Guard,
    phase: Phase,
    retries: u32,
    retry_at: Option<Instant>,
    repeat: Repeat,
    pub(super) refused: u64,
    cipher: Option<String>,
}

/// The back-off that the crate has not: it repeats a flight when it is told that its own,
/// constant interval has passed, and is told later each time.
#[derive(Debug, Default)]
struct Repeat {
    armed: Option<Instant>,
    due: Option<Instant>,
    factor: u32,
}

impl Repeat {
    fn follow(&mut self, timer: Option<Instant>, repeated: bool) {
        if timer == self.armed {
            return;
        }
        self.armed = timer;
        self.factor = match repeated {
            true => (self.factor * 2).min(MAX_REPEAT_FACTOR),
            false => 1,
        };
        self.due = timer.map(|timer| timer + FIRST_REPEAT * (self.factor - 1));
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dtls")
            .field("client", &self.client)
            .field("phase", &self.phase)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

impl Dtls {
    pub(super) fn new(
        certificate: &Certificate,
        client: bool,
        expected: Vec<Fingerprint>,
    ) -> Result<Self, Error> {
        let mismatch = Arc::new(AtomicBool::new(false));
        let config = Arc::new(config(certificate, client, &expected, &mismatch)?);
        Ok(Self {
            client,
            endpoint: endpoint(client, &config),
            last_words: VecDeque::new(),
            config,
            mismatch,
            mismatched: false,
            expected,
            guard: Guard::new(!client),
            phase: Phase::Waiting,
            retries: 0,
            retry_at: None,
            repeat: Repeat::default(),
            refused: 0,
            cipher: None,
        })
    }

    pub(super) fn is_client(&self) -> bool {
        self.client
    }

    /// Returns whether the association is with a peer of these fingerprints.
    pub(super) fn expects(&self, fingerprints: &[Fingerprint]) -> bool {
        self.expected.iter().any(|one| fingerprints.contains(one))
    }

    pub(super) fn is_established(&self) -> bool {
        self.phase == Phase::Established
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Returns the IANA name of the negotiated cipher suite.
    pub(super) fn cipher(&self) -> Option<&str> {
        self.cipher.as_deref()
    }

    /// Starts the handshake, now that there is a path; again changes nothing.
    pub(super) fn start(&mut self, now: Instant) {
        if self.phase == Phase::Waiting {
            let until = now + HANDSHAKE_LIMIT;
            self.phase = Phase::Handshaking { until };
            self.connect(now);
        }
    }

    /// Takes a datagram that came from a validated address.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Option<DtlsEvent> {
        let unexpected = self.phase == Phase::Waiting || self.retry_at.is_some();
        if self.is_over() || self.client && unexpected {
            return None;
        }
        self.start(now);
        match self.guard.admit(datagram, self.is_established()) {
            Admission::Admitted => {}
            Admission::Repeated => return None,
            Admission::ClientStartedAnew => {
                self.retries += 1;
                if self.retries > MAX_RETRIES {
                    return self.fail(TransportFailure::Dtls);
                }
                self.renew();
                self.guard.admit(datagram, false);
            }
            Admission::Refused => {
                self.refused += 1;
                return None;
            }
        }
        let read = self
            .endpoint
            .read(now, PEER, None, BytesMut::from(datagram));
        self.repeat.follow(self.endpoint.poll_timeout(&PEER), false);
        match read {
            Ok(events) => events.into_iter().find_map(|event| self.take(event)),
            Err(_) => {
                // It echoes an alert that it got, which two of its kind would never end.
                let echo = datagram.first() == Some(&ALERT) && !self.is_established();
                if !echo {
                    self.keep_transmits();
                }
                self.recover(now)
            }
        }
    }

    /// Saves the alert that says why, before the endpoint that wrote it goes.
    fn keep_transmits(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.last_words.push_back(transmit.message);
        }
    }

    fn take(&mut self, event: EndpointEvent) -> Option<DtlsEvent> {
        match event {
            EndpointEvent::HandshakeComplete => {
                self.phase = Phase::Established;
                match self.keys() {
                    Some(keys) => Some(DtlsEvent::Connected(keys)),
                    None => self.fail(TransportFailure::Srtp),
                }
            }
            EndpointEvent::PeerClosed => self.closed_by_peer(),
            // RFC 8261 data channels are not offered.
            EndpointEvent::ApplicationData(_) | _ => None,
        }
    }

    fn closed_by_peer(&mut self) -> Option<DtlsEvent> {
        self.phase = Phase::Over;
        Some(DtlsEvent::PeerClosed)
    }

    fn fail(&mut self, failure: TransportFailure) -> Option<DtlsEvent> {
        self.phase = Phase::Over;
        self.retry_at = None;
        Some(DtlsEvent::Failed(failure))
    }

    /// A handshake that broke is tried anew while ICE is up; an association that broke is over.
    fn recover(&mut self, now: Instant) -> Option<DtlsEvent> {
        if self.mismatch.swap(false, Ordering::Relaxed) {
            if self.mismatched {
                return self.fail(TransportFailure::Fingerprint);
            }
            self.mismatched = true;
            let until = now + MISMATCH_GRACE;
            self.phase = Phase::Handshaking { until };
        }
        if self.is_established() {
            return self.closed_by_peer();
        }
        if self.retries >= MAX_RETRIES {
            return self.fail(TransportFailure::Dtls);
        }
        let pause = FIRST_RETRY * (1 << self.retries.min(4));
        self.retries += 1;
        self.renew();
        // A server waits for another hello instead.
        self.retry_at = self.client.then(|| now + pause.min(LAST_RETRY));
        None
    }

    fn renew(&mut self) {
        self.endpoint = endpoint(self.client, &self.config);
        self.guard = Guard::new(!self.client);
        self.repeat = Repeat::default();
    }

    fn connect(&mut self, now: Instant) {
        if self.client {
            // It fails only without randomness or a port; the limit ends the wait then.
            let _ = self.endpoint.connect(now, PEER, self.config.clone(), None);
            self.repeat.follow(self.endpoint.poll_timeout(&PEER), false);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<DtlsEvent> {
        let Phase::Handshaking { until } = self.phase else {
            return None;
        };
        if until <= now {
            return self.fail(if self.mismatched {
                TransportFailure::Fingerprint
            } else {
                TransportFailure::Dtls
            });
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.connect(now);
        }
        if self.repeat.due.is_some_and(|due| due <= now) {
            let repeated = self.endpoint.handle_timeout(PEER, now);
            self.repeat.follow(self.endpoint.poll_timeout(&PEER), true);
            if repeated.is_err() {
                return self.recover(now);
            }
        }
        None
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Handshaking { until } => [Some(until), self.retry_at, self.repeat.due]
                .into_iter()
                .flatten()
                .min(),
            Phase::Waiting | Phase::Established | Phase::Over => None,
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        let last_word = self.last_words.pop_front();
        last_word.or_else(|| Some(self.endpoint.poll_transmit()?.message))
    }

    /// Queues a `close_notify`.
    pub(super) fn close(&mut self, now: Instant) {
        if self.is_established() {
            // It can't fail: it queues one record for each association.
            let _ = self.endpoint.close(now);
        }
        self.phase = Phase::Over;
    }

    fn keys(&mut self) -> Option<Keys> {
        let state = self.endpoint.get_connection_state(PEER)?;
        self.cipher = state.cipher_suite().map(|suite| suite.id().to_string());
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => ProtectionProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
                ProtectionProfile::Aes128CmHmacSha1_80
            }
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32 => {
                ProtectionProfile::Aes128CmHmacSha1_32
            }
            SrtpProtectionProfile::Unsupported | _ => return None,
        };
        let mut config = SrtpConfig {
            profile,
            ..SrtpConfig::default()
        };
        let material = state
            .export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())
            .ok()?;
        config
            .set_session_keys_from_keying_material(material.as_ref(), state.is_client())
            .ok()?;
        Some(Keys {
            profile,
            session: config.keys,
        })
    }
}

fn endpoint(client: bool, config: &Arc<HandshakeConfig>) -> Endpoint {
    let server = (!client).then(|| config.clone());
    Endpoint::new(PEER, TransportProtocol::UDP, server)
}

fn config(
    certificate: &Certificate,
    client: bool,
    expected: &[Fingerprint],
    mismatch: &Arc<AtomicBool>,
) -> Result<HandshakeConfig, Error> {
    let expected = strongest(expected);
    let mismatch = mismatch.clone();
    ConfigBuilder::default()
        .with_crypto_provider(certificate.provider().clone())
        .with_certificates(vec![certificate.dtls()])
        .with_srtp_protection_profiles(vec![
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32,
        ])
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // The fingerprint below takes the place of a chain of trust (RFC 5763 §5).
        .with_insecure_skip_verify(true)
        .with_extended_master_secret(ExtendedMasterSecretType::Request)
        .with_mtu(MTU)
        .with_flight_interval(FIRST_REPEAT)
        .with_verify_peer_certificate(Some(Arc::new(move |chain, _| {
            let matches = chain.first().is_some_and(|der| {
                expected
                    .iter()
                    .any(|announced| *announced == digest(announced.function, der))
            });
            if matches {
                return Ok(());
            }
            mismatch.store(true, Ordering::Relaxed);
            Err(Error::ErrNoMatchingCertificateFingerprint)
        })))
        .build(client, None)
}

/// RFC 8122 §5: the strongest hash function announced decides.
fn strongest(fingerprints: &[Fingerprint]) -> Vec<Fingerprint> {
    let function = fingerprints.iter().map(|one| one.function).max();
    fingerprints
        .iter()
        .filter(|one| Some(one.function) == function)
        .cloned()
        .collect()
}
