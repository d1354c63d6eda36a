//! VP8 for raw pictures, or that this build has none.

#[cfg(feature = "vpx")]
pub(super) use vpx::{Decoder, Encoder, Settings, give_way};

/// Whether raw pictures can be sent and received: without the feature `vpx` only encoded ones are.
pub fn has_raw_video() -> bool {
    cfg!(feature = "vpx")
}

#[cfg(not(feature = "vpx"))]
pub(super) use none::{Decoder, Encoder, Settings, give_way};

/// What a build without libvpx has in its place; nothing of it is ever made.
#[cfg(not(feature = "vpx"))]
mod none {
    use video::{EncodedFrame, Picture, Size};

    #[derive(Debug)]
    pub(in super::super) struct Error;

    #[derive(Debug)]
    #[expect(dead_code, reason = "nobody reads how nothing is encoded")]
    pub(in super::super) struct Settings {
        pub(in super::super) bitrate: u32,
        pub(in super::super) threads: u32,
        pub(in super::super) speed: u8,
        pub(in super::super) screen: bool,
    }

    /// What remains is files, which take no time.
    pub(in super::super) fn give_way() {}

    #[derive(Debug)]
    pub(in super::super) enum Encoder {}

    #[derive(Debug)]
    pub(in super::super) enum Decoder {}

    impl Encoder {
        pub(in super::super) fn new(_: Size, _: &Settings) -> Result<Encoder, Error> {
            Err(Error)
        }

        pub(in super::super) fn size(&self) -> Size {
            match *self {}
        }

        pub(in super::super) fn set_bitrate(&mut self, _: u32) -> Result<(), Error> {
            match *self {}
        }

        pub(in super::super) fn encode(
            &mut self,
            _: &Picture,
            _: bool,
        ) -> Result<Option<EncodedFrame>, Error> {
            match *self {}
        }
    }

    impl Decoder {
        pub(in super::super) fn new() -> Result<Decoder, Error> {
            Err(Error)
        }

        pub(in super::super) fn decode(
            &mut self,
            _: &EncodedFrame,
        ) -> Result<Option<Picture>, Error> {
            match *self {}
        }
    }
}
