//! `NativeSink`, and the one wake-up a tick that all sinks of a JavaScript thread share.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{BufferSlice, Env, Function, FunctionRef, Result, Status};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use napi_derive::napi;
use runtime::audio::{Rate, Sink, SinkGroup};

use crate::handle::invalid;

/// Weak: a sink alone doesn't keep Node alive. At most one call waits.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

thread_local! {
    static READERS: RefCell<Readers> = const { RefCell::new(Readers { group: None, sinks: Vec::new() }) };
}

/// The sinks of one JavaScript thread; the group lives as long as one of them.
struct Readers {
    group: Option<Arc<SinkGroup>>,
    sinks: Vec<Weak<Reader>>,
}

struct Reader {
    sink: Sink,
    on_readable: FunctionRef<(), ()>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sink.fmt(f)
    }
}

/// PCM from a call to JavaScript, in frames of 20 ms.
#[napi]
#[derive(Debug)]
pub struct NativeSink {
    id: f64,
    reader: Option<Rc<Reader>>,
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
        let reader = Rc::new(Reader {
            sink: Sink::new(rate, queue, group(&env)?),
            on_readable: on_readable.create_ref()?,
        });
        READERS.with_borrow_mut(|readers| readers.sinks.push(Rc::downgrade(&reader)));
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

    /// The oldest frame, or null where there is none.
    #[napi]
    pub fn read(&self, env: Env) -> Result<Option<BufferSlice<'_>>> {
        let frame = self.reader.as_ref().and_then(|reader| reader.sink.read());
        // Electron forbids buffers outside of V8's heap: the samples are copied.
        frame
            .map(|frame| BufferSlice::copy_from(&env, &frame))
            .transpose()
    }

    /// Lets go.
    #[napi]
    pub fn close(&mut self) {
        self.reader = None;
        READERS.with_borrow_mut(Readers::forget_closed);
    }
}

impl Readers {
    fn forget_closed(&mut self) {
        self.sinks.retain(|sink| sink.strong_count() > 0);
        if self.sinks.is_empty() {
            self.group = None;
        }
    }
}

fn group(env: &Env) -> Result<Arc<SinkGroup>> {
    if let Some(group) = READERS.with_borrow(|readers| readers.group.clone()) {
        return Ok(group);
    }
    let nothing: Function<'_, (), ()> =
        env.create_function_from_closure("wakeSinks", |_| Ok(()))?;
    let wake: Wake = nothing
        .build_threadsafe_function::<()>()
        .weak::<true>()
        .build_callback(|context: ThreadsafeCallContext<()>| read_all(&context.env))?;
    let group = SinkGroup::new(move || {
        let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    });
    READERS.with_borrow_mut(|readers| readers.group = Some(Arc::clone(&group)));
    Ok(group)
}

/// Calls each sink's reader that waits; one that throws doesn't keep the others from theirs.
fn read_all(env: &Env) -> Result<()> {
    let sinks: Vec<_> = READERS.with_borrow(|readers| {
        if let Some(group) = &readers.group {
            group.woken();
        }
        readers.sinks.iter().filter_map(Weak::upgrade).collect()
    });
    let mut outcome = Ok(());
    for reader in sinks {
        if reader.sink.readable() {
            let called = reader.on_readable.borrow_back(env).and_then(|f| f.call(()));
            outcome = outcome.and(called);
        }
    }
    outcome
}
