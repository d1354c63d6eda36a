//! What the far end hears of this machine, and where the far end is heard.

use super::{Context, Place, Tone, devices};
use crate::door::audio;
use crate::door::command::VoiceActivity;
use crate::door::media::Listening;

/// What is chosen for one session, or the phone's default.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Choice<T> {
    #[default]
    Default,
    Own(T),
}

/// What the far end hears of this machine, and where the far end is heard.
#[derive(Debug)]
pub(super) struct NearEnd {
    pub(super) input: Choice<audio::Input>,
    pub(super) output: Choice<audio::Output>,
    /// What is left open is as in the phone.
    pub(super) processing: audio::Processing,
    pub(super) devices: devices::Devices,
    pub(super) muted: bool,
    /// Alone, or in a conference.
    pub(super) place: Place,
    /// How loud media have it in a conference, in percent.
    pub(super) voice: u8,
    /// What media plays to the near end.
    pub(super) tone: Option<Tone>,
    pub(super) voice_activity: VoiceActivity,
    /// What the application wants to know of the far end's sound.
    pub(super) listening: Listening,
}

impl Default for NearEnd {
    fn default() -> Self {
        Self {
            input: Choice::Default,
            output: Choice::Default,
            processing: audio::Processing::default(),
            devices: devices::Devices::default(),
            muted: false,
            place: Place::Alone,
            voice: 100,
            tone: None,
            voice_activity: VoiceActivity::default(),
            listening: Listening::default(),
        }
    }
}

impl NearEnd {
    /// What the far end hears unless the session's place says otherwise.
    pub(super) fn input(&self, ctx: &Context<'_>) -> audio::Input {
        match &self.input {
            Choice::Own(input) => input.clone(),
            Choice::Default => ctx.config.audio.input.clone(),
        }
    }

    /// Where the far end is heard unless the session's place says otherwise.
    pub(super) fn output(&self, ctx: &Context<'_>) -> audio::Output {
        match &self.output {
            Choice::Own(output) => output.clone(),
            Choice::Default => ctx.config.audio.output.clone(),
        }
    }

    /// What is done to its microphone's sound.
    pub(super) fn processing(&self, ctx: &Context<'_>) -> audio::Processing {
        self.processing.or(ctx.config.audio.processing)
    }

    /// Whether the application chose that the far end hears nothing.
    pub(super) fn has_no_input(&self) -> bool {
        matches!(self.input, Choice::Own(audio::Input::None))
    }
}
