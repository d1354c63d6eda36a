//! Who may challenge what, and which credential is sent to whom: the cells of SECURITY.md's table.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sip::auth::Credentials;
use sip::endpoint::{Body, EndpointConfig, Event, Invite, Reply, Subscribe, UsageId};
use sip::header::{Authorization, ProxyAuthorization};
use sip::message::{Message, Method, Request};
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, answer, answer_with_body, config, header, incoming, uri, within};

const REGISTRARS: &str = "Digest realm=\"home\", nonce=\"good\", qop=\"auth\", algorithm=SHA-256";
const AT_HOME: &str = "sip:bob@example.com";
const ELSEWHERE: &str = "sip:mallory@evil.example";

fn password() -> Credentials {
    Credentials::password("alice", "secret").unwrap()
}

fn token() -> Credentials {
    Credentials::bearer("good.token", vec!["example.com".into()]).unwrap()
}

fn phone(credentials: Credentials) -> Lone {
    let credentials = Some(credentials);
    let config = EndpointConfig {
        credentials,
        ..config("alice")
    };
    Lone::with(config, Transport::Wss)
}

/// A phone whose registrar has challenged it.
fn registered(credentials: Credentials, challenge: &str) -> Lone {
    let mut lone = phone(credentials);
    let register = register(&mut lone);
    let register = challenged(&mut lone, &register, 401, challenge).expect("the registrar asks");
    bind(&mut lone, &register);
    lone
}

fn register(lone: &mut Lone) -> Request {
    lone.act(|alice, now| alice.register(now));
    lone.request(Method::Register)
}

fn bind(lone: &mut Lone, register: &Request) {
    let contact = format!("Contact: {};expires=600\r\n", header(register, "Contact"));
    lone.receive(answer(register, 200, "r", &contact));
    assert!(matches!(lone.events().last(), Some(Event::Registered(_))));
}

/// Answers a request of ours with this challenge, and gives it as it is sent again, if it is.
fn challenged(lone: &mut Lone, request: &Request, code: u16, challenge: &str) -> Option<Request> {
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
fn is_answered(lone: &mut Lone, request: &Request, code: u16, challenge: &str) -> Request {
    let again = challenged(lone, request, code, challenge);
    let again = again.unwrap_or_else(|| panic!("{code} {challenge} to {request:?}"));
    assert!(shows(&again).is_some(), "{again:?}");
    again
}

#[track_caller]
fn is_ignored(lone: &mut Lone, request: &Request, code: u16, challenge: &str) {
    let again = challenged(lone, request, code, challenge);
    assert!(
        again.is_none(),
        "{code} {challenge} to {request:?} was answered: {again:?}"
    );
}

/// What a request shows of our credentials, whichever header it is in.
fn shows(request: &Request) -> Option<&str> {
    let headers = request.headers();
    headers
        .get("Authorization")
        .or(headers.get("Proxy-Authorization"))
}

fn call(lone: &mut Lone, target: &str) -> (UsageId, Request) {
    let invite = Invite::offer(uri(target), SDP);
    let usage = lone.act(|alice, now| alice.invite(invite, now)).unwrap();
    (usage, lone.request(Method::Invite))
}

fn beside(lone: &mut Lone, method: Method, target: &str) -> Request {
    let sent = method.clone();
    lone.act(|alice, now| alice.request_outside(&uri(target), sent, &[], None, now))
        .unwrap();
    lone.request(method)
}

fn subscription(lone: &mut Lone, target: &str) -> Request {
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
fn taken(lone: &mut Lone, invite: &Request, contact: &str) -> Request {
    let contact = format!("Contact: <{contact}>\r\n");
    lone.receive(answer_with_body(invite, 200, "b", &contact, SDP));
    lone.request(Method::Ack)
}

fn inside(lone: &mut Lone, usage: UsageId, method: Method) -> Request {
    let sent = method.clone();
    let body = (method == Method::Invite).then(|| Body::sdp(SDP));
    lone.act(|alice, now| alice.request(usage, sent, &[], body.as_ref(), now))
        .unwrap();
    lone.request(method)
}

/// A stranger calls and is answered.
fn answered_stranger(lone: &mut Lone, contact: &str) -> UsageId {
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

fn digest(realm: &str, nonce: &str, algorithm: &str) -> String {
    format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}")
}

fn bearer(realm: &str) -> String {
    format!("Bearer realm=\"{realm}\"")
}

#[test]
fn the_registrar_and_the_edge_before_it_name_the_realms_of_a_password() {
    let mut lone = phone(password());
    let request = register(&mut lone);
    let request = is_answered(&mut lone, &request, 407, &digest("edge", "e1", "SHA-256"));
    let request = is_answered(&mut lone, &request, 401, &digest("home", "h1", "SHA-256"));
    bind(&mut lone, &request);
    for (realm, answered) in [("edge", true), ("home", true), ("example.com", false)] {
        let (_, invite) = call(&mut lone, AT_HOME);
        let again = challenged(&mut lone, &invite, 407, &digest(realm, "x", "SHA-256"));
        assert_eq!(again.is_some(), answered, "{realm}");
    }
}

#[test]
fn a_proxy_may_challenge_anything_in_the_registrars_realm() {
    let mut lone = registered(password(), REGISTRARS);
    let challenge = digest("home", "p", "SHA-256");
    for target in [AT_HOME, ELSEWHERE, "tel:+15551234567"] {
        // Each phone afresh: an answer that is known is sent without a question.
        let mut lone = registered(password(), REGISTRARS);
        let (_, invite) = call(&mut lone, target);
        is_answered(&mut lone, &invite, 407, &challenge);
    }
    for method in [Method::Message, Method::Options] {
        let request = beside(&mut lone, method, ELSEWHERE);
        is_answered(&mut lone, &request, 407, &challenge);
    }
    let request = subscription(&mut lone, ELSEWHERE);
    is_answered(&mut lone, &request, 407, &challenge);
    let usage = answered_stranger(&mut lone, ELSEWHERE);
    for method in [Method::Info, Method::Bye] {
        let challenge = digest("home", method.as_str(), "SHA-256");
        let request = inside(&mut lone, usage, method);
        is_answered(&mut lone, &request, 407, &challenge);
    }
}

#[test]
fn a_challenge_that_may_have_come_from_anywhere_counts_for_its_call_only() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, ELSEWHERE);
    is_answered(&mut lone, &invite, 407, &digest("home", "evil", "SHA-256"));
    for (_, next) in [call(&mut lone, ELSEWHERE), call(&mut lone, AT_HOME)] {
        assert_eq!(shows(&next), None);
    }
    let register = register(&mut lone);
    assert!(shows(&register).unwrap().contains("nonce=\"good\""));
    // What only our own domain has seen, our own edge has asked for: all its requests have the answer.
    let (_, invite) = call(&mut lone, AT_HOME);
    is_answered(&mut lone, &invite, 407, &digest("home", "edge", "SHA-256"));
    let (_, next) = call(&mut lone, ELSEWHERE);
    assert!(shows(&next).unwrap().contains("nonce=\"edge\""));
}

#[test]
fn a_b2bua_may_challenge_what_goes_to_our_own_domain() {
    let mut lone = registered(password(), REGISTRARS);
    let challenge = digest("home", "b", "SHA-256");
    let (usage, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 401, &challenge);
    taken(&mut lone, &invite, "sip:b2bua@example.com:5080");
    for method in [Method::Invite, Method::Info, Method::Bye] {
        let request = inside(&mut lone, usage, method.clone());
        let again = is_answered(
            &mut lone,
            &request,
            401,
            &digest("home", method.as_str(), "SHA-256"),
        );
        lone.receive(answer(&again, 200, "b", ""));
        lone.sent.clear();
    }
    let mut lone = registered(password(), REGISTRARS);
    let request = subscription(&mut lone, AT_HOME);
    is_answered(&mut lone, &request, 401, &challenge);
    let mut lone = registered(password(), REGISTRARS);
    let request = beside(&mut lone, Method::Message, AT_HOME);
    is_answered(&mut lone, &request, 401, &challenge);
}

#[test]
fn the_hosts_of_our_own_platform_are_its_domain_too() {
    let config = EndpointConfig {
        credentials: Some(password()),
        domains: vec!["wss.example.net".into()],
        ..config("alice")
    };
    let mut lone = Lone::with(config, Transport::Wss);
    let request = register(&mut lone);
    let request = is_answered(&mut lone, &request, 401, REGISTRARS);
    bind(&mut lone, &request);
    let (usage, invite) = call(&mut lone, AT_HOME);
    taken(&mut lone, &invite, "sip:b2bua@WSS.example.net");
    let request = inside(&mut lone, usage, Method::Invite);
    is_answered(&mut lone, &request, 401, &digest("home", "b", "SHA-256"));
}

#[test]
fn a_far_ends_401_is_no_reason_to_send_credentials() {
    let mut lone = registered(password(), REGISTRARS);
    let challenge = digest("home", "evil", "SHA-256");
    let (_, invite) = call(&mut lone, ELSEWHERE);
    is_ignored(&mut lone, &invite, 401, &challenge);
    for method in [Method::Message, Method::Options] {
        let request = beside(&mut lone, method, ELSEWHERE);
        is_ignored(&mut lone, &request, 401, &challenge);
    }
    let request = subscription(&mut lone, ELSEWHERE);
    is_ignored(&mut lone, &request, 401, &challenge);
    // Whoever calls us names what Contact it likes.
    for contact in [ELSEWHERE, AT_HOME] {
        let usage = answered_stranger(&mut lone, contact);
        let bye = inside(&mut lone, usage, Method::Bye);
        is_ignored(&mut lone, &bye, 401, &challenge);
    }
    // So does whom we call.
    for (target, contact) in [
        (ELSEWHERE, ELSEWHERE),
        (ELSEWHERE, AT_HOME),
        (AT_HOME, ELSEWHERE),
    ] {
        let (usage, invite) = call(&mut lone, target);
        taken(&mut lone, &invite, contact);
        for method in [Method::Invite, Method::Bye] {
            let request = inside(&mut lone, usage, method);
            is_ignored(&mut lone, &request, 401, &challenge);
        }
    }
}

/// The notifier of our subscription, at this Contact, tells its state.
fn notified(lone: &mut Lone, subscribe: &Request, contact: &str) {
    lone.receive(answer(subscribe, 200, "n", "Expires: 600\r\n"));
    let headers = subscribe.headers();
    lone.receive(format!(
        "NOTIFY sip:alice@ours.invalid SIP/2.0\r\nVia: SIP/2.0/WSS p.example.com;branch=z9hG4bKn\r\n\
         From: {};tag=n\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 NOTIFY\r\nContact: <{contact}>\r\n\
         Event: message-summary\r\nSubscription-State: active;expires=600\r\nContent-Length: 0\r\n\r\n",
        headers.get("To").unwrap(),
        headers.get("From").unwrap(),
        headers.get("Call-ID").unwrap(),
    ));
    lone.response(200);
}

#[test]
fn what_follows_inside_a_subscription_or_before_the_answer_is_judged_like_the_call() {
    for (target, contact, believed) in [
        (AT_HOME, "sip:b2bua@example.com", true),
        (AT_HOME, ELSEWHERE, false),
        (ELSEWHERE, AT_HOME, false),
    ] {
        let mut lone = registered(password(), REGISTRARS);
        let subscribe = subscription(&mut lone, target);
        notified(&mut lone, &subscribe, contact);
        let refresh = renewed(&mut lone);
        let again = challenged(&mut lone, &refresh, 401, &digest("home", "b", "SHA-256"));
        assert_eq!(
            again.is_some(),
            believed,
            "a subscription to {target} at {contact}"
        );

        let mut lone = registered(password(), REGISTRARS);
        let (_, invite) = call(&mut lone, target);
        let early = format!("Contact: <{contact}>\r\nRequire: 100rel\r\nRSeq: 1\r\n");
        lone.receive(answer(&invite, 183, "b", &early));
        let prack = lone.request(Method::Prack);
        let again = challenged(&mut lone, &prack, 401, &digest("home", "b", "SHA-256"));
        assert_eq!(again.is_some(), believed, "a call to {target} at {contact}");
    }
}

fn refresh(bytes: bytes::Bytes) -> Option<Request> {
    let parsed = Message::parse(bytes, sip::message::Leniency::Strict).ok()?;
    match parsed.message {
        Message::Request(request) if *request.method() == Method::Subscribe => Some(request),
        Message::Request(_) | Message::Response(_) => None,
    }
}

#[test]
fn a_call_that_outlives_its_connection_is_challenged_as_before() {
    let mut lone = registered(password(), REGISTRARS);
    let (usage, invite) = call(&mut lone, AT_HOME);
    taken(&mut lone, &invite, "sip:b2bua@example.com");
    let theirs = answered_stranger(&mut lone, ELSEWHERE);
    lone.flow_down();
    lone.flow_up(Transport::Wss);
    let again = lone.request(Method::Register);
    assert!(shows(&again).is_some());
    lone.sent.clear();
    let ours = inside(&mut lone, usage, Method::Info);
    is_answered(&mut lone, &ours, 401, &digest("home", "b", "SHA-256"));
    let ours = inside(&mut lone, theirs, Method::Info);
    is_answered(&mut lone, &ours, 407, &digest("home", "p", "SHA-256"));
    let ours = inside(&mut lone, theirs, Method::Bye);
    is_ignored(&mut lone, &ours, 401, &digest("home", "evil", "SHA-256"));
}

#[test]
fn forks_that_ask_together_are_answered_in_our_realms_alone() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    let ask = |realm: &str, nonce: &str| digest(realm, nonce, "SHA-256");
    let lines = format!(
        "WWW-Authenticate: {}\r\nWWW-Authenticate: {}, {}\r\nProxy-Authenticate: {}\r\n",
        ask("evil", "1"),
        ask("home", "2"),
        ask("evil too", "3"),
        ask("home", "4"),
    );
    lone.receive(answer(&invite, 401, "f", &lines));
    lone.request(Method::Ack);
    let again = lone.request(Method::Invite);
    let mut shown: Vec<&str> = again.headers().all("Authorization").collect();
    shown.extend(again.headers().all("Proxy-Authorization"));
    let nonces = ["nonce=\"2\"", "nonce=\"4\""];
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(
        shown
            .iter()
            .zip(nonces)
            .all(|(one, nonce)| one.contains(nonce)),
        "{shown:?}"
    );
}

#[test]
fn a_realm_is_the_same_however_it_is_quoted() {
    let odd = password().only(vec!["a \"b\", c".into()]);
    let mut lone = phone(odd);
    let request = register(&mut lone);
    let escaped = r#"Digest realm="a \"b\", c", nonce="n", algorithm=SHA-256"#;
    let again = is_answered(&mut lone, &request, 401, escaped);
    assert!(shows(&again).unwrap().contains(r#"realm="a \"b\", c""#));
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(
        &mut lone,
        &invite,
        401,
        r#"Digest realm="h\ome", nonce="n", algorithm=MD5"#,
    );
}

#[test]
fn a_redirected_call_is_challenged_by_where_it_goes() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 401, &digest("home", "b", "SHA-256"));
    lone.receive(answer(
        &invite,
        302,
        "b",
        &format!("Contact: <{ELSEWHERE}>\r\n"),
    ));
    lone.request(Method::Ack);
    let redirected = lone.request(Method::Invite);
    assert_eq!(shows(&redirected), None);
    is_ignored(
        &mut lone,
        &redirected,
        401,
        &digest("home", "evil", "SHA-256"),
    );
}

#[test]
fn no_realm_is_answered_but_the_registrars_or_those_that_were_given() {
    let mut lone = registered(password(), REGISTRARS);
    for code in [401, 407] {
        for realm in ["evil", "example.com"] {
            let (_, invite) = call(&mut lone, AT_HOME);
            is_ignored(&mut lone, &invite, code, &digest(realm, "x", "SHA-256"));
        }
    }
    let given = password().only(vec!["One".into(), "two".into()]);
    for (realm, answered) in [("one", true), ("two", true), ("example.com", false)] {
        let mut lone = phone(given.clone());
        let request = register(&mut lone);
        let again = challenged(&mut lone, &request, 401, &digest(realm, "x", "SHA-256"));
        assert_eq!(again.is_some(), answered, "{realm}");
        let (_, invite) = call(&mut lone, AT_HOME);
        let again = challenged(&mut lone, &invite, 407, &digest(realm, "x", "SHA-256"));
        assert_eq!(again.is_some(), answered, "{realm}");
    }
}

#[test]
fn a_phone_that_does_not_register_takes_the_realm_of_its_own_platform() {
    for code in [401, 407] {
        let mut lone = phone(password());
        // A stranger comes first, and names a realm of its own.
        let (_, invite) = call(&mut lone, ELSEWHERE);
        is_ignored(&mut lone, &invite, code, &digest("evil", "x", "SHA-256"));
        let (_, invite) = call(&mut lone, AT_HOME);
        is_answered(
            &mut lone,
            &invite,
            code,
            &digest("platform", "x", "SHA-256"),
        );
        let (_, invite) = call(&mut lone, AT_HOME);
        is_ignored(&mut lone, &invite, code, &digest("evil", "y", "SHA-256"));
    }
}

#[test]
fn a_registrar_that_asks_for_nothing_leaves_the_realm_to_the_proxy() {
    let trusted = || {
        let mut lone = phone(password());
        let request = register(&mut lone);
        bind(&mut lone, &request);
        lone
    };
    let mut lone = trusted();
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(&mut lone, &invite, 401, &digest("evil", "x", "SHA-256"));
    let (_, invite) = call(&mut lone, AT_HOME);
    is_answered(&mut lone, &invite, 407, &digest("platform", "x", "SHA-256"));
    // Until somebody of ours has named another, the realm is our own domain.
    let mut lone = trusted();
    let usage = answered_stranger(&mut lone, ELSEWHERE);
    let bye = inside(&mut lone, usage, Method::Bye);
    let bye = is_answered(&mut lone, &bye, 407, &digest("example.com", "x", "MD5"));
    is_ignored(&mut lone, &bye, 407, &digest("evil", "x", "MD5"));
}

#[test]
fn a_weaker_algorithm_than_the_realm_has_used_is_not_answered() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    for code in [401, 407] {
        let (_, invite) = call(&mut lone, AT_HOME);
        is_ignored(&mut lone, &invite, code, &digest("home", "evil", "MD5"));
        let (_, invite) = call(&mut lone, AT_HOME);
        is_ignored(
            &mut lone,
            &invite,
            code,
            "Digest realm=\"HOME\", nonce=\"evil\"",
        );
    }
    // Beside a strong one it is only an offer.
    let name = "Proxy-Authenticate: ";
    let (weak, strong) = (digest("home", "w", "MD5"), digest("home", "s", "SHA-256"));
    let both = format!("{name}{weak}\r\n{name}{strong}\r\n");
    lone.receive(answer(&invite, 407, "p", &both));
    lone.request(Method::Ack);
    let again = lone.request(Method::Invite);
    assert!(shows(&again).unwrap().contains("algorithm=SHA-256"));
    // Nor does the registrar itself go back.
    let request = register(&mut lone);
    is_ignored(&mut lone, &request, 401, &digest("home", "w", "MD5"));
}

#[test]
fn a_strangers_stronger_algorithm_does_not_lock_the_registrar_out() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    is_answered(
        &mut lone,
        &invite,
        401,
        &digest("home", "evil", "SHA-512-256"),
    );
    let request = register(&mut lone);
    is_answered(
        &mut lone,
        &request,
        401,
        &digest("home", "good2", "SHA-256"),
    );
}

#[test]
fn a_strangers_nonce_never_reaches_the_registrar() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    is_answered(&mut lone, &invite, 401, &digest("home", "evil", "SHA-256"));
    let usage = answered_stranger(&mut lone, ELSEWHERE);
    let bye = inside(&mut lone, usage, Method::Bye);
    is_answered(&mut lone, &bye, 407, &digest("home", "evil2", "SHA-256"));
    let request = register(&mut lone);
    let shown = shows(&request).unwrap().to_owned();
    assert!(
        shown.contains("nonce=\"good\"") && shown.contains("nc=00000002"),
        "{shown}"
    );
    // And another nonce of the registrar's is another challenge.
    let request = is_answered(
        &mut lone,
        &request,
        401,
        &digest("home", "good2", "SHA-256"),
    );
    bind(&mut lone, &request);
}

#[test]
fn a_stranger_with_endless_fresh_nonces_is_answered_twice() {
    let mut lone = registered(password(), REGISTRARS);
    for code in [401, 407] {
        let (_, mut invite) = call(&mut lone, AT_HOME);
        let mut answers = 0;
        for round in 0..20 {
            let fresh = digest("home", &format!("{code}-{round}"), "SHA-256");
            let Some(again) = challenged(&mut lone, &invite, code, &fresh) else {
                break;
            };
            answers += 1;
            invite = again;
        }
        assert_eq!(answers, 2, "{code}");
    }
}

#[test]
fn what_calls_remember_is_bounded_and_the_registrars_count_goes_on() {
    let mut lone = registered(password(), REGISTRARS);
    for round in 0..600 {
        let (_, invite) = call(&mut lone, ELSEWHERE);
        let again = is_answered(
            &mut lone,
            &invite,
            407,
            &digest("home", &format!("n{round}"), "SHA-256"),
        );
        lone.receive(answer(&again, 486, "b", ""));
        lone.sent.clear();
    }
    let shown = format!("{:?}", lone.endpoint);
    assert!(shown.matches("nonce: \"n").count() <= 64);
    let request = register(&mut lone);
    assert!(shows(&request).unwrap().contains("nc=00000002"));
}

#[test]
fn counts_go_on_while_two_realms_and_their_nonces_alternate() {
    let both = password().only(vec!["one".into(), "two".into()]);
    let mut lone = phone(both);
    let mut counts = Vec::new();
    for realm in ["one", "two", "one", "two"] {
        let (_, invite) = call(&mut lone, AT_HOME);
        let challenge = digest(realm, &format!("of-{realm}"), "SHA-256");
        let again = is_answered(&mut lone, &invite, 407, &challenge);
        let all: Vec<ProxyAuthorization<'_>> = again.headers().list().map(Result::unwrap).collect();
        counts.extend(all.iter().map(|one| {
            (
                one.param("realm").unwrap().into_owned(),
                one.param("nc").unwrap().into_owned(),
            )
        }));
        lone.receive(answer(&again, 486, "b", ""));
        lone.sent.clear();
    }
    for realm in ["one", "two"] {
        let of_realm: Vec<&String> = counts
            .iter()
            .filter(|(name, _)| name == realm)
            .map(|(_, nc)| nc)
            .collect();
        let mut sorted = of_realm.clone();
        sorted.dedup();
        sorted.sort();
        assert_eq!(of_realm, sorted, "each above the one before");
    }
}

#[test]
fn only_who_may_challenge_says_which_nonce_comes_next() {
    let mut lone = registered(password(), REGISTRARS);
    let (_, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 401, &digest("home", "b", "SHA-256"));
    lone.receive(answer(
        &invite,
        486,
        "b",
        "Authentication-Info: nextnonce=\"evil\"\r\n",
    ));
    lone.sent.clear();
    let request = register(&mut lone);
    assert!(shows(&request).unwrap().contains("nonce=\"good\""));
    let next = format!(
        "Contact: {};expires=600\r\nAuthentication-Info: nextnonce=\"good2\"\r\n",
        header(&request, "Contact")
    );
    lone.receive(answer(&request, 200, "r", &next));
    let request = register(&mut lone);
    assert!(shows(&request).unwrap().contains("nonce=\"good2\""));
}

#[test]
fn the_token_goes_to_the_registrar_and_to_our_own_edge() {
    let mut lone = phone(token());
    let request = register(&mut lone);
    let request = is_answered(&mut lone, &request, 401, &bearer("example.com"));
    let request = is_answered(&mut lone, &request, 407, &bearer("example.com"));
    assert!(request.headers().contains("Authorization"));
    bind(&mut lone, &request);
    let mut lone = registered(token(), &bearer("example.com"));
    for target in [AT_HOME, "tel:+15551234567"] {
        let (_, invite) = call(&mut lone, target);
        if shows(&invite).is_none() {
            is_answered(&mut lone, &invite, 407, &bearer("example.com"));
        }
    }
    for realm in ["evil", "EVIL.example.com"] {
        let mut lone = registered(token(), &bearer("example.com"));
        let (_, invite) = call(&mut lone, AT_HOME);
        is_ignored(&mut lone, &invite, 407, &bearer(realm));
    }
}

#[test]
fn no_401_but_the_registrars_gets_the_token() {
    let mut lone = registered(token(), &bearer("example.com"));
    for target in [AT_HOME, ELSEWHERE] {
        let (_, invite) = call(&mut lone, target);
        is_ignored(&mut lone, &invite, 401, &bearer("example.com"));
        let message = beside(&mut lone, Method::Message, target);
        is_ignored(&mut lone, &message, 401, &bearer("example.com"));
        let (usage, invite) = call(&mut lone, target);
        taken(&mut lone, &invite, target);
        let bye = inside(&mut lone, usage, Method::Bye);
        is_ignored(&mut lone, &bye, 401, &bearer("example.com"));
        let usage = answered_stranger(&mut lone, target);
        let bye = inside(&mut lone, usage, Method::Bye);
        is_ignored(&mut lone, &bye, 401, &bearer("example.com"));
    }
}

#[test]
fn a_407_from_elsewhere_gets_the_token_only_once_our_own_edge_has_asked_for_it() {
    let mut lone = registered(token(), &bearer("example.com"));
    let (_, invite) = call(&mut lone, ELSEWHERE);
    is_ignored(&mut lone, &invite, 407, &bearer("example.com"));
    // A Contact of our domain is a stranger's to choose, and its Route leads where it likes.
    for contact in [ELSEWHERE, AT_HOME] {
        let usage = answered_stranger(&mut lone, contact);
        let bye = inside(&mut lone, usage, Method::Bye);
        is_ignored(&mut lone, &bye, 407, &bearer("example.com"));
        let (usage, invite) = call(&mut lone, AT_HOME);
        taken(&mut lone, &invite, contact);
        let bye = inside(&mut lone, usage, Method::Bye);
        is_ignored(&mut lone, &bye, 407, &bearer("example.com"));
    }
    let (_, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 407, &bearer("example.com"));
    lone.receive(answer(&invite, 486, "b", ""));
    lone.request(Method::Ack);
    // An edge that asks does so before a stranger is reached; what it did not ask for, it does not get.
    let message = beside(&mut lone, Method::Message, ELSEWHERE);
    assert_eq!(shows(&message), None);
    is_answered(&mut lone, &message, 407, &bearer("example.com"));
    let usage = answered_stranger(&mut lone, AT_HOME);
    let info = inside(&mut lone, usage, Method::Info);
    assert_eq!(shows(&info), None);
    let usage = answered_stranger(&mut lone, ELSEWHERE);
    let bye = inside(&mut lone, usage, Method::Bye);
    is_answered(&mut lone, &bye, 407, &bearer("example.com"));
    is_ignored(&mut lone, &bye, 401, &bearer("example.com"));
}

#[test]
fn a_token_that_goes_everywhere_at_home_answers_a_407_where_it_goes() {
    let mut lone = phone(token().unasked());
    let request = register(&mut lone);
    assert_eq!(shows(&request), Some("Bearer good.token"));
    bind(&mut lone, &request);
    let (_, invite) = call(&mut lone, ELSEWHERE);
    assert_eq!(shows(&invite), None);
    is_ignored(&mut lone, &invite, 407, &bearer("example.com"));
    let (_, invite) = call(&mut lone, AT_HOME);
    assert_eq!(shows(&invite), Some("Bearer good.token"));
    let (usage, invite) = call(&mut lone, AT_HOME);
    taken(&mut lone, &invite, "sip:gateway@192.0.2.1");
    let bye = inside(&mut lone, usage, Method::Bye);
    is_answered(&mut lone, &bye, 407, &bearer("example.com"));
    // Who calls us is not given what nobody of ours has asked for.
    let usage = answered_stranger(&mut lone, "sip:gateway@192.0.2.1");
    let bye = inside(&mut lone, usage, Method::Bye);
    is_ignored(&mut lone, &bye, 407, &bearer("example.com"));
    let (_, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 407, &bearer("example.com"));
    lone.receive(answer(&invite, 486, "b", ""));
    lone.sent.clear();
    let usage = answered_stranger(&mut lone, "sip:gateway@192.0.2.1");
    let bye = inside(&mut lone, usage, Method::Bye);
    is_answered(&mut lone, &bye, 407, &bearer("example.com"));
}

#[test]
fn a_registrar_that_went_back_is_answered_once_the_application_asks_for_it() {
    let mut lone = registered(password(), REGISTRARS);
    let weaker = digest("home", "w", "MD5");
    let request = register(&mut lone);
    is_ignored(&mut lone, &request, 401, &weaker);
    lone.act(|alice, _| alice.forget_algorithms());
    let request = register(&mut lone);
    let request = is_answered(&mut lone, &request, 401, &weaker);
    bind(&mut lone, &request);
    // Nor does anybody but the registrar gain by it.
    let (_, invite) = call(&mut lone, ELSEWHERE);
    is_ignored(&mut lone, &invite, 401, &weaker);
    let request = register(&mut lone);
    let stronger = digest("home", "s", "SHA-256");
    let request = is_answered(&mut lone, &request, 401, &stronger);
    bind(&mut lone, &request);
    let request = register(&mut lone);
    is_ignored(&mut lone, &request, 401, &weaker);
}

#[test]
fn a_token_that_comes_while_a_register_is_out_is_shown_next() {
    let newer = || Credentials::bearer("newer.token", vec!["example.com".into()]).unwrap();
    for code in [403, 200] {
        let mut lone = registered(token(), &bearer("example.com"));
        let request = register(&mut lone);
        assert_eq!(shows(&request), Some("Bearer good.token"));
        lone.act(|alice, _| alice.set_credentials(Some(newer())));
        lone.act(|alice, now| alice.register(now));
        lone.events();
        let contact = format!("Contact: {};expires=600\r\n", header(&request, "Contact"));
        lone.receive(answer(&request, code, "r", &contact));
        let failed = |event: &Event| matches!(event, Event::RegistrationFailed(_));
        assert!(!lone.events().iter().any(failed), "{code}");
        let request = lone.request(Method::Register);
        let request = is_answered(&mut lone, &request, 401, &bearer("example.com"));
        assert_eq!(shows(&request), Some("Bearer newer.token"));
        bind(&mut lone, &request);
        assert!(lone.sent.is_empty(), "{code}");
    }
    // Its own refusal is one.
    let mut lone = registered(token(), &bearer("example.com"));
    let request = register(&mut lone);
    lone.act(|alice, _| alice.set_credentials(Some(newer())));
    let request = is_answered(&mut lone, &request, 401, &bearer("example.com"));
    lone.receive(answer(&request, 403, "r", ""));
    assert!(matches!(
        lone.events().last(),
        Some(Event::RegistrationFailed(_))
    ));
    assert!(lone.sent.is_empty());
}

#[test]
fn the_token_stays_out_of_an_ack_that_nobody_can_ask_for() {
    for contact in [ELSEWHERE, AT_HOME] {
        let mut lone = registered(token(), &bearer("example.com"));
        let (_, invite) = call(&mut lone, AT_HOME);
        let invite = is_answered(&mut lone, &invite, 407, &bearer("example.com"));
        let ack = taken(&mut lone, &invite, contact);
        assert_eq!(shows(&ack), None, "{contact}");
    }
}

#[test]
fn a_token_that_goes_everywhere_at_home_is_in_every_request_of_a_call_placed_there() {
    let mut lone = phone(token().unasked());
    let (usage, invite) = call(&mut lone, AT_HOME);
    let ack = taken(&mut lone, &invite, "sip:gateway@192.0.2.1");
    let info = inside(&mut lone, usage, Method::Info);
    let bye = inside(&mut lone, usage, Method::Bye);
    for request in [&invite, &ack, &info, &bye] {
        assert_eq!(shows(request), Some("Bearer good.token"));
    }
    let (usage, invite) = call(&mut lone, ELSEWHERE);
    let ack = taken(&mut lone, &invite, ELSEWHERE);
    let bye = inside(&mut lone, usage, Method::Bye);
    let called = answered_stranger(&mut lone, ELSEWHERE);
    let called = inside(&mut lone, called, Method::Bye);
    for request in [&invite, &ack, &bye, &called] {
        assert_eq!(shows(request), None);
    }
}

#[test]
fn a_token_that_is_replaced_is_not_the_one_that_was_refused() {
    let mut lone = phone(token());
    let request = register(&mut lone);
    let signed = is_answered(&mut lone, &request, 401, &bearer("example.com"));
    let newer = Credentials::bearer("newer.token", vec!["example.com".into()]).unwrap();
    lone.act(|alice, _| alice.set_credentials(Some(newer)));
    let again = is_answered(&mut lone, &signed, 401, &bearer("example.com"));
    let authorization: Authorization<'_> = again.headers().require().unwrap();
    assert_eq!(authorization.token(), Some("newer.token"));
    is_ignored(&mut lone, &again, 401, &bearer("example.com"));
}

#[test]
fn a_token_answers_no_digest_and_has_no_next_nonce() {
    let mut lone = phone(token());
    let request = register(&mut lone);
    is_ignored(&mut lone, &request, 401, &digest("example.com", "x", "MD5"));
    let request = register(&mut lone);
    let signed = is_answered(&mut lone, &request, 401, &bearer("example.com"));
    let next = "Authentication-Info: nextnonce=\"x\"\r\n";
    lone.receive(answer(&signed, 200, "r", next));
    let request = register(&mut lone);
    assert_eq!(shows(&request), Some("Bearer good.token"));
}

#[test]
fn a_password_that_is_replaced_keeps_what_the_registrar_has_said() {
    let mut lone = registered(password(), REGISTRARS);
    lone.act(|alice, _| alice.set_credentials(Some(password())));
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(&mut lone, &invite, 407, &digest("evil", "x", "SHA-256"));
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(&mut lone, &invite, 407, &digest("home", "x", "MD5"));
}

#[test]
fn a_b2bua_that_asked_first_by_401_may_ask_again_from_whatever_address_it_names() {
    const ADDRESS: &str = "sip:b2bua@192.0.2.5:5060";
    let mut lone = registered(password(), REGISTRARS);
    let (usage, invite) = call(&mut lone, AT_HOME);
    let invite = is_answered(&mut lone, &invite, 401, &digest("home", "b", "SHA-256"));
    taken(&mut lone, &invite, ADDRESS);
    for method in [Method::Invite, Method::Info, Method::Bye] {
        let request = inside(&mut lone, usage, method.clone());
        for challenge in [
            digest("evil", "x", "SHA-256"),
            digest("home", "x", "MD5"),
            bearer("home"),
        ] {
            let mut lone = registered(password(), REGISTRARS);
            let (usage, invite) = call(&mut lone, AT_HOME);
            let invite = is_answered(&mut lone, &invite, 401, &digest("home", "b", "SHA-256"));
            taken(&mut lone, &invite, ADDRESS);
            let request = inside(&mut lone, usage, method.clone());
            is_ignored(&mut lone, &request, 401, &challenge);
        }
        let next = digest("home", method.as_str(), "SHA-256");
        let again = is_answered(&mut lone, &request, 401, &next);
        lone.receive(answer(&again, 200, "b", ""));
        lone.sent.clear();
    }
    // What it said there counts for that call alone.
    let (_, next) = call(&mut lone, AT_HOME);
    assert!(shows(&next).unwrap().contains("nonce=\"b\""));
    let request = register(&mut lone);
    assert!(shows(&request).unwrap().contains("nonce=\"good\""));

    let mut lone = registered(password(), REGISTRARS);
    let subscribe = subscription(&mut lone, AT_HOME);
    let challenge = digest("home", "b", "SHA-256");
    let subscribe = is_answered(&mut lone, &subscribe, 401, &challenge);
    notified(&mut lone, &subscribe, ADDRESS);
    let refresh = renewed(&mut lone);
    is_answered(&mut lone, &refresh, 401, &digest("home", "c", "SHA-256"));
}

/// The SUBSCRIBE that renews a subscription of ten minutes.
fn renewed(lone: &mut Lone) -> Request {
    let renewal = (0..600).find_map(|_second| {
        lone.advance(Duration::from_secs(1));
        let mut sent = std::mem::take(&mut lone.sent).into_iter();
        sent.find_map(|(_, bytes)| refresh(bytes))
    });
    renewal.expect("a refresh")
}

#[test]
fn many_spellings_of_our_realm_keep_no_answer_from_our_edge() {
    let mut lone = registered(password(), REGISTRARS);
    for spelling in ["HOME", "Home", "hOme", "hoMe", "homE", r"h\ome"] {
        for code in [401, 407] {
            let (_, invite) = call(&mut lone, AT_HOME);
            challenged(
                &mut lone,
                &invite,
                code,
                &digest(spelling, "evil", "SHA-256"),
            );
        }
    }
    for code in [401, 407] {
        let (_, invite) = call(&mut lone, AT_HOME);
        let invite = is_answered(&mut lone, &invite, code, &digest("home", "n", "SHA-256"));
        let name = if code == 401 {
            "Authorization"
        } else {
            "Proxy-Authorization"
        };
        let answers: Vec<&str> = invite.headers().all(name).collect();
        assert!(
            answers.len() == 1 && answers[0].contains("realm=\"home\""),
            "{answers:?}"
        );
        lone.receive(answer(&invite, 486, "b", ""));
        lone.sent.clear();
    }
}
