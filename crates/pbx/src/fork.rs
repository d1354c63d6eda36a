//! One request on its way to one or several devices (RFC 3261 §16.6–16.10).

use std::time::{Duration, Instant};

use sip::message::{Response, StatusCode};
use sip::transaction::{ClientKey, FlowId};

// RFC 3261 §16.6, Timer C: more than three minutes.
const TIMER_C: Duration = Duration::from_secs(185);

/// What a device has said so far.
#[derive(Debug)]
enum Said {
    Nothing,
    /// It took the request; what it said has gone back.
    Accepted,
    /// It refused.
    Final(Box<Response>),
}

#[derive(Debug)]
struct Branch {
    key: ClientKey,
    flow: FlowId,
    said: Said,
}

/// One request and the branches it was forwarded on.
#[derive(Debug)]
pub(crate) struct Fork {
    is_invite: bool,
    branches: Vec<Branch>,
    cancelled: bool,
    accepted: bool,
    timer_c: Instant,
}

/// What a branch's answer means for the whole.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Pass it on.
    Forward(Box<Response>),
    /// Pass it on, then cancel the branches still ringing, for this reason.
    ForwardAndCancel(Box<Response>, &'static str),
    /// Cancel the branches still ringing, for this reason; the best answer follows.
    Cancel(&'static str),
    /// Wait for the other branches.
    Wait,
}

const ELSEWHERE: &str = r#"SIP;cause=200;text="Call completed elsewhere""#;

/// Why the other devices stop ringing where one has refused for all (RFC 3326).
fn declined(code: u16) -> &'static str {
    match code {
        603 => r#"SIP;cause=603;text="Decline""#,
        604 => r#"SIP;cause=604;text="Does Not Exist Anywhere""#,
        606 => r#"SIP;cause=606;text="Not Acceptable""#,
        607 => r#"SIP;cause=607;text="Unwanted""#,
        608 => r#"SIP;cause=608;text="Rejected""#,
        _ => r#"SIP;cause=600;text="Busy Everywhere""#,
    }
}

impl Fork {
    pub(crate) fn new(is_invite: bool, branches: Vec<(ClientKey, FlowId)>, now: Instant) -> Self {
        Self {
            is_invite,
            branches: branches
                .into_iter()
                .map(|(key, flow)| Branch {
                    key,
                    flow,
                    said: Said::Nothing,
                })
                .collect(),
            cancelled: false,
            accepted: false,
            timer_c: now + TIMER_C,
        }
    }

    /// Takes one branch's answer; its Via of ours is off already.
    pub(crate) fn handle_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) -> Verdict {
        let code = response.status().code();
        if code < 200 {
            self.timer_c = now + TIMER_C;
            return match (code, self.accepted) {
                (100, _) | (_, true) => Verdict::Wait,
                (_, false) => Verdict::Forward(Box::new(response)),
            };
        }
        if code < 300 {
            return self.accept(key, response);
        }
        self.record(key, Said::Final(Box::new(response)));
        if self.accepted {
            return Verdict::Wait;
        }
        if self.waiting().next().is_none() {
            return match self.best() {
                Some(best) => Verdict::Forward(Box::new(best)),
                None => Verdict::Wait,
            };
        }
        if code >= 600 && self.is_invite && !self.cancelled {
            self.cancelled = true;
            return Verdict::Cancel(declined(code));
        }
        Verdict::Wait
    }

    /// Marks the whole as given up by the caller.
    pub(crate) fn cancel(&mut self) {
        self.cancelled = true;
    }

    /// Returns the branches without a final answer.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = ClientKey> + '_ {
        self.branches
            .iter()
            .filter(|branch| matches!(branch.said, Said::Nothing))
            .map(|branch| branch.key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = ClientKey> + '_ {
        self.branches.iter().map(|branch| branch.key)
    }

    pub(crate) fn flow(&self, key: ClientKey) -> Option<FlowId> {
        self.branches
            .iter()
            .find(|branch| branch.key == key)
            .map(|branch| branch.flow)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Says whether every branch has had its final answer and no 2xx can be repeated.
    pub(crate) fn is_over(&self) -> bool {
        self.accepted && !self.is_invite && self.waiting().next().is_none()
    }

    /// Says whether a final answer has gone back.
    pub(crate) fn is_accepted(&self) -> bool {
        self.accepted
    }

    pub(crate) fn timer_c(&self) -> Option<Instant> {
        (self.is_invite && !self.accepted && !self.cancelled).then_some(self.timer_c)
    }

    fn accept(&mut self, key: ClientKey, response: Response) -> Verdict {
        let first = !self.accepted;
        self.accepted = true;
        self.record(key, Said::Accepted);
        if first && self.is_invite && self.waiting().next().is_some() {
            return Verdict::ForwardAndCancel(Box::new(response), ELSEWHERE);
        }
        if first || self.is_invite {
            return Verdict::Forward(Box::new(response));
        }
        Verdict::Wait
    }

    fn record(&mut self, key: ClientKey, said: Said) {
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.key == key) {
            branch.said = said;
        }
    }

    fn best(&self) -> Option<Response> {
        self.branches
            .iter()
            .filter_map(|branch| match &branch.said {
                Said::Final(response) => Some(response.as_ref()),
                Said::Nothing | Said::Accepted => None,
            })
            .min_by_key(|response| rank(response.status()))
            .cloned()
    }
}

/// RFC 3261 §16.7, step 6: 6xx before all, then the lowest class, and in 4xx what the caller can mend.
fn rank(status: StatusCode) -> (u16, u16) {
    let code = status.code();
    match code {
        600..=699 => (0, code),
        401 | 407 | 415 | 420 | 484 => (code / 100, 0),
        503 => (5, 999),
        _ => (code / 100, code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_can_mend_is_the_best_answer() {
        let best = [486, 404, 401, 503, 500, 302]
            .into_iter()
            .filter_map(StatusCode::new)
            .min_by_key(|status| rank(*status))
            .map(|status| status.code());
        assert_eq!(best, Some(302));
        let best = [486, 404, 407]
            .into_iter()
            .filter_map(StatusCode::new)
            .min_by_key(|status| rank(*status))
            .map(|status| status.code());
        assert_eq!(best, Some(407));
        let best = [302, 603]
            .into_iter()
            .filter_map(StatusCode::new)
            .min_by_key(|status| rank(*status))
            .map(|status| status.code());
        assert_eq!(best, Some(603));
    }
}
