//! A picture as it is seen.

use std::fmt;
use std::time::Duration;

use crate::Size;

/// How far a picture is to be turned clockwise before it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rotation {
    /// It stands as it is.
    #[default]
    Upright,
    /// A quarter.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

impl Rotation {
    /// Reads degrees: 0, 90, 180 or 270.
    pub const fn of_degrees(degrees: u16) -> Option<Rotation> {
        match degrees {
            0 => Some(Rotation::Upright),
            90 => Some(Rotation::Quarter),
            180 => Some(Rotation::Half),
            270 => Some(Rotation::ThreeQuarters),
            _ => None,
        }
    }

    /// Returns the degrees, clockwise.
    pub const fn degrees(self) -> u16 {
        match self {
            Rotation::Upright => 0,
            Rotation::Quarter => 90,
            Rotation::Half => 180,
            Rotation::ThreeQuarters => 270,
        }
    }
}

/// Octets that are no picture of the size named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongLength {
    /// No picture of this size is taken.
    #[error(
        "a picture of {0} is not taken: each side has 1 to 16383 pixels, and there are at most 3840 × 2160"
    )]
    Size(Size),
    /// As many octets as the size needs are not there.
    #[error("a picture of {size} has {needed} bytes, not {given}")]
    Octets {
        /// The size named.
        size: Size,
        /// What such a picture has.
        needed: usize,
        /// What was given.
        given: usize,
    },
}

/// One raw picture in I420: a plane of brightness, then two of colour at half the size, without gaps.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    timestamp: Duration,
    rotation: Rotation,
    data: Box<[u8]>,
}

impl Picture {
    /// Takes the three planes, one after the other.
    pub fn new(
        size: Size,
        timestamp: Duration,
        rotation: Rotation,
        data: Box<[u8]>,
    ) -> Result<Picture, WrongLength> {
        check(size, size.i420_octets(), data.len())?;
        Ok(Picture {
            size,
            timestamp,
            rotation,
            data,
        })
    }

    /// Returns a black picture.
    pub fn black(size: Size, timestamp: Duration) -> Result<Picture, WrongLength> {
        let mut data = vec![128; size.i420_octets()];
        data[..size.pixels() as usize].fill(16);
        Picture::new(size, timestamp, Rotation::Upright, data.into())
    }

    /// Returns the size as it is stored, before it is turned.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns when it was taken, on its source's clock.
    pub fn timestamp(&self) -> Duration {
        self.timestamp
    }

    /// Returns how far it is to be turned.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// Returns the picture with another time.
    pub fn at(mut self, timestamp: Duration) -> Picture {
        self.timestamp = timestamp;
        self
    }

    /// Returns the three planes, one after the other.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Returns the planes: brightness, blue, red.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, colour) = self.data.split_at(self.size.pixels() as usize);
        let (blue, red) = colour.split_at(colour.len() / 2);
        [luma, blue, red]
    }
}

pub(crate) fn check(size: Size, needed: usize, given: usize) -> Result<(), WrongLength> {
    if !size.is_fair() {
        return Err(WrongLength::Size(size));
    }
    if needed != given {
        return Err(WrongLength::Octets {
            size,
            needed,
            given,
        });
    }
    Ok(())
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .field("timestamp", &self.timestamp)
            .field("rotation", &self.rotation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_have_colour_for_their_last_row_and_column() {
        let size = Size::new(5, 3);
        let picture = Picture::black(size, Duration::ZERO).unwrap();
        assert_eq!(picture.planes().map(<[u8]>::len), [15, 6, 6]);
    }

    #[test]
    fn octets_that_do_not_fit_the_size_are_refused() {
        let make = |size, octets| {
            Picture::new(
                size,
                Duration::ZERO,
                Rotation::Upright,
                vec![0; octets].into(),
            )
        };
        assert!(make(Size::new(4, 2), 12).is_ok());
        assert!(matches!(
            make(Size::new(4, 2), 13),
            Err(WrongLength::Octets { needed: 12, .. })
        ));
        assert_eq!(
            make(Size::new(0, 2), 0),
            Err(WrongLength::Size(Size::new(0, 2)))
        );
        let huge = Size::new(16_383, 16_383);
        assert_eq!(make(huge, 0), Err(WrongLength::Size(huge)));
    }
}
