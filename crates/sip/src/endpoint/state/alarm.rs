//! What an endpoint waits for, and why.

use crate::endpoint::event::NotifierId;
use crate::endpoint::event::SubscriptionId;
use crate::endpoint::event::UsageId;
use crate::transaction::{ClientKey, FlowId};

/// What an endpoint waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::endpoint) enum Alarm {
    /// REGISTER again.
    Register,
    /// Our INVITE rings for too long.
    Ringing(UsageId),
    /// Our INVITE goes on over another flow, and nothing came of it yet.
    Unheard(UsageId),
    /// The CANCEL of an INVITE whose flow was lost brought nothing.
    Abandoned(ClientKey),
    /// Our 2xx is to be sent again.
    Repeat2xx(UsageId),
    /// Our 2xx had no ACK.
    AckWait(UsageId),
    /// Our provisional answer is to be sent again.
    RepeatProvisional(UsageId),
    /// Our reliable provisional answer is to be sent again.
    RepeatReliable(UsageId),
    /// Our reliable provisional answer had no PRACK.
    PrackWait(UsageId),
    /// A call is to be refreshed by us.
    SessionRefresh(UsageId),
    /// A call was not refreshed in time.
    SessionExpiry(UsageId),
    /// The wait after a 491 is over.
    OfferDue(UsageId),
    /// No further 2xx to our INVITE can come.
    Forks(ClientKey),
    /// BYEs without a flow are not worth sending any more.
    Stranded,
    /// A subscription is to be refreshed.
    Resubscribe(SubscriptionId),
    /// A subscription had no notification (Timer N).
    Notified(SubscriptionId),
    /// A subscriber has not renewed its subscription.
    Lapse(NotifierId),
    /// A subscriber that asked for patience is told what it is owed.
    NotifyAgain(NotifierId),
    /// A flow is to be probed.
    Probe(FlowId),
    /// A flow's probe had no answer.
    Pong(FlowId),
}

impl Alarm {
    pub(in crate::endpoint) fn why(self) -> &'static str {
        match self {
            Alarm::Register => "register again",
            Alarm::Ringing(_) => "give up ringing",
            Alarm::Unheard(_) => "give up a call that lost its flow",
            Alarm::Abandoned(_) => "hang up who answered a call that was given up",
            Alarm::Repeat2xx(_) => "repeat a 2xx",
            Alarm::AckWait(_) => "give up waiting for an ACK",
            Alarm::RepeatProvisional(_) => "repeat a provisional answer",
            Alarm::RepeatReliable(_) => "repeat a reliable provisional answer",
            Alarm::PrackWait(_) => "give up waiting for a PRACK",
            Alarm::SessionRefresh(_) => "refresh a session",
            Alarm::SessionExpiry(_) => "end a session that nobody refreshes",
            Alarm::OfferDue(_) => "offer again after a 491",
            Alarm::Forks(_) => "forget an INVITE's forks",
            Alarm::Stranded => "forget a BYE without a flow",
            Alarm::Resubscribe(_) => "refresh a subscription",
            Alarm::Notified(_) => "give up waiting for a NOTIFY",
            Alarm::Lapse(_) => "end a subscription that nobody renews",
            Alarm::NotifyAgain(_) => "notify a subscriber again",
            Alarm::Probe(_) => "probe a flow",
            Alarm::Pong(_) => "give up a silent flow",
        }
    }
}
