//! What a user agent tells its caller.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::auth::Unsupported;
use crate::dialog::DialogId;
use crate::message::{Method, Request, Response};
use crate::transaction::FlowId;
use crate::uri::Uri;

/// Names one call, ours or theirs, from its INVITE to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageId(pub u64);

/// Names a request that we sent, outside or inside a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names a request that we received and that its caller has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerRequestId(pub u64);

/// Names one subscription, from its SUBSCRIBE to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// Names one subscriber, from our acceptance to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotifierId(pub u64);

/// What [`Endpoint::poll_output`](super::Endpoint::poll_output) gives.
#[allow(
    clippy::large_enum_variant,
    reason = "an output is made once and taken once"
)]
#[derive(Debug, Clone)]
pub enum Output {
    /// Send these bytes as one message.
    Transmit {
        /// The flow to send over.
        flow: FlowId,
        /// One SIP message, or a CRLF keep-alive.
        bytes: Bytes,
    },
    /// Send a WebSocket ping and report its pong.
    KeepAlive {
        /// The flow to probe.
        flow: FlowId,
    },
    /// Something happened.
    Event(Event),
    /// Nothing more until the next input; `handle_timeout` is due then, if ever, for this reason.
    Timeout(Option<Instant>, &'static str),
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The registrar took or renewed our binding.
    Registered(Registered),
    /// Our binding is gone because we asked for it.
    Unregistered,
    /// The registrar refused or did not answer.
    RegistrationFailed(RegistrationFailed),
    /// A provisional answer to our INVITE, above 100.
    Provisional {
        /// The call.
        usage: UsageId,
        /// The early dialog it belongs to; `None` if it has no To tag.
        dialog: Option<DialogId>,
        /// Its description is the answer to our offer, and not a preview of it (RFC 3262 §5).
        reliable: bool,
        /// The answer.
        response: Response,
    },
    /// Our INVITE was accepted; its ACK is sent unless the caller owes an answer in it.
    Answered {
        /// The call.
        usage: UsageId,
        /// The 2xx.
        response: Response,
    },
    /// Our INVITE goes to another address, as an answer asked for.
    Redirecting {
        /// The call.
        usage: UsageId,
        /// Where it goes now.
        target: Uri<'static>,
        /// The answer to the INVITE before.
        response: Response,
    },
    /// Our INVITE was redirected and the policy is to tell; final.
    Redirected {
        /// The call.
        usage: UsageId,
        /// Where else to try, best first.
        alternatives: Vec<Alternative>,
        /// The 3xx.
        response: Response,
    },
    /// Our INVITE waits, because the credentials in it were refused: once for a call, and only if
    /// [`EndpointConfig::awaits_credentials`](super::EndpointConfig) is set. Until
    /// [`Endpoint::send_refused`](super::Endpoint::send_refused) or [`Endpoint::drop_refused`](super::Endpoint::drop_refused).
    CredentialsRefused {
        /// The call.
        usage: UsageId,
    },
    /// Our INVITE came to nothing; final.
    Failed {
        /// The call.
        usage: UsageId,
        /// Why.
        cause: FailureCause,
    },
    /// Somebody calls.
    Incoming {
        /// The call.
        usage: UsageId,
        /// The INVITE.
        request: Request,
    },
    /// The call that somebody placed is over before we answered it; final.
    Cancelled {
        /// The call.
        usage: UsageId,
        /// The CANCEL or BYE; `None` if the flow was lost, or our reliable answer had no PRACK.
        cancel: Option<Request>,
    },
    /// The ACK of our 2xx to an INVITE or re-INVITE.
    Acked {
        /// The call.
        usage: UsageId,
        /// The ACK.
        ack: Request,
    },
    /// No ACK of our 2xx came in 64·T1; a BYE is on its way, `Ended` follows.
    AckTimeout {
        /// The call.
        usage: UsageId,
    },
    /// A request that the caller has to answer with [`Endpoint::answer`](super::Endpoint::answer).
    Request {
        /// The call in whose dialog it came; `None` outside.
        usage: Option<UsageId>,
        /// Its name.
        id: ServerRequestId,
        /// The request.
        request: Request,
    },
    /// A request that the caller has to answer is gone: its flow was lost, it was cancelled, or it is too late.
    RequestGone {
        /// Its name.
        id: ServerRequestId,
    },
    /// The final answer to a request of ours.
    Response {
        /// The request.
        id: RequestId,
        /// The answer.
        response: Response,
    },
    /// A request of ours had no final answer.
    RequestFailed {
        /// The request.
        id: RequestId,
        /// Why.
        cause: RequestFailure,
    },
    /// The server has taken our SUBSCRIBE; the state comes with `Notified`.
    Subscribed {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// The state of what we subscribe to, answered with 200 already.
    Notified {
        /// The subscription.
        subscription: SubscriptionId,
        /// The NOTIFY.
        request: Request,
    },
    /// A subscription is over; final.
    Unsubscribed {
        /// The subscription.
        subscription: SubscriptionId,
        /// Why.
        end: SubscriptionEnd,
    },
    /// A subscriber is told nothing any more; final.
    NotifierEnded {
        /// The subscriber.
        notifier: NotifierId,
        /// Why.
        end: NotifierEnd,
    },
    /// Our re-INVITE or UPDATE met theirs, and the wait of RFC 3261 §14.1 is over: offer again if still wanted. Or, in a
    /// call that is not answered, what was `OfferPending` is out of the way.
    OfferDue {
        /// The call.
        usage: UsageId,
    },
    /// The call has to be refreshed by a re-INVITE, because the other side takes no UPDATE (RFC 4028 §7.4).
    RefreshDue {
        /// The call.
        usage: UsageId,
    },
    /// A request of ours that belongs to the call was answered by nobody although its flow was up, or by 408; or our offer
    /// by a status that [ends the call](super::ends_call), so soon after the flow was found again that it may be the word of
    /// a server that has restarted. RFC 3261 §12.2.1.2 lets that end the call; the caller may know better, and [`give_up`](super::Endpoint::give_up) else.
    NoAnswer {
        /// The call.
        usage: UsageId,
    },
    /// An established call is over; final.
    Ended {
        /// The call.
        usage: UsageId,
        /// Why.
        cause: EndCause,
    },
    /// A flow answered no keep-alive; it counts as down, and its owner should close it.
    FlowFailed {
        /// The flow.
        flow: FlowId,
    },
    /// A challenge to a request of ours other than REGISTER was not answered; the request fails with it.
    Unanswered {
        /// The request's method.
        method: Method,
        /// Why not.
        why: Unsupported,
    },
    /// A message was dropped.
    Discarded {
        /// Why, for the log.
        why: String,
    },
}

/// What the registrar granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// How long our binding lives.
    pub expires: Duration,
    /// Our public GRUU, if one was given (RFC 5627 §4.2).
    pub pub_gruu: Option<String>,
    /// Our newest temporary GRUU, if one was given.
    pub temp_gruu: Option<String>,
    /// The Route that requests outside dialogs take from now on (RFC 3608).
    pub service_route: Vec<String>,
    /// Whether our binding existed already and was renewed.
    pub renewed: bool,
}

/// Why we are not registered.
#[derive(Debug, Clone)]
pub struct RegistrationFailed {
    /// The refusal; `None` if nobody answered or the flow was lost.
    pub response: Option<Response>,
    /// What is wrong, if the answer's own reason does not say it.
    pub why: Option<Obstacle>,
    /// When the next try is made by itself; `None` if none is.
    pub retry_in: Option<Duration>,
    /// Whether trying again can't help until something is changed: credentials, account, configuration.
    pub fatal: bool,
}

/// What keeps us from being registered beside a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The 2xx lists our binding as over at once.
    #[error("the registrar lists no binding of ours")]
    NoBinding,
    /// The challenge can't be answered, or we would not.
    #[error("{0}")]
    Challenge(#[from] Unsupported),
}

/// Why our INVITE came to nothing.
#[derive(Debug, Clone)]
pub enum FailureCause {
    /// It was refused; 487 where our CANCEL was heard.
    Response(Response),
    /// Nobody answered it, or its CANCEL, in time.
    Timeout,
    /// The flow was lost, or there was none.
    Transport,
    /// It was accepted although we had cancelled it: acknowledged and hung up (RFC 3261 §9.1).
    AnsweredAfterCancel(Response),
}

/// Why a request of ours had no final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFailure {
    /// Nobody answered in 64·T1.
    Timeout,
    /// The flow was lost.
    Transport,
    /// Its dialog ended first.
    DialogEnded,
}

/// Why an established call is over.
#[derive(Debug, Clone)]
pub enum EndCause {
    /// They hung up.
    Bye(Request),
    /// We hung up, and it was answered, or nobody was there to answer.
    Local,
    /// The other side does not know the dialog any more (RFC 3261 §12.2.1.2, RFC 5057 §5.1).
    Gone(Response),
    /// A request inside the dialog was not answered although its flow was up, and the caller gave the call up.
    NoAnswer,
    /// No ACK of our 2xx came; we hung up.
    NoAck,
    /// Nobody refreshed the call in time; we hung up (RFC 4028 §10).
    Expired,
}

/// Why a subscription is over.
#[derive(Debug, Clone)]
pub enum SubscriptionEnd {
    /// We gave it up.
    Local,
    /// The server refused it, or its refresh.
    Refused(Box<Response>),
    /// The server ended it (RFC 6665 §4.1.3).
    Terminated {
        /// Its reason, if it gave one.
        reason: Option<String>,
        /// How long to wait before the next.
        retry_after: Option<Duration>,
    },
    /// Nobody answered, or nobody notified.
    Silent,
    /// The flow was lost before it stood.
    Transport,
}

/// Why a subscriber is told nothing any more.
#[derive(Debug, Clone)]
pub enum NotifierEnd {
    /// It was not renewed in time.
    Expired,
    /// The subscriber gave it up.
    Unsubscribed,
    /// The subscriber refused a notification.
    Refused(Box<Response>),
    /// Nobody answered a notification.
    Silent,
}

/// Where a call may be tried instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// The address, without what it would add to a request.
    pub uri: Uri<'static>,
    /// Who that is, for people.
    pub display_name: Option<String>,
    /// How much it is preferred, 0 to 1000.
    pub q: u16,
}
