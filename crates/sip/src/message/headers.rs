use std::fmt::{self, Write};

use bytes::Bytes;

use super::essentials::{Essentials, Read};
use super::name::{HeaderName, Name};
use crate::header::grammar::{Commas, is_token, trim};
use crate::header::{
    CSeq, CallId, From, HeaderError, HeaderFault, NameAddr, To, TypedHeader, Values, Via,
};

/// Longer values than this are refused from an application.
const MAX_VALUE: usize = 32 * 1024;
/// Longer names than this are refused from an application.
const MAX_NAME: usize = 128;
const OTHER: u8 = u8::MAX;

/// Why a header of the application's is not put into a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header}: {fault}")]
pub struct InvalidHeader {
    /// The name that was given, control characters escaped.
    pub header: String,
    /// What is wrong.
    pub fault: InvalidHeaderFault,
}

/// What is wrong with a header of the application's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaderFault {
    /// The name is empty, too long or no token.
    #[error("the name is no token")]
    Name,
    /// The value holds CR, LF, NUL or another control character.
    #[error("the value has a control character at byte {0}")]
    ControlCharacter(usize),
    /// The value is longer than 32 KiB.
    #[error("the value is longer than 32 KiB")]
    TooLong,
}

/// The headers of a message in order: spans of the frame they came in, and of a text of their own
/// for what was added. What is not touched is written as it was read.
#[derive(Clone, Default)]
pub struct Headers {
    source: Bytes,
    own: String,
    entries: Vec<Entry>,
    /// There after parsing.
    essentials: Option<Essentials>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // A frame has at most 64 KiB, our own text at most a few times `MAX_VALUE`.
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One header line: where it stands whole, and where its value does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: u8,
    pub(super) line_is_own: bool,
    pub(super) value_is_own: bool,
    pub(super) name_length: u16,
    pub(super) line: Span,
    pub(super) value: Span,
}

impl Headers {
    pub(super) fn of_frame(source: Bytes, own: String, entries: Vec<Entry>) -> Self {
        Self {
            source,
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
        let value = match H::VALUES {
            Values::Line => self.get(H::NAME),
            Values::Commas => self.first_element(H::NAME),
        };
        value.map(read)
    }

    /// The first value of the header that `H` is, whose absence is an error.
    pub fn require<'a, H: TypedHeader<'a>>(&'a self) -> Result<H, HeaderError> {
        let missing = HeaderError {
            header: H::NAME,
            fault: HeaderFault::Missing,
        };
        self.typed().ok_or(missing)?
    }

    /// All values of the header that `H` is, over all lines, split at commas where they separate.
    pub fn list<'a, H: TypedHeader<'a>>(&'a self) -> impl Iterator<Item = Result<H, HeaderError>> {
        let lines = self.all(H::NAME);
        lines.flat_map(Elements::new::<H>).map(read)
    }

    /// The `From`; there after parsing.
    pub fn from(&self) -> Result<From<'_>, HeaderError> {
        match self.remembered(HeaderName::From, |essentials| &essentials.from) {
            Some((text, parts)) => Ok(From(NameAddr::of_parts(text, *parts))),
            None => self.require(),
        }
    }

    /// The `To`; there after parsing.
    pub fn to(&self) -> Result<To<'_>, HeaderError> {
        match self.remembered(HeaderName::To, |essentials| &essentials.to) {
            Some((text, parts)) => Ok(To(NameAddr::of_parts(text, *parts))),
            None => self.require(),
        }
    }

    /// The `Call-ID`; there after parsing.
    pub fn call_id(&self) -> Result<CallId<'_>, HeaderError> {
        match self.remembered(HeaderName::CallId, |essentials| &essentials.call_id) {
            Some((text, ())) => Ok(CallId(text)),
            None => self.require(),
        }
    }

    /// The `CSeq`; there after parsing.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        match self.remembered(HeaderName::CSeq, |essentials| &essentials.cseq) {
            Some((_, cseq)) => Ok(cseq.clone()),
            None => self.require(),
        }
    }

    /// The topmost `Via`; there after parsing.
    pub fn via(&self) -> Result<Via<'_>, HeaderError> {
        match self.remembered(HeaderName::Via, |essentials| &essentials.via) {
            Some((text, parts)) => Ok(Via::of_parts(text, *parts)),
            None => self.require(),
        }
    }

    /// What parsing has read of the first header `name`, if that still is the one that was parsed.
    fn remembered<T>(
        &self,
        name: HeaderName,
        of: impl FnOnce(&Essentials) -> &Read<T>,
    ) -> Option<(&str, &T)> {
        let read = of(self.essentials.as_ref()?);
        let entry = self.first(name).filter(|entry| read.is_of(entry))?;
        Some((self.text(entry.value_is_own, read.value), &read.parts))
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

    /// Adds a header at the end.
    pub fn push<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let entry = self.checked(name.into(), value)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Adds a header before the first of its name, or before all others where it is the first.
    pub fn insert_front<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let name = name.into();
        let entry = self.checked(name, value)?;
        self.place_in_front(name, entry);
        Ok(())
    }

    /// Puts one header in the place of all those of its name, or at the end.
    pub fn replace<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let name = name.into();
        let entry = self.checked(name, value)?;
        self.place_instead(name, entry);
        Ok(())
    }

    /// Adds a typed header at the end.
    ///
    /// Typed values are checked where they are made. Should one hold a control character all the
    /// same, it is left out, so that no value can ever start a header of its own.
    pub fn push_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.entries.push(entry);
    }

    /// Adds a typed header before the first of its name, or before all others; control characters
    /// as in [`Headers::push_typed`].
    pub fn insert_front_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.place_in_front(H::NAME.into(), entry);
    }

    /// Puts a typed header in the place of all those of its name, or at the end; control
    /// characters as in [`Headers::push_typed`].
    pub fn replace_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.place_instead(H::NAME.into(), entry);
    }

    /// Adds all headers `name` of another message at the end, byte for byte.
    pub fn copy<'n>(&mut self, name: impl Into<Name<'n>>, other: &Headers) {
        let name = name.into();
        for entry in other.entries.iter().filter(|entry| other.is(entry, name)) {
            let copied = self.append(entry.name, other.name(entry), |own| {
                own.push_str(other.value(entry));
            });
            self.entries.push(copied);
        }
    }

    /// Removes all headers `name` and says how many lines there were.
    pub fn remove<'n>(&mut self, name: impl Into<Name<'n>>) -> usize {
        let name = name.into();
        let before = self.entries.len();
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !self.is(entry, name));
        self.entries = entries;
        before - self.entries.len()
    }

    /// Removes and returns the first comma-separated element of the headers `name`, as a proxy
    /// does with its own `Via` or `Route`.
    pub fn pop_element<'n>(&mut self, name: impl Into<Name<'n>>) -> Option<String> {
        let name = name.into();
        let at = self.entries.iter().position(|entry| self.is(entry, name))?;
        let entry = self.entries[at];
        let mut elements = Commas::new(self.value(&entry));
        let Some(first) = elements.next().map(str::to_owned) else {
            self.entries.remove(at);
            return self.pop_element(name);
        };
        let rest: Vec<&str> = elements.collect();
        if rest.is_empty() {
            self.entries.remove(at);
        } else {
            let rest = rest.join(", ");
            let shorter = self.append(entry.name, name.as_str(), |own| own.push_str(&rest));
            self.entries[at] = shorter;
        }
        Some(first)
    }

    /// Appends all lines but `Content-Length`, each with CRLF.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let content_length = HeaderName::ContentLength.index();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.name != content_length)
        {
            out.extend_from_slice(self.line(entry));
            out.extend_from_slice(b"\r\n");
        }
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

    pub(super) fn first(&self, name: HeaderName) -> Option<&Entry> {
        self.lines(name).next()
    }

    pub(super) fn lines(&self, name: HeaderName) -> impl Iterator<Item = &Entry> {
        let lines = self.entries.iter();
        lines.filter(move |entry| entry.name == name.index())
    }

    fn is(&self, entry: &Entry, name: Name<'_>) -> bool {
        match name {
            Name::Known(name) => entry.name == name.index(),
            Name::Other(name) => entry.name == OTHER && self.name(entry).eq_ignore_ascii_case(name),
        }
    }

    fn line(&self, entry: &Entry) -> &[u8] {
        let text: &[u8] = if entry.line_is_own {
            self.own.as_bytes()
        } else {
            &self.source
        };
        &text[entry.line.range()]
    }

    fn name(&self, entry: &Entry) -> &str {
        let name = &self.line(entry)[..usize::from(entry.name_length)];
        std::str::from_utf8(name).expect("a header name is a token")
    }

    pub(super) fn value(&self, entry: &Entry) -> &str {
        self.text(entry.value_is_own, entry.value)
    }

    fn text(&self, is_own: bool, span: Span) -> &str {
        if is_own {
            return &self.own[span.range()];
        }
        let text = &self.source[span.range()];
        std::str::from_utf8(text).expect("the parser moved what is no UTF-8 into `own`")
    }

    fn checked(&mut self, name: Name<'_>, value: &str) -> Result<Entry, InvalidHeader> {
        let text = name.as_str();
        let token = !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(is_token);
        let fault = match (token, first_control(value)) {
            (false, _) => Some(InvalidHeaderFault::Name),
            (true, Some(at)) => Some(InvalidHeaderFault::ControlCharacter(at)),
            (true, None) if value.len() > MAX_VALUE => Some(InvalidHeaderFault::TooLong),
            (true, None) => None,
        };
        if let Some(fault) = fault {
            let header = text
                .chars()
                .take(MAX_NAME)
                .flat_map(char::escape_default)
                .collect();
            return Err(InvalidHeader { header, fault });
        }
        let index = match name {
            Name::Known(name) => name.index(),
            Name::Other(_) => OTHER,
        };
        Ok(self.append(index, text, |own| own.push_str(trim(value))))
    }

    fn written(&mut self, name: HeaderName, value: &dyn fmt::Display) -> Entry {
        self.append(name.index(), name.as_str(), |own| {
            write!(WithoutControls(own), "{value}").expect("a String takes everything");
        })
    }

    fn append(&mut self, index: u8, name: &str, write: impl FnOnce(&mut String)) -> Entry {
        let start = self.own.len();
        self.own.push_str(name);
        self.own.push_str(": ");
        let value = self.own.len();
        write(&mut self.own);
        let end = self.own.len();
        Entry {
            name: index,
            line_is_own: true,
            value_is_own: true,
            name_length: name.len() as u16,
            line: Span::new(start, end),
            value: Span::new(value, end),
        }
    }

    fn place_in_front(&mut self, name: Name<'_>, entry: Entry) {
        let at = self.entries.iter().position(|other| self.is(other, name));
        self.entries.insert(at.unwrap_or(0), entry);
    }

    fn place_instead(&mut self, name: Name<'_>, entry: Entry) {
        let at = self.entries.iter().position(|other| self.is(other, name));
        self.remove(name);
        self.entries.insert(at.unwrap_or(self.entries.len()), entry);
    }
}

fn read<'a, H: TypedHeader<'a>>(value: &'a str) -> Result<H, HeaderError> {
    H::parse(value).map_err(|fault| HeaderError {
        header: H::NAME,
        fault,
    })
}

/// Offset of the first control character, of which only the tab is harmless.
pub(super) fn first_control(text: &str) -> Option<usize> {
    text.bytes()
        .position(|b| b.is_ascii_control() && b != b'\t')
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

struct WithoutControls<'s>(&'s mut String);

impl Write for WithoutControls<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match first_control(text) {
            None => self.0.push_str(text),
            Some(_) => self
                .0
                .extend(text.chars().filter(|c| !c.is_ascii_control())),
        }
        Ok(())
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
