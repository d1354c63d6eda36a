//! `NativeSink`.

use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{BufferSlice, Env, Function, Result};
use napi_derive::napi;
use runtime::audio::{Rate, Sink};

use crate::handle::invalid;
use crate::readers::{self, Reader};

/// PCM from a call to JavaScript, in frames of 20 ms.
#[napi]
#[derive(Debug)]
pub struct NativeSink {
    id: f64,
    reader: Option<Rc<Reader<Sink>>>,
}

#[napi]
impl NativeSink {
    /// `on_readable` is called when a frame came after `read` gave null.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        rate: u32,
        queue_ms: f64,
        on_readable: Function<'_, (), ()>,
    ) -> Result<NativeSink> {
        let rate = Rate::try_from(rate).map_err(invalid)?;
        let queue = Duration::from_secs_f64(queue_ms.clamp(20.0, 3_600_000.0) / 1000.0);
        let reader = readers::join(&env, on_readable, |group| Sink::new(rate, queue, group))?;
        Ok(NativeSink {
            id: reader.sink.id() as f64,
            reader: Some(reader),
        })
    }

    /// The number by which commands name it.
    #[napi(getter)]
    pub fn id(&self) -> f64 {
        self.id
    }

    /// Frames that were dropped because nobody read them in time.
    #[napi(getter)]
    pub fn dropped(&self) -> f64 {
        self.reader
            .as_ref()
            .map_or(0.0, |reader| reader.sink.dropped() as f64)
    }

    /// The oldest frame, or null if there is none.
    #[napi]
    pub fn read(&self, env: Env) -> Result<Option<BufferSlice<'_>>> {
        let frame = self.reader.as_ref().and_then(|reader| reader.sink.read());
        // Electron forbids buffers outside of V8's heap: the samples are copied.
        frame
            .map(|frame| BufferSlice::copy_from(&env, &frame))
            .transpose()
    }

    /// Whether everything was read, and nothing more comes.
    #[napi(getter)]
    pub fn ended(&self) -> bool {
        self.reader
            .as_ref()
            .is_none_or(|reader| reader.sink.ended())
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
