//! Others subscribe to what this phone tells (RFC 6665 §4.2).

use std::time::Duration;

use phone::{ErrorCode, Reply};
use serde_json::{Value, json};
use sip::message::{Message, Method, Request};

use crate::harness::{Caller, Pair, Rig, alice, alice_with, answer, header};

const CONFERENCE: (&str, &str) = ("Event", "conference");
const ROSTER: &str = "application/conference-info+xml";

fn host() -> Rig {
    Rig::registered(alice_with(json!({ "notifies": ["conference"] })))
}

/// A phone that Bob has asked to tell him of its conference.
fn asked(headers: &[(&str, &str)]) -> (Rig, Caller, u64) {
    let mut rig = host();
    let mut bob = Caller::new("s1");
    rig.receive(bob.request("SUBSCRIBE", headers, None));
    let id = rig.last("subscriptionRequest")["id"].as_u64().unwrap();
    (rig, bob, id)
}

/// The same, accepted, and the first notification.
fn accepted() -> (Rig, Caller, u64, Request) {
    let (mut rig, mut bob, id) = asked(&[CONFERENCE, ("Expires", "600")]);
    rig.done(json!({
        "type": "acceptSubscription", "notifier": id, "contentType": ROSTER, "body": "<conference-info/>",
    }));
    bob.learn(&rig.response(200));
    let notify = rig.request(&Method::Notify);
    (rig, bob, id, notify)
}

fn notify(id: u64, body: &str) -> Value {
    json!({ "type": "notify", "notifier": id, "contentType": ROSTER, "body": body })
}

#[test]
fn the_application_is_asked_who_may_subscribe() {
    let (mut rig, _, _) = asked(&[
        CONFERENCE,
        ("Expires", "600"),
        ("Accept", "application/conference-info+xml, text/plain"),
        ("X-Participant-Token", "t0k"),
    ]);
    let request = rig.last("subscriptionRequest");
    assert_eq!(request["event"], "conference");
    assert_eq!(request["address"], "bob");
    assert_eq!(request["target"], "alice");
    assert_eq!(request["displayName"], "Bob");
    assert_eq!(request["expires"], 600);
    assert_eq!(request["accept"], json!([ROSTER, "text/plain"]));
    let headers = request["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["X-Participant-Token", "t0k"])));
    assert!(rig.is_silent());
    rig.seconds(9);
    rig.response(100);
    assert!(rig.is_silent());
}

#[test]
fn a_subscriber_is_told_the_state_and_what_follows() {
    let (mut rig, _, id, first) = accepted();
    assert_eq!(header(&first, "Event").as_deref(), Some("conference"));
    assert_eq!(header(&first, "Content-Type").as_deref(), Some(ROSTER));
    assert_eq!(first.body(), "<conference-info/>".as_bytes());
    rig.receive(answer(&first, 200, None));
    rig.done(notify(id, "<conference-info version='2'/>"));
    let second = rig.request(&Method::Notify);
    assert_eq!(second.body(), "<conference-info version='2'/>".as_bytes());
    assert_eq!(rig.count("notifierEnded"), 0);
}

#[test]
fn a_subscriber_may_be_refused() {
    for (command, code) in [
        (json!({}), 403),
        (json!({ "code": 404, "reason": "No such room" }), 404),
    ] {
        let (mut rig, _, id) = asked(&[CONFERENCE]);
        let mut reject = json!({ "type": "rejectSubscription", "notifier": id });
        for (name, value) in command.as_object().unwrap() {
            reject[name] = value.clone();
        }
        rig.done(reject.clone());
        let refusal = rig.response(code);
        if code == 404 {
            assert_eq!(refusal.reason(), "No such room");
        }
        assert_eq!(rig.refused(reject), "ERR_SUBSCRIPTION_ENDED");
        let accept = json!({ "type": "acceptSubscription", "notifier": id });
        assert_eq!(rig.refused(accept), "ERR_SUBSCRIPTION_ENDED");
    }
}

#[test]
fn nobodys_decision_is_a_refusal() {
    let (mut rig, _, id) = asked(&[CONFERENCE]);
    rig.seconds(10);
    rig.beyond_trying(480);
    let accept = json!({ "type": "acceptSubscription", "notifier": id });
    assert_eq!(rig.refused(accept), "ERR_SUBSCRIPTION_ENDED");
}

#[test]
fn what_the_application_can_not_mean_is_refused_and_the_subscriber_waits() {
    let (mut rig, _, id) = asked(&[CONFERENCE]);
    for bad in [
        json!({ "type": "rejectSubscription", "notifier": id, "code": 200 }),
        json!({ "type": "rejectSubscription", "notifier": id, "reason": "a\r\nb" }),
        json!({ "type": "rejectSubscription", "notifier": id, "reason": "x".repeat(70_000) }),
        json!({ "type": "acceptSubscription", "notifier": id, "contentType": "x", "body": "" }),
        json!({ "type": "acceptSubscription", "notifier": id, "contentType": "a/b\r\nX: y" }),
        json!({ "type": "acceptSubscription", "notifier": id, "contentType": format!("a/{}", "b".repeat(70_000)) }),
    ] {
        assert_eq!(rig.refused(bad), "ERR_INVALID_ARGUMENT");
    }
    assert!(rig.is_silent());
    rig.done(json!({ "type": "acceptSubscription", "notifier": id }));
    rig.response(200);
    assert!(rig.request(&Method::Notify).body().is_empty());
    let bad = json!({ "type": "terminateNotifier", "notifier": id, "reason": "a b" });
    assert_eq!(rig.refused(bad), "ERR_INVALID_ARGUMENT");
}

#[test]
fn packages_of_which_this_phone_says_nothing_are_refused() {
    let mut rig = host();
    rig.receive(Caller::new("s2").request("SUBSCRIBE", &[("Event", "presence")], None));
    let refusal = rig.response(489);
    assert_eq!(refusal.headers().get("Allow-Events"), Some("conference"));
    let mut plain = Rig::registered(alice());
    plain.receive(Caller::new("s3").request("SUBSCRIBE", &[CONFERENCE], None));
    plain.response(405);
    for rig in [&rig, &plain] {
        assert_eq!(rig.count("subscriptionRequest"), 0);
    }
}

#[test]
fn each_end_is_told_with_its_reason() {
    let end = |rig: &Rig, id: u64| {
        assert_eq!(rig.count("notifierEnded"), 1);
        let end = rig.last("notifierEnded");
        assert_eq!(end["notifier"], id);
        (
            end["reason"].as_str().unwrap().to_owned(),
            end["code"].clone(),
        )
    };
    let (mut rig, mut bob, id, first) = accepted();
    rig.receive(answer(&first, 200, None));
    rig.receive(bob.request("SUBSCRIBE", &[CONFERENCE, ("Expires", "0")], None));
    rig.response(200);
    let last = rig.request(&Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State").as_deref(),
        Some("terminated;reason=timeout")
    );
    assert_eq!(end(&rig, id), ("unsubscribed".into(), Value::Null));
    assert_eq!(rig.refused(notify(id, "late")), "ERR_SUBSCRIPTION_ENDED");

    let (mut rig, _, id, first) = accepted();
    rig.receive(answer(&first, 481, None));
    assert_eq!(end(&rig, id), ("refused".into(), json!(481)));

    let (mut rig, _, id, _) = accepted();
    rig.seconds(33);
    assert_eq!(end(&rig, id), ("silent".into(), Value::Null));

    let (mut rig, _, id, first) = accepted();
    rig.receive(answer(&first, 200, None));
    rig.seconds(600);
    assert_eq!(end(&rig, id), ("expired".into(), Value::Null));

    let (mut rig, _, id, first) = accepted();
    rig.receive(answer(&first, 200, None));
    rig.done(json!({ "type": "terminateNotifier", "notifier": id, "reason": "rejected" }));
    let last = rig.request(&Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State").as_deref(),
        Some("terminated;reason=rejected")
    );
    assert_eq!(end(&rig, id), ("local".into(), Value::Null));
    rig.done(json!({ "type": "terminateNotifier", "notifier": id }));
}

#[test]
fn a_request_whose_connection_is_lost_can_not_be_accepted_any_more() {
    let (mut rig, _, id) = asked(&[CONFERENCE]);
    rig.down();
    let accept = json!({ "type": "acceptSubscription", "notifier": id });
    assert_eq!(rig.refused(accept), "ERR_SUBSCRIPTION_ENDED");
}

#[test]
fn a_subscription_in_a_calls_dialog_is_refused() {
    let mut rig = host();
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0\r\n")));
    rig.response(100);
    bob.learn(&rig.response(180));
    rig.receive(bob.request("SUBSCRIBE", &[CONFERENCE], None));
    rig.response(403);
    assert_eq!(rig.count("subscriptionRequest"), 0);
}

#[test]
fn more_requests_than_the_application_could_judge_are_refused() {
    let mut rig = host();
    for n in 0..300 {
        rig.receive(Caller::new(&format!("s{n}")).request("SUBSCRIBE", &[CONFERENCE], None));
        rig.advance(Duration::from_millis(20));
    }
    assert_eq!(rig.count("subscriptionRequest"), 256);
    let refused = std::iter::from_fn(|| (!rig.is_silent()).then(|| rig.sent()))
        .filter(|sent| matches!(sent, Message::Response(sent) if sent.status().code() == 480));
    assert_eq!(refused.count(), 44);
}

#[test]
fn destroying_the_phone_tells_its_subscribers() {
    let (mut rig, _, _, first) = accepted();
    rig.receive(answer(&first, 200, None));
    let mut carol = Caller::new("s9");
    rig.receive(carol.request("SUBSCRIBE", &[CONFERENCE], None));
    let destroy = rig.command(json!({ "type": "destroy" }));
    rig.response(480);
    let last = rig.request(&Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State").as_deref(),
        Some("terminated;reason=noresource")
    );
    assert_eq!(rig.last("notifierEnded")["reason"], "local");
    rig.advance(Duration::from_secs(3));
    assert_eq!(rig.reply(destroy), Some(&Ok(Reply::Done)));
}

#[test]
fn one_phone_tells_another_who_is_in_its_conference() {
    let mut pair = Pair::new(json!({ "notifies": ["conference"] }));
    let subscribe = pair.command(
        1,
        json!({ "type": "subscribe", "target": "alice", "event": "conference" }),
    );
    let id = pair.rigs[0].last("subscriptionRequest")["id"].clone();
    let roster = |version: u32| {
        format!(
            "<conference-info entity='sip:alice@example.com' version='{version}'><users>\
             <user entity='sip:bob@example.com'><endpoint entity='1'><status>connected</status></endpoint></user>\
             </users></conference-info>"
        )
    };
    pair.command(0, json!({ "type": "acceptSubscription", "notifier": id, "contentType": ROSTER, "body": roster(1) }));
    assert!(matches!(
        pair.rigs[1].reply(subscribe),
        Some(Ok(Reply::Subscription { .. }))
    ));
    let told = pair.rigs[1].last("notified");
    assert_eq!(told["document"]["kind"], "conference");
    assert_eq!(
        told["document"]["users"][0]["entity"],
        "sip:bob@example.com"
    );
    assert_eq!(
        told["document"]["users"][0]["endpoints"][0]["status"],
        "connected"
    );
    // Two states at once: the newest is the one that counts.
    pair.command(0, notify(id.as_u64().unwrap(), &roster(2)));
    assert_eq!(pair.rigs[1].last("notified")["document"]["version"], 2);
    // A day of refreshes leaves the subscription as it is.
    pair.advance(Duration::from_secs(86_400));
    assert_eq!(pair.rigs[0].count("notifierEnded"), 0);
    assert_eq!(pair.rigs[1].count("subscriptionEnded"), 0);
    let subscription = pair.rigs[1].last("notified")["subscription"].clone();
    pair.command(
        1,
        json!({ "type": "unsubscribe", "subscription": subscription }),
    );
    assert_eq!(pair.rigs[0].last("notifierEnded")["reason"], "unsubscribed");
    assert_eq!(pair.rigs[1].count("subscriptionEnded"), 1);
}

#[test]
fn names_of_packages_are_checked() {
    for bad in [
        json!(["a b"]),
        json!([""]),
        json!("conference"),
        json!(vec!["x"; 17]),
    ] {
        let options = alice_with(json!({ "notifies": bad }));
        assert!(phone::Config::from_json(&options).is_err());
    }
    assert_eq!(
        serde_json::to_value(ErrorCode::SubscriptionEnded).unwrap(),
        "ERR_SUBSCRIPTION_ENDED"
    );
}
