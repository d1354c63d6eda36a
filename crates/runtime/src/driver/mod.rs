//! One task for each phone: it waits for one input, gives it to the phone, carries the outputs out.
//!
//! ```text
//!  commands ──►┐                                  ┌──► WebSocket
//!  WebSocket ─►├─ wait ─► one input ─► Phone ─► drain ├──► media workers
//!  media news ►│                                  └──► events and replies, one stream
//!  jobs, time ►┘
//! ```
//!
//! **The arms of `wait` only turn a fact of I/O into an input; all decisions are the phone's.**

mod bell;
mod calls;
mod captures;
mod event_stream;
mod hosts;
mod ice;
mod journal_file;
mod journals;
mod line;
mod links;
mod neighbours;
mod network;
mod opening;
mod recordings;
mod report_file;
mod video;

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt;
use phone::level::Level;
use phone::{Command, Config, ErrorCode, MediaEvent, Output, Phone, PhoneError, SessionId, Ticket};
use report::Direction;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::capture;
use crate::event::{Event, EventSink};
use crate::media_worker::{self, News, What};
use crate::metrics::{Exhibit, Showcase};
use crate::signalling::{Listeners, NeighbourReport};
use bell::{Bell, Rung};
pub(crate) use calls::Calls;
use captures::Captures;
use event_stream::EventStream;
use hosts::{HostNews, HostOpened, Hosts};
pub(crate) use ice::LookedUp;
use journal_file::JournalFile;
use journals::Journals;
use line::Line;
pub(crate) use line::connector;
use network::Network;
use opening::OpenedSound;
use recordings::{RecordingWord, Recordings};
use video::OpenedVideo;

/// The most time that the WebSocket, the media threads and the disk get together when the phone
/// ends: what `destroy()` has left of its two seconds when the phone has waited for the network.
const ENDING: Duration = Duration::from_millis(500);

/// Where SIP is looked for in a capture.
const SIP_PORT: u16 = 5060;

/// A command that nobody waits for: JavaScript's tickets are far below.
const NOBODY: Ticket = Ticket(u64::MAX);

/// What a handle asks of its phone's task.
#[derive(Debug)]
pub(crate) enum Request {
    /// A command of the application.
    Command(Ticket, Command),
    /// `getStats()`.
    Stats(Ticket, SessionId),
    /// The page that shows a session, in a file.
    Report(Ticket, SessionId, PathBuf),
    /// Writes to a file what goes over the network from now on.
    Capture(Ticket, PathBuf),
    /// No longer.
    StopCapture(Ticket),
}

/// A phone's task; it ends when the phone is closed and everything it owned has ended.
pub(crate) struct Driver {
    phone: Phone,
    /// Capacity as in `commands`; closed when the handle is dropped, which closes the phone.
    requests: mpsc::Receiver<Request>,
    handle_dropped: bool,
    /// The process ends.
    leave: Arc<Notify>,
    line: Line,
    listeners: Listeners,
    /// How listening went, until the phone is told.
    listened: Option<Result<(), String>>,
    network: Network,
    calls: Calls,
    bell: Bell,
    news: mpsc::UnboundedReceiver<News>,
    journals: Journals,
    /// None until it is opened, and if there is none.
    journal_file: Option<JournalFile>,
    captures: Captures,
    hosts: Hosts,
    host_news: mpsc::UnboundedReceiver<HostNews>,
    recordings: Recordings,
    recording_news: mpsc::UnboundedReceiver<RecordingWord>,
    /// What the application should know and no session can tell it.
    log: mpsc::UnboundedReceiver<String>,
    /// Lookups and openings under way; aborted when the phone is closed.
    jobs: JoinSet<Job>,
    /// How full the media threads are.
    load: fn() -> f64,
    /// Where whoever watches the process looks.
    exhibit: Exhibit,
    wake: Instant,
}

/// What a job on the side ended with.
#[derive(Debug)]
pub(crate) enum Job {
    /// The addresses of the ICE servers.
    IceServers(LookedUp),
    /// A name was looked up on the local network.
    Resolved(String, Option<IpAddr>),
    /// An input or output was opened, or not.
    Opened(Box<OpenedSound>),
    /// The same of what is seen; nothing if opening it broke.
    OpenedVideo(Option<Box<OpenedVideo>>),
    /// The same for this machine's seat in a conference.
    HostOpened(Box<HostOpened>),
    /// What rings, and where, was opened, or not.
    Bell(Box<Rung>),
    /// A report was written, or not.
    Report(Ticket, Result<(), PhoneError>),
    /// A recording was opened, or not.
    Recording(RecordingWord),
    /// The file of a capture was opened, or not.
    Capture(Ticket, Box<Result<capture::CaptureFile, PhoneError>>),
}

/// One fact of I/O.
#[derive(Debug)]
enum Fact {
    Request(Option<Request>),
    Leave,
    Line(line::LineEvent),
    Neighbour(NeighbourReport),
    Media(News),
    Host(HostNews),
    Recording(RecordingWord),
    Log(String),
    Job(Job),
    Captured(capture::CaptureOutcome),
    Network,
    Journaled(Result<(), String>),
    Time,
}

/// Whether the phone goes on.
#[derive(Debug, PartialEq, Eq)]
enum PhoneLife {
    On,
    Closed,
}

impl Driver {
    pub(crate) fn new(
        config: Config,
        requests: mpsc::Receiver<Request>,
        leave: Arc<Notify>,
        seed: [u8; 32],
    ) -> Driver {
        // Unbounded: a session says little (state changes, digits, figures once a second), and this
        // task waits for nothing but its inputs.
        let (news_sender, news) = mpsc::unbounded_channel();
        // Unbounded: a few sentences for each call, if something is wrong.
        let (log_sender, log) = mpsc::unbounded_channel();
        // Unbounded: a conference says little, and its levels ten times a second while somebody listens.
        let (host_sender, host_news) = mpsc::unbounded_channel();
        // Unbounded: a few words for each recording, and one in 100 ms if its disk is too slow.
        let (recording_sender, recording_news) = mpsc::unbounded_channel();
        let connector = Arc::new(connector(&config));
        let now = Instant::now();
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let phone = Phone::new(config, seed, now, since_1970);
        let config = phone.config();
        Driver {
            exhibit: Exhibit::open(config.address.to_string(), phone.standing()),
            line: Line::new(config, Arc::clone(&connector)),
            listeners: Listeners::new(Arc::clone(&connector)),
            listened: None,
            network: Network::Unwatched,
            hosts: Hosts::new(config.audio.fallback, host_sender, log_sender.clone()),
            host_news,
            journals: Journals::default(),
            journal_file: None,
            recordings: Recordings::new(recording_sender),
            recording_news,
            captures: Captures::default(),
            bell: Bell::new(config.audio.fallback, log_sender.clone()),
            calls: Calls::new(config, connector, news_sender, log_sender),
            phone,
            requests,
            handle_dropped: false,
            leave,
            news,
            log,
            jobs: JoinSet::new(),
            load: media_worker::load,
            wake: now,
        }
    }

    /// Where the phone puts what it has to show.
    pub(crate) fn showcase(&self) -> Arc<Showcase> {
        Arc::clone(self.exhibit.showcase())
    }

    /// Drives the phone until it is closed; `events` is dropped last.
    pub(crate) async fn run(mut self, events: Box<dyn EventSink>) {
        let mut stream = EventStream::new(events);
        self.network = Network::watched();
        let driven = AssertUnwindSafe(self.drive(&mut stream)).catch_unwind();
        if driven.await.is_err() {
            stream.break_off();
        }
        self.end(&mut stream).await;
        stream.finish();
    }

    async fn end(self, stream: &mut EventStream) {
        let Driver {
            phone,
            mut line,
            mut listeners,
            calls,
            bell,
            mut news,
            hosts,
            mut host_news,
            recordings,
            mut recording_news,
            mut jobs,
            journal_file,
            mut captures,
            mut log,
            mut requests,
            ..
        } = self;
        jobs.abort_all();
        drop(hosts);
        let links = calls.end();
        drop(bell);
        drop(recordings);
        let mut recorded = Vec::new();
        // A session's media are gone when its end of the news channel is; then its files can be settled.
        let media = async {
            while news.recv().await.is_some() {}
            while host_news.recv().await.is_some() {}
            // As long as one of its files is written, somebody holds the other end.
            while let Some(word) = recording_news.recv().await {
                recorded.push(word);
            }
            let settle = || {
                crate::audio::settle_files();
                crate::video::settle_video_files();
            };
            let _ = tokio::task::spawn_blocking(settle).await;
        };
        let journal = async {
            if let Some(file) = journal_file {
                file.end().await;
            }
        };
        let all = async {
            tokio::join!(
                line.end(),
                listeners.end(),
                links,
                media,
                captures.end(),
                journal
            )
        };
        let _ = tokio::time::timeout(ENDING, all).await;
        for (recording, event) in recorded {
            stream.tell_of_recording(recording, event);
        }
        while let Ok(text) = log.try_recv() {
            if phone.config().log_level <= Level::Warn {
                stream.send(Event::warning(text));
            }
        }
        requests.close();
        while let Ok(request) = requests.try_recv() {
            stream.owe(&request);
        }
    }

    async fn drive(&mut self, stream: &mut EventStream) {
        self.open_journal().await;
        while self.drain(stream) == PhoneLife::On {
            self.exhibit(stream);
            let fact = self.wait().await;
            self.handle(fact, stream);
        }
        // What ended last counts, too.
        self.exhibit(stream);
    }

    fn exhibit(&self, stream: &EventStream) {
        let commands = self.requests.len();
        self.exhibit
            .show(self.phone.standing(), stream.unread(), commands);
    }

    /// Its figures are there before it is told: who hears that a call has ended may ask how many have.
    fn tell(&self, event: Event, stream: &mut EventStream) {
        self.exhibit(stream);
        stream.send(event);
    }

    /// Before anything is asked of the phone: what was left behind is known when it is ready.
    async fn open_journal(&mut self) {
        let Some(path) = self.phone.config().journal.clone() else {
            return;
        };
        let text = match JournalFile::open(path).await {
            Ok((file, text)) => {
                self.journal_file = Some(file);
                Ok(text)
            }
            Err(problem) => Err(problem),
        };
        self.phone.handle_journal(text, Instant::now());
    }

    async fn wait(&mut self) -> Fact {
        tokio::select! {
            () = self.leave.notified() => Fact::Leave,
            request = self.requests.recv(), if !self.handle_dropped => Fact::Request(request),
            news = self.line.next() => Fact::Line(news),
            news = self.listeners.next() => Fact::Neighbour(news),
            Some(news) = self.news.recv() => Fact::Media(news),
            Some(news) = self.host_news.recv() => Fact::Host(news),
            Some(word) = self.recording_news.recv() => Fact::Recording(word),
            Some(text) = self.log.recv() => Fact::Log(text),
            Some(Ok(job)) = self.jobs.join_next() => Fact::Job(job),
            () = self.network.changed() => Fact::Network,
            Some(outcome) = self.captures.ended() => Fact::Captured(outcome),
            outcome = journaled(&mut self.journal_file) => Fact::Journaled(outcome),
            () = tokio::time::sleep_until(self.wake.into()) => Fact::Time,
        }
    }

    fn handle(&mut self, fact: Fact, stream: &mut EventStream) {
        let now = Instant::now();
        if let Fact::Request(Some(request)) = &fact {
            stream.owe(request);
        }
        match fact {
            Fact::Request(Some(Request::Command(ticket, command))) => {
                let is_ice = matches!(command, Command::SetIceServers { .. });
                self.phone.handle_load((self.load)());
                self.phone.handle_command(ticket, command, now);
                // The phone may have refused them: what counts is its own list.
                if is_ice {
                    self.calls.set_ice_servers(&self.phone.config().ice_servers);
                }
            }
            Fact::Request(Some(Request::Stats(ticket, id))) => {
                if !self.calls.report(id, ticket) {
                    stream.send(Event::reply(ticket, self.no_report(id)));
                }
            }
            Fact::Request(Some(Request::Report(ticket, id, path))) => {
                self.write_report(ticket, id, path, stream);
            }
            Fact::Request(Some(Request::Capture(ticket, path))) => match self.captures.begin() {
                Ok(()) => {
                    self.jobs.spawn(opening_capture(ticket, path));
                }
                Err(error) => stream.send(Event::reply(ticket, Err(error))),
            },
            Fact::Request(Some(Request::StopCapture(ticket))) => {
                self.calls.capture(None);
                if let Some(outcome) = self.captures.stop(ticket) {
                    stream.settle(ticket, outcome);
                }
            }
            Fact::Captured(outcome) => self.captured(&outcome, stream),
            Fact::Journaled(outcome) => self.phone.handle_journal_written(outcome, now),
            Fact::Leave => self.phone.handle_command(NOBODY, Command::Destroy {}, now),
            Fact::Request(None) => {
                self.handle_dropped = true;
                self.phone.handle_command(NOBODY, Command::Destroy {}, now);
            }
            Fact::Line(news) => match news {
                line::LineEvent::Connection(connection) => {
                    self.calls.server_is_local = self.line.server_is_local();
                    self.phone.handle_connection(connection, now);
                }
                line::LineEvent::Message(message) => {
                    self.journals.message(Direction::Received, &message, now);
                    self.capture_message(Direction::Received, self.line.ends(), &message);
                    self.phone.handle_backlog(stream.unread());
                    self.phone.handle_load((self.load)());
                    self.phone.handle_signaling(message, now);
                }
                line::LineEvent::Pong => self.phone.handle_pong(now),
            },
            Fact::Neighbour(news) => self.take_neighbour(news, stream.unread(), now),
            Fact::Media(news) if news.is_stale() => {}
            Fact::Media(News { id, what }) => match what {
                What::Media(event) | What::Opening(_, event) => {
                    if let MediaEvent::Measured { figures } = &event {
                        self.journals.measured(id, figures);
                    }
                    self.phone.handle_backlog(stream.unread());
                    self.phone.handle_media(id, event, now);
                }
                What::Connect(link, target, outbox) => {
                    self.calls.connect(id, link, target, outbox);
                }
                What::Resolve(name) => self.calls.resolve(id, name, &mut self.jobs),
                What::Way(way, news) => self.calls.note_way(id, (way, news), now),
                What::Path(path) => self.journals.path(id, &path),
                What::Summary(summary) => {
                    if self.calls.knows(id) {
                        stream.send(Event::stats(id, summary));
                    }
                }
                What::Level(level) => {
                    if self.calls.knows(id) {
                        stream.send(Event::level(id, level));
                    }
                }
                What::Heard(heard) => {
                    if self.calls.knows(id) {
                        stream.send(Event::Runtime(crate::heard::event(id, heard)));
                    }
                }
                What::Report(ticket, report) => {
                    let outcome = report.map_or_else(|| self.no_report(id), Ok);
                    stream.send(Event::reply(ticket, outcome));
                }
            },
            Fact::Host(news) if news.is_stale() => {}
            Fact::Host(HostNews::Media(id, event) | HostNews::Opening(id, _, event)) => {
                self.phone.handle_conference(id, event, now);
            }
            Fact::Host(HostNews::Levels(id, levels)) => {
                if self.hosts.knows(id) {
                    stream.send(Event::levels(id, levels));
                }
            }
            Fact::Recording((id, event)) => self.phone.handle_recording(id, event, now),
            Fact::Log(text) => {
                if self.phone.config().log_level <= Level::Warn {
                    stream.send(Event::warning(text));
                }
            }
            Fact::Job(Job::IceServers(found)) => self.calls.looked_up(found, now, &mut self.jobs),
            Fact::Job(Job::Resolved(name, found)) => self.calls.resolved(&name, found),
            Fact::Job(Job::Opened(opened)) => {
                if let Some((id, event)) = self.calls.attach(*opened) {
                    self.phone.handle_media(id, event, now);
                }
            }
            Fact::Job(Job::OpenedVideo(opened)) => {
                let attached = opened.and_then(|opened| self.calls.attach_video(*opened));
                if let Some((id, event)) = attached {
                    self.phone.handle_media(id, event, now);
                }
            }
            Fact::Job(Job::HostOpened(opened)) => {
                if let Some((id, event)) = self.hosts.attach(*opened) {
                    self.phone.handle_conference(id, event, now);
                }
            }
            Fact::Job(Job::Bell(rung)) => self.bell.rung(*rung),
            Fact::Job(Job::Report(ticket, outcome)) => {
                stream.settle(ticket, outcome);
            }
            Fact::Job(Job::Capture(ticket, opened)) => {
                let outcome = self.captures.opened(*opened);
                self.calls.capture(self.captures.tap().cloned());
                stream.settle(ticket, outcome);
            }
            Fact::Job(Job::Recording(word)) => {
                self.recordings.opened(&word);
                self.phone.handle_recording(word.0, word.1, now);
            }
            Fact::Network => {
                let (change, way_out) = self.network.take(self.line.ends());
                self.phone.handle_network(change, now);
                self.calls.network_changed(way_out);
            }
            Fact::Time => self.phone.handle_timeout(now),
        }
    }

    /// Shows a message to whoever captures, between the ports of SIP over UDP: on those of a WebSocket nobody looks for it.
    fn capture_message(
        &self,
        direction: Direction,
        ends: Option<(SocketAddr, SocketAddr)>,
        message: &Bytes,
    ) {
        let (Some(tap), Some((mut local, mut other))) = (self.captures.tap(), ends) else {
            return;
        };
        local.set_port(SIP_PORT);
        other.set_port(SIP_PORT);
        match direction {
            Direction::Sent => tap.signalling(local, other, message.clone()),
            Direction::Received => tap.signalling(other, local, message.clone()),
        }
    }

    /// A capture is written, or broke off: then calls go on, and the application is told.
    fn captured(&mut self, outcome: &capture::CaptureOutcome, stream: &mut EventStream) {
        self.calls.capture(None);
        if let Ok(dropped @ 1..) = outcome {
            let text = format!("{dropped} packets are not in the capture: the disk was too slow");
            stream.send(Event::warning(text));
        }
        let waiting = self.captures.settle(outcome);
        if let (true, Err(error)) = (waiting.is_empty(), outcome) {
            let error = error.clone();
            stream.send(Event::Phone(phone::Event::Error { error, id: None }));
        }
        for ticket in waiting {
            stream.settle(ticket, outcome.clone().map(|_| ()));
        }
    }

    /// Writes what is known of a session so far; it may be over.
    fn write_report(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        path: PathBuf,
        stream: &mut EventStream,
    ) {
        match self.journals.of(id).cloned() {
            Some(journal) => {
                self.jobs.spawn(report_file::write(ticket, journal, path));
            }
            None => stream.send(Event::reply(ticket, Err(journals::forgotten()))),
        }
    }

    /// The statistics of a session without media: none yet, or what became of it.
    fn no_report(&self, id: SessionId) -> Result<serde_json::Value, PhoneError> {
        let none = || serde_json::Value::Array(Vec::new());
        self.phone.knows(id).map(|()| none())
    }

    fn drain(&mut self, stream: &mut EventStream) -> PhoneLife {
        loop {
            match self.phone.poll_output() {
                Output::Find { server } => self.line.find(server),
                Output::Connect {
                    server,
                    place,
                    route,
                } => {
                    self.calls.follow(route.clone());
                    self.line.connect(server, place, route);
                }
                Output::Disconnect => self.line.disconnect(),
                Output::Send(message) => {
                    let now = Instant::now();
                    self.journals.message(Direction::Sent, &message.0, now);
                    self.capture_message(Direction::Sent, self.line.ends(), &message.0);
                    self.line.send(message.0);
                }
                Output::Listen => self.listen(),
                Output::StopListening => self.listeners.stop(),
                Output::SendTo(neighbour, message) => self.send_to(neighbour, message),
                Output::HangUp(neighbour) => self.listeners.hang_up(neighbour),
                Output::Reach {
                    trunk,
                    place,
                    transport,
                } => self.listeners.reach(trunk, place, transport),
                Output::Ping => self.line.ping(),
                Output::Media(id, command) => self.calls.order(id, command, &mut self.jobs),
                Output::Conference(id, order) => {
                    self.hosts.order(id, order, &mut self.calls, &mut self.jobs);
                }
                Output::Recording(id, order) => {
                    let (calls, hosts) = (&mut self.calls, &self.hosts);
                    self.recordings
                        .order(id, order, calls, hosts, &mut self.jobs);
                }
                Output::Journal(text) => {
                    if let Some(file) = &mut self.journal_file {
                        file.write(text.0);
                    }
                }
                Output::IceServers(known) => {
                    let servers = &self.phone.config().ice_servers;
                    self.calls.know_servers(known, servers, &mut self.jobs);
                }
                Output::Ring(ring) => self.bell.ring(ring, &mut self.jobs),
                Output::Event(event) => {
                    self.journals.event(&event, Instant::now());
                    self.tell(Event::Phone(event), stream);
                }
                Output::Reply(NOBODY, _) => {}
                Output::Reply(ticket, outcome) => {
                    let value = outcome.map(|reply| {
                        serde_json::to_value(reply).unwrap_or(serde_json::Value::Null)
                    });
                    self.tell(Event::reply(ticket, value), stream);
                }
                Output::Timeout(at, _why) => {
                    self.wake = at;
                    match self.listened.take() {
                        Some(outcome) => self.phone.handle_listening(outcome, Instant::now()),
                        None => return PhoneLife::On,
                    }
                }
                Output::Closed => return PhoneLife::Closed,
            }
        }
    }
}

/// How a write of the journal went; never if there is none.
async fn journaled(file: &mut Option<JournalFile>) -> Result<(), String> {
    match file {
        Some(file) => file.written().await,
        None => std::future::pending().await,
    }
}

async fn opening_capture(ticket: Ticket, path: PathBuf) -> Job {
    let opened = tokio::task::spawn_blocking(move || capture::open(path)).await;
    let opened = opened.unwrap_or_else(|broken| {
        let text = "The capture could not be opened; this is a bug in offhook";
        Err(PhoneError::new(ErrorCode::CaptureFailed, text).with_cause(broken.to_string()))
    });
    Job::Capture(ticket, Box::new(opened))
}

#[cfg(test)]
mod tests;
