//! Subscriptions (RFC 6665), against a scripted server.

use std::time::Duration;

use phone::{ErrorCode, Reply, Ticket};
use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Caller, Rig, alice, answer, header, with_header};

const SUMMARY: &str = "application/simple-message-summary";

fn subscribe(rig: &mut Rig) -> (Ticket, Request) {
    let ticket = rig.command(json!({
        "type": "subscribe", "target": "alice", "event": "message-summary",
        "options": { "expires": 1000, "accept": [SUMMARY] },
    }));
    (ticket, rig.request(&Method::Subscribe))
}

/// A subscription that the server has agreed to and told the state of.
fn subscribed() -> (Rig, Caller, u64) {
    let mut rig = Rig::registered(alice());
    let (ticket, request) = subscribe(&mut rig);
    let mut server = Caller::of_callee(&request);
    rig.receive(with_header(&request, 200, "Expires", "1000"));
    let id = number(&rig, ticket);
    rig.receive(server.notify(
        "message-summary",
        "active;expires=1000",
        SUMMARY,
        "Messages-Waiting: yes\r\nVoice-Message: 1/2\r\n",
    ));
    rig.response(200);
    (rig, server, id)
}

fn number(rig: &Rig, ticket: Ticket) -> u64 {
    match rig.reply(ticket) {
        Some(Ok(Reply::Subscription { subscription })) => *subscription,
        other => panic!("no subscription but {other:?}"),
    }
}

fn told(server: &mut Caller, state: &str) -> bytes::Bytes {
    server.notify(
        "message-summary",
        state,
        SUMMARY,
        "Messages-Waiting: no\r\n",
    )
}

/// Seconds until the phone sends another SUBSCRIBE.
fn until_subscribe(rig: &mut Rig) -> (u64, Request) {
    for seconds in 0..10_000 {
        while !rig.is_silent() {
            if let sip::message::Message::Request(request) = rig.sent()
                && *request.method() == Method::Subscribe
            {
                return (seconds, request);
            }
        }
        rig.seconds(1);
    }
    panic!("the phone never subscribes again");
}

#[test]
fn a_subscribe_says_what_it_wants() {
    let mut rig = Rig::registered(alice());
    let (ticket, request) = subscribe(&mut rig);
    assert_eq!(
        header(&request, "Event").as_deref(),
        Some("message-summary")
    );
    assert_eq!(header(&request, "Expires").as_deref(), Some("1000"));
    assert_eq!(header(&request, "Accept").as_deref(), Some(SUMMARY));
    assert!(header(&request, "Contact").is_some());
    assert!(rig.reply(ticket).is_none());
}

#[test]
fn waiting_messages_are_told() {
    let (rig, _, id) = subscribed();
    let notified = rig.last("notified");
    assert_eq!(notified["subscription"], id);
    assert_eq!(notified["state"], "active");
    let waiting = rig.last("messageWaiting");
    assert_eq!(waiting["waiting"], true);
    assert_eq!(
        waiting["voice"],
        json!({ "new": 1, "old": 2, "urgentNew": 0, "urgentOld": 0 })
    );
}

#[test]
fn messages_are_told_without_being_asked_for() {
    // RFC 3842 §3.11 knows it, PBXs do it.
    let mut rig = Rig::registered(alice());
    let mut server = Caller::new("n1");
    rig.receive(told(&mut server, "active"));
    rig.response(200);
    assert_eq!(rig.last("messageWaiting")["waiting"], false);
    let mut other = Caller::new("n2");
    rig.receive(other.notify("presence", "active", "application/pidf+xml", "<presence/>"));
    rig.response(481);
}

#[test]
fn a_notification_may_overtake_the_2xx() {
    // RFC 6665 §4.1.2.4.
    let mut rig = Rig::registered(alice());
    let (ticket, request) = subscribe(&mut rig);
    let mut server = Caller::of_callee(&request);
    rig.receive(told(&mut server, "pending"));
    rig.response(200);
    number(&rig, ticket);
    assert_eq!(rig.last("notified")["state"], "pending");
    rig.receive(with_header(&request, 200, "Expires", "1000"));
    assert_eq!(rig.count("notified"), 1);
}

#[test]
fn a_subscription_is_refreshed_before_its_time_in_its_dialog() {
    let (mut rig, mut server, _) = subscribed();
    let (after, refresh) = until_subscribe(&mut rig);
    assert!((800..=901).contains(&after), "{after}");
    assert!(refresh.headers().to().unwrap().tag().is_some());
    assert!(refresh.headers().cseq().unwrap().number > 1);
    rig.receive(with_header(&refresh, 200, "Expires", "1000"));
    rig.receive(told(&mut server, "active;expires=1000"));
    rig.response(200);
    let (after, _) = until_subscribe(&mut rig);
    assert!((800..=901).contains(&after), "{after}");
}

#[test]
fn a_short_subscription_is_refreshed_at_its_half() {
    let (mut rig, mut server, _) = subscribed();
    rig.receive(told(&mut server, "active;expires=60"));
    rig.response(200);
    let (after, _) = until_subscribe(&mut rig);
    assert!((29..=31).contains(&after), "{after}");
}

#[test]
fn a_refresh_that_the_server_has_forgotten_becomes_a_new_subscription() {
    let (mut rig, _, id) = subscribed();
    let (_, refresh) = until_subscribe(&mut rig);
    rig.receive(answer(&refresh, 481, None));
    let (after, anew) = until_subscribe(&mut rig);
    assert!(after <= 1, "{after}");
    assert!(anew.headers().to().unwrap().tag().is_none());
    assert_ne!(
        anew.headers().call_id().unwrap().0,
        refresh.headers().call_id().unwrap().0
    );
    let mut server = Caller::of_callee(&anew);
    rig.receive(answer(&anew, 200, None));
    rig.receive(told(&mut server, "active"));
    rig.response(200);
    assert_eq!(rig.last("notified")["subscription"], id);
    assert_eq!(rig.count("subscriptionEnded"), 0);
}

#[test]
fn each_reason_of_an_end_decides_what_follows() {
    // RFC 6665 §4.1.3.
    for (state, at_once, least) in [
        ("terminated;reason=deactivated", true, 0),
        ("terminated;reason=timeout", true, 0),
        ("terminated;reason=probation;retry-after=90", false, 90),
        ("terminated;reason=giveup;retry-after=30", false, 30),
        ("terminated", true, 0),
    ] {
        let (mut rig, mut server, _) = subscribed();
        rig.receive(told(&mut server, state));
        rig.response(200);
        assert_eq!(rig.count("subscriptionEnded"), 0, "{state}");
        let (after, anew) = until_subscribe(&mut rig);
        assert!(anew.headers().to().unwrap().tag().is_none(), "{state}");
        assert_eq!(after <= 1, at_once, "{state}: {after}");
        assert!(after >= least, "{state}: {after}");
    }
    for reason in ["rejected", "noresource", "invariant"] {
        let (mut rig, mut server, id) = subscribed();
        rig.receive(told(&mut server, &format!("terminated;reason={reason}")));
        rig.response(200);
        let ended = rig.last("subscriptionEnded");
        assert_eq!(ended["subscription"], id);
        assert_eq!(ended["reason"], reason);
        rig.seconds(4000);
        let again = (0..).map_while(|_| (!rig.is_silent()).then(|| rig.sent()));
        let subscribes = again.filter(|message| {
            matches!(message, sip::message::Message::Request(r) if *r.method() == Method::Subscribe)
        });
        assert_eq!(subscribes.count(), 0, "{reason}");
    }
}

#[test]
fn a_server_that_ends_every_dialog_is_not_flooded() {
    let (mut rig, mut server, _) = subscribed();
    rig.receive(told(&mut server, "terminated;reason=deactivated"));
    rig.response(200);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let (after, anew) = until_subscribe(&mut rig);
        waits.push(after);
        rig.receive(answer(&anew, 503, None));
    }
    assert!(waits[5] > 30, "{waits:?}");
}

#[test]
fn a_refusal_is_the_commands_to_tell() {
    for code in [403, 404, 489, 603] {
        let mut rig = Rig::registered(alice());
        let (ticket, request) = subscribe(&mut rig);
        rig.receive(answer(&request, code, None));
        let error = rig.error(ticket);
        assert_eq!(error.code, ErrorCode::RequestRefused);
        assert_eq!(error.sip.unwrap().code, code);
        assert_eq!(rig.count("subscriptionEnded"), 0);
        rig.seconds(60);
    }
}

#[test]
fn a_server_that_wants_longer_gets_it_once() {
    // RFC 6665 §4.2.1.1, 423.
    let mut rig = Rig::registered(alice());
    let (ticket, request) = subscribe(&mut rig);
    rig.receive(with_header(&request, 423, "Min-Expires", "1800"));
    let again = rig.request(&Method::Subscribe);
    assert_eq!(header(&again, "Expires").as_deref(), Some("1800"));
    rig.receive(with_header(&again, 423, "Min-Expires", "3600"));
    assert_eq!(rig.error(ticket).sip.unwrap().code, 423);
}

#[test]
fn a_server_that_agrees_and_never_notifies_is_asked_again() {
    // RFC 6665 §4.1.2.4, Timer N.
    let mut rig = Rig::registered(alice());
    let (ticket, request) = subscribe(&mut rig);
    rig.receive(answer(&request, 202, None));
    number(&rig, ticket);
    rig.seconds(31);
    assert!(rig.is_silent());
    let (after, _) = until_subscribe(&mut rig);
    assert!(after <= 3, "{after}");
}

#[test]
fn another_forks_notification_is_refused() {
    let (mut rig, _, _) = subscribed();
    let mut rig2 = Rig::registered(alice());
    let (_, request) = subscribe(&mut rig2);
    let mut first = Caller::of_callee(&request);
    rig2.receive(told(&mut first, "active"));
    rig2.response(200);
    let mut second = Caller::of_callee(&request).from("<sip:alice@example.com>");
    rig2.receive(told(&mut second, "active"));
    rig2.response(481);
    let mut stranger = Caller::new("c9");
    rig.receive(stranger.notify("dialog", "active", "application/dialog-info+xml", "<x/>"));
    rig.response(481);
}

#[test]
fn giving_up_waits_for_the_last_notification() {
    let (mut rig, mut server, id) = subscribed();
    let ticket = rig.command(json!({ "type": "unsubscribe", "subscription": id }));
    let request = rig.request(&Method::Subscribe);
    assert_eq!(header(&request, "Expires").as_deref(), Some("0"));
    rig.receive(answer(&request, 200, None));
    assert!(rig.reply(ticket).is_none());
    rig.receive(told(&mut server, "terminated;reason=timeout"));
    rig.response(200);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    assert_eq!(rig.count("notified"), 2);
    assert_eq!(rig.count("subscriptionEnded"), 1);
    rig.done(json!({ "type": "unsubscribe", "subscription": id }));
    rig.seconds(4000);
    assert_eq!(rig.count("subscriptionEnded"), 1);
}

#[test]
fn giving_up_ends_without_the_last_notification_too() {
    let (mut rig, _, id) = subscribed();
    let ticket = rig.command(json!({ "type": "unsubscribe", "subscription": id }));
    rig.request(&Method::Subscribe);
    rig.seconds(33);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

#[test]
fn giving_up_before_the_server_has_answered_settles_both_commands() {
    let mut rig = Rig::registered(alice());
    let (subscribing, _) = subscribe(&mut rig);
    let leaving = rig.command(json!({ "type": "unsubscribe", "subscription": 1 }));
    assert_eq!(rig.error(subscribing).code, ErrorCode::Aborted);
    assert_eq!(rig.reply(leaving), Some(&Ok(Reply::Done)));
}

#[test]
fn a_subscription_outlives_its_connection() {
    let (mut rig, mut server, id) = subscribed();
    rig.down();
    rig.until_connect();
    rig.up();
    let (after, refresh) = until_subscribe(&mut rig);
    assert!(after <= 1, "{after}");
    assert!(refresh.headers().to().unwrap().tag().is_some());
    rig.receive(answer(&refresh, 200, None));
    rig.receive(told(&mut server, "active"));
    rig.response(200);
    assert_eq!(rig.last("notified")["subscription"], id);
    assert_eq!(rig.count("subscriptionEnded"), 0);
}

#[test]
fn who_is_talking_and_who_is_there_is_read() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "subscribe", "target": "bob", "event": "dialog" }));
    let request = rig.request(&Method::Subscribe);
    let mut server = Caller::of_callee(&request);
    let body = "<dialog-info entity='sip:bob@example.com' state='full' version='0'>\
                <dialog id='1'><state>confirmed</state></dialog></dialog-info>";
    rig.receive(server.notify("dialog", "active", "application/dialog-info+xml", body));
    rig.response(200);
    let document: Value = rig.last("notified")["document"].clone();
    assert_eq!(document["kind"], "dialogs");
    assert_eq!(document["dialogs"][0]["state"], "confirmed");
    rig.receive(server.notify("dialog", "active", "application/dialog-info+xml", "<bad"));
    rig.response(200);
    assert_eq!(rig.last("notified").get("document"), None);
}

#[test]
fn destroying_the_phone_gives_up_its_subscriptions() {
    let (mut rig, _, _) = subscribed();
    rig.command(json!({ "type": "destroy" }));
    let request = rig.request(&Method::Subscribe);
    assert_eq!(header(&request, "Expires").as_deref(), Some("0"));
    rig.advance(Duration::from_secs(3));
    assert!(rig.closed);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}
