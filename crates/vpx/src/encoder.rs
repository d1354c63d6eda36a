use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use video::{EncodedFrame, Picture, Size, VideoCodec};

use crate::error::{Error, check};
use crate::ffi;

/// How an encoder works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// In bit/s.
    pub bitrate: u32,
    /// How many threads share a picture; one is enough up to 1920 × 1080, and two cost a busy machine ten times as much.
    pub threads: u32,
    /// What is left out for speed, up to 16: at 8 a frame of 640 × 360 takes some 2.5 ms of a core.
    pub speed: u8,
    /// Text and still areas, rather than what a camera sees.
    pub screen: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bitrate: 600_000,
            threads: 1,
            speed: 8,
            screen: false,
        }
    }
}

/// A gap in the pictures says nothing about how fast they come.
const LONGEST_PICTURE: Duration = Duration::from_secs(1);
/// What a picture lasts whose time stamp is not after the last one's.
const ASSUMED_PICTURE: Duration = Duration::from_millis(33);

/// Encodes one stream of pictures of one size.
#[derive(Debug)]
pub struct Encoder {
    state: NonNull<ffi::RawEncoder>,
    size: Size,
    /// On libvpx's clock, which only goes forward, and on the source's.
    at: Duration,
    last: Option<Duration>,
}

// SAFETY: the state is a heap block that libvpx keeps no thread-local reference to; its own threads
// (from two on) live as long as it and touch it only within a call; every access goes through `&mut self`.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Creates an encoder for pictures of this size.
    pub fn new(size: Size, settings: &Settings) -> Result<Encoder, Error> {
        if !size.is_fair() {
            return Err(Error::Size(size));
        }
        let mut made = ptr::null_mut();
        // SAFETY: `made` outlives the call and is written if it succeeds; all else goes by value.
        let code = unsafe {
            ffi::oh_vpx_encoder_new(
                size.width.into(),
                size.height.into(),
                settings.bitrate,
                settings.threads.clamp(1, 16),
                -i32::from(settings.speed.min(16)),
                settings.screen.into(),
                &raw mut made,
            )
        };
        check(code)?;
        let state = NonNull::new(made).ok_or(Error::OutOfMemory)?;
        Ok(Encoder {
            state,
            size,
            at: Duration::ZERO,
            last: None,
        })
    }

    /// Returns the size of its pictures.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Changes the bitrate, in bit/s, from the next picture on.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), Error> {
        // SAFETY: `state` is live.
        check(unsafe { ffi::oh_vpx_encoder_set_rate(self.state.as_ptr(), bits_per_second) })
    }

    /// Encodes a picture, as a key frame if that is wanted; none comes if it is left out to keep the bitrate.
    pub fn encode(&mut self, picture: &Picture, key: bool) -> Result<Option<EncodedFrame>, Error> {
        if picture.size() != self.size {
            return Err(Error::OtherSize {
                expected: self.size,
                given: picture.size(),
            });
        }
        let lasts = self.advance(picture.timestamp());
        let (mut data, mut length, mut is_key) = (ptr::null(), 0, 0);
        // SAFETY: `state` is live; the picture has all octets of the size that the encoder was made for; the three
        // places to write to outlive the call.
        let code = unsafe {
            ffi::oh_vpx_encode(
                self.state.as_ptr(),
                picture.data().as_ptr(),
                self.at.as_micros() as i64,
                lasts.as_micros() as u64,
                key.into(),
                &raw mut data,
                &raw mut length,
                &raw mut is_key,
            )
        };
        check(code)?;
        if length == 0 || data.is_null() {
            return Ok(None);
        }
        // SAFETY: libvpx gave both; the octets stay until its next call, and are copied here.
        let octets: Arc<[u8]> = unsafe { slice::from_raw_parts(data, length) }.into();
        Ok(Some(EncodedFrame {
            codec: VideoCodec::Vp8,
            key: is_key != 0,
            timestamp: picture.timestamp(),
            size: (is_key != 0).then_some(self.size),
            data: octets,
        }))
    }

    /// Moves libvpx's clock on as the source's did, and says how long the picture lasts.
    fn advance(&mut self, timestamp: Duration) -> Duration {
        let since = self.last.map(|last| timestamp.saturating_sub(last));
        let lasts = match since {
            Some(since) if !since.is_zero() => since.min(LONGEST_PICTURE),
            Some(_) | None => ASSUMED_PICTURE,
        };
        if self.last.is_some() {
            self.at += lasts;
        }
        self.last = Some(timestamp);
        // libvpx's clock has whole microseconds, and each picture one of its own.
        lasts.max(Duration::from_micros(1))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: `state` came from `oh_vpx_encoder_new` and is freed once, here.
        unsafe { ffi::oh_vpx_encoder_free(self.state.as_ptr()) }
    }
}
