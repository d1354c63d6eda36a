//! What the four tables of §17 have in common: what a step may ask for.

use super::timer::Timer;

/// One thing that a step of a transaction asks the layer to do, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the message that caused the step: the transaction's request, or the answer it was given.
    Send,
    /// Send the last message of the transaction again.
    Repeat,
    /// Send the ACK of a 300–699 answer.
    Acknowledge,
    /// Send 100 (Trying).
    SendTrying,
    /// Hand the message that caused the step to the transaction user.
    Deliver,
    /// Start a timer, unless it never runs over this flow.
    Start(Timer),
    /// Stop a timer.
    Stop(Timer),
    /// Tell the transaction user that time ran out.
    TimedOut,
    /// Tell the transaction user that the flow is gone.
    Unreachable,
}

/// The class of a response, as far as the tables tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 100–199.
    Provisional,
    /// 200–299.
    Success,
    /// 300–699.
    Refusal,
}

impl Class {
    /// Returns the class of a status code.
    pub fn of(code: u16) -> Self {
        match code {
            0..=199 => Class::Provisional,
            200..=299 => Class::Success,
            300.. => Class::Refusal,
        }
    }
}
