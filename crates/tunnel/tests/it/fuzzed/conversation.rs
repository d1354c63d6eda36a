//! A conversation with a proxy that says any bytes. The fuzz target compiles this file as well.

use tunnel::{Handshake, Output, Proxy, Target};

const URLS: [&str; 3] = ["http://al:pw@a", "https://a", "socks5://al:pw@a"];
/// More outputs than any conversation has beside one for each octet.
const MOST_OUTPUTS: usize = 100;

/// Asks for a tunnel: the first byte chooses the kind of proxy and how many octets come at once, the others are what it says.
pub(crate) fn converse(bytes: &[u8]) {
    let Some((how, answer)) = bytes.split_first() else {
        return;
    };
    let how = usize::from(*how);
    let (url, piece) = (URLS[how % URLS.len()], 1 + how / URLS.len());
    let proxy: Proxy = url.parse().expect("a proxy's URL");
    let target = Target::new("pbx.example.com", 443).expect("a host and a port");
    let mut handshake = Handshake::new(&proxy, &target, None, [7; 32]);
    let mut said = Said::default();
    let mut rest = answer;
    for _ in 0..MOST_OUTPUTS + answer.len() {
        let before = handshake.asked();
        let taken = match handshake.poll_output() {
            Output::Transmit(octets) => {
                if url.starts_with("http") {
                    said.check(octets);
                }
                Ok(())
            }
            Output::Wait if rest.is_empty() => handshake.handle_end(),
            Output::Wait => {
                let (now, later) = rest.split_at(piece.min(rest.len()));
                rest = later;
                handshake.handle_octets(now)
            }
            Output::Reconnect => {
                handshake.handle_reconnected();
                Ok(())
            }
            Output::Open(_) => return,
        };
        assert!(handshake.asked() >= before, "a digest is forgotten");
        if taken.is_err() {
            return;
        }
    }
    panic!("it never ends");
}

/// What a proxy was told.
#[derive(Default)]
struct Said {
    digest: bool,
}

impl Said {
    /// A request has our own lines alone, and no password once there was a digest.
    fn check(&mut self, octets: Vec<u8>) {
        let request = String::from_utf8(octets).expect("a request is text");
        let lines: Vec<&str> = request.split("\r\n").collect();
        assert!(matches!(lines.len(), 4 | 5), "{request:?}");
        assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0'])));
        let gives = |scheme| {
            let mut values = lines
                .iter()
                .filter_map(|line| line.strip_prefix("Proxy-Authorization: "));
            values.any(|value| value.starts_with(scheme))
        };
        assert!(!(self.digest && gives("Basic ")), "the password is told");
        self.digest |= gives("Digest ");
    }
}
