//! The media sections, which every later description keeps in order.

use super::super::{Description, Media, MediaKind};

/// The media sections that both sides have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    pub(super) audio: usize,
    pub(super) bundled: bool,
}

/// The unchanging part of one media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: MediaKind,
    pub(super) protocol: String,
    pub(super) format: String,
    pub(super) mid: Option<String>,
}

impl Layout {
    /// The sections of a first offer of ours.
    pub(super) fn ours() -> Self {
        Self {
            slots: vec![Slot {
                kind: MediaKind::Audio,
                protocol: "UDP/TLS/RTP/SAVPF".into(),
                format: "0".into(),
                mid: Some("0".into()),
            }],
            audio: 0,
            bundled: true,
        }
    }

    /// The sections of the peer's `offer`, of which we speak `audio`.
    pub(super) fn of(offer: &Description, audio: usize) -> Self {
        let slots: Vec<Slot> = offer.media.iter().map(Slot::of).collect();
        let mid = slots.get(audio).and_then(|s| s.mid.as_deref());
        Self {
            bundled: mid.is_some_and(|mid| in_bundle(offer, mid)),
            slots,
            audio,
        }
    }
}

impl Slot {
    fn of(media: &Media) -> Self {
        Self {
            kind: media.kind.clone(),
            protocol: media.protocol.clone(),
            format: media.formats.first().cloned().unwrap_or_else(|| "0".into()),
            mid: media.value("mid").map(str::to_owned),
        }
    }
}

fn in_bundle(offer: &Description, mid: &str) -> bool {
    offer
        .attributes
        .iter()
        .filter(|a| a.name.eq_ignore_ascii_case("group"))
        .filter_map(|a| a.value.as_deref())
        .any(|group| {
            let mut words = group.split_ascii_whitespace();
            words.next() == Some("BUNDLE") && words.any(|m| m == mid)
        })
}
