//! `mediaLoad()`, and `clockFigures()` for the benchmark.

use napi::bindgen_prelude::Result;
use napi_derive::napi;

use crate::handle::failed;

/// How full the media threads are, 0 to 1.
#[napi]
pub fn media_load() -> f64 {
    runtime::media_load()
}

/// How the media clock of the process has kept its time, as JSON: `ticks`, `late`, `skipped`, `spared`.
#[napi]
pub fn clock_figures() -> Result<String> {
    serde_json::to_string(&runtime::clock_figures()).map_err(failed)
}
