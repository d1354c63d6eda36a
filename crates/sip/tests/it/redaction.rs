use sip::redact;

use crate::compose::{parse, request};

const SECRET: &str = "S3CRET";

fn shown(lines: &[&str], body: &str) -> String {
    redact(&request(
        "INFO",
        "sip:ben:S3CRET@example.com",
        lines,
        body.as_bytes(),
    ))
}

#[test]
fn no_secret_of_any_kind_is_shown() {
    let lines = [
        "Authorization: Digest username=\"ann\",\r\n response=\"S3CRET\"",
        "proxy-authorization : Bearer S3CRET",
        "Authorization: S3CRET",
        "X-Anything: token=S3CRET;x=1",
        "X-Participant-Token: S3CRET",
        "Contact: <sip:ann:S3CRET@client.invalid>",
        "Call-Info: <https://example.com/?a=1&access_token=S3CRET&b=2>;purpose=info",
        "Content-Type: application/sdp",
    ];
    let body = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:S3CRET\r\na=crypto:1 AES inline:S3CRET\r\n\
                k=clear:S3CRET\r\n{\"password\": \"S3CRET\\\" S3CRET\", \"user\": \"ann\"}\r\n";
    let text = shown(&lines, body);
    assert!(!text.contains(SECRET), "{text}");
    for kept in [
        "Digest …",
        "Bearer …",
        "x=1",
        "b=2",
        "purpose=info",
        "abcd",
        "\"user\": \"ann\"",
    ] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
}

#[test]
fn dtmf_digits_are_not_shown() {
    for kind in ["application/dtmf-relay", "Application/DTMF ;x=y"] {
        let text = shown(&[&format!("c: {kind}")], "Signal=7\r\nDuration=160\r\n");
        assert!(!text.contains('7') || !text.contains("Signal=7"), "{text}");
        assert!(!text.contains("160"), "{text}");
    }
}

#[test]
fn debug_output_of_a_message_hides_what_a_log_hides() {
    let lines = ["Authorization: Bearer S3CRET"];
    let message = parse(request("OPTIONS", "sip:ben@example.com", &lines, b""));
    let texts = [format!("{message:?}"), format!("{:?}", message.headers())];
    assert!(
        texts
            .iter()
            .all(|text| !text.contains(SECRET) && text.contains("Bearer …"))
    );
}

#[test]
fn what_is_no_message_is_shown_line_by_line() {
    let text = redact(b"\r\n\r\nAuthorization: Digest S3CRET\n\xff\0 token: S3CRET");
    assert!(!text.contains(SECRET), "{text:?}");
}

#[test]
fn keys_cookies_and_the_headers_of_uris_are_hidden_too() {
    let lines = [
        "X-API-Key: S3CRET",
        "Cookie: session=S3CRET; other=S3CRET",
        "Set-Cookie: a=S3CRET",
        "Refer-To: <sip:x@example.com?Authorization=Bearer%20S3CRET&Replaces=a>",
        "X-Auth: {\"refresh_token\":\"S3CRET\",\"api_key\":\"S3CRET\"}",
    ];
    let body = "--b\r\nContent-Type: message/sip\r\n\r\nINVITE sip:b@c SIP/2.0\r\nAuthorization: Digest a=\"b\", response=\"S3CRET\"\r\n";
    let text = shown(&lines, body);
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("&Replaces=a>"), "{text}");
}

/// Whatever the body is called, and however its type is written.
#[test]
fn no_digit_that_was_pressed_is_shown() {
    for (lines, body) in [
        (
            "Content-Type:\r\n application/dtmf-relay",
            "Signal=7\r\nDuration=100\r\n",
        ),
        (
            "Content-Type: multipart/mixed;boundary=b",
            "--b\r\nContent-Type: application/dtmf\r\n\r\n7\r\n--b--\r\n",
        ),
        (
            "Content-Type: multipart/mixed;boundary=b",
            "--b\r\nContent-Type:\r\n application/dtmf-relay\r\n\r\nSignal=7\r\n--b--\r\n",
        ),
        (
            "Content-Type: application/vnd.nortelnetworks.digits",
            "p=Digit-Collection\r\ny=Digits\r\nd=Digits=7\r\n",
        ),
        (
            "Content-Type: application/kpml-response+xml",
            "<kpml-response code=\"200\" digits=\"7\"/>",
        ),
        ("Content-Type: text/plain", "Signal= 7\r\n"),
        ("Content-Type: application/dtmf", "--\r\n7\r\n"),
    ] {
        let text = shown(&[lines], body);
        let (_, shown) = text.split_once("\r\n\r\n").unwrap();
        assert!(!shown.contains('7'), "{lines}\n{text}");
    }
    let text = shown(
        &["Content-Type: multipart/mixed;boundary=b"],
        "--b\r\nContent-Type: application/dtmf\r\n\r\n7\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b--\r\n",
    );
    assert!(text.contains("Hello"), "{text}");
}
