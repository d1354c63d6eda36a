use std::ops::Range;

use super::HeaderName;

/// A part of the head, or of the headers' own text.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadSpan {
    start: u32,
    end: u32,
}

impl HeadSpan {
    pub(super) fn new(start: usize, end: usize) -> Self {
        // A frame has at most 64 KiB, our own text at most a few times `MAX_VALUE`.
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One header line: where it stands whole, and where its value does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// `None` for names that this crate does not know.
    pub(super) name: Option<HeaderName>,
    pub(super) line_is_own: bool,
    pub(super) value_is_own: bool,
    pub(super) name_length: u16,
    pub(super) line: HeadSpan,
    pub(super) value: HeadSpan,
}
