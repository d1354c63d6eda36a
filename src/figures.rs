//! `mediaLoad()`, `clockFigures()` and `metrics()` of the process.

use napi::bindgen_prelude::Result;
use napi_derive::napi;

use crate::handle::failed;

/// How full the media threads are, 0 to 1.
#[napi]
pub fn media_load() -> f64 {
    runtime::media_load()
}

/// What the process and all its phones have to show, in Prometheus' text form.
#[napi]
pub fn metrics() -> String {
    runtime::metrics()
}

/// How the media clock of the process has kept its time, as JSON: `ticks`, `late`, `skipped`, `spared`.
#[napi]
pub fn clock_figures() -> Result<String> {
    serde_json::to_string(&runtime::clock_figures()).map_err(failed)
}
