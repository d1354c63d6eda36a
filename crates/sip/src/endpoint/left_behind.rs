//! Calls that another process has left behind.
//!
//! Of an answered one the dialog is enough: it becomes ours, and can be hung up like any other. Of our INVITE that nobody
//! has answered the CANCEL is kept as it would be sent: it is known by the branch of the INVITE, whichever connection it comes
//! over (RFC 3261 §9.2), and so needs no transaction of ours.

use std::time::Instant;

use bytes::Bytes;

use super::Endpoint;
use super::command::CommandError;
use super::event::UsageId;
use super::state::usage::{Established, Usage};
use crate::dialog::{Dialog, DialogRecord};
use crate::message::{HeaderName, Leniency, Message, Method, Request};
use crate::transaction::hop_request;

impl Endpoint {
    /// What has to be known of an answered call to hang it up from another process.
    pub fn dialog_record(&self, usage: UsageId) -> Option<DialogRecord> {
        match self.calls.get(usage)? {
            Usage::Established(established) => Some(established.dialog.record()),
            Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_) => None,
        }
    }

    /// The dialog of an answered call: while its numbers and its target are as before, so is its record.
    pub fn established_dialog(&self, usage: UsageId) -> Option<&Dialog> {
        Some(&self.calls.established(usage)?.dialog)
    }

    /// The CANCEL of a call of ours that nobody has answered, as it would be sent, without credentials.
    pub fn cancel_record(&self, usage: UsageId) -> Option<String> {
        let Usage::Calling(calling) = self.calls.get(usage)? else {
            return None;
        };
        let cancel = without_credentials(self.layer.cancel_of(calling.client)?);
        String::from_utf8(cancel.to_bytes().to_vec()).ok()
    }

    /// Makes an answered call of another process ours: [`request`](Self::request) sends its BYE.
    ///
    /// # Errors
    /// There is no flow, or the record is of no dialog.
    pub fn adopt(&mut self, record: &DialogRecord) -> Result<UsageId, CommandError> {
        let flow = self.flows.choose(None).ok_or(CommandError::NoFlow)?;
        let dialog = Dialog::restore(record).ok_or(CommandError::Unknown)?;
        let usage = UsageId(self.draws.id());
        self.calls.add_dialog(dialog.id().clone(), usage);
        let established = Box::new(Established::new(dialog, flow));
        self.calls.insert(usage, Usage::Established(established));
        Ok(usage)
    }

    /// Sends the CANCEL of a call of another process; its answer tells nothing.
    ///
    /// # Errors
    /// There is no flow, or the record is of no CANCEL.
    pub fn send_cancel_record(&mut self, record: &str, now: Instant) -> Result<(), CommandError> {
        let flow = self.flows.choose(None).ok_or(CommandError::NoFlow)?;
        let bytes = Bytes::from(record.to_owned());
        let read = Message::parse(bytes, Leniency::Interop).map_err(|_| CommandError::Unknown)?;
        let Message::Request(cancel) = read.message else {
            return Err(CommandError::Unknown);
        };
        if *cancel.method() != Method::Cancel {
            return Err(CommandError::Unknown);
        }
        // Made anew, of what a CANCEL has: what else the record says goes to nobody.
        let cancel = without_credentials(hop_request(&cancel, Method::Cancel));
        self.layer.transmit(flow, cancel.to_bytes());
        self.settle(now);
        Ok(())
    }
}

fn without_credentials(mut request: Request) -> Request {
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        request.headers_mut().remove(name);
    }
    request
}
