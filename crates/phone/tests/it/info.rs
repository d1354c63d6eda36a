use std::time::Duration;

use phone::{ErrorCode, Reply, SessionId};
use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Caller, Pair, Rig, alice, answer};

fn info(id: SessionId, content_type: &str, body: &str) -> Value {
    json!({ "type": "sendInfo", "id": id, "contentType": content_type, "body": body })
}

fn text(request: &Request) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

#[test]
fn an_info_arrives_as_it_was_sent() {
    let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.advance(Duration::from_secs(2));
    let alices = pair.rigs[0].id_of("sessionStarted");
    let sent = pair.command(0, info(alices, "application/json;v=2", "{\"grüße\":1}"));
    assert_eq!(pair.rigs[0].reply(sent), Some(&Ok(Reply::Done)));
    let got = pair.rigs[1].last("info");
    assert_eq!(got["contentType"], "application/json;v=2");
    assert_eq!(got["body"], "{\"grüße\":1}");
    assert_eq!(got["id"], json!(pair.rigs[1].id_of("sessionStarted")));
}

#[test]
fn an_info_is_done_when_it_is_answered() {
    let (mut rig, _, id) = Rig::talking(alice());
    let sent = rig.command(info(id, "text/plain", "hello"));
    let request = rig.request(&Method::Info);
    assert_eq!(text(&request), "hello");
    assert!(rig.reply(sent).is_none());
    rig.receive(answer(&request, 200, None));
    assert_eq!(rig.reply(sent), Some(&Ok(Reply::Done)));
}

#[test]
fn a_refused_info_fails_with_its_status_and_the_call_goes_on() {
    let (mut rig, _, id) = Rig::talking(alice());
    let sent = rig.command(info(id, "text/plain", "hello"));
    let request = rig.request(&Method::Info);
    rig.receive(answer(&request, 415, None));
    let error = rig.error(sent);
    assert_eq!(error.code, ErrorCode::RequestRefused);
    assert_eq!(error.sip.unwrap().code, 415);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn an_info_to_a_call_that_the_peer_has_forgotten_ends_it() {
    // RFC 3261 §12.2.1.2, RFC 5057 §5.1.
    let (mut rig, _, id) = Rig::talking(alice());
    let sent = rig.command(info(id, "text/plain", "hello"));
    let request = rig.request(&Method::Info);
    rig.receive(answer(&request, 481, None));
    assert_eq!(rig.error(sent).sip.unwrap().code, 481);
    rig.assert_ended_once("gone", "remote");
}

#[test]
fn an_info_fails_when_its_call_ends_first() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let sent = rig.command(info(id, "text/plain", "hello"));
    rig.request(&Method::Info);
    rig.receive(caller.bye(&[]));
    assert_eq!(rig.error(sent).code, ErrorCode::SessionEnded);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn an_info_fails_when_our_own_hang_up_overtakes_its_answer() {
    let (mut rig, _, id) = Rig::talking(alice());
    let sent = rig.command(info(id, "text/plain", "hello"));
    rig.request(&Method::Info);
    rig.command(json!({ "type": "end", "id": id }));
    assert_eq!(rig.error(sent).code, ErrorCode::SessionEnded);
    rig.seconds(60);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn only_an_answered_call_sends_an_info_and_only_a_good_one() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    let id = rig.id_of("sessionStarted");
    assert_eq!(
        rig.refused(info(id, "text/plain", "x")),
        "ERR_SESSION_STATE"
    );
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    for (content_type, body) in [
        ("", "x"),
        ("text", "x"),
        ("text/plain\r\nX-Evil: 1", "x"),
        ("text/plain", &"x".repeat(57 * 1024)),
    ] {
        let code = rig.refused(info(id, content_type, body));
        assert_eq!(code, "ERR_INVALID_ARGUMENT", "{content_type:?}");
    }
    assert!(rig.is_silent());
}

#[test]
fn a_key_in_an_info_is_a_key() {
    let (mut rig, mut caller, _) = Rig::talking(alice());
    rig.receive(caller.with_body(
        "INFO",
        "application/dtmf-relay",
        "Signal=5\r\nDuration=160\r\n",
    ));
    rig.response(200);
    let dtmf = rig.last("dtmf");
    assert_eq!(
        (dtmf["tone"].as_str(), dtmf["duration"].as_u64()),
        (Some("5"), Some(160))
    );
    assert_eq!(dtmf["method"], "info");
    assert_eq!(rig.count("info"), 0);
}

#[test]
fn a_key_whose_sound_a_gateway_left_in_counts_once() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let heard = |tone| phone::MediaEvent::Dtmf {
        tone: phone::dtmf::Tones::new(tone),
        duration: 100,
        in_band: true,
    };
    let mut press = |rig: &mut Rig, key: &str| {
        let body = format!("Signal={key}\r\nDuration=100\r\n");
        rig.receive(caller.with_body("INFO", "application/dtmf-relay", &body));
    };
    // The sound first, then its INFO; from then on INFO alone counts, in either order.
    rig.media_event(id, heard("5"));
    rig.advance(Duration::from_millis(300));
    press(&mut rig, "5");
    assert_eq!(rig.last("dtmf")["method"], "inband");
    press(&mut rig, "5");
    rig.media_event(id, heard("5"));
    press(&mut rig, "6");
    rig.media_event(id, heard("6"));
    assert_eq!(rig.count("dtmf"), 3);
    assert_eq!(rig.last("dtmf")["tone"], "6");
    assert_eq!(rig.last("dtmf")["method"], "info");
}

#[test]
fn an_info_after_another_key_was_heard_is_a_key_of_its_own() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let heard = phone::MediaEvent::Dtmf {
        tone: phone::dtmf::Tones::new("5"),
        duration: 100,
        in_band: true,
    };
    rig.media_event(id, heard);
    rig.advance(Duration::from_millis(1100));
    rig.receive(caller.with_body("INFO", "application/dtmf-relay", "Signal=5"));
    assert_eq!(rig.count("dtmf"), 2);
}

#[test]
fn an_info_without_a_body_is_answered_and_says_nothing() {
    // RFC 6086 §4.2.2.
    let (mut rig, mut caller, _) = Rig::talking(alice());
    rig.receive(caller.request("INFO", &[], None));
    rig.response(200);
    assert_eq!(rig.count("info") + rig.count("dtmf"), 0);
}

#[test]
fn an_info_package_that_was_not_announced_is_refused() {
    // RFC 6086 §4.2.2.
    let (mut rig, mut caller, _) = Rig::talking(alice());
    rig.receive(caller.request("INFO", &[("Info-Package", "nobody-knows")], None));
    let refusal = rig.response(469);
    assert_eq!(refusal.headers().get("Recv-Info"), Some(""));
    assert_eq!(rig.count("info"), 0);
}

#[test]
fn an_info_while_it_rings_is_for_nobody() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    rig.receive(caller.with_body("INFO", "text/plain", "hello"));
    rig.response(480);
    assert_eq!(rig.count("info"), 0);
}

#[test]
fn keys_go_one_by_one_each_after_the_tone_and_gap_of_the_last() {
    let (mut rig, _, id) = Rig::talking(alice());
    let sent = rig.command(json!({
        "type": "sendDtmf", "id": id, "tones": "1a", "via": "info", "duration": 200, "gap": 100,
    }));
    let first = rig.request(&Method::Info);
    assert_eq!(text(&first), "Signal=1\r\nDuration=200\r\n");
    assert_eq!(
        first.headers().get("Content-Type"),
        Some("application/dtmf-relay")
    );
    rig.receive(answer(&first, 200, None));
    rig.advance(Duration::from_millis(299));
    assert!(rig.is_silent());
    rig.advance(Duration::from_millis(1));
    let second = rig.request(&Method::Info);
    assert_eq!(text(&second), "Signal=A\r\nDuration=200\r\n");
    assert!(rig.reply(sent).is_none());
    rig.receive(answer(&second, 200, None));
    assert_eq!(rig.reply(sent), Some(&Ok(Reply::Done)));
    assert_eq!(rig.media_named("sendDtmf").len(), 0);
}

#[test]
fn a_key_waits_for_the_answer_to_the_one_before() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "12", "via": "info" }));
    let first = rig.request(&Method::Info);
    rig.seconds(5);
    assert!(rig.is_silent());
    rig.receive(answer(&first, 200, None));
    assert_eq!(
        text(&rig.request(&Method::Info)),
        "Signal=2\r\nDuration=100\r\n"
    );
}

#[test]
fn a_comma_among_keys_is_a_pause_of_two_seconds() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "1,2", "via": "info" }));
    let first = rig.request(&Method::Info);
    rig.receive(answer(&first, 200, None));
    rig.advance(Duration::from_millis(2100));
    assert!(rig.is_silent());
    rig.advance(Duration::from_millis(70));
    rig.request(&Method::Info);
}

#[test]
fn a_refused_key_ends_its_command_and_the_next_one_goes_on() {
    let (mut rig, _, id) = Rig::talking(alice());
    let keys = |tones: &str| json!({ "type": "sendDtmf", "id": id, "tones": tones, "via": "info" });
    let first = rig.command(keys("123"));
    let second = rig.command(keys("9"));
    let request = rig.request(&Method::Info);
    rig.receive(answer(&request, 415, None));
    let error = rig.error(first);
    assert_eq!(error.code, ErrorCode::DtmfRefused);
    assert_eq!(error.sip.unwrap().code, 415);
    rig.seconds(1);
    let request = rig.request(&Method::Info);
    assert_eq!(text(&request), "Signal=9\r\nDuration=100\r\n");
    rig.receive(answer(&request, 200, None));
    assert_eq!(rig.reply(second), Some(&Ok(Reply::Done)));
}

#[test]
fn keys_that_wait_fail_with_the_end_of_the_call_and_no_more_than_256_wait() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let keys = |count: usize| json!({ "type": "sendDtmf", "id": id, "tones": "1".repeat(count), "via": "info" });
    let first = rig.command(keys(256));
    let second = rig.command(keys(1));
    assert_eq!(rig.refused(keys(1)), "ERR_DTMF_REFUSED");
    rig.receive(caller.bye(&[]));
    for ticket in [first, second] {
        assert_eq!(rig.error(ticket).code, ErrorCode::SessionEnded);
    }
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn keys_of_which_the_last_is_out_are_done_although_it_is_not_answered() {
    for (tones, done) in [("5", true), ("5,", true), ("56", false)] {
        let (mut rig, mut caller, id) = Rig::talking(alice());
        let command = json!({ "type": "sendDtmf", "id": id, "tones": tones, "via": "info" });
        let ticket = rig.command(command);
        rig.request(&Method::Info);
        rig.receive(caller.bye(&[]));
        match done {
            true => assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)), "{tones}"),
            false => assert_eq!(rig.error(ticket).code, ErrorCode::SessionEnded),
        }
    }
}
