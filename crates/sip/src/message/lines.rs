use std::borrow::Cow;

use super::entry::{Entry, HeadSpan};
use super::{Forgiven, HeaderName, Leniency, MAX_HEADERS, ParseFault, forgive, strict};
use crate::header::grammar::{is_lws, is_token};
use crate::octets;

/// What most messages need, so that their entries are allocated once.
pub(super) const USUAL_HEADERS: usize = 24;

/// The lines of a frame up to its body, and these split into names and values.
pub(super) struct Lines<'f> {
    bytes: &'f [u8],
    leniency: Leniency,
    pub(super) forgiven: Vec<Forgiven>,
    /// What had to be written anew: values that were folded.
    pub(super) own: String,
    pub(super) entries: Vec<Entry>,
    pub(super) first: First,
    /// The first header that may stand once and stands twice.
    pub(super) repeated: Option<HeaderName>,
    nul: bool,
    stray_return: bool,
}

/// For each known header the place of its first line, counted from one.
pub(super) struct First([u16; HeaderName::COUNT]);

impl First {
    /// The first line of `name` among `entries`.
    pub(super) fn of<'e>(&self, name: HeaderName, entries: &'e [Entry]) -> Option<&'e Entry> {
        entries.get(usize::from(self.0[name as usize]).checked_sub(1)?)
    }

    pub(super) fn has(&self, name: HeaderName) -> bool {
        self.0[name as usize] != 0
    }
}

/// Where the two parts of a head end.
pub(super) struct Ends {
    pub(super) start_line: usize,
    pub(super) head: usize,
}

#[derive(Clone, Copy)]
struct Line {
    end: usize,
    next: usize,
    bare: bool,
}

struct NameLength {
    of_name: usize,
    to_colon: usize,
}

impl<'f> Lines<'f> {
    pub(super) fn new(bytes: &'f [u8], leniency: Leniency) -> Self {
        Self {
            bytes,
            leniency,
            forgiven: Vec::new(),
            own: String::new(),
            entries: Vec::with_capacity(USUAL_HEADERS),
            first: First([0; HeaderName::COUNT]),
            repeated: None,
            nul: false,
            stray_return: false,
        }
    }

    /// Reads up to the body.
    pub(super) fn read(&mut self) -> Result<Ends, ParseFault> {
        let start = self.line(0)?;
        let mut at = start.next;
        let head = loop {
            if at >= self.bytes.len() {
                self.forgive(Forgiven::MissingEmptyLine, ParseFault::HeaderLine)?;
                break at;
            }
            let line = self.line(at)?;
            if line.end == at {
                break line.next;
            }
            at = self.header(at, line)?;
        };
        if self.nul {
            return Err(ParseFault::Nul);
        }
        if self.stray_return {
            return Err(ParseFault::LineEnd);
        }
        Ok(Ends {
            start_line: start.end,
            head,
        })
    }

    fn forgive(&mut self, what: Forgiven, fault: ParseFault) -> Result<(), ParseFault> {
        forgive(what, fault, self.leniency, &mut self.forgiven)
    }

    /// The line that starts at `at`.
    #[inline(always)]
    fn line(&mut self, at: usize) -> Result<Line, ParseFault> {
        let end = octets::control(self.bytes, at);
        match self.bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => Ok(Line {
                end,
                next: end + 2,
                bare: false,
            }),
            Some(_) | None => self.line_with_controls(end),
        }
    }

    /// The line that has the first of its control characters at `at`: it ends with CR LF, or LF
    /// where that is forgiven.
    #[cold]
    fn line_with_controls(&mut self, mut at: usize) -> Result<Line, ParseFault> {
        loop {
            match &self.bytes[at..] {
                [b'\r', b'\n', ..] => {
                    return Ok(Line {
                        end: at,
                        next: at + 2,
                        bare: false,
                    });
                }
                [b'\n', ..] => {
                    self.forgive(Forgiven::BareLineFeed, ParseFault::LineEnd)?;
                    return Ok(Line {
                        end: at,
                        next: at + 1,
                        bare: true,
                    });
                }
                [] => {
                    self.forgive(Forgiven::MissingEmptyLine, ParseFault::LineEnd)?;
                    return Ok(Line {
                        end: at,
                        next: at,
                        bare: false,
                    });
                }
                // One that ends no line might end one for somebody else.
                [b'\r', ..] => self.stray_return = true,
                // RFC 3261 §25.1: only a quoted-pair may hold NUL.
                [0, ..] => self.nul |= at == 0 || self.bytes[at - 1] != b'\\',
                [_, ..] => {}
            }
            at = octets::control(self.bytes, at + 1);
        }
    }

    /// Takes the header that starts at `at` with `line`, and says where the next line is.
    #[inline(always)]
    fn header(&mut self, at: usize, line: Line) -> Result<usize, ParseFault> {
        if self.entries.len() == MAX_HEADERS {
            return Err(ParseFault::TooManyHeaders);
        }
        if matches!(self.bytes.get(line.next), Some(b' ' | b'\t')) {
            return self.folded_header(at, line);
        }
        match self.entry(at, line.end) {
            Some(entry) => self.push(entry),
            None => self.forgive(Forgiven::LineWithoutColon, ParseFault::HeaderLine)?,
        }
        Ok(line.next)
    }

    /// Takes a header that goes on in the lines after `line`.
    #[cold]
    fn folded_header(&mut self, at: usize, line: Line) -> Result<usize, ParseFault> {
        let mut last = line;
        let mut bare = line.bare;
        while matches!(self.bytes.get(last.next), Some(b' ' | b'\t')) {
            last = self.line(last.next)?;
            bare |= last.bare;
        }
        match self.entry(at, last.end) {
            Some(entry) => {
                let entry = self.unfolded(entry, bare)?;
                self.push(entry);
            }
            None => self.forgive(Forgiven::LineWithoutColon, ParseFault::HeaderLine)?,
        }
        Ok(last.next)
    }

    /// The header in the line from `at` to `end`, if it has a name and a colon.
    #[inline(always)]
    fn entry(&self, at: usize, end: usize) -> Option<Entry> {
        let (name, length) = match HeaderName::of_line(&self.bytes[at..]) {
            Some((name, length)) => {
                let length = NameLength {
                    of_name: length,
                    to_colon: length,
                };
                (Some(name), length)
            }
            None => any_name(&self.bytes[at..end])?,
        };
        Some(Entry {
            name,
            line_is_own: false,
            value_is_own: false,
            // A frame has at most 64 KiB, of which the colon is one.
            name_length: length.of_name as u16,
            line: HeadSpan::new(at, end),
            value: self.trimmed(at + length.to_colon + 1, end),
        })
    }

    #[inline(always)]
    fn trimmed(&self, start: usize, end: usize) -> HeadSpan {
        let mut value = &self.bytes[start..end];
        while let [rest @ .., last] = value
            && is_lws(*last)
        {
            value = rest;
        }
        let end = start + value.len();
        while let [first, rest @ ..] = value
            && is_lws(*first)
        {
            value = rest;
        }
        HeadSpan::new(end - value.len(), end)
    }

    #[inline(always)]
    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        let Some(name) = entry.name else { return };
        let first = &mut self.first.0[name as usize];
        if *first == 0 {
            *first = self.entries.len() as u16;
        } else if strict::is_single(name, self.leniency) {
            self.repeated.get_or_insert(name);
        }
    }

    /// RFC 3261 §7.3.1: a line end with the white space around it equals one space.
    fn unfolded(&mut self, mut entry: Entry, bare: bool) -> Result<Entry, ParseFault> {
        let text = String::from_utf8(self.bytes[entry.value.range()].to_vec());
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                self.forgive(Forgiven::NotUtf8, ParseFault::Utf8)?;
                latin1(error.as_bytes())
            }
        };
        let name = &self.bytes[entry.line.range()][..usize::from(entry.name_length)];
        let start = self.own.len();
        self.own.extend(name.iter().map(|b| char::from(*b)));
        self.own.push_str(": ");
        let value = self.own.len();
        for (index, part) in text.split(['\r', '\n']).enumerate() {
            let part = part.trim_matches([' ', '\t']);
            if index > 0 && !part.is_empty() {
                self.own.push(' ');
            }
            self.own.push_str(part);
        }
        entry.value = HeadSpan::new(value, self.own.len());
        entry.value_is_own = true;
        if bare {
            entry.line = HeadSpan::new(start, self.own.len());
            entry.line_is_own = true;
        }
        Ok(entry)
    }

    /// Keeps the lines of a head that is no UTF-8 as they are, with a copy of those values that
    /// are none, and gives back the head with `?` for each of the octets in the way: all else stays
    /// in its place.
    #[cold]
    pub(super) fn without_latin1(&mut self, head: &[u8]) -> Result<String, ParseFault> {
        for at in 0..self.entries.len() {
            let entry = self.entries[at];
            if entry.value_is_own {
                continue;
            }
            if let Cow::Owned(text) = decode(&self.bytes[entry.value.range()]) {
                self.forgive(Forgiven::NotUtf8, ParseFault::Utf8)?;
                let start = self.own.len();
                self.own.push_str(&text);
                self.entries[at].value = HeadSpan::new(start, self.own.len());
                self.entries[at].value_is_own = true;
            }
        }
        let mut text = String::with_capacity(head.len());
        for chunk in head.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| '?'));
        }
        Ok(text)
    }
}

/// The name that stands before `*WSP ":"`, which is a token.
fn any_name(line: &[u8]) -> Option<(Option<HeaderName>, NameLength)> {
    let to_colon = octets::find(line, 0, b':')?;
    let mut name = &line[..to_colon];
    while let [rest @ .., b' ' | b'\t'] = name {
        name = rest;
    }
    let known = HeaderName::lookup_bytes(name);
    let length = NameLength {
        of_name: name.len(),
        to_colon,
    };
    let token = known.is_some() || !name.is_empty() && name.iter().all(|b| is_token(*b));
    token.then_some((known, length))
}

/// The text that `bytes` are, borrowed if they are UTF-8, or else in Latin-1.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(latin1(bytes)),
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}
