//! Answers that the other side takes.

use super::*;

impl Accounts for Ann {
    fn secret(&self, username: &str) -> Option<Secret> {
        (username == "ann").then(|| Secret::Password("pa\"ss".into()))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        (token == "good.token").then(|| "ann".into())
    }
}

#[test]
fn every_algorithm_and_protection_is_accepted_by_the_other_side() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
        for qops in [Qops::Auth, Qops::AuthInt, Qops::Both] {
            let mut bench = Bench::with(ann(), vec![algorithm], qops);
            let signed = bench.signed();
            let user = Check::Accepted {
                username: "ann".into(),
            };
            assert_eq!(bench.check(&signed), user, "{algorithm:?} {qops:?}");
        }
    }
}

#[test]
fn auth_int_protects_the_body() {
    let mut bench = Bench::with(ann(), vec![Algorithm::Sha256], Qops::AuthInt);
    let mut request = parse_request(request("MESSAGE", "sip:b@example.com", &[], b"hello"));
    let challenge = bench.challenge(&request, false);
    assert_eq!(bench.answer(&challenge, &request), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut request);
    assert_eq!(param(&request, "qop"), "auth-int");
    let forged = request
        .clone()
        .with_body("text/plain", "hallo".into())
        .unwrap();
    assert!(matches!(bench.check(&forged), Check::Denied { .. }));
    assert!(matches!(bench.check(&request), Check::Accepted { .. }));
}

// Trap 19.
#[test]
fn the_strongest_algorithm_is_chosen_whatever_the_order() {
    for order in [
        [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256],
        [Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5],
    ] {
        let mut bench = Bench::with(ann(), order.into(), Qops::Auth);
        let signed = bench.signed();
        assert_eq!(param(&signed, "algorithm"), "SHA-512-256");
        assert!(matches!(bench.check(&signed), Check::Accepted { .. }));
    }
}

// Trap 17.
#[test]
fn the_answer_has_the_form_that_the_rfc_gives_it() {
    let mut bench = Bench::new(ann());
    let signed = bench.signed();
    assert_eq!(param(&signed, "uri"), "\"sip:example.com\"");
    assert_eq!(param(&signed, "realm"), r#""r \"q\", 1""#);
    assert_eq!(param(&signed, "qop"), "auth");
    assert_eq!(param(&signed, "nc"), "00000001");
    assert_eq!(param(&signed, "cnonce").len(), 34);
    assert_eq!(param(&signed, "response").len(), 66);
    assert!(!format!("{:?}", signed.headers()).contains("pa\"ss"));
}

// Trap 17.
#[test]
fn the_count_rises_over_all_requests_and_over_both_headers() {
    let mut client = Authenticator::new(ann(), "example.com");
    let mut rng = StdRng::seed_from_u64(2);
    let first = register();
    let same = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    for status in [
        StatusCode::UNAUTHORIZED,
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
    ] {
        let response = challenged(status, &first, &[same]);
        assert_eq!(
            client.challenge(&response, &first, way(&first), &mut rng),
            ChallengeVerdict::Retry
        );
    }
    let mut counts = Vec::new();
    for _ in 0..9 {
        let mut next = register();
        sign(&mut client, &mut next);
        let server: Authorization<'_> = next.headers().require().unwrap();
        let proxy: ProxyAuthorization<'_> = next.headers().require().unwrap();
        counts.extend([
            server.param("nc").unwrap().into_owned(),
            proxy.param("nc").unwrap().into_owned(),
        ]);
    }
    let rising: Vec<String> = (1..=18).map(|count| format!("{count:08x}")).collect();
    assert_eq!(counts, rising);
}

// Trap 19.
#[test]
fn each_realm_of_401_and_407_is_answered_and_both_headers_are_kept() {
    let mut client = Authenticator::new(ann(), "example.com");
    let mut rng = StdRng::seed_from_u64(3);
    let mut request = register();
    let response = challenged(
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        &request,
        &[
            "Digest realm=\"p1\", nonce=\"1\", qop=\"auth\", algorithm=MD5",
            "Digest realm=\"p2\", nonce=\"2\", qop=\"auth\"",
            "Digest realm=\"p1\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256",
        ],
    )
    .header("WWW-Authenticate", "Digest realm=\"home\", nonce=\"3\"")
    .unwrap();
    assert_eq!(
        client.challenge(&response, &request, way(&request), &mut rng),
        ChallengeVerdict::Retry
    );
    sign(&mut client, &mut request);
    let proxies: Vec<ProxyAuthorization<'_>> =
        request.headers().list().map(Result::unwrap).collect();
    let realms: Vec<_> = proxies
        .iter()
        .map(|p| p.param("realm").unwrap().into_owned())
        .collect();
    assert_eq!(realms, ["p1", "p2"]);
    assert_eq!(proxies[0].param("algorithm").as_deref(), Some("SHA-256"));
    let home: Authorization<'_> = request.headers().require().unwrap();
    assert_eq!(home.param("realm").as_deref(), Some("home"));
    // RFC 2069: without qop there is neither a count nor a cnonce.
    assert!(home.param("nc").is_none() && home.param("cnonce").is_none());
    // A 401 from behind the proxies keeps their answers.
    let beyond = challenged(
        StatusCode::UNAUTHORIZED,
        &request,
        &["Digest realm=\"home\", nonce=\"4\", stale=true"],
    );
    assert_eq!(
        client.challenge(&beyond, &request, way(&request), &mut rng),
        ChallengeVerdict::Retry
    );
    sign(&mut client, &mut request);
    assert_eq!(
        request
            .headers()
            .all(HeaderName::ProxyAuthorization)
            .count(),
        2
    );
    assert_eq!(request.headers().all(HeaderName::Authorization).count(), 1);
}

#[test]
fn the_next_nonce_is_used_and_counts_from_one() {
    let mut bench = Bench::new(ann());
    let signed = bench.signed();
    let mut ok = Response::to_request(&signed, StatusCode::OK);
    bench
        .verifier
        .add_next_nonce(&mut ok, Checker::Server, bench.now, &mut bench.rng);
    bench.client.accepted(&ok, &signed, way(&signed));
    bench.now += Duration::from_secs(50);
    let mut next = register();
    sign(&mut bench.client, &mut next);
    assert_ne!(param(&next, "nonce"), param(&signed, "nonce"));
    assert_eq!(param(&next, "nc"), "00000001");
    assert!(matches!(bench.check(&next), Check::Accepted { .. }));
}

#[test]
fn an_answer_to_a_registrar_is_not_shown_to_a_callee() {
    let mut bench = Bench::new(ann());
    bench.signed();
    for (method, uri) in [
        ("INVITE", "sip:ben@example.com"),
        ("INVITE", "sip:ben@elsewhere.example"),
    ] {
        let mut other = parse_request(request(method, uri, &[], b""));
        sign(&mut bench.client, &mut other);
        assert!(
            !other.headers().contains(HeaderName::Authorization),
            "{method}"
        );
    }
}

#[test]
fn session_algorithms_are_answered() {
    let mut bench = Bench::new(ann());
    let mut request = register();
    let mut response = bench.challenge(&request, false);
    let value = response
        .headers()
        .get(HeaderName::WwwAuthenticate)
        .unwrap()
        .replace("SHA-256", "SHA-256-sess");
    response
        .headers_mut()
        .replace(HeaderName::WwwAuthenticate, &value)
        .unwrap();
    assert_eq!(bench.answer(&response, &request), ChallengeVerdict::Retry);
    sign(&mut bench.client, &mut request);
    assert_eq!(param(&request, "algorithm"), "SHA-256-sess");
    assert!(matches!(bench.check(&request), Check::Accepted { .. }));
}

#[test]
fn a_count_that_was_there_before_is_not_accepted_again() {
    let mut bench = Bench::new(ann());
    let first = bench.signed();
    let mut second = register();
    sign(&mut bench.client, &mut second);
    assert!(matches!(bench.check(&second), Check::Accepted { .. }));
    assert_eq!(bench.check(&second), Check::Stale);
    assert_eq!(bench.check(&first), Check::Stale);
}

#[test]
fn an_answer_is_good_for_its_own_request_only() {
    let mut bench = Bench::new(ann());
    let signed = bench.signed();
    let value = signed.headers().get(HeaderName::Authorization).unwrap();
    let elsewhere = parse_request(request("REGISTER", "sip:other.example", &[], b""));
    let elsewhere = elsewhere.header("Authorization", value).unwrap();
    assert_eq!(bench.check(&elsewhere), Check::Malformed);
    let method = parse_request(request("OPTIONS", "sip:example.com", &[], b""));
    let method = method.header("Authorization", value).unwrap();
    assert!(matches!(bench.check(&method), Check::Denied { .. }));
    let forged = value.replace("username=\"ann\"", "username=\"eve\"");
    let forged = register().header("Authorization", &forged).unwrap();
    assert!(matches!(bench.check(&forged), Check::Denied { .. }));
    let foreign = value.replace("nonce=\"", "nonce=\"1");
    let foreign = register().header("Authorization", &foreign).unwrap();
    assert_eq!(bench.check(&foreign), Check::Stale);
}

#[test]
fn credentials_with_control_characters_are_refused_and_secrets_never_shown() {
    assert!(Credentials::password("ann\r\n", "x").is_err());
    assert!(Credentials::password("ann", "x\0").is_err());
    assert!(Credentials::bearer("a b", vec![]).is_err());
    assert!(Credentials::bearer("", vec![]).is_err());
    assert!(Secret::ha1("abc").is_err());
    let mut bench = Bench::new(Credentials::password("ann", "S3CRET").unwrap());
    bench.signed();
    assert!(!format!("{:?}", bench.client).contains("S3CRET"));
}
