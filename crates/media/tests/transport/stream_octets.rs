//! Any octets as what a TURN server sends on a stream, in pieces of any size. The fuzz target compiles this file as well.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use media::transport::{
    Certificate, Config, LinkEvent, LinkId, Output, Policy, Reach, Role, Secret, Server,
    ServerKind, StreamTarget, Transport,
};

/// What stands in the first message for the transaction of our request.
const OURS: [u8; 12] = [0xAA; 12];
/// What may come of one piece, and is far more than any server can ask for.
const MOST_OUTPUTS: usize = 10_000;

static CERTIFICATE: LazyLock<Certificate> =
    LazyLock::new(|| Certificate::generate().expect("there is cryptography"));

/// Lets a transport read them, whole and in pieces: no panic, no endless output, and the same comes of both. The first octets say
/// how large the pieces are.
pub(crate) fn read_anyhow(bytes: &[u8]) -> Vec<String> {
    let (sizes, octets) = bytes.split_at(bytes.len().min(4));
    let whole = heard(octets, &[]);
    assert_eq!(whole, heard(octets, sizes), "pieces mean nothing");
    whole
}

fn heard(octets: &[u8], sizes: &[u8]) -> Vec<String> {
    let now = start();
    let mut stream = ServerStream::open(now);
    let mut octets = stream.with_our_transaction(octets);
    let mut sizes = sizes.iter().cycle();
    while !octets.is_empty() {
        let size = sizes
            .next()
            .map_or(octets.len(), |size| usize::from(*size).max(1));
        let rest = octets.split_off(size.min(octets.len()));
        stream.feed(LinkEvent::Octets(&octets), now);
        octets = rest;
    }
    stream.feed(LinkEvent::Down("the end".to_owned()), now);
    stream.end(now);
    stream.told
}

struct ServerStream {
    transport: Transport,
    link: LinkId,
    /// Our first request.
    request: Vec<u8>,
    told: Vec<String>,
}

impl ServerStream {
    fn open(now: Instant) -> Self {
        let mut config = Config::new(
            vec![address("10.0.0.1:1000")],
            Role::Controlling,
            CERTIFICATE.clone(),
            1,
        );
        config.policy = Policy::Relay;
        config.servers = vec![Server {
            name: "turn:t?transport=tcp".to_owned(),
            reach: Reach::Stream(StreamTarget {
                host: "t".to_owned(),
                port: 3478,
                tls: false,
            }),
            kind: ServerKind::Turn {
                username: "u".to_owned(),
                password: Secret::new("p"),
            },
        }];
        let mut transport = Transport::new(config, [7; 32], now).expect("it can be made");
        let link = loop {
            let output = transport.poll_output();
            if let Output::Connect(link, _) = output {
                break link;
            }
            assert!(!matches!(output, Output::Timeout(..)), "a stream is wanted");
        };
        let mut stream = Self {
            transport,
            link,
            request: Vec::new(),
            told: Vec::new(),
        };
        stream.drain();
        stream.feed(LinkEvent::Up(address("10.0.0.1:5000")), now);
        stream.told.clear();
        stream
    }

    fn with_our_transaction(&self, octets: &[u8]) -> Vec<u8> {
        let mut octets = octets.to_vec();
        let ours = self
            .request
            .get(8..20)
            .map(<[u8]>::to_vec)
            .unwrap_or_default();
        // In the first message alone: it is drawn anew each time, and a message that begins amid it would be another each time.
        if octets.get(8..20) == Some(&OURS) {
            octets[8..20].copy_from_slice(&ours);
        }
        octets
    }

    fn feed(&mut self, event: LinkEvent<'_>, now: Instant) {
        self.transport.handle_link(self.link, event, now);
        self.drain();
    }

    /// Nothing of it keeps the time from passing.
    fn end(&mut self, mut now: Instant) {
        for _ in 0..3 {
            now += Duration::from_secs(60);
            self.transport.handle_timeout(now);
            self.drain();
        }
        self.transport.close(now);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..MOST_OUTPUTS {
            let output = self.transport.poll_output();
            if let Output::Timeout(..) = output {
                return;
            }
            let Output::Send(_, octets) = output else {
                self.told.push(format!("{output:?}"));
                continue;
            };
            if self.request.is_empty() {
                self.request = octets.to_vec();
            }
            // Transactions are drawn anew each time.
            self.told.push(format!("{} octets", octets.len()));
        }
        panic!("the outputs have no end");
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("it is an address")
}

#[allow(
    clippy::disallowed_methods,
    reason = "virtual time has to start somewhere; the clock is read only here"
)]
fn start() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error response to our request.
    fn refusal(code: u8) -> Vec<u8> {
        let mut octets = vec![0x01, 0x13, 0, 8, 0x21, 0x12, 0xa4, 0x42];
        octets.extend(OURS);
        octets.extend([0x00, 0x09, 0, 4, 0, 0, 4, code]);
        octets
    }

    #[test]
    fn a_refusal_is_read_however_it_is_cut_and_what_is_none_ends_the_stream() {
        for sizes in [[1, 1, 1, 1], [3, 19, 1, 2], [200, 200, 200, 200]] {
            let octets = [&sizes[..], &refusal(3)].concat();
            let told = read_anyhow(&octets).join("\n");
            assert!(told.contains("Refused { code: 403"), "{told}");
            let octets = [&sizes[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"].concat();
            let told = read_anyhow(&octets).join("\n");
            assert!(
                told.contains("Nonsense") && told.contains("Disconnect"),
                "{told}"
            );
        }
    }

    #[test]
    fn what_was_found_before_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/turn_stream");
        let seeds = std::fs::read_dir(folder).unwrap();
        let read = seeds.map(|seed| read_anyhow(&std::fs::read(seed.unwrap().path()).unwrap()));
        assert!(read.count() > 3);
    }
}
