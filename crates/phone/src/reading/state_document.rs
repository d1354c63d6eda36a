//! What notifications say in XML: who is talking (`dialog`, RFC 4235), who is there (`presence`, RFC 3863), and who is in
//! a conference (`conference`, RFC 4575).

use roxmltree::Node;
use sip::header::ContentType;
use sip::message::Request;

use super::conference_info;
use super::xml::{attribute, child_text, children, parse, text_of};
use crate::door::state_document::{DialogState, Participant, PresenceTuple, StateDocument};

/// Reads the document in a notification, if it is one of these.
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

#[cfg(test)]
mod tests {
    use super::super::xml::MOST_ENTRIES;
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
