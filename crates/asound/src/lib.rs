//! Stands between the `alsa` crate and libasound on Linux, so that neither building nor loading the addon
//! needs libasound: a server that has no sound takes calls like any other machine.
//!
//! ```text
//! cpal ─ alsa ─ alsa-sys ─▶ asound.c (in our binary) ─ dlopen, dlsym ─▶ libasound.so.2
//! ```
//! `.cargo/config.toml` overrides the build script of alsa-sys (`links = "alsa"`), which would otherwise
//! look for libasound's development files and have every binary depend on it.
//!
//! **Invariant: [`load`] comes before the first call of the `alsa` crate; until it succeeds each of
//! libasound's functions says "no such device".**
//!
//! Elsewhere than on Linux there is nothing to stand in for, and `load` succeeds.

/// Why libasound could not be loaded, in the words of the system's loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLoaded {
    reason: String,
}

impl std::fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "libasound is not available: {}", self.reason)
    }
}

impl std::error::Error for NotLoaded {}

/// Names the library to load in place of `libasound.so.2`, for systems that keep it elsewhere.
pub const LIBRARY_VARIABLE: &str = "OFFHOOK_LIBASOUND";

/// Loads libasound unless it is loaded, and keeps it from writing to stderr.
///
/// It looks again at each call until it succeeds, so that an installation is noticed without a restart.
pub fn load() -> Result<(), NotLoaded> {
    #[cfg(target_os = "linux")]
    return linux::load();
    #[cfg(not(target_os = "linux"))]
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{CStr, CString, c_char};
    use std::os::unix::ffi::OsStringExt;

    use super::{LIBRARY_VARIABLE, NotLoaded};

    unsafe extern "C" {
        fn asound_load(file: *const c_char) -> *const c_char;
    }

    pub(super) fn load() -> Result<(), NotLoaded> {
        let named = std::env::var_os(LIBRARY_VARIABLE).filter(|name| !name.is_empty());
        let file = match named {
            Some(name) => CString::new(name.into_vec()).map_err(|_| NotLoaded {
                reason: format!("{LIBRARY_VARIABLE} holds a zero byte"),
            })?,
            None => c"libasound.so.2".to_owned(),
        };
        // SAFETY: `file` is a C string that outlives the call, which may happen on any thread.
        let reason = unsafe { asound_load(file.as_ptr()) };
        if reason.is_null() {
            return Ok(());
        }
        // SAFETY: the loader's message is a C string that lives until this thread's next loader call.
        let reason = unsafe { CStr::from_ptr(reason) };
        Err(NotLoaded {
            reason: reason.to_string_lossy().into_owned(),
        })
    }
}
