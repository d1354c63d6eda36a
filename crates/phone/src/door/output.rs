//! What a phone gives out: one ordered stream.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use sip::locating::Place;
use sip::transaction::Transport;
use tunnel::Route;

use crate::door::audio::Ring;
use crate::door::conference;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::{Event, SessionSnapshot};
use crate::door::id::{ConferenceId, RecordingId, SessionId, Ticket};
use crate::door::media::MediaCommand;
use crate::door::neighbour::{Neighbour, TrunkId};
use crate::door::orphan::JournalText;
use crate::door::recording::RecordingOrder;

/// What opening a connection may take in all: three tries of TCP to a far server, TLS and the upgrade fit. The driver keeps to it and
/// says at which step it was when the time was over; the phone waits for that.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// One thing for the driver to do; a `Reply` comes after the events its command caused.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Find out where `config.servers[server]` is, in place of any connection, and tell of it in any case: it is found or refused.
    Find { server: usize },
    /// Open a connection to this place of `config.servers[server]` by this way, in place of any other, and tell of it in any case:
    /// within [`CONNECT_WITHIN`] it is up or refused.
    Connect {
        server: usize,
        place: Place,
        route: Route,
    },
    /// Close the WebSocket after what was sent before, without reporting it back.
    Disconnect,
    /// Send one SIP message in one WebSocket message.
    Send(SipText),
    /// Listen at `config.listen`, and tell `handle_listening` how that went.
    Listen,
    /// Listen no more, and close what was opened there.
    StopListening,
    /// Send one SIP message to somebody who has come without a server.
    SendTo(Neighbour, SipText),
    /// Close a stream of such a one, after what was sent before.
    HangUp(Neighbour),
    /// Open a stream to such a one; what becomes of it goes to `handle_neighbour` or `handle_unreached`.
    Reach {
        /// For whom.
        trunk: TrunkId,
        /// Where.
        place: SocketAddr,
        /// TCP or TLS.
        transport: Transport,
    },
    /// Send a WebSocket ping; its pong goes to `handle_pong`.
    Ping,
    /// Give a session's media an order.
    Media(SessionId, MediaCommand),
    /// Give the place of this machine in a conference an order.
    Conference(ConferenceId, conference::HostOrder),
    /// Give a recording an order.
    Recording(RecordingId, RecordingOrder),
    /// Have the journal say this instead of what it says; nothing if it is empty.
    Journal(JournalText),
    /// Take note of what is known of STUN and TURN servers.
    IceServers(ServersKnown),
    /// Ring from now on, in place of what rang before, or no more.
    Ring(Option<Ring>),
    /// Tell the application.
    Event(Event),
    /// Settle the promise of a command.
    Reply(Ticket, Result<Reply, PhoneError>),
    /// Nothing more now: give the next input, or `handle_timeout` at this instant.
    Timeout(Instant, Wake),
    /// The phone has ended: nothing comes after this, ever.
    Closed,
}

/// What is known of STUN and TURN servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServersKnown {
    /// The application is asked for them: sessions that begin wait.
    Awaited,
    /// There are none other: sessions that wait begin.
    Unchanged,
    /// There are others in the configuration, also for sessions that run.
    Renewed,
}

/// One SIP message. Its Debug output says only how long it is: it may hold credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct SipText(pub Bytes);

impl fmt::Debug for SipText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} octets of SIP]", self.0.len())
    }
}

/// What a successful command resolves with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Nothing but that it is done.
    Done,
    /// The session that `call` made.
    Session(Box<SessionSnapshot>),
    /// What the answer to `sendOptions` says.
    Capabilities(Box<Capabilities>),
    /// The subscription that `subscribe` made.
    Subscription { subscription: u64 },
    /// The conference that `conference` made.
    Conference { conference: ConferenceId },
    /// How many calls are left after `drain`.
    Drained { left: u32 },
    /// The recording that `record` began.
    Recording { recording: RecordingId },
}

/// What a server or another phone says that it can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capabilities {
    /// Methods.
    pub allow: Vec<String>,
    /// Media types.
    pub accept: Vec<String>,
    /// Extensions.
    pub supported: Vec<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Every header of the answer, in order.
    pub headers: Vec<(String, String)>,
}

/// Why the phone wants to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Nothing is due; the instant is only far away.
    Idle,
    /// A transaction, registration or keep-alive of the SIP endpoint.
    Sip,
    /// Nobody was heard over UDP, or no proxy was named, in time.
    ConnectTimeout,
    /// The next connection attempt.
    Reconnect,
    /// The access token is about to expire.
    Token,
    /// STUN and TURN servers are needed, or were not given in time.
    IceServers,
    /// A listener has not been heard of in time.
    Delivery,
    /// An auto-answer decision or its delay.
    AutoAnswer,
    /// The outcome of a transfer that we asked for is not reported in time.
    Transfer,
    /// The application has not decided whether to follow a transfer.
    Referral,
    /// What was chosen to be heard or played is not open yet.
    Opening,
    /// The next key that travels by INFO.
    Key,
    /// A failed media path has not come back.
    Repair,
    /// Nothing was heard of the other party for too long.
    MediaTimeout,
    /// Our new offer is to be made again, or has no answer.
    Offer,
    /// Nobody answered an incoming call.
    NoAnswer,
    /// Nobody answered an outgoing call.
    CallTimeout,
    /// A subscription is asked for anew.
    Subscription,
    /// The application has not decided whether to call somebody for another.
    CallRequest,
    /// The application has not decided about a subscriber.
    SubscriptionRequest,
    /// The end of what `drain()` waits for.
    Drain,
    /// The end of what `destroy()` waits for.
    Destroy,
}

/// What became of the connection to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// The server that was sought is at one of these places, and they are known for so long.
    Found { places: Vec<Place>, valid: Duration },
    /// It is open.
    Up {
        server: usize,
        transport: Transport,
        /// Where our end of it is, if the system tells.
        local: Option<SocketAddr>,
    },
    /// It was open and is no more.
    Down { reason: String },
    /// It could not be opened, or the server not be found; the code is what `initialize()` fails with.
    Refused { reason: String, code: ErrorCode },
}
