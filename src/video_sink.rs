//! `NativeVideoSink`.

use std::fmt;
use std::rc::Rc;

use napi::bindgen_prelude::{BufferSlice, Env, Function, Result};
use napi_derive::napi;
use runtime::video::{SinkFrame, VideoSink};

use crate::readers::{self, Reader};
use crate::video_source::format;

/// Pictures from a call to JavaScript: encoded frames, or raw ones.
#[napi]
#[derive(Debug)]
pub struct NativeVideoSink {
    id: f64,
    reader: Option<Rc<Reader<VideoSink>>>,
}

#[napi]
impl NativeVideoSink {
    /// At most `queue` frames wait; `on_readable` is called when one came after `read` gave null. `raw` is `I420` or
    /// `RGBA`; without it frames are encoded.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        queue: u32,
        on_readable: Function<'_, (), ()>,
        raw: Option<String>,
    ) -> Result<NativeVideoSink> {
        let raw = raw.as_deref().map(format).transpose()?;
        let queue = queue.clamp(1, 1_000) as usize;
        let make = |group| match raw {
            Some(format) => VideoSink::raw(format, queue, group),
            None => VideoSink::new(queue, group),
        };
        let reader = readers::join(&env, on_readable, make)?;
        Ok(NativeVideoSink {
            id: reader.sink.id() as f64,
            reader: Some(reader),
        })
    }

    /// The number by which commands name it.
    #[napi(getter)]
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Frames that were dropped because nobody read them in time, and those that needed them.
    #[napi(getter)]
    pub fn dropped(&self) -> f64 {
        self.reader
            .as_ref()
            .map_or(0.0, |reader| reader.sink.dropped() as f64)
    }

    /// The oldest frame, or null if there is none.
    #[napi]
    pub fn read(&self, env: Env) -> Result<Option<NativeVideoFrame<'_>>> {
        let frame = self.reader.as_ref().and_then(|reader| reader.sink.read());
        frame.map(|frame| written(&env, frame)).transpose()
    }

    /// Asks the far end for a key frame, at most twice a second.
    #[napi]
    pub fn request_key_frame(&self) {
        if let Some(reader) = &self.reader {
            reader.sink.request_key_frame();
        }
    }

    /// Whether a session has it now.
    #[napi(getter)]
    pub fn engaged(&self) -> bool {
        self.reader
            .as_ref()
            .is_some_and(|reader| reader.sink.is_fed())
    }

    /// Whether one has had it since `expect`.
    #[napi(getter)]
    pub fn was_engaged(&self) -> bool {
        self.reader
            .as_ref()
            .is_none_or(|reader| reader.sink.was_fed())
    }

    /// It is named to a session that shall have it.
    #[napi]
    pub fn expect(&self) {
        if let Some(reader) = &self.reader {
            reader.sink.expect_writer();
        }
    }

    /// Lets go.
    #[napi]
    pub fn close(&mut self) {
        self.reader = None;
        readers::forget_closed();
    }
}

/// A frame; width and height are 0 if its octets don't say them.
#[napi(object, object_from_js = false)]
pub struct NativeVideoFrame<'a> {
    /// Of an encoded one.
    pub codec: Option<String>,
    pub key: Option<bool>,
    /// Of a raw one: `I420` or `RGBA`, and degrees clockwise.
    pub format: Option<String>,
    pub rotation: Option<u32>,
    /// In microseconds.
    pub timestamp: f64,
    pub width: u32,
    pub height: u32,
    pub data: BufferSlice<'a>,
}

impl fmt::Debug for NativeVideoFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeVideoFrame")
            .field("codec", &self.codec)
            .field("octets", &self.data.len())
            .finish_non_exhaustive()
    }
}

fn written<'a>(env: &Env, frame: SinkFrame) -> Result<NativeVideoFrame<'a>> {
    match frame {
        SinkFrame::Encoded(frame) => {
            let (width, height) = frame.size.map_or((0, 0), |size| (size.width, size.height));
            Ok(NativeVideoFrame {
                codec: Some(frame.codec.name().to_owned()),
                key: Some(frame.key),
                format: None,
                rotation: None,
                timestamp: frame.timestamp.as_micros() as f64,
                width: width.into(),
                height: height.into(),
                // Electron forbids buffers outside of V8's heap: the octets are copied.
                data: BufferSlice::copy_from(env, &frame.data)?,
            })
        }
        SinkFrame::Raw(frame) => Ok(NativeVideoFrame {
            codec: None,
            key: None,
            format: Some(frame.format.name().to_owned()),
            rotation: Some(frame.rotation.degrees().into()),
            timestamp: frame.timestamp.as_micros() as f64,
            width: frame.size.width.into(),
            height: frame.size.height.into(),
            data: BufferSlice::copy_from(env, &frame.data)?,
        }),
    }
}
