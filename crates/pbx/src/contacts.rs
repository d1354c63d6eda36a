//! Which flow a Contact was last seen on: the way back for requests inside dialogs.

use std::collections::BTreeMap;

use sip::header::{Contact, TypedHeader};
use sip::message::{HeaderName, Headers};
use sip::transaction::FlowId;
use sip::uri::Uri;

// Two Contacts for each of 2048 dialogs; a client that makes them up does not make us grow.
const MAX_CONTACTS: usize = 4096;

type Key = (Option<String>, String, Option<u16>);

/// The Contacts of dialogs, by user part, host and port: over WebSocket the host is random.
#[derive(Debug, Default)]
pub(crate) struct Contacts {
    flows: BTreeMap<Key, FlowId>,
}

impl Contacts {
    /// Remembers the Contact of a message that makes or refreshes a dialog.
    pub(crate) fn learn(&mut self, flow: FlowId, headers: &Headers) {
        let Some(contact) = headers.get(HeaderName::Contact) else {
            return;
        };
        let Ok(contact) = Contact::parse(contact) else {
            return;
        };
        let Some(uri) = contact.uri() else { return };
        let key = key(uri);
        if self.flows.len() < MAX_CONTACTS || self.flows.contains_key(&key) {
            self.flows.insert(key, flow);
        }
    }

    pub(crate) fn flow_of(&self, uri: &Uri<'_>) -> Option<FlowId> {
        self.flows.get(&key(uri)).copied()
    }

    pub(crate) fn forget_flow(&mut self, flow: FlowId) {
        self.flows.retain(|_, of| *of != flow);
    }
}

fn key(uri: &Uri<'_>) -> Key {
    (
        uri.user().map(str::to_owned),
        uri.host_text().to_ascii_lowercase(),
        uri.port(),
    )
}
