//! The same calls as in `transport`, with the PeerConnection of webrtc-rs: both legs, packets as they are, no codec.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rtc::media_stream::MediaStreamTrack;
use rtc::rtp::{Packet, header::Header};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription,
};

use crate::figures::Meter;
use crate::transport::{GRACE, PAYLOAD, SET_UP, TICK};

const PAYLOAD_TYPE: u8 = 111;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub fn run(calls: usize, duration: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(calls, duration))
}

async fn measure(calls: usize, duration: Duration) -> Result<()> {
    let _warm = connect(1).await?;
    let meter = Meter::start(calls);
    let mut legs = connect(calls).await?;
    let set_up = meter.set_up();
    talk(&mut legs, Duration::from_secs(1)).await;
    for leg in &mut legs {
        leg.sent = 0;
        leg.received.store(0, Relaxed);
    }

    let stretch = meter.measure(set_up);
    let late = talk(&mut legs, duration).await;
    let figures = stretch.end();
    sleep(GRACE).await;

    let sent = legs.iter().map(|leg| leg.sent).sum();
    let received = legs.iter().map(|leg| leg.received.load(Relaxed)).sum();
    figures.print(sent, received, late);
    Ok(())
}

async fn connect(calls: usize) -> Result<Vec<Leg>> {
    let mut legs = Vec::with_capacity(2 * calls);
    for call in 0..calls as u32 {
        let mut offerer = Leg::new(0x1000 + 2 * call).await?;
        let mut answerer = Leg::new(0x1001 + 2 * call).await?;
        let offer = offerer.connection.create_offer(None).await?;
        let offer = RTCSessionDescription::offer(offerer.settle(offer).await?)?;
        answerer.connection.set_remote_description(offer).await?;
        let answer = answerer.connection.create_answer(None).await?;
        let answer = RTCSessionDescription::answer(answerer.settle(answer).await?)?;
        offerer.connection.set_remote_description(answer).await?;
        legs.extend([offerer, answerer]);
    }
    for leg in &mut legs {
        tokio::time::timeout(SET_UP, leg.connected.recv()).await?;
    }
    Ok(legs)
}

/// Sends a packet each 20 ms on every leg, half of the calls on even ticks, half on odd ones; returns the late ticks.
async fn talk(legs: &mut [Leg], duration: Duration) -> u64 {
    let start = Instant::now();
    let ticks = (duration.as_millis() / TICK.as_millis()) as usize;
    let mut late = 0;
    for tick in 0..ticks {
        let due = start + TICK * tick as u32;
        sleep_until(due.into()).await;
        late += u64::from(due.elapsed() > TICK);
        for (index, leg) in legs.iter_mut().enumerate() {
            if (index / 2 + tick) % 2 == 0 {
                leg.send().await;
            }
        }
    }
    late
}

struct Leg {
    connection: Box<dyn PeerConnection>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    gathered: mpsc::UnboundedReceiver<()>,
    connected: mpsc::UnboundedReceiver<()>,
    sent: u64,
    received: Arc<AtomicU64>,
}

impl Leg {
    async fn new(ssrc: u32) -> Result<Self> {
        let rtp_codec = RTCRtpCodec {
            mime_type: "audio/opus".into(),
            clock_rate: 48_000,
            channels: 2,
            ..RTCRtpCodec::default()
        };
        let parameters = RTCRtpCodecParameters {
            rtp_codec: rtp_codec.clone(),
            payload_type: PAYLOAD_TYPE,
        };
        let mut engine = MediaEngine::default();
        engine.register_codec(parameters, RtpCodecKind::Audio)?;
        let received = Arc::new(AtomicU64::new(0));
        let (gathering, gathered) = mpsc::unbounded_channel();
        let (connecting, connected) = mpsc::unbounded_channel();
        let handler = Handler {
            gathering,
            connecting,
            received: Arc::clone(&received),
        };
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
            .build()
            .await?;
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec: rtp_codec,
            ..RTCRtpEncodingParameters::default()
        };
        let name = |what: &str| format!("{what}-{ssrc}");
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            name("stream"),
            name("track"),
            name("label"),
            RtpCodecKind::Audio,
            vec![encoding],
        )));
        connection
            .add_track(Arc::clone(&track) as Arc<dyn TrackLocal>)
            .await?;
        Ok(Self {
            connection: Box::new(connection),
            track,
            ssrc,
            gathered,
            connected,
            sent: 0,
            received,
        })
    }

    /// Its local description with all candidates.
    async fn settle(&mut self, description: RTCSessionDescription) -> Result<String> {
        self.connection.set_local_description(description).await?;
        self.gathered.recv().await;
        let settled = self.connection.local_description().await;
        Ok(settled.ok_or("nothing was described")?.sdp)
    }

    async fn send(&mut self) {
        let number = self.sent as u32;
        let header = Header {
            version: 2,
            payload_type: PAYLOAD_TYPE,
            sequence_number: number as u16,
            timestamp: number.wrapping_mul(960),
            ssrc: self.ssrc,
            ..Header::default()
        };
        let payload = bytes::Bytes::from_static(&PAYLOAD);
        let sent = self.track.write_rtp(Packet { header, payload }).await;
        self.sent += u64::from(sent.is_ok());
    }
}

struct Handler {
    gathering: mpsc::UnboundedSender<()>,
    connecting: mpsc::UnboundedSender<()>,
    received: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathering.send(());
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            let _ = self.connecting.send(());
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let received = Arc::clone(&self.received);
        tokio::spawn(async move {
            while let Some(event) = track.poll().await {
                received.fetch_add(
                    u64::from(matches!(event, TrackRemoteEvent::OnRtpPacket(_))),
                    Relaxed,
                );
            }
        });
    }
}
