//! Video lines: what we wish for, what the peer offers, and what follows from both.

use super::super::video::{FeedbackTypes, VideoPayload};
use super::super::{
    Description, Direction, H264Level, HeaderExtensions, MediaKind, PayloadType, RemoteSource,
};
use super::layout::in_bundle;
use super::terms::LocalSource;
use crate::transport::{self, RemoteParameters};
use video::VideoCodec;

/// Video lines beyond these are refused in place.
pub const MOST_VIDEO: usize = 16;
/// Lines outside of BUNDLE beyond these are refused in place: each has checks, a handshake and keys of its own.
pub(super) const MOST_APART: usize = 4;

/// One of a session's video lines, for as long as the session lasts: the place of its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VideoLine(pub u32);

/// What a video line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// Who speaks (RFC 4796 `main`); where nothing is said, the first video line.
    Camera,
    /// What is on their screen (RFC 4796 `slides`); where nothing is said, the second video line.
    Screen,
    /// A further picture, such as a conference has, by number.
    Guest(u8),
}

impl Content {
    /// The value of `a=content`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Camera | Self::Guest(_) => "main",
            Self::Screen => "slides",
        }
    }
}

/// A video line that is wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoWish {
    /// What it shows. No two wishes have the same.
    pub content: Content,
    /// Who shall send.
    pub direction: Direction,
    /// The codecs that we can send and receive, best first.
    pub codecs: Vec<VideoCodec>,
}

/// What is settled about a video line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedVideo {
    /// Which line it is.
    pub line: VideoLine,
    /// What it shows.
    pub content: Content,
    /// Names its section on each of its packets; empty if it has no name.
    pub mid: String,
    /// The header extensions that the peer takes and sends.
    pub extensions: HeaderExtensions,
    /// Who sends, seen from us.
    pub direction: Direction,
    /// Who sends, seen from the peer: what it asked for.
    pub remote_direction: Direction,
    /// What the peer takes of what we can send, best first.
    pub send: Vec<VideoPayload>,
    /// What may arrive, with what the peer listens to.
    pub receive: Vec<VideoPayload>,
    /// Our stream.
    pub source: LocalSource,
    /// The peer's streams, if it names them.
    pub remote_sources: Vec<RemoteSource>,
    /// The ids of the peer's stream and track (RFC 8830), if it names them.
    pub msid: Option<(String, String)>,
    /// How the peer is reached for this line alone, if it stands outside of the BUNDLE of the sound.
    pub apart: Option<RemoteParameters>,
}

/// A video section that is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VideoSection {
    pub(super) content: Content,
    /// What we want of it.
    pub(super) direction: Direction,
    /// What we receive.
    pub(super) payloads: Vec<VideoPayload>,
    pub(super) extensions: HeaderExtensions,
    /// The peer sends on it, or is willing to.
    pub(super) peer_sends: bool,
    /// It stands outside of BUNDLE.
    pub(super) apart: bool,
    /// We have named what we send on it, or do now. Once named it is named as long as the line lives, also while we send
    /// nothing: Chromium shows nothing any more of a source that went and came again under its name.
    pub(super) named: bool,
}

/// Where a section of the peer's that is not refused stands.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// On the transport of the sound.
    Bundled,
    /// On one of its own.
    Apart(RemoteParameters),
}

impl Standing {
    fn apart(self) -> Option<RemoteParameters> {
        match self {
            Self::Bundled => None,
            Self::Apart(parameters) => Some(parameters),
        }
    }
}

/// What is wished for; the wishes are state, each description says what they are then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    wishes: Vec<VideoWish>,
    /// What the peer has refused, and is not offered again before it is wished for anew.
    declined: Vec<Content>,
}

impl Wishes {
    /// Takes the place of what was wished for.
    pub(super) fn set(&mut self, mut wishes: Vec<VideoWish>) {
        wishes.retain(|wish| !wish.codecs.is_empty());
        wishes.truncate(MOST_VIDEO);
        let same = |content: &Content| {
            let of = |wishes: &[VideoWish]| {
                let mut wishes = wishes.iter();
                wishes.find(|wish| wish.content == *content).cloned()
            };
            of(&wishes).is_some() && of(&wishes) == of(&self.wishes)
        };
        self.declined.retain(same);
        self.wishes = wishes;
    }

    pub(super) fn decline(&mut self, content: Content) {
        if !self.declined.contains(&content) {
            self.declined.push(content);
        }
    }

    /// What an offer asks for beside the lines that there are.
    pub(super) fn open(&self, there: &[Content]) -> impl Iterator<Item = &VideoWish> {
        self.wishes
            .iter()
            .filter(|wish| !self.declined.contains(&wish.content) && !there.contains(&wish.content))
    }

    /// Whether we show `content`, or would.
    pub(super) fn sends(&self, content: Content) -> bool {
        let mut wishes = self.wishes.iter();
        wishes.any(|wish| wish.content == content && wish.direction.sends())
    }

    /// What is wished of a line that shows `content`. Who takes the peer's camera takes what it shows beside that and its
    /// screen, such as others in a conference.
    pub(super) fn of(&self, content: Content, peer_sends: bool) -> Option<VideoWish> {
        let wished = |content| self.wishes.iter().find(|wish| wish.content == content);
        let camera = || match content {
            Content::Guest(_) if peer_sends => wished(Content::Camera),
            Content::Camera | Content::Screen | Content::Guest(_) => None,
        };
        let taken = |wish: &VideoWish| VideoWish {
            content,
            direction: Direction::RecvOnly,
            codecs: wish.codecs.clone(),
        };
        let receives = |wish: &&VideoWish| wish.direction.receives();
        let taken = || camera().filter(receives).map(taken);
        wished(content).cloned().or_else(taken)
    }
}

impl VideoSection {
    /// A line of ours that was not there before.
    pub(super) fn ours(wish: &VideoWish, extensions: HeaderExtensions, numbers: &Numbers) -> Self {
        Self {
            content: wish.content,
            direction: wish.direction,
            payloads: numbers.payloads(&wish.codecs),
            extensions,
            peer_sends: false,
            apart: false,
            named: wish.direction.sends(),
        }
    }

    /// The line as our next offer has it, if `wish` is what is wished of it.
    pub(super) fn continued(&self, wish: VideoWish, numbers: &Numbers) -> Self {
        let mut payloads = self.payloads.clone();
        payloads.retain(|payload| wish.codecs.contains(&payload.codec));
        if payloads.is_empty() {
            payloads = numbers.payloads(&wish.codecs);
        }
        Self {
            named: self.named || wish.direction.sends(),
            direction: wish.direction,
            payloads,
            ..self.clone()
        }
    }

    /// The line that section `index` of the peer's offer asks for, as far as `wish` goes.
    pub(super) fn of(
        offer: &Description,
        index: usize,
        (content, apart): (Content, bool),
        wishes: &Wishes,
    ) -> Option<Self> {
        let theirs = offer.direction(index);
        let peer_sends = theirs.sends();
        let wish = wishes.of(content, peer_sends)?;
        let payloads = preferred(offer.video_payloads(index), &wish.codecs);
        // RFC 3264 §6.1: no answer says more than was offered, and Chromium takes none that does.
        let direction = wish.direction.and(theirs.reversed());
        (!payloads.is_empty()).then_some(Self {
            content,
            direction,
            payloads,
            extensions: offer.header_extensions(index).within(!apart),
            peer_sends,
            apart,
            named: direction.sends(),
        })
    }

    /// What follows from section `index` of the peer's description, whose codecs are `send`.
    pub(super) fn agree(
        &self,
        description: &Description,
        index: usize,
        place: SectionPlace<'_>,
        send: Vec<VideoPayload>,
    ) -> AgreedVideo {
        let remote_direction = description.direction(index);
        let bundled = matches!(place.standing, Standing::Bundled);
        let msid = description.msid(index);
        let receive = self.payloads.iter().map(|ours| {
            let theirs = send.iter().find(|theirs| theirs.codec == ours.codec);
            let feedback = theirs.map_or(ours.feedback, |theirs| theirs.feedback);
            VideoPayload { feedback, ..*ours }
        });
        let receive = receive.collect();
        AgreedVideo {
            line: VideoLine(index as u32),
            content: self.content,
            mid: place.mid.to_owned(),
            extensions: (self.extensions.and(description.header_extensions(index))).within(bundled),
            direction: self.asked(place.holds).and(remote_direction.reversed()),
            remote_direction,
            send,
            receive,
            source: place.source,
            remote_sources: description.sources(index),
            msid: msid.map(|(stream, track)| (stream.to_owned(), track.to_owned())),
            apart: place.standing.apart(),
        }
    }

    /// What our description says of it: whoever is held is neither seen nor shown anything.
    pub(super) fn asked(&self, holds: bool) -> Direction {
        if holds {
            Direction::Inactive
        } else {
            self.direction
        }
    }
}

/// What is known of a line beside its section.
#[derive(Clone, Debug)]
pub(super) struct SectionPlace<'a> {
    pub(super) mid: &'a str,
    pub(super) holds: bool,
    pub(super) source: LocalSource,
    pub(super) standing: Standing,
}

/// Where section `index` stands if it shows pictures and is not refused. `sound` is the place and the name of the sound's.
pub(super) fn standing(
    description: &Description,
    kind: transport::Description,
    sound: (usize, Option<&str>),
    (index, mid): (usize, Option<&str>),
) -> Option<Standing> {
    let media = description.media.get(index)?;
    if media.kind != MediaKind::Video {
        return None;
    }
    let open = media.port != 0;
    let mids = sound.1.zip(mid);
    if mids.is_some_and(|(sound, mid)| in_bundle(description, sound, mid)) {
        return (open || media.has("bundle-only")).then_some(Standing::Bundled);
    }
    let own = description.transport(index, kind).filter(|_| open)?;
    // RTCP has no other way here. And what has the name of another's transport is taken for it.
    let of_sound = description.transport(sound.0, kind)?;
    let stands = description.has(index, "rtcp-mux") && own.ufrag() != of_sound.ufrag();
    stands.then_some(Standing::Apart(own))
}

/// Those of `offered` that we speak, in our order; of H.264 the profile that most know.
pub(super) fn preferred(offered: Vec<VideoPayload>, codecs: &[VideoCodec]) -> Vec<VideoPayload> {
    let profile = |payload: &VideoPayload| payload.level.and_then(H264Level::profile);
    let of = |codec: &VideoCodec| {
        let mut same = offered.iter().filter(|payload| payload.codec == *codec);
        let first = same.next()?;
        let better = |best, next| {
            if profile(next) < profile(best) {
                next
            } else {
                best
            }
        };
        Some(*same.fold(first, better))
    };
    codecs.iter().filter_map(of).collect()
}

/// What section `index` says it shows; `None` if it says nothing.
fn stated_content(description: &Description, index: usize) -> Option<bool> {
    let said = description.media.get(index)?.value("content")?;
    // RFC 4796 §5: the first of several that we know.
    said.split(',').map(str::trim).find_map(|word| {
        let slides = word.eq_ignore_ascii_case("slides");
        let faces = ["main", "speaker"];
        let face = faces.iter().any(|name| word.eq_ignore_ascii_case(name));
        (slides || face).then_some(slides)
    })
}

/// What a line of the peer's shows, when others show `taken`.
pub(super) fn content_of(description: &Description, index: usize, taken: &[Content]) -> Content {
    let free = |content: &Content| !taken.contains(content);
    let first: &[Content] = match stated_content(description, index) {
        Some(true) => &[Content::Screen],
        Some(false) => &[Content::Camera],
        None => &[Content::Camera, Content::Screen],
    };
    let guests = (0..=u8::MAX).map(Content::Guest);
    let mut choices = first.iter().copied().chain(guests);
    choices.find(free).unwrap_or(Content::Guest(u8::MAX))
}

/// The payload types that a new line of ours may have.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Those that stand for something else.
    pub(super) taken: Vec<PayloadType>,
    /// What our other lines of video have: they have the same.
    pub(super) known: Vec<VideoPayload>,
}

impl Numbers {
    fn payloads(&self, codecs: &[VideoCodec]) -> Vec<VideoPayload> {
        let named = |p: &VideoPayload| [Some(p.payload_type), p.rtx];
        let known: Vec<_> = self.known.iter().flat_map(named).flatten().collect();
        let mut free = (96..=127)
            .chain(35..=63)
            .map(PayloadType::of)
            .filter(|number| !self.taken.contains(number) && !known.contains(number));
        let mut payload = |codec: &VideoCodec| {
            let known = self.known.iter().find(|p| p.codec == *codec);
            known.copied().or_else(|| {
                Some(VideoPayload {
                    payload_type: free.next()?,
                    codec: *codec,
                    level: match codec {
                        VideoCodec::Vp8 => None,
                        VideoCodec::H264 => Some(H264Level::OURS),
                    },
                    rtx: Some(free.next()?),
                    feedback: FeedbackTypes::ALL,
                })
            })
        };
        codecs.iter().filter_map(&mut payload).collect()
    }
}
