//! What the far ends of a phone's sessions show, for the sessions that show it to theirs.

use std::collections::{BTreeMap, VecDeque};

use crate::door::id::SessionId;
use crate::door::video::{VideoCodec, VideoInput};

/// A stream of a session's far end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SeenStream {
    session: SessionId,
    stream: String,
}

/// Where a stream comes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SeenOn {
    pub(crate) line: u32,
    /// Unknown before its first frame.
    pub(crate) codec: Option<VideoCodec>,
}

/// The streams that there are now.
#[derive(Debug, Default)]
pub(crate) struct SeenStreams {
    all: BTreeMap<SeenStream, SeenOn>,
    /// Those that ended, or go on in another codec, and of which nobody was told.
    changed: VecDeque<SeenStream>,
}

impl SeenStream {
    /// What an input shows, if that is a stream.
    pub(crate) fn of(input: &VideoInput) -> Option<SeenStream> {
        match input {
            VideoInput::Stream { session, stream } => Some(SeenStream {
                session: *session,
                stream: stream.clone(),
            }),
            VideoInput::Source { .. }
            | VideoInput::Y4m { .. }
            | VideoInput::Ivf { .. }
            | VideoInput::None => None,
        }
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session
    }
}

impl SeenStreams {
    pub(crate) fn get(&self, stream: &SeenStream) -> Option<SeenOn> {
        self.all.get(stream).copied()
    }

    /// A session's far end shows this from now on, or in another codec.
    pub(crate) fn put(&mut self, session: SessionId, stream: &str, on: SeenOn) {
        let stream = SeenStream {
            session,
            stream: stream.to_owned(),
        };
        if self.all.insert(stream.clone(), on).is_some() {
            self.changed.push_back(stream);
        }
    }

    /// It shows this no more.
    pub(crate) fn remove(&mut self, session: SessionId, stream: String) {
        let stream = SeenStream { session, stream };
        self.all.remove(&stream);
        self.changed.push_back(stream);
    }

    /// One of which somebody who shows it has to be told.
    pub(crate) fn next_change(&mut self) -> Option<SeenStream> {
        self.changed.pop_front()
    }

    /// In which codecs the pictures of an input can come, any if empty; nothing if none are sent.
    pub(crate) fn codecs(&self, input: &VideoInput) -> Option<Vec<VideoCodec>> {
        match input {
            VideoInput::Source { codecs, .. } => Some(codecs.clone()),
            VideoInput::Y4m { .. } => Some(vec![VideoCodec::Vp8]),
            VideoInput::Ivf { codec, .. } => Some(vec![*codec]),
            VideoInput::Stream { .. } => {
                let on = SeenStream::of(input).and_then(|stream| self.get(&stream));
                Some(on.and_then(|on| on.codec).into_iter().collect())
            }
            VideoInput::None => None,
        }
    }
}
