use phone::config::Policy;
use phone::{Config, Options};
use serde_json::{Value, json};

use crate::harness::{Rig, alice, alice_with};

fn error(options: Value) -> phone::ConfigError {
    Config::from_json(&options).expect_err("the options are wrong")
}

#[test]
fn purecloud_texts_are_kept_word_for_word() {
    let none = "Options required to create an instance of the SDK";
    assert_eq!(error(Value::Null).to_string(), none);
    assert_eq!(error(json!({})).to_string(), none);
    assert_eq!(
        error(json!({ "environment": "mypurecloud.com" })).to_string(),
        "Access token is required to create an instance of the SDK"
    );
}

#[test]
fn who_is_missing_is_said_in_the_words_of_what_was_given() {
    let text = |options| error(options).to_string();
    let uri = "Option 'uri' must be a SIP URI such as 'sip:alice@example.com', but is missing";
    assert_eq!(
        text(json!({ "password": "p", "servers": "wss://x/ws" })),
        uri
    );
    assert_eq!(text(json!({ "ha1": "0".repeat(32), "realm": "r" })), uri);
    let either = "Access token is required to create an instance of the SDK, or the option 'uri' for a SIP account";
    assert_eq!(text(json!({ "servers": "wss://x/ws" })), either);
}

#[test]
fn the_purecloud_triple_is_enough() {
    let config = Config::from_json(&json!({
        "environment": "mypurecloud.ie",
        "accessToken": "e30.eyJzdWIiOiJhbGljZSJ9.sig",
        "orgId": "01234567-89ab-4def-8123-456789abcdef",
    }))
    .unwrap();
    assert_eq!(config.address.to_string(), "sip:alice@mypurecloud.ie");
    assert_eq!(config.servers[0].url(), "wss://mypurecloud.ie/ws");
    assert_eq!(config.auto_answer.policy, Policy::Headers);
    assert!(config.warnings.is_empty());
}

#[test]
fn odd_environments_only_warn() {
    let token = "e30.eyJzdWIiOiJhbGljZSJ9.sig";
    let config = Config::from_json(&json!({ "accessToken": token })).unwrap();
    assert_eq!(
        config.warnings,
        ["No environment provided, using mypurecloud.com"]
    );
    let config =
        Config::from_json(&json!({ "accessToken": token, "environment": "x.example" })).unwrap();
    assert_eq!(
        config.warnings,
        ["Environment is not in the standard list. You may not be able to connect."]
    );
}

#[test]
fn an_opaque_token_needs_a_username() {
    let options = json!({ "environment": "example.com", "accessToken": "opaque" });
    assert_eq!(error(options.clone()).option, "username");
    let mut named = options;
    named["username"] = json!("alice");
    assert_eq!(Config::from_json(&named).unwrap().address.user, "alice");
}

#[test]
fn every_wrong_value_names_its_option_and_what_was_expected() {
    for (option, wrong) in [
        ("uri", json!("https://example.com")),
        ("uri", json!("sip:example.com")),
        ("uri", json!("sip:alice@exa mple.com")),
        ("uri", json!("sip:alice@example.com\r\nX: 1")),
        ("uri", json!("sip:al ice@example.com")),
        ("uri", json!("sip:alice@example.com:0")),
        ("uri", json!("sip:alice@example.com:65536")),
        ("uri", json!("sip:alice@example.com:")),
        ("uri", json!(7)),
        ("displayName", json!("a\r\nb")),
        ("servers", json!("https://example.com")),
        ("servers", json!([])),
        ("servers", json!(7)),
        ("username", json!("")),
        ("password", json!("")),
        ("password", json!(1234)),
        ("realm", json!("")),
        ("realm", json!(7)),
        ("realm", json!([])),
        ("realm[1]", json!(["home", ""])),
        ("realm[0]", json!(["a\r\nb"])),
        ("register", json!("yes")),
        ("registerExpires", json!(0)),
        ("registerExpires", json!(-1)),
        ("registerExpires", json!(1.5)),
        ("instanceId", json!("mine")),
        ("userAgent", json!("a\nb")),
        ("extraHeaders.X A", json!({ "X A": "b" })),
        ("extraHeaders.X-A", json!({ "X-A": "b\r\nX-Evil: 1" })),
        ("extraHeaders.X\\r\\nY", json!({ "X\r\nY": "b" })),
        (
            "extraHeaders.Contact",
            json!([["Contact", "<sip:eve@example.com>"]]),
        ),
        ("extraHeaders.User-Agent", json!({ "User-Agent": "two" })),
        (
            "extraHeaders.X-Long",
            json!({ "X-Long": "x".repeat(40_000) }),
        ),
        ("contactTransport", json!("udp")),
        ("contactTransport", json!(true)),
        ("tls", json!("yes")),
        ("userAgent", json!("")),
        ("outboundProxy", json!("not a uri")),
        ("authorization", json!("never")),
        ("conversationIdHeader", json!("X A")),
        ("conversationIdHeader", json!("Via")),
        ("conversationIdHeader[1]", json!(["X-Conversation", "i"])),
        ("outboundProxy[1]", json!(["sip:a.example", "not a uri"])),
        ("autoAnswer", json!("sometimes")),
        ("autoAnswer", json!(true)),
        ("maxSessions", json!(0)),
        ("maxRinging", json!(0)),
        ("maxRinging", json!(1001)),
        ("maxRinging", json!("many")),
        ("whenFull", json!("away")),
        ("whenFull", json!(486)),
        ("noAnswerTimeout", json!(10)),
        ("mediaTimeout", json!(999)),
        ("mediaTimeout", json!(3_600_001)),
        ("mediaTimeout", json!(false)),
        ("mediaTimeout", json!("60s")),
        ("codecs[0]", json!(["mp3"])),
        ("codecs", json!([])),
        ("codecs[1]", json!(["opus", "OPUS"])),
        ("codecs[2]", json!(["opus", "PCMU", "opus"])),
        ("codecs[1]", json!(["opus", 7])),
        ("audio", json!("loud")),
        ("iceGatheringTimeout", json!(-1)),
        ("iceTransportPolicy", json!("some")),
        ("iceServers[0].urls", json!([{ "urls": "http://x" }])),
        ("iceServers[0]", json!([{ "urls": "turn:x" }])),
        ("iceServers[0].url", json!([{ "url": "stun:x" }])),
        ("iceServers[1].urls", json!([{ "urls": "stun:x" }, {}])),
        ("iceServers[0].urls[1]", json!([{ "urls": ["stun:x", 7] }])),
        ("iceServers[0]", json!(["stun:x"])),
        ("servers.url", json!({ "priority": 1 })),
        (
            "servers[1].priority",
            json!(["wss://a", { "url": "wss://b", "priority": -1 }]),
        ),
        ("servers[0]", json!(["ftp://a"])),
        ("notifies[0]", json!([7])),
        ("iceServers[0].urls", json!([{ "urls": "stun:x:0" }])),
        ("iceServers[0].urls", json!([{ "urls": "stun:x:99999" }])),
        ("iceServers[0].urls", json!([{ "urls": "stun:a b" }])),
        ("orgId", json!("mine")),
        ("logLevel", json!("loud")),
    ] {
        let name = option.split(['[', '.']).next().unwrap();
        let error = error(alice_with(json!({ name: wrong })));
        assert_eq!(error.option, option, "{error}");
        assert!(
            !error.expected.is_empty() && !error.got.is_empty(),
            "{error}"
        );
        assert!(error.to_string().contains(option) && error.to_string().contains(&error.expected));
    }
}

#[test]
fn what_json_cannot_carry_is_named_by_what_it_is() {
    let function = || json!({ "\0": "a function" });
    for (options, text) in [
        (
            json!({ "register": function() }),
            "Option 'register' must be a boolean, but is a function",
        ),
        (
            json!({ "registerExpires": { "\0": "the number NaN" } }),
            "Option 'registerExpires' must be a whole number of seconds from 1 to 86400, but is the number NaN",
        ),
        (
            json!({ "codecs": ["opus", function()] }),
            "Option 'codecs[1]' must be one of 'opus', 'G722', 'PCMU', 'PCMA', but is a function",
        ),
        (
            json!({ "notifies": [{ "\0": "undefined" }] }),
            "Option 'notifies[0]' must be a non-empty string, but is undefined",
        ),
        (
            json!({ "tls": function() }),
            "Option 'tls' must be an object, but is a function",
        ),
        (
            json!({ "servers": function() }),
            "Option 'servers' must be a ws: or wss: URL, a SIP server such as 'sips:pbx.example.com', { url, priority?, weight? }, or an array of these, but is a function",
        ),
        (
            json!({ "iceServers": [function()] }),
            "Option 'iceServers[0]' must be an object with urls, username, credential, expires, but is a function",
        ),
        (
            json!({ "extraHeaders": function() }),
            "Option 'extraHeaders' must be an object or an array of [name, value], but is a function",
        ),
    ] {
        assert_eq!(error(alice_with(options)).to_string(), text);
    }
}

#[test]
fn a_number_is_shown_only_if_one_is_expected() {
    for option in ["password", "accessToken", "userAgent", "tls", "codecs"] {
        let error = error(alice_with(json!({ option: 918_273_645 })));
        assert_eq!(
            (error.option.as_str(), error.got.as_str()),
            (option, "a number")
        );
    }
    let error = error(alice_with(json!({ "registerExpires": -7 })));
    assert_eq!(error.got, "the number -7");
}

#[test]
fn an_object_that_somebody_else_made_says_nothing_for_us() {
    let forged = json!({ "\0": "S3cr3t", "other": 1 });
    for option in ["password", "servers", "tls", "extraHeaders"] {
        let error = error(alice_with(json!({ option: forged })));
        assert!(!error.to_string().contains("S3cr3t"), "{error}");
    }
}

#[test]
fn an_unknown_name_is_shown_on_one_line_and_not_longer_than_names_are() {
    let name = format!("a\r\nb{}", "x".repeat(100_000));
    for options in [
        json!({ &name: 1 }),
        json!({ "tls": { &name: 1 } }),
        json!({ "servers": [{ "url": "wss://a", &name: 1 }] }),
    ] {
        let error = error(alice_with(options));
        assert!(error.option.len() < 200 && !error.option.contains('\n'));
    }
}

#[test]
fn what_is_missing_says_what_it_may_be() {
    for (options, text) in [
        (
            json!({ "servers": [{ "weight": 1 }] }),
            "Option 'servers[0].url' must be a non-empty string, but is undefined",
        ),
        (
            json!({ "iceServers": [{ "username": "u" }] }),
            "Option 'iceServers[0].urls' must be a non-empty string or an array of them, but is undefined",
        ),
    ] {
        assert_eq!(error(alice_with(options)).to_string(), text);
    }
}

#[test]
fn null_is_no_value_of_any_option() {
    for option in [
        "uri",
        "password",
        "register",
        "registerExpires",
        "tls",
        "codecs",
        "audio",
        "autoAnswer",
    ] {
        let error = error(alice_with(json!({ option: null })));
        assert_eq!(
            (error.option.as_str(), error.got.as_str()),
            (option, "null")
        );
    }
}

#[test]
fn the_contact_can_name_a_host_of_the_applications() {
    for (host, expected) in [
        ("pbx-edge.example.com", "pbx-edge.example.com"),
        ("203.0.113.9:5062", "203.0.113.9:5062"),
        ("[2001:db8::9]:5062", "[2001:db8::9]:5062"),
        ("[2001:db8::9]", "[2001:db8::9]"),
    ] {
        let mut rig = Rig::registered(alice_with(json!({ "contactHost": host })));
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&sip::message::Method::Invite);
        let contact = crate::harness::header(&invite, "Contact").unwrap();
        assert_eq!(contact, format!("<sip:alice@{expected};transport=ws;ob>"));
    }
    for wrong in ["a b", "host:0", "host:99999", "", "a>;x", "user@host"] {
        let error = error(alice_with(json!({ "contactHost": wrong })));
        assert!(error.to_string().contains("contactHost"), "{error}");
    }
}

#[test]
fn only_a_bearer_token_can_be_sent_unasked() {
    for account in [json!({}), json!({ "password": "secret" })] {
        let mut options = alice_with(json!({ "authorization": "always" }));
        options.as_object_mut().unwrap().remove("password");
        options
            .as_object_mut()
            .unwrap()
            .extend(account.as_object().unwrap().clone());
        assert_eq!(
            error(options).to_string(),
            "Option 'authorization' must be 'challenge' if no accessToken is given, but is 'always'"
        );
    }
    let mut options = alice_with(json!({ "authorization": "always", "accessToken": "token" }));
    options.as_object_mut().unwrap().remove("password");
    Config::from_json(&options).expect("a token may be sent at once");
}

#[test]
fn nested_options_are_named_whole() {
    for (options, option) in [
        (json!({ "opus": { "rate": 44_100 } }), "opus.rate"),
        (json!({ "opus": { "bitrate": 5999 } }), "opus.bitrate"),
        (json!({ "opus": { "complexity": 11 } }), "opus.complexity"),
        (json!({ "dtmf": { "inband": "always" } }), "dtmf.inband"),
        (json!({ "tones": "xx" }), "tones.country"),
        (json!({ "tones": 1 }), "tones"),
        (json!({ "tones": { "ring": "loud" } }), "tones.ring"),
        (
            json!({ "tones": { "ring": { "type": "none" } } }),
            "tones.ring",
        ),
        (json!({ "tones": { "busy": true } }), "tones.busy"),
        (json!({ "dtmf": { "outband": true } }), "dtmf.outband"),
        (json!({ "tls": { "ca": 7 } }), "tls.ca"),
        (json!({ "tls": { "ca": "no pem" } }), "tls.ca"),
        (
            json!({ "tls": { "cert": "-----BEGIN CERTIFICATE-----" } }),
            "tls.key",
        ),
        (json!({ "tls": { "verify": true } }), "tls.verify"),
        (json!({ "tls": { "pin": 7 } }), "tls.pin"),
        (json!({ "tls": { "pin": [] } }), "tls.pin"),
        (json!({ "tls": { "pin": "c2hvcnQ=" } }), "tls.pin"),
        (
            json!({ "tls": { "pin": ["d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM=", "hunter2"] } }),
            "tls.pin[1]",
        ),
        (
            json!({ "autoAnswer": { "policy": 1 } }),
            "autoAnswer.policy",
        ),
        (
            json!({ "autoAnswer": { "delay": 99_999_999 } }),
            "autoAnswer.delay",
        ),
        (
            json!({ "audio": { "microphone": "x" } }),
            "audio.microphone",
        ),
        (
            json!({ "audio": { "fallback": "speaker" } }),
            "audio.fallback",
        ),
        (json!({ "audio": { "fallback": true } }), "audio.fallback"),
        (json!({ "servers": ["wss://a", "b"] }), "servers[1]"),
    ] {
        assert_eq!(error(alice_with(options)).option, option);
    }
}

#[test]
fn an_unknown_option_is_an_error() {
    let error = error(alice_with(json!({ "passwort": "x" })));
    assert_eq!(error.option, "passwort");
    assert!(
        error
            .expected
            .starts_with("one of accessToken, environment, ")
    );
    assert!(!error.expected.contains("renewable"), "it is lib's");
    assert!(serde_json::from_value::<Options>(json!({ "passwort": "x" })).is_err());
}

#[test]
fn a_bearer_token_needs_tls() {
    let options = json!({
        "uri": "sip:alice@example.com",
        "accessToken": "abc",
        "servers": "ws://pbx.example.com",
    });
    assert_eq!(error(options.clone()).option, "servers");
    let mut insecure = options;
    insecure["allowInsecure"] = json!(true);
    assert!(Config::from_json(&insecure).is_ok());
}

#[test]
fn an_ha1_is_for_one_realm_and_a_password_or_a_token_for_several() {
    let ha1 = "0".repeat(32);
    let alice = |more: Value| {
        let mut options = json!({ "uri": "sip:alice@example.com", "servers": "wss://example.com", "audio": "none" });
        for (name, value) in more.as_object().unwrap() {
            options[name] = value.clone();
        }
        options
    };
    let two = json!(["one", "two"]);
    let error = error(alice(json!({ "ha1": ha1, "realm": two })));
    assert_eq!(
        error.to_string(),
        "Option 'realm' must be the one realm for which ha1 was made, but is an array of 2"
    );
    for secret in [
        json!({ "ha1": ha1, "realm": ["one"] }),
        json!({ "ha1": ha1, "realm": "one" }),
        json!({ "password": "secret", "realm": two }),
        json!({ "accessToken": "token", "realm": two }),
    ] {
        Config::from_json(&alice(secret)).unwrap();
    }
}

#[test]
fn credentials_exclude_each_other() {
    let both = alice_with(json!({ "ha1": "0123456789abcdef0123456789abcdef" }));
    assert_eq!(error(both).option, "ha1");
}

#[test]
fn no_secret_is_shown() {
    let options = alice_with(json!({
        "password": "s3cret-password",
        "servers": "wss://pbx.example.com/ws?token=s3cret-query",
        "tls": { "cert": "-----BEGIN CERTIFICATE-----", "key": "-----BEGIN PRIVATE KEY-----s3cret-key" },
        "iceServers": [{ "urls": "turn:t", "username": "u", "credential": "s3cret-turn" }],
    }));
    let config = Config::from_json(&options).unwrap();
    let parsed = Options::from_json(&options).unwrap();
    assert!(!format!("{config:?} {parsed:?}").contains("s3cret"));
    for wrong in [
        json!({ "password": { "s3cret": 1 } }),
        json!({ "servers": "s3cret" }),
        json!({ "ha1": "s3cret" }),
        json!({ "accessToken": "s3cret token" }),
    ] {
        let mut options = alice();
        options.as_object_mut().unwrap().remove("password");
        for (name, value) in wrong.as_object().unwrap() {
            options[name] = value.clone();
        }
        assert!(!error(options).to_string().contains("s3cret"));
    }
}

#[test]
fn the_defaults_are_those_of_the_api() {
    let config = Config::from_json(&json!({ "uri": "sip:alice@example.com" })).unwrap();
    assert_eq!(config.servers[0].url(), "wss://example.com/ws");
    assert_eq!(config.register_expires.as_secs(), 600);
    assert_eq!(config.no_answer_timeout.as_secs(), 60);
    assert_eq!(config.media_timeout.as_secs(), 60);
    assert_eq!(config.auto_answer.policy, Policy::Announced);
    assert!(config.register && config.session_survivability && config.auto_connect_sessions);
    assert!(config.tls.reject_unauthorized && config.max_sessions.is_none());
    assert_eq!(config.codecs.len(), 4);
}

#[test]
fn an_explicit_policy_wins_over_auto_answer_outbound_calls() {
    let policy = |more| Config::from_json(&alice_with(more)).unwrap().auto_answer;
    let off = policy(json!({ "autoAnswerOutboundCalls": false }));
    assert!(!off.announced);
    let both = policy(json!({ "autoAnswerOutboundCalls": false, "autoAnswer": "always" }));
    assert_eq!(both.policy, Policy::Always);
    assert!(both.announced);
}

#[test]
fn a_pin_is_taken_as_the_rfc_and_others_write_it() {
    let pin = "d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM=";
    for written in [
        pin.to_owned(),
        format!("pin-sha256=\"{pin}\""),
        format!("sha256/{pin}"),
        format!("sha256//{pin}"),
    ] {
        let config = Config::from_json(&alice_with(json!({ "tls": { "pin": written } })));
        assert_eq!(config.unwrap().tls.pins, [pin], "{written}");
    }
    let none = Config::from_json(&alice_with(json!({})));
    assert!(none.unwrap().tls.pins.is_empty());
}

#[test]
fn a_proxy_that_can_not_be_used_is_named_and_not_shown() {
    for (value, got) in [
        (json!(""), "an empty string"),
        (json!(7), "a number"),
        (json!(true), "the boolean true"),
        (json!(["http://a"]), "an array"),
        (json!({ "function": "yes" }), "an object"),
        (json!({ "\0": "an object" }), "an object"),
        (json!("al:hunter2@proxy:3128"), "a URL of another scheme"),
        (
            json!("http://al:hunter2@proxy/path"),
            "a URL with a path, a query",
        ),
        (json!("http://al:hunter2%@proxy"), "credentials have a '%'"),
        (json!("socks5://hunter2@proxy"), "empty or too long"),
        (
            json!({ "environment": { "https": "ftp://al:hunter2@proxy" } }),
            "'environment', and HTTPS_PROXY of the environment is a URL of another scheme",
        ),
    ] {
        let error = error(alice_with(json!({ "httpProxy": value })));
        let text = error.to_string();
        assert_eq!(error.option, "httpProxy");
        assert!(text.contains(got) && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_server_without_tls_beside_one_with_it_is_warned_of() {
    let warnings = |servers: serde_json::Value| {
        let options =
            json!({ "uri": "sip:alice@example.com", "password": "x", "servers": servers });
        phone::Config::from_json(&options).unwrap().warnings
    };
    let mixed = warnings(json!([
        "wss://a.example.com/ws?token=s3cret",
        "sip:b.example.com"
    ]));
    assert_eq!(mixed.len(), 1, "{mixed:?}");
    assert!(
        mixed[0].contains("sip:b.example.com has no TLS"),
        "{mixed:?}"
    );
    assert!(!mixed[0].contains("s3cret"));
    for alike in [json!(["sips:a", "wss://b"]), json!(["sip:a", "ws://b"])] {
        assert!(warnings(alike).is_empty());
    }
}
