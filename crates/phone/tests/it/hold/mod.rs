//! Hold and resume, of one call.

mod agreeing;
mod patience;
mod telling;

use crate::harness::{Caller, Media, Pair, Rig, alice, alice_with, answer, code, with_header};
use phone::media::MediaRefusal;
use phone::{MediaCommand, MediaEvent, SessionId, SoundCommand, StreamCommand, audio};
use serde_json::json;
use sip::message::{Method, Request};
use std::time::Duration;

pub(super) fn hold(rig: &mut Rig, id: SessionId, held: bool) -> phone::Ticket {
    rig.command(json!({ "type": "hold", "id": id, "held": held }))
}

pub(super) fn agree(rig: &mut Rig) -> Request {
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
    rig.request(&Method::Ack);
    reinvite
}

/// A phone whose peer is on hold.
pub(super) fn holding() -> (Rig, Caller, SessionId) {
    let (mut rig, caller, id) = Rig::talking(alice());
    hold(&mut rig, id, true);
    agree(&mut rig);
    rig.media.clear();
    rig.events.clear();
    (rig, caller, id)
}

pub(super) fn asked_for(rig: &Rig) -> Vec<bool> {
    rig.media_named("reoffer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Stream(StreamCommand::Reoffer { held, .. }) => *held,
            other => panic!("{other:?}"),
        })
        .collect()
}
