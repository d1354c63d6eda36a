//! Session timers: both sides learn that a call is dead although no BYE ever came (RFC 4028).
//!
//! Every INVITE and UPDATE of a call settles anew how long it lives without another, and which side sends that one.
//! `refresher` is relative to the transaction: `uac` is whoever sent this request.

use std::time::{Duration, Instant};

use super::command::Reply;
use super::event::{EndCause, Event, UsageId};
use super::state::timing::{Running, SHORTEST, Timing};
use super::state::usage::Established;
use super::{Alarm, Endpoint};
use crate::header::{MinSe, Refresher, SessionExpires};
use crate::message::{HeaderName, Headers, Method, Request, Response, StatusCode};
use crate::put::Put;

/// The option tag.
pub(super) const TAG: &str = "timer";
/// RFC 4028 §10: who does not refresh hangs up so long before the end, or a third of the interval.
const MARGIN: Duration = Duration::from_secs(32);

impl Endpoint {
    /// Asks for a timer in an INVITE or UPDATE of ours.
    pub(super) fn ask_for_timer(&self, request: &mut Request, timing: Timing) {
        let Some(timers) = self.config.session_timers else {
            return;
        };
        if !refreshes(request.method()) {
            return;
        }
        let least = timing.min_se(timers);
        let (seconds, refresher) = match timing.running {
            // RFC 4028 §7.4: roles stay.
            Some(running) if running.we_refresh => (running.seconds, Some(Refresher::Uac)),
            Some(running) => (running.seconds, Some(Refresher::Uas)),
            None => (timers.expires, None),
        };
        let headers = request.headers_mut();
        headers.remove(HeaderName::SessionExpires);
        headers.remove(HeaderName::MinSe);
        headers.push_typed(&SessionExpires::new(seconds.max(least), refresher));
        if least > SHORTEST {
            headers.push_typed(&MinSe(least));
        }
    }

    /// RFC 4028 §7.3: a 422 names the least interval; the same request asks again, if that is news.
    pub(super) fn longer_interval(
        &self,
        request: &Request,
        response: &Response,
        timing: &mut Timing,
    ) -> bool {
        let asked = request.headers().typed::<SessionExpires>();
        let asked = asked.and_then(Result::ok).map(|asked| asked.seconds);
        let least = response.headers().typed::<MinSe>().and_then(Result::ok);
        match (response.status(), asked, least) {
            (StatusCode::SESSION_INTERVAL_TOO_SMALL, Some(asked), Some(least))
                if least.0 > asked && self.config.session_timers.is_some() =>
            {
                timing.min_se = least.0;
                timing.running = timing.running.map(|running| Running {
                    seconds: running.seconds.max(least.0),
                    ..running
                });
                true
            }
            (_, _, _) => false,
        }
    }

    /// Says whether a request asks for an interval that is too short for us; only who knows timers can be told.
    pub(super) fn vet_interval(&self, request: &Request) -> Result<(), Reply> {
        let Some(timers) = self.config.session_timers else {
            return Ok(());
        };
        let asked = request.headers().typed::<SessionExpires>();
        let least = timers.min_se.max(SHORTEST);
        let short = asked.is_some_and(|asked| asked.is_ok_and(|asked| asked.seconds < least));
        if short && refreshes(request.method()) && knows_timers(request.headers()) {
            return Err(Reply::new(422).header("Min-SE", least.to_string()));
        }
        Ok(())
    }

    /// Agrees to a timer in a 2xx of ours (RFC 4028 §9, table 2), and returns what then holds.
    pub(super) fn answer_timer(&self, request: &Request, response: &mut Response) -> Timing {
        let mut timing = Timing::default();
        let Some(timers) = self.config.session_timers else {
            return timing;
        };
        if !refreshes(request.method()) || !response.status().is_success() {
            return timing;
        }
        let asked = request.headers().typed::<SessionExpires>();
        let asked = asked.and_then(Result::ok);
        let least = request.headers().typed::<MinSe>().and_then(Result::ok);
        let least = least.map_or(SHORTEST, |least| least.0).max(SHORTEST);
        let refresher = match (knows_timers(request.headers()), &asked) {
            (true, Some(asked)) => asked.refresher().unwrap_or(Refresher::Uac),
            (true, None) => Refresher::Uac,
            // A proxy asked for it; the caller would not understand.
            (false, Some(_)) => Refresher::Uas,
            (false, None) => return timing,
        };
        let seconds = asked
            .map_or(timers.expires, |asked| asked.seconds)
            .max(least);
        let headers = response.headers_mut();
        headers.push_typed(&SessionExpires::new(seconds, Some(refresher)));
        if refresher == Refresher::Uac {
            headers.put(HeaderName::Require, TAG);
        }
        timing.running = Some(Running {
            seconds,
            we_refresh: refresher == Refresher::Uas,
        });
        timing
    }

    /// Takes what a 2xx to an INVITE or UPDATE of ours has settled.
    pub(super) fn timer_agreed(&mut self, usage: UsageId, response: &Response, now: Instant) {
        let settled = response.headers().typed::<SessionExpires>();
        let settled = settled.and_then(Result::ok);
        let running = settled.map(|settled| Running {
            // Who settles on less than may be asked for gets no more messages of us for it.
            seconds: settled.seconds.max(SHORTEST),
            // Without a word on who refreshes, two do no harm.
            we_refresh: settled.refresher() != Some(Refresher::Uas),
        });
        self.run_timer(
            usage,
            running.filter(|_| self.config.session_timers.is_some()),
            now,
        );
    }

    /// Takes what a 2xx of ours has settled.
    pub(super) fn timer_answered(&mut self, usage: UsageId, timing: Timing, now: Instant) {
        self.run_timer(usage, timing.running, now);
    }

    fn run_timer(&mut self, usage: UsageId, running: Option<Running>, now: Instant) {
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        established.timing.running = running;
        let Some(running) = running else {
            return self.stop_timer(usage);
        };
        let interval = Duration::from_secs(u64::from(running.seconds));
        let end = now + interval - MARGIN.min(interval / 3);
        self.alarms.start(Alarm::SessionExpiry(usage), end);
        match running.we_refresh {
            true => self
                .alarms
                .start(Alarm::SessionRefresh(usage), now + interval / 2),
            false => self.alarms.stop(Alarm::SessionRefresh(usage)),
        }
    }

    pub(super) fn stop_timer(&mut self, usage: UsageId) {
        self.alarms.stop(Alarm::SessionRefresh(usage));
        self.alarms.stop(Alarm::SessionExpiry(usage));
    }

    /// Refreshes the call: by UPDATE where the other side knows that, which needs no offer, else the caller shall
    /// send a re-INVITE.
    pub(super) fn refresh_session(&mut self, usage: UsageId, now: Instant) {
        let Ok(established) = self.established(usage) else {
            return;
        };
        let takes_update = established.peer_takes_update;
        let Some(running) = established.timing.running else {
            return;
        };
        // A refresh that fails is tried again while there is time.
        let again = Duration::from_secs(u64::from(running.seconds)) / 6;
        self.alarms.start(Alarm::SessionRefresh(usage), now + again);
        match takes_update {
            // Without a flow the next try, or the caller's own re-INVITE over the next flow, has more luck.
            true => drop(self.request_in(usage, Method::Update, &[], None, now)),
            false => self.emit(Event::RefreshDue { usage }),
        }
    }

    /// Nobody has refreshed the call in time (RFC 4028 §10).
    pub(super) fn session_expired(&mut self, usage: UsageId, now: Instant) {
        self.hang_up(usage, None, EndCause::Expired, now);
    }
}

impl Established {
    /// Takes what a message of the other side says of its abilities.
    pub(super) fn learn_abilities(&mut self, headers: &Headers) {
        if headers.get(HeaderName::Allow).is_some() {
            self.peer_takes_update = headers.lists(HeaderName::Allow, Method::Update.as_str());
        }
    }
}

/// RFC 4028 §4: session refresh requests.
fn refreshes(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}

fn knows_timers(headers: &Headers) -> bool {
    headers.lists(HeaderName::Supported, TAG) || headers.lists(HeaderName::Require, TAG)
}
