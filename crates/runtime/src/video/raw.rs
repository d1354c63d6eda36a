//! Raw pictures as the application has them.

use std::fmt;
use std::time::Duration;

use video::{Picture, Queued, Rotation, Size, WrongLength};

/// How an application has its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawFormat {
    /// Three planes: brightness, and colours at half the size.
    I420,
    /// Four octets a pixel.
    Rgba,
}

impl RawFormat {
    /// Returns its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            RawFormat::I420 => "I420",
            RawFormat::Rgba => "RGBA",
        }
    }

    /// Finds a format by its name in the API.
    pub fn named(name: &str) -> Option<RawFormat> {
        [RawFormat::I420, RawFormat::Rgba]
            .into_iter()
            .find(|format| format.name() == name)
    }

    fn octets(self, size: Size) -> usize {
        match self {
            RawFormat::I420 => size.i420_octets(),
            RawFormat::Rgba => size.rgba_octets(),
        }
    }
}

/// One picture on its way from or to an application.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// How its octets are to be read.
    pub format: RawFormat,
    /// As it is stored.
    pub size: Size,
    /// How far it is to be turned before it is shown.
    pub rotation: Rotation,
    /// When it was taken, on its source's clock.
    pub timestamp: Duration,
    /// Row after row, without gaps.
    pub data: Box<[u8]>,
}

impl RawFrame {
    /// Says whether so many octets are a picture of this size.
    pub fn check(format: RawFormat, size: Size, given: usize) -> Result<(), WrongLength> {
        if !size.is_fair() {
            return Err(WrongLength::Size(size));
        }
        let needed = format.octets(size);
        match needed == given {
            true => Ok(()),
            false => Err(WrongLength::Octets {
                size,
                needed,
                given,
            }),
        }
    }

    /// A picture as the application wants it.
    pub(super) fn of(picture: &Picture, format: RawFormat) -> RawFrame {
        RawFrame {
            format,
            size: picture.size(),
            rotation: picture.rotation(),
            timestamp: picture.timestamp(),
            data: match format {
                RawFormat::I420 => picture.data().into(),
                RawFormat::Rgba => picture.to_rgba(),
            },
        }
    }

    /// The picture that it is.
    pub(super) fn picture(self) -> Result<Picture, WrongLength> {
        let RawFrame {
            size,
            timestamp,
            rotation,
            ..
        } = self;
        match self.format {
            RawFormat::I420 => Picture::new(size, timestamp, rotation, self.data),
            RawFormat::Rgba => Picture::from_rgba(size, timestamp, rotation, &self.data),
        }
    }
}

impl Queued for RawFrame {
    fn begins(&self) -> bool {
        true
    }

    fn octets(&self) -> usize {
        self.data.len()
    }
}

impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawFrame")
            .field("format", &self.format)
            .field("size", &self.size)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}
