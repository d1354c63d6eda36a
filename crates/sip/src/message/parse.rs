use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;

use super::essentials::Essentials;
use super::lines::{self, First, Lines};
use super::start_line::{self, StartLine};
use super::{
    Forgiven, HeaderName, Headers, Leniency, MAX_MESSAGE, Message, Method, ParseError, ParseFault,
    Parsed, Request, Response, forgive, strict,
};
use crate::header::grammar::Commas;
use crate::header::{
    AddressParts, CSeq, ContentLength, HeaderError, HeaderFault, MaxForwards, TypedHeader,
};

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
    let frame = without_blank_lines(frame);
    if frame.is_empty() {
        return Err(ParseFault::Empty.into());
    }
    let mut lines = Lines::new(&frame, leniency);
    let ends = lines.read()?;
    let head = match ByteString::try_from(frame.slice(..ends.head)) {
        Ok(head) => head,
        Err(_) => lines.without_latin1(&frame[..ends.head])?.into(),
    };
    let Lines {
        mut forgiven,
        own,
        entries,
        first,
        repeated,
        ..
    } = lines;
    let mut reading = Reading {
        leniency,
        headers: Headers::of_frame(frame, head, own, entries),
        first,
        repeated,
    };
    match reading.message(ends.start_line, ends.head, &mut forgiven) {
        Ok((start, body)) => Ok(Parsed {
            message: reading.finish(start, body),
            forgiven,
        }),
        Err(fault) => Err(reading.fail(fault, ends.start_line)),
    }
}

/// RFC 3261 §7.5: line ends before the start line are ignored.
fn without_blank_lines(frame: Bytes) -> Bytes {
    let line_ends = frame.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    match line_ends.count() {
        0 => frame,
        blank => frame.slice(blank..),
    }
}

/// A head whose lines are known, and what is still to be checked.
struct Reading {
    leniency: Leniency,
    headers: Headers,
    first: First,
    repeated: Option<HeaderName>,
}

impl Reading {
    /// Reads the start line, which ends at `line`, and says where in the frame the body is, which
    /// starts at `body`.
    fn message(
        &mut self,
        line: usize,
        body: usize,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<(StartLine, Range<usize>), ParseFault> {
        let start = self.start_line(line, forgiven)?;
        let end = self.check(&start, body..self.headers.source().len(), forgiven)?;
        Ok((start, body..end))
    }

    fn start_line(
        &self,
        line: usize,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<StartLine, ParseFault> {
        let text = &self.headers.head()[..line];
        let octets = &self.headers.source()[..line];
        if text.as_bytes() == octets {
            return start_line::read(text, self.leniency, forgiven);
        }
        // Only a reason phrase is text: the spans of a request line would not fit its decoding.
        let strictness = match start_line::is_status(text) {
            true => self.leniency,
            false => Leniency::Strict,
        };
        forgive(Forgiven::NotUtf8, ParseFault::Utf8, strictness, forgiven)?;
        start_line::read(&lines::decode(octets), self.leniency, forgiven)
    }

    fn finish(self, start: StartLine, body: Range<usize>) -> Message {
        let headers = self.headers;
        let body = match body.is_empty() {
            true => Bytes::new(),
            false => headers.source().slice(body),
        };
        match start {
            StartLine::Request { method, uri, parts } => {
                Message::Request(Request::of_frame(method, (uri, parts), headers, body))
            }
            StartLine::Status { status, reason } => {
                Message::Response(Response::of_frame(status, reason, headers, body))
            }
        }
    }

    /// Checks what everything else relies on, and says where the message ends.
    fn check(
        &mut self,
        start: &StartLine,
        body: Range<usize>,
        forgiven: &mut Vec<Forgiven>,
    ) -> Result<usize, ParseFault> {
        if let Some(name) = REQUIRED.iter().find(|name| !self.first.has(**name)) {
            return Err(ParseFault::header(*name, HeaderFault::Missing));
        }
        if let Some(name) = self.repeated {
            return Err(ParseFault::header(name, HeaderFault::Repeated));
        }
        let essentials = Essentials::of(&self.headers, &self.first)?;
        self.address(HeaderName::From, &essentials.from, forgiven)?;
        self.address(HeaderName::To, &essentials.to, forgiven)?;
        self.sequence(start, &essentials.cseq, forgiven)?;
        self.number::<MaxForwards>()?;
        if self.leniency == Leniency::Strict {
            strict::check(&self.headers)?;
        }
        let whole = body.end;
        let end = self.end(body, forgiven)?;
        if end < whole {
            self.headers.cut_source(end);
        }
        self.headers.remember(essentials);
        Ok(end)
    }

    /// The first line of the header that `H` is, read.
    fn number<H: for<'h> TypedHeader<'h>>(&self) -> Result<Option<H>, HeaderError> {
        let Some(entry) = self.first.of(H::NAME, self.headers.entries()) else {
            return Ok(None);
        };
        let fault = |fault| HeaderError {
            header: H::NAME,
            fault,
        };
        H::parse(self.headers.value(entry)).map(Some).map_err(fault)
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
        let Some(ContentLength(expected)) = self.number()? else {
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

    /// The error, with a response to send if there is somebody to send it to.
    fn fail(&self, fault: ParseFault, line: usize) -> ParseError {
        let line = &self.headers.head()[..line];
        let method = match self.headers.cseq() {
            Ok(cseq) => cseq.method,
            Err(_) => Method::Options,
        };
        let answerable = start_line::is_answerable(line)
            && method != Method::Ack
            && self.headers.contains(HeaderName::Via);
        let reply = answerable.then(|| Box::new(self.refusal(&fault)));
        ParseError { fault, reply }
    }

    /// RFC 3261 §8.2.6.2: one of each header, whatever the request had; and where that was two in
    /// one line, the first of them.
    fn refusal(&self, fault: &ParseFault) -> Response {
        let whole = self.refusal_with(fault, |line| line);
        if is_readable(&whole) {
            return whole;
        }
        let first = self.refusal_with(fault, |line| Commas::new(line).next().unwrap_or(line));
        match is_readable(&first) {
            true => first,
            // RFC 4475 §3.1.2 wants an answer to what nobody can read: its author may.
            false => whole,
        }
    }

    fn refusal_with(&self, fault: &ParseFault, part: fn(&str) -> &str) -> Response {
        let mut response = Response::to_headers(&self.headers, fault.status());
        for name in REQUIRED.into_iter().filter(|name| *name != HeaderName::Via) {
            if let Some(line) = self.headers.get(name) {
                // What can't be written stays as it was copied.
                let _ = response.headers_mut().replace(name, part(line));
            }
        }
        // RFC 3261 §21.4.1: the reason phrase should say what is wrong.
        let explained = response.clone().with_reason(&fault.to_string());
        explained.unwrap_or(response)
    }
}

fn is_readable(response: &Response) -> bool {
    message(response.to_bytes(), Leniency::Strict).is_ok()
}
