//! The offer/answer machine.

use super::super::{Description, Direction, Payload};
use super::agreement::{Agreed, agree, choose_section, spoken};
use super::formats::Formats;
use super::layout::Layout;
use super::terms::{Identity, Incompatible, LocalTransport, Refusal, Terms};
use super::write::{self, Section};
use crate::transport;

/// One session's offers and answers.
#[derive(Clone, Debug)]
pub struct Negotiation {
    identity: Identity,
    terms: Terms,
    layout: Option<Layout>,
    formats: Formats,
    version: u64,
    /// The last description we wrote, with version 0.
    written: Option<String>,
    state: NegotiationState,
}

#[derive(Clone, Debug)]
enum NegotiationState {
    Stable,
    Offered(Offered),
    Answering {
        layout: Layout,
        agreed: Box<Agreed>,
        /// Our first offer, which waits for its final answer.
        first: Option<Offered>,
    },
}

/// An offer of ours.
#[derive(Clone, Debug)]
struct Offered {
    wish: Direction,
    receive: Vec<Payload>,
    /// Its last provisional answer.
    heard: Option<Heard>,
}

/// A provisional answer to an offer of ours.
#[derive(Clone, Debug)]
struct Heard {
    answer: String,
    /// We have answered an offer of the peer's since, which holds instead.
    overtaken: bool,
}

/// A call that the state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// An offer of ours waits for its answer.
    #[error("an offer of ours waits for its answer")]
    OfferPending,
    /// An offer of the peer's waits for our answer.
    #[error("an offer of the peer's waits for our answer")]
    AnswerPending,
    /// There is no offer to answer.
    #[error("there is no offer to answer")]
    NoOffer,
}

impl Negotiation {
    /// A negotiation in which nothing has been said.
    pub fn new(identity: Identity, terms: Terms) -> Self {
        Self {
            identity,
            terms,
            layout: None,
            formats: Formats::default(),
            version: 0,
            written: None,
            state: NegotiationState::Stable,
        }
    }

    /// Whether no offer is open.
    pub fn is_stable(&self) -> bool {
        matches!(self.state, NegotiationState::Stable)
    }

    /// Whether an offer of ours waits for its answer.
    pub fn has_offered(&self) -> bool {
        matches!(self.state, NegotiationState::Offered(_))
    }

    /// Whether an offer of the peer's may come, beside a first one of ours that has only a provisional answer
    /// (RFC 3311 §5.1).
    pub fn may_receive_offer(&self) -> bool {
        match &self.state {
            NegotiationState::Stable => true,
            NegotiationState::Offered(offered) => offered.heard.is_some(),
            NegotiationState::Answering { .. } => false,
        }
    }

    /// Whether an offer of the peer's waits for our answer.
    pub fn is_answering(&self) -> bool {
        matches!(self.state, NegotiationState::Answering { .. })
    }

    /// Writes an offer in which we want `wish`.
    ///
    /// # Errors
    /// When another offer is open.
    pub fn offer(
        &mut self,
        transport: LocalTransport<'_>,
        wish: Direction,
    ) -> Result<String, Misuse> {
        self.must_be_stable()?;
        let layout = self.layout.get_or_insert_with(Layout::ours).clone();
        let receive = self.formats.offer(&self.terms);
        let section = Section {
            payloads: &receive,
            direction: wish,
            setup: write::offered_setup(),
            rtcp_mux: true,
        };
        let text = self.write(&layout, &section, transport);
        self.state = NegotiationState::Offered(Offered {
            wish,
            receive,
            heard: None,
        });
        Ok(text)
    }

    /// Reads the answer to our offer; a `provisional` one leaves the offer open for the final answer.
    ///
    /// # Errors
    /// `Err(Ok(refusal))` says what is wrong with the answer; `Err(Err(misuse))` that there is no offer of ours.
    pub fn accept(
        &mut self,
        answer: &str,
        provisional: bool,
    ) -> Result<Agreed, Result<Refusal, Misuse>> {
        let NegotiationState::Offered(offered) = &self.state else {
            return Err(Err(Misuse::NoOffer));
        };
        let text = answer;
        let answer = Description::parse(text).map_err(|error| Ok(error.into()))?;
        let (index, agreed) = self.read_answer(&answer, offered).map_err(Ok)?;
        let heard = offered.heard.as_ref();
        let overtaken = heard.is_some_and(|heard| heard.overtaken && heard.answer == text);
        if !overtaken {
            let said = spoken(&answer, &self.terms, index);
            self.formats.accepted(&offered.receive, &said);
            self.formats.note(answer.numbers(index));
        }
        match (&mut self.state, provisional) {
            (NegotiationState::Offered(offered), true) => {
                let answer = text.to_owned();
                offered.heard = Some(Heard { answer, overtaken });
            }
            (state, _) => *state = NegotiationState::Stable,
        }
        Ok(agreed)
    }

    /// Reads an offer of the peer's, in which we want `wish`; [`answer`](Self::answer) comes next.
    ///
    /// # Errors
    /// `Err(Ok(refusal))` says what is wrong with the offer; `Err(Err(misuse))` that another offer is open.
    pub fn receive_offer(
        &mut self,
        offer: &str,
        wish: Direction,
    ) -> Result<Agreed, Result<Refusal, Misuse>> {
        if !self.may_receive_offer() {
            self.must_be_stable().map_err(Err)?;
        }
        let offer = Description::parse(offer).map_err(|error| Ok(error.into()))?;
        let (index, agreed) = self.read_offer(&offer, wish).map_err(Ok)?;
        self.formats.note(offer.numbers(index));
        let first = match std::mem::replace(&mut self.state, NegotiationState::Stable) {
            NegotiationState::Offered(offered) => Some(offered),
            NegotiationState::Stable | NegotiationState::Answering { .. } => None,
        };
        self.state = NegotiationState::Answering {
            layout: Layout::of(&offer, index),
            agreed: Box::new(agreed.clone()),
            first,
        };
        Ok(agreed)
    }

    /// Writes the answer to the peer's offer.
    ///
    /// # Errors
    /// When there is no offer to answer.
    pub fn answer(&mut self, transport: LocalTransport<'_>) -> Result<String, Misuse> {
        if !self.is_answering() {
            return Err(Misuse::NoOffer);
        }
        let NegotiationState::Answering {
            layout,
            agreed,
            first,
        } = std::mem::replace(&mut self.state, NegotiationState::Stable)
        else {
            return Err(Misuse::NoOffer);
        };
        self.state = match first {
            Some(mut first) => {
                if let Some(heard) = &mut first.heard {
                    heard.overtaken = true;
                }
                NegotiationState::Offered(first)
            }
            None => NegotiationState::Stable,
        };
        self.formats.answered(&agreed.audio.receive);
        let section = Section {
            payloads: &agreed.audio.receive,
            direction: agreed.audio.direction,
            setup: write::answered_setup(agreed.transport.setup, transport.parameters.setup),
            rtcp_mux: agreed.rtcp_mux,
        };
        let text = self.write(&layout, &section, transport);
        self.layout = Some(layout);
        Ok(text)
    }

    /// Forgets the open offer, whoever made it; the last one, if our first waits beside it.
    pub fn rollback(&mut self) {
        self.state = match std::mem::replace(&mut self.state, NegotiationState::Stable) {
            NegotiationState::Answering {
                first: Some(first), ..
            } => NegotiationState::Offered(first),
            NegotiationState::Stable
            | NegotiationState::Offered(_)
            | NegotiationState::Answering { .. } => NegotiationState::Stable,
        };
    }

    fn must_be_stable(&self) -> Result<(), Misuse> {
        match &self.state {
            NegotiationState::Stable => Ok(()),
            NegotiationState::Offered(_) => Err(Misuse::OfferPending),
            NegotiationState::Answering { .. } => Err(Misuse::AnswerPending),
        }
    }

    fn read_answer(
        &self,
        answer: &Description,
        offered: &Offered,
    ) -> Result<(usize, Agreed), Refusal> {
        let audio = self.layout.as_ref().map_or(0, Layout::audio);
        if answer.media.len() <= audio {
            return Err(Refusal::Incompatible(Incompatible::Sections));
        }
        let index = choose_section(answer, &self.terms, std::iter::once(audio))?;
        let mut receive = offered.receive.clone();
        // Peers that answer with numbers of their own often send with them as well.
        for payload in spoken(answer, &self.terms, index) {
            if receive
                .iter()
                .all(|p| p.payload_type != payload.payload_type)
            {
                receive.push(payload);
            }
        }
        let kind = transport::Description::Answer;
        let agreed = agree(answer, kind, &self.terms, index, receive, offered.wish)?;
        Ok((index, agreed))
    }

    fn read_offer(&self, offer: &Description, wish: Direction) -> Result<(usize, Agreed), Refusal> {
        let index = match &self.layout {
            Some(layout) => choose_section(offer, &self.terms, std::iter::once(layout.audio()))?,
            None => choose_section(offer, &self.terms, 0..offer.media.len())?,
        };
        let receive = self.formats.answer(spoken(offer, &self.terms, index));
        let kind = transport::Description::Offer;
        let agreed = agree(offer, kind, &self.terms, index, receive, wish)?;
        Ok((index, agreed))
    }

    fn write(
        &mut self,
        layout: &Layout,
        section: &Section<'_>,
        transport: LocalTransport<'_>,
    ) -> String {
        let mut description =
            write::description(&self.identity, &self.terms, layout, section, transport);
        let unversioned = description.to_string();
        // RFC 3264 §8: the version rises by one when the description changes, and stays when it does not.
        if self.written.as_ref() != Some(&unversioned) {
            self.version += 1;
            self.written = Some(unversioned);
        }
        description.origin.version = self.version;
        description.to_string()
    }
}
