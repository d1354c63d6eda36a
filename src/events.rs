//! A phone's one ordered stream of events, as JSON text on the JavaScript thread.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::bindgen_prelude::{Env, Function, Result, Status};
use napi::threadsafe_function::{
    ThreadsafeCallContext, ThreadsafeFunction, ThreadsafeFunctionCallMode,
};
use runtime::preflight::{PreflightEvent, PreflightEventSink};
use runtime::{Backlog, Event, EventSink, Figures, Held, PbxEvent, PbxEventSink};

/// Unbounded by itself: the [`Backlog`] bounds lines of the log, and lets the phone refuse whatever would make more events
/// than JavaScript reads; of a session's figures only the latest waits.
type Callback = ThreadsafeFunction<Payload, (), String, Status, false>;

/// What waits for the JavaScript thread.
pub(crate) enum Payload {
    Event(String, Held),
    Latest(Slot),
}

type Slot = Arc<Mutex<Option<String>>>;

/// Calls `onEvent` for each event; it keeps Node alive until the phone has ended, unless unref'd.
pub(crate) struct EventStream {
    callback: Arc<Mutex<Callback>>,
    figures: BTreeMap<Figures, Slot>,
    backlog: Backlog,
}

/// Decides whether a phone keeps Node alive.
pub(crate) struct Liveness {
    callback: Weak<Mutex<Callback>>,
}

impl fmt::Debug for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Liveness")
    }
}

impl EventStream {
    pub(crate) fn new(on_event: &Function<'_, String, ()>) -> Result<(EventStream, Liveness)> {
        let callback = on_event
            .build_threadsafe_function::<Payload>()
            .build_callback(|context: ThreadsafeCallContext<Payload>| Ok(context.value.text()))?;
        let callback = Arc::new(Mutex::new(callback));
        let liveness = Liveness {
            callback: Arc::downgrade(&callback),
        };
        let stream = EventStream {
            callback,
            figures: BTreeMap::new(),
            backlog: Backlog::default(),
        };
        Ok((stream, liveness))
    }

    fn call(&self, payload: Payload) {
        // An environment that is being torn down takes nothing more; there is nobody to tell.
        let _ = lock(&self.callback).call(payload, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl EventSink for EventStream {
    fn send(&mut self, event: Event) {
        for event in self.backlog.admit(event) {
            self.pass(&event);
        }
    }

    fn unread(&self) -> usize {
        self.backlog.unread()
    }
}

impl EventStream {
    fn pass(&mut self, event: &Event) {
        let Ok(text) = serde_json::to_string(event) else {
            return;
        };
        for id in event.ends_figures_of() {
            self.figures.remove(&id);
        }
        match event.replaces_figures_of() {
            None => {
                let held = self.backlog.hold(event, &text);
                self.call(Payload::Event(text, held));
            }
            Some(id) => {
                let slot = Arc::clone(self.figures.entry(id).or_default());
                if lock(&slot).replace(text).is_none() {
                    self.call(Payload::Latest(slot));
                }
            }
        }
    }
}

impl PbxEventSink for EventStream {
    fn send(&mut self, event: PbxEvent) {
        if let Ok(text) = serde_json::to_string(&event) {
            let held = self.backlog.hold_of_pbx(&text);
            self.call(Payload::Event(text, held));
        }
    }

    fn unread(&self) -> usize {
        self.backlog.unread()
    }
}

impl PreflightEventSink for EventStream {
    fn send(&mut self, event: PreflightEvent) {
        if let Ok(text) = serde_json::to_string(&event) {
            let held = self.backlog.hold_of_pbx(&text);
            self.call(Payload::Event(text, held));
        }
    }
}

impl Payload {
    fn text(self) -> String {
        match self {
            Payload::Event(text, _held) => text,
            Payload::Latest(slot) => lock(&slot).take().unwrap_or_default(),
        }
    }
}

impl Liveness {
    /// Keeps Node alive while the phone runs.
    #[allow(
        deprecated,
        reason = "dropping the function would end the stream, not only its hold on Node"
    )]
    pub(crate) fn hold(&self, env: &Env) -> Result<()> {
        match self.callback.upgrade() {
            Some(callback) => lock(&callback).refer(env),
            None => Ok(()),
        }
    }

    /// Lets Node end although the phone runs.
    #[allow(
        deprecated,
        reason = "dropping the function would end the stream, not only its hold on Node"
    )]
    pub(crate) fn release(&self, env: &Env) -> Result<()> {
        match self.callback.upgrade() {
            Some(callback) => lock(&callback).unref(env),
            None => Ok(()),
        }
    }
}

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
