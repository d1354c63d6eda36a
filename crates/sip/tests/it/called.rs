//! Calls that others place.

use std::time::Duration;

use sip::endpoint::{CommandError, EndCause, Event, Reply, UsageId};
use sip::message::{Method, Response};
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, answer, config, header, incoming, within};

fn to_tag(response: &Response) -> String {
    let to = response.headers().to().unwrap();
    to.tag().unwrap_or_default().to_owned()
}

#[track_caller]
fn called(lone: &mut Lone, invite: &str) -> UsageId {
    lone.receive(invite.to_owned());
    lone.response(100);
    match lone.event() {
        Event::Incoming { usage, .. } => usage,
        other => panic!("Incoming expected, got {other:?}"),
    }
}

/// Takes the call of `invite`, and returns our 200.
fn accepted(lone: &mut Lone, invite: &str) -> (UsageId, Response) {
    let usage = called(lone, invite);
    respond(lone, usage, &Reply::new(200).sdp(SDP));
    (usage, lone.response(200))
}

/// Takes a call whose ACK arrives at once.
fn established(lone: &mut Lone, invite: &str) -> (UsageId, Response) {
    let (usage, ok) = accepted(lone, invite);
    lone.receive(within(invite, &ok, "ACK", 1, "ack", "", ""));
    assert!(matches!(lone.event(), Event::Acked { .. }));
    (usage, ok)
}

fn respond(lone: &mut Lone, usage: UsageId, reply: &Reply) {
    lone.act(|alice, now| alice.respond(usage, reply, now))
        .unwrap();
}

fn cancel_of(invite: &str, extra: &str) -> String {
    let head = invite.replace("INVITE", "CANCEL");
    let head = head.split("Content-Type").next().unwrap();
    format!("{head}{extra}Content-Length: 0\r\n\r\n")
}

/// Trap 3.
#[test]
fn a_cancel_in_time_ends_the_call_with_487_under_the_same_tag() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let usage = called(&mut lone, &invite);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    lone.receive(cancel_of(
        &invite,
        "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
    ));
    let ok = lone.response(200);
    assert!(header_of(&ok, "CSeq").ends_with("CANCEL"));
    let terminated = lone.response(487);
    assert_eq!(to_tag(&ringing), to_tag(&terminated));
    assert_eq!(to_tag(&ringing), to_tag(&ok));
    match lone.event() {
        // Trap 34: answered elsewhere is no missed call.
        Event::Cancelled {
            cancel: Some(cancel),
            ..
        } => assert!(header(&cancel, "Reason").contains("cause=200")),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        lone.act(|alice, now| alice.respond(usage, &Reply::new(200), now)),
        Err(CommandError::Unknown)
    );
}

fn header_of<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap()
}

/// Trap 3.
#[test]
fn a_cancel_after_the_answer_is_given_200_and_changes_nothing() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    accepted(&mut lone, &invite);
    lone.receive(cancel_of(&invite, ""));
    lone.response(200);
    lone.nothing_sent();
    lone.no_event();
}

/// Trap 3.
#[test]
fn a_cancel_of_nothing_is_given_481() {
    let mut lone = Lone::over_wss();
    lone.receive(cancel_of(&incoming("INVITE", "c1", "1", ""), ""));
    lone.response(481);
    lone.no_event();
}

/// Trap 4.
#[test]
fn a_2xx_is_repeated_from_t1_to_t2_over_reliable_flows_too_and_then_hung_up() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let (usage, ok) = accepted(&mut lone, &invite);
    let mut waited = Vec::new();
    let mut last = lone.now;
    for _ in 0..319 {
        lone.advance(Duration::from_millis(100));
        while lone.sent.pop_front().is_some() {
            waited.push((lone.now - last).as_millis());
            last = lone.now;
        }
    }
    let mut expected = vec![500, 1000, 2000];
    expected.extend([4000; 7]);
    assert_eq!(waited, expected);
    lone.no_event();
    lone.advance(Duration::from_millis(200));
    assert!(matches!(lone.event(), Event::AckTimeout { usage: u } if u == usage));
    assert!(matches!(
        lone.event(),
        Event::Ended {
            cause: EndCause::NoAck,
            ..
        }
    ));
    let bye = lone.request(Method::Bye);
    assert!(header(&bye, "From").ends_with(&to_tag(&ok)));
    assert_eq!(bye.uri().as_str(), "sip:bob@theirs.invalid;transport=ws");
}

#[test]
fn a_bye_that_waits_for_an_ack_fails_where_none_comes() {
    let mut lone = Lone::over_wss();
    let (usage, _) = accepted(&mut lone, &incoming("INVITE", "c1", "1", ""));
    let bye = lone.act(|bob, now| bob.request(usage, Method::Bye, &[], None, now).unwrap());
    lone.nothing_sent();
    lone.advance(Duration::from_secs(33));
    assert!(matches!(lone.event(), Event::AckTimeout { usage: u } if u == usage));
    assert!(matches!(lone.event(), Event::RequestFailed { id, .. } if id == bye));
    assert!(matches!(
        lone.event(),
        Event::Ended {
            cause: EndCause::NoAck,
            ..
        }
    ));
    lone.no_event();
}

#[test]
fn the_ack_stops_the_repeats() {
    let mut lone = Lone::over_wss();
    established(&mut lone, &incoming("INVITE", "c1", "1", ""));
    lone.advance(Duration::from_secs(100));
    lone.nothing_sent();
    lone.no_event();
}

/// Trap 6.
#[test]
fn an_ack_is_never_answered() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let (_, ok) = established(&mut lone, &invite);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    lone.receive(within(
        &invite,
        &ok,
        "ACK",
        9,
        "ack9",
        "Require: nonsense\r\n",
        "",
    ));
    lone.receive(incoming("ACK", "unknown", "7", ""));
    lone.nothing_sent();
}

/// Trap 7.
#[test]
fn a_repeated_invite_starts_no_second_call_even_after_the_answer() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let usage = called(&mut lone, &invite);
    lone.receive(invite.clone());
    lone.response(100);
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    let ok = lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    lone.event();
    lone.advance(Duration::from_secs(20));
    lone.receive(invite.clone());
    lone.nothing_sent();
    lone.no_event();
}

/// Trap 9.
#[test]
fn an_invite_that_comes_by_another_way_as_well_is_merged() {
    let mut lone = Lone::over_wss();
    called(&mut lone, &incoming("INVITE", "c1", "1", ""));
    lone.receive(incoming("INVITE", "c1", "2", ""));
    lone.response(100);
    lone.response(482);
    lone.no_event();
    called(&mut lone, &incoming("INVITE", "c2", "3", ""));
}

/// Trap 10.
#[test]
fn every_answer_above_100_has_the_same_tag_and_every_call_another() {
    let mut lone = Lone::over_wss();
    let mut tags = Vec::new();
    for call in 0..20 {
        let invite = incoming("INVITE", &format!("c{call}"), &call.to_string(), "");
        let usage = called(&mut lone, &invite);
        respond(&mut lone, usage, &Reply::new(180));
        respond(&mut lone, usage, &Reply::new(183).sdp(SDP));
        respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
        let first = to_tag(&lone.response(180));
        assert_eq!(first, to_tag(&lone.response(183)));
        assert_eq!(first, to_tag(&lone.response(200)));
        assert!(first.len() >= 8, "32 bits at least: {first}");
        assert!(!tags.contains(&first));
        tags.push(first);
    }
}

/// Trap 11.
#[test]
fn a_callees_requests_take_the_record_route_in_order() {
    let mut lone = Lone::over_wss();
    let routes =
        "Record-Route: <sip:p1.example.com;lr>\r\nRecord-Route: <sip:p2.example.com;lr>\r\n";
    let invite = incoming("INVITE", "c1", "1", routes);
    let (usage, ok) = established(&mut lone, &invite);
    let copied: Vec<&str> = ok.headers().all("Record-Route").collect();
    assert_eq!(
        copied,
        ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    );
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    let taken: Vec<&str> = bye.headers().all("Route").collect();
    assert_eq!(taken, copied);
}

/// Trap 29.
#[test]
fn a_callee_hangs_up_only_after_the_ack() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let (usage, ok) = accepted(&mut lone, &invite);
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    lone.nothing_sent();
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    let bye = lone.request(Method::Bye);
    lone.events();
    lone.receive(answer(&bye, 200, "", ""));
    assert!(matches!(lone.event(), Event::Response { .. }));
    assert!(matches!(
        lone.event(),
        Event::Ended {
            cause: EndCause::Local,
            ..
        }
    ));
}

/// Trap 29.
#[test]
fn a_bye_inside_an_early_dialog_is_given_200_and_the_invite_487() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    let usage = called(&mut lone, &invite);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    lone.receive(within(&invite, &ringing, "BYE", 2, "bye", "", ""));
    lone.response(200);
    lone.response(487);
    assert!(matches!(
        lone.event(),
        Event::Cancelled {
            cancel: Some(_),
            ..
        }
    ));
    lone.no_event();
}

/// Trap 36.
#[test]
fn what_we_do_not_understand_is_refused_with_what_we_do() {
    let mut lone = Lone::over_wss();
    lone.receive(incoming(
        "INVITE",
        "c1",
        "1",
        "Require: gruu, tdialog, nothing\r\n",
    ));
    lone.response(100);
    let refusal = lone.response(420);
    assert_eq!(header_of(&refusal, "Unsupported"), "tdialog, nothing");

    lone.receive(incoming("REFER", "c2", "2", ""));
    let refusal = lone.response(405);
    assert!(header_of(&refusal, "Allow").contains("INVITE"));
    lone.receive(incoming("FROBNICATE", "c3", "3", ""));
    lone.response(405);

    let strange = incoming("MESSAGE", "c4", "4", "")
        .replace(" sip:alice@ours.invalid ", " http://ours.invalid ");
    lone.receive(strange);
    lone.response(416);

    let text = incoming("INVITE", "c5", "5", "").replace("application/sdp", "text/plain");
    lone.receive(text);
    lone.response(100);
    let refusal = lone.response(415);
    assert_eq!(header_of(&refusal, "Accept"), "application/sdp");

    let packed = incoming("INVITE", "c6", "6", "Content-Encoding: gzip\r\n");
    lone.receive(packed);
    lone.response(100);
    let refusal = lone.response(415);
    assert_eq!(header_of(&refusal, "Accept-Encoding"), "identity");

    let newer = incoming("INVITE", "c7", "7", "").replacen("SIP/2.0", "SIP/3.0", 1);
    lone.receive(newer);
    lone.response(505);
    for event in lone.events() {
        assert!(matches!(event, Event::Discarded { .. }), "{event:?}");
    }
}

/// Trap 36.
#[test]
fn cancel_and_ack_are_exempt_from_require() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    called(&mut lone, &invite);
    lone.receive(cancel_of(&invite, "Require: nothing\r\n"));
    lone.response(200);
    lone.response(487);
}

/// Trap 37.
#[test]
fn a_slow_answer_to_another_request_sends_100_late_and_nothing_too_late() {
    let mut lone = Lone::over_wss();
    lone.receive(incoming("MESSAGE", "c1", "1", ""));
    lone.nothing_sent();
    let Event::Request { id, .. } = lone.event() else {
        panic!("a request expected");
    };
    lone.advance(Duration::from_millis(3400));
    lone.nothing_sent();
    lone.advance(Duration::from_millis(200));
    lone.response(100);
    lone.advance(Duration::from_secs(30));
    assert!(matches!(lone.event(), Event::RequestGone { id: gone } if gone == id));
    let late = lone.act(|alice, now| alice.answer(id, &Reply::new(200), now));
    assert_eq!(late, Err(CommandError::Unknown));
    lone.nothing_sent();
}

#[test]
fn a_ringing_call_says_so_every_minute() {
    let mut lone = Lone::over_wss();
    let usage = called(&mut lone, &incoming("INVITE", "c1", "1", ""));
    respond(&mut lone, usage, &Reply::new(180));
    lone.response(180);
    lone.advance(Duration::from_secs(181));
    for _ in 0..3 {
        lone.response(180);
    }
    lone.nothing_sent();
}

/// Trap 40.
#[test]
fn a_flood_of_calls_is_given_503_with_retry_after() {
    let mut lone = Lone::over_wss();
    for call in 0..1000 {
        lone.receive(incoming(
            "INVITE",
            &format!("c{call}"),
            &call.to_string(),
            "",
        ));
    }
    let rang = lone
        .events()
        .iter()
        .filter(|event| matches!(event, Event::Incoming { .. }))
        .count();
    assert_eq!(rang, 100);
    let refused = lone
        .sent
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(b"SIP/2.0 503"))
        .inspect(|(_, bytes)| {
            assert!(String::from_utf8_lossy(bytes).contains("Retry-After: "));
        })
        .count();
    assert_eq!(refused, 900);
    lone.sent.clear();
    lone.advance(Duration::from_millis(1001));
    called(&mut lone, &incoming("INVITE", "later", "later", ""));
}

/// Trap 40.
#[test]
fn unanswered_requests_are_limited_too() {
    let mut settings = config("alice");
    settings.limits.open_requests = 10;
    let mut lone = Lone::with(settings, Transport::Wss);
    for message in 0..15 {
        let number = message.to_string();
        lone.receive(incoming("MESSAGE", &number, &number, ""));
    }
    let asked = lone
        .events()
        .iter()
        .filter(|event| matches!(event, Event::Request { .. }))
        .count();
    assert_eq!(asked, 10);
    for _ in 0..5 {
        lone.response(503);
    }
}

/// Trap 40.
#[test]
fn what_can_not_be_read_is_given_400_only_where_it_has_a_via() {
    let mut lone = Lone::over_wss();
    let bad = incoming("MESSAGE", "c1", "1", "").replace("CSeq: 1 MESSAGE", "CSeq: 1 OPTIONS");
    lone.receive(bad);
    assert!(!to_tag(&lone.response(400)).is_empty());
    lone.receive("MESSAGE sip:alice@ours.invalid SIP/2.0\r\nCSeq: x\r\n\r\n");
    lone.receive("SIP/2.0 999 What\r\n\r\n");
    lone.receive("nonsense");
    lone.receive(vec![0xff; 70_000]);
    lone.nothing_sent();
}

#[test]
fn a_call_without_a_contact_is_refused() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "")
        .replace("Contact: <sip:bob@theirs.invalid;transport=ws>\r\n", "");
    lone.receive(invite);
    lone.response(100);
    lone.response(400);
    lone.no_event();
}

#[test]
fn options_are_answered_with_what_we_can_do() {
    let mut lone = Lone::over_wss();
    lone.receive(incoming("OPTIONS", "c1", "1", ""));
    // Whether a call would be taken is not the endpoint's to know.
    let Event::Request {
        id, usage: None, ..
    } = lone.event()
    else {
        panic!("a request expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(200), now))
        .unwrap();
    let ok = lone.response(200);
    assert!(header_of(&ok, "Allow").contains("INVITE"));
    assert_eq!(header_of(&ok, "Accept"), "application/sdp");
    lone.no_event();
}

/// Trap 33: what belongs to no dialog of ours.
#[test]
fn a_request_inside_no_dialog_of_ours_is_given_481() {
    let mut lone = Lone::over_wss();
    for (number, method) in ["BYE", "INFO", "UPDATE", "NOTIFY", "INVITE"]
        .iter()
        .enumerate()
    {
        let number = number.to_string();
        let request = incoming(method, &number, &number, "").replace(
            "To: <sip:alice@example.com>",
            "To: <sip:alice@example.com>;tag=gone",
        );
        lone.receive(request);
        if *method == "INVITE" {
            lone.response(100);
        }
        lone.response(481);
    }
    lone.no_event();
}

#[test]
fn a_refusal_is_repeated_over_udp_until_its_ack() {
    let mut lone = Lone::over_udp();
    let invite = incoming("INVITE", "c1", "1", "").replace("WSS", "UDP");
    let usage = called(&mut lone, &invite);
    respond(&mut lone, usage, &Reply::new(486));
    let busy = lone.response(486);
    lone.advance(Duration::from_millis(1600));
    lone.response(486);
    lone.response(486);
    lone.receive(within(&invite, &busy, "ACK", 1, "1", "", "").replace("WSS", "UDP"));
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
    assert!(lone.endpoint.is_idle());
}

/// RFC 7989 §6.
#[test]
fn every_answer_in_a_call_carries_our_half_of_its_session_id_and_theirs() {
    let theirs = "47755a9de7794ba387653f2099600ef2";
    let mut lone = Lone::over_wss();
    let null = "0".repeat(32);
    let extra = format!("Session-ID: {theirs};remote={null}\r\n");
    let invite = incoming("INVITE", "c1", "1", &extra);
    let usage = called(&mut lone, &invite);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = header_of(&lone.response(180), "Session-ID").to_owned();
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    let ok = lone.response(200);
    assert_eq!(header_of(&ok, "Session-ID"), ringing);
    let (ours, remote) = ringing.split_once(";remote=").unwrap();
    assert_eq!(remote, theirs);
    assert!(ours.len() == 32 && ours != null, "{ours}");

    let other = "ab30317f1a784dc48ff824d0d3715d86";
    let moved = format!("Session-ID: {other};remote={ours}\r\n");
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    lone.receive(within(&invite, &ok, "BYE", 2, "bye", &moved, ""));
    let bye = lone.response(200);
    assert_eq!(
        header_of(&bye, "Session-ID"),
        format!("{ours};remote={other}")
    );
}

#[test]
fn a_call_that_takes_the_place_of_another_keeps_our_half_of_its_session_id() {
    let mut lone = Lone::over_wss();
    let usage = called(&mut lone, &incoming("INVITE", "c1", "1", ""));
    let kept = 0x47755a9d_e779_4ba3_8765_3f2099600ef2;
    lone.act(|alice, _| alice.keep_session(usage, kept));
    assert_eq!(lone.endpoint.session(usage).unwrap().local, kept);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    let id = header_of(&ringing, "Session-ID");
    assert!(id.starts_with("47755a9de7794ba387653f2099600ef2;"), "{id}");
}

#[test]
fn a_redirected_caller_learns_where_to_go() {
    let mut lone = Lone::over_wss();
    let usage = called(&mut lone, &incoming("INVITE", "c1", "1", ""));
    let target = "sip:carol@example.com;user=phone".parse().unwrap();
    respond(&mut lone, usage, &Reply::redirect(302, target));
    let moved = lone.response(302);
    let contacts: Vec<&str> = moved.headers().all("Contact").collect();
    assert_eq!(contacts, ["<sip:carol@example.com;user=phone>"]);
}

#[test]
fn the_contact_names_the_host_that_it_was_told() {
    let config = sip::endpoint::EndpointConfig {
        contact_host: Some(("203.0.113.9".into(), Some(5062))),
        ..config("alice")
    };
    let mut lone = Lone::with(config, Transport::Wss);
    let usage = called(&mut lone, &incoming("INVITE", "c1", "1", ""));
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    let contact = header_of(&lone.response(200), "Contact").to_owned();
    assert_eq!(contact, "<sip:alice@203.0.113.9:5062;transport=ws;ob>");
}
