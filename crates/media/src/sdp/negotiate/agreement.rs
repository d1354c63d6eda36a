//! What both sides have agreed to, once an offer and an answer are known.

use super::super::{Description, Direction, Encoding, Fmtp, Media, Payload, PayloadType};
use super::terms::{Incompatible, Refusal, Terms};
use super::video::AgreedVideo;
use crate::codec::Codec;
use crate::transport::{self, RemoteParameters};

/// What an offer and its answer settle: a transport, and what goes over it.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The call's sound.
    pub audio: AgreedAudio,
    /// Its pictures.
    pub video: Vec<AgreedVideo>,
    /// Whether RTCP shares the RTP port; without it none is sent.
    pub rtcp_mux: bool,
    /// Whether RTCP may come as soon as there is something to say (RFC 4585 §3.2), instead of every five seconds.
    pub prompt_rtcp: bool,
    /// How the peer is reached.
    pub transport: RemoteParameters,
}

/// What is settled about sound.
#[derive(Clone, Debug)]
pub struct AgreedAudio {
    /// Names its section.
    pub mid: Option<String>,
    /// The number of the header extension under which its packets may carry `mid`, if the peer has named one.
    pub mid_extension: Option<u8>,
    /// What we send.
    pub send: SendFormat,
    /// The telephone-event payload type we send and its clock in Hz.
    pub send_events: Option<(PayloadType, u32)>,
    /// The payload type under which the peer takes what we send with copies of what went before it (RFC 2198).
    pub send_copies: Option<PayloadType>,
    /// The payload type under which the peer takes comfort noise beside what we send (RFC 3389).
    pub send_noise: Option<PayloadType>,
    /// What may arrive: the peer may switch between these at any time.
    pub receive: Vec<Payload>,
    /// Who sends, seen from us.
    pub direction: Direction,
    /// Who sends, seen from the peer: what it asked for.
    pub remote_direction: Direction,
}

/// The codec we send and how the peer wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendFormat {
    /// Its payload type.
    pub payload_type: PayloadType,
    /// Its codec.
    pub codec: Codec,
    /// The peer's wishes for it.
    pub fmtp: Fmtp,
    /// Milliseconds in a packet.
    pub ptime: u8,
}

/// Picks the section of `description` that we can speak, from `sections`.
pub(super) fn choose_section(
    description: &Description,
    terms: &Terms,
    sections: impl Iterator<Item = usize>,
) -> Result<usize, Refusal> {
    let mut refusal = Refusal::Incompatible(Incompatible::NoAudio);
    for index in sections {
        match check_section(description, terms, index) {
            Ok(()) => return Ok(index),
            Err(e) => refusal = worse(refusal, e),
        }
    }
    Err(refusal)
}

/// The first reason that says more than "no audio" stays.
fn worse(old: Refusal, new: Refusal) -> Refusal {
    if old == Refusal::Incompatible(Incompatible::NoAudio) {
        new
    } else {
        old
    }
}

fn check_section(description: &Description, terms: &Terms, index: usize) -> Result<(), Refusal> {
    let incompatible = |why| Err(Refusal::Incompatible(why));
    let Some(media) = description.media.get(index) else {
        return incompatible(Incompatible::NoAudio);
    };
    let bundled = media.has("bundle-only");
    if media.kind != super::super::MediaKind::Audio || (media.port == 0 && !bundled) {
        return incompatible(Incompatible::NoAudio);
    }
    if description.fingerprints(index).is_empty() {
        let protocol = media.protocol.to_ascii_uppercase();
        return if protocol.contains("SAVP") {
            incompatible(Incompatible::NoDtls)
        } else {
            Err(Refusal::PlainRtp)
        };
    }
    if description
        .transport(index, transport::Description::Offer)
        .is_none()
    {
        return incompatible(Incompatible::NoIce);
    }
    if common(description, terms, index).is_empty() {
        return incompatible(Incompatible::NoCommonCodec);
    }
    Ok(())
}

/// What we speak of a section: sound, sound with copies, and key presses, each in its order (RFC 3264 §6.1: the
/// answerer keeps it). Sound stands first, because some peers send what does.
pub(super) fn spoken(description: &Description, terms: &Terms, index: usize) -> Vec<Payload> {
    let mut spoken = common(description, terms, index);
    spoken.extend(copies(description, index, &spoken));
    // Who agrees to it is sent pauses without sound, which not everybody wants; what comes unasked is heard all the same.
    if terms.dtx {
        spoken.extend(noises(description, index, &spoken));
    }
    spoken.extend(events(description, terms, index));
    spoken
}

/// The audio payloads of a section that we speak.
fn common(description: &Description, terms: &Terms, index: usize) -> Vec<Payload> {
    description
        .payloads(index)
        .into_iter()
        .filter(|p| {
            p.encoding
                .codec()
                .is_some_and(|c| terms.codecs.contains(&c))
        })
        .collect()
}

/// The payloads of a section that carry copies of Opus among `sound`.
fn copies(description: &Description, index: usize, sound: &[Payload]) -> Vec<Payload> {
    let is_opus = |number: PayloadType| {
        sound
            .iter()
            .any(|p| p.payload_type == number && p.encoding == Encoding::Audio(Codec::Opus))
    };
    description
        .payloads(index)
        .into_iter()
        .filter(|p| p.encoding == Encoding::Redundancy && p.fmtp.copies_of.is_some_and(is_opus))
        .collect()
}

/// The payloads of comfort noise of a section that have the clock of `sound`; Opus has its own.
fn noises(description: &Description, index: usize, sound: &[Payload]) -> Vec<Payload> {
    let has_clock = |clock: u32| {
        let mut sound = sound.iter();
        sound.any(|p| p.encoding != Encoding::Audio(Codec::Opus) && p.clock_rate == clock)
    };
    description
        .payloads(index)
        .into_iter()
        .filter(|p| p.encoding == Encoding::ComfortNoise && has_clock(p.clock_rate))
        .collect()
}

/// The telephone-event payloads of a section, when we speak them.
fn events(description: &Description, terms: &Terms, index: usize) -> Vec<Payload> {
    description
        .payloads(index)
        .into_iter()
        .filter(|p| terms.telephone_event && p.encoding == Encoding::TelephoneEvent)
        .collect()
}

/// What follows from the peer's section `index`, when we receive `receive` and want `wish`.
pub(super) fn agree(
    description: &Description,
    kind: transport::Description,
    terms: &Terms,
    index: usize,
    receive: Vec<Payload>,
    wish: Direction,
) -> Result<Agreed, Refusal> {
    let audio = agree_audio(description, terms, index, receive, wish)?;
    let transport = description
        .transport(index, kind)
        .ok_or(Refusal::Incompatible(Incompatible::NoIce))?;
    Ok(Agreed {
        audio,
        video: Vec::new(),
        rtcp_mux: description.has(index, "rtcp-mux"),
        prompt_rtcp: description.media.get(index).is_some_and(is_avpf),
        transport,
    })
}

fn agree_audio(
    description: &Description,
    terms: &Terms,
    index: usize,
    receive: Vec<Payload>,
    wish: Direction,
) -> Result<AgreedAudio, Refusal> {
    let sound = common(description, terms, index);
    let (send, codec) = sound
        .iter()
        .find_map(|p| p.encoding.codec().map(|codec| (p, codec)))
        .ok_or(Refusal::Incompatible(Incompatible::NoCommonCodec))?;
    let remote_direction = if description.holds_by_address(index) {
        Direction::SendOnly
    } else {
        description.direction(index)
    };
    let media = description.media.get(index);
    Ok(AgreedAudio {
        mid: media.and_then(|m| m.value("mid")).map(str::to_owned),
        mid_extension: description.mid_extension(index),
        send: SendFormat {
            payload_type: send.payload_type,
            codec,
            fmtp: send.fmtp,
            ptime: packet_time(description, terms, index, codec, send.fmtp),
        },
        send_copies: copies(description, index, &sound)
            .iter()
            .find(|p| p.fmtp.copies_of == Some(send.payload_type))
            .map(|p| p.payload_type),
        send_noise: noises(description, index, std::slice::from_ref(send))
            .first()
            .map(|p| p.payload_type),
        send_events: event_format(&events(description, terms, index), send.clock_rate),
        receive,
        direction: wish.and(remote_direction.reversed()),
        remote_direction,
    })
}

/// RFC 4585 §4: the profiles that end in F; an answer keeps that of its offer.
fn is_avpf(media: &Media) -> bool {
    media.protocol.ends_with(['F', 'f'])
}

/// RFC 4733 §2.1: the clock of the audio stream; PBXs that offer only 8000 beside Opus get that.
fn event_format(events: &[Payload], clock_rate: u32) -> Option<(PayloadType, u32)> {
    events
        .iter()
        .find(|p| p.clock_rate == clock_rate)
        .or_else(|| events.iter().find(|p| p.clock_rate == 8_000))
        .or_else(|| events.first())
        .map(|p| (p.payload_type, p.clock_rate))
}

fn packet_time(
    description: &Description,
    terms: &Terms,
    index: usize,
    codec: Codec,
    fmtp: Fmtp,
) -> u8 {
    let asked = description
        .ptime(index)
        .or(fmtp.ptime)
        .unwrap_or(terms.ptime);
    let most = description.maxptime(index).unwrap_or(60).clamp(10, 60);
    let wanted = asked.clamp(10, most);
    let possible: &[u8] = if codec == Codec::Opus {
        &[60, 40, 20, 10]
    } else {
        &[60, 50, 40, 30, 20, 10]
    };
    possible
        .iter()
        .copied()
        .find(|p| *p <= wanted)
        .unwrap_or(20)
}
