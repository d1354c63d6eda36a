/// What is done to a microphone's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Processing {
    /// What the loudspeakers play is taken out.
    pub echo_cancellation: bool,
    /// What is not speech is lowered.
    pub noise_suppression: bool,
    /// Speech is brought to an even level.
    pub auto_gain_control: bool,
}

impl Processing {
    /// Everything.
    pub const ALL: Processing = Processing {
        echo_cancellation: true,
        noise_suppression: true,
        auto_gain_control: true,
    };

    /// Nothing: the microphone's sound as it is.
    pub const NONE: Processing = Processing {
        echo_cancellation: false,
        noise_suppression: false,
        auto_gain_control: false,
    };

    /// Whether anything is done.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}
