//! The end of the process, and of a JavaScript thread.

use std::cell::Cell;

use napi::bindgen_prelude::{Env, Result};
use napi_derive::napi;
use runtime::{SignalWatch, Whose};

use crate::handle::failed;

thread_local! {
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// Ends the calls and registrations of the process, and waits for that, within a bound.
#[napi]
pub fn farewell() {
    runtime::farewell(Whose::Process);
}

/// Does the same for the phones of this JavaScript thread when that ends, such as by `worker.terminate()`.
pub(crate) fn at_end_of_thread(env: &Env) -> Result<()> {
    if !HOOKED.replace(true) {
        env.add_env_cleanup_hook((), |()| runtime::farewell(Whose::Thread))?;
    }
    Ok(())
}

/// Lets the phones say goodbye before a signal ends the process.
#[napi]
#[derive(Debug)]
pub struct NativeSignalWatch {
    watch: Option<SignalWatch>,
}

#[napi]
impl NativeSignalWatch {
    /// Watches the signals of these names.
    #[napi(constructor)]
    pub fn new(signals: Vec<String>) -> Result<NativeSignalWatch> {
        let watch = SignalWatch::start(&signals).map_err(failed)?;
        Ok(NativeSignalWatch { watch: Some(watch) })
    }

    /// Lets signals do again what they did before.
    #[napi]
    pub fn close(&mut self) {
        self.watch = None;
    }
}
