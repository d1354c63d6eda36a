//! `a=crypto` (RFC 4568): keys that stand in the description itself.

use super::description::Description;
use super::parse::limit;
use crate::transport::{CryptoSuite, MasterKey};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Some leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// RFC 3711 §9.2: no key protects more packets.
const LONGEST_LIFETIME: u64 = 1 << 48;

/// One `a=crypto` line that we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoLine {
    /// Names it among those of its section.
    pub tag: u32,
    /// What its key is for.
    pub suite: CryptoSuite,
    /// The key of whoever wrote it.
    pub key: MasterKey,
}

/// Why an `a=crypto` line can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoFault {
    /// There is none.
    #[error("there is no a=crypto line")]
    Missing,
    /// More of them than [`limit::CRYPTO`].
    #[error("there are more than {} a=crypto lines", limit::CRYPTO)]
    TooMany,
    /// Its beginning is no tag and suite.
    #[error("an a=crypto line has no tag of up to nine digits, suite and inline key")]
    Malformed,
    /// Two lines have the same tag.
    #[error("two a=crypto lines have the tag {0}")]
    SameTag(u32),
    /// We don't know its suite.
    #[error("the suite of a=crypto:{0} is unknown")]
    UnknownSuite(u32),
    /// Its key is not as long as its suite wants, or no base64.
    #[error("the key of a=crypto:{tag} is not {expected} octets in base64, as {suite} takes", suite = suite.name())]
    KeyLength {
        /// Its tag.
        tag: u32,
        /// Its suite.
        suite: CryptoSuite,
        /// Key and salt together.
        expected: usize,
    },
    /// It has several keys, told apart by an identifier in each packet.
    #[error("a=crypto:{0} has a master key identifier (MKI), which is not supported")]
    KeyIdentifier(u32),
    /// The lifetime of its key is none.
    #[error("the lifetime of the key of a=crypto:{0} is not 1 to 2^48 packets")]
    Lifetime(u32),
    /// It asks for something that we don't do, such as packets without protection.
    #[error("a=crypto:{0} asks for {1}, which is not supported")]
    Parameter(u32, &'static str),
    /// The answer chose what was not offered.
    #[error("the answer's a=crypto:{0} was not offered")]
    NotOffered(u32),
    /// The answer has not exactly one line.
    #[error("the answer has {0} a=crypto lines instead of one")]
    NotOne(usize),
    /// The peer sends under our own key, with which indexes would be used twice.
    #[error("the key of a=crypto:{0} is our own")]
    OurKey(u32),
    /// What is in force has long tags.
    #[error("only tags of 32 bits are left, and longer ones are in force")]
    Weaker,
}

impl Description {
    /// The `a=crypto` lines of section `index` that we can use, in order.
    ///
    /// # Errors
    /// If there is none, the reason why the first can't be used. Two with one tag are no choice at all.
    pub fn crypto(&self, index: usize) -> Result<Vec<CryptoLine>, CryptoFault> {
        let lines = self.media.get(index).map(|m| m.values("crypto"));
        let lines = lines.unwrap_or_default();
        if lines.len() > limit::CRYPTO {
            return Err(CryptoFault::TooMany);
        }
        let tags: Vec<u32> = lines.iter().filter_map(|line| Some(tag(line)?.0)).collect();
        let twice = tags.iter().enumerate();
        let mut twice = twice.filter(|(at, tag)| tags[..*at].contains(tag));
        if let Some((_, tag)) = twice.next() {
            return Err(CryptoFault::SameTag(*tag));
        }
        let mut fault = None;
        let mut usable = Vec::new();
        for line in lines {
            match read(line) {
                Ok(line) => usable.push(line),
                Err(reason) => fault = fault.or(Some(reason)),
            }
        }
        match usable.is_empty() {
            true => Err(fault.unwrap_or(CryptoFault::Missing)),
            false => Ok(usable),
        }
    }
}

impl CryptoLine {
    /// The value of the line.
    pub fn value(&self) -> String {
        let key = base64::engine::general_purpose::STANDARD.encode(self.key.expose());
        format!("{} {} inline:{key}", self.tag, self.suite.name())
    }
}

/// RFC 4568 §9.1: up to nine digits.
fn tag(line: &str) -> Option<(u32, &str)> {
    let (tag, rest) = line.split_once(|c: char| c.is_ascii_whitespace())?;
    let digits = (1..=9).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| tag.parse().ok())
        .flatten()
        .map(|tag| (tag, rest))
}

fn read(line: &str) -> Result<CryptoLine, CryptoFault> {
    let (tag, rest) = tag(line).ok_or(CryptoFault::Malformed)?;
    let mut words = rest.split_ascii_whitespace();
    let suite = words.next().ok_or(CryptoFault::Malformed)?;
    let suite = CryptoSuite::from_name(suite).ok_or(CryptoFault::UnknownSuite(tag))?;
    let keys = words.next().ok_or(CryptoFault::Malformed)?;
    let key = key(keys, tag, suite)?;
    for parameter in words {
        check_parameter(parameter, tag)?;
    }
    Ok(CryptoLine { tag, suite, key })
}

/// RFC 4568 §6.1: `inline:<key and salt>[|lifetime][|MKI:length]`, several of them with `;` between.
fn key(text: &str, tag: u32, suite: CryptoSuite) -> Result<MasterKey, CryptoFault> {
    let (method, rest) = text.split_once(':').ok_or(CryptoFault::Malformed)?;
    if !method.eq_ignore_ascii_case("inline") {
        return Err(CryptoFault::Malformed);
    }
    if rest.contains(';') {
        return Err(CryptoFault::KeyIdentifier(tag));
    }
    let mut parts = rest.split('|');
    let expected = suite.key_and_salt_len();
    let octets = BASE64.decode(parts.next().unwrap_or_default()).ok();
    let octets = octets.filter(|octets| octets.len() == expected);
    let octets = octets.ok_or(CryptoFault::KeyLength {
        tag,
        suite,
        expected,
    })?;
    for part in parts {
        if part.contains(':') {
            return Err(CryptoFault::KeyIdentifier(tag));
        }
        check_lifetime(part, tag)?;
    }
    Ok(MasterKey::new(octets))
}

/// The peer changes its key itself before it is used up; what can't be a number of packets is refused.
fn check_lifetime(text: &str, tag: u32) -> Result<(), CryptoFault> {
    let packets = match text.strip_prefix("2^") {
        Some(power) => power
            .parse()
            .ok()
            .and_then(|power| 1_u64.checked_shl(power)),
        None => text.parse().ok(),
    };
    let fits = packets.is_some_and(|packets| (1..=LONGEST_LIFETIME).contains(&packets));
    fits.then_some(()).ok_or(CryptoFault::Lifetime(tag))
}

/// RFC 4568 §6.3: what isn't known has to be refused, unless it begins with a dash.
fn check_parameter(text: &str, tag: u32) -> Result<(), CryptoFault> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let refused = match name.to_ascii_uppercase().as_str() {
        "WSH" => return Ok(()),
        "KDR" if value == "0" => return Ok(()),
        "KDR" => "key derivation anew (KDR)",
        "UNENCRYPTED_SRTP" => "packets that are not encrypted",
        "UNENCRYPTED_SRTCP" => "reports that are not encrypted",
        "UNAUTHENTICATED_SRTP" => "packets that are not authenticated",
        "FEC_ORDER" | "FEC_KEY" => "FEC",
        name if name.starts_with('-') => return Ok(()),
        _unknown => "an unknown parameter",
    };
    Err(CryptoFault::Parameter(tag, refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 octets.
    const KEY: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";

    fn lines(lines: &[&str]) -> Result<Vec<CryptoLine>, CryptoFault> {
        let mut text = String::from("v=0\r\nm=audio 9 RTP/SAVP 0\r\n");
        for line in lines {
            text.push_str(&format!("a=crypto:{line}\r\n"));
        }
        Description::parse(&text).unwrap().crypto(0)
    }

    #[test]
    fn what_phones_and_gateways_write_is_read() {
        for line in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 aes_cm_128_hmac_sha1_80 INLINE:{KEY}|2^31"),
            format!("1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|1048576 WSH=128 KDR=0 -x=1"),
        ] {
            let read = lines(&[&line]).unwrap();
            assert_eq!(read[0].tag, 1, "{line}");
            assert_eq!(read[0].key.expose(), [b'A'; 30], "{line}");
        }
        for suite in CryptoSuite::ALL {
            let line = CryptoLine {
                tag: 7,
                suite,
                key: MasterKey::new(vec![9; suite.key_and_salt_len()]),
            };
            assert_eq!(lines(&[&line.value()]), Ok(vec![line.clone()]));
            let unpadded = line.value().replace('=', "");
            assert_eq!(lines(&[&unpadded]), Ok(vec![line]));
        }
    }

    #[test]
    fn what_can_not_be_used_is_refused_with_its_reason() {
        let suite = CryptoSuite::Aes128CmSha1_80;
        let length = CryptoFault::KeyLength {
            tag: 1,
            suite,
            expected: 30,
        };
        let with = |rest: &str| format!("1 AES_CM_128_HMAC_SHA1_80 {rest}");
        let key = |rest: &str| with(&format!("inline:{KEY}{rest}"));
        for (line, fault) in [
            (with("inline:QUFB"), length.clone()),
            (with(&format!("inline:{KEY}QUFB")), length.clone()),
            (with("inline:!"), length.clone()),
            (with("inline:"), length.clone()),
            (with("uri:x"), CryptoFault::Malformed),
            (with(""), CryptoFault::Malformed),
            (
                format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                CryptoFault::Malformed,
            ),
            (
                format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
                CryptoFault::Malformed,
            ),
            (
                format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
                CryptoFault::UnknownSuite(1),
            ),
            (key("|2^20|1:4"), CryptoFault::KeyIdentifier(1)),
            (key("|1:4"), CryptoFault::KeyIdentifier(1)),
            (
                key(&format!(";inline:{KEY}")),
                CryptoFault::KeyIdentifier(1),
            ),
            (key("|0"), CryptoFault::Lifetime(1)),
            (key("|2^49"), CryptoFault::Lifetime(1)),
            (key("|2^99"), CryptoFault::Lifetime(1)),
            (key("|soon"), CryptoFault::Lifetime(1)),
            (
                key(" KDR=1"),
                CryptoFault::Parameter(1, "key derivation anew (KDR)"),
            ),
            (
                key(" UNENCRYPTED_SRTP"),
                CryptoFault::Parameter(1, "packets that are not encrypted"),
            ),
            (
                key(" UNAUTHENTICATED_SRTP"),
                CryptoFault::Parameter(1, "packets that are not authenticated"),
            ),
            (
                key(" X=1"),
                CryptoFault::Parameter(1, "an unknown parameter"),
            ),
        ] {
            assert_eq!(lines(&[&line]), Err(fault), "{line}");
        }
        assert_eq!(lines(&[]), Err(CryptoFault::Missing));
        let many: Vec<String> = (0..=limit::CRYPTO)
            .map(|tag| format!("{tag} AES_CM_128_HMAC_SHA1_80 inline:{KEY}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(lines(&many), Err(CryptoFault::TooMany));
    }

    #[test]
    fn a_bad_line_leaves_the_good_ones_but_two_with_one_tag_leave_nothing() {
        let good = format!("2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        let read = lines(&["1 AES_CM_128_HMAC_SHA1_80 inline:x", &good]).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(
            lines(&[&good, &good.replace("_80", "_32")]),
            Err(CryptoFault::SameTag(2))
        );
    }

    #[test]
    fn no_key_shows_itself() {
        let read = lines(&[&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")]);
        assert!(!format!("{read:?}").contains("65"), "{read:?}");
    }
}
