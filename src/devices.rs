//! `listDevices()`, and who wants to know when the list has changed.

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Env, Function, Result, Status, Task};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use runtime::device::{System, Watch};

use crate::handle::failed;

/// Lists devices on a thread that may block.
#[derive(Debug)]
pub struct ListDevices;

impl Task for ListDevices {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        serde_json::to_string(&runtime::devices::list()).map_err(failed)
    }

    fn resolve(&mut self, _env: Env, list: String) -> Result<String> {
        Ok(list)
    }
}

/// The microphones and speakers that are there now, as JSON.
#[napi]
pub fn list_devices() -> AsyncTask<ListDevices> {
    AsyncTask::new(ListDevices)
}

/// Weak: watching devices doesn't keep Node alive. Differences come every two seconds at most.
type Changed = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Looks for devices that come and go until it is closed.
#[napi]
#[derive(Debug)]
pub struct NativeDeviceWatch {
    watch: Option<Watch>,
}

#[napi]
impl NativeDeviceWatch {
    /// `on_change` is called when the list has changed.
    #[napi(constructor)]
    pub fn new(on_change: Function<'_, (), ()>) -> Result<NativeDeviceWatch> {
        let changed: Changed = on_change
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build()?;
        let watch = Watch::start(Arc::new(System), move |_| {
            let _ = changed.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
        Ok(NativeDeviceWatch {
            watch: Some(watch.map_err(failed)?),
        })
    }

    /// Stops looking, without waiting for a look that is under way.
    #[napi]
    pub fn close(&mut self) {
        self.watch = None;
    }
}

/// Looks for a device on a thread that may block.
#[derive(Debug)]
pub struct FindDevice {
    id: String,
    output: bool,
}

impl Task for FindDevice {
    type Output = Option<String>;
    type JsValue = Option<String>;

    fn compute(&mut self) -> Result<Option<String>> {
        Ok(runtime::devices::missing(&self.id, self.output))
    }

    fn resolve(&mut self, _env: Env, missing: Option<String>) -> Result<Option<String>> {
        Ok(missing)
    }
}

/// Why no device of this id can be opened, or null if there is one.
#[napi]
pub fn missing_device(id: String, output: bool) -> AsyncTask<FindDevice> {
    AsyncTask::new(FindDevice { id, output })
}
