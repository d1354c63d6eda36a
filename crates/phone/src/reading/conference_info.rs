//! Who is in a conference: `application/conference-info+xml` (RFC 4575).

use roxmltree::Node;

use super::xml::{attribute, child_text, children, parse, text_of};
use crate::door::conference_info::{
    ConferenceEndpoint, ConferenceInfo, ConferenceMedia, ConferenceUser, ElementState,
};

pub(crate) fn read(text: &str) -> Option<ConferenceInfo> {
    let document = parse(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "conference-info" {
        return None;
    }
    let description = children(root, "conference-description").next();
    let described = |name| description.and_then(|description| child_text(description, name));
    let state = children(root, "conference-state").next();
    let stated = |name| state.and_then(|state| child_text(state, name));
    let users = children(root, "users").next();
    Some(ConferenceInfo {
        entity: attribute(root, "entity").unwrap_or_default(),
        version: attribute(root, "version").and_then(|version| version.parse().ok()),
        state: element_state(root),
        display_text: described("display-text"),
        subject: described("subject"),
        user_count: stated("user-count").and_then(|count| count.parse().ok()),
        locked: stated("locked").and_then(|locked| boolean(&locked)),
        users: users
            .into_iter()
            .flat_map(|users| children(users, "user"))
            .map(user)
            .collect(),
    })
}

fn user(node: Node<'_, '_>) -> ConferenceUser {
    let roles = children(node, "roles").next();
    let roles = roles.into_iter().flat_map(|roles| children(roles, "entry"));
    ConferenceUser {
        entity: attribute(node, "entity").unwrap_or_default(),
        state: element_state(node),
        display_text: child_text(node, "display-text"),
        roles: roles.filter_map(text_of).collect(),
        endpoints: children(node, "endpoint").map(endpoint).collect(),
    }
}

fn endpoint(node: Node<'_, '_>) -> ConferenceEndpoint {
    let call = children(node, "call-info").next();
    let sip = call.and_then(|call| children(call, "sip").next());
    ConferenceEndpoint {
        entity: attribute(node, "entity").unwrap_or_default(),
        state: element_state(node),
        display_text: child_text(node, "display-text"),
        status: child_text(node, "status"),
        joining_method: child_text(node, "joining-method"),
        disconnection_method: child_text(node, "disconnection-method"),
        call_id: sip.and_then(|sip| child_text(sip, "call-id")),
        media: children(node, "media").map(media).collect(),
    }
}

fn media(node: Node<'_, '_>) -> ConferenceMedia {
    ConferenceMedia {
        id: attribute(node, "id").unwrap_or_default(),
        kind: child_text(node, "type"),
        display_text: child_text(node, "display-text"),
        label: child_text(node, "label"),
        status: child_text(node, "status"),
    }
}

fn element_state(node: Node<'_, '_>) -> ElementState {
    match node.attribute("state") {
        Some("partial") => ElementState::Partial,
        Some("deleted") => ElementState::Deleted,
        Some(_) | None => ElementState::Full,
    }
}

/// XML Schema writes a boolean in four ways.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4575 §5, shortened.
    const ROSTER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
      <conference-info xmlns="urn:ietf:params:xml:ns:conference-info"
          entity="sips:conf233@example.com" state="full" version="1">
        <conference-description><display-text>Agenda: what's next</display-text><subject>Plans</subject>
          <service-uris><entry><uri>http://sharepoint/salesgroup/</uri></entry></service-uris></conference-description>
        <conference-state><user-count>33</user-count><locked>true</locked></conference-state>
        <users>
          <user entity="sip:bob@example.com" state="full">
            <display-text>Bob Hoskins</display-text>
            <roles><entry>participant</entry></roles>
            <endpoint entity="sip:bob@pc33.example.com">
              <display-text>Bob's Laptop</display-text>
              <status>disconnected</status>
              <disconnection-method>departed</disconnection-method>
              <call-info><sip><call-id>hsjh8980vhsb78</call-id></sip></call-info>
              <media id="1"><display-text>main audio</display-text><type>audio</type><label>34567</label>
                <src-id>432424</src-id><status>sendrecv</status></media>
            </endpoint>
          </user>
          <user entity="sip:alice@example.com" state="deleted"/>
        </users>
      </conference-info>"#;

    #[test]
    fn who_is_there_and_how_is_read() {
        let info = read(ROSTER).unwrap();
        assert_eq!(info.entity, "sips:conf233@example.com");
        assert_eq!((info.version, info.state), (Some(1), ElementState::Full));
        assert_eq!(info.display_text.as_deref(), Some("Agenda: what's next"));
        assert_eq!((info.user_count, info.locked), (Some(33), Some(true)));
        let [bob, alice] = info.users.as_slice() else {
            panic!("there are two");
        };
        assert_eq!(bob.display_text.as_deref(), Some("Bob Hoskins"));
        assert_eq!(bob.roles, ["participant"]);
        assert_eq!(alice.state, ElementState::Deleted);
        let [laptop] = bob.endpoints.as_slice() else {
            panic!("there is one");
        };
        assert_eq!(laptop.status.as_deref(), Some("disconnected"));
        assert_eq!(laptop.disconnection_method.as_deref(), Some("departed"));
        assert_eq!(laptop.call_id.as_deref(), Some("hsjh8980vhsb78"));
        let media = &laptop.media[0];
        assert_eq!(
            (media.id.as_str(), media.kind.as_deref()),
            ("1", Some("audio"))
        );
        assert_eq!(media.status.as_deref(), Some("sendrecv"));
    }

    #[test]
    fn what_is_no_roster_is_none() {
        for text in ["", "<conference-info", "<dialog-info/>"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let empty = read("<conference-info state='partial' version='x'/>").unwrap();
        assert_eq!((empty.version, empty.state), (None, ElementState::Partial));
        let bomb = r#"<!DOCTYPE d [<!ENTITY a "aaaa">]><conference-info entity="&a;"/>"#;
        assert_eq!(read(bomb), None);
    }

    #[test]
    fn of_endlessly_many_who_take_part_the_first_are_read() {
        let many = "<user entity='sip:a@example.com'/>".repeat(1000);
        let text = format!("<conference-info><users>{many}</users></conference-info>");
        assert_eq!(read(&text).unwrap().users.len(), 256);
    }
}
