//! A picture as a codec wrote it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Size, h264, vp8};

/// The codecs that browsers must have (RFC 7742 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VideoCodec {
    /// RFC 6386.
    Vp8,
    /// Annex B: each NAL unit after a start code, parameter sets in the stream.
    H264,
}

impl VideoCodec {
    /// Every codec, the one that is made natively first.
    pub const ALL: [VideoCodec; 2] = [VideoCodec::Vp8, VideoCodec::H264];

    /// Returns its name in the API and in files: `vp8`, `h264`.
    pub const fn name(self) -> &'static str {
        match self {
            VideoCodec::Vp8 => "vp8",
            VideoCodec::H264 => "h264",
        }
    }

    /// Finds a codec by its name in the API.
    pub fn named(name: &str) -> Option<VideoCodec> {
        VideoCodec::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
    }
}

/// One whole encoded picture; a clone shares its octets.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// What wrote it.
    pub codec: VideoCodec,
    /// Whether a decoder can begin here.
    pub key: bool,
    /// When it was taken, on its source's clock.
    pub timestamp: Duration,
    /// How large it is, if its octets say so, as key frames' do.
    pub size: Option<Size>,
    /// VP8: a frame with its tag. H.264: an access unit as Annex B.
    pub data: Arc<[u8]>,
}

/// Why octets are no frame of a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAFrame {
    /// There are no octets.
    #[error("the frame is empty")]
    Empty,
    /// There are more octets than any frame needs.
    #[error("the frame has {0} bytes; at most {most} are taken", most = EncodedFrame::MOST_OCTETS)]
    TooLarge(usize),
    /// A VP8 key frame without its start code, or one that ends before it (RFC 6386 §9.1).
    #[error("the frame is not VP8")]
    NotVp8,
    /// No start code at its beginning.
    #[error("the frame is not H.264 with start codes (Annex B)")]
    NotH264,
}

impl NotAFrame {
    /// Says whether octets are a key frame, and their size if they say it.
    pub fn check(codec: VideoCodec, data: &[u8]) -> Result<(bool, Option<Size>), NotAFrame> {
        if data.is_empty() {
            return Err(NotAFrame::Empty);
        }
        if data.len() > EncodedFrame::MOST_OCTETS {
            return Err(NotAFrame::TooLarge(data.len()));
        }
        match codec {
            VideoCodec::Vp8 => vp8::look(data).ok_or(NotAFrame::NotVp8),
            VideoCodec::H264 => h264::look(data).ok_or(NotAFrame::NotH264),
        }
    }
}

impl EncodedFrame {
    /// 4 MB: a key frame of 3840 × 2160 at the best quality has less.
    pub const MOST_OCTETS: usize = 4_000_000;

    /// Looks into the octets for what kind of frame it is.
    pub fn read(
        codec: VideoCodec,
        timestamp: Duration,
        data: Arc<[u8]>,
    ) -> Result<EncodedFrame, NotAFrame> {
        let (key, size) = NotAFrame::check(codec, &data)?;
        Ok(EncodedFrame {
            codec,
            key,
            timestamp,
            size,
            data,
        })
    }
}

impl fmt::Debug for EncodedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedFrame")
            .field("codec", &self.codec)
            .field("key", &self.key)
            .field("timestamp", &self.timestamp)
            .field("size", &self.size)
            .field("octets", &self.data.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(codec: VideoCodec, data: &[u8]) -> Result<EncodedFrame, NotAFrame> {
        EncodedFrame::read(codec, Duration::ZERO, data.into())
    }

    #[test]
    fn the_octets_say_what_a_frame_is() {
        let key = read(
            VideoCodec::Vp8,
            &[0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1],
        );
        let key = key.unwrap();
        assert_eq!((key.key, key.size), (true, Some(Size::new(640, 360))));
        let delta = read(VideoCodec::Vp8, &[0x11, 0, 0]).unwrap();
        assert_eq!((delta.key, delta.size), (false, None));
    }

    #[test]
    fn what_is_no_frame_is_refused_by_name() {
        assert_eq!(read(VideoCodec::Vp8, &[]), Err(NotAFrame::Empty));
        assert_eq!(
            read(VideoCodec::Vp8, &[0x10, 0, 0, 1, 2, 3, 0, 0, 0, 0]),
            Err(NotAFrame::NotVp8)
        );
        assert_eq!(
            read(VideoCodec::H264, &[0x65, 1, 2, 3]),
            Err(NotAFrame::NotH264)
        );
        let large = vec![1; EncodedFrame::MOST_OCTETS + 1];
        assert_eq!(
            read(VideoCodec::Vp8, &large),
            Err(NotAFrame::TooLarge(large.len()))
        );
    }

    #[test]
    fn codecs_are_found_by_their_names() {
        for codec in VideoCodec::ALL {
            assert_eq!(VideoCodec::named(codec.name()), Some(codec));
        }
        assert_eq!(VideoCodec::named("VP8"), None);
    }
}
