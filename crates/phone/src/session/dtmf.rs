//! Tones that we send, and those that arrive.

use std::time::{Duration, Instant};

use super::keys::KeyOrder;
use super::{Context, Session, State};
use crate::door::dtmf::{DtmfMethod, Tones};
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::media::StreamCommand;
use crate::door::output::Reply;

/// More at once is no dialling but a mistake.
const MOST_TONES: usize = 256;

/// How long after a key was heard in the sound its INFO may come.
const SAME_KEY: Duration = Duration::from_secs(1);

/// What is known of how the peer presses keys: some send an INFO and leave the sound of the key in,
/// which must not count twice.
#[derive(Debug, Default)]
pub(super) struct Pressed {
    /// It uses INFO, so that what is heard is an echo of it.
    by_info: bool,
    /// The last one that was heard in the sound.
    heard: Option<(Tones, Instant)>,
}

impl Pressed {
    /// Whether a key is news.
    fn is_new(&mut self, tone: &Tones, method: DtmfMethod, now: Instant) -> bool {
        match method {
            DtmfMethod::Rfc4733 => true,
            DtmfMethod::Inband => {
                self.heard = Some((tone.clone(), now));
                !self.by_info
            }
            DtmfMethod::Info => {
                let same = |(heard, at): &(Tones, Instant)| heard == tone && now < *at + SAME_KEY;
                let echo = !self.by_info && self.heard.as_ref().is_some_and(same);
                self.by_info = true;
                !echo
            }
        }
    }
}

/// A command whose tones media sends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialled {
    pub(super) ticket: Ticket,
    /// The far end knows them all, and may hang up for that.
    pub(super) is_out: bool,
}

impl Session {
    /// Queues the tones; the command is done when the last one was sent.
    pub(crate) fn send_dtmf(
        &mut self,
        ticket: Ticket,
        tones: &Tones,
        duration: u32,
        gap: u32,
        via: DtmfMethod,
        ctx: &mut Context<'_>,
    ) {
        let tones = match self.check_tones(tones, duration, gap) {
            Ok(tones) => tones,
            Err(error) => return ctx.reply(ticket, Err(error)),
        };
        match via {
            DtmfMethod::Rfc4733 | DtmfMethod::Inband => {
                if let State::Active(active) = &mut self.state {
                    let is_out = false;
                    active.tones.push(Dialled { ticket, is_out });
                }
                let command = StreamCommand::SendDtmf {
                    ticket,
                    tones: Tones::new(tones),
                    duration,
                    gap,
                    in_band: via == DtmfMethod::Inband,
                };
                ctx.media(self.id, command);
            }
            DtmfMethod::Info => {
                let order = KeyOrder {
                    ticket,
                    tones: tones.chars().collect(),
                    duration,
                    gap,
                };
                self.press(order, ctx);
            }
        }
    }

    /// The tones as they are sent.
    fn check_tones(&self, tones: &Tones, duration: u32, gap: u32) -> Result<String, PhoneError> {
        let known = |tone: char| tone.is_ascii_digit() || "ABCDabcd*#,".contains(tone);
        let text = tones.reveal();
        if text.is_empty() || text.len() > MOST_TONES || !text.chars().all(known) {
            return Err(PhoneError::invalid(
                "tones must be 1 to 256 of 0-9, A-D, *, # and ','",
            ));
        }
        if !(40..=6000).contains(&duration) {
            return Err(PhoneError::invalid(
                "duration must be 40 to 6000 milliseconds",
            ));
        }
        if !(30..=6000).contains(&gap) {
            return Err(PhoneError::invalid("gap must be 30 to 6000 milliseconds"));
        }
        if !matches!(self.state, State::Active(_)) {
            return Err(PhoneError::wrong_state(
                "Tones can be sent only in an active session",
            ));
        }
        Ok(text.to_ascii_uppercase())
    }

    /// The far end pressed a key.
    pub(crate) fn pressed(
        &mut self,
        tone: Tones,
        duration: u32,
        method: DtmfMethod,
        ctx: &mut Context<'_>,
    ) {
        if self.is_live() && self.pressed.is_new(&tone, method, ctx.now) {
            let id = self.id;
            ctx.emit(Event::Dtmf {
                id,
                tone,
                duration,
                method,
            });
        }
    }

    /// Whether tones of this command wait.
    pub(crate) fn is_dialling(&self, ticket: Ticket) -> bool {
        match &self.state {
            State::Active(active) => {
                active.tones.iter().any(|tones| tones.ticket == ticket) || active.keys.wait(ticket)
            }
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Drops the tones of a command that are not on their way yet.
    pub(crate) fn stop_dialling(&mut self, ticket: Ticket, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        active.keys.drop(ticket);
        let waiting = active.tones.len();
        active.tones.retain(|tones| tones.ticket != ticket);
        if active.tones.len() < waiting {
            ctx.media(self.id, StreamCommand::StopDtmf { ticket });
        }
    }

    /// A tone was sent; if none is left, the commands are done.
    pub(super) fn tones_sent(&mut self, remaining: u32, ctx: &mut Context<'_>) {
        if let (State::Active(active), 0) = (&mut self.state, remaining) {
            for tones in std::mem::take(&mut active.tones) {
                ctx.reply(tones.ticket, Ok(Reply::Done));
            }
        }
    }

    /// The last tone of a command is out; the command is done when all of it was sent, or the call is over.
    pub(super) fn tones_out(&mut self, ticket: Ticket) {
        if let State::Active(active) = &mut self.state {
            let named = |tones: &&mut Dialled| tones.ticket == ticket;
            if let Some(tones) = active.tones.iter_mut().find(named) {
                tones.is_out = true;
            }
        }
    }

    /// Media can't send the tones of one command; the others wait on.
    pub(super) fn tones_refused(&mut self, refused: Ticket, why: String, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        let waiting = active.tones.len();
        active.tones.retain(|tones| tones.ticket != refused);
        if active.tones.len() < waiting {
            let error =
                PhoneError::new(ErrorCode::DtmfRefused, why).with_kind(ErrorType::NotSupported);
            ctx.reply(refused, Err(error));
        }
    }
}
