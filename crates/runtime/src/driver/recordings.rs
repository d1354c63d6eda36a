//! A phone's recordings: opened on the side, told by the thread that writes.

use std::collections::BTreeMap;

use audio::Rate;
use phone::RecordingId;
use phone::recording::{
    Legs, PausedPart, Recorded, RecordingEvent, RecordingFormat, RecordingOrder, RecordingPlan,
    RecordingReport, RecordingTarget,
};
use recorder::{Format, Settings};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Job;
use super::calls::Calls;
use super::hosts::Hosts;
use crate::audio::{
    OpenError, Recording, RecordingEnd, RecordingNews, RecordingOpening, RecordingPlace, Tap,
    TellOfRecording,
};

/// What a phone is told of one of its recordings.
pub(crate) type RecordingWord = (RecordingId, RecordingEvent);

/// The recordings of one phone; each ends when it is dropped.
pub(crate) struct Recordings {
    all: BTreeMap<RecordingId, Recording>,
    /// The phone's end waits until every file has said its last word.
    news: mpsc::UnboundedSender<RecordingWord>,
}

impl Recordings {
    pub(crate) fn new(news: mpsc::UnboundedSender<RecordingWord>) -> Recordings {
        Recordings {
            all: BTreeMap::new(),
            news,
        }
    }

    /// Carries out the phone's order for one recording.
    pub(crate) fn order(
        &mut self,
        id: RecordingId,
        order: RecordingOrder,
        calls: &mut Calls,
        hosts: &Hosts,
        jobs: &mut JoinSet<Job>,
    ) {
        match order {
            RecordingOrder::Begin(plan) => {
                let recorded = plan.recorded;
                match self.begin(id, plan, jobs) {
                    Ok(tap) => hear(recorded, tap, calls, hosts),
                    Err(reason) => self.tell(id, RecordingEvent::Refused { reason }),
                }
            }
            RecordingOrder::Pause { paused } => {
                if let Some(recording) = self.all.get(&id) {
                    recording.pause(paused);
                }
            }
            RecordingOrder::Follow { recorded } => {
                if let Some(recording) = self.all.get(&id) {
                    hear(recorded, recording.tap(), calls, hosts);
                }
            }
            RecordingOrder::End => drop(self.all.remove(&id)),
        }
    }

    /// Hears from now on, and opens meanwhile.
    fn begin(
        &mut self,
        id: RecordingId,
        plan: RecordingPlan,
        jobs: &mut JoinSet<Job>,
    ) -> Result<Tap, String> {
        let rate = Rate::try_from(plan.rate).map_err(|error| error.to_string())?;
        let settings = Settings {
            format: format_of(plan.format),
            legs: legs_of(plan.legs),
            rate: Some(rate),
            patched: matches!(plan.target, RecordingTarget::File { .. }),
        };
        let recording = Recording::new(settings, true).map_err(|error| error.to_string())?;
        let (tap, opening) = (recording.tap(), recording.opening());
        let tell = self.teller(id);
        self.all.insert(id, recording);
        let broken = (
            id,
            RecordingEvent::Refused {
                reason: "opening it broke".to_owned(),
            },
        );
        jobs.spawn(async move {
            let opened = tokio::task::spawn_blocking(move || open(opening, plan.target, tell));
            Job::Recording(match opened.await {
                Ok(Ok(())) => (id, RecordingEvent::Begun),
                Ok(Err(error)) => (
                    id,
                    RecordingEvent::Refused {
                        reason: error.to_string(),
                    },
                ),
                Err(_) => broken,
            })
        });
        Ok(tap)
    }

    /// What became of opening one; nothing is kept of what was refused.
    pub(crate) fn opened(&mut self, (id, event): &RecordingWord) {
        if matches!(event, RecordingEvent::Refused { .. }) {
            self.all.remove(id);
        }
    }

    fn teller(&self, id: RecordingId) -> TellOfRecording {
        let news = self.news.clone();
        Box::new(move |said| {
            let _ = news.send((id, event_of(said)));
        })
    }

    // The phone is being drained and can't take an input now: it comes back as news.
    fn tell(&self, id: RecordingId, event: RecordingEvent) {
        let _ = self.news.send((id, event));
    }
}

fn hear(recorded: Recorded, tap: Tap, calls: &mut Calls, hosts: &Hosts) {
    match recorded {
        Recorded::Session { id } => calls.record(id, tap),
        Recorded::Conference { id } => hosts.record(id, tap),
    }
}

fn open(
    opening: RecordingOpening,
    target: RecordingTarget,
    tell: TellOfRecording,
) -> Result<(), OpenError> {
    let place = match target {
        RecordingTarget::File { path } => RecordingPlace::create(&path)?,
        RecordingTarget::Stream { id } => RecordingPlace::stream(id)?,
    };
    opening.begin(place, tell);
    Ok(())
}

fn event_of(news: RecordingNews) -> RecordingEvent {
    match news {
        RecordingNews::Failed(reason) => RecordingEvent::Failed { reason },
        RecordingNews::Lost(lost) => RecordingEvent::Lost {
            milliseconds: lost.as_millis() as u64,
        },
        RecordingNews::InTime => RecordingEvent::InTime,
        RecordingNews::Ended(end) => RecordingEvent::Ended {
            report: report_of(&end),
        },
    }
}

fn report_of(RecordingEnd { report, lost }: &RecordingEnd) -> RecordingReport {
    // Nothing is heard in what is told of: a part of a millisecond at either end is not in it.
    let paused = report.paused.iter().map(|pause| {
        let from = pause.from.as_nanos().div_ceil(1_000_000) as u64;
        let to = (pause.to.as_millis() as u64).max(from);
        PausedPart { from, to }
    });
    RecordingReport {
        duration: report.duration.as_millis() as u64,
        paused: paused.collect(),
        lost: lost.as_millis() as u64,
    }
}

fn format_of(format: RecordingFormat) -> Format {
    match format {
        RecordingFormat::Wav => Format::Wav,
        RecordingFormat::OggOpus => Format::OggOpus,
    }
}

fn legs_of(legs: Legs) -> recorder::Legs {
    match legs {
        Legs::Stereo => recorder::Legs::Stereo,
        Legs::Mix => recorder::Legs::Mix,
        Legs::Local => recorder::Legs::Local,
        Legs::Remote => recorder::Legs::Remote,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use recorder::{Pause, Report};

    use super::*;

    #[test]
    fn a_pause_is_told_without_the_parts_of_a_millisecond_in_which_something_is_heard() {
        let told = |from: u64, to: u64| {
            let (from, to) = (Duration::from_micros(from), Duration::from_micros(to));
            let report = Report {
                duration: Duration::from_secs(9),
                paused: vec![Pause { from, to }],
            };
            let lost = Duration::ZERO;
            report_of(&RecordingEnd { report, lost }).paused[0]
        };
        assert_eq!(
            told(1_000_400, 2_000_900),
            PausedPart {
                from: 1_001,
                to: 2_000
            }
        );
        assert_eq!(
            told(1_000_000, 2_000_000),
            PausedPart {
                from: 1_000,
                to: 2_000
            }
        );
        assert_eq!(
            told(1_000_400, 1_000_600),
            PausedPart {
                from: 1_001,
                to: 1_001
            }
        );
    }
}
