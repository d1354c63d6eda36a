//! What a session hears and plays: how a change of it goes, and what is in trouble.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Choice, Context, Session, State};
use crate::door::audio::{self, Device};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::{Event, Warning};
use crate::door::id::Ticket;
use crate::door::level::Level;
use crate::door::media::{SoundCommand, StandIn};
use crate::door::output::{Reply, Wake};

/// What was chosen is open by then, or counts as failed: no command waits for ever.
const OPENING: Duration = Duration::from_secs(5);

/// Changes that may wait for the one under way. An application that makes more does not listen to any.
const MOST_WAITING: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Devices {
    /// What can't be used; the application was warned.
    troubled: Vec<Device>,
    input: Changes<audio::Input>,
    output: Changes<audio::Output>,
}

/// Changes that take turns: each is settled by what becomes of it before the next begins.
#[derive(Debug)]
struct Changes<T> {
    /// It fails where what was chosen can't be opened.
    current: Option<DeviceChange<T>>,
    waiting: VecDeque<(Ticket, T)>,
}

#[derive(Debug)]
struct DeviceChange<T> {
    ticket: Ticket,
    before: Choice<T>,
    until: Instant,
}

impl<T> Default for Changes<T> {
    fn default() -> Self {
        Changes {
            current: None,
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Changes<T> {
    /// Takes a change that has to wait; gives it back where none is under way.
    fn enqueue(&mut self, ticket: Ticket, chosen: T, ctx: &mut Context<'_>) -> Option<T> {
        if self.current.is_none() {
            return Some(chosen);
        }
        if self.waiting.len() == MOST_WAITING
            && let Some((oldest, _)) = self.waiting.pop_front()
        {
            let text = "Another was chosen before it was this one's turn to be opened";
            let error = PhoneError::new(ErrorCode::Aborted, text);
            ctx.reply(oldest, Err(error));
        }
        self.waiting.push_back((ticket, chosen));
        None
    }

    /// The next change, once the one before is settled.
    fn next(&mut self) -> Option<(Ticket, T)> {
        match self.current {
            Some(_) => None,
            None => self.waiting.pop_front(),
        }
    }

    /// The commands that wait, in order, and what was chosen last.
    fn take(&mut self) -> (Vec<Ticket>, Option<T>) {
        let current = self.current.take().map(|change| change.ticket);
        let (waiting, mut chosen): (Vec<Ticket>, Vec<T>) = self.waiting.drain(..).unzip();
        (current.into_iter().chain(waiting).collect(), chosen.pop())
    }

    fn until(&self) -> Option<Instant> {
        self.current.as_ref().map(|change| change.until)
    }
}

impl Devices {
    /// The commands that wait for what is being opened.
    pub(super) fn take_tickets(&mut self) -> Vec<Ticket> {
        let (mut tickets, _) = self.input.take();
        tickets.extend(self.output.take().0);
        tickets
    }
}

impl Session {
    /// Changes what the far end hears, of a member of a conference once it goes on alone. The reply comes when it
    /// is open.
    pub(crate) fn set_input(&mut self, ticket: Ticket, input: audio::Input, ctx: &mut Context<'_>) {
        if let Some(input) = self.near_end.devices.input.enqueue(ticket, input, ctx) {
            self.change_input(ticket, input, ctx);
        }
    }

    /// Changes where the far end is heard, as [`Session::set_input`].
    pub(crate) fn set_output(
        &mut self,
        ticket: Ticket,
        output: audio::Output,
        ctx: &mut Context<'_>,
    ) {
        if let Some(output) = self.near_end.devices.output.enqueue(ticket, output, ctx) {
            self.change_output(ticket, output, ctx);
        }
    }

    fn change_input(&mut self, ticket: Ticket, input: audio::Input, ctx: &mut Context<'_>) {
        let before = std::mem::replace(&mut self.near_end.input, Choice::Own(input.clone()));
        if self.near_end.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        self.near_end.devices.input.current = Some(DeviceChange {
            ticket,
            before,
            until: ctx.now + OPENING,
        });
        ctx.media(self.id, SoundCommand::SetInput { input });
    }

    fn change_output(&mut self, ticket: Ticket, output: audio::Output, ctx: &mut Context<'_>) {
        let before = std::mem::replace(&mut self.near_end.output, Choice::Own(output.clone()));
        if self.near_end.place.seat().is_some() {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        self.near_end.devices.output.current = Some(DeviceChange {
            ticket,
            before,
            until: ctx.now + OPENING,
        });
        ctx.media(self.id, SoundCommand::SetOutput { output });
    }

    fn next_change(&mut self, ctx: &mut Context<'_>) {
        while let Some((ticket, input)) = self.near_end.devices.input.next() {
            self.change_input(ticket, input, ctx);
        }
        while let Some((ticket, output)) = self.near_end.devices.output.next() {
            self.change_output(ticket, output, ctx);
        }
    }

    /// Takes a seat in a conference: what was chosen last counts once it goes on alone.
    pub(super) fn put_changes_off(&mut self, ctx: &mut Context<'_>) {
        let (mut tickets, input) = self.near_end.devices.input.take();
        if let Some(input) = input {
            self.near_end.input = Choice::Own(input);
        }
        let (more, output) = self.near_end.devices.output.take();
        if let Some(output) = output {
            self.near_end.output = Choice::Own(output);
        }
        tickets.extend(more);
        for ticket in tickets {
            ctx.reply(ticket, Ok(Reply::Done));
        }
    }

    /// When what is being opened counts as failed.
    pub(super) fn opening_deadline(&self) -> Option<(Instant, Wake)> {
        let Devices { input, output, .. } = &self.near_end.devices;
        let until = input.until().into_iter().chain(output.until()).min()?;
        Some((until, Wake::Opening))
    }

    /// Gives up what has been opened for too long.
    pub(super) fn drive_opening(&mut self, ctx: &mut Context<'_>) {
        let is_due = |until: Option<Instant>| until.is_some_and(|until| until <= ctx.now);
        let due = [
            (Device::Input, is_due(self.near_end.devices.input.until())),
            (Device::Output, is_due(self.near_end.devices.output.until())),
        ];
        for (device, _) in due.into_iter().filter(|(_, is_due)| *is_due) {
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
            Device::Input => input.current.take().map(|change| change.ticket),
            Device::Output => output.current.take().map(|change| change.ticket),
            Device::Music => None,
        };
        if let Some(ticket) = settled {
            ctx.reply(ticket, Ok(Reply::Done));
            self.next_change(ctx);
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
            stand_in,
        };
        self.tell_of_device(warning, ctx);
        let error = || PhoneError::new(ErrorCode::NoDevice, text);
        match device {
            Device::Input => {
                if let Some(DeviceChange { ticket, before, .. }) =
                    self.near_end.devices.input.current.take()
                {
                    self.near_end.input = before;
                    let input = self.near_end.input(ctx);
                    ctx.media(self.id, SoundCommand::SetInput { input });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Output => {
                if let Some(DeviceChange { ticket, before, .. }) =
                    self.near_end.devices.output.current.take()
                {
                    self.near_end.output = before;
                    let output = self.near_end.output(ctx);
                    ctx.media(self.id, SoundCommand::SetOutput { output });
                    ctx.reply(ticket, Err(error()));
                }
            }
            Device::Music => {}
        }
        self.next_change(ctx);
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
