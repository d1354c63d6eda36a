//! Commands that the application gives up.

use super::Phone;
use crate::door::error::PhoneError;
use crate::door::id::Ticket;
use crate::session::Session;

impl Phone {
    /// Takes back what can be taken back, and settles the command. What is with the other side already goes on: whoever
    /// wants that undone has to ask for it.
    pub(super) fn abort(&mut self, ticket: Ticket) {
        let calling = self
            .sessions
            .values()
            .find(|session| session.call_ticket() == Some(ticket));
        if let Some(id) = calling.map(|session| session.id) {
            self.act_on(id, Session::abort);
            return;
        }
        if !self.open.contains(&ticket) {
            return;
        }
        if self.account.abort(ticket, &mut self.around.context())
            || self.transfers.abort(ticket, &mut self.around.context())
        {
            return;
        }
        let dialling = self
            .sessions
            .values()
            .find(|session| session.is_dialling(ticket));
        if let Some(id) = dialling.map(|session| session.id) {
            self.act_on(id, |session, ctx| session.stop_dialling(ticket, ctx));
        }
        self.subscriptions
            .abandon(ticket, &mut self.around.context());
        self.draining.abandon(ticket);
        self.stop_waiting(ticket);
        let error = PhoneError::aborted();
        self.reply(ticket, Err(error));
    }
}
