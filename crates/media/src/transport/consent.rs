//! The peer's consent to receive, and whether it is still heard (RFC 7675).
//!
//! The ICE crate counts any traffic as a sign of life and forgets all candidates when it gives
//! up, so its own timers are off and these take their place.
//!
//! RFC 7675 would fall silent 30 s after the last answer. Some peers answer no check once a call is
//! set up, and some only those of a session that signalling has replaced, while their sound goes on;
//! so anything that only the peer can have sent keeps the path: an answer, a check, media, RTCP.

use std::time::{Duration, Instant};

/// RFC 7675 §5.1: consent expires this long after the last sign of the peer.
const EXPIRY: Duration = Duration::from_secs(30);
/// RFC 7675 §5.1: the mean time between checks, randomised from 0.8 to 1.2 times.
const INTERVAL: Duration = Duration::from_secs(5);
/// A peer that sent media until now and falls silent is asked before the next check is due.
const MEDIA_SILENCE: Duration = Duration::from_millis(3500);
/// The silence that is an interruption.
const INTERRUPTION: Duration = Duration::from_secs(5);
/// An unanswered check is repeated at this pace; it must not take long to find out.
const RETRY: Duration = Duration::from_millis(500);
/// How long a check has to be unanswered before silence is an interruption.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pace of checks during an interruption.
const INTERRUPTED_RETRY: Duration = Duration::from_secs(1);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConsentDue {
    /// Send a consent check.
    Check,
    /// Give the path up.
    Expired,
}

/// Whether the path may be gone because packets take another way now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    None,
    /// A check went then. One that usually answers must answer: what comes from it shows only that it can still send.
    Asked {
        at: Instant,
        answers: bool,
    },
    /// Nothing dispelled it in time.
    Confirmed,
}

/// The clockwork of one selected path.
#[derive(Debug)]
pub(super) struct Consent {
    heard: Instant,
    media_heard: Option<Instant>,
    next_check: Instant,
    unanswered_since: Option<Instant>,
    watch: Instant,
    interrupted: bool,
    doubt: Doubt,
}

impl Consent {
    /// Starts when a check of the path was answered.
    pub(super) fn new(now: Instant, jitter: f64) -> Self {
        Self {
            heard: now,
            media_heard: None,
            next_check: now + INTERVAL.mul_f64(jitter),
            unanswered_since: None,
            watch: now + INTERVAL.mul_f64(jitter),
            interrupted: false,
            doubt: Doubt::None,
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted || self.doubt == Doubt::Confirmed
    }

    /// The path may be gone: a check goes now, and if it brings nothing in a second, the path is interrupted.
    pub(super) fn doubt(&mut self, now: Instant) {
        let answers = self
            .unanswered_since
            .is_none_or(|since| now < since + PATIENCE);
        // A second notice asks nothing new, and must not give the first question more time.
        if self.doubt == Doubt::None && !self.interrupted {
            self.doubt = Doubt::Asked { at: now, answers };
        }
        self.ask(now);
    }

    /// A check goes now, and is repeated until it is answered.
    pub(super) fn ask(&mut self, now: Instant) {
        self.unanswered_since.get_or_insert(now);
        self.next_check = self.next_check.min(now + RETRY);
        self.watch = self.next_watch(now);
    }

    /// Returns whether anything came on the path after that.
    pub(super) fn is_heard_since(&self, since: Instant) -> bool {
        self.heard > since
    }

    /// Notes something authentic from the peer.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.interrupted = false;
        if let Doubt::Asked { answers: false, .. } = self.doubt {
            self.doubt = Doubt::None;
        }
    }

    /// Notes a media packet.
    pub(super) fn heard_media(&mut self, now: Instant) {
        self.heard(now);
        self.media_heard = Some(now);
    }

    /// Notes an answer to one of our checks on this path; `jitter` is 0.8 to 1.2.
    pub(super) fn granted(&mut self, now: Instant, jitter: f64) {
        self.heard(now);
        self.doubt = Doubt::None;
        self.unanswered_since = None;
        self.next_check = now + INTERVAL.mul_f64(jitter);
        self.watch = self.next_check;
    }

    /// Returns when to look again.
    pub(super) fn poll_timeout(&self) -> Instant {
        self.watch.min(self.heard + EXPIRY)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<ConsentDue> {
        if now >= self.heard + EXPIRY {
            return Some(ConsentDue::Expired);
        }
        if now < self.watch {
            return None;
        }
        if let Doubt::Asked { at, .. } = self.doubt
            && now >= at + PATIENCE
        {
            self.doubt = Doubt::Confirmed;
        }
        if let Some(since) = self.unanswered_since {
            let silent = now >= self.heard + INTERRUPTION;
            self.interrupted |= silent && now >= since + PATIENCE;
        }
        let due = now >= self.next_check || self.has_media_stopped(now);
        if due {
            let since = *self.unanswered_since.get_or_insert(now);
            self.next_check = now + self.pace(now.saturating_duration_since(since));
        }
        self.watch = self.next_watch(now);
        due.then_some(ConsentDue::Check)
    }

    /// How long to wait for an answer before the check is repeated.
    fn pace(&self, unanswered: Duration) -> Duration {
        match self.is_interrupted() {
            true => INTERRUPTED_RETRY,
            false if unanswered < EXPIRY => RETRY,
            // It is heard, and answers nothing: it never will, or not these credentials.
            false => INTERVAL,
        }
    }

    fn has_media_stopped(&self, now: Instant) -> bool {
        self.unanswered_since.is_none()
            && self
                .media_heard
                .is_some_and(|heard| heard == self.heard && now >= heard + MEDIA_SILENCE)
    }

    /// What is heard moves its own deadline with every packet; it is looked at once it has passed, so
    /// that no packet costs a change of timer.
    fn next_watch(&self, now: Instant) -> Instant {
        if let Doubt::Asked { at, .. } = self.doubt {
            return self.next_check.min(at + PATIENCE);
        }
        let silence = match self.unanswered_since {
            None => self.media_heard.map(|heard| heard + MEDIA_SILENCE),
            Some(_) => (!self.interrupted).then_some(self.heard + INTERRUPTION),
        };
        silence.map_or(self.next_check, |silence| {
            silence.max(now + RETRY).min(self.next_check)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs from `start` for some seconds; returns what was due and when.
    fn run(consent: &mut Consent, start: Instant, seconds: u64) -> Vec<(Duration, ConsentDue)> {
        let mut due = Vec::new();
        loop {
            let now = consent.poll_timeout();
            if now > start + Duration::from_secs(seconds) {
                return due;
            }
            if let Some(what) = consent.handle_timeout(now) {
                due.push((now - start, what));
                if what == ConsentDue::Expired {
                    return due;
                }
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "an origin for virtual time")]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn consent_expires_thirty_seconds_after_the_last_sign_of_the_peer() {
        let start = origin();
        let mut consent = Consent::new(start, 1.0);
        let due = run(&mut consent, start, 60);
        assert_eq!(due.last(), Some(&(EXPIRY, ConsentDue::Expired)));
        assert_eq!(due.first(), Some(&(INTERVAL, ConsentDue::Check)));
        assert!(due.len() > 5, "{due:?}");
    }

    #[test]
    fn an_answered_path_is_checked_every_five_seconds_or_so_and_never_interrupted() {
        let start = origin();
        let mut consent = Consent::new(start, 1.2);
        let mut checks = 0;
        let mut wakes = 0;
        while consent.poll_timeout() < start + Duration::from_secs(60) {
            let now = consent.poll_timeout();
            wakes += 1;
            if consent.handle_timeout(now).is_some() {
                checks += 1;
                consent.granted(now + Duration::from_millis(80), 1.2);
            }
            assert!(!consent.is_interrupted());
        }
        assert_eq!((checks, wakes), (9, 9));
    }

    #[test]
    fn a_peer_that_answers_nothing_but_is_heard_is_asked_ever_more_rarely_and_kept() {
        let start = origin();
        let mut consent = Consent::new(start, 1.0);
        let mut checks = 0;
        for half_second in 0..1200 {
            let now = start + RETRY * half_second;
            consent.heard_media(now);
            while consent.poll_timeout() <= now {
                let due = consent.handle_timeout(now);
                assert_ne!(due, Some(ConsentDue::Expired));
                checks += u32::from(due.is_some());
            }
            assert!(!consent.is_interrupted());
        }
        assert!((150..250).contains(&checks), "{checks}");
        let last = start + RETRY * 1199;
        while !consent.is_interrupted() {
            let now = consent.poll_timeout();
            consent.handle_timeout(now);
            assert!(
                now <= last + Duration::from_millis(7500),
                "{:?}",
                now - last
            );
        }
        let due = run(&mut consent, last, 60);
        assert_eq!(due.last(), Some(&(EXPIRY, ConsentDue::Expired)));
    }

    /// What its check brings within a second, and whether media of the peer's come all the same.
    fn doubted(answers_before: bool, media: bool, answer: bool) -> bool {
        let start = origin();
        let mut consent = Consent::new(start, 1.0);
        let mut now = start;
        let later = match answers_before {
            true => start + Duration::from_secs(1),
            false => start + Duration::from_secs(60),
        };
        while now < later {
            consent.heard_media(now);
            consent.handle_timeout(now);
            now += Duration::from_millis(20);
        }
        consent.doubt(now);
        for tick in 0..100 {
            now += Duration::from_millis(20);
            if media {
                consent.heard_media(now);
            }
            if answer && tick == 40 {
                consent.granted(now, 1.0);
            }
            while consent.poll_timeout() <= now {
                consent.handle_timeout(now);
            }
        }
        let interrupted = consent.is_interrupted();
        consent.granted(now, 1.0);
        assert!(!consent.is_interrupted());
        interrupted
    }

    #[test]
    fn a_doubted_path_is_interrupted_after_a_second_unless_its_check_is_answered() {
        for media in [true, false] {
            assert!(doubted(true, media, false), "{media}");
            assert!(!doubted(true, media, true), "{media}");
        }
    }

    #[test]
    fn a_path_that_is_doubted_again_is_not_trusted_for_it() {
        let start = origin();
        let mut consent = Consent::new(start, 1.0);
        let mut notices = [0, 500, 1200].into_iter().peekable();
        for at in (0..2500).step_by(20) {
            let now = start + Duration::from_millis(at);
            consent.heard_media(now);
            if notices.next_if(|notice| *notice <= at).is_some() {
                consent.doubt(now);
            }
            while consent.poll_timeout() <= now {
                consent.handle_timeout(now);
            }
        }
        assert!(consent.is_interrupted());
    }

    #[test]
    fn a_question_is_repeated_until_it_is_answered_and_is_no_doubt() {
        let start = origin();
        let mut consent = Consent::new(start, 1.0);
        consent.heard_media(start);
        consent.ask(start);
        let due = run(&mut consent, start, 2);
        let at: Vec<_> = due.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [1, 2, 3, 4].map(|times| RETRY * times));
        assert!(!consent.is_interrupted());
        consent.granted(start + RETRY * 4, 1.0);
        assert_eq!(run(&mut consent, start, 6), []);
    }

    #[test]
    fn of_a_peer_that_answers_no_checks_media_are_enough() {
        assert!(!doubted(false, true, false));
        assert!(doubted(false, false, false));
    }

    #[test]
    fn silence_after_media_is_an_interruption_within_about_five_seconds() {
        let start = origin();
        let mut consent = Consent::new(start, 1.2);
        consent.heard_media(start);
        let mut interrupted_at = None;
        while interrupted_at.is_none() {
            let now = consent.poll_timeout();
            consent.handle_timeout(now);
            interrupted_at = consent.is_interrupted().then_some(now - start);
        }
        let at = interrupted_at.unwrap();
        assert!(
            at >= INTERRUPTION && at <= Duration::from_millis(7500),
            "{at:?}"
        );
        consent.heard(start + at);
        assert!(!consent.is_interrupted());
    }
}
