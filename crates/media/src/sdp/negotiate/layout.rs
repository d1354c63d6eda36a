//! The media sections, which every later description keeps in order.

use super::super::{Description, Media, MediaKind};

/// The media sections that both sides have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    pub(super) bundled: bool,
}

/// The unchanging part of one media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: MediaKind,
    pub(super) protocol: String,
    pub(super) format: String,
    pub(super) mid: Option<String>,
    pub(super) line: Line,
}

/// What a media section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing: it is refused.
    Refused,
    /// The call's sound.
    Audio,
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
                line: Line::Audio,
            }],
            bundled: true,
        }
    }

    /// The sections of the peer's `offer`, of which we speak `audio`.
    pub(super) fn of(offer: &Description, audio: usize) -> Self {
        let mut slots: Vec<Slot> = offer.media.iter().map(Slot::of).collect();
        if let Some(slot) = slots.get_mut(audio) {
            slot.line = Line::Audio;
        }
        let mid = slots.get(audio).and_then(|s| s.mid.as_deref());
        Self {
            bundled: mid.is_some_and(|mid| in_bundle(offer, mid)),
            slots,
        }
    }

    /// Where the call's sound stands.
    pub(super) fn audio(&self) -> usize {
        let place = self.slots.iter().position(|slot| slot.line == Line::Audio);
        place.unwrap_or(0)
    }

    /// The sections that share one transport (RFC 9143).
    pub(super) fn bundle(&self) -> Option<String> {
        let mids = self.slots.iter().filter(|slot| slot.line != Line::Refused);
        let mids: Vec<&str> = mids.filter_map(|slot| slot.mid.as_deref()).collect();
        (self.bundled && !mids.is_empty()).then(|| format!("BUNDLE {}", mids.join(" ")))
    }
}

impl Slot {
    fn of(media: &Media) -> Self {
        Self {
            kind: media.kind.clone(),
            protocol: media.protocol.clone(),
            format: media.formats.first().cloned().unwrap_or_else(|| "0".into()),
            mid: media.value("mid").map(str::to_owned),
            line: Line::Refused,
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
