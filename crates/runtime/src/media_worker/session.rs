//! `media::Session` as an [`Engine`]: the phone's orders and the session's news, translated.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use audio::Rate;
use media::codec::{Codec, OpusSettings};
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoLine as Line, VideoWish as Wanted};
use media::session::{
    ConnectionState, InBandKeys, MediaEvent as Said, MediaRefusal as Refused, Output,
    SessionConfig, Tones, VideoEvent,
};
use media::transport::{
    Certificate, GatheringCap, Keying, LinkEvent, LinkId, PathId, Policy, Server, Silence,
    TransportFailure, Way,
};
use media::{Session, Thrift};
use phone::config::{IceTransportPolicy, InbandDtmf};
use phone::media::{Figures, MediaFailure, MediaRefusal};
use phone::video::{VideoContent, VideoLine, VideoWish};
use phone::{MediaEvent, StreamCommand};
use video::{EncodedFrame, VideoCodec};

use super::engine::{DevicesInUse, Engine, PictureEngine, PictureStep, Step};
use super::order::Build;
use super::pictures::{of_phone as video_codec, to_phone};
use super::report;

/// One for the process: making it costs a millisecond, and it says nothing about who uses it.
static CERTIFICATE: Mutex<Option<Certificate>> = Mutex::new(None);

/// What a phone's configuration says about media.
#[derive(Debug)]
pub(crate) struct EngineConfig {
    codecs: Vec<Codec>,
    opus: OpusSettings,
    dtx: bool,
    in_band_keys: InBandKeys,
    policy: Policy,
    gathering: GatheringCap,
}

impl EngineConfig {
    pub(crate) fn new(config: &phone::Config) -> EngineConfig {
        let total = config.ice_gathering_timeout;
        EngineConfig {
            codecs: config.codecs.iter().map(|codec| of_phone(*codec)).collect(),
            opus: opus_of_phone(config.opus),
            dtx: config.dtx,
            in_band_keys: match config.inband_dtmf {
                InbandDtmf::Auto => InBandKeys::Auto,
                InbandDtmf::Always => InBandKeys::Always,
                InbandDtmf::Never => InBandKeys::Never,
            },
            policy: match config.ice_transport_policy {
                IceTransportPolicy::All => Policy::All,
                IceTransportPolicy::Relay => Policy::Relay,
            },
            gathering: GatheringCap {
                after_first: GatheringCap::default().after_first.min(total),
                total,
            },
        }
    }
}

/// Makes a session once its sockets are bound.
pub(crate) fn engine(config: Arc<EngineConfig>, servers: Vec<Server>, doubted: Vec<Way>) -> Build {
    Box::new(move |sockets, now| {
        let certificate = certificate()?;
        let config = SessionConfig {
            codecs: config.codecs.clone(),
            opus: config.opus,
            dtx: config.dtx,
            in_band_keys: config.in_band_keys,
            servers,
            doubted,
            policy: config.policy,
            gathering: config.gathering,
            ..SessionConfig::new(sockets, certificate)
        };
        let seed = crate::softphone::seed().map_err(|error| error.to_string())?;
        let session = Session::new(config, seed, now).map_err(|error| error.to_string())?;
        Ok(Box::new(Hosted {
            session,
            failure: None,
        }) as Box<dyn Engine>)
    })
}

fn certificate() -> Result<Certificate, String> {
    let mut shared = CERTIFICATE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(certificate) = &*shared {
        return Ok(certificate.clone());
    }
    let made = Certificate::generate().map_err(|error| error.to_string())?;
    *shared = Some(made.clone());
    Ok(made)
}

struct Hosted {
    session: Session,
    /// An order that the session did not take, to be told at the next poll.
    failure: Option<MediaEvent>,
}

impl PictureEngine for Hosted {
    fn push_frame(&mut self, content: VideoContent, frame: &EncodedFrame, now: Instant) {
        self.session
            .push_frame(content_of_phone(content), frame, now);
    }

    fn begin_anew(&mut self, content: VideoContent) {
        self.session.begin_anew(content_of_phone(content));
    }

    fn request_key_frame(&mut self, line: u32, now: Instant) {
        self.session.request_key_frame(Line(line), now);
    }

    fn limit_line(&mut self, line: u32, bits_per_second: Option<u64>) {
        self.session.limit_video(Line(line), bits_per_second);
    }
}

impl Engine for Hosted {
    fn command(&mut self, command: StreamCommand, now: Instant) {
        let session = &mut self.session;
        let early = matches!(
            command,
            StreamCommand::SetAnswer {
                provisional: true,
                ..
            }
        );
        let outcome = match command {
            StreamCommand::Offer => session.create_offer(now),
            StreamCommand::Answer { offer } => session.create_answer(offer.as_str(), now),
            StreamCommand::SetAnswer { sdp, provisional } => {
                session.set_answer(sdp.as_str(), provisional, now)
            }
            StreamCommand::SetHeld { held } => {
                session.set_direction(wish(held));
                Ok(())
            }
            StreamCommand::Reoffer { restart_ice, held } => {
                session.reoffer(restart_ice, wish(held), now)
            }
            StreamCommand::AnswerReoffer { offer } => session.answer_reoffer(offer.as_str(), now),
            StreamCommand::CheckPath => {
                session.check_path(now);
                Ok(())
            }
            StreamCommand::Rollback => {
                session.rollback(now);
                Ok(())
            }
            StreamCommand::WishVideo { wishes } => {
                // The phone makes the offer itself.
                let _ = session.wish_video(wishes.into_iter().map(wanted).collect());
                Ok(())
            }
            StreamCommand::Protect { media } => {
                session.set_media(media.into_iter().map(keying).collect());
                Ok(())
            }
            StreamCommand::MuteVideo { content, muted } => {
                session.mute_video(content_of_phone(content), muted, now);
                Ok(())
            }
            StreamCommand::Mute { muted } => {
                session.mute(muted);
                Ok(())
            }
            StreamCommand::SendDtmf {
                ticket,
                tones,
                duration,
                gap,
                in_band,
            } => {
                let tones = Tones {
                    order: ticket.0,
                    digits: tones.reveal().to_owned(),
                    duration: Duration::from_millis(u64::from(duration)),
                    gap: Duration::from_millis(u64::from(gap)),
                    in_band,
                };
                if let Err(error) = session.send_dtmf(&tones, now) {
                    let reason = error.to_string();
                    self.failure = Some(MediaEvent::DtmfRefused { ticket, reason });
                }
                Ok(())
            }
            StreamCommand::StopDtmf { ticket } => {
                session.stop_dtmf(ticket.0);
                Ok(())
            }
        };
        if let Err(error) = outcome {
            let reason = error.to_string();
            self.failure = Some(match early {
                true => MediaEvent::EarlyAnswerRefused { reason },
                false => MediaEvent::Refused {
                    refusal: MediaRefusal::Unavailable,
                    reason,
                },
            });
        }
    }

    fn close(&mut self, now: Instant) {
        self.session.close(now);
    }

    fn has_moved(&self, addresses: &[IpAddr], silence: Silence) -> bool {
        self.session.has_moved(addresses, silence)
    }

    fn take_sockets(&mut self, sockets: Vec<SocketAddr>, now: Instant) {
        // It fails on addresses that no socket is bound to.
        if let Err(error) = self.session.take_sockets(sockets, now) {
            tracing::debug!(%error, "other sockets can't be used");
        }
    }

    fn resolved(&mut self, name: &str, ip: IpAddr, now: Instant) {
        self.session.resolved(name, ip, now);
    }

    fn set_servers(&mut self, servers: Vec<Server>, now: Instant) {
        self.session.set_servers(servers, now);
    }

    fn handle_datagram(&mut self, socket: usize, from: SocketAddr, bytes: &[u8], now: Instant) {
        let path = PathId(socket as u16);
        self.session.handle_datagram(path, from, bytes, now);
    }

    fn handle_link(&mut self, link: LinkId, event: LinkEvent<'_>, now: Instant) {
        self.session.handle_link(link, event, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.session.handle_timeout(now);
    }

    fn push_captured(&mut self, samples: &[i16], now: Instant) {
        self.session.push_captured(samples, now);
    }

    fn pull_playout(&mut self, samples: &mut [i16], now: Instant) {
        self.session.pull_playout(samples, now);
    }

    fn set_thrift(&mut self, thrift: Thrift) {
        self.session.set_thrift(thrift);
    }

    fn set_playout_delay(&mut self, delay: Duration) {
        self.session.set_playout_delay(delay);
    }

    fn set_capture(&mut self, wanted: bool) {
        self.session.set_capture(wanted);
    }

    fn poll(&mut self) -> Step {
        if let Some(failure) = self.failure.take() {
            return Step::Event(failure);
        }
        loop {
            match self.session.poll_output() {
                Output::Transmit(datagram) => {
                    let socket = usize::from(datagram.path.0);
                    return Step::Transmit(socket, datagram.to, datagram.bytes);
                }
                Output::Connect(link, target) => return Step::Connect(link, target),
                Output::Send(link, octets) => return Step::Send(link, octets),
                Output::Disconnect(link) => return Step::Disconnect(link),
                Output::Resolve(name) => return Step::Resolve(name),
                Output::Way(way, news) => return Step::Way(way, news),
                Output::Captured(packet) => return Step::Captured(packet),
                Output::Event(Said::SelectedPath(path)) => return Step::Path(Box::new(path)),
                Output::Event(Said::Video(said)) => {
                    if let Some(step) = pictures(said) {
                        return Step::Pictures(step);
                    }
                }
                Output::Event(said) => {
                    if let Some(event) = translate(said) {
                        return Step::Event(event);
                    }
                }
                Output::Timeout(at, _why) => return Step::Timeout(at),
            }
        }
    }

    fn sends(&self) -> bool {
        self.session.sends()
    }

    fn unsent(&self) -> Duration {
        self.session.unsent()
    }

    fn far_delay(&self) -> Option<Duration> {
        self.session.far_delay()
    }

    fn capture_rate(&self) -> Rate {
        self.session.capture_rate()
    }

    fn playout_rate(&self) -> Rate {
        self.session.playout_rate()
    }

    fn needs_tick(&self) -> bool {
        self.session.needs_tick()
    }

    fn summary(&mut self, now: Instant) -> (Figures, serde_json::Value) {
        let stats = self.session.stats(now);
        (report::figures(&stats), report::summary(&stats))
    }

    fn report(&mut self, devices: DevicesInUse, now: Instant) -> serde_json::Value {
        report::objects(&self.session.stats(now), devices)
    }
}

/// What a description asks for.
fn wish(held: bool) -> Direction {
    match held {
        true => Direction::SendOnly,
        false => Direction::SendRecv,
    }
}

fn wanted(wish: VideoWish) -> Wanted {
    let codecs = match wish.codecs.is_empty() {
        true => VideoCodec::ALL.to_vec(),
        false => wish.codecs.into_iter().map(video_codec).collect(),
    };
    Wanted {
        content: content_of_phone(wish.content),
        direction: match wish.sends {
            true => Direction::SendRecv,
            false => Direction::RecvOnly,
        },
        codecs,
    }
}

fn content_of_phone(content: VideoContent) -> Content {
    match content {
        VideoContent::Camera => Content::Camera,
        VideoContent::Screen => Content::Screen,
    }
}

/// What the phone calls it: a further picture shows people too.
fn content(content: Content) -> VideoContent {
    match content {
        Content::Camera | Content::Guest(_) => VideoContent::Camera,
        Content::Screen => VideoContent::Screen,
    }
}

fn pictures(said: VideoEvent) -> Option<PictureStep> {
    Some(match said {
        VideoEvent::Lines(lines) => {
            let lines = lines.into_iter().map(|state| VideoLine {
                line: state.line.0,
                content: content(state.content),
                sends: state.direction.sends(),
                receives: state.direction.receives(),
                codec: state.send.map(to_phone),
            });
            PictureStep::Lines(lines.collect())
        }
        VideoEvent::Frame { line, frame } => PictureStep::Frame(line.0, frame),
        VideoEvent::KeyFrameWanted { content: shown } => {
            PictureStep::KeyFrameWanted(content(shown))
        }
        VideoEvent::Target {
            content: shown,
            bits_per_second,
        } => PictureStep::Target(content(shown), bits_per_second),
    })
}

fn keying(keying: phone::media::Keying) -> Keying {
    match keying {
        phone::media::Keying::Dtls => Keying::Dtls,
        phone::media::Keying::Sdes => Keying::Sdes,
        phone::media::Keying::Rtp => Keying::Plain,
    }
}

fn translate(said: Said) -> Option<MediaEvent> {
    Some(match said {
        Said::Described { sdp } => MediaEvent::Described { sdp: sdp.into() },
        Said::AnswerApplied => MediaEvent::AnswerApplied,
        Said::EarlyAnswerRefused { reason } => MediaEvent::EarlyAnswerRefused {
            reason: reason.to_string(),
        },
        Said::Refused { reason } => MediaEvent::Refused {
            refusal: match reason {
                Refused::Incompatible(_) => MediaRefusal::Incompatible,
                Refused::PlainRtp => MediaRefusal::PlainRtp,
                Refused::Malformed(_) => MediaRefusal::Malformed,
                Refused::NoRelay => MediaRefusal::Unavailable,
            },
            reason: reason.to_string(),
        },
        Said::State(state) => return connection(state),
        Said::Secured(security) => MediaEvent::Secured {
            keying: match security.keying {
                Keying::Dtls => phone::media::Keying::Dtls,
                Keying::Sdes => phone::media::Keying::Sdes,
                Keying::Plain => phone::media::Keying::Rtp,
            },
            cipher: security.cipher.map(str::to_owned),
        },
        Said::FirstSound => MediaEvent::FirstSound,
        Said::EndOfCandidates => MediaEvent::EndOfCandidates,
        Said::ServerFault { name, fault } => MediaEvent::IceServerFailed {
            server: name,
            reason: fault.to_string(),
            refuses_login: fault.refuses_login(),
        },
        Said::Dtmf {
            tone,
            duration,
            in_band,
        } => MediaEvent::Dtmf {
            tone: phone::dtmf::Tones::new(tone.as_char()),
            duration: duration.as_millis() as u32,
            in_band,
        },
        Said::DtmfOut { order } => MediaEvent::DtmfOut {
            ticket: phone::Ticket(order),
        },
        Said::DtmfSent { remaining } => MediaEvent::DtmfSent {
            remaining: remaining as u32,
        },
        Said::Direction { remote_hold, .. } => MediaEvent::RemoteHold { held: remote_hold },
        Said::CodecChanged { send, .. } => MediaEvent::Codec {
            name: send.name().to_owned(),
        },
        Said::NoMedia { .. } => MediaEvent::NoMedia,
        Said::MediaResumed => MediaEvent::MediaResumed,
        Said::ByeReceived => MediaEvent::PeerLeft,
        // Said apart: it is the runtime's to tell.
        Said::SelectedPath(_) | Said::Video(_) => return None,
    })
}

fn connection(state: ConnectionState) -> Option<MediaEvent> {
    Some(match state {
        ConnectionState::Checking => MediaEvent::Connecting,
        ConnectionState::Connected => MediaEvent::Connected,
        ConnectionState::Interrupted => MediaEvent::Interrupted,
        ConnectionState::Failed(failure) => {
            let (failure, reason) = match failure {
                TransportFailure::Ice => {
                    (MediaFailure::Ice, "no pair of addresses lets media through")
                }
                TransportFailure::Consent => (
                    MediaFailure::Consent,
                    "the peer no longer consents to media",
                ),
                TransportFailure::Moved => {
                    (MediaFailure::Moved, "our own address on the path is gone")
                }
                TransportFailure::Dtls => (MediaFailure::Dtls, "the DTLS handshake failed"),
                TransportFailure::Fingerprint => (
                    MediaFailure::Fingerprint,
                    "the peer's certificate is not the one its description announced",
                ),
                TransportFailure::Srtp => (
                    MediaFailure::Dtls,
                    "no SRTP protection in common with the peer",
                ),
            };
            MediaEvent::Failed {
                failure,
                reason: reason.to_owned(),
            }
        }
        ConnectionState::Closed => MediaEvent::PeerLeft,
        ConnectionState::New => return None,
    })
}

/// How a phone codes a call's sound by preference.
pub(crate) fn coding_of(config: &phone::Config) -> Option<(Codec, OpusSettings)> {
    let first = config.codecs.first()?;
    Some((of_phone(*first), opus_of_phone(config.opus)))
}

fn of_phone(codec: phone::config::Codec) -> Codec {
    match codec {
        phone::config::Codec::Opus => Codec::Opus,
        phone::config::Codec::G722 => Codec::G722,
        phone::config::Codec::Pcmu => Codec::Pcmu,
        phone::config::Codec::Pcma => Codec::Pcma,
    }
}

fn opus_of_phone(opus: phone::config::Opus) -> OpusSettings {
    OpusSettings {
        rate: Rate::try_from(opus.rate).unwrap_or(Rate::Hz48000),
        bitrate: opus.bitrate,
        complexity: opus.complexity,
        decoder_complexity: opus.complexity,
        ..OpusSettings::default()
    }
}
