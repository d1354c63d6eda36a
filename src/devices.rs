//! `listDevices()`.

use napi::bindgen_prelude::{AsyncTask, Env, Result, Task};
use napi_derive::napi;

use crate::phone::failed;

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
