//! What the application is told. In JSON an event is `{"type": "pendingSession", "id": …}`.

use std::time::Duration;

use serde::Serialize;
use sip::dialog::SessionUuids;

use crate::door::caller_identity::CallerIdentity;
use crate::door::conference;
use crate::door::content::Content;
use crate::door::dtmf::{DtmfMethod, Tones};
use crate::door::end_reason::{Elsewhere, EndReason};
use crate::door::error::PhoneError;
use crate::door::id::{ConferenceId, RecordingId, SessionId};
use crate::door::level::Level;
use crate::door::media::{Keying, StandIn};
use crate::door::message_summary::MessageSummary;
use crate::door::notifier::{NotifierEndReason, SubscriptionRequest};
use crate::door::orphan::Orphan;
use crate::door::peer::Peer;
use crate::door::recording::RecordingReport;
use crate::door::state_document::StateDocument;
use crate::door::video::VideoStream;
use crate::door::warning::{Explanation, Warning};

/// One thing that happened, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// `initialize()` has done its work.
    Ready,
    /// The WebSocket is open; `reconnect` where it was open before.
    Connected { reconnect: bool, server: String },
    /// The WebSocket is closed.
    Disconnected {
        reconnecting: bool,
        reason: String,
        /// Milliseconds until the next attempt, if there is one.
        retry_in: Option<u64>,
    },
    /// The registrar holds our binding for so many seconds.
    Registered { expires: u64 },
    /// The registrar holds our binding no more.
    Unregistered,
    /// The registrar refused, or did not answer (`code` absent).
    RegistrationFailed {
        code: Option<u16>,
        reason: String,
        /// Nothing more will be tried until the application acts.
        fatal: bool,
        /// Milliseconds until the next attempt, if there is one.
        retry_in: Option<u64>,
    },
    /// Somebody calls; acknowledge with [`Command::Delivered`](crate::Command::Delivered).
    PendingSession(Box<PendingSession>),
    /// The pending session ended without starting.
    CancelPendingSession { id: SessionId, details: PendingEnd },
    /// Another of the user's devices answered or declined the pending session.
    HandledPendingSession { id: SessionId, details: PendingEnd },
    /// The application's own auto-answer function is asked; it has two seconds.
    AutoAnswerQuery(Box<PendingSession>),
    /// A session exists; acknowledge with [`Command::Delivered`](crate::Command::Delivered).
    SessionStarted { session: Box<SessionSnapshot> },
    /// Properties of a session changed; only those that did are present.
    SessionChanged {
        id: SessionId,
        changes: SessionChanges,
    },
    /// The callee rings or sends early media.
    Progress {
        id: SessionId,
        code: u16,
        reason: String,
        early_media: bool,
    },
    /// An outgoing call is tried elsewhere, because of this answer.
    Redirected {
        id: SessionId,
        code: u16,
        target: String,
    },
    /// An outgoing call was answered.
    Answered { id: SessionId },
    /// All local candidates of a session are known.
    EndOfCandidates { id: SessionId },
    /// The far end pressed a key, for so many milliseconds.
    Dtmf {
        id: SessionId,
        tone: Tones,
        duration: u32,
        method: DtmfMethod,
    },
    /// The other party reports how the call to the target of our transfer goes.
    TransferProgress {
        id: SessionId,
        code: u16,
        reason: String,
    },
    /// The other party asks us to call somebody in its place; answer within 30 seconds with
    /// [`Command::AcceptTransfer`](crate::Command::AcceptTransfer) or
    /// [`Command::RejectTransfer`](crate::Command::RejectTransfer), else it is rejected.
    TransferRequested {
        id: SessionId,
        /// Whom to call.
        target: String,
        /// Who is said to want it (RFC 3892), as received; proves nothing.
        referred_by: Option<String>,
        /// The call takes the place of one that the target has already.
        attended: bool,
    },
    /// No [`TransferRequested`](Self::TransferRequested) waits any more: it was accepted or
    /// rejected, or its time is up. The end of the session ends it, too, and says so itself.
    TransferRequestEnded { id: SessionId },
    /// The far end sent an INFO that is no key.
    Info {
        id: SessionId,
        content_type: String,
        body: Content,
    },
    /// The far end shows something.
    StreamAvailable {
        id: SessionId,
        #[serde(flatten)]
        stream: VideoStream,
    },
    /// It shows that no more; once for each `StreamAvailable`.
    StreamUnavailable {
        id: SessionId,
        #[serde(flatten)]
        stream: VideoStream,
    },
    /// The pictures of a stream have this size from now on.
    Resolution {
        id: SessionId,
        stream: String,
        width: u16,
        height: u16,
    },
    /// Something happened to a conference.
    Conference {
        id: ConferenceId,
        news: conference::News,
    },
    /// A session has ended; once for each `SessionStarted`.
    Terminated { id: SessionId, reason: EndReason },
    /// Follows `Terminated`.
    SessionEnded { id: SessionId, reason: EndReason },
    /// Something is odd but the call goes on.
    Warning {
        id: SessionId,
        warning: Warning,
        text: String,
        #[serde(flatten)]
        explanation: Explanation,
        /// What is used in place of a device that vanished.
        #[serde(flatten)]
        stand_in: Option<StandIn>,
    },
    /// What was odd is so no more.
    WarningCleared { id: SessionId, warning: Warning },
    /// A line for the log; secrets are taken out.
    Trace {
        level: Level,
        message: String,
        details: serde_json::Value,
    },
    /// Something failed that no command waits for.
    Error {
        error: PhoneError,
        /// The session concerned, if one is.
        id: Option<SessionId>,
    },
    /// The state of what a subscription is about.
    Notified {
        subscription: u64,
        /// `active`, `pending` or `terminated`.
        state: String,
        content_type: String,
        body: Content,
        /// What the body says, where this phone reads its type.
        #[serde(skip_serializing_if = "Option::is_none")]
        document: Option<Box<StateDocument>>,
    },
    /// A subscription is over for good; one that the server ended for a time is not.
    SubscriptionEnded {
        subscription: u64,
        /// The server's word (RFC 6665 §4.1.3), if it gave one.
        reason: Option<String>,
        /// The status with which it refused, where it did.
        code: Option<u16>,
    },
    /// A recording is whole; nothing comes of it after this.
    RecordingEnded {
        recording: RecordingId,
        report: RecordingReport,
    },
    /// The calls that an earlier process of this instance has left behind, and that are not ended or taken over: all of them,
    /// whenever they change.
    Orphans { orphans: Vec<Orphan> },
    /// Somebody asks this phone to call another, outside any call.
    CallRequested(Box<CallRequest>),
    /// Somebody wants to subscribe to what this phone tells.
    SubscriptionRequest(Box<SubscriptionRequest>),
    /// A subscriber is told nothing any more.
    NotifierEnded {
        notifier: u64,
        reason: NotifierEndReason,
        /// The status with which a notification was refused, if one was.
        code: Option<u16>,
    },
    /// Messages wait, or none any more, as a notification says, subscribed to or not.
    MessageWaiting(Box<MessageSummary>),
    /// Somebody sent a MESSAGE.
    Message(Box<Message>),
    /// The access token expires in so many milliseconds.
    TokenWillExpire { expires_in: u64 },
    /// Another access token or password is needed now; answer with
    /// [`Command::SetAccessToken`](crate::Command::SetAccessToken) or [`Command::SetPassword`](crate::Command::SetPassword), or by
    /// [`Command::CredentialFailed`](crate::Command::CredentialFailed).
    CredentialNeeded,
    /// A connection to this server, whose query is left out, waits for its proxy; answer with
    /// [`Command::ProxyChosen`](crate::Command::ProxyChosen).
    ProxyNeeded { question: u32, url: String },
    /// STUN and TURN servers are needed; answer with
    /// [`Command::IceServersGiven`](crate::Command::IceServersGiven).
    IceServersNeeded { question: u32 },
    /// The phone has ended; nothing comes after this.
    Closed,
}

impl Event {
    /// Something is odd.
    pub(crate) fn warning(id: SessionId, warning: Warning, text: String) -> Self {
        Self::Warning {
            id,
            warning,
            text,
            explanation: warning.explained(),
            stand_in: None,
        }
    }
}

/// A MESSAGE.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The session in which it came, where it came in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Who sent it.
    #[serde(flatten)]
    pub(crate) from: Peer,
    /// Its media type; empty if it names none.
    pub content_type: String,
    /// The text.
    pub body: Content,
    /// Every header, in order, credentials taken out.
    pub headers: Vec<(String, String)>,
}

/// An incoming call that nobody has answered yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingSession {
    /// Accepts or rejects it.
    pub id: SessionId,
    /// The user part of the caller's URI, or its host if it has none.
    pub address: String,
    /// The caller's whole URI.
    pub uri: String,
    /// Whom it is for: the user part of the address that was called, or its host if it has none.
    pub called: String,
    /// The caller's name, where it sent one.
    pub display_name: Option<String>,
    /// What servers and gateways say of the caller.
    pub identity: CallerIdentity,
    /// Links the call to the platform's conversation.
    pub conversation_id: String,
    /// Whether this phone is about to answer by itself.
    pub auto_answer: bool,
    /// Milliseconds until it does.
    pub auto_answer_delay: u64,
    /// What asks for it, if something does.
    pub auto_answer_source: Option<AutoAnswerSource>,
    /// The session whose place it takes (RFC 3891).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SessionId>,
    /// The Call-ID of the INVITE.
    pub call_id: String,
    /// Every header of the INVITE, in order, as received, credentials taken out.
    pub headers: Vec<(String, String)>,
    /// Whether it offers video.
    pub video: bool,
    /// Whether it offers a screen, or a second video.
    pub screen: bool,
}

/// What asks for an automatic answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AutoAnswerSource {
    /// `expectCall` named its conversation.
    Announced,
    /// The caller is one of `trustedPeers`.
    TrustedPeer,
    /// `Call-Info: …;answer-after=N`.
    CallInfo,
    /// `Alert-Info` in one of its many forms.
    AlertInfo,
    /// `Answer-Mode` or `Priv-Answer-Mode` (RFC 5373).
    AnswerMode,
    /// `X-AUTOANSWER: TRUE` and its kin.
    XHeader,
    /// `;intercom=true` in the Request-URI.
    RequestUri,
    /// `NOTIFY` with `Event: talk` while it rings.
    NotifyTalk,
    /// It takes the place of a call that this phone has.
    Replaces,
    /// The policy `always` or the application's function.
    Option,
}

/// Somebody asks this phone to call another; answer with
/// [`Command::AcceptCallRequest`](crate::Command::AcceptCallRequest) or
/// [`Command::RejectCallRequest`](crate::Command::RejectCallRequest) within ten seconds, else it is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRequest {
    /// Accepts or rejects it.
    pub id: u64,
    /// Whom to call.
    pub target: String,
    /// The call would take the place of one that the target has.
    pub attended: bool,
    /// Who asks.
    #[serde(flatten)]
    pub(crate) from: Peer,
    /// What servers and gateways say of them.
    pub identity: CallerIdentity,
    /// Who wants it, if the request says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referred_by: Option<String>,
    /// Every header, in order, credentials taken out.
    pub headers: Vec<(String, String)>,
}

/// How a pending session ended without starting.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingEnd {
    /// Who ended it.
    pub side: crate::door::end_reason::Side,
    /// Why.
    pub reason: EndReason,
    /// The conversation it belonged to.
    pub conversation_id: String,
    /// What another device of the user did with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Elsewhere>,
}

/// A session as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSnapshot {
    /// The same as the pending session's.
    pub id: SessionId,
    /// Links the call to the platform's conversation.
    pub conversation_id: String,
    /// The Call-ID of its dialog; empty until the INVITE is sent.
    pub call_id: String,
    /// The user part of the other party's URI, or its host if it has none.
    pub address: String,
    /// The other party's whole URI.
    pub uri: String,
    /// The other party's name, if known.
    pub display_name: Option<String>,
    /// What servers and gateways say of the caller; empty for outgoing calls.
    pub identity: CallerIdentity,
    /// Names the session from end to end, whatever stands between its ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<EndToEndId>,
    /// Who called.
    pub direction: Direction,
    /// Where it stands.
    pub state: SessionState,
    /// Where its media stands.
    pub connection_state: ConnectionState,
    /// `state` is `active`.
    pub active: bool,
    /// `connectionState` is `interrupted`.
    pub interrupted: bool,
    /// The far end hears silence.
    pub muted: bool,
    /// The far end sees nothing of the camera.
    pub video_muted: bool,
    /// We have put the far end on hold.
    pub held: bool,
    /// The far end has put us on hold.
    pub remote_held: bool,
    /// The headers of the INVITE received; empty for outgoing calls.
    pub headers: Vec<(String, String)>,
    /// When it became active, in milliseconds since 1970; absent until then.
    pub start_time: Option<u64>,
}

/// A Session-ID (RFC 7989): a UUID of each side, 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndToEndId {
    /// Ours.
    pub local: String,
    /// Theirs, if they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

impl From<SessionUuids> for EndToEndId {
    fn from(uuids: SessionUuids) -> Self {
        Self {
            local: format!("{:032x}", uuids.local),
            remote: uuids.remote.map(|uuid| format!("{uuid:032x}")),
        }
    }
}

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// The other party called us.
    Incoming,
    /// We called.
    Outgoing,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// Our INVITE is on its way or about to be.
    Starting,
    /// The callee rings, or our 200 OK is still to come.
    Pending,
    /// The call is answered.
    Active,
    /// It is over.
    Ended,
}

/// Where a session's media stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionState {
    /// Nothing is negotiated yet.
    Starting,
    /// ICE and DTLS are being established.
    Connecting,
    /// Media flows.
    Connected,
    /// Media or signalling was lost and may come back.
    Interrupted,
    /// It is over.
    Disconnected,
}

/// The properties of a session that changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionChanges {
    /// See [`SessionSnapshot::state`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SessionState>,
    /// See [`SessionSnapshot::connection_state`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_state: Option<ConnectionState>,
    /// See [`SessionSnapshot::active`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// See [`SessionSnapshot::interrupted`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<bool>,
    /// See [`SessionSnapshot::muted`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// See [`SessionSnapshot::video_muted`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_muted: Option<bool>,
    /// See [`SessionSnapshot::held`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// See [`SessionSnapshot::remote_held`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_held: Option<bool>,
    /// See [`SessionSnapshot::start_time`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// See [`SessionSnapshot::call_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// See [`SessionSnapshot::conversation_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// See [`SessionSnapshot::session_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<EndToEndId>,
    /// The codec in use for sending, by its SDP name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// How media are protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SessionSecurity>,
}

/// What stands between a call and whoever is on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionSecurity {
    /// Where the keys of its media come from.
    pub keying: Keying,
    /// The IANA name of the SRTP profile; absent without protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// What its signalling went over on this side of the server; absent if there was no connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signalling: Option<SignallingTransport>,
}

/// What SIP goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SignallingTransport {
    /// WebSocket over TLS.
    Wss,
    /// WebSocket.
    Ws,
    /// TLS.
    Tls,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A time as events tell it: in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
