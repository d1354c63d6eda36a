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
    (Driver::new(config, inbox, [1; 32]), requests)
}

#[tokio::test(start_paused = true)]
async fn media_that_never_end_are_waited_for_half_a_second_in_all() {
    let (mut driver, _requests) = driver();
    let (stuck, news) = mpsc::unbounded_channel();
    driver.news = news;
    let began = tokio::time::Instant::now();
    driver.end().await;
    assert_eq!(began.elapsed(), ENDING);
    drop(stuck);
}
