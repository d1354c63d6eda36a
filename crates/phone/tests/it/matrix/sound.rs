//! Media as far as a phone sees them: descriptions, and whether a path is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use phone::media::MediaFailure;
use phone::{MediaCommand, MediaEvent, Sdp, SessionId, StreamCommand};

/// Without anything from the peer for so long the path is called interrupted.
const SILENCE: Duration = Duration::from_secs(5);
/// And for so long it is given up (RFC 7675 §5.1).
const CONSENT: Duration = Duration::from_secs(30);

/// Where one leg sends from: another after each restart of ICE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    who: usize,
    leg: u32,
    generation: u32,
    /// The address in use when it was gathered.
    place: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Connected,
    Interrupted,
    Failed,
}

#[derive(Debug)]
struct Leg {
    number: u32,
    generation: u32,
    ours: Option<Spot>,
    offered: Option<Spot>,
    theirs: Option<Spot>,
    holds: bool,
    is_held: bool,
    told: Told,
    silent_since: Option<Instant>,
}

/// The media of all phones.
#[derive(Debug, Default)]
pub(super) struct Sound {
    legs: BTreeMap<(usize, SessionId), Leg>,
    next: u32,
    /// By phone: another number after each change of its address.
    pub(super) places: BTreeMap<usize, u32>,
    /// Who sends and receives nothing now.
    pub(super) deaf: Option<usize>,
}

impl Sound {
    /// Does as a phone says.
    pub(super) fn obey(
        &mut self,
        who: usize,
        id: SessionId,
        command: &MediaCommand,
    ) -> Vec<MediaEvent> {
        let command = match command {
            MediaCommand::Stream(command) => command,
            MediaCommand::Close => {
                self.legs.remove(&(who, id));
                return Vec::new();
            }
            MediaCommand::Sound(_) | MediaCommand::Video(_) => return Vec::new(),
        };
        let place = self.places.get(&who).copied().unwrap_or_default();
        let next = &mut self.next;
        let leg = self.legs.entry((who, id)).or_insert_with(|| {
            *next += 1;
            Leg {
                number: *next,
                generation: 0,
                ours: None,
                offered: None,
                theirs: None,
                holds: false,
                is_held: false,
                told: Told::Nothing,
                silent_since: None,
            }
        });
        leg.obey(who, place, command)
    }

    /// Whether there is anything to tell, now or soon.
    pub(super) fn is_restless(&self) -> bool {
        self.legs.values().any(|leg| {
            let flows = self.flows(leg);
            match leg.told {
                Told::Connected => !flows,
                Told::Nothing => leg.theirs.is_some(),
                Told::Interrupted => true,
                Told::Failed => flows,
            }
        })
    }

    /// Tells who has a path, and who has it no more.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<(usize, SessionId, MediaEvent)> {
        let flowing: Vec<bool> = self.legs.values().map(|leg| self.flows(leg)).collect();
        let mut told = Vec::new();
        for ((&(who, id), leg), flows) in self.legs.iter_mut().zip(flowing) {
            let news = leg.tick(flows, now);
            told.extend(news.map(|event| (who, id, event)));
        }
        told
    }

    /// Whether what both sides know of each other is so, and their addresses are still theirs.
    fn flows(&self, leg: &Leg) -> bool {
        let (Some(ours), Some(theirs)) = (leg.ours, leg.theirs) else {
            return false;
        };
        let in_place = |spot: Spot| {
            self.places.get(&spot.who).copied().unwrap_or_default() == spot.place
                && self.deaf != Some(spot.who)
        };
        let agrees = |peer: &Leg| peer.ours == Some(theirs) && peer.theirs == Some(ours);
        in_place(ours) && in_place(theirs) && self.legs.values().any(agrees)
    }
}

impl Leg {
    fn obey(&mut self, who: usize, place: u32, command: &StreamCommand) -> Vec<MediaEvent> {
        match command {
            StreamCommand::Offer => {
                self.offered = Some(self.gather(who, place));
                vec![self.described(self.offered, None)]
            }
            StreamCommand::SetHeld { held } => {
                self.holds = *held;
                Vec::new()
            }
            StreamCommand::Reoffer { restart_ice, held } => {
                self.holds = *held;
                let gone = self.ours.is_some_and(|ours| ours.place != place);
                self.offered = match *restart_ice || gone {
                    true => Some(self.gather(who, place)),
                    false => self.ours,
                };
                let moved = gone.then(|| MediaEvent::Failed {
                    failure: MediaFailure::Moved,
                    reason: "our own address is gone".into(),
                });
                let described = self.described(self.offered, None);
                moved.into_iter().chain([described]).collect()
            }
            StreamCommand::Answer { offer } | StreamCommand::AnswerReoffer { offer } => {
                let (theirs, direction) = read(offer);
                let gone = self.ours.is_none_or(|ours| ours.place != place);
                if gone || self.theirs != Some(theirs) {
                    self.ours = Some(self.gather(who, place));
                }
                self.theirs = Some(theirs);
                let held = self.note_hold(&direction);
                let described = self.described(self.ours, Some(&direction));
                held.into_iter().chain([described]).collect()
            }
            StreamCommand::SetAnswer { sdp, provisional } => {
                let (theirs, direction) = read(sdp);
                self.ours = self.offered.or(self.ours);
                self.theirs = Some(theirs);
                let held = self.note_hold(&direction);
                let applied = (!provisional).then_some(MediaEvent::AnswerApplied);
                held.into_iter().chain(applied).collect()
            }
            StreamCommand::Rollback => {
                self.offered = None;
                Vec::new()
            }
            StreamCommand::WishVideo { .. }
            | StreamCommand::Protect { .. }
            | StreamCommand::CheckPath
            | StreamCommand::Mute { .. }
            | StreamCommand::MuteVideo { .. }
            | StreamCommand::SendDtmf { .. }
            | StreamCommand::StopDtmf { .. } => Vec::new(),
        }
    }

    fn gather(&mut self, who: usize, place: u32) -> Spot {
        self.generation += 1;
        Spot {
            who,
            leg: self.number,
            generation: self.generation,
            place,
        }
    }

    fn described(&self, spot: Option<Spot>, offered: Option<&str>) -> MediaEvent {
        let spot = spot.expect("it was gathered");
        let listens = offered.is_none_or(|direction| direction == "sendrecv");
        let direction = match (self.holds, listens) {
            (false, true) => "sendrecv",
            (true, true) => "sendonly",
            (false, false) => "recvonly",
            (true, false) => "inactive",
        };
        let Spot {
            who,
            leg,
            generation,
            place,
        } = spot;
        let sdp = format!("v=0\r\ns={who} {leg} {generation} {place} {direction}\r\n");
        MediaEvent::Described { sdp: sdp.into() }
    }

    fn note_hold(&mut self, direction: &str) -> Option<MediaEvent> {
        let held = matches!(direction, "sendonly" | "inactive") && !self.holds;
        let changed = std::mem::replace(&mut self.is_held, held) != held;
        changed.then_some(MediaEvent::RemoteHold { held })
    }

    fn tick(&mut self, flows: bool, now: Instant) -> Option<MediaEvent> {
        let is_silent = !flows && self.theirs.is_some();
        let since = *self.silent_since.get_or_insert(now);
        if !is_silent {
            self.silent_since = None;
        }
        let silence = now.saturating_duration_since(since);
        match self.told {
            Told::Connected if silence >= SILENCE => {
                self.told = Told::Interrupted;
                Some(MediaEvent::Interrupted)
            }
            Told::Interrupted if silence >= CONSENT => {
                self.told = Told::Failed;
                Some(MediaEvent::Failed {
                    failure: MediaFailure::Consent,
                    reason: "nothing came".into(),
                })
            }
            Told::Nothing if self.theirs.is_some() && silence >= CONSENT => {
                self.told = Told::Failed;
                Some(MediaEvent::Failed {
                    failure: MediaFailure::Ice,
                    reason: "no pair works".into(),
                })
            }
            Told::Nothing | Told::Interrupted | Told::Failed if flows => {
                self.told = Told::Connected;
                Some(MediaEvent::Connected)
            }
            Told::Nothing | Told::Connected | Told::Interrupted | Told::Failed => None,
        }
    }
}

fn read(sdp: &Sdp) -> (Spot, String) {
    let words = sdp.as_str().split_once("s=").expect("ours").1;
    let mut words = words.split_whitespace();
    let mut number = || {
        let word = words.next().expect("four numbers");
        word.parse::<u32>().expect("a number")
    };
    let spot = Spot {
        who: usize::try_from(number()).expect("a small number"),
        leg: number(),
        generation: number(),
        place: number(),
    };
    (spot, words.next().expect("a direction").to_owned())
}
