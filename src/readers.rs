//! What JavaScript reads from sinks of sound and of pictures: all of a thread share one wake-up.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::bindgen_prelude::{Env, Function, FunctionRef, Result, Status};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use runtime::audio::{Sink, SinkGroup};
use runtime::video::VideoSink;

/// Weak: a sink alone doesn't keep Node alive. At most one call waits.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

thread_local! {
    static READERS: RefCell<Readers> = const { RefCell::new(Readers { group: None, sinks: Vec::new() }) };
}

/// The sinks of one JavaScript thread; the group lives as long as one of them.
struct Readers {
    group: Option<Arc<SinkGroup>>,
    sinks: Vec<Weak<dyn Waiting>>,
}

/// A sink, and what JavaScript has called when there is something in it.
pub(crate) struct Reader<T> {
    pub(crate) sink: T,
    on_readable: FunctionRef<(), ()>,
}

impl<T: fmt::Debug> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sink.fmt(f)
    }
}

/// A reader that may have found nothing.
pub(crate) trait Waiting {
    /// Whether it would find something now.
    fn readable(&self) -> bool;
    fn on_readable(&self) -> &FunctionRef<(), ()>;
}

impl Waiting for Reader<Sink> {
    fn readable(&self) -> bool {
        self.sink.readable()
    }

    fn on_readable(&self) -> &FunctionRef<(), ()> {
        &self.on_readable
    }
}

impl Waiting for Reader<VideoSink> {
    fn readable(&self) -> bool {
        self.sink.readable()
    }

    fn on_readable(&self) -> &FunctionRef<(), ()> {
        &self.on_readable
    }
}

/// Makes a sink of this thread's group; `on_readable` is called when something came after it had nothing.
pub(crate) fn join<T>(
    env: &Env,
    on_readable: Function<'_, (), ()>,
    make: impl FnOnce(Arc<SinkGroup>) -> T,
) -> Result<Rc<Reader<T>>>
where
    Reader<T>: Waiting + 'static,
{
    let reader = Rc::new(Reader {
        sink: make(group(env)?),
        on_readable: on_readable.create_ref()?,
    });
    let waiting: Rc<dyn Waiting> = reader.clone();
    READERS.with_borrow_mut(|readers| {
        // Those that were collected have told nobody.
        readers.sinks.retain(|sink| sink.strong_count() > 0);
        readers.sinks.push(Rc::downgrade(&waiting));
    });
    Ok(reader)
}

/// Lets go of the sinks that were closed.
pub(crate) fn forget_closed() {
    READERS.with_borrow_mut(|readers| {
        readers.sinks.retain(|sink| sink.strong_count() > 0);
        if readers.sinks.is_empty() {
            readers.group = None;
        }
    });
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
        if reader.readable() {
            let called = reader
                .on_readable()
                .borrow_back(env)
                .and_then(|f| f.call(()));
            outcome = outcome.and(called);
        }
    }
    outcome
}
