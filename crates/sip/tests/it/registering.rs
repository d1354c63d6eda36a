//! Registration, and credentials with it.

use std::time::Duration;

use sip::auth::{Credentials, Unsupported};
use sip::endpoint::{Event, Invite, Obstacle, Registered, RegistrationFailed};
use sip::message::{Method, Request};
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, answer, config, header, uri};

fn register(lone: &mut Lone) -> Request {
    lone.act(|alice, now| alice.register(now));
    lone.request(Method::Register)
}

/// A 200 that lists our binding with this lifetime.
fn bind(lone: &mut Lone, request: &Request, expires: u32, extra: &str) {
    let contact = header(request, "Contact");
    let headers = format!("Contact: {contact};expires={expires}{extra}\r\n");
    lone.receive(answer(request, 200, "r", &headers));
}

#[track_caller]
fn registered(event: Event) -> Registered {
    match event {
        Event::Registered(registered) => registered,
        other => panic!("Registered expected, got {other:?}"),
    }
}

#[track_caller]
fn refused(event: Event) -> RegistrationFailed {
    match event {
        Event::RegistrationFailed(failed) => failed,
        other => panic!("RegistrationFailed expected, got {other:?}"),
    }
}

fn cseq(request: &Request) -> u32 {
    request.headers().cseq().unwrap().number
}

/// Trap 20.
#[test]
fn every_register_has_the_same_call_id_and_the_next_cseq_and_one_is_out_at_a_time() {
    let mut lone = Lone::over_wss();
    let first = register(&mut lone);
    assert_eq!(first.uri().as_str(), "sip:example.com");
    lone.act(|alice, now| alice.register(now));
    lone.nothing_sent();
    bind(&mut lone, &first, 600, "");
    lone.events();
    let second = register(&mut lone);
    assert_eq!(header(&first, "Call-ID"), header(&second, "Call-ID"));
    assert_eq!(cseq(&second), cseq(&first) + 1);
    let contact = header(&first, "Contact");
    assert!(
        contact.contains(";reg-id=1;+sip.instance=\"<urn:uuid:"),
        "{contact}"
    );
    assert_eq!(contact, header(&second, "Contact"));
}

/// Trap 20.
#[test]
fn our_own_bindings_lifetime_counts_and_not_the_first_contacts() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    let contact = header(&request, "Contact").to_owned();
    let uppercase = contact.replace("urn:uuid:", "URN:UUID:");
    let moved = uppercase.replace("<sip:alice@", "<sip:other@");
    let others = "<sip:alice@desk.example.com>;expires=3600, \
                  <sip:alice@x.invalid>;reg-id=2;+sip.instance=\"<urn:uuid:9>\";expires=77";
    let headers = format!("Expires: 5000\r\nContact: {others}, {moved};expires=300\r\n");
    lone.receive(answer(&request, 200, "r", &headers));
    assert_eq!(registered(lone.event()).expires, Duration::from_secs(300));
}

/// Trap 20.
#[test]
fn a_registrar_that_gives_our_contact_back_changed_has_registered_us() {
    let rewritten = "<sip:alice@203.0.113.7:50123;transport=ws>";
    for (what, list, expires) in [
        ("as the server sees it", format!("{rewritten};expires=120"), 120),
        ("reg-id dropped", format!("{rewritten};expires=120;+sip.instance=INSTANCE"), 120),
        ("another flow of ours", format!("{rewritten};expires=120;reg-id=7;+sip.instance=INSTANCE"), 120),
        ("transport dropped", "<BARE>;expires=120".into(), 120),
        ("transport=wss", "<BARE;transport=wss>;expires=120".into(), 120),
        ("port written out", "<BARE:443;transport=ws>;expires=120".into(), 120),
        ("as an address", "BARE;expires=120".into(), 120),
        ("beside others, by instance", format!("<sip:a@x.example>;expires=9, {rewritten};expires=120;+sip.instance=INSTANCE"), 120),
        ("beside others, by host", "<sip:a@x.example>;expires=9, <BARE:443>;expires=120".into(), 120),
        ("the newer of two of ours", "<BARE>;expires=9;+sip.instance=INSTANCE, <BARE;transport=ws>;expires=120;reg-id=1;+sip.instance=INSTANCE".into(), 120),
        ("the one that stands of two of ours", format!("<sip:a@x.example>;expires=0;+sip.instance=INSTANCE, {rewritten};expires=120;+sip.instance=INSTANCE"), 120),
        ("one of several", format!("<sip:a@x.example>;expires=300, {rewritten};expires=120"), 120),
        ("another that is over", format!("<sip:a@x.example>;expires=0, {rewritten};expires=120"), 120),
        ("without a lifetime", rewritten.into(), 500),
        ("other devices only", "<sip:a@x.example>;+sip.instance=\"<urn:uuid:9>\";expires=70".into(), 70),
        ("another device that is over", "<sip:a@x.example>;+sip.instance=\"<urn:uuid:9>\";expires=0".into(), 500),
        ("unreadable", "<<".into(), 500),
        ("empty", String::new(), 500),
    ] {
        let mut lone = Lone::over_wss();
        let request = register(&mut lone);
        let contact = header(&request, "Contact");
        let bare = contact.trim_start_matches('<').split([';', '>']).next().unwrap();
        let instance = contact.split("+sip.instance=").nth(1).unwrap();
        let list = list.replace("BARE", bare).replace("INSTANCE", instance);
        let headers = format!("Expires: 500\r\nContact: {list}\r\n");
        lone.receive(answer(&request, 200, "r", &headers));
        assert_eq!(registered(lone.event()).expires, Duration::from_secs(expires), "{what}");
    }
}

/// Trap 20.
#[test]
fn a_binding_that_is_over_at_once_is_asked_for_more_and_more_rarely() {
    let ours = |request: &Request| format!("Contact: {};expires=0\r\n", header(request, "Contact"));
    let rewritten = |_: &Request| "Contact: <sip:alice@203.0.113.7:50123>;expires=0\r\n".to_owned();
    let nothing = |_: &Request| "Expires: 0\r\n".to_owned();
    for list in [ours as fn(&Request) -> String, rewritten, nothing] {
        let mut lone = Lone::over_wss();
        let mut request = register(&mut lone);
        for bound in [2, 4, 10, 30, 60].map(Duration::from_secs) {
            lone.receive(answer(&request, 200, "r", &list(&request)));
            let failed = refused(lone.event());
            assert_eq!(failed.why, Some(Obstacle::NoBinding));
            let wait = failed.retry_in.unwrap();
            assert!(wait <= bound && wait >= bound / 2, "{wait:?} of {bound:?}");
            lone.advance(wait);
            request = lone.request(Method::Register);
        }
        bind(&mut lone, &request, 600, "");
        registered(lone.event());
    }
}

/// Trap 21.
#[test]
fn a_registrar_that_says_at_once_is_not_asked_without_a_pause() {
    for (code, asked) in [(503, "Retry-After: 0\r\n"), (480, "Retry-After: 1\r\n")] {
        let mut lone = Lone::over_wss();
        let mut request = register(&mut lone);
        for bound in [2, 4, 10, 30].map(Duration::from_secs) {
            lone.receive(answer(&request, code, "r", asked));
            let wait = refused(lone.event()).retry_in.unwrap();
            assert!(wait <= bound && wait >= bound / 2, "{wait:?} of {bound:?}");
            lone.advance(wait);
            request = lone.request(Method::Register);
        }
    }
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    bind(&mut lone, &request, 1, "");
    lone.advance(Duration::from_millis(900));
    lone.nothing_sent();
}

#[test]
fn a_challenge_that_is_not_answered_says_why() {
    for (challenge, why) in [
        (
            "Digest realm=\"x\", nonce=\"n\", algorithm=SHA-3",
            Unsupported::Algorithm,
        ),
        ("Negotiate realm=\"x\"", Unsupported::Scheme),
        ("Digest realm=\"x\"", Unsupported::Malformed),
    ] {
        let mut lone = with_password();
        let request = register(&mut lone);
        let header = format!("WWW-Authenticate: {challenge}\r\n");
        lone.receive(answer(&request, 401, "r", &header));
        let failed = refused(lone.event());
        assert!(failed.fatal);
        assert_eq!(failed.why, Some(Obstacle::Challenge(why)));
    }
}

/// Trap 20.
#[test]
fn a_registrar_that_knows_no_instance_is_matched_by_uri() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    let contact = header(&request, "Contact")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let contact = contact.trim_end_matches('>').to_owned() + ";transport=ws>";
    let headers = format!("Contact: {contact};expires=200\r\n");
    lone.receive(answer(&request, 200, "r", &headers));
    assert_eq!(registered(lone.event()).expires, Duration::from_secs(200));
}

/// Trap 21.
#[test]
fn a_binding_is_renewed_at_80_to_90_percent_or_at_half_of_two_minutes_or_less() {
    let mut draws = Vec::new();
    let mut lone = Lone::over_wss();
    let mut request = register(&mut lone);
    for _ in 0..20 {
        bind(&mut lone, &request, 1000, "");
        lone.advance(Duration::from_secs(799));
        lone.nothing_sent();
        let start = lone.now;
        while lone.sent.is_empty() {
            lone.advance(Duration::from_secs(1));
        }
        draws.push((lone.now - start).as_secs());
        request = lone.request(Method::Register);
    }
    assert!(draws.iter().all(|draw| *draw <= 102), "{draws:?}");
    draws.dedup();
    assert!(draws.len() > 10, "drawn anew each time: {draws:?}");
    bind(&mut lone, &request, 120, "");
    lone.advance(Duration::from_millis(59_900));
    lone.nothing_sent();
    lone.advance(Duration::from_millis(200));
    lone.request(Method::Register);
}

/// Trap 21.
#[test]
fn too_brief_an_interval_is_raised_at_once_and_kept() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    assert_eq!(header(&request, "Expires"), "600");
    lone.receive(answer(&request, 423, "r", "Min-Expires: 1800\r\n"));
    let request = lone.request(Method::Register);
    assert_eq!(header(&request, "Expires"), "1800");
    bind(&mut lone, &request, 1800, "");
    registered(lone.event());
    let request = register(&mut lone);
    assert_eq!(header(&request, "Expires"), "1800");
    lone.receive(answer(&request, 423, "r", "Min-Expires: 60\r\n"));
    assert!(refused(lone.event()).fatal);
}

/// Trap 21.
#[test]
fn retry_after_is_honoured() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    lone.receive(answer(
        &request,
        503,
        "r",
        "Retry-After: 42 (maintenance)\r\n",
    ));
    let failed = refused(lone.event());
    assert_eq!(failed.retry_in, Some(Duration::from_secs(42)));
    assert!(!failed.fatal);
    lone.advance(Duration::from_millis(41_900));
    lone.nothing_sent();
    lone.advance(Duration::from_millis(200));
    lone.request(Method::Register);
}

/// Trap 21.
#[test]
fn after_a_sleep_an_old_binding_is_renewed_at_once() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    bind(&mut lone, &request, 600, "");
    lone.events();
    lone.advance(Duration::from_secs(10));
    lone.act(|alice, now| alice.handle_sleep(Duration::from_secs(100), now));
    lone.nothing_sent();
    lone.act(|alice, now| alice.handle_sleep(Duration::from_secs(3600), now));
    let request = lone.request(Method::Register);
    bind(&mut lone, &request, 600, "");
    lone.jump(Duration::from_secs(3600));
    lone.request(Method::Register);
}

/// Trap 22.
#[test]
fn unregistering_removes_our_own_binding_and_then_says_so() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    bind(&mut lone, &request, 600, "");
    lone.events();
    lone.act(|alice, now| alice.unregister(now));
    let last = lone.request(Method::Register);
    assert_eq!(header(&last, "Expires"), "0");
    assert_eq!(header(&last, "Contact"), header(&request, "Contact"));
    lone.no_event();
    lone.receive(answer(&last, 200, "r", ""));
    assert!(matches!(lone.event(), Event::Unregistered));
    lone.advance(Duration::from_secs(3600));
    lone.nothing_sent();
}

/// Trap 22.
#[test]
fn unregistering_while_a_register_is_out_waits_for_it() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    lone.act(|alice, now| alice.unregister(now));
    lone.nothing_sent();
    bind(&mut lone, &request, 600, "");
    let last = lone.request(Method::Register);
    assert_eq!(header(&last, "Expires"), "0");
    lone.receive(answer(&last, 200, "r", ""));
    assert!(matches!(lone.events().last(), Some(Event::Unregistered)));
}

/// Traps 22 and 23.
#[test]
fn a_lost_flow_is_no_unregistration_and_the_next_renews_the_same_binding() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    bind(&mut lone, &request, 600, "");
    lone.events();
    lone.flow_down();
    lone.no_event();
    lone.flow_up(Transport::Wss);
    let again = lone.request(Method::Register);
    assert_eq!(header(&again, "Contact"), header(&request, "Contact"));
    bind(&mut lone, &again, 600, "");
    assert!(registered(lone.event()).renewed);
}

/// Trap 24.
#[test]
fn silence_is_answered_with_longer_and_longer_waits() {
    let mut lone = Lone::over_wss();
    register(&mut lone);
    let mut bounds = [2u64, 4, 10, 30, 60, 120].into_iter();
    lone.advance(Duration::from_secs(32));
    for _ in 0..6 {
        let failed = refused(lone.event());
        let bound = Duration::from_secs(bounds.next().unwrap());
        let wait = failed.retry_in.unwrap();
        assert!(
            !failed.fatal && wait <= bound && wait >= bound / 2,
            "{wait:?} of {bound:?}"
        );
        lone.advance(wait);
        lone.request(Method::Register);
        lone.advance(Duration::from_secs(32));
    }
}

/// Trap 14.
#[test]
fn a_gruu_becomes_the_contact_of_calls_and_a_temporary_one_where_privacy_is_asked() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    let gruus = ";pub-gruu=\"sip:alice@example.com;gr=urn:uuid:1\"\
                 ;temp-gruu=\"sip:tgruu.7hs@example.com;gr\"";
    bind(&mut lone, &request, 600, gruus);
    let told = registered(lone.event());
    assert_eq!(
        told.pub_gruu.as_deref(),
        Some("sip:alice@example.com;gr=urn:uuid:1")
    );
    let mut invite = Invite::offer(uri("sip:bob@example.com"), SDP);
    lone.act(|alice, now| alice.invite(invite.clone(), now).unwrap());
    let sent = lone.request(Method::Invite);
    assert_eq!(
        header(&sent, "Contact"),
        "<sip:alice@example.com;gr=urn:uuid:1>"
    );
    invite.headers.push(("Privacy".into(), "id".into()));
    lone.act(|alice, now| alice.invite(invite, now).unwrap());
    let sent = lone.request(Method::Invite);
    assert_eq!(header(&sent, "Contact"), "<sip:tgruu.7hs@example.com;gr>");
}

#[test]
fn a_service_route_is_taken_by_calls() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    let contact = header(&request, "Contact");
    let headers = format!(
        "Contact: {contact};expires=60\r\nService-Route: <sip:a.example.com;lr>, <sip:b.example.com;lr>\r\n"
    );
    lone.receive(answer(&request, 200, "r", &headers));
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let sent = lone.request(Method::Invite);
    let routes: Vec<&str> = sent.headers().all("Route").collect();
    assert_eq!(routes, ["<sip:a.example.com;lr>", "<sip:b.example.com;lr>"]);
}

#[test]
fn a_first_hop_without_outbound_is_asked_without_it() {
    let mut lone = Lone::over_wss();
    let request = register(&mut lone);
    lone.receive(answer(&request, 439, "r", ""));
    let again = lone.request(Method::Register);
    assert!(!header(&again, "Contact").contains("reg-id"));
    bind(&mut lone, &again, 600, "");
    registered(lone.event());
}

fn with_password() -> Lone {
    let mut settings = config("alice");
    settings.credentials = Some(Credentials::password("alice", "secret").unwrap());
    Lone::with(settings, Transport::Wss)
}

fn challenge(nonce: &str, more: &str) -> String {
    format!(
        "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256{more}\r\n"
    )
}

/// Trap 18.
#[test]
fn a_challenge_is_answered_under_the_next_cseq_the_same_call_id_and_another_branch() {
    let mut lone = with_password();
    let first = register(&mut lone);
    lone.receive(answer(&first, 401, "r", &challenge("n1", "")));
    let second = lone.request(Method::Register);
    assert_eq!(cseq(&second), cseq(&first) + 1);
    assert_eq!(header(&second, "Call-ID"), header(&first, "Call-ID"));
    assert_eq!(header(&second, "From"), header(&first, "From"));
    assert_ne!(header(&second, "Via"), header(&first, "Via"));
    let authorization = header(&second, "Authorization").to_owned();
    assert!(authorization.contains("nc=00000001"), "{authorization}");
    lone.receive(answer(&second, 401, "r", &challenge("n2", ", stale=true")));
    let third = lone.request(Method::Register);
    bind(&mut lone, &third, 600, "");
    registered(lone.event());
    let fourth = register(&mut lone);
    let authorization = header(&fourth, "Authorization");
    assert!(authorization.contains("nc=00000002"), "{authorization}");
}

/// Trap 18.
#[test]
fn another_nonce_is_a_new_challenge_once_and_then_a_wrong_password() {
    let mut lone = with_password();
    let first = register(&mut lone);
    lone.receive(answer(&first, 401, "r", &challenge("n1", "")));
    let second = lone.request(Method::Register);
    lone.receive(answer(&second, 401, "r", &challenge("n2", "")));
    let third = lone.request(Method::Register);
    assert!(header(&third, "Authorization").contains("nonce=\"n2\""));
    lone.receive(answer(&third, 401, "r", &challenge("n3", "")));
    lone.nothing_sent();
    let failed = refused(lone.event());
    assert!(failed.fatal);
    assert_eq!(failed.response.unwrap().status().code(), 401);
    lone.advance(Duration::from_secs(3600));
    lone.nothing_sent();
}

/// Trap 19.
#[test]
fn a_challenged_call_keeps_both_credentials_and_its_ack_and_cancel_carry_them() {
    let mut lone = with_password();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    let proxy = challenge("p1", "").replace("WWW-Authenticate", "Proxy-Authenticate");
    lone.receive(answer(&invite, 407, "p", &proxy));
    lone.request(Method::Ack);
    let invite = lone.request(Method::Invite);
    lone.receive(answer(&invite, 401, "s", &challenge("s1", "")));
    lone.request(Method::Ack);
    let invite = lone.request(Method::Invite);
    assert!(invite.headers().contains("Authorization"));
    assert!(invite.headers().contains("Proxy-Authorization"));
    lone.no_event();
    lone.receive(crate::lone::accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    for name in ["Authorization", "Proxy-Authorization"] {
        assert_eq!(header(&ack, name), header(&invite, name));
    }
}

/// Trap 19.
#[test]
fn a_challenged_bye_is_signed_and_the_call_ends_once() {
    let mut lone = with_password();
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(crate::lone::accept(&invite, "b"));
    lone.request(Method::Ack);
    lone.events();
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    let proxy = challenge("p1", "").replace("WWW-Authenticate", "Proxy-Authenticate");
    lone.receive(answer(&bye, 407, "p", &proxy));
    let again = lone.request(Method::Bye);
    assert_eq!(cseq(&again), cseq(&bye) + 1);
    assert!(again.headers().contains("Proxy-Authorization"));
    lone.no_event();
    lone.receive(answer(&again, 200, "b", ""));
    assert_eq!(lone.events().len(), 2);
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let mut lone = Lone::over_wss();
    let first = register(&mut lone);
    lone.receive(answer(&first, 401, "r", &challenge("n1", "")));
    assert!(refused(lone.event()).fatal);
}
