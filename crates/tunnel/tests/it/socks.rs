use tunnel::{Blame, Handshake, Output, Proxy, Target, TunnelFault};

use crate::harness::{handshake, sent};

const PLAIN: &str = "socks5://proxy";
const ALICE: &str = "socks5://alice:p%C3%A4ss@proxy";
/// A reply with an IPv4 address.
const GRANTED: &[u8] = &[5, 0, 0, 1, 10, 0, 0, 1, 0x1f, 0x90];

fn for_host(host: &str) -> Vec<u8> {
    let proxy: Proxy = PLAIN.parse().unwrap();
    let target = Target::new(host, 5061).unwrap();
    let mut handshake = Handshake::new(&proxy, &target, None, [0; 32]);
    assert_eq!(sent(&mut handshake), [5, 1, 0]);
    handshake.handle_octets(&[5, 0]).unwrap();
    sent(&mut handshake)
}

fn reply(octets: &[u8]) -> Result<Output, TunnelFault> {
    let mut handshake = handshake(PLAIN);
    sent(&mut handshake);
    handshake.handle_octets(&[5, 0])?;
    sent(&mut handshake);
    handshake.handle_octets(octets)?;
    Ok(handshake.poll_output())
}

#[test]
fn names_are_resolved_by_the_proxy_and_addresses_go_as_they_are() {
    let name = [&[5, 1, 0, 3, 15], &b"pbx.example.com"[..], &[0x13, 0xc5]].concat();
    assert_eq!(for_host("pbx.example.com"), name);
    assert_eq!(
        for_host("192.0.2.7"),
        [5, 1, 0, 1, 192, 0, 2, 7, 0x13, 0xc5]
    );
    let mut address = vec![5, 1, 0, 4, 0x20, 1, 0xd, 0xb8];
    address.extend([0; 11]);
    address.extend([1, 0x13, 0xc5]);
    assert_eq!(for_host("2001:db8::1"), address);
    let longest = for_host(&"x".repeat(255));
    assert_eq!((longest[4], longest.len()), (255, 262));
}

#[test]
fn replies_of_every_address_open_it_and_what_follows_is_the_tunnels() {
    let mut name = vec![5, 0, 0, 3, 4];
    name.extend(b"name\x00\x50");
    let mut v6 = vec![5, 0, 0, 4];
    v6.extend([0; 18]);
    for granted in [GRANTED.to_vec(), name, v6] {
        let early = [&granted[..], b"early"].concat();
        assert_eq!(reply(&early), Ok(Output::Open(b"early".to_vec())));
        let mut handshake = handshake(PLAIN);
        sent(&mut handshake);
        handshake.handle_octets(&[5]).unwrap();
        handshake.handle_octets(&[0]).unwrap();
        sent(&mut handshake);
        for octet in granted {
            assert_eq!(handshake.poll_output(), Output::Wait);
            handshake.handle_octets(&[octet]).unwrap();
        }
        assert_eq!(handshake.poll_output(), Output::Open(Vec::new()));
    }
}

#[test]
fn credentials_are_given_only_to_a_proxy_that_chooses_them() {
    let mut open = handshake(ALICE);
    assert_eq!(sent(&mut open), [5, 2, 0, 2]);
    open.handle_octets(&[5, 0]).unwrap();
    let request = sent(&mut open);
    assert_eq!(request[..3], [5, 1, 0], "no credentials");

    let mut closed = handshake(ALICE);
    sent(&mut closed);
    closed.handle_octets(&[5, 2]).unwrap();
    let login = [&[1, 5], &b"alice"[..], &[5], "päss".as_bytes()].concat();
    assert_eq!(sent(&mut closed), login);
    closed.handle_octets(&[1]).unwrap();
    assert_eq!(closed.poll_output(), Output::Wait);
    closed.handle_octets(&[0]).unwrap();
    assert_eq!(sent(&mut closed)[..3], [5, 1, 0]);
    closed.handle_octets(GRANTED).unwrap();
    assert_eq!(closed.poll_output(), Output::Open(Vec::new()));

    let mut unasked = handshake(PLAIN);
    sent(&mut unasked);
    assert_eq!(
        unasked.handle_octets(&[5, 2]),
        Err(TunnelFault::NotSocks),
        "what was not offered can't be chosen"
    );
}

#[test]
fn refused_credentials_and_methods_are_told_apart() {
    let mut wrong = handshake(ALICE);
    sent(&mut wrong);
    wrong.handle_octets(&[5, 2]).unwrap();
    sent(&mut wrong);
    assert_eq!(wrong.handle_octets(&[1, 1]), Err(TunnelFault::LoginRefused));
    for (url, hint) in [
        (PLAIN, "give them in its URL"),
        (ALICE, "even with credentials"),
    ] {
        let mut handshake = handshake(url);
        sent(&mut handshake);
        let fault = handshake.handle_octets(&[5, 0xff]).unwrap_err();
        assert_eq!(fault.blame(), Blame::Login);
        assert!(fault.to_string().contains(hint), "{fault}");
    }
}

#[test]
fn each_refusal_says_why() {
    for (code, blame, hint) in [
        (1, Blame::Server, "does not say why"),
        (2, Blame::Proxy, "administrator has to allow"),
        (3, Blame::Server, "no way to that network"),
        (4, Blame::Server, "does not find or reach that host"),
        (5, Blame::Server, "is the server running"),
        (6, Blame::Server, "timed out"),
        (7, Blame::Proxy, "does not know how to connect"),
        (8, Blame::Proxy, "kind of address"),
    ] {
        let fault = reply(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap_err();
        let text = fault.to_string();
        assert_eq!(fault.blame(), blame, "{text}");
        assert!(
            text.contains(hint) && text.contains("pbx.example.com:443"),
            "{text}"
        );
    }
    assert_eq!(reply(&[5, 99, 0, 1]), Err(TunnelFault::NotSocks));
}

#[test]
fn what_is_no_socks_is_told_at_its_first_octet() {
    for nonsense in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"H",
        b"\x04\x5b",
        b"\0",
    ] {
        let mut handshake = handshake(PLAIN);
        sent(&mut handshake);
        assert_eq!(
            handshake.handle_octets(nonsense),
            Err(TunnelFault::NotSocks)
        );
    }
    assert_eq!(reply(b"H"), Err(TunnelFault::NotSocks));
    assert_eq!(reply(&[5, 0, 0, 9, 1, 1]), Err(TunnelFault::NotSocks));
}

#[test]
fn a_proxy_that_closes_first_is_told() {
    let mut handshake = handshake(PLAIN);
    sent(&mut handshake);
    assert_eq!(handshake.handle_end(), Err(TunnelFault::ClosedEarly));
}
