//! How much a log says.

use serde::{Deserialize, Serialize};

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every packet.
    Trace,
    /// Why a path was taken.
    Debug,
    /// A user would notice.
    Log,
    /// A user would notice.
    Info,
    /// Odd but working.
    Warn,
    /// Broken.
    Error,
}
