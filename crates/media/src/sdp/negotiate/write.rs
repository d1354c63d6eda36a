//! Our own descriptions, built from typed values.

use super::super::{
    Attribute, CryptoLine, Description, Direction, Encoding, Media, Origin, Payload,
    write_candidate,
};
use super::layout::{Layout, Line, SectionSlot};
use super::terms::{Identity, LocalTransport, Terms};
use super::write_video::video;
use crate::codec::Codec;
use crate::transport::{self, Candidate, CandidateKind, Keying, LocalParameters, Protocol, Setup};
use std::net::IpAddr;

/// The changing part of our sections.
pub(super) struct Section<'a> {
    pub(super) payloads: &'a [Payload],
    pub(super) direction: Direction,
    /// What we want of the call: who holds it, shows nothing either.
    pub(super) wish: Direction,
    pub(super) setup: Setup,
    pub(super) rtcp_mux: bool,
    /// Our keys, if they stand in the description.
    pub(super) crypto: &'a [CryptoLine],
    /// Where the peer is, if that is known and it has no ICE.
    pub(super) towards: Option<IpAddr>,
}

/// RFC 8842 §5.2: an offer leaves the choice to the answerer, also when DTLS has its roles already.
pub(super) fn offered_setup() -> Setup {
    Setup::ActPass
}

/// RFC 8842 §5.3: the answerer is the client unless told otherwise; `established` roles stay.
pub(super) fn answered_setup(offered: Setup, established: Setup) -> Setup {
    match (offered, established) {
        (Setup::Active, _) | (Setup::ActPass, Setup::Passive) => Setup::Passive,
        (Setup::Passive, _) | (Setup::ActPass, Setup::ActPass | Setup::Active) => Setup::Active,
    }
}

pub(super) fn description(
    identity: &Identity,
    terms: &Terms,
    layout: &Layout,
    section: &Section<'_>,
    transport: LocalTransport<'_>,
) -> Description {
    let media = (layout.slots.iter().enumerate()).map(|(place, slot)| match &slot.line {
        Line::Audio => audio(identity, terms, (layout, slot), section, transport),
        Line::Video(line) => video(identity, (place, slot), line, section, transport),
        Line::Refused => refused(slot),
    });
    Description {
        origin: Origin {
            session_id: identity.session_id.to_string(),
            ..Origin::default()
        },
        connection: None,
        attributes: layout
            .bundle()
            .map(|group| Attribute::new("group", group))
            .into_iter()
            .collect(),
        media: media.collect(),
    }
}

/// RFC 3264 §6: a refused section keeps its place, kind, transport and a format, with port 0.
fn refused(slot: &SectionSlot) -> Media {
    let mut attributes = vec![Attribute::flag("inactive")];
    attributes.extend(slot.mid.as_ref().map(|mid| Attribute::new("mid", mid)));
    Media {
        kind: slot.kind.clone(),
        port: 0,
        protocol: slot.protocol.clone(),
        formats: vec![slot.format.clone()],
        connection: Some("0.0.0.0".into()),
        attributes,
    }
}

fn audio(
    identity: &Identity,
    terms: &Terms,
    (layout, slot): (&Layout, &SectionSlot),
    section: &Section<'_>,
    transport: LocalTransport<'_>,
) -> Media {
    let mut lines = Vec::new();
    for payload in section.payloads {
        format_lines(&mut lines, terms, section.payloads, payload);
    }
    lines.push(Attribute::new("ptime", terms.ptime.to_string()));
    lines.push(Attribute::new("maxptime", "60"));
    lines.push(Attribute::flag(section.direction.as_str()));
    lines.extend(slot.mid.as_ref().map(|mid| Attribute::new("mid", mid)));
    if section.rtcp_mux {
        lines.push(Attribute::flag("rtcp-mux"));
    }
    let ours = transport.parameters;
    let end_of_candidates = transport.end_of_candidates;
    let (address, port) = match layout.keying {
        Keying::Dtls if layout.ice => {
            transport_lines(&mut lines, ours, end_of_candidates, section.setup);
            default_destination(&ours.candidates)
        }
        Keying::Dtls | Keying::Sdes | Keying::Plain => {
            other_transport_lines(&mut lines, ours, layout, section, end_of_candidates)
        }
    };
    if layout.keying == Keying::Dtls {
        source_lines(&mut lines, identity);
    }
    Media {
        kind: slot.kind.clone(),
        port,
        protocol: slot.protocol.clone(),
        formats: section
            .payloads
            .iter()
            .map(|p| p.payload_type.value().to_string())
            .collect(),
        connection: Some(address),
        attributes: lines,
    }
}

fn source_lines(lines: &mut Vec<Attribute>, identity: &Identity) {
    lines.push(Attribute::new(
        "ssrc",
        format!("{} cname:{}", identity.audio.ssrc, identity.cname),
    ));
    lines.push(Attribute::new(
        "msid",
        format!("{} {}", identity.audio.stream_id, identity.audio.track_id),
    ));
}

/// What stands in a section of other peers than browsers: ICE beside an address, or that alone, and the keys.
fn other_transport_lines(
    lines: &mut Vec<Attribute>,
    ours: &LocalParameters,
    layout: &Layout,
    section: &Section<'_>,
    end_of_candidates: bool,
) -> (String, u16) {
    if layout.ice {
        ice_credentials(lines, ours);
    }
    match layout.keying {
        Keying::Dtls => dtls_lines(lines, ours, section.setup),
        Keying::Sdes => {
            let crypto = section.crypto.iter().map(CryptoLine::value);
            lines.extend(crypto.map(|line| Attribute::new("crypto", line)));
        }
        Keying::Plain => {}
    }
    if layout.ice {
        candidate_lines(lines, ours, end_of_candidates);
    }
    let ours = transport::default_candidate(&ours.candidates, section.towards);
    let (address, port) = ours.map_or(("0.0.0.0".into(), 9), |ours| {
        (ours.address.ip().to_string(), ours.address.port())
    });
    // RFC 3605: here as well, whoever sends them.
    lines.push(Attribute::new("rtcp", port.to_string()));
    (address, port)
}

fn format_lines(
    lines: &mut Vec<Attribute>,
    terms: &Terms,
    payloads: &[Payload],
    payload: &Payload,
) {
    let number = payload.payload_type.value();
    let name = payload.encoding.name();
    let rate = payload.clock_rate;
    let parameters = match payload.encoding {
        Encoding::Audio(Codec::Opus) => Some(opus_parameters(terms)),
        Encoding::TelephoneEvent => Some("0-15".to_owned()),
        Encoding::Redundancy => redundancy_parameters(payloads),
        Encoding::Audio(Codec::G722 | Codec::Pcmu | Codec::Pcma) | Encoding::ComfortNoise => None,
    };
    // RFC 7587 §7: always two channels in the rtpmap, whatever is sent.
    let channels = match payload.encoding.channels() {
        1 => "",
        _two => "/2",
    };
    lines.push(Attribute::new(
        "rtpmap",
        format!("{number} {name}/{rate}{channels}"),
    ));
    lines.extend(parameters.map(|p| Attribute::new("fmtp", format!("{number} {p}"))));
}

/// RFC 2198 §5: what packets are, and what their copies are.
fn redundancy_parameters(payloads: &[Payload]) -> Option<String> {
    let opus = payloads
        .iter()
        .find(|p| p.encoding == Encoding::Audio(Codec::Opus))?;
    let number = opus.payload_type.value();
    Some(format!("{number}/{number}"))
}

fn opus_parameters(terms: &Terms) -> String {
    let mut text = String::from("minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0");
    if terms.dtx {
        text.push_str(";usedtx=1");
    }
    if let Some(bitrate) = terms.opus_max_average_bitrate {
        text.push_str(&format!(";maxaveragebitrate={bitrate}"));
    }
    text
}

pub(super) fn transport_lines(
    lines: &mut Vec<Attribute>,
    ours: &LocalParameters,
    end_of_candidates: bool,
    setup: Setup,
) {
    ice_credentials(lines, ours);
    dtls_lines(lines, ours, setup);
    candidate_lines(lines, ours, end_of_candidates);
}

fn ice_credentials(lines: &mut Vec<Attribute>, ours: &LocalParameters) {
    lines.push(Attribute::new("ice-ufrag", &ours.ufrag));
    lines.push(Attribute::new("ice-pwd", ours.pwd.expose()));
}

fn dtls_lines(lines: &mut Vec<Attribute>, ours: &LocalParameters, setup: Setup) {
    for fingerprint in &ours.fingerprints {
        lines.push(Attribute::new("fingerprint", fingerprint.to_string()));
    }
    let setup = match setup {
        Setup::Active => "active",
        Setup::Passive => "passive",
        Setup::ActPass => "actpass",
    };
    lines.push(Attribute::new("setup", setup));
}

fn candidate_lines(lines: &mut Vec<Attribute>, ours: &LocalParameters, end_of_candidates: bool) {
    for candidate in &ours.candidates {
        lines.push(Attribute::new("candidate", write_candidate(candidate)));
    }
    if end_of_candidates {
        lines.push(Attribute::flag("end-of-candidates"));
    }
}

/// RFC 8829 §4.1.10: the default destination is the candidate most likely to be reached.
pub(super) fn default_destination(candidates: &[Candidate]) -> (String, u16) {
    let likely = |c: &&Candidate| match c.kind {
        CandidateKind::Relayed => 2,
        CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => 1,
        CandidateKind::Host => 0,
    };
    candidates
        .iter()
        .filter(|candidate| candidate.protocol == Protocol::Udp)
        .rev()
        // Who looks at it speaks no ICE, and usually IPv4.
        .max_by_key(|candidate| (likely(candidate), candidate.address.is_ipv4()))
        .map_or(("0.0.0.0".into(), 9), |c| {
            (c.address.ip().to_string(), c.address.port())
        })
}
