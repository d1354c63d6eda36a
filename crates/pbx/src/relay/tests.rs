use super::*;
use crate::fault::Direction;

const ALICE: &str = "10.0.0.1:5000";
const BOB: &str = "10.0.0.2:6000";
const RTP: [u8; 40] = [0x80; 40];
const STUN: [u8; 20] = [0; 20];

/// Alice and Bob, who have described themselves to each other through the relay.
struct Net {
    relay: Relay,
    now: Instant,
    /// The port that stands for each.
    alice: PortId,
    bob: PortId,
}

fn address(port: PortId) -> SocketAddr {
    let port = 40_000 + u16::try_from(port.0).unwrap();
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn owner(user: &str) -> Owner {
    Owner {
        user: user.to_owned(),
        call_id: "call".to_owned(),
    }
}

impl Net {
    fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "virtual time needs one instant to count from"
        )]
        let now = Instant::now();
        let mut relay = Relay::new([5; 32]);
        open_ports(&mut relay);
        let mut net = Self {
            relay,
            now,
            alice: PortId(0),
            bob: PortId(0),
        };
        net.alice = net.describe("alice", ALICE);
        net.bob = net.describe("bob", BOB);
        net
    }

    fn describe(&mut self, user: &str, real: &str) -> PortId {
        let (ip, port) = real.split_once(':').unwrap();
        let sdp =
            format!("m=audio 9 RTP/SAVPF 0\r\na=candidate:1 1 UDP 1 {ip} {port} typ host\r\n");
        self.relay.rewrite(&sdp, &owner(user), self.now);
        open_ports(&mut self.relay);
        self.relay.ports[&real.parse::<SocketAddr>().unwrap()]
    }

    /// What of the datagrams that Alice sends, 20 ms apart, reaches Bob, and when.
    fn send(&mut self, count: u8, datagram: &[u8]) -> Vec<(Duration, Bytes)> {
        let begin = self.now;
        let mut arrived = Vec::new();
        for number in 0..count {
            let mut bytes = datagram.to_vec();
            *bytes.last_mut().unwrap() = number;
            self.relay
                .handle_datagram(self.bob, ALICE.parse().unwrap(), bytes.into(), self.now);
            self.take(begin, &mut arrived);
            let next = self.now + Duration::from_millis(20);
            while let Some(at) = self.relay.next_deadline().filter(|at| *at <= next) {
                self.now = at;
                self.relay.handle_timeout(at);
                self.take(begin, &mut arrived);
            }
            self.now = next;
        }
        arrived
    }

    fn take(&mut self, begin: Instant, arrived: &mut Vec<(Duration, Bytes)>) {
        while let Some(order) = self.relay.poll_order() {
            match order {
                RelayOrder::Send { port, to, bytes } => {
                    assert_eq!((port, to), (self.alice, BOB.parse().unwrap()));
                    arrived.push((self.now - begin, bytes));
                }
                RelayOrder::Open(_) | RelayOrder::Close(_) => {}
            }
        }
    }

    fn with(fault: MediaFault) -> Self {
        let mut net = Self::new();
        net.relay.add_fault(fault);
        net
    }
}

fn open_ports(relay: &mut Relay) {
    while let Some(order) = relay.poll_order() {
        if let RelayOrder::Open(port) = order {
            relay.handle_port(port, Some(address(port)));
        }
    }
}

fn numbers(arrived: &[(Duration, Bytes)]) -> Vec<u8> {
    arrived
        .iter()
        .map(|(_, bytes)| *bytes.last().unwrap())
        .collect()
}

#[test]
fn each_party_is_seen_at_the_port_that_stands_for_it() {
    let mut net = Net::new();
    let arrived = net.send(3, &RTP);
    assert_eq!(numbers(&arrived), [0, 1, 2]);
    net.relay.handle_datagram(
        net.alice,
        BOB.parse().unwrap(),
        Bytes::from_static(&STUN),
        net.now,
    );
    let answered = net.relay.poll_order();
    assert!(matches!(answered, Some(RelayOrder::Send { port, to, .. })
            if port == net.bob && to == ALICE.parse().unwrap()));
}

#[test]
fn the_same_description_gets_the_same_ports() {
    let mut net = Net::new();
    assert_eq!(net.describe("alice", ALICE), net.alice);
}

#[test]
fn an_address_that_nobody_described_gets_a_port_too() {
    let mut net = Net::new();
    let stranger: SocketAddr = "10.0.0.9:1".parse().unwrap();
    net.relay
        .handle_datagram(net.bob, stranger, Bytes::from_static(&STUN), net.now);
    let sent = std::iter::from_fn(|| net.relay.poll_order()).find_map(|order| match order {
        RelayOrder::Send { port, .. } => Some(port),
        RelayOrder::Open(_) | RelayOrder::Close(_) => None,
    });
    assert_eq!(sent, Some(net.relay.ports[&stranger]));
    assert!(sent != Some(net.alice));
}

#[test]
fn loss_takes_its_share_and_the_same_seed_the_same_packets() {
    let fault = MediaFault {
        loss: 0.1,
        ..MediaFault::default()
    };
    let first = numbers(&Net::with(fault.clone()).send(250, &RTP));
    assert!((210..240).contains(&first.len()), "{}", first.len());
    assert_eq!(numbers(&Net::with(fault).send(250, &RTP)), first);
}

#[test]
fn bursts_take_the_same_share_in_fewer_places() {
    let gaps = |burst| {
        let mut net = Net::with(MediaFault {
            loss: 0.2,
            burst,
            ..MediaFault::default()
        });
        let (mut gaps, mut lost) = (0, 0);
        for _ in 0..8 {
            let came = numbers(&net.send(250, &RTP));
            lost += 250 - came.len();
            gaps += came.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
        }
        (gaps, lost)
    };
    let (single, lost_singly) = gaps(1.0);
    let (bursts, lost_in_bursts) = gaps(5.0);
    for lost in [lost_singly, lost_in_bursts] {
        assert!((280..520).contains(&lost), "{lost} of 2000");
    }
    assert!(bursts * 2 < single, "{bursts} gaps against {single}");
}

#[test]
fn delay_and_jitter_keep_the_order() {
    let mut net = Net::with(MediaFault {
        delay: 50,
        jitter: 40,
        ..MediaFault::default()
    });
    let arrived = net.send(100, &RTP);
    let came = numbers(&arrived);
    assert!(came.is_sorted() && came.len() > 90);
    let late: Vec<u64> = arrived
        .iter()
        .map(|(at, bytes)| at.as_millis() as u64 - 20 * u64::from(*bytes.last().unwrap()))
        .collect();
    assert!(late.iter().all(|late| (50..=90).contains(late)), "{late:?}");
    assert!(late.iter().max() > late.iter().min());
}

#[test]
fn a_reordered_packet_comes_after_those_that_follow_it() {
    let mut net = Net::with(MediaFault {
        reorder: 0.2,
        ..MediaFault::default()
    });
    let came = numbers(&net.send(100, &RTP));
    let overtaken = came.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((10..30).contains(&overtaken), "{overtaken}");
}

#[test]
fn duplicates_come_twice_and_damage_differs_in_one_bit() {
    let mut net = Net::with(MediaFault {
        duplicate: 1.0,
        ..MediaFault::default()
    });
    assert_eq!(numbers(&net.send(2, &RTP)), [0, 0, 1, 1]);
    let mut net = Net::with(MediaFault {
        corrupt: 1.0,
        ..MediaFault::default()
    });
    let (_, bytes) = net.send(1, &RTP).remove(0);
    let mut sent = RTP;
    sent[39] = 0;
    let flipped: u32 = bytes
        .iter()
        .zip(sent)
        .map(|(a, b)| (a ^ b).count_ones())
        .sum();
    assert_eq!(flipped, 1);
    assert_eq!(net.send(1, &STUN).remove(0).1[..], STUN, "no sound");
}

#[test]
fn silence_lets_the_connection_live() {
    let mut net = Net::with(MediaFault {
        silence: true,
        ..MediaFault::default()
    });
    let receiver_report = [0x81, 201, 0, 1];
    assert!(net.send(1, &RTP).is_empty());
    assert_eq!(net.send(1, &STUN).len(), 1);
    assert_eq!(net.send(1, &receiver_report).len(), 1);
}

#[test]
fn a_fault_of_one_user_and_direction_spares_the_others() {
    let count = |user: &str, direction| {
        let mut net = Net::with(MediaFault {
            user: Some(user.to_owned()),
            direction,
            loss: 1.0,
            ..MediaFault::default()
        });
        net.send(1, &RTP).len()
    };
    assert_eq!(count("alice", None), 0);
    assert_eq!(count("alice", Some(Direction::In)), 0);
    assert_eq!(count("alice", Some(Direction::Out)), 1);
    assert_eq!(count("bob", Some(Direction::Out)), 0);
    assert_eq!(count("carol", None), 1);
}

#[test]
fn a_new_binding_is_another_port_and_the_old_one_is_closed() {
    let mut net = Net::new();
    let old = net.alice;
    net.relay.rebind("alice");
    net.alice = net.relay.ports[&ALICE.parse::<SocketAddr>().unwrap()];
    assert_ne!(net.alice, old);
    assert_eq!(net.relay.poll_order(), Some(RelayOrder::Close(old)));
    assert_eq!(net.send(1, &RTP).len(), 1);
}

#[test]
fn ports_close_with_their_call_or_when_nobody_uses_them() {
    let mut net = Net::new();
    net.send(1, &RTP);
    net.relay.forget_call("another");
    assert_eq!(net.relay.places.len(), 2);
    net.relay.forget_call("call");
    assert!(net.relay.places.is_empty() && net.relay.ports.is_empty());

    let mut net = Net::new();
    for _ in 0..3 {
        let at = net.relay.next_deadline().unwrap();
        assert!(at <= net.now + IDLE);
        net.now = at;
        net.relay.handle_timeout(at);
        if net.relay.places.is_empty() {
            break;
        }
    }
    assert!(net.relay.places.is_empty());
    assert_eq!(net.relay.next_deadline(), None);
}

#[test]
fn a_call_of_many_addresses_takes_no_more_than_its_share() {
    let mut net = Net::new();
    let sdp: String = (0..100)
        .map(|port| {
            format!(
                "a=candidate:1 1 UDP 1 10.0.0.3 {} typ host\r\n",
                7000 + port
            )
        })
        .collect();
    let rewritten = net.relay.rewrite(&sdp, &owner("carol"), net.now);
    assert_eq!(rewritten.lines().count(), MAX_PLACES_A_MESSAGE);
}
