//! Pictures in another size, and turned.

use crate::{Picture, Rotation, Size};

/// Weights are parts of this many.
const ONE: u32 = 1 << 14;

impl Picture {
    /// Returns the picture in another size; its sides may change apart. Smaller, each pixel is the mean of what it
    /// covers; larger, it lies between its neighbours. A size that is not taken gives the picture as it is.
    pub fn scaled(&self, size: Size) -> Picture {
        if size == self.size() || !size.is_fair() {
            return self.clone();
        }
        let mut data = Vec::with_capacity(size.i420_octets());
        let [luma, blue, red] = self.planes();
        let (from, into) = (self.size().chroma(), size.chroma());
        scale_plane(luma, self.size(), size, &mut data);
        scale_plane(blue, from, into, &mut data);
        scale_plane(red, from, into, &mut data);
        self.with(size, self.rotation(), data)
    }

    /// Returns the picture turned as far as it is to be turned before it is shown.
    pub fn upright(self) -> Picture {
        let (size, rotation) = (self.size(), self.rotation());
        let turned = match rotation {
            Rotation::Upright => return self,
            Rotation::Half => size,
            Rotation::Quarter | Rotation::ThreeQuarters => size.turned(),
        };
        let mut data = Vec::with_capacity(size.i420_octets());
        let [luma, blue, red] = self.planes();
        turn_plane(luma, size, rotation, &mut data);
        turn_plane(blue, size.chroma(), rotation, &mut data);
        turn_plane(red, size.chroma(), rotation, &mut data);
        self.with(turned, Rotation::Upright, data)
    }

    fn with(&self, size: Size, rotation: Rotation, data: Vec<u8>) -> Picture {
        Picture::new(size, self.timestamp(), rotation, data.into())
            .expect("each plane has what its size needs")
    }
}

/// Of what each pixel of a row or column is made.
struct Axis {
    spans: Vec<Span>,
    weights: Vec<u32>,
}

struct Span {
    first: usize,
    weights: std::ops::Range<usize>,
}

impl Axis {
    fn new(from: u16, into: u16) -> Axis {
        let mut axis = Axis {
            spans: Vec::with_capacity(into.into()),
            weights: Vec::new(),
        };
        for at in 0..u64::from(into) {
            match into < from {
                true => axis.cover(at, from.into(), into.into()),
                false => axis.lie_between(at, from.into(), into.into()),
            }
        }
        axis
    }

    /// The pixels that one covers, each by how much of it.
    fn cover(&mut self, at: u64, from: u64, into: u64) {
        // In parts of which a pixel of before has `into`, and one of now `from`.
        let (begin, end) = (at * from, (at + 1) * from);
        let (first, last) = (begin / into, (end - 1) / into);
        let parts = (first..=last).map(|pixel| {
            let covered = end.min((pixel + 1) * into) - begin.max(pixel * into);
            (covered * u64::from(ONE) / from) as u32
        });
        let start = self.weights.len();
        self.weights.extend(parts);
        self.end_span(first as usize, start);
    }

    /// The two pixels between whose middles its own lies.
    fn lie_between(&mut self, at: u64, from: u64, into: u64) {
        let middle =
            ((2 * at + 1) * from * u64::from(ONE) / (2 * into)).saturating_sub(u64::from(ONE) / 2);
        let first = (middle / u64::from(ONE)).min(from - 1);
        let part = (middle % u64::from(ONE)) as u32;
        let start = self.weights.len();
        match first + 1 < from {
            true => self.weights.extend([ONE - part, part]),
            false => self.weights.push(ONE),
        }
        self.end_span(first as usize, start);
    }

    /// All weights together are one, whatever was lost by rounding.
    fn end_span(&mut self, first: usize, start: usize) {
        let sum: u32 = self.weights[start..].iter().sum();
        self.weights[start] += ONE - sum;
        self.spans.push(Span {
            first,
            weights: start..self.weights.len(),
        });
    }
}

fn scale_plane(plane: &[u8], from: Size, into: Size, out: &mut Vec<u8>) {
    let across = Axis::new(from.width, into.width);
    let down = Axis::new(from.height, into.height);
    let width = usize::from(from.width);
    let mut sums = vec![0_u32; width];
    for span in &down.spans {
        sums.fill(ONE / 2);
        let rows = plane[span.first * width..].chunks_exact(width);
        for (row, weight) in rows.zip(&down.weights[span.weights.clone()]) {
            for (sum, pixel) in sums.iter_mut().zip(row) {
                *sum += u32::from(*pixel) * weight;
            }
        }
        for sum in &mut sums {
            *sum /= ONE;
        }
        out.extend(across.spans.iter().map(|span| {
            let weights = &across.weights[span.weights.clone()];
            let parts = sums[span.first..].iter().zip(weights);
            let sum: u32 = parts.map(|(pixel, weight)| pixel * weight).sum();
            ((sum + ONE / 2) / ONE) as u8
        }));
    }
}

fn turn_plane(plane: &[u8], size: Size, rotation: Rotation, out: &mut Vec<u8>) {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    match rotation {
        Rotation::Upright => out.extend_from_slice(plane),
        Rotation::Half => out.extend(plane.iter().rev()),
        Rotation::Quarter => {
            for x in 0..width {
                out.extend((0..height).rev().map(|y| plane[y * width + x]));
            }
        }
        Rotation::ThreeQuarters => {
            for x in (0..width).rev() {
                out.extend((0..height).map(|y| plane[y * width + x]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(size: Size, rotation: Rotation, luma: impl Fn(usize, usize) -> u8) -> Picture {
        let mut data = vec![128; size.i420_octets()];
        let width = usize::from(size.width);
        for (at, pixel) in data[..size.pixels() as usize].iter_mut().enumerate() {
            *pixel = luma(at % width, at / width);
        }
        Picture::new(size, Duration::from_secs(3), rotation, data.into()).unwrap()
    }

    #[test]
    fn any_size_becomes_any_other_and_a_plain_picture_stays_plain() {
        let sizes = [
            (1, 1),
            (2, 3),
            (5, 5),
            (64, 36),
            (63, 37),
            (640, 360),
            (16_383, 1),
        ];
        for (width, height) in sizes {
            for (into_width, into_height) in sizes {
                let plain = of(Size::new(width, height), Rotation::Upright, |_, _| 77);
                let into = Size::new(into_width, into_height);
                let scaled = plain.scaled(into);
                assert_eq!(
                    (scaled.size(), scaled.timestamp()),
                    (into, plain.timestamp())
                );
                let [luma, blue, red] = scaled.planes();
                assert!(luma.iter().all(|pixel| *pixel == 77));
                assert!(blue.iter().chain(red).all(|pixel| *pixel == 128));
            }
        }
    }

    #[test]
    fn smaller_each_pixel_is_the_mean_of_what_it_covers() {
        let picture = of(Size::new(8, 4), Rotation::Upright, |x, _| {
            if x % 2 == 0 { 0 } else { 200 }
        });
        let half = picture.scaled(Size::new(4, 2));
        assert_eq!(half.planes()[0], [100; 8]);
        let third =
            of(Size::new(3, 1), Rotation::Upright, |x, _| [0, 90, 240][x]).scaled(Size::new(2, 1));
        assert_eq!(third.planes()[0], [30, 190]);
    }

    #[test]
    fn larger_a_slope_stays_a_slope() {
        let slope =
            of(Size::new(10, 2), Rotation::Upright, |x, _| 20 * x as u8).scaled(Size::new(40, 8));
        let row = &slope.planes()[0][..40];
        assert!(row.is_sorted(), "{row:?}");
        assert!(row.windows(2).all(|two| two[1] - two[0] <= 6), "{row:?}");
    }

    #[test]
    fn a_size_that_is_not_taken_changes_nothing() {
        let picture = of(Size::new(8, 4), Rotation::Upright, |_, _| 1);
        for size in [Size::new(0, 4), Size::new(16_383, 16_383)] {
            assert_eq!(picture.scaled(size), picture);
        }
    }

    #[test]
    fn a_turned_picture_is_turned_clockwise() {
        // The upper left is bright.
        let corner = |rotation| {
            of(
                Size::new(3, 2),
                rotation,
                |x, y| if x + y == 0 { 255 } else { 0 },
            )
        };
        for (rotation, size, bright) in [
            (Rotation::Upright, (3, 2), 0),
            (Rotation::Quarter, (2, 3), 1),
            (Rotation::Half, (3, 2), 5),
            (Rotation::ThreeQuarters, (2, 3), 4),
        ] {
            let turned = corner(rotation).upright();
            assert_eq!(turned.size(), Size::new(size.0, size.1));
            assert_eq!(
                turned.planes()[0].iter().position(|pixel| *pixel == 255),
                Some(bright)
            );
            assert_eq!(turned.rotation(), Rotation::Upright);
        }
    }
}
