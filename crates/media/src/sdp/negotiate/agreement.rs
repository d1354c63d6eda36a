//! What both sides have agreed to, once an offer and an answer are known.

use super::super::{CryptoFault, CryptoLine};
use super::super::{Description, Direction, Encoding, Fmtp, Media, Payload, PayloadType};
use super::terms::{Incompatible, KeySeed, Refusal, Terms};
use super::video::AgreedVideo;
use crate::codec::Codec;
use crate::transport::{self, Keying, RemoteKeying, RemoteParameters, RemotePath, SdesKeys};

/// What an offer and its answer settle: a transport, and what goes over it.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The call's sound.
    pub audio: AgreedAudio,
    /// Its pictures.
    pub video: Vec<AgreedVideo>,
    /// Whether RTCP shares the RTP port.
    pub rtcp_mux: bool,
    /// Whether RTCP may come as soon as there is something to say (RFC 4585 §3.2), instead of every five seconds.
    pub prompt_rtcp: bool,
    /// How the peer is reached.
    pub transport: RemoteParameters,
}

impl Agreed {
    /// Whether RTCP has a way to the peer: with ICE only beside sound, as no other component is checked.
    pub fn has_reports(&self) -> bool {
        self.rtcp_mux || matches!(self.transport.path, RemotePath::Direct(_))
    }
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

/// Picks the section of `description` that we can speak, from `sections`, and how its media are protected: by the first of
/// `allowed` that there is.
pub(super) fn choose_section(
    description: &Description,
    terms: &Terms,
    sections: impl Iterator<Item = usize> + Clone,
    allowed: &[Keying],
) -> Result<(usize, Keying), Refusal> {
    let mut refusal = Refusal::Incompatible(match allowed.is_empty() {
        true => Incompatible::Keying,
        false => Incompatible::NoAudio,
    });
    for keying in allowed {
        for index in sections.clone() {
            match check_section(description, terms, index, *keying) {
                Ok(()) => return Ok((index, *keying)),
                Err(e) => refusal = worse(refusal, e),
            }
        }
    }
    Err(refusal)
}

/// The first reason that says more than "no audio" or "not protected so" stays.
fn worse(old: Refusal, new: Refusal) -> Refusal {
    let says_little = [Incompatible::NoAudio, Incompatible::Keying].map(Refusal::Incompatible);
    if says_little.contains(&old) && !matches!(new, Refusal::Incompatible(Incompatible::NoAudio)) {
        new
    } else {
        old
    }
}

fn check_section(
    description: &Description,
    terms: &Terms,
    index: usize,
    keying: Keying,
) -> Result<(), Refusal> {
    let incompatible = |why| Err(Refusal::Incompatible(why));
    let Some(media) = description.media.get(index) else {
        return incompatible(Incompatible::NoAudio);
    };
    let bundled = media.has("bundle-only");
    if media.kind != super::super::MediaKind::Audio || (media.port == 0 && !bundled) {
        return incompatible(Incompatible::NoAudio);
    }
    check_keying(description, terms, index, keying)?;
    if path(description, terms, index, keying).is_none() {
        return incompatible(match terms.goes_without_ice() {
            true => Incompatible::NoAddress,
            false => Incompatible::NoIce,
        });
    }
    if common(description, terms, index).is_empty() {
        return incompatible(Incompatible::NoCommonCodec);
    }
    Ok(())
}

/// The profiles of RFC 3551, RFC 3711 and their kin with feedback, over UDP; DTLS has names of its own beside them.
fn is_secure(media: &Media) -> Option<bool> {
    match media.protocol.to_ascii_uppercase().as_str() {
        "RTP/AVP" | "RTP/AVPF" => Some(false),
        "RTP/SAVP" | "RTP/SAVPF" => Some(true),
        _of_dtls => None,
    }
}

fn check_keying(
    description: &Description,
    terms: &Terms,
    index: usize,
    keying: Keying,
) -> Result<(), Refusal> {
    let Some(media) = description.media.get(index) else {
        return Err(Refusal::Incompatible(Incompatible::NoAudio));
    };
    let secure = is_secure(media);
    // RFC 8643: keys may stand in a section whose profile promises none.
    let has_keys = secure.is_some() && (secure == Some(true) || media.has("crypto"));
    match keying {
        Keying::Dtls if !description.fingerprints(index).is_empty() => Ok(()),
        Keying::Dtls if media.protocol.to_ascii_uppercase().contains("SAVP") => {
            let only = terms.media == [Keying::Dtls];
            Err(Refusal::Incompatible(match only {
                true => Incompatible::NoDtls,
                false => Incompatible::Keying,
            }))
        }
        Keying::Sdes if has_keys => Ok(description.crypto(index).map(|_| ())?),
        Keying::Plain if secure == Some(false) => Ok(()),
        Keying::Dtls | Keying::Sdes if secure == Some(false) => {
            match terms.media.contains(&Keying::Plain) {
                true => Err(Refusal::Incompatible(Incompatible::Keying)),
                false => Err(Refusal::PlainRtp),
            }
        }
        Keying::Dtls | Keying::Sdes | Keying::Plain => {
            Err(Refusal::Incompatible(Incompatible::Keying))
        }
    }
}

/// How the peer of section `index` is reached.
fn path(
    description: &Description,
    terms: &Terms,
    index: usize,
    keying: Keying,
) -> Option<RemotePath> {
    let mismatch = keying != Keying::Dtls && description.has_ice_mismatch(index);
    let ice = description.ice(index).filter(|_| !mismatch);
    let direct = || {
        let address = description.destination(index);
        address.filter(|_| terms.goes_without_ice())
    };
    ice.map(RemotePath::Ice)
        .or_else(|| direct().map(RemotePath::Direct))
}

/// The keys that follow of section `index`, whose line we choose or, in an answer, that has been chosen of ours.
fn sdes(
    description: &Description,
    kind: transport::Description,
    index: usize,
    keys: &OurKeys<'_>,
) -> Result<SdesKeys, CryptoFault> {
    let lines = description.crypto(index)?;
    let chosen = match kind {
        transport::Description::Answer => {
            let [line] = lines.as_slice() else {
                return Err(CryptoFault::NotOne(lines.len()));
            };
            let offered = keys.offered.iter();
            let mut offered =
                offered.filter(|ours| ours.tag == line.tag && ours.suite == line.suite);
            offered.next().ok_or(CryptoFault::NotOffered(line.tag))?;
            line
        }
        // The first of theirs (RFC 4568 §5.1.2), but the short tags last.
        transport::Description::Offer => {
            let long = lines.iter().find(|line| !line.suite.has_short_tag());
            long.or(lines.first().filter(|_| !keys.long_tags))
                .ok_or(CryptoFault::Weaker)?
        }
    };
    let local = keys.seed.key(chosen.suite);
    if local == chosen.key {
        return Err(CryptoFault::OurKey(chosen.tag));
    }
    Ok(SdesKeys {
        suite: chosen.suite,
        tag: chosen.tag,
        local,
        remote: chosen.key.clone(),
    })
}

/// What our side of the keys is made of.
pub(super) struct OurKeys<'a> {
    pub(super) seed: KeySeed,
    /// The lines of our offer, if this is about its answer.
    pub(super) offered: &'a [CryptoLine],
    /// Tags of more than 32 bits are in force.
    pub(super) long_tags: bool,
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

/// What is settled before what follows from the peer's section: which it is, and on what terms.
pub(super) struct Settled<'a> {
    pub(super) kind: transport::Description,
    pub(super) terms: &'a Terms,
    pub(super) index: usize,
    pub(super) keying: Keying,
    pub(super) keys: OurKeys<'a>,
}

/// What follows from the peer's section, when we receive `receive` and want `wish`.
pub(super) fn agree(
    description: &Description,
    settled: &Settled<'_>,
    receive: Vec<Payload>,
    wish: Direction,
) -> Result<Agreed, Refusal> {
    let Settled {
        kind, terms, index, ..
    } = *settled;
    let audio = agree_audio(description, terms, index, receive, wish)?;
    let keying = match settled.keying {
        Keying::Dtls => description.dtls(index, kind).map(RemoteKeying::Dtls),
        Keying::Sdes => Some(RemoteKeying::Sdes(sdes(
            description,
            kind,
            index,
            &settled.keys,
        )?)),
        Keying::Plain => Some(RemoteKeying::Plain),
    };
    let path = path(description, terms, index, settled.keying);
    let (keying, path) = keying
        .zip(path)
        .ok_or(Refusal::Incompatible(Incompatible::NoIce))?;
    let transport = RemoteParameters {
        description: kind,
        keying,
        path,
    };
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
