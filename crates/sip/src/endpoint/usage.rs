//! Calls: what is remembered of each between its INVITE and its end.

use bytes::Bytes;

use super::command::Body;
use super::event::{RequestId, ServerRequestId};
use super::redirecting::Alternative;
use super::session_timer::Timing;
use crate::dialog::{Dialog, DialogId};
use crate::message::{Request, Response};
use crate::transaction::{ClientKey, FlowId, ServerKey};
use crate::uri::Uri;

/// One call.
///
/// ```text
/// Calling ─2xx─► Established ─BYE, 481, no ACK─► over
///    └─refused, cancelled, silent─► over    ▲
/// Called ─our 2xx───────────────────────────┘
///    └─our refusal, CANCEL, BYE, flow lost─► over
/// ```
#[derive(Debug)]
pub(super) enum Usage {
    /// Our INVITE waits for its final answer.
    Calling(Box<Calling>),
    /// Their INVITE waits for our final answer.
    Called(Box<Called>),
    /// A 2xx was sent or received.
    Established(Box<Established>),
    /// The call is over; its dialog is kept for notifications.
    Lingering(Box<Lingering>),
}

impl Usage {
    pub(super) fn state(&self) -> &'static str {
        match self {
            Usage::Calling(_) => "our INVITE is unanswered",
            Usage::Called(_) => "their INVITE is unanswered",
            Usage::Established(_) => "established",
            Usage::Lingering(_) => "over",
        }
    }
}

/// An INVITE of ours without a final answer.
#[derive(Debug)]
pub(super) struct Calling {
    pub(super) client: ClientKey,
    pub(super) flow: FlowId,
    /// As it was sent, without our Via.
    pub(super) request: Request,
    pub(super) early: Vec<Early>,
    pub(super) timing: Timing,
    pub(super) cancel: Option<WhyCancelled>,
    /// Its flow is gone, and it waits for another.
    pub(super) stranded: bool,
    /// It was repeated over another, and only `100` has come of it.
    pub(super) repeated: bool,
    pub(super) redirection: Redirection,
    /// How often it was sent again with credentials or without an option.
    pub(super) retries: u32,
}

/// One fork of our INVITE that has answered provisionally.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// Of its last reliable answer.
    pub(super) rseq: Option<u32>,
    pub(super) offers: EarlyOffers,
}

/// Offer and answer inside an early dialog.
#[derive(Debug, Default)]
pub(super) struct EarlyOffers {
    /// The INVITE's offer was answered reliably: others may follow (RFC 3311 §5.1).
    pub(super) answered: bool,
    /// Theirs that we have not answered.
    pub(super) theirs: Option<ServerRequestId>,
}

/// Why our INVITE was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhyCancelled {
    Wanted,
    /// It rang for too long.
    Patience,
}

/// Where a call was redirected to, and where it has been.
#[derive(Debug, Default)]
pub(super) struct Redirection {
    pub(super) tried: Vec<Uri<'static>>,
    pub(super) left: Vec<Alternative>,
}

/// An INVITE of theirs without a final answer.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) server: ServerKey,
    pub(super) flow: FlowId,
    pub(super) request: Request,
    pub(super) dialog: Dialog,
    /// The last provisional answer, repeated every minute (RFC 3261 §13.3.1.1).
    pub(super) provisional: Option<Response>,
    /// The last provisional answer that was sent reliably.
    pub(super) reliable: Option<Reliable>,
    /// The one that waits for its PRACK.
    pub(super) next_reliable: Option<Response>,
    pub(super) offers: EarlyOffers,
}

/// A provisional answer of ours that needs a PRACK (RFC 3262 §3).
#[derive(Debug)]
pub(super) struct Reliable {
    pub(super) rseq: u32,
    /// Sent again until its PRACK.
    pub(super) response: Option<Response>,
    pub(super) repeats: u32,
}

impl Called {
    /// RFC 3262 §3, RFC 3311 §5.2: what keeps a 2xx back.
    pub(super) fn has_offer_pending(&self) -> bool {
        self.offers.theirs.is_some() || self.reliable.as_ref().is_some_and(Reliable::describes)
    }
}

impl Reliable {
    pub(super) fn is_open(&self) -> bool {
        self.response.is_some()
    }

    /// Whether its PRACK has to come before a 2xx.
    pub(super) fn describes(&self) -> bool {
        let response = self.response.as_ref();
        response.is_some_and(|response| !response.body().is_empty())
    }
}

/// A call with a confirmed dialog.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) dialog: Dialog,
    pub(super) flow: FlowId,
    /// The answer that our caller owes in the ACK of a 2xx with an offer.
    pub(super) owed_ack: Option<OwedAck>,
    /// Our 2xx that waits for its ACK.
    pub(super) unacked: Option<Unacked>,
    /// Whether the other side knows that the call stands: a callee may not hang up before (RFC 3261 §15).
    pub(super) may_bye: bool,
    pub(super) held_bye: Option<HeldBye>,
    pub(super) our_offer: Option<OurOffer>,
    pub(super) their_offer: Option<ServerRequestId>,
    /// Our BYE, once it is out.
    pub(super) bye: Option<RequestId>,
    pub(super) timing: Timing,
    /// By its Allow header.
    pub(super) peer_takes_update: bool,
    /// RSeq and CSeq of the reliable provisional answer whose PRACK our 2xx has overtaken.
    pub(super) last_prack: Option<(u32, u32)>,
    /// How many need the dialog beyond the call's end.
    pub(super) retained: u32,
}

/// A dialog without its call.
#[derive(Debug)]
pub(super) struct Lingering {
    pub(super) dialog: Dialog,
    pub(super) flow: FlowId,
    pub(super) retained: u32,
}

impl Established {
    pub(super) fn new(dialog: Dialog, flow: FlowId) -> Self {
        Self {
            dialog,
            flow,
            owed_ack: None,
            unacked: None,
            may_bye: true,
            held_bye: None,
            our_offer: None,
            their_offer: None,
            bye: None,
            timing: Timing::default(),
            peer_takes_update: false,
            last_prack: None,
            retained: 0,
        }
    }

    /// Says whether an offer, either way, has not run its course.
    pub(super) fn has_offer_pending(&self) -> bool {
        self.our_offer.is_some()
            || self.their_offer.is_some()
            || self.unacked.is_some()
            || self.owed_ack.is_some()
    }
}

#[derive(Debug)]
pub(super) struct OwedAck {
    pub(super) client: ClientKey,
    /// The INVITE, for its CSeq and credentials.
    pub(super) invite: Request,
    pub(super) remote_tag: String,
}

#[derive(Debug)]
pub(super) struct Unacked {
    pub(super) bytes: Bytes,
    pub(super) cseq: u32,
    /// It holds our offer, which the ACK answers.
    pub(super) offers: bool,
    pub(super) repeats: u32,
}

#[derive(Debug)]
pub(super) struct HeldBye {
    pub(super) id: RequestId,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Body>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OurOffer {
    pub(super) id: RequestId,
    pub(super) client: ClientKey,
}

/// What a client transaction of ours is for.
#[derive(Debug)]
pub(super) enum Sent {
    /// The INVITE of a call, and the forks that it reached.
    Invite(InviteSent),
    /// A request inside a call's dialog.
    Within(WithinSent),
    /// Acknowledges a reliable provisional answer to a call's INVITE.
    Prack {
        usage: super::UsageId,
        dialog: DialogId,
        request: Request,
        retries: u32,
    },
    /// A request outside any dialog.
    Outside {
        id: RequestId,
        request: Request,
        retries: u32,
    },
    /// A SUBSCRIBE, within its dialog or before there is one.
    Subscribe {
        id: super::SubscriptionId,
        request: Request,
        retries: u32,
    },
    /// A NOTIFY to a subscriber; `last` where it ends the subscription.
    Notify {
        id: super::NotifierId,
        request: Request,
        last: bool,
        retries: u32,
    },
    /// A REGISTER.
    Register { request: Request, retries: u32 },
    /// The BYE of a dialog that no call of ours has any more.
    Hangup {
        dialog: Box<Dialog>,
        request: Request,
        retries: u32,
    },
}

impl Sent {
    pub(super) fn request(&self) -> &Request {
        match self {
            Sent::Invite(sent) => &sent.request,
            Sent::Within(sent) => &sent.request,
            Sent::Outside { request, .. }
            | Sent::Prack { request, .. }
            | Sent::Subscribe { request, .. }
            | Sent::Notify { request, .. }
            | Sent::Register { request, .. }
            | Sent::Hangup { request, .. } => request,
        }
    }
}

#[derive(Debug)]
pub(super) struct InviteSent {
    pub(super) usage: super::UsageId,
    pub(super) request: Request,
    pub(super) flow: FlowId,
}

#[derive(Debug)]
pub(super) struct WithinSent {
    pub(super) usage: super::UsageId,
    pub(super) id: RequestId,
    pub(super) request: Request,
    pub(super) retries: u32,
    /// A re-INVITE with a 2xx, whose repeats are still to be acknowledged.
    pub(super) accepted: bool,
}

/// What a server transaction is for, if somebody still has to answer it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Received {
    /// The INVITE of a call.
    Invite(super::UsageId),
    /// A request that was handed up.
    Asked(ServerRequestId),
}

/// A request that was handed up and waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: ServerKey,
    pub(super) usage: Option<super::UsageId>,
    pub(super) request: Request,
}
