//! Why a session ended, in the words of XEP-0166 §7.4.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::SipStatus;

/// Why a session ended, or why a pending one never started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndReason {
    /// The Jingle condition.
    pub condition: Condition,
    /// A sentence for people: the peer's own words where it sent some.
    pub text: String,
    /// Who ended it.
    pub side: Side,
    /// The SIP status that ended it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip: Option<SipStatus>,
    /// The Q.850 cause of a `Reason` header, 1 to 127.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q850: Option<u8>,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.condition.as_str())
    }
}

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// This phone or its application.
    Local,
    /// The other party, or a server that speaks for it.
    Remote,
    /// Neither: the connection or the media path was lost.
    Network,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A reason of XEP-0166 §7.4.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Condition { $($(#[$doc])* $name,)* }

        impl Condition {
            /// The condition as XEP-0166 writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a condition as XEP-0166 writes it.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

conditions! {
    /// Another session takes this one's place.
    AlternativeSession = "alternative-session",
    /// The callee is busy.
    Busy = "busy",
    /// The caller gave up.
    Cancel = "cancel",
    /// The connection was lost.
    ConnectivityError = "connectivity-error",
    /// The callee does not want the call.
    Decline = "decline",
    /// The session's time ran out.
    Expired = "expired",
    /// The application refused or broke.
    FailedApplication = "failed-application",
    /// ICE or DTLS did not come up.
    FailedTransport = "failed-transport",
    /// Something else failed.
    GeneralError = "general-error",
    /// There is no such party, or it has gone.
    Gone = "gone",
    /// The parties have no codec or transport in common.
    IncompatibleParameters = "incompatible-parameters",
    /// Media could not be processed.
    MediaError = "media-error",
    /// Credentials or keys were refused.
    SecurityError = "security-error",
    /// A call that ended as calls do.
    Success = "success",
    /// Nobody answered in time.
    Timeout = "timeout",
    /// The peer offers nothing that this phone does.
    UnsupportedApplications = "unsupported-applications",
    /// The peer offers no transport that this phone has.
    UnsupportedTransports = "unsupported-transports",
}
