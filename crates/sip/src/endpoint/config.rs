//! What a user agent is told once.

use std::time::Duration;

use crate::auth::Credentials;
use crate::message::{Leniency, Method};
use crate::transaction::Timings;
use crate::uri::Uri;

/// Who the user agent is, and how it behaves.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Address of record: the From of our requests, the To of our REGISTER.
    pub aor: Uri<'static>,
    /// Name shown to others beside the address of record.
    pub display_name: Option<String>,
    /// Where REGISTER goes; `None` takes the domain of `aor`.
    pub registrar: Option<Uri<'static>>,
    /// Value of the Contact's `transport` parameter; `None` leaves it out.
    pub contact_transport: Option<String>,
    /// Host and port of the Contact; `None` takes a name that nobody else has (RFC 7118 §5.2.1).
    pub contact_host: Option<(String, Option<u16>)>,
    /// `+sip.instance`, a URN such as `urn:uuid:…` (RFC 5626 §4.1), without angle brackets.
    pub instance_id: String,
    /// `reg-id` of our one flow (RFC 5626 §4.2).
    pub reg_id: u32,
    /// User-Agent of our requests, Server of our answers.
    pub user_agent: String,
    /// What challenges are answered with.
    pub credentials: Option<Credentials>,
    /// Whether a call whose credentials are refused waits for others, as [`Event::CredentialsRefused`](super::Event) says.
    pub awaits_credentials: bool,
    /// Added to every request outside a dialog that is not CANCEL or ACK, REGISTER included.
    pub extra_headers: Vec<(String, String)>,
    /// Hosts of our own platform, beside those of `aor`, `registrar` and `route_set`: whoever is there may challenge as a server of ours.
    pub domains: Vec<String>,
    /// Preloaded Route set, each a URI such as `sip:proxy.example.com;lr`.
    pub route_set: Vec<Uri<'static>>,
    /// Methods answered; others are given 405.
    pub allow: Vec<Method>,
    /// Event packages whose SUBSCRIBE is handed up, if `allow` names it; others are given 489.
    pub event_packages: Vec<String>,
    /// How long calls live without a refresh (RFC 4028); `None` asks for no limit and agrees to none.
    pub session_timers: Option<SessionTimers>,
    /// Option tags understood, beside those of what is switched on here; a Require of another is given 420.
    pub supported: Vec<String>,
    /// Body types an INVITE or UPDATE may carry; others are given 415.
    pub accept: Vec<String>,
    /// What REGISTER asks for.
    pub register_expires: Duration,
    /// How flows are kept alive and found dead.
    pub keep_alive: KeepAlivePolicy,
    /// What is done about a 3xx.
    pub redirects: Redirects,
    /// How long an INVITE waits after each provisional answer before it is cancelled.
    pub ringing_patience: Duration,
    /// What a peer may make us hold.
    pub limits: Limits,
    /// How tolerant the parser is.
    pub leniency: Leniency,
    /// The base of every timer.
    pub timings: Timings,
    /// The names of calls and requests are numbers above this one, so that several endpoints of one caller share none.
    pub ids_after: u64,
}

impl EndpointConfig {
    /// Makes the configuration of `aor` on the device `instance_id`, everything else at its default.
    pub fn new(aor: Uri<'static>, instance_id: impl Into<String>) -> Self {
        Self {
            aor,
            display_name: None,
            registrar: None,
            contact_transport: Some("ws".into()),
            contact_host: None,
            instance_id: instance_id.into(),
            reg_id: 1,
            user_agent: concat!("offhook/", env!("CARGO_PKG_VERSION")).into(),
            credentials: None,
            awaits_credentials: false,
            extra_headers: Vec::new(),
            domains: Vec::new(),
            route_set: Vec::new(),
            allow: vec![
                Method::Invite,
                Method::Ack,
                Method::Cancel,
                Method::Bye,
                Method::Options,
                Method::Message,
                Method::Info,
                Method::Update,
                Method::Notify,
                Method::Prack,
            ],
            event_packages: Vec::new(),
            session_timers: None,
            supported: vec!["outbound".into(), "path".into(), "gruu".into()],
            accept: vec!["application/sdp".into()],
            register_expires: Duration::from_secs(600),
            keep_alive: KeepAlivePolicy::default(),
            redirects: Redirects::default(),
            // RFC 3261 §16.6, Timer C: more than three minutes.
            ringing_patience: Duration::from_secs(185),
            limits: Limits::default(),
            leniency: Leniency::Interop,
            timings: Timings::default(),
            ids_after: 0,
        }
    }
}

/// How long calls live without a refresh (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimers {
    /// Seconds to ask for.
    pub expires: u32,
    /// The fewest seconds to agree to; not below 90.
    pub min_se: u32,
}

/// How a flow is kept alive and found dead (RFC 5626 §3.5.1, RFC 7118 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepAlivePolicy {
    /// What is sent.
    pub probe: Probe,
    /// Longest silence between two probes; each wait is drawn from 80–100 % of it. `Duration::ZERO` sends none.
    pub interval: Duration,
    /// How long an answer may take before the flow counts as dead.
    pub patience: Duration,
}

impl Default for KeepAlivePolicy {
    fn default() -> Self {
        Self {
            probe: Probe::Ping,
            // With the patience 14 s at most until a dead flow is known to be one: somebody may be calling meanwhile. RFC 5626
            // §4.4.1 asks for 95 to 120 s, so that batteries last; a softphone's machine has one that such a ping does not empty.
            interval: Duration::from_secs(8),
            // RFC 5626 §4.4.1 has 10 s. A server that stands still for 5 s, or three retransmissions of TCP, are within.
            patience: Duration::from_secs(6),
        }
    }
}

/// What keeps a flow alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// A WebSocket ping over WebSocket flows, CRLF CRLF over others.
    Ping,
    /// CRLF CRLF over every flow, inside a frame over WebSocket.
    Crlf,
}

/// What is done about a 3xx answer to our INVITE (RFC 3261 §8.1.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Tell the caller.
    Report,
    /// Try its contacts, best `q` first, none twice, at most this many in all.
    Follow(u32),
}

impl Default for Redirects {
    fn default() -> Self {
        Redirects::Follow(5)
    }
}

/// What a peer may make us hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// INVITEs outside a dialog taken in any one second, and as many SUBSCRIBEs; more are given 503 with Retry-After.
    pub new_dialogs_per_second: u32,
    /// Requests of others alive at once without a final answer, and as many again inside dialogs; a further one is given 503
    /// without a transaction.
    pub open_requests: usize,
    /// Requests of ours alive at once; what others send does not count.
    pub sent_requests: usize,
    /// Calls that others place alive at once without our final answer; a further one is given 503.
    pub unanswered: usize,
    /// Our own calls and those that we answered, alive at once.
    pub usages: usize,
    /// Early dialogs of one INVITE; answers of further forks are dropped.
    pub forks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            new_dialogs_per_second: 100,
            open_requests: 2048,
            sent_requests: 4096,
            unanswered: 4096,
            usages: 4096,
            forks: 32,
        }
    }
}
