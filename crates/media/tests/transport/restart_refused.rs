//! Restarts of ICE that don't come about: the peer agrees by its words and goes on as before.

use media::transport::{Description, Role, Secret, State, TransportFailure};
use rtc_stun::attributes::ATTR_USERNAME;
use rtc_stun::error_code::ErrorCodeAttribute;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_ERROR, BINDING_REQUEST, Message, Setter, TransactionId};

use crate::harness::{ALICE, BOB, Datagram, Nat, Net, config, ice, ms, remote};

const NEW_PWD: &str = "theNewPasswordOfThePeer1";

/// How the peer takes a check of ours under the credentials of a restart.
#[derive(Clone, Copy, Debug)]
enum Reply {
    Silence,
    /// As anybody could say it.
    Error(u16),
    /// Under the password that it announced.
    Authentic(u16),
}

/// Which of our checks it takes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checks {
    OfTheRestart,
    All,
}

/// The user name of a check, `None` for anything else.
fn user_name(bytes: &[u8]) -> Option<(TransactionId, String)> {
    let mut message = Message::new();
    message.raw = bytes.to_vec();
    (bytes[0] < 4).then(|| message.decode().ok())??;
    let name = message.get(ATTR_USERNAME).ok()?;
    let is_request = message.typ == BINDING_REQUEST;
    let name = String::from_utf8(name).ok()?;
    is_request.then_some((message.transaction_id, name))
}

fn error(transaction: TransactionId, code: u16, pwd: Option<&str>) -> Vec<u8> {
    let provider = rtc_crypto::default_provider().unwrap();
    let code = ErrorCodeAttribute {
        code: rtc_stun::error_code::ErrorCode(code),
        reason: b"no".to_vec(),
    };
    let setters: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_ERROR),
        Box::new(transaction),
        Box::new(code),
    ];
    let mut message = Message::new();
    message.build(&setters).unwrap();
    if let Some(pwd) = pwd {
        MessageIntegrity::new_short_term_integrity_with_provider(pwd.to_owned(), provider.crypto())
            .add_to(&mut message)
            .unwrap();
        FINGERPRINT.add_to(&mut message).unwrap();
    }
    message.raw
}

/// Lets `us` restart ICE against a peer that answers with new credentials and the candidates it had,
/// but keeps its session.
fn restart_in_vain(net: &mut Net, us: usize, generation: usize, reply: Reply, checks: Checks) {
    let peer = 1 - us;
    let ufrag = format!("new{generation}");
    net.with(us, |transport, now| transport.restart_ice(now));
    let mut answer = remote(&net.peers[peer].transport.local(), Description::Answer);
    ice(&mut answer).ufrag.clone_from(&ufrag);
    ice(&mut answer).pwd = Secret::new(NEW_PWD);
    let socket = net.peers[us].sockets[0];
    net.script = Box::new(move |datagram: &Datagram| {
        let (transaction, name) = user_name(&datagram.bytes)?;
        let concerned = checks == Checks::All || name.starts_with(&format!("{ufrag}:"));
        (concerned && datagram.from == socket).then_some(match reply {
            Reply::Silence => vec![0; 4],
            Reply::Error(code) => error(transaction, code, None),
            Reply::Authentic(code) => error(transaction, code, Some(NEW_PWD)),
        })
    });
    net.with(us, |transport, now| transport.set_remote(answer, now))
        .unwrap();
}

/// Nothing was lost, and nothing has changed, not even for a moment.
fn assert_undisturbed(net: &Net, spoken: usize, case: &str) {
    for peer in &net.peers {
        assert_eq!(peer.received.len(), spoken, "{case}");
        assert_eq!(peer.states.len(), 2, "{case}: {:?}", peer.states);
        assert_eq!(peer.transport.state(), State::Connected, "{case}");
        assert_eq!(peer.transport.stats().selected_changes, 1, "{case}");
    }
}

#[test]
fn a_peer_that_keeps_its_session_keeps_the_call() {
    let replies = [
        Reply::Silence,
        Reply::Error(401),
        Reply::Error(400),
        Reply::Error(487),
        Reply::Authentic(401),
        Reply::Authentic(487),
    ];
    for us in [ALICE, BOB] {
        for reply in replies {
            let mut net = Net::pair(60);
            net.connect();
            let case = format!("{us} {reply:?}");
            restart_in_vain(&mut net, us, 1, reply, Checks::OfTheRestart);
            net.talk(ms(61_000));
            restart_in_vain(&mut net, us, 2, reply, Checks::OfTheRestart);
            net.talk(ms(61_000));
            net.run(ms(100));
            assert_undisturbed(&net, 6100, &case);
            // On hold there is nothing but consent, under the credentials of before.
            net.run(ms(120_000));
            assert_undisturbed(&net, 6100, &case);
        }
    }
}

#[test]
fn a_peer_that_takes_no_check_any_more_keeps_the_call_by_its_sound() {
    for us in [ALICE, BOB] {
        let mut net = Net::pair(61);
        net.connect();
        restart_in_vain(&mut net, us, 1, Reply::Error(401), Checks::All);
        net.talk(ms(95_000));
        net.run(ms(100));
        assert_eq!(net.peers[us].received.len(), 4750);
        assert_eq!(net.peers[us].states.len(), 2);
    }
}

#[test]
fn once_nothing_comes_on_the_old_path_the_call_is_interrupted_and_then_over() {
    let mut net = Net::pair(62);
    net.connect();
    restart_in_vain(&mut net, ALICE, 1, Reply::Error(401), Checks::OfTheRestart);
    net.talk(ms(61_000));
    let cut = net.elapsed();
    net.blocked = Box::new(|_| true);
    let failed = State::Failed(TransportFailure::Consent);
    net.until(ms(31_000), |net| {
        net.peers[ALICE].transport.state() == failed
    });
    let took = net.elapsed() - cut;
    assert!(took >= ms(25_000), "{took:?}");
    let states: Vec<State> = net.peers[ALICE].states.iter().map(|(_, s)| *s).collect();
    assert_eq!(states[2..], [State::Interrupted, failed]);
}

#[test]
fn a_path_that_was_silent_during_a_restart_in_vain_is_taken_up_again() {
    let mut net = Net::pair(63);
    net.connect();
    net.talk(ms(1000));
    net.blocked = Box::new(|_| true);
    net.until(ms(8000), |net| net.all(State::Interrupted));
    restart_in_vain(&mut net, ALICE, 1, Reply::Error(401), Checks::OfTheRestart);
    net.run(ms(17_000));
    assert!(net.all(State::Interrupted));
    net.blocked = Box::new(|_| false);
    net.talk(ms(60_000));
    assert!(net.all(State::Connected));
}

/// It knows no restart: whoever only repeats what it said before has not begun a new session.
#[test]
fn an_answer_with_the_credentials_of_before_leaves_the_path_as_it_is() {
    for us in [ALICE, BOB] {
        let mut net = Net::pair(64);
        net.connect();
        net.with(us, |transport, now| transport.restart_ice(now));
        net.describe(1 - us, us, Description::Answer);
        net.talk(ms(61_000));
        net.run(ms(100));
        assert_undisturbed(&net, 3050, &us.to_string());
    }
}

/// What comes after it is no other restart: the peer was told those credentials and agreed.
#[test]
fn what_is_announced_after_a_restart_in_vain_is_what_was_agreed() {
    let mut net = Net::pair(65);
    net.connect();
    let before = net.peers[ALICE].transport.local();
    restart_in_vain(&mut net, ALICE, 1, Reply::Error(401), Checks::OfTheRestart);
    let agreed = net.peers[ALICE].transport.local();
    net.talk(ms(61_000));
    let after = net.peers[ALICE].transport.local();
    assert_ne!(after.ufrag, before.ufrag);
    assert_eq!(after.ufrag, agreed.ufrag);
    assert_eq!(after.candidates, agreed.candidates);
}

#[test]
fn a_peer_that_restarts_after_we_gave_up_is_followed() {
    for us in [ALICE, BOB] {
        let mut net = Net::pair(66);
        net.connect();
        let peer = 1 - us;
        net.with(us, |transport, now| transport.restart_ice(now));
        let mut offer = remote(&net.peers[us].transport.local(), Description::Offer);
        // It has more patience than we, and takes up nothing before we have given up.
        ice(&mut offer).end_of_candidates = false;
        let ufrag = ice(&mut offer).ufrag.clone();
        net.with(peer, |transport, now| transport.set_remote(offer, now))
            .unwrap();
        net.describe(peer, us, Description::Answer);
        net.blocked = Box::new(move |datagram| {
            user_name(&datagram.bytes).is_some_and(|(_, name)| name.contains(&ufrag))
        });
        net.talk(ms(20_000));
        for peer in &net.peers {
            assert_eq!(peer.transport.stats().selected_changes, 1);
        }
        net.blocked = Box::new(|_| false);
        net.talk(ms(61_000));
        net.run(ms(100));
        for peer in &net.peers {
            assert_eq!(peer.received.len(), 4050);
            assert_eq!(peer.states.len(), 2, "{:?}", peer.states);
            assert_eq!(peer.transport.stats().selected_changes, 2);
        }
    }
}

#[test]
fn a_restart_that_works_after_one_in_vain_is_taken() {
    let mut net = Net::pair(67);
    net.connect();
    restart_in_vain(&mut net, ALICE, 1, Reply::Error(401), Checks::OfTheRestart);
    net.talk(ms(20_000));
    net.with(ALICE, |transport, now| transport.restart_ice(now));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.talk(ms(61_000));
    net.run(ms(100));
    for peer in &net.peers {
        assert_eq!(peer.received.len(), 4050);
        assert_eq!(peer.states.len(), 2, "{:?}", peer.states);
        assert_eq!(peer.transport.stats().selected_changes, 2);
    }
}

#[test]
fn a_controlling_peer_behind_a_nat_is_followed_on_the_path_that_was_kept() {
    let mut net = Net::new(68);
    net.nats.push(Nat::new("10.1.0.1", "192.0.2.1", true));
    net.add(config("10.1.0.1:1000", Role::Controlling));
    net.add(config("192.0.2.9:2000", Role::Controlled));
    net.connect();
    restart_in_vain(&mut net, BOB, 1, Reply::Error(401), Checks::OfTheRestart);
    net.talk(ms(61_000));
    net.nats[0].forget();
    net.talk(ms(12_000));
    let heard = net.peers[BOB].received.len();
    net.talk(ms(60_000));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), heard + 3000);
    assert_eq!(net.peers[BOB].transport.state(), State::Connected);
}

/// As [`restart_in_vain`], with the keys of the credentials in force unknown to everybody else.
#[test]
fn nobody_else_is_let_in_while_a_restart_is_open() {
    let mut net = Net::pair(69);
    net.connect();
    let old = net.peers[ALICE].transport.local();
    restart_in_vain(&mut net, ALICE, 1, Reply::Error(401), Checks::OfTheRestart);
    let theirs = net.peers[BOB].transport.local().ufrag;
    let mut message = Message::new();
    let name = format!("{}:{theirs}", old.ufrag);
    let provider = rtc_crypto::default_provider().unwrap();
    let setters: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(rtc_stun::textattrs::Username::new(ATTR_USERNAME, name)),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            "a guess".to_owned(),
            provider.crypto(),
        )),
        Box::new(FINGERPRINT),
    ];
    message.build(&setters).unwrap();
    let sent = net.peers[ALICE].transport.stats().responses_sent;
    let from = crate::harness::address("10.0.0.66:6666");
    net.with(ALICE, |transport, now| {
        transport.handle_datagram(media::transport::PathId(0), from, &message.raw, now);
    });
    let stats = net.peers[ALICE].transport.stats();
    assert_eq!(stats.responses_sent, sent);
    assert_eq!(stats.refused.stun, 1);
}
