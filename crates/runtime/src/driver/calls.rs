//! The media of a phone's sessions: hosted by the workers, their inputs and outputs opened on the side.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Instant;

use media::transport::{LinkId, Server, Silence, StreamTarget};
use phone::audio::Device;
use phone::config::{InterfaceFilter, PortRange};
use phone::media::MediaRefusal;
use phone::{
    ConferenceId, Config, MediaCommand, MediaEvent, SessionId, SoundCommand, StreamCommand, Ticket,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tunnel::Route;
use voice::Preference;

use super::Job;
use super::ice::IceSupply;
use super::links::LinkOpener;
use super::opening::{self, OpenedSound, Opening, Turn, Voice};
use super::video::Views;
use crate::audio::{
    self, Ear, Input, Lease, LinkReader, Member, OpenError, Output, SeatOrder, Tap,
};
use crate::capture::PacketTap;
use crate::device::Replacement;
use crate::device_hub::{Complaint, SharedPreference, Standing, Trouble};
use crate::heard;
use crate::media_worker::{
    self, Conference, EngineConfig, Handle, Inquiry, News, Order, Outbox, Pool, Seat, Spec, What,
};
use crate::resolver;
use crate::signalling::Connector;

/// The media side of one phone.
pub(crate) struct Calls {
    pub(crate) server_is_local: bool,
    pub(super) calls: BTreeMap<SessionId, Call>,
    /// Each lives as long as somebody has a seat in it.
    conferences: BTreeMap<ConferenceId, Weak<Conference>>,
    config: Arc<EngineConfig>,
    /// When the default stands in for a chosen device.
    replacement: Replacement,
    /// The interfaces and ports that media may use.
    interfaces: InterfaceFilter,
    ports: Option<PortRange>,
    pub(super) ice: IceSupply,
    links: LinkOpener,
    news: mpsc::UnboundedSender<News>,
    /// Sentences for the log.
    log: mpsc::UnboundedSender<String>,
    tap: Option<PacketTap>,
}

/// One session's media.
pub(super) struct Call {
    pub(super) place: MediaPlace,
    own: Feed,
    music: Feed,
    /// Lives as long as what was opened last is wanted; see [`Turn`].
    output: Arc<()>,
    /// What is done to its microphone's sound.
    preference: SharedPreference,
    /// How loud it is in a conference, in percent.
    voice: u8,
    /// It hears whoever sits at this machine in a conference.
    hears_host: bool,
    views: Views,
    /// The network in which its media began.
    pub(super) network: u32,
}

/// What the far end hears, or hears on hold.
#[derive(Default)]
struct Feed {
    /// Lives as long as what was opened last is wanted; see [`Turn`].
    wanted: Arc<()>,
    /// The application's PCM that it plays: let go the moment the call ends or takes another input,
    /// before the application hears of it and writes for the next call.
    sources: Vec<Lease>,
    /// In the conference that it is.
    seat: Option<Seat>,
}

impl Feed {
    fn order_seat(&self, order: SeatOrder) {
        if let Some(seat) = &self.seat {
            seat.order(order);
        }
    }
}

pub(super) enum MediaPlace {
    /// Only its devices are open so far: it was accepted, and is connected later. Holds what came meanwhile.
    Prepared(Vec<Order>),
    /// Waits for the addresses of the ICE servers; holds what came meanwhile.
    Waiting(Vec<Order>),
    Hosted(Handle),
}

impl Call {
    fn prepared() -> Call {
        Call {
            place: MediaPlace::Prepared(Vec::new()),
            own: Feed::default(),
            music: Feed::default(),
            output: Arc::default(),
            preference: SharedPreference::default(),
            voice: 100,
            hears_host: true,
            views: Views::default(),
            network: 0,
        }
    }

    fn feed(&mut self, voice: Voice) -> &mut Feed {
        match voice {
            Voice::Own => &mut self.own,
            Voice::Music => &mut self.music,
        }
    }
}

impl Calls {
    pub(crate) fn new(
        config: &Config,
        connector: Arc<Connector>,
        news: mpsc::UnboundedSender<News>,
        log: mpsc::UnboundedSender<String>,
    ) -> Calls {
        Calls {
            server_is_local: false,
            calls: BTreeMap::new(),
            conferences: BTreeMap::new(),
            config: Arc::new(EngineConfig::new(config)),
            replacement: opening::replacement(config.audio.fallback),
            interfaces: config.interfaces.clone(),
            ports: config.port_range,
            ice: IceSupply::new(&config.ice_servers),
            links: LinkOpener::new(connector, config.http_proxy.clone()),
            news,
            log,
            tap: None,
        }
    }

    /// Notes how the WebSocket goes: streams go the same way if only the application knows one.
    pub(crate) fn follow(&mut self, route: Route) {
        self.links.follow(route);
    }

    /// Opens a stream that a session wants, if it is still there.
    pub(crate) fn connect(
        &mut self,
        id: SessionId,
        link: LinkId,
        target: StreamTarget,
        outbox: Outbox,
    ) {
        if let Some(MediaPlace::Hosted(handle)) = self.calls.get(&id).map(|call| &call.place) {
            self.links.open(link, target, outbox, handle.post());
        }
    }

    /// Ends all calls, and waits until the last word to each server is sent.
    pub(crate) async fn end(mut self) {
        self.calls.clear();
        self.links.end().await;
    }

    pub(super) fn log(&self, text: String) {
        let _ = self.log.send(text);
    }

    pub(crate) fn knows(&self, id: SessionId) -> bool {
        self.calls.contains_key(&id)
    }

    /// Carries out the phone's order for one session.
    pub(crate) fn order(&mut self, id: SessionId, command: MediaCommand, jobs: &mut JoinSet<Job>) {
        match command {
            MediaCommand::Stream(command) => self.stream(id, command, jobs),
            MediaCommand::Sound(command) => self.sound(id, command, jobs),
            MediaCommand::Video(command) => self.video(id, command, jobs),
            MediaCommand::Close => {
                self.calls.remove(&id);
            }
        }
    }

    fn stream(&mut self, id: SessionId, command: StreamCommand, jobs: &mut JoinSet<Job>) {
        match command {
            StreamCommand::SetHeld { .. }
            | StreamCommand::WishVideo { .. }
            | StreamCommand::Protect { .. } => {
                self.calls.entry(id).or_insert_with(Call::prepared);
            }
            StreamCommand::Offer | StreamCommand::Answer { .. } => self.ensure(id, jobs),
            // Before an offer in a running call: it is what a change of network is told by.
            StreamCommand::Reoffer { restart_ice, .. } => {
                let silence = match restart_ice {
                    true => Silence::MayBeLeft,
                    false => Silence::IsWaitedOut,
                };
                if let Some(addresses) = self.addresses_to_move_to() {
                    self.send(id, Order::Addresses(addresses, silence));
                }
            }
            StreamCommand::SetAnswer { .. }
            | StreamCommand::AnswerReoffer { .. }
            | StreamCommand::CheckPath
            | StreamCommand::Rollback
            | StreamCommand::Mute { .. }
            | StreamCommand::MuteVideo { .. }
            | StreamCommand::SendDtmf { .. }
            | StreamCommand::StopDtmf { .. } => {}
        }
        self.send(id, Order::Media(command));
    }

    fn sound(&mut self, id: SessionId, command: SoundCommand, jobs: &mut JoinSet<Job>) {
        match command {
            SoundCommand::Start {
                input,
                output,
                beep,
            } => {
                self.calls.entry(id).or_insert_with(Call::prepared);
                if beep {
                    self.send(id, Order::Beep);
                }
                self.open_output(id, output, jobs);
                self.open_input(id, Voice::Own, input, jobs);
            }
            SoundCommand::SetInput { input } => self.open_input(id, Voice::Own, input, jobs),
            SoundCommand::SetProcessing { processing } => {
                if let Some(call) = self.calls.get(&id) {
                    call.preference.set(opening::preference(processing));
                }
            }
            SoundCommand::Hold { music } => self.open_input(id, Voice::Music, music, jobs),
            SoundCommand::Resume => self.resume(id),
            SoundCommand::SetOutput { output } => self.open_output(id, output, jobs),
            SoundCommand::Tap { tapped, sink } => match audio::SinkWriter::open(sink) {
                Ok(sink) => self.send(id, Order::Listen(Ear::new(tapped, sink))),
                Err(error) => self.log(error.to_string()),
            },
            SoundCommand::Measure { wanted } => self.send(id, Order::Measure(wanted)),
            SoundCommand::Listen { listening } => {
                self.send(id, Order::Attend(heard::wanted(listening)));
            }
            SoundCommand::Tone { cadence } => {
                self.send(id, Order::Tone(cadence.as_ref().map(audio::sequence)));
            }
            SoundCommand::SetVolume { percent } => self.send(id, Order::SetVolume(percent)),
            SoundCommand::SetVoice { percent } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.voice = percent;
                    call.own.order_seat(SeatOrder::SetVoice(percent));
                }
            }
            SoundCommand::SetHearing { host } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.hears_host = host;
                    call.own.order_seat(SeatOrder::SetHearing { host });
                }
            }
        }
    }

    /// Asks for all figures of a session, which the news answer in any case; false if it has no media.
    pub(crate) fn report(&mut self, id: SessionId, ticket: Ticket) -> bool {
        match self.calls.get(&id).map(|call| &call.place) {
            Some(MediaPlace::Hosted(handle)) => {
                let inquiry = Inquiry::new(id, ticket, self.news.clone());
                handle.send(Order::Report(inquiry));
                true
            }
            Some(MediaPlace::Prepared(_) | MediaPlace::Waiting(_)) | None => false,
        }
    }

    /// Gives a session what was opened for it; a failure is news for the phone.
    pub(crate) fn attach(&mut self, opened: OpenedSound) -> Option<(SessionId, MediaEvent)> {
        match opened {
            OpenedSound::Input(id, voice, turn, outcome) => {
                let current = turn.strong_count() > 0;
                let (input, event) = settle(outcome, Input::Silence, voice.device());
                if current {
                    self.lend(id, voice, &input);
                    self.send(id, voice.order(input));
                }
                current.then_some((id, event))
            }
            OpenedSound::Output(id, turn, outcome) => {
                let current = turn.strong_count() > 0;
                let (output, event) = settle(outcome, Output::Nowhere, Device::Output);
                if current {
                    self.send(id, Order::SetOutput(output));
                }
                current.then_some((id, event))
            }
        }
    }

    fn open_input(
        &mut self,
        id: SessionId,
        voice: Voice,
        wanted: phone::audio::Input,
        jobs: &mut JoinSet<Job>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let preference = match voice {
            Voice::Own => call.preference.clone(),
            // Music is no speech, and nobody's echo.
            Voice::Music => SharedPreference::new(Preference::RAW),
        };
        // What it had is let go first: the same source may be wanted again.
        let feed = call.feed(voice);
        *feed = Feed::default();
        let turn = Arc::downgrade(&feed.wanted);
        let heard = self.heard_in(id, &wanted);
        let standing = || self.standing(id, turn.clone(), voice.device());
        let opening = opening::input(wanted, self.replacement, preference, &standing, heard);
        // A device takes over from another one without a gap.
        if !opening.is_device() {
            self.send(id, voice.order(Input::Silence));
        }
        match opening {
            Opening::Now(outcome) => {
                self.tell_attached(OpenedSound::Input(id, voice, turn, outcome))
            }
            Opening::Device(Ok(microphone)) => self.send(id, voice.order(microphone)),
            Opening::Device(Err(error)) => {
                self.tell_attached(OpenedSound::Input(id, voice, turn, Err(error)));
            }
            Opening::Session(other) => {
                let outcome = self.listen_to(other);
                self.tell_attached(OpenedSound::Input(id, voice, turn, outcome));
            }
            Opening::Conference(conference) => {
                let outcome = self.take_seat(id, voice, conference, &turn);
                self.tell_attached(OpenedSound::Input(id, voice, turn, outcome));
            }
            Opening::Blocking(open) => {
                let broken = OpenedSound::broken_input(id, voice, turn.clone());
                spawn(jobs, broken, move || {
                    OpenedSound::Input(id, voice, turn, open())
                });
            }
        }
    }

    /// Listens to the sessions of a mix.
    fn heard_in(
        &mut self,
        id: SessionId,
        wanted: &phone::audio::Input,
    ) -> Vec<Result<Input, OpenError>> {
        let heard = opening::sessions_of(wanted).into_iter();
        heard
            .map(|other| match other == id {
                true => Err(OpenError::Device(
                    "a session can't be in its own mix: its far end would hear itself".to_owned(),
                )),
                false => self.listen_to(other),
            })
            .collect()
    }

    fn lend(&mut self, id: SessionId, voice: Voice, input: &Input) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.feed(voice).sources = input.leases();
        }
    }

    fn resume(&mut self, id: SessionId) {
        if let Some(call) = self.calls.get_mut(&id) {
            // Music that is still being opened comes too late.
            call.music = Feed::default();
            self.send(id, Order::Resume);
        }
    }

    fn open_output(
        &mut self,
        id: SessionId,
        wanted: phone::audio::Output,
        jobs: &mut JoinSet<Job>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.output = Arc::default();
        let turn = Arc::downgrade(&call.output);
        let standing = || self.standing(id, turn.clone(), Device::Output);
        let opening = opening::output(wanted, self.replacement, &standing, &self.log);
        if !opening.is_device() {
            self.send(id, Order::SetOutput(Output::Nowhere));
        }
        match opening {
            Opening::Now(outcome) => self.tell_attached(OpenedSound::Output(id, turn, outcome)),
            Opening::Device(Ok(speaker)) => self.send(id, Order::SetOutput(speaker)),
            Opening::Device(Err(error)) => {
                self.tell_attached(OpenedSound::Output(id, turn, Err(error)))
            }
            // No output is a session or a conference; the compiler can't know that.
            Opening::Session(_) | Opening::Conference(_) => {}
            Opening::Blocking(open) => {
                let broken = OpenedSound::broken_output(id, turn.clone());
                spawn(jobs, broken, move || OpenedSound::Output(id, turn, open()));
            }
        }
    }

    // The phone is being drained and can't take an input now: a failure comes back as news.
    fn tell_attached(&mut self, opened: OpenedSound) {
        let turn = opened.turn().clone();
        if let Some((id, event)) = self.attach(opened) {
            let what = What::Opening(turn, event);
            let _ = self.news.send(News { id, what });
        }
    }

    fn tell(&self, id: SessionId, event: MediaEvent) {
        let what = What::Media(event);
        let _ = self.news.send(News { id, what });
    }

    fn standing(&self, id: SessionId, turn: Turn, device: Device) -> Standing {
        opening::standing(&self.news, turn.clone(), move |standing| {
            let what = What::Opening(turn.clone(), standing_of(device, standing));
            Some(News { id, what })
        })
    }

    fn trouble(&self, id: SessionId, turn: Turn, device: Device) -> Trouble {
        opening::trouble(&self.news, turn.clone(), move |reason| {
            let event = MediaEvent::DeviceFailed { device, reason };
            let what = What::Opening(turn.clone(), event);
            News { id, what }
        })
    }

    /// Records both legs of a session.
    pub(super) fn record(&mut self, id: SessionId, tap: Tap) {
        self.send(id, Order::Record(tap));
    }

    pub(super) fn listen_to(&mut self, other: SessionId) -> Result<Input, OpenError> {
        if !self.knows(other) {
            return Err(OpenError::NoSession);
        }
        Ok(Input::Link(self.far_end(other)))
    }

    fn far_end(&mut self, id: SessionId) -> LinkReader {
        let (writer, reader) = audio::link();
        self.send(id, Order::AddListener(writer));
        reader
    }

    /// Makes a session's far end a member of a conference until its input changes; returns the others.
    fn take_seat(
        &mut self,
        id: SessionId,
        voice: Voice,
        conference: ConferenceId,
        turn: &Turn,
    ) -> Result<Input, OpenError> {
        let conference = self.conference(conference)?;
        let (output, others) = audio::link();
        let member = Member::new(
            Some(id),
            Input::Link(self.far_end(id)),
            Output::Link(output),
            self.trouble(id, turn.clone(), Device::Input),
        );
        if let Some(call) = self.calls.get_mut(&id) {
            let host = call.hears_host;
            let seat = conference.join(member.with_voice(call.voice));
            seat.order(SeatOrder::SetHearing { host });
            call.feed(voice).seat = Some(seat);
        }
        Ok(Input::Link(others))
    }

    pub(super) fn conference(&mut self, id: ConferenceId) -> Result<Arc<Conference>, OpenError> {
        if let Some(conference) = self.conferences.get(&id).and_then(Weak::upgrade) {
            return Ok(conference);
        }
        self.conferences.retain(|_, gone| gone.strong_count() > 0);
        let pool = Pool::shared().map_err(|error| OpenError::Device(error.to_string()))?;
        let conference = pool.conference();
        self.conferences.insert(id, Arc::downgrade(&conference));
        Ok(conference)
    }

    fn ensure(&mut self, id: SessionId, jobs: &mut JoinSet<Job>) {
        let call = self.calls.entry(id).or_insert_with(Call::prepared);
        let MediaPlace::Prepared(orders) = &mut call.place else {
            return;
        };
        call.place = MediaPlace::Waiting(std::mem::take(orders));
        self.host_waiting(Instant::now(), jobs);
    }

    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        resolver::local_addresses(self.server_is_local, &self.interfaces).unwrap_or_else(|error| {
            self.log(format!("the network interfaces can't be listed: {error}"));
            Vec::new()
        })
    }

    /// Without a network there is only loopback, which leads no call back to a peer elsewhere.
    fn addresses_to_move_to(&self) -> Option<Vec<IpAddr>> {
        let addresses = self.addresses();
        let leads_on = self.server_is_local || addresses.iter().any(|ip| !ip.is_loopback());
        leads_on.then_some(addresses)
    }

    /// The network has changed: sessions whose own address is gone get others. If the way out is another one, names may mean
    /// other servers.
    pub(super) fn network_changed(&mut self, rerouted: bool) {
        if rerouted {
            self.ice.forget();
        }
        let Some(addresses) = self.addresses_to_move_to() else {
            return;
        };
        for call in self.calls.values() {
            if let MediaPlace::Hosted(handle) = &call.place {
                let all = addresses.clone();
                handle.send(Order::Network { all, rerouted });
            }
        }
    }

    pub(super) fn host(&mut self, id: SessionId, servers: Vec<Server>) {
        let pool = match Pool::shared() {
            Ok(pool) => pool,
            Err(error) => {
                let refusal = MediaRefusal::Unavailable;
                let reason = format!("no thread for media could be started: {error}");
                return self.tell(id, MediaEvent::Refused { refusal, reason });
            }
        };
        let addresses = self.addresses();
        if addresses.is_empty() {
            let refusal = MediaRefusal::Unavailable;
            let reason =
                "this machine has no address for media, or interfaces admits none".to_owned();
            return self.tell(id, MediaEvent::Refused { refusal, reason });
        }
        let doubted = self.ice.silent.doubted(Instant::now());
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let handle = pool.host(Spec {
            id,
            addresses,
            ports: self.ports,
            build: media_worker::engine(Arc::clone(&self.config), servers, doubted),
            news: self.news.clone(),
        });
        if let MediaPlace::Waiting(orders) = &mut call.place {
            for order in orders.drain(..) {
                handle.send(order);
            }
        }
        if let Some(tap) = &self.tap {
            handle.send(Order::Capture(Some(tap.clone())));
        }
        call.place = MediaPlace::Hosted(handle);
        call.network = self.ice.network;
        for unusable in self.ice.servers.unusable() {
            let (server, reason) = (unusable.url.clone(), unusable.reason.clone());
            let failed = MediaEvent::IceServerFailed {
                server,
                reason,
                refuses_login: false,
            };
            self.tell(id, failed);
        }
    }

    /// Hands what all calls send and receive to this, or to nobody any more.
    pub(crate) fn capture(&mut self, tap: Option<PacketTap>) {
        for call in self.calls.values() {
            if let MediaPlace::Hosted(handle) = &call.place {
                handle.send(Order::Capture(tap.clone()));
            }
        }
        self.tap = tap;
    }

    pub(super) fn views(&mut self, id: SessionId) -> Option<&mut Views> {
        self.calls.get_mut(&id).map(|call| &mut call.views)
    }

    pub(super) fn tell_news(&self, news: News) {
        let _ = self.news.send(news);
    }

    pub(super) fn send(&mut self, id: SessionId, order: Order) {
        match self.calls.get_mut(&id).map(|call| &mut call.place) {
            Some(MediaPlace::Hosted(handle)) => handle.send(order),
            Some(MediaPlace::Prepared(orders) | MediaPlace::Waiting(orders)) => orders.push(order),
            None => {}
        }
    }
}

fn settle<T>(outcome: Result<T, OpenError>, nothing: T, device: Device) -> (T, MediaEvent) {
    let (opened, failure) = opening::settle(outcome, nothing);
    let standing = failure.map_or(Ok(()), |reason| Err(Complaint::Failed(reason)));
    (opened, standing_of(device, standing))
}

fn standing_of(device: Device, standing: Result<(), Complaint>) -> MediaEvent {
    match standing {
        Ok(()) => MediaEvent::DeviceOpened { device },
        Err(Complaint::Failed(reason)) => MediaEvent::DeviceFailed { device, reason },
        Err(Complaint::Replaced(stand_in)) => MediaEvent::DeviceReplaced { device, stand_in },
    }
}

fn spawn(
    jobs: &mut JoinSet<Job>,
    broken: OpenedSound,
    open: impl FnOnce() -> OpenedSound + Send + 'static,
) {
    jobs.spawn(async move {
        let opened = tokio::task::spawn_blocking(open).await;
        let opened = opened.unwrap_or(broken);
        Job::Opened(Box::new(opened))
    });
}

#[cfg(test)]
mod tests;
