use std::time::Duration;

use phone::audio::{Device, Processing};
use phone::dtmf::Tones;
use phone::media::{Listening, MediaFailure};
use phone::{MediaCommand, MediaEvent, Reply, SessionId, SoundCommand, StreamCommand};
use serde_json::json;
use sip::message::Method;

use crate::harness::{Media, Rig, alice, alice_with, answer, code};

#[test]
fn muting_tells_media_once() {
    let (mut rig, _, id) = Rig::having_called(alice());
    for muted in [true, true, false, false] {
        rig.done(json!({ "type": "mute", "id": id, "muted": muted }));
    }
    assert_eq!(
        rig.media_named("mute"),
        [
            &MediaCommand::Stream(StreamCommand::Mute { muted: true }),
            &MediaCommand::Stream(StreamCommand::Mute { muted: false })
        ]
    );
    assert_eq!(rig.changes("muted"), [true, false]);
}

#[test]
fn tones_are_done_when_the_last_was_sent() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "1a#" }));
    let expected = MediaCommand::Stream(StreamCommand::SendDtmf {
        ticket,
        tones: Tones::new("1A#"),
        duration: 100,
        gap: 70,
        in_band: false,
    });
    assert_eq!(rig.media_named("sendDtmf"), [&expected]);
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 1 });
    assert!(rig.reply(ticket).is_none());
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 0 });
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn tones_that_media_refuses_fail_their_own_command_only() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let first = rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "1" }));
    let second = rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "2" }));
    let reason = "the peer does not take telephone events".to_owned();
    let refused = MediaEvent::DtmfRefused {
        ticket: second,
        reason,
    };
    rig.media_event(id, refused);
    assert!(rig.reply(first).is_none());
    assert!(rig.reply(second).unwrap().is_err());
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 0 });
    assert!(rig.reply(first).unwrap().is_ok());
}

#[test]
fn tones_that_can_not_be_sent_are_refused() {
    let (mut rig, _, id) = Rig::having_called(alice());
    for command in [
        json!({ "type": "sendDtmf", "id": id, "tones": "" }),
        json!({ "type": "sendDtmf", "id": id, "tones": "1x" }),
        json!({ "type": "sendDtmf", "id": id, "tones": "1", "duration": 10 }),
        json!({ "type": "sendDtmf", "id": id, "tones": "1", "gap": 10 }),
        json!({ "type": "sendDtmf", "id": id, "tones": "1".repeat(257) }),
    ] {
        assert_eq!(rig.refused(command), "ERR_INVALID_ARGUMENT");
    }
    assert!(rig.media.is_empty());
}

#[test]
fn tones_still_queued_fail_with_the_session() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "123" }));
    rig.done(json!({ "type": "end", "id": id }));
    assert_eq!(code(&rig.error(ticket)), "ERR_SESSION_ENDED");
}

/// A menu that hangs up on the first packet that says that the last key was let go.
#[test]
fn tones_that_are_all_out_are_done_although_the_call_ends() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let send = |tones: &str| json!({ "type": "sendDtmf", "id": id, "tones": tones });
    let [first, second] = ["123", "45"].map(|tones| rig.command(send(tones)));
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 3 });
    rig.media_event(id, MediaEvent::DtmfOut { ticket: first });
    assert_eq!(rig.reply(first), None);
    rig.done(json!({ "type": "end", "id": id }));
    assert_eq!(rig.reply(first), Some(&Ok(Reply::Done)));
    assert_eq!(code(&rig.error(second)), "ERR_SESSION_ENDED");
}

#[test]
fn keys_of_the_far_end_are_events() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_event(
        id,
        MediaEvent::Dtmf {
            tone: Tones::new("7"),
            duration: 120,
            in_band: false,
        },
    );
    assert_eq!(rig.last("dtmf")["tone"], "7");
    assert_eq!(rig.last("dtmf")["method"], "rfc4733");
}

#[test]
fn how_loud_a_session_is_is_measured_while_it_is_wanted() {
    let (mut rig, _, id) = Rig::having_called(alice());
    for wanted in [true, false] {
        rig.done(json!({ "type": "measure", "id": id, "wanted": wanted }));
        let expected = MediaCommand::Sound(SoundCommand::Measure { wanted });
        assert_eq!(rig.media_named("measure").last(), Some(&&expected));
    }
}

fn listening(speech: Option<u32>, answerer: bool, answered: bool) -> MediaCommand {
    MediaCommand::Sound(SoundCommand::Listen {
        listening: Listening {
            speech,
            tones: true,
            answerer,
            answered,
        },
    })
}

#[test]
fn what_is_listened_for_before_the_answer_is_told_again_with_it() {
    let mut rig = Rig::registered(alice());
    let options = json!({ "voiceActivity": { "endOfTurn": 800 } });
    rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    let invite = rig.request(&Method::Invite);
    let id = rig.id_of("sessionStarted");
    let all =
        json!({ "type": "listen", "id": id, "speech": true, "tones": true, "answerer": true });
    rig.done(all);
    let before = listening(Some(800), true, false);
    assert_eq!(rig.media_named("listen"), [&before]);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    let after = listening(Some(800), true, true);
    assert_eq!(rig.media_named("listen"), [&before, &after]);
    rig.done(json!({ "type": "listen", "id": id, "tones": true }));
    let last = listening(None, false, true);
    assert_eq!(rig.media_named("listen").last(), Some(&&last));
}

#[test]
fn a_call_that_nobody_listens_to_has_no_ear_when_it_is_answered() {
    let (rig, _, _) = Rig::having_called(alice());
    assert_eq!(rig.media_named("listen"), Vec::<&MediaCommand>::new());
}

#[test]
fn who_has_called_is_not_asked_whether_they_are_a_person() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.done(json!({ "type": "listen", "id": id, "tones": true, "answerer": true }));
    let expected = listening(None, false, true);
    assert_eq!(rig.media_named("listen"), [&expected]);
}

#[test]
fn tones_in_the_sound_are_done_as_others_are() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let ticket =
        rig.command(json!({ "type": "sendDtmf", "id": id, "tones": "12", "via": "inband" }));
    let [MediaCommand::Stream(StreamCommand::SendDtmf { in_band: true, .. })] =
        rig.media_named("sendDtmf")[..]
    else {
        panic!("{:?}", rig.media);
    };
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 0 });
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn digits_never_reach_a_debug_output() {
    let tones = Tones::new("4711");
    assert!(!format!("{tones:?}").contains("4711"));
}

#[test]
fn a_crashed_media_task_ends_its_session_with_an_error() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_event(
        id,
        MediaEvent::Crashed {
            reason: "index out of bounds".into(),
        },
    );
    rig.request(&Method::Bye);
    rig.assert_ended_once("general-error", "local");
    let error = rig.last("error");
    assert_eq!(error["error"]["code"], "ERR_MEDIA");
    assert_eq!(error["id"], id.to_string());
    assert!(rig.place("error") < rig.place("terminated"));
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.count("terminated"), 1);
}

#[test]
fn a_failed_media_path_ends_the_call_with_its_condition() {
    for (failure, was_up, condition) in [
        (MediaFailure::Fingerprint, false, "security-error"),
        (MediaFailure::Ice, false, "failed-transport"),
        (MediaFailure::Dtls, false, "failed-transport"),
        (MediaFailure::Dtls, true, "connectivity-error"),
    ] {
        let mut rig = Rig::registered(alice());
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.media_mode = if was_up {
            Media::Willing
        } else {
            Media::Manual
        };
        rig.receive(answer(&invite, 200, Some("v=0\r\n")));
        rig.request(&Method::Ack);
        let id = rig.id_of("sessionStarted");
        rig.media_event(
            id,
            MediaEvent::Failed {
                failure,
                reason: "x".into(),
            },
        );
        rig.request(&Method::Bye);
        assert_eq!(rig.last("terminated")["reason"]["condition"], condition);
    }
}

fn consent_lost() -> MediaEvent {
    MediaEvent::Failed {
        failure: MediaFailure::Consent,
        reason: "no consent".into(),
    }
}

fn no_path() -> MediaEvent {
    MediaEvent::Failed {
        failure: MediaFailure::Ice,
        reason: "no pair of addresses".into(),
    }
}

#[test]
fn a_path_that_fails_in_a_running_call_is_restarted() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.events.clear();
    rig.media_event(id, consent_lost());
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: true,
            held: false
        })]
    );
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.seconds(60);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_path_that_does_not_come_back_is_sought_every_twenty_seconds_until_the_call_ends() {
    for no_other in [true, false] {
        let (mut rig, _, id) = Rig::having_called(alice_with(json!({ "mediaTimeout": 50_000 })));
        rig.media_event(id, MediaEvent::Interrupted);
        rig.seconds(5);
        rig.media_event(id, consent_lost());
        for _ in 0..2 {
            rig.media_mode = Media::Willing;
            let reinvite = rig.request(&Method::Invite);
            rig.media_mode = Media::Manual;
            rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
            rig.request(&Method::Ack);
            rig.media_event(id, MediaEvent::AnswerApplied);
            rig.media_event(id, MediaEvent::Connecting);
            assert_eq!(rig.changes("interrupted").last().unwrap(), true);
            if no_other {
                rig.media_event(id, no_path());
            }
            rig.media_mode = Media::Willing;
            rig.advance(Duration::from_millis(19_900));
            assert_eq!(rig.count("terminated"), 0);
            rig.advance(Duration::from_millis(100));
        }
        rig.request(&Method::Bye);
        rig.assert_ended_once("connectivity-error", "network");
    }
}

#[test]
fn a_party_of_whom_nothing_is_heard_is_gone_after_the_media_timeout() {
    for (options, seconds) in [
        (alice(), 60),
        (alice_with(json!({ "mediaTimeout": 10_000 })), 10),
    ] {
        let (mut rig, _, id) = Rig::talking(options);
        rig.media_event(id, MediaEvent::RemoteHold { held: true });
        // Silence that passes counts for nothing, and media notice it after five seconds.
        rig.media_event(id, MediaEvent::Interrupted);
        rig.seconds(seconds - 6);
        rig.media_event(id, MediaEvent::Connected);
        rig.lives_on();
        rig.media_event(id, MediaEvent::Interrupted);
        rig.seconds(seconds - 6);
        assert_eq!(rig.count("terminated"), 0);
        rig.seconds(1);
        rig.assert_ended_once("connectivity-error", "network");
        let text = rig.last("sessionEnded")["reason"]["text"].to_string();
        assert_eq!(
            text,
            format!("\"Nothing was heard of the other party for {seconds} s\"")
        );
    }
}

/// It is we who are cut off: nobody can be told, and the BYE waits for the next connection.
#[test]
fn a_call_that_lost_its_path_with_its_connection_ends_after_the_media_timeout_too() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    rig.media_event(id, consent_lost());
    rig.seconds(59);
    assert_eq!(rig.count("terminated"), 0);
    rig.seconds(1);
    rig.assert_ended_once("connectivity-error", "network");
    rig.until_connect();
    rig.up();
    rig.request(&Method::Bye);
}

#[test]
fn a_path_lost_with_the_connection_waits_for_the_next() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.events.clear();
    rig.down();
    rig.media_event(id, consent_lost());
    for _ in 0..5 {
        rig.until_connect();
        let reason = "no network".into();
        rig.connection(phone::Connection::Refused {
            reason,
            code: phone::ErrorCode::ConnectionFailed,
        });
    }
    assert_eq!(rig.count("terminated"), 0);
    rig.until_connect();
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("interrupted"), [true, false]);
}

#[test]
fn an_interrupted_path_comes_back() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.events.clear();
    rig.media_event(id, MediaEvent::Interrupted);
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    assert_eq!(rig.changes("connectionState"), ["interrupted", "connected"]);
}

#[test]
fn a_device_that_fails_is_a_warning_and_the_call_goes_on() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let device = Device::Input;
    rig.media_event(
        id,
        MediaEvent::DeviceFailed {
            device,
            reason: "busy".into(),
        },
    );
    assert_eq!(rig.last("warning")["warning"], "no-device");
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_device_that_fails_at_once_is_told_when_call_has_given_its_session() {
    let mut rig = Rig::registered(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "call", "target": "bob" }));
    let id = rig.id_of("sessionStarted");
    let device = Device::Output;
    let reason = "x.wav: No space left on device".to_owned();
    rig.media_event(id, MediaEvent::DeviceFailed { device, reason });
    assert_eq!(rig.count("warning"), 0);
    assert_eq!(rig.last("trace")["level"], "warn");
    rig.describe(id, "v=0\r\n");
    assert!(rig.place(&format!("reply {}", ticket.0)) < rig.place("warning"));
}

#[test]
fn a_silent_peer_is_a_warning_until_it_is_heard() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_event(id, MediaEvent::NoMedia);
    rig.media_event(id, MediaEvent::MediaResumed);
    assert_eq!(rig.last("warning")["warning"], "no-media");
    assert_eq!(rig.last("warningCleared")["warning"], "no-media");
}

#[test]
fn a_new_default_device_is_used_where_none_was_chosen() {
    let (mut rig, _, id) = Rig::having_called(alice_with(json!({ "audio": {} })));
    let device = json!({ "type": "device", "id": "usb" });
    rig.done(json!({ "type": "setAudioDevice", "input": device }));
    assert_eq!(rig.media_named("setInput").len(), 1);
    rig.done(json!({ "type": "setInput", "id": id, "input": { "type": "source", "id": 1 } }));
    rig.done(json!({ "type": "setAudioDevice", "input": { "type": "default" } }));
    assert_eq!(
        rig.media_named("setInput").len(),
        2,
        "the session has its own input now"
    );
}

#[test]
fn volume_is_a_percentage_for_one_or_for_all() {
    let (mut rig, _, id) = Rig::having_called(alice());
    assert_eq!(
        rig.refused(json!({ "type": "setVolume", "volume": 101 })),
        "ERR_INVALID_ARGUMENT"
    );
    rig.done(json!({ "type": "setVolume", "id": id, "volume": 10 }));
    rig.done(json!({ "type": "setVolume", "volume": 50 }));
    rig.command(json!({ "type": "call", "target": "carol" }));
    let volumes = rig.media_named("setVolume");
    assert_eq!(volumes.len(), 3);
    assert_eq!(
        volumes[2],
        &MediaCommand::Sound(SoundCommand::SetVolume { percent: 50 })
    );
}

#[test]
fn what_is_done_to_a_microphone_is_said_for_one_call_or_for_all() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let done = |echo: Option<bool>, noise: Option<bool>, gain: Option<bool>| {
        MediaCommand::Sound(SoundCommand::SetProcessing {
            processing: Processing {
                echo_cancellation: echo,
                noise_suppression: noise,
                auto_gain_control: gain,
            },
        })
    };
    let set = |id: Option<SessionId>, processing: serde_json::Value| json!({ "type": "setAudioProcessing", "id": id, "processing": processing });
    assert!(rig.media_named("setProcessing").is_empty(), "as fits");
    rig.done(set(Some(id), json!({ "noiseSuppression": false })));
    rig.done(set(
        None,
        json!({ "echoCancellation": true, "noiseSuppression": true }),
    ));
    rig.done(set(Some(id), json!({ "autoGainControl": false })));
    let options = json!({ "audio": { "echoCancellation": false } });
    rig.command(json!({ "type": "call", "target": "carol", "options": options }));
    let expected = [
        done(None, Some(false), None),
        done(Some(true), Some(false), None),
        done(Some(true), Some(false), Some(false)),
        done(Some(false), Some(true), None),
    ];
    assert_eq!(
        rig.media_named("setProcessing"),
        expected.iter().collect::<Vec<_>>()
    );
}

#[test]
fn nothing_that_the_other_side_sends_changes_what_is_done_to_a_microphone() {
    for method in ["INVITE", "UPDATE"] {
        let (mut rig, mut bob, id) = Rig::talking(alice());
        let off = json!({ "echoCancellation": false });
        rig.done(json!({ "type": "setAudioProcessing", "id": id, "processing": off }));
        rig.media.clear();
        for direction in ["sendonly", "inactive", "sendrecv"] {
            let offer = format!("v=0\r\na={direction}\r\n");
            rig.receive(bob.request(method, &[], Some(&offer)));
            let ok = rig.beyond_trying(200);
            if method == "INVITE" {
                bob.learn(&ok);
                rig.receive(bob.ack(None));
            }
        }
        assert_eq!(rig.media_named("answerReoffer").len(), 3, "{method}");
        assert!(rig.media_named("setProcessing").is_empty(), "{method}");
    }
}

#[test]
fn commands_for_a_session_that_only_rings_are_refused() {
    let mut rig = Rig::registered(alice());
    let mut caller = crate::harness::Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    let id = rig.id_of("pendingSession");
    assert_eq!(
        rig.refused(json!({ "type": "mute", "id": id, "muted": true })),
        "ERR_SESSION_STATE"
    );
    assert_eq!(
        rig.refused(json!({ "type": "sendDtmf", "id": id, "tones": "1" })),
        "ERR_SESSION_STATE"
    );
}

#[test]
fn the_end_of_a_call_sums_up_how_it_was() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let figures = |mos, rtt, received, lost| phone::media::Figures {
        codec: Some("opus".to_owned()),
        mos,
        jitter: 10.0 * mos,
        rtt,
        received,
        lost,
        ..phone::media::Figures::default()
    };
    for figures in [
        figures(4.0, None, 40, 0),
        figures(2.0, Some(80.0), 90, 10),
        figures(3.0, Some(40.0), 180, 20),
    ] {
        rig.media_event(id, MediaEvent::Measured { figures });
    }
    rig.advance(std::time::Duration::from_millis(2500));
    rig.command(json!({ "type": "end", "id": id }));
    let expected = json!({
        "codec": "opus",
        "duration": 2500,
        "mos": { "least": 2.0, "mean": 3.0 },
        "loss": 10.0,
        "jitter": 30.0,
        "rtt": 60.0,
    });
    for event in ["terminated", "sessionEnded"] {
        assert_eq!(rig.last(event)["reason"]["summary"], expected, "{event}");
    }
}

#[test]
fn a_call_that_had_no_media_is_not_summed_up() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.command(json!({ "type": "end", "id": id }));
    assert!(rig.last("sessionEnded")["reason"].get("summary").is_none());
}

fn failed(device: Device) -> MediaEvent {
    let reason = "there is no such device".to_owned();
    MediaEvent::DeviceFailed { device, reason }
}

#[test]
fn a_warning_of_devices_is_cleared_when_all_are_open_again() {
    let (mut rig, _, id) = Rig::having_called(alice());
    let open = |device| MediaEvent::DeviceOpened { device };
    for device in [Device::Input, Device::Output] {
        rig.media_event(id, failed(device));
    }
    rig.media_event(id, open(Device::Output));
    rig.media_event(id, open(Device::Output));
    assert_eq!(
        rig.count("warningCleared"),
        0,
        "the input is still in trouble"
    );
    rig.media_event(id, open(Device::Input));
    assert_eq!(rig.last("warningCleared")["warning"], "no-device");
    rig.media_event(id, open(Device::Input));
    assert_eq!(rig.count("warningCleared"), 1);
    // Another is chosen.
    rig.media_event(id, failed(Device::Output));
    rig.done(json!({ "type": "setOutput", "id": id, "output": { "type": "none" } }));
    assert_eq!(rig.count("warningCleared"), 2);
}

fn replaced(device: Device) -> MediaEvent {
    let stand_in = phone::media::StandIn {
        chosen: "alsa:headset".into(),
        in_use: "Loudspeaker".into(),
        reason: "there is no such device".into(),
    };
    MediaEvent::DeviceReplaced { device, stand_in }
}

#[test]
fn a_warning_names_the_vanished_device_and_the_one_in_use_until_it_is_back() {
    let (mut rig, _, id) = Rig::having_called(alice());
    for device in [Device::Input, Device::Output] {
        rig.media_event(id, replaced(device));
        let warning = rig.last("warning");
        assert_eq!(warning["warning"], "no-device");
        assert_eq!(warning["chosen"], "alsa:headset");
        assert_eq!(warning["inUse"], "Loudspeaker");
        let text = warning["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("{device:?} device: ")), "{text}");
        rig.media_event(id, MediaEvent::DeviceOpened { device });
    }
    assert_eq!(rig.count("warningCleared"), 2);
    rig.media_event(id, failed(Device::Input));
    assert!(rig.last("warning").get("chosen").is_none());
}

#[test]
fn a_device_that_another_stands_in_for_can_not_be_chosen() {
    for (command, device) in [("setInput", Device::Input), ("setOutput", Device::Output)] {
        let side = command.trim_start_matches("set").to_lowercase();
        let (mut rig, _, id) = Rig::having_called(alice());
        rig.media_mode = Media::Manual;
        let chosen = json!({ "type": "device", "id": "alsa:headset" });
        let ticket = rig.command(json!({ "type": command, "id": id, &side: chosen }));
        rig.media_event(id, replaced(device));
        let error = rig.reply(ticket).unwrap().as_ref().unwrap_err();
        assert_eq!(error.code, phone::ErrorCode::NoDevice);
        assert_eq!(rig.media_named(command).len(), 2, "what was before is back");
    }
}

#[test]
fn a_change_of_device_fails_where_it_can_not_be_opened_and_what_was_before_comes_back() {
    for (command, device) in [("setInput", Device::Input), ("setOutput", Device::Output)] {
        let side = command.trim_start_matches("set").to_lowercase();
        let (mut rig, _, id) = Rig::having_called(alice());
        rig.media_mode = Media::Manual;
        let chosen = json!({ "type": "device", "id": "x" });
        let ticket = rig.command(json!({ "type": command, "id": id, &side: chosen }));
        assert!(rig.reply(ticket).is_none(), "it is not open yet");
        rig.media_event(id, failed(device));
        let error = rig.reply(ticket).unwrap().as_ref().unwrap_err();
        assert_eq!(error.code, phone::ErrorCode::NoDevice);
        assert!(
            error.message.contains("there is no such device"),
            "{error:?}"
        );
        assert!(rig.place("warning") < rig.place(&format!("reply {}", ticket.0)));
        let orders = rig.media_named(command);
        assert_eq!(orders.len(), 2, "{orders:?}");
        assert!(format!("{:?}", orders[1]).contains("None"), "{orders:?}");
        rig.media_event(id, MediaEvent::DeviceOpened { device });
        assert_eq!(rig.count("warningCleared"), 1);
    }
}

fn set_output(id: SessionId, device: &str) -> serde_json::Value {
    let output = json!({ "type": "device", "id": device });
    json!({ "type": "setOutput", "id": id, "output": output })
}

fn outputs_ordered(rig: &Rig) -> Vec<String> {
    let orders = rig.media_named("setOutput").into_iter();
    orders.map(|order| format!("{order:?}")).collect()
}

fn output_opened() -> MediaEvent {
    MediaEvent::DeviceOpened {
        device: Device::Output,
    }
}

#[test]
fn a_change_of_device_overtakes_one_that_is_still_opening_which_says_so() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let hanging = ["a", "b", "c"].map(|device| rig.command(set_output(id, device)));
    let good = rig.command(set_output(id, "good"));
    for ticket in hanging {
        let error = rig.reply(ticket).unwrap().as_ref().unwrap_err();
        assert_eq!(error.code, phone::ErrorCode::Aborted);
    }
    assert!(outputs_ordered(&rig).pop().unwrap().contains("\"good\""));
    assert!(rig.reply(good).is_none());
    rig.media_event(id, output_opened());
    assert!(rig.reply(good).unwrap().is_ok());
}

#[test]
fn where_the_later_of_two_changes_of_device_fails_what_was_open_comes_back() {
    for (first_opens, at_last) in [(true, "\"a\""), (false, "None")] {
        let (mut rig, _, id) = Rig::having_called(alice());
        rig.media_mode = Media::Manual;
        let first = rig.command(set_output(id, "a"));
        if first_opens {
            rig.media_event(id, output_opened());
        }
        let second = rig.command(set_output(id, "b"));
        assert_eq!(rig.reply(first).unwrap().is_ok(), first_opens);
        rig.media_event(id, failed(Device::Output));
        assert!(rig.reply(second).unwrap().is_err());
        let last = outputs_ordered(&rig).pop().unwrap();
        assert!(last.contains(at_last), "{last} for {at_last}");
    }
}

#[test]
fn a_device_that_never_opens_fails_and_what_was_before_comes_back() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let stuck = rig.command(set_output(id, "stuck"));
    rig.advance(std::time::Duration::from_millis(4999));
    assert!(rig.reply(stuck).is_none());
    rig.advance(std::time::Duration::from_millis(1));
    let error = rig.reply(stuck).unwrap().as_ref().unwrap_err();
    assert_eq!(error.code, phone::ErrorCode::NoDevice);
    assert!(error.message.contains("did not open"), "{error:?}");
    assert!(outputs_ordered(&rig).pop().unwrap().contains("None"));
    rig.media_event(id, output_opened());
    assert_eq!(rig.count("warningCleared"), 1);
}

#[test]
fn changes_of_device_are_settled_by_the_end_of_the_call() {
    let (mut rig, _, id) = Rig::having_called(alice());
    rig.media_mode = Media::Manual;
    let input = json!({ "type": "setInput", "id": id, "input": { "type": "default" } });
    let changes = [rig.command(set_output(id, "a")), rig.command(input)];
    rig.command(json!({ "type": "end", "id": id }));
    for ticket in changes {
        let error = rig.reply(ticket).unwrap().as_ref().unwrap_err();
        assert_eq!(error.code, phone::ErrorCode::SessionEnded);
    }
}
