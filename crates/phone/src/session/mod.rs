//! One call, from its INVITE to its end.
//!
//! ```text
//! incoming   Pending ─accept─► Answering ─200─► Active ─BYE─► Ending ─► Ended
//! outgoing   Offering ─INVITE─► Dialing ──2xx──► Active
//! ```
//! What the application sees of an end happens on the way into `Ending`, once; `Ending` only waits
//! for what the network still owes. Each verb has its file.

mod accept;
mod auto_answer;
mod cancel;
mod connectivity;
mod devices;
mod dial;
mod dtmf;
mod early_media;
mod early_offer;
mod end;
mod facts;
mod forwarding;
mod handover;
mod hold;
mod holding;
mod holds;
mod ice_servers;
mod info;
mod keys;
mod listen;
mod media;
mod mute;
mod near_end;
mod oddities;
mod offer;
mod offerer;
mod pending;
mod pictures;
mod protection;
mod quality;
mod redirect;
mod referral;
mod refresh;
mod reject;
mod reoffer;
mod replace;
mod requests;
mod ringing;
mod seat;
mod show;
mod streams;
mod transfer;
mod video;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::endpoint::{Caller, ServerRequestId, UsageId};
use sip::uri::Uri;

use connectivity::{Connectivity, MediaPath};
pub(crate) use dial::Dial;
use facts::Facts;
use handover::Handover;
use holding::Holding;
use holds::Holds;
use near_end::{Choice, NearEnd};
use offerer::{Negotiation, Offerer, Pause, Purpose, Unanswered, Waiting};
pub(crate) use pending::{Admitted, Plan};
use pictures::Pictures;
pub(crate) use pictures::Shown;
pub(crate) use referral::{REPORTS_EXPIRE, Report, wants_no_report, without_report};
pub(crate) use replace::{Closed, Heritage, Succession};
use requests::Requests;
pub(crate) use requests::not_answered;
pub(crate) use ringing::Tone;
pub(crate) use seat::{Place, Seat};
pub(crate) use streams::no_stream;
pub(crate) use transfer::{Transferred, under_way};

pub(crate) use crate::agent::{Context, NotSent};

use crate::door::event::{ConnectionState, Event};
use crate::door::id::{SessionId, Ticket};
use crate::door::output::Wake;
use crate::door::sdp::Sdp;
use crate::reading::sdp::OfferedVideo;

/// How long the application's listeners are waited for (guarantee 1).
const DELIVERY_PATIENCE: Duration = Duration::from_secs(1);

/// One call.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) usage: Option<UsageId>,
    pub(crate) state: State,
    pub(crate) facts: Facts,
    /// Where the application was told last that the connection stands; nothing before `SessionStarted`.
    shown: Option<ConnectionState>,
    delivery: Delivery,
    connectivity: Connectivity,
    holding: Holding,
    near_end: NearEnd,
    ice_server_faults: ice_servers::IceServerFaults,
    pictures: Pictures,
    protection: protection::Protection,
    quality: quality::Quality,
    oddities: oddities::Oddities,
    handover: Handover,
    requests: Requests,
    pressed: dtmf::Pressed,
}

/// How many emitted events the application has not yet acknowledged, and until when that matters.
#[derive(Debug, Clone, Copy, Default)]
struct Delivery {
    owed: u32,
    until: Option<Instant>,
}

impl Delivery {
    fn expect(&mut self, now: Instant) {
        self.owed += 1;
        self.until = Some(now + DELIVERY_PATIENCE);
    }

    fn acknowledge(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    fn is_done(&self, now: Instant) -> bool {
        self.owed == 0 || self.until.is_none_or(|until| until <= now)
    }

    /// Waits no more where that was long enough.
    fn expire(&mut self, now: Instant) {
        self.until = self.until.filter(|until| *until > now);
    }

    /// When it will be done without being acknowledged.
    fn deadline(&self) -> Option<Instant> {
        self.until.filter(|_| self.owed > 0)
    }
}

/// Where a call stands.
#[derive(Debug)]
pub(crate) enum State {
    /// It rings here.
    Pending(Pending),
    /// It was accepted; our 200 OK is still to come.
    Answering(Answering),
    /// Media is asked for the offer of our INVITE.
    Offering(Offering),
    /// Our INVITE is out.
    Dialing(Dialing),
    /// It is answered.
    Active(Box<Active>),
    /// The application knows that it is over; the answer to our BYE or CANCEL is still to come.
    Ending,
    /// It is over.
    Ended,
}

/// An incoming call that rings.
#[derive(Debug)]
pub(crate) struct Pending {
    offer: Option<Sdp>,
    /// What of pictures is in it.
    offered: OfferedVideo,
    auto: AutoAnswering,
    ring_until: Instant,
}

/// What is to become of a call that rings.
#[derive(Debug, Clone, Copy)]
enum AutoAnswering {
    /// The application's function is asked; `PendingSession` is not emitted yet.
    Asking { until: Instant, delay: Duration },
    /// Somebody has to answer it.
    Ring,
    /// It is answered then.
    Answer { at: Instant },
}

/// An incoming call that was accepted.
#[derive(Debug)]
pub(crate) struct Answering {
    offer: Option<Sdp>,
    /// False until `Connect` where the session is not connected at once.
    connect: bool,
    /// Media was asked for its description before that, for early media.
    early: bool,
    described: Option<Sdp>,
    /// An offer of the caller's behind our early media, which media answers.
    offer_open: Option<ServerRequestId>,
    /// Such an offer was answered: our first answer does not hold any more.
    renewed: bool,
    headers: Vec<(String, String)>,
}

/// An outgoing call for which there is no offer yet.
#[derive(Debug)]
pub(crate) struct Offering {
    pub(crate) ticket: Ticket,
    target: Uri<'static>,
    from: Option<Box<Caller>>,
    anonymous: bool,
    headers: Vec<(String, String)>,
    timeout: Option<Duration>,
    /// What is told after the reply to the command: the application has no session before it.
    held: Vec<Event>,
}

/// An outgoing call whose INVITE is out.
#[derive(Debug)]
pub(crate) struct Dialing {
    pub(crate) ticket: Ticket,
    until: Option<Instant>,
    /// The callee says that it rings.
    rings: bool,
    /// The newest description of each early dialog, which a 2xx without one refers to; the last is
    /// the one that is heard.
    early: Vec<Fork>,
    /// Offers of early dialogs, one each at most; media answers the first.
    offers: VecDeque<EarlyOffer>,
}

/// An offer of one of the phones that our INVITE reached, before the answer.
#[derive(Debug)]
struct EarlyOffer {
    request: ServerRequestId,
    /// Its tag.
    fork: String,
    offer: Sdp,
}

/// What one of the phones that our INVITE reached said of itself before the answer.
#[derive(Debug)]
struct Fork {
    /// Its To tag.
    tag: String,
    /// Its answer to our offer.
    sdp: Sdp,
    /// The offer of its own that followed, which holds instead.
    renewed: Option<Sdp>,
    /// Its media could not be reached.
    unreachable: bool,
}

/// A call that is answered.
#[derive(Debug)]
pub(crate) struct Active {
    offerer: Offerer,
    repair: Repair,
    holds: Holds,
    early: Early,
    tones: Vec<dtmf::Dialled>,
    keys: keys::Keys,
}

/// The repair of a call whose flow or media path was lost.
#[derive(Debug, Default)]
struct Repair {
    /// When there was a flow again.
    flow_since: Option<Instant>,
    /// When the network changed last.
    network_since: Option<Instant>,
    /// The media path is gone; only a restart of ICE can bring it back.
    path_gone: bool,
    /// ICE is being restarted, until then.
    until: Option<Instant>,
}

/// What the time before the answer of a call of ours has left.
#[derive(Debug, Default)]
struct Early {
    /// The callee has answered and the application was not told yet: it is to find the codec then.
    untold: bool,
    /// An early offer of whoever answered, which media is to have again, since it heard another fork last.
    renewed: Option<Sdp>,
    /// Media still works on an early offer that the answer has overtaken; what it says of it is for nobody.
    overtaken: bool,
}

impl Active {
    fn new(negotiation: Negotiation) -> Self {
        Self {
            offerer: Offerer::new(negotiation),
            repair: Repair::default(),
            holds: Holds::default(),
            early: Early::default(),
            tones: Vec::new(),
            keys: keys::Keys::default(),
        }
    }

    fn deadline(&self) -> Option<(Instant, Wake)> {
        let offer = [self.offerer.deadline(), self.holds.deadline()];
        let offer = offer.into_iter().flatten();
        let repair = self.repair.until.map(|until| (until, Wake::Repair));
        let key = self.keys.deadline().map(|at| (at, Wake::Key));
        offer
            .map(|at| (at, Wake::Offer))
            .chain(repair)
            .chain(key)
            .min_by_key(|(at, _)| *at)
    }
}

impl Session {
    /// A call of which nothing is told yet.
    fn new(id: SessionId, state: State, facts: Facts) -> Self {
        Self {
            id,
            usage: None,
            state,
            facts,
            shown: None,
            delivery: Delivery::default(),
            connectivity: Connectivity::default(),
            holding: Holding::default(),
            near_end: NearEnd::default(),
            ice_server_faults: ice_servers::IceServerFaults::default(),
            pictures: Pictures::default(),
            protection: protection::Protection::default(),
            quality: quality::Quality::default(),
            oddities: oddities::Oddities::default(),
            handover: Handover::default(),
            requests: Requests::default(),
            pressed: dtmf::Pressed::default(),
        }
    }

    /// When this session must be woken, and why.
    pub(crate) fn deadline(&self, now: Instant) -> Option<(Instant, Wake)> {
        let deadlines = [
            self.state_deadline(now),
            self.transfer_deadline(),
            self.referral_deadline(),
            self.opening_deadline(),
            self.pictures.deadline().map(|at| (at, Wake::Opening)),
        ];
        deadlines.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn state_deadline(&self, now: Instant) -> Option<(Instant, Wake)> {
        match &self.state {
            State::Pending(pending) => {
                let auto = match pending.auto {
                    AutoAnswering::Asking { until, .. } => Some((until, Wake::AutoAnswer)),
                    AutoAnswering::Ring => self
                        .delivery
                        .deadline()
                        // Once it is past, the phone rings already.
                        .filter(|until| *until > now)
                        .map(|until| (until, Wake::Delivery)),
                    AutoAnswering::Answer { at } if self.delivery.is_done(now) => {
                        Some((at, Wake::AutoAnswer))
                    }
                    AutoAnswering::Answer { at } => self
                        .delivery
                        .deadline()
                        .map(|until| (until.max(at), Wake::Delivery)),
                };
                let ring = (pending.ring_until, Wake::NoAnswer);
                Some(auto.map_or(ring, |auto| auto.min_by_time(ring)))
            }
            State::Answering(answering) => self
                .delivery
                .deadline()
                .filter(|_| answering.described.is_some())
                .map(|until| (until, Wake::Delivery)),
            State::Dialing(dialing) => dialing.until.map(|until| (until, Wake::CallTimeout)),
            State::Active(active) => {
                let gone = self.connectivity.gone_at;
                let gone = gone.map(|at| (at, Wake::MediaTimeout));
                let deadlines = active.deadline().into_iter().chain(gone);
                deadlines.min_by_key(|(at, _)| *at)
            }
            State::Offering(_) | State::Ending | State::Ended => None,
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, ctx: &mut Context<'_>) {
        self.drive_transfer(ctx);
        self.drive_referral(ctx);
        self.drive_opening(ctx);
        self.video_timeout(ctx);
        match &self.state {
            State::Pending(pending) if pending.ring_until <= ctx.now => self.ring_out(ctx),
            State::Pending(_) => self.drive_auto_answer(ctx),
            State::Answering(_) => {
                self.delivery.expire(ctx.now);
                self.drive_answer(ctx);
            }
            State::Dialing(dialing) if dialing.until.is_some_and(|until| until <= ctx.now) => {
                self.give_up(ctx);
            }
            State::Active(_) if self.connectivity.gone_at.is_some_and(|at| at <= ctx.now) => {
                self.media_timeout(ctx);
            }
            State::Active(active) if active.repair.until.is_some_and(|until| until <= ctx.now) => {
                self.repair_timeout(ctx);
            }
            State::Active(_) => {
                self.offer_timeout(ctx);
                self.drive_keys(ctx);
            }
            State::Dialing(_) | State::Offering(_) | State::Ending | State::Ended => {}
        }
    }

    /// Takes the application's word that the listeners of this session's last event ran.
    pub(crate) fn delivered(&mut self, ctx: &mut Context<'_>) {
        self.delivery.acknowledge();
        match &self.state {
            State::Pending(_) => self.drive_auto_answer(ctx),
            State::Answering(_) => self.drive_answer(ctx),
            State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => {}
        }
    }

    /// Whether the peer is on hold.
    pub(crate) fn holds_peer(&self) -> bool {
        self.holding.held
    }

    /// Whether the application still has it among its pending sessions.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.state, State::Pending(_))
    }

    /// Whether our INVITE is unanswered.
    pub(crate) fn is_ringing_there(&self) -> bool {
        matches!(self.state, State::Offering(_) | State::Dialing(_))
    }

    /// Whether it is answered, as the application knows, and not over.
    pub(crate) fn is_answered(&self) -> bool {
        matches!(&self.state, State::Active(active) if !active.early.untold)
    }

    /// Whether the application still has it among its sessions.
    pub(crate) fn is_live(&self) -> bool {
        match self.state {
            State::Answering(_) | State::Offering(_) | State::Dialing(_) | State::Active(_) => true,
            State::Pending(_) | State::Ending | State::Ended => false,
        }
    }

    /// Whether its 200 OK is out, or it is a call of our own.
    pub(crate) fn is_beyond_refusal(&self) -> bool {
        match self.state {
            State::Offering(_) | State::Dialing(_) | State::Active(_) => true,
            State::Pending(_) | State::Answering(_) | State::Ending | State::Ended => false,
        }
    }

    /// Whether it waits for this request of the peer to be answered.
    pub(crate) fn owes(&self, id: ServerRequestId) -> bool {
        match &self.state {
            State::Active(active) => active.offerer.owes(id),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Whether `SessionStarted` was emitted.
    pub(crate) fn was_started(&self) -> bool {
        self.shown.is_some()
    }

    /// The command that a call not yet answered belongs to.
    pub(crate) fn call_ticket(&self) -> Option<Ticket> {
        match &self.state {
            State::Offering(offering) => Some(offering.ticket),
            State::Dialing(dialing) => Some(dialing.ticket),
            State::Pending(_)
            | State::Answering(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => None,
        }
    }
}

trait Earlier {
    fn min_by_time(self, other: Self) -> Self;
}

impl Earlier for (Instant, Wake) {
    fn min_by_time(self, other: Self) -> Self {
        match self.0 <= other.0 {
            true => self,
            false => other,
        }
    }
}
