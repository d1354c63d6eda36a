//! Whether the microphone and the speaker open, and give and take sound.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use audio::{Frame, Rate};
use phone::audio::{Input, Output};
use preflight::{Check, CheckCode, CheckName};

use super::examination::{Desk, Examination, Place, timed};
use crate::device::{
    Backend, Counters, DeviceEvent, DeviceId, Fault, Replacement, Selection, Wanted,
    open_microphone, open_speaker,
};

/// A sound server that is asked for a device starts it within this.
const OPENING: Duration = Duration::from_secs(4);
/// The first samples of a device that is open come within this.
const FLOWING: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(10);

/// What is looked for here.
pub(super) const NAMES: &[CheckName] = &[CheckName::Microphone, CheckName::Speaker];

/// Opens both, one after the other: some headsets can't otherwise.
pub(super) async fn look(examination: &Examination, desk: &Desk, backend: Arc<dyn Backend>) {
    let audio = &examination.config.audio;
    let microphone = match &audio.input {
        Input::Default => Some(Selection::Default),
        Input::Device { id } => Some(Selection::Id(DeviceId(id.clone()))),
        Input::Source { .. }
        | Input::Wav { .. }
        | Input::Tone { .. }
        | Input::Session { .. }
        | Input::Conference { .. }
        | Input::Mix { .. }
        | Input::None => None,
    };
    let speaker = match &audio.output {
        Output::Default => Some(Selection::Default),
        Output::Device { id } => Some(Selection::Id(DeviceId(id.clone()))),
        Output::Sink { .. } | Output::Wav { .. } | Output::Several { .. } | Output::None => None,
    };
    for (name, selection) in [
        (CheckName::Microphone, microphone),
        (CheckName::Speaker, speaker),
    ] {
        if !examination.wants(&[name]) {
            continue;
        }
        let Some(selection) = selection else {
            let found = "the options name none";
            desk.tell(
                Place::Machine,
                Check::new(name, CheckCode::NotWanted, found),
            );
            continue;
        };
        let backend = Arc::clone(&backend);
        let opening = tokio::task::spawn_blocking(move || opened(name, backend, selection));
        let (outcome, took) = timed(opening).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Trouble::Fault(broke())));
        desk.tell(Place::Machine, judge(name, outcome).took(took));
    }
}

/// What a device was like.
#[derive(Debug, PartialEq, Eq)]
struct OpenDevice {
    name: String,
    hz: u32,
}

/// Why it is of no use.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    Fault(Fault),
    /// It opens, and nothing goes through it.
    Still(String),
}

fn broke() -> Fault {
    Fault::Other {
        reason: "looking at it broke".to_owned(),
    }
}

fn opened(
    name: CheckName,
    backend: Arc<dyn Backend>,
    selection: Selection,
) -> Result<OpenDevice, Trouble> {
    let wanted = Wanted {
        selection,
        replacement: Replacement::Never,
    };
    // Unbounded: a device tells a few times how it is.
    let (tell, told) = mpsc::channel();
    let events = move |event| {
        let _ = tell.send(event);
    };
    let failed = |error: std::io::Error| {
        Trouble::Fault(Fault::Other {
            reason: error.to_string(),
        })
    };
    if name == CheckName::Microphone {
        let (mut microphone, handle) = open_microphone(backend, wanted, events).map_err(failed)?;
        let counters = Arc::clone(microphone.counters());
        let mut frame = Frame::silence(Rate::Hz48000);
        let outcome = flows(&told, &counters, || {
            microphone.tick(&mut frame);
        });
        handle.close();
        return outcome;
    }
    let (mut speaker, handle) = open_speaker(backend, wanted, events).map_err(failed)?;
    let counters = Arc::clone(speaker.counters());
    let silence = Frame::silence(Rate::Hz48000);
    let outcome = flows(&told, &counters, || {
        speaker.tick(&silence);
    });
    handle.close();
    outcome
}

/// Waits until the device is open and has moved samples.
fn flows(
    told: &mpsc::Receiver<DeviceEvent>,
    counters: &Counters,
    mut tick: impl FnMut(),
) -> Result<OpenDevice, Trouble> {
    let device = wait_for_opening(told)?;
    let end = Instant::now() + FLOWING;
    while counters.frames.load(Relaxed) == 0 {
        tick();
        match told.recv_timeout(TICK) {
            Ok(DeviceEvent::Failed { fault, .. }) => return Err(Trouble::Fault(fault)),
            Ok(
                DeviceEvent::Opened { .. }
                | DeviceEvent::Moved
                | DeviceEvent::Busy
                | DeviceEvent::Replaced { .. },
            )
            | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Fault(broke())),
        }
        if Instant::now() >= end {
            return Err(Trouble::Still(device.name));
        }
    }
    Ok(device)
}

fn wait_for_opening(told: &mpsc::Receiver<DeviceEvent>) -> Result<OpenDevice, Trouble> {
    let end = Instant::now() + OPENING;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match told.recv_timeout(left) {
            Ok(DeviceEvent::Opened { name, hz }) => return Ok(OpenDevice { name, hz }),
            // It may open yet.
            Ok(DeviceEvent::Failed {
                fault: Fault::Slow, ..
            }) => {}
            Ok(DeviceEvent::Failed { fault, .. }) => return Err(Trouble::Fault(fault)),
            Ok(DeviceEvent::Moved | DeviceEvent::Busy | DeviceEvent::Replaced { .. }) => {}
            Err(RecvTimeoutError::Timeout) => {
                let reason = format!("it did not open within {} s", OPENING.as_secs());
                return Err(Trouble::Fault(Fault::Other { reason }));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Trouble::Fault(broke())),
        }
    }
}

fn judge(name: CheckName, outcome: Result<OpenDevice, Trouble>) -> Check {
    let is_microphone = name == CheckName::Microphone;
    let one_of = |microphone, speaker| match is_microphone {
        true => microphone,
        false => speaker,
    };
    let fault = match outcome {
        Ok(OpenDevice { name: label, hz }) => {
            let code = one_of(CheckCode::MicrophoneOk, CheckCode::SpeakerOk);
            let does = if is_microphone { "gives" } else { "takes" };
            let found = format!("{label} {does} sound, at {hz} Hz");
            return Check::new(name, code, found)
                .with("device", label)
                .with("rate", hz);
        }
        Err(Trouble::Still(label)) => {
            let code = one_of(CheckCode::MicrophoneSilent, CheckCode::SpeakerSilent);
            let found = format!("{label} opens, and nothing goes through it");
            return Check::new(name, code, found).with("device", label);
        }
        Err(Trouble::Fault(fault)) => fault,
    };
    let code = match &fault {
        Fault::NoHost { .. } | Fault::NotFound { .. } => {
            one_of(CheckCode::MicrophoneNone, CheckCode::SpeakerNone)
        }
        Fault::Busy { .. } => one_of(CheckCode::MicrophoneBusy, CheckCode::SpeakerBusy),
        Fault::Denied { .. } => one_of(CheckCode::MicrophoneDenied, CheckCode::SpeakerDenied),
        Fault::Slow | Fault::Unsupported { .. } | Fault::Lost { .. } | Fault::Other { .. } => {
            one_of(CheckCode::MicrophoneFailed, CheckCode::SpeakerFailed)
        }
    };
    Check::new(name, code, fault.to_string())
}

#[cfg(test)]
mod tests;
