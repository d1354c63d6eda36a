//! The media sections, which every later description keeps in order.

use super::super::parse::limit;
use super::super::{Description, HeaderExtensions, Media, MediaKind};
use super::video::{
    AgreedVideo, Content, MOST_VIDEO, Numbers, Standing, VideoSection, Wishes, content_of, standing,
};
use crate::transport::{self, Keying, RemoteParameters};

/// The media sections that both sides have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) slots: Vec<SectionSlot>,
    pub(super) bundled: bool,
    /// How media are protected.
    pub(super) keying: Keying,
    /// Whether the peer is reached by ICE.
    pub(super) ice: bool,
}

/// The unchanging part of one media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionSlot {
    pub(super) kind: MediaKind,
    pub(super) protocol: String,
    pub(super) format: String,
    pub(super) mid: Option<String>,
    pub(super) line: Line,
}

/// What a media section is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing: it is refused, or was stopped.
    Refused,
    /// The call's sound.
    Audio,
    /// Pictures.
    Video(VideoSection),
}

impl Layout {
    /// The sections of a first offer of ours.
    pub(super) fn ours(keying: Keying) -> Self {
        // Who takes no DTLS knows no BUNDLE and little of feedback.
        let (protocol, bundled) = match keying {
            Keying::Dtls => ("UDP/TLS/RTP/SAVPF", true),
            Keying::Sdes => ("RTP/SAVP", false),
            Keying::Plain => ("RTP/AVP", false),
        };
        Self {
            slots: vec![SectionSlot {
                kind: MediaKind::Audio,
                protocol: protocol.into(),
                format: "0".into(),
                mid: bundled.then(|| "0".into()),
                line: Line::Audio,
            }],
            bundled,
            keying,
            ice: true,
        }
    }

    /// The sections of the peer's `offer`, of which we speak `audio` and what of its video is among `wishes`, at most
    /// `most_apart` of it outside of BUNDLE; `before` are those of the last description.
    pub(super) fn of(
        offer: &Description,
        (audio, transport): (usize, &RemoteParameters),
        before: Option<&Self>,
        wishes: &Wishes,
        most_apart: usize,
    ) -> Self {
        let mut slots: Vec<SectionSlot> = offer.media.iter().map(SectionSlot::of).collect();
        if let Some(slot) = slots.get_mut(audio) {
            slot.line = Line::Audio;
        }
        let mid = slots.get(audio).and_then(|s| s.mid.as_deref());
        let mut layout = Self {
            bundled: mid.is_some_and(|mid| in_bundle(offer, mid, mid)),
            slots,
            keying: transport.keying.kind(),
            ice: transport.ufrag().is_some(),
        };
        let standings = layout.standings(offer, transport::Description::Offer, audio, most_apart);
        layout.take_video(offer, before, wishes, &standings);
        layout
    }

    /// Pictures are sent by DTLS-SRTP and ICE alone.
    fn has_room_for_video(&self) -> bool {
        self.keying == Keying::Dtls && self.ice
    }

    /// Where each section of the peer's description that shows pictures stands, if it is not refused.
    pub(super) fn standings(
        &self,
        description: &Description,
        kind: transport::Description,
        audio: usize,
        most_apart: usize,
    ) -> Vec<Option<Standing>> {
        let sound = (audio, self.mid(audio));
        let mut apart: Vec<String> = Vec::new();
        let mut has_its_own = |standing: &Standing| match standing {
            Standing::Bundled => true,
            // A transport of pictures carries one line: a second group of BUNDLE is none that we know.
            Standing::Apart(own) => {
                let ufrag = own.ufrag().unwrap_or_default().to_owned();
                let known = apart.contains(&ufrag);
                apart.push(ufrag);
                !known && apart.len() <= most_apart
            }
        };
        if !self.has_room_for_video() {
            return vec![None; self.slots.len()];
        }
        (0..self.slots.len())
            .map(|index| standing(description, kind, sound, (index, self.mid(index))))
            .map(|standing| standing.filter(&mut has_its_own))
            .collect()
    }

    fn take_video(
        &mut self,
        offer: &Description,
        before: Option<&Self>,
        wishes: &Wishes,
        standings: &[Option<Standing>],
    ) {
        let mut shown: Vec<(usize, Content)> = Vec::new();
        let mut fresh = Vec::new();
        for (index, standing) in standings.iter().enumerate() {
            if standing.is_some() {
                match before.and_then(|before| before.slots.get(index)?.content()) {
                    Some(content) => shown.push((index, content)),
                    None => fresh.push(index),
                }
            }
        }
        for index in fresh.into_iter().take(MOST_VIDEO) {
            let rests = |(line, content): &(usize, Content)| {
                offer.direction(index).sends()
                    && !offer.direction(*line).sends()
                    && !wishes.sends(*content)
            };
            let taken = shown.iter().filter(|known| !rests(known));
            let taken: Vec<Content> = taken.map(|(_, content)| *content).collect();
            let content = content_of(offer, index, &taken);
            // A browser that shows a screen anew does so on another line than before, which nobody needs then.
            shown.retain(|(_, known)| *known != content);
            shown.push((index, content));
        }
        for (index, content) in shown.into_iter().take(MOST_VIDEO) {
            let apart = matches!(standings.get(index), Some(Some(Standing::Apart(_))));
            let section = VideoSection::of(offer, index, (content, apart), wishes);
            if let (Some(mut section), Some(slot)) = (section, self.slots.get_mut(index)) {
                section.named |= before.is_some_and(|before| before.has_named(index, slot));
                slot.line = Line::Video(section);
            }
        }
    }

    /// Whether what we send on section `index` was named before, while it had the mid that it has in `slot`.
    fn has_named(&self, index: usize, slot: &SectionSlot) -> bool {
        let same = self.slots.get(index).filter(|known| known.mid == slot.mid);
        same.is_some_and(|known| matches!(&known.line, Line::Video(section) if section.named))
    }

    /// The sections of our next offer.
    pub(super) fn planned(
        &self,
        wishes: &Wishes,
        numbers: &Numbers,
        extensions: HeaderExtensions,
    ) -> Self {
        let mut plan = self.clone();
        for slot in &mut plan.slots {
            if let Line::Video(section) = &slot.line {
                let wish = wishes.of(section.content, section.peer_sends);
                slot.line = wish.map_or(Line::Refused, |wish| {
                    Line::Video(section.continued(wish, numbers))
                });
            }
        }
        let there: Vec<Content> = plan.slots.iter().filter_map(SectionSlot::content).collect();
        let extensions = Some(extensions).filter(|_| plan.bundled);
        for wish in wishes.open(&there).filter(|_| self.has_room_for_video()) {
            plan.add(VideoSection::ours(
                wish,
                extensions.unwrap_or_default(),
                numbers,
            ));
        }
        plan
    }

    /// RFC 3264 §8.1: a line takes the place of one that was stopped, or stands behind all others.
    fn add(&mut self, section: VideoSection) {
        let live = self.slots.iter().filter_map(SectionSlot::content).count();
        if live >= MOST_VIDEO || self.slots.len() >= limit::MEDIA {
            return;
        }
        // RFC 8829 §5.2.2: with another mid.
        let used = |mid: &String| self.slots.iter().any(|s| s.mid.as_ref() == Some(mid));
        let mut mids = (1..).map(|number: usize| number.to_string());
        let slot = SectionSlot {
            kind: MediaKind::Video,
            protocol: "UDP/TLS/RTP/SAVPF".into(),
            format: "0".into(),
            mid: mids.find(|mid| !used(mid)),
            line: Line::Video(section),
        };
        let mut slots = self.slots.iter_mut();
        match slots.find(|s| s.line == Line::Refused && s.kind == MediaKind::Video) {
            Some(stopped) => *stopped = slot,
            None => self.slots.push(slot),
        }
    }

    /// Refuses the lines that are not among `agreed`; returns what they would have shown.
    pub(super) fn keep_video(&mut self, agreed: &[AgreedVideo]) -> Vec<Content> {
        let mut refused = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Line::Video(section) = &mut slot.line else {
                continue;
            };
            match agreed.iter().find(|a| a.line.0 as usize == index) {
                Some(agreed) => {
                    section.peer_sends = agreed.remote_direction.sends();
                    section.apart = agreed.apart.is_some();
                }
                None => {
                    refused.push(section.content);
                    slot.line = Line::Refused;
                }
            }
        }
        refused
    }

    /// What is shown no more with `after`.
    pub(super) fn stopped(&self, after: &Self) -> Vec<Content> {
        let live = |content: &Content| after.slots.iter().any(|s| s.content() == Some(*content));
        let before = self.slots.iter().filter_map(SectionSlot::content);
        before.filter(|content| !live(content)).collect()
    }

    /// The mid of section `index`.
    pub(super) fn mid(&self, index: usize) -> Option<&str> {
        self.slots.get(index)?.mid.as_deref()
    }

    /// Where the call's sound stands.
    pub(super) fn audio(&self) -> usize {
        let place = self.slots.iter().position(|slot| slot.line == Line::Audio);
        place.unwrap_or(0)
    }

    /// The sections that share one transport (RFC 9143).
    pub(super) fn bundle(&self) -> Option<String> {
        let mids = self.slots.iter().filter(|slot| slot.line.is_bundled());
        let mids: Vec<&str> = mids.filter_map(|slot| slot.mid.as_deref()).collect();
        (self.bundled && !mids.is_empty()).then(|| format!("BUNDLE {}", mids.join(" ")))
    }
}

impl Line {
    /// Whether it goes over the transport of the sound.
    fn is_bundled(&self) -> bool {
        match self {
            Self::Refused => false,
            Self::Audio => true,
            Self::Video(section) => !section.apart,
        }
    }
}

impl SectionSlot {
    /// What it shows, if it shows pictures.
    pub(super) fn content(&self) -> Option<Content> {
        match &self.line {
            Line::Video(section) => Some(section.content),
            Line::Refused | Line::Audio => None,
        }
    }

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

/// Whether these two sections are in one BUNDLE.
pub(super) fn in_bundle(description: &Description, mid: &str, other: &str) -> bool {
    description
        .attributes
        .iter()
        .filter(|a| a.name.eq_ignore_ascii_case("group"))
        .filter_map(|a| a.value.as_deref())
        .any(|group| {
            let mut words = group.split_ascii_whitespace();
            let is_bundle = words.next() == Some("BUNDLE");
            let mids: Vec<&str> = words.collect();
            is_bundle && mids.contains(&mid) && mids.contains(&other)
        })
}
