//! The offers of an answered call: the one that is open, and what is owed to the peer.

use std::time::{Duration, Instant};

use sip::endpoint::{RequestId, ServerRequestId};

use crate::door::error::SipStatus;
use crate::door::hold_via::HoldVia;
use crate::door::sdp::Sdp;

use super::pictures::Version;

/// An offer that could not be sent for a reason of our own is made again.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
/// An offer that nobody answers is made again after 2 s, 4 s and so on, at last every 64 s.
const MOST_DOUBLED: u32 = 5;

/// The offers of an answered call; there is one at a time (RFC 3264 §4).
#[derive(Debug)]
pub(super) struct Offerer {
    pub(super) negotiation: Negotiation,
    /// Theirs, until what is open is closed.
    pub(super) waiting: Option<Waiting>,
    /// What the peer is still to be told, beside hold.
    pub(super) owed: Owed,
    /// What our open offer is for.
    pub(super) purpose: Purpose,
    pub(super) pause: Pause,
    /// How often our offer was put off in a row.
    pub(super) put_off: u32,
    /// Our offer that had no answer, until it is known what that means for the call.
    pub(super) unanswered: Option<Unanswered>,
    /// How many offers in a row had no answer.
    in_vain: u32,
    /// When the peer showed last that it is there although it had answered none.
    heard: Option<Instant>,
    /// Our offer is given up then.
    pub(super) until: Option<Instant>,
}

/// What the peer of an answered call is still to be told.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// The flow is new.
    pub(super) refresh: bool,
    /// The media path failed, or is silent since the flow was lost: ICE is to be restarted.
    pub(super) restart: bool,
    /// The session is to be refreshed, without anything new (RFC 4028 §7.4), or the peer may take something else for given
    /// than what holds.
    pub(super) renewal: bool,
}

impl Owed {
    pub(super) fn is_any(&self) -> bool {
        self.refresh || self.restart || self.renewal
    }
}

/// The peer's re-INVITE or UPDATE that came while media was busy; the endpoint lets in one at a time.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) request: ServerRequestId,
    pub(super) offer: Option<Sdp>,
}

/// What an offer of ours in an answered call is for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Purpose {
    pub(super) refresh: bool,
    pub(super) restart: bool,
    pub(super) renewal: bool,
    pub(super) hold: Option<HoldVia>,
    /// Whether it holds the peer; nothing in the offer of a call.
    pub(super) held: Option<bool>,
    /// Which pictures it wants; nothing in the offer of a call.
    pub(super) video: Option<Version>,
}

/// An offer of ours that nobody answered, or somebody else by 408.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) purpose: Purpose,
    pub(super) status: Option<SipStatus>,
}

/// Why an offer that is owed is not made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    No,
    /// It met theirs; the endpoint says when the wait of RFC 3261 §14.1 is over.
    Glare,
    /// The peer was busy with another and named a time (RFC 3261 §14.2).
    Until(Instant),
}

/// The offer that is open in an answered call; there is at most one (RFC 3264 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Negotiation {
    /// None.
    Stable,
    /// Media was asked for our offer.
    Offering,
    /// Our offer is out in this request.
    Offered { request: RequestId },
    /// The same, but it is given up: what comes of it counts still.
    Withdrawn { request: RequestId },
    /// Media was given the answer to our offer.
    Applying,
    /// Media was asked for the answer to the offer in this request.
    Answering { request: ServerRequestId },
    /// Media was asked for the offer that this re-INVITE without one wants.
    OfferingInAnswer { request: ServerRequestId },
    /// Our offer is out in a 200 OK; the ACK brings the answer.
    AwaitingAck,
    /// Media works on a description that nobody waits for: the peer's request is gone, or has its answer.
    Abandoned { ours: bool },
}

impl Offerer {
    pub(super) fn new(negotiation: Negotiation) -> Self {
        Self {
            negotiation,
            waiting: None,
            owed: Owed::default(),
            purpose: Purpose::default(),
            pause: Pause::No,
            put_off: 0,
            unanswered: None,
            in_vain: 0,
            heard: None,
            until: None,
        }
    }

    /// Whether an offer of ours may be made now.
    pub(super) fn is_free(&self) -> bool {
        self.negotiation == Negotiation::Stable && self.pause == Pause::No
    }

    /// What the offer was for is told, or refused: either way it is not owed any more.
    pub(super) fn settle(&mut self, told: Purpose) {
        self.owed.refresh &= !told.refresh;
        self.owed.restart &= !told.restart;
        self.owed.renewal &= !told.renewal;
    }

    /// Forgets our open offer, and says what it was for, which is wanted still.
    pub(super) fn take_back(&mut self) -> Purpose {
        self.negotiation = Negotiation::Stable;
        std::mem::take(&mut self.purpose)
    }

    /// The peer has answered, in whatever way.
    pub(super) fn was_answered(&mut self) {
        self.in_vain = 0;
    }

    /// Nobody has answered: the next try is made later than the one before.
    pub(super) fn back_off(&mut self, now: Instant) {
        let wait = AGAIN * (1 << self.in_vain.min(MOST_DOUBLED));
        self.in_vain += 1;
        self.pause = Pause::Until(now + wait);
    }

    /// Something new: what waits because nobody answered is offered again without waiting longer.
    pub(super) fn hurry(&mut self) {
        if self.in_vain > 0 {
            self.pause = Pause::No;
        }
    }

    /// The peer shows that it is there. One that asks and asks, and answers nothing, is not offered to at its own pace.
    pub(super) fn hear(&mut self, now: Instant) {
        let lately = self.heard.is_some_and(|at| now < at + AGAIN);
        if self.in_vain > 0 && !lately {
            self.heard = Some(now);
            self.pause = Pause::No;
        }
    }

    /// When the next offer may be made, or the one that is out is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let again = match self.pause {
            Pause::Until(at) => Some(at),
            Pause::No | Pause::Glare => None,
        };
        again.into_iter().chain(self.until).min()
    }

    /// Whether an offer of our own is under way, or one in which a hold is told.
    pub(super) fn is_offering(&self) -> bool {
        self.purpose.hold.is_some()
            || match self.negotiation {
                Negotiation::Offering
                | Negotiation::Offered { .. }
                | Negotiation::Withdrawn { .. }
                | Negotiation::Applying => true,
                Negotiation::Stable
                | Negotiation::Answering { .. }
                | Negotiation::OfferingInAnswer { .. }
                | Negotiation::AwaitingAck
                | Negotiation::Abandoned { .. } => false,
            }
    }

    /// Whether this request holds our open offer.
    pub(super) fn is_out_in(&self, request: RequestId) -> bool {
        self.negotiation == Negotiation::Offered { request }
            || self.negotiation == Negotiation::Withdrawn { request }
    }

    /// Whether this request of the peer's waits for our answer.
    pub(super) fn owes(&self, id: ServerRequestId) -> bool {
        let waits = self.waiting.as_ref();
        waits.is_some_and(|waiting| waiting.request == id)
            || match self.negotiation {
                Negotiation::Answering { request } | Negotiation::OfferingInAnswer { request } => {
                    request == id
                }
                Negotiation::Stable
                | Negotiation::Offering
                | Negotiation::Offered { .. }
                | Negotiation::Withdrawn { .. }
                | Negotiation::Applying
                | Negotiation::AwaitingAck
                | Negotiation::Abandoned { .. } => false,
            }
    }
}
