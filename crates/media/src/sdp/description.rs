//! What a description says, line by line, before anyone decides what it means.

/// A session description: the session level and its media sections in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The `o=` line.
    pub origin: Origin,
    /// The address of the session-level `c=` line, as text.
    pub connection: Option<String>,
    /// The session-level `a=` lines, in order.
    pub attributes: Vec<Attribute>,
    /// The media sections, in order.
    pub media: Vec<Media>,
}

/// The `o=` line: who wrote the description and which version of it this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user name, `-` when there is none.
    pub username: String,
    /// The session's number, kept as text because peers exceed 64 bits.
    pub session_id: String,
    /// The version, which rises with every changed description.
    pub version: u64,
    /// The address, as text.
    pub address: String,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            username: "-".into(),
            session_id: "0".into(),
            version: 0,
            address: "127.0.0.1".into(),
        }
    }
}

/// One `a=` line: `name` or `name:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The part before the colon.
    pub name: String,
    /// The part after the colon, when there is one.
    pub value: Option<String>,
}

impl Attribute {
    /// A `name` without a value.
    pub fn flag(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
        }
    }

    /// A `name:value`.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Some(value.into()),
        }
    }
}

/// One media section: its `m=` line, its address and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, …
    pub kind: MediaKind,
    /// The port; 0 means refused.
    pub port: u16,
    /// The transport, such as `UDP/TLS/RTP/SAVPF`, as the peer wrote it.
    pub protocol: String,
    /// The formats (payload types for RTP), as the peer wrote them.
    pub formats: Vec<String>,
    /// The address of the section's own `c=` line, as text.
    pub connection: Option<String>,
    /// The section's `a=` lines, in order.
    pub attributes: Vec<Attribute>,
}

/// The first word of an `m=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// `audio`
    Audio,
    /// `video`
    Video,
    /// Anything else, kept to be written back with port 0.
    Other(String),
}

impl MediaKind {
    /// The word as it stands in the `m=` line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Other(word) => word,
        }
    }
}

/// Who sends, seen from whoever wrote the description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both send.
    #[default]
    SendRecv,
    /// Only the writer sends.
    SendOnly,
    /// Only the reader sends.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// The direction that sends and receives as told.
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the writer sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same agreement seen from the other side.
    pub fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What both allow.
    pub fn and(self, other: Self) -> Self {
        Self::of(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }

    /// The attribute's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            Self::SendRecv,
            Self::SendOnly,
            Self::RecvOnly,
            Self::Inactive,
        ]
        .into_iter()
        .find(|d| name.eq_ignore_ascii_case(d.as_str()))
    }
}

impl Description {
    /// The first value of `name` in section `index`, or else at session level.
    pub fn value(&self, index: usize, name: &str) -> Option<&str> {
        self.values(index, name).into_iter().next()
    }

    /// All values of `name` in section `index`; if it has none, those of the session level.
    pub fn values(&self, index: usize, name: &str) -> Vec<&str> {
        let own = self
            .media
            .get(index)
            .map(|m| m.values(name))
            .unwrap_or_default();
        if own.is_empty() {
            values(&self.attributes, name)
        } else {
            own
        }
    }

    /// Whether `name` stands in section `index` or at session level.
    pub fn has(&self, index: usize, name: &str) -> bool {
        self.media.get(index).is_some_and(|m| m.has(name)) || has(&self.attributes, name)
    }

    /// The direction of section `index`; `sendrecv` if nothing is said (RFC 8866 §6.7).
    pub fn direction(&self, index: usize) -> Direction {
        self.stated_direction(index).unwrap_or_default()
    }

    /// The direction that section `index` or the session level states, if any.
    pub fn stated_direction(&self, index: usize) -> Option<Direction> {
        let stated = |attributes: &[Attribute]| {
            attributes
                .iter()
                .find_map(|a| Direction::from_name(&a.name))
        };
        self.media
            .get(index)
            .and_then(|m| stated(&m.attributes))
            .or_else(|| stated(&self.attributes))
    }

    /// The address that section `index` names in its `c=` line, or else the session's.
    pub fn address(&self, index: usize) -> Option<&str> {
        self.media
            .get(index)
            .and_then(|m| m.connection.as_deref())
            .or(self.connection.as_deref())
    }
}

impl Media {
    /// The first value of `name` in this section.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).into_iter().next()
    }

    /// All values of `name` in this section.
    pub fn values(&self, name: &str) -> Vec<&str> {
        values(&self.attributes, name)
    }

    /// Whether `name` stands in this section.
    pub fn has(&self, name: &str) -> bool {
        has(&self.attributes, name)
    }
}

fn values<'a>(attributes: &'a [Attribute], name: &str) -> Vec<&'a str> {
    attributes
        .iter()
        .filter(|a| a.name.eq_ignore_ascii_case(name))
        .filter_map(|a| a.value.as_deref())
        .collect()
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|a| a.name.eq_ignore_ascii_case(name))
}
