//! Encoded frames on their way out of a session.

use std::fmt;
use std::sync::Arc;

use video::{EncodedFrame, Pushed};

use super::flow::Flow;
use super::sink::{SinkEnd, VideoSink};
use super::wish::Wisher;
use super::{VideoOpenError, Wish};

/// Where one session's frames go, whatever that is; dropping it lets go.
pub struct VideoWriter {
    end: WriterEnd,
    wisher: Arc<Wisher>,
}

enum WriterEnd {
    Flow(Arc<Flow>),
    Sink(SinkEnd),
}

impl VideoWriter {
    pub(super) fn to_flow(flow: Arc<Flow>, wisher: Arc<Wisher>) -> VideoWriter {
        let end = WriterEnd::Flow(flow);
        VideoWriter { end, wisher }
    }

    /// Writes to what the application reads from the sink with this number.
    pub fn open(id: u64, wish: Wish) -> Result<VideoWriter, VideoOpenError> {
        let wisher = Arc::new(Wisher::new(wish));
        let end = WriterEnd::Sink(VideoSink::end(id, &wisher)?);
        wisher.wish();
        Ok(VideoWriter { end, wisher })
    }

    /// Gives a frame; says whether anybody may still see it.
    pub fn push(&mut self, frame: &EncodedFrame) -> bool {
        let (pushed, is_read) = match &self.end {
            WriterEnd::Flow(flow) => (flow.push(frame.clone()), !flow.is_left()),
            WriterEnd::Sink(sink) => (sink.push(frame.clone()), !sink.is_closed()),
        };
        if is_read && pushed == Pushed::Dropped {
            self.wisher.wish();
        }
        is_read
    }
}

impl fmt::Debug for VideoWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoWriter").finish_non_exhaustive()
    }
}
