//! Later offers and answers.

use super::harness::*;
use media::sdp::Direction;
use media::session::{ConnectionState, MediaEvent, MediaRefusal};
use media::transport::{Certificate, Policy, Reach, Server, ServerKind};
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";

fn call() -> (Network, Phone, Phone) {
    let mut network = Network::new(1);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(1));
    (network, a, b)
}

/// `a` offers anew, `b` answers.
fn reoffer(
    network: &mut Network,
    a: &mut Phone,
    b: &mut Phone,
    restart: bool,
    wish: Direction,
) -> String {
    a.session.reoffer(restart, wish, network.now).unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    answer
}

fn line<'a>(sdp: &'a str, prefix: &str) -> &'a str {
    sdp.lines().find(|l| l.starts_with(prefix)).unwrap()
}

#[test]
fn hold_is_answered_and_stops_what_it_must() {
    let (mut network, mut a, mut b) = call();
    let answer = reoffer(&mut network, &mut a, &mut b, false, Direction::SendOnly);
    assert!(answer.contains("a=recvonly"));
    assert!(b.has(|e| matches!(
        e,
        MediaEvent::Direction {
            local: Direction::RecvOnly,
            remote_hold: true
        }
    )));
    let before = a.session.stats(network.now).inbound.packets_received;
    network.run(&mut a, &mut b, Duration::from_secs(1));
    let after = a.session.stats(network.now).inbound.packets_received;
    assert!(after - before <= 1, "the held side still sends");
    assert!(hears(&b, 500.0) > 0.8, "music on hold is heard");

    let answer = reoffer(&mut network, &mut a, &mut b, false, Direction::Inactive);
    assert!(answer.contains("a=inactive"));
    assert!(!a.session.needs_tick() && !b.session.needs_tick());
    let ticks = b.ticks;
    network.run(&mut a, &mut b, Duration::from_secs(60));
    assert_eq!(b.ticks, ticks);
    assert!(!b.has(|e| matches!(e, MediaEvent::NoMedia { .. })));
    assert!(b.session.is_connected());

    reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    network.run(&mut a, &mut b, Duration::from_secs(3));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

/// Whether it was told that its peer holds it.
fn is_held(phone: &Phone) -> bool {
    let told = phone.events.iter().rev().find_map(|event| {
        if let MediaEvent::Direction { remote_hold, .. } = event {
            Some(*remote_hold)
        } else {
            None
        }
    });
    told.unwrap_or(false)
}

#[test]
fn who_holds_is_known_on_both_sides_and_each_ends_its_own_hold() {
    let (mut network, mut a, mut b) = call();
    // a holds b, then b holds a as well: nothing flows.
    reoffer(&mut network, &mut a, &mut b, false, Direction::SendOnly);
    let answer = reoffer(&mut network, &mut b, &mut a, false, Direction::SendOnly);
    assert!(answer.contains("a=inactive"), "both sides hold");
    assert!(is_held(&a) && is_held(&b));
    assert!(!a.session.needs_tick() && !b.session.needs_tick());
    // a resumes: it is not heard yet, and hears what b plays.
    let answer = reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    assert!(answer.contains("a=sendonly"), "b still holds");
    assert!(is_held(&a) && !is_held(&b));
    // b resumes, and all is as it was.
    reoffer(&mut network, &mut b, &mut a, false, Direction::SendRecv);
    assert!(!is_held(&a) && !is_held(&b));
    network.run(&mut a, &mut b, Duration::from_secs(3));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

/// `b` holds `a` in one of the ways there are.
fn held_by(network: &mut Network, a: &mut Phone, b: &mut Phone, how: &str) {
    let direction = match how {
        "inactive" => Direction::Inactive,
        _sendonly => Direction::SendOnly,
    };
    b.session.reoffer(false, direction, network.now).unwrap();
    let mut offer = b.described();
    if how == "0.0.0.0" {
        let connection = line(&offer, "c=").to_owned();
        offer = offer
            .replace(&connection, "c=IN IP4 0.0.0.0")
            .replace("a=sendonly\r\n", "")
            .replace("a=candidate", "a=x-candidate");
    }
    a.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = a.described();
    b.session.set_answer(&answer, false, network.now).unwrap();
    b.drain();
    assert!(is_held(a), "{how}");
}

/// RFC 6337 §5.1: an offer says what we want, without regard to what the peer said before.
#[test]
fn whoever_is_held_offers_what_it_wants_itself() {
    for how in ["sendonly", "inactive", "0.0.0.0"] {
        for (wish, direction) in [
            (Direction::SendRecv, "a=sendrecv"),
            (Direction::SendOnly, "a=sendonly"),
        ] {
            let (mut network, mut a, mut b) = call();
            held_by(&mut network, &mut a, &mut b, how);
            a.session.reoffer(false, wish, network.now).unwrap();
            let offer = a.described();
            assert!(offer.contains(direction), "held by {how}: {offer}");
            b.session.answer_reoffer(&offer, network.now).unwrap();
            let answer = b.described();
            a.session.set_answer(&answer, false, network.now).unwrap();
            a.drain();
            assert!(is_held(&a), "its hold goes on, {how}: {answer}");
        }
    }
}

/// Its own offer was lost with our connection.
#[test]
fn a_resumption_that_was_missed_is_told_by_the_answer_to_our_next_offer() {
    for wish in [Direction::SendRecv, Direction::SendOnly] {
        let (mut network, mut a, mut b) = call();
        reoffer(&mut network, &mut a, &mut b, false, wish);
        held_by(&mut network, &mut a, &mut b, "sendonly");
        b.session.set_direction(Direction::SendRecv);
        reoffer(&mut network, &mut a, &mut b, true, wish);
        assert!(!is_held(&a), "{wish:?}");
        reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
        network.run(&mut a, &mut b, Duration::from_secs(3));
        assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
    }
}

/// As browsers do, whose page holds us without their knowing.
#[test]
fn a_peer_that_answers_our_hold_with_recvonly_goes_on_holding_us() {
    let (mut network, mut a, mut b) = call();
    held_by(&mut network, &mut a, &mut b, "sendonly");
    b.session.set_direction(Direction::SendRecv);
    let answer = reoffer(&mut network, &mut a, &mut b, false, Direction::SendOnly);
    assert!(answer.contains("a=recvonly"));
    assert!(is_held(&a));
}

#[test]
fn a_peer_that_answers_hold_with_inactive_is_not_taken_to_hold_us() {
    let (mut network, mut a, mut b) = call();
    a.session
        .reoffer(false, Direction::SendOnly, network.now)
        .unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = b.described().replace("a=recvonly", "a=inactive");
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    let answer = reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    assert!(answer.contains("a=sendrecv"));
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn nobody_is_warned_of_the_silence_of_who_holds() {
    let (mut network, mut a, mut b) = call();
    // The old way to hold (RFC 2543): no address to send to, and no word of ICE or direction. Its music never comes.
    b.session
        .reoffer(false, Direction::SendRecv, network.now)
        .unwrap();
    let offer: String = b
        .described()
        .lines()
        .filter(|line| !line.starts_with("a=candidate") && *line != "a=sendrecv")
        .map(|line| match line.starts_with("c=") {
            true => "c=IN IP4 0.0.0.0\r\n".into(),
            false => format!("{line}\r\n"),
        })
        .collect();
    a.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = a.described();
    assert!(answer.contains("a=recvonly"));
    a.events.clear();
    b.speaks = false;
    network.run(&mut a, &mut b, Duration::from_secs(20));
    assert!(!a.has(|e| matches!(e, MediaEvent::NoMedia { .. })));
}

#[test]
fn a_warning_of_silence_ends_with_hold() {
    let (mut network, mut a, mut b) = call();
    b.speaks = false;
    network.run(&mut a, &mut b, Duration::from_secs(12));
    assert!(a.has(|e| matches!(e, MediaEvent::NoMedia { .. })));
    a.session
        .reoffer(false, Direction::SendOnly, network.now)
        .unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    assert!(a.has(|e| matches!(e, MediaEvent::MediaResumed)));
}

#[test]
fn either_side_may_offer_anew_and_versions_rise_only_with_change() {
    let (mut network, mut a, mut b) = call();
    let first = reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    let second = reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    assert_eq!(line(&first, "o="), line(&second, "o="));
    reoffer(&mut network, &mut b, &mut a, false, Direction::SendRecv);
    let third = reoffer(&mut network, &mut a, &mut b, false, Direction::SendOnly);
    assert_ne!(line(&first, "o="), line(&third, "o="));
    assert_eq!(line(&first, "m="), line(&third, "m="));
}

#[test]
fn an_ice_restart_keeps_the_sound_going() {
    let (mut network, mut a, mut b) = call();
    a.session
        .reoffer(true, Direction::SendRecv, network.now)
        .unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(4));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
    assert!(a.session.is_connected() && b.session.is_connected());
}

#[test]
fn a_rolled_back_offer_leaves_the_call_as_it_was() {
    let (mut network, mut a, mut b) = call();
    a.session
        .reoffer(true, Direction::Inactive, network.now)
        .unwrap();
    a.described();
    a.session.rollback(network.now);
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8 && hears(&a, 1_100.0) > 0.8);
    reoffer(&mut network, &mut b, &mut a, false, Direction::SendRecv);
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn a_later_offer_that_cannot_be_read_is_refused_and_changes_nothing() {
    let (mut network, mut a, mut b) = call();
    for (offer, plain) in [("v=0\r\nm=audio 1 RTP/AVP 0\r\n", true), ("rubbish", false)] {
        b.events.clear();
        b.session.answer_reoffer(offer, network.now).unwrap();
        b.drain();
        assert!(b.has(|e| matches!(
            e,
            MediaEvent::Refused { reason } if (*reason == MediaRefusal::PlainRtp) == plain
        )));
    }
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn an_early_answer_gives_early_media_and_the_same_final_one_changes_nothing() {
    let mut network = Network::new(2);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(3));
    assert!(hears(&a, 1_100.0) > 0.8, "early media is heard");
    let states = a.states();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert_eq!(a.states(), states);
    assert!(hears(&a, 1_100.0) > 0.8);
    assert!(a.session.set_answer("v=0\r\n", false, network.now).is_err());
}

/// RFC 3311 §5.1: whoever is heard early offers anew before it answers the call; another fork may still win.
#[test]
fn an_offer_behind_an_early_answer_changes_the_sound_and_leaves_ours_open() {
    let mut network = Network::new(2);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let early = b.described();
    a.session.set_answer(&early, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(2));
    let answer = reoffer(&mut network, &mut b, &mut a, false, Direction::RecvOnly);
    assert!(answer.contains("a=sendonly"));
    let sent = b.session.stats(network.now).outbound.packets_sent;
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert_eq!(b.session.stats(network.now).outbound.packets_sent, sent);

    a.session.set_answer(&early, false, network.now).unwrap();
    a.drain();
    assert!(a.has(|e| matches!(e, MediaEvent::AnswerApplied)));
    network.run(&mut a, &mut b, Duration::from_secs(1));
    let still = b.session.stats(network.now).outbound.packets_sent;
    assert_eq!(still, sent, "the first answer takes nothing back");
    reoffer(&mut network, &mut a, &mut b, false, Direction::SendRecv);
    reoffer(&mut network, &mut b, &mut a, false, Direction::SendRecv);
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

/// `a` hears one fork early, and then the one that answers finally with `certificate`.
fn fork(certificate: Certificate) {
    let mut network = Network::new(3);
    let mut a = Phone::new(A, 500.0, &network);
    let mut early = Phone::new("192.0.2.3:40003", 700.0, &network);
    let mut last = Phone::with(B, 1_100.0, &network, |c| c.certificate = certificate);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    early.session.create_answer(&offer, network.now).unwrap();
    let preview = early.described();
    a.session.set_answer(&preview, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut early, Duration::from_secs(2));
    assert!(hears(&a, 700.0) > 0.7);
    last.session.create_answer(&offer, network.now).unwrap();
    let answer = last.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut last, Duration::from_secs(5));
    assert!(hears(&a, 1_100.0) > 0.7, "{:?}", a.states());
    assert!(hears(&last, 500.0) > 0.7);
}

/// Its offer behind its early answer is taken again, for nobody: it has our answer to that since.
#[test]
fn a_fork_that_offered_anew_is_heard_as_it_said_last_although_another_was_heard_since() {
    let mut network = Network::new(3);
    let mut a = Phone::new(A, 500.0, &network);
    let mut first = Phone::new(B, 1_100.0, &network);
    let mut other = Phone::with("192.0.2.3:40003", 700.0, &network, |c| {
        c.certificate = Certificate::generate().unwrap();
    });
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    first.session.create_answer(&offer, network.now).unwrap();
    let early = first.described();
    a.session.set_answer(&early, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut first, Duration::from_secs(2));
    first
        .session
        .reoffer(false, Direction::RecvOnly, network.now)
        .unwrap();
    let renewed = first.described();
    a.session.answer_reoffer(&renewed, network.now).unwrap();
    let answer = a.described();
    first
        .session
        .set_answer(&answer, false, network.now)
        .unwrap();
    first.drain();
    other.session.create_answer(&offer, network.now).unwrap();
    let preview = other.described();
    a.session.set_answer(&preview, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut other, Duration::from_secs(5));
    assert!(hears(&a, 700.0) > 0.7, "{:?}", a.states());

    a.session.set_answer(&early, false, network.now).unwrap();
    a.session.answer_reoffer(&renewed, network.now).unwrap();
    let again = a.described();
    assert_eq!(line(&again, "a=sendonly"), line(&answer, "a=sendonly"));
    assert_eq!(line(&again, "m="), line(&answer, "m="));
    network.run(&mut a, &mut first, Duration::from_secs(5));
    assert!(hears(&first, 500.0) > 0.7, "{:?}", a.states());
    assert!(a.session.sends() && !a.session.receives());
}

/// Nobody answers the checks to the first fork: that is told, and the next one is heard all the same.
#[test]
fn a_fork_that_answers_finally_is_heard_although_the_early_one_could_not_be_reached() {
    let mut network = Network::new(3);
    let mut a = Phone::new(A, 500.0, &network);
    let mut early = Phone::new("192.0.2.3:40003", 700.0, &network);
    let mut last = Phone::new(B, 1_100.0, &network);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    early.session.create_answer(&offer, network.now).unwrap();
    let preview = early.described();
    a.session.set_answer(&preview, true, network.now).unwrap();
    a.drain();
    let failed = |phone: &Phone| {
        let failed = |state: &ConnectionState| matches!(state, ConnectionState::Failed(_));
        phone.states().iter().any(failed)
    };
    for _ in 0..60 {
        network.run(&mut a, &mut last, Duration::from_secs(1));
        if failed(&a) {
            break;
        }
    }
    assert!(failed(&a), "{:?}", a.states());
    last.session.create_answer(&offer, network.now).unwrap();
    let answer = last.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut last, Duration::from_secs(5));
    assert!(hears(&a, 1_100.0) > 0.7, "{:?}", a.states());
    assert!(hears(&last, 500.0) > 0.7);
}

/// Its association is made, and it makes no other one.
#[test]
fn a_fork_that_answers_finally_is_heard_although_others_were_heard_since() {
    let mut network = Network::new(3);
    let mut a = Phone::new(A, 500.0, &network);
    let mut forks: Vec<Phone> = [1_100.0, 700.0, 1_500.0]
        .into_iter()
        .enumerate()
        .map(|(index, tone)| {
            let address = format!("192.0.2.{}:40003", 3 + index);
            Phone::new(&address, tone, &network)
        })
        .collect();
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    let mut answers = Vec::new();
    for fork in &mut forks {
        fork.session.create_answer(&offer, network.now).unwrap();
        let answer = fork.described();
        a.session.set_answer(&answer, true, network.now).unwrap();
        a.drain();
        network.run(&mut a, fork, Duration::from_secs(5));
        assert!(a.session.is_connected(), "{:?}", a.states());
        answers.push(answer);
    }
    a.session
        .set_answer(&answers[0], false, network.now)
        .unwrap();
    a.drain();
    network.run(&mut a, &mut forks[0], Duration::from_secs(5));
    assert!(hears(&a, 1_100.0) > 0.7, "{:?}", a.states());
    assert!(hears(&forks[0], 500.0) > 0.7);
}

#[test]
fn another_fork_that_answers_finally_takes_the_place_of_the_early_one() {
    fork(Certificate::generate().unwrap());
}

#[test]
fn forks_that_share_a_certificate_are_told_apart() {
    fork(certificate());
}

#[test]
fn an_offer_taken_back_while_its_answer_waits_leaves_nothing_behind() {
    let mut network = Network::new(6);
    let mut taken_back = Phone::new("192.0.2.3:40003", 700.0, &network);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::with(B, 1_100.0, &network, |c| {
        c.servers.push(Server {
            name: "stun:192.0.2.9".to_owned(),
            reach: Reach::Datagrams("192.0.2.9:3478".parse().unwrap()),
            kind: ServerKind::Stun,
        });
    });
    taken_back.session.create_offer(network.now).unwrap();
    let offer = taken_back.described();
    b.session.create_answer(&offer, network.now).unwrap();
    network.run(&mut b, &mut taken_back, 100 * MS);
    b.session.rollback(network.now);
    network.run(&mut b, &mut taken_back, Duration::from_secs(6));
    assert!(b.states().is_empty(), "{:?}", b.states());
    assert!(!b.has(|e| matches!(e, MediaEvent::Described { .. })));

    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

#[test]
fn an_early_answer_that_cannot_be_used_leaves_the_final_one_to_count() {
    let mut network = Network::new(2);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer("rubbish", true, network.now).unwrap();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    assert!(a.has(|e| matches!(e, MediaEvent::EarlyAnswerRefused { .. })));
    assert!(!a.has(|e| matches!(e, MediaEvent::Refused { .. })));
    assert!(a.has(|e| matches!(e, MediaEvent::AnswerApplied)));
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

#[test]
fn without_a_relay_nothing_is_described_where_only_relays_may_be_used() {
    let network = Network::new(7);
    let mut a = Phone::new(A, 500.0, &network);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    for answers in [false, true] {
        let mut b = Phone::with(B, 1_100.0, &network, |c| c.policy = Policy::Relay);
        match answers {
            true => b.session.create_answer(&offer, network.now).unwrap(),
            false => b.session.create_offer(network.now).unwrap(),
        }
        b.drain();
        assert!(b.has(|e| matches!(
            e,
            MediaEvent::Refused {
                reason: MediaRefusal::NoRelay
            }
        )));
        assert!(!b.has(|e| matches!(e, MediaEvent::Described { .. })));
    }
}

#[test]
fn a_late_offer_is_our_offer_answered_later() {
    let mut network = Network::new(4);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    // The INVITE had no offer: the callee's 200 has it, the caller's ACK the answer.
    b.session.create_offer(network.now).unwrap();
    let offer = b.described();
    network.run(&mut a, &mut b, Duration::from_secs(3));
    a.session.create_answer(&offer, network.now).unwrap();
    let answer = a.described();
    b.session.set_answer(&answer, false, network.now).unwrap();
    b.drain();
    network.run(&mut a, &mut b, Duration::from_secs(3));
    assert!(a.states().contains(&ConnectionState::Connected));
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

#[test]
fn a_call_goes_on_with_whom_it_was_moved_to_although_its_peer_has_left() {
    let (mut network, mut a, mut b) = call();
    b.session.close(network.now);
    b.drain();
    network.run(&mut a, &mut b, 100 * MS);
    assert_eq!(a.states().last(), Some(&ConnectionState::Closed));
    let mut c = Phone::with("192.0.2.3:40003", 700.0, &network, |c| {
        c.certificate = Certificate::generate().unwrap();
    });
    reoffer(&mut network, &mut c, &mut a, false, Direction::SendRecv);
    network.run(&mut a, &mut c, Duration::from_secs(3));
    assert!(hears(&a, 700.0) > 0.7, "{:?}", a.states());
    assert!(hears(&c, 500.0) > 0.7);
}
