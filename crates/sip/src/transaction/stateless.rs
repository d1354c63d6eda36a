//! Answers of which nothing is kept (RFC 3261 §8.2.7): each repeat is answered the same. And questions that are not repeated.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use bytes::Bytes;

use super::layer::{complete_via, set_to_tag};
use crate::message::{HeaderName, Leniency, Message, Method, Request, Response, StatusCode};
use crate::put::Put;
use crate::transaction::Flow;
use crate::uri::Uri;

/// Reads a request; `None` if it is none.
pub fn read_request(message: Bytes) -> Option<Request> {
    match Message::parse(message, Leniency::Interop).ok()?.message {
        Message::Request(request) => Some(request),
        Message::Response(_) => None,
    }
}

/// Refuses a request of somebody at `from`, and asks to come later if `later` says after how many seconds. It is longer than
/// what it answers by a few headers at most. An ACK asks for nothing.
pub fn refuse_statelessly(
    mut request: Request,
    from: SocketAddr,
    status: StatusCode,
    later: Option<u32>,
) -> Option<Bytes> {
    if request.method() == &Method::Ack {
        return None;
    }
    complete_via(&mut request, from);
    let mut hasher = DefaultHasher::new();
    request.headers().get(HeaderName::CallId).hash(&mut hasher);
    let mut response = Response::to_request(&request, status);
    set_to_tag(&mut response, &format!("{:016x}", hasher.finish()));
    if let Some(seconds) = later {
        let headers = response.headers_mut();
        headers.put(HeaderName::RetryAfter, &seconds.to_string());
    }
    Some(response.to_bytes())
}

/// An OPTIONS to the other end of a flow; `None` if the ends of the flow are not known.
pub fn ask_statelessly(flow: Flow, from: &Uri<'_>, call_id: &str) -> Option<Bytes> {
    let (peer, local) = (flow.peer?, flow.local?);
    let (via, token) = (flow.transport.via_token(), flow.transport.uri_token());
    let target = format!("sip:{peer};transport={token}");
    let lines = [
        format!("OPTIONS {target} SIP/2.0"),
        format!("Via: SIP/2.0/{via} {local};branch=z9hG4bK{call_id};rport"),
        "Max-Forwards: 70".to_owned(),
        format!("From: <{}>;tag={call_id}", from.to_request_uri()),
        format!("To: <{target}>"),
        format!("Call-ID: {call_id}"),
        "CSeq: 1 OPTIONS".to_owned(),
        "Accept: application/sdp".to_owned(),
        "Content-Length: 0\r\n\r\n".to_owned(),
    ];
    Some(Bytes::from(lines.join("\r\n")))
}

/// The status with which that question is answered; `None` if the message is something else, or not final.
pub fn answer_to(call_id: &str, message: &Bytes) -> Option<u16> {
    if !message.starts_with(b"SIP/2.0 ") {
        return None;
    }
    match Message::parse(message.clone(), Leniency::Interop)
        .ok()?
        .message
    {
        Message::Response(response) => {
            let is_of_it = response.headers().get(HeaderName::CallId).map(str::trim);
            let code = response.status().code();
            (is_of_it == Some(call_id) && code >= 200).then_some(code)
        }
        Message::Request(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1;rport\r\n\
        From: <sip:2@a.example>;tag=1\r\nTo: <sip:1@192.0.2.1>\r\nCall-ID: 7\r\nCSeq: 1 INVITE\r\n\r\n";

    fn refusal(datagram: &str) -> Option<String> {
        let request = read_request(Bytes::copy_from_slice(datagram.as_bytes()))?;
        let from = "198.51.100.7:5061".parse().unwrap();
        let refused = refuse_statelessly(request, from, StatusCode::FORBIDDEN, None)?;
        Some(String::from_utf8(refused.to_vec()).unwrap())
    }

    #[test]
    fn each_repeat_is_refused_in_the_same_words() {
        let refused = refusal(INVITE).unwrap();
        assert!(refused.starts_with("SIP/2.0 403 "), "{refused}");
        assert!(refused.contains(";received=198.51.100.7"), "{refused}");
        assert!(refused.contains(";rport=5061"), "{refused}");
        assert_eq!(refusal(INVITE), Some(refused));
    }

    #[test]
    fn what_asks_nothing_is_not_answered() {
        assert_eq!(refusal(&INVITE.replace("INVITE", "ACK")), None);
        assert_eq!(refusal("\r\n\r\n"), None);
        assert_eq!(refusal("\0\u{1}nothing of SIP"), None);
        let answer = refusal(INVITE).unwrap();
        assert_eq!(refusal(&answer), None);
    }

    #[test]
    fn who_is_to_come_later_is_told_when() {
        let request = read_request(Bytes::from_static(INVITE.as_bytes())).unwrap();
        let from = "198.51.100.7:5061".parse().unwrap();
        let refused = refuse_statelessly(request, from, StatusCode::SERVICE_UNAVAILABLE, Some(5));
        assert!(String::from_utf8_lossy(&refused.unwrap()).contains("\r\nRetry-After: 5\r\n"));
    }
}
