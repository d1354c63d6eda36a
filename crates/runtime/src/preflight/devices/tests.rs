use std::any::Any;

use super::*;
use crate::device::{CaptureEnd, Direction, Listing, Notice, Opened, PlaybackEnd, Presence};

/// A sound system whose one device fails in this way, or opens, and then moves samples or none.
struct OneDevice {
    fault: Option<Fault>,
    moves: bool,
}

impl OneDevice {
    fn open(&self, stream: Box<dyn Any>) -> Result<Opened, Fault> {
        match &self.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(Opened {
                name: "made up".to_owned(),
                hz: 44_100,
                stream,
            }),
        }
    }
}

impl Backend for OneDevice {
    fn list(&self) -> Listing {
        Listing::default()
    }

    fn presence(&self, _: &DeviceId, _: Direction) -> Presence {
        Presence::There
    }

    fn open_input(
        &self,
        _: &Selection,
        mut end: CaptureEnd,
        _: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        if self.moves {
            end.push(&[0_i16; 480], 1);
        }
        self.open(Box::new(end))
    }

    fn open_output(
        &self,
        _: &Selection,
        mut end: PlaybackEnd,
        _: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        if self.moves {
            end.fill(&mut [0_i16; 480], 1);
        }
        self.open(Box::new(end))
    }
}

fn found(name: CheckName, fault: Option<Fault>, moves: bool) -> Check {
    let backend = Arc::new(OneDevice { fault, moves });
    judge(name, opened(name, backend, Selection::Default))
}

fn reason() -> String {
    "in the system's words".to_owned()
}

#[test]
fn a_device_through_which_samples_go_is_well() {
    for (name, code) in [
        (CheckName::Microphone, CheckCode::MicrophoneOk),
        (CheckName::Speaker, CheckCode::SpeakerOk),
    ] {
        let check = found(name, None, true);
        assert_eq!(check.code, code);
        assert!(check.found.starts_with("made up "), "{}", check.found);
        assert_eq!(check.details["rate"], 44_100);
    }
}

#[test]
fn a_device_that_opens_and_moves_nothing_is_told() {
    let check = found(CheckName::Microphone, None, false);
    assert_eq!(check.code, CheckCode::MicrophoneSilent);
    let check = found(CheckName::Speaker, None, false);
    assert_eq!(check.code, CheckCode::SpeakerSilent);
}

#[test]
fn a_device_that_is_missing_busy_forbidden_or_broken_is_told_apart() {
    let device = "default".to_owned();
    for (fault, microphone, speaker) in [
        (
            Fault::NotFound { device },
            CheckCode::MicrophoneNone,
            CheckCode::SpeakerNone,
        ),
        (
            Fault::NoHost { reason: reason() },
            CheckCode::MicrophoneNone,
            CheckCode::SpeakerNone,
        ),
        (
            Fault::Busy { reason: reason() },
            CheckCode::MicrophoneBusy,
            CheckCode::SpeakerBusy,
        ),
        (
            Fault::Denied { reason: reason() },
            CheckCode::MicrophoneDenied,
            CheckCode::SpeakerDenied,
        ),
        (
            Fault::Unsupported { reason: reason() },
            CheckCode::MicrophoneFailed,
            CheckCode::SpeakerFailed,
        ),
    ] {
        let check = found(CheckName::Microphone, Some(fault.clone()), true);
        assert_eq!(check.code, microphone);
        assert_eq!(check.found, fault.to_string());
        let check = found(CheckName::Speaker, Some(fault), true);
        assert_eq!(check.code, speaker);
    }
}
