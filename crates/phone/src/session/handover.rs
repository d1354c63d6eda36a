//! Who hands whom on, and in whose place a call comes.

use super::{Report, Succession, referral, transfer};

/// Who hands whom on, and in whose place a call comes.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// We hand the other party on.
    pub(super) transfer: Option<transfer::Transfer>,
    /// The other party wants to hand us on.
    pub(super) referral: Option<referral::Referral>,
    pub(super) was_referred: bool,
    /// Who referred us to this call, until it is answered.
    pub(super) report: Option<Report>,
    /// The place of another call that this one is to take, until it is answered.
    pub(super) replaces: Option<Succession>,
    /// The call's dialog is over; only the outcome of a transfer is waited for.
    pub(super) over: bool,
}
