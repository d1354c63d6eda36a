//! H.264 in `a=fmtp` (RFC 6184 §8.1, §8.2.2).

/// `profile-level-id`: which parts of H.264 a stream may use, and how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct H264Level([u8; 3]);

/// The parts of H.264 that a stream may use, those that every peer knows first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum H264Profile {
    /// What RFC 7742 §6.2 asks of everybody.
    ConstrainedBaseline,
    /// The same with slices in any order, which nobody sends.
    Baseline,
    /// With B frames.
    Main,
    /// High without B frames and interlaced pictures.
    ConstrainedHigh,
    /// With larger transforms.
    High,
}

impl H264Level {
    /// Constrained Baseline of level 3.1: 720p with 30 pictures a second.
    pub(crate) const OURS: Self = Self([0x42, 0xe0, 0x1f]);
    /// RFC 6184 §8.1: Baseline of level 1, if nothing is said.
    const UNSAID: Self = Self([0x42, 0x00, 0x0a]);

    /// Reads six hexadecimal digits.
    fn read(text: &str) -> Option<Self> {
        let hexadecimal = text.len() == 6 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = hexadecimal.then(|| u32::from_str_radix(text, 16).ok())??;
        let [_, profile, constraints, level] = value.to_be_bytes();
        Some(Self([profile, constraints, level]))
    }

    /// RFC 6184 §8.1, table 5; `None` for profiles that no browser speaks.
    pub fn profile(self) -> Option<H264Profile> {
        let [profile, constraints, _level] = self.0;
        match (profile, constraints) {
            (0x42, bits) if bits & 0x4f == 0x40 => Some(H264Profile::ConstrainedBaseline),
            (0x4d, bits) if bits & 0x8f == 0x80 => Some(H264Profile::ConstrainedBaseline),
            (0x58, bits) if bits & 0xcf == 0xc0 => Some(H264Profile::ConstrainedBaseline),
            (0x42, bits) if bits & 0x4f == 0x00 => Some(H264Profile::Baseline),
            (0x58, bits) if bits & 0xcf == 0x80 => Some(H264Profile::Baseline),
            (0x4d, bits) if bits & 0xaf == 0x00 => Some(H264Profile::Main),
            (0x64, 0x00) => Some(H264Profile::High),
            (0x64, 0x0c) => Some(H264Profile::ConstrainedHigh),
            _unknown => None,
        }
    }
}

impl std::fmt::Display for H264Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [profile, constraints, level] = self.0;
        write!(f, "{profile:02x}{constraints:02x}{level:02x}")
    }
}

/// What `a=fmtp` says of a stream, if we can read and write it: packets of packetization-mode 1, of a profile that we
/// know.
pub(super) fn read(parameters: &str) -> Option<H264Level> {
    let mut level = H264Level::UNSAID;
    let mut mode = "0";
    for parameter in parameters.split(';').take(32) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("profile-level-id") {
            level = H264Level::read(value)?;
        } else if name.eq_ignore_ascii_case("packetization-mode") {
            mode = value;
        }
    }
    (mode == "1" && level.profile().is_some()).then_some(level)
}

/// What we write into `a=fmtp`.
pub(super) fn parameters(level: H264Level) -> String {
    format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={level}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_told_by_their_bits() {
        use H264Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, Main};
        for (text, profile) in [
            ("42e01f", Some(ConstrainedBaseline)),
            ("42C01E", Some(ConstrainedBaseline)),
            ("4d801f", Some(ConstrainedBaseline)),
            ("42001f", Some(Baseline)),
            ("4d001f", Some(Main)),
            ("640c1f", Some(ConstrainedHigh)),
            ("64001f", Some(High)),
            ("f4001f", None),
        ] {
            assert_eq!(H264Level::read(text).unwrap().profile(), profile, "{text}");
        }
        for odd in ["", "42e0", "42e01f00", "+2e01f", "xyzxyz", "42é1f"] {
            assert_eq!(H264Level::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn only_packetization_mode_1_is_taken() {
        let level = |text: &str| read(text).map(|level| level.to_string());
        assert_eq!(
            level("packetization-mode=1; profile-level-id=42E01F"),
            Some("42e01f".to_owned())
        );
        assert_eq!(level("packetization-mode=1"), Some("42000a".to_owned()));
        for other in [
            "",
            "profile-level-id=42e01f",
            "packetization-mode=0;profile-level-id=42e01f",
            "packetization-mode=2;profile-level-id=42e01f",
            "packetization-mode=1;profile-level-id=7a001f",
        ] {
            assert_eq!(level(other), None, "{other}");
        }
    }

    #[test]
    fn ours_is_constrained_baseline_and_reads_back() {
        assert_eq!(read(&parameters(H264Level::OURS)), Some(H264Level::OURS));
        let profile = H264Level::OURS.profile();
        assert_eq!(profile, Some(H264Profile::ConstrainedBaseline));
    }
}
