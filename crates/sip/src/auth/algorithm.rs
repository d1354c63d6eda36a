use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// A hash of digest authentication, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5 (RFC 3261), 32 hex digits.
    Md5,
    /// SHA-256 (RFC 8760), 64 hex digits.
    Sha256,
    /// SHA-512/256 (RFC 8760), 64 hex digits.
    Sha512_256,
}

impl Algorithm {
    /// The name in a challenge.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
        }
    }

    /// Hex digits of its output.
    pub fn hex_length(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }

    /// Reads a name of a challenge, and whether it is the `-sess` variant; MD5 if there is none.
    pub(super) fn parse(name: Option<&str>) -> Option<(Self, bool)> {
        let Some(name) = name else {
            return Some((Self::Md5, false));
        };
        let tail = name
            .len()
            .checked_sub(5)
            .and_then(|at| name.split_at_checked(at));
        let (name, session) = match tail {
            Some((base, tail)) if tail.eq_ignore_ascii_case("-sess") => (base, true),
            Some(_) | None => (name, false),
        };
        let all = [Self::Md5, Self::Sha256, Self::Sha512_256];
        let known = all
            .into_iter()
            .find(|own| own.as_str().eq_ignore_ascii_case(name));
        known.map(|algorithm| (algorithm, session))
    }

    /// The hash of the parts with a colon between them, in lower-case hex.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Md5 => joined::<Md5>(parts),
            Self::Sha256 => joined::<Sha256>(parts),
            Self::Sha512_256 => joined::<Sha512_256>(parts),
        }
    }
}

fn joined<D: Digest>(parts: &[&[u8]]) -> String {
    let mut digest = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            digest.update(b":");
        }
        digest.update(part);
    }
    hex(&digest.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
