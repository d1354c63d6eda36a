//! What is asked again, given up or never answered.

use super::*;

// Trap 18.
#[test]
fn another_nonce_instead_of_a_yes_is_a_new_challenge_once_and_then_a_wrong_password() {
    let mut bench = Bench::new(Credentials::password("ann", "wrong").unwrap());
    let mut signed = bench.signed();
    assert!(matches!(
        bench.check(&signed),
        Check::Denied { username: Some(_) }
    ));
    let again = bench.challenge(&signed, false);
    assert_eq!(bench.answer(&again, &signed), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut signed);
    let again = bench.challenge(&signed, false);
    let realm = r#"r \"q\", 1"#.to_owned();
    assert_eq!(
        bench.answer(&again, &signed),
        ChallengeVerdict::WrongPassword { realm }
    );
    let mut next = register();
    sign(&mut bench.client, &mut next);
    assert!(!next.headers().contains(HeaderName::Authorization));
}

// Trap 18.
#[test]
fn the_same_nonce_instead_of_a_yes_is_a_wrong_password() {
    let mut bench = Bench::new(Credentials::password("ann", "wrong").unwrap());
    let signed = bench.signed();
    assert!(matches!(bench.check(&signed), Check::Denied { .. }));
    let mut denied = Response::to_request(&signed, StatusCode::UNAUTHORIZED);
    bench
        .verifier
        .deny(&mut denied, &signed, bench.now, &mut bench.rng);
    let used = param(&signed, "nonce");
    for challenge in denied.headers().all(HeaderName::WwwAuthenticate).take(2) {
        assert!(challenge.contains(&used), "{challenge} for {used}");
    }
    assert!(matches!(
        bench.answer(&denied, &signed),
        ChallengeVerdict::WrongPassword { .. }
    ));
}

// Trap 18.
#[test]
fn a_stale_nonce_is_replaced_without_a_question() {
    let mut bench = Bench::new(ann());
    let signed = bench.signed();
    bench.now += Duration::from_secs(61);
    assert_eq!(bench.check(&signed), Check::Stale);
    let stale = bench.challenge(&signed, true);
    assert_eq!(bench.answer(&stale, &signed), ChallengeVerdict::Retry);
    let mut again = signed.clone();
    sign(&mut bench.client, &mut again);
    assert_eq!(again.headers().all(HeaderName::Authorization).count(), 1);
    assert!(matches!(bench.check(&again), Check::Accepted { .. }));
}

#[test]
fn a_server_whose_every_nonce_is_stale_is_given_up() {
    let mut bench = Bench::new(ann());
    let mut signed = bench.signed();
    for round in 0.. {
        let stale = bench.challenge(&signed, true);
        match bench.answer(&stale, &signed) {
            ChallengeVerdict::Retry => sign(&mut bench.client, &mut signed),
            verdict => {
                assert_eq!(
                    verdict,
                    ChallengeVerdict::Unsupported {
                        why: Unsupported::StaleAgain
                    }
                );
                break;
            }
        }
        assert!(round < 5);
    }
}

#[test]
fn a_nonce_that_has_worked_may_expire_without_stale() {
    let mut bench = Bench::new(ann());
    let signed = bench.signed();
    bench.client.accepted(
        &Response::to_request(&signed, StatusCode::OK),
        &signed,
        way(&signed),
    );
    let mut next = register();
    sign(&mut bench.client, &mut next);
    let expired = bench.challenge(&next, false);
    assert_eq!(bench.answer(&expired, &next), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut next);
    let again = bench.challenge(&next, false);
    assert_eq!(bench.answer(&again, &next), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut next);
    let again = bench.challenge(&next, false);
    assert!(matches!(
        bench.answer(&again, &next),
        ChallengeVerdict::WrongPassword { .. }
    ));
}

#[test]
fn two_requests_in_flight_with_a_wrong_password_both_stop() {
    let mut bench = Bench::new(Credentials::password("ann", "wrong").unwrap());
    let mut requests = [register(), register()];
    let mut signed = 0;
    while signed < 10 {
        let mut refused = 0;
        for request in &mut requests {
            let challenge = bench.challenge(request, false);
            match bench.answer(&challenge, request) {
                ChallengeVerdict::Retry => sign(&mut bench.client, request),
                ChallengeVerdict::WrongPassword { .. } => refused += 1,
                other @ ChallengeVerdict::Unsupported { .. } => panic!("{other:?}"),
            }
            signed += 1;
        }
        if refused == 2 {
            return;
        }
    }
    panic!("they go on");
}

#[test]
fn what_cannot_be_answered_is_told_apart() {
    let mut rng = StdRng::seed_from_u64(4);
    let mut why = |credentials: Credentials, challenges: &[&str]| {
        let request = register();
        let response = challenged(StatusCode::UNAUTHORIZED, &request, challenges);
        match Authenticator::new(credentials, "example.com").challenge(
            &response,
            &request,
            way(&request),
            &mut rng,
        ) {
            ChallengeVerdict::Unsupported { why } => Some(why),
            ChallengeVerdict::Retry | ChallengeVerdict::WrongPassword { .. } => None,
        }
    };
    let digest = "Digest realm=\"r\", nonce=\"n\"";
    assert_eq!(why(ann(), &[]), Some(Unsupported::NoChallenge));
    assert_eq!(
        why(ann(), &["Digest realm=\"r\""]),
        Some(Unsupported::Malformed)
    );
    assert_eq!(why(ann(), &["NTLM realm=\"r\""]), Some(Unsupported::Scheme));
    let sha512 = format!("{digest}, algorithm=SHA-512");
    assert_eq!(why(ann(), &[&sha512]), Some(Unsupported::Algorithm));
    let confidential = format!("{digest}, qop=\"auth-conf\"");
    assert_eq!(why(ann(), &[&confidential]), Some(Unsupported::Qop));
    assert_eq!(
        why(ann().only(vec!["other".into()]), &[digest]),
        Some(Unsupported::Realm)
    );
    let long = format!("Digest realm=\"r\", nonce=\"{}\"", "n".repeat(5000));
    assert_eq!(why(ann(), &[&long]), Some(Unsupported::Malformed));
    let sha256 = Credentials::new("ann", Secret::ha1(&"0".repeat(64)).unwrap()).unwrap();
    assert_eq!(why(sha256.clone(), &[digest]), Some(Unsupported::Algorithm));
    let fits = format!("{digest}, algorithm=SHA-256");
    assert_eq!(why(sha256, &[digest, &fits]), None);
}

#[test]
fn what_is_empty_in_a_challenge_is_not_there() {
    for odd in [
        "qop=\"\"",
        "qop=\" , \"",
        "algorithm=\"\"",
        "algorithm=, qop=",
    ] {
        let mut rng = StdRng::seed_from_u64(4);
        let mut client = Authenticator::new(ann(), "example.com");
        let mut request = register();
        let value = format!("Digest realm=\"r\", nonce=\"n\", {odd}");
        let response = challenged(StatusCode::UNAUTHORIZED, &request, &[&value]);
        let verdict = client.challenge(&response, &request, way(&request), &mut rng);
        assert_eq!(verdict, ChallengeVerdict::Retry, "{odd}");
        sign(&mut client, &mut request);
        for absent in ["qop", "nc", "cnonce", "algorithm"] {
            assert_eq!(param(&request, absent), "", "{odd}");
        }
        assert_eq!(param(&request, "response").len(), 34);
    }
}

#[test]
fn challenges_in_one_line_are_all_heard_and_credentials_in_one_line_are_not() {
    let mut bench = Bench::new(ann());
    let mut request = register();
    let apart = bench.challenge(&request, false);
    let values: Vec<&str> = apart.headers().all(HeaderName::WwwAuthenticate).collect();
    let together = challenged(StatusCode::UNAUTHORIZED, &request, &[&values.join(", ")]);
    assert_eq!(bench.answer(&together, &request), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut request);
    assert_eq!(param(&request, "algorithm"), "SHA-256");
    assert!(matches!(bench.check(&request), Check::Accepted { .. }));
    // Who is let in is decided by what can be read in one way only.
    let own = request.headers().get(HeaderName::Authorization).unwrap();
    let two = register().header("Authorization", &format!("{own}, {own}"));
    assert_eq!(bench.check(&two.unwrap()), Check::Missing);
}

#[test]
fn a_server_that_makes_up_a_realm_each_time_is_given_up() {
    let mut client = Authenticator::new(ann(), "example.com");
    let mut rng = StdRng::seed_from_u64(5);
    let mut request = register();
    for round in 0.. {
        assert!(round < 10);
        let value = format!("Digest realm=\"r{round}\", nonce=\"n{round}\", qop=\"auth\"");
        let response = challenged(
            StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            &request,
            &[&value],
        );
        match client.challenge(&response, &request, way(&request), &mut rng) {
            ChallengeVerdict::Retry => sign(&mut client, &mut request),
            verdict => {
                assert_eq!(
                    verdict,
                    ChallengeVerdict::Unsupported {
                        why: Unsupported::TooManyRealms
                    }
                );
                return;
            }
        }
    }
}
