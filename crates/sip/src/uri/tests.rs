use super::*;

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_parts_are_found() {
    let full = uri("sips:al%20ice;x?y:secret@[2001:db8::9]:5061;transport=ws;lr?Subject=hi%21&A=");
    assert_eq!(full.scheme(), Scheme::Sips);
    assert_eq!(full.user(), Some("al%20ice;x?y"));
    assert_eq!(full.user_unescaped().as_deref(), Some("al ice;x?y"));
    assert_eq!(full.password(), Some("secret"));
    assert_eq!(full.host(), Some(Host::V6("2001:db8::9".parse().unwrap())));
    assert_eq!(full.port(), Some(5061));
    assert_eq!(full.param("TRANSPORT"), Some("ws"));
    assert!(full.is_loose_router());
    assert_eq!(full.header("subject").as_deref(), Some("hi!"));
    assert_eq!(full.headers().count(), 2);
    assert!(!format!("{full:?}").contains("secret"));
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        ":",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@c",
        "sip:a@b c",
        "sip:a@host:x",
        "sip:a@host:70000",
        "sip:a@host;",
        "sip:a@host;;lr",
        "sip:a@host?",
        "sip:a@host?=1",
        "<sip:a@b>",
        "sip:a%zz@b",
        "sip:a%2@b",
        "sip:[::1",
        "sip:[zz]",
        "tel:",
        "tel:+1 2",
        "1x:abc",
        "x:",
        "sip:a@.b",
        "sip:a\r\n@b",
        "sip:a@b;x=\"1\"",
        "sip:a@b:",
    ] {
        // A lone trailing `;` is the one thing on this list that is let through.
        let expected = text == "sip:a@host;";
        assert_eq!(Uri::parse(text).is_ok(), expected, "{text}");
    }
    assert_eq!(
        Uri::parse(&"a".repeat(9000)).unwrap_err(),
        UriError::TooLong
    );
}

#[test]
fn unescaped_characters_are_let_through_but_not_conforming() {
    for text in [
        "sip:#31#+49@example.com",
        "sip:a@under_score",
        "sip:jos\u{e9}@x",
    ] {
        assert!(!uri(text).is_conforming(), "{text}");
    }
    assert!(uri("sip:%2331%23@example.com").is_conforming());
}

#[test]
fn uris_compare_by_the_examples_of_the_rfc() {
    // RFC 3261 §19.1.4, both lists.
    for (a, b) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;security=on",
        ),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-(555)-010", "tel:+1555010"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0:0:0:0:1]"),
    ] {
        assert!(
            uri(a).same_as(&uri(b)) && uri(b).same_as(&uri(a)),
            "{a} {b}"
        );
    }
    for (a, b) in [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        (
            "sip:carol@chicago.com;security=off",
            "sip:carol@chicago.com;security=on",
        ),
        ("sip:a@b;user=phone", "sip:a@b"),
        ("sip:a%2Cb@c", "sip:a,b@c"),
        ("sip:a@b", "sips:a@b"),
        ("tel:1;phone-context=+1", "tel:1"),
    ] {
        assert!(
            !uri(a).same_as(&uri(b)) && !uri(b).same_as(&uri(a)),
            "{a} {b}"
        );
    }
}

#[test]
fn a_user_part_is_escaped_when_a_uri_is_made() {
    let made = Uri::sip(Some("a b@\r\n"), "example.com", Some(5060)).unwrap();
    assert_eq!(made.as_str(), "sip:a%20b%40%0D%0A@example.com:5060");
    assert!(Uri::sip(Some("a"), "example.com\r\nX: y", None).is_err());
}

#[test]
fn parameters_are_set_and_removed_before_the_headers() {
    let start = uri("sip:a@b;lr;x=1?h=v");
    assert_eq!(
        start.with_param("X", "2").unwrap().as_str(),
        "sip:a@b;lr;X=2?h=v"
    );
    assert_eq!(
        start.with_param("ob", "").unwrap().as_str(),
        "sip:a@b;lr;x=1;ob?h=v"
    );
    assert_eq!(start.without_param("lr").as_str(), "sip:a@b;x=1?h=v");
    assert!(start.with_param("a", "1\r\nX: y").is_err());
    let target = uri("sip:a@b;method=INVITE;lr?Route=%3Cx%3E");
    assert_eq!(target.to_request_uri().as_str(), "sip:a@b;lr");
}

#[test]
fn an_invalid_domain_is_known() {
    assert!(
        uri("sip:a@df7jal23ls0d.invalid;transport=ws")
            .host()
            .unwrap()
            .is_invalid_domain()
    );
    assert!(
        !uri("sip:a@invalid.example.com")
            .host()
            .unwrap()
            .is_invalid_domain()
    );
}

#[test]
fn a_uri_is_the_same_as_itself_even_with_a_repeated_parameter() {
    let twice = uri("sip:a@b;x=1;x=2");
    assert!(twice.same_as(&twice));
}

#[test]
fn more_than_64_parameters_or_headers_are_refused() {
    let params = |count| format!("sip:a@b{}", ";p=1".repeat(count));
    let headers = |count: usize| format!("sip:a@b?{}", vec!["h=1"; count].join("&"));
    assert!(Uri::parse(&params(64)).is_ok() && Uri::parse(&headers(64)).is_ok());
    assert_eq!(Uri::parse(&params(65)).unwrap_err(), UriError::Parameter);
    assert_eq!(Uri::parse(&headers(65)).unwrap_err(), UriError::Header);
}

#[test]
fn what_is_read_in_one_go_is_what_the_grammar_reads() {
    let texts = ["sip:ann.b@example.com:5060;transport=ws;lr", "sip:a.b;x=1"];
    let mut usual = 0;
    for text in crate::octets::mutilated(&texts, b" ;=<>\"@:,?%._[/a1#+&") {
        match Parts::usual(text.as_bytes()) {
            Some((parts, end)) => {
                assert_eq!(parse::parts(&text[..end]), Ok(parts), "{text:?}");
                usual += 1;
            }
            None => continue,
        }
    }
    assert!(usual > 100);
}
