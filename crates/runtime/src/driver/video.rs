//! The pictures of a phone's sessions: what is shown is opened, and where the others' go.

use std::collections::BTreeMap;
use std::sync::Arc;

use phone::video::{VideoCodec, VideoContent, VideoInput, VideoOutput};
use phone::{MediaEvent, SessionId, VideoCommand};
use tokio::task::JoinSet;

use super::Job;
use super::calls::Calls;
use super::opening::{Turn, once_free};
use crate::media_worker::{KeyFrameWish, News, Order, What, video_codec};
use crate::video::{self, VideoOpenError, VideoReader, VideoWriter, Wish};

/// What is opened for one session; each lives as long as what was opened last is wanted.
#[derive(Debug, Default)]
pub(super) struct Views {
    shown: BTreeMap<VideoContent, Arc<()>>,
    seen: BTreeMap<u32, Arc<()>>,
}

/// The outcome of opening.
#[derive(Debug)]
pub(crate) enum OpenedVideo {
    Shown(
        SessionId,
        VideoContent,
        Turn,
        Result<VideoReader, VideoOpenError>,
    ),
    Seen(
        SessionId,
        u32,
        Turn,
        Result<(VideoWriter, KeyFrameWish), VideoOpenError>,
    ),
}

impl OpenedVideo {
    fn turn(&self) -> &Turn {
        match self {
            OpenedVideo::Shown(_, _, turn, _) | OpenedVideo::Seen(_, _, turn, _) => turn,
        }
    }
}

impl Calls {
    pub(super) fn video(&mut self, id: SessionId, command: VideoCommand, jobs: &mut JoinSet<Job>) {
        match command {
            VideoCommand::SetVideo { content, input } => self.show(id, content, input, jobs),
            VideoCommand::ShowLine {
                content,
                session,
                line,
            } => self.show_line(id, content, session, line),
            VideoCommand::SetVideoOutput { line, output } => self.see(id, line, output, jobs),
        }
    }

    fn show(
        &mut self,
        id: SessionId,
        content: VideoContent,
        input: VideoInput,
        jobs: &mut JoinSet<Job>,
    ) {
        let Some(views) = self.views(id) else {
            return;
        };
        let turn = renewed(&mut views.shown, content);
        // What is replaced is let go first: the same source may be wanted again, and nobody is to see more of it.
        self.send(id, Order::Show(content, None));
        match input {
            // The phone says on which line a stream comes.
            VideoInput::None | VideoInput::Stream { .. } => self.tell_opening(
                id,
                turn,
                MediaEvent::DeviceOpened {
                    device: content.into(),
                },
            ),
            VideoInput::Source {
                id: source,
                codecs: _,
            } => {
                let open = move || VideoReader::open(source);
                match open() {
                    Err(VideoOpenError::SourceBusy(_)) => spawn(jobs, move || {
                        OpenedVideo::Shown(id, content, turn, once_free(open))
                    }),
                    outcome => {
                        self.tell_attached_video(OpenedVideo::Shown(id, content, turn, outcome));
                    }
                }
            }
            VideoInput::Y4m { path, repeat } => spawn(jobs, move || {
                let reader = VideoReader::y4m(&path, repeat);
                OpenedVideo::Shown(id, content, turn, reader)
            }),
            VideoInput::Ivf {
                path,
                repeat,
                codec,
            } => spawn(jobs, move || {
                let reader = VideoReader::ivf(&path, repeat);
                let reader = reader.and_then(|reader| of_codec(reader, codec, &path));
                OpenedVideo::Shown(id, content, turn, reader)
            }),
        }
    }

    /// Frames go from the one session's media thread to the other's, and wishes back.
    fn show_line(&mut self, id: SessionId, content: VideoContent, session: SessionId, line: u32) {
        let Some(views) = self.views(id) else {
            return;
        };
        let turn = renewed(&mut views.shown, content);
        self.send(id, Order::Show(content, None));
        let wish = KeyFrameWish::default();
        let wisher = wish.clone();
        let (viewer, reader) = video::link(Arc::new(move || wisher.wish()));
        self.send(session, Order::Forward(line, viewer, wish));
        self.tell_attached_video(OpenedVideo::Shown(id, content, turn, Ok(reader)));
    }

    fn see(&mut self, id: SessionId, line: u32, output: VideoOutput, jobs: &mut JoinSet<Job>) {
        let Some(views) = self.views(id) else {
            return;
        };
        let turn = renewed(&mut views.seen, line);
        self.send(id, Order::See(line, None));
        match output {
            VideoOutput::None => {
                self.tell_opening(id, turn, MediaEvent::VideoOutputOpened { line });
            }
            VideoOutput::Sink { id: sink } => {
                let open = move || wished(|wish| VideoWriter::open(sink, wish));
                match open() {
                    Err(VideoOpenError::SinkBusy(_)) => spawn(jobs, move || {
                        OpenedVideo::Seen(id, line, turn, once_free(open))
                    }),
                    outcome => {
                        self.tell_attached_video(OpenedVideo::Seen(id, line, turn, outcome));
                    }
                }
            }
            VideoOutput::Y4m { path } => spawn(jobs, move || {
                let writer = wished(|wish| VideoWriter::y4m(&path, wish));
                OpenedVideo::Seen(id, line, turn, writer)
            }),
            VideoOutput::Ivf { path } => spawn(jobs, move || {
                let writer = wished(|wish| VideoWriter::ivf(&path, wish));
                OpenedVideo::Seen(id, line, turn, writer)
            }),
        }
    }

    /// Gives a session what was opened for it, and says so to the phone.
    pub(crate) fn attach_video(&mut self, opened: OpenedVideo) -> Option<(SessionId, MediaEvent)> {
        if opened.turn().strong_count() == 0 {
            return None;
        }
        Some(match opened {
            OpenedVideo::Shown(id, content, _, outcome) => {
                let device = content.into();
                let event = match outcome {
                    Ok(reader) => {
                        reader.set_screen(content == VideoContent::Screen);
                        self.send(id, Order::Show(content, Some(reader)));
                        MediaEvent::DeviceOpened { device }
                    }
                    Err(error) => MediaEvent::DeviceFailed {
                        device,
                        reason: error.to_string(),
                    },
                };
                (id, event)
            }
            OpenedVideo::Seen(id, line, _, outcome) => {
                let event = match outcome {
                    Ok(output) => {
                        self.send(id, Order::See(line, Some(output)));
                        MediaEvent::VideoOutputOpened { line }
                    }
                    Err(error) => MediaEvent::VideoOutputFailed {
                        line,
                        reason: error.to_string(),
                    },
                };
                (id, event)
            }
        })
    }

    // The phone is being drained and can't take an input now: the outcome comes back as news.
    fn tell_attached_video(&mut self, opened: OpenedVideo) {
        let turn = opened.turn().clone();
        if let Some((id, event)) = self.attach_video(opened) {
            self.tell_opening(id, turn, event);
        }
    }

    fn tell_opening(&self, id: SessionId, turn: Turn, event: MediaEvent) {
        let what = What::Opening(turn, event);
        self.tell_news(News { id, what });
    }
}

/// A writer, and its wish for a key frame.
fn wished(
    open: impl FnOnce(Wish) -> Result<VideoWriter, VideoOpenError>,
) -> Result<(VideoWriter, KeyFrameWish), VideoOpenError> {
    let wish = KeyFrameWish::default();
    let wisher = wish.clone();
    Ok((open(Arc::new(move || wisher.wish()))?, wish))
}

/// A file has one codec, which was agreed before it was opened.
fn of_codec(
    reader: VideoReader,
    codec: VideoCodec,
    path: &str,
) -> Result<VideoReader, VideoOpenError> {
    let agreed = video_codec(codec);
    if reader.codecs().contains(&agreed) {
        return Ok(reader);
    }
    let names: Vec<_> = reader.codecs().iter().map(|codec| codec.name()).collect();
    Err(VideoOpenError::File {
        path: path.to_owned(),
        why: format!(
            "its codec is '{}', not '{}'",
            names.join(", "),
            agreed.name()
        ),
    })
}

fn renewed<K: Ord>(turns: &mut BTreeMap<K, Arc<()>>, key: K) -> Turn {
    let turn = Arc::default();
    let weak = Arc::downgrade(&turn);
    turns.insert(key, turn);
    weak
}

fn spawn(jobs: &mut JoinSet<Job>, open: impl FnOnce() -> OpenedVideo + Send + 'static) {
    jobs.spawn(async move {
        match tokio::task::spawn_blocking(open).await {
            Ok(opened) => Job::OpenedVideo(Some(Box::new(opened))),
            // It waits for a place in a queue and does nothing that could break.
            Err(_) => Job::OpenedVideo(None),
        }
    });
}
