//! Whether an incoming call answers itself: what its headers ask for, and what the policy allows.

use std::time::Duration;

use sip::header::{AlertInfo, AnswerMode, AnswerModeKind, CallInfo, Params, PrivAnswerMode};
use sip::message::Headers;

use crate::config::{AutoAnswer, Policy, WhenBusy};
use crate::door::event::AutoAnswerSource;

/// A caller may ask for a delay, but not to keep us from ever ringing.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) source: AutoAnswerSource,
    pub(crate) delay: Duration,
    /// `Answer-Mode: Auto;require`: rather refuse than ring (RFC 5373 §4.2).
    pub(crate) required: bool,
}

/// What an incoming call brings to the decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingCall<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) request_uri: &'a str,
    /// Whom the server vouches for, else whom the caller claims to be, as `user@host`.
    pub(crate) callers: &'a [String],
    pub(crate) announced: bool,
    pub(crate) busy: bool,
}

/// What becomes of an incoming call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It rings; `source` where something asked in vain.
    Ring { source: Option<AutoAnswerSource> },
    /// It is answered after the delay.
    Answer {
        source: AutoAnswerSource,
        delay: Duration,
    },
    /// The application's function decides, then it is answered after the delay.
    Ask { delay: Duration },
    /// It is refused with this code.
    Refuse { code: u16 },
}

/// Judges one call by the policy.
pub(crate) fn judge(policy: &AutoAnswer, call: IncomingCall<'_>) -> Verdict {
    let wish = wish(call.headers, call.request_uri);
    let is_trusted = |caller: &String| is_trusted(&policy.trusted_peers, caller);
    let trusted = || !call.callers.is_empty() && call.callers.iter().all(is_trusted);
    let announced = (policy.announced && call.announced).then_some(AutoAnswerSource::Announced);
    let known = || announced.or_else(|| trusted().then_some(AutoAnswerSource::TrustedPeer));
    let delay = policy
        .delay
        .max(wish.map_or(Duration::ZERO, |wish| wish.delay));
    let source = match policy.policy {
        Policy::Off => None,
        Policy::Announced => known(),
        Policy::Headers => known().or(wish.map(|wish| wish.source)),
        Policy::Always => known()
            .or(wish.map(|wish| wish.source))
            .or(Some(AutoAnswerSource::Option)),
        Policy::Function if !call.busy => return Verdict::Ask { delay },
        Policy::Function => Some(AutoAnswerSource::Option),
    };
    match source {
        None => ring(wish),
        Some(source) if !call.busy => Verdict::Answer { source, delay },
        Some(source) => match (policy.when_busy, policy.policy) {
            (WhenBusy::Answer, Policy::Function) => Verdict::Ask { delay },
            (
                WhenBusy::Answer,
                Policy::Off | Policy::Announced | Policy::Headers | Policy::Always,
            ) => Verdict::Answer { source, delay },
            (WhenBusy::Reject, _) => Verdict::Refuse { code: 486 },
            (WhenBusy::Ring, _) => ring(wish),
        },
    }
}

fn ring(wish: Option<Wish>) -> Verdict {
    match wish {
        // RFC 5373 §4.2: a required mode that policy denies is refused with 403.
        Some(wish) if wish.required => Verdict::Refuse { code: 403 },
        wish => Verdict::Ring {
            source: wish.map(|wish| wish.source),
        },
    }
}

/// Reads what a call asks for; the first of the known forms in the order of trust: `Call-Info`,
/// `Alert-Info`, `Answer-Mode`, vendors' own headers, the Request-URI.
pub(crate) fn wish(headers: &Headers, request_uri: &str) -> Option<Wish> {
    let modes = || {
        let usual = headers.list::<AnswerMode<'_>>().flatten();
        let overriding = headers.list::<PrivAnswerMode<'_>>().flatten();
        let usual = usual.map(|mode| (mode.kind(), mode.is_required()));
        usual.chain(overriding.map(|mode| (mode.kind(), mode.is_required())))
    };
    let answer_mode = |(kind, _)| {
        let automatic = kind == Some(AnswerModeKind::Auto);
        automatic.then(|| asked(AutoAnswerSource::AnswerMode, None))
    };
    // What RFC 5373 requires holds in whatever other form the same is asked for.
    let required = modes().any(|mode| mode == (Some(AnswerModeKind::Auto), true));
    let vendors = |name: &'static str| headers.all(name).find_map(x_header);
    let found = headers
        .list::<CallInfo<'_>>()
        .flatten()
        .find_map(|info| by_info(info.target(), info.params(), AutoAnswerSource::CallInfo))
        .or_else(|| headers.list().flatten().find_map(|info| alert_info(&info)))
        .or_else(|| modes().find_map(answer_mode))
        .or_else(|| vendors("X-AUTOANSWER"))
        .or_else(|| vendors("X-Auto-Answer"))
        .or_else(|| vendors("P-Auto-Answer"))
        .or_else(|| request_uri_wish(request_uri));
    found.map(|wish| Wish { required, ..wish })
}

/// `answer-after=N` in seconds, or `info=alert-autoanswer` with or without `delay=N`; some write that without a URI before it.
fn by_info(target: &str, params: &Params<'_>, source: AutoAnswerSource) -> Option<Wish> {
    let bare = target.split_once('=');
    let value = |name: &str| {
        let bare = bare.filter(|(first, _)| first.trim().eq_ignore_ascii_case(name));
        let bare = bare.map(|(_, value)| value.trim().trim_matches('"'));
        params.get(name).or(bare)
    };
    if let Some(after) = value("answer-after") {
        return Some(asked(source, seconds(after)));
    }
    value("info")
        .filter(|info| info.eq_ignore_ascii_case("alert-autoanswer"))
        .map(|_| asked(source, value("delay").and_then(seconds)))
}

fn alert_info(info: &AlertInfo<'_>) -> Option<Wish> {
    // What Yealink, Polycom, RingCentral, XiVO and FreePBX write is often no URI at all.
    let words: String = info
        .target()
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '_' | '"'))
        .collect::<String>()
        .to_ascii_lowercase();
    let known = [
        "autoanswer",
        "ringanswer",
        "intercom",
        "xivoautoanswer",
        "alertautoanswer",
    ];
    let source = AutoAnswerSource::AlertInfo;
    by_info(info.target(), info.params(), source)
        .or_else(|| known.contains(&words.as_str()).then(|| asked(source, None)))
}

fn x_header(value: &str) -> Option<Wish> {
    let value = value.split(';').next().unwrap_or_default().trim();
    ["true", "yes", "1", "normal", "auto"]
        .iter()
        .any(|yes| value.eq_ignore_ascii_case(yes))
        .then(|| asked(AutoAnswerSource::XHeader, None))
}

fn request_uri_wish(uri: &str) -> Option<Wish> {
    uri.split('?')
        .next()
        .unwrap_or_default()
        .split(';')
        .skip(1)
        .any(|param| param.eq_ignore_ascii_case("intercom=true"))
        .then(|| asked(AutoAnswerSource::RequestUri, None))
}

fn asked(source: AutoAnswerSource, delay: Option<Duration>) -> Wish {
    Wish {
        source,
        delay: delay.unwrap_or_default().min(LONGEST_DELAY),
        required: false,
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn is_trusted(peers: &[String], caller: &str) -> bool {
    let host = caller.rsplit('@').next().unwrap_or_default();
    peers.iter().any(|peer| {
        let peer = peer
            .strip_prefix("sips:")
            .or_else(|| peer.strip_prefix("sip:"))
            .unwrap_or(peer);
        match peer.contains('@') {
            // RFC 3261 §19.1.4: the user part's case matters, the host's does not.
            true => match (peer.rsplit_once('@'), caller.rsplit_once('@')) {
                (Some((user, domain)), Some((caller, host))) => {
                    user == caller && domain.eq_ignore_ascii_case(host)
                }
                _ => false,
            },
            false => peer.eq_ignore_ascii_case(host),
        }
    })
}

#[cfg(test)]
mod tests {
    use sip::message::{Leniency, Message, Request};

    use super::*;

    fn invite(headers: &[(&str, &str)]) -> Request {
        let head = "INVITE sip:me@example.com SIP/2.0\r\nVia: SIP/2.0/WS a.invalid;branch=z9hG4bK1\r\n\
            From: <sip:a@b>;tag=1\r\nTo: <sip:me@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n";
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let text = format!("{head}{}\r\n", headers.collect::<String>());
        match Message::parse(text.into(), Leniency::Interop)
            .unwrap()
            .message
        {
            Message::Request(request) => request,
            Message::Response(_) => unreachable!("it is an INVITE"),
        }
    }

    fn wish_of(name: &str, value: &str) -> Option<(AutoAnswerSource, u64)> {
        wish(invite(&[(name, value)]).headers(), "sip:me@example.com")
            .map(|wish| (wish.source, u64::try_from(wish.delay.as_millis()).unwrap()))
    }

    #[test]
    fn every_known_sender_is_understood() {
        use AutoAnswerSource::{AlertInfo, AnswerMode, CallInfo, XHeader};
        for (sender, name, value, expected) in [
            (
                "Genesys Cloud",
                "Alert-Info",
                "<http://localhost/AutoAnswer>;delay=0;info=alert-autoanswer",
                (AlertInfo, 0),
            ),
            ("RingCentral", "Alert-Info", "Auto Answer", (AlertInfo, 0)),
            (
                "RingCentral",
                "Call-Info",
                "<224981555_132089748@10.13.116.50>;purpose=info;Answer-After=0",
                (CallInfo, 0),
            ),
            (
                "FreeSWITCH",
                "Call-Info",
                "<sip:pbx.example.com>;answer-after=0",
                (CallInfo, 0),
            ),
            (
                "Asterisk",
                "Alert-Info",
                "<http://www.notused.com>;info=alert-autoanswer",
                (AlertInfo, 0),
            ),
            ("Asterisk", "Alert-Info", "Intercom", (AlertInfo, 0)),
            ("Asterisk", "Alert-Info", "ring-answer", (AlertInfo, 0)),
            (
                "Asterisk",
                "Call-Info",
                "<sip:>;answer-after=0",
                (CallInfo, 0),
            ),
            ("XiVO", "Alert-Info", "xivo-autoanswer", (AlertInfo, 0)),
            ("Wazo", "Answer-Mode", "Auto", (AnswerMode, 0)),
            ("Callifi", "X-AUTOANSWER", "TRUE", (XHeader, 0)),
            ("RFC 5373", "Answer-Mode", "Auto;require", (AnswerMode, 0)),
            ("RFC 5373", "Priv-Answer-Mode", "Auto", (AnswerMode, 0)),
            ("others", "X-Auto-Answer", "yes", (XHeader, 0)),
            ("others", "P-Auto-Answer", "normal", (XHeader, 0)),
            ("Yealink", "Alert-Info", "Auto Answer", (AlertInfo, 0)),
            ("Yealink", "Alert-Info", "Intercom", (AlertInfo, 0)),
            (
                "AudioCodes",
                "Alert-Info",
                "<http://x>;info=alert-autoanswer;delay=9;answer-after=1",
                (AlertInfo, 1000),
            ),
            (
                "Yealink",
                "Alert-Info",
                "info=alert-autoanswer",
                (AlertInfo, 0),
            ),
            ("Yealink", "Alert-Info", "answer-after=0", (AlertInfo, 0)),
            (
                "Gigaset",
                "Alert-Info",
                "<http://x>;info=alert-autoanswer;delay=3",
                (AlertInfo, 3000),
            ),
            ("Polycom", "Alert-Info", "Ring Answer", (AlertInfo, 0)),
            (
                "somebody who quotes",
                "Alert-Info",
                "\"Auto Answer\"",
                (AlertInfo, 0),
            ),
            (
                "somebody who ends with a semicolon",
                "Call-Info",
                "<sip:a>; Answer-After = 3;",
                (CallInfo, 3000),
            ),
            (
                "a list",
                "Call-Info",
                "<sip:a>;purpose=icon, <sip:b>;answer-after=2",
                (CallInfo, 2000),
            ),
        ] {
            assert_eq!(
                wish_of(name, value),
                Some(expected),
                "{sender}: {name}: {value}"
            );
        }
    }

    #[test]
    fn a_ring_type_is_no_wish() {
        for (name, value) in [
            (
                "Alert-Info",
                "<cid:internal@example.com>;avaya-cm-alert-type=internal",
            ),
            ("Alert-Info", "<http://localhost/;answer-after=0>"),
            ("Call-Info", "<sip:a;answer-after=0>;purpose=icon"),
            ("Alert-Info", "<http://localhost/answer-after=0>"),
            ("Alert-Info", "Auto Attendant"),
            ("Alert-Info", "<intercom"),
            ("Call-Info", "<sip:a>;=;answer-after=0"),
            ("Answer-Mode", "Auto;="),
            ("Call-Info", "<sip:a>;purpose=\"x;answer-after=0\""),
            ("Answer-Mode", "Manual"),
            ("X-AUTOANSWER", "false"),
        ] {
            assert_eq!(wish_of(name, value), None, "{name}: {value}");
        }
    }

    #[test]
    fn delays_are_seconds_and_bounded() {
        assert_eq!(
            wish_of("Call-Info", "<sip:a>;answer-after=1.5"),
            Some((AutoAnswerSource::CallInfo, 1500))
        );
        assert_eq!(
            wish_of("Call-Info", "<sip:a>;answer-after=1e300"),
            Some((AutoAnswerSource::CallInfo, 0))
        );
        assert_eq!(
            wish_of("Call-Info", "<sip:a>;answer-after=99999"),
            Some((AutoAnswerSource::CallInfo, 60_000))
        );
        assert_eq!(
            wish_of("Call-Info", "<sip:a>;answer-after=-1"),
            Some((AutoAnswerSource::CallInfo, 0))
        );
    }

    #[test]
    fn the_request_uri_can_ask() {
        let wish = wish(invite(&[]).headers(), "sip:me@example.com;intercom=true").unwrap();
        assert_eq!(wish.source, AutoAnswerSource::RequestUri);
    }

    fn policy(policy: Policy) -> AutoAnswer {
        AutoAnswer {
            policy,
            announced: true,
            delay: Duration::ZERO,
            when_busy: WhenBusy::Ring,
            trusted_peers: vec!["boss@example.com".into(), "trusted.example".into()],
            beep: false,
            video: None,
            screen: None,
        }
    }

    fn call(invite: &Request) -> IncomingCall<'_> {
        IncomingCall {
            headers: invite.headers(),
            request_uri: "sip:me@example.com",
            callers: &[],
            announced: false,
            busy: false,
        }
    }

    fn asking() -> Request {
        invite(&[("Call-Info", "<sip:a>;answer-after=0")])
    }

    fn answers(policy: &AutoAnswer, call: IncomingCall<'_>) -> bool {
        matches!(judge(policy, call), Verdict::Answer { .. })
    }

    #[test]
    fn a_header_alone_opens_no_microphone_under_announced() {
        assert!(!answers(&policy(Policy::Announced), call(&asking())));
        assert!(answers(&policy(Policy::Headers), call(&asking())));
    }

    #[test]
    fn announced_calls_and_trusted_peers_are_answered() {
        let plain = invite(&[]);
        let announced = IncomingCall {
            announced: true,
            ..call(&plain)
        };
        assert!(answers(&policy(Policy::Announced), announced));
        for (caller, trusted) in [
            ("boss@EXAMPLE.com", true),
            ("anyone@trusted.example", true),
            ("Boss@example.com", false),
            ("boss@example.com.evil.example", false),
            ("eve@example.com", false),
        ] {
            assert_eq!(
                answers(
                    &policy(Policy::Announced),
                    IncomingCall {
                        callers: &[caller.to_owned()],
                        ..call(&invite(&[]))
                    }
                ),
                trusted,
                "{caller}"
            );
        }
    }

    #[test]
    fn off_answers_nothing_and_always_everything() {
        let plain = invite(&[]);
        let announced = IncomingCall {
            announced: true,
            ..call(&plain)
        };
        assert!(!answers(&policy(Policy::Off), announced));
        assert!(answers(&policy(Policy::Always), call(&invite(&[]))));
    }

    #[test]
    fn announced_calls_can_be_switched_off() {
        let switched = AutoAnswer {
            announced: false,
            ..policy(Policy::Announced)
        };
        assert!(!answers(
            &switched,
            IncomingCall {
                announced: true,
                ..call(&invite(&[]))
            }
        ));
    }

    #[test]
    fn a_required_mode_that_policy_denies_is_refused() {
        let headers = invite(&[("Answer-Mode", "Auto;require")]);
        assert_eq!(
            judge(&policy(Policy::Off), call(&headers)),
            Verdict::Refuse { code: 403 }
        );
        assert!(answers(&policy(Policy::Headers), call(&headers)));
    }

    #[test]
    fn a_busy_phone_rings_answers_or_refuses_as_told() {
        let headers = asking();
        let busy = IncomingCall {
            busy: true,
            ..call(&headers)
        };
        let with = |when_busy| AutoAnswer {
            when_busy,
            ..policy(Policy::Headers)
        };
        assert!(matches!(
            judge(&with(WhenBusy::Ring), busy),
            Verdict::Ring { .. }
        ));
        assert!(answers(&with(WhenBusy::Answer), busy));
        assert_eq!(
            judge(&with(WhenBusy::Reject), busy),
            Verdict::Refuse { code: 486 }
        );
    }

    #[test]
    fn the_longer_of_two_delays_wins() {
        let headers = invite(&[("Call-Info", "<sip:a>;answer-after=3")]);
        let with = |seconds| AutoAnswer {
            delay: Duration::from_secs(seconds),
            ..policy(Policy::Headers)
        };
        let delay = |verdict| {
            let Verdict::Answer { delay, .. } = verdict else {
                panic!("{verdict:?}");
            };
            delay.as_secs()
        };
        assert_eq!(delay(judge(&with(1), call(&headers))), 3);
        assert_eq!(delay(judge(&with(5), call(&headers))), 5);
    }
}
