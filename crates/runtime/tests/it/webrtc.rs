//! Calls with the PeerConnection of webrtc-rs: a second SDP and a second driver around ICE, DTLS and SRTP.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::{Rate, detect, tone};
use media::codec::{Codec, Decoder, Encoder, OpusSettings};
use media::session::{MediaEvent, Output, Session, SessionConfig};
use media::transport::{Certificate, PathId};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp::{Packet, header::Header};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{interval, sleep_until, timeout};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCSessionDescription,
};

const OURS: f64 = 600.0;
const THEIRS: f64 = 1000.0;
const SSRC: u32 = 0x5eed;

#[tokio::test]
async fn a_peer_connection_answers_our_offer_and_both_hear_each_other() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let (mut peer, mut ours) = (Peer::new(codec).await, Ours::new(codec).await);
        ours.session.create_offer(Instant::now()).unwrap();
        let offer = RTCSessionDescription::offer(ours.described()).unwrap();
        peer.connection.set_remote_description(offer).await.unwrap();
        let answer = peer.connection.create_answer(None).await.unwrap();
        let answer = peer.settle(answer).await;
        ours.session
            .set_answer(&answer, false, Instant::now())
            .unwrap();
        talk(ours, peer).await;
    }
}

#[tokio::test]
async fn we_answer_the_offer_of_a_peer_connection_and_both_hear_each_other() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let (mut peer, mut ours) = (Peer::new(codec).await, Ours::new(codec).await);
        let offer = peer.connection.create_offer(None).await.unwrap();
        let offer = peer.settle(offer).await;
        ours.session.create_answer(&offer, Instant::now()).unwrap();
        let answer = RTCSessionDescription::answer(ours.described()).unwrap();
        peer.connection
            .set_remote_description(answer)
            .await
            .unwrap();
        talk(ours, peer).await;
    }
}

/// Runs a call until each side has heard the other's tone.
async fn talk(mut ours: Ours, mut peer: Peer) {
    let speaking = tokio::spawn(peer.voice.speak());
    timeout(
        Duration::from_secs(20),
        ours.hear(THEIRS, peer.ear.hear(OURS)),
    )
    .await
    .expect("both tones are heard long before");
    speaking.abort();
    peer.connection.close().await.unwrap();
}

struct Ours {
    session: Session,
    socket: UdpSocket,
    microphone: Option<(Rate, tone::Generator)>,
    deadline: Instant,
}

impl Ours {
    async fn new(codec: Codec) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let certificate = Certificate::generate().unwrap();
        let config = SessionConfig {
            codecs: vec![codec],
            ..SessionConfig::new(vec![socket.local_addr().unwrap()], certificate)
        };
        let now = Instant::now();
        Self {
            session: Session::new(config, [1; 32], now).unwrap(),
            socket,
            microphone: None,
            deadline: now,
        }
    }

    fn described(&mut self) -> String {
        loop {
            match self.session.poll_output() {
                Output::Event(MediaEvent::Described { sdp }) => return sdp,
                Output::Event(_)
                | Output::Captured(_)
                | Output::Way(..)
                | Output::Resolve(_)
                | Output::Transmit(_)
                | Output::Connect(..)
                | Output::Send(..)
                | Output::Disconnect(_) => {}
                Output::Timeout(..) => panic!("nothing was described"),
            }
        }
    }

    /// Speaks and listens until it has heard a tone and the other side has heard ours.
    async fn hear(&mut self, hz: f64, heard_by_peer: impl Future<Output = ()>) {
        let mut heard_by_peer = pin!(heard_by_peer);
        let (mut heard, mut was_heard) = (false, false);
        let mut tick = interval(Duration::from_millis(10));
        let mut datagram = [0; 2048];
        let mut window = Window::default();
        while !(heard && was_heard) {
            self.drain().await;
            tokio::select! {
                received = self.socket.recv_from(&mut datagram) => {
                    let (length, from) = received.unwrap();
                    let received = &datagram[..length];
                    self.session.handle_datagram(PathId(0), from, received, Instant::now());
                }
                () = sleep_until(self.deadline.into()) => self.session.handle_timeout(Instant::now()),
                _ = tick.tick() => heard |= window.holds(&self.tick(), self.session.playout_rate(), hz),
                () = &mut heard_by_peer, if !was_heard => was_heard = true,
            }
        }
    }

    async fn drain(&mut self) {
        loop {
            match self.session.poll_output() {
                // It has no TURN server.
                Output::Connect(..) | Output::Send(..) | Output::Disconnect(_) => {}
                Output::Transmit(transmit) => {
                    self.socket
                        .send_to(&transmit.bytes, transmit.to)
                        .await
                        .unwrap();
                }
                Output::Event(_) | Output::Captured(_) | Output::Way(..) | Output::Resolve(_) => {}
                Output::Timeout(at, _) => {
                    self.deadline = at;
                    return;
                }
            }
        }
    }

    fn tick(&mut self) -> Vec<i16> {
        if !self.session.needs_tick() {
            return Vec::new();
        }
        let rate = self.session.capture_rate();
        self.microphone.take_if(|(before, _)| *before != rate);
        let (_, microphone) = self
            .microphone
            .get_or_insert_with(|| (rate, generator(OURS, rate)));
        let mut captured = vec![0; rate.samples_per_tick()];
        microphone.fill(&mut captured);
        self.session.push_captured(&captured, Instant::now());
        let mut playout = vec![0; self.session.playout_rate().samples_per_tick()];
        self.session.pull_playout(&mut playout, Instant::now());
        playout
    }
}

struct Peer {
    connection: Box<dyn PeerConnection>,
    gathered: mpsc::UnboundedReceiver<()>,
    voice: Voice,
    ear: Ear,
}

impl Peer {
    async fn new(codec: Codec) -> Self {
        let (mime_type, clock_rate, channels, payload_type) = match codec {
            Codec::Opus => ("audio/opus", 48_000, 2, 111),
            Codec::Pcmu => ("audio/PCMU", 8000, 0, 0),
            Codec::Pcma | Codec::G722 => unreachable!("webrtc-rs is not tried with it"),
        };
        let rtp_codec = RTCRtpCodec {
            mime_type: mime_type.into(),
            clock_rate,
            channels,
            ..RTCRtpCodec::default()
        };
        let mut engine = MediaEngine::default();
        let parameters = RTCRtpCodecParameters {
            rtp_codec: rtp_codec.clone(),
            payload_type,
        };
        engine
            .register_codec(parameters, RtpCodecKind::Audio)
            .unwrap();
        let (packets, ear) = mpsc::unbounded_channel();
        let (gathering, gathered) = mpsc::unbounded_channel();
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_handler(Arc::new(Handler { packets, gathering }))
            .with_udp_addrs(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
            .build()
            .await
            .unwrap();
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(SSRC),
                ..RTCRtpCodingParameters::default()
            },
            codec: rtp_codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            "stream".into(),
            "track".into(),
            "label".into(),
            RtpCodecKind::Audio,
            vec![encoding],
        )));
        connection
            .add_track(Arc::clone(&track) as Arc<dyn TrackLocal>)
            .await
            .unwrap();
        Self {
            connection: Box::new(connection),
            gathered,
            voice: Voice {
                track,
                codec,
                payload_type,
            },
            ear: Ear {
                packets: ear,
                codec,
            },
        }
    }

    /// Its local description with all candidates.
    async fn settle(&mut self, description: RTCSessionDescription) -> String {
        self.connection
            .set_local_description(description)
            .await
            .unwrap();
        self.gathered.recv().await.unwrap();
        self.connection.local_description().await.unwrap().sdp
    }
}

struct Handler {
    packets: mpsc::UnboundedSender<Packet>,
    gathering: mpsc::UnboundedSender<()>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathering.send(()).unwrap();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let packets = self.packets.clone();
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let _ = packets.send(packet);
                }
            }
        });
    }
}

#[derive(Clone)]
struct Voice {
    track: Arc<TrackLocalStaticRTP>,
    codec: Codec,
    payload_type: u8,
}

impl Voice {
    /// Sends a tone for as long as it is polled.
    fn speak(&self) -> impl Future<Output = ()> + use<> {
        let Self {
            track,
            codec,
            payload_type,
        } = self.clone();
        async move {
            let mut encoder = Encoder::new(codec, &OpusSettings::default()).unwrap();
            let rate = encoder.rate();
            let mut microphone = generator(THEIRS, rate);
            let mut tick = interval(Duration::from_millis(20));
            for number in 0.. {
                tick.tick().await;
                let mut samples = vec![0; 2 * rate.samples_per_tick()];
                microphone.fill(&mut samples);
                let mut payload = Vec::new();
                encoder.encode(&samples, &mut payload).unwrap();
                let header = Header {
                    version: 2,
                    payload_type,
                    sequence_number: number as u16,
                    timestamp: number * codec.clock_rate() / 50,
                    ssrc: SSRC,
                    ..Header::default()
                };
                let payload = payload.into();
                // Nobody listens yet before DTLS is through.
                let _ = track.write_rtp(Packet { header, payload }).await;
            }
        }
    }
}

struct Ear {
    packets: mpsc::UnboundedReceiver<Packet>,
    codec: Codec,
}

impl Ear {
    async fn hear(&mut self, hz: f64) {
        let mut decoder = Decoder::new(self.codec, &OpusSettings::default()).unwrap();
        let mut window = Window::default();
        let mut sound = Vec::new();
        loop {
            let packet = self.packets.recv().await.expect("the track goes on");
            sound.clear();
            decoder.decode(&packet.payload, &mut sound).unwrap();
            if window.holds(&sound, decoder.rate(), hz) {
                return;
            }
        }
    }
}

/// The last fifth of a second.
#[derive(Default)]
struct Window(Vec<i16>);

impl Window {
    fn holds(&mut self, sound: &[i16], rate: Rate, hz: f64) -> bool {
        self.0.extend(sound);
        let length = 20 * rate.samples_per_tick();
        let surplus = self.0.len().saturating_sub(length);
        self.0.drain(..surplus);
        self.0.len() == length && detect::is_tone(&self.0, rate, hz)
    }
}

fn generator(hz: f64, rate: Rate) -> tone::Generator {
    tone::Generator::new(tone::Sequence::sine(hz, -10.0, None), rate)
}
