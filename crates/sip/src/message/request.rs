use std::fmt;

use bytes::Bytes;

use super::entry::HeadSpan;
use super::{Headers, InvalidHeader, Method, Name, write};
use crate::uri::{Parts, Uri};

/// A request: one frame and its spans, or one of ours being built.
#[derive(Clone)]
pub struct Request {
    method: Method,
    target: RequestUri,
    headers: Headers,
    body: Bytes,
    /// Whether the frame still is what this request would be written as.
    unchanged: bool,
}

#[derive(Clone)]
enum RequestUri {
    Frame(HeadSpan, Parts),
    Own(Uri<'static>),
}

impl Request {
    /// A request without headers; they are all the caller's to add, `Content-Length` excepted.
    pub fn new(method: Method, uri: Uri<'_>) -> Self {
        Self {
            method,
            target: RequestUri::Own(uri.into_owned()),
            headers: Headers::default(),
            body: Bytes::new(),
            unchanged: false,
        }
    }

    pub(super) fn of_frame(
        method: Method,
        (uri, parts): (HeadSpan, Parts),
        headers: Headers,
        body: Bytes,
    ) -> Self {
        Self {
            method,
            target: RequestUri::Frame(uri, parts),
            headers,
            body,
            unchanged: true,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The request URI.
    pub fn uri(&self) -> Uri<'_> {
        match &self.target {
            RequestUri::Own(uri) => uri.reborrow(),
            RequestUri::Frame(span, parts) => {
                Uri::from_parts(&self.headers.head()[span.range()], *parts)
            }
        }
    }

    /// Sends the request elsewhere.
    pub fn set_uri(&mut self, uri: Uri<'_>) {
        self.target = RequestUri::Own(uri.into_owned());
        self.unchanged = false;
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.unchanged = false;
        &mut self.headers
    }

    /// The body, empty if there is none.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The same request with one header more at the end.
    pub fn header<'n>(
        mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<Self, InvalidHeader> {
        self.headers_mut().push(name, value)?;
        Ok(self)
    }

    /// The same request with this body and its `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: Bytes) -> Result<Self, InvalidHeader> {
        self.set_body(content_type, body)?;
        Ok(self)
    }

    /// Gives the request this body and its `Content-Type`.
    pub fn set_body(&mut self, content_type: &str, body: Bytes) -> Result<(), InvalidHeader> {
        self.headers_mut()
            .replace(super::HeaderName::ContentType, content_type)?;
        self.body = body;
        Ok(())
    }

    /// Takes the body and the headers that describe it away.
    pub fn remove_body(&mut self) {
        write::remove_body_headers(self.headers_mut());
        self.body = Bytes::new();
    }

    /// The request as a frame, with the `Content-Length` of its body. One that was parsed and not
    /// touched is given back as it came.
    pub fn to_bytes(&self) -> Bytes {
        if self.unchanged {
            return self.headers.source().clone();
        }
        let uri = self.uri();
        let start = [self.method.as_str(), " ", uri.as_str(), " SIP/2.0\r\n"];
        write::message(&start, &self.headers, &self.body)
    }
}

impl fmt::Debug for Request {
    /// The message with its secrets hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::redact(&self.to_bytes()))
    }
}
