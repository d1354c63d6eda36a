//! SRTP and SRTCP under the keys of one DTLS association.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_rtp::header::Header;
use rtc_shared::error::Error;
use rtc_srtp::config::SessionKeys;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

use super::keys::{MasterKey, SdesKeys};
use super::output::SendError;
use super::packet::HeaderView;

/// The synchronisation sources of a peer that are known at once, each with its replay window. A conference may have more in
/// its time: the one that was silent longest is forgotten for the next, and only what was caught of its own can be replayed.
const MAX_SOURCES: usize = 256;
/// Packets of a peer that come later than this many others are dropped: 5 s of 20 ms frames.
const REPLAY_WINDOW: usize = 256;
/// How many unknown sources one throw-away context may meet; it keeps state for each.
const PROBES_OF_A_CONTEXT: u32 = 32;

/// The result of a DTLS handshake.
pub(super) struct Keys {
    pub(super) profile: ProtectionProfile,
    pub(super) session: SessionKeys,
}

impl From<&SdesKeys> for Keys {
    fn from(keys: &SdesKeys) -> Self {
        let profile = keys.suite.profile();
        let split = |key: &MasterKey| {
            let octets = key.expose();
            let (key, salt) = octets.split_at(profile.key_len().min(octets.len()));
            (key.to_vec(), salt.to_vec())
        };
        let (local_master_key, local_master_salt) = split(&keys.local);
        let (remote_master_key, remote_master_salt) = split(&keys.remote);
        Self {
            profile,
            session: SessionKeys {
                local_master_key,
                local_master_salt,
                remote_master_key,
                remote_master_salt,
            },
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Keys({}, [redacted])",
            profile_name(self.profile)
        )
    }
}

/// Returns the IANA name of a profile.
pub(super) fn profile_name(profile: ProtectionProfile) -> &'static str {
    match profile {
        ProtectionProfile::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
        ProtectionProfile::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        ProtectionProfile::Aes128CmHmacSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
        ProtectionProfile::Aes128CmHmacSha1_32 => "SRTP_AES128_CM_HMAC_SHA1_32",
        ProtectionProfile::Aes256CmHmacSha1_80 => "SRTP_AES256_CM_HMAC_SHA1_80",
        ProtectionProfile::Aes256CmHmacSha1_32 => "SRTP_AES256_CM_HMAC_SHA1_32",
        _ => "unknown",
    }
}

/// What became of a received packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// It is authentic; here it is in the clear, header included.
    Packet(BytesMut),
    Forged,
    Replayed,
}

/// The known sources of RTP or of RTCP.
#[derive(Default)]
struct Sources {
    known: Vec<Source>,
    /// How many packets have come.
    packets: u64,
}

/// The crate can't forget a source of a context, so that each has its own.
struct Source {
    ssrc: u32,
    context: Context,
    /// Which packet was its last.
    last: u64,
}

impl Sources {
    fn find(&mut self, ssrc: u32) -> Option<&mut Context> {
        let source = self.known.iter_mut().find(|source| source.ssrc == ssrc)?;
        self.packets += 1;
        source.last = self.packets;
        Some(&mut source.context)
    }

    fn add(&mut self, ssrc: u32, context: Context) {
        self.packets += 1;
        let source = Source {
            ssrc,
            context,
            last: self.packets,
        };
        if self.known.len() < MAX_SOURCES {
            self.known.push(source);
        } else if let Some(silent) = self.known.iter_mut().min_by_key(|known| known.last) {
            *silent = source;
        }
    }
}

/// Both directions of one association.
pub(super) struct Srtp {
    keys: Keys,
    provider: Arc<dyn RTCCryptoProvider>,
    outbound: Context,
    /// What was sent under keys before these goes on where it ended if they come back: an index is used once with a key.
    retired: Vec<(Vec<u8>, Context)>,
    probe: Option<(Context, u32)>,
    rtp_sources: Sources,
    rtcp_sources: Sources,
    header: Header,
}

impl fmt::Debug for Srtp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Srtp")
            .field("keys", &self.keys)
            .field("sources", &self.rtp_sources.known.len())
            .finish_non_exhaustive()
    }
}

impl Srtp {
    pub(super) fn new(keys: Keys, provider: Arc<dyn RTCCryptoProvider>) -> Result<Self, Error> {
        let outbound = outbound_context(&keys, &*provider)?;
        let probe = inbound_context(&keys, &*provider)?;
        Ok(Self {
            keys,
            provider,
            outbound,
            retired: Vec::new(),
            probe: Some((probe, 0)),
            rtp_sources: Sources::default(),
            rtcp_sources: Sources::default(),
            header: Header::default(),
        })
    }

    /// Takes the keys of a later description; what goes on under the same key keeps its count.
    pub(super) fn rekey(&mut self, keys: Keys) -> Result<(), Error> {
        let sends_as_before = profile_name(self.keys.profile) == profile_name(keys.profile)
            && self.keys.session.local_master_key == keys.session.local_master_key;
        if !sends_as_before {
            let key = &keys.session.local_master_key;
            let known = self.retired.iter().position(|(retired, _)| retired == key);
            let next = match known {
                Some(index) => self.retired.swap_remove(index).1,
                None => outbound_context(&keys, &*self.provider)?,
            };
            let before = std::mem::replace(&mut self.outbound, next);
            let key = self.keys.session.local_master_key.clone();
            self.retired.push((key, before));
        }
        let hears_as_before = profile_name(self.keys.profile) == profile_name(keys.profile)
            && self.keys.session.remote_master_key == keys.session.remote_master_key
            && self.keys.session.remote_master_salt == keys.session.remote_master_salt;
        if !hears_as_before {
            inbound_context(&keys, &*self.provider)?;
            self.probe = None;
            self.rtp_sources = Sources::default();
            self.rtcp_sources = Sources::default();
        }
        self.keys = keys;
        Ok(())
    }

    pub(super) fn profile(&self) -> &'static str {
        profile_name(self.keys.profile)
    }

    /// Protects a packet whose header is `header_len` bytes long.
    pub(super) fn seal_rtp(
        &mut self,
        packet: &[u8],
        header_len: usize,
        ssrc: u32,
        seq: u16,
    ) -> Result<BytesMut, SendError> {
        describe(&mut self.header, header_len, ssrc, seq);
        self.outbound
            .encrypt_rtp_with_header(packet, &self.header)
            .map_err(|error| {
                if error == Error::ErrExceededMaxPackets {
                    SendError::KeyExhausted
                } else {
                    SendError::Inexpressible
                }
            })
    }

    /// Protects a compound RTCP packet.
    pub(super) fn seal_rtcp(&mut self, compound: &[u8]) -> Result<BytesMut, SendError> {
        self.outbound
            .encrypt_rtcp(compound)
            .map_err(|_| SendError::Inexpressible)
    }

    /// Authenticates and decrypts a media packet.
    pub(super) fn open_rtp(&mut self, packet: &[u8], view: &HeaderView) -> Opened {
        describe(&mut self.header, view.len, view.ssrc, view.seq);
        let header = std::mem::take(&mut self.header);
        let open = |context: &mut Context| context.decrypt_rtp_with_header(packet, &header);
        let opened = self.open(|srtp| &mut srtp.rtp_sources, view.ssrc, open);
        self.header = header;
        opened
    }

    /// Authenticates and decrypts a compound RTCP packet.
    pub(super) fn open_rtcp(&mut self, packet: &[u8]) -> Opened {
        let Some(ssrc) = packet.get(4..8).and_then(|octets| octets.try_into().ok()) else {
            return Opened::Forged;
        };
        let open = |context: &mut Context| context.decrypt_rtcp(packet);
        self.open(
            |srtp| &mut srtp.rtcp_sources,
            u32::from_be_bytes(ssrc),
            open,
        )
    }

    fn open(
        &mut self,
        sources: fn(&mut Self) -> &mut Sources,
        ssrc: u32,
        open: impl Fn(&mut Context) -> Result<BytesMut, Error>,
    ) -> Opened {
        if let Some(context) = sources(self).find(ssrc) {
            return opened(open(context));
        }
        if !self.probe(&open) {
            return Opened::Forged;
        }
        let Ok(mut context) = inbound_context(&self.keys, &*self.provider) else {
            return Opened::Forged;
        };
        let result = opened(open(&mut context));
        sources(self).add(ssrc, context);
        result
    }

    /// Tries a packet of an unknown source on a context that is thrown away: the crate keeps
    /// state for a source before it has authenticated anything.
    fn probe(&mut self, open: impl FnOnce(&mut Context) -> Result<BytesMut, Error>) -> bool {
        let used = self
            .probe
            .take()
            .filter(|(_, met)| *met < PROBES_OF_A_CONTEXT);
        let context = used.map_or_else(
            || inbound_context(&self.keys, &*self.provider).map(|context| (context, 0)),
            Ok,
        );
        let Ok((mut context, met)) = context else {
            return false;
        };
        let genuine = open(&mut context).is_ok();
        if !genuine {
            self.probe = Some((context, met + 1));
        }
        genuine
    }
}

fn opened(result: Result<BytesMut, Error>) -> Opened {
    match result {
        Ok(packet) => Opened::Packet(packet),
        Err(Error::SrtpSsrcDuplicated(..) | Error::SrtcpSsrcDuplicated(..)) => Opened::Replayed,
        Err(_) => Opened::Forged,
    }
}

/// Tells the crate where the payload starts. It measures the header that it is given instead of
/// the packet, and its own reader gets unusual extension blocks wrong: so what it is given is a
/// plain header of the true length.
fn describe(header: &mut Header, len: usize, ssrc: u32, seq: u16) {
    header.ssrc = ssrc;
    header.sequence_number = seq;
    header.csrc.resize((len - 12) / 4, 0);
}

fn outbound_context(keys: &Keys, provider: &dyn RTCCryptoProvider) -> Result<Context, Error> {
    Context::new(
        &keys.session.local_master_key,
        &keys.session.local_master_salt,
        keys.profile,
        None,
        None,
        provider.crypto(),
    )
}

fn inbound_context(keys: &Keys, provider: &dyn RTCCryptoProvider) -> Result<Context, Error> {
    Context::new(
        &keys.session.remote_master_key,
        &keys.session.remote_master_salt,
        keys.profile,
        Some(srtp_replay_protection(REPLAY_WINDOW)),
        Some(srtcp_replay_protection(REPLAY_WINDOW)),
        provider.crypto(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILES: [(ProtectionProfile, usize, usize); 4] = [
        (ProtectionProfile::AeadAes128Gcm, 16, 12),
        (ProtectionProfile::AeadAes256Gcm, 32, 12),
        (ProtectionProfile::Aes128CmHmacSha1_80, 16, 14),
        (ProtectionProfile::Aes128CmHmacSha1_32, 16, 14),
    ];

    fn pair((profile, key, salt): (ProtectionProfile, usize, usize)) -> (Srtp, Srtp) {
        let provider = rtc_crypto::default_provider().unwrap();
        let keys = |local: u8, remote: u8| Keys {
            profile,
            session: SessionKeys {
                local_master_key: vec![local; key],
                local_master_salt: vec![local; salt],
                remote_master_key: vec![remote; key],
                remote_master_salt: vec![remote; salt],
            },
        };
        (
            Srtp::new(keys(1, 2), provider.clone()).unwrap(),
            Srtp::new(keys(2, 1), provider).unwrap(),
        )
    }

    fn packet(ssrc: u32, seq: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 111];
        packet.extend_from_slice(&seq.to_be_bytes());
        packet.extend_from_slice(&[0; 4]);
        packet.extend_from_slice(&ssrc.to_be_bytes());
        packet.extend_from_slice(b"sound");
        packet
    }

    fn open(srtp: &mut Srtp, sealed: &[u8]) -> Opened {
        let view = HeaderView::read(sealed).unwrap();
        srtp.open_rtp(sealed, &view)
    }

    #[test]
    fn every_profile_protects_media_and_reports() {
        for profile in PROFILES {
            let (mut alice, mut bob) = pair(profile);
            let plain = packet(7, 1);
            let sealed = alice.seal_rtp(&plain, 12, 7, 1).unwrap();
            assert_ne!(&sealed[12..17], b"sound");
            assert_eq!(open(&mut bob, &sealed), Opened::Packet(plain[..].into()));
            let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
            let sealed = alice.seal_rtcp(&report).unwrap();
            assert_eq!(bob.open_rtcp(&sealed), Opened::Packet(report[..].into()));
            assert_eq!(bob.open_rtcp(&sealed), Opened::Replayed);
        }
    }

    #[test]
    fn an_unusual_extension_block_survives() {
        for profile in PROFILES {
            let (mut alice, mut bob) = pair(profile);
            let mut plain = packet(7, 1);
            plain[0] |= 0x10;
            // A one-byte block with an id of 15 before its end, which the crate measures wrongly.
            plain.splice(12..12, [0xBE, 0xDE, 0, 2, 0xF0, 1, 2, 3, 4, 5, 6, 7]);
            let len = HeaderView::read(&plain).unwrap().len;
            let sealed = alice.seal_rtp(&plain, len, 7, 1).unwrap();
            assert_eq!(open(&mut bob, &sealed), Opened::Packet(plain[..].into()));
        }
    }

    #[test]
    fn forged_packets_of_any_number_of_sources_leave_no_state() {
        let (mut alice, mut bob) = pair(PROFILES[0]);
        for ssrc in 0..10_000 {
            let mut forged = packet(ssrc, 1);
            forged.extend_from_slice(&[0; 16]);
            assert_eq!(open(&mut bob, &forged), Opened::Forged);
        }
        assert!(bob.rtp_sources.known.is_empty());
        let sealed = alice.seal_rtp(&packet(7, 1), 12, 7, 1).unwrap();
        assert!(matches!(open(&mut bob, &sealed), Opened::Packet(_)));
    }

    #[test]
    fn any_number_of_sources_is_heard_and_the_one_that_is_silent_longest_forgotten() {
        let (mut alice, mut bob) = pair(PROFILES[0]);
        let mut say = |bob: &mut Srtp, ssrc: u32, seq: u16| {
            let sealed = alice.seal_rtp(&packet(ssrc, seq), 12, ssrc, seq).unwrap();
            assert!(matches!(open(bob, &sealed), Opened::Packet(_)), "{ssrc}");
            assert_eq!(open(bob, &sealed), Opened::Replayed);
            sealed
        };
        let sound = say(&mut bob, 7, 0);
        for other in 0..1_000_u16 {
            say(&mut bob, 1_000 + u32::from(other), 1);
            say(&mut bob, 7, other + 1);
        }
        assert_eq!(bob.rtp_sources.known.len(), MAX_SOURCES);
        assert_eq!(open(&mut bob, &sound), Opened::Replayed);
        // One that was forgotten may speak again.
        say(&mut bob, 1_000, 2);
    }

    #[test]
    fn reports_of_any_number_of_sources_are_read() {
        let (mut alice, mut bob) = pair(PROFILES[0]);
        for ssrc in 0..1_000_u16 {
            let [high, low] = ssrc.to_be_bytes();
            let sealed = alice
                .seal_rtcp(&[0x80, 201, 0, 1, 0, 0, high, low])
                .unwrap();
            assert!(
                matches!(bob.open_rtcp(&sealed), Opened::Packet(_)),
                "{ssrc}"
            );
        }
        assert_eq!(bob.rtcp_sources.known.len(), MAX_SOURCES);
    }

    #[test]
    fn sequence_numbers_wrap_many_times_with_loss_and_reordering() {
        let (mut alice, mut bob) = pair(PROFILES[2]);
        let mut held: Option<BytesMut> = None;
        for count in 0..200_000u32 {
            let seq = 65_000u16.wrapping_add(count as u16);
            let sealed = alice.seal_rtp(&packet(7, seq), 12, 7, seq).unwrap();
            match count % 7 {
                3 => {}
                4 => held = Some(sealed),
                _ => {
                    assert!(
                        matches!(open(&mut bob, &sealed), Opened::Packet(_)),
                        "{count}"
                    );
                    if let Some(late) = held.take() {
                        assert!(
                            matches!(open(&mut bob, &late), Opened::Packet(_)),
                            "{count}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_keys_never_show_in_debug_output() {
        let (alice, _) = pair((ProtectionProfile::AeadAes128Gcm, 16, 12));
        let text = format!("{alice:?} {:?}", alice.keys);
        assert!(!text.contains("1, 1"), "{text}");
    }
}
