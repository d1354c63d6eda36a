//! Encoded frames on their way out of a session.

use std::fmt;
use std::sync::Arc;

use video::{EncodedFrame, Pushed, VideoCodec};

use super::decoder::{Decoding, Drain};
use super::sink::{SinkEnd, SinkFormat, VideoSink};
use super::wish::Wisher;
use super::{VideoOpenError, Wish, has_raw_video};

/// Where one session's frames go, whatever that is; dropping it lets go.
pub struct VideoWriter {
    end: WriterEnd,
    wisher: Arc<Wisher>,
}

enum WriterEnd {
    Sink(SinkEnd),
    Decoding(Decoding),
}

impl VideoWriter {
    /// Writes to what the application reads from the sink with this number.
    pub fn open(id: u64, wish: Wish) -> Result<VideoWriter, VideoOpenError> {
        VideoWriter::begin(wish, |wisher| {
            let (end, format) = VideoSink::end(id, wisher)?;
            match format {
                SinkFormat::Encoded => Ok(WriterEnd::Sink(end)),
                SinkFormat::Raw(_) => decoding(Drain::Sink(end), wisher),
            }
        })
    }

    /// Writes raw pictures into a file (YUV4MPEG2), created or overwritten, which is whole after each. Blocks.
    pub fn y4m(path: &str, wish: Wish) -> Result<VideoWriter, VideoOpenError> {
        VideoWriter::begin(wish, |wisher| match has_raw_video() {
            true => decoding(Drain::y4m(path)?, wisher),
            false => Err(VideoOpenError::NoCodec),
        })
    }

    /// Writes frames as they come into a file (IVF), created or overwritten, which is whole after each. Blocks.
    pub fn ivf(path: &str, wish: Wish) -> Result<VideoWriter, VideoOpenError> {
        VideoWriter::begin(wish, |wisher| decoding(Drain::ivf(path)?, wisher))
    }

    fn begin(
        wish: Wish,
        open: impl FnOnce(&Arc<Wisher>) -> Result<WriterEnd, VideoOpenError>,
    ) -> Result<VideoWriter, VideoOpenError> {
        let wisher = Arc::new(Wisher::new(wish));
        let end = open(&wisher)?;
        wisher.wish();
        Ok(VideoWriter { end, wisher })
    }

    /// The codecs that it makes something of: frames of another are not seen.
    pub fn codecs(&self) -> &'static [VideoCodec] {
        match &self.end {
            WriterEnd::Sink(_) => &VideoCodec::ALL,
            WriterEnd::Decoding(decoding) => decoding.codecs(),
        }
    }

    /// Whether frames were left out, since this was asked last, for they have more pixels than are decoded.
    pub fn has_left_out(&self) -> bool {
        match &self.end {
            WriterEnd::Sink(_) => false,
            WriterEnd::Decoding(decoding) => decoding.has_left_out(),
        }
    }

    /// Whether nobody can see anything of it any more.
    #[cfg(test)]
    pub(super) fn is_over(&self) -> bool {
        match &self.end {
            WriterEnd::Sink(sink) => sink.is_closed(),
            WriterEnd::Decoding(decoding) => decoding.is_over(),
        }
    }

    /// Gives a frame; says whether anybody may still see it.
    pub fn push(&mut self, frame: &EncodedFrame) -> bool {
        let (pushed, is_read) = match &self.end {
            WriterEnd::Sink(sink) => (sink.push(frame.clone()), !sink.is_closed()),
            WriterEnd::Decoding(decoding) => (decoding.push(frame.clone()), !decoding.is_over()),
        };
        if is_read && pushed == Pushed::Dropped {
            self.wisher.wish();
        }
        is_read
    }
}

fn decoding(drain: Drain, wisher: &Arc<Wisher>) -> Result<WriterEnd, VideoOpenError> {
    Decoding::start(drain, wisher).map(WriterEnd::Decoding)
}

impl fmt::Debug for VideoWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoWriter").finish_non_exhaustive()
    }
}
