//! Payload types: what a number in an `m=` line stands for.

use super::description::Description;
use crate::codec::Codec;

/// An RTP payload type, 0 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// The payload type `value`; `None` above 127.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 128 { Some(Self(value)) } else { None }
    }

    /// The number on the wire.
    pub const fn value(self) -> u8 {
        self.0
    }

    pub(crate) const fn of(value: u8) -> Self {
        Self(value & 0x7f)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::new)
    }
}

/// An encoding that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Sound.
    Audio(Codec),
    /// Key presses (RFC 4733).
    TelephoneEvent,
    /// How a pause sounds (RFC 3389).
    ComfortNoise,
    /// RFC 2198: packets of Opus that carry copies of those before them.
    Redundancy,
}

impl Encoding {
    /// The name in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio(codec) => codec.name(),
            Self::TelephoneEvent => "telephone-event",
            Self::ComfortNoise => "CN",
            Self::Redundancy => "red",
        }
    }

    /// The codec, when it is sound.
    pub fn codec(self) -> Option<Codec> {
        match self {
            Self::Audio(codec) => Some(codec),
            Self::TelephoneEvent | Self::ComfortNoise | Self::Redundancy => None,
        }
    }

    /// The channel count in `a=rtpmap`.
    pub fn channels(self) -> u8 {
        match self {
            Self::Audio(codec) => codec.rtpmap_channels(),
            Self::Redundancy => Codec::Opus.rtpmap_channels(),
            Self::TelephoneEvent | Self::ComfortNoise => 1,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Codec::ALL
            .into_iter()
            .map(Self::Audio)
            .chain([Self::TelephoneEvent, Self::ComfortNoise, Self::Redundancy])
            .find(|e| name.eq_ignore_ascii_case(e.name()))
    }

    /// RFC 3551 §6: what a payload type means without an `a=rtpmap`.
    fn from_static(payload_type: PayloadType) -> Option<Self> {
        match payload_type.0 {
            13 | 19 => Some(Self::ComfortNoise),
            number => Codec::from_static_payload_type(number).map(Self::Audio),
        }
    }
}

/// What one payload type of a section stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its number.
    pub payload_type: PayloadType,
    /// Its encoding.
    pub encoding: Encoding,
    /// The RTP clock in Hz (8000 for G.722, RFC 3551 §4.5.2).
    pub clock_rate: u32,
    /// Its `a=fmtp` parameters.
    pub fmtp: Fmtp,
}

/// The parameters of an `a=fmtp` line that change what we send; for telephone-event nothing is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fmtp {
    /// `maxaveragebitrate` in bit/s: the most the peer wants to receive.
    pub max_average_bitrate: Option<u32>,
    /// `maxplaybackrate` in Hz: what the peer can play.
    pub max_playback_rate: Option<u32>,
    /// `useinbandfec=1`: the peer makes use of in-band FEC.
    pub fec: bool,
    /// `usedtx=1`: the peer likes silence to be left out.
    pub dtx: bool,
    /// `cbr=1`: the peer wants a constant bit rate.
    pub cbr: bool,
    /// `ptime` in milliseconds, which some PBXs put here.
    pub ptime: Option<u8>,
    /// `111/111` of RFC 2198 §5: what packets and their copies are.
    pub copies_of: Option<PayloadType>,
}

impl Fmtp {
    /// The parameters of `encoding`.
    fn read(encoding: Encoding, text: &str) -> Self {
        match encoding {
            Encoding::Redundancy => Self {
                copies_of: copies_of(text),
                ..Self::default()
            },
            Encoding::Audio(_) | Encoding::TelephoneEvent | Encoding::ComfortNoise => {
                Self::parse(text)
            }
        }
    }

    fn parse(text: &str) -> Self {
        let mut fmtp = Self::default();
        for parameter in text.split(';').take(32) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (name.trim(), value.trim());
            match name.to_ascii_lowercase().as_str() {
                // RFC 7587 §6.1: 6000 to 510000.
                "maxaveragebitrate" => {
                    fmtp.max_average_bitrate =
                        value.parse().ok().map(|b: u32| b.clamp(6_000, 510_000));
                }
                "maxplaybackrate" => fmtp.max_playback_rate = value.parse().ok(),
                "useinbandfec" => fmtp.fec = value == "1",
                "usedtx" => fmtp.dtx = value == "1",
                "cbr" => fmtp.cbr = value == "1",
                "ptime" => fmtp.ptime = value.parse().ok(),
                _other => {}
            }
        }
        fmtp
    }
}

/// RFC 2198 §5: the primary encoding, and then that of each copy; `None` if they differ, or there is none.
fn copies_of(text: &str) -> Option<PayloadType> {
    let (primary, copies) = text.split_once('/')?;
    let primary = PayloadType::parse(primary.trim())?;
    let mut copies = copies.split('/').take(32);
    copies
        .all(|copy| PayloadType::parse(copy.trim()) == Some(primary))
        .then_some(primary)
}

impl Description {
    /// The payload types of section `index` that we know, in the order of its `m=` line, each number once.
    pub fn payloads(&self, index: usize) -> Vec<Payload> {
        let Some(media) = self.media.get(index) else {
            return Vec::new();
        };
        let maps = media.values("rtpmap");
        let parameters = media.values("fmtp");
        let mut payloads: Vec<Payload> = Vec::new();
        for payload_type in media.formats.iter().filter_map(|f| PayloadType::parse(f)) {
            if payloads.iter().any(|p| p.payload_type == payload_type) {
                continue;
            }
            let mapped = line_of(&maps, payload_type);
            let known = match mapped {
                Some(map) => read_map(map),
                None => Encoding::from_static(payload_type).map(|e| (e, 8_000)),
            };
            if let Some((encoding, clock_rate)) = known {
                payloads.push(Payload {
                    payload_type,
                    encoding,
                    clock_rate,
                    fmtp: line_of(&parameters, payload_type)
                        .map(|text| Fmtp::read(encoding, text))
                        .unwrap_or_default(),
                });
            }
        }
        payloads
    }

    /// The payload types of section `index`, whatever they stand for.
    pub fn numbers(&self, index: usize) -> Vec<PayloadType> {
        let formats = self.media.get(index).map(|media| media.formats.iter());
        let formats = formats.into_iter().flatten();
        formats.filter_map(|f| PayloadType::parse(f)).collect()
    }

    /// `a=ptime` of section `index` in milliseconds.
    pub fn ptime(&self, index: usize) -> Option<u8> {
        milliseconds(self.value(index, "ptime"))
    }

    /// `a=maxptime` of section `index` in milliseconds.
    pub fn maxptime(&self, index: usize) -> Option<u8> {
        milliseconds(self.value(index, "maxptime"))
    }
}

fn milliseconds(value: Option<&str>) -> Option<u8> {
    // "20.0" is seen too.
    value?.split('.').next()?.trim().parse().ok()
}

/// The rest of the line among `lines` that begins with `payload_type`.
pub(super) fn line_of<'a>(lines: &[&'a str], payload_type: PayloadType) -> Option<&'a str> {
    lines.iter().find_map(|line| {
        let (number, rest) = line.split_once(|c: char| c.is_ascii_whitespace())?;
        (PayloadType::parse(number) == Some(payload_type)).then(|| rest.trim())
    })
}

/// `opus/48000/2` → Opus at 48 kHz, where the clock is one that we can send and receive.
fn read_map(map: &str) -> Option<(Encoding, u32)> {
    let mut parts = map.split('/');
    let encoding = Encoding::from_name(parts.next()?.trim())?;
    let clock_rate: u32 = parts.next()?.trim().parse().ok()?;
    let known = match encoding {
        // Some write what G.722 samples at; its RTP clock is 8000 all the same.
        Encoding::Audio(Codec::G722) => matches!(clock_rate, 8_000 | 16_000),
        Encoding::Audio(codec) => clock_rate == codec.clock_rate(),
        Encoding::Redundancy => clock_rate == Codec::Opus.clock_rate(),
        Encoding::TelephoneEvent | Encoding::ComfortNoise => {
            matches!(clock_rate, 8_000 | 16_000 | 24_000 | 32_000 | 48_000)
        }
    };
    let clock_rate = encoding.codec().map_or(clock_rate, Codec::clock_rate);
    known.then_some((encoding, clock_rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(media: &str) -> Vec<(u8, Encoding, u32)> {
        Description::parse(&format!("v=0\r\n{media}"))
            .unwrap()
            .payloads(0)
            .into_iter()
            .map(|p| (p.payload_type.value(), p.encoding, p.clock_rate))
            .collect()
    }

    #[test]
    fn static_payload_types_need_no_rtpmap() {
        assert_eq!(
            payloads("m=audio 9 RTP/SAVPF 0 8 9 13 18\r\n"),
            [
                (0, Encoding::Audio(Codec::Pcmu), 8_000),
                (8, Encoding::Audio(Codec::Pcma), 8_000),
                (9, Encoding::Audio(Codec::G722), 8_000),
                (13, Encoding::ComfortNoise, 8_000),
            ]
        );
    }

    #[test]
    fn an_rtpmap_wins_over_the_static_table() {
        assert_eq!(
            payloads("m=audio 9 RTP/SAVPF 0\r\na=rtpmap:0 GSM/8000\r\n"),
            []
        );
    }

    #[test]
    fn encodings_are_found_whatever_their_case_order_and_clock() {
        assert_eq!(
            payloads(
                "m=audio 9 RTP/SAVPF 107 110 101 9 110\r\na=rtpmap:101 Telephone-Event/8000\r\n\
                 a=rtpmap:110 telephone-event/48000\r\na=rtpmap:107 OPUS/48000/2\r\na=rtpmap:9 g722/16000\r\n"
            ),
            [
                (107, Encoding::Audio(Codec::Opus), 48_000),
                (110, Encoding::TelephoneEvent, 48_000),
                (101, Encoding::TelephoneEvent, 8_000),
                (9, Encoding::Audio(Codec::G722), 8_000),
            ]
        );
    }

    #[test]
    fn opus_parameters_are_read_and_kept_in_bounds() {
        let d = Description::parse(
            "v=0\r\nm=audio 9 RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 minptime=10; useinbandfec=1;usedtx=1;maxaveragebitrate=9999999;stereo=1\r\n",
        )
        .unwrap();
        let fmtp = d.payloads(0)[0].fmtp;
        assert!(fmtp.fec && fmtp.dtx && !fmtp.cbr);
        assert_eq!(fmtp.max_average_bitrate, Some(510_000));
    }

    #[test]
    fn copies_are_read_if_they_are_of_one_encoding() {
        let of = |fmtp: &str| {
            let text = format!(
                "v=0\r\nm=audio 9 RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\n\
                 a=rtpmap:63 red/48000/2\r\n{fmtp}"
            );
            let payloads = Description::parse(&text).unwrap().payloads(0);
            let red = payloads.iter().find(|p| p.encoding == Encoding::Redundancy);
            red.and_then(|p| p.fmtp.copies_of).map(PayloadType::value)
        };
        assert_eq!(of("a=fmtp:63 111/111\r\n"), Some(111));
        assert_eq!(of("a=fmtp:63 111/111/111\r\n"), Some(111));
        for odd in [
            "",
            "a=fmtp:63 111\r\n",
            "a=fmtp:63 111/0\r\n",
            "a=fmtp:63 /\r\n",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
