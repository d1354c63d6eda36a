//! The offer/answer machine.

use super::super::{CryptoLine, Description, Direction, HeaderExtensions, Payload, PayloadType};
use super::agreement::{Agreed, OurKeys, Settled, agree, choose_section, spoken};
use super::formats::Formats;
use super::layout::{Layout, Line};
use super::terms::{Identity, Incompatible, LocalTransport, Refusal, Terms};
use super::video::{
    AgreedVideo, MOST_APART, Numbers, SectionPlace, Standing, VideoWish, Wishes, preferred,
};
use super::write::{self, Section};
use crate::transport::{self, CryptoSuite, Keying, RemoteKeying, RemotePath, Secret, Setup};
use std::net::SocketAddr;

/// One session's offers and answers.
#[derive(Clone, Debug)]
pub struct Negotiation {
    identity: Identity,
    terms: Terms,
    wishes: Wishes,
    layout: Option<Layout>,
    formats: Formats,
    /// What the peer's video sections and header extensions have numbers for.
    foreign: Foreign,
    version: u64,
    /// The last description we wrote, with version 0.
    written: Option<Secret>,
    /// The suite of the keys in force, if descriptions carry them.
    suite: Option<CryptoSuite>,
    /// Where the peer is, if it has no ICE.
    reached_at: Option<SocketAddr>,
    state: NegotiationState,
}

/// Numbers of the peer's that stand for nothing else within BUNDLE (RFC 9143 §9.1).
#[derive(Clone, Debug, Default)]
struct Foreign {
    payload_types: Vec<PayloadType>,
    extensions: Vec<u8>,
    /// Those that ours have too.
    shared: HeaderExtensions,
}

#[derive(Clone, Debug)]
enum NegotiationState {
    Stable,
    Offered(Offered),
    Answering {
        layout: Layout,
        wish: Direction,
        agreed: Box<Agreed>,
        /// Our first offer, which waits for its final answer.
        first: Option<Offered>,
    },
}

/// An offer of ours.
#[derive(Clone, Debug)]
struct Offered {
    layout: Layout,
    wish: Direction,
    receive: Vec<Payload>,
    /// Its last provisional answer.
    heard: Option<Heard>,
    /// Our keys in it.
    crypto: Vec<CryptoLine>,
}

/// A provisional answer to an offer of ours.
#[derive(Clone, Debug)]
struct Heard {
    answer: Secret,
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
            wishes: Wishes::default(),
            layout: None,
            formats: Formats::default(),
            foreign: Foreign::default(),
            version: 0,
            written: None,
            suite: None,
            reached_at: None,
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

    /// Says which video lines our next offer or answer has; returns whether an offer is needed for that, which is never
    /// before the first description.
    pub fn wish_video(&mut self, wishes: Vec<VideoWish>) -> bool {
        self.wishes.set(wishes);
        let layout = self.layout.as_ref();
        layout.is_some_and(|layout| self.plan(layout) != *layout)
    }

    /// Says how media may be protected from the next description on.
    pub fn set_media(&mut self, media: Vec<Keying>) {
        self.terms.media = media;
    }

    /// Whether what protects media may stand in an offer of ours.
    pub fn may_offer(&self) -> bool {
        let media = &self.terms.media;
        match &self.layout {
            Some(layout) => media.contains(&layout.keying),
            None => !media.is_empty(),
        }
    }

    fn plan(&self, layout: &Layout) -> Layout {
        let mut taken = self.foreign.payload_types.clone();
        taken.extend(self.formats.numbers());
        let known = layout.slots.iter().filter_map(|slot| match &slot.line {
            Line::Video(section) => Some(section.payloads.iter().copied()),
            Line::Audio | Line::Refused => None,
        });
        let numbers = Numbers {
            taken,
            known: known.flatten().collect(),
        };
        layout.planned(&self.wishes, &numbers, self.foreign.for_ours())
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
        let receive = self.formats.offer(&self.terms);
        let first = self.terms.media.first().copied();
        let ours = || Layout::ours(first.unwrap_or(Keying::Dtls));
        let layout = self.layout.clone().unwrap_or_else(ours);
        let layout = self.plan(&layout);
        let crypto = self.offered_crypto(layout.keying);
        let section = Section {
            payloads: &receive,
            direction: wish,
            wish,
            setup: write::offered_setup(),
            rtcp_mux: true,
            crypto: &crypto,
            towards: self.reached_at.map(|address| address.ip()),
        };
        let text = self.write(&layout, &section, transport);
        self.state = NegotiationState::Offered(Offered {
            layout,
            wish,
            receive,
            heard: None,
            crypto,
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
        let overtaken = heard.is_some_and(|heard| heard.overtaken && heard.answer.expose() == text);
        if !overtaken {
            let said = spoken(&answer, &self.terms, index);
            self.formats.accepted(&offered.receive, &said);
            self.formats.note(answer.numbers(index));
            self.foreign.note(&answer, index);
            let mut layout = offered.layout.clone();
            layout.ice = agreed.transport.ufrag().is_some();
            let refused = layout.keep_video(&agreed.video);
            // A provisional answer may come of one who does not take the call at last.
            let refused = refused.into_iter().filter(|_| !provisional);
            refused.for_each(|content| self.wishes.decline(content));
            self.layout = Some(layout);
            self.note_transport(&agreed);
        }
        match (&mut self.state, provisional) {
            (NegotiationState::Offered(offered), true) => {
                let answer = Secret::new(text);
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
        let (layout, agreed) = self.read_offer(&offer, wish).map_err(Ok)?;
        let index = layout.audio();
        self.formats.note(offer.numbers(index));
        self.foreign.note(&offer, index);
        let first = match std::mem::replace(&mut self.state, NegotiationState::Stable) {
            NegotiationState::Offered(offered) => Some(offered),
            NegotiationState::Stable | NegotiationState::Answering { .. } => None,
        };
        self.state = NegotiationState::Answering {
            layout,
            wish,
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
            wish,
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
        self.note_transport(&agreed);
        let (setup, crypto) = match &agreed.transport.keying {
            RemoteKeying::Dtls(dtls) => (dtls.setup, None),
            RemoteKeying::Sdes(keys) => (Setup::ActPass, Some(keys)),
            RemoteKeying::Plain => (Setup::ActPass, None),
        };
        let crypto = crypto.map(|keys| CryptoLine {
            tag: keys.tag,
            suite: keys.suite,
            key: keys.local.clone(),
        });
        let section = Section {
            payloads: &agreed.audio.receive,
            direction: agreed.audio.direction,
            wish,
            setup: write::answered_setup(setup, transport.parameters.setup),
            rtcp_mux: agreed.rtcp_mux,
            crypto: crypto.as_slice(),
            towards: self.reached_at.map(|address| address.ip()),
        };
        let text = self.write(&layout, &section, transport);
        let stopped = self.layout.as_ref().map(|before| before.stopped(&layout));
        for content in stopped.into_iter().flatten() {
            self.wishes.decline(content);
        }
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

    /// Our lines of keys for an offer: the suite in force first. With it a tag of 32 bits is offered only if it is one.
    fn offered_crypto(&self, keying: Keying) -> Vec<CryptoLine> {
        if keying != Keying::Sdes {
            return Vec::new();
        }
        let mut lines: Vec<CryptoLine> = (1..)
            .zip(CryptoSuite::ALL)
            .filter(|(_, suite)| !(suite.has_short_tag() && self.has_long_tags()))
            .map(|(tag, suite)| CryptoLine {
                tag,
                suite,
                key: self.identity.keys.key(suite),
            })
            .collect();
        lines.sort_by_key(|line| Some(line.suite) != self.suite);
        lines
    }

    fn has_long_tags(&self) -> bool {
        self.suite.is_some_and(|suite| !suite.has_short_tag())
    }

    /// Takes note of what was agreed on for what comes later.
    fn note_transport(&mut self, agreed: &Agreed) {
        if let RemoteKeying::Sdes(keys) = &agreed.transport.keying {
            self.suite = Some(keys.suite);
        }
        if let RemotePath::Direct(address) = agreed.transport.path {
            self.reached_at = address.rtp.or(self.reached_at);
        }
    }

    fn keys<'a>(&self, offered: &'a [CryptoLine]) -> OurKeys<'a> {
        OurKeys {
            seed: self.identity.keys,
            offered,
            long_tags: self.has_long_tags(),
        }
    }

    fn most_apart(&self) -> usize {
        if self.terms.apart { MOST_APART } else { 0 }
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
        let audio = offered.layout.audio();
        if answer.media.len() <= audio {
            return Err(Refusal::Incompatible(Incompatible::Sections));
        }
        let keying = offered.layout.keying;
        let (index, _) = choose_section(answer, &self.terms, std::iter::once(audio), &[keying])?;
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
        let settled = Settled {
            kind,
            terms: &self.terms,
            index,
            keying,
            keys: self.keys(&offered.crypto),
        };
        let mut agreed = agree(answer, &settled, receive, offered.wish)?;
        let standings = offered
            .layout
            .standings(answer, kind, index, self.most_apart());
        agreed.video = self.agree_video(answer, &offered.layout, offered.wish, standings);
        Ok((index, agreed))
    }

    /// What follows of the lines of `layout` whose sections in `description` are not refused.
    fn agree_video(
        &self,
        description: &Description,
        layout: &Layout,
        wish: Direction,
        standings: Vec<Option<Standing>>,
    ) -> Vec<AgreedVideo> {
        let mut agreed = Vec::new();
        for ((index, slot), standing) in layout.slots.iter().enumerate().zip(standings) {
            if let (Line::Video(section), Some(standing)) = (&slot.line, standing) {
                let codecs: Vec<_> = section.payloads.iter().map(|p| p.codec).collect();
                let send = preferred(description.video_payloads(index), &codecs);
                let place = SectionPlace {
                    mid: slot.mid.as_deref().unwrap_or_default(),
                    standing,
                    holds: !wish.receives(),
                    source: self.identity.video(index, section.content),
                };
                if !send.is_empty() {
                    agreed.push(section.agree(description, index, place, send));
                }
            }
        }
        agreed
    }

    fn read_offer(
        &self,
        offer: &Description,
        wish: Direction,
    ) -> Result<(Layout, Agreed), Refusal> {
        let (index, keying) = self.choose(offer)?;
        let receive = self.formats.answer(spoken(offer, &self.terms, index));
        let kind = transport::Description::Offer;
        let settled = Settled {
            kind,
            terms: &self.terms,
            index,
            keying,
            keys: self.keys(&[]),
        };
        let mut agreed = agree(offer, &settled, receive, wish)?;
        let apart = self.most_apart();
        let sound = (index, &agreed.transport);
        let layout = Layout::of(offer, sound, self.layout.as_ref(), &self.wishes, apart);
        let standings = layout.standings(offer, kind, index, apart);
        agreed.video = self.agree_video(offer, &layout, wish, standings);
        Ok((layout, agreed))
    }

    /// The section of sound in an offer, and how it is protected: never less than was agreed before.
    fn choose(&self, offer: &Description) -> Result<(usize, Keying), Refusal> {
        let Some(layout) = &self.layout else {
            let all = 0..offer.media.len();
            return choose_section(offer, &self.terms, all, &self.terms.media);
        };
        let section = std::iter::once(layout.audio());
        let media = self.terms.media.iter().copied();
        let (enough, less): (Vec<_>, Vec<_>) = media.partition(|one| *one >= layout.keying);
        let chosen = choose_section(offer, &self.terms, section.clone(), &enough);
        chosen.map_err(
            |refusal| match choose_section(offer, &self.terms, section, &less) {
                Ok(_) => Refusal::Incompatible(Incompatible::Downgrade),
                Err(_) => refusal,
            },
        )
    }

    fn write(
        &mut self,
        layout: &Layout,
        section: &Section<'_>,
        transport: LocalTransport<'_>,
    ) -> String {
        let mut description =
            write::description(&self.identity, &self.terms, layout, section, transport);
        let unversioned = Secret::new(description.to_string());
        // RFC 3264 §8: the version rises by one when the description changes, and stays when it does not.
        if self.written.as_ref() != Some(&unversioned) {
            self.version += 1;
            self.written = Some(unversioned);
        }
        description.origin.version = self.version;
        description.to_string()
    }
}

impl Foreign {
    /// Notes what stands in all sections of a description of the peer's but its sound's, which sees to itself.
    fn note(&mut self, description: &Description, audio: usize) {
        for index in (0..description.media.len()).filter(|index| *index != audio) {
            for number in description.numbers(index) {
                if !self.payload_types.contains(&number) {
                    self.payload_types.push(number);
                }
            }
            self.share(description.header_extensions(index));
        }
        self.share(description.header_extensions(audio));
        for id in description.extension_numbers() {
            if !self.extensions.contains(&id) {
                self.extensions.push(id);
            }
        }
    }

    fn share(&mut self, theirs: HeaderExtensions) {
        self.shared.mid = self.shared.mid.or(theirs.mid);
        self.shared.send_time = self.shared.send_time.or(theirs.send_time);
    }

    /// The header extensions of a line of ours: by the peer's numbers, or by those that browsers use, or by free ones.
    fn for_ours(&self) -> HeaderExtensions {
        let number = |usual: u8, taken: Option<u8>| {
            let free = |id: &u8| !self.extensions.contains(id) && Some(*id) != taken;
            std::iter::once(usual).chain(1..=14).find(free)
        };
        let mid = self.shared.mid.or_else(|| number(4, self.shared.send_time));
        let send_time = self.shared.send_time.or_else(|| number(2, mid));
        HeaderExtensions { mid, send_time }
    }
}
