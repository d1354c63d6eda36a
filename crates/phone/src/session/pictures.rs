//! What the far end is to see of this machine, and what both sides have agreed to.

use std::time::{Duration, Instant};

use super::Session;
use super::streams::Streams;
use crate::agent::{SeenStream, SeenStreams};
use crate::door::error::SipStatus;
use crate::door::id::Ticket;
use crate::door::video::{VideoContent, VideoInput, VideoWish};

/// How long somebody waits for a change of video, whatever keeps it from coming about: as for a hold.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const CONTENTS: [VideoContent; 2] = [VideoContent::Camera, VideoContent::Screen];

/// What the far end is to see of this machine, and what it shows.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    camera: Slot,
    screen: Slot,
    /// The far end sees nothing of the camera.
    pub(super) muted: bool,
    /// What media was told to wish.
    wished: Vec<VideoWish>,
    /// Counts what was wished, so that an offer is known to say something old.
    version: Version,
    pub(super) streams: Streams,
}

/// Which wishes a description says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32);

/// What is wanted of one content.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Nothing is neither offered nor taken.
    pub(super) input: Option<VideoInput>,
    /// A change of it that somebody waits for.
    pub(super) change: Option<VideoChange>,
    /// Media was told to send nothing of it.
    pub(super) hidden: bool,
}

/// A change of what the far end is to see.
#[derive(Debug)]
pub(super) struct VideoChange {
    pub(super) tickets: Vec<Ticket>,
    /// What comes back if it does not come about.
    pub(super) before: Option<VideoInput>,
    /// The wishes that the peer is to agree to, if it has to.
    pub(super) asks: Option<Version>,
    /// What was chosen is not open yet.
    pub(super) opening: bool,
    pub(super) until: Instant,
    /// How the peer has put it off last.
    pub(super) put_off: Option<SipStatus>,
}

/// What the application chose for the two contents, as far as it did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) camera: Option<VideoInput>,
    pub(crate) screen: Option<VideoInput>,
}

impl Shown {
    pub(super) fn of(&self, content: VideoContent) -> Option<&VideoInput> {
        match content {
            VideoContent::Camera => self.camera.as_ref(),
            VideoContent::Screen => self.screen.as_ref(),
        }
    }

    /// This, and for what it leaves open another.
    pub(super) fn or(self, other: Shown) -> Shown {
        Shown {
            camera: self.camera.or(other.camera),
            screen: self.screen.or(other.screen),
        }
    }
}

/// What the peer has to agree to for this.
fn wish(
    content: VideoContent,
    input: Option<&VideoInput>,
    seen: &SeenStreams,
) -> Option<VideoWish> {
    let codecs = seen.codecs(input?);
    Some(VideoWish {
        content,
        sends: codecs.is_some(),
        codecs: codecs.unwrap_or_default(),
    })
}

impl Slot {
    pub(super) fn sends(&self) -> bool {
        self.input.as_ref().is_some_and(VideoInput::sends)
    }

    /// The stream of another session that it shows.
    pub(super) fn stream(&self) -> Option<SeenStream> {
        self.input.as_ref().and_then(SeenStream::of)
    }

    /// Takes the change if nothing of it is missing any more.
    pub(super) fn take_settled(&mut self) -> Option<VideoChange> {
        self.change
            .take_if(|change| change.asks.is_none() && !change.opening)
    }
}

impl Pictures {
    pub(super) fn new(shown: Shown) -> Self {
        let mut pictures = Self::default();
        pictures.choose(shown);
        pictures
    }

    /// Takes these as what is wanted, before anything is told of them.
    pub(super) fn choose(&mut self, shown: Shown) {
        self.camera.input = shown.camera;
        self.screen.input = shown.screen;
    }

    pub(super) fn shown(&self) -> Shown {
        Shown {
            camera: self.camera.input.clone(),
            screen: self.screen.input.clone(),
        }
    }

    pub(super) fn slot(&mut self, content: VideoContent) -> &mut Slot {
        match content {
            VideoContent::Camera => &mut self.camera,
            VideoContent::Screen => &mut self.screen,
        }
    }

    fn slots(&self) -> [(VideoContent, &Slot); 2] {
        [
            (VideoContent::Camera, &self.camera),
            (VideoContent::Screen, &self.screen),
        ]
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Something else is wanted from now on.
    pub(super) fn renew(&mut self) -> Version {
        self.version = Version(self.version.0.wrapping_add(1));
        self.version
    }

    /// What is to be wished now; it counts as told.
    pub(super) fn wishes(&mut self, seen: &SeenStreams) -> Vec<VideoWish> {
        let slots = self.slots().into_iter();
        self.wished = slots
            .filter_map(|(content, slot)| wish(content, slot.input.as_ref(), seen))
            .collect();
        self.wished.clone()
    }

    /// Whether the peer has to agree to this in place of what was wished last.
    pub(super) fn differs(
        &self,
        content: VideoContent,
        input: Option<&VideoInput>,
        seen: &SeenStreams,
    ) -> bool {
        let mut wished = self.wished.iter();
        let wished = wished.find(|wished| wished.content == content);
        wished != wish(content, input, seen).as_ref()
    }

    /// Whether this is shown.
    pub(super) fn show(&self, stream: &SeenStream) -> bool {
        let slots = self.slots().into_iter();
        slots
            .into_iter()
            .any(|(_, slot)| slot.stream().as_ref() == Some(stream))
    }

    /// Whether the peer is still to be told of a change.
    pub(super) fn is_owed(&self) -> bool {
        self.changes().any(|change| change.asks.is_some())
    }

    /// Whether an offer of these wishes tells the peer of a change that somebody waits for.
    pub(super) fn is_told_by(&self, offered: Option<Version>) -> bool {
        self.changes().any(|change| change.is_told_by(offered))
    }

    fn changes(&self) -> impl Iterator<Item = &VideoChange> {
        let slots = self.slots().into_iter();
        slots.filter_map(|(_, slot)| slot.change.as_ref())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.changes().map(|change| change.until).min()
    }

    /// The commands that wait for anything.
    pub(super) fn take_tickets(&mut self) -> Vec<Ticket> {
        let mut tickets = self.streams.take_tickets();
        for content in CONTENTS {
            let change = self.slot(content).change.take();
            tickets.extend(change.into_iter().flat_map(|change| change.tickets));
        }
        tickets
    }
}

impl VideoChange {
    pub(super) fn is_told_by(&self, offered: Option<Version>) -> bool {
        self.asks
            .zip(offered)
            .is_some_and(|(asked, offered)| asked <= offered)
    }
}

impl Session {
    /// What it shows the far end, for a call that takes its place.
    pub(super) fn shown(&self) -> Shown {
        self.pictures.shown()
    }
}
