//! A WAV file as an output: a recording of what the far end says, at the rate of its first sound.

use std::time::Instant;

use audio::{Frame, Rate};
use recorder::{Format, Legs, Settings};

use super::OpenError;
use super::recording::{Recording, RecordingNews, RecordingPlace, Tap};

/// A WAV file being written; finished when it is dropped.
#[derive(Debug)]
pub(crate) struct WavFile {
    _recording: Recording,
    tap: Tap,
}

/// Tells the session that its file can't be written, or is not what it should be, from the thread
/// that writes.
pub(crate) type FileTrouble = Box<dyn Fn(String) -> bool + Send>;

impl WavFile {
    /// Creates or overwrites a file; 16-bit mono at the rate of the first frame. Blocks.
    pub(crate) fn create(path: &str, trouble: FileTrouble) -> Result<WavFile, OpenError> {
        let place = RecordingPlace::create(path)?;
        let settings = Settings {
            format: Format::Wav,
            legs: Legs::Remote,
            rate: None,
            patched: true,
        };
        let recording = Recording::new(settings, false).map_err(|error| OpenError::File {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        let named = path.to_owned();
        let tell = move |news| match news {
            RecordingNews::Failed(why) => {
                trouble(why);
            }
            RecordingNews::Ended(end) if !end.lost.is_zero() => {
                let lost = end.lost.as_millis();
                trouble(format!("{named}: it lacks {lost} ms: the disk is too slow"));
            }
            RecordingNews::Lost(_) | RecordingNews::InTime | RecordingNews::Ended(_) => {}
        };
        recording.opening().begin(place, Box::new(tell));
        let tap = recording.tap();
        Ok(WavFile {
            _recording: recording,
            tap,
        })
    }

    /// Adds 10 ms.
    pub(crate) fn write(&mut self, frame: &Frame) {
        let nobody = Frame::silence(Rate::Hz8000);
        self.tap.write(Instant::now(), &nobody, frame);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::audio::WavPlayer;
    use crate::audio::recording::settle;

    #[test]
    fn what_is_written_can_be_played_again() {
        let path = std::env::temp_dir().join(format!("offhook-wav-{}.wav", std::process::id()));
        let path = path.to_str().unwrap();
        let mut file = WavFile::create(path, Box::new(|why| panic!("{why}"))).unwrap();
        file.write(&Frame::new(Rate::Hz16000, &[100; 160]).unwrap());
        file.write(&Frame::new(Rate::Hz16000, &[-200; 160]).unwrap());
        drop(file);
        settle();
        let mut player = WavPlayer::open(path, true).unwrap();
        let frames = [100, -200, 100].map(|value| Frame::new(Rate::Hz16000, &[value; 160]));
        for frame in frames {
            assert_eq!(Some(player.read(Rate::Hz16000)), frame, "and it repeats");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_path_that_can_not_be_used_is_an_error_with_the_reason() {
        let error = WavFile::create("/nonexistent/x.wav", Box::new(|_| true)).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.wav"));
        let error = WavPlayer::open("/nonexistent/x.wav", false).unwrap_err();
        assert!(matches!(error, OpenError::File { .. }));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_is_told_with_the_path() {
        let (tell, told) = mpsc::channel();
        let trouble = Box::new(move |why: String| tell.send(why).is_ok());
        let mut file = WavFile::create("/dev/full", trouble).unwrap();
        for _ in 0..100 {
            file.write(&Frame::silence(Rate::Hz48000));
        }
        drop(file);
        settle();
        let why = told.recv().unwrap();
        assert!(why.starts_with("/dev/full: it can't be "), "{why}");
    }
}
