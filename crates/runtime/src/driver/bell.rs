//! What rings while a call waits: a sound and an output that meet on a media thread, as in a conference of two.

use std::sync::Arc;

use phone::audio::{Ring, RingSound};
use phone::config::Fallback;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Job;
use super::opening::{self, Opening, Turn};
use crate::audio::{Input, Member, OpenError, Output, Tone, WavPlayer, sequence};
use crate::device::Replacement;
use crate::device_hub::{Complaint, Standing, Trouble};
use crate::media_worker::{Pool, Seat};

/// The bell of one phone.
pub(crate) struct Bell {
    replacement: Replacement,
    /// Of the sound and of who hears it, while it rings.
    seats: Option<[Seat; 2]>,
    /// Lives as long as what was opened last is wanted; see [`Turn`].
    wanted: Arc<()>,
    /// Sentences for the log: no session can tell that a bell is broken. As in `Calls`.
    log: mpsc::UnboundedSender<String>,
}

/// What rings, and where, opened on the side.
#[derive(Debug)]
pub(crate) struct Rung {
    turn: Turn,
    opened: Result<(Input, Output), OpenError>,
}

impl Bell {
    pub(crate) fn new(fallback: Fallback, log: mpsc::UnboundedSender<String>) -> Bell {
        Bell {
            // A call that rings nowhere is missed, so even a device that was never there is replaced.
            replacement: match fallback {
                Fallback::Default => Replacement::AtOnce,
                Fallback::None => Replacement::Never,
            },
            seats: None,
            wanted: Arc::default(),
            log,
        }
    }

    /// Rings in place of what rang before, or no more.
    pub(crate) fn ring(&mut self, ring: Option<Ring>, jobs: &mut JoinSet<Job>) {
        self.seats = None;
        self.wanted = Arc::default();
        let Some(Ring { sound, output }) = ring else {
            return;
        };
        let turn = Arc::downgrade(&self.wanted);
        let output = opening::output(
            output,
            self.replacement,
            &|| self.standing(turn.clone()),
            &self.log,
        );
        if let (RingSound::Cadence(_), Opening::Now(_) | Opening::Device(_)) = (&sound, &output) {
            let opened = open(sound, output);
            return self.rung(Rung { turn, opened });
        }
        jobs.spawn(async move {
            let opened = tokio::task::spawn_blocking(|| open(sound, output)).await;
            let opened = opened.unwrap_or_else(|_| Err(opening::broke()));
            Job::Bell(Box::new(Rung { turn, opened }))
        });
    }

    /// Takes what was opened, unless it is wanted no more.
    pub(crate) fn rung(&mut self, rung: Rung) {
        if rung.turn.strong_count() == 0 {
            return;
        }
        match rung.opened.map_err(|error| error.to_string()) {
            Ok((sound, ear)) => match Pool::shared() {
                Ok(pool) => {
                    let bell = pool.conference();
                    let trouble = || self.trouble(rung.turn.clone());
                    let sound = Member::new(None, sound, Output::Nowhere, trouble());
                    let ear = Member::new(None, Input::Silence, ear, trouble());
                    self.seats = Some([Arc::clone(&bell).join(sound), bell.join(ear)]);
                }
                Err(error) => self.tell(&error.to_string()),
            },
            Err(reason) => self.tell(&reason),
        }
    }

    fn trouble(&self, turn: Turn) -> Trouble {
        opening::trouble(&self.log, turn, |reason| unheard(&reason))
    }

    fn standing(&self, turn: Turn) -> Standing {
        opening::standing(&self.log, turn, |standing| {
            Some(match standing.err()? {
                Complaint::Failed(reason) => unheard(&reason),
                Complaint::Replaced(stand_in) => format!("A call waits: {stand_in}"),
            })
        })
    }

    fn tell(&self, reason: &str) {
        let _ = self.log.send(unheard(reason));
    }
}

fn unheard(reason: &str) -> String {
    format!("A call waits and nothing rings: {reason}")
}

/// Blocks where a file is to be opened, or a sink that was just given up.
fn open(sound: RingSound, output: Opening<Output>) -> Result<(Input, Output), OpenError> {
    let input = match sound {
        RingSound::Cadence(cadence) => Input::Tone(Tone::new(sequence(&cadence))),
        RingSound::Wav { path } => Input::Wav(WavPlayer::open(&path, true)?),
    };
    let output = match output {
        Opening::Now(opened) | Opening::Device(opened) => opened?,
        Opening::Blocking(open) => open()?,
        // No output is a session or a conference; the compiler can't know that.
        Opening::Session(_) | Opening::Conference(_) => Output::Nowhere,
    };
    Ok((input, output))
}
