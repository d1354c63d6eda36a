use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::essentials::Essentials;
use super::headers::{Entry, Span};
use super::start_line::{self, StartLine};
use super::{
    Forgiven, HeaderName, Headers, Leniency, MAX_HEADERS, MAX_MESSAGE, Message, Method, ParseError,
    ParseFault, Parsed, Request, Response, strict,
};
use crate::header::grammar::is_token;
use crate::header::{AddressParts, CSeq, ContentLength, HeaderFault, MaxForwards};

/// What most messages need, so that their entries are allocated once.
const USUAL_HEADERS: usize = 24;
const OTHER: u8 = u8::MAX;

/// Headers that every message has (RFC 3261 §8.1.1, less `Max-Forwards`, which RFC 2543 lacks).
const REQUIRED: [HeaderName; 5] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
];

pub(super) fn message(frame: Bytes, leniency: Leniency) -> Result<Parsed, ParseError> {
    if frame.len() > MAX_MESSAGE {
        return Err(ParseFault::TooLarge(frame.len()).into());
    }
    // RFC 3261 §7.5: line ends before the start line are ignored.
    let blank = frame
        .iter()
        .take_while(|b| matches!(b, b'\r' | b'\n'))
        .count();
    let frame = if blank == 0 {
        frame
    } else {
        frame.slice(blank..)
    };
    if frame.is_empty() {
        return Err(ParseFault::Empty.into());
    }
    let mut reader = Reader {
        bytes: &frame,
        leniency,
        forgiven: Vec::new(),
        own: String::new(),
        entries: Vec::with_capacity(USUAL_HEADERS),
        seen: 0,
        repeated: None,
        returns: 0,
    };
    let Head { start, body, text } = reader.head()?;
    let Reader {
        mut forgiven,
        own,
        entries,
        seen,
        repeated,
        ..
    } = reader;
    let (line, encoding) = match text {
        Some(text) => (Cow::Borrowed(&text[start.clone()]), Encoding::Utf8),
        None => decode(&frame[start.clone()]),
    };
    let headers = Headers::of_frame(frame.clone(), own, entries);
    let mut reading = Reading {
        leniency,
        headers,
        seen,
        repeated,
    };
    if matches!(encoding, Encoding::Latin1) {
        // Only a reason phrase is text: the spans of a request line would not fit its decoding.
        let strictness = match start_line::is_status(&line) {
            true => leniency,
            false => Leniency::Strict,
        };
        let forgiven = forgive(
            Forgiven::NotUtf8,
            ParseFault::Utf8,
            strictness,
            &mut forgiven,
        );
        if let Err(fault) = forgiven {
            return Err(reading.fail(fault, &line));
        }
    }
    let start = match start_line::read(&line, start.start, leniency, &mut forgiven) {
        Ok(start) => start,
        Err(fault) => return Err(reading.fail(fault, &line)),
    };
    let end = match reading.check(&start, text, body..frame.len(), &mut forgiven) {
        Ok(end) => end,
        Err(fault) => return Err(reading.fail(fault, &line)),
    };
    let (frame_end, mut headers) = (end, reading.headers);
    if frame_end < frame.len() {
        headers.cut_source(frame_end);
    }
    let body = if body == end {
        Bytes::new()
    } else {
        frame.slice(body..end)
    };
    let message = match start {
        StartLine::Request { method, uri, parts } => {
            Message::Request(Request::of_frame(method, (uri, parts), headers, body))
        }
        StartLine::Status { status, reason } => {
            Message::Response(Response::of_frame(status, reason, headers, body))
        }
    };
    Ok(Parsed { message, forgiven })
}

fn forgive(
    what: Forgiven,
    fault: ParseFault,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<(), ParseFault> {
    match leniency {
        Leniency::Strict => Err(fault),
        Leniency::Interop => {
            if !forgiven.contains(&what) {
                forgiven.push(what);
            }
            Ok(())
        }
    }
}

enum Encoding {
    Utf8,
    Latin1,
}

fn decode(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), Encoding::Utf8),
        Err(_) => {
            let text = bytes.iter().map(|b| char::from(*b)).collect();
            (Cow::Owned(text), Encoding::Latin1)
        }
    }
}

/// Splits a frame into its lines and these into names and values.
struct Reader<'f> {
    bytes: &'f [u8],
    leniency: Leniency,
    forgiven: Vec<Forgiven>,
    own: String,
    entries: Vec<Entry>,
    /// One bit for each known header that was there.
    seen: u128,
    repeated: Option<HeaderName>,
    /// Carriage returns that end a line.
    returns: usize,
}

/// The start line and the headers.
struct Head<'f> {
    /// Where the start line is.
    start: Range<usize>,
    /// Where the body starts.
    body: usize,
    /// All of it, if it is UTF-8.
    text: Option<&'f str>,
}

impl<'f> Reader<'f> {
    /// Reads up to the body.
    fn head(&mut self) -> Result<Head<'f>, ParseFault> {
        let start = self.line(0)?;
        let mut at = start.next;
        let body = loop {
            if at >= self.bytes.len() {
                let fault = ParseFault::HeaderLine;
                forgive(
                    Forgiven::MissingEmptyLine,
                    fault,
                    self.leniency,
                    &mut self.forgiven,
                )?;
                break at;
            }
            let line = self.line(at)?;
            if line.end == at {
                break line.next;
            }
            at = self.header(at, line)?;
        };
        let head = &self.bytes[..body];
        // RFC 3261 §25.1: only a quoted-pair may hold NUL.
        if memchr::memchr_iter(0, head).any(|at| at == 0 || head[at - 1] != b'\\') {
            return Err(ParseFault::Nul);
        }
        // One that ends no line might end one for somebody else.
        if memchr::memchr_iter(b'\r', head).count() != self.returns {
            return Err(ParseFault::LineEnd);
        }
        let text = std::str::from_utf8(head).ok();
        if text.is_none() {
            self.keep_latin1()?;
        }
        Ok(Head {
            start: 0..start.end,
            body,
            text,
        })
    }

    /// The line that starts at `at`, which ends with CR LF, or LF where that is forgiven.
    #[inline]
    fn line(&mut self, at: usize) -> Result<Line, ParseFault> {
        let Some(length) = memchr::memchr(b'\n', &self.bytes[at..]) else {
            let fault = ParseFault::LineEnd;
            forgive(
                Forgiven::MissingEmptyLine,
                fault,
                self.leniency,
                &mut self.forgiven,
            )?;
            let end = self.bytes.len();
            return Ok(Line {
                end,
                next: end,
                bare: false,
            });
        };
        let end = at + length;
        let bare = length == 0 || self.bytes[end - 1] != b'\r';
        if bare {
            let fault = ParseFault::LineEnd;
            forgive(
                Forgiven::BareLineFeed,
                fault,
                self.leniency,
                &mut self.forgiven,
            )?;
        } else {
            self.returns += 1;
        }
        Ok(Line {
            end: end - usize::from(!bare),
            next: end + 1,
            bare,
        })
    }

    /// Takes the header that starts at `at` with `line`, and says where the next line is.
    fn header(&mut self, at: usize, line: Line) -> Result<usize, ParseFault> {
        let mut last = line;
        let mut folded = false;
        let mut bare = line.bare;
        while matches!(self.bytes.get(last.next), Some(b' ' | b'\t')) {
            last = self.line(last.next)?;
            folded = true;
            bare |= last.bare;
        }
        if self.entries.len() == MAX_HEADERS {
            return Err(ParseFault::TooManyHeaders);
        }
        let Some((name, length)) = self.name(at, last.end) else {
            let fault = ParseFault::HeaderLine;
            forgive(
                Forgiven::LineWithoutColon,
                fault,
                self.leniency,
                &mut self.forgiven,
            )?;
            return Ok(last.next);
        };
        self.count(name);
        let (start, end) = self.trimmed(at + length.to_colon + 1, last.end);
        let mut entry = Entry {
            name: name.map_or(OTHER, HeaderName::index),
            line_is_own: false,
            value_is_own: false,
            // A frame has at most 64 KiB, of which the colon is one.
            name_length: length.of_name as u16,
            line: Span::new(at, last.end),
            value: Span::new(start, end),
        };
        if folded {
            self.unfold(&mut entry, bare)?;
        }
        self.entries.push(entry);
        Ok(last.next)
    }

    /// The name that stands before `*WSP ":"`, which is a token.
    fn name(&self, at: usize, end: usize) -> Option<(Option<HeaderName>, NameLength)> {
        let line = &self.bytes[at..end];
        let to_colon = line.iter().position(|b| *b == b':')?;
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

    fn trimmed(&self, mut start: usize, mut end: usize) -> (usize, usize) {
        let white = |b: u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        while start < end && white(self.bytes[start]) {
            start += 1;
        }
        while end > start && white(self.bytes[end - 1]) {
            end -= 1;
        }
        (start, end)
    }

    fn count(&mut self, name: Option<HeaderName>) {
        let Some(name) = name else { return };
        let bit = 1u128 << name.index();
        if self.seen & bit != 0 && strict::is_single(name, self.leniency) {
            self.repeated.get_or_insert(name);
        }
        self.seen |= bit;
    }

    /// RFC 3261 §7.3.1: a line end with the white space around it equals one space.
    fn unfold(&mut self, entry: &mut Entry, bare: bool) -> Result<(), ParseFault> {
        let value = entry.value.range();
        let (text, encoding) = decode(&self.bytes[value]);
        if matches!(encoding, Encoding::Latin1) {
            let fault = ParseFault::Utf8;
            forgive(Forgiven::NotUtf8, fault, self.leniency, &mut self.forgiven)?;
        }
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
        entry.value = Span::new(value, self.own.len());
        entry.value_is_own = true;
        if bare {
            entry.line = Span::new(start, self.own.len());
            entry.line_is_own = true;
        }
        Ok(())
    }

    /// Keeps the lines that are no UTF-8 as they are, with a copy of their values that is.
    fn keep_latin1(&mut self) -> Result<(), ParseFault> {
        for at in 0..self.entries.len() {
            let entry = self.entries[at];
            if entry.value_is_own {
                continue;
            }
            if let (Cow::Owned(text), Encoding::Latin1) = decode(&self.bytes[entry.value.range()]) {
                let fault = ParseFault::Utf8;
                forgive(Forgiven::NotUtf8, fault, self.leniency, &mut self.forgiven)?;
                let start = self.own.len();
                self.own.push_str(&text);
                self.entries[at].value = Span::new(start, self.own.len());
                self.entries[at].value_is_own = true;
            }
        }
        Ok(())
    }
}

struct NameLength {
    of_name: usize,
    to_colon: usize,
}

#[derive(Clone, Copy)]
struct Line {
    end: usize,
    next: usize,
    bare: bool,
}

/// A head whose lines are known, and what is still to be checked.
struct Reading {
    leniency: Leniency,
    headers: Headers,
    seen: u128,
    repeated: Option<HeaderName>,
}

impl Reading {
    /// Checks what everything else relies on, and says where the message ends.
    fn check(
        &mut self,
        start: &StartLine,
        head: Option<&str>,
        body: Range<usize>,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<usize, ParseFault> {
        if let Some(name) = REQUIRED
            .iter()
            .find(|name| self.seen & (1 << name.index()) == 0)
        {
            return Err(ParseFault::header(*name, HeaderFault::Missing));
        }
        if let Some(name) = self.repeated {
            return Err(ParseFault::header(name, HeaderFault::Repeated));
        }
        let headers = &self.headers;
        let essentials = Essentials::of(headers, head)?;
        self.address(HeaderName::From, &essentials.from.parts, forgiven)?;
        self.address(HeaderName::To, &essentials.to.parts, forgiven)?;
        self.sequence(start, &essentials.cseq.parts, forgiven)?;
        headers.typed::<MaxForwards>().transpose()?;
        if self.leniency == Leniency::Strict {
            strict::check(headers)?;
        }
        let end = self.end(body, forgiven)?;
        self.headers.remember(essentials);
        Ok(end)
    }

    fn address(
        &self,
        header: HeaderName,
        address: &AddressParts,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<(), ParseFault> {
        if address.is_conforming() {
            return Ok(());
        }
        let fault = ParseFault::header(header, HeaderFault::Syntax);
        forgive(Forgiven::Address { header }, fault, self.leniency, forgiven)
    }

    fn sequence(
        &self,
        start: &StartLine,
        cseq: &CSeq,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<(), ParseFault> {
        if cseq.number >= 1 << 31 {
            let fault = ParseFault::header(HeaderName::CSeq, HeaderFault::Range);
            forgive(Forgiven::CSeqAbove31Bits, fault, self.leniency, forgiven)?;
        }
        match start {
            StartLine::Request { method, .. } if *method != cseq.method => Err(ParseFault::Method),
            StartLine::Request { .. } | StartLine::Status { .. } => Ok(()),
        }
    }

    fn end(&self, body: Range<usize>, forgiven: &mut Vec<Forgiven>) -> Result<usize, ParseFault> {
        let got = body.len();
        let Some(ContentLength(expected)) = self.headers.typed().transpose()? else {
            return Ok(body.end);
        };
        let fault = ParseFault::ContentLength { expected, got };
        let wanted = expected as usize;
        if wanted > got {
            return Err(fault);
        }
        if wanted < got {
            let count = got - wanted;
            forgive(
                Forgiven::TrailingBytes { count },
                fault,
                self.leniency,
                forgiven,
            )?;
        }
        Ok(body.start + wanted)
    }

    /// The error, with a response to send where there is somebody to send it to.
    fn fail(&self, fault: ParseFault, line: &str) -> ParseError {
        let method = match self.headers.cseq() {
            Ok(cseq) => cseq.method,
            Err(_) => Method::Options,
        };
        let answerable = start_line::is_answerable(line)
            && method != Method::Ack
            && self.headers.contains(HeaderName::Via);
        let reply = answerable.then(|| {
            let response = Response::to_headers(&self.headers, fault.status());
            // RFC 3261 §21.4.1: the reason phrase should say what is wrong.
            Box::new(
                response
                    .clone()
                    .with_reason(&fault.to_string())
                    .unwrap_or(response),
            )
        });
        ParseError { fault, reply }
    }
}
