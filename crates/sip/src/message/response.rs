use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::editing::first_control;
use super::{
    HeaderName, Headers, InvalidHeader, InvalidHeaderFault, Name, Request, StatusCode, write,
};

/// A response: one frame and its spans, or one of ours being built.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    reason: Cow<'static, str>,
    headers: Headers,
    body: Bytes,
    /// Whether the frame still is what this response would be written as.
    unchanged: bool,
}

impl Response {
    /// A response without headers and with the code's own reason phrase.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            reason: Cow::Borrowed(status.default_reason()),
            headers: Headers::default(),
            body: Bytes::new(),
            unchanged: false,
        }
    }

    /// A response to `request` with what every response must have of it: all `Via`, `From`, `To`,
    /// `Call-ID`, `CSeq`, and in a 100 also `Timestamp` (RFC 3261 §8.2.6).
    pub fn to_request(request: &Request, status: StatusCode) -> Self {
        Self::to_headers(request.headers(), status)
    }

    pub(super) fn to_headers(headers: &Headers, status: StatusCode) -> Self {
        let mut response = Self::new(status);
        for name in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
        ] {
            response.headers.copy(name, headers);
        }
        if status == StatusCode::TRYING {
            response.headers.copy(HeaderName::Timestamp, headers);
        }
        response
    }

    pub(super) fn of_frame(
        status: StatusCode,
        reason: Cow<'static, str>,
        headers: Headers,
        body: Bytes,
    ) -> Self {
        Self {
            status,
            reason,
            headers,
            body,
            unchanged: true,
        }
    }

    /// The same response with another reason phrase.
    pub fn with_reason(mut self, reason: &str) -> Result<Self, InvalidHeader> {
        if let Some(at) = first_control(reason) {
            return Err(InvalidHeader {
                header: "reason phrase".to_owned(),
                fault: InvalidHeaderFault::ControlCharacter(at),
            });
        }
        self.reason = Cow::Owned(reason.to_owned());
        self.unchanged = false;
        Ok(self)
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase, which may be empty.
    pub fn reason(&self) -> &str {
        &self.reason
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

    /// The same response with one header more at the end.
    pub fn header<'n>(
        mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<Self, InvalidHeader> {
        self.headers_mut().push(name, value)?;
        Ok(self)
    }

    /// The same response with this body and its `Content-Type`.
    pub fn with_body(mut self, content_type: &str, body: Bytes) -> Result<Self, InvalidHeader> {
        self.headers_mut()
            .replace(HeaderName::ContentType, content_type)?;
        self.body = body;
        Ok(self)
    }

    /// The response as a frame, with the `Content-Length` of its body. One that was parsed and not
    /// touched is given back as it came.
    pub fn to_bytes(&self) -> Bytes {
        if self.unchanged {
            return self.headers.source().clone();
        }
        let code = self.status.to_string();
        let start = ["SIP/2.0 ", &code, " ", &self.reason, "\r\n"];
        write::message(&start, &self.headers, &self.body)
    }
}

impl fmt::Debug for Response {
    /// The message with its secrets hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::redact(&self.to_bytes()))
    }
}
