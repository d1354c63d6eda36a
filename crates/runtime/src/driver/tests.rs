//! The ends of a phone's task that no server and no peer brings about.

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
