//! Pictures: who sees what, when both sides have agreed to it.

mod changing;
mod forwarding;
mod hidden;
mod places;
mod streams;
mod wished;

use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand, Ticket, VideoCommand};
use serde_json::{Value, json};

use crate::harness::{Rig, media_json};

/// A source of the application's.
fn source(id: u64) -> Value {
    json!({ "type": "source", "id": id, "codecs": ["vp8"] })
}

fn none() -> Value {
    json!({ "type": "none" })
}

fn set_video(rig: &mut Rig, id: SessionId, input: Value) -> Ticket {
    rig.command(json!({ "type": "setVideo", "id": id, "content": "camera", "input": input }))
}

/// A line as both sides have agreed.
fn line(line: u32, content: &str, sends: bool, receives: bool) -> Value {
    json!({ "line": line, "content": content, "sends": sends, "receives": receives })
}

/// Media tells of the lines that there are now.
fn lines(rig: &mut Rig, id: SessionId, lines: Value) {
    let event = serde_json::from_value(json!({ "type": "lines", "lines": lines }));
    rig.media_event(id, event.expect("lines"));
}

/// The peer has answered our offer, and media has these lines.
fn agree_on(rig: &mut Rig, id: SessionId, agreed: Value) {
    super::hold::agree(rig);
    lines(rig, id, agreed);
    rig.media_event(id, MediaEvent::AnswerApplied);
}

/// What media was told to wish, in order: the content of each line that sends, and in brackets of each that only takes.
fn wished(rig: &Rig) -> Vec<String> {
    let all = rig.media.iter().filter_map(|(_, command)| match command {
        MediaCommand::Stream(StreamCommand::WishVideo { wishes }) => Some(wishes),
        _ => None,
    });
    all.map(|wishes| {
        let wish = |wish: &phone::video::VideoWish| match wish.sends {
            true => format!("{:?}", wish.content),
            false => format!("({:?})", wish.content),
        };
        wishes.iter().map(wish).collect::<Vec<_>>().join(" ")
    })
    .collect()
}

/// What media was told to open for the far end to see, in order.
fn opened(rig: &Rig) -> Vec<Value> {
    let all = rig.media.iter().filter_map(|(_, command)| match command {
        MediaCommand::Video(VideoCommand::SetVideo { .. }) => Some(media_json(command)),
        _ => None,
    });
    all.map(|mut command| command["input"].take()).collect()
}

fn is_settled(rig: &Rig, ticket: Ticket) -> bool {
    match rig.reply(ticket) {
        None => false,
        Some(Ok(_)) => true,
        Some(Err(error)) => panic!("{error}"),
    }
}
