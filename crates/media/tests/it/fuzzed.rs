//! Any bytes as what a network brings to a session before, while and after it is set up. The fuzz target compiles this
//! file as well.

use std::collections::VecDeque;
use std::net::SocketAddr;

use media::codec::Codec;
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoLine, VideoWish};
use media::session::Tones;
use media::transport::{OutboundStream, Reach, RtpOut, Secret, Server, ServerKind, StreamId};
use video::VideoCodec;

use crate::harness::{Camera, Endpoint, MS, Network, Phone, RawPeer};

const OURS: &str = "10.0.0.1:1000";
const THEIRS: &str = "10.0.0.2:2000";
const STRANGER: &str = "10.0.0.66:6666";
const RELAY: &str = "10.0.0.9:3478";

/// STUN's magic cookie (RFC 8489 §5).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// A stream of the peer's beside its sound.
const PICTURES: StreamId = StreamId(3);

fn camera() -> VideoWish {
    VideoWish {
        content: Content::Camera,
        direction: Direction::SendRecv,
        codecs: VideoCodec::ALL.to_vec(),
    }
}

struct Siege<'b> {
    bytes: &'b [u8],
    network: Network,
    phone: Phone,
    peer: RawPeer,
    /// What the peer has sent and the phone has not got.
    coming: VecDeque<Vec<u8>>,
    /// The transaction of our latest request to each.
    asked: [[u8; 12]; 2],
    clock: u64,
    timestamp: u32,
}

/// Lets a session have all of it, and panics where a promise is broken; gives whether sound can flow in the end.
pub(crate) fn besiege(bytes: &[u8]) -> bool {
    let Some((traits, bytes)) = bytes.split_first() else {
        return false;
    };
    let network = Network::new(1);
    let relayed = traits & 1 != 0;
    let phone = Phone::with(OURS, 440.0, &network, |config| {
        if relayed {
            let kind = ServerKind::Turn {
                username: "u".into(),
                password: Secret::new("p"),
            };
            config.servers.push(Server {
                name: RELAY.to_owned(),
                reach: Reach::Datagrams(address(RELAY)),
                kind,
            });
        }
        config.dtx = traits & 2 != 0;
    });
    let peer = RawPeer::new(THEIRS, &Codec::ALL, &network);
    let mut siege = Siege {
        bytes,
        phone,
        peer,
        network,
        coming: VecDeque::new(),
        asked: [[0; 12]; 2],
        clock: 0,
        timestamp: 0,
    };
    if traits & 8 != 0 {
        siege.film();
    }
    siege.describe(relayed);
    if traits & 4 != 0 {
        siege.run(400);
    }
    while let Some(what) = siege.byte() {
        siege.step(what);
    }
    siege.run(50);
    let connected = siege.phone.session.is_connected();
    siege.phone.session.close(siege.network.now);
    siege.phone.drain();
    connected
}

impl Siege<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn pick(&mut self) -> usize {
        usize::from(self.byte().unwrap_or_default())
    }

    fn some_bytes(&mut self) -> Vec<u8> {
        let length = self.pick().min(self.bytes.len());
        let (bytes, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        bytes.to_vec()
    }

    /// Both want pictures.
    fn film(&mut self) {
        self.phone.session.wish_video(vec![camera()]);
        self.phone.cameras.push(Camera::new(Content::Camera));
        self.peer.wish_video(vec![camera()]);
        self.peer.transport.add_stream(OutboundStream {
            id: PICTURES,
            ssrc: 0x3333_3333,
        });
    }

    fn describe(&mut self, relayed: bool) {
        self.phone.session.create_offer(self.network.now).unwrap();
        if relayed {
            // While nobody answers, gathering takes this long.
            self.run(1_100);
        }
        let offer = self.phone.described();
        let (answer, _agreed) = self.peer.answer(&offer, self.network.now);
        let now = self.network.now;
        self.phone.session.set_answer(&answer, false, now).unwrap();
        self.phone.drain();
    }

    fn step(&mut self, what: u8) {
        match what % 16 {
            0 => {
                let bytes = self.some_bytes();
                self.bring(THEIRS, &bytes);
            }
            1 => {
                let bytes = self.some_bytes();
                self.bring(STRANGER, &bytes);
            }
            2..=4 => self.bend(),
            5 => {
                self.coming.pop_front();
            }
            6 | 7 => {
                let time = 5 * self.pick() as u64;
                self.run(time);
            }
            8 => self.stun(THEIRS),
            9 => self.stun(RELAY),
            10..=12 => self.speak(),
            13 => {
                let compound = self.some_bytes();
                let now = self.network.now;
                // Before DTLS is done there is no key for it.
                let _no_key = self.peer.transport.send_rtcp(&compound, now);
                self.peer.drain();
                self.run(1);
            }
            14 => self.act(),
            15.. => self.run(400),
        }
    }

    /// A true datagram of the peer's arrives with other bytes in it, and perhaps once more as it was.
    fn bend(&mut self) {
        let (which, at, with) = (self.pick(), self.pick(), self.some_bytes());
        self.collect();
        let waiting = self.coming.len().max(1);
        let Some(mut bytes) = self.coming.get(which % waiting).cloned() else {
            return;
        };
        let start = at.min(bytes.len().saturating_sub(1));
        match with.as_slice() {
            [] => bytes.truncate(start),
            with => {
                let end = (start + with.len()).min(bytes.len());
                bytes[start..end].copy_from_slice(&with[..end - start]);
            }
        }
        self.bring(THEIRS, &bytes);
    }

    /// Something like an answer to our latest request.
    fn stun(&mut self, from: &str) {
        let kind = [
            0x0101_u16, 0x0111, 0x0103, 0x0113, 0x0104, 0x0108, 0x0109, 0x0017,
        ];
        let kind = kind[self.pick() % kind.len()];
        let attributes = self.some_bytes();
        let transaction = self.asked[usize::from(from == RELAY)];
        let mut message = kind.to_be_bytes().to_vec();
        message.extend(
            u16::try_from(attributes.len())
                .unwrap_or_default()
                .to_be_bytes(),
        );
        message.extend(COOKIE);
        message.extend(transaction);
        message.extend(attributes);
        self.bring(from, &message);
    }

    /// The peer itself sends what it likes, once there are keys.
    fn speak(&mut self) {
        let (pt, leap, payload) = (self.pick(), self.pick(), self.some_bytes());
        self.timestamp = match leap {
            0..200 => self.timestamp.wrapping_add(160 * (leap as u32 % 8)),
            _ => self
                .timestamp
                .wrapping_mul(2_654_435_761)
                .wrapping_add(leap as u32),
        };
        let payload_types = [0, 8, 9, 13, 101, 110, 111, 96, 97, 98, pt as u8 & 0x7f];
        let mids: [&[(u8, &[u8])]; 3] = [&[], &[(4, b"1")], &[(4, b"x")]];
        let packet = RtpOut {
            pt: payload_types[pt % payload_types.len()],
            timestamp: self.timestamp,
            marker: leap % 2 == 1,
            extensions: mids[pt % mids.len()],
            payload: &payload,
        };
        let stream = [StreamId::AUDIO, StreamId(1), PICTURES][leap % 3];
        let now = self.network.now;
        let _no_key = self.peer.transport.send_rtp(stream, packet, now);
        self.peer.drain();
        self.run(1);
    }

    /// What the application does meanwhile.
    fn act(&mut self) {
        let (what, now) = (self.pick(), self.network.now);
        let session = &mut self.phone.session;
        match what % 9 {
            0 => session.mute(what % 4 < 2),
            1 => {
                let tones = Tones {
                    digits: "1#".into(),
                    duration: 100 * MS,
                    gap: 70 * MS,
                    order: 1,
                    in_band: what % 4 < 2,
                };
                let _refused = session.send_dtmf(&tones, now);
            }
            2 => {
                let _stats = session.stats(now);
            }
            3 => {
                let direction = [Direction::SendOnly, Direction::SendRecv][what % 2];
                let _not_now = session.reoffer(what % 4 < 2, direction, now);
            }
            4 => session.rollback(now),
            5 => session.stop_dtmf(1),
            6 => session.mute_video(Content::Camera, what % 4 < 2, now),
            7 => session.request_key_frame(VideoLine(1), now),
            8.. => {
                let wishes = [vec![], vec![camera()]];
                let _needed = session.wish_video(wishes[what % 2].clone());
            }
        }
        self.phone.drain();
    }

    fn bring(&mut self, from: &str, bytes: &[u8]) {
        let now = self.network.now;
        self.phone.datagram(address(from), bytes, now);
        self.collect();
    }

    /// Lets so many milliseconds pass, in which nothing is lost.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.network.now += MS;
            self.clock += 1;
            self.collect();
            while let Some(bytes) = self.coming.pop_front() {
                self.bring(THEIRS, &bytes);
            }
            let now = self.network.now;
            if self.clock.is_multiple_of(10) {
                self.phone.tick(now);
            }
            self.wake();
        }
    }

    fn wake(&mut self) {
        let now = self.network.now;
        let (ours, theirs): (&mut dyn Endpoint, &mut dyn Endpoint) =
            (&mut self.phone, &mut self.peer);
        for endpoint in [ours, theirs] {
            if endpoint.deadline() <= now {
                endpoint.timeout(now);
                assert!(
                    endpoint.deadline() > now,
                    "a deadline that stays in the past"
                );
            }
        }
        self.collect();
    }

    /// Takes what both have sent: the peer gets it at once, the phone with its next millisecond.
    fn collect(&mut self) {
        let now = self.network.now;
        for (to, bytes) in self.phone.take_sent() {
            assert_ne!(to, address(STRANGER), "{bytes:?}");
            let which = usize::from(to == address(RELAY));
            if bytes.len() >= 20 && bytes[4..8] == COOKIE {
                self.asked[which].copy_from_slice(&bytes[8..20]);
            }
            if to == address(THEIRS) {
                self.peer.datagram(address(OURS), &bytes, now);
            }
        }
        let sent = self.peer.take_sent().into_iter();
        self.coming.extend(sent.map(|(_, bytes)| bytes));
        self.coming.truncate(256);
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    #[test]
    fn whatever_a_network_brings_a_session_lives_on() {
        for seed in 0..40 {
            let mut bytes = vec![0; 300];
            StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
            // Half of them with pictures.
            bytes[0] = bytes[0] & !8 | (seed as u8 & 1) << 3;
            besiege(&bytes);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/datagrams");
        let seeds = std::fs::read_dir(folder).unwrap();
        let seeds = seeds.map(|file| besiege(&std::fs::read(file.unwrap().path()).unwrap()));
        assert!(seeds.filter(|connected| *connected).count() > 3);
    }

    #[test]
    fn a_session_that_is_left_alone_is_set_up_with_and_without_a_relay() {
        assert!(besiege(&[0, 15, 15]));
        assert!(besiege(&[1, 15, 15]));
        assert!(besiege(&[8, 15, 15]));
    }
}
