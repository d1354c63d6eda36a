//! Access tokens.

use super::*;

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
