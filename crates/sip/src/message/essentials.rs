use super::entry::{Entry, HeadSpan};
use super::lines::First;
use super::{HeaderName, Headers};
use crate::header::grammar::Commas;
use crate::header::{AddressParts, CSeq, CallId, HeaderError, HeaderFault, TypedHeader, ViaParts};

/// The headers that parsing reads of every message, so that nobody has to scan them again.
///
/// A text that stands in the frame, or in the headers' own text, stays where it is whatever is
/// added or removed; who takes the first header of a name away, or puts another one before it,
/// [forgets](Essentials::forget) it here.
#[derive(Clone)]
pub(super) struct Essentials {
    pub(super) via: ViaParts,
    pub(super) from: AddressParts,
    pub(super) to: AddressParts,
    pub(super) cseq: CSeq,
    places: [Option<FieldPlace>; 5],
}

/// Where the text is that was read: the value of a line, or an element of it.
#[derive(Clone, Copy)]
pub(super) struct FieldPlace {
    pub(super) is_own: bool,
    pub(super) text: HeadSpan,
}

/// Which place is whose.
#[derive(Clone, Copy)]
pub(super) enum Essential {
    Via,
    From,
    To,
    CallId,
    CSeq,
}

impl Essential {
    fn of(name: HeaderName) -> Option<Self> {
        let essentials = [
            (HeaderName::Via, Self::Via),
            (HeaderName::From, Self::From),
            (HeaderName::To, Self::To),
            (HeaderName::CallId, Self::CallId),
            (HeaderName::CSeq, Self::CSeq),
        ];
        let essential = essentials.iter().find(|(other, _)| *other == name);
        essential.map(|(_, essential)| *essential)
    }
}

impl Essentials {
    /// Reads them of `headers`.
    pub(super) fn of(headers: &Headers, first: &First) -> Result<Self, HeaderError> {
        let head = Head { headers, first };
        let (via, via_place) = head.via()?;
        let ((), call_id_place) =
            head.read(HeaderName::CallId, |text| CallId::parse(text).map(drop))?;
        let (from, from_place) = head.read(HeaderName::From, AddressParts::of_party)?;
        let (to, to_place) = head.read(HeaderName::To, AddressParts::of_party)?;
        let (cseq, cseq_place) = head.read(HeaderName::CSeq, CSeq::parse)?;
        Ok(Self {
            via,
            from,
            to,
            cseq,
            places: [via_place, from_place, to_place, call_id_place, cseq_place].map(Some),
        })
    }

    /// Where this is, unless it was forgotten.
    pub(super) fn place(&self, essential: Essential) -> Option<FieldPlace> {
        self.places[essential as usize]
    }

    pub(super) fn forget(&mut self, name: HeaderName) {
        if let Some(essential) = Essential::of(name) {
            self.places[essential as usize] = None;
        }
    }
}

struct Head<'h> {
    headers: &'h Headers,
    first: &'h First,
}

impl<'h> Head<'h> {
    #[inline]
    fn read<T>(
        &self,
        header: HeaderName,
        parse: impl FnOnce(&'h str) -> Result<T, HeaderFault>,
    ) -> Result<(T, FieldPlace), HeaderError> {
        let fault = |fault| HeaderError { header, fault };
        let entry = self.first.of(header, self.headers.entries());
        let entry = entry.ok_or(fault(HeaderFault::Missing))?;
        let parts = parse(self.headers.value(entry)).map_err(fault)?;
        Ok((parts, place(entry, 0..entry.value.range().len())))
    }

    /// The topmost `Via`, which may have to be looked for behind empty elements.
    fn via(&self) -> Result<(ViaParts, FieldPlace), HeaderError> {
        let header = HeaderName::Via;
        let fault = |fault| HeaderError { header, fault };
        let first = self.first.of(header, self.headers.entries());
        let lines = first.into_iter().chain(self.headers.lines(header));
        let mut elements = lines.flat_map(|entry| {
            let value = self.headers.value(entry);
            Commas::new(value).map(move |element| (entry, value, element))
        });
        let (entry, value, element) = elements.next().ok_or(fault(HeaderFault::Missing))?;
        let parts = ViaParts::of(element).map_err(fault)?;
        let start = element.as_ptr() as usize - value.as_ptr() as usize;
        Ok((parts, place(entry, start..start + element.len())))
    }
}

fn place(entry: &Entry, part: std::ops::Range<usize>) -> FieldPlace {
    let start = entry.value.range().start;
    FieldPlace {
        is_own: entry.value_is_own,
        text: HeadSpan::new(start + part.start, start + part.end),
    }
}
