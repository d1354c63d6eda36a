//! Transfers that we ask for, against a scripted transferee.

use std::time::Duration;

use phone::{ErrorCode, MediaEvent, Reply, SessionId, Ticket};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{Caller, Media, Rig, alice, answer, header, with_header};

fn transfer(rig: &mut Rig, id: SessionId) -> (Ticket, Request) {
    let ticket = rig.command(json!({ "type": "transfer", "id": id, "target": "carol" }));
    (ticket, rig.request(&Method::Refer))
}

/// A report of the transferee.
fn report(bob: &mut Caller, event: &str, state: &str, status: &str) -> bytes::Bytes {
    bob.notify(event, state, "message/sipfrag;version=2.0", status)
}

/// Alice has asked, Bob has taken the order.
fn asked() -> (Rig, Caller, SessionId, Ticket) {
    let (mut rig, bob, id) = Rig::having_called(alice());
    let (ticket, refer) = transfer(&mut rig, id);
    rig.receive(answer(&refer, 202, None));
    (rig, bob, id, ticket)
}

#[test]
fn a_refer_says_whom_to_call_and_who_wants_it() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let (ticket, refer) = transfer(&mut rig, id);
    let header = |name: &str| refer.headers().get(name).unwrap().to_owned();
    assert_eq!(header("Refer-To"), "<sip:carol@example.com>");
    assert_eq!(header("Referred-By"), "<sip:alice@example.com>");
    assert!(header("Contact").contains(";ob"));
    assert!(rig.reply(ticket).is_none());
}

#[test]
fn a_transfer_is_done_and_the_call_over_when_the_target_has_taken_it() {
    let (mut rig, mut bob, _, ticket) = asked();
    for (status, code) in [("SIP/2.0 100 Trying", 100), ("SIP/2.0 180 Ringing", 180)] {
        rig.receive(report(&mut bob, "refer", "active;expires=60", status));
        rig.response(200);
        assert_eq!(rig.last("transferProgress")["code"], code);
    }
    assert!(rig.reply(ticket).is_none());
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated;reason=noresource",
        "SIP/2.0 200 OK",
    ));
    rig.response(200);
    let bye = rig.request(&Method::Bye);
    rig.assert_ended_once("success", "local");
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    let settled = rig.place(&format!("reply {}", ticket.0));
    assert!(rig.place("sessionEnded") < settled, "guarantee 5");
    rig.receive(answer(&bye, 200, None));
    assert!(rig.is_silent());
}

#[test]
fn a_target_that_is_busy_fails_the_transfer_and_the_call_goes_on() {
    let (mut rig, mut bob, id, ticket) = asked();
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated;reason=noresource",
        "SIP/2.0 486 Busy Here",
    ));
    rig.response(200);
    let error = rig.error(ticket);
    assert_eq!(error.code, ErrorCode::TransferFailed);
    assert_eq!(error.sip.unwrap().code, 486);
    assert_eq!(rig.count("terminated"), 0);
    let (_, again) = transfer(&mut rig, id);
    assert!(again.headers().cseq().unwrap().number > 1);
}

#[test]
fn a_refused_refer_fails_and_the_call_goes_on() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let (ticket, refer) = transfer(&mut rig, id);
    rig.receive(answer(&refer, 603, None));
    assert_eq!(rig.error(ticket).sip.unwrap().code, 603);
    assert_eq!(rig.count("terminated"), 0);
    assert!(rig.is_silent());
}

#[test]
fn a_notification_may_overtake_the_202() {
    // RFC 3515 §2.4.4.
    let (mut rig, mut bob, id) = Rig::having_called(alice());
    let (ticket, refer) = transfer(&mut rig, id);
    rig.receive(report(&mut bob, "refer", "active", "SIP/2.0 100 Trying"));
    rig.response(200);
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated;reason=noresource",
        "SIP/2.0 200 OK",
    ));
    rig.response(200);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    let bye = rig.request(&Method::Bye);
    rig.receive(answer(&refer, 202, None));
    rig.receive(answer(&bye, 200, None));
    rig.seconds(300);
    rig.assert_ended_once("success", "local");
}

#[test]
fn a_second_refer_is_known_by_its_cseq() {
    // RFC 3515 §2.4.6.
    let (mut rig, mut bob, id, first) = asked();
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated",
        "SIP/2.0 404 Not Found",
    ));
    rig.response(200);
    assert_eq!(rig.error(first).sip.unwrap().code, 404);
    let (second, refer) = transfer(&mut rig, id);
    rig.receive(answer(&refer, 202, None));
    let cseq = refer.headers().cseq().unwrap().number;
    let late = format!("refer;id={}", cseq - 1);
    rig.receive(report(&mut bob, &late, "terminated", "SIP/2.0 200 OK"));
    rig.response(481);
    assert!(rig.reply(second).is_none());
    let named = format!("refer;id={cseq}");
    rig.receive(report(&mut bob, &named, "terminated", "SIP/2.0 200 OK"));
    rig.response(200);
    assert_eq!(rig.reply(second), Some(&Ok(Reply::Done)));
}

#[test]
fn a_notification_that_nobody_waits_for_is_refused() {
    let (mut rig, mut bob, _) = Rig::having_called(alice());
    rig.receive(report(&mut bob, "refer", "active", "SIP/2.0 200 OK"));
    rig.response(481);
    let (mut rig, mut bob, _, ticket) = asked();
    rig.receive(report(&mut bob, "presence", "active", "SIP/2.0 200 OK"));
    rig.response(481);
    assert!(rig.reply(ticket).is_none());
}

#[test]
fn a_peer_that_will_not_report_is_believed() {
    // RFC 4488 §4.
    let (mut rig, mut bob, id) = Rig::having_called(alice());
    let (ticket, refer) = transfer(&mut rig, id);
    rig.receive(with_header(&refer, 202, "Refer-Sub", "false"));
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    assert_eq!(rig.count("terminated"), 0);
    rig.receive(bob.bye(&[]));
    rig.assert_ended_once("success", "remote");
}

#[test]
fn reports_are_taken_after_the_transferee_has_hung_up() {
    // RFC 5057 §4.2, RFC 6665 §4.5.2: what the REFER made outlives the call.
    let (mut rig, mut bob, _, ticket) = asked();
    rig.receive(bob.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
    assert!(rig.reply(ticket).is_none());
    rig.receive(report(&mut bob, "refer", "active", "SIP/2.0 180 Ringing"));
    rig.response(200);
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated",
        "SIP/2.0 486 Busy Here",
    ));
    rig.response(200);
    assert_eq!(rig.error(ticket).sip.unwrap().code, 486);
    rig.receive(report(&mut bob, "refer", "terminated", "SIP/2.0 200 OK"));
    rig.response(481);
}

#[test]
fn reports_are_taken_after_we_have_hung_up_ourselves() {
    let (mut rig, mut bob, id, ticket) = asked();
    rig.done(json!({ "type": "end", "id": id }));
    let bye = rig.request(&Method::Bye);
    rig.receive(answer(&bye, 200, None));
    rig.receive(report(&mut bob, "refer", "terminated", "SIP/2.0 200 OK"));
    rig.response(200);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    rig.assert_ended_once("success", "local");
}

#[test]
fn a_transferee_that_hangs_up_and_reports_nothing_has_done_it() {
    let (mut rig, mut bob, _, ticket) = asked();
    rig.receive(bob.bye(&[]));
    rig.response(200);
    rig.seconds(31);
    assert!(rig.reply(ticket).is_none());
    rig.seconds(2);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    // What was kept for it is gone.
    rig.receive(report(&mut bob, "refer", "active", "SIP/2.0 180 Ringing"));
    rig.response(481);
}

#[test]
fn a_transferee_that_stays_and_reports_nothing_has_not() {
    // RFC 6665 §4.1.2.4, Timer N.
    let (mut rig, _, _, ticket) = asked();
    rig.seconds(33);
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_report_that_ends_without_an_outcome_is_a_failure() {
    let (mut rig, mut bob, _, ticket) = asked();
    rig.receive(report(&mut bob, "refer", "active", "SIP/2.0 100 Trying"));
    rig.response(200);
    rig.receive(report(
        &mut bob,
        "refer",
        "terminated;reason=timeout",
        "SIP/2.0 180 Ringing",
    ));
    rig.response(200);
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_phone_that_rings_for_long_is_waited_for() {
    let (mut rig, mut bob, _, ticket) = asked();
    rig.receive(report(
        &mut bob,
        "refer",
        "active;expires=60",
        "SIP/2.0 180 Ringing",
    ));
    rig.response(200);
    rig.seconds(150);
    assert!(rig.reply(ticket).is_none());
    rig.seconds(60);
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
}

#[test]
fn a_transfer_fails_when_its_refer_has_no_answer_before_the_end() {
    let (mut rig, mut bob, id) = Rig::having_called(alice());
    let (ticket, _) = transfer(&mut rig, id);
    rig.receive(bob.bye(&[]));
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn destroying_the_phone_settles_a_transfer() {
    let (mut rig, _, _, ticket) = asked();
    rig.command(json!({ "type": "destroy" }));
    rig.seconds(3);
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn only_an_answered_call_is_transferred_and_one_at_a_time() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let id = rig.id_of("sessionStarted");
    let carol = json!({ "type": "transfer", "id": id, "target": "carol" });
    assert_eq!(rig.refused(carol.clone()), "ERR_SESSION_STATE");
    let (mut rig, _, id, _) = asked();
    let again = json!({ "type": "transfer", "id": id, "target": "dave" });
    assert_eq!(rig.refused(again), "ERR_SESSION_STATE");
    let evil = json!({ "type": "transfer", "id": id, "target": "carol>\r\nX-Evil: 1" });
    assert_eq!(rig.refused(evil), "ERR_INVALID_ARGUMENT");
    let same = json!({ "type": "attendedTransfer", "id": id, "other": id });
    assert_eq!(rig.refused(same), "ERR_INVALID_ARGUMENT");
}

#[test]
fn an_attended_transfer_names_the_consultation_as_its_target_sees_it() {
    let (mut rig, _, first) = Rig::having_called(alice());
    rig.command(json!({ "type": "call", "target": "carol" }));
    let invite = rig.request(&Method::Invite);
    let other = rig.id_of("sessionStarted");
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    rig.command(json!({ "type": "attendedTransfer", "id": first, "other": other }));
    let refer = rig.request(&Method::Refer);
    let call_id = invite.headers().call_id().unwrap().0.to_owned();
    let ours = invite.headers().from().unwrap().tag().unwrap().to_owned();
    assert_eq!(
        refer.headers().get("Refer-To").unwrap(),
        format!("<sip:carol@example.com?Replaces={call_id}%3Bto-tag%3Dcallee%3Bfrom-tag%3D{ours}>")
    );
}

#[test]
fn the_dialog_of_a_transfer_is_let_go_after_it() {
    let (mut rig, mut bob, _, _) = asked();
    rig.receive(report(&mut bob, "refer", "terminated", "SIP/2.0 200 OK"));
    rig.response(200);
    let bye = rig.request(&Method::Bye);
    rig.receive(answer(&bye, 200, None));
    rig.receive(report(&mut bob, "refer", "terminated", "SIP/2.0 200 OK"));
    rig.response(481);
    rig.advance(Duration::from_secs(60));
    assert!(rig.is_silent());
}

/// Alice talks to Bob, and Carol's phone rings.
fn consulting() -> (Rig, Caller, SessionId, SessionId, Request) {
    let (mut rig, bob, first) = Rig::having_called(alice());
    rig.command(json!({ "type": "call", "target": "carol" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 180, None));
    let other = rig.id_of("sessionStarted");
    (rig, bob, first, other, invite)
}

/// RFC 3891 §3: only an answered call can be replaced.
#[test]
fn a_transfer_to_a_call_that_rings_waits_for_its_answer() {
    let (mut rig, _, first, other, invite) = consulting();
    let order = json!({ "type": "attendedTransfer", "id": first, "other": other });
    let ticket = rig.command(order.clone());
    assert!(rig.is_silent() && rig.reply(ticket).is_none());
    let blind = json!({ "type": "transfer", "id": first, "target": "dave" });
    for again in [order, blind] {
        assert_eq!(rig.refused(again), "ERR_SESSION_STATE");
    }
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let refer = rig.request(&Method::Refer);
    assert!(header(&refer, "Refer-To").unwrap().contains("Replaces="));
    assert_eq!(rig.count("terminated"), 0, "both calls stay");
}

#[test]
fn a_transfer_that_waits_fails_with_either_call_and_leaves_the_other() {
    for consultation in [true, false] {
        let (mut rig, mut bob, first, other, invite) = consulting();
        let order = json!({ "type": "attendedTransfer", "id": first, "other": other });
        let ticket = rig.command(order);
        match consultation {
            true => rig.receive(answer(&invite, 486, None)),
            false => rig.receive(bob.bye(&[])),
        }
        assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
        assert_eq!(rig.count("terminated"), 1);
        if !consultation {
            rig.response(200);
            rig.receive(answer(&invite, 200, Some("v=0\r\n")));
        }
        rig.request(&Method::Ack);
        assert!(rig.is_silent());
    }
}

#[test]
fn a_transfer_that_waits_can_be_taken_back() {
    let (mut rig, _, first, other, invite) = consulting();
    let order = json!({ "type": "attendedTransfer", "id": first, "other": other });
    let ticket = rig.command(order);
    rig.command(json!({ "type": "abort", "ticket": ticket }));
    assert_eq!(rig.error(ticket).code, ErrorCode::Aborted);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.is_silent());
    assert_eq!(rig.count("terminated"), 0);
}

/// RFC 5589 §7.4.
#[test]
fn a_call_that_rings_may_be_given_up_for_a_blind_transfer_to_its_target() {
    let (mut rig, _, first, other, invite) = consulting();
    let order =
        json!({ "type": "attendedTransfer", "id": first, "other": other, "ringing": "blind" });
    let ticket = rig.command(order);
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    assert!(rig.is_silent(), "its target may be busy until it has ended");
    rig.receive(answer(&invite, 487, None));
    rig.request(&Method::Ack);
    let refer = rig.request(&Method::Refer);
    let refer_to = header(&refer, "Refer-To");
    assert_eq!(refer_to.as_deref(), Some("<sip:carol@example.com>"));
    rig.assert_ended_once("cancel", "local");
    rig.receive(answer(&refer, 603, None));
    assert_eq!(rig.error(ticket).code, ErrorCode::TransferFailed);
    assert_eq!(rig.count("terminated"), 1, "the first call goes on");
}

/// Its codec is not known yet, for which the application waits.
#[test]
fn a_call_that_was_answered_just_now_is_not_given_up_for_a_transfer_but_replaced() {
    let (mut rig, _, first, other, invite) = consulting();
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let order =
        json!({ "type": "attendedTransfer", "id": first, "other": other, "ringing": "blind" });
    let ticket = rig.command(order);
    assert!(rig.is_silent() && rig.reply(ticket).is_none());
    rig.media_event(other, MediaEvent::AnswerApplied);
    let refer = rig.request(&Method::Refer);
    assert!(header(&refer, "Refer-To").unwrap().contains("Replaces="));
}

#[test]
fn a_call_that_rings_is_not_given_up_for_a_transfer_that_can_not_begin() {
    let (mut rig, _, first, other, _) = consulting();
    let order =
        json!({ "type": "attendedTransfer", "id": first, "other": other, "ringing": "blind" });
    transfer(&mut rig, first);
    assert_eq!(rig.refused(order.clone()), "ERR_SESSION_STATE");
    assert!(rig.is_silent());
    rig.down();
    let ended = rig.count("terminated");
    rig.refused(order);
    assert_eq!(rig.count("terminated"), ended);
}
