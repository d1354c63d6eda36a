//! Who may challenge what, and which credential is sent to whom: the cells of SECURITY.md's table.

mod challengers;
mod realms;
mod tokens;

use crate::lone::{Lone, SDP, answer, answer_with_body, config, header, incoming, uri, within};
use sip::auth::Credentials;
use sip::endpoint::{Body, EndpointConfig, Event, Invite, Reply, Subscribe, UsageId};
use sip::header::{Authorization, ProxyAuthorization};
use sip::message::{Message, Method, Request};
use sip::transaction::Transport;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(super) const REGISTRARS: &str =
    "Digest realm=\"home\", nonce=\"good\", qop=\"auth\", algorithm=SHA-256";

pub(super) const AT_HOME: &str = "sip:bob@example.com";

pub(super) const ELSEWHERE: &str = "sip:mallory@evil.example";

pub(super) fn password() -> Credentials {
    Credentials::password("alice", "secret").unwrap()
}

pub(super) fn token() -> Credentials {
    Credentials::bearer("good.token", vec!["example.com".into()]).unwrap()
}

pub(super) fn phone(credentials: Credentials) -> Lone {
    let credentials = Some(credentials);
    let config = EndpointConfig {
        credentials,
        ..config("alice")
    };
    Lone::with(config, Transport::Wss)
}

/// A phone whose registrar has challenged it.
pub(super) fn registered(credentials: Credentials, challenge: &str) -> Lone {
    let mut lone = phone(credentials);
    let register = register(&mut lone);
    let register = challenged(&mut lone, &register, 401, challenge).expect("the registrar asks");
    bind(&mut lone, &register);
    lone
}

pub(super) fn register(lone: &mut Lone) -> Request {
    lone.act(|alice, now| alice.register(now));
    lone.request(Method::Register)
}

pub(super) fn bind(lone: &mut Lone, register: &Request) {
    let contact = format!("Contact: {};expires=600\r\n", header(register, "Contact"));
    lone.receive(answer(register, 200, "r", &contact));
    assert!(matches!(lone.events().last(), Some(Event::Registered(_))));
}

/// Answers a request of ours with this challenge, and gives it as it is sent again, if it is.
pub(super) fn challenged(
    lone: &mut Lone,
    request: &Request,
    code: u16,
    challenge: &str,
) -> Option<Request> {
    let name = match code {
        401 => "WWW-Authenticate",
        _ => "Proxy-Authenticate",
    };
    lone.receive(answer(
        request,
        code,
        "c",
        &format!("{name}: {challenge}\r\n"),
    ));
    let sent = std::mem::take(&mut lone.sent).into_iter();
    let requests =
        sent.filter_map(
            |(_, bytes)| match Message::parse(bytes, sip::message::Leniency::Strict) {
                Ok(parsed) => match parsed.message {
                    Message::Request(request) => Some(request),
                    Message::Response(_) => None,
                },
                Err(_) => None,
            },
        );
    requests
        .into_iter()
        .find(|next| next.method() == request.method())
}

#[track_caller]
pub(super) fn is_answered(
    lone: &mut Lone,
    request: &Request,
    code: u16,
    challenge: &str,
) -> Request {
    let again = challenged(lone, request, code, challenge);
    let again = again.unwrap_or_else(|| panic!("{code} {challenge} to {request:?}"));
    assert!(shows(&again).is_some(), "{again:?}");
    again
}

#[track_caller]
pub(super) fn is_ignored(lone: &mut Lone, request: &Request, code: u16, challenge: &str) {
    let again = challenged(lone, request, code, challenge);
    assert!(
        again.is_none(),
        "{code} {challenge} to {request:?} was answered: {again:?}"
    );
}

/// What a request shows of our credentials, whichever header it is in.
pub(super) fn shows(request: &Request) -> Option<&str> {
    let headers = request.headers();
    headers
        .get("Authorization")
        .or(headers.get("Proxy-Authorization"))
}

pub(super) fn call(lone: &mut Lone, target: &str) -> (UsageId, Request) {
    let invite = Invite::offer(uri(target), SDP);
    let usage = lone.act(|alice, now| alice.invite(invite, now)).unwrap();
    (usage, lone.request(Method::Invite))
}

pub(super) fn beside(lone: &mut Lone, method: Method, target: &str) -> Request {
    let sent = method.clone();
    lone.act(|alice, now| alice.request_outside(&uri(target), sent, &[], None, now))
        .unwrap();
    lone.request(method)
}

pub(super) fn subscription(lone: &mut Lone, target: &str) -> Request {
    let wish = Subscribe {
        target: uri(target),
        event: "message-summary".into(),
        accept: Vec::new(),
        expires: Duration::from_secs(600),
        headers: Vec::new(),
    };
    lone.act(|alice, now| alice.subscribe(wish, now)).unwrap();
    lone.request(Method::Subscribe)
}

/// The callee takes our call and names this Contact.
pub(super) fn taken(lone: &mut Lone, invite: &Request, contact: &str) -> Request {
    let contact = format!("Contact: <{contact}>\r\n");
    lone.receive(answer_with_body(invite, 200, "b", &contact, SDP));
    lone.request(Method::Ack)
}

pub(super) fn inside(lone: &mut Lone, usage: UsageId, method: Method) -> Request {
    let sent = method.clone();
    let body = (method == Method::Invite).then(|| Body::sdp(SDP));
    lone.act(|alice, now| alice.request(usage, sent, &[], body.as_ref(), now))
        .unwrap();
    lone.request(method)
}

/// A stranger calls and is answered.
pub(super) fn answered_stranger(lone: &mut Lone, contact: &str) -> UsageId {
    lone.events();
    static STRANGERS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("stranger{}", STRANGERS.fetch_add(1, Ordering::Relaxed));
    let invite = incoming("INVITE", &name, &name, "")
        .replace("sip:bob@theirs.invalid;transport=ws", contact);
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("nobody calls");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    usage
}

pub(super) fn digest(realm: &str, nonce: &str, algorithm: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}")
}

pub(super) fn bearer(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\"")
}
