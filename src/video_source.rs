//! `NativeVideoSource`.

use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function, Result, Status, Uint8Array};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use runtime::video::{VideoCodec, VideoSource, VideoSourceEvent};

use crate::handle::{failed, invalid};

type Arguments = FnArgs<(&'static str, f64, &'static str)>;
/// Weak: a source alone doesn't keep Node alive. Unbounded: a few events a second.
type Callback = ThreadsafeFunction<VideoSourceEvent, (), Arguments, Status, false, true>;

/// Encoded pictures from JavaScript to a call.
#[napi]
#[derive(Debug)]
pub struct NativeVideoSource {
    id: f64,
    source: Option<VideoSource>,
}

#[napi]
impl NativeVideoSource {
    /// `on_event` is told `keyFrame`, `bitrate` with bit/s, `active` with the codec that the far end takes, `inactive`.
    #[napi(constructor)]
    pub fn new(
        codecs: Vec<String>,
        on_event: Function<'_, Arguments, ()>,
    ) -> Result<NativeVideoSource> {
        let codecs = codecs.iter().map(|name| codec(name));
        let codecs = codecs.collect::<Result<Vec<_>>>()?;
        let callback: Callback = on_event
            .build_threadsafe_function::<VideoSourceEvent>()
            .weak::<true>()
            .build_callback(|context: ThreadsafeCallContext<VideoSourceEvent>| {
                Ok(arguments(context.value))
            })?;
        let source = VideoSource::new(codecs, move |event| {
            let _ = callback.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        });
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
        let source = self.source.as_ref();
        let source = source.ok_or_else(|| failed("the VideoSource is closed"))?;
        let timestamp = Duration::from_micros(timestamp as u64);
        source
            .write(codec(&name)?, timestamp, &octets)
            .map_err(invalid)
    }

    /// Lets go.
    #[napi]
    pub fn close(&mut self) {
        self.source = None;
    }
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
