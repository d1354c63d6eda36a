//! The instant from which tests count.

use std::time::Instant;

#[allow(
    clippy::disallowed_methods,
    reason = "an instant can only come from a clock; all others are computed from it"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}
