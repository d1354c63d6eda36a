//! Muting, and the devices of one session.

use super::{Choice, Context, Session};
use crate::audio;
use crate::event::SessionChanges;
use crate::media::MediaCommand;

impl Session {
    /// Mutes or unmutes; asking for the state it is in does nothing.
    pub(crate) fn mute(&mut self, muted: bool, ctx: &mut Context<'_>) {
        if self.muted == muted {
            return;
        }
        self.muted = muted;
        ctx.media(self.id, MediaCommand::Mute { muted });
        let changes = SessionChanges {
            muted: Some(muted),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
    }

    /// Changes what the far end hears.
    pub(crate) fn set_input(&mut self, input: audio::Input, ctx: &mut Context<'_>) {
        self.input = Choice::Own(input.clone());
        ctx.media(self.id, MediaCommand::SetInput { input });
    }

    /// Changes where the far end is heard.
    pub(crate) fn set_output(&mut self, output: audio::Output, ctx: &mut Context<'_>) {
        self.output = Choice::Own(output.clone());
        ctx.media(self.id, MediaCommand::SetOutput { output });
    }

    /// The phone's default input has changed.
    pub(crate) fn default_input_changed(&self, input: &audio::Input, ctx: &mut Context<'_>) {
        if let (true, Choice::Default) = (self.is_live(), &self.input) {
            let input = input.clone();
            ctx.media(self.id, MediaCommand::SetInput { input });
        }
    }

    /// The phone's default output has changed.
    pub(crate) fn default_output_changed(&self, output: &audio::Output, ctx: &mut Context<'_>) {
        if let (true, Choice::Default) = (self.is_live(), &self.output) {
            let output = output.clone();
            ctx.media(self.id, MediaCommand::SetOutput { output });
        }
    }
}
