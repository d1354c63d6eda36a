//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3).

use std::net::{IpAddr, SocketAddr};

use crate::dialog::{from_tag, to_tag};
use crate::header::{To, Via};
use crate::message::{HeaderName, Method, Request, Response};

/// What an answer matches: the branch of its top Via and the method of its CSeq.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClientId {
    pub(super) branch: String,
    method: Method,
}

impl ClientId {
    pub(super) fn new(branch: String, method: Method) -> Self {
        Self { branch, method }
    }

    /// Reads it from an answer; whether its top Via is ours, its request tells.
    pub(super) fn of(response: &Response) -> Result<Self, &'static str> {
        let headers = response.headers();
        let via = headers
            .via()
            .map_err(|_| "an answer without a readable Via")?;
        let branch = via.branch().ok_or("an answer without a branch")?;
        let cseq = headers
            .cseq()
            .map_err(|_| "an answer without a readable CSeq")?;
        Ok(Self::new(branch.to_owned(), cseq.method))
    }
}

/// RFC 3261 §18.1.2: says whether an answer's top Via names the one who sent the request.
pub(super) fn is_answer_of(response: &Response, request: &Request) -> bool {
    let ours = request.headers().via();
    let theirs = response.headers().via();
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
        return false;
    };
    theirs.is_sent_by(ours.host_text(), ours.port())
}

/// What a request matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ServerId {
    /// Branch, sent-by and method; an ACK's method is the INVITE's.
    Branch {
        branch: String,
        sent_by: String,
        method: Method,
    },
    /// What RFC 2543 had instead of a unique branch.
    Old {
        via: String,
        uri: String,
        call_id: String,
        from_tag: Option<String>,
        cseq: u32,
        method: Method,
    },
}

impl ServerId {
    pub(super) fn of(request: &Request) -> Result<Self, &'static str> {
        let headers = request.headers();
        let via = headers
            .via()
            .map_err(|_| "a request without a readable Via")?;
        let method = if request.method() == &Method::Ack {
            Method::Invite
        } else {
            request.method().clone()
        };
        if let Some(branch) = via.unique_branch() {
            let port = via.port().map_or(String::new(), |port| format!(":{port}"));
            return Ok(Self::Branch {
                branch: branch.to_owned(),
                sent_by: via.host_text().to_ascii_lowercase() + &port,
                method,
            });
        }
        Ok(Self::Old {
            via: via.to_string(),
            uri: request.uri().as_str().to_owned(),
            call_id: headers
                .get(HeaderName::CallId)
                .unwrap_or_default()
                .to_owned(),
            from_tag: from_tag(headers),
            cseq: headers
                .cseq()
                .map_err(|_| "a request without a readable CSeq")?
                .number,
            method,
        })
    }

    /// Returns what the INVITE matches that a CANCEL of this name cancels.
    pub(super) fn of_invite(&self) -> Self {
        let mut id = self.clone();
        match &mut id {
            Self::Branch { method, .. } | Self::Old { method, .. } => *method = Method::Invite,
        }
        id
    }
}

/// What a request has in common with one that came by another way (RFC 3261 §8.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct MergeId {
    from_tag: String,
    call_id: String,
    cseq: u32,
    method: Method,
}

impl MergeId {
    /// Reads it; `None` if the request is inside a dialog, or has no name of its own.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let names_none = matches!(request.method(), Method::Cancel | Method::Ack);
        if names_none || to_tag(headers).is_some() {
            return None;
        }
        let cseq = headers.cseq().ok()?;
        Some(Self {
            from_tag: from_tag(headers)?,
            call_id: headers.get(HeaderName::CallId)?.to_owned(),
            cseq: cseq.number,
            method: cseq.method,
        })
    }
}

/// RFC 3261 §18.2.1 and RFC 3581 §4: writes where the request came from into its top Via.
pub(in crate::transaction) fn complete_via(request: &mut Request, peer: SocketAddr) {
    let Ok(mut via) = request.headers().via().map(Via::into_owned) else {
        return;
    };
    let wants_rport = via.wants_rport();
    if wants_rport {
        via.params_mut().set("rport", &peer.port().to_string());
    }
    if wants_rport || !host_is(via.host_text(), peer.ip()) {
        via.params_mut().set("received", &peer.ip().to_string());
    }
    let headers = request.headers_mut();
    headers.pop_element(HeaderName::Via);
    headers.insert_front_typed(&via);
}

fn host_is(host: &str, address: IpAddr) -> bool {
    host.trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .is_ok_and(|host| host == address)
}

/// Gives an answer of ours its To tag, unless its request had one.
pub(crate) fn set_to_tag(response: &mut Response, tag: &str) {
    let to = response.headers().to().ok();
    let Some(mut to) = to.filter(|to| to.tag().is_none()).map(To::into_owned) else {
        return;
    };
    to.set_tag(tag);
    response.headers_mut().replace_typed(&to);
}
