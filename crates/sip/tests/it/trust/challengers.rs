//! Who may challenge what: the registrar, our own edge, a B2BUA, the far end of a dialog.

use super::*;

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
fn the_bye_of_a_call_that_another_process_placed_is_judged_like_its_own() {
    for (target, code, is_signed) in [(AT_HOME, 401, true), (ELSEWHERE, 401, false)] {
        let mut left = registered(password(), REGISTRARS);
        let (usage, invite) = call(&mut left, target);
        taken(&mut left, &invite, "sip:b2bua@example.com:5080");
        let record = left.act(|alice, _| alice.dialog_record(usage)).unwrap();
        let mut next = registered(password(), REGISTRARS);
        let usage = next.act(|alice, _| alice.adopt(&record)).unwrap();
        let bye = inside(&mut next, usage, Method::Bye);
        let again = challenged(&mut next, &bye, code, &digest("home", "b", "SHA-256"));
        let signed = again.is_some_and(|again| shows(&again).is_some());
        assert_eq!(signed, is_signed, "{target}");
    }
}
