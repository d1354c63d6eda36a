//! What a new connection does for a call that is answered.

use super::*;

#[test]
fn a_lost_connection_interrupts_a_call_and_a_new_one_refreshes_it() {
    let (mut rig, mut caller, _) = Rig::talking(alice());
    rig.events.clear();
    rig.down();
    assert_eq!(rig.count("terminated"), 0);
    assert_eq!(rig.last("disconnected")["reconnecting"], true);
    assert_eq!(rig.changes("interrupted"), [true]);
    assert_eq!(rig.changes("connectionState"), ["interrupted"]);

    rig.seconds(1);
    rig.up();
    assert_eq!(rig.last("connected")["reconnect"], true);
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: false,
            held: false
        })]
    );
    let reinvite = rig.request(&Method::Invite);
    assert_eq!(header(&reinvite, "Call-ID").as_deref(), Some("c1"));
    assert!(rig.place("registered") < rig.place("media reoffer"));
    assert_eq!(rig.changes("interrupted"), [true], "not yet refreshed");

    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    assert_eq!(rig.changes("connectionState").last().unwrap(), "connected");
    rig.lives_on();
    assert_eq!(rig.media_named("reoffer").len(), 1);
    rig.receive(caller.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
}

#[test]
fn the_new_registration_has_the_same_instance_reg_id_and_contact() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    let contacts: Vec<String> = rig
        .registers
        .iter()
        .map(|r| header(r, "Contact").unwrap())
        .collect();
    assert!(contacts.len() >= 2);
    assert!(contacts[0].contains("+sip.instance=\"<urn:uuid:") && contacts[0].contains("reg-id=1"));
    assert!(
        contacts.iter().all(|contact| *contact == contacts[0]),
        "{contacts:?}"
    );
}

#[test]
fn every_active_dialog_is_refreshed() {
    let mut rig = Rig::registered(alice());
    for n in 0..4 {
        rig.takes(&mut Caller::new(&format!("c{n}")), &[]);
    }
    rig.down();
    rig.seconds(1);
    rig.up();
    let mut refreshed: Vec<String> = (0..4)
        .map(|_| header(&rig.request(&Method::Invite), "Call-ID").unwrap())
        .collect();
    refreshed.sort();
    assert_eq!(refreshed, ["c0", "c1", "c2", "c3"]);
}

#[test]
fn without_survivability_every_call_ends_with_connectivity_error() {
    let options = alice_with(json!({ "sessionSurvivability": false }));
    let (mut rig, _, _) = Rig::talking(options);
    let mut second = Caller::new("c2");
    rig.receive(second.invite(&[], Some("v=0\r\n")));
    rig.down();
    rig.assert_ended_once("connectivity-error", "network");
    assert_eq!(rig.count("cancelPendingSession"), 1);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["reason"]["condition"], "connectivity-error");
}

/// A server that has restarted does not know yet where the other party is, and says so as one does who has forgotten the call.
#[test]
fn whoever_is_heard_is_asked_again_while_a_server_may_have_restarted() {
    for code in [404, 410, 481, 502, 604] {
        let (mut rig, _, _) = Rig::talking(alice());
        rig.down();
        rig.seconds(1);
        rig.up();
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, code, None));
        rig.request(&Method::Ack);
        assert_eq!(rig.count("terminated"), 0, "{code}");
        rig.seconds(3);
        let again = rig.request(&Method::Invite);
        rig.receive(answer(&again, 200, Some("v=0 theirs 2\r\n")));
        assert_eq!(rig.changes("interrupted").last().unwrap(), false);
        rig.lives_on();
    }
}

#[test]
fn a_call_that_the_peer_has_forgotten_is_gone() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    rig.media_event(id, MediaEvent::Interrupted);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 481, None));
    rig.assert_ended_once("connectivity-error", "network");
}

/// Whatever is heard: after half a minute everybody is back who will be.
#[test]
fn a_call_that_is_forgotten_for_good_is_gone() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    for _ in 0..70 {
        rig.seconds(1);
        while let Some(frame) = rig.outbox.pop_front() {
            if let Message::Request(request) = crate::harness::parse(frame)
                && *request.method() == Method::Invite
            {
                rig.receive(answer(&request, 481, None));
            }
        }
    }
    rig.assert_ended_once("gone", "remote");
}

#[test]
fn a_refused_refresh_leaves_the_call_as_it_was() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.events.clear();
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    assert_eq!(rig.count("terminated"), 0);
    assert_eq!(rig.media_named("rollback").len(), 1);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
}

/// Both have lost the network, and we are back first: nobody is told for good by a server that can't reach the other.
#[test]
fn a_refresh_that_does_not_reach_the_other_party_is_made_again_until_it_is_back() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    for wait in [2, 4, 8] {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 480, None));
        rig.request(&Method::Ack);
        rig.seconds(wait);
    }
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 480, None));
    rig.request(&Method::Ack);
    rig.down();
    rig.until_connect();
    rig.up();
    let again = rig.request(&Method::Invite);
    rig.receive(answer(&again, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("interrupted").last().unwrap(), false);
    rig.lives_on();
}

#[test]
fn a_connection_lost_again_during_the_refresh_is_refreshed_again() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    rig.request(&Method::Invite);
    rig.down();
    rig.until_connect();
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("interrupted").last().unwrap(), false);
    rig.lives_on();
}

#[test]
fn disconnect_keeps_calls_and_reconnect_refreshes_them() {
    for survivability in [true, false] {
        let options = alice_with(json!({ "sessionSurvivability": survivability }));
        let (mut rig, _, _) = Rig::talking(options);
        rig.done(json!({ "type": "disconnect" }));
        assert_eq!(rig.disconnects, 1);
        assert_eq!(rig.last("disconnected")["reconnecting"], false);
        let connects = rig.connects.len();
        rig.seconds(600);
        assert_eq!(rig.connects.len(), connects, "nothing reconnects by itself");
        assert_eq!(rig.count("terminated"), 0);

        let ticket = rig.command(json!({ "type": "reconnect" }));
        rig.up();
        assert!(rig.reply(ticket).unwrap().is_ok());
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
        rig.lives_on();
    }
}

#[test]
fn hanging_up_without_a_connection_sends_the_bye_over_the_next() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    rig.done(json!({ "type": "end", "id": id }));
    rig.assert_ended_once("success", "local");
    rig.seconds(1);
    rig.up();
    let bye = rig.request(&Method::Bye);
    assert_eq!(header(&bye, "Call-ID").as_deref(), Some("c1"));
}

/// A connection breaks after any message of a hold, of whoever holds and whoever is held: the call
/// stands after every timer, and is on hold unless the one to be held was away just then.
#[test]
fn a_hold_outlives_a_connection_that_breaks_at_any_moment() {
    for (holder, broken) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for step in 0..8 {
            let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
            pair.command(0, json!({ "type": "call", "target": "bob" }));
            pair.advance(Duration::from_secs(2));
            let id = pair.rigs[holder].id_of("sessionStarted");
            let hold = pair.rigs[holder].command(json!({ "type": "hold", "id": id, "held": true }));
            for _ in 0..step {
                pair.carry_one();
            }
            pair.break_line(broken);
            pair.mend_line(broken);
            pair.advance(Duration::from_secs(120));
            let case = format!("holder {holder}, broken {broken}, step {step}");
            let [holds, breaks] = [holder, broken].map(|who| &pair.rigs[who]);
            let held = holds.reply(hold).map(Result::is_ok);
            assert!(
                held == Some(true) || (held == Some(false) && holder != broken),
                "{case}"
            );
            assert_eq!(
                holds.changes("held").len(),
                usize::from(held == Some(true)),
                "{case}"
            );
            assert_eq!(breaks.changes("interrupted"), [true, false], "{case}");
            for rig in &pair.rigs {
                assert_eq!(rig.count("terminated"), 0, "{case}: {:?}", rig.order);
            }
        }
    }
}
