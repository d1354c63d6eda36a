use super::*;
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
            assert_eq!(AddressParts::any(&text), Ok(parts), "{text:?}");
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
