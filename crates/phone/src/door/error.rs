//! What a command can fail with: one stable code, PureCloud's type and text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A SIP status line's code and reason phrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SipStatus {
    /// 100 to 699.
    pub code: u16,
    /// The reason phrase as received.
    pub reason: String,
}

/// What a command failed with, or what went wrong on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneError {
    /// Stable over versions.
    pub code: ErrorCode,
    /// PureCloud's error type.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// A sentence for people; PureCloud's own if it has one.
    pub message: String,
    /// What lies behind it, if something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The SIP status behind it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip: Option<SipStatus>,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PhoneError {}

/// The error types of PureCloud's SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// None of the others.
    Generic,
    /// `initialize()` failed.
    Initialization,
    /// The access token was refused.
    InvalidToken,
    /// A web request failed.
    Http,
    /// An option or argument is wrong.
    InvalidOptions,
    /// This phone can't do that.
    NotSupported,
    /// A session does not exist or is in the wrong state.
    Session,
    /// A call failed.
    Call,
    /// Sound or its transport failed.
    Media,
}

/// The stable code of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// An argument of a command has a wrong value.
    #[serde(rename = "ERR_INVALID_ARGUMENT")]
    InvalidArgument,
    /// The command needs a connection and there is none.
    #[serde(rename = "ERR_NOT_CONNECTED")]
    NotConnected,
    /// No server could be reached.
    #[serde(rename = "ERR_CONNECTION_FAILED")]
    ConnectionFailed,
    /// The proxy could not be reached, opened no tunnel, or was not chosen.
    #[serde(rename = "ERR_PROXY_FAILED")]
    ProxyFailed,
    /// The proxy wants credentials, or others.
    #[serde(rename = "ERR_PROXY_AUTHENTICATION")]
    ProxyAuthentication,
    /// The registrar refused the registration.
    #[serde(rename = "ERR_REGISTRATION_FAILED")]
    RegistrationFailed,
    /// The password or token was refused.
    #[serde(rename = "ERR_AUTHENTICATION_FAILED")]
    AuthenticationFailed,
    /// No pending or started session has this id.
    #[serde(rename = "ERR_SESSION_NOT_FOUND")]
    SessionNotFound,
    /// The pending session was cancelled, handled elsewhere or rejected.
    #[serde(rename = "ERR_SESSION_CANCELLED")]
    SessionCancelled,
    /// The session has ended.
    #[serde(rename = "ERR_SESSION_ENDED")]
    SessionEnded,
    /// The session is not in a state for this command.
    #[serde(rename = "ERR_SESSION_STATE")]
    SessionState,
    /// As many sessions as `maxSessions` allows exist already, or the machine has no time for another.
    #[serde(rename = "ERR_TOO_MANY_SESSIONS")]
    TooManySessions,
    /// The phone takes no more calls: `drain()` was called.
    #[serde(rename = "ERR_DRAINING")]
    Draining,
    /// The call failed before its INVITE was sent, or was refused.
    #[serde(rename = "ERR_CALL_FAILED")]
    CallFailed,
    /// Nobody answered in time.
    #[serde(rename = "ERR_CALL_TIMEOUT")]
    CallTimeout,
    /// The application aborted the command.
    #[serde(rename = "ERR_ABORTED")]
    Aborted,
    /// The phone was destroyed.
    #[serde(rename = "ERR_DESTROYED")]
    Destroyed,
    /// The other party, or our media, did not agree to hold or to resume.
    #[serde(rename = "ERR_HOLD_FAILED")]
    HoldFailed,
    /// The other party, or our media, did not agree to a change of video.
    #[serde(rename = "ERR_VIDEO_FAILED")]
    VideoFailed,
    /// The tones can't be sent.
    #[serde(rename = "ERR_DTMF_REFUSED")]
    DtmfRefused,
    /// The other party refused the transfer, or its target did not take the call.
    #[serde(rename = "ERR_TRANSFER_FAILED")]
    TransferFailed,
    /// The other party, or a server, refused a request.
    #[serde(rename = "ERR_REQUEST_REFUSED")]
    RequestRefused,
    /// A request was not answered in time.
    #[serde(rename = "ERR_REQUEST_TIMEOUT")]
    RequestTimeout,
    /// The subscription is over, or was answered already.
    #[serde(rename = "ERR_SUBSCRIPTION_ENDED")]
    SubscriptionEnded,
    /// The conference is over, or never was.
    #[serde(rename = "ERR_CONFERENCE_ENDED")]
    ConferenceEnded,
    /// What was chosen as input or output can't be opened.
    #[serde(rename = "ERR_NO_DEVICE")]
    NoDevice,
    /// The report of a call can't be written.
    #[serde(rename = "ERR_REPORT_FAILED")]
    ReportFailed,
    /// A recording can't be opened.
    #[serde(rename = "ERR_RECORDING_FAILED")]
    RecordingFailed,
    /// The recording has ended.
    #[serde(rename = "ERR_RECORDING_ENDED")]
    RecordingEnded,
    /// A capture can't be written.
    #[serde(rename = "ERR_CAPTURE_FAILED")]
    CaptureFailed,
    /// The journal can't be used or written.
    #[serde(rename = "ERR_JOURNAL")]
    Journal,
    /// Media failed or crashed.
    #[serde(rename = "ERR_MEDIA")]
    Media,
}

impl ErrorCode {
    /// The type of PureCloud's SDK that says what this code does.
    fn usual_type(self) -> ErrorType {
        match self {
            Self::InvalidArgument => ErrorType::InvalidOptions,
            Self::ConnectionFailed
            | Self::ProxyFailed
            | Self::ProxyAuthentication
            | Self::RegistrationFailed
            | Self::AuthenticationFailed => ErrorType::Initialization,
            Self::SessionNotFound
            | Self::SessionCancelled
            | Self::SessionEnded
            | Self::SessionState
            | Self::HoldFailed
            | Self::VideoFailed
            | Self::DtmfRefused
            | Self::ConferenceEnded => ErrorType::Session,
            Self::TooManySessions
            | Self::Draining
            | Self::CallFailed
            | Self::CallTimeout
            | Self::TransferFailed => ErrorType::Call,
            Self::NoDevice | Self::Media | Self::RecordingFailed | Self::RecordingEnded => {
                ErrorType::Media
            }
            Self::NotConnected
            | Self::Aborted
            | Self::Destroyed
            | Self::RequestRefused
            | Self::RequestTimeout
            | Self::ReportFailed
            | Self::CaptureFailed
            | Self::Journal
            | Self::SubscriptionEnded => ErrorType::Generic,
        }
    }
}

impl PhoneError {
    /// An error of the type that its code usually has, with neither a cause nor a SIP status.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            kind: code.usual_type(),
            message: message.into(),
            cause: None,
            sip: None,
        }
    }

    /// An argument has a wrong value; the text names it and what it must be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
    }

    /// What is asked of a session can't be done in its state.
    pub(crate) fn wrong_state(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::SessionState, message)
    }

    /// There is no connection, and the command needs one.
    pub(crate) fn not_connected() -> Self {
        Self::new(ErrorCode::NotConnected, "Not connected to a server")
    }

    /// The application gave the command up.
    pub(crate) fn aborted() -> Self {
        Self::new(ErrorCode::Aborted, "Aborted")
    }

    /// The phone has ended, or is about to.
    pub(crate) fn destroyed() -> Self {
        Self::new(ErrorCode::Destroyed, "The phone was destroyed")
    }

    /// Names another type than the usual one.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// Names what lies behind the error.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Attaches the SIP status behind the error.
    #[must_use]
    pub fn with_sip(mut self, sip: Option<SipStatus>) -> Self {
        self.sip = sip;
        self
    }
}
