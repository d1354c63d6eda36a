//! The other party and the server, as the test plays them.

use bytes::Bytes;
use sip::message::{HeaderName, Method, Request, Response, StatusCode};

/// The Contact, R-URI of everything that reaches the phone; any name will do.
const PHONE: &str = "sip:alice@phone.invalid;transport=ws";

/// A caller whose INVITE comes through a proxy, and what follows in its dialog.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) call_id: String,
    from: String,
    to: String,
    cseq: u32,
    invites: u32,
    pub(crate) uri: String,
}

impl Caller {
    pub(crate) fn new(call_id: &str) -> Self {
        Self {
            call_id: call_id.into(),
            from: format!("\"Bob\" <sip:bob@example.com>;tag=bob-{call_id}"),
            to: "<sip:alice@example.com>".into(),
            cseq: 1,
            invites: 0,
            uri: PHONE.into(),
        }
    }

    pub(crate) fn from(mut self, from: &str) -> Self {
        self.from = format!("{from};tag=bob-{}", self.call_id);
        self
    }

    /// The other side of a dialog that the phone's own INVITE made.
    pub(crate) fn of_callee(invite: &Request) -> Self {
        let get = |name| invite.headers().get(name).unwrap_or_default().to_owned();
        Self {
            call_id: get(HeaderName::CallId),
            from: format!("{};tag=callee", get(HeaderName::To)),
            to: get(HeaderName::From),
            cseq: 100,
            invites: 0,
            uri: PHONE.into(),
        }
    }

    /// The same dialog as another phone that the INVITE reached has it.
    pub(crate) fn tagged(&mut self, tag: &str) -> &mut Self {
        let (peer, _) = self.from.split_once(";tag=").expect("it has a tag");
        self.from = format!("{peer};tag={tag}");
        self
    }

    /// The INVITE with more headers and an offer.
    pub(crate) fn invite(&mut self, headers: &[(&str, &str)], sdp: Option<&str>) -> Bytes {
        self.invites += 1;
        let branch = self.branch();
        self.write("INVITE", self.cseq, &branch, headers, sdp)
    }

    pub(crate) fn cancel(&self, headers: &[(&str, &str)]) -> Bytes {
        self.write("CANCEL", self.cseq, &self.branch(), headers, None)
    }

    /// Learns the phone's tag from its answer.
    pub(crate) fn learn(&mut self, response: &Response) {
        let to = response.headers().get(HeaderName::To);
        self.to = to.expect("a response has a To").to_owned();
    }

    pub(crate) fn ack(&self, sdp: Option<&str>) -> Bytes {
        let branch = format!("{}-ack", self.branch());
        self.write("ACK", self.cseq, &branch, &[], sdp)
    }

    /// Another request in the dialog.
    pub(crate) fn request(
        &mut self,
        method: &str,
        headers: &[(&str, &str)],
        sdp: Option<&str>,
    ) -> Bytes {
        self.cseq += 1;
        let branch = format!("{}-{}", self.branch(), self.cseq);
        self.write(method, self.cseq, &branch, headers, sdp)
    }

    /// Another request in the dialog with a body of this type.
    pub(crate) fn with_body(&mut self, method: &str, content_type: &str, body: &str) -> Bytes {
        self.cseq += 1;
        let branch = format!("{}-{}", self.branch(), self.cseq);
        let head = self.head(
            method,
            self.cseq,
            &branch,
            &[("Content-Type", content_type)],
        );
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into()
    }

    /// A notification of something that the phone subscribed to.
    pub(crate) fn notify(
        &mut self,
        event: &str,
        state: &str,
        content_type: &str,
        body: &str,
    ) -> Bytes {
        self.cseq += 1;
        let branch = format!("{}-{}", self.branch(), self.cseq);
        let headers = [
            ("Event", event),
            ("Subscription-State", state),
            ("Content-Type", content_type),
        ];
        let head = self.head("NOTIFY", self.cseq, &branch, &headers);
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into()
    }

    /// Call-ID, the phone's tag and this side's.
    pub(crate) fn dialog(&self) -> (String, String, String) {
        let tag = |text: &str| {
            let (_, tag) = text.split_once(";tag=").expect("it has a tag");
            tag.to_owned()
        };
        (self.call_id.clone(), tag(&self.to), tag(&self.from))
    }

    /// An INVITE of another that wants the place of this dialog.
    pub(crate) fn replaced_by(
        &self,
        other: &mut Self,
        more: &str,
        headers: &[(&str, &str)],
    ) -> Bytes {
        let (call_id, ours, theirs) = self.dialog();
        let replaces = format!("{call_id};to-tag={ours};from-tag={theirs}{more}");
        let named = [("Replaces", &*replaces), ("Require", "replaces")];
        other.invite(&[&named[..], headers].concat(), Some("v=0 other\r\n"))
    }

    pub(crate) fn bye(&mut self, headers: &[(&str, &str)]) -> Bytes {
        self.request("BYE", headers, None)
    }

    fn branch(&self) -> String {
        format!("z9hG4bK-{}-{}", self.call_id, self.invites)
    }

    fn head(&self, method: &str, cseq: u32, branch: &str, headers: &[(&str, &str)]) -> String {
        let more: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!(
            "{method} {} SIP/2.0\r\n\
             Via: SIP/2.0/WSS proxy.example.com;branch={branch}\r\n\
             Max-Forwards: 69\r\n\
             From: {}\r\n\
             To: {}\r\n\
             Call-ID: {}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:bob@192.0.2.1:5060>\r\n\
             {more}",
            self.uri, self.from, self.to, self.call_id,
        )
    }

    fn write(
        &self,
        method: &str,
        cseq: u32,
        branch: &str,
        headers: &[(&str, &str)],
        sdp: Option<&str>,
    ) -> Bytes {
        let head = self.head(method, cseq, branch, headers);
        match sdp {
            Some(sdp) => format!(
                "{head}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                sdp.len()
            ),
            None => format!("{head}Content-Length: 0\r\n\r\n"),
        }
        .into()
    }
}

/// The peer's answer to a request of the phone, with its tag and perhaps a description.
pub(crate) fn answer(request: &Request, code: u16, sdp: Option<&str>) -> Bytes {
    build(request, code, sdp).to_bytes()
}

/// The same with one more header.
pub(crate) fn with_header(request: &Request, code: u16, name: &str, value: &str) -> Bytes {
    let mut response = build(request, code, None);
    response.headers_mut().push(name, value).unwrap();
    response.to_bytes()
}

/// A 302 to somewhere else.
pub(crate) fn redirection(request: &Request, contact: &str) -> Bytes {
    let mut response = build(request, 302, None);
    response
        .headers_mut()
        .replace(HeaderName::Contact, contact)
        .unwrap();
    response.to_bytes()
}

fn build(request: &Request, code: u16, sdp: Option<&str>) -> Response {
    let mut response = Response::to_request(request, StatusCode::new(code).unwrap());
    let to = request.headers().get(HeaderName::To).unwrap().to_owned();
    if code > 100 && !to.contains(";tag=") {
        let headers = response.headers_mut();
        headers
            .replace(HeaderName::To, &format!("{to};tag=callee"))
            .unwrap();
    }
    let contact = "<sip:bob@192.0.2.1:5060>";
    if *request.method() == Method::Invite {
        response
            .headers_mut()
            .push(HeaderName::Contact, contact)
            .unwrap();
    }
    match sdp {
        Some(sdp) => response
            .with_body("application/sdp", Bytes::from(sdp.to_owned()))
            .unwrap(),
        None => response,
    }
}

/// A registrar's 200 with the binding that was asked for.
pub(crate) fn registered(request: &Request) -> Bytes {
    let mut response = Response::to_request(request, StatusCode::new(200).unwrap());
    let headers = response.headers_mut();
    let to = request.headers().get(HeaderName::To).unwrap();
    headers
        .replace(HeaderName::To, &format!("{to};tag=registrar"))
        .unwrap();
    let expires = request.headers().get(HeaderName::Expires).unwrap_or("600");
    let contact = request.headers().get(HeaderName::Contact).unwrap();
    if expires.trim() != "0" && !contact.contains("expires=0") {
        let value = format!("{contact};expires=600");
        headers.push(HeaderName::Contact, &value).unwrap();
    }
    response.to_bytes()
}

pub(crate) fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name).map(str::to_owned)
}
