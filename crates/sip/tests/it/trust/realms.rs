//! Which realms, algorithms and nonces are answered.

use super::*;

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
fn a_password_that_is_replaced_keeps_what_the_registrar_has_said() {
    let mut lone = registered(password(), REGISTRARS);
    lone.act(|alice, _| alice.set_credentials(Some(password())));
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(&mut lone, &invite, 407, &digest("evil", "x", "SHA-256"));
    let (_, invite) = call(&mut lone, AT_HOME);
    is_ignored(&mut lone, &invite, 407, &digest("home", "x", "MD5"));
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
