use std::time::Duration;

use media::transport::{Way, WayNews};
use phone::ServersKnown;
use serde_json::json;

use super::super::ice::{LookedUp, looking_up};
use super::*;
use crate::audio::{Rate, Source, SourceReader};
use crate::resolver::Found;

fn calls() -> (Calls, mpsc::UnboundedReceiver<News>) {
    calls_with(json!({}))
}

fn calls_with(more: serde_json::Value) -> (Calls, mpsc::UnboundedReceiver<News>) {
    let mut options = json!({
        "uri": "sip:alice@example.test",
        "password": "hunter2",
        "servers": "ws://127.0.0.1:9",
        "audio": "none",
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    let config = Config::from_json(&options).unwrap();
    let (news, told) = mpsc::unbounded_channel();
    let connector = Arc::new(crate::driver::connector(&config));
    let mut calls = Calls::new(&config, connector, news, mpsc::unbounded_channel().0);
    calls.server_is_local = true;
    (calls, told)
}

#[tokio::test]
async fn devices_open_when_a_call_is_accepted_and_stay_when_it_is_connected() {
    let (mut calls, mut told) = calls();
    let mut jobs = JoinSet::new();
    let id = SessionId::from_random(3);
    let source = Source::new(Rate::Hz16000, Duration::ZERO, |_| {});
    let start = MediaCommand::Sound(SoundCommand::Start {
        input: phone::audio::Input::Source { id: source.id() },
        output: phone::audio::Output::None,
        beep: false,
    });
    calls.order(id, start, &mut jobs);
    assert!(SourceReader::open(source.id()).is_err(), "it is not open");
    assert!(jobs.is_empty(), "no media before the call is connected");

    calls.order(id, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
    let patience = Duration::from_secs(10);
    let described = tokio::time::timeout(patience, async {
        while let Some(News { what, .. }) = told.recv().await {
            if matches!(what, What::Media(MediaEvent::Described { .. })) {
                return;
            }
        }
        panic!("the news ended");
    });
    described.await.unwrap();
    assert!(SourceReader::open(source.id()).is_err(), "it was let go");

    calls.order(id, MediaCommand::Close, &mut jobs);
    SourceReader::open(source.id()).expect("it is free when the end is told");
}

#[tokio::test]
async fn a_source_can_be_taken_again_and_moved_to_another_call_at_once() {
    let (mut calls, mut told) = calls();
    let mut jobs = JoinSet::new();
    let source = Source::new(Rate::Hz16000, Duration::ZERO, |_| {});
    let start = || {
        MediaCommand::Sound(SoundCommand::Start {
            input: phone::audio::Input::Source { id: source.id() },
            output: phone::audio::Output::None,
            beep: false,
        })
    };
    let again = || {
        MediaCommand::Sound(SoundCommand::SetInput {
            input: phone::audio::Input::Source { id: source.id() },
        })
    };
    let (one, other) = (SessionId::from_random(5), SessionId::from_random(6));
    calls.order(one, start(), &mut jobs);
    calls.order(one, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
    calls.order(one, again(), &mut jobs);
    calls.order(one, MediaCommand::Close, &mut jobs);
    calls.order(other, start(), &mut jobs);
    while let Ok(News { what, .. }) = told.try_recv() {
        let failed = matches!(what, What::Opening(_, MediaEvent::DeviceFailed { .. }));
        assert!(!failed, "the source was still held");
    }
}

#[tokio::test]
async fn what_became_of_a_choice_is_stale_once_another_is_made() {
    let (mut calls, mut told) = calls();
    let mut jobs = JoinSet::new();
    let id = SessionId::from_random(5);
    let gone = Source::new(Rate::Hz16000, Duration::ZERO, |_| {}).id();
    let start = SoundCommand::Start {
        input: phone::audio::Input::None,
        output: phone::audio::Output::None,
        beep: false,
    };
    calls.order(id, MediaCommand::Sound(start), &mut jobs);
    while told.try_recv().is_ok() {}
    let input = phone::audio::Input::Source { id: gone };
    calls.order(
        id,
        MediaCommand::Sound(SoundCommand::SetInput { input }),
        &mut jobs,
    );
    let failed = told.recv().await.unwrap();
    assert!(!failed.is_stale());
    let input = phone::audio::Input::None;
    calls.order(
        id,
        MediaCommand::Sound(SoundCommand::SetInput { input }),
        &mut jobs,
    );
    assert!(failed.is_stale(), "the other choice is not to be blamed");
    let opened = told.recv().await.unwrap();
    assert!(
        matches!(
            opened.what,
            What::Opening(_, MediaEvent::DeviceOpened { .. })
        ) && !opened.is_stale()
    );
}

#[tokio::test]
async fn a_turn_server_that_never_answers_does_not_hold_a_call_for_the_whole_cap() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = json!([{
        "urls": format!("turn:{}", silent.local_addr().unwrap()),
        "username": "user",
        "credential": "secret",
    }]);
    let (mut calls, mut told) = calls_with(json!({ "iceGatheringTimeout": 30_000 }));
    calls.set_ice_servers(&serde_json::from_value::<Vec<_>>(servers).unwrap());
    let mut jobs = JoinSet::new();
    calls.order(
        SessionId::from_random(5),
        MediaCommand::Stream(StreamCommand::Offer),
        &mut jobs,
    );
    let described = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(News { what, .. }) = told.recv().await {
            if let What::Media(MediaEvent::Described { sdp }) = what {
                return sdp;
            }
        }
        panic!("the news ended");
    });
    assert!(described.await.unwrap().as_str().contains("typ host"));
    silent.set_nonblocking(true).unwrap();
    assert!(silent.recv(&mut [0; 2048]).is_ok(), "the server was asked");
}

#[tokio::test]
async fn a_session_sits_in_a_conference_until_its_input_changes_or_it_ends() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let id = ConferenceId(1);
    let sessions = [5, 6].map(SessionId::from_random);
    for session in sessions {
        let start = MediaCommand::Sound(SoundCommand::Start {
            input: phone::audio::Input::Conference { id },
            output: phone::audio::Output::None,
            beep: false,
        });
        calls.order(session, start, &mut jobs);
    }
    let members = |calls: &Calls| calls.conferences[&id].strong_count();
    assert_eq!(members(&calls), 2);
    let input = phone::audio::Input::None;
    calls.order(
        sessions[0],
        MediaCommand::Sound(SoundCommand::SetInput { input }),
        &mut jobs,
    );
    assert_eq!(members(&calls), 1);
    calls.order(sessions[1], MediaCommand::Close, &mut jobs);
    assert_eq!(members(&calls), 0);
}

#[tokio::test]
async fn music_for_a_held_party_is_let_go_when_it_is_taken_off_hold() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let id = SessionId::from_random(5);
    let source = Source::new(Rate::Hz16000, Duration::ZERO, |_| {});
    calls.order(id, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
    let music = phone::audio::Input::Source { id: source.id() };
    calls.order(
        id,
        MediaCommand::Sound(SoundCommand::Hold { music }),
        &mut jobs,
    );
    assert!(SourceReader::open(source.id()).is_err(), "it is not open");

    calls.order(id, MediaCommand::Sound(SoundCommand::Resume), &mut jobs);
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while SourceReader::open(source.id()).is_err() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
}

#[tokio::test]
async fn addresses_of_a_list_that_was_replaced_are_not_used() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let id = SessionId::from_random(4);
    let list = |name: &str| {
        serde_json::from_value::<Vec<phone::config::IceServer>>(
            json!([{ "urls": format!("stun:{name}.invalid") }]),
        )
    };
    calls.set_ice_servers(&list("old").unwrap());
    calls.order(id, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
    calls.set_ice_servers(&list("new").unwrap());
    let Some(Ok(Job::IceServers(found))) = jobs.join_next().await else {
        panic!("the lookup is the only job");
    };
    calls.looked_up(found, Instant::now(), &mut jobs);
    assert_eq!(jobs.len(), 1, "the new list is looked up");
    assert!(matches!(calls.calls[&id].place, MediaPlace::Waiting(_)));
    let Some(Ok(Job::IceServers(found))) = jobs.join_next().await else {
        panic!("the lookup is the only job");
    };
    calls.looked_up(found, Instant::now(), &mut jobs);
    assert!(matches!(calls.calls[&id].place, MediaPlace::Hosted(_)));
}

#[tokio::test]
async fn a_lookup_that_breaks_holds_no_call() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let id = SessionId::from_random(6);
    let names = json!([{ "urls": "stun:name.invalid" }]);
    calls.set_ice_servers(&serde_json::from_value::<Vec<_>>(names).unwrap());
    calls.order(id, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
    let Job::IceServers(found) = looking_up(calls.ice.list, async { panic!("on purpose") }).await
    else {
        panic!("a lookup was made");
    };
    calls.looked_up(found, Instant::now(), &mut jobs);
    assert!(matches!(calls.calls[&id].place, MediaPlace::Hosted(_)));
    assert!(!calls.ice.looking_up, "the next call looks again");
}

#[tokio::test]
async fn servers_that_can_not_be_used_and_names_that_are_not_found_are_told_to_each_call() {
    let url = "stuns:stun.example.com";
    let (mut calls, mut told) = calls_with(json!({ "iceServers": [{ "urls": url }] }));
    let found = Found {
        faults: vec![resolver::Unusable {
            url: "turn:turn.invalid".to_owned(),
            reason: "turn.invalid was not found".to_owned(),
        }],
        ..Found::default()
    };
    let mut jobs = JoinSet::new();
    let (list, found) = (calls.ice.list, Some(found));
    calls.looked_up(LookedUp { list, found }, Instant::now(), &mut jobs);
    for number in [3, 4] {
        let id = SessionId::from_random(number);
        calls.order(id, MediaCommand::Stream(StreamCommand::Offer), &mut jobs);
        let mut servers = Vec::new();
        while servers.len() < 2 {
            let news = tokio::time::timeout(Duration::from_secs(10), told.recv());
            let news = news.await.unwrap().unwrap();
            if let (true, What::Media(MediaEvent::IceServerFailed { server, .. })) =
                (news.id == id, news.what)
            {
                servers.push(server);
            }
        }
        assert_eq!(servers, [url, "turn:turn.invalid"]);
    }
}

#[tokio::test]
async fn a_call_waits_while_the_application_is_asked_for_servers_and_runs_on_with_them() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let [first, second] = [7, 8].map(SessionId::from_random);
    let offer = || MediaCommand::Stream(StreamCommand::Offer);
    let is_hosted = |calls: &Calls, id| matches!(calls.calls[&id].place, MediaPlace::Hosted(_));
    calls.know_servers(ServersKnown::Awaited, &[], &mut jobs);
    calls.order(first, offer(), &mut jobs);
    assert!(!is_hosted(&calls, first) && jobs.is_empty());
    calls.know_servers(ServersKnown::Unchanged, &[], &mut jobs);
    assert!(is_hosted(&calls, first));
    let given = json!([{ "urls": "stun:127.0.0.1:9" }]);
    let given = serde_json::from_value::<Vec<_>>(given).unwrap();
    calls.know_servers(ServersKnown::Renewed, &given, &mut jobs);
    calls.order(second, offer(), &mut jobs);
    assert!(is_hosted(&calls, second));
    let servers = calls.ice.servers.at_hand(Instant::now()).unwrap();
    assert_eq!(servers[0].name, "stun:127.0.0.1:9");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_doubted_by_the_calls_that_follow() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let servers = json!([{ "urls": format!("stun:{address}") }]);
    let (mut calls, mut told) = calls_with(json!({ "iceServers": servers }));
    let mut jobs = JoinSet::new();
    let offer = MediaCommand::Stream(StreamCommand::Offer);
    calls.order(SessionId::from_random(9), offer, &mut jobs);
    let known = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Some(What::Way(way, news)) = told.recv().await.map(|news| news.what) {
                return (way, news);
            }
        }
    });
    let (way, news) = known.await.unwrap();
    let expected = Way::Datagrams(address.ip(), address);
    assert_eq!((&way, news), (&expected, WayNews::Silent));
    let id = SessionId::from_random(9);
    calls.note_way(id, (way.clone(), news), Instant::now());
    assert_eq!(calls.ice.silent.doubted(Instant::now()), [expected]);
    calls.network_changed(true);
    assert_eq!(calls.ice.silent.doubted(Instant::now()), []);
    calls.note_way(id, (way, news), Instant::now());
    let doubted = calls.ice.silent.doubted(Instant::now());
    assert_eq!(doubted, [], "the call began in another network");
}

#[tokio::test]
async fn a_file_that_can_not_be_finished_is_logged() {
    let (mut calls, _told) = calls();
    let (log, mut logged) = mpsc::unbounded_channel();
    calls.log = log;
    let gone = Turn::new();
    let trouble = calls.standing(SessionId::from_random(7), gone, Device::Output);
    let trouble = opening::also_logged(trouble, calls.log.clone());
    assert!(!trouble("x.wav: No space left on device".to_owned()));
    assert_eq!(logged.try_recv().unwrap(), "x.wav: No space left on device");
}

#[tokio::test]
async fn a_name_is_asked_for_once_for_all_calls_and_a_few_names_at_a_time() {
    let (mut calls, _told) = calls();
    let mut jobs = JoinSet::new();
    let [first, second] = [10, 11].map(SessionId::from_random);
    for id in [first, second, first] {
        calls.resolve(id, "one.local".to_owned(), &mut jobs);
    }
    assert_eq!(jobs.len(), 1);
    assert_eq!(calls.ice.resolving["one.local"], [first, second]);
    for number in 0..100 {
        calls.resolve(first, format!("{number}.local"), &mut jobs);
    }
    assert_eq!(jobs.len(), 8);
    calls.resolved("one.local", None);
    calls.resolve(first, "another.local".to_owned(), &mut jobs);
    assert_eq!(jobs.len(), 9, "there is room again");
}
