use tunnel::{Blame, Handshake, Output, Strength, Target, TunnelFault};

use crate::harness::{BASIC, after, answer, asked, challenge, handshake, header, sent};

const PLAIN: &str = "http://proxy";
const ALICE: &str = "http://alice:hunter2@proxy";

#[test]
fn a_tunnel_is_asked_for_by_name_and_nothing_is_said_of_who_asks() {
    let request = asked(&mut handshake(ALICE));
    assert_eq!(
        request,
        "CONNECT pbx.example.com:443 HTTP/1.1\r\nHost: pbx.example.com:443\r\n\r\n"
    );
    let address = Target::new("2001:db8::1", 5061).unwrap();
    let mut handshake = Handshake::new(&PLAIN.parse().unwrap(), &address, None, [0; 32]);
    assert!(asked(&mut handshake).starts_with("CONNECT [2001:db8::1]:5061 HTTP/1.1\r\n"));
}

#[test]
fn a_name_that_would_be_more_than_a_name_is_no_target() {
    for host in ["", "a b", "a\r\nX: y", "a/b", "a@b", &"x".repeat(256)] {
        assert!(Target::new(host, 443).is_err(), "{host:?}");
    }
}

#[test]
fn any_2xx_opens_the_tunnel_whatever_it_says_of_a_body() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nVia: 1.0 a\n\n",
    ] {
        let opened = answer(PLAIN, head.as_bytes());
        assert_eq!(opened, Ok(Output::Open(Vec::new())), "{head:?}");
    }
}

#[test]
fn octets_behind_the_head_belong_to_the_tunnel() {
    let opened = answer(
        PLAIN,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x16\x03\x01HTTP",
    );
    assert_eq!(opened, Ok(Output::Open(b"\x16\x03\x01HTTP".to_vec())));
}

#[test]
fn octets_may_come_one_by_one() {
    let mut handshake = handshake(ALICE);
    sent(&mut handshake);
    let challenge =
        b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 4\r\n\r\nbody";
    for octet in challenge {
        assert_eq!(handshake.poll_output(), Output::Wait);
        handshake.handle_octets(&[*octet]).unwrap();
    }
    assert!(asked(&mut handshake).contains("Proxy-Authorization: Basic "));
    for octet in b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" {
        assert_eq!(handshake.poll_output(), Output::Wait);
        handshake.handle_octets(&[*octet]).unwrap();
    }
    assert_eq!(handshake.poll_output(), Output::Open(Vec::new()));
}

#[test]
fn provisional_answers_are_waited_through_but_not_for_ever() {
    let few = "HTTP/1.1 102 Wait\r\nX: y\r\n\r\n".repeat(8) + "HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(answer(PLAIN, few.as_bytes()), Ok(Output::Open(Vec::new())));
    let many = "HTTP/1.1 102 Wait\r\n\r\n".repeat(9);
    assert_eq!(answer(PLAIN, many.as_bytes()), Err(TunnelFault::Endless));
    let switched = answer(PLAIN, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    assert!(matches!(
        switched,
        Err(TunnelFault::Status { status: 101, .. })
    ));
}

#[test]
fn what_is_no_http_is_told_at_its_first_octets() {
    for nonsense in [
        &b"220 mail.example.com ESMTP"[..],
        b"\x05\x00",
        b"SSH-2.0-x\r\n\r\n",
        b"\0",
        b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
    ] {
        let shown = String::from_utf8_lossy(nonsense);
        assert_eq!(
            answer(PLAIN, nonsense),
            Err(TunnelFault::NotHttp),
            "{shown:?}"
        );
    }
}

#[test]
fn a_head_without_end_is_given_up() {
    let mut handshake = handshake(PLAIN);
    sent(&mut handshake);
    handshake.handle_octets(b"HTTP/1.1 200 OK\r\n").unwrap();
    let mut lines = 0;
    while handshake.handle_octets(b"X: 0123456789\r\n").is_ok() {
        lines += 1;
        assert!(lines < 2000, "it goes on");
    }
    let headers = "X: y\r\n".repeat(65);
    let many = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    assert_eq!(answer(PLAIN, many.as_bytes()), Err(TunnelFault::Endless));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(17_000));
    assert_eq!(answer(PLAIN, long.as_bytes()), Err(TunnelFault::Endless));
}

#[test]
fn other_answers_are_refusals_that_say_whose_fault_it_is() {
    for (status, blame, hint) in [
        (302, Blame::Proxy, "redirects, which is not followed"),
        (400, Blame::Proxy, "no proxy for CONNECT"),
        (401, Blame::Proxy, "perhaps no proxy"),
        (
            403,
            Blame::Proxy,
            "administrator has to allow that host and port",
        ),
        (405, Blame::Proxy, "no proxy for CONNECT"),
        (500, Blame::Server, "could not reach the server"),
        (502, Blame::Server, "could not reach the server"),
        (504, Blame::Server, "could not reach the server"),
        (
            418,
            Blame::Proxy,
            "instead of opening a tunnel to pbx.example.com:443",
        ),
    ] {
        let head =
            format!("HTTP/1.1 {status} No\r\nLocation: http://x.example/?token=hunter2\r\n\r\n");
        let fault = answer(PLAIN, head.as_bytes()).unwrap_err();
        let text = fault.to_string();
        assert_eq!(fault.blame(), blame, "{text}");
        assert!(
            text.contains(hint) && text.contains(&status.to_string()),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_proxy_that_closes_first_is_told() {
    let mut handshake = handshake(PLAIN);
    sent(&mut handshake);
    handshake.handle_octets(b"HTTP/1.1 20").unwrap();
    assert_eq!(handshake.handle_end(), Err(TunnelFault::ClosedEarly));
}

#[test]
fn basic_is_given_to_who_asks_for_it() {
    let mut handshake = handshake("http://J%C3%A4s%C3%B8n:p%3Aw%20%25@proxy");
    assert_eq!(
        header(&asked(&mut handshake), "Proxy-Authorization"),
        None,
        "unasked"
    );
    handshake.handle_octets(&challenge(BASIC)).unwrap();
    let request = asked(&mut handshake);
    assert_eq!(
        header(&request, "Proxy-Authorization"),
        Some("Basic SsOkc8O4bjpwOncgJQ==")
    );
    assert_eq!(handshake.asked(), Some(Strength::Basic));
}

#[test]
fn the_same_connection_serves_again_only_if_it_is_certain_where_the_next_answer_begins() {
    for (lines, body, again) in [
        ("Content-Length: 0\r\n", "", true),
        ("Content-Length: 7\r\n", "blocked", true),
        (
            "Content-Length: 7\r\nConnection: close\r\n",
            "blocked",
            false,
        ),
        (
            "Content-Length: 7\r\nProxy-Connection: Close\r\n",
            "",
            false,
        ),
        (
            "Connection: keep-alive, close\r\nContent-Length: 0\r\n",
            "",
            false,
        ),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", false),
        (
            "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n",
            "",
            false,
        ),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", "x", false),
        ("Content-Length: +7\r\n", "blocked", false),
        ("Content-Length: 65537\r\n", "", false),
        ("", "", false),
        // What stands behind the body answers no request of ours.
        ("Content-Length: 0\r\n", "HTTP/1.1 200 OK\r\n\r\n", true),
    ] {
        let mut handshake = handshake(ALICE);
        sent(&mut handshake);
        let head = format!("HTTP/1.1 407 No\r\n{BASIC}{lines}\r\n{body}");
        handshake.handle_octets(head.as_bytes()).unwrap();
        if !again {
            assert_eq!(handshake.poll_output(), Output::Reconnect, "{lines:?}");
            handshake.handle_reconnected();
        }
        let request = asked(&mut handshake);
        assert!(
            header(&request, "Proxy-Authorization").is_some(),
            "{lines:?}"
        );
        assert_eq!(handshake.poll_output(), Output::Wait, "{lines:?}");
        handshake.handle_octets(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        assert_eq!(handshake.poll_output(), Output::Open(Vec::new()));
    }
}

#[test]
fn a_connection_that_is_closed_after_the_challenge_without_a_word_is_opened_again() {
    let mut handshake = handshake(ALICE);
    sent(&mut handshake);
    handshake.handle_octets(&challenge(BASIC)).unwrap();
    sent(&mut handshake);
    handshake.handle_end().unwrap();
    assert_eq!(handshake.poll_output(), Output::Reconnect);
    handshake.handle_reconnected();
    assert!(header(&asked(&mut handshake), "Proxy-Authorization").is_some());
    assert_eq!(
        handshake.handle_end(),
        Err(TunnelFault::ClosedEarly),
        "once"
    );
}

#[test]
fn credentials_that_are_missing_wrong_or_of_no_use_are_told_apart() {
    let lines = format!("{BASIC}Proxy-Authenticate: Negotiate\r\n");
    let missing = answer(PLAIN, &challenge(&lines)).unwrap_err();
    assert_eq!(
        missing,
        TunnelFault::LoginNeeded {
            schemes: "Basic, Negotiate".into()
        }
    );
    let mut handshake = handshake(ALICE);
    sent(&mut handshake);
    handshake.handle_octets(&challenge(BASIC)).unwrap();
    sent(&mut handshake);
    let wrong = handshake.handle_octets(&challenge(BASIC)).unwrap_err();
    assert_eq!(wrong, TunnelFault::LoginRefused);
    let mut handshake = crate::harness::handshake(ALICE);
    sent(&mut handshake);
    handshake.handle_octets(&challenge(BASIC)).unwrap();
    sent(&mut handshake);
    let wrong = handshake.handle_octets(b"HTTP/1.1 401 Unauthorized\r\n\r\n");
    assert_eq!(wrong, Err(TunnelFault::LoginRefused));
    for lines in [
        "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: <b>hunter2\r\n",
        "Proxy-Authenticate: Digest realm=x, nonce=y, algorithm=SHA-1\r\n",
        "Proxy-Authenticate: Digest realm=x, nonce=y, qop=\"odd\"\r\n",
        "Proxy-Authenticate: Digest realm=x\r\n",
        "Proxy-Authenticate: hunter2 a=b\r\n",
        "",
    ] {
        let fault = answer(ALICE, &challenge(lines)).unwrap_err();
        let text = fault.to_string();
        assert!(
            matches!(fault, TunnelFault::Unsupported { .. }),
            "{lines}: {text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(fault.blame(), Blame::Login);
    }
}

#[test]
fn a_proxy_that_has_asked_for_a_digest_gets_no_password() {
    let digest = "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth\"\r\n";
    let mut first = handshake(ALICE);
    sent(&mut first);
    first.handle_octets(&challenge(digest)).unwrap();
    sent(&mut first);
    // In the same handshake,
    assert_eq!(
        first.handle_octets(&challenge(BASIC)),
        Err(TunnelFault::Weaker)
    );
    // and in the next one.
    let mut next = after(ALICE, first.asked());
    sent(&mut next);
    assert_eq!(
        next.handle_octets(&challenge(BASIC)),
        Err(TunnelFault::Weaker)
    );
    let mut strong = after(ALICE, first.asked());
    sent(&mut strong);
    let sha = "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256\r\n";
    strong.handle_octets(&challenge(sha)).unwrap();
    assert!(strong.asked() > first.asked());
}

#[test]
fn a_proxy_is_seen_to_ask_for_a_digest_whatever_comes_of_it() {
    let digest =
        "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth\", stale=true\r\n";
    let unknown =
        "Proxy-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA3\r\n".to_owned();
    for (url, answers, expected) in [
        // It failed after that,
        (
            ALICE,
            vec![
                challenge(digest),
                b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
            ],
            "502",
        ),
        // there were no credentials yet,
        (PLAIN, vec![challenge(digest)], "give them in its URL"),
        // it had been given the password before,
        (
            ALICE,
            vec![challenge(BASIC), challenge(digest)],
            "did not accept the credentials",
        ),
        // or it is a digest that we don't know.
        (
            ALICE,
            vec![challenge(&unknown)],
            "in a way that can't be given",
        ),
    ] {
        let mut first = handshake(url);
        let mut outcome = Ok(());
        for answer in answers {
            sent(&mut first);
            outcome = first.handle_octets(&answer);
        }
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(expected), "{text}");
        let mut next = after(ALICE, first.asked());
        sent(&mut next);
        let weaker = next.handle_octets(&challenge(BASIC));
        assert_eq!(weaker, Err(TunnelFault::Weaker), "{text}");
        assert_eq!(next.asked(), first.asked());
    }
    // Beside one that we don't know, Basic is what it asks for.
    let mut both = handshake(ALICE);
    sent(&mut both);
    both.handle_octets(&challenge(&(unknown + BASIC))).unwrap();
    assert_eq!(both.asked(), Some(Strength::Basic));
}
