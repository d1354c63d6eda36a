//! Answers that were changed at random: nothing breaks, all ends, and no proxy writes a line of our requests.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tunnel::{Handshake, Output, Proxy};

use crate::harness::target;

const RUNS: u32 = 20_000;
/// More outputs than any conversation has.
const MOST_OUTPUTS: u32 = 100;

const SEEDS: [&[u8]; 6] = [
    b"HTTP/1.1 200 Connection established\r\nVia: 1.1 a\r\n\r\n\x16\x03",
    b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\", Digest realm=\"y\", nonce=\"1\", qop=\"auth\"\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"y\\\"\", nonce=\"1\", opaque=\"z\", algorithm=SHA-256-sess, userhash=true\r\n\r\nHTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"y\", nonce=\"2\", stale=true\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 302 Elsewhere\r\nLocation: http://x\r\n\r\n",
    b"\x05\x02\x01\x00\x05\x00\x00\x03\x04name\x00\x50early",
    b"\x05\x00\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00",
];

fn changed(rng: &mut StdRng) -> Vec<u8> {
    let mut octets = SEEDS[rng.random_range(0..SEEDS.len())].to_vec();
    for _ in 0..rng.random_range(0..6) {
        let at = rng.random_range(0..octets.len().max(1)).min(octets.len());
        match rng.random_range(0..4) {
            0 if at < octets.len() => octets[at] = rng.random(),
            1 if at < octets.len() => {
                octets.remove(at);
            }
            2 => octets.insert(
                at,
                *b"\r\n\"\\ ,:\0\xff".get(rng.random_range(0..9)).unwrap(),
            ),
            _ => {
                let other = SEEDS[rng.random_range(0..SEEDS.len())];
                octets.splice(at..at, other.iter().copied());
            }
        }
    }
    octets
}

fn converse(url: &str, answer: &[u8], rng: &mut StdRng) {
    let proxy: Proxy = url.parse().unwrap();
    let mut handshake = Handshake::new(&proxy, &target(), None, rng.random());
    let mut rest = answer;
    for _ in 0..MOST_OUTPUTS + answer.len() as u32 {
        match handshake.poll_output() {
            Output::Transmit(octets) if url.starts_with("http") => {
                let request = String::from_utf8(octets).unwrap();
                let lines: Vec<&str> = request.split("\r\n").collect();
                assert!(matches!(lines.len(), 4 | 5), "{request:?}");
                assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0'])));
            }
            Output::Transmit(_) => {}
            Output::Wait if rest.is_empty() => {
                if handshake.handle_end().is_err() {
                    return;
                }
            }
            Output::Wait => {
                let (piece, left) = rest.split_at(rng.random_range(1..=rest.len()));
                rest = left;
                if handshake.handle_octets(piece).is_err() {
                    return;
                }
            }
            Output::Reconnect => handshake.handle_reconnected(),
            Output::Open(_) => return,
        }
    }
    panic!("it never ends: {:?}", String::from_utf8_lossy(answer));
}

#[test]
fn no_answer_breaks_it_or_writes_into_a_request() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..RUNS {
        let answer = changed(&mut rng);
        for url in ["http://al:pw@a", "https://a", "socks5://al:pw@a"] {
            converse(url, &answer, &mut rng);
        }
    }
}
