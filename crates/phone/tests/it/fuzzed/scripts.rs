//! What a peer may write, and what the application may ask.

use serde_json::{Value, json};

use super::promises::Promises;

const CONDITIONS: [&str; 4] = ["busy", "success", "security-error", "no such condition"];

pub(super) const CODES: [u16; 24] = [
    100, 180, 183, 200, 202, 204, 301, 302, 401, 404, 407, 408, 412, 420, 422, 423, 481, 486, 487,
    489, 491, 503, 600, 699,
];

pub(super) const METHODS: [&str; 16] = [
    "INVITE",
    "INVITE",
    "ACK",
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "UPDATE",
    "OPTIONS",
    "MESSAGE",
    "PRACK",
    "SUBSCRIBE",
    "SUBSCRIBE",
    "NOTIFY",
    "NOTIFY",
    "REFER",
];

pub(super) const HEADERS: [(&str, &str); 48] = [
    ("Supported", "100rel, timer, replaces, norefersub"),
    ("Require", "100rel"),
    ("Require", "no-such-thing"),
    ("RSeq", "1"),
    ("RAck", "1 1 INVITE"),
    ("Allow", "INVITE, ACK, BYE, UPDATE, REFER, NOTIFY"),
    ("Session-Expires", "90;refresher=uac"),
    ("Session-Expires", "90;refresher=uas"),
    ("Session-Expires", "4294967295"),
    ("Min-SE", "90"),
    ("Min-Expires", "700"),
    ("Retry-After", "1"),
    ("Expires", "0"),
    ("Expires", "60"),
    ("Event", "conference"),
    ("Event", "presence"),
    ("Event", "dialog"),
    ("Event", "message-summary"),
    ("Event", "refer"),
    ("Event", "refer;id=2"),
    ("Event", "talk"),
    ("Event", "hold"),
    ("Subscription-State", "active;expires=60"),
    ("Subscription-State", "pending"),
    ("Subscription-State", "terminated;reason=noresource"),
    (
        "Subscription-State",
        "terminated;reason=probation;retry-after=1",
    ),
    ("Refer-To", "<sip:carol@example.com>"),
    (
        "Refer-To",
        "<sip:carol@example.com?Replaces=c1%3Bto-tag%3Da%3Bfrom-tag%3Db>",
    ),
    ("Refer-To", "<tel:+15550100>"),
    ("Refer-Sub", "false"),
    ("Referred-By", "<sip:bob@example.com>"),
    ("Replaces", "c1;to-tag=x;from-tag=b"),
    ("Join", "c1;to-tag=x;from-tag=b"),
    ("Call-Info", "<sip:x>;answer-after=0"),
    (
        "Alert-Info",
        "<http://x.invalid>;info=alert-autoanswer;delay=0",
    ),
    ("Answer-Mode", "Auto;require"),
    ("Reason", "SIP;cause=200;text=\"Call completed elsewhere\""),
    ("Reason", "Q.850;cause=17"),
    (
        "P-Asserted-Identity",
        "\"Bob\" <sip:bob@example.com>, <tel:+15550100>",
    ),
    (
        "Diversion",
        "<sip:carol@example.com>;reason=deflection;counter=3",
    ),
    ("History-Info", "<sip:carol@example.com>;index=1.1"),
    ("Privacy", "id;header"),
    ("User-to-User", "56a390f3d2b7310023;encoding=hex"),
    (
        "Session-ID",
        "ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2",
    ),
    ("X-Conversation-Id", "c"),
    (
        "WWW-Authenticate",
        "Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
    ),
    (
        "Proxy-Authenticate",
        "Digest realm=\"x\", nonce=\"y\", stale=true",
    ),
    (
        "Record-Route",
        "<sip:p.example.com>, <sip:q.example.com;lr>",
    ),
];

pub(super) const BODIES: [(&str, &str); 11] = [
    ("application/sdp", ""),
    ("application/sdp", "v=0\r\n"),
    ("application/sdp", "v=0\r\no=- 1 1 IN IP4 0\r\n"),
    ("message/sipfrag", "SIP/2.0 180 Ringing\r\n"),
    ("message/sipfrag", "SIP/2.0 200 OK\r\n"),
    ("message/sipfrag", "SIP/2.0 603 Decline\r\n"),
    ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
    ("application/dtmf", "#"),
    ("text/plain;charset=utf-8", "hello"),
    (
        "application/simple-message-summary",
        "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n",
    ),
    (
        "application/conference-info+xml",
        "<conference-info xmlns='urn:ietf:params:xml:ns:conference-info' entity='sip:r@example.com'>\
         <users><user entity='sip:bob@example.com'/></users></conference-info>",
    ),
];

/// What the application may ask: `what` of whom, `which`, and `more`.
pub(super) fn command(what: usize, which: usize, more: usize, promises: &Promises) -> Value {
    let yes = more.is_multiple_of(2);
    let (id, other) = (promises.session(which), promises.session(more));
    let number = promises.number(which);
    let via = ["invite", "update"][which % 2];
    let by = ["rfc4733", "info", "inband"][more % 3];
    let event = ["dialog", "presence", "message-summary"][more % 3];
    let ringing = ["wait", "blind"][which % 2];
    let condition = CONDITIONS[more % CONDITIONS.len()];
    let conference = 1 + which % 3;
    let asked =
        |request: Value| json!({ "type": "conference", "id": conference, "request": request });
    let content = ["camera", "screen"][which % 2];
    let input = match more % 3 {
        0 => json!({ "type": "source", "id": more, "codecs": [] }),
        1 => json!({ "type": "none" }),
        2.. => Value::Null,
    };
    match what % 44 {
        0 => json!({ "type": "initialize" }),
        1 => json!({ "type": "disconnect" }),
        2 => json!({ "type": "reconnect" }),
        3 => json!({ "type": "register" }),
        4 => json!({ "type": "unregister" }),
        5..=8 => json!({ "type": "accept", "id": id, "options": { "autoConnectSession": yes } }),
        9 => json!({ "type": "reject", "id": id, "code": 300 + which, "cause": 1 + more % 127 }),
        10 => json!({ "type": "redirect", "id": id, "target": "bob" }),
        11 => json!({ "type": "end", "id": id, "reason": condition, "text": "that \"is\" all" }),
        12 => json!({ "type": "abort", "ticket": more }),
        13 => json!({ "type": "mute", "id": id, "muted": yes }),
        14 | 15 => json!({ "type": "hold", "id": id, "held": yes, "via": via }),
        16 => json!({ "type": "transfer", "id": id, "target": "carol" }),
        17 => json!({ "type": "attendedTransfer", "id": id, "other": other, "ringing": ringing }),
        18 => json!({ "type": "acceptTransfer", "id": id }),
        19 => json!({ "type": "rejectTransfer", "id": id }),
        20 => json!({ "type": "acceptCallRequest", "request": number }),
        21 => json!({ "type": "rejectCallRequest", "request": number }),
        22 => json!({ "type": "sendInfo", "id": id, "contentType": "text/plain", "body": "hello" }),
        23 => json!({ "type": "sendDtmf", "id": id, "tones": "1,#D", "via": by }),
        24 => json!({ "type": "sendMessage", "target": "bob", "body": "hello" }),
        25 => json!({ "type": "sendOptions", "target": "bob" }),
        26 => json!({ "type": "subscribe", "target": "bob", "event": event }),
        27 => json!({ "type": "unsubscribe", "subscription": number }),
        28 | 29 => json!({ "type": "acceptSubscription", "notifier": number, "body": "state" }),
        30 => json!({ "type": "notify", "notifier": number, "body": "another state" }),
        31 => json!({ "type": "terminateNotifier", "notifier": number, "reason": "deactivated" }),
        32 => json!({ "type": "autoAnswerDecision", "id": id, "answer": yes }),
        33 => json!({ "type": "connect", "id": id }),
        34 => json!({ "type": "sendEarlyMedia", "id": id }),
        35 => json!({ "type": "expectCall", "conversationId": "c", "timeout": 5000 }),
        36 => json!({ "type": "confer", "sessions": [id, other] }),
        37 => asked(match more % 8 {
            0 => json!({ "type": "add", "session": id }),
            1 => json!({ "type": "remove", "session": id }),
            2..=4 => json!({ "type": "hold", "held": yes }),
            5 => json!({ "type": "mute", "session": id, "muted": yes }),
            6 => json!({ "type": "end" }),
            7.. => json!({ "type": "dissolve" }),
        }),
        38 | 39 => json!({ "type": "delivered", "id": id }),
        40 | 41 => json!({ "type": "setVideo", "id": id, "content": content, "input": input }),
        42 => json!({ "type": "muteVideo", "id": id, "muted": yes }),
        43.. => json!({
            "type": "setVideoOutput", "id": id, "stream": (1 + which % 4).to_string(),
            "output": { "type": "none" },
        }),
    }
}
