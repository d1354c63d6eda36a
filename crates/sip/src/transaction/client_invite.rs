//! The INVITE client transaction: RFC 3261 §17.1.1, figure 5, as changed by RFC 6026 §8.4.

use super::table::{Action, Class};
use super::timer::Timer;

/// Where an INVITE that we sent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteClientState {
    /// Nothing came back yet.
    Calling,
    /// A provisional answer came; only the transaction user's patience ends it.
    Proceeding,
    /// A 300–699 answer came and was acknowledged; its repeats are too.
    Completed,
    /// A 2xx came; the ones of other forks are handed up.
    Accepted,
    /// Nothing more can happen.
    Terminated,
}

/// What can happen to an INVITE that we sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteClientInput {
    /// A response arrived.
    Response(Class),
    /// A timer fired.
    Fired(Timer),
    /// The flow is gone.
    FlowDown,
}

/// The state in which the transaction starts, and what is done first.
pub const START: (InviteClientState, &[Action]) = (
    InviteClientState::Calling,
    &[
        Action::Send,
        Action::Start(Timer::A),
        Action::Start(Timer::B),
    ],
);

/// Returns the next state and what has to be done, in order.
pub fn step(
    state: InviteClientState,
    input: InviteClientInput,
) -> (InviteClientState, &'static [Action]) {
    use Action::{Acknowledge, Deliver, Repeat, Start, Stop, TimedOut, Unreachable};
    use Class::{Provisional, Refusal, Success};
    use InviteClientInput::{Fired, FlowDown, Response};
    use InviteClientState::{Accepted, Calling, Completed, Proceeding, Terminated};

    match (state, input) {
        (Calling, Fired(Timer::A)) => (Calling, &[Repeat, Start(Timer::A)]),
        (Calling, Fired(Timer::B)) => (Terminated, &[TimedOut]),
        (Calling, Response(Provisional)) => {
            (Proceeding, &[Stop(Timer::A), Stop(Timer::B), Deliver])
        }
        (Proceeding, Response(Provisional)) => (Proceeding, &[Deliver]),
        (Calling | Proceeding, Response(Success)) => (
            Accepted,
            &[
                Stop(Timer::A),
                Stop(Timer::B),
                Stop(Timer::Cancelled),
                Deliver,
                Start(Timer::M),
            ],
        ),
        (Calling | Proceeding, Response(Refusal)) => (
            Completed,
            &[
                Stop(Timer::A),
                Stop(Timer::B),
                Stop(Timer::Cancelled),
                Acknowledge,
                Deliver,
                Start(Timer::D),
            ],
        ),
        (Calling | Proceeding, Fired(Timer::Cancelled)) => (Terminated, &[TimedOut]),
        (Calling | Proceeding, FlowDown) => (Terminated, &[Unreachable]),
        // The transaction user has had its final answer already.
        (Completed, FlowDown) => (Terminated, &[]),
        (Completed, Response(Refusal)) => (Completed, &[Acknowledge]),
        (Completed, Fired(Timer::D)) => (Terminated, &[]),
        (Accepted, Response(Success)) => (Accepted, &[Deliver]),
        (Accepted, Fired(Timer::M)) => (Terminated, &[]),
        // RFC 6026 §8.4: the transaction outlives the flow, forked 2xx may come over the next one.
        (Accepted, FlowDown) => (Accepted, &[]),
        (
            Calling | Proceeding | Completed | Accepted | Terminated,
            Response(_) | Fired(_) | FlowDown,
        ) => (state, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provisional_answer_stops_the_repeats_and_timer_b() {
        let (state, actions) = step(
            InviteClientState::Calling,
            InviteClientInput::Response(Class::Provisional),
        );
        assert_eq!(state, InviteClientState::Proceeding);
        assert_eq!(
            actions,
            [
                Action::Stop(Timer::A),
                Action::Stop(Timer::B),
                Action::Deliver
            ]
        );
    }

    #[test]
    fn every_repeat_of_a_refusal_is_acknowledged_but_handed_up_once() {
        let (state, first) = step(
            InviteClientState::Proceeding,
            InviteClientInput::Response(Class::Refusal),
        );
        assert!(first.contains(&Action::Deliver));
        let (state, repeat) = step(state, InviteClientInput::Response(Class::Refusal));
        assert_eq!(
            (state, repeat),
            (InviteClientState::Completed, &[Action::Acknowledge][..])
        );
    }

    #[test]
    fn an_accepted_invite_hands_up_every_further_success_until_timer_m() {
        let (state, _) = step(
            InviteClientState::Calling,
            InviteClientInput::Response(Class::Success),
        );
        let (state, again) = step(state, InviteClientInput::Response(Class::Success));
        assert_eq!(
            (state, again),
            (InviteClientState::Accepted, &[Action::Deliver][..])
        );
        assert_eq!(
            step(state, InviteClientInput::Fired(Timer::M)).0,
            InviteClientState::Terminated
        );
    }

    #[test]
    fn a_lost_flow_ends_a_waiting_invite_and_leaves_an_accepted_one() {
        assert_eq!(
            step(InviteClientState::Proceeding, InviteClientInput::FlowDown),
            (InviteClientState::Terminated, &[Action::Unreachable][..])
        );
        assert_eq!(
            step(InviteClientState::Accepted, InviteClientInput::FlowDown).0,
            InviteClientState::Accepted
        );
    }
}
