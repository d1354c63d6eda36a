use std::fmt;

use crate::header::grammar::is_token;

/// The method of a request, compared byte for byte as RFC 3261 §7.1 asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Starts a session (RFC 3261 §13).
    Invite,
    /// Confirms the final response to an INVITE (RFC 3261 §13.2.2.4).
    Ack,
    /// Ends a session (RFC 3261 §15).
    Bye,
    /// Gives up a pending INVITE (RFC 3261 §9).
    Cancel,
    /// Binds a contact to an address of record (RFC 3261 §10).
    Register,
    /// Asks what a peer can do (RFC 3261 §11).
    Options,
    /// Carries application data in a dialog (RFC 6086).
    Info,
    /// Acknowledges a reliable provisional response (RFC 3262).
    Prack,
    /// Changes a session without touching the dialog's state (RFC 3311).
    Update,
    /// Asks for notifications (RFC 6665).
    Subscribe,
    /// Delivers a notification (RFC 6665).
    Notify,
    /// Asks the peer to send a request elsewhere (RFC 3515).
    Refer,
    /// Carries an instant message (RFC 3428).
    Message,
    /// Publishes event state (RFC 3903).
    Publish,
    /// Any other token, kept as it was written.
    Other(ExtensionMethod),
}

/// A method that no RFC known to this crate names: always a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExtensionMethod(Box<str>);

impl Method {
    /// Reads a method; `None` when `text` is not a token.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "REGISTER" => Self::Register,
            "OPTIONS" => Self::Options,
            "INFO" => Self::Info,
            "PRACK" => Self::Prack,
            "UPDATE" => Self::Update,
            "SUBSCRIBE" => Self::Subscribe,
            "NOTIFY" => Self::Notify,
            "REFER" => Self::Refer,
            "MESSAGE" => Self::Message,
            "PUBLISH" => Self::Publish,
            other if !other.is_empty() && other.bytes().all(is_token) => {
                Self::Other(ExtensionMethod(other.into()))
            }
            _ => return None,
        })
    }

    /// The method as it stands in a request line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Info => "INFO",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Refer => "REFER",
            Self::Message => "MESSAGE",
            Self::Publish => "PUBLISH",
            Self::Other(name) => &name.0,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
