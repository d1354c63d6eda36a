//! From frames to payloads.

use ::video::{EncodedFrame, VideoCodec};

use super::parameter_sets::ParameterSets;
use super::payload::PayloadError;
use super::{h264, vp8};

/// The most octets of a payload: a packet of 1,200 with its headers and protection passes every tunnel.
pub const MOST_PAYLOAD: usize = 1_150;

/// No path carries less (RFC 791: 68 octets with the headers), and a part has to have room for what tells of it.
const LEAST: usize = 16;

/// Cuts the frames of a stream into payloads.
#[derive(Debug)]
pub struct Packetizer {
    /// VP8: the next picture's number.
    picture_id: u16,
    sets: ParameterSets,
    scratch: Vec<u8>,
}

impl Packetizer {
    /// A packetizer whose pictures are numbered from `picture_id` on, which should be random (RFC 7741 §4.2).
    pub fn new(picture_id: u16) -> Self {
        Self {
            picture_id,
            sets: ParameterSets::default(),
            scratch: Vec::with_capacity(MOST_PAYLOAD),
        }
    }

    /// Gives `put` the payloads of a frame, of at most `most` octets, in order and the last one marked.
    ///
    /// An H.264 key frame without its parameter sets gets the last ones.
    ///
    /// # Errors
    /// When the frame is none of its codec. Then nothing was put.
    pub fn packetize(
        &mut self,
        frame: &EncodedFrame,
        most: usize,
        put: &mut dyn FnMut(&[u8], bool),
    ) -> Result<(), PayloadError> {
        let most = most.max(LEAST);
        if frame.data.is_empty() {
            return Err(PayloadError::NotAFrame);
        }
        match frame.codec {
            VideoCodec::Vp8 => {
                let number = self.picture_id & 0x7fff;
                self.picture_id = self.picture_id.wrapping_add(1);
                vp8::split(&frame.data, number, most, &mut self.scratch, put);
                Ok(())
            }
            VideoCodec::H264 => {
                h264::split(&frame.data, &mut self.sets, most, &mut self.scratch, put)
            }
        }
    }
}
