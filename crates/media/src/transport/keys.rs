//! How media are protected, and by which keys.

use std::fmt;

use rtc_srtp::protection_profile::ProtectionProfile;

/// How media are protected, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keying {
    /// Not at all.
    Plain,
    /// SRTP under keys that stand in the descriptions (RFC 4568).
    Sdes,
    /// SRTP under keys of a DTLS handshake (RFC 5764).
    Dtls,
}

/// A crypto-suite of descriptions (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// `AEAD_AES_256_GCM`.
    AeadAes256Gcm,
    /// `AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `AES_256_CM_HMAC_SHA1_80`.
    Aes256CmSha1_80,
    /// `AES_CM_128_HMAC_SHA1_80`.
    Aes128CmSha1_80,
    /// `AES_256_CM_HMAC_SHA1_32`.
    Aes256CmSha1_32,
    /// `AES_CM_128_HMAC_SHA1_32`.
    Aes128CmSha1_32,
}

impl CryptoSuite {
    /// All of them, best first.
    pub const ALL: [Self; 6] = [
        Self::AeadAes256Gcm,
        Self::AeadAes128Gcm,
        Self::Aes256CmSha1_80,
        Self::Aes128CmSha1_80,
        Self::Aes256CmSha1_32,
        Self::Aes128CmSha1_32,
    ];

    /// Returns the name in `a=crypto`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::Aes256CmSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes128CmSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Aes256CmSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::Aes128CmSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// Finds the suite of a name in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Returns how many octets its master key and salt have together.
    pub fn key_and_salt_len(self) -> usize {
        self.profile().key_len() + self.profile().salt_len()
    }

    /// Returns whether a packet is vouched for by 32 bits only.
    pub fn has_short_tag(self) -> bool {
        match self {
            Self::Aes256CmSha1_32 | Self::Aes128CmSha1_32 => true,
            Self::AeadAes256Gcm
            | Self::AeadAes128Gcm
            | Self::Aes256CmSha1_80
            | Self::Aes128CmSha1_80 => false,
        }
    }

    pub(super) fn profile(self) -> ProtectionProfile {
        match self {
            Self::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
            Self::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Self::Aes256CmSha1_80 => ProtectionProfile::Aes256CmHmacSha1_80,
            Self::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Self::Aes256CmSha1_32 => ProtectionProfile::Aes256CmHmacSha1_32,
            Self::Aes128CmSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        }
    }
}

/// A master key and the salt behind it; it never shows itself in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Vec<u8>);

impl MasterKey {
    /// Wraps key and salt, which [`CryptoSuite::key_and_salt_len`] says the length of.
    pub fn new(key_and_salt: Vec<u8>) -> Self {
        Self(key_and_salt)
    }

    /// Returns key and salt, for the one place that writes them to the wire.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// The keys that a pair of descriptions has agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdesKeys {
    /// What both are for.
    pub suite: CryptoSuite,
    /// The number of the `a=crypto` line that was chosen.
    pub tag: u32,
    /// What we send under.
    pub local: MasterKey,
    /// What the peer sends under.
    pub remote: MasterKey,
}

/// How media are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// Where the keys come from.
    pub keying: Keying,
    /// The IANA name of the SRTP profile; `None` without protection.
    pub cipher: Option<&'static str>,
}
