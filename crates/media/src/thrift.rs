//! How much work a session's sound may cost while there is more to do than time.

/// What a session leaves out; each step leaves out what those before it do as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thrift {
    /// Nothing: sound is as good as the settings say.
    #[default]
    None,
    /// Opus is encoded at complexity 1 at most, lost sound is continued without a search for its pitch, and delay
    /// changes in pauses only.
    Plain,
    /// Opus is encoded at complexity 0; whoever changes sampling rates for the session is asked to use short filters.
    Bare,
}

impl Thrift {
    /// The encoder's effort in place of `wanted`.
    pub(crate) fn complexity(self, wanted: u8) -> u8 {
        match self {
            Self::None => wanted,
            Self::Plain => wanted.min(1),
            Self::Bare => 0,
        }
    }

    /// The decoder's effort in place of `wanted`: at 0 there is no neural model.
    pub(crate) fn decoder_complexity(self, wanted: u8) -> u8 {
        match self {
            Self::None => wanted,
            Self::Plain | Self::Bare => 0,
        }
    }

    /// Whether sound may be searched for its pitch.
    pub(crate) fn searches(self) -> bool {
        self == Self::None
    }

    /// The step that leaves out more; the last one is its own.
    #[must_use]
    pub fn more(self) -> Self {
        match self {
            Self::None => Self::Plain,
            Self::Plain | Self::Bare => Self::Bare,
        }
    }

    /// The step that leaves out less; the first one is its own.
    #[must_use]
    pub fn less(self) -> Self {
        match self {
            Self::None | Self::Plain => Self::None,
            Self::Bare => Self::Plain,
        }
    }
}
