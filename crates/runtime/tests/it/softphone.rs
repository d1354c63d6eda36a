//! A phone's task: its one stream, and its end.

use std::sync::mpsc;
use std::time::Duration;

use runtime::{Command, CommandError, Config, Event, EventSink, Softphone, Ticket};
use serde_json::{Value, json};

use crate::server;

const PATIENCE: Duration = Duration::from_secs(10);

/// Hands events on as the JSON that the application gets.
struct Collector(mpsc::Sender<Value>);

impl EventSink for Collector {
    fn send(&mut self, event: Event) {
        let _ = self.0.send(serde_json::to_value(&event).unwrap());
    }
}

fn start(port: u16) -> (Softphone, mpsc::Receiver<Value>) {
    let options = json!({
        "uri": "sip:alice@example.test",
        "password": "hunter2",
        "servers": format!("ws://127.0.0.1:{port}/?token=hunter2"),
        "audio": "none",
    });
    let config = Config::from_json(&options).unwrap();
    let (tell, told) = mpsc::channel();
    let phone = Softphone::start(config, Box::new(Collector(tell))).unwrap();
    (phone, told)
}

/// Everything until the stream ends, which it must.
fn rest(told: &mpsc::Receiver<Value>) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        match told.recv_timeout(PATIENCE) {
            Ok(event) => events.push(event),
            Err(mpsc::RecvTimeoutError::Disconnected) => return events,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the stream does not end: {events:?}"),
        }
    }
}

#[tokio::test]
async fn destroy_is_answered_when_all_is_closed_and_nothing_follows() {
    let (phone, told) = start(server::closed_port().await);
    phone.command(Ticket(7), Command::Destroy {}).unwrap();
    let events = rest(&told);
    let types: Vec<_> = events.iter().map(|event| &event["type"]).collect();
    assert!(
        types.ends_with(&[&json!("closed"), &json!("reply")]),
        "{types:?}"
    );
    assert_eq!(events[events.len() - 1]["ticket"], 7);
    assert_eq!(
        phone.command(Ticket(8), Command::Destroy {}),
        Err(CommandError::Closed)
    );
}

#[tokio::test]
async fn dropping_the_handle_closes_the_phone() {
    let (phone, told) = start(server::closed_port().await);
    drop(phone);
    assert_eq!(rest(&told).last().unwrap()["type"], "closed");
}

#[tokio::test]
async fn a_server_that_refuses_is_told_without_the_token_and_the_stream_stays_in_order() {
    let (phone, told) = start(server::closed_port().await);
    phone.command(Ticket(1), Command::Initialize {}).unwrap();
    let mut seen = String::new();
    while !seen.contains("refused the connection") {
        seen += &told.recv_timeout(PATIENCE).unwrap().to_string();
    }
    phone.command(Ticket(2), Command::Destroy {}).unwrap();
    let events = rest(&told);
    seen += &Value::from(events.clone()).to_string();
    assert!(!seen.contains("hunter2"), "{seen}");
    assert_eq!(events.last().unwrap()["ticket"], 2);
}

#[tokio::test]
async fn figures_of_an_unknown_session_are_an_error() {
    let (phone, told) = start(server::closed_port().await);
    let id = "01234567-89ab-4def-8123-456789abcdef".parse().unwrap();
    phone.stats(Ticket(3), id).unwrap();
    phone.command(Ticket(4), Command::Destroy {}).unwrap();
    let events = rest(&told);
    let reply = events.iter().find(|event| event["ticket"] == 3).unwrap();
    assert_eq!(reply["error"]["code"], "ERR_SESSION_NOT_FOUND");
}
