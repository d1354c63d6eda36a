//! Calls of our own.

use std::time::Duration;

use sip::uri::Uri;

use super::command::check_headers;
use super::{Heard, Phone};
use crate::config::keying;
use crate::door::command::CallOptions;
use crate::door::error::PhoneError;
use crate::door::id::{SessionId, Ticket};
use crate::door::media::KeyingWish;
use crate::reading::{invitation, parties, target};
use crate::session::{Closed, Dial, Report, Session, Shown};

/// Whom to call, and what led to it.
#[derive(Debug)]
pub(super) struct OutgoingCall {
    pub(super) target: Uri<'static>,
    /// Our half of the name of the session that it belongs to.
    pub(super) session: Option<u128>,
    pub(super) report: Option<Report>,
    pub(super) closed: Closed,
}

impl Phone {
    pub(super) fn call(
        &mut self,
        ticket: Ticket,
        target: &str,
        options: CallOptions,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &self.around.config.address)?;
        self.check_call(&options)?;
        if !self.around.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        self.check_room()?;
        let call = OutgoingCall {
            target,
            session: None,
            report: None,
            closed: Closed::default(),
        };
        let id = self.dial(ticket, call, options)?;
        self.hold_others(Heard::Session(id));
        Ok(())
    }

    pub(super) fn check_call(&mut self, options: &CallOptions) -> Result<(), PhoneError> {
        check_headers(&options.headers)?;
        self.check_media(options.media.as_deref())?;
        self.check_shown(None, [options.video.as_ref(), options.screen.as_ref()])?;
        invitation::read(&mut options.clone(), &self.around.config).map_err(PhoneError::invalid)?;
        Ok(())
    }

    /// A call that could be protected in no way that it may be is not placed.
    fn check_media(&mut self, media: Option<&[KeyingWish]>) -> Result<(), PhoneError> {
        if let Some(fault) = media.and_then(keying::fault) {
            let expected = keying::EXPECTED;
            let text = format!("media must be {expected}, but is {fault}");
            return Err(PhoneError::invalid(text));
        }
        let context = self.around.context();
        let phone = context.config.media.contains(&KeyingWish::SdesUnprotected);
        let says = |wish| media.is_some_and(|media| media.contains(&wish));
        if says(KeyingWish::SdesUnprotected) && !phone {
            return Err(PhoneError::invalid(
                "media of a call has 'sdes-unprotected' only if media of the phone has it",
            ));
        }
        // The phone would say its keys over any connection that comes later.
        if says(KeyingWish::Sdes) && phone {
            return Err(PhoneError::invalid(
                "media of a call has 'sdes' only if media of the phone is without 'sdes-unprotected'; say that of the call, or take \
                 it from the phone",
            ));
        }
        let wished = media.unwrap_or(&context.config.media);
        match context.agent.transport().is_some() && context.keyings(wished, None).is_empty() {
            true => Err(PhoneError::invalid(
                "media is 'sdes', whose keys stand in what is said to the server, and the connection to it has no TLS; connect \
                 by wss: or TLS, or allow 'sdes-unprotected'",
            )),
            false => Ok(()),
        }
    }

    /// Makes the session of a call, which its INVITE and the command's reply follow; others are the caller's to hold.
    pub(super) fn dial(
        &mut self,
        ticket: Ticket,
        call: OutgoingCall,
        mut options: CallOptions,
    ) -> Result<SessionId, PhoneError> {
        let invitation =
            invitation::read(&mut options, &self.around.config).map_err(PhoneError::invalid)?;
        let dial = Dial {
            ticket,
            peer: parties::peer(&call.target),
            target: call.target,
            conversation_id: options.conversation_id.unwrap_or_default(),
            from: invitation.from,
            anonymous: options.anonymous,
            headers: invitation.headers,
            timeout: options.timeout.map(Duration::from_millis),
            voice_activity: options.voice_activity,
            input: options.input,
            output: options.output,
            processing: options.audio,
            shown: Shown {
                camera: options.video,
                screen: options.screen,
            },
            media: options.media,
            closed: call.closed,
            session: call.session,
            report: call.report,
        };
        let id = self.new_id();
        let session = Session::dial(id, dial, &mut self.around.context());
        self.sessions.keep(Box::new(session), self.around.now);
        Ok(id)
    }
}
