//! Both sides of digest and bearer authentication against each other, and against servers that do
//! it differently.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::auth::{
    Accounts, Algorithm, Authenticator, BearerOffer, ChallengeVerdict, Check, Checker, Credentials,
    Qops, Secret, Target, Unsupported, Verifier, VerifierConfig, Way, Within,
};
use sip::header::{Authorization, ProxyAuthorization};
use sip::message::{HeaderName, Method, Request, Response, StatusCode};

use crate::compose::{parse_request, request, start};

struct Ann;

impl Accounts for Ann {
    fn secret(&self, username: &str) -> Option<Secret> {
        (username == "ann").then(|| Secret::Password("pa\"ss".into()))
    }

    fn bearer(&self, token: &str) -> Option<String> {
        (token == "good.token").then(|| "ann".into())
    }
}

struct Bench {
    rng: StdRng,
    now: Instant,
    verifier: Verifier,
    client: Authenticator,
}

impl Bench {
    fn new(client: Credentials) -> Self {
        Self::with(client, vec![Algorithm::Sha256, Algorithm::Md5], Qops::Auth)
    }

    fn with(client: Credentials, algorithms: Vec<Algorithm>, qops: Qops) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let now = start();
        let config = VerifierConfig {
            realm: "r \"q\", 1".into(),
            algorithms,
            qops,
            nonce_lifetime: Duration::from_secs(60),
            bearer: Some(BearerOffer {
                scope: Some("sip".into()),
                authz_server: None,
            }),
        };
        let verifier = Verifier::new(config, now, &mut rng);
        let client = Authenticator::new(client, "example.com");
        Self {
            rng,
            now,
            verifier,
            client,
        }
    }

    fn check(&mut self, request: &Request) -> Check {
        self.verifier
            .verify(request, Checker::Server, &Ann, self.now)
    }

    fn challenge(&mut self, request: &Request, stale: bool) -> Response {
        let mut response = Response::to_request(request, StatusCode::UNAUTHORIZED);
        self.verifier
            .challenge(&mut response, stale, self.now, &mut self.rng);
        response
    }

    fn answer(&mut self, response: &Response, request: &Request) -> ChallengeVerdict {
        self.client
            .challenge(response, request, way(request), &mut self.rng)
    }

    /// Signs a request in answer to a first challenge.
    fn signed(&mut self) -> Request {
        let mut request = register();
        let challenge = self.challenge(&request, false);
        assert_eq!(self.answer(&challenge, &request), ChallengeVerdict::Retry);
        sign(&mut self.client, &mut request);
        request
    }
}

fn ann() -> Credentials {
    Credentials::password("ann", "pa\"ss").unwrap()
}

fn register() -> Request {
    parse_request(request("REGISTER", "sip:example.com", &["-Contact:"], b""))
}

/// Where a request goes as a phone of example.com sees it, outside any dialog.
fn way(request: &Request) -> Way {
    let target = match (request.method(), request.uri().host_text()) {
        (Method::Register, _) => Target::Registrar,
        (_, "example.com") => Target::OwnDomain,
        _ => Target::Elsewhere,
    };
    Way {
        target,
        within: Within::NoDialog,
    }
}

fn sign(client: &mut Authenticator, request: &mut Request) {
    let way = way(request);
    client.authorize(request, way);
}

fn challenged(status: StatusCode, request: &Request, challenges: &[&str]) -> Response {
    let name = match status {
        StatusCode::UNAUTHORIZED => "WWW-Authenticate",
        _ => "Proxy-Authenticate",
    };
    let response = Response::to_request(request, status);
    challenges.iter().fold(response, |response, value| {
        response.header(name, value).unwrap()
    })
}

fn param(request: &Request, name: &str) -> String {
    let header: Authorization<'_> = request.headers().require().unwrap();
    header.params().raw(name).unwrap_or_default().to_owned()
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

#[test]
fn a_token_goes_to_its_own_realm_only() {
    let token = || Credentials::bearer("good.token", vec!["example.com".into()]).unwrap();
    let mut rng = StdRng::seed_from_u64(6);
    for (realm, verdict) in [
        ("example.com", ChallengeVerdict::Retry),
        (
            "evil.example",
            ChallengeVerdict::Unsupported {
                why: Unsupported::Realm,
            },
        ),
    ] {
        let mut client = Authenticator::new(token(), "example.com");
        let mut request = register();
        let value = format!("Bearer realm=\"{realm}\", scope=\"sip\"");
        let response = challenged(StatusCode::UNAUTHORIZED, &request, &[&value]);
        assert_eq!(
            client.challenge(&response, &request, way(&request), &mut rng),
            verdict
        );
        sign(&mut client, &mut request);
        let shown = request.headers().get(HeaderName::Authorization) == Some("Bearer good.token");
        assert_eq!(shown, verdict == ChallengeVerdict::Retry);
        if shown {
            let refused = client.challenge(&response, &request, way(&request), &mut rng);
            assert_eq!(
                refused,
                ChallengeVerdict::WrongPassword {
                    realm: realm.into()
                }
            );
        }
    }
}

#[test]
fn a_token_is_sent_unasked_only_where_that_is_asked_for_and_only_to_its_hosts() {
    let token = Credentials::bearer("good.token", vec!["example.com".into()]).unwrap();
    let shown = |credentials: &Credentials, uri: &str| {
        let mut request = parse_request(request("OPTIONS", uri, &[], b""));
        let mut client = Authenticator::new(credentials.clone(), "example.com");
        sign(&mut client, &mut request);
        request.headers().contains(HeaderName::Authorization)
    };
    assert!(!shown(&token, "sip:example.com"));
    let unasked = token.unasked();
    assert!(shown(&unasked, "sip:example.com"));
    assert!(!shown(&unasked, "sip:evil.example"));
}

#[test]
fn a_token_is_checked_by_the_verifier() {
    let mut bench = Bench::new(ann());
    let with = |value: &str| register().header("Authorization", value).unwrap();
    let user = Check::Accepted {
        username: "ann".into(),
    };
    assert_eq!(bench.check(&with("Bearer good.token")), user);
    assert_eq!(
        bench.check(&with("Bearer other")),
        Check::Denied { username: None }
    );
    assert_eq!(bench.check(&with("Bearer")), Check::Malformed);
    assert_eq!(bench.check(&with("UnheardOf x=1")), Check::Missing);
    assert_eq!(bench.check(&register()), Check::Missing);
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
