//! What a video section says: formats, feedback, sources and header extensions.

use super::description::{Description, Media};
use super::h264::{self, H264Level};
use super::payload::{PayloadType, line_of};
use video::VideoCodec;

/// RFC 7741 §6.1, RFC 6184 §8.1.
const CLOCK_RATE: u32 = 90_000;
/// The header extension that says to which section a packet belongs (RFC 9143 §15).
pub(super) const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// The header extension that says when a packet left: 24 bits, of which 6 count seconds
/// (http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time).
pub(super) const SEND_TIME_EXTENSION: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
/// Sources of a section beyond these are left aside; without simulcast there are two.
const MOST_SOURCES: usize = 8;
/// RFC 8830 §2: an id has at most 64 characters.
const MSID: usize = 64;

/// The numbers of the header extensions that a section's packets have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderExtensions {
    /// Of the one that names the section.
    pub mid: Option<u8>,
    /// Of the one that says when a packet left.
    pub send_time: Option<u8>,
}

impl HeaderExtensions {
    /// What both have under the same number.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            mid: self.mid.filter(|_| self.mid == other.mid),
            send_time: self.send_time.filter(|_| self.send_time == other.send_time),
        }
    }

    /// None of them outside of BUNDLE: each section is told by its transport there, and each transport's queues are others.
    pub(super) fn within(self, bundle: bool) -> Self {
        Some(self).filter(|_| bundle).unwrap_or_default()
    }

    /// The numbers and names of those that there are.
    pub(super) fn named(self) -> impl Iterator<Item = (u8, &'static str)> {
        let mid = self.mid.map(|id| (id, MID_EXTENSION));
        let send_time = self.send_time.map(|id| (id, SEND_TIME_EXTENSION));
        [send_time, mid].into_iter().flatten()
    }
}

/// A video format of a section, with what repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoPayload {
    /// Its number.
    pub payload_type: PayloadType,
    /// Its codec.
    pub codec: VideoCodec,
    /// `profile-level-id`, if it is H.264.
    pub level: Option<H264Level>,
    /// The number of its retransmissions (RFC 4588).
    pub rtx: Option<PayloadType>,
    /// What its receiver may ask for.
    pub feedback: FeedbackTypes,
}

/// What a receiver of video may say to its sender (`a=rtcp-fb`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedbackTypes {
    /// `nack`: which packets are missing (RFC 4585 §6.2.1).
    pub nack: bool,
    /// `nack pli`: that a picture is lost (RFC 4585 §6.3.1).
    pub pli: bool,
    /// `ccm fir`: that a whole picture is needed (RFC 5104 §4.3.1).
    pub fir: bool,
    /// `goog-remb`: how much it can receive.
    pub remb: bool,
}

impl FeedbackTypes {
    pub(crate) const ALL: Self = Self {
        nack: true,
        pli: true,
        fir: true,
        remb: true,
    };

    /// The values of `a=rtcp-fb`, without the number in front.
    pub(super) fn lines(self) -> impl Iterator<Item = &'static str> {
        [
            (self.remb, "goog-remb"),
            (self.fir, "ccm fir"),
            (self.nack, "nack"),
            (self.pli, "nack pli"),
        ]
        .into_iter()
        .filter_map(|(said, line)| said.then_some(line))
    }

    /// What is said about `payload_type` or about all.
    fn of(media: &Media, payload_type: PayloadType) -> Self {
        let mut feedback = Self::default();
        // RFC 4585 §4.2: only with the profiles for feedback.
        if !media.protocol.ends_with(['F', 'f']) {
            return feedback;
        }
        for line in media.values("rtcp-fb") {
            let mut words = line.split_ascii_whitespace();
            let about = words.next().unwrap_or_default();
            if about != "*" && PayloadType::parse(about) != Some(payload_type) {
                continue;
            }
            match (words.next(), words.next()) {
                (Some("nack"), None) => feedback.nack = true,
                (Some("nack"), Some("pli")) => feedback.pli = true,
                (Some("ccm"), Some("fir")) => feedback.fir = true,
                (Some("goog-remb"), None) => feedback.remb = true,
                (Some(_) | None, Some(_) | None) => {}
            }
        }
        feedback
    }
}

/// A source of the peer's, and that of its retransmissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSource {
    /// Its SSRC.
    pub ssrc: u32,
    /// The SSRC of its retransmissions (RFC 4588 §8.4).
    pub rtx: Option<u32>,
}

impl Description {
    /// The video formats of section `index` that we speak, in the order of its `m=` line.
    pub fn video_payloads(&self, index: usize) -> Vec<VideoPayload> {
        let Some(media) = self.media.get(index) else {
            return Vec::new();
        };
        let (maps, parameters) = (media.values("rtpmap"), media.values("fmtp"));
        let numbers = self.numbers(index);
        let repetitions = retransmissions(&numbers, &maps, &parameters);
        let mut payloads: Vec<VideoPayload> = Vec::new();
        for payload_type in numbers {
            let parameters = line_of(&parameters, payload_type).unwrap_or_default();
            let codec = line_of(&maps, payload_type).and_then(read_map);
            let level = h264::read(parameters);
            let known = match codec {
                Some(VideoCodec::Vp8) => true,
                Some(VideoCodec::H264) => level.is_some(),
                None => false,
            };
            let said = payloads.iter().any(|p| p.payload_type == payload_type);
            if let (Some(codec), true, false) = (codec, known, said) {
                payloads.push(VideoPayload {
                    payload_type,
                    codec,
                    level: level.filter(|_| codec == VideoCodec::H264),
                    rtx: (repetitions.iter())
                        .find(|(_, repeated)| *repeated == payload_type)
                        .map(|(rtx, _)| *rtx),
                    feedback: FeedbackTypes::of(media, payload_type),
                });
            }
        }
        payloads
    }

    /// The header extension of section `index` that carries its mid, if ours can write it.
    pub fn mid_extension(&self, index: usize) -> Option<u8> {
        self.extension(index, MID_EXTENSION)
    }

    /// The header extensions of section `index` that ours can write.
    pub fn header_extensions(&self, index: usize) -> HeaderExtensions {
        HeaderExtensions {
            mid: self.mid_extension(index),
            send_time: self.extension(index, SEND_TIME_EXTENSION),
        }
    }

    fn extension(&self, index: usize, named: &str) -> Option<u8> {
        let (id, _) = extensions(self.media.get(index)?).find(|(_, uri)| *uri == named)?;
        // RFC 8285 §4.2: those of the one-byte form.
        (1..=14).contains(&id).then_some(id)
    }

    /// All header extensions of all sections: a number means one thing within BUNDLE.
    pub(super) fn extension_numbers(&self) -> Vec<u8> {
        let sections = self.media.iter();
        sections.flat_map(extensions).map(|(id, _)| id).collect()
    }

    /// The sources of section `index` that it names.
    pub fn sources(&self, index: usize) -> Vec<RemoteSource> {
        let Some(media) = self.media.get(index) else {
            return Vec::new();
        };
        let groups: Vec<(u32, u32)> = (media.values("ssrc-group").into_iter())
            .filter_map(repetition)
            .take(MOST_SOURCES)
            .collect();
        let mut sources: Vec<RemoteSource> = Vec::new();
        for line in media.values("ssrc") {
            let number = line.split_ascii_whitespace().next();
            let Some(ssrc) = number.and_then(|n| n.parse().ok()) else {
                continue;
            };
            let known = sources.iter().any(|source| source.ssrc == ssrc);
            let repeats = groups.iter().any(|(_, rtx)| *rtx == ssrc);
            if !known && !repeats && sources.len() < MOST_SOURCES {
                let rtx = groups.iter().find(|(of, _)| *of == ssrc);
                sources.push(RemoteSource {
                    ssrc,
                    rtx: rtx.map(|(_, rtx)| *rtx),
                });
            }
        }
        sources
    }

    /// The ids of the stream and track of section `index` (RFC 8830), of `a=msid` or else of `a=ssrc`.
    pub fn msid(&self, index: usize) -> Option<(&str, &str)> {
        let media = self.media.get(index)?;
        let of_source = || {
            let lines = media.values("ssrc").into_iter();
            lines
                .filter_map(|line| Some(line.split_once("msid:")?.1))
                .next()
        };
        let text = media.value("msid").or_else(of_source)?;
        let mut words = text.split_ascii_whitespace();
        let (stream, track) = (words.next()?, words.next().unwrap_or_default());
        let fits = |id: &str| id.len() <= MSID;
        (fits(stream) && fits(track)).then_some((stream, track))
    }
}

/// The numbers that repeat others, and which (RFC 4588 §8.6).
fn retransmissions(
    numbers: &[PayloadType],
    maps: &[&str],
    parameters: &[&str],
) -> Vec<(PayloadType, PayloadType)> {
    let repeated = |number: &PayloadType| {
        let is_rtx = line_of(maps, *number).is_some_and(|map| is_map(map, "rtx"));
        let repeated = line_of(parameters, *number).and_then(apt);
        repeated.filter(|repeated| is_rtx && repeated != number)
    };
    let rtx = numbers.iter().filter_map(|n| Some((*n, repeated(n)?)));
    rtx.collect()
}

fn read_map(map: &str) -> Option<VideoCodec> {
    VideoCodec::ALL
        .into_iter()
        .find(|codec| is_map(map, rtp_name(*codec)))
}

/// The name in `a=rtpmap`.
pub(super) fn rtp_name(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => "VP8",
        VideoCodec::H264 => "H264",
    }
}

fn is_map(map: &str, name: &str) -> bool {
    let mut parts = map.split('/').map(str::trim);
    let named = parts.next().is_some_and(|n| n.eq_ignore_ascii_case(name));
    named && parts.next().and_then(|rate| rate.parse().ok()) == Some(CLOCK_RATE)
}

fn apt(parameters: &str) -> Option<PayloadType> {
    parameters.split(';').take(32).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("apt");
        named.then(|| PayloadType::parse(value.trim()))?
    })
}

/// `FID 1 2`: 2 repeats 1.
fn repetition(group: &str) -> Option<(u32, u32)> {
    let mut words = group.split_ascii_whitespace();
    let is_repetition = words.next() == Some("FID");
    let (of, rtx) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (is_repetition && of != rtx && words.next().is_none()).then_some((of, rtx))
}

/// `4 urn:…` and `4/sendonly urn:…`.
fn extensions(media: &Media) -> impl Iterator<Item = (u8, &str)> {
    media.values("extmap").into_iter().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let id = words.next()?.split('/').next()?.parse().ok()?;
        Some((id, words.next()?))
    })
}
