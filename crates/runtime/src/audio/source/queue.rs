//! What waits in a source, and what of it was played.

use std::sync::mpsc;

use super::position::History;
use super::{Mark, MarkId, Outcome, SharedSource, SourceEvent};

/// The playing end of a source.
pub(super) struct Queue {
    contents: mpsc::Receiver<Content>,
    playing: Option<(Content, usize)>,
    /// Marks that were reached; told once the tick that played them is over.
    reached: Vec<Mark>,
    pub(super) history: History,
}

/// A write or a mark.
pub(super) enum Content {
    Pcm(Box<[i16]>),
    Mark(MarkId),
}

impl Queue {
    pub(super) fn new(contents: mpsc::Receiver<Content>) -> Queue {
        Queue {
            contents,
            playing: None,
            reached: Vec::new(),
            history: History::default(),
        }
    }

    /// What comes next, and how much of it was played.
    pub(super) fn next(&mut self) -> Option<(Content, usize)> {
        let next = || Some((self.contents.try_recv().ok()?, 0));
        self.playing.take().or_else(next)
    }

    /// Fills `out` from what waits, and with silence if nothing does.
    pub(super) fn read(&mut self, shared: &SharedSource, out: &mut [i16]) {
        self.tell_reached(shared);
        let mut filled = 0;
        while filled < out.len() && !shared.is_paused() {
            let Some((content, from)) = self.next() else {
                break;
            };
            match &content {
                Content::Mark(mark) => self.reached.push(shared.ended(*mark, Outcome::Played)),
                Content::Pcm(samples) => {
                    let rest = &samples[from..];
                    let count = rest.len().min(out.len() - filled);
                    out[filled..filled + count].copy_from_slice(&rest[..count]);
                    filled += count;
                    shared.play(count);
                    if count < rest.len() {
                        self.playing = Some((content, from + count));
                    }
                }
            }
        }
        out[filled..].fill(0);
        self.reach_marks(shared);
    }

    // A mark right behind the last sample is reached with it, not with the next one.
    fn reach_marks(&mut self, shared: &SharedSource) {
        while self.playing.is_none() {
            match self.next() {
                Some((Content::Mark(mark), _)) => {
                    self.reached.push(shared.ended(mark, Outcome::Played));
                }
                Some((pcm @ Content::Pcm(_), from)) => self.playing = Some((pcm, from)),
                None => break,
            }
        }
    }

    /// Tells the marks of the tick that is over. What was read and won't be sent was not played.
    pub(super) fn tell_reached(&mut self, shared: &SharedSource) {
        let played = shared.track.played();
        for mut mark in self.reached.drain(..) {
            if mark.position > played {
                mark.position = played;
                mark.outcome = Outcome::Cleared;
            }
            (shared.listener)(SourceEvent::Mark(mark));
        }
    }
}
