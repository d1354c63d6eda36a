//! Whoever sits at this machine in the phone's conferences: a seat with an input and an output.

use std::collections::BTreeMap;
use std::sync::Arc;

use phone::ConferenceId;
use phone::audio::Device;
use phone::conference::{HostEvent, HostOrder};
use phone::config::Fallback;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Job;
use super::calls::Calls;
use super::opening::{self, Opening, Turn, settle};
use crate::audio::{Input, Lease, Levels, Member, OpenError, Output, SeatOrder, Tap};
use crate::device::Replacement;
use crate::device_hub::{Complaint, SharedPreference, Standing};
use crate::media_worker::Seat;

/// This machine's seats.
pub(crate) struct Hosts {
    hosts: BTreeMap<ConferenceId, Host>,
    /// When the default stands in for a chosen device.
    replacement: Replacement,
    news: mpsc::UnboundedSender<HostNews>,
    /// Sentences for the log.
    log: mpsc::UnboundedSender<String>,
}

/// One of them; the conference lives as long as it does.
struct Host {
    seat: Seat,
    /// Live as long as what was opened last is wanted; see [`Turn`].
    input: Arc<()>,
    output: Arc<()>,
    /// What is done to its microphone's sound.
    preference: SharedPreference,
    /// The application's PCM that it plays, let go the moment it plays something else.
    sources: Vec<Lease>,
}

/// What happened in a conference.
#[derive(Debug)]
pub(crate) enum HostNews {
    /// For the phone.
    Media(ConferenceId, HostEvent),
    /// For the phone, as long as this choice lives.
    Opening(ConferenceId, Turn, HostEvent),
    /// How loud everybody was in the last 100 ms.
    Levels(ConferenceId, Levels),
}

impl HostNews {
    /// Whether nobody wants to know any more.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self, HostNews::Opening(_, choice, _) if choice.strong_count() == 0)
    }
}

/// What was opened for a seat, or not.
#[allow(
    clippy::large_enum_variant,
    reason = "it is made once and taken once, and boxed on its way"
)]
#[derive(Debug)]
pub(crate) enum HostOpened {
    Input(ConferenceId, Turn, Result<Input, OpenError>),
    Output(ConferenceId, Turn, Result<Output, OpenError>),
}

impl Hosts {
    pub(crate) fn new(
        fallback: Fallback,
        news: mpsc::UnboundedSender<HostNews>,
        log: mpsc::UnboundedSender<String>,
    ) -> Hosts {
        Hosts {
            hosts: BTreeMap::new(),
            replacement: opening::replacement(fallback),
            news,
            log,
        }
    }

    pub(crate) fn knows(&self, id: ConferenceId) -> bool {
        self.hosts.contains_key(&id)
    }

    /// Carries out the phone's order for one conference.
    pub(crate) fn order(
        &mut self,
        id: ConferenceId,
        order: HostOrder,
        calls: &mut Calls,
        jobs: &mut JoinSet<Job>,
    ) {
        match order {
            HostOrder::Open { input, output } => {
                if self.sit_down(id, calls) {
                    self.open_output(id, output, jobs);
                    self.open_input(id, input, calls, jobs);
                }
            }
            HostOrder::SetInput { input } => self.open_input(id, input, calls, jobs),
            HostOrder::SetOutput { output } => self.open_output(id, output, jobs),
            HostOrder::SetProcessing { processing } => {
                if let Some(host) = self.hosts.get(&id) {
                    host.preference.set(opening::preference(processing));
                }
            }
            HostOrder::SetVolume { percent } => self.seat(id, SeatOrder::SetVolume(percent)),
            HostOrder::Mute { muted } => {
                let percent = if muted { 0 } else { 100 };
                self.seat(id, SeatOrder::SetVoice(percent));
            }
            HostOrder::Hold { held } => self.seat(id, SeatOrder::Pause(held)),
            HostOrder::SetLevels { wanted } => self.report(id, wanted),
            HostOrder::Close => {
                self.hosts.remove(&id);
            }
        }
    }

    /// Takes a seat with nothing to say and nothing to hear yet; false if there is no conference.
    fn sit_down(&mut self, id: ConferenceId, calls: &mut Calls) -> bool {
        let conference = match calls.conference(id) {
            Ok(conference) => conference,
            Err(error) => {
                self.tell_failure(id, Device::Input, error.to_string());
                return false;
            }
        };
        // Strong, unlike a device's: the phone's end waits for the conference, which may have a file to finish.
        let news = self.news.clone();
        let trouble = Box::new(move |reason| {
            let device = Device::Input;
            let event = HostEvent::DeviceFailed { device, reason };
            news.send(HostNews::Media(id, event)).is_ok()
        });
        let member = Member::new(None, Input::Silence, Output::Nowhere, trouble);
        let host = Host {
            seat: conference.join(member),
            input: Arc::default(),
            output: Arc::default(),
            preference: SharedPreference::default(),
            sources: Vec::new(),
        };
        self.hosts.insert(id, host);
        true
    }

    /// Records a conference.
    pub(super) fn record(&self, id: ConferenceId, tap: Tap) {
        if let Some(host) = self.hosts.get(&id) {
            host.seat.record(tap);
        }
    }

    fn seat(&self, id: ConferenceId, order: SeatOrder) {
        if let Some(host) = self.hosts.get(&id) {
            host.seat.order(order);
        }
    }

    fn report(&self, id: ConferenceId, wanted: bool) {
        let Some(host) = self.hosts.get(&id) else {
            return;
        };
        let news = self.news.clone();
        host.seat.report(wanted.then(|| {
            Box::new(move |levels| drop(news.send(HostNews::Levels(id, levels))))
                as crate::audio::LevelsReport
        }));
    }

    fn open_input(
        &mut self,
        id: ConferenceId,
        wanted: phone::audio::Input,
        calls: &mut Calls,
        jobs: &mut JoinSet<Job>,
    ) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        // What it had is let go first: the same source may be wanted again.
        host.sources = Vec::new();
        host.input = Arc::default();
        let turn = Arc::downgrade(&host.input);
        let preference = host.preference.clone();
        let heard = opening::sessions_of(&wanted);
        let heard = heard.into_iter().map(|other| calls.listen_to(other));
        let heard = heard.collect();
        let standing = || self.standing(id, turn.clone(), Device::Input);
        let opening = opening::input(wanted, self.replacement, preference, &standing, heard);
        // A device takes over from another one without a gap.
        if !opening.is_device() {
            self.seat(id, SeatOrder::SetInput(Input::Silence));
        }
        match opening {
            Opening::Device(Ok(microphone)) => self.seat(id, SeatOrder::SetInput(microphone)),
            Opening::Now(outcome) | Opening::Device(outcome) => {
                self.tell_attached(HostOpened::Input(id, turn, outcome));
            }
            Opening::Session(other) => {
                let outcome = calls.listen_to(other);
                self.tell_attached(HostOpened::Input(id, turn, outcome));
            }
            // A conference is made of sessions only.
            Opening::Conference(_) => {}
            Opening::Blocking(open) => {
                let broken = HostOpened::Input(id, turn.clone(), Err(opening::broke()));
                spawn(jobs, broken, move || HostOpened::Input(id, turn, open()));
            }
        }
    }

    fn open_output(
        &mut self,
        id: ConferenceId,
        wanted: phone::audio::Output,
        jobs: &mut JoinSet<Job>,
    ) {
        let Some(host) = self.hosts.get_mut(&id) else {
            return;
        };
        host.output = Arc::default();
        let turn = Arc::downgrade(&host.output);
        let standing = || self.standing(id, turn.clone(), Device::Output);
        let opening = opening::output(wanted, self.replacement, &standing, &self.log);
        if !opening.is_device() {
            self.seat(id, SeatOrder::SetOutput(Output::Nowhere));
        }
        match opening {
            Opening::Device(Ok(speaker)) => self.seat(id, SeatOrder::SetOutput(speaker)),
            Opening::Now(outcome) | Opening::Device(outcome) => {
                self.tell_attached(HostOpened::Output(id, turn, outcome))
            }
            // No output is a session or a conference; the compiler can't know that.
            Opening::Session(_) | Opening::Conference(_) => {}
            Opening::Blocking(open) => {
                let broken = HostOpened::Output(id, turn.clone(), Err(opening::broke()));
                spawn(jobs, broken, move || HostOpened::Output(id, turn, open()));
            }
        }
    }

    /// Gives a seat what was opened for it; how that went is news for the phone.
    pub(crate) fn attach(&mut self, opened: HostOpened) -> Option<(ConferenceId, HostEvent)> {
        let (id, turn, order, device, failure) = match opened {
            HostOpened::Input(id, turn, outcome) => {
                let (input, failure) = settle(outcome, Input::Silence);
                if turn.strong_count() > 0
                    && let Some(host) = self.hosts.get_mut(&id)
                {
                    host.sources = input.leases();
                }
                (id, turn, SeatOrder::SetInput(input), Device::Input, failure)
            }
            HostOpened::Output(id, turn, outcome) => {
                let (output, failure) = settle(outcome, Output::Nowhere);
                (
                    id,
                    turn,
                    SeatOrder::SetOutput(output),
                    Device::Output,
                    failure,
                )
            }
        };
        if turn.strong_count() == 0 {
            return None;
        }
        self.seat(id, order);
        let standing = failure.map_or(Ok(()), |reason| Err(Complaint::Failed(reason)));
        Some((id, event_of(device, standing)))
    }

    // The phone is being drained and can't take an input now: it comes back as news.
    fn tell_attached(&mut self, opened: HostOpened) {
        let (HostOpened::Input(_, turn, _) | HostOpened::Output(_, turn, _)) = &opened;
        let turn = turn.clone();
        if let Some((id, event)) = self.attach(opened) {
            let _ = self.news.send(HostNews::Opening(id, turn, event));
        }
    }

    fn tell_failure(&self, id: ConferenceId, device: Device, reason: String) {
        let event = HostEvent::DeviceFailed { device, reason };
        let _ = self.news.send(HostNews::Media(id, event));
    }

    fn standing(&self, id: ConferenceId, turn: Turn, device: Device) -> Standing {
        opening::standing(&self.news, turn.clone(), move |standing| {
            let event = event_of(device, standing);
            Some(HostNews::Opening(id, turn.clone(), event))
        })
    }
}

fn event_of(device: Device, standing: Result<(), Complaint>) -> HostEvent {
    match standing {
        Ok(()) => HostEvent::DeviceOpened { device },
        Err(Complaint::Failed(reason)) => HostEvent::DeviceFailed { device, reason },
        Err(Complaint::Replaced(stand_in)) => HostEvent::DeviceReplaced { device, stand_in },
    }
}

fn spawn(
    jobs: &mut JoinSet<Job>,
    broken: HostOpened,
    open: impl FnOnce() -> HostOpened + Send + 'static,
) {
    jobs.spawn(async move {
        let opened = tokio::task::spawn_blocking(open).await;
        Job::HostOpened(Box::new(opened.unwrap_or(broken)))
    });
}

#[cfg(test)]
mod tests;
