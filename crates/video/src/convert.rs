//! Between I420 and RGBA, by ITU-R BT.601 in its limited range, as browsers take pictures without further word.

use std::time::Duration;

use crate::picture::check;
use crate::{Picture, Rotation, Size, WrongLength};

impl Picture {
    /// Makes a picture of RGBA octets, row after row; what is transparent is not left out.
    pub fn from_rgba(
        size: Size,
        timestamp: Duration,
        rotation: Rotation,
        rgba: &[u8],
    ) -> Result<Picture, WrongLength> {
        check(size, size.rgba_octets(), rgba.len())?;
        let mut data = vec![0; size.i420_octets()].into_boxed_slice();
        let width = usize::from(size.width);
        let (luma, colour) = data.split_at_mut(size.pixels() as usize);
        let (blue, red) = colour.split_at_mut(size.chroma().pixels() as usize);
        for (luma, rgba) in luma.iter_mut().zip(rgba.as_chunks::<4>().0) {
            *luma = brightness(rgba);
        }
        let half = usize::from(size.chroma().width);
        let rows = rgba.chunks(width * 4 * 2);
        let halves = blue.chunks_exact_mut(half).zip(red.chunks_exact_mut(half));
        for (rows, (blue, red)) in rows.zip(halves) {
            let (upper, lower) = rows.split_at(width * 4);
            // The last row of an odd height stands for the one that is missing, as the last column does.
            let lower = if lower.is_empty() { upper } else { lower };
            colour_row(upper, lower, blue, red);
        }
        Picture::new(size, timestamp, rotation, data)
    }

    /// Returns the picture as RGBA octets, row after row, opaque.
    pub fn to_rgba(&self) -> Box<[u8]> {
        let mut rgba = vec![255; self.size().rgba_octets()].into_boxed_slice();
        let [luma, blue, red] = self.planes();
        let (width, half) = (
            usize::from(self.size().width),
            usize::from(self.size().chroma().width),
        );
        let rows = luma
            .chunks_exact(width)
            .zip(rgba.chunks_exact_mut(width * 4));
        for (row, (luma, rgba)) in rows.enumerate() {
            let at = row / 2 * half;
            seen_row(luma, &blue[at..at + half], &red[at..at + half], rgba);
        }
        rgba
    }
}

fn brightness(&[red, green, blue, _]: &[u8; 4]) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    (((66 * red + 129 * green + 25 * blue + 128) >> 8) + 16) as u8
}

fn colour_row(upper: &[u8], lower: &[u8], blue: &mut [u8], red: &mut [u8]) {
    let pairs = upper.chunks(8).zip(lower.chunks(8));
    for ((upper, lower), (blue, red)) in pairs.zip(blue.iter_mut().zip(red)) {
        let sum = |at: usize| -> i32 {
            let beside = if upper.len() == 8 { at + 4 } else { at };
            [upper[at], upper[beside], lower[at], lower[beside]]
                .into_iter()
                .map(i32::from)
                .sum()
        };
        let (r, g, b) = (sum(0), sum(1), sum(2));
        // Four pixels: two bits more than one has.
        *blue = ((112 * b - 38 * r - 74 * g + 512 + (128 << 10)) >> 10) as u8;
        *red = ((112 * r - 94 * g - 18 * b + 512 + (128 << 10)) >> 10) as u8;
    }
}

fn seen_row(luma: &[u8], blue: &[u8], red: &[u8], rgba: &mut [u8]) {
    let pairs = luma.chunks(2).zip(rgba.chunks_mut(8));
    for ((luma, rgba), (blue, red)) in pairs.zip(blue.iter().zip(red)) {
        let (blue, red) = (i32::from(*blue) - 128, i32::from(*red) - 128);
        let parts = [409 * red, -100 * blue - 208 * red, 516 * blue];
        for (luma, rgba) in luma.iter().zip(rgba.as_chunks_mut::<4>().0) {
            let bright = 298 * (i32::from(*luma) - 16) + 128;
            for (part, seen) in parts.iter().zip(rgba.iter_mut()) {
                *seen = ((bright + part) >> 8).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(size: Size, colour: [u8; 4]) -> Picture {
        let rgba = colour.repeat(size.pixels() as usize);
        Picture::from_rgba(size, Duration::ZERO, Rotation::Upright, &rgba).unwrap()
    }

    #[test]
    fn colours_are_those_of_bt_601() {
        // Colour bars of 100 %, as 8 bits of the standard.
        for (rgb, yuv) in [
            ([0, 0, 0, 255], [16, 128, 128]),
            ([255, 255, 255, 255], [235, 128, 128]),
            ([255, 0, 0, 255], [82, 90, 240]),
            ([0, 255, 0, 255], [145, 54, 34]),
            ([0, 0, 255, 255], [41, 240, 110]),
            ([255, 255, 0, 255], [210, 16, 146]),
        ] {
            let picture = plain(Size::new(6, 4), rgb);
            let planes = picture.planes().map(|plane| plane[0]);
            for (is, should) in planes.into_iter().zip(yuv) {
                assert!(
                    i32::from(is).abs_diff(should) <= 1,
                    "{rgb:?}: {planes:?} {yuv:?}"
                );
            }
            let seen = picture.to_rgba();
            for (is, should) in seen[..4].iter().zip(rgb) {
                assert!(is.abs_diff(should) <= 3, "{rgb:?}: {:?}", &seen[..4]);
            }
        }
    }

    #[test]
    fn odd_sizes_are_whole_to_their_last_pixel() {
        for size in [
            Size::new(1, 1),
            Size::new(3, 5),
            Size::new(7, 2),
            Size::new(2, 7),
        ] {
            let seen = plain(size, [200, 30, 90, 0]).to_rgba();
            assert_eq!(seen.len(), size.rgba_octets());
            for pixel in seen.as_chunks::<4>().0 {
                assert_eq!(pixel[3], 255, "it is opaque");
                for (is, should) in pixel.iter().zip([200_u8, 30, 90]) {
                    assert!(is.abs_diff(should) <= 3, "{size}: {pixel:?}");
                }
            }
        }
    }

    #[test]
    fn each_pixel_keeps_its_place() {
        let size = Size::new(4, 4);
        let mut rgba = [0, 0, 0, 255].repeat(16);
        rgba[4 * (4 + 2)..][..3].fill(255);
        let picture = Picture::from_rgba(size, Duration::ZERO, Rotation::Upright, &rgba).unwrap();
        let bright: Vec<_> = (0..16)
            .filter(|at| picture.planes()[0][*at] > 100)
            .collect();
        assert_eq!(bright, [6]);
        assert!(picture.to_rgba()[4 * 6] > 200);
    }

    #[test]
    fn octets_of_another_length_are_refused() {
        let size = Size::new(2, 2);
        let made = Picture::from_rgba(size, Duration::ZERO, Rotation::Upright, &[0; 15]);
        assert!(matches!(made, Err(WrongLength::Octets { needed: 16, .. })));
    }
}
