//! Subscribers of ours, played by the test (RFC 6665 §4.2).

use std::time::Duration;

use sip::auth::Credentials;
use sip::endpoint::{
    Body, CommandError, EndpointConfig, Event, NotifierEnd, NotifierId, Reply, ServerRequestId,
};
use sip::message::{Method, Request, Response};
use sip::transaction::Transport;

use crate::lone::{Lone, answer, config, header, incoming, within};

const HOUR: Duration = Duration::from_secs(3600);
const WANTS: &str = "Event: conference;id=7\r\nExpires: 600\r\n";

fn notifier() -> EndpointConfig {
    let mut config = config("alice");
    config.allow.push(Method::Subscribe);
    config.event_packages = vec!["conference".into(), "dialog".into()];
    config
}

fn lone() -> Lone {
    Lone::with(notifier(), Transport::Wss)
}

fn state(text: &str) -> Option<Body> {
    Some(Body {
        content_type: "text/plain".into(),
        bytes: text.to_owned().into(),
    })
}

/// Has bob subscribe; returns the request that waits for us.
#[track_caller]
fn asked(lone: &mut Lone, subscribe: &str) -> ServerRequestId {
    lone.receive(subscribe.to_owned());
    match lone.event() {
        Event::Request {
            usage: None,
            id,
            request,
        } => {
            assert_eq!(request.method(), &Method::Subscribe);
            id
        }
        other => panic!("a request expected, got {other:?}"),
    }
}

/// Bob, accepted and told the state, and what he and we sent for it.
struct Subscribed {
    lone: Lone,
    id: NotifierId,
    subscribe: String,
    ok: Response,
    notify: Request,
}

#[track_caller]
fn subscribed(extra: &str) -> Subscribed {
    let mut lone = lone();
    let subscribe = incoming("SUBSCRIBE", "s1", "s1", extra);
    let asked = asked(&mut lone, &subscribe);
    let accept = |alice: &mut sip::endpoint::Endpoint, now| {
        alice.accept_subscription(asked, HOUR, state("one"), now)
    };
    let id = lone.act(accept).unwrap();
    let ok = lone.response(200);
    let notify = lone.request(Method::Notify);
    Subscribed {
        lone,
        id,
        subscribe,
        ok,
        notify,
    }
}

impl Subscribed {
    /// The first NOTIFY is answered.
    fn settled(mut self) -> Self {
        self.lone.receive(answer(&self.notify, 200, "", ""));
        self.lone.nothing_sent();
        self
    }

    fn resubscribe(&mut self, cseq: u32, extra: &str) {
        let branch = format!("again{cseq}");
        let again = within(
            &self.subscribe,
            &self.ok,
            "SUBSCRIBE",
            cseq,
            &branch,
            extra,
            "",
        );
        self.lone.receive(again);
    }

    fn notify(&mut self, text: &str) -> Result<(), CommandError> {
        let id = self.id;
        self.lone
            .act(|alice, now| alice.notify(id, state(text), now))
    }

    #[track_caller]
    fn ended(&mut self) -> NotifierEnd {
        match self.lone.event() {
            Event::NotifierEnded { notifier, end } => {
                assert_eq!(notifier, self.id);
                end
            }
            other => panic!("an end expected, got {other:?}"),
        }
    }
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

#[test]
fn a_subscriber_is_told_the_state_at_once() {
    let Subscribed { ok, notify, .. } = subscribed(WANTS);
    assert_eq!(ok.headers().get("Expires"), Some("600"));
    assert!(ok.headers().get("Contact").is_some());
    assert_eq!(header(&notify, "Event"), "conference;id=7");
    assert_eq!(header(&notify, "Subscription-State"), "active;expires=600");
    assert_eq!(header(&notify, "Content-Type"), "text/plain");
    assert_eq!(body(&notify), "one");
    assert_eq!(notify.uri().as_str(), "sip:bob@theirs.invalid;transport=ws");
    assert_eq!(
        notify.headers().from().unwrap().tag(),
        ok.headers().to().unwrap().tag()
    );
    assert_eq!(notify.headers().to().unwrap().tag(), Some("bobs"));
}

#[test]
fn no_more_is_granted_than_we_allow_and_an_hour_where_nothing_is_asked() {
    let asks = |wish: &str| {
        let extra = format!("Event: conference\r\n{wish}");
        let ok = subscribed(&extra).ok;
        ok.headers().get("Expires").unwrap().to_owned()
    };
    assert_eq!(asks("Expires: 86400\r\n"), "3600");
    assert_eq!(asks("Expires: 60\r\n"), "60");
    assert_eq!(asks(""), "3600");
}

#[test]
fn a_subscribe_that_nobody_can_answer_is_refused() {
    let refused = |extra: &str, code| {
        let mut lone = lone();
        lone.receive(incoming("SUBSCRIBE", "s1", "s1", extra));
        let refusal = lone.response(code);
        lone.no_event();
        refusal
    };
    let unknown = refused("Event: presence\r\n", 489);
    assert_eq!(
        unknown.headers().get("Allow-Events"),
        Some("conference, dialog")
    );
    refused("", 400);
    let brief = refused("Event: conference\r\nExpires: 59\r\n", 423);
    assert_eq!(brief.headers().get("Min-Expires"), Some("60"));
    let mut none = Lone::over_wss();
    none.receive(incoming("SUBSCRIBE", "s1", "s1", WANTS));
    assert!(
        !none
            .response(405)
            .headers()
            .get("Allow")
            .unwrap()
            .contains("SUBSCRIBE")
    );
    let mut lone = lone();
    let nowhere = incoming("SUBSCRIBE", "s1", "s1", WANTS);
    lone.receive(nowhere.replace("Contact: <sip:bob@theirs.invalid;transport=ws>\r\n", ""));
    lone.response(400);
}

#[test]
fn what_can_be_subscribed_to_is_named_to_who_asks() {
    let mut lone = lone();
    lone.receive(incoming("OPTIONS", "o1", "o1", ""));
    let Event::Request { id, .. } = lone.event() else {
        panic!("a request expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(200), now))
        .unwrap();
    let ok = lone.response(200);
    assert_eq!(ok.headers().get("Allow-Events"), Some("conference, dialog"));
}

#[test]
fn the_application_may_refuse() {
    let mut lone = lone();
    let asked = asked(&mut lone, &incoming("SUBSCRIBE", "s1", "s1", WANTS));
    lone.act(|alice, now| alice.answer(asked, &Reply::new(403), now))
        .unwrap();
    lone.response(403);
    let late = lone.act(|alice, now| alice.accept_subscription(asked, HOUR, None, now));
    assert_eq!(late, Err(CommandError::Unknown));
}

#[test]
fn a_new_state_is_told_and_only_the_newest_while_a_notification_is_out() {
    let mut bob = subscribed(WANTS);
    bob.notify("two").unwrap();
    bob.notify("three").unwrap();
    bob.lone.nothing_sent();
    bob.lone.receive(answer(&bob.notify, 200, "", ""));
    let next = bob.lone.request(Method::Notify);
    assert_eq!(body(&next), "three");
    assert_eq!(next.headers().cseq().unwrap().number, 2);
    bob.lone.receive(answer(&next, 200, "", ""));
    bob.lone.nothing_sent();
    bob.lone.no_event();
}

#[test]
fn a_refresh_is_granted_and_has_the_state_told_again() {
    let mut bob = subscribed(WANTS).settled();
    bob.lone.advance(Duration::from_secs(500));
    bob.resubscribe(2, WANTS);
    assert_eq!(bob.lone.response(200).headers().get("Expires"), Some("600"));
    let again = bob.lone.request(Method::Notify);
    assert_eq!(header(&again, "Subscription-State"), "active;expires=600");
    assert_eq!(body(&again), "one");
    bob.lone.receive(answer(&again, 200, "", ""));
    bob.lone.advance(Duration::from_secs(599));
    bob.lone.nothing_sent();
    bob.resubscribe(2, WANTS);
    bob.lone.response(500);
    bob.resubscribe(3, "Event: conference;id=7\r\nExpires: 5\r\n");
    bob.lone.response(423);
    bob.resubscribe(4, "Event: conference;id=8\r\n");
    bob.lone.response(481);
    bob.lone.no_event();
}

#[test]
fn a_subscription_that_nobody_renews_ends_with_a_last_notification() {
    let mut bob = subscribed(WANTS).settled();
    bob.lone.advance(Duration::from_secs(600));
    let last = bob.lone.request(Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State"),
        "terminated;reason=timeout"
    );
    assert!(matches!(bob.ended(), NotifierEnd::Expired));
    bob.lone.receive(answer(&last, 200, "", ""));
    bob.resubscribe(2, WANTS);
    bob.lone.response(481);
    assert_eq!(bob.notify("late"), Err(CommandError::Unknown));
    bob.lone.advance(HOUR);
    assert!(bob.lone.endpoint.is_idle());
}

#[test]
fn giving_up_is_answered_with_the_state_and_the_end() {
    let mut bob = subscribed(WANTS).settled();
    bob.resubscribe(2, "Event: conference;id=7\r\nExpires: 0\r\n");
    assert_eq!(bob.lone.response(200).headers().get("Expires"), Some("0"));
    let last = bob.lone.request(Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State"),
        "terminated;reason=timeout"
    );
    assert_eq!(body(&last), "one");
    assert!(matches!(bob.ended(), NotifierEnd::Unsubscribed));
    // Whatever it says to that.
    bob.lone.receive(answer(&last, 481, "", ""));
    bob.lone.no_event();
    bob.lone.advance(HOUR);
    assert!(bob.lone.endpoint.is_idle());
}

#[test]
fn a_notification_that_is_challenged_goes_again_with_credentials() {
    let mut config = notifier();
    config.credentials = Some(Credentials::password("alice", "secret").unwrap());
    let mut lone = Lone::with(config, Transport::Wss);
    let asked = asked(&mut lone, &incoming("SUBSCRIBE", "s1", "s1", WANTS));
    let id = lone.act(|alice, now| alice.accept_subscription(asked, HOUR, state("one"), now));
    let id = id.unwrap();
    lone.response(200);
    let first = lone.request(Method::Notify);
    let challenge = "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n1\"\r\n";
    lone.receive(answer(&first, 407, "", challenge));
    let again = lone.request(Method::Notify);
    assert!(header(&again, "Proxy-Authorization").contains("n1"));
    assert_eq!(again.headers().cseq().unwrap().number, 2);
    assert_eq!(body(&again), "one");
    // What comes meanwhile waits, and takes the number after it.
    lone.act(|alice, now| alice.notify(id, state("two"), now))
        .unwrap();
    lone.nothing_sent();
    lone.receive(answer(&again, 200, "", ""));
    let next = lone.request(Method::Notify);
    assert_eq!(next.headers().cseq().unwrap().number, 3);
    assert_eq!(body(&next), "two");
}

#[test]
fn a_state_can_be_fetched_once() {
    // RFC 6665 §4.4.3.
    let mut bob = subscribed("Event: conference\r\nExpires: 0\r\n");
    assert_eq!(
        header(&bob.notify, "Subscription-State"),
        "terminated;reason=timeout"
    );
    assert_eq!(body(&bob.notify), "one");
    assert!(matches!(bob.ended(), NotifierEnd::Unsubscribed));
}

#[test]
fn ending_it_ourselves_waits_for_the_notification_before() {
    let mut bob = subscribed(WANTS);
    let id = bob.id;
    bob.lone
        .act(|alice, now| alice.terminate(id, "noresource", now));
    bob.lone.nothing_sent();
    assert_eq!(bob.notify("late"), Err(CommandError::Unknown));
    bob.lone.receive(answer(&bob.notify, 200, "", ""));
    let last = bob.lone.request(Method::Notify);
    assert_eq!(
        header(&last, "Subscription-State"),
        "terminated;reason=noresource"
    );
    bob.lone.receive(answer(&last, 200, "", ""));
    bob.lone.no_event();
}

#[test]
fn a_subscriber_that_knows_nothing_of_it_or_is_gone_is_dropped() {
    let mut bob = subscribed(WANTS);
    bob.lone.receive(answer(&bob.notify, 481, "", ""));
    assert!(
        matches!(bob.ended(), NotifierEnd::Refused(response) if response.status().code() == 481)
    );
    bob.lone.advance(HOUR);
    assert!(bob.lone.endpoint.is_idle());

    let mut silent = subscribed(WANTS);
    silent.lone.advance(Duration::from_secs(32));
    assert!(matches!(silent.ended(), NotifierEnd::Silent));
    silent.lone.advance(HOUR);
    silent.lone.nothing_sent();
    assert!(silent.lone.endpoint.is_idle());
}

#[test]
fn a_subscriber_that_asks_for_patience_is_told_later() {
    // RFC 6665 §4.2.2.
    let mut bob = subscribed(WANTS);
    bob.lone
        .receive(answer(&bob.notify, 503, "", "Retry-After: 20\r\n"));
    bob.notify("two").unwrap();
    bob.lone.advance(Duration::from_secs(19));
    bob.lone.nothing_sent();
    bob.lone.advance(Duration::from_secs(1));
    let again = bob.lone.request(Method::Notify);
    assert_eq!(body(&again), "two");
    bob.lone.no_event();
}

#[test]
fn what_changes_while_no_flow_is_up_is_told_over_the_next() {
    let mut bob = subscribed(WANTS).settled();
    bob.lone.flow_down();
    bob.notify("two").unwrap();
    bob.lone.nothing_sent();
    bob.lone.advance(Duration::from_secs(60));
    bob.lone.flow_up(Transport::Wss);
    let next = bob.lone.request(Method::Notify);
    assert_eq!(body(&next), "two");
    // Whole numbers of what is left, and no CSeq was lost meanwhile.
    assert_eq!(header(&next, "Subscription-State"), "active;expires=540");
    assert_eq!(next.headers().cseq().unwrap().number, 2);
    bob.lone.flow_down();
    bob.lone.flow_up(Transport::Wss);
    assert_eq!(body(&bob.lone.request(Method::Notify)), "two");
}

#[test]
fn a_notification_goes_the_way_that_the_subscription_came() {
    let mut bob = subscribed(&format!(
        "{WANTS}Record-Route: <sip:p1.example.com;lr>\r\nRecord-Route: <sip:p2.example.com;lr>\r\n"
    ));
    let routes: Vec<&str> = bob.notify.headers().all("Route").collect();
    assert_eq!(
        routes,
        ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    );
    assert_eq!(bob.ok.headers().all("Record-Route").count(), 2);
    bob.lone.receive(answer(&bob.notify, 200, "", ""));
    let id = bob.id;
    let stranger = incoming("SUBSCRIBE", "s1", "x", WANTS).replace("tag=bobs", "tag=mallory");
    let other = asked(&mut bob.lone, &stranger);
    bob.lone
        .act(|alice, now| alice.answer(other, &Reply::new(403), now))
        .unwrap();
    bob.lone.response(403);
    bob.lone
        .act(|alice, now| alice.notify(id, None, now))
        .unwrap();
    assert!(bob.lone.request(Method::Notify).body().is_empty());
}

#[test]
fn more_subscribers_than_we_bear_are_sent_away() {
    let mut lone = lone();
    for n in 0..512 {
        let call = format!("s{n}");
        let asked = asked(&mut lone, &incoming("SUBSCRIBE", &call, &call, WANTS));
        lone.act(|alice, now| alice.accept_subscription(asked, HOUR, None, now))
            .unwrap();
        lone.response(200);
        let notify = lone.request(Method::Notify);
        lone.receive(answer(&notify, 200, "", ""));
        lone.advance(Duration::from_millis(20));
    }
    lone.receive(incoming("SUBSCRIBE", "more", "more", WANTS));
    assert!(lone.response(503).headers().get("Retry-After").is_some());
    lone.no_event();
}

#[test]
fn a_flood_of_subscriptions_is_slowed_and_keeps_no_call_away() {
    let mut lone = lone();
    let mut refused = 0;
    for n in 0..200 {
        let call = format!("s{n}");
        lone.receive(incoming("SUBSCRIBE", &call, &call, WANTS));
        if !lone.sent.is_empty() {
            refused += 1;
            assert!(lone.response(503).headers().get("Retry-After").is_some());
        }
        lone.sent.clear();
    }
    assert_eq!(refused, 100);
    lone.events();
    lone.receive(incoming("INVITE", "c1", "c1", ""));
    assert!(matches!(lone.events()[..], [Event::Incoming { .. }]));
}

#[test]
fn who_can_not_be_told_of_the_end_is_forgotten_when_the_subscription_would_have_ended() {
    let mut bob = subscribed(WANTS).settled();
    bob.lone.flow_down();
    let id = bob.id;
    bob.lone
        .act(|alice, now| alice.terminate(id, "noresource", now));
    bob.lone.advance(Duration::from_secs(599));
    assert!(!bob.lone.endpoint.is_idle());
    bob.lone.advance(Duration::from_secs(1));
    assert!(bob.lone.endpoint.is_idle());
    bob.lone.no_event();
}
