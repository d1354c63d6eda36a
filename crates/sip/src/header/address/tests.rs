use super::*;
use crate::header::Contact;
use crate::octets::mutilated;

#[test]
fn what_is_read_in_one_go_is_what_the_grammar_reads() {
    let texts = [
        "\"Ann B\" <sip:ann@example.com;transport=ws>;tag=1;x=\"y;z\"",
        "Bob  C <sip:bob@a.b:5060;lr>",
        "<sip:a.b;x>",
    ];
    let mut usual = 0;
    for text in mutilated(&texts, b" ;=<>\"\\\t@:,?%._[a1#") {
        if let Some(parts) = AddressParts::usual(&text) {
            assert_eq!(
                AddressParts::any(&text, Manner::ByTheLetter),
                Ok(parts),
                "{text:?}"
            );
            usual += 1;
        }
    }
    assert!(usual > 100);
}

#[test]
fn without_brackets_parameters_belong_to_the_header() {
    let to = To::parse("sip:bob@example.com;tag=1;user=phone").unwrap();
    assert_eq!(to.uri().as_str(), "sip:bob@example.com");
    assert_eq!(to.tag(), Some("1"));
    assert_eq!(to.param("user"), Some("phone"));
    let to = To::parse("<sip:bob@example.com;user=phone>").unwrap();
    assert_eq!(to.uri().param("user"), Some("phone"));
    assert!(to.params().is_empty());
}

#[test]
fn special_characters_in_a_quoted_display_name_stay_in_it() {
    let from = From::parse(r#""Bell, <A>; \"Ali\" ?" <sip:a@b>;tag=9"#).unwrap();
    assert_eq!(from.display(), Some(r#"Bell, <A>; "Ali" ?"#));
    assert_eq!(from.uri().as_str(), "sip:a@b");
    assert_eq!(
        from.to_string(),
        r#""Bell, <A>; \"Ali\" ?" <sip:a@b>;tag=9"#
    );
}

#[test]
fn a_display_name_needs_no_space_before_the_bracket() {
    let from = From::parse("caller<sip:caller@example.com>;tag=323").unwrap();
    assert_eq!(from.display(), Some("caller"));
    assert!(from.is_conforming());
}

#[test]
fn deviations_are_read_and_marked() {
    for text in [
        "Bell, Alexander <sip:a@b>",
        "\"W\" < sip:a@b >",
        "<sip:#31#@b>",
        "a@b <sip:a@b>",
    ] {
        assert!(!NameAddr::parse(text).unwrap().is_conforming(), "{text}");
    }
}

#[test]
fn malformed_addresses_are_refused() {
    for text in [
        "",
        "*",
        "<",
        "<>",
        "\"open <sip:a@b>",
        "\"x\" sip:a@b",
        "<sip:a@b",
        "sip:a@b?X=1",
        "sip:a,b@c",
        "<sip:a@b>x",
        "<sip:a@b>;;;",
        "x \"y\" <sip:a@b>",
        "<sip:a b@c>",
    ] {
        assert!(NameAddr::parse(text).is_err(), "{text}");
    }
}

#[test]
fn our_own_contact_is_read_back_from_a_registrar() {
    let text = "\"A\" <sip:a@x.invalid;transport=ws;ob>;reg-id=1;q=0.5;expires=600\
                ;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"\
                ;pub-gruu=\"sip:a@example.com;gr=urn:uuid:1\"";
    let contact = Contact::parse(text).unwrap();
    assert_eq!(contact.reg_id(), Some(1));
    assert_eq!(contact.expires(), Some(600));
    assert_eq!(contact.q(), 500);
    let urn = "urn:uuid:00000000-0000-1000-8000-000A95A0E128";
    assert_eq!(contact.instance(), Some(urn));
    assert_eq!(contact.pub_gruu().unwrap().param("gr"), Some("urn:uuid:1"));
    assert_eq!(contact.to_string(), text);
    assert_eq!(Contact::parse(" * ").unwrap(), Contact::All);
}

#[test]
fn an_expires_out_of_range_is_the_largest() {
    let expires = |text| Contact::parse(text).unwrap().expires();
    assert_eq!(expires("<sip:a@b>;expires=280297596632815"), Some(u32::MAX));
    assert_eq!(expires("<sip:a@b>;expires=soon"), None);
    assert_eq!(expires("<sip:a@b>"), None);
}

#[test]
fn who_withholds_a_number_may_be_nobody_in_from_and_to() {
    for text in [
        "<sip:@gw.example>",
        "\"Withheld\" <sip:@gw.example;user=phone>;tag=1",
        "sip:@gw.example;tag=1",
        "<sips:@[2001:db8::1]:5061>",
        "<sip:>;tag=1",
        "<sip:bob smith@gw.example>;tag=1",
        "<sip: @gw.example>",
    ] {
        let from = From::parse(text).unwrap();
        assert!(!from.is_conforming() && !from.uri().is_strict(), "{text}");
        assert!(To::parse(text).is_ok(), "{text}");
        // What is built of one never panics.
        let uri = from.uri();
        let _ = (uri.to_request_uri(), uri.with_param("x", "y"), uri.host());
        assert!(!uri.without_param("user").is_strict());
        // Who says who that is, and where a request goes, is read to the letter.
        for strict in [
            PAssertedIdentity::parse(text).is_err(),
            ReferTo::parse(text).is_err(),
            ReferredBy::parse(text).is_err(),
            Route::parse(text).is_err(),
            uri.as_str().parse::<Uri<'static>>().is_err(),
        ] {
            assert!(strict, "{text}");
        }
    }
    for text in [
        "<sip::@h>",
        "<sip::x@h>",
        "<tel:>",
        "<sip:@>",
        "<sip:a@b@c>",
        "<sip:@h h>",
    ] {
        assert!(From::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_contact_without_a_user_or_with_blanks_can_be_reached() {
    for (text, uri) in [
        (
            "<sip:@gw.example;transport=ws>;x=1",
            "sip:@gw.example;transport=ws",
        ),
        ("sip:@gw.example:5070", "sip:@gw.example:5070"),
        ("<sip:  @gw.example>", "sip:%20%20@gw.example"),
        ("<sip:bob smith@gw.example>", "sip:bob%20smith@gw.example"),
    ] {
        let contact = Contact::parse(text).unwrap();
        let contact = contact.uri().unwrap();
        assert_eq!(contact.as_str(), uri);
        assert_eq!(contact.to_request_uri().as_str(), uri);
    }
    assert!(Contact::parse("<sip:>").is_err());
}

#[test]
fn what_only_a_uri_has_is_the_uris_also_without_brackets() {
    let route = RecordRoute::parse("sip:10.0.0.1;lr").unwrap();
    assert!(route.uri().is_loose_router() && !route.is_conforming());
    assert_eq!(route.to_string(), "<sip:10.0.0.1;lr>");
    let route = Route::parse("sip:p.example:5070;transport=tcp;lr=on;x").unwrap();
    assert_eq!(
        route.uri().as_str(),
        "sip:p.example:5070;transport=tcp;lr=on;x"
    );
    for (text, uri, rest) in [
        (
            "sip:a@b;transport=tcp;expires=60",
            "sip:a@b;transport=tcp",
            ";expires=60",
        ),
        ("sip:a@b;ob", "sip:a@b;ob", ""),
        (
            "sip:a@b;expires=60;transport=tcp",
            "sip:a@b",
            ";expires=60;transport=tcp",
        ),
        ("sip:a@b;q=0.5", "sip:a@b", ";q=0.5"),
        ("sip:a@b", "sip:a@b", ""),
    ] {
        let contact = Contact::parse(text).unwrap();
        assert_eq!(contact.uri().unwrap().as_str(), uri, "{text}");
        assert_eq!(contact.to_string(), format!("<{uri}>{rest}"), "{text}");
    }
    let target =
        ReferTo::parse("sip:x@y;user=phone?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2").unwrap();
    assert_eq!(
        target.uri().header("Replaces").as_deref(),
        Some("a@b;to-tag=1;from-tag=2")
    );
    assert!(From::parse("sip:x@y?a=b").is_err());
}
