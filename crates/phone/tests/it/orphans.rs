//! What a phone writes down of its calls, and what another of the same instance does with it.

use std::time::Duration;

use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Caller, Rig, alice_with, answer, code, header, with_header};

fn kept() -> Value {
    alice_with(json!({
        "instanceId": "5d0a7f4e-9c0d-4f0e-8a3f-1f6f2f0b7a11",
        "journal": "/var/lib/calls",
    }))
}

/// A phone whose journal was empty.
fn begun() -> Rig {
    let mut rig = Rig::new(kept());
    rig.journal_found(Ok(String::new()));
    rig.initialize();
    rig
}

/// Another process, which finds what this one has left.
fn successor(left: &Rig) -> Rig {
    let mut rig = Rig::seeded(kept(), 9, left.now);
    rig.journal_found(Ok(left.journal.clone().unwrap_or_default()));
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    assert!(rig.reply(ticket).unwrap().is_ok());
    rig.outbox.clear();
    rig
}

fn orphans(rig: &Rig) -> Vec<Value> {
    rig.last("orphans")["orphans"].as_array().unwrap().clone()
}

fn called() -> (Rig, Request) {
    let mut rig = begun();
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    (rig, invite)
}

fn talking() -> (Rig, Caller) {
    let (mut rig, invite) = called();
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let bob = Caller::of_callee(&invite);
    (rig, bob)
}

fn end(call: &Value) -> Value {
    json!({ "type": "endOrphan", "callId": call["callId"] })
}

#[test]
fn an_answered_call_is_found_and_hung_up() {
    let (left, mut bob) = talking();
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    assert_eq!(call["state"], "active");
    assert_eq!(call["address"], "bob");
    assert_eq!(call["direction"], "outgoing");
    assert_eq!(call["held"], false);
    assert!(call["startTime"].is_u64());
    let ticket = rig.command(end(&call));
    let bye = rig.request(&Method::Bye);
    let (call_id, ours, theirs) = bob.dialog();
    assert_eq!(header(&bye, "Call-ID"), Some(call_id));
    assert!(header(&bye, "From").unwrap().ends_with(&ours));
    assert!(header(&bye, "To").unwrap().ends_with(&theirs));
    assert!(bye.headers().cseq().unwrap().number > 1);
    assert!(rig.reply(ticket).is_none());
    rig.receive(answer(&bye, 200, None));
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(orphans(&rig), Vec::<Value>::new());
    assert_eq!(rig.journal.as_deref(), Some(""));
    assert_eq!(rig.refused(end(&call)), "ERR_SESSION_STATE");
    // The phone's own side of it is a call like any other.
    rig.receive(bob.bye(&[]));
    rig.response(481);
}

#[test]
fn a_call_that_came_in_is_found_too() {
    let mut left = begun();
    let mut bob = Caller::new("c1");
    left.takes(&mut bob, &[]);
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    assert_eq!(call["direction"], "incoming");
    assert_eq!(call["displayName"], "Bob");
    rig.command(end(&call));
    let bye = rig.request(&Method::Bye);
    assert_eq!(bye.uri().to_string(), "sip:bob@192.0.2.1:5060");
}

#[test]
fn a_call_that_rings_there_is_cancelled_by_the_branch_of_its_invite() {
    let (mut left, invite) = called();
    left.receive(answer(&invite, 180, None));
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    assert_eq!(call["state"], "ringing");
    let over = json!({ "type": "takeOver", "callId": call["callId"] });
    assert_eq!(rig.refused(over), "ERR_SESSION_STATE");
    rig.done(end(&call));
    let cancel = rig.request(&Method::Cancel);
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(header(&cancel, name), header(&invite, name), "{name}");
    }
    assert_eq!(cancel.uri().to_string(), invite.uri().to_string());
    rig.receive(answer(&cancel, 200, None));
    assert_eq!(orphans(&rig), Vec::<Value>::new());
}

#[test]
fn what_is_over_or_rings_here_is_not_written_down() {
    let (mut left, mut bob) = talking();
    assert!(left.journal.as_deref().unwrap().contains("bob"));
    left.receive(bob.bye(&[]));
    assert_eq!(left.journal.as_deref(), Some(""));
    left.receive(Caller::new("c2").invite(&[], Some("v=0\r\n")));
    assert_eq!(left.journal.as_deref(), Some(""));
}

#[test]
fn hold_is_written_down() {
    let (mut left, _) = talking();
    let id = left.id_of("sessionStarted");
    left.command(json!({ "type": "hold", "id": id, "held": true }));
    let reinvite = left.request(&Method::Invite);
    left.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    let rig = successor(&left);
    assert_eq!(orphans(&rig)[0]["held"], true);
}

#[test]
fn a_call_is_taken_over_by_one_that_replaces_it() {
    let (left, bob) = talking();
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    let over = json!({ "type": "takeOver", "callId": call["callId"] });
    let ticket = rig.command(over.clone());
    assert!(rig.reply(ticket).unwrap().is_ok());
    let invite = rig.request(&Method::Invite);
    let (call_id, ours, theirs) = bob.dialog();
    assert_eq!(
        header(&invite, "Replaces"),
        Some(format!("{call_id};to-tag={theirs};from-tag={ours}"))
    );
    assert_eq!(header(&invite, "Require").as_deref(), Some("replaces"));
    assert_eq!(rig.refused(over), "ERR_SESSION_STATE");
    assert_eq!(orphans(&rig).len(), 1, "nobody has answered");
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let bye = rig.request(&Method::Bye);
    assert_eq!(header(&bye, "Call-ID").as_ref(), Some(&call_id));
    assert_eq!(orphans(&rig).len(), 1, "it is not over before its answer");
    rig.receive(answer(&bye, 481, None));
    assert_eq!(orphans(&rig), Vec::<Value>::new());
    assert!(!rig.journal.as_deref().unwrap().contains(&call_id));
}

#[test]
fn the_call_that_a_party_without_replaces_still_has_is_hung_up_for_the_new_one() {
    let (left, _) = talking();
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    rig.command(json!({ "type": "takeOver", "callId": call["callId"] }));
    let invite = rig.request(&Method::Invite);
    rig.receive(with_header(&invite, 420, "Unsupported", "replaces"));
    rig.request(&Method::Ack);
    let again = rig.request(&Method::Invite);
    assert_eq!(header(&again, "Require"), None);
    rig.receive(answer(&again, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let bye = rig.request(&Method::Bye);
    assert_eq!(header(&bye, "Call-ID").as_deref(), call["callId"].as_str());
    rig.receive(answer(&bye, 200, None));
    assert_eq!(orphans(&rig), Vec::<Value>::new());
    assert_eq!(rig.count("terminated"), 0, "the new one goes on");
}

/// Takes over the call that came in from a caller with these headers.
fn taken_over_from(headers: &[(&str, &str)], contact: &str) -> Result<String, String> {
    let mut left = begun();
    left.takes(&mut Caller::new("c1"), headers);
    let text = left.journal.as_mut().unwrap();
    *text = text.replace("sip:bob@192.0.2.1:5060", contact);
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    let ticket = rig.command(json!({ "type": "takeOver", "callId": call["callId"] }));
    match rig.reply(ticket) {
        Some(Err(error)) => Err(error.message.clone()),
        Some(Ok(_)) | None => Ok(rig.request(&Method::Invite).uri().to_string()),
    }
}

#[test]
fn a_caller_is_called_back_only_where_a_gruu_or_a_server_says_so() {
    let contact = "sip:bob@192.0.2.1:5060";
    let refused = taken_over_from(&[], contact).unwrap_err();
    assert!(refused.contains("no GRUU"), "{refused}");
    let asserted = [("P-Asserted-Identity", "<sip:carol@example.com>")];
    assert_eq!(
        taken_over_from(&asserted, contact).as_deref(),
        Ok("sip:carol@example.com")
    );
    let gruu = "sip:bob@example.com;gr=kjh29x97us97d";
    assert_eq!(taken_over_from(&[], gruu).as_deref(), Ok(gruu));
}

#[test]
fn a_bye_that_is_refused_ends_nothing() {
    for status in [403, 500, 503, 401] {
        let (left, _) = talking();
        let mut rig = successor(&left);
        let [call] = orphans(&rig).try_into().unwrap();
        let ticket = rig.command(end(&call));
        let bye = rig.request(&Method::Bye);
        rig.receive(answer(&bye, status, None));
        let error = rig.error(ticket);
        assert_eq!(code(&error), "ERR_REQUEST_REFUSED");
        assert_eq!(error.sip.unwrap().code, status);
        assert_eq!(orphans(&rig).len(), 1, "{status}");
        // Also the next process can end it, by a number that the other side has not seen.
        let number = |request: &Request| request.headers().cseq().unwrap().number;
        let mut third = successor(&rig);
        for rig in [&mut rig, &mut third] {
            let ticket = rig.command(end(&call));
            let again = rig.request(&Method::Bye);
            assert!(number(&again) > number(&bye), "{status}");
            rig.receive(answer(&again, 200, None));
            assert!(rig.reply(ticket).unwrap().is_ok());
            assert_eq!(orphans(rig), Vec::<Value>::new());
        }
    }
}

#[test]
fn a_bye_that_says_the_call_is_over_ends_it() {
    for status in [200, 404, 408, 410, 481] {
        let (left, _) = talking();
        let mut rig = successor(&left);
        let [call] = orphans(&rig).try_into().unwrap();
        let ticket = rig.command(end(&call));
        let bye = rig.request(&Method::Bye);
        rig.receive(answer(&bye, status, None));
        assert!(rig.reply(ticket).unwrap().is_ok(), "{status}");
        assert_eq!(orphans(&rig), Vec::<Value>::new(), "{status}");
    }
}

#[test]
fn where_the_other_party_has_moved_is_written_down() {
    let mut left = begun();
    let headers = [
        ("Supported", "timer"),
        ("Session-Expires", "600;refresher=uas"),
        ("Allow", "INVITE, ACK, BYE, UPDATE"),
    ];
    left.takes(&mut Caller::new("c1"), &headers);
    left.seconds(300);
    // A refresh, which changes nothing else.
    let update = left.request(&Method::Update);
    let contact = "<sip:bob@192.0.2.77:5070>";
    left.receive(with_header(&update, 200, "Contact", contact));
    assert!(left.journal.as_deref().unwrap().contains("192.0.2.77:5070"));
}

#[test]
fn a_cancel_out_of_the_file_has_nothing_but_what_a_cancel_needs() {
    let (mut left, invite) = called();
    left.receive(answer(&invite, 180, None));
    let text = left.journal.clone().unwrap();
    let said = |from: &str, to: &str| {
        let mut left = Rig::seeded(kept(), 3, left.now);
        assert!(text.contains(from));
        left.journal = Some(text.replace(from, to));
        let mut rig = successor(&left);
        let [call] = orphans(&rig).try_into().unwrap();
        let ticket = rig.command(end(&call));
        let outcome = rig.reply(ticket).unwrap().clone();
        assert_eq!(orphans(&rig), Vec::<Value>::new());
        (rig, outcome)
    };
    let more = "Max-Forwards: 70\\r\\nX-Evil: 1\\r\\nAuthorization: Digest a\\r\\nContent-Type: text/plain\\r\\nVia: SIP/2.0/WSS b;branch=z9hG4bKb";
    let (mut rig, outcome) = said("Max-Forwards: 70", more);
    assert!(outcome.is_ok());
    let cancel = rig.request(&Method::Cancel);
    for name in ["X-Evil", "Authorization", "Content-Type"] {
        assert_eq!(header(&cancel, name), None);
    }
    assert_eq!(header(&cancel, "Via"), header(&invite, "Via"));
    let (mut rig, outcome) = said(
        "Content-Length: 0\\r\\n\\r\\n",
        "Content-Length: 2\\r\\n\\r\\nhi",
    );
    assert!(outcome.is_ok());
    assert!(rig.request(&Method::Cancel).body().is_empty());
    let (_, outcome) = said("\"CANCEL sip", "\"MESSAGE sip");
    assert!(outcome.is_err());
}

#[test]
fn a_call_that_can_not_be_taken_over_can_still_be_ended() {
    let (left, _) = talking();
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    rig.command(json!({ "type": "takeOver", "callId": call["callId"] }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 481, None));
    rig.request(&Method::Ack);
    assert_eq!(orphans(&rig).len(), 1);
    rig.command(end(&call));
    rig.request(&Method::Bye);
}

#[test]
fn what_is_found_stays_written_down_until_it_is_gone() {
    let (left, _) = talking();
    let mut second = successor(&left);
    second.command(json!({ "type": "call", "target": "carol" }));
    let third = successor(&second);
    assert_eq!(orphans(&third).len(), 2);
}

#[test]
fn a_bye_that_nobody_answers_ends_it_all_the_same() {
    let (left, _) = talking();
    let mut rig = successor(&left);
    let [call] = orphans(&rig).try_into().unwrap();
    let ticket = rig.command(end(&call));
    let twice = rig.command(end(&call));
    rig.advance(Duration::from_secs(40));
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert!(rig.reply(twice).unwrap().is_ok());
    assert_eq!(orphans(&rig), Vec::<Value>::new());
}

#[test]
fn a_journal_that_can_not_be_used_is_an_error_of_initialize() {
    let (left, _) = talking();
    let text = left.journal.unwrap();
    let another = text.replace("5d0a7f4e", "00000000");
    for (text, why) in [
        (Ok(text[..40].to_owned()), "torn"),
        (Ok(another), "another phone"),
        (Ok(text.replacen(":1,", ":9,", 1)), "another version"),
        (Err("another phone is using it".to_owned()), "is using it"),
    ] {
        let mut rig = Rig::new(kept());
        rig.journal_found(text);
        let ticket = rig.command(json!({ "type": "initialize" }));
        let error = rig.error(ticket);
        assert_eq!(code(&error), "ERR_JOURNAL");
        assert!(error.message.contains(why), "{}", error.message);
        assert!(
            error.message.contains("/var/lib/calls"),
            "{}",
            error.message
        );
        assert_eq!(
            rig.journal, None,
            "what is somebody else's is left as it is"
        );
    }
}

#[test]
fn a_disk_that_is_full_is_told_once_and_ends_no_call() {
    let (mut rig, _) = talking();
    for _ in 0..3 {
        rig.journal_written(Err("No space left on device".into()));
    }
    assert_eq!(rig.count("error"), 1);
    assert_eq!(rig.last("error")["error"]["code"], "ERR_JOURNAL");
    rig.journal_written(Ok(()));
    rig.journal_written(Err("No space left on device".into()));
    assert_eq!(rig.count("error"), 2);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn neither_password_nor_credentials_are_written_down() {
    let (mut left, invite) = called();
    let challenge = "Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"";
    left.receive(with_header(&invite, 407, "Proxy-Authenticate", challenge));
    left.request(&Method::Ack);
    let again = left.request(&Method::Invite);
    assert!(header(&again, "Proxy-Authorization").is_some());
    let text = left.journal.unwrap();
    assert!(
        text.contains("CANCEL") && !text.contains("Authorization"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}
