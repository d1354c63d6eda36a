#![allow(clippy::unwrap_used, reason = "a test's own mistake may panic")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test waits for one event, whatever others there are"
)]

mod town;

mod calls;
mod click_to_call;
mod early_media;
mod faults;
mod registration;
mod relay;
