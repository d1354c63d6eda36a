//! Calls that outlive their connection.

mod moving;
mod refreshing;
mod restarting;
mod ringing;
mod servers;
mod unanswered;

use crate::harness::{Caller, Media, Pair, Rig, alice, alice_with, answer, header};
use phone::media::MediaFailure;
use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand};
use serde_json::json;
use sip::message::{Message, Method, Request};
use std::time::Duration;

/// Whether each of our offers restarts ICE.
pub(super) fn restarts(rig: &Rig) -> Vec<bool> {
    rig.media_named("reoffer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Stream(StreamCommand::Reoffer { restart_ice, .. }) => *restart_ice,
            other => panic!("{other:?} is no reoffer"),
        })
        .collect()
}

/// A call that a new flow has found, and whose refresh is not yet answered.
pub(super) fn refreshing(interrupted: bool) -> (Rig, SessionId, Request) {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    rig.down();
    if interrupted {
        rig.media_event(id, MediaEvent::Interrupted);
    }
    rig.seconds(1);
    rig.up();
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    (rig, id, reinvite)
}
