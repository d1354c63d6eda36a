//! What the journal's file says: which calls there are, and what is needed to end them.

use serde::{Deserialize, Serialize};
use sip::dialog::DialogRecord;

use crate::door::event::Direction;
use crate::door::orphan::{Orphan, OrphanState};

/// Another version reads no journal of this one.
const VERSION: u64 = 1;

/// Whose calls they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) instance_id: String,
    pub(super) address: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JournalPage {
    offhook_journal: u64,
    owner: Owner,
    calls: Vec<LeftCall>,
}

/// A call, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LeftCall {
    pub(super) call_id: String,
    pub(super) address: String,
    pub(super) uri: String,
    pub(super) display_name: Option<String>,
    /// Who called, as a server asserts it.
    pub(super) asserted: Option<String>,
    pub(super) conversation_id: String,
    pub(super) outgoing: bool,
    pub(super) held: bool,
    pub(super) start_time: Option<u64>,
    pub(super) handle: Handle,
}

/// What ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Handle {
    /// This request: nobody has answered.
    Cancel(String),
    /// A BYE in this dialog.
    Dialog {
        local: String,
        remote: String,
        local_cseq: u32,
        remote_cseq: Option<u32>,
        target: String,
        routes: Vec<String>,
        invited: Option<String>,
        is_signed: bool,
    },
}

impl LeftCall {
    pub(super) fn told(&self) -> Orphan {
        Orphan {
            call_id: self.call_id.clone(),
            address: self.address.clone(),
            uri: self.uri.clone(),
            display_name: self.display_name.clone(),
            conversation_id: self.conversation_id.clone(),
            direction: match self.outgoing {
                true => Direction::Outgoing,
                false => Direction::Incoming,
            },
            state: match self.handle {
                Handle::Cancel(_) => OrphanState::Ringing,
                Handle::Dialog { .. } => OrphanState::Active,
            },
            held: self.held,
            start_time: self.start_time,
        }
    }

    /// Its dialog, if it was answered.
    pub(super) fn dialog(&self) -> Option<DialogRecord> {
        match self.handle.clone() {
            Handle::Cancel(_) => None,
            Handle::Dialog {
                local,
                remote,
                local_cseq,
                remote_cseq,
                target,
                routes,
                invited,
                is_signed,
            } => Some(DialogRecord {
                call_id: self.call_id.clone(),
                local,
                remote,
                local_cseq,
                remote_cseq,
                target,
                routes,
                is_caller: self.outgoing,
                invited,
                is_signed,
            }),
        }
    }
}

impl From<DialogRecord> for Handle {
    fn from(record: DialogRecord) -> Self {
        Self::Dialog {
            local: record.local,
            remote: record.remote,
            local_cseq: record.local_cseq,
            remote_cseq: record.remote_cseq,
            target: record.target,
            routes: record.routes,
            invited: record.invited,
            is_signed: record.is_signed,
        }
    }
}

/// Writes the page; an empty text if there are no calls.
pub(super) fn write(owner: &Owner, calls: Vec<LeftCall>) -> String {
    if calls.is_empty() {
        return String::new();
    }
    let page = JournalPage {
        offhook_journal: VERSION,
        owner: owner.clone(),
        calls,
    };
    serde_json::to_string(&page).expect("a page is plain data")
}

/// Reads the page, and says what is wrong with one that can't be used.
pub(super) fn read(owner: &Owner, text: &str) -> Result<Vec<LeftCall>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| format!("it is torn or no journal ({error})"))?;
    match value["offhookJournal"].as_u64() {
        Some(VERSION) => {}
        Some(other) => {
            return Err(format!(
                "it is of another version of offhook (journal {other}, and not {VERSION})"
            ));
        }
        None => return Err("it is no journal of offhook".into()),
    }
    let page: JournalPage =
        serde_json::from_value(value).map_err(|error| format!("it is torn ({error})"))?;
    match page.owner == *owner {
        true => Ok(page.calls),
        false => Err(format!(
            "it is of another phone ({}, instanceId {})",
            page.owner.address.escape_debug(),
            page.owner.instance_id.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            instance_id: "one".into(),
            address: "sip:alice@example.com".into(),
        }
    }

    fn call() -> LeftCall {
        LeftCall {
            call_id: "c1".into(),
            address: "bob".into(),
            uri: "sip:bob@example.com".into(),
            display_name: None,
            asserted: None,
            conversation_id: "talk".into(),
            outgoing: true,
            held: true,
            start_time: Some(7),
            handle: Handle::Dialog {
                local: "<sip:alice@example.com>;tag=a".into(),
                remote: "<sip:bob@example.com>;tag=b".into(),
                local_cseq: 2,
                remote_cseq: None,
                target: "sip:bob@192.0.2.1".into(),
                routes: vec!["<sip:p;lr>".into()],
                invited: Some("sip:bob@example.com".into()),
                is_signed: true,
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = write(&owner(), vec![call()]);
        assert_eq!(read(&owner(), &text), Ok(vec![call()]));
        assert_eq!(write(&owner(), Vec::new()), "");
        assert_eq!(read(&owner(), ""), Ok(Vec::new()));
    }

    #[test]
    fn a_page_of_all_calls_is_small() {
        let calls = vec![call(); super::super::MOST_CALLS];
        assert!(write(&owner(), calls).len() < 1 << 20);
    }

    #[test]
    fn what_can_not_be_used_is_told_apart() {
        let text = write(&owner(), vec![call()]);
        let torn = |at: usize| read(&owner(), &text[..at]).expect_err("torn");
        for at in 1..text.len() {
            assert!(torn(at).contains("torn"), "{at}");
        }
        let other = Owner {
            instance_id: "two".into(),
            ..owner()
        };
        assert!(
            read(&other, &text)
                .expect_err("not ours")
                .contains("another phone")
        );
        let newer = text.replacen(":1,", ":2,", 1);
        assert!(
            read(&owner(), &newer)
                .expect_err("newer")
                .contains("another version")
        );
        let foreign = read(&owner(), "{\"name\":\"package\"}").expect_err("foreign");
        assert!(foreign.contains("no journal of offhook"));
        let more = text.replacen("\"held\"", "\"password\":\"x\",\"held\"", 1);
        assert!(read(&owner(), &more).is_err());
    }
}
