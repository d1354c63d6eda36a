//! What a session hears and plays: how a change of it goes, and what is in trouble.

use std::time::{Duration, Instant};

use super::{Choice, Context, Session, State};
use crate::door::audio::{self, Device};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::level::Level;
use crate::door::media::{SoundCommand, StandIn};
use crate::door::output::{Reply, Wake};
use crate::door::video::VideoContent;
use crate::door::warning::Warning;

/// What was chosen is open by then, or counts as failed: no command waits for ever.
const OPENING: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct Devices {
    /// What can't be used; the application was warned.
    troubled: Vec<Device>,
    /// What is being opened: where it can't be, what was before comes back.
    input: Option<DeviceChange<audio::Input>>,
    output: Option<DeviceChange<audio::Output>>,
}

#[derive(Debug)]
struct DeviceChange<T> {
    ticket: Ticket,
    before: Choice<T>,
    until: Instant,
}

impl<T> DeviceChange<T> {
    fn begin(ticket: Ticket, before: Choice<T>, now: Instant) -> Self {
        DeviceChange {
            ticket,
            before,
            until: now + OPENING,
        }
    }
}

impl Devices {
    /// Whether what the far end is to hear can't be used.
    pub(super) fn is_without_input(&self) -> bool {
        self.is_troubled(Device::Input)
    }

    pub(super) fn is_troubled(&self, device: Device) -> bool {
        self.troubled.contains(&device)
    }

    /// The commands that wait for what is being opened.
    pub(super) fn take_tickets(&mut self) -> Vec<Ticket> {
        let input = self.input.take().map(|change| change.ticket);
        let output = self.output.take().map(|change| change.ticket);
        input.into_iter().chain(output).collect()
    }
}

impl Session {
    /// Changes what the far end hears, of a member of a conference once it goes on alone. The reply comes when it
    /// is open.
    pub(crate) fn set_input(&mut self, ticket: Ticket, input: audio::Input, ctx: &mut Context<'_>) {
        let near_end = &mut self.near_end;
        let before = std::mem::replace(&mut near_end.input, Choice::Own(input.clone()));
        if near_end.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        let before = overtake(near_end.devices.input.take(), before, ctx);
        near_end.devices.input = Some(DeviceChange::begin(ticket, before, ctx.now));
        ctx.media(self.id, SoundCommand::SetInput { input });
    }

    /// Changes where the far end is heard, as [`Session::set_input`].
    pub(crate) fn set_output(
        &mut self,
        ticket: Ticket,
        output: audio::Output,
        ctx: &mut Context<'_>,
    ) {
        let near_end = &mut self.near_end;
        let before = std::mem::replace(&mut near_end.output, Choice::Own(output.clone()));
        if near_end.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        let before = overtake(near_end.devices.output.take(), before, ctx);
        near_end.devices.output = Some(DeviceChange::begin(ticket, before, ctx.now));
        ctx.media(self.id, SoundCommand::SetOutput { output });
    }

    /// Changes what is done to its microphone's sound, of a member of a conference once it goes on alone.
    pub(crate) fn set_processing(&mut self, processing: audio::Processing, ctx: &mut Context<'_>) {
        self.near_end.processing = processing.or(self.near_end.processing);
        self.tell_processing(ctx);
    }

    /// Tells media what is done to its microphone's sound.
    pub(crate) fn tell_processing(&self, ctx: &mut Context<'_>) {
        let processing = self.near_end.processing(ctx);
        ctx.media(self.id, SoundCommand::SetProcessing { processing });
    }

    /// Takes a seat in a conference: what was chosen counts once it goes on alone.
    pub(super) fn put_changes_off(&mut self, ctx: &mut Context<'_>) {
        for ticket in self.near_end.devices.take_tickets() {
            ctx.reply(ticket, Ok(Reply::Done));
        }
    }

    /// When what is being opened counts as failed.
    pub(super) fn opening_deadline(&self) -> Option<(Instant, Wake)> {
        let Devices { input, output, .. } = &self.near_end.devices;
        let input = input.as_ref().map(|change| change.until);
        let output = output.as_ref().map(|change| change.until);
        let until = input.into_iter().chain(output).min()?;
        Some((until, Wake::Opening))
    }

    /// Gives up what has been opened for too long.
    pub(super) fn drive_opening(&mut self, ctx: &mut Context<'_>) {
        let Devices { input, output, .. } = &self.near_end.devices;
        let due = [
            (Device::Input, input.as_ref().map(|change| change.until)),
            (Device::Output, output.as_ref().map(|change| change.until)),
        ];
        let now = ctx.now;
        let is_due = |until: Option<Instant>| until.is_some_and(|until| until <= now);
        for (device, _) in due.into_iter().filter(|(_, until)| is_due(*until)) {
            let reason = format!("it did not open within {} s", OPENING.as_secs());
            self.device_failed(device, &reason, ctx);
        }
    }

    /// What was chosen is open, for the first time or again.
    pub(super) fn device_opened(&mut self, device: Device, ctx: &mut Context<'_>) {
        let troubled = &mut self.near_end.devices.troubled;
        if troubled.contains(&device) {
            troubled.retain(|known| *known != device);
            if troubled.is_empty() {
                let warning = Warning::NoDevice;
                self.tell_of_device(
                    Event::WarningCleared {
                        id: self.id,
                        warning,
                    },
                    ctx,
                );
            }
        }
        let Devices { input, output, .. } = &mut self.near_end.devices;
        let settled = match device {
            Device::Input => input.take().map(|change| change.ticket),
            Device::Output => output.take().map(|change| change.ticket),
            Device::Music => None,
            Device::Camera => return self.video_opened(VideoContent::Camera, ctx),
            Device::Screen => return self.video_opened(VideoContent::Screen, ctx),
        };
        if let Some(ticket) = settled {
            ctx.reply(ticket, Ok(Reply::Done));
        }
    }

    /// What was chosen can't be opened, or was lost. Of a change that the application waits for nothing remains.
    pub(super) fn device_failed(&mut self, device: Device, reason: &str, ctx: &mut Context<'_>) {
        self.device_missing(device, reason, None, ctx);
    }

    /// What was chosen vanished and another is used. A change that the application waits for fails all the same.
    pub(super) fn device_replaced(
        &mut self,
        device: Device,
        stand_in: StandIn,
        ctx: &mut Context<'_>,
    ) {
        self.device_missing(device, &stand_in.to_string(), Some(stand_in), ctx);
    }

    fn device_missing(
        &mut self,
        device: Device,
        reason: &str,
        stand_in: Option<StandIn>,
        ctx: &mut Context<'_>,
    ) {
        let text = format!("{device:?} device: {reason}");
        ctx.trace(Level::Warn, &text, serde_json::json!({ "id": self.id }));
        if !self.near_end.devices.troubled.contains(&device) {
            self.near_end.devices.troubled.push(device);
        }
        let warning = Event::Warning {
            id: self.id,
            warning: Warning::NoDevice,
            text: text.clone(),
            explanation: Warning::NoDevice.explained(),
            stand_in,
        };
        self.tell_of_device(warning, ctx);
        let error = || PhoneError::new(ErrorCode::NoDevice, text);
        match device {
            Device::Input => {
                if let Some(DeviceChange { ticket, before, .. }) =
                    self.near_end.devices.input.take()
                {
                    self.near_end.input = before;
                    let input = self.near_end.input(ctx);
                    ctx.media(self.id, SoundCommand::SetInput { input });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Output => {
                if let Some(DeviceChange { ticket, before, .. }) =
                    self.near_end.devices.output.take()
                {
                    self.near_end.output = before;
                    let output = self.near_end.output(ctx);
                    ctx.media(self.id, SoundCommand::SetOutput { output });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Music => {}
            Device::Camera => {
                self.video_failed(VideoContent::Camera, ErrorCode::NoDevice, reason, ctx);
            }
            Device::Screen => {
                self.video_failed(VideoContent::Screen, ErrorCode::NoDevice, reason, ctx);
            }
        }
    }

    /// Nothing plays the music any more, so its trouble is over.
    pub(super) fn music_ended(&mut self, ctx: &mut Context<'_>) {
        if self.near_end.devices.troubled.contains(&Device::Music) {
            self.device_opened(Device::Music, ctx);
        }
    }

    fn tell_of_device(&mut self, event: Event, ctx: &mut Context<'_>) {
        match &mut self.state {
            State::Offering(offering) => offering.held.push(event),
            State::Pending(_)
            | State::Answering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => ctx.emit(event),
        }
    }
}

/// Gives up a change that another one follows, for it may never open, and returns what was chosen before both.
fn overtake<T>(
    earlier: Option<DeviceChange<T>>,
    before: Choice<T>,
    ctx: &mut Context<'_>,
) -> Choice<T> {
    let Some(earlier) = earlier else {
        return before;
    };
    let text = "Another was chosen before this one was open";
    let error = PhoneError::new(ErrorCode::Aborted, text);
    ctx.reply(earlier.ticket, Err(error));
    earlier.before
}
