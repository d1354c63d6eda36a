//! Registration: one binding of ours at a registrar (RFC 3261 §10, RFC 5626, RFC 5627).
//!
//! ```text
//! Idle ─register─► Registering ─2xx─► Registered ─refresh─► Registering …
//!                    │   ▲ 423, 439                └─unregister─► Unregistering ─2xx─► Idle
//!                    └─refused─► Idle (fatal) or Waiting ─retry─► Registering
//! ```

mod backoff;
mod binding;

pub use backoff::FlowRecovery;

use std::time::{Duration, Instant};

use rand::{Rng, RngExt};

use crate::header::{Expires, MinExpires, RetryAfter, ServiceRoute};
use crate::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::put::Put;
use crate::uri::Uri;
use binding::Binding;

/// What a registration is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where REGISTER goes.
    pub registrar: Uri<'static>,
    /// Address of record, as it stands in From and To, without a tag.
    pub aor: String,
    /// Our Contact's URI.
    pub contact: Uri<'static>,
    /// `+sip.instance` without angle brackets.
    pub instance_id: String,
    /// `reg-id`.
    pub reg_id: u32,
    /// Binding lifetime to ask for.
    pub expires: Duration,
    /// Call-ID of every REGISTER.
    pub call_id: String,
}

/// Where a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not wanted, or refused for good.
    Idle,
    /// A REGISTER is out.
    Registering,
    /// Bound; REGISTER again at `refresh`.
    Registered {
        /// When to renew.
        refresh: Instant,
        /// When the registrar forgets us.
        expires: Instant,
    },
    /// Refused or unreachable; REGISTER again at `retry`, or when a flow comes up.
    Waiting {
        /// When to try again.
        retry: Instant,
    },
    /// A REGISTER that removes the binding is out.
    Unregistering,
}

/// What a registrar's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// Bound.
    Bound(Bound),
    /// The binding is gone, as wanted.
    Unbound,
    /// Ask again at once, as [`Registration::request`] now says: a longer lifetime, or without outbound.
    Again,
    /// Refused.
    Refused {
        /// How long to wait before the next try; `None` if none helps.
        retry_in: Option<Duration>,
    },
    /// The registrar agreed, and lists our binding as over at once.
    Dropped {
        /// How long to wait before the next try.
        retry_in: Duration,
    },
}

/// A binding as the registrar granted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its lifetime.
    pub expires: Duration,
    /// When we renew it, from now.
    pub refresh_in: Duration,
    /// Public GRUU.
    pub pub_gruu: Option<String>,
    /// Temporary GRUU.
    pub temp_gruu: Option<String>,
    /// Service-Route, nearest first.
    pub service_route: Vec<String>,
}

/// One binding of ours at one registrar.
#[derive(Debug)]
pub struct Registration {
    settings: Settings,
    cseq: u32,
    phase: Phase,
    min_expires: Duration,
    outbound: bool,
    recovery: FlowRecovery,
    too_brief: u32,
    /// It was granted once as it is asked for now.
    was_granted: bool,
    /// A Contact of ours that the registrar may still have.
    left: Option<Uri<'static>>,
}

/// The shortest Retry-After that is taken at its word.
const LEAST_PAUSE: Duration = Duration::from_secs(2);
/// A binding is not renewed more often, however short it is.
const LEAST_REFRESH: Duration = Duration::from_secs(1);
/// How often 423 is believed in a row before it counts as a refusal.
const MAX_TOO_BRIEF: u32 = 3;

impl Registration {
    /// Makes a registration that is not wanted yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            cseq: 0,
            phase: Phase::Idle,
            min_expires: Duration::ZERO,
            outbound: true,
            recovery: FlowRecovery::default(),
            too_brief: 0,
            was_granted: false,
            left: None,
        }
    }

    /// Takes another Contact; the one that the registrar has is taken back with the next REGISTER.
    pub fn set_contact(&mut self, contact: Uri<'static>) {
        if contact == self.settings.contact {
            return;
        }
        let left = std::mem::replace(&mut self.settings.contact, contact);
        let bound = self.was_granted.then_some(left);
        self.left = self.left.take().or(bound);
    }

    /// Returns where it stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Says whether a REGISTER is out; there is never more than one (RFC 3261 §10.2).
    pub fn is_outstanding(&self) -> bool {
        match self.phase {
            Phase::Registering | Phase::Unregistering => true,
            Phase::Idle | Phase::Registered { .. } | Phase::Waiting { .. } => false,
        }
    }

    /// Makes the REGISTER that binds us or renews our binding.
    pub fn register(&mut self) -> Request {
        self.phase = Phase::Registering;
        self.request()
    }

    /// Makes the REGISTER that removes our binding, and no other's.
    pub fn unregister(&mut self) -> Request {
        self.phase = Phase::Unregistering;
        self.request()
    }

    /// Makes the REGISTER of the present phase under the next CSeq.
    pub fn request(&mut self) -> Request {
        let settings = &self.settings;
        let mut request = Request::new(Method::Register, settings.registrar.clone());
        self.cseq += 1;
        let headers = request.headers_mut();
        headers.put(HeaderName::MaxForwards, "70");
        headers.put(
            HeaderName::From,
            &format!("{};tag={}", settings.aor, self.tag()),
        );
        headers.put(HeaderName::To, &settings.aor);
        headers.put(HeaderName::CallId, &settings.call_id);
        headers.put(HeaderName::CSeq, &format!("{} REGISTER", self.cseq));
        headers.put(HeaderName::Contact, &self.contact());
        if let Some(left) = &self.left {
            headers.put(HeaderName::Contact, &format!("<{left}>;expires=0"));
        }
        let expires = match self.phase {
            Phase::Unregistering => Duration::ZERO,
            Phase::Idle | Phase::Registering | Phase::Registered { .. } | Phase::Waiting { .. } => {
                self.wanted()
            }
        };
        headers.put(HeaderName::Expires, &expires.as_secs().to_string());
        request
    }

    /// Returns the CSeq for a REGISTER sent again with credentials.
    pub fn next_cseq(&mut self) -> u32 {
        self.cseq += 1;
        self.cseq
    }

    /// Takes the registrar's final answer, other than a challenge.
    pub fn handle_response(
        &mut self,
        response: &Response,
        now: Instant,
        rng: &mut impl Rng,
    ) -> RegistrationOutcome {
        if response.status().is_success() {
            return self.granted(response, now, rng);
        }
        if self.phase == Phase::Unregistering {
            self.phase = Phase::Idle;
            return RegistrationOutcome::Unbound;
        }
        if let Some(again) = self.adapt(response) {
            return again;
        }
        self.refused(response, now, rng)
    }

    /// Notes that the REGISTER had no answer, or found no flow, and returns how long to wait before the next.
    pub fn handle_silence(&mut self, now: Instant, rng: &mut impl Rng) -> Option<Duration> {
        if self.phase == Phase::Unregistering {
            self.phase = Phase::Idle;
            return None;
        }
        let wait = self.recovery.next(true, rng);
        Some(self.wait(wait, now))
    }

    /// Notes that nothing more is wanted.
    pub fn stop(&mut self) {
        self.phase = Phase::Idle;
    }

    /// Notes that the machine slept for `slept`, which `now` does not contain, and returns when the next REGISTER is due.
    pub fn handle_sleep(&mut self, slept: Duration, now: Instant) -> Option<Instant> {
        let earlier = |at: Instant| at.checked_sub(slept).unwrap_or(now).max(now);
        match &mut self.phase {
            Phase::Registered { refresh, expires } => {
                *refresh = earlier(*refresh);
                *expires = earlier(*expires);
                Some(*refresh)
            }
            Phase::Waiting { retry } => {
                *retry = earlier(*retry);
                Some(*retry)
            }
            Phase::Idle | Phase::Registering | Phase::Unregistering => None,
        }
    }

    fn granted(
        &mut self,
        response: &Response,
        now: Instant,
        rng: &mut impl Rng,
    ) -> RegistrationOutcome {
        if self.phase == Phase::Unregistering {
            self.phase = Phase::Idle;
            self.recovery.reset();
            return RegistrationOutcome::Unbound;
        }
        let Some((binding, expires)) = self.granted_binding(response) else {
            let wait = self.recovery.next(true, rng);
            let retry_in = self.wait(wait, now);
            return RegistrationOutcome::Dropped { retry_in };
        };
        self.recovery.reset();
        self.too_brief = 0;
        self.was_granted = true;
        self.left = None;
        let refresh_in = refresh_after(expires, rng);
        self.phase = Phase::Registered {
            refresh: now + refresh_in,
            expires: now + expires,
        };
        RegistrationOutcome::Bound(Bound {
            expires,
            refresh_in,
            pub_gruu: binding.pub_gruu,
            temp_gruu: binding.temp_gruu,
            service_route: response
                .headers()
                .list::<ServiceRoute>()
                .filter_map(Result::ok)
                .map(|route| route.to_string())
                .collect(),
        })
    }

    /// Our binding and its lifetime, if it has one: by its own word, the header's, or else as asked for.
    fn granted_binding(&self, response: &Response) -> Option<(Binding, Duration)> {
        let binding = binding::own(response.headers(), &self.settings)?;
        let expires = binding.expires.or_else(|| header_seconds(response));
        let expires = expires.unwrap_or_else(|| self.wanted());
        (!expires.is_zero()).then_some((binding, expires))
    }

    /// Changes what is asked for where the refusal says what would be taken.
    fn adapt(&mut self, response: &Response) -> Option<RegistrationOutcome> {
        if response.status() == StatusCode::INTERVAL_TOO_BRIEF && self.too_brief < MAX_TOO_BRIEF {
            let least = response.headers().typed::<MinExpires>()?.ok()?;
            let least = Duration::from_secs(u64::from(least.0));
            if least > self.wanted() {
                self.min_expires = least;
                self.too_brief += 1;
                return Some(RegistrationOutcome::Again);
            }
        }
        if response.status() == StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT && self.outbound {
            self.outbound = false;
            return Some(RegistrationOutcome::Again);
        }
        None
    }

    fn refused(
        &mut self,
        response: &Response,
        now: Instant,
        rng: &mut impl Rng,
    ) -> RegistrationOutcome {
        let forgets = self.was_granted && is_unknown(response.status());
        if is_fatal(response.status()) && !forgets {
            self.phase = Phase::Idle;
            return RegistrationOutcome::Refused { retry_in: None };
        }
        let asked = response
            .headers()
            .typed::<RetryAfter>()
            .and_then(Result::ok)
            .map(|after| after.delay())
            // Who says "at once" would have us ask without a pause.
            .filter(|delay| *delay >= LEAST_PAUSE);
        let retry_in = asked.unwrap_or_else(|| self.recovery.next(true, rng));
        RegistrationOutcome::Refused {
            retry_in: Some(self.wait(retry_in, now)),
        }
    }

    fn wait(&mut self, wait: Duration, now: Instant) -> Duration {
        self.phase = Phase::Waiting { retry: now + wait };
        wait
    }

    fn wanted(&self) -> Duration {
        self.settings.expires.max(self.min_expires)
    }

    fn contact(&self) -> String {
        let Settings {
            contact,
            instance_id,
            reg_id,
            ..
        } = &self.settings;
        if self.outbound {
            format!("<{contact}>;reg-id={reg_id};+sip.instance=\"<{instance_id}>\"")
        } else {
            format!("<{contact}>;+sip.instance=\"<{instance_id}>\"")
        }
    }

    /// The From tag may be the Call-ID's own: both name this series of REGISTERs (RFC 3261 §10.2).
    fn tag(&self) -> &str {
        let call_id = &self.settings.call_id;
        call_id.split('@').next().unwrap_or(call_id)
    }
}

/// Draws when to renew a binding of this lifetime: 80–90 % of more than two minutes, half of less.
pub fn refresh_after(expires: Duration, rng: &mut impl Rng) -> Duration {
    if expires > Duration::from_secs(120) {
        expires.mul_f64(rng.random_range(0.8..=0.9))
    } else {
        (expires / 2).max(LEAST_REFRESH)
    }
}

/// Says whether a registrar does not know us. One that did has forgotten us, as behind a restart whose users are not loaded
/// yet, and may know us again.
fn is_unknown(status: StatusCode) -> bool {
    matches!(status.code(), 404 | 410 | 481 | 604)
}

/// Says whether asking again can't help until something is changed on one of the sides.
fn is_fatal(status: StatusCode) -> bool {
    match status.code() {
        // What is busy, broken or slow now may not be later.
        408 | 430 | 480 | 486 | 491 | 500..=599 | 600 => false,
        _ => true,
    }
}

fn header_seconds(response: &Response) -> Option<Duration> {
    let expires = response.headers().typed::<Expires>()?.ok()?;
    Some(Duration::from_secs(u64::from(expires.0)))
}
