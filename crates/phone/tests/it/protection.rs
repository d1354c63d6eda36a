//! How the application lets a call's media be protected, and what media are told of that.

use phone::MediaEvent;
use phone::media::Keying;
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, alice_with, answer, media_json};

fn refusal(options: Value) -> String {
    let refused = phone::Config::from_json(&alice_with(options));
    refused.expect_err("the options are bad").to_string()
}

fn told(rig: &Rig) -> Vec<Value> {
    let told = rig.media_named("protect");
    told.iter()
        .map(|command| media_json(command)["media"].clone())
        .collect()
}

#[test]
fn what_can_not_protect_media_is_an_error_that_says_so() {
    for (media, part) in [
        (json!([]), "an empty array"),
        (json!(["dtls", "dtls"]), "the same twice"),
        (json!(["zrtp"]), "'media[0]'"),
        (json!("rtp"), "'media'"),
    ] {
        let text = refusal(json!({ "media": media }));
        assert!(text.contains(part), "{text}");
    }
    let open = |media: Value| json!({ "media": media, "servers": "sip:pbx.example.com" });
    let text = refusal(open(json!(["dtls", "sdes"])));
    assert!(text.contains("'sdes-unprotected'"), "{text}");
    for media in [json!(["sdes-unprotected"]), json!(["dtls", "rtp"])] {
        let options = alice_with(open(media));
        phone::Config::from_json(&options).expect("the options are good");
    }
}

#[test]
fn media_are_told_nothing_if_dtls_is_all_that_there_is() {
    let (rig, _, _) = Rig::having_called(alice());
    assert!(told(&rig).is_empty());
}

#[test]
fn media_are_told_before_each_description_what_may_protect_them() {
    let mut rig = Rig::registered(alice_with(json!({ "media": ["sdes", "rtp"] })));
    let mut bob = Caller::new("c1");
    rig.takes(&mut bob, &[]);
    assert_eq!(told(&rig), [json!(["sdes", "rtp"])]);
    rig.media.clear();
    let options = json!({ "media": ["rtp"] });
    rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    assert_eq!(told(&rig), [json!(["rtp"])]);
    assert_eq!(rig.media_named("offer").len(), 1);
}

#[test]
fn keys_are_not_said_over_a_connection_without_tls() {
    let servers = json!(["sip:b.example.com", { "url": "wss://a.example.com/ws", "priority": 1 }]);
    let mut rig = Rig::new(alice_with(
        json!({ "media": ["sdes", "dtls"], "servers": servers }),
    ));
    rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.media.clear();
    rig.command(json!({ "type": "call", "target": "bob" }));
    assert!(told(&rig).is_empty(), "DTLS is left");
    let options = json!({ "media": ["sdes"] });
    let text = rig.refused(json!({ "type": "call", "target": "bob", "options": options }));
    assert_eq!(text, "ERR_INVALID_ARGUMENT");
    let servers = json!("sip:b.example.com");
    let mut rig = Rig::new(alice_with(
        json!({ "media": ["dtls", "sdes-unprotected"], "servers": servers }),
    ));
    rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.command(json!({ "type": "call", "target": "bob" }));
    assert_eq!(told(&rig), [json!(["dtls", "sdes"])]);
}

#[test]
fn what_is_in_force_is_told_with_what_the_signalling_goes_over() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_event(
        id,
        MediaEvent::Secured {
            keying: Keying::Sdes,
            cipher: Some("SRTP_AES128_CM_HMAC_SHA1_80".into()),
        },
    );
    let security =
        json!({ "keying": "sdes", "cipher": "SRTP_AES128_CM_HMAC_SHA1_80", "signalling": "wss" });
    assert_eq!(rig.changes("security"), [security]);
    rig.command(json!({ "type": "end", "id": id }));
    rig.request(&Method::Bye);
}

#[test]
fn whoever_checks_no_certificate_has_no_connection_for_keys() {
    let text = refusal(json!({ "media": ["sdes"], "tls": { "rejectUnauthorized": false } }));
    assert!(text.contains("anybody's certificate"), "{text}");
    let mut rig = Rig::registered(alice_with(
        json!({ "tls": { "rejectUnauthorized": false } }),
    ));
    let options = json!({ "media": ["sdes"] });
    let ticket = rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    assert!(rig.error(ticket).to_string().contains("has no TLS"));
}

/// The phone would say its keys over whatever connection comes later.
#[test]
fn a_call_says_of_its_keys_what_the_phone_does() {
    for (phone, call) in [("dtls", "sdes-unprotected"), ("sdes-unprotected", "sdes")] {
        let mut rig = Rig::registered(alice_with(json!({ "media": [phone] })));
        let options = json!({ "media": [call] });
        let ticket = rig.command(json!({ "type": "call", "target": "bob", "options": options }));
        let text = rig.error(ticket).to_string();
        assert!(text.contains("'sdes-unprotected'"), "{text}");
        assert!(rig.is_silent());
    }
}

#[test]
fn a_call_that_comes_of_a_transfer_is_protected_no_less() {
    let (dtls, sdes, rtp) = (Keying::Dtls, Keying::Sdes, Keying::Rtp);
    for (phone, call, in_force, kept) in [
        (
            json!(["rtp", "sdes"]),
            json!(["sdes"]),
            sdes,
            vec![json!(["sdes"])],
        ),
        (json!(["sdes"]), json!(["rtp"]), rtp, vec![json!(["sdes"])]),
        (json!(["rtp", "dtls"]), json!(["dtls", "rtp"]), dtls, vec![]),
        (
            json!(["dtls", "rtp"]),
            json!(["rtp"]),
            rtp,
            vec![json!(["rtp"])],
        ),
        (json!(["dtls"]), json!(["rtp"]), rtp, vec![]),
    ] {
        let mut rig = Rig::registered(alice_with(json!({ "media": phone })));
        let options = json!({ "media": call });
        rig.command(json!({ "type": "call", "target": "bob", "options": options }));
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 200, Some("v=0\r\n")));
        rig.request(&Method::Ack);
        let mut bob = Caller::of_callee(&invite);
        let id = rig.id_of("sessionStarted");
        let (keying, cipher) = (in_force, None);
        rig.media_event(id, MediaEvent::Secured { keying, cipher });
        rig.media.clear();
        rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
        rig.command(json!({ "type": "acceptTransfer", "id": id }));
        assert_eq!(told(&rig), kept, "the call that follows");
        let mut carol = Caller::new("c2");
        rig.media.clear();
        let headers = [("Referred-By", "<sip:bob@example.com>")];
        rig.receive(bob.replaced_by(&mut carol, "", &headers));
        assert_eq!(told(&rig), kept, "the call that takes its place");
    }
}
