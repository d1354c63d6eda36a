//! What notifications say in XML: who is talking (`dialog`, RFC 4235), who is there (`presence`, RFC 3863), and who is in
//! a conference (`conference`, RFC 4575).
//!
//! **No entity, no other document**: a DTD is refused, and a tree larger than [`MOST_NODES`] is none.

use roxmltree::{Document, Node, ParsingOptions};
use serde::Serialize;
use sip::header::ContentType;
use sip::message::Request;

use crate::reading::conference_info::{self, ConferenceInfo};

/// A busy switchboard's `dialog-info` of 64 KiB has fewer.
const MOST_NODES: u32 = 8192;
const MOST_ENTRIES: usize = 256;
const LONGEST_TEXT: usize = 512;

/// A state document that this phone reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum StateDocument {
    /// The calls of somebody: `application/dialog-info+xml`.
    Dialogs {
        /// Whose.
        entity: String,
        /// Counts the documents of one subscription.
        version: Option<u32>,
        /// All of them, not only those that changed.
        full: bool,
        /// The calls.
        dialogs: Vec<DialogState>,
    },
    /// Whether somebody is there: `application/pidf+xml`.
    Presence {
        /// Who.
        entity: String,
        /// The ways to reach them.
        tuples: Vec<PresenceTuple>,
        /// A sentence about them.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Who is in a conference: `application/conference-info+xml`.
    Conference(ConferenceInfo),
}

/// One call of somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogState {
    /// Names it in this subscription.
    pub id: String,
    /// `trying`, `proceeding`, `early`, `confirmed` or `terminated`.
    pub state: String,
    /// `initiator` where they called, `recipient` where they were called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// With both tags it can be named in a Replaces, to pick the call up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Their tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_tag: Option<String>,
    /// The other party's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_tag: Option<String>,
    /// Who they are in this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Participant>,
    /// Whom they talk to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Participant>,
}

/// A party of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// One way to reach somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceTuple {
    /// Names it in this document.
    pub id: String,
    /// `open` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic: Option<String>,
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Reads the document in a notification, where it is one of these.
pub(crate) fn read(request: &Request) -> Option<StateDocument> {
    let content_type = request.headers().typed::<ContentType<'_>>()?.ok()?;
    let text = std::str::from_utf8(request.body()).ok()?;
    if content_type.is_media_type("application/dialog-info+xml") {
        dialogs(text)
    } else if content_type.is_media_type("application/pidf+xml") {
        presence(text)
    } else if content_type.is_media_type("application/conference-info+xml") {
        conference_info::read(text).map(StateDocument::Conference)
    } else {
        None
    }
}

pub(crate) fn parse(text: &str) -> Option<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text.trim_start(), options).ok()
}

fn dialogs(text: &str) -> Option<StateDocument> {
    let document = parse(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "dialog-info" {
        return None;
    }
    Some(StateDocument::Dialogs {
        entity: attribute(root, "entity").unwrap_or_default(),
        version: attribute(root, "version").and_then(|version| version.parse().ok()),
        full: attribute(root, "state").is_none_or(|state| state == "full"),
        dialogs: children(root, "dialog").map(dialog).collect(),
    })
}

fn dialog(node: Node<'_, '_>) -> DialogState {
    DialogState {
        id: attribute(node, "id").unwrap_or_default(),
        state: child_text(node, "state").unwrap_or_default(),
        direction: attribute(node, "direction"),
        call_id: attribute(node, "call-id"),
        local_tag: attribute(node, "local-tag"),
        remote_tag: attribute(node, "remote-tag"),
        local: children(node, "local").next().map(participant),
        remote: children(node, "remote").next().map(participant),
    }
}

fn participant(node: Node<'_, '_>) -> Participant {
    let identity = children(node, "identity").next();
    let target = children(node, "target").next();
    Participant {
        uri: identity
            .and_then(text_of)
            .or_else(|| target.and_then(|target| attribute(target, "uri"))),
        display_name: identity.and_then(|identity| attribute(identity, "display")),
    }
}

fn presence(text: &str) -> Option<StateDocument> {
    let document = parse(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "presence" {
        return None;
    }
    Some(StateDocument::Presence {
        entity: attribute(root, "entity").unwrap_or_default(),
        tuples: children(root, "tuple").map(tuple).collect(),
        note: child_text(root, "note"),
    })
}

fn tuple(node: Node<'_, '_>) -> PresenceTuple {
    let status = children(node, "status").next();
    PresenceTuple {
        id: attribute(node, "id").unwrap_or_default(),
        basic: status.and_then(|status| child_text(status, "basic")),
        contact: child_text(node, "contact"),
        note: child_text(node, "note"),
    }
}

pub(crate) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
        .take(MOST_ENTRIES)
}

pub(crate) fn child_text(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    children(node, name).next().and_then(text_of)
}

pub(crate) fn text_of(node: Node<'_, '_>) -> Option<String> {
    node.text()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(cut)
}

pub(crate) fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(cut)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_talking_is_read() {
        let text = r#"<?xml version="1.0"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="partial" entity="sip:bob@example.com">
              <dialog id="as7" call-id="c@x" local-tag="l" remote-tag="r" direction="recipient">
                <state event="remote-bye">early</state>
                <remote><identity display="Carol &amp; Co">sip:carol@example.com</identity><target uri="sip:carol@10.0.0.1"/></remote>
                <local><target uri="sip:bob@10.0.0.2"/></local>
              </dialog>
            </dialog-info>"#;
        let Some(StateDocument::Dialogs {
            entity,
            version,
            full,
            dialogs,
        }) = dialogs(text)
        else {
            panic!("it is a dialog-info");
        };
        assert_eq!(
            (entity.as_str(), version, full),
            ("sip:bob@example.com", Some(3), false)
        );
        let [dialog] = dialogs.as_slice() else {
            panic!("there is one");
        };
        assert_eq!(
            (dialog.state.as_str(), dialog.direction.as_deref()),
            ("early", Some("recipient"))
        );
        assert_eq!(dialog.call_id.as_deref(), Some("c@x"));
        let remote = dialog.remote.clone().unwrap();
        assert_eq!(remote.display_name.as_deref(), Some("Carol & Co"));
        assert_eq!(remote.uri.as_deref(), Some("sip:carol@example.com"));
        assert_eq!(
            dialog.local.clone().unwrap().uri.as_deref(),
            Some("sip:bob@10.0.0.2")
        );
    }

    #[test]
    fn who_is_there_is_read() {
        let text = r#"<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" entity="pres:bob@example.com">
              <p:tuple id="t1"><p:status><p:basic> open </p:basic></p:status><p:contact>sip:bob@example.com</p:contact><p:note>at his desk</p:note></p:tuple>
              <p:note>hello</p:note></p:presence>"#;
        let Some(StateDocument::Presence {
            entity,
            tuples,
            note,
        }) = presence(text)
        else {
            panic!("it is a presence document");
        };
        assert_eq!(entity, "pres:bob@example.com");
        assert_eq!(note.as_deref(), Some("hello"));
        assert_eq!(tuples[0].basic.as_deref(), Some("open"));
        assert_eq!(tuples[0].note.as_deref(), Some("at his desk"));
    }

    #[test]
    fn entities_other_documents_and_endless_trees_are_refused() {
        let bomb = r#"<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><dialog-info>&b;</dialog-info>"#;
        assert_eq!(dialogs(bomb), None);
        let file =
            r#"<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><presence>&a;</presence>"#;
        assert_eq!(presence(file), None);
        let many = format!("<dialog-info>{}</dialog-info>", "<d/>".repeat(9000));
        assert_eq!(dialogs(&many), None);
        let deep = format!(
            "{}{}",
            "<dialog-info>".repeat(4000),
            "</dialog-info>".repeat(4000)
        );
        let _ = dialogs(&deep);
        for text in ["", "<", "<presence/>", "not xml", "<dialog-info>"] {
            assert_eq!(dialogs(text), None, "{text:?}");
        }
    }

    #[test]
    fn of_endlessly_many_entries_the_first_are_read() {
        let many = format!("<dialog-info>{}</dialog-info>", "<dialog/>".repeat(1000));
        let Some(StateDocument::Dialogs { dialogs, .. }) = dialogs(&many) else {
            panic!("it is a dialog-info");
        };
        assert_eq!(dialogs.len(), MOST_ENTRIES);
    }
}
