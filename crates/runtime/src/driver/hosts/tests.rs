use std::sync::Arc;
use std::time::Duration;

use phone::Config;
use serde_json::json;

use super::*;
use crate::audio::{Rate, Source, SourceReader};

const ID: ConferenceId = ConferenceId(1);
const PATIENCE: Duration = Duration::from_secs(10);

struct Desk {
    hosts: Hosts,
    calls: Calls,
    jobs: JoinSet<Job>,
    news: mpsc::UnboundedReceiver<HostNews>,
}

impl Desk {
    fn new() -> Desk {
        let options = json!({
            "uri": "sip:alice@example.test",
            "password": "hunter2",
            "servers": "ws://127.0.0.1:9",
            "audio": "none",
        });
        let config = Config::from_json(&options).unwrap();
        let (tell, news) = mpsc::unbounded_channel();
        let log = mpsc::unbounded_channel().0;
        Desk {
            hosts: Hosts::new(config.audio.fallback, tell, log.clone()),
            calls: Calls::new(
                &config,
                Arc::new(crate::driver::connector(&config)),
                mpsc::unbounded_channel().0,
                log,
            ),
            jobs: JoinSet::new(),
            news,
        }
    }

    fn order(&mut self, order: HostOrder) {
        self.hosts.order(ID, order, &mut self.calls, &mut self.jobs);
    }

    fn open(&mut self, input: phone::audio::Input) {
        let output = phone::audio::Output::None;
        self.order(HostOrder::Open { input, output });
    }

    async fn told(&mut self) -> HostNews {
        let news = tokio::time::timeout(PATIENCE, self.news.recv());
        news.await.unwrap().unwrap()
    }

    /// What is told beside what was opened.
    async fn told_else(&mut self) -> HostNews {
        loop {
            let news = self.told().await;
            if !matches!(
                news,
                HostNews::Opening(_, _, HostEvent::DeviceOpened { .. })
            ) {
                return news;
            }
        }
    }
}

fn of(source: &Source) -> phone::audio::Input {
    phone::audio::Input::Source { id: source.id() }
}

#[tokio::test]
async fn a_source_is_taken_by_the_seat_and_let_go_with_it() {
    let mut desk = Desk::new();
    let source = Source::new(Rate::Hz16000, Duration::ZERO, |_| {});
    desk.open(of(&source));
    assert!(SourceReader::open(source.id()).is_err(), "it is not open");
    desk.order(HostOrder::SetInput { input: of(&source) });
    desk.order(HostOrder::Hold { held: true });
    assert!(SourceReader::open(source.id()).is_err(), "it was let go");
    desk.order(HostOrder::Close);
    assert!(!desk.hosts.knows(ID));
    SourceReader::open(source.id()).expect("it is free when the end is told");
    while let Ok(news) = desk.news.try_recv() {
        let opened = matches!(
            news,
            HostNews::Opening(_, _, HostEvent::DeviceOpened { .. })
        );
        assert!(opened, "{news:?}");
    }
}

#[tokio::test]
async fn what_can_not_be_opened_is_told_of_the_conference() {
    let mut desk = Desk::new();
    let gone = of(&Source::new(Rate::Hz16000, Duration::ZERO, |_| {}));
    desk.open(gone);
    let HostNews::Opening(ID, _, HostEvent::DeviceFailed { device, reason }) =
        desk.told_else().await
    else {
        panic!("something else was told");
    };
    assert_eq!(device, Device::Input);
    assert!(reason.contains("AudioSource"), "{reason}");

    let wav = phone::audio::Input::Wav {
        path: "no/such/file.wav".to_owned(),
        repeat: false,
        level: 0.0,
    };
    desk.order(HostOrder::SetInput { input: wav });
    let Some(Ok(Job::HostOpened(opened))) = desk.jobs.join_next().await else {
        panic!("opening a file is a job");
    };
    let Some((ID, HostEvent::DeviceFailed { reason, .. })) = desk.hosts.attach(*opened) else {
        panic!("it was opened");
    };
    assert!(reason.contains("no/such/file.wav"), "{reason}");
}

#[tokio::test]
async fn what_became_of_a_choice_is_stale_once_another_is_made() {
    let mut desk = Desk::new();
    let gone = of(&Source::new(Rate::Hz16000, Duration::ZERO, |_| {}));
    desk.open(gone);
    let failed = desk.told_else().await;
    assert!(!failed.is_stale(), "{failed:?}");
    let input = phone::audio::Input::None;
    desk.order(HostOrder::SetInput { input });
    assert!(failed.is_stale(), "the other choice is not to be blamed");
}

#[tokio::test]
async fn what_was_opened_too_late_is_for_nobody() {
    let mut desk = Desk::new();
    let wav = || phone::audio::Input::Wav {
        path: "no/such/file.wav".to_owned(),
        repeat: false,
        level: 0.0,
    };
    desk.open(wav());
    desk.order(HostOrder::SetInput {
        input: phone::audio::Input::None,
    });
    let Some(Ok(Job::HostOpened(opened))) = desk.jobs.join_next().await else {
        panic!("opening a file is a job");
    };
    assert_eq!(desk.hosts.attach(*opened), None);
}

#[tokio::test]
async fn an_empty_conference_is_measured_while_that_is_wanted() {
    let mut desk = Desk::new();
    desk.open(phone::audio::Input::Tone {
        frequency: 440.0,
        level: -18.0,
    });
    desk.order(HostOrder::SetLevels { wanted: true });
    for _ in 0..3 {
        let HostNews::Levels(ID, levels) = desk.told_else().await else {
            panic!("something else was told");
        };
        assert_eq!(levels.members, []);
        assert!(levels.local.is_some());
    }
    desk.order(HostOrder::Close);
    drop(desk.hosts);
    // The end of the phone waits for that: the conference is gone, and with it what it had open.
    let end = async { while desk.news.recv().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
}
