//! Servers that the DNS has to be asked for, and a DNS that lies, loops, is slow or silent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use domain::base::Rtype;
use domain::base::iana::Rcode;
use futures_util::future::join_all;
use phone::config::Server;
use runtime::signalling::{ConnectError, Connector, Dns, TlsOptions};
use sip::locating::Place;

use crate::name_server::{self, Rr, Said};
use crate::server::{self, Authority, Manner};

const LIMIT: Duration = Duration::from_secs(20);

async fn find(url: &str, servers: Vec<SocketAddr>) -> Result<Vec<Place>, ConnectError> {
    let connector = Connector::new(TlsOptions::default(), LIMIT).asking(Dns::at(servers));
    let found = connector.find(&Server::parse(url).unwrap()).await;
    found.map(|(places, _)| places)
}

fn shown(places: &[Place]) -> Vec<String> {
    let shown = places.iter().map(|place| {
        let token = place.transport.uri_token();
        format!(
            "{token} {}:{} {:?}",
            place.host, place.port, place.addresses
        )
    });
    shown.collect()
}

/// A domain with a service over UDP at `a.test`, of which the rest decides.
async fn serving(of_a: impl Fn(Rtype) -> Said + Send + Sync + 'static) -> SocketAddr {
    let said = move |name: &str, of: Rtype| match (name, of) {
        ("_sip._udp.example.test", Rtype::SRV) => Said::Records(vec![Rr::Srv(0, 5070, "a.test")]),
        ("a.test", of) => of_a(of),
        _ => Said::Code(Rcode::NXDOMAIN),
    };
    name_server::start(said).await
}

const AT_A: [&str; 1] = ["udp a.test:5070 [192.0.2.1]"];

#[tokio::test]
async fn naptr_srv_and_both_kinds_of_addresses_are_asked_for_and_count_as_long_as_they_say() {
    let dns = name_server::start(|name, of| match (name, of) {
        ("example.test", Rtype::NAPTR) => Said::Records(vec![
            Rr::Naptr(2, "SIP+D2U", "_sip._udp.example.test"),
            Rr::Naptr(1, "SIPS+D2T", "_sips._tcp.provider.test"),
        ]),
        ("_sips._tcp.provider.test", Rtype::SRV) => {
            Said::Records(vec![Rr::Srv(2, 5061, "b.test"), Rr::Srv(1, 443, "a.test")])
        }
        ("a.test" | "b.test", Rtype::A) => Said::Records(vec![Rr::Address("192.0.2.1")]),
        ("a.test", Rtype::AAAA) => Said::Records(vec![Rr::Address("2001:db8::1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let connector = Connector::new(TlsOptions::default(), LIMIT).asking(Dns::at(vec![dns]));
    let server = Server::parse("sip:example.test").unwrap();
    let (places, valid) = connector.find(&server).await.unwrap();
    let expected = [
        "tls a.test:443 [2001:db8::1, 192.0.2.1]",
        "tls b.test:5061 [192.0.2.1]",
    ];
    assert_eq!(shown(&places), expected);
    assert_eq!(valid, Duration::from_secs(300));
}

#[tokio::test]
async fn whoever_the_dns_leads_to_has_to_have_the_certificate_of_the_domain() {
    let authority = Authority::new();
    let tls = TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    for (names, is_the_server) in [(&["sip:example.test"], true), (&["sip:a.test"], false)] {
        let port = server::start(Manner::Echo, Some(authority.server_named(names))).await;
        let dns = name_server::start(move |name, of| match (name, of) {
            ("_sips._tcp.example.test", Rtype::SRV) => {
                Said::Records(vec![Rr::Srv(0, port, "a.test")])
            }
            ("a.test", Rtype::A) => Said::Records(vec![Rr::Address("127.0.0.1")]),
            _ => Said::Records(Vec::new()),
        })
        .await;
        let connector = Connector::new(tls.clone(), LIMIT).asking(Dns::at(vec![dns]));
        let server = Server::parse("sips:example.test").unwrap();
        let (places, _) = connector.find(&server).await.unwrap();
        assert_eq!(places.len(), 1);
        let outcome = connector.connect_at(&server, &places[0], None).await;
        assert_eq!(outcome.is_ok(), is_the_server, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_domain_without_tls_gets_nobody_who_asked_for_tls_to_speak_openly() {
    let dns = name_server::start(|name, of| match (name, of) {
        ("example.test", Rtype::NAPTR) => Said::Records(vec![
            Rr::Naptr(1, "SIP+D2U", "_sip._udp.example.test"),
            Rr::Naptr(2, "SIP+D2T", "_sip._tcp.example.test"),
        ]),
        ("_sip._udp.example.test" | "_sip._tcp.example.test", Rtype::SRV) => {
            Said::Records(vec![Rr::Srv(0, 5060, "a.test")])
        }
        ("a.test" | "example.test", Rtype::A) => Said::Records(vec![Rr::Address("192.0.2.1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    for url in [
        "sips:example.test",
        "sips:example.test;transport=tcp",
        "sip:example.test;transport=tls",
    ] {
        let found = find(url, vec![dns]).await.unwrap();
        assert_eq!(
            shown(&found),
            ["tls example.test:5061 [192.0.2.1]"],
            "{url}"
        );
    }
    let openly = find("sip:example.test", vec![dns]).await.unwrap();
    assert_eq!(openly.len(), 2);
}

#[tokio::test]
async fn aliases_are_followed_and_what_was_not_asked_for_is_not_taken() {
    let dns = serving(|of| match of {
        Rtype::A => Said::Records(vec![
            Rr::Stray("evil.test", "203.0.113.66"),
            Rr::Alias("a.test".into(), "b.test".into()),
            Rr::Alias("b.test".into(), "c.test".into()),
            Rr::Stray("c.test", "192.0.2.1"),
        ]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let found = find("sip:example.test;transport=udp", vec![dns]).await;
    assert_eq!(shown(&found.unwrap()), AT_A);
}

#[tokio::test]
async fn aliases_that_go_round_are_an_error_with_the_name() {
    let dns = serving(|_| {
        Said::Records(vec![
            Rr::Alias("a.test".into(), "b.test".into()),
            Rr::Alias("b.test".into(), "a.test".into()),
        ])
    })
    .await;
    let error = find("sip:example.test;transport=udp", vec![dns]).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("example.test is served by a.test"), "{text}");
}

#[tokio::test]
async fn an_answer_too_large_for_a_datagram_is_asked_for_again_over_a_stream_and_bounded() {
    let dns = serving(|of| match of {
        Rtype::A => {
            let many = (0..2000).map(|_| Rr::Address("192.0.2.1"));
            Said::TooLarge(many.collect())
        }
        _ => Said::Records(Vec::new()),
    })
    .await;
    let found = find("sip:example.test;transport=udp", vec![dns]).await;
    assert_eq!(shown(&found.unwrap()), AT_A);
}

#[tokio::test]
async fn an_answer_to_another_question_is_passed_over() {
    let dns = serving(|of| match of {
        Rtype::A => Said::AfterLies(vec![Rr::Address("192.0.2.1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let found = find("sip:example.test;transport=udp", vec![dns]).await;
    assert_eq!(shown(&found.unwrap()), AT_A);
}

#[tokio::test]
async fn a_name_server_that_is_silent_is_followed_by_the_next_and_a_slow_one_is_waited_for() {
    let silent = name_server::start(|_, _| Said::Nothing).await;
    let slow = serving(|of| match of {
        Rtype::A => Said::Late(Duration::from_millis(300), vec![Rr::Address("192.0.2.1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let found = find("sip:example.test;transport=udp", vec![silent, slow]).await;
    assert_eq!(shown(&found.unwrap()), AT_A);
}

#[tokio::test]
async fn name_servers_that_are_silent_or_talk_nonsense_are_given_up_in_time_and_told() {
    let begun = Instant::now();
    let each = [Said::Nothing, Said::Garbage, Said::Code(Rcode::SERVFAIL)].map(async |said| {
        let kept = said.clone();
        let dns = name_server::start(move |_, _| said.clone()).await;
        let error = find("sip:no-such-host.test", vec![dns]).await;
        let text = error.unwrap_err().to_string();
        assert!(text.contains("no-such-host.test was not found"), "{text}");
        assert!(
            text.contains("its services are not known"),
            "{kept:?} {text}"
        );
    });
    join_all(each).await;
    assert!(begun.elapsed() < LIMIT);
}

#[tokio::test]
async fn who_is_silent_about_naptr_alone_keeps_nobody_waiting() {
    let dns = name_server::start(|name, of| match (name, of) {
        (_, Rtype::NAPTR | Rtype::AAAA) => Said::Nothing,
        ("_sip._udp.example.test", Rtype::SRV) => Said::Records(vec![Rr::Srv(0, 5070, "a.test")]),
        ("a.test", Rtype::A) => Said::Records(vec![Rr::Address("192.0.2.1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let connector = Connector::new(TlsOptions::default(), LIMIT).asking(Dns::at(vec![dns]));
    let server = Server::parse("sip:example.test").unwrap();
    let (places, valid) = connector.find(&server).await.unwrap();
    assert_eq!(shown(&places), AT_A);
    assert_eq!(
        valid,
        Duration::from_secs(30),
        "what is in doubt is asked again soon"
    );
}

#[tokio::test]
async fn who_knows_no_extensions_is_asked_without() {
    let dns = serving(|of| match of {
        Rtype::A => Said::WithoutExtensions(vec![Rr::Address("192.0.2.1")]),
        _ => Said::Records(Vec::new()),
    })
    .await;
    let found = find("sip:example.test;transport=udp", vec![dns]).await;
    assert_eq!(shown(&found.unwrap()), AT_A);
}

#[tokio::test]
async fn a_service_that_leads_to_itself_or_nowhere_is_told() {
    let dns = name_server::start(|_, of| match of {
        Rtype::SRV => Said::Records(vec![Rr::Srv(0, 5060, "_sip._udp.example.test")]),
        _ => Said::Code(Rcode::NXDOMAIN),
    })
    .await;
    let error = find("sip:example.test;transport=udp", vec![dns]).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("served by _sip._udp.example.test"), "{text}");
    let dns = name_server::start(|_, of| match of {
        Rtype::SRV => Said::Records(vec![Rr::Srv(0, 0, ".")]),
        _ => Said::Code(Rcode::NXDOMAIN),
    })
    .await;
    let error = find("sip:example.test", vec![dns]).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("no such service"), "{text}");
}
