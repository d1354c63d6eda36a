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
    for wanted in ["sip:high@example.com", "sip:low@example.com"] {
        match lone.event() {
            Event::Redirecting { target, .. } => assert_eq!(target.as_str(), wanted),
            other => panic!("{other:?}"),
        }
    }
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
    lone.events();
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
        "Contact: <sip:b1@example.com?Subject=x;method=BYE>;q=0.3, \"Bob, two\" <sip:b2@example.com>, <tel:+1>\r\n",
    ));
    lone.request(Method::Ack);
    match lone.event() {
        Event::Redirected { alternatives, .. } => {
            let uris: Vec<&str> = alternatives.iter().map(|next| next.uri.as_str()).collect();
            assert_eq!(uris, ["sip:b2@example.com", "sip:b1@example.com"]);
            assert_eq!(alternatives[0].display_name.as_deref(), Some("Bob, two"));
            assert_eq!([alternatives[0].q, alternatives[1].q], [1000, 300]);
        }
        other => panic!("{other:?}"),
    }
}

/// RFC 3261 §8.1.3.4: one set of targets, whichever answer named them.
#[test]
fn what_a_second_redirection_names_is_tried_before_what_is_less_wanted() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let extra = "Contact: <sip:a@example.com>;q=0.9, <sip:z@example.com>;q=0.2\r\n";
    lone.receive(answer(&invite, 302, "r", extra));
    lone.request(Method::Ack);
    let second = lone.request(Method::Invite);
    let extra = "Contact: <sip:m@example.com>;q=0.5\r\n";
    lone.receive(answer(&second, 302, "r", extra));
    lone.request(Method::Ack);
    let third = lone.request(Method::Invite);
    assert_eq!(third.uri().as_str(), "sip:m@example.com");
    lone.receive(answer(&third, 486, "r", ""));
    lone.request(Method::Ack);
    let fourth = lone.request(Method::Invite);
    assert_eq!(fourth.uri().as_str(), "sip:z@example.com");
}

#[test]
fn a_chain_of_redirections_ends_after_five() {
    let mut lone = Lone::over_wss();
    let (_, mut invite) = call(&mut lone);
    for step in 1..=5 {
        let extra = format!("Contact: <sip:b{step}@example.com>\r\n");
        lone.receive(answer(&invite, 302, "r", &extra));
        lone.request(Method::Ack);
        invite = lone.request(Method::Invite);
        assert!(matches!(lone.event(), Event::Redirecting { .. }));
    }
    let extra = "Contact: <sip:b6@example.com>\r\n";
    lone.receive(answer(&invite, 302, "r", extra));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
}
