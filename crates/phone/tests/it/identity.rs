//! What a call says of its parties.

use serde_json::json;

use crate::harness::{Caller, Rig, alice};

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
            ("User-to-User", "00ff;encoding=hex"),
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
        "userToUser": { "data": "00ff", "encoding": "hex" },
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
