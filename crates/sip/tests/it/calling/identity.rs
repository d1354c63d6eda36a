//! What a call says of its caller, and what names its session from end to end.

use sip::endpoint::{Body, Invite, Reply};
use sip::message::Method;

use super::*;

fn place(lone: &mut Lone, change: impl FnOnce(Invite) -> Invite) -> (UsageId, Request) {
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(change(invite), now).unwrap()
    });
    (usage, lone.request(Method::Invite))
}

fn anonymous(invite: Invite) -> Invite {
    Invite {
        anonymous: true,
        ..invite
    }
}

fn local_of(request: &Request) -> String {
    header(request, "Session-ID")[..32].to_owned()
}

/// RFC 3323 §4.1.1, RFC 3325 §9.3.
#[test]
fn an_anonymous_call_names_its_caller_nowhere_neither_at_first_nor_later() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = place(&mut lone, anonymous);
    let from = header(&invite, "From");
    assert!(
        from.starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="),
        "{from}"
    );
    assert_eq!(header(&invite, "Privacy"), "id");
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    lone.act(|alice, now| {
        let body = Body::sdp(SDP);
        alice.request(usage, Method::Invite, &[], Some(&body), now)
    })
    .unwrap();
    let reinvite = lone.request(Method::Invite);
    for request in [&invite, &ack, &reinvite] {
        let text = String::from_utf8(request.to_bytes().to_vec()).unwrap();
        assert!(!text.contains("alice"), "{text}");
    }
    assert!(header(&reinvite, "Contact").starts_with("<sip:anonymous@"));
}

#[test]
fn an_anonymous_call_is_cancelled_as_it_was_placed() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = place(&mut lone, anonymous);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    assert_eq!(header(&cancel, "From"), header(&invite, "From"));
}

#[test]
fn the_privacy_that_the_application_asks_for_stays_as_it_is() {
    let mut lone = Lone::over_wss();
    let (_, invite) = place(&mut lone, |invite| Invite {
        headers: vec![("Privacy".into(), "id;critical".into())],
        ..anonymous(invite)
    });
    assert_eq!(header(&invite, "Privacy"), "id;critical");
}

/// RFC 7989 §6.
#[test]
fn every_request_of_a_call_carries_both_halves_of_its_session_id_once_they_are_known() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    let local = local_of(&invite);
    let null = "0".repeat(32);
    assert_eq!(
        header(&invite, "Session-ID"),
        format!("{local};remote={null}")
    );
    let theirs = "ab30317f1a784dc48ff824d0d3715d86";
    let named =
        format!("Contact: <sip:b@callee.invalid>\r\nSession-ID: {theirs};remote={local}\r\n");
    lone.receive(answer_with_body(&invite, 200, "b", &named, SDP));
    let ack = lone.request(Method::Ack);
    lone.act(|alice, now| alice.request(usage, Method::Info, &[], None, now))
        .unwrap();
    let info = lone.request(Method::Info);
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    for request in [ack, info, bye] {
        assert_eq!(
            header(&request, "Session-ID"),
            format!("{local};remote={theirs}"),
            "{}",
            request.method()
        );
    }
}

/// What travels one hop is named as its INVITE.
#[test]
fn a_cancel_and_the_ack_of_a_refusal_carry_the_session_id_of_their_invite() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    lone.receive(answer(&invite, 487, "b", ""));
    let ack = lone.request(Method::Ack);
    for request in [cancel, ack] {
        assert_eq!(
            header(&request, "Session-ID"),
            header(&invite, "Session-ID")
        );
    }
}

#[test]
fn a_call_can_belong_to_a_session_that_has_a_name_already() {
    let mut lone = Lone::over_wss();
    let (_, kept) = place(&mut lone, |invite| Invite {
        session: Some(0x47755a9d_e779_4ba3_8765_3f2099600ef2),
        ..invite
    });
    assert_eq!(local_of(&kept), "47755a9de7794ba387653f2099600ef2");
    let own = "f81d4fae7dec4d65a76500a0c91e6bf6";
    let (_, named) = place(&mut lone, |invite| Invite {
        headers: vec![("Session-ID".into(), own.into())],
        ..invite
    });
    let all: Vec<&str> = named.headers().all("Session-ID").collect();
    assert_eq!(all, [own]);
}

#[test]
fn only_a_redirection_sends_elsewhere() {
    let target = uri("sip:carol@example.com");
    let mut lone = Lone::over_wss();
    let (usage, _) = call(&mut lone);
    let wrong = Reply::redirect(486, target);
    let outcome = lone.act(|alice, now| alice.respond(usage, &wrong, now));
    assert_eq!(outcome, Err(CommandError::Code { code: 486 }));
}

/// RFC 5806 §5.2.
#[test]
fn who_diverted_a_call_is_told_where_it_goes_next() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let moved = "Contact: <sip:carol@example.com>\r\n\
                 Diversion: <sip:bob@example.com>;reason=deflection\r\n";
    lone.receive(answer(&invite, 302, "b", moved));
    lone.request(Method::Ack);
    let again = lone.request(Method::Invite);
    assert_eq!(again.uri().as_str(), "sip:carol@example.com");
    assert_eq!(
        header(&again, "Diversion"),
        "<sip:bob@example.com>;reason=deflection"
    );
    assert_eq!(header(&again, "Session-ID"), header(&invite, "Session-ID"));
}
