//! `NativeSource`.

use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function, Result, Status, Uint8Array};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use runtime::audio::{Mark, MarkId, Outcome, Rate, Source, SourceEvent};

use crate::handle::{failed, invalid};

type Arguments = FnArgs<(&'static str, u32, f64)>;
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
    /// `on_event` is told when no more than `low_water_ms` waits, and how and at what position marks ended.
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

    /// The milliseconds that wait to be played.
    #[napi]
    pub fn queued(&mut self) -> Result<f64> {
        Ok(milliseconds(self.source()?.queued()))
    }

    /// How far it was played.
    #[napi]
    pub fn position(&mut self) -> Result<NativePosition> {
        let position = self.source()?.position();
        Ok(NativePosition {
            sent: position.sent as f64,
            heard: position.heard.map(|samples| samples as f64),
            delay: position.delay.map(milliseconds),
        })
    }

    /// Plays nothing until `resume`.
    #[napi]
    pub fn pause(&mut self) -> Result<()> {
        self.source()?.pause();
        Ok(())
    }

    /// Plays on.
    #[napi]
    pub fn resume(&mut self) -> Result<()> {
        self.source()?.resume();
        Ok(())
    }

    /// Drops what waits; nothing more will be told of the marks in it.
    #[napi]
    pub fn clear(&mut self) -> Result<NativeCleared> {
        let dropped = self.source()?.clear();
        Ok(NativeCleared {
            played: milliseconds(dropped.played),
            dropped: milliseconds(dropped.sound),
            marks: dropped.marks.into_iter().map(ended).collect(),
        })
    }

    /// Marks the end of what was written so far; returns how that ended if there is nothing to wait for.
    #[napi]
    pub fn mark(&mut self, mark: u32) -> Result<Option<NativeMark>> {
        Ok(self.source()?.mark(MarkId(mark)).map(ended))
    }

    /// Says that nothing more is written; what waits is still played.
    #[napi]
    pub fn end(&self) {}

    /// Whether a session has it now.
    #[napi(getter)]
    pub fn engaged(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.is_held())
    }

    /// Whether one has had it since `expect`.
    #[napi(getter)]
    pub fn was_engaged(&self) -> bool {
        self.source.as_ref().is_none_or(|source| source.was_held())
    }

    /// It is named to a session that shall have it.
    #[napi]
    pub fn expect(&self) {
        if let Some(source) = &self.source {
            source.expect_reader();
        }
    }

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

/// How far a source was played: samples of its own, milliseconds until they are heard.
#[napi(object)]
#[derive(Debug)]
pub struct NativePosition {
    pub sent: f64,
    pub heard: Option<f64>,
    pub delay: Option<f64>,
}

/// What `clear` did, in milliseconds.
#[napi(object)]
#[derive(Debug)]
pub struct NativeCleared {
    pub played: f64,
    pub dropped: f64,
    pub marks: Vec<NativeMark>,
}

/// How a mark ended, and how many samples had been played by then.
#[napi(object)]
#[derive(Debug)]
pub struct NativeMark {
    pub mark: u32,
    pub outcome: String,
    pub position: f64,
}

fn ended(mark: Mark) -> NativeMark {
    let MarkId(id) = mark.id;
    NativeMark {
        mark: id,
        outcome: name(mark.outcome).to_owned(),
        position: mark.position as f64,
    }
}

fn arguments(event: SourceEvent) -> Arguments {
    FnArgs::from(match event {
        SourceEvent::Drain => ("drain", 0, 0.0),
        SourceEvent::Mark(mark) => {
            let MarkId(id) = mark.id;
            (name(mark.outcome), id, mark.position as f64)
        }
    })
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Played => "played",
        Outcome::Cleared => "cleared",
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
