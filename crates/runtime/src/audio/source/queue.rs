//! What waits in a source, and what of it was played.

use std::sync::atomic::Ordering;
use std::sync::mpsc;

use super::{MarkId, SharedSource, SourceEvent};

/// The playing end of a source.
pub(super) struct Queue {
    pieces: mpsc::Receiver<Piece>,
    playing: Option<(Piece, usize)>,
    /// Marks that were reached; told once the tick that played them is over.
    reached: Vec<MarkId>,
}

/// A write or a mark, of the time between two clearings.
pub(super) struct Piece {
    pub(super) generation: u32,
    pub(super) content: Content,
}

pub(super) enum Content {
    Pcm(Box<[i16]>),
    Mark(MarkId),
}

impl Queue {
    pub(super) fn new(pieces: mpsc::Receiver<Piece>) -> Queue {
        Queue {
            pieces,
            playing: None,
            reached: Vec::new(),
        }
    }

    /// The next piece, cleared or not, and how much of it was played.
    pub(super) fn any_piece(&mut self) -> Option<(Piece, usize)> {
        let next = || Some((self.pieces.try_recv().ok()?, 0));
        self.playing.take().or_else(next)
    }

    /// The next piece that was not cleared.
    pub(super) fn next_piece(&mut self, shared: &SharedSource) -> Option<(Piece, usize)> {
        let generation = shared.generation.load(Ordering::Acquire);
        loop {
            let (piece, from) = self.any_piece()?;
            if piece.generation == generation {
                return Some((piece, from));
            }
            shared.discard(piece, from);
        }
    }

    /// Fills `out` from what waits, and with silence if nothing does.
    pub(super) fn read(&mut self, shared: &SharedSource, out: &mut [i16]) {
        self.tell_reached(shared);
        let mut filled = 0;
        while filled < out.len() {
            let Some((piece, from)) = self.next_piece(shared) else {
                break;
            };
            match &piece.content {
                Content::Mark(mark) => self.reached.push(*mark),
                Content::Pcm(samples) => {
                    let rest = &samples[from..];
                    let count = rest.len().min(out.len() - filled);
                    out[filled..filled + count].copy_from_slice(&rest[..count]);
                    filled += count;
                    shared.consume(count);
                    if count < rest.len() {
                        self.playing = Some((piece, from + count));
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
            match self.next_piece(shared) {
                Some((piece, from)) => match piece.content {
                    Content::Mark(mark) => self.reached.push(mark),
                    Content::Pcm(_) => self.playing = Some((piece, from)),
                },
                None => break,
            }
        }
    }

    /// Tells the marks of the tick that is over.
    pub(super) fn tell_reached(&mut self, shared: &SharedSource) {
        for mark in self.reached.drain(..) {
            (shared.listener)(SourceEvent::Played(mark));
        }
    }
}
