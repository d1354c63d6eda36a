//! The ends of a phone's task that no server and no peer brings about.

use phone::tally::Readiness;
use phone::{ConferenceId, conference};
use serde_json::json;

use super::*;

fn driver() -> (Driver, mpsc::Sender<Request>) {
    let options = json!({
        "uri": "sip:alice@example.test",
        "password": "hunter2",
        "servers": "ws://127.0.0.1:9",
        "audio": "none",
    });
    let (requests, inbox) = mpsc::channel(16);
    let config = Config::from_json(&options).unwrap();
    let leave = Arc::default();
    (Driver::new(config, inbox, leave, [1; 32]), requests)
}

#[tokio::test(start_paused = true)]
async fn media_that_never_end_are_waited_for_half_a_second_in_all() {
    let (mut driver, _requests) = driver();
    let (stuck, news) = mpsc::unbounded_channel();
    driver.news = news;
    let began = tokio::time::Instant::now();
    driver
        .end(&mut EventStream::new(Box::new(|_: Event| {})))
        .await;
    assert_eq!(began.elapsed(), ENDING);
    drop(stuck);
}

/// Gives events on as the application gets them.
fn told() -> (
    Box<dyn EventSink>,
    std::sync::mpsc::Receiver<serde_json::Value>,
) {
    let (tell, told) = std::sync::mpsc::channel();
    let sink = move |event: Event| drop(tell.send(serde_json::to_value(&event).unwrap()));
    (Box::new(sink), told)
}

#[tokio::test]
async fn what_is_told_stands_in_the_figures_already() {
    let (driver, requests) = driver();
    let showcase = driver.showcase();
    let (tell, told) = std::sync::mpsc::channel();
    let events = Box::new(move |event: Event| {
        let event = serde_json::to_value(&event).unwrap();
        if event["type"] == "reply" {
            tell.send(showcase.health().status).unwrap();
        }
    });
    let drain = Request::Command(
        Ticket(1),
        Command::Drain {
            timeout: Some(0),
            code: None,
        },
    );
    requests.send(drain).await.unwrap();
    drop(requests);
    driver.run(events).await;
    assert_eq!(told.recv(), Ok(Readiness::Draining));
}

#[tokio::test]
async fn a_task_that_breaks_still_answers_destroy_and_closes() {
    let (driver, requests) = driver();
    let (mut sink, told) = told();
    let mut broken = false;
    let events = Box::new(move |event: Event| {
        if !std::mem::replace(&mut broken, true) {
            panic!("on purpose: {event:?}");
        }
        sink.send(event);
    });
    let initialize = Request::Command(Ticket(1), Command::Initialize {});
    requests.send(initialize).await.unwrap();
    for ticket in [2, 3] {
        let destroy = Request::Command(Ticket(ticket), Command::Destroy {});
        requests.send(destroy).await.unwrap();
    }
    driver.run(events).await;
    let types: Vec<_> = told.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["error", "closed", "reply", "reply"]);
}

#[test]
fn the_end_of_the_process_is_told_to_a_phone_whose_inbox_is_full() {
    let (driver, requests) = driver();
    let attendance = crate::farewell::Attendance::begin(Arc::clone(&driver.leave));
    let initialize = |ticket| Request::Command(Ticket(ticket), Command::Initialize {});
    let mut ticket = 0;
    while requests.try_send(initialize(ticket)).is_ok() {
        ticket += 1;
    }
    let (events, told) = told();
    let task = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(driver.run(events));
        drop(attendance);
    });
    crate::farewell(crate::Whose::Thread);
    // The handle is still there: nothing else ends the task.
    let closed = |event: serde_json::Value| event["type"] == "closed";
    let patience = Duration::from_secs(20);
    while !closed(told.recv_timeout(patience).expect("it never left")) {}
    task.join().unwrap();
    drop(requests);
}

#[test]
fn a_task_that_breaks_ends_its_conferences() {
    let (sink, told) = told();
    let mut stream = EventStream::new(sink);
    for (id, news) in [
        (1, conference::News::Started),
        (2, conference::News::Started),
        (1, conference::News::Ended),
    ] {
        let id = ConferenceId(id);
        stream.send(Event::Phone(phone::Event::Conference { id, news }));
    }
    stream.break_off();
    let ended: Vec<_> = told.try_iter().skip(4).collect();
    let expected = json!({ "type": "conference", "id": 2, "news": { "type": "ended" } });
    assert_eq!(ended, [expected]);
}

#[tokio::test]
async fn what_no_session_can_tell_is_a_trace_of_the_phone_even_at_its_end() {
    let (mut driver, requests) = driver();
    let (log, logged) = mpsc::unbounded_channel();
    driver.log = logged;
    log.send("x.wav: it can't be finished: disk full".to_owned())
        .unwrap();
    let (events, told) = told();
    drop(requests);
    driver.run(events).await;
    let events: Vec<_> = told.iter().collect();
    assert_eq!(events[0]["type"], "trace");
    assert_eq!(events[0]["level"], "warn");
    assert_eq!(events.last().unwrap()["type"], "closed");
}

/// What the phone gave out since it was last asked.
fn outputs(driver: &mut Driver) -> Vec<Output> {
    let mut outputs = Vec::new();
    loop {
        let output = driver.phone.poll_output();
        if matches!(output, Output::Timeout(..) | Output::Closed) {
            return outputs;
        }
        outputs.push(output);
    }
}

#[tokio::test]
async fn full_media_threads_let_the_phone_refuse_calls_both_ways() {
    let options = json!({
        "uri": "sip:alice@example.test",
        "servers": "ws://127.0.0.1:9",
        "register": false,
        "audio": "none",
    });
    let (_requests, inbox) = mpsc::channel(16);
    let config = Config::from_json(&options).unwrap();
    let mut driver = Driver::new(config, inbox, Arc::default(), [1; 32]);
    assert_eq!((driver.load)(), media_worker::load());
    let (sink, _told) = told();
    let mut stream = EventStream::new(sink);
    let command = |ticket, command: serde_json::Value| {
        let command = serde_json::from_value(command).unwrap();
        Fact::Request(Some(Request::Command(Ticket(ticket), command)))
    };
    driver.handle(command(1, json!({ "type": "initialize" })), &mut stream);
    outputs(&mut driver);
    let up = phone::Connection::Up {
        server: 0,
        transport: sip::transaction::Transport::Ws,
        local: None,
    };
    driver.handle(Fact::Line(line::LineEvent::Connection(up)), &mut stream);
    outputs(&mut driver);

    driver.load = || 1.0;
    let call = json!({ "type": "call", "target": "bob" });
    driver.handle(command(2, call.clone()), &mut stream);
    let refused = outputs(&mut driver).into_iter().any(|output| {
        let Output::Reply(Ticket(2), Err(error)) = output else {
            return false;
        };
        error.code == ErrorCode::TooManySessions
    });
    assert!(refused);
    let invite = "INVITE sip:alice@example.test SIP/2.0\r\n\
        Via: SIP/2.0/WS caller.invalid;branch=z9hG4bK1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:carol@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\n\
        Call-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:carol@caller.invalid;transport=ws>\r\n\
        Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    let message = line::LineEvent::Message(invite.as_bytes().into());
    driver.handle(Fact::Line(message), &mut stream);
    let sent: Vec<String> = outputs(&mut driver)
        .into_iter()
        .filter_map(|output| {
            let Output::Send(text) = output else {
                return None;
            };
            Some(String::from_utf8_lossy(&text.0).into_owned())
        })
        .collect();
    let refusal = sent.iter().find(|text| text.starts_with("SIP/2.0 503"));
    assert!(
        refusal.is_some_and(|text| text.contains("Retry-After:")),
        "{sent:?}"
    );

    driver.load = || 0.99;
    driver.handle(command(3, call), &mut stream);
    let refused = outputs(&mut driver)
        .iter()
        .any(|output| matches!(output, Output::Reply(_, Err(_))));
    assert!(!refused);
}
