use std::ptr::{self, NonNull};

use video::{EncodedFrame, NotAFrame, Picture, Rotation, Size, VideoCodec};

use crate::error::{Error, check};
use crate::ffi;

/// Decodes one stream; what breaks is left out up to the next key frame.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    needs_key_frame: bool,
}

/// libvpx's part of it.
#[derive(Debug)]
struct State(NonNull<ffi::RawDecoder>);

// SAFETY: the state is a heap block that libvpx keeps no thread-local reference to; every access goes through
// `&mut self` of its owner.
unsafe impl Send for State {}

impl State {
    fn new() -> Result<State, Error> {
        let mut made = ptr::null_mut();
        // SAFETY: `made` outlives the call and is written if it succeeds.
        check(unsafe { ffi::oh_vpx_decoder_new(1, &raw mut made) })?;
        NonNull::new(made).map(State).ok_or(Error::OutOfMemory)
    }

    /// The size of the picture that the octets made, if they made one.
    fn decode(&mut self, octets: &[u8]) -> Result<Option<Size>, Error> {
        let (mut width, mut height) = (0, 0);
        let length = u32::try_from(octets.len()).map_err(|_| Error::Damaged)?;
        // SAFETY: the state is live; `length` is that of the slice, which is only read; both places to write to
        // outlive the call.
        let code = unsafe {
            ffi::oh_vpx_decode(
                self.0.as_ptr(),
                octets.as_ptr(),
                length,
                &raw mut width,
                &raw mut height,
            )
        };
        check(code)?;
        let side = |side| u16::try_from(side).map_err(|_| Error::Damaged);
        let size = Size::new(side(width)?, side(height)?);
        if size == Size::new(0, 0) {
            return Ok(None);
        }
        match size.is_fair() {
            true => Ok(Some(size)),
            false => Err(Error::Size(size)),
        }
    }

    /// The octets of the picture that was decoded last, which has this size.
    fn copy(&self, size: Size) -> Result<Box<[u8]>, Error> {
        let mut octets = vec![0; size.i420_octets()].into_boxed_slice();
        // SAFETY: the state is live; `length` is that of the slice, and nothing is written if the picture needs another.
        check(unsafe { ffi::oh_vpx_copy(self.0.as_ptr(), octets.as_mut_ptr(), octets.len()) })?;
        Ok(octets)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the state came from `oh_vpx_decoder_new` and is freed once, here.
        unsafe { ffi::oh_vpx_decoder_free(self.0.as_ptr()) }
    }
}

impl Decoder {
    /// Creates a decoder, which begins with a key frame.
    pub fn new() -> Result<Decoder, Error> {
        Ok(Decoder {
            state: State::new()?,
            needs_key_frame: true,
        })
    }

    /// Decodes the next frame; none comes of one that is not to be shown.
    pub fn decode(&mut self, frame: &EncodedFrame) -> Result<Option<Picture>, Error> {
        let is_key = self.admit(frame)?;
        let decoded = self.state.decode(&frame.data);
        let octets = decoded.and_then(|size| match size {
            Some(size) => Ok(Some((size, self.state.copy(size)?))),
            None => Ok(None),
        });
        match octets {
            Ok(octets) => {
                self.needs_key_frame &= !is_key;
                let picture = octets.map(|(size, octets)| {
                    Picture::new(size, frame.timestamp, Rotation::Upright, octets)
                });
                picture.transpose().map_err(|_| Error::Damaged)
            }
            Err(error) => {
                // What libvpx has kept of a damaged frame is of no use, whatever it is.
                self.needs_key_frame = true;
                self.state = State::new()?;
                Err(error)
            }
        }
    }

    /// Whether only a key frame will be decoded.
    pub fn needs_key_frame(&self) -> bool {
        self.needs_key_frame
    }

    /// Says whether it is a key frame, by its octets; nothing reaches libvpx that it would have to find out about.
    fn admit(&mut self, frame: &EncodedFrame) -> Result<bool, Error> {
        if frame.codec != VideoCodec::Vp8 {
            return Err(Error::OtherCodec(frame.codec));
        }
        let (is_key, size) = NotAFrame::check(VideoCodec::Vp8, &frame.data)?;
        match size {
            Some(size) if !size.is_fair() => {
                self.needs_key_frame = true;
                Err(Error::Size(size))
            }
            _ if self.needs_key_frame && !is_key => Err(Error::KeyFrameNeeded),
            _ => Ok(is_key),
        }
    }
}
