//! The server transaction of every other method: RFC 3261 §17.2.2, figure 8, as changed by RFC 4320.

use super::table::{Action, Class};
use super::timer::Timer;

/// Where a request that we received stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonInviteServerState {
    /// It waits for an answer; its repeats are ignored.
    Trying,
    /// 100 went out; repeats are given it again.
    Proceeding,
    /// The final answer went out; repeats are given it again.
    Completed,
    /// Nothing more can happen.
    Terminated,
}

/// What can happen to a request that we received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonInviteServerInput {
    /// The request arrived again.
    Repeated,
    /// The transaction user answers.
    Answer(Class),
    /// A timer fired.
    Fired(Timer),
    /// The flow is gone.
    FlowDown,
}

/// The state in which the transaction starts, and what is done first.
pub const START: (NonInviteServerState, &[Action]) = (
    NonInviteServerState::Trying,
    &[
        Action::Start(Timer::Trying),
        Action::Start(Timer::Abandon),
        Action::Deliver,
    ],
);

/// Returns the next state and what has to be done, in order.
pub fn step(
    state: NonInviteServerState,
    input: NonInviteServerInput,
) -> (NonInviteServerState, &'static [Action]) {
    use Action::{Repeat, Send, SendTrying, Start, Stop, TimedOut, Unreachable};
    use Class::{Provisional, Refusal, Success};
    use NonInviteServerInput::{Answer, Fired, FlowDown, Repeated};
    use NonInviteServerState::{Completed, Proceeding, Terminated, Trying};

    match (state, input) {
        (Trying, Fired(Timer::Trying)) => (Proceeding, &[SendTrying]),
        (Proceeding | Completed, Repeated) => (state, &[Repeat]),
        // RFC 4320 §4.1: no provisional answer but 100, and that one not early.
        (Trying | Proceeding, Answer(Provisional)) => (state, &[]),
        (Trying | Proceeding, Answer(Success | Refusal)) => (
            Completed,
            &[
                Stop(Timer::Trying),
                Stop(Timer::Abandon),
                Send,
                Start(Timer::J),
            ],
        ),
        // RFC 4320 §4.2: its sender has given up; an answer now only does harm, and 408 never helps.
        (Trying | Proceeding, Fired(Timer::Abandon)) => (Terminated, &[TimedOut]),
        (Trying | Proceeding, FlowDown) => (Terminated, &[Unreachable]),
        (Completed, Fired(Timer::J)) | (Completed, FlowDown) => (Terminated, &[]),
        (
            Trying | Proceeding | Completed | Terminated,
            Repeated | Answer(_) | Fired(_) | FlowDown,
        ) => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trap 37.
    #[test]
    fn a_provisional_answer_other_than_the_late_100_is_never_sent() {
        assert_eq!(
            step(
                NonInviteServerState::Trying,
                NonInviteServerInput::Answer(Class::Provisional)
            ),
            (NonInviteServerState::Trying, &[][..])
        );
        assert_eq!(
            step(
                NonInviteServerState::Trying,
                NonInviteServerInput::Fired(Timer::Trying)
            ),
            (NonInviteServerState::Proceeding, &[Action::SendTrying][..])
        );
    }

    /// Trap 37.
    #[test]
    fn a_request_too_late_to_answer_is_dropped_in_silence() {
        let (state, actions) = step(
            NonInviteServerState::Proceeding,
            NonInviteServerInput::Fired(Timer::Abandon),
        );
        assert_eq!(
            (state, actions),
            (NonInviteServerState::Terminated, &[Action::TimedOut][..])
        );
        assert_eq!(
            step(state, NonInviteServerInput::Answer(Class::Success)),
            (NonInviteServerState::Terminated, &[][..])
        );
    }
}
