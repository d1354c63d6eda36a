//! The client transaction of every other method: RFC 3261 §17.1.2, figure 6.

use super::table::{Action, Class};
use super::timer::Timer;

/// Where a request that we sent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonInviteClientState {
    /// Nothing came back yet.
    Trying,
    /// A provisional answer came.
    Proceeding,
    /// The final answer came; its repeats are absorbed.
    Completed,
    /// Nothing more can happen.
    Terminated,
}

/// What can happen to a request that we sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonInviteClientInput {
    /// A response arrived.
    Response(Class),
    /// A timer fired.
    Fired(Timer),
    /// The flow is gone.
    FlowDown,
}

/// The state in which the transaction starts, and what is done first.
pub const START: (NonInviteClientState, &[Action]) = (
    NonInviteClientState::Trying,
    &[
        Action::Send,
        Action::Start(Timer::E),
        Action::Start(Timer::F),
    ],
);

/// Returns the next state and what has to be done, in order.
pub fn step(
    state: NonInviteClientState,
    input: NonInviteClientInput,
) -> (NonInviteClientState, &'static [Action]) {
    use Action::{Deliver, Repeat, Start, Stop, TimedOut, Unreachable};
    use Class::{Provisional, Refusal, Success};
    use NonInviteClientInput::{Fired, FlowDown, Response};
    use NonInviteClientState::{Completed, Proceeding, Terminated, Trying};

    match (state, input) {
        (Trying | Proceeding, Fired(Timer::E)) => (state, &[Repeat, Start(Timer::E)]),
        (Trying | Proceeding, Fired(Timer::F)) => (Terminated, &[TimedOut]),
        (Trying | Proceeding, FlowDown) => (Terminated, &[Unreachable]),
        (Trying | Proceeding, Response(Provisional)) => (Proceeding, &[Deliver]),
        (Trying | Proceeding, Response(Success | Refusal)) => (
            Completed,
            &[Stop(Timer::E), Stop(Timer::F), Deliver, Start(Timer::K)],
        ),
        (Completed, Fired(Timer::K)) | (Completed, FlowDown) => (Terminated, &[]),
        (Trying | Proceeding | Completed | Terminated, Response(_) | Fired(_) | FlowDown) => {
            (state, &[])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timer_f_runs_on_after_a_provisional_answer() {
        let (state, actions) = step(
            NonInviteClientState::Trying,
            NonInviteClientInput::Response(Class::Provisional),
        );
        assert!(!actions.contains(&Action::Stop(Timer::F)));
        assert_eq!(
            step(state, NonInviteClientInput::Fired(Timer::F)),
            (NonInviteClientState::Terminated, &[Action::TimedOut][..])
        );
    }

    #[test]
    fn a_repeated_final_answer_is_absorbed() {
        let (state, _) = step(
            NonInviteClientState::Trying,
            NonInviteClientInput::Response(Class::Success),
        );
        assert_eq!(
            step(state, NonInviteClientInput::Response(Class::Success)),
            (NonInviteClientState::Completed, &[][..])
        );
    }
}
