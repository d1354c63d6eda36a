use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn question(of: Wanted, name: &str) -> Question {
    Question {
        name: name.to_owned(),
        of,
    }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Record {
    Record::Target {
        priority,
        weight,
        port,
        target: target.to_owned(),
    }
}

fn naptr(order: u16, service: &str, replacement: &str) -> Record {
    Record::Service {
        order,
        preference: 0,
        flags: "s".to_owned(),
        service: service.to_owned(),
        has_regexp: false,
        replacement: replacement.to_owned(),
    }
}

fn address(text: &str) -> Record {
    Record::Address(text.parse().unwrap())
}

/// Searches with a DNS that is a function; what was found, and what was asked in each round.
fn search(
    host: &str,
    sought: Sought,
    dns: impl Fn(Wanted, &str) -> Answer,
) -> (Next, Vec<Vec<Question>>) {
    let (mut search, mut questions) = Search::new(host, sought);
    let mut rounds = Vec::new();
    loop {
        let answers = questions.iter().map(|one| dns(one.of, &one.name)).collect();
        rounds.push(questions);
        assert!(rounds.len() <= 4, "{rounds:?}");
        match search.take(answers) {
            Next::Ask(more) => questions = more,
            end @ (Next::Found(..) | Next::NotFound(_)) => return (end, rounds),
        }
    }
}

fn records(list: Vec<Record>) -> Answer {
    Answer::Records(list, HOUR)
}

const ANY: Sought = Sought::Service { secure: false };

fn shown(next: &Next) -> Vec<String> {
    let Next::Found(places, _) = next else {
        panic!("{next:?}");
    };
    let shown = places.iter().map(|place| {
        let Place {
            transport,
            host,
            port,
            addresses,
            ..
        } = place;
        format!("{} {host}:{port} {addresses:?}", transport.uri_token())
    });
    shown.collect()
}

#[test]
fn naptr_decides_what_is_spoken_and_srv_where() {
    let (found, rounds) = search("example.com", ANY, |of, name| match (of, name) {
        (Wanted::Services, "example.com") => records(vec![
            naptr(20, "SIP+D2U", "_sip._udp.example.com"),
            naptr(10, "SIPS+D2T", "_sips._tcp.provider.test"),
            naptr(5, "SIP+D2S", "_sip._sctp.example.com"),
            naptr(1, "E2U+sip", "x.test"),
        ]),
        (Wanted::Targets, "_sips._tcp.provider.test") => {
            records(vec![srv(10, 1, 5061, "b.test"), srv(5, 1, 443, "a.test")])
        }
        (Wanted::Targets, "_sip._udp.example.com") => records(vec![srv(0, 0, 5070, "c.test")]),
        (Wanted::TargetAddresses, "a.test") => records(vec![address("192.0.2.1")]),
        (Wanted::TargetAddresses, "b.test") => records(vec![address("192.0.2.2")]),
        (Wanted::TargetAddresses, "c.test") => {
            Answer::Records(vec![address("2001:db8::3")], Duration::from_secs(20))
        }
        _ => Answer::Nothing,
    });
    assert_eq!(
        shown(&found),
        [
            "tls a.test:443 [192.0.2.1]",
            "tls b.test:5061 [192.0.2.2]",
            "udp c.test:5070 [2001:db8::3]",
        ]
    );
    assert!(matches!(found, Next::Found(_, valid) if valid == Duration::from_secs(20)));
    assert_eq!(
        rounds[1],
        [question(Wanted::Targets, "_sips._tcp.provider.test")]
    );
}

#[test]
fn without_naptr_each_transport_that_has_a_service_is_used_and_a_round_saved() {
    let (found, rounds) = search("example.com", ANY, |of, name| match (of, name) {
        (Wanted::Targets, "_sip._udp.example.com") => records(vec![srv(0, 0, 5060, "a.test")]),
        (Wanted::Targets, "_sip._tcp.example.com") => records(vec![srv(0, 0, 5062, "a.test")]),
        (Wanted::TargetAddresses, _) => records(vec![address("192.0.2.1")]),
        _ => Answer::Nothing,
    });
    let places = ["tcp a.test:5062 [192.0.2.1]", "udp a.test:5060 [192.0.2.1]"];
    assert_eq!(shown(&found), places);
    assert_eq!(rounds.len(), 2);
    assert_eq!(rounds[1], [question(Wanted::TargetAddresses, "a.test")]);
}

#[test]
fn without_services_it_is_the_host_itself_with_the_port_that_is_usual() {
    let dns = |of, _: &str| match of {
        Wanted::HostAddresses => records(vec![address("192.0.2.9"), address("192.0.2.9")]),
        Wanted::Services | Wanted::Targets | Wanted::TargetAddresses => Answer::Nothing,
    };
    for (sought, place) in [
        (ANY, "udp pbx.test:5060 [192.0.2.9]"),
        (
            Sought::Service { secure: true },
            "tls pbx.test:5061 [192.0.2.9]",
        ),
        (
            Sought::ServiceOver(Transport::Tcp),
            "tcp pbx.test:5060 [192.0.2.9]",
        ),
        (
            Sought::Host(Transport::Udp, 5080),
            "udp pbx.test:5080 [192.0.2.9]",
        ),
    ] {
        let (found, _) = search("pbx.test.", sought, dns);
        assert_eq!(shown(&found), [place]);
    }
    let (_, rounds) = search("pbx.test", Sought::Host(Transport::Udp, 5080), dns);
    assert_eq!(rounds, [[question(Wanted::HostAddresses, "pbx.test")]]);
}

#[test]
fn whatever_the_dns_says_sips_is_never_without_tls() {
    let (found, rounds) = search(
        "example.com",
        Sought::Service { secure: true },
        |of, name| match (of, name) {
            (Wanted::Services, _) => records(vec![
                naptr(1, "SIP+D2U", "_sip._udp.example.com"),
                naptr(2, "SIP+D2T", "_sip._tcp.example.com"),
            ]),
            (Wanted::Targets, "_sips._tcp.example.com") => Answer::Nothing,
            (Wanted::HostAddresses, _) => records(vec![address("192.0.2.1")]),
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(shown(&found), ["tls example.com:5061 [192.0.2.1]"]);
    assert_eq!(rounds.len(), 2);
}

#[test]
fn a_service_that_points_at_itself_ends_with_its_name() {
    let own = "_sip._udp.example.com";
    let sought = Sought::ServiceOver(Transport::Udp);
    let (end, rounds) = search("example.com", sought, |of, _| match of {
        Wanted::Targets => records(vec![srv(0, 0, 5060, own)]),
        Wanted::Services | Wanted::TargetAddresses | Wanted::HostAddresses => Answer::Nothing,
    });
    let text = format!("example.com is served by {own}, of which it has no address");
    assert_eq!(end, Next::NotFound(text));
    assert_eq!(rounds.len(), 2);
}

#[test]
fn a_service_that_is_decidedly_not_there_is_not_sought_at_the_host() {
    let (end, _) = search("example.com", ANY, |of, _| match of {
        Wanted::Targets => records(vec![srv(0, 0, 0, "")]),
        Wanted::Services | Wanted::TargetAddresses | Wanted::HostAddresses => Answer::Nothing,
    });
    let text = "example.com says that it has no such service".to_owned();
    assert_eq!(end, Next::NotFound(text));
}

#[test]
fn of_answers_without_end_so_many_are_asked_and_found() {
    let (found, rounds) = search("example.com", ANY, |of, name| match of {
        Wanted::Services => {
            let many = |n| naptr(n, "SIP+D2U", &format!("_sip._udp.{n}.test"));
            records((0..5000).map(many).collect())
        }
        Wanted::Targets => {
            let many = |n| srv(n, 0, 5060, &format!("{n}.{name}"));
            records((0..5000).map(many).collect())
        }
        Wanted::TargetAddresses => {
            let many = |n: u32| Record::Address(std::net::Ipv4Addr::from(0x0a00_0000 + n).into());
            records((0..5000).map(many).collect())
        }
        Wanted::HostAddresses => Answer::Nothing,
    });
    assert!(
        rounds.iter().map(Vec::len).sum::<usize>() <= 16,
        "{rounds:?}"
    );
    let Next::Found(places, _) = found else {
        panic!("{found:?}");
    };
    assert_eq!(places.len(), 8);
    assert!(places.iter().all(|place| place.addresses.len() == 8));
}

#[test]
fn a_dns_that_fails_is_told_beside_what_failed_then_and_is_asked_again_soon() {
    let fails = |of, _: &str| match of {
        Wanted::HostAddresses => Answer::Failed("no such host".to_owned()),
        Wanted::Services | Wanted::Targets | Wanted::TargetAddresses => {
            Answer::Failed("no answer within 3 s".to_owned())
        }
    };
    let (end, _) = search("example.com", ANY, fails);
    let text = "no such host (its services are not known: no answer within 3 s)".to_owned();
    assert_eq!(end, Next::NotFound(text));
    let (found, _) = search("example.com", ANY, |of, name| match of {
        Wanted::HostAddresses => records(vec![address("192.0.2.1")]),
        Wanted::Services | Wanted::Targets | Wanted::TargetAddresses => fails(of, name),
    });
    assert!(matches!(found, Next::Found(_, DOUBTFUL)));
}

#[test]
fn addresses_that_are_nobodys_and_services_that_are_rewritten_are_passed_over() {
    let (end, _) = search("example.com", ANY, |of, _| match of {
        Wanted::Services => {
            let mut rewritten = naptr(1, "SIP+D2U", "_sip._udp.x.test");
            if let Record::Service { has_regexp, .. } = &mut rewritten {
                *has_regexp = true;
            }
            records(vec![rewritten, naptr(1, "SIP+D2U", "")])
        }
        Wanted::Targets => records(vec![srv(0, 0, 5060, "a.test")]),
        Wanted::TargetAddresses => records(vec![
            address("0.0.0.0"),
            address("::"),
            address("224.0.0.1"),
        ]),
        Wanted::HostAddresses => Answer::Nothing,
    });
    let text = "example.com is served by a.test, of which it has no address".to_owned();
    assert_eq!(end, Next::NotFound(text));
}

fn place(rank: u16, weight: u16, host: &str) -> Place {
    Place {
        transport: Transport::Udp,
        host: host.to_owned(),
        port: 5060,
        rank: (0, rank),
        weight,
        addresses: Vec::new(),
    }
}

#[test]
fn the_draw_decides_among_places_of_one_rank_by_their_weights() {
    let places = || {
        vec![
            place(1, 9, "d"),
            place(0, 3, "b"),
            place(0, 0, "a"),
            place(0, 1, "c"),
        ]
    };
    // Without weight first: a at 0, b from 1 to 3, c at 4.
    for (drawn, first) in [(0, "a"), (1, "b"), (3, "b"), (4, "c")] {
        let mut draws = vec![drawn].into_iter();
        let ordered = in_turn(places(), |most| draws.next().unwrap_or_default().min(most));
        assert_eq!(ordered[0].host, first, "{drawn}");
        assert_eq!(ordered[3].host, "d");
    }
    let mut sums = Vec::new();
    in_turn(places(), |most| {
        sums.push(most);
        most
    });
    assert_eq!(sums, [4, 3, 0, 9]);
}

#[test]
fn what_the_domain_wants_spoken_holds_also_if_no_target_of_it_is_known() {
    for of_targets in [Answer::Nothing, Answer::Failed("timed out".to_owned())] {
        let (found, _) = search("example.com", ANY, |of, _| match of {
            Wanted::Services => records(vec![naptr(1, "SIPS+D2T", "_sips._tcp.provider.test")]),
            Wanted::Targets => of_targets.clone(),
            Wanted::HostAddresses => records(vec![address("192.0.2.1")]),
            Wanted::TargetAddresses => Answer::Nothing,
        });
        assert_eq!(shown(&found), ["tls example.com:5061 [192.0.2.1]"]);
    }
}

#[test]
fn a_service_that_is_denied_denies_no_other() {
    let (found, _) = search("example.com", ANY, |of, name| match of {
        Wanted::Targets if name.starts_with("_sips") => records(vec![srv(0, 0, 0, "")]),
        Wanted::HostAddresses => records(vec![address("192.0.2.1")]),
        Wanted::Targets | Wanted::Services | Wanted::TargetAddresses => Answer::Nothing,
    });
    assert_eq!(shown(&found), ["udp example.com:5060 [192.0.2.1]"]);
}
