//! How large pictures are.

use std::fmt;

/// A picture's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// From left to right.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

impl Size {
    /// What VP8 can say of a side (RFC 6386 §9.1).
    pub const LONGEST_SIDE: u16 = (1 << 14) - 1;

    /// As many pixels as 3840 × 2160 has: a raw picture of 12.4 MB. Nothing larger is decoded or kept.
    pub const MOST_PIXELS: u32 = 3840 * 2160;

    /// Names a size; any numbers will do, [`Size::is_fair`] judges them.
    pub const fn new(width: u16, height: u16) -> Size {
        Size { width, height }
    }

    /// Returns how many pixels there are.
    pub const fn pixels(self) -> u32 {
        self.width as u32 * self.height as u32
    }

    /// Whether pictures of this size are taken: no side is 0 or too long, and there are not too many pixels.
    pub const fn is_fair(self) -> bool {
        self.width > 0
            && self.height > 0
            && self.width <= Size::LONGEST_SIDE
            && self.height <= Size::LONGEST_SIDE
            && self.pixels() <= Size::MOST_PIXELS
    }

    /// Returns the size of each of the two planes of colour: half, an odd side rounded up.
    pub const fn chroma(self) -> Size {
        Size::new(self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// Returns how many octets an I420 picture has.
    pub const fn i420_octets(self) -> usize {
        self.pixels() as usize + 2 * self.chroma().pixels() as usize
    }

    /// Returns how many octets an RGBA picture has.
    pub const fn rgba_octets(self) -> usize {
        self.pixels() as usize * 4
    }

    /// Returns the size of a picture that was turned by a quarter.
    pub const fn turned(self) -> Size {
        Size::new(self.height, self.width)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}
