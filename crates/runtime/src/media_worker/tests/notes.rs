//! A session whose engine only notes what it is given.

use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use audio::Rate;
use bytes::BytesMut;
use media::Thrift;
use media::transport::{LinkEvent, LinkId, Server, Silence};
use phone::video::{VideoContent, VideoLine};
use phone::{MediaEvent, SessionId, StreamCommand, Ticket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use video::EncodedFrame;

use super::super::engine::{DevicesInUse, Engine, PictureEngine, PictureStep, Step};
use super::super::{Handle, Inquiry, News, Order, Pool, Spec, What};
use super::PATIENCE;

#[derive(Debug, PartialEq)]
pub(super) enum Noted {
    Bound(SocketAddr),
    Command(StreamCommand),
    Closed,
    Thrift(Thrift),
    Datagram(Vec<u8>),
    Timeout,
    /// When, and the loudest sample.
    Captured(Instant, i16),
    /// Of what, and its time in microseconds.
    Frame(VideoContent, u128),
    /// On which line.
    BegunAnew(VideoContent),
    KeyFrame(u32),
}

/// Ticks from `Offer` on; sends what an `Answer` holds to the address it names; is woken after 5 ms.
pub(super) struct Notes {
    pub(super) noted: mpsc::Sender<Noted>,
    pub(super) ticking: bool,
    pub(super) steps: Vec<Step>,
    pub(super) wake: Option<Instant>,
    pub(super) panics_on: Option<StreamCommand>,
    /// Its address counts as gone, until it gets sockets.
    pub(super) moved: bool,
    /// So many ticks take longer than a tick lasts.
    pub(super) slow_ticks: u32,
    pub(super) thrift: Thrift,
}

impl PictureEngine for Notes {
    fn push_frame(&mut self, content: VideoContent, frame: &EncodedFrame, _: Instant) {
        let _ = self
            .noted
            .send(Noted::Frame(content, frame.timestamp.as_micros()));
    }

    fn begin_anew(&mut self, content: VideoContent) {
        let _ = self.noted.send(Noted::BegunAnew(content));
    }

    fn request_key_frame(&mut self, line: u32, _: Instant) {
        let _ = self.noted.send(Noted::KeyFrame(line));
    }

    fn limit_line(&mut self, _: u32, _: Option<u64>) {}
}

impl Engine for Notes {
    fn command(&mut self, command: StreamCommand, now: Instant) {
        assert!(
            self.panics_on.as_ref() != Some(&command),
            "broken on purpose"
        );
        match &command {
            StreamCommand::Offer => self.ticking = true,
            StreamCommand::Answer { offer } => {
                let (to, text) = offer.as_str().split_once(' ').unwrap();
                let bytes = BytesMut::from(text.as_bytes());
                self.steps
                    .push(Step::Transmit(0, to.parse().unwrap(), bytes));
            }
            StreamCommand::WishVideo { .. } => self.steps.push(camera_agreed()),
            StreamCommand::Rollback => self.wake = Some(now + Duration::from_millis(5)),
            StreamCommand::Protect { .. }
            | StreamCommand::CheckPath
            | StreamCommand::SetAnswer { .. }
            | StreamCommand::Reoffer { .. }
            | StreamCommand::AnswerReoffer { .. }
            | StreamCommand::SetHeld { .. }
            | StreamCommand::MuteVideo { .. }
            | StreamCommand::Mute { .. }
            | StreamCommand::SendDtmf { .. }
            | StreamCommand::StopDtmf { .. } => panic!("no test gives this order"),
        }
        let _ = self.noted.send(Noted::Command(command));
    }

    fn close(&mut self, _: Instant) {
        let _ = self.noted.send(Noted::Closed);
    }

    fn has_moved(&self, _: &[IpAddr], _: Silence) -> bool {
        self.moved
    }

    fn resolved(&mut self, _: &str, _: IpAddr, _: Instant) {}

    fn set_servers(&mut self, _: Vec<Server>, _: Instant) {}

    fn take_sockets(&mut self, sockets: Vec<SocketAddr>, _: Instant) {
        self.moved = false;
        let _ = self.noted.send(Noted::Bound(sockets[0]));
    }

    fn handle_datagram(&mut self, _: usize, _: SocketAddr, bytes: &[u8], _: Instant) {
        let _ = self.noted.send(Noted::Datagram(bytes.to_vec()));
    }

    fn handle_link(&mut self, _: LinkId, _: LinkEvent<'_>, _: Instant) {}

    fn handle_timeout(&mut self, now: Instant) {
        assert!(self.wake.take().is_some_and(|wake| wake <= now));
        let _ = self.noted.send(Noted::Timeout);
    }

    fn push_captured(&mut self, samples: &[i16], now: Instant) {
        assert_eq!(samples.len(), 160);
        if self.slow_ticks > 0 {
            self.slow_ticks -= 1;
            while now.elapsed() < Duration::from_millis(12) {
                std::hint::spin_loop();
            }
        }
        let loudest = samples.iter().copied().max().unwrap_or_default();
        let _ = self.noted.send(Noted::Captured(now, loudest));
    }

    fn pull_playout(&mut self, samples: &mut [i16], _: Instant) {
        assert_eq!(samples.len(), 80);
    }

    fn set_playout_delay(&mut self, _delay: Duration) {}
    fn set_capture(&mut self, _wanted: bool) {}
    fn set_thrift(&mut self, thrift: Thrift) {
        if std::mem::replace(&mut self.thrift, thrift) != thrift {
            let _ = self.noted.send(Noted::Thrift(thrift));
        }
    }

    fn poll(&mut self) -> Step {
        let far = Instant::now() + Duration::from_secs(3600);
        self.steps
            .pop()
            .unwrap_or(Step::Timeout(self.wake.unwrap_or(far)))
    }

    fn sends(&self) -> bool {
        true
    }

    fn unsent(&self) -> Duration {
        Duration::ZERO
    }

    fn far_delay(&self) -> Option<Duration> {
        None
    }

    fn capture_rate(&self) -> Rate {
        Rate::Hz16000
    }

    fn playout_rate(&self) -> Rate {
        Rate::Hz8000
    }

    fn needs_tick(&self) -> bool {
        self.ticking
    }

    fn summary(&mut self, _: Instant) -> (phone::media::Figures, serde_json::Value) {
        Default::default()
    }

    fn report(&mut self, _: DevicesInUse, _: Instant) -> serde_json::Value {
        serde_json::json!(["figures"])
    }
}

/// The far end takes the camera.
pub(super) fn camera_agreed() -> Step {
    let line = VideoLine {
        line: 1,
        content: VideoContent::Camera,
        sends: true,
        receives: false,
        codec: Some(phone::video::VideoCodec::Vp8),
    };
    Step::Pictures(PictureStep::Lines(vec![line]))
}

pub(super) struct Session {
    pub(super) handle: Handle,
    pub(super) noted: mpsc::Receiver<Noted>,
    pub(super) tell: UnboundedSender<News>,
    pub(super) news: UnboundedReceiver<News>,
    pub(super) address: SocketAddr,
}

pub(super) fn host(panics_on: Option<StreamCommand>) -> Session {
    host_slow(panics_on, 0)
}

pub(super) fn host_slow(panics_on: Option<StreamCommand>, slow_ticks: u32) -> Session {
    let (note, noted) = mpsc::channel();
    let (tell, news) = unbounded_channel();
    let handle = Pool::shared().unwrap().host(Spec {
        id: SessionId::from_random(7),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        ports: None,
        build: Box::new(move |bound, _| {
            let _ = note.send(Noted::Bound(bound[0]));
            Ok(Box::new(Notes {
                noted: note,
                ticking: false,
                steps: Vec::new(),
                wake: None,
                panics_on,
                moved: true,
                slow_ticks,
                thrift: Thrift::None,
            }))
        }),
        news: tell.clone(),
    });
    let Noted::Bound(address) = noted.recv_timeout(PATIENCE).unwrap() else {
        panic!("binding comes first");
    };
    Session {
        handle,
        noted,
        tell,
        news,
        address,
    }
}

impl Session {
    pub(super) fn next(&self) -> Noted {
        self.noted.recv_timeout(PATIENCE).unwrap()
    }

    pub(super) fn media(&self, command: StreamCommand) {
        self.handle.send(Order::Media(command));
    }

    pub(super) fn report(&mut self, ticket: Ticket) -> Option<serde_json::Value> {
        let inquiry = Inquiry::new(SessionId::from_random(7), ticket, self.tell.clone());
        self.handle.send(Order::Report(inquiry));
        let what = self.news.blocking_recv().unwrap().what;
        let What::Report(answered, report) = what else {
            panic!("{what:?}");
        };
        assert_eq!(answered, ticket);
        report
    }

    pub(super) fn captured(&self) -> Instant {
        let noted = self.next();
        let Noted::Captured(at, _) = noted else {
            panic!("{noted:?}");
        };
        at
    }

    /// The next level; figures come beside it, by their own time.
    pub(super) fn level(&mut self) -> [f32; 2] {
        loop {
            let what = self.news.blocking_recv().unwrap().what;
            if let What::Level(level) = what {
                return level;
            }
            let figures = matches!(what, What::Media(MediaEvent::Measured { .. }));
            assert!(figures, "{what:?}");
        }
    }

    pub(super) fn crash(&mut self) -> String {
        let what = self.news.blocking_recv().unwrap().what;
        let What::Media(MediaEvent::Crashed { reason }) = what else {
            panic!("{what:?}");
        };
        reason
    }
}

pub(super) fn spec(tell: &UnboundedSender<News>) -> Spec {
    noting(tell, mpsc::channel().0)
}

pub(super) fn noting(tell: &UnboundedSender<News>, noted: mpsc::Sender<Noted>) -> Spec {
    Spec {
        id: SessionId::from_random(8),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        ports: None,
        build: Box::new(move |bound, _| {
            let _ = noted.send(Noted::Bound(bound[0]));
            Ok(Box::new(Notes {
                noted,
                ticking: false,
                steps: Vec::new(),
                wake: None,
                panics_on: None,
                moved: false,
                slow_ticks: 0,
                thrift: Thrift::None,
            }))
        }),
        news: tell.clone(),
    }
}
