//! Calls: what is remembered of each between its INVITE and its end.

use bytes::Bytes;

use super::timing::Timing;
use crate::dialog::{Dialog, DialogId};
use crate::endpoint::command::Body;
use crate::endpoint::event::Alternative;
use crate::endpoint::event::{NotifierId, RequestId, ServerRequestId, SubscriptionId, UsageId};
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
pub(in crate::endpoint) enum Usage {
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
    /// The flow that it takes while that is up.
    pub(in crate::endpoint) fn flow(&self) -> FlowId {
        match self {
            Usage::Calling(calling) => calling.flow,
            Usage::Called(called) => called.flow,
            Usage::Established(established) => established.flow,
            Usage::Lingering(lingering) => lingering.flow,
        }
    }

    pub(in crate::endpoint) fn state(&self) -> &'static str {
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
pub(in crate::endpoint) struct Calling {
    pub(in crate::endpoint) client: ClientKey,
    pub(in crate::endpoint) flow: FlowId,
    /// As it was sent, without our Via.
    pub(in crate::endpoint) request: Request,
    pub(in crate::endpoint) early: Vec<Early>,
    pub(in crate::endpoint) timing: Timing,
    pub(in crate::endpoint) cancel: Option<WhyCancelled>,
    /// Its flow is gone, and it waits for another.
    pub(in crate::endpoint) stranded: bool,
    /// It was repeated over another, and only `100` has come of it.
    pub(in crate::endpoint) repeated: bool,
    pub(in crate::endpoint) redirection: Redirection,
    /// How often it was sent again with credentials or without an option.
    pub(in crate::endpoint) retries: u32,
    pub(in crate::endpoint) credentials: OtherCredentials,
}

/// Whether our caller was asked for other credentials than those that were refused; once for each call.
#[derive(Debug, Default)]
pub(in crate::endpoint) enum OtherCredentials {
    #[default]
    Unasked,
    /// It has no answer yet; this is the refusal.
    Awaited(Response),
    /// There are others, and no flow to show them over.
    Unsent(Response),
    Came,
}

/// One fork of our INVITE that has answered provisionally.
#[derive(Debug)]
pub(in crate::endpoint) struct Early {
    pub(in crate::endpoint) dialog: Dialog,
    /// Of its last reliable answer.
    pub(in crate::endpoint) rseq: Option<u32>,
    pub(in crate::endpoint) offers: EarlyOffers,
}

/// Offer and answer inside an early dialog.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct EarlyOffers {
    /// The INVITE's offer was answered reliably: others may follow (RFC 3311 §5.1).
    pub(in crate::endpoint) answered: bool,
    /// Theirs that we have not answered.
    pub(in crate::endpoint) theirs: Option<ServerRequestId>,
}

/// Why our INVITE was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::endpoint) enum WhyCancelled {
    Wanted,
    /// It rang for too long.
    Patience,
}

/// Where a call was redirected to, and where it has been.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Redirection {
    pub(in crate::endpoint) tried: Vec<Uri<'static>>,
    pub(in crate::endpoint) left: Vec<Alternative>,
}

/// An INVITE of theirs without a final answer.
#[derive(Debug)]
pub(in crate::endpoint) struct Called {
    pub(in crate::endpoint) server: ServerKey,
    pub(in crate::endpoint) flow: FlowId,
    pub(in crate::endpoint) request: Request,
    pub(in crate::endpoint) dialog: Dialog,
    /// The last provisional answer, repeated every minute (RFC 3261 §13.3.1.1).
    pub(in crate::endpoint) provisional: Option<Response>,
    /// The last provisional answer that was sent reliably.
    pub(in crate::endpoint) reliable: Option<Reliable>,
    /// The one that waits for its PRACK.
    pub(in crate::endpoint) next_reliable: Option<Response>,
    pub(in crate::endpoint) offers: EarlyOffers,
}

/// A provisional answer of ours that needs a PRACK (RFC 3262 §3).
#[derive(Debug)]
pub(in crate::endpoint) struct Reliable {
    pub(in crate::endpoint) rseq: u32,
    /// Sent again until its PRACK.
    pub(in crate::endpoint) response: Option<Response>,
    pub(in crate::endpoint) repeats: u32,
}

impl Called {
    /// RFC 3262 §3, RFC 3311 §5.2: what keeps a 2xx back.
    pub(in crate::endpoint) fn has_offer_pending(&self) -> bool {
        self.offers.theirs.is_some() || self.reliable.as_ref().is_some_and(Reliable::describes)
    }
}

impl Reliable {
    pub(in crate::endpoint) fn is_open(&self) -> bool {
        self.response.is_some()
    }

    /// Whether its PRACK has to come before a 2xx.
    pub(in crate::endpoint) fn describes(&self) -> bool {
        let response = self.response.as_ref();
        response.is_some_and(|response| !response.body().is_empty())
    }
}

/// A call with a confirmed dialog.
#[derive(Debug)]
pub(in crate::endpoint) struct Established {
    pub(in crate::endpoint) dialog: Dialog,
    pub(in crate::endpoint) flow: FlowId,
    /// The answer that our caller owes in the ACK of a 2xx with an offer.
    pub(in crate::endpoint) owed_ack: Option<OwedAck>,
    /// Our 2xx that waits for its ACK.
    pub(in crate::endpoint) unacked: Option<Unacked>,
    /// Whether the other side knows that the call stands: a callee may not hang up before (RFC 3261 §15).
    pub(in crate::endpoint) may_bye: bool,
    pub(in crate::endpoint) held_bye: Option<HeldBye>,
    pub(in crate::endpoint) our_offer: Option<OurOffer>,
    pub(in crate::endpoint) their_offer: Option<ServerRequestId>,
    /// Our BYE, once it is out.
    pub(in crate::endpoint) bye: Option<RequestId>,
    pub(in crate::endpoint) timing: Timing,
    /// By its Allow header.
    pub(in crate::endpoint) peer_takes_update: bool,
    /// RSeq and CSeq of the reliable provisional answer whose PRACK our 2xx has overtaken.
    pub(in crate::endpoint) last_prack: Option<(u32, u32)>,
    /// How many need the dialog beyond the call's end.
    pub(in crate::endpoint) retained: u32,
}

/// A dialog without its call.
#[derive(Debug)]
pub(in crate::endpoint) struct Lingering {
    pub(in crate::endpoint) dialog: Dialog,
    pub(in crate::endpoint) flow: FlowId,
    pub(in crate::endpoint) retained: u32,
}

impl Established {
    pub(in crate::endpoint) fn new(dialog: Dialog, flow: FlowId) -> Self {
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
    pub(in crate::endpoint) fn has_offer_pending(&self) -> bool {
        self.our_offer.is_some()
            || self.their_offer.is_some()
            || self.unacked.as_ref().is_some_and(Unacked::is_pending)
            || self.owed_ack.is_some()
    }
}

#[derive(Debug)]
pub(in crate::endpoint) struct OwedAck {
    pub(in crate::endpoint) client: ClientKey,
    /// The INVITE, for its CSeq and credentials.
    pub(in crate::endpoint) invite: Request,
    pub(in crate::endpoint) remote_tag: String,
}

#[derive(Debug)]
pub(in crate::endpoint) struct Unacked {
    pub(in crate::endpoint) bytes: Bytes,
    pub(in crate::endpoint) cseq: u32,
    /// It holds our offer, which the ACK answers.
    pub(in crate::endpoint) offers: bool,
    pub(in crate::endpoint) repeats: u32,
    /// The flow that it went over broke, so that its ACK may have gone to where nobody is.
    pub(in crate::endpoint) ack_may_be_lost: bool,
}

impl Unacked {
    /// Whether another offer has to wait for the ACK. RFC 3261 §14.1 lets none wait for that of a plain 2xx; ours do, so that
    /// both sides agree on what is in force. But a peer whose ACKs go to a flow that broke learns of the new one by our offer only.
    fn is_pending(&self) -> bool {
        !self.may_have_arrived()
    }

    /// Whether it may have arrived, and only its ACK not.
    pub(in crate::endpoint) fn may_have_arrived(&self) -> bool {
        self.ack_may_be_lost && !self.offers
    }
}

#[derive(Debug)]
pub(in crate::endpoint) struct HeldBye {
    pub(in crate::endpoint) id: RequestId,
    pub(in crate::endpoint) headers: Vec<(String, String)>,
    pub(in crate::endpoint) body: Option<Body>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::endpoint) struct OurOffer {
    pub(in crate::endpoint) id: RequestId,
    pub(in crate::endpoint) client: ClientKey,
}

/// What a client transaction of ours is for.
#[derive(Debug)]
pub(in crate::endpoint) enum Sent {
    /// The INVITE of a call, and the forks that it reached.
    Invite(InviteSent),
    /// A request inside a call's dialog.
    Within(WithinSent),
    /// Acknowledges a reliable provisional answer to a call's INVITE.
    Prack {
        usage: UsageId,
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
        id: SubscriptionId,
        request: Request,
        retries: u32,
    },
    /// A NOTIFY to a subscriber; `last` where it ends the subscription.
    Notify {
        id: NotifierId,
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
    pub(in crate::endpoint) fn request(&self) -> &Request {
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
pub(in crate::endpoint) struct InviteSent {
    pub(in crate::endpoint) usage: UsageId,
    pub(in crate::endpoint) request: Request,
    pub(in crate::endpoint) flow: FlowId,
}

#[derive(Debug)]
pub(in crate::endpoint) struct WithinSent {
    pub(in crate::endpoint) usage: UsageId,
    pub(in crate::endpoint) id: RequestId,
    pub(in crate::endpoint) request: Request,
    pub(in crate::endpoint) retries: u32,
    /// A re-INVITE with a 2xx, whose repeats are still to be acknowledged.
    pub(in crate::endpoint) accepted: bool,
}

/// What a server transaction is for, if somebody still has to answer it.
#[derive(Debug, Clone, Copy)]
pub(in crate::endpoint) enum Received {
    /// The INVITE of a call.
    Invite(UsageId),
    /// A request that was handed up.
    Asked(ServerRequestId),
}

/// A request that was handed up and waits for its answer.
#[derive(Debug)]
pub(in crate::endpoint) struct Asked {
    pub(in crate::endpoint) server: ServerKey,
    pub(in crate::endpoint) usage: Option<UsageId>,
    pub(in crate::endpoint) request: Request,
}
