use pbx::{CommandError, Event, Reply};
use phone::{ErrorCode, PhoneError, SipStatus, Ticket};
use serde::Serialize;

/// One thing for the application, in the order in which it happened.
///
/// In JSON the PBX's event is written as it is; a reply has the form of a phone's.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum PbxEvent {
    /// Of the PBX itself.
    Pbx(Event),
    /// The outcome of a command, after the events that it caused.
    Reply(crate::event::RuntimeEvent),
    /// The PBX has ended; nothing comes after this.
    #[serde(serialize_with = "closed")]
    Closed,
}

/// Where a PBX's events go; dropped when the last one was sent.
pub trait PbxEventSink: Send {
    /// Takes the next event; called on the PBX's task, so it must not block.
    fn send(&mut self, event: PbxEvent);

    /// How many octets of events the application has not read yet. Whoever reads at once has none.
    fn unread(&self) -> usize {
        0
    }
}

impl<F: FnMut(PbxEvent) + Send> PbxEventSink for F {
    fn send(&mut self, event: PbxEvent) {
        self(event);
    }
}

impl PbxEvent {
    pub(super) fn reply(ticket: Ticket, outcome: Result<Reply, CommandError>) -> PbxEvent {
        let (value, error) = match outcome {
            Ok(reply) => (serde_json::to_value(reply).ok(), None),
            Err(error) => (None, Some(phone_error(&error))),
        };
        PbxEvent::Reply(crate::event::RuntimeEvent::Reply {
            ticket,
            value,
            error,
        })
    }
}

fn phone_error(error: &CommandError) -> PhoneError {
    let code = match error {
        CommandError::NoSuchParty { .. }
        | CommandError::UserName { .. }
        | CommandError::Header { .. }
        | CommandError::NoRelay => ErrorCode::InvalidArgument,
        CommandError::NoSuchCall { .. } => ErrorCode::SessionNotFound,
        CommandError::CallFailed { .. } => ErrorCode::CallFailed,
    };
    let sip = match error {
        CommandError::CallFailed {
            code: Some(code),
            reason,
        } => Some(SipStatus {
            code: *code,
            reason: reason.clone(),
        }),
        CommandError::CallFailed { code: None, .. }
        | CommandError::NoSuchParty { .. }
        | CommandError::UserName { .. }
        | CommandError::Header { .. }
        | CommandError::NoRelay
        | CommandError::NoSuchCall { .. } => None,
    };
    PhoneError::new(code, error.to_string()).with_sip(sip)
}

fn closed<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("type", "closed")?;
    map.end()
}
