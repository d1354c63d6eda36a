//! What the application can ask for. In JSON a command is `{"type": "call", "target": …}`.

use serde::Deserialize;

use crate::door::audio;
use crate::door::conference;
use crate::door::content::Content;
use crate::door::dtmf::{DtmfMethod, Tones};
use crate::door::handed_over::UserToUser;
use crate::door::hold_via::HoldVia;
use crate::door::ice_server::IceServer;
use crate::door::id::{ConferenceId, RecordingId, SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::KeyingWish;
use crate::door::recording::{Legs, Recorded, RecordingFormat, RecordingTarget, Tapped};
use crate::door::secret::Secret;
use crate::door::video::{VideoContent, VideoInput, VideoOutput};

/// One request of the application; its outcome is an [`Output::Reply`](crate::Output::Reply).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Command {
    /// Connects and registers; done when registered, or connected where `register` is false.
    Initialize {},
    /// Closes the WebSocket and leaves it closed; calls live on.
    Disconnect {},
    /// Closes and opens the WebSocket; done when registered again.
    Reconnect {},
    /// Registers; done when the registrar has agreed.
    Register {},
    /// Removes the registration; done when the registrar has agreed.
    Unregister {},
    /// Ends every session, unregisters, closes; done within two seconds.
    Destroy {},
    /// Takes no more calls, in either direction; done when none is left, or, with how many are left, when the time is up.
    Drain {
        /// Milliseconds; for as long as it takes if absent.
        #[serde(default)]
        timeout: Option<u64>,
        /// What whoever calls is answered, 400 to 699; if absent what was said before, or 503.
        #[serde(default)]
        code: Option<u16>,
    },
    /// Places a call; done, with a session, when the INVITE was sent.
    Call {
        target: String,
        #[serde(default)]
        options: Box<CallOptions>,
    },
    /// Accepts a pending session; done when `SessionStarted` was emitted.
    Accept {
        id: SessionId,
        #[serde(default)]
        options: Box<AcceptOptions>,
    },
    /// Connects a session that was accepted with `autoConnectSession: false`.
    Connect { id: SessionId },
    /// Lets the caller hear a session that was accepted with `autoConnectSession: false` before it is
    /// connected; refused where it is connected already.
    SendEarlyMedia { id: SessionId },
    /// Refuses a pending session.
    Reject {
        id: SessionId,
        /// 300 to 699; 486 if absent.
        #[serde(default)]
        code: Option<u16>,
        /// The reason phrase; the standard one if absent.
        #[serde(default)]
        reason: Option<String>,
        /// The Q.850 cause that the answer's Reason header names, 1 to 127.
        #[serde(default)]
        cause: Option<u8>,
    },
    /// Sends the caller of a pending session elsewhere.
    Redirect {
        id: SessionId,
        target: String,
        /// 301 or 302; 302 if absent.
        #[serde(default)]
        code: Option<u16>,
        /// Why, in the words of RFC 5806; `deflection` if absent.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Ends a session, named by its id or its conversation.
    End {
        #[serde(default)]
        id: Option<SessionId>,
        #[serde(default)]
        conversation_id: Option<String>,
        /// A condition of XEP-0166. Where absent: `success` of an answered call, `cancel` of our
        /// own that is not answered yet, `decline` of an incoming one that is not.
        #[serde(default)]
        reason: Option<String>,
        /// The Q.850 cause that the other party is told, 1 to 127; if absent, that of `reason`.
        #[serde(default)]
        cause: Option<u8>,
        /// A sentence for the other party's people.
        #[serde(default)]
        text: Option<String>,
    },
    /// Gives up a command: a call not yet answered is cancelled.
    Abort { ticket: Ticket },
    /// Mutes or unmutes the input; asking for the state it is in does nothing.
    Mute { id: SessionId, muted: bool },
    /// Puts the other party on hold, or takes it off; done when it has agreed. Asking for the state
    /// it is in does nothing.
    Hold {
        id: SessionId,
        held: bool,
        /// What it hears meanwhile; `holdMusic` if absent.
        #[serde(default)]
        music: Option<audio::Input>,
        /// How it is told.
        #[serde(default)]
        via: HoldVia,
    },
    /// Asks the other party to call the target instead (RFC 3515); done when the target has taken
    /// the call, which ends this one.
    Transfer { id: SessionId, target: String },
    /// Connects the other parties of two calls: that of `id` takes our place with that of `other`
    /// (RFC 3891); done when it has, which ends both.
    AttendedTransfer {
        id: SessionId,
        other: SessionId,
        #[serde(default)]
        ringing: WhenRinging,
    },
    /// Agrees to a [`TransferRequested`](crate::Event::TransferRequested); done, with a session,
    /// when the INVITE was sent.
    AcceptTransfer {
        id: SessionId,
        #[serde(default)]
        options: Box<CallOptions>,
    },
    /// Calls whom a [`CallRequested`](crate::Event::CallRequested) names; done, with a session, when the
    /// INVITE was sent.
    AcceptCallRequest {
        request: u64,
        #[serde(default)]
        options: Box<CallOptions>,
    },
    /// Refuses a [`CallRequested`](crate::Event::CallRequested).
    RejectCallRequest {
        request: u64,
        /// 300 to 699; 603 if absent.
        #[serde(default)]
        code: Option<u16>,
        /// The reason phrase; the standard one if absent.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Ends a call that an earlier process has left behind; done when the other party has answered, or is gone.
    EndOrphan { call_id: String },
    /// Calls the other party of one that was answered again, in its place (RFC 3891); done, with a session, when the INVITE was
    /// sent.
    TakeOver {
        call_id: String,
        #[serde(default)]
        options: Box<CallOptions>,
    },
    /// Refuses a [`TransferRequested`](crate::Event::TransferRequested).
    RejectTransfer { id: SessionId },
    /// Sends an INFO inside the call; done when the other party has taken it.
    SendInfo {
        id: SessionId,
        /// A media type.
        content_type: String,
        body: Content,
    },
    /// Sends tones; done when the last one was sent.
    SendDtmf {
        id: SessionId,
        tones: Tones,
        /// Milliseconds, 40 to 6000.
        #[serde(default = "tone_duration")]
        duration: u32,
        /// Milliseconds, 30 to 6000.
        #[serde(default = "tone_gap")]
        gap: u32,
        /// How they travel.
        #[serde(default)]
        via: DtmfMethod,
    },
    /// Sends a MESSAGE; done when it is taken.
    SendMessage {
        target: String,
        /// A media type.
        #[serde(default = "plain_text")]
        content_type: String,
        body: Content,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// Asks what a server or another phone can do; done, with that, when it has answered.
    SendOptions {
        target: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    /// Subscribes to an event package; done, with its number, when the server has agreed.
    Subscribe {
        target: String,
        /// The package, such as `message-summary`, `dialog` or `presence`.
        event: String,
        #[serde(default)]
        options: SubscribeOptions,
    },
    /// Gives a subscription up; done after its last notification.
    Unsubscribe { subscription: u64 },
    /// Lets somebody subscribe and tells them the state; done when both are on their way.
    AcceptSubscription {
        notifier: u64,
        /// Seconds that are granted at most; 3600 if absent.
        #[serde(default)]
        expires: Option<u64>,
        /// The media type of `body`.
        #[serde(default = "plain_text")]
        content_type: String,
        /// The state, if there is one yet.
        #[serde(default)]
        body: Option<Content>,
    },
    /// Refuses to let somebody subscribe.
    RejectSubscription {
        notifier: u64,
        /// 300 to 699; 403 if absent.
        #[serde(default)]
        code: Option<u16>,
        /// The reason phrase; the standard one if absent.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Tells a subscriber the state; while one notification is on its way, the newest state waits for the next.
    Notify {
        notifier: u64,
        #[serde(default = "plain_text")]
        content_type: String,
        body: Content,
    },
    /// Ends a subscription of somebody's; one that is over stays so.
    TerminateNotifier {
        notifier: u64,
        /// A reason of RFC 6665 §4.1.3; `noresource` if absent.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Announces an incoming call that may be answered by itself.
    ExpectCall {
        conversation_id: String,
        /// Milliseconds; 60 000 if absent.
        #[serde(default)]
        timeout: Option<u64>,
    },
    /// Answers an [`AutoAnswerQuery`](crate::Event::AutoAnswerQuery).
    AutoAnswerDecision { id: SessionId, answer: bool },
    /// Answers a [`ProxyNeeded`](crate::Event::ProxyNeeded): a proxy's URL or what a PAC script answers, none for the direct
    /// way, or why there is no answer.
    ProxyChosen {
        question: u32,
        #[serde(default)]
        proxy: Option<Secret>,
        #[serde(default)]
        failure: Option<String>,
    },
    /// Answers an [`IceServersNeeded`](crate::Event::IceServersNeeded): the servers as JSON, or why there are none.
    IceServersGiven {
        question: u32,
        #[serde(default)]
        servers: Option<Secret>,
        #[serde(default)]
        failure: Option<String>,
    },
    /// Answers a [`CredentialNeeded`](crate::Event::CredentialNeeded): there is no other.
    CredentialFailed,
    /// Replaces the access token.
    SetAccessToken { token: Secret },
    /// Replaces the password, or the `ha1` that was made of one.
    SetPassword { password: Secret },
    /// Replaces the STUN and TURN servers, and the function that gave them; for sessions that start later.
    SetIceServers { ice_servers: Vec<IceServer> },
    /// Replaces the default input and output, also of sessions that use the default, and where it rings.
    SetAudioDevice {
        #[serde(default)]
        input: Option<audio::Input>,
        #[serde(default)]
        output: Option<audio::Output>,
        #[serde(default)]
        ring: Option<audio::Output>,
    },
    /// Changes what one session's far end hears.
    SetInput { id: SessionId, input: audio::Input },
    /// Changes where one session's far end is heard.
    SetOutput {
        id: SessionId,
        output: audio::Output,
    },
    /// Changes what one session's far end sees, or stops the line (nothing); done when both sides have agreed.
    SetVideo {
        id: SessionId,
        content: VideoContent,
        #[serde(default)]
        input: Option<VideoInput>,
    },
    /// Changes where the pictures of a stream go; done when that is open.
    SetVideoOutput {
        id: SessionId,
        stream: String,
        output: VideoOutput,
    },
    /// Sends no pictures of the camera, or sends them again; asking for the state it is in does nothing.
    MuteVideo { id: SessionId, muted: bool },
    /// Records a session or a conference; done, with its number, when it is open.
    Record {
        recorded: Recorded,
        target: RecordingTarget,
        format: RecordingFormat,
        legs: Legs,
        /// Samples per second: 8000, 16000, 24000 or 48000.
        rate: u32,
    },
    /// Leaves out what is said from now on, or has it again.
    PauseRecording {
        recording: RecordingId,
        paused: bool,
    },
    /// Stops a recording; [`Event::RecordingEnded`](crate::Event::RecordingEnded) tells when it is whole. One that has ended stays so.
    StopRecording {
        recording: RecordingId,
        /// What keeps it from being taken any further, if it is not the application's wish.
        #[serde(default)]
        failure: Option<String>,
    },
    /// Lets the application hear what is said in a session, through the sink with this number, until it closes that.
    Tap {
        id: SessionId,
        tapped: Tapped,
        sink: u64,
    },
    /// Sets what is done to the sound of the microphone of one session, or of all and of those to come; what is absent stays as
    /// it was.
    SetAudioProcessing {
        #[serde(default)]
        id: Option<SessionId>,
        processing: audio::Processing,
    },
    /// Lets a session's media tell how loud both sides are, or no more.
    Measure { id: SessionId, wanted: bool },
    /// Lets a session's media tell what its far end's sound means, or no more.
    Listen {
        id: SessionId,
        /// When the far end begins and ends to speak.
        #[serde(default)]
        speech: bool,
        /// The tones of the network, and beeps.
        #[serde(default)]
        tones: bool,
        /// Whether a person or a machine has answered; of calls that came in there is no such question.
        #[serde(default)]
        answerer: bool,
    },
    /// Sets the playout volume in percent of one session, or of all and of those to come.
    SetVolume {
        #[serde(default)]
        id: Option<SessionId>,
        volume: u8,
    },
    /// Makes a conference of these sessions, which may be none; done, with its number, when they take part.
    Confer {
        sessions: Vec<SessionId>,
        /// What they hear of this machine; the phone's default if absent.
        #[serde(default)]
        input: Option<audio::Input>,
        /// Where they are heard at this machine; the phone's default if absent.
        #[serde(default)]
        output: Option<audio::Output>,
    },
    /// Asks something of a conference.
    Conference {
        id: ConferenceId,
        request: conference::Request,
    },
    /// Sets the least level of the `Trace` events that are made.
    SetLogLevel { level: Level },
    /// Says that the listeners of this session's last `PendingSession` or `SessionStarted` ran.
    Delivered { id: SessionId },
}

fn plain_text() -> String {
    "text/plain".into()
}

/// 100 ms: long enough for every detector (RFC 4733 §2.5.1.3 recommends at least 40 ms).
fn tone_duration() -> u32 {
    100
}

/// 70 ms: the pause that W3C's `insertDTMF` uses.
fn tone_gap() -> u32 {
    70
}

/// What becomes of a transfer to a call that is not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WhenRinging {
    /// It waits for the answer: only an answered call can be replaced (RFC 3891 §3).
    #[default]
    Wait,
    /// The call is given up, and its target called by the other party instead (RFC 5589 §7.4).
    Blind,
}

/// How a call is placed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CallOptions {
    /// What the far end hears; the phone's default if absent.
    pub input: Option<audio::Input>,
    /// Where it is heard; the phone's default if absent.
    pub output: Option<audio::Output>,
    /// What is done to its microphone's sound; what is absent is as in the phone.
    pub audio: audio::Processing,
    /// Headers of the INVITE.
    pub headers: Vec<(String, String)>,
    /// The conversation's id; sent in the first header of `conversationIdHeader`.
    pub conversation_id: Option<String>,
    /// Milliseconds until an unanswered call is cancelled; never if absent.
    pub timeout: Option<u64>,
    /// Who calls, instead of the phone's own address; for a phone that does not register.
    pub from: Option<From>,
    /// The name that the proxy is asked to show instead of the phone's own (RFC 3325 §9.2).
    pub display_name: Option<String>,
    /// The address that the proxy is asked to show instead of the phone's own: a target.
    pub preferred_identity: Option<String>,
    /// The other party is not to know who calls; the phone's own server is (RFC 3323, RFC 3325).
    pub anonymous: bool,
    /// What is handed over to the other party's application (RFC 7433).
    pub user_to_user: Option<UserToUser>,
    /// Asks the other party's phone to answer by itself.
    pub auto_answer: Option<AnswerRequest>,
    /// How it is told when the other party speaks.
    pub voice_activity: VoiceActivity,
    /// What the far end sees of the camera; video is not offered if absent.
    pub video: Option<VideoInput>,
    /// What it sees of the screen; none is offered if absent.
    pub screen: Option<VideoInput>,
    /// How its media may be protected, best first; as in the phone if absent.
    pub media: Option<Vec<KeyingWish>>,
}

/// Who is said to call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct From {
    /// A number, an address or a SIP URI.
    pub number: String,
    /// The name; none if absent.
    #[serde(default)]
    pub name: Option<String>,
}

/// How it is told when the other party speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VoiceActivity {
    /// Milliseconds of silence that end a turn; 500 if absent.
    pub end_of_turn: u32,
}

impl Default for VoiceActivity {
    fn default() -> Self {
        Self { end_of_turn: 500 }
    }
}

/// How the other party's phone is asked to answer by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AnswerRequest {
    /// Milliseconds that it shall ring first; told in whole seconds, rounded up.
    pub delay: u32,
    /// It shall refuse the call rather than let it ring (RFC 5373 §4.2).
    pub required: bool,
}

/// How something is subscribed to.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubscribeOptions {
    /// Seconds until the subscription is renewed at the latest; 3600 if absent.
    pub expires: Option<u64>,
    /// Media types that are understood; the package's own if empty.
    pub accept: Vec<String>,
    /// Headers of each SUBSCRIBE.
    pub headers: Vec<(String, String)>,
}

/// How a pending session is accepted: the four examples of the PureCloud document.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AcceptOptions {
    /// `mediaStream`: what the far end hears.
    pub input: Option<audio::Input>,
    /// `audioElement`: where it is heard.
    pub output: Option<audio::Output>,
    /// What is done to its microphone's sound; what is absent is as in the phone.
    pub audio: audio::Processing,
    /// False opens no device that is not named above.
    pub auto_start_media: Option<bool>,
    /// False leaves the 200 OK to `Connect`.
    pub auto_connect_session: Option<bool>,
    /// Headers of the 200 OK.
    pub headers: Vec<(String, String)>,
    /// How it is told when the other party speaks.
    pub voice_activity: VoiceActivity,
    /// What the far end sees of the camera; its video is refused if absent.
    pub video: Option<VideoInput>,
    /// What it sees of the screen; a screen of its own is refused if absent.
    pub screen: Option<VideoInput>,
}
