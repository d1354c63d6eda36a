//! The INVITE server transaction: RFC 3261 §17.2.1, figure 7, as changed by RFC 6026 §8.7.

use super::table::{Action, Class};
use super::timer::Timer;

/// Where an INVITE that we received stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteServerState {
    /// It waits for its final answer.
    Proceeding,
    /// A 300–699 answer went out and waits for its ACK.
    Completed,
    /// The ACK came; its repeats are absorbed.
    Confirmed,
    /// A 2xx went out; the transaction user repeats it, repeats of the INVITE are absorbed.
    Accepted,
    /// Nothing more can happen.
    Terminated,
}

/// What can happen to an INVITE that we received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteServerInput {
    /// The INVITE arrived again.
    Repeated,
    /// An ACK arrived in this transaction.
    Ack,
    /// The transaction user answers.
    Answer(Class),
    /// A timer fired.
    Fired(Timer),
    /// The flow is gone.
    FlowDown,
}

/// The state in which the transaction starts, and what is done first.
///
/// 100 goes out at once: the transaction user may ask a person.
pub const START: (InviteServerState, &[Action]) = (
    InviteServerState::Proceeding,
    &[Action::SendTrying, Action::Deliver],
);

/// Returns the next state and what has to be done, in order.
pub fn step(
    state: InviteServerState,
    input: InviteServerInput,
) -> (InviteServerState, &'static [Action]) {
    use Action::{Deliver, Repeat, Send, Start, Stop, TimedOut, Unreachable};
    use Class::{Provisional, Refusal, Success};
    use InviteServerInput::{Ack, Answer, Fired, FlowDown, Repeated};
    use InviteServerState::{Accepted, Completed, Confirmed, Proceeding, Terminated};

    match (state, input) {
        (Proceeding | Completed, Repeated) => (state, &[Repeat]),
        (Proceeding, Answer(Provisional)) => (Proceeding, &[Send]),
        (Proceeding, Answer(Success)) => (Accepted, &[Send, Start(Timer::L)]),
        (Proceeding, Answer(Refusal)) => (Completed, &[Send, Start(Timer::G), Start(Timer::H)]),
        (Proceeding, FlowDown) => (Terminated, &[Unreachable]),
        (Completed, Fired(Timer::G)) => (Completed, &[Repeat, Start(Timer::G)]),
        (Completed, Fired(Timer::H)) => (Terminated, &[TimedOut]),
        (Completed, Ack) => (
            Confirmed,
            &[Stop(Timer::G), Stop(Timer::H), Start(Timer::I)],
        ),
        (Completed | Confirmed, FlowDown) => (Terminated, &[]),
        (Confirmed, Fired(Timer::I)) => (Terminated, &[]),
        (Accepted, Answer(Success)) => (Accepted, &[Send]),
        (Accepted, Ack) => (Accepted, &[Deliver]),
        (Accepted, Fired(Timer::L)) => (Terminated, &[]),
        (
            Proceeding | Completed | Confirmed | Accepted | Terminated,
            Repeated | Ack | Answer(_) | Fired(_) | FlowDown,
        ) => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trap 7.
    #[test]
    fn a_repeated_invite_in_accepted_is_absorbed() {
        let (state, _) = step(
            InviteServerState::Proceeding,
            InviteServerInput::Answer(Class::Success),
        );
        assert_eq!(
            step(state, InviteServerInput::Repeated),
            (InviteServerState::Accepted, &[][..])
        );
    }

    #[test]
    fn a_refusal_is_repeated_until_its_ack() {
        let (state, _) = step(
            InviteServerState::Proceeding,
            InviteServerInput::Answer(Class::Refusal),
        );
        let (state, actions) = step(state, InviteServerInput::Fired(Timer::G));
        assert_eq!(actions, [Action::Repeat, Action::Start(Timer::G)]);
        let (state, _) = step(state, InviteServerInput::Ack);
        assert_eq!(
            step(state, InviteServerInput::Fired(Timer::G)),
            (InviteServerState::Confirmed, &[][..])
        );
    }

    #[test]
    fn a_second_final_answer_is_not_sent() {
        let (state, _) = step(
            InviteServerState::Proceeding,
            InviteServerInput::Answer(Class::Refusal),
        );
        assert_eq!(
            step(state, InviteServerInput::Answer(Class::Success)),
            (InviteServerState::Completed, &[][..])
        );
    }
}
