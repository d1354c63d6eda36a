use bytes::Bytes;
use phone::media::{MediaFailure, MediaRefusal};
use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand};
use serde_json::json;
use sip::message::{HeaderName, Method, Request, Response, StatusCode};

use crate::harness::{Caller, Media, Rig, alice, alice_with, header};

fn calling() -> (Rig, Request) {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    (rig, invite)
}

/// What the fork of this tag answers; reliably where it has an RSeq.
pub(crate) fn fork(
    invite: &Request,
    code: u16,
    tag: &str,
    rseq: Option<u32>,
    sdp: Option<&str>,
) -> Bytes {
    let mut response = Response::to_request(invite, StatusCode::new(code).unwrap());
    let to = invite.headers().get(HeaderName::To).unwrap();
    let headers = response.headers_mut();
    headers
        .replace(HeaderName::To, &format!("{to};tag={tag}"))
        .unwrap();
    headers
        .push(HeaderName::Contact, &format!("<sip:{tag}@192.0.2.1>"))
        .unwrap();
    if let Some(rseq) = rseq {
        headers.push(HeaderName::Require, "100rel").unwrap();
        headers.push(HeaderName::RSeq, &rseq.to_string()).unwrap();
    }
    let response = match sdp {
        Some(sdp) => response
            .with_body("application/sdp", Bytes::from(sdp.to_owned()))
            .unwrap(),
        None => response,
    };
    response.to_bytes()
}

fn applied(rig: &Rig) -> Vec<(&str, bool)> {
    rig.media_named("setAnswer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Stream(StreamCommand::SetAnswer { sdp, provisional }) => {
                (sdp.as_str(), *provisional)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn early_media_is_heard_and_told() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 180, "a", None, None));
    assert_eq!(rig.last("progress")["earlyMedia"], false);
    rig.receive(fork(&invite, 183, "a", None, Some("v=0 a\r\n")));
    assert_eq!(rig.last("progress")["earlyMedia"], true);
    assert_eq!(applied(&rig), [("v=0 a\r\n", true)]);
    assert!(rig.is_silent(), "it is not reliable");
}

#[test]
fn reliable_early_media_is_acknowledged_and_heard_once() {
    let (mut rig, invite) = calling();
    let early = fork(&invite, 183, "a", Some(7), Some("v=0 a\r\n"));
    rig.receive(early.clone());
    let prack = rig.request(&Method::Prack);
    assert_eq!(header(&prack, "RAck").as_deref(), Some("7 1 INVITE"));
    assert_eq!(applied(&rig), [("v=0 a\r\n", true)]);
    // Its repeat is nothing new.
    rig.receive(early);
    assert_eq!(rig.count("progress"), 1);
    assert!(rig.is_silent());
}

#[test]
fn the_answer_may_be_the_early_one() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", Some(7), Some("v=0 a\r\n")));
    rig.request(&Method::Prack);
    rig.receive(fork(&invite, 200, "a", None, None));
    rig.request(&Method::Ack);
    assert_eq!(applied(&rig), [("v=0 a\r\n", true), ("v=0 a\r\n", false)]);
    assert_eq!(rig.count("answered"), 1);
}

#[test]
fn of_several_forks_the_last_that_spoke_is_heard() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", Some(1), Some("v=0 a\r\n")));
    rig.receive(fork(&invite, 183, "b", None, Some("v=0 b\r\n")));
    // Ringing alone takes the sound from nobody, and what was heard before is not news.
    rig.receive(fork(&invite, 180, "c", None, None));
    rig.receive(fork(&invite, 183, "a", Some(2), Some("v=0 a\r\n")));
    assert_eq!(applied(&rig), [("v=0 a\r\n", true), ("v=0 b\r\n", true)]);
    assert_eq!(rig.count("progress"), 4);
}

#[test]
fn a_fork_that_can_not_be_heard_ends_no_call_and_another_may_answer() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", None, Some("v=0 a\r\n")));
    let id = rig.id_of("sessionStarted");
    let failure = MediaFailure::Ice;
    let reason = "no path".to_owned();
    rig.media_event(id, MediaEvent::Failed { failure, reason });
    assert_eq!(rig.count("terminated"), 0);
    assert_eq!(rig.changes("connectionState").last().unwrap(), "starting");
    rig.receive(fork(&invite, 200, "b", None, Some("v=0 b\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("connectionState").last().unwrap(), "connected");
    assert!(rig.media_named("reoffer").is_empty());
}

/// RFC 8445 §2.4: restarting ICE is the one thing that can bring it back.
#[test]
fn a_fork_that_could_not_be_heard_and_answers_is_tried_anew() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", None, Some("v=0 a\r\n")));
    let id = rig.id_of("sessionStarted");
    let failure = MediaFailure::Consent;
    let reason = "no path".to_owned();
    rig.media_event(id, MediaEvent::Failed { failure, reason });
    rig.receive(fork(&invite, 200, "a", None, Some("v=0 a\r\n")));
    rig.request(&Method::Ack);
    let again = rig.media_named("reoffer");
    let (restart_ice, held) = (true, false);
    assert_eq!(
        again,
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice,
            held
        })]
    );
    rig.request(&Method::Invite);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_fork_with_another_certificate_ends_the_call() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", None, Some("v=0 a\r\n")));
    let id = rig.id_of("sessionStarted");
    let failure = MediaFailure::Fingerprint;
    let reason = "another certificate".to_owned();
    rig.media_event(id, MediaEvent::Failed { failure, reason });
    rig.assert_ended_once("security-error", "remote");
}

/// RFC 3311 §5.1.
#[test]
fn a_fork_that_answered_reliably_may_offer_before_the_call_is_answered() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "callee", Some(7), Some("v=0 a\r\n")));
    rig.request(&Method::Prack);
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a2\r\n")));
    let offer = "v=0 a2\r\n".into();
    let answered = rig.media_named("answerReoffer");
    assert_eq!(
        answered,
        [&MediaCommand::Stream(StreamCommand::AnswerReoffer {
            offer
        })]
    );
    let ok = rig.response(200);
    assert!(ok.body().starts_with(b"v=0 ours"));
    // What its 200 OK repeats was overtaken: media keeps what came last.
    let late = fork(&invite, 200, "callee", None, Some("v=0 another\r\n"));
    rig.receive(late);
    rig.request(&Method::Ack);
    assert_eq!(applied(&rig), [("v=0 a\r\n", true), ("v=0 a\r\n", false)]);
    assert_eq!(rig.changes("state").last().unwrap(), "active");
}

#[test]
fn an_early_offer_that_media_can_not_use_leaves_the_call_ringing() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "callee", Some(7), Some("v=0 a\r\n")));
    rig.request(&Method::Prack);
    rig.media_mode = Media::Manual;
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a2\r\n")));
    let id = rig.id_of("sessionStarted");
    let refusal = MediaRefusal::Incompatible;
    let reason = "no codec".to_owned();
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    rig.response(488);
    assert_eq!(rig.count("terminated"), 0);
    // An answer that does not wait for ours.
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a3\r\n")));
    rig.receive(fork(&invite, 200, "callee", None, None));
    rig.request(&Method::Ack);
    rig.response(500);
}

/// Media can describe itself for one at a time.
#[test]
fn of_two_forks_that_offer_at_once_the_second_waits() {
    let (mut rig, invite) = calling();
    rig.media_mode = Media::Manual;
    for tag in ["a", "b", "c"] {
        rig.receive(fork(&invite, 183, tag, Some(7), Some("v=0 early\r\n")));
        rig.request(&Method::Prack);
    }
    let mut callee = Caller::of_callee(&invite);
    for tag in ["a", "b", "c"] {
        let offer = format!("v=0 of {tag}\r\n");
        let callee = callee.tagged(tag);
        rig.receive(callee.request("UPDATE", &[], Some(&offer)));
    }
    assert!(rig.is_silent());
    assert_eq!(rig.media_named("answerReoffer").len(), 1);
    let id = rig.id_of("sessionStarted");
    rig.describe(id, "v=0 for a\r\n");
    let refusal = MediaRefusal::Incompatible;
    let reason = "no codec".to_owned();
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    rig.describe(id, "v=0 for c\r\n");
    for (tag, code, sdp) in [
        ("a", 200, "v=0 for a\r\n"),
        ("b", 488, ""),
        ("c", 200, "v=0 for c\r\n"),
    ] {
        let response = rig.response(code);
        let from = response.headers().get(HeaderName::From).unwrap();
        assert!(from.ends_with(&format!("tag={tag}")), "{from}");
        assert_eq!(&response.body()[..], sdp.as_bytes());
    }
}

/// What it said first is not what holds, although media has to have it as the answer to our offer.
#[test]
fn a_fork_that_offered_anew_and_answers_after_another_was_heard_is_heard_as_it_said_last() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "callee", Some(7), Some("v=0 a\r\n")));
    rig.request(&Method::Prack);
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a2\r\n")));
    rig.response(200);
    rig.receive(fork(&invite, 183, "b", None, Some("v=0 b\r\n")));
    rig.media.clear();
    rig.media_mode = Media::Manual;
    rig.receive(fork(&invite, 200, "callee", None, None));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    rig.media_event(id, MediaEvent::AnswerApplied);
    // Whatever comes now waits for that.
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a3\r\n")));
    let commands: Vec<MediaCommand> = rig.media.iter().map(|(_, c)| c.clone()).collect();
    let set = |sdp: &str| {
        MediaCommand::Stream(StreamCommand::SetAnswer {
            sdp: sdp.into(),
            provisional: false,
        })
    };
    let reoffered = |offer: &str| {
        MediaCommand::Stream(StreamCommand::AnswerReoffer {
            offer: offer.into(),
        })
    };
    assert_eq!(commands, [set("v=0 a\r\n"), reoffered("v=0 a2\r\n")]);
    rig.describe(id, "v=0 for nobody\r\n");
    assert!(rig.is_silent());
    assert_eq!(rig.media.last().unwrap().1, reoffered("v=0 a3\r\n"));
    rig.describe(id, "v=0 ours\r\n");
    assert_eq!(&rig.response(200).body()[..], b"v=0 ours\r\n");
}

/// The answer overtakes what media has to say of the offer before it.
#[test]
fn a_call_that_is_answered_does_not_end_with_an_early_offer_that_media_can_not_use() {
    let (mut rig, invite) = calling();
    rig.media_mode = Media::Manual;
    rig.receive(fork(&invite, 183, "callee", Some(7), Some("v=0 a\r\n")));
    rig.request(&Method::Prack);
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.request("UPDATE", &[], Some("v=0 a2\r\n")));
    rig.receive(fork(&invite, 200, "callee", None, None));
    rig.request(&Method::Ack);
    rig.response(500);
    let id = rig.id_of("sessionStarted");
    let refusal = MediaRefusal::Incompatible;
    let reason = "no codec".to_owned();
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(rig.count("terminated"), 0);
}

/// A caller that can be answered reliably hears us before we connect.
fn heard_early() -> (Rig, Caller, SessionId, Response) {
    let options = alice_with(json!({ "autoConnectSessions": false }));
    let mut rig = Rig::registered(options);
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Supported", "100rel")], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    let early = rig.response(183);
    (rig, caller, id, early)
}

pub(crate) fn rack(early: &Response) -> String {
    format!("{} 1 INVITE", early.headers().get("RSeq").unwrap())
}

#[test]
fn the_answer_waits_for_the_prack_of_our_early_media() {
    let (mut rig, mut caller, id, early) = heard_early();
    rig.done(json!({ "type": "connect", "id": id }));
    assert!(rig.is_silent());
    assert_eq!(rig.count("terminated"), 0);
    rig.receive(caller.request("PRACK", &[("RAck", &rack(&early))], None));
    rig.response(200);
    let ok = rig.response(200);
    assert_eq!(ok.body(), early.body());
}

/// Guarantee 1: they are waited for a second, and the phone does not ask again and again whether it is over.
#[test]
fn early_media_goes_on_in_peace_while_the_applications_listeners_are_stuck() {
    let options = alice_with(json!({ "autoConnectSessions": false }));
    let mut rig = Rig::registered(options);
    rig.listens = false;
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Supported", "100rel")], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    let early = rig.response(183);
    rig.receive(caller.request("PRACK", &[("RAck", &rack(&early))], None));
    rig.response(200);
    rig.seconds(10);
    rig.done(json!({ "type": "connect", "id": id }));
    rig.response(200);
}

/// RFC 3262 §5; RFC 6337 §3.1.1: the 200 OK takes nothing of it back.
#[test]
fn a_caller_may_offer_again_in_its_prack() {
    let (mut rig, mut caller, id, early) = heard_early();
    let rack = rack(&early);
    rig.receive(caller.request("PRACK", &[("RAck", &rack)], Some("v=0 theirs 2\r\n")));
    let offer = "v=0 theirs 2\r\n".into();
    let answered = rig.media_named("answerReoffer");
    assert_eq!(
        answered,
        [&MediaCommand::Stream(StreamCommand::AnswerReoffer {
            offer
        })]
    );
    let second = rig.response(200);
    assert_ne!(second.body(), early.body());
    rig.done(json!({ "type": "connect", "id": id }));
    assert!(rig.response(200).body().is_empty());
    rig.receive(caller.ack(None));
    assert_eq!(rig.changes("state").last().unwrap(), "active");
}

#[test]
fn the_answer_of_the_fork_that_wins_applies() {
    let (mut rig, invite) = calling();
    rig.receive(fork(&invite, 183, "a", Some(1), Some("v=0 a\r\n")));
    rig.receive(fork(&invite, 183, "b", Some(1), Some("v=0 b\r\n")));
    rig.receive(fork(&invite, 200, "a", None, None));
    assert_eq!(applied(&rig).last(), Some(&("v=0 a\r\n", false)));
    assert_eq!(rig.changes("state").last().unwrap(), "active");
}

#[test]
fn a_caller_that_insists_on_prack_gets_a_reliable_ringing() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Require", "100rel")], Some("v=0\r\n")));
    let ringing = rig.beyond_trying(180);
    caller.learn(&ringing);
    assert_eq!(ringing.headers().get("Require"), Some("100rel"));
    let rack = format!("{} 1 INVITE", ringing.headers().get("RSeq").unwrap());
    rig.receive(caller.request("PRACK", &[("RAck", &rack)], None));
    rig.response(200);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
}

#[test]
fn a_caller_that_never_acknowledges_our_ringing_is_gone() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Require", "100rel")], Some("v=0\r\n")));
    rig.seconds(32);
    assert_eq!(rig.count("cancelPendingSession"), 1);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["reason"]["condition"], "timeout");
    assert_eq!(details["side"], "network");
}

/// A call that came in and was accepted, but not connected.
fn unconnected(offer: Option<&str>) -> (Rig, SessionId) {
    let mut rig = Rig::registered(alice_with(json!({ "autoConnectSessions": false })));
    rig.receive(Caller::new("c1").invite(&[], offer));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    (rig, id)
}

#[test]
fn early_media_goes_out_in_a_183_and_again_in_the_200() {
    let (mut rig, id) = unconnected(Some("v=0 theirs\r\n"));
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    let early = rig.response(183).body().clone();
    assert!(!early.is_empty());
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    rig.seconds(2);
    assert!(rig.is_silent(), "asking again, and time, change nothing");
    rig.done(json!({ "type": "connect", "id": id }));
    assert_eq!(*rig.response(200).body(), early);
    assert_eq!(rig.media_named("answer").len(), 1, "media was asked once");
}

#[test]
fn what_can_have_no_early_media_is_told_so() {
    let (mut rig, id) = unconnected(Some("v=0 theirs\r\n"));
    let early = json!({ "type": "sendEarlyMedia", "id": id });
    rig.done(json!({ "type": "connect", "id": id }));
    rig.response(200);
    assert_eq!(rig.refused(early), "ERR_SESSION_STATE");

    let (mut rig, id) = unconnected(None);
    let early = json!({ "type": "sendEarlyMedia", "id": id });
    assert_eq!(rig.refused(early), "ERR_SESSION_STATE");
    assert!(rig.media_named("answer").is_empty());

    let mut rig = Rig::registered(alice());
    rig.receive(Caller::new("c1").invite(&[], Some("v=0 theirs\r\n")));
    let early = json!({ "type": "sendEarlyMedia", "id": rig.id_of("pendingSession") });
    assert_eq!(rig.refused(early), "ERR_SESSION_STATE");
}

#[test]
fn a_call_with_early_media_can_be_rejected() {
    let (mut rig, id) = unconnected(Some("v=0 theirs\r\n"));
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    rig.response(183);
    rig.done(json!({ "type": "reject", "id": id, "code": 486 }));
    rig.response(486);
}
