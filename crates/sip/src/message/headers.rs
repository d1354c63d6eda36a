use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;

use super::entry::{Entry, HeadSpan};
use super::essentials::{Essential, Essentials};
use super::name::{HeaderName, Name};
use crate::header::grammar::Commas;
use crate::header::{
    AddressParts, CSeq, CallId, From, HeaderError, HeaderFault, To, TypedHeader, Values, Via,
    ViaParts,
};

/// The headers of a message in order: spans of the frame they came in, and of a text of their own
/// for what was added. What is not touched is written as it was read.
#[derive(Clone, Default)]
pub struct Headers {
    source: Bytes,
    /// The frame up to its body as text; octets that are none stand as `?` in it.
    head: ByteString,
    pub(super) own: String,
    pub(super) entries: Vec<Entry>,
    /// There after parsing.
    pub(super) essentials: Option<Essentials>,
}

impl Headers {
    pub(super) fn of_frame(
        source: Bytes,
        head: ByteString,
        own: String,
        entries: Vec<Entry>,
    ) -> Self {
        Self {
            source,
            head,
            own,
            entries,
            essentials: None,
        }
    }

    pub(super) fn remember(&mut self, essentials: Essentials) {
        self.essentials = Some(essentials);
    }

    /// Leaves out what follows the message in its frame.
    pub(super) fn cut_source(&mut self, end: usize) {
        self.source.truncate(end);
    }

    pub(super) fn source(&self) -> &Bytes {
        &self.source
    }

    pub(super) fn head(&self) -> &str {
        &self.head
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Value of the first header `name`, unfolded and without the white space around it.
    pub fn get<'n>(&self, name: impl Into<Name<'n>>) -> Option<&str> {
        let entry = match name.into() {
            Name::Known(name) => self.first(name),
            other @ Name::Other(_) => self.entries.iter().find(|entry| self.is(entry, other)),
        };
        entry.map(|entry| self.value(entry))
    }

    /// Values of all headers `name`, one a line.
    pub fn all<'n>(&self, name: impl Into<Name<'n>>) -> impl Iterator<Item = &str> {
        let name = name.into();
        let lines = self
            .entries
            .iter()
            .filter(move |entry| self.is(entry, name));
        lines.map(|entry| self.value(entry))
    }

    /// Comma-separated elements of all headers `name`.
    pub fn elements<'n>(&self, name: impl Into<Name<'n>>) -> impl Iterator<Item = &str> {
        self.all(name).flat_map(Commas::new)
    }

    /// Whether a header `name` lists this token, in any case.
    pub fn lists<'n>(&self, name: impl Into<Name<'n>>, token: &str) -> bool {
        self.elements(name)
            .any(|element| element.eq_ignore_ascii_case(token))
    }

    /// Whether there is a header `name`.
    pub fn contains<'n>(&self, name: impl Into<Name<'n>>) -> bool {
        self.get(name).is_some()
    }

    /// The first value of the header that `H` is, read.
    pub fn typed<'a, H: TypedHeader<'a>>(&'a self) -> Option<Result<H, HeaderError>> {
        if let Some(remembered) = H::remembered(self) {
            return Some(Ok(remembered));
        }
        let value = match H::VALUES {
            Values::Line => self.get(H::NAME),
            Values::Commas => self.first_element(H::NAME),
        };
        value.map(read)
    }

    /// The first value of the header that `H` is, whose absence is an error.
    pub fn require<'a, H: TypedHeader<'a>>(&'a self) -> Result<H, HeaderError> {
        match self.typed() {
            Some(header) => header,
            None => Err(HeaderError {
                header: H::NAME,
                fault: HeaderFault::Missing,
            }),
        }
    }

    /// All values of the header that `H` is, over all lines, split at commas where they separate.
    pub fn list<'a, H: TypedHeader<'a>>(&'a self) -> impl Iterator<Item = Result<H, HeaderError>> {
        let lines = self.lines(H::NAME).map(|entry| self.value(entry));
        lines.flat_map(Elements::new::<H>).map(read)
    }

    /// The `From`; there after parsing.
    pub fn from(&self) -> Result<From<'_>, HeaderError> {
        self.require()
    }

    /// The `To`; there after parsing.
    pub fn to(&self) -> Result<To<'_>, HeaderError> {
        self.require()
    }

    /// The `Call-ID`; there after parsing.
    pub fn call_id(&self) -> Result<CallId<'_>, HeaderError> {
        self.require()
    }

    /// The `CSeq`; there after parsing.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.require()
    }

    /// The topmost `Via`; there after parsing.
    pub fn via(&self) -> Result<Via<'_>, HeaderError> {
        self.require()
    }

    pub(crate) fn remembered_from(&self) -> Option<(&str, &AddressParts)> {
        let (text, essentials) = self.remembered(Essential::From)?;
        Some((text, &essentials.from))
    }

    pub(crate) fn remembered_to(&self) -> Option<(&str, &AddressParts)> {
        let (text, essentials) = self.remembered(Essential::To)?;
        Some((text, &essentials.to))
    }

    pub(crate) fn remembered_via(&self) -> Option<(&str, &ViaParts)> {
        let (text, essentials) = self.remembered(Essential::Via)?;
        Some((text, &essentials.via))
    }

    pub(crate) fn remembered_call_id(&self) -> Option<&str> {
        self.remembered(Essential::CallId).map(|(text, _)| text)
    }

    pub(crate) fn remembered_cseq(&self) -> Option<&CSeq> {
        let (_, essentials) = self.remembered(Essential::CSeq)?;
        Some(&essentials.cseq)
    }

    #[inline]
    fn remembered(&self, essential: Essential) -> Option<(&str, &Essentials)> {
        let essentials = self.essentials.as_ref()?;
        let place = essentials.place(essential)?;
        Some((self.text(place.is_own, place.text), essentials))
    }

    /// Every header in order: name as written, and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|entry| (self.name(entry), self.value(entry)))
    }

    /// Number of header lines.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends all lines but `Content-Length`, each with CRLF.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // Lines that follow one another in the frame are copied together.
        let mut together = 0..0;
        for entry in &self.entries {
            let line = entry.line.range();
            let follows = !entry.line_is_own
                && line.start == together.end + 2
                && self.source[together.end..].starts_with(b"\r\n");
            if entry.name == Some(HeaderName::ContentLength) {
                continue;
            }
            if follows && !together.is_empty() {
                together.end = line.end;
                continue;
            }
            write_line(out, &self.source[together]);
            together = 0..0;
            match entry.line_is_own {
                true => write_line(out, self.own[line].as_bytes()),
                false => together = line,
            }
        }
        write_line(out, &self.source[together]);
    }

    /// Octets that [`Headers::write`] appends at most.
    pub(super) fn written_length(&self) -> usize {
        let lines = self
            .entries
            .iter()
            .map(|entry| entry.line.range().len() + 2);
        lines.sum()
    }

    fn first_element(&self, name: HeaderName) -> Option<&str> {
        match Commas::new(self.get(name)?).next() {
            Some(first) => Some(first),
            None => self.elements(name).next(),
        }
    }

    fn first(&self, name: HeaderName) -> Option<&Entry> {
        self.lines(name).next()
    }

    pub(super) fn lines(&self, name: HeaderName) -> impl Iterator<Item = &Entry> {
        let lines = self.entries.iter();
        lines.filter(move |entry| entry.name == Some(name))
    }

    #[inline]
    pub(super) fn is(&self, entry: &Entry, name: Name<'_>) -> bool {
        match name {
            Name::Known(name) => entry.name == Some(name),
            Name::Other(name) => {
                entry.name.is_none() && self.name(entry).eq_ignore_ascii_case(name)
            }
        }
    }

    /// The name as it is written.
    pub(super) fn name(&self, entry: &Entry) -> &str {
        let line = self.text(entry.line_is_own, entry.line);
        &line[..usize::from(entry.name_length)]
    }

    pub(super) fn value(&self, entry: &Entry) -> &str {
        self.text(entry.value_is_own, entry.value)
    }

    fn text(&self, is_own: bool, span: HeadSpan) -> &str {
        let text = match is_own {
            true => self.own.as_str(),
            false => &self.head,
        };
        &text[span.range()]
    }
}

fn write_line(out: &mut Vec<u8>, line: &[u8]) {
    if !line.is_empty() {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}

fn read<'a, H: TypedHeader<'a>>(value: &'a str) -> Result<H, HeaderError> {
    H::parse(value).map_err(|fault| HeaderError {
        header: H::NAME,
        fault,
    })
}

/// The elements of one line of the header that `H` is.
enum Elements<'a> {
    Line(Option<&'a str>),
    Commas(Commas<'a>),
}

impl<'a> Elements<'a> {
    fn new<H: TypedHeader<'a>>(line: &'a str) -> Self {
        match H::VALUES {
            Values::Line => Self::Line(Some(line)),
            Values::Commas => Self::Commas(Commas::new(line)),
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::Line(line) => line.take(),
            Self::Commas(commas) => commas.next(),
        }
    }
}

impl fmt::Debug for Headers {
    /// The header lines with their secrets hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::with_capacity(self.written_length());
        self.write(&mut lines);
        f.write_str(&crate::redact(&lines))
    }
}
