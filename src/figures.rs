//! `clockFigures()`, for the benchmark.

use napi::bindgen_prelude::Result;
use napi_derive::napi;

use crate::handle::failed;

/// How the media clock of the process has kept its time, as JSON: `ticks`, `late`, `skipped`.
#[napi]
pub fn clock_figures() -> Result<String> {
    serde_json::to_string(&runtime::clock_figures()).map_err(failed)
}
