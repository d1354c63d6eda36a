//! What a call says of its parties.

use serde_json::json;

use sip::message::{Method, Request};

use crate::harness::{Caller, Pair, Rig, alice, alice_with, answer, header};

#[test]
fn what_servers_say_of_the_caller_is_told() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(
        &[
            (
                "P-Asserted-Identity",
                "\"Bob, B.\" <sip:+15550100@example.com>, <tel:+15550100>",
            ),
            ("Remote-Party-ID", "\"Bob\" <sip:bob@pbx>;party=calling"),
            ("Privacy", "id; critical"),
            ("Diversion", "<sip:carol@example.com>;reason=no-answer"),
            (
                "History-Info",
                "<sip:carol@example.com>;index=1, <sip:alice@example.com>;index=1.1",
            ),
            ("User-to-User", "0068c3a9;encoding=hex"),
            ("Session-ID", "AB30317F1A784DC48FF824D0D3715D86"),
        ],
        Some("v=0\r\n"),
    ));
    let pending = rig.last("pendingSession");
    let expected = json!({
        "asserted": [
            { "uri": "sip:+15550100@example.com", "displayName": "Bob, B." },
            { "uri": "tel:+15550100" },
        ],
        "remoteParty": [{ "uri": "sip:bob@pbx", "displayName": "Bob" }],
        "privacy": ["id", "critical"],
        "diversion": [{ "uri": "sip:carol@example.com", "reason": "no-answer" }],
        "history": [
            { "uri": "sip:carol@example.com", "index": "1" },
            { "uri": "sip:alice@example.com", "index": "1.1" },
        ],
        "userToUser": { "data": "0068c3a9", "encoding": "hex", "text": "hé" },
        "sessionId": "ab30317f1a784dc48ff824d0d3715d86",
    });
    assert_eq!(pending["identity"], expected);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    assert_eq!(rig.last("sessionStarted")["session"]["identity"], expected);
}

#[test]
fn what_nobody_can_read_is_left_out_and_lists_are_bounded() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    let many = vec!["<sip:x@example.com>"; 100].join(", ");
    rig.receive(bob.invite(
        &[
            ("P-Asserted-Identity", "<broken"),
            ("Session-ID", "short"),
            ("Diversion", &many),
        ],
        Some("v=0\r\n"),
    ));
    let identity = rig.last("pendingSession")["identity"].clone();
    assert_eq!(identity.get("asserted"), None);
    assert_eq!(identity.get("sessionId"), None);
    assert_eq!(identity["diversion"].as_array().unwrap().len(), 16);
}

/// The INVITE of a call with these options.
fn placed(options: serde_json::Value) -> Request {
    let mut rig = Rig::registered(alice_with(json!({ "displayName": "Alice" })));
    rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    rig.request(&Method::Invite)
}

/// RFC 3323, RFC 3325: the server knows who pays, and is asked not to tell.
#[test]
fn an_anonymous_call_names_its_caller_to_the_own_server_alone() {
    let invite = placed(json!({ "anonymous": true }));
    let from = header(&invite, "From").unwrap();
    assert!(
        from.starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>"),
        "{from}"
    );
    assert_eq!(header(&invite, "Privacy").as_deref(), Some("id"));
    assert_eq!(
        header(&invite, "P-Preferred-Identity").as_deref(),
        Some("\"Alice\" <sip:alice@example.com>")
    );
    let mut bare = invite.clone();
    bare.headers_mut().remove("P-Preferred-Identity");
    let text = String::from_utf8(bare.to_bytes().to_vec()).unwrap();
    assert!(!text.to_lowercase().contains("alice"), "{text}");
}

#[test]
fn an_anonymous_call_is_told_as_such_to_who_takes_it() {
    let mut pair = Pair::new(json!({}));
    let options = json!({ "anonymous": true });
    pair.command(
        0,
        json!({ "type": "call", "target": "bob", "options": options }),
    );
    let pending = pair.rigs[1].last("pendingSession");
    assert_eq!(pending["address"], "anonymous");
    assert_eq!(pending["displayName"], "Anonymous");
    assert_eq!(pending["identity"]["privacy"], json!(["id"]));
    let id = pair.rigs[1].id_of("pendingSession");
    pair.command(1, json!({ "type": "accept", "id": id }));
    pair.command(1, json!({ "type": "end", "id": id }));
    pair.rigs[0].assert_ended_once("success", "remote");
}

#[test]
fn another_address_can_be_asked_for() {
    for (options, expected) in [
        (
            json!({ "preferredIdentity": "+1 555 0100" }),
            "<sip:+15550100@example.com;user=phone>",
        ),
        (
            json!({ "preferredIdentity": "sales@example.com", "displayName": "Sales" }),
            "\"Sales\" <sip:sales@example.com>",
        ),
    ] {
        let invite = placed(options);
        assert_eq!(
            header(&invite, "P-Preferred-Identity").as_deref(),
            Some(expected)
        );
        let from = header(&invite, "From").unwrap();
        assert!(from.contains("<sip:alice@example.com>"), "{from}");
    }
    let plain = placed(json!({}));
    assert_eq!(header(&plain, "P-Preferred-Identity"), None);
}

#[test]
fn what_is_handed_over_arrives_as_it_was_given() {
    for (given, expected) in [
        (
            json!("order 4711"),
            json!({ "data": "6f726465722034373131", "encoding": "hex", "text": "order 4711" }),
        ),
        (
            json!({ "data": "00C8FF" }),
            json!({ "data": "00C8FF", "encoding": "hex" }),
        ),
        (
            json!({ "data": "a;b", "encoding": "ascii" }),
            json!({ "data": "a;b", "encoding": "ascii", "text": "a;b" }),
        ),
    ] {
        let mut pair = Pair::new(json!({}));
        let options = json!({ "userToUser": given });
        pair.command(
            0,
            json!({ "type": "call", "target": "bob", "options": options }),
        );
        let pending = pair.rigs[1].last("pendingSession");
        assert_eq!(pending["identity"]["userToUser"], expected);
    }
}

#[test]
fn what_can_not_be_written_is_refused() {
    let mut rig = Rig::registered(alice());
    for options in [
        json!({ "userToUser": "" }),
        json!({ "userToUser": { "data": "xyz" } }),
        json!({ "userToUser": { "data": "a\r\nb", "encoding": "ascii" } }),
        json!({ "preferredIdentity": "a\r\nX-Evil: 1" }),
        json!({ "preferredIdentity": "http://example.com" }),
    ] {
        let call = json!({ "type": "call", "target": "bob", "options": options });
        assert_eq!(rig.refused(call), "ERR_INVALID_ARGUMENT", "{options}");
    }
    assert!(rig.is_silent());
}

/// Alice at a trunk where she does not register.
fn trunk(more: serde_json::Value) -> serde_json::Value {
    let mut options = alice_with(json!({ "register": false, "displayName": "Alice" }));
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    options
}

/// The INVITE of a call over that trunk, and the rig after it.
fn over_a_trunk(more: serde_json::Value, options: serde_json::Value) -> (Rig, Request) {
    let mut rig = Rig::registered(trunk(more));
    rig.command(json!({ "type": "call", "target": "+15550199", "options": options }));
    let invite = rig.request(&Method::Invite);
    (rig, invite)
}

#[test]
fn a_phone_that_does_not_register_calls_by_any_number() {
    let from = json!({ "from": { "number": "+49 30 1234", "name": "Office" } });
    let (mut rig, invite) = over_a_trunk(json!({}), from);
    let said = header(&invite, "From").unwrap();
    assert!(
        said.starts_with("\"Office\" <sip:+49301234@example.com;user=phone>;tag="),
        "{said}"
    );
    assert_eq!(header(&invite, "P-Preferred-Identity"), None);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    rig.command(json!({ "type": "end", "id": id }));
    let bye = rig.request(&Method::Bye);
    // The whole dialog is that number's.
    assert_eq!(header(&bye, "From"), Some(said));

    let hidden = json!({ "from": { "number": "+49301234" }, "anonymous": true });
    let (_, invite) = over_a_trunk(json!({}), hidden);
    assert!(
        header(&invite, "From")
            .unwrap()
            .contains("anonymous.invalid")
    );
    assert_eq!(
        header(&invite, "P-Preferred-Identity").as_deref(),
        Some("<sip:+49301234@example.com;user=phone>")
    );
}

#[test]
fn another_caller_than_the_phone_is_refused_where_it_registers_or_is_nobody() {
    let mut rig = Rig::registered(alice());
    let options = json!({ "from": { "number": "+49301234" } });
    let ticket = rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    let error = rig.error(ticket);
    assert!(
        error.to_string().contains("from needs register: false"),
        "{error}"
    );
    let mut rig = Rig::registered(trunk(json!({})));
    for from in [
        json!({ "number": "a\r\nX-Evil: 1" }),
        json!({ "number": "" }),
        json!({ "number": "+49", "name": "a\r\nX-Evil: 1" }),
    ] {
        let call = json!({ "type": "call", "target": "bob", "options": { "from": from } });
        assert_eq!(rig.refused(call), "ERR_INVALID_ARGUMENT", "{from}");
    }
    assert!(rig.is_silent());
}

/// RFC 3325 §5 and §9.1: within the trust domain who calls is asserted, and asked to be kept there.
#[test]
fn who_calls_is_asserted_to_servers_of_the_trust_domain_alone() {
    let within = json!({ "trustDomain": ["PBX.example.com"] });
    let asserted = |invite: &Request| header(invite, "P-Asserted-Identity");
    for (options, expected) in [
        (json!({}), "\"Alice\" <sip:alice@example.com>"),
        (
            json!({ "from": { "number": "+49301234", "name": "Office" } }),
            "\"Office\" <sip:+49301234@example.com;user=phone>",
        ),
        (
            json!({ "from": { "number": "+49301234" }, "preferredIdentity": "+49300" }),
            "<sip:+49300@example.com;user=phone>",
        ),
        (
            json!({ "from": { "number": "+49301234" }, "anonymous": true }),
            "<sip:+49301234@example.com;user=phone>",
        ),
    ] {
        let (_, invite) = over_a_trunk(within.clone(), options.clone());
        assert_eq!(asserted(&invite).as_deref(), Some(expected), "{options}");
        assert_eq!(header(&invite, "P-Preferred-Identity"), None);
        let hidden = options["anonymous"].is_boolean().then(|| "id".to_owned());
        assert_eq!(header(&invite, "Privacy"), hidden);
    }
    let other = "sip:carrier.example.com;transport=tcp";
    for outside in [
        json!({}),
        json!({ "trustDomain": ["203.0.113.0/24"] }),
        // A call goes to whichever of them is there.
        json!({ "trustDomain": ["pbx.example.com"], "servers": ["wss://pbx.example.com/ws", other] }),
    ] {
        let (_, invite) = over_a_trunk(outside.clone(), json!({}));
        assert_eq!(asserted(&invite), None, "{outside}");
    }
    let (_, invite) = over_a_trunk(
        json!({ "trustDomain": ["203.0.113.0/24"], "servers": "sip:203.0.113.7;transport=tcp" }),
        json!({}),
    );
    assert!(asserted(&invite).is_some());
}
