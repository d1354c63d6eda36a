//! What a session hears and plays: how a change of it goes, and what is in trouble.

use super::{Choice, Context, Session, State};
use crate::door::audio::{self, Device};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::{Event, Warning};
use crate::door::id::Ticket;
use crate::door::level::Level;
use crate::door::media::{SoundCommand, StandIn};
use crate::door::output::Reply;

#[derive(Debug, Default)]
pub(super) struct Devices {
    /// What can't be used; the application was warned.
    troubled: Vec<Device>,
    /// A change that is not settled: it fails where what was chosen can't be opened.
    input: Option<Change<audio::Input>>,
    output: Option<Change<audio::Output>>,
}

#[derive(Debug)]
struct Change<T> {
    ticket: Ticket,
    before: Choice<T>,
}

impl Devices {
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
        let before = std::mem::replace(&mut self.input, Choice::Own(input.clone()));
        if self.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        let before = overtake(self.devices.input.take(), before, ctx);
        self.devices.input = Some(Change { ticket, before });
        ctx.media(self.id, SoundCommand::SetInput { input });
    }

    /// Changes where the far end is heard, as [`Session::set_input`].
    pub(crate) fn set_output(
        &mut self,
        ticket: Ticket,
        output: audio::Output,
        ctx: &mut Context<'_>,
    ) {
        let before = std::mem::replace(&mut self.output, Choice::Own(output.clone()));
        if self.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        let before = overtake(self.devices.output.take(), before, ctx);
        self.devices.output = Some(Change { ticket, before });
        ctx.media(self.id, SoundCommand::SetOutput { output });
    }

    /// What was chosen is open, for the first time or again.
    pub(super) fn device_opened(&mut self, device: Device, ctx: &mut Context<'_>) {
        let troubled = &mut self.devices.troubled;
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
        let waiting = match device {
            Device::Input => self.devices.input.take().map(|change| change.ticket),
            Device::Output => self.devices.output.take().map(|change| change.ticket),
            Device::Music => None,
        };
        if let Some(ticket) = waiting {
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
        if !self.devices.troubled.contains(&device) {
            self.devices.troubled.push(device);
        }
        let warning = Event::Warning {
            id: self.id,
            warning: Warning::NoDevice,
            text: text.clone(),
            stand_in,
        };
        self.tell_of_device(warning, ctx);
        let error = || PhoneError::new(ErrorCode::NoDevice, text);
        match device {
            Device::Input => {
                if let Some(Change { ticket, before }) = self.devices.input.take() {
                    self.input = before;
                    let input = self.chosen_input(ctx);
                    ctx.media(self.id, SoundCommand::SetInput { input });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Output => {
                if let Some(Change { ticket, before }) = self.devices.output.take() {
                    self.output = before;
                    let output = self.chosen_output(ctx);
                    ctx.media(self.id, SoundCommand::SetOutput { output });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Music => {}
        }
    }

    /// Nothing plays the music any more, so its trouble is over.
    pub(super) fn music_ended(&mut self, ctx: &mut Context<'_>) {
        if self.devices.troubled.contains(&Device::Music) {
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

/// Settles a change that another one follows, and returns what was chosen before both.
fn overtake<T>(earlier: Option<Change<T>>, before: Choice<T>, ctx: &mut Context<'_>) -> Choice<T> {
    match earlier {
        Some(earlier) => {
            ctx.reply(earlier.ticket, Ok(Reply::Done));
            earlier.before
        }
        None => before,
    }
}
