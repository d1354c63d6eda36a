use pbx::{Command, CommandError, Originate, Reply};
use phone::Ticket;
use sip::endpoint::{Event as SipEvent, Reply as SipReply};
use sip::message::{HeaderName, Method};

use crate::town::Town;

fn originate(to: &str, with: &str) -> Command {
    Command::Originate(Originate {
        to: to.into(),
        with: with.into(),
        headers: vec![("X-Inin-Cnv".into(), "c-1".into())],
        answer_after: Some(0),
        conversation_id: Some("c-1".into()),
        display_name: None,
    })
}

#[test]
fn click_to_call_carries_offer_and_answer_between_the_parties() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town.command(1, originate("alice", "bob"));
    let (desk, call_info) = town.expect("desk", "call", |event| match event {
        SipEvent::Incoming { usage, request } => {
            assert!(request.body().is_empty(), "the first party is to offer");
            let call_info = request.headers().get(HeaderName::CallInfo);
            Some((*usage, call_info.map(str::to_owned)))
        }
        _ => None,
    });
    assert_eq!(call_info.as_deref(), Some("<sip:pbx.test>;answer-after=0"));
    let now = town.now;
    let offer = SipReply::new(200).sdp("v=0\r\ns=offer\r\n");
    let endpoint = &mut town.client("desk").endpoint;
    endpoint.respond(desk, &offer, now).unwrap();
    town.settle();
    let (lap, seen) = town.expect("lap", "call", |event| match event {
        SipEvent::Incoming { usage, request } => Some((*usage, request.body().clone())),
        _ => None,
    });
    assert_eq!(&seen[..], b"v=0\r\ns=offer\r\n");
    let answer = SipReply::new(200).sdp("v=0\r\ns=answer\r\n");
    let endpoint = &mut town.client("lap").endpoint;
    endpoint.respond(lap, &answer, now).unwrap();
    town.settle();
    let acked = town.expect("desk", "ACK", |event| match event {
        SipEvent::Acked { ack, .. } => Some(ack.body().clone()),
        _ => None,
    });
    assert_eq!(&acked[..], b"v=0\r\ns=answer\r\n");
    assert!(matches!(
        &town.replies[..],
        [(Ticket(1), Ok(Reply::Call { .. }))]
    ));

    let endpoint = &mut town.client("desk").endpoint;
    endpoint.request(desk, Method::Bye, &[], None, now).unwrap();
    town.settle();
    town.expect("lap", "BYE", |event| match event {
        SipEvent::Ended { .. } => Some(()),
        _ => None,
    });
}

#[test]
fn a_refusal_of_the_second_party_ends_the_first_one() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.command(1, originate("alice", "busy"));
    let desk = town.expect_incoming("desk");
    let now = town.now;
    let offer = SipReply::new(200).sdp("v=0\r\n");
    let endpoint = &mut town.client("desk").endpoint;
    endpoint.respond(desk, &offer, now).unwrap();
    town.settle();
    town.expect("desk", "BYE", |event| match event {
        SipEvent::Ended { .. } => Some(()),
        _ => None,
    });
    assert!(matches!(
        &town.replies[..],
        [(
            _,
            Err(CommandError::CallFailed {
                code: Some(486),
                ..
            })
        )]
    ));
}

#[test]
fn an_unknown_party_is_named() {
    let mut town = Town::new();
    town.command(1, originate("nobody", "echo"));
    assert!(matches!(
        &town.replies[..],
        [(_, Err(CommandError::NoSuchParty { name }))] if name == "nobody"
    ));
}

#[test]
fn a_user_whose_name_no_header_can_hold_is_not_added() {
    let mut town = Town::new();
    for name in ["", "eve\r\nX-Evil: 1"] {
        let user = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
        town.command(1, Command::AddUser { user });
        let (_, reply) = town.replies.pop().unwrap();
        assert_eq!(reply, Err(CommandError::UserName { name: name.into() }));
    }
}

#[test]
fn a_call_can_be_hung_up_while_it_rings() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.command(1, originate("alice", "bob"));
    town.expect_incoming("desk");
    town.command(2, Command::HangUp { id: 1 });
    assert!(matches!(
        town.replies[..],
        [
            (Ticket(1), Err(CommandError::CallFailed { .. })),
            (Ticket(2), Ok(Reply::Done))
        ]
    ));
    town.expect("desk", "CANCEL", |event| match event {
        SipEvent::Cancelled { .. } => Some(()),
        _ => None,
    });
    town.command(3, Command::HangUp { id: 7 });
    assert!(matches!(
        town.replies[2..],
        [(Ticket(3), Err(CommandError::NoSuchCall { id: 7 }))]
    ));
}
