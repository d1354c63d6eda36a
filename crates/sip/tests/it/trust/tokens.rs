//! Where an access token goes.

use super::*;

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
