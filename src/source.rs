//! `NativeSource`.

use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function, Result, Status, Uint8Array};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use runtime::audio::{MarkId, Rate, Source, SourceEvent};

use crate::handle::{failed, invalid};

type Arguments = FnArgs<(&'static str, u32)>;
/// Weak: a source alone doesn't keep Node alive. Unbounded: one event for each mark and each drain.
type Callback = ThreadsafeFunction<SourceEvent, (), Arguments, Status, false, true>;

/// PCM from JavaScript to a call.
#[napi]
#[derive(Debug)]
pub struct NativeSource {
    id: f64,
    source: Option<Source>,
}

#[napi]
impl NativeSource {
    /// `on_event` is told when no more than `low_water_ms` waits, and how marks ended.
    #[napi(constructor)]
    pub fn new(
        rate: u32,
        low_water_ms: f64,
        on_event: Function<'_, Arguments, ()>,
    ) -> Result<NativeSource> {
        let rate = Rate::try_from(rate).map_err(invalid)?;
        let callback: Callback = on_event
            .build_threadsafe_function::<SourceEvent>()
            .weak::<true>()
            .build_callback(|context: ThreadsafeCallContext<SourceEvent>| {
                Ok(arguments(context.value))
            })?;
        let low_water = Duration::from_secs_f64(low_water_ms.clamp(0.0, 3_600_000.0) / 1000.0);
        let source = Source::new(rate, low_water, move |event| {
            let _ = callback.call(event, ThreadsafeFunctionCallMode::NonBlocking);
        });
        Ok(NativeSource {
            id: source.id() as f64,
            source: Some(source),
        })
    }

    /// The number by which commands name it.
    #[napi(getter)]
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Copies little-endian Int16 samples; returns the milliseconds that wait to be played.
    #[napi]
    pub fn write(&mut self, pcm: Uint8Array) -> Result<f64> {
        let waiting = self.source()?.write(&pcm);
        Ok(milliseconds(waiting))
    }

    /// Drops what waits; returns the marks of which nothing more will be told.
    #[napi]
    pub fn clear(&mut self) -> Result<Vec<u32>> {
        let dropped = self.source()?.clear();
        Ok(dropped.marks.into_iter().map(|MarkId(mark)| mark).collect())
    }

    /// Marks the end of what was written so far; returns its outcome where there is nothing to wait for.
    #[napi]
    pub fn mark(&mut self, mark: u32) -> Result<Option<&'static str>> {
        let outcome = self.source()?.mark(MarkId(mark));
        Ok(outcome.map(|outcome| name(&outcome)))
    }

    /// Says that nothing more is written; what waits is still played.
    #[napi]
    pub fn end(&self) {}

    /// Drops everything and lets go.
    #[napi]
    pub fn close(&mut self) {
        self.source = None;
    }

    fn source(&mut self) -> Result<&mut Source> {
        self.source
            .as_mut()
            .ok_or_else(|| failed("the AudioSource is closed"))
    }
}

fn arguments(event: SourceEvent) -> Arguments {
    let mark = match event {
        SourceEvent::Drain => 0,
        SourceEvent::Played(MarkId(mark)) | SourceEvent::Cleared(MarkId(mark)) => mark,
    };
    FnArgs::from((name(&event), mark))
}

fn name(event: &SourceEvent) -> &'static str {
    match event {
        SourceEvent::Drain => "drain",
        SourceEvent::Played(_) => "played",
        SourceEvent::Cleared(_) => "cleared",
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
