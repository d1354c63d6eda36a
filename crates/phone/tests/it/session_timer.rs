use phone::{Config, MediaCommand, SessionId, StreamCommand};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, alice_with, answer, header, with_header};

fn talking(allow: &str) -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    let headers = [
        ("Supported", "timer"),
        ("Session-Expires", "600;refresher=uas"),
        ("Allow", allow),
    ];
    let (id, ok) = rig.takes(&mut caller, &headers);
    assert_eq!(
        ok.headers().get("Session-Expires"),
        Some("600;refresher=uas")
    );
    rig.media.clear();
    (rig, caller, id)
}

#[test]
fn every_call_asks_for_a_timer_unless_told_not_to() {
    for (options, asked) in [
        (json!({}), Some("1800")),
        (json!({ "sessionTimers": true }), Some("1800")),
        (json!({ "sessionTimers": { "expires": 300 } }), Some("300")),
        (json!({ "sessionTimers": { "minSe": 3600 } }), Some("3600")),
        (json!({ "sessionTimers": false }), None),
    ] {
        let mut rig = Rig::registered(alice_with(options.clone()));
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        let header = header(&invite, "Session-Expires");
        assert_eq!(header.as_deref(), asked, "{options}");
    }
}

#[test]
fn intervals_that_nobody_may_ask_for_are_named() {
    let wrong = |timers: Value| {
        let options = alice_with(json!({ "sessionTimers": timers }));
        Config::from_json(&options).unwrap_err().option
    };
    assert_eq!(wrong(json!({ "expires": 89 })), "sessionTimers.expires");
    assert_eq!(wrong(json!({ "minSe": 86_401 })), "sessionTimers.minSe");
    assert_eq!(
        wrong(json!({ "minSe": 300, "expires": 299 })),
        "sessionTimers.expires"
    );
    assert_eq!(
        wrong(json!({ "refresher": "uac" })),
        "sessionTimers.refresher"
    );
    assert_eq!(wrong(json!("always")), "sessionTimers");
}

#[test]
fn a_peer_that_takes_update_is_refreshed_without_an_offer() {
    let (mut rig, _, _) = talking("INVITE, ACK, BYE, UPDATE");
    rig.seconds(300);
    let update = rig.request(&Method::Update);
    assert!(update.body().is_empty());
    rig.receive(with_header(
        &update,
        200,
        "Session-Expires",
        "600;refresher=uac",
    ));
    assert!(rig.media.is_empty());
    rig.seconds(300);
    rig.request(&Method::Update);
}

#[test]
fn a_peer_that_takes_no_update_is_offered_what_holds() {
    let (mut rig, _, id) = talking("INVITE, ACK, BYE");
    rig.command(json!({ "type": "hold", "id": id, "held": true }));
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    // That answer had no interval: the peer wants no timer any more.
    rig.seconds(3600);
    assert!(rig.is_silent());

    let (mut rig, _, _) = talking("INVITE, ACK, BYE");
    rig.seconds(300);
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: false,
            held: false
        })]
    );
    let reinvite = rig.request(&Method::Invite);
    let expires = header(&reinvite, "Session-Expires");
    assert_eq!(expires.as_deref(), Some("600;refresher=uac"));
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    // It is tried again while there is time.
    rig.seconds(100);
    rig.request(&Method::Invite);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_call_that_nobody_refreshes_has_expired() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    let headers = [
        ("Supported", "timer"),
        ("Session-Expires", "600;refresher=uac"),
    ];
    rig.receive(caller.invite(&headers, Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    let ok = rig.response(200);
    assert_eq!(ok.headers().get("Require"), Some("timer"));
    rig.receive(caller.ack(None));
    rig.seconds(567);
    assert_eq!(rig.count("terminated"), 0);
    rig.seconds(1);
    rig.request(&Method::Bye);
    rig.assert_ended_once("expired", "network");
}

#[test]
fn too_short_an_interval_never_rings() {
    let mut rig = Rig::registered(alice_with(json!({ "sessionTimers": { "minSe": 300 } })));
    let mut caller = Caller::new("c1");
    let headers = [("Supported", "timer"), ("Session-Expires", "299")];
    rig.receive(caller.invite(&headers, Some("v=0\r\n")));
    let refusal = rig.beyond_trying(422);
    assert_eq!(refusal.headers().get("Min-SE"), Some("300"));
    assert_eq!(rig.count("pendingSession"), 0);
}
