//! The other party's offer before the call is answered, behind an answer that came or went reliably
//! (RFC 3311 §5, RFC 3262 §5).

use sip::endpoint::{Reply, ServerRequestId};
use sip::message::Request;

use super::{Context, EarlyOffer, Session, State};
use crate::door::media::StreamCommand;
use crate::door::sdp::Sdp;
use crate::reading::parties;

impl Session {
    /// Lets media answer it; the endpoint sees to it that it comes in its time, and alone.
    pub(super) fn offered_early(
        &mut self,
        id: ServerRequestId,
        request: &Request,
        offer: Option<Sdp>,
        ctx: &mut Context<'_>,
    ) {
        let Some(offer) = offer else {
            // RFC 3311 §5.2: without an offer it only says where the other side is, which the endpoint keeps.
            let gone = matches!(self.state, State::Ending | State::Ended);
            return ctx.answer(id, &Reply::new(if gone { 481 } else { 200 }));
        };
        match &mut self.state {
            State::Dialing(dialing) => {
                let fork = parties::from_tag(request);
                dialing.offers.push_back(EarlyOffer {
                    request: id,
                    fork,
                    offer,
                });
                // Media can describe itself for one fork at a time.
                if dialing.offers.len() == 1 {
                    self.take_early(ctx);
                }
                return;
            }
            // Our reliable answer has agreed to the INVITE's offer: the caller may make another.
            State::Answering(answering) if answering.early => answering.offer_open = Some(id),
            // RFC 3311 §5.2: its INVITE's offer still waits for our answer, so that a second one has to come again.
            State::Pending(_) | State::Answering(_) => {
                return ctx.answer(id, &Reply::new(500).header("Retry-After", "1"));
            }
            // RFC 3311 §5.2: the 2xx has crossed it; its sender makes it again inside the call.
            State::Offering(_) | State::Active(_) => return ctx.answer(id, &Reply::new(491)),
            State::Ending | State::Ended => return ctx.answer(id, &Reply::new(481)),
        }
        self.describe(StreamCommand::AnswerReoffer { offer }, ctx);
    }

    fn take_early(&mut self, ctx: &mut Context<'_>) {
        if let State::Dialing(dialing) = &self.state
            && let Some(EarlyOffer { offer, .. }) = dialing.offers.front()
        {
            let offer = offer.clone();
            self.describe(StreamCommand::AnswerReoffer { offer }, ctx);
        }
    }

    /// Media has described itself for it; returns the description where that was for something else.
    pub(super) fn answer_early(&mut self, sdp: Sdp, ctx: &mut Context<'_>) -> Option<Sdp> {
        let id = match &mut self.state {
            State::Dialing(dialing) => {
                let open = dialing.offers.pop_front()?;
                let fork = (dialing.early.iter()).position(|fork| fork.tag == open.fork);
                // Media follow this fork from now on, and the last is the one that is heard.
                if let Some(mut fork) = fork.map(|index| dialing.early.remove(index)) {
                    fork.renewed = Some(open.offer);
                    dialing.early.push(fork);
                }
                open.request
            }
            State::Answering(answering) => {
                let Some(id) = answering.offer_open.take() else {
                    return Some(sdp);
                };
                // RFC 6337 §3.1.1: our first answer, said again in the 2xx, would take this one back.
                answering.renewed = true;
                id
            }
            // Its offer was refused when the 2xx came; what media made of it is for nobody.
            State::Active(active) => {
                let overtaken = std::mem::take(&mut active.early.overtaken);
                return (!overtaken).then_some(sdp);
            }
            State::Pending(_) | State::Offering(_) | State::Ending | State::Ended => {
                return Some(sdp);
            }
        };
        ctx.answer(id, &Reply::new(200).sdp(sdp));
        self.take_early(ctx);
        None
    }

    /// Media can't use it: the call goes on as it was. False if that was about something else.
    pub(super) fn refuse_early(&mut self, ctx: &mut Context<'_>) -> bool {
        let id = match &mut self.state {
            State::Dialing(dialing) => dialing.offers.pop_front().map(|open| open.request),
            State::Answering(answering) => answering.offer_open.take(),
            State::Active(active) => return std::mem::take(&mut active.early.overtaken),
            State::Pending(_) | State::Offering(_) | State::Ending | State::Ended => None,
        };
        if let Some(id) = id {
            ctx.answer(id, &Reply::new(488));
            self.take_early(ctx);
        }
        id.is_some()
    }
}
