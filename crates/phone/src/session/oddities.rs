//! What is odd about how a call sounds: told when it has lasted, and told to be over when that has lasted.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Context, Session};
use crate::door::audio::Input;
use crate::door::event::Event;
use crate::door::media::Figures;
use crate::door::warning::Warning;

/// Figures come once a second, in the first second more often; those that come sooner are left aside.
const SOONEST: Duration = Duration::from_millis(900);
/// After so long without figures, as on hold, those before say nothing about now.
const PAUSE: Duration = Duration::from_secs(4);
/// The longest that any figure is looked at, in seconds.
const LONGEST: usize = 10;

/// When a figure is odd: its mean over some seconds is so high, and until it is below a lower one for some seconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    raised_from: f64,
    raised_over: usize,
    cleared_below: f64,
    cleared_over: usize,
}

const fn limits(from: f64, over: usize, below: f64, clear_over: usize) -> Limits {
    Limits {
        raised_from: from,
        raised_over: over,
        cleared_below: below,
        cleared_over: clear_over,
    }
}

/// Percent of packets. Less is made good by FEC and concealment.
const LOSS: Limits = limits(5.0, 5, 2.0, 10);
/// Milliseconds (RFC 3550 §6.4.1).
const JITTER: Limits = limits(40.0, 5, 25.0, 10);
/// Milliseconds from mouth to ear. From 150 on people notice, from 400 on they talk over each other (ITU-T G.114).
const DELAY: Limits = limits(300.0, 5, 250.0, 10);
/// 1 while there is nothing at all: somebody who only listens has a microphone that hears the room.
const SILENT: Limits = limits(1.0, 10, 1.0, 1);
/// Percent of samples.
const CLIPPED: Limits = limits(0.1, 5, 0.02, 10);
/// Likeness, which is of the last eight seconds.
const ECHO: Limits = limits(0.75, 5, 0.5, 5);
/// Of the time that there is for sound.
const PRESSED: Limits = limits(1.0, 5, 0.8, 10);

/// Two steps of 16 bits either way, which converters make of nothing. It is measured before anything is done to the sound; a microphone
/// that stands open in a quiet room gives more.
const NOTHING: f64 = 2.0 / 32_768.0;

/// What is watched in one session.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    last: Option<Instant>,
    loss: Watch,
    jitter: Watch,
    delay: Watch,
    silent: Watch,
    clipped: Watch,
    echo: Watch,
    pressed: Watch,
}

#[derive(Debug, Default)]
struct Watch {
    recent: VecDeque<f64>,
    raised: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Raised,
    Cleared,
}

impl Watch {
    /// Takes the figure of a second; none while there is nothing to measure, which ends what was odd.
    fn take(&mut self, figure: Option<f64>, limits: Limits) -> Option<Change> {
        let Some(figure) = figure else {
            self.recent.clear();
            return std::mem::take(&mut self.raised).then_some(Change::Cleared);
        };
        if self.recent.len() == LONGEST {
            self.recent.pop_front();
        }
        self.recent.push_back(figure);
        if !self.raised && self.mean(limits.raised_over)? >= limits.raised_from {
            self.raised = true;
            return Some(Change::Raised);
        }
        if self.raised && self.mean(limits.cleared_over)? < limits.cleared_below {
            self.raised = false;
            return Some(Change::Cleared);
        }
        None
    }

    /// Of the last so many seconds; nothing before there are as many.
    fn mean(&self, over: usize) -> Option<f64> {
        let skipped = self.recent.len().checked_sub(over)?;
        Some(self.recent.iter().skip(skipped).sum::<f64>() / over as f64)
    }
}

impl Session {
    /// Looks at the figures of a second.
    pub(super) fn watch(&mut self, figures: &Figures, ctx: &mut Context<'_>) {
        let last = self.oddities.last;
        let since = last.map(|last| ctx.now.saturating_duration_since(last));
        if since.is_some_and(|since| since < SOONEST) {
            return;
        }
        let own = self.is_heard_as_it_is().then_some(());
        let microphone = own.filter(|()| self.hears_microphone(ctx));
        let odd = &mut self.oddities;
        odd.last = Some(ctx.now);
        if since.is_some_and(|since| since > PAUSE) {
            odd.forget();
        }
        let peer_loss = figures.peer_loss.unwrap_or(0.0);
        let there = own.map(|()| figures.echo_here);
        let here = figures.echo_there;
        // While the peer holds us nothing is captured.
        let silent = figures
            .near_peak
            .map(|peak| f64::from(u8::from(peak <= NOTHING)));
        let heard = figures.heard.then_some(());
        // What was made good is no loss that anybody hears.
        let loss = figures.loss.min(figures.concealed);
        let changes = [
            (
                Warning::Loss,
                odd.loss.take(Some(loss.max(peer_loss)), LOSS),
                lost(loss, peer_loss),
            ),
            (
                Warning::Jitter,
                odd.jitter.take(heard.map(|()| figures.jitter), JITTER),
                format!(
                    "What the other side says comes unevenly, by {:.0} ms",
                    figures.jitter
                ),
            ),
            (
                Warning::Delay,
                odd.delay.take(heard.map(|()| figures.delay), DELAY),
                format!("The other side is heard {:.0} ms late", figures.delay),
            ),
            (
                Warning::MicrophoneSilent,
                odd.silent.take(microphone.and(silent), SILENT),
                "The microphone gives no sound at all".to_owned(),
            ),
            (
                Warning::Clipping,
                odd.clipped.take(own.map(|()| figures.clipped), CLIPPED),
                "The sound that is sent is too loud and cut off".to_owned(),
            ),
            (
                Warning::EchoSuspected,
                odd.echo.take(Some(here.max(there.unwrap_or(0.0))), ECHO),
                echoed(there > Some(here)).to_owned(),
            ),
            (
                Warning::CpuTooSlow,
                odd.pressed.take(Some(figures.pressure), PRESSED),
                "The processor has too little time for the sound of this call".to_owned(),
            ),
        ];
        for (warning, change, text) in changes {
            match change {
                Some(Change::Raised) => ctx.emit(Event::warning(self.id, warning, text)),
                Some(Change::Cleared) => {
                    let id = self.id;
                    ctx.emit(Event::WarningCleared { id, warning });
                }
                None => {}
            }
        }
    }

    /// Whether the far end hears this session's own input, neither silence nor music nor a conference.
    fn is_heard_as_it_is(&self) -> bool {
        !self.near_end.muted && !self.holding.hears_music && self.near_end.place.seat().is_none()
    }

    fn hears_microphone(&self, ctx: &Context<'_>) -> bool {
        let input = self.near_end.input(ctx);
        // Of one that can't be opened the application was told.
        let has = |input: &Input| matches!(input, Input::Default | Input::Device { .. });
        let is_there = match &input {
            Input::Mix { parts } => parts.iter().any(has),
            Input::Default
            | Input::Device { .. }
            | Input::None
            | Input::Source { .. }
            | Input::Wav { .. }
            | Input::Tone { .. }
            | Input::Session { .. }
            | Input::Conference { .. } => has(&input),
        };
        is_there && !self.near_end.devices.is_without_input()
    }
}

impl Oddities {
    /// What was measured before a pause is past; what was odd stays so until it is measured again.
    fn forget(&mut self) {
        let Self {
            last: _,
            loss,
            jitter,
            delay,
            silent,
            clipped,
            echo,
            pressed,
        } = self;
        for watch in [loss, jitter, delay, silent, clipped, echo, pressed] {
            watch.recent.clear();
        }
    }
}

fn lost(here: f64, there: f64) -> String {
    match there > here {
        true => format!("{there:.0} % of what is sent is lost on its way to the other side"),
        false => format!("{here:.0} % of what the other side sends is lost on its way here"),
    }
}

fn echoed(there: bool) -> &'static str {
    match there {
        true => "The other side seems to hear itself: what it says comes back to it from this side",
        false => "What is said here seems to come back from the other side",
    }
}
