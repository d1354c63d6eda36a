//! Muting, and the devices of one session.

use super::{Choice, Context, Session};
use crate::door::audio;
use crate::door::event::SessionChanges;
use crate::door::media::{SoundCommand, StreamCommand};

impl Session {
    /// Mutes or unmutes; asking for the state it is in does nothing. A member of a conference still hears
    /// the other members.
    pub(crate) fn mute(&mut self, muted: bool, ctx: &mut Context<'_>) {
        self.chose_muted();
        if self.near_end.muted == muted {
            return;
        }
        self.near_end.muted = muted;
        match self.near_end.place.seat() {
            Some(_) => ctx.media(self.id, SoundCommand::SetHearing { host: !muted }),
            None => ctx.media(self.id, StreamCommand::Mute { muted }),
        }
        let changes = SessionChanges {
            muted: Some(muted),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
    }

    /// Whether the application chose that the far end hears nothing.
    pub(crate) fn has_no_input(&self) -> bool {
        self.near_end.has_no_input()
    }

    /// The phone's default input has changed.
    pub(crate) fn default_input_changed(&self, input: &audio::Input, ctx: &mut Context<'_>) {
        if let (true, Choice::Default) = (self.has_own_devices(), &self.near_end.input) {
            let input = input.clone();
            ctx.media(self.id, SoundCommand::SetInput { input });
        }
    }

    /// The phone's default output has changed.
    pub(crate) fn default_output_changed(&self, output: &audio::Output, ctx: &mut Context<'_>) {
        if let (true, Choice::Default) = (self.has_own_devices(), &self.near_end.output) {
            let output = output.clone();
            ctx.media(self.id, SoundCommand::SetOutput { output });
        }
    }

    fn has_own_devices(&self) -> bool {
        self.is_live() && self.near_end.place.seat().is_none()
    }
}
