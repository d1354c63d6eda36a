//! `NativeVideoSource`.

use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function, Result, Status, Uint8Array};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use runtime::video::{RawFormat, Rotation, Size, VideoCodec, VideoSource, VideoSourceEvent};

use crate::handle::{failed, invalid};

type Arguments = FnArgs<(&'static str, f64, &'static str)>;
/// Weak: a source alone doesn't keep Node alive. Unbounded: a few events a second.
type Callback = ThreadsafeFunction<VideoSourceEvent, (), Arguments, Status, false, true>;

/// Pictures from JavaScript to a call: encoded frames, or raw ones.
#[napi]
#[derive(Debug)]
pub struct NativeVideoSource {
    id: f64,
    source: Option<VideoSource>,
}

#[napi]
impl NativeVideoSource {
    /// `on_event` is told `keyFrame`, `bitrate` with bit/s, `active` with the codec that the far end takes, `inactive`;
    /// `raw` makes it a source of raw pictures, which have no codecs.
    #[napi(constructor)]
    pub fn new(
        codecs: Vec<String>,
        on_event: Function<'_, Arguments, ()>,
        raw: Option<bool>,
    ) -> Result<NativeVideoSource> {
        let codecs = codecs.iter().map(|name| codec(name));
        let codecs = codecs.collect::<Result<Vec<_>>>()?;
        let callback: Callback = on_event
            .build_threadsafe_function::<VideoSourceEvent>()
            .weak::<true>()
            .build_callback(|context: ThreadsafeCallContext<VideoSourceEvent>| {
                Ok(arguments(context.value))
            })?;
        let tell = move |event| {
            let _ = callback.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        };
        let source = match raw {
            Some(true) => VideoSource::raw(tell),
            Some(false) | None => VideoSource::new(codecs, tell),
        };
        Ok(NativeVideoSource {
            id: source.id() as f64,
            source: Some(source),
        })
    }

    /// The number by which commands name it.
    #[napi(getter)]
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Copies a frame that was taken at `timestamp` microseconds; says whether it will be sent.
    #[napi]
    pub fn write(&self, name: String, timestamp: f64, octets: Uint8Array) -> Result<bool> {
        let timestamp = Duration::from_micros(timestamp as u64);
        let written = self.source()?.write(codec(&name)?, timestamp, &octets);
        written.map_err(invalid)
    }

    /// Copies a raw picture; says whether it will be encoded without another being dropped for it.
    #[napi]
    pub fn write_raw(&self, picture: NativeRawPicture, octets: Uint8Array) -> Result<bool> {
        let written = self.source()?.write_raw(
            format(&picture.format)?,
            Size::new(side(picture.width)?, side(picture.height)?),
            rotation(picture.rotation)?,
            Duration::from_micros(picture.timestamp as u64),
            &octets,
        );
        written.map_err(invalid)
    }

    /// Whether a session has it now.
    #[napi(getter)]
    pub fn engaged(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.is_shown())
    }

    /// Whether one has had it since `expect`.
    #[napi(getter)]
    pub fn was_engaged(&self) -> bool {
        self.source.as_ref().is_none_or(|source| source.was_shown())
    }

    /// It is named to a session that shall have it.
    #[napi]
    pub fn expect(&self) {
        if let Some(source) = &self.source {
            source.expect_reader();
        }
    }

    /// Lets go.
    #[napi]
    pub fn close(&mut self) {
        self.source = None;
    }

    fn source(&self) -> Result<&VideoSource> {
        let source = self.source.as_ref();
        source.ok_or_else(|| failed("the VideoSource is closed"))
    }
}

/// What a raw picture's octets are: `I420` or `RGBA`, degrees clockwise, microseconds.
#[napi(object)]
#[derive(Debug)]
pub struct NativeRawPicture {
    pub format: String,
    pub width: f64,
    pub height: f64,
    pub rotation: f64,
    pub timestamp: f64,
}

/// Whether raw pictures can be sent and taken: this build may have no codec for them.
#[napi]
pub fn has_raw_video() -> bool {
    runtime::video::has_raw_video()
}

pub(crate) fn format(name: &str) -> Result<RawFormat> {
    RawFormat::named(name).ok_or_else(|| invalid(format!("there is no format {name:?}")))
}

fn side(pixels: f64) -> Result<u16> {
    let side = pixels as u16;
    match f64::from(side) == pixels {
        true => Ok(side),
        false => Err(invalid(format!("a side of {pixels} pixels is not taken"))),
    }
}

fn rotation(degrees: f64) -> Result<Rotation> {
    let rotation = Rotation::of_degrees(degrees as u16);
    let exact = rotation.filter(|rotation| f64::from(rotation.degrees()) == degrees);
    exact.ok_or_else(|| {
        invalid(format!(
            "a rotation of {degrees} is none of 0, 90, 180, 270"
        ))
    })
}

fn codec(name: &str) -> Result<VideoCodec> {
    VideoCodec::named(name).ok_or_else(|| invalid(format!("there is no codec {name:?}")))
}

fn arguments(event: VideoSourceEvent) -> Arguments {
    FnArgs::from(match event {
        VideoSourceEvent::KeyFrameWanted => ("keyFrame", 0.0, ""),
        VideoSourceEvent::Bitrate(bits_per_second) => ("bitrate", bits_per_second as f64, ""),
        VideoSourceEvent::Active(Some(codec)) => ("active", 0.0, codec.name()),
        VideoSourceEvent::Active(None) => ("inactive", 0.0, ""),
    })
}
