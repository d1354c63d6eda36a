//! Raw pictures in a file: YUV4MPEG2, as ffmpeg and browsers' fake cameras have it.
//!
//! Nothing is reserved for what a file claims before its octets are there, and what is missing at its end is
//! left out.

use std::io::{self, Read, Write};
use std::time::Duration;

use thiserror::Error;

use crate::{Picture, Rotation, Size};

/// What a line may have: real ones stay below 100.
const LONGEST_LINE: usize = 1_024;
/// What a file says that knows no rate, and what is more than any camera has.
const ASSUMED_RATE: (u32, u32) = (30, 1);
const FASTEST: u32 = 1_000;

/// Why a file is not played.
#[derive(Debug, Error)]
pub enum Y4mError {
    /// The system's own words.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as such files do.
    #[error("it is no YUV4MPEG2 file")]
    NotY4m,
    /// Its first line, or that of a frame, makes no sense; this part of it.
    #[error("its header has {0:?}")]
    Header(String),
    /// Fields instead of pictures.
    #[error("it is interlaced (I{0}); only progressive video is played: ffmpeg -vf yadif")]
    Interlaced(char),
    /// Colours at another size or depth.
    #[error("its pictures are {0}; only 4:2:0 of 8 bits is played: ffmpeg -pix_fmt yuv420p")]
    Colours(String),
    /// No picture of this size is taken.
    #[error("its pictures are {0} x {1}")]
    Size(u64, u64),
}

/// Reads one picture after the other.
#[derive(Debug)]
pub struct Y4mReader<R> {
    from: R,
    size: Size,
    rate: (u32, u32),
    count: u64,
}

impl<R: Read> Y4mReader<R> {
    /// Reads the header. Give what is buffered: lines are read by the octet.
    pub fn new(mut from: R) -> Result<Y4mReader<R>, Y4mError> {
        let line = line(&mut from)?.ok_or(Y4mError::NotY4m)?;
        let mut words = line.split(' ');
        if words.next() != Some("YUV4MPEG2") {
            return Err(Y4mError::NotY4m);
        }
        let (mut width, mut height, mut rate) = (0, 0, ASSUMED_RATE);
        for word in words.filter(|word| !word.is_empty()) {
            let wrong = || Y4mError::Header(word.to_owned());
            let (name, value) = word.split_at_checked(1).ok_or_else(wrong)?;
            match name {
                "W" => width = value.parse().map_err(|_| wrong())?,
                "H" => height = value.parse().map_err(|_| wrong())?,
                "F" => rate = read_rate(value).ok_or_else(wrong)?,
                "I" => match value.chars().next() {
                    Some('p' | '?') | None => {}
                    Some(other) => return Err(Y4mError::Interlaced(other)),
                },
                "C" if !is_taken(value) => return Err(Y4mError::Colours(value.to_owned())),
                // The shape of a pixel, remarks, and what later versions add.
                _ => {}
            }
        }
        let side = |side: u64| u16::try_from(side).unwrap_or(0);
        let size = Size::new(side(width), side(height));
        if !size.is_fair() {
            return Err(Y4mError::Size(width, height));
        }
        Ok(Y4mReader {
            from,
            size,
            rate,
            count: 0,
        })
    }

    /// Returns the size of all pictures.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Returns when the next picture is due, from the beginning of the file.
    pub fn due(&self) -> Duration {
        let (count, (rate, scale)) = (u128::from(self.count), self.rate);
        let micros = count * 1_000_000 * u128::from(scale) / u128::from(rate);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Reads the next picture; none at the end, also if that comes within a picture.
    pub fn read(&mut self) -> Result<Option<Picture>, Y4mError> {
        let Some(line) = line(&mut self.from)? else {
            return Ok(None);
        };
        if line.split(' ').next() != Some("FRAME") {
            return Err(Y4mError::Header(line));
        }
        let mut data = vec![0; self.size.i420_octets()].into_boxed_slice();
        match self.from.read_exact(&mut data) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let due = self.due();
        self.count += 1;
        let picture = Picture::new(self.size, due, Rotation::Upright, data);
        Ok(Some(
            picture.expect("the size was judged, and fills the octets"),
        ))
    }
}

/// Up to the end of the line; nothing if the file ends before it.
fn line(from: &mut impl Read) -> Result<Option<String>, Y4mError> {
    let (mut line, mut octet) = (Vec::new(), [0]);
    loop {
        match from.read_exact(&mut octet) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        match octet[0] {
            b'\n' => break,
            octet if octet.is_ascii_graphic() || octet == b' ' => line.push(octet),
            _ => return Err(Y4mError::NotY4m),
        }
        if line.len() > LONGEST_LINE {
            return Err(Y4mError::NotY4m);
        }
    }
    Ok(String::from_utf8(line).ok())
}

fn read_rate(value: &str) -> Option<(u32, u32)> {
    let (rate, scale) = value.split_once(':')?;
    let (rate, scale) = (rate.parse::<u32>().ok()?, scale.parse::<u32>().ok()?);
    match (rate, scale) {
        (0, 0) => Some(ASSUMED_RATE),
        (0, _) | (_, 0) => None,
        (rate, scale) if rate / scale > FASTEST => None,
        rate => Some(rate),
    }
}

/// The names of 4:2:0 say where its colours lie, half a pixel apart, which nobody sees.
fn is_taken(colours: &str) -> bool {
    matches!(colours, "420" | "420jpeg" | "420mpeg2" | "420paldv")
}

/// Writes pictures; the file is whole after each. They all get the size of the first and come at an even rate: what is
/// late is shown longer, and what comes too soon is left out. Whatever their times say, there is no more of them than time
/// has passed.
#[derive(Debug)]
pub struct Y4mWriter<W> {
    into: W,
    rate: u32,
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    size: Size,
    /// The time of the picture that began it, and when that came.
    first: Duration,
    came: Duration,
    written: u64,
    last: Picture,
    /// What comes once the last one was shown up to its place.
    next: Option<(u64, Picture)>,
}

/// Pictures may be ahead of time by so much: a network held the first ones up, or gives several at once.
const AHEAD: Duration = Duration::from_secs(1);

impl<W: Write> Y4mWriter<W> {
    /// Makes one of so many pictures a second.
    pub fn new(into: W, rate: u32) -> Y4mWriter<W> {
        Y4mWriter {
            into,
            rate: rate.clamp(1, FASTEST),
            begun: None,
        }
    }

    /// Takes a picture that comes so long after a beginning, and writes the first one; [`go_on`](Self::go_on) does the rest.
    pub fn push(&mut self, picture: &Picture, now: Duration) -> io::Result<()> {
        while self.go_on()? {}
        let picture = picture.clone().upright();
        let Some(begun) = &mut self.begun else {
            let size = picture.size();
            let (width, height, rate) = (size.width, size.height, self.rate);
            let header = format!("YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n");
            self.into.write_all(header.as_bytes())?;
            write_picture(&mut self.into, &picture)?;
            self.begun = Some(Begun {
                size,
                first: picture.timestamp(),
                came: now,
                written: 1,
                last: picture,
                next: None,
            });
            return Ok(());
        };
        let place = |time: Duration| {
            let at = (time.as_micros() * u128::from(self.rate) + 500_000) / 1_000_000;
            u64::try_from(at).unwrap_or(u64::MAX)
        };
        let time = picture.timestamp();
        let mut at = place(time.saturating_sub(begun.first));
        if at > place(now.saturating_sub(begun.came) + AHEAD) {
            // Its clock has leapt: it goes on from here.
            at = begun.written;
            let written = Duration::from_micros(at * 1_000_000 / u64::from(self.rate));
            begun.first = time.saturating_sub(written);
        }
        if at >= begun.written {
            begun.next = Some((at, picture.scaled(begun.size)));
        }
        Ok(())
    }

    /// Writes the next picture that there is to be written; says whether there may be more.
    pub fn go_on(&mut self) -> io::Result<bool> {
        let Some(begun) = &mut self.begun else {
            return Ok(false);
        };
        let Some((at, picture)) = begun.next.take() else {
            return Ok(false);
        };
        let is_its_turn = at <= begun.written;
        if is_its_turn {
            begun.last = picture;
        } else {
            begun.next = Some((at, picture));
        }
        begun.written += 1;
        write_picture(&mut self.into, &begun.last)?;
        Ok(!is_its_turn)
    }
}

/// In one go, so that no more than one picture is ever torn.
fn write_picture(into: &mut impl Write, picture: &Picture) -> io::Result<()> {
    into.write_all(&[b"FRAME\n", picture.data()].concat())?;
    into.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, frames: usize, octets: usize) -> Vec<u8> {
        let mut file = format!("{header}\n").into_bytes();
        for number in 0..frames {
            file.extend(b"FRAME\n");
            file.extend(vec![number as u8; octets]);
        }
        file
    }

    fn refused(header: &str) -> String {
        let file = file(header, 1, 6);
        Y4mReader::new(&file[..]).unwrap_err().to_string()
    }

    #[test]
    fn pictures_come_with_their_time() {
        let file = file(
            "YUV4MPEG2 W2 H2 F30000:1001 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED",
            3,
            6,
        );
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        assert_eq!(reader.size(), Size::new(2, 2));
        for (number, us) in [0, 33_366, 66_733].into_iter().enumerate() {
            assert_eq!(reader.due().as_micros(), us);
            let picture = reader.read().unwrap().unwrap();
            assert_eq!(
                (picture.data()[0], picture.timestamp().as_micros()),
                (number as u8, us)
            );
        }
        assert!(reader.read().unwrap().is_none());
        assert!(reader.read().unwrap().is_none());
    }

    #[test]
    fn odd_sizes_have_their_last_colours() {
        let file = file("YUV4MPEG2 W3 H5 F25:1", 2, 15 + 2 * 6);
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        assert!(reader.read().unwrap().is_some());
        assert_eq!(reader.read().unwrap().unwrap().size(), Size::new(3, 5));
    }

    #[test]
    fn what_can_not_be_played_is_refused_by_name() {
        for (header, why) in [
            ("RIFF", "it is no YUV4MPEG2 file"),
            ("YUV4MPEG2 W2 H2 F30:1 It", "it is interlaced (It)"),
            ("YUV4MPEG2 W2 H2 F30:1 Im", "it is interlaced (Im)"),
            ("YUV4MPEG2 W2 H2 F30:1 C444", "its pictures are 444"),
            ("YUV4MPEG2 W2 H2 F30:1 C420p10", "its pictures are 420p10"),
            ("YUV4MPEG2 W2 H2 F30:1 Cmono", "its pictures are mono"),
            ("YUV4MPEG2 W2 H2 F30:0", "its header has \"F30:0\""),
            ("YUV4MPEG2 W2 H2 F4294967295:1", "its header has"),
            ("YUV4MPEG2 Wx H2", "its header has \"Wx\""),
            ("YUV4MPEG2 W-2 H2", "its header has \"W-2\""),
            ("YUV4MPEG2 H2", "its pictures are 0 x 2"),
            (
                "YUV4MPEG2 W99999999999 H9",
                "its pictures are 99999999999 x 9",
            ),
            ("YUV4MPEG2 W16383 H16383", "its pictures are 16383 x 16383"),
            ("YUV4MPEG2 W2 H\u{e9}", "it is no YUV4MPEG2 file"),
        ] {
            let told = refused(header);
            assert!(told.starts_with(why), "{header}: {told}");
        }
        assert!(Y4mReader::new(&[b'Y'; 100_000][..]).is_err());
        assert!(
            Y4mReader::new(&b"YUV4MPEG2 W2 H2"[..]).is_err(),
            "it ends before its line does"
        );
    }

    #[test]
    fn a_file_that_ends_within_a_picture_ends_before_it() {
        let mut file = file("YUV4MPEG2 W2 H2 F30:1", 2, 6);
        file.pop();
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        assert!(reader.read().unwrap().is_some());
        assert!(reader.read().unwrap().is_none());
    }

    #[test]
    fn a_file_that_goes_on_with_something_else_says_so() {
        let mut file = file("YUV4MPEG2 W2 H2 F30:1", 1, 6);
        file.extend(b"FRAM\n");
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        assert!(reader.read().unwrap().is_some());
        assert!(matches!(reader.read(), Err(Y4mError::Header(_))));
    }

    fn picture(ms: u64, size: Size, luma: u8) -> Picture {
        let mut data = vec![128; size.i420_octets()];
        data[..size.pixels() as usize].fill(luma);
        let at = Duration::from_millis(ms);
        Picture::new(size, at, Rotation::Upright, data.into()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_at_an_even_rate_and_whole_after_each_picture() {
        let (size, mut file) = (Size::new(3, 3), Vec::new());
        let mut writer = Y4mWriter::new(&mut file, 10);
        for (ms, luma) in [(5_000, 1), (5_100, 2), (5_120, 3), (5_400, 4), (5_500, 5)] {
            write(&mut writer, &picture(ms, size, luma), ms);
        }
        write(&mut writer, &picture(5_600, Size::new(6, 6), 6), 5_600);
        let read = |file: &[u8]| -> Vec<u8> {
            let mut reader = Y4mReader::new(file).unwrap();
            std::iter::from_fn(|| reader.read().unwrap())
                .map(|picture| picture.data()[0])
                .collect()
        };
        assert_eq!(read(&file), [1, 2, 2, 2, 4, 5, 6]);
        let torn = file.len() - 3;
        assert_eq!(read(&file[..torn]), [1, 2, 2, 2, 4, 5]);
    }

    fn write(writer: &mut Y4mWriter<&mut Vec<u8>>, picture: &Picture, ms: u64) {
        writer.push(picture, Duration::from_millis(ms)).unwrap();
        while writer.go_on().unwrap() {}
    }

    #[test]
    fn a_clock_that_leaps_fills_no_disk_and_loses_no_picture() {
        let (size, mut file) = (Size::new(2, 2), Vec::new());
        let mut writer = Y4mWriter::new(&mut file, 30);
        for number in 0..30 {
            // Each picture says that it is five seconds later, and comes 33 ms later.
            write(
                &mut writer,
                &picture(number * 5_000, size, number as u8),
                number * 34,
            );
        }
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        let seen: Vec<u8> = std::iter::from_fn(|| reader.read().unwrap())
            .map(|picture| picture.data()[0])
            .collect();
        assert_eq!(seen, Vec::from_iter(0..30));
        let (size, mut file) = (Size::new(2, 2), Vec::new());
        let mut writer = Y4mWriter::new(&mut file, 30);
        for ms in [0, u64::MAX / 2_000, 40, 0] {
            write(&mut writer, &picture(ms, size, 9), 100);
        }
        assert!(file.len() < 200, "{}", file.len());
    }

    #[test]
    fn a_picture_that_stood_still_for_long_is_shown_for_as_long() {
        let (size, mut file) = (Size::new(2, 2), Vec::new());
        let mut writer = Y4mWriter::new(&mut file, 10);
        for (ms, luma) in [(0, 1), (20_000, 2)] {
            write(&mut writer, &picture(ms, size, luma), ms);
        }
        let mut reader = Y4mReader::new(&file[..]).unwrap();
        let seen = std::iter::from_fn(|| reader.read().unwrap()).map(|picture| picture.data()[0]);
        assert_eq!(seen.filter(|luma| *luma == 1).count(), 200);
    }
}
