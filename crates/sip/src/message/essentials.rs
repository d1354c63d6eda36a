use super::HeaderName;
use super::headers::{Entry, Headers, Span};
use crate::header::grammar::Commas;
use crate::header::{AddressParts, CSeq, CallId, HeaderError, HeaderFault, TypedHeader, ViaParts};

/// The headers that parsing reads of every message, so that nobody has to scan them again.
///
/// A text that stands in the frame, or in the headers' own text, stays where it is whatever is
/// added or removed: what was read of it stays true.
#[derive(Clone)]
pub(super) struct Essentials {
    pub(super) via: Read<ViaParts>,
    pub(super) from: Read<AddressParts>,
    pub(super) to: Read<AddressParts>,
    pub(super) call_id: Read<()>,
    pub(super) cseq: Read<CSeq>,
}

/// What was read of one value.
#[derive(Clone)]
pub(super) struct Read<T> {
    /// The line of the value.
    entry: Entry,
    /// The value, or the element of it that was read.
    pub(super) value: Span,
    pub(super) parts: T,
}

impl<T> Read<T> {
    /// Whether this was read of the value that `entry` has.
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        self.entry.value_is_own == entry.value_is_own
            && self.entry.value.start == entry.value.start
            && self.entry.value.end == entry.value.end
    }
}

impl Essentials {
    /// Reads them of `headers`, which came in `head` if that is text.
    pub(super) fn of(headers: &Headers, head: Option<&str>) -> Result<Self, HeaderError> {
        let head = Head {
            headers,
            text: head,
        };
        Ok(Self {
            via: head.via()?,
            call_id: head.read(HeaderName::CallId, |text| CallId::parse(text).map(drop))?,
            from: head.read(HeaderName::From, AddressParts::of)?,
            to: head.read(HeaderName::To, AddressParts::of)?,
            cseq: head.read(HeaderName::CSeq, CSeq::parse)?,
        })
    }
}

struct Head<'h> {
    headers: &'h Headers,
    text: Option<&'h str>,
}

impl<'h> Head<'h> {
    fn read<T>(
        &self,
        header: HeaderName,
        parse: impl FnOnce(&'h str) -> Result<T, HeaderFault>,
    ) -> Result<Read<T>, HeaderError> {
        let fault = |fault| HeaderError { header, fault };
        let entry = self.headers.first(header);
        let entry = *entry.ok_or(fault(HeaderFault::Missing))?;
        let parts = parse(self.value(&entry)).map_err(fault)?;
        let value = entry.value;
        Ok(Read {
            entry,
            value,
            parts,
        })
    }

    /// The topmost `Via`, which may have to be looked for behind empty elements.
    fn via(&self) -> Result<Read<ViaParts>, HeaderError> {
        let header = HeaderName::Via;
        let fault = |fault| HeaderError { header, fault };
        let lines = self.headers.lines(header);
        let mut elements = lines.flat_map(|entry| {
            let value = self.value(entry);
            Commas::new(value).map(move |element| (entry, value, element))
        });
        let (entry, value, element) = elements.next().ok_or(fault(HeaderFault::Missing))?;
        let parts = ViaParts::of(element).map_err(fault)?;
        let offset = element.as_ptr() as usize - value.as_ptr() as usize;
        let start = entry.value.range().start + offset;
        Ok(Read {
            entry: *entry,
            value: Span::new(start, start + element.len()),
            parts,
        })
    }

    /// The value without a check for UTF-8, where the whole head has passed it.
    fn value(&self, entry: &Entry) -> &'h str {
        match self.text {
            Some(text) if !entry.value_is_own => &text[entry.value.range()],
            Some(_) | None => self.headers.value(entry),
        }
    }
}
