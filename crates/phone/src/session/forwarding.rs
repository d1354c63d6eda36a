//! What it shows of another session's far end: followed into another codec, and to its end.

use super::pictures::{CONTENTS, PATIENCE, VideoChange};
use super::video::NOT_TAKEN;
use super::{Context, Session, State};
use crate::agent::SeenStream;
use crate::door::media::VideoCommand;
use crate::door::video::{VideoContent, VideoInput};

impl Session {
    /// Whether it shows this.
    pub(crate) fn shows_stream(&self, stream: &SeenStream) -> bool {
        self.is_live() && self.pictures.show(stream)
    }

    /// A stream comes in another codec, or no more.
    pub(crate) fn follow_stream(&mut self, stream: &SeenStream, ctx: &mut Context<'_>) {
        for content in CONTENTS {
            if self.pictures.slot(content).stream().as_ref() == Some(stream) {
                self.show_anew(content, ctx);
            }
        }
    }

    /// Both sides have agreed: shows the streams as they come now, and tells of one that the peer has not taken.
    pub(super) fn follow_streams(&mut self, ctx: &mut Context<'_>) {
        for content in CONTENTS {
            self.show_anew(content, ctx);
            let is_taken = self.line_of(content).is_some();
            let is_troubled = self.near_end.devices.is_troubled(content.into());
            let slot = self.pictures.slot(content);
            if slot.stream().is_some() && slot.change.is_none() && !is_taken && !is_troubled {
                self.device_failed(content.into(), NOT_TAKEN, ctx);
            }
        }
    }

    fn show_anew(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        let Some(stream) = self.pictures.slot(content).stream() else {
            return;
        };
        match ctx.seen.get(&stream) {
            None => self.stream_over(content, ctx),
            Some(on) => {
                let codec = self.line_of(content).and_then(|line| line.codec);
                if on.codec.is_some() && codec != on.codec {
                    self.ask_for_codec(content, ctx);
                }
            }
        }
    }

    /// Asks the peer for the codec in which the pictures come now; before the answer there is another description to come.
    fn ask_for_codec(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        let input = self.pictures.slot(content).input.clone();
        let differs = self.pictures.differs(content, input.as_ref(), ctx.seen);
        if !differs || !matches!(self.state, State::Active(_)) {
            return;
        }
        let asks = Some(self.renew_wishes(ctx));
        match &mut self.pictures.slot(content).change {
            Some(change) => change.asks = asks,
            none @ None => {
                *none = Some(VideoChange {
                    tickets: Vec::new(),
                    before: input,
                    asks,
                    opening: false,
                    until: ctx.now + PATIENCE,
                    put_off: None,
                });
            }
        }
        self.drive_offer(ctx);
    }

    /// What it showed is over: the far end sees nothing more, and the application is told.
    pub(super) fn stream_over(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        let slot = self.pictures.slot(content);
        let stream = slot.stream();
        // Nobody waits for another codec.
        slot.change.take_if(|change| change.tickets.is_empty());
        if slot.change.is_none() {
            self.show_nothing(content, ctx);
        }
        let input = VideoInput::None;
        ctx.media(self.id, VideoCommand::SetVideo { content, input });
        // What somebody waits for fails, and what was before comes back.
        self.device_failed(content.into(), "the stream that it showed is over", ctx);
        // Whoever waited for a stream that was shown already had that same one before.
        let slot = self.pictures.slot(content);
        if stream.is_some() && slot.stream() == stream {
            self.show_nothing(content, ctx);
        }
        self.drive_offer(ctx);
    }

    fn show_nothing(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        self.pictures.slot(content).input = Some(VideoInput::None);
        self.renew_wishes(ctx);
        self.owe_renewal();
    }
}
