//! What every later description must keep: the media sections in order, and what each payload type means.

use super::super::{Description, Encoding, Fmtp, Media, MediaKind, Payload, PayloadType};
use super::terms::Terms;

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

/// What each payload type has meant on our receiving side; a number never changes its meaning of our own accord
/// (RFC 3264 §8.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bindings(Vec<Payload>);

impl Bindings {
    /// Takes over what an offer or answer says.
    pub(super) fn learn(&mut self, payloads: &[Payload]) {
        for payload in payloads {
            self.0.retain(|p| p.payload_type != payload.payload_type);
            self.0.push(payload.clone());
        }
    }

    /// The payloads for an offer of `terms`, with numbers that have never meant anything else.
    pub(super) fn offer(&mut self, terms: &Terms) -> Vec<Payload> {
        let mut wanted: Vec<(Encoding, u32)> = Vec::new();
        for codec in &terms.codecs {
            wanted.push((Encoding::Audio(*codec), codec.clock_rate()));
        }
        if terms.telephone_event {
            // RFC 4733 §2.1: one telephone-event for each clock of the audio codecs.
            for clock in [48_000, 8_000] {
                if wanted.iter().any(|(_, rate)| *rate == clock) {
                    wanted.push((Encoding::TelephoneEvent, clock));
                }
            }
        }
        wanted
            .into_iter()
            .filter_map(|(encoding, rate)| self.bind(encoding, rate))
            .collect()
    }

    fn bind(&mut self, encoding: Encoding, clock_rate: u32) -> Option<Payload> {
        let known = self
            .0
            .iter()
            .rev()
            .find(|p| p.encoding == encoding && p.clock_rate == clock_rate);
        if let Some(payload) = known {
            return Some(payload.clone());
        }
        let payload_type = std::iter::once(favourite(encoding, clock_rate))
            .chain(96..=127)
            .map(PayloadType::of)
            .find(|number| self.0.iter().all(|p| p.payload_type != *number))?;
        let payload = Payload {
            payload_type,
            encoding,
            clock_rate,
            fmtp: Fmtp::default(),
        };
        self.0.push(payload.clone());
        Some(payload)
    }
}

/// The numbers that browsers and PBXs use, so that traces look familiar.
fn favourite(encoding: Encoding, clock_rate: u32) -> u8 {
    match encoding {
        Encoding::Audio(codec) => codec.static_payload_type().unwrap_or(111),
        Encoding::ComfortNoise => 13,
        Encoding::TelephoneEvent if clock_rate == 8_000 => 101,
        Encoding::TelephoneEvent => 110,
    }
}
