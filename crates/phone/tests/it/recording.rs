//! Recordings: who is recorded, what becomes of them, and what the application is told.

use phone::recording::{Recorded, RecordingEvent, RecordingOrder, RecordingReport};
use phone::{ConferenceId, ErrorCode, RecordingId, Reply, SessionId, Ticket};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, answer};

fn record(recorded: &Value) -> Value {
    json!({
        "type": "record",
        "recorded": recorded,
        "target": { "type": "file", "path": "call.wav" },
        "format": "wav",
        "legs": "stereo",
        "rate": 48000,
    })
}

fn of(id: SessionId) -> Value {
    json!({ "type": "session", "id": id })
}

/// A recording that is open.
fn recording(rig: &mut Rig, recorded: &Value) -> RecordingId {
    let ticket = rig.command(record(recorded));
    let (id, order) = rig.recordings.last().cloned().unwrap();
    assert!(matches!(order, RecordingOrder::Begin(_)));
    assert_eq!(rig.reply(ticket), None, "it is not open yet");
    rig.recording_event(id, RecordingEvent::Begun);
    assert_eq!(
        rig.reply(ticket),
        Some(&Ok(Reply::Recording { recording: id }))
    );
    rig.recordings.clear();
    id
}

fn report() -> RecordingReport {
    RecordingReport {
        duration: 1_000,
        paused: Vec::new(),
        lost: 0,
    }
}

fn failed(rig: &Rig, ticket: Ticket) -> ErrorCode {
    rig.error(ticket).code
}

#[test]
fn a_call_that_ends_ends_its_recordings_and_each_is_told_once() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    let first = recording(&mut rig, &of(id));
    let second = recording(&mut rig, &of(id));
    rig.done(json!({ "type": "stopRecording", "recording": first }));
    assert_eq!(rig.recordings, [(first, RecordingOrder::End)]);
    rig.recording_event(first, RecordingEvent::Ended { report: report() });
    assert_eq!(rig.last("recordingEnded")["recording"], json!(first));
    rig.recordings.clear();
    rig.receive(bob.bye(&[]));
    assert_eq!(rig.recordings, [(second, RecordingOrder::End)]);
    rig.recording_event(second, RecordingEvent::Ended { report: report() });
    rig.recording_event(second, RecordingEvent::Ended { report: report() });
    assert_eq!(rig.count("recordingEnded"), 2);
    assert!(rig.place("sessionEnded") < rig.order.len() - 1);
    rig.done(json!({ "type": "stopRecording", "recording": second }));
    let pause = json!({ "type": "pauseRecording", "recording": second, "paused": true });
    assert_eq!(rig.refused(pause), "ERR_RECORDING_ENDED");
}

#[test]
fn what_can_not_be_recorded_says_so() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    let mut odd = record(&of(id));
    odd["rate"] = json!(44_100);
    assert_eq!(rig.refused(odd), "ERR_INVALID_ARGUMENT");
    let nobody = json!({ "type": "conference", "id": 7 });
    assert_eq!(rig.refused(record(&nobody)), "ERR_CONFERENCE_ENDED");
    let refused = rig.command(record(&of(id)));
    let (number, _) = rig.recordings.last().cloned().unwrap();
    let reason = "call.wav: its folder does not exist".to_owned();
    rig.recording_event(number, RecordingEvent::Refused { reason });
    assert_eq!(failed(&rig, refused), ErrorCode::RecordingFailed);
    rig.recordings.clear();
    let late = rig.command(record(&of(id)));
    rig.receive(bob.bye(&[]));
    assert_eq!(failed(&rig, late), ErrorCode::SessionEnded);
    assert!(matches!(
        rig.recordings.last(),
        Some((_, RecordingOrder::End))
    ));
    assert_eq!(rig.refused(record(&of(id))), "ERR_SESSION_ENDED");
}

#[test]
fn a_disk_that_fails_or_is_slow_is_a_warning_and_the_call_goes_on() {
    let (mut rig, _, id) = Rig::talking(alice());
    let number = recording(&mut rig, &of(id));
    rig.recording_event(number, RecordingEvent::Lost { milliseconds: 70 });
    assert_eq!(rig.last("warning")["warning"], "recording-gap");
    assert!(
        rig.last("warning")["text"]
            .as_str()
            .unwrap()
            .contains("70 ms")
    );
    rig.recording_event(number, RecordingEvent::InTime);
    assert_eq!(rig.last("warningCleared")["warning"], "recording-gap");
    let reason = "call.wav: it can't be written any more: No space left".to_owned();
    rig.recording_event(number, RecordingEvent::Failed { reason });
    assert_eq!(rig.last("warning")["warning"], "recording-failed");
    rig.recording_event(number, RecordingEvent::Ended { report: report() });
    assert_eq!(rig.count("recordingEnded"), 1);
    assert_eq!(rig.count("terminated"), 0);
}

fn fail(rig: &mut Rig, number: RecordingId) {
    let reason = "call.wav: No space left".to_owned();
    rig.recording_event(number, RecordingEvent::Failed { reason });
    rig.recording_event(number, RecordingEvent::Ended { report: report() });
}

#[test]
fn a_failure_is_over_when_another_recording_begins() {
    let (mut rig, _, id) = Rig::talking(alice());
    for _ in 0..2 {
        let number = recording(&mut rig, &of(id));
        fail(&mut rig, number);
    }
    assert_eq!((rig.count("warning"), rig.count("warningCleared")), (2, 1));
    recording(&mut rig, &of(id));
    assert_eq!(rig.last("warningCleared")["warning"], "recording-failed");
    recording(&mut rig, &of(id));
    assert_eq!(rig.count("warningCleared"), 2, "once for each");
}

#[test]
fn a_failure_is_over_when_the_application_stops_what_failed_and_no_other_is_left() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    let [first, second] = [(); 2].map(|()| recording(&mut rig, &of(id)));
    fail(&mut rig, first);
    let failure = json!({ "type": "stopRecording", "recording": second, "failure": "the Writable was closed" });
    rig.done(failure);
    rig.recording_event(second, RecordingEvent::Ended { report: report() });
    let stop = |recording| json!({ "type": "stopRecording", "recording": recording });
    rig.done(stop(first));
    assert_eq!(rig.count("warningCleared"), 0, "the other is left");
    rig.done(stop(second));
    rig.done(stop(second));
    assert_eq!(rig.count("warningCleared"), 1);
    let third = recording(&mut rig, &of(id));
    fail(&mut rig, third);
    rig.receive(bob.bye(&[]));
    rig.done(stop(third));
    assert_eq!(rig.count("warningCleared"), 1, "nobody is left to tell");
}

#[test]
fn who_takes_the_place_of_a_call_is_recorded_in_its_stead() {
    let (mut rig, bob, old) = Rig::talking(alice());
    let number = recording(&mut rig, &of(old));
    let mut carol = Caller::new("c2").from("<sip:carol@example.com>");
    let referred = [("Referred-By", "<sip:bob@example.com>")];
    rig.receive(bob.replaced_by(&mut carol, "", &referred));
    rig.beyond_trying(180);
    carol.learn(&rig.response(200));
    rig.request(&Method::Bye);
    rig.receive(carol.ack(None));
    let new = serde_json::from_value(rig.last("sessionStarted")["session"]["id"].clone()).unwrap();
    let recorded = Recorded::Session { id: new };
    assert_eq!(
        rig.recordings,
        [(number, RecordingOrder::Follow { recorded })]
    );
    rig.recordings.clear();
    rig.done(json!({ "type": "end", "id": new }));
    assert_eq!(rig.recordings, [(number, RecordingOrder::End)]);
}

#[test]
fn the_target_of_a_transfer_that_is_followed_is_recorded_once_the_call_before_ends() {
    let (mut rig, mut bob, old) = Rig::talking(alice());
    let number = recording(&mut rig, &of(old));
    rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
    rig.response(202);
    let trying = rig.request(&Method::Notify);
    rig.receive(answer(&trying, 200, None));
    rig.command(json!({ "type": "acceptTransfer", "id": old }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    assert_eq!(rig.recordings, [], "the old call is still there");
    rig.receive(bob.bye(&[]));
    let new = serde_json::from_value(rig.last("sessionStarted")["session"]["id"].clone()).unwrap();
    assert_ne!(new, old);
    let recorded = Recorded::Session { id: new };
    assert_eq!(
        rig.recordings,
        [(number, RecordingOrder::Follow { recorded })]
    );
}

#[test]
fn a_conference_is_recorded_until_it_ends_and_is_warned_itself() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.command(json!({ "type": "confer", "sessions": [id] }));
    let conference = ConferenceId(1);
    let number = recording(&mut rig, &json!({ "type": "conference", "id": conference }));
    rig.recording_event(number, RecordingEvent::Lost { milliseconds: 10 });
    let news = &rig.last("conference")["news"];
    assert_eq!(news["type"], "warning");
    assert_eq!(news["warning"], "recording-gap");
    rig.command(
        json!({ "type": "conference", "id": conference, "request": { "type": "dissolve" } }),
    );
    assert_eq!(rig.recordings, [(number, RecordingOrder::End)]);
    let cleared = |event: &&phone::Event| {
        let event = serde_json::to_value(event).unwrap();
        event["news"]["type"] == "warningCleared"
    };
    assert_eq!(rig.events.iter().filter(cleared).count(), 1);
}
