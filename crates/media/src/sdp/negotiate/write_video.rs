//! Our video sections.

use super::super::video::rtp_name;
use super::super::{Attribute, Media, VideoPayload, h264};
use super::layout::SectionSlot;
use super::terms::{Identity, LocalSource, LocalTransport};
use super::video::VideoSection;
use super::write::{Section, default_destination, transport_lines};
use crate::transport::Setup;

/// The video section in this `place` of the description.
pub(super) fn video(
    identity: &Identity,
    (place, slot): (usize, &SectionSlot),
    video: &VideoSection,
    section: &Section<'_>,
    transport: LocalTransport<'_>,
) -> Media {
    let mut lines = Vec::new();
    for payload in &video.payloads {
        format_lines(&mut lines, payload);
    }
    let direction = video.asked(!section.wish.receives());
    lines.push(Attribute::flag(direction.as_str()));
    lines.extend(slot.mid.as_ref().map(|mid| Attribute::new("mid", mid)));
    lines.push(Attribute::flag("rtcp-mux"));
    let extensions = video.extensions.named();
    lines.extend(extensions.map(|(id, name)| Attribute::new("extmap", format!("{id} {name}"))));
    lines.push(Attribute::new("content", video.content.name()));
    let (ours, apart) = transport.of(place);
    // Each transport has agreed on its roles by itself; an offer leaves them open.
    let setup = if apart && section.setup != Setup::ActPass {
        ours.setup
    } else {
        section.setup
    };
    transport_lines(&mut lines, ours, transport.end_of_candidates, setup);
    if video.named {
        let source = identity.video(place, video.content);
        source_lines(&mut lines, &source, &identity.cname);
    }
    let (address, port) = default_destination(&ours.candidates);
    Media {
        kind: slot.kind.clone(),
        port,
        protocol: slot.protocol.clone(),
        formats: (video.payloads.iter())
            .flat_map(|p| [Some(p.payload_type), p.rtx])
            .flatten()
            .map(|number| number.value().to_string())
            .collect(),
        connection: Some(address),
        attributes: lines,
    }
}

fn format_lines(lines: &mut Vec<Attribute>, payload: &VideoPayload) {
    let number = payload.payload_type.value();
    let name = rtp_name(payload.codec);
    lines.push(Attribute::new("rtpmap", format!("{number} {name}/90000")));
    let feedback = payload.feedback.lines();
    lines.extend(feedback.map(|said| Attribute::new("rtcp-fb", format!("{number} {said}"))));
    let parameters = payload.level.map(h264::parameters);
    lines.extend(parameters.map(|p| Attribute::new("fmtp", format!("{number} {p}"))));
    if let Some(rtx) = payload.rtx {
        let rtx = rtx.value();
        lines.push(Attribute::new("rtpmap", format!("{rtx} rtx/90000")));
        lines.push(Attribute::new("fmtp", format!("{rtx} apt={number}")));
    }
}

fn source_lines(lines: &mut Vec<Attribute>, source: &LocalSource, cname: &str) {
    let LocalSource {
        ssrc,
        rtx,
        stream_id,
        track_id,
    } = source;
    lines.extend(rtx.map(|rtx| Attribute::new("ssrc-group", format!("FID {ssrc} {rtx}"))));
    for ssrc in [Some(*ssrc), *rtx].into_iter().flatten() {
        lines.push(Attribute::new("ssrc", format!("{ssrc} cname:{cname}")));
    }
    lines.push(Attribute::new("msid", format!("{stream_id} {track_id}")));
}
