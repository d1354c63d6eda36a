//! Calls of ours that are sent elsewhere.

use super::*;

/// Trap 35.
#[test]
fn a_redirection_is_followed_best_first_under_the_same_call_id_and_no_target_twice() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let extra = "Contact: <sip:low@example.com>;q=0.1, <sip:high@example.com>;q=0.9\r\n\
                 Contact: <sip:bob@example.com>\r\n";
    lone.receive(answer(&invite, 302, "r", extra));
    lone.request(Method::Ack);
    let second = lone.request(Method::Invite);
    assert_eq!(second.uri().as_str(), "sip:high@example.com");
    assert_eq!(header(&second, "Call-ID"), header(&invite, "Call-ID"));
    assert_eq!(header(&second, "From"), header(&invite, "From"));
    assert_eq!(cseq(&second), cseq(&invite) + 1);
    assert_ne!(branch(&second), branch(&invite));
    lone.receive(answer(&second, 404, "x", ""));
    lone.request(Method::Ack);
    let third = lone.request(Method::Invite);
    assert_eq!(third.uri().as_str(), "sip:low@example.com");
    lone.no_event();
    lone.receive(answer(
        &third,
        302,
        "y",
        "Contact: <sip:high@example.com>\r\n",
    ));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
}

/// Trap 35.
#[test]
fn a_6xx_stops_the_search_and_305_and_380_are_not_followed() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let extra = "Contact: <sip:b1@example.com>, <sip:b2@example.com>\r\n";
    lone.receive(answer(&invite, 300, "r", extra));
    lone.request(Method::Ack);
    let second = lone.request(Method::Invite);
    lone.receive(answer(&second, 603, "x", ""));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
    for code in [305, 380] {
        let (_, invite) = call(&mut lone);
        lone.receive(answer(&invite, code, "r", extra));
        lone.request(Method::Ack);
        lone.nothing_sent();
        assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
    }
}

#[test]
fn a_redirection_is_reported_where_that_is_the_policy() {
    let mut settings = config("alice");
    settings.redirects = Redirects::Report;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    lone.receive(answer(
        &invite,
        302,
        "r",
        "Contact: <sip:b1@example.com>\r\n",
    ));
    lone.request(Method::Ack);
    match lone.event() {
        Event::Redirected { contacts, .. } => {
            assert_eq!(contacts[0].as_str(), "sip:b1@example.com");
        }
        other => panic!("{other:?}"),
    }
}
