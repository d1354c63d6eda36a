//! How much of others is let in: by what our caller can take, and by the second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::message::{Method, Request};

/// The door for what others send.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Admission {
    intake: Intake,
    // Calls and subscribers have each their own: a flood of the one keeps the other from nothing.
    calls: Arrivals,
    subscribers: Arrivals,
}

impl Admission {
    pub(in crate::endpoint) fn intake(&self) -> Intake {
        self.intake
    }

    pub(in crate::endpoint) fn set_intake(&mut self, intake: Intake) {
        self.intake = intake;
    }

    /// Says whether our caller can be told of this request, `within` a dialog or outside.
    pub(in crate::endpoint) fn takes(&self, request: &Request, within: bool) -> bool {
        self.intake.takes(request, within)
    }

    /// Says whether one more call is within the rate of `most` a second, and counts it.
    pub(in crate::endpoint) fn admit_call(&mut self, most: u32, now: Instant) -> bool {
        self.calls.admit(most, now)
    }

    /// Says whether one more call would be within the rate.
    pub(in crate::endpoint) fn has_room_for_call(&mut self, most: u32, now: Instant) -> bool {
        self.calls.have_room(most, now)
    }

    /// Says whether one more subscriber is within the rate, and counts it.
    pub(in crate::endpoint) fn admit_subscriber(&mut self, most: u32, now: Instant) -> bool {
        self.subscribers.admit(most, now)
    }
}

/// What our caller can take of what others send, because somebody has to read what it tells of it.
///
/// What ends something, our own requests and their answers always pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intake {
    /// Everything.
    #[default]
    Open,
    /// What belongs to a dialog of ours; anything else that it would be told of is given 503 with Retry-After.
    Dialogs,
    /// Nothing that it would be told of: inside a dialog an offer is given 500, anything else 503, both with Retry-After.
    Closed,
}

impl Intake {
    fn takes(self, request: &Request, within: bool) -> bool {
        let told = match request.method() {
            Method::Ack | Method::Cancel | Method::Bye | Method::Prack => false,
            // A refresh without a description (RFC 4028) is answered here.
            Method::Update => !request.body().is_empty(),
            Method::Options => !within,
            Method::Invite
            | Method::Info
            | Method::Message
            | Method::Notify
            | Method::Publish
            | Method::Refer
            | Method::Register
            | Method::Subscribe
            | Method::Other(_) => true,
        };
        match self {
            Self::Open => true,
            Self::Dialogs => within || !told,
            Self::Closed => !told,
        }
    }
}

/// When the requests of the last second came.
#[derive(Debug, Default)]
struct Arrivals(VecDeque<Instant>);

impl Arrivals {
    fn admit(&mut self, most: u32, now: Instant) -> bool {
        let has_room = self.have_room(most, now);
        if has_room {
            self.0.push_back(now);
        }
        has_room
    }

    fn have_room(&mut self, most: u32, now: Instant) -> bool {
        let second = Duration::from_secs(1);
        while self.0.front().is_some_and(|at| *at + second <= now) {
            self.0.pop_front();
        }
        self.0.len() < most as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to start somewhere"
    )]
    #[test]
    fn a_rate_is_counted_by_the_second_and_each_kind_by_itself() {
        let mut admission = Admission::default();
        let now = Instant::now();
        assert!(admission.admit_call(2, now) && admission.admit_call(2, now));
        assert!(!admission.admit_call(2, now) && !admission.has_room_for_call(2, now));
        assert!(admission.admit_subscriber(2, now));
        let later = now + Duration::from_secs(1);
        assert!(admission.has_room_for_call(2, later) && admission.admit_call(2, later));
    }
}
