//! Digest, computed a second time.

use md5::Md5;
use sha2::{Digest, Sha256};
use tunnel::TunnelFault;

use crate::harness::{asked, challenge, handshake, header, sent};

const ALICE: &str = "http://al%22ice:hun:ter2@proxy";

fn hex<D: Digest>(text: &str) -> String {
    let octets = D::digest(text.as_bytes());
    octets.iter().map(|b| format!("{b:02x}")).collect()
}

/// A parameter of `Digest a=b, c="d"`, whose values have no commas here.
fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let params = value.strip_prefix("Digest ")?.split(", ");
    let found = params.filter_map(|param| param.split_once('='));
    let mut found = found.filter(|(own, _)| *own == name);
    found.next().map(|(_, value)| value.trim_matches('"'))
}

/// RFC 7616 §3.4.1 for CONNECT, with `qop=auth`.
fn expected<D: Digest>(answer: &str, realm: &str, nonce: &str) -> String {
    let ha1 = hex::<D>(&format!("al\"ice:{realm}:hun:ter2"));
    let ha2 = hex::<D>("CONNECT:pbx.example.com:443");
    let (nc, cnonce) = (
        param(answer, "nc").unwrap(),
        param(answer, "cnonce").unwrap(),
    );
    hex::<D>(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"))
}

fn answered(lines: &str) -> String {
    let mut handshake = handshake(ALICE);
    sent(&mut handshake);
    handshake.handle_octets(&challenge(lines)).unwrap();
    let request = asked(&mut handshake);
    header(&request, "Proxy-Authorization").unwrap().to_owned()
}

#[test]
fn md5_and_sha_256_are_answered_as_the_rfc_computes_them() {
    let md5 = answered(
        "Proxy-Authenticate: Digest realm=\"a b\", nonce=\"n1\", qop=\"auth,auth-int\", opaque=\"o\"\r\n",
    );
    assert_eq!(
        param(&md5, "response"),
        Some(&*expected::<Md5>(&md5, "a b", "n1"))
    );
    assert_eq!(param(&md5, "uri"), Some("pbx.example.com:443"));
    assert_eq!(param(&md5, "opaque"), Some("o"));
    assert_eq!(param(&md5, "nc"), Some("00000001"));
    assert!(md5.contains("username=\"al\\\"ice\""), "{md5}");
    let sha = answered(
        "Proxy-Authenticate: Digest realm=\"x\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256\r\n",
    );
    assert_eq!(
        param(&sha, "response"),
        Some(&*expected::<Sha256>(&sha, "x", "n2"))
    );
    assert!(!format!("{md5}{sha}").contains("hun:ter2"));
}

#[test]
fn the_strongest_of_several_challenges_is_taken_in_whatever_lines_they_are() {
    let sha = "Digest realm=\"x\", nonce=\"s\", qop=\"auth\", algorithm=SHA-256";
    let md5 = "Digest realm=\"x\", nonce=\"m\", qop=\"auth\", algorithm=MD5";
    for lines in [
        format!("Proxy-Authenticate: Basic realm=\"x\", {md5}, {sha}\r\n"),
        format!(
            "Proxy-Authenticate: {sha}\r\nproxy-authenticate: {md5}\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
        ),
        format!("Proxy-Authenticate: Negotiate, {md5}\r\nProxy-Authenticate: {sha}, NTLM\r\n"),
    ] {
        let answer = answered(&lines);
        assert_eq!(param(&answer, "algorithm"), Some("SHA-256"), "{lines}");
        assert_eq!(param(&answer, "nonce"), Some("s"), "{lines}");
    }
    let weak = answered(&format!(
        "Proxy-Authenticate: Basic realm=\"x\", {md5}, Digest realm=x, nonce=1, algorithm=SHA-9\r\n"
    ));
    assert_eq!(
        param(&weak, "nonce"),
        Some("m"),
        "what can't be answered does not count"
    );
}

#[test]
fn a_nonce_that_was_too_old_is_answered_anew_and_not_without_end() {
    let stale = |nonce: u32| {
        challenge(&format!(
            "Proxy-Authenticate: Digest realm=\"x\", nonce=\"{nonce}\", qop=\"auth\", stale=true\r\n"
        ))
    };
    let mut handshake = handshake(ALICE);
    sent(&mut handshake);
    let mut answers = 0;
    let refused = loop {
        match handshake.handle_octets(&stale(answers)) {
            Ok(()) => {
                let request = asked(&mut handshake);
                let answer = header(&request, "Proxy-Authorization").unwrap();
                assert_eq!(param(answer, "nonce"), Some(&*answers.to_string()));
                answers += 1;
            }
            Err(fault) => break fault,
        }
    };
    assert_eq!((answers, refused), (3, TunnelFault::LoginRefused));
}

#[test]
fn the_same_nonce_again_or_another_that_is_not_called_stale_is_a_refusal() {
    let again = |text: &str| {
        let mut handshake = handshake(ALICE);
        sent(&mut handshake);
        let first = "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth\"\r\n";
        handshake.handle_octets(&challenge(first)).unwrap();
        sent(&mut handshake);
        let line = format!("Proxy-Authenticate: Digest realm=\"x\", qop=\"auth\", {text}\r\n");
        handshake.handle_octets(&challenge(&line))
    };
    assert_eq!(again("nonce=\"2\""), Err(TunnelFault::LoginRefused));
    assert_eq!(
        again("nonce=\"1\", stale=true"),
        Err(TunnelFault::LoginRefused)
    );
    assert_eq!(again("nonce=\"2\", stale=true"), Ok(()));
}
