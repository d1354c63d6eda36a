use std::time::Duration;

use pbx::{Command, Config, Event};
use sip::auth::Credentials;
use sip::endpoint::{Event as SipEvent, Invite, Reply};
use sip::message::{HeaderName, Method};

use crate::town::{Town, users};

#[test]
fn a_call_goes_from_user_to_user_and_ends() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    let call = town.invite("desk", "sip:bob@pbx.test");
    let incoming = town.expect_incoming("lap");
    let now = town.now;
    let answer = Reply::new(200).sdp("v=0\r\n");
    let lap = &mut town.client("lap").endpoint;
    lap.respond(incoming, &answer, now).unwrap();
    town.settle();
    town.expect("desk", "answer", |event| match event {
        SipEvent::Answered { usage, .. } if *usage == call => Some(()),
        _ => None,
    });
    town.expect("lap", "ACK", |event| match event {
        SipEvent::Acked { .. } => Some(()),
        _ => None,
    });
    let desk = &mut town.client("desk").endpoint;
    desk.request(call, sip::message::Method::Bye, &[], None, now)
        .unwrap();
    town.settle();
    town.expect("lap", "BYE", |event| match event {
        SipEvent::Ended { .. } => Some(()),
        _ => None,
    });
    let told: Vec<_> = town
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Call(_) => Some("call"),
            Event::Answered(_) => Some("answered"),
            Event::Ended { answered: true, .. } => Some("ended"),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["call", "answered", "ended"]);
}

#[test]
fn who_answers_first_has_the_call_and_the_others_learn_it() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town.register("pocket", "bob");
    town.invite("desk", "sip:bob@pbx.test");
    let lap = town.expect_incoming("lap");
    town.expect_incoming("pocket");
    let now = town.now;
    let answer = Reply::new(200).sdp("v=0\r\n");
    let endpoint = &mut town.client("lap").endpoint;
    endpoint.respond(lap, &answer, now).unwrap();
    town.settle();
    let reason = town.expect("pocket", "CANCEL", |event| match event {
        SipEvent::Cancelled {
            cancel: Some(cancel),
            ..
        } => Some(cancel.headers().get(HeaderName::Reason).map(str::to_owned)),
        _ => None,
    });
    assert_eq!(
        reason.as_deref(),
        Some(r#"SIP;cause=200;text="Call completed elsewhere""#)
    );
}

#[test]
fn who_declines_for_all_stops_the_others_and_they_learn_it() {
    for (code, wanted) in [
        (603, r#"SIP;cause=603;text="Decline""#),
        (600, r#"SIP;cause=600;text="Busy Everywhere""#),
    ] {
        let mut town = Town::new();
        town.register("desk", "alice");
        town.register("lap", "bob");
        town.register("pocket", "bob");
        town.invite("desk", "sip:bob@pbx.test");
        let lap = town.expect_incoming("lap");
        town.expect_incoming("pocket");
        let now = town.now;
        let endpoint = &mut town.client("lap").endpoint;
        endpoint.respond(lap, &Reply::new(code), now).unwrap();
        town.settle();
        let reason = town.expect("pocket", "CANCEL", |event| match event {
            SipEvent::Cancelled {
                cancel: Some(cancel),
                ..
            } => Some(cancel.headers().get(HeaderName::Reason).map(str::to_owned)),
            _ => None,
        });
        assert_eq!(reason.as_deref(), Some(wanted));
        assert_eq!(town.expect_failure("desk"), code);
    }
}

#[test]
fn a_caller_that_gives_up_stops_every_device() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    let call = town.invite("desk", "sip:bob@pbx.test");
    let lap = town.expect_incoming("lap");
    let now = town.now;
    let endpoint = &mut town.client("lap").endpoint;
    endpoint.respond(lap, &Reply::new(180), now).unwrap();
    town.settle();
    let desk = &mut town.client("desk").endpoint;
    desk.cancel(call, None, now).unwrap();
    town.settle();
    town.expect("lap", "CANCEL", |event| match event {
        SipEvent::Cancelled { .. } => Some(()),
        _ => None,
    });
    assert_eq!(town.expect_failure("desk"), 487);
}

#[test]
fn a_request_within_a_dialog_reaches_the_device_that_has_it() {
    // RFC 5627 §5.2: both devices' Contacts differ in their `gr` alone.
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town.register("pocket", "bob");
    let calls = ["lap", "pocket"].map(|caller| {
        town.invite(caller, "sip:alice@pbx.test");
        let call = town.expect_incoming("desk");
        town.respond("desk", call, 200, "v=0\r\n");
        town.expect(caller, "its answer", |event| match event {
            SipEvent::Answered { .. } => Some(()),
            _ => None,
        });
        call
    });
    for (call, caller) in calls.into_iter().zip(["lap", "pocket"]) {
        let now = town.now;
        let desk = &mut town.client("desk").endpoint;
        desk.request(call, Method::Bye, &[], None, now).unwrap();
        town.settle();
        town.expect(caller, "BYE", |event| match event {
            SipEvent::Ended { .. } => Some(()),
            _ => None,
        });
    }
}

#[test]
fn nobody_and_nobody_there_are_told_apart() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.invite("desk", "sip:bob@pbx.test");
    assert_eq!(town.expect_failure("desk"), 480);
    town.invite("desk", "sip:nobody@pbx.test");
    assert_eq!(town.expect_failure("desk"), 404);
    town.invite("desk", "sip:busy@pbx.test");
    assert_eq!(town.expect_failure("desk"), 486);
}

#[test]
fn an_extension_that_never_answers_can_be_given_up() {
    let mut town = Town::new();
    town.register("desk", "alice");
    let call = town.invite("desk", "sip:noanswer@pbx.test");
    town.expect("desk", "ringing", |event| match event {
        SipEvent::Provisional { response, .. } => (response.status().code() == 180).then_some(()),
        _ => None,
    });
    town.pass(Duration::from_secs(30));
    let now = town.now;
    let desk = &mut town.client("desk").endpoint;
    desk.cancel(call, None, now).unwrap();
    town.settle();
    assert_eq!(town.expect_failure("desk"), 487);
}

#[test]
fn a_call_to_oneself_rings() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.invite("desk", "sip:alice@pbx.test");
    town.expect_incoming("desk");
}

#[test]
fn a_stranger_without_a_password_is_not_connected() {
    let mut town = Town::with(Config {
        users: users(&["alice"]),
        ..Config::default()
    });
    town.register("desk", "alice");
    town.connect_with("street", "mallory", "guess");
    town.invite("street", "sip:alice@pbx.test");
    assert_eq!(town.expect_failure("street"), 407);
    assert!(town.client("desk").events.is_empty());
}

/// RFC 5057 §5.1: 481 would end the call, and the party that is away will be back.
#[test]
fn a_party_that_lost_its_connection_is_unavailable_and_its_call_stands() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    let call = town.invite("desk", "sip:bob@pbx.test");
    let incoming = town.expect_incoming("lap");
    town.respond("lap", incoming, 200, "v=0\r\n");
    let user = Some("bob".to_owned());
    town.command(1, Command::Disconnect { user });
    let now = town.now;
    let desk = &mut town.client("desk").endpoint;
    let id = desk
        .request(call, sip::message::Method::Info, &[], None, now)
        .unwrap();
    town.settle();
    let code = town.expect("desk", "answer", |event| match event {
        SipEvent::Response { id: of, response } if *of == id => Some(response.status().code()),
        _ => None,
    });
    assert_eq!(code, 480);
}

/// RFC 3261 §22.3.
#[test]
fn the_callee_sees_nothing_of_what_the_caller_has_proved_itself_with() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    let sent = town.invite("desk", "sip:bob@pbx.test");
    let request = town.expect("lap", "call", |event| match event {
        SipEvent::Incoming { request, .. } => Some(request.clone()),
        _ => None,
    });
    assert_eq!(request.headers().get("Proxy-Authorization"), None);
    assert!(town.client("desk").endpoint.call_id(sent).is_some());
}

/// RFC 8898 §4.
#[test]
fn the_callee_sees_no_token_that_its_caller_sends_unasked() {
    let mut users = users(&["alice", "bob"]);
    users[0].token = Some(pbx::Password::new("good.token"));
    let mut town = Town::with(Config {
        users,
        ..Config::default()
    });
    town.register("desk", "alice");
    town.register("lap", "bob");
    let token = Credentials::bearer("good.token", vec!["pbx.test".into()]);
    let desk = &mut town.client("desk").endpoint;
    desk.set_credentials(Some(token.unwrap().unasked()));
    town.invite("desk", "sip:bob@pbx.test");
    let request = town.expect("lap", "call", |event| match event {
        SipEvent::Incoming { request, .. } => Some(request.clone()),
        _ => None,
    });
    for name in ["Authorization", "Proxy-Authorization"] {
        assert_eq!(request.headers().get(name), None);
    }
}

/// RFC 3325 §9.2, §9.3.
#[test]
fn what_a_caller_prefers_is_asserted_to_who_may_know_it_and_goes_no_further_itself() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    for (anonymous, asserted) in [(false, Some("<sip:sales@pbx.test>")), (true, None)] {
        let now = town.now;
        let preferred = ("P-Preferred-Identity", "<sip:sales@pbx.test>");
        let invite = Invite {
            headers: vec![(preferred.0.into(), preferred.1.into())],
            anonymous,
            ..Invite::offer("sip:bob@pbx.test".parse().unwrap(), "v=0\r\n")
        };
        let desk = &mut town.client("desk").endpoint;
        desk.invite(invite, now).unwrap();
        town.settle();
        let request = town.expect("lap", "call", |event| match event {
            SipEvent::Incoming { request, .. } => Some(request.clone()),
            _ => None,
        });
        let headers = request.headers();
        assert_eq!(headers.get("P-Preferred-Identity"), None);
        assert_eq!(headers.get("P-Asserted-Identity"), asserted);
    }
}

#[test]
fn a_user_has_a_name_that_fits_into_a_header() {
    for name in ["", "a\r\nb", "a\0"] {
        let config = Config {
            users: users(&[name]),
            ..Config::default()
        };
        let now = Town::new().now;
        let address = "127.0.0.1:5080".parse().unwrap();
        let made = pbx::Pbx::new(config, address, [7; 32], now, Duration::ZERO);
        assert!(made.is_err(), "{name:?}");
    }
}

#[test]
fn a_call_that_the_application_can_not_be_told_of_is_refused_and_a_running_one_goes_on() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("road", "bob");
    town.pbx.handle_backlog(4 << 20);
    town.events.clear();
    town.invite("road", "sip:alice@pbx.test");
    assert_eq!(town.expect_failure("road"), 503);
    assert!(town.events.is_empty(), "{:?}", town.events);
    town.pbx.handle_backlog(0);
    town.invite("road", "sip:alice@pbx.test");
    town.expect_incoming("desk");
}

#[test]
fn a_machine_without_time_lets_extensions_answer_no_call() {
    let mut town = Town::new();
    town.register("road", "bob");
    town.pbx.handle_load(1.0);
    town.invite("road", "sip:echo@pbx.test");
    assert_eq!(town.expect_failure("road"), 503);
    town.pbx.handle_load(0.99);
    town.invite("road", "sip:echo@pbx.test");
    let answered = |event: &SipEvent| matches!(event, SipEvent::Answered { .. }).then_some(());
    town.expect("road", "answer", answered);
}

#[test]
fn a_call_that_ended_leaves_nothing_behind() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    // Everything that the PBX knows, as text; but for the digits of its counters it grows with whatever is kept.
    let mut known_after = |calls: u32| {
        for _ in 0..calls {
            let call = town.invite("desk", "sip:bob@pbx.test");
            let incoming = town.expect_incoming("lap");
            town.respond("lap", incoming, 200, "v=0\r\n");
            let now = town.now;
            let desk = &mut town.client("desk").endpoint;
            desk.request(call, Method::Bye, &[], None, now).unwrap();
            town.settle();
        }
        // Timers L and M.
        town.pass(Duration::from_secs(33));
        let known = format!("{:?}", town.pbx);
        known.chars().filter(|c| !c.is_ascii_digit()).count()
    };
    let few = known_after(2);
    assert_eq!(known_after(20), few);
}
