//! What we bring to a negotiation, and why one fails.

use super::super::{CryptoFault, ParseError};
use super::video::{Content, VideoLine};
use crate::codec::Codec;
use crate::transport::{CryptoSuite, Keying, LocalParameters, MasterKey};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// What we are willing to send and receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The audio codecs, best first.
    pub codecs: Vec<Codec>,
    /// Whether telephone events are spoken.
    pub telephone_event: bool,
    /// The packet time we ask for, in milliseconds.
    pub ptime: u8,
    /// Whether we ask the peer to leave pauses out: of Opus, and with comfort noise in their place of the others.
    pub dtx: bool,
    /// The most Opus we want to receive, in bit/s.
    pub opus_max_average_bitrate: Option<u32>,
    /// Whether video may stand outside of the BUNDLE of the sound, on transports of its own.
    pub apart: bool,
    /// How media may be protected, best first: the first is offered, and of an offer the first that it has is taken.
    pub media: Vec<Keying>,
}

impl Terms {
    /// Whether peers without ICE are taken. Nothing shows that such a peer wants what is sent to the address that it names, so
    /// who speaks DTLS-SRTP alone takes none.
    pub(super) fn goes_without_ice(&self) -> bool {
        self.media.iter().any(|keying| *keying != Keying::Dtls)
    }
}

/// What the keys in our descriptions are made of, or other names of ours; it never shows itself in `Debug` output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeySeed([u8; 32]);

impl KeySeed {
    /// Wraps a seed that nobody else knows.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// Our key for a suite, the same each time in one session.
    pub(super) fn key(self, suite: CryptoSuite) -> MasterKey {
        let mut seed = self.0;
        for (byte, name) in seed.iter_mut().zip(suite.name().bytes()) {
            *byte ^= name;
        }
        let mut octets = vec![0; suite.key_and_salt_len()];
        StdRng::from_seed(seed).fill_bytes(&mut octets);
        MasterKey::new(octets)
    }
}

impl std::fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What names us in every description of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The number in the `o=` line.
    pub session_id: u64,
    /// The canonical name (RFC 7022).
    pub cname: String,
    /// Our sound.
    pub audio: LocalSource,
    /// What our video lines take their names from.
    pub video: KeySeed,
    /// What our keys are made of, if descriptions carry them.
    pub keys: KeySeed,
}

/// What names one stream that we send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSource {
    /// The SSRC that we send with.
    pub ssrc: u32,
    /// The SSRC of what we send again (RFC 4588); sound has none.
    pub rtx: Option<u32>,
    /// The id of our media stream in `a=msid`.
    pub stream_id: String,
    /// The id of our track in `a=msid`.
    pub track_id: String,
}

/// Our side of the transport, as it is written into a description.
#[derive(Clone, Copy, Debug)]
pub struct LocalTransport<'a> {
    /// Credentials, fingerprints, candidates and, once DTLS has its roles, ours.
    pub parameters: &'a LocalParameters,
    /// Those of video lines that stand outside of BUNDLE, which have transports of their own.
    pub apart: &'a [(VideoLine, LocalParameters)],
    /// Whether gathering is over.
    pub end_of_candidates: bool,
}

impl<'a> LocalTransport<'a> {
    /// What section `index` is reached by, and whether that is its own.
    pub(super) fn of(&self, index: usize) -> (&'a LocalParameters, bool) {
        let mut apart = self.apart.iter();
        let own = apart.find(|(line, _)| line.0 as usize == index);
        own.map_or((self.parameters, false), |(_, own)| (own, true))
    }
}

/// Why a description cannot be agreed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("malformed description: {0}")]
    Malformed(#[from] ParseError),
    /// It offers RTP without protection, or with keys that stand in it and may not.
    #[error("plain RTP: the description has no DTLS fingerprint")]
    PlainRtp,
    /// Its keys can't be used.
    #[error("unusable keys: {0}")]
    Keys(#[from] CryptoFault),
    /// It has nothing in common with what we speak.
    #[error("incompatible description: {0}")]
    Incompatible(Incompatible),
}

/// What is missing for an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incompatible {
    /// No audio section with a port.
    #[error("no audio")]
    NoAudio,
    /// No codec that both sides speak.
    #[error("no common codec")]
    NoCommonCodec,
    /// No ICE credentials.
    #[error("no ICE")]
    NoIce,
    /// SRTP keyed by something other than DTLS.
    #[error("no DTLS fingerprint")]
    NoDtls,
    /// What protects media is none of what is allowed here.
    #[error("media are not protected in a way that is allowed here")]
    Keying,
    /// Media would be protected less than was agreed before.
    #[error("media would be protected less than was agreed before")]
    Downgrade,
    /// Neither ICE nor an address that anybody can send to.
    #[error("neither ICE nor an address in digits to send to")]
    NoAddress,
    /// The answer's media sections are not the offer's.
    #[error("the answer's media sections do not match the offer's")]
    Sections,
}

impl Identity {
    /// Our stream of the video line in section `index`, the same each time. The camera's is a track beside the sound, so
    /// that they are played in step; others stand alone.
    pub(super) fn video(&self, index: usize, content: Content) -> LocalSource {
        let mut seed = self.video.0;
        for (byte, part) in seed.iter_mut().zip(index.to_le_bytes()) {
            *byte ^= part;
        }
        let mut rng = StdRng::from_seed(seed);
        let ssrc = rng.random_range(1..u32::MAX - 1);
        // Another than the first by its making.
        let rtx = (ssrc ^ rng.random_range(1..u32::MAX)).max(1);
        let own_stream = token(&mut rng);
        LocalSource {
            ssrc,
            rtx: Some(if rtx == ssrc { ssrc + 1 } else { rtx }),
            stream_id: match content {
                Content::Camera => self.audio.stream_id.clone(),
                Content::Screen | Content::Guest(_) => own_stream,
            },
            track_id: token(&mut rng),
        }
    }
}

/// RFC 7022 §4.2: 96 random bits.
pub(crate) fn token(rng: &mut StdRng) -> String {
    let mut bytes = [0_u8; 12];
    rng.fill_bytes(&mut bytes);
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
