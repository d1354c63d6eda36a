//! Why a session ended, in the words of XEP-0166 §7.4.

use std::fmt;

use serde::{Deserialize, Serialize};

use sip::header::Reason;

use crate::door::error::SipStatus;

/// Why a session ended, or why a pending one never started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndReason {
    /// The Jingle condition.
    pub condition: Condition,
    /// A sentence for people: the peer's own words where it sent some.
    pub text: String,
    /// Who ended it.
    pub side: Side,
    /// The SIP status that ended it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip: Option<SipStatus>,
    /// The Q.850 cause of a `Reason` header, 1 to 127.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q850: Option<u8>,
    /// Where the call was sent instead, by a 3xx that was not followed; best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<RedirectTarget>,
    /// How the call was, of a session that had media.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// How a call was from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The codec we sent last, by its SDP name.
    pub codec: Option<String>,
    /// Milliseconds since it was answered; 0 where it was not.
    pub duration: u64,
    /// The estimated mean opinion score.
    pub mos: Mos,
    /// Percent of packets lost, of what was to be received.
    pub loss: f64,
    /// Milliseconds of jitter of what was received, in the mean.
    pub jitter: f64,
    /// Milliseconds of round trip, in the mean; nothing if it never got known.
    pub rtt: Option<f64>,
}

/// Estimated mean opinion scores, 1 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mos {
    /// Of the worst moment.
    pub least: f64,
    /// Of the whole call.
    pub mean: f64,
}

/// Where a call was sent instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectTarget {
    /// The SIP address.
    pub uri: String,
    /// Who that is, if the answer says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// How much it is preferred, 0 to 1.
    pub q: f64,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.condition.as_str())
    }
}

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// This phone or its application.
    Local,
    /// The other party, or a server that speaks for it.
    Remote,
    /// Neither: the connection or the media path was lost.
    Network,
}

/// What another device of the user did with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Elsewhere {
    /// It took it.
    Answered,
    /// It refused it, for all of them.
    Declined,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A reason of XEP-0166 §7.4.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Condition { $($(#[$doc])* $name,)* }

        impl Condition {
            /// The condition as XEP-0166 writes it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a condition as XEP-0166 writes it.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

conditions! {
    /// Another session takes this one's place.
    AlternativeSession = "alternative-session",
    /// The callee is busy.
    Busy = "busy",
    /// The caller gave up.
    Cancel = "cancel",
    /// The connection was lost.
    ConnectivityError = "connectivity-error",
    /// The callee does not want the call.
    Decline = "decline",
    /// The session's time ran out.
    Expired = "expired",
    /// The application refused or broke.
    FailedApplication = "failed-application",
    /// ICE or DTLS did not come up.
    FailedTransport = "failed-transport",
    /// Something else failed.
    GeneralError = "general-error",
    /// There is no such party, or it has gone.
    Gone = "gone",
    /// The parties have no codec or transport in common.
    IncompatibleParameters = "incompatible-parameters",
    /// Media could not be processed.
    MediaError = "media-error",
    /// Credentials or keys were refused.
    SecurityError = "security-error",
    /// A call that ended as calls do.
    Success = "success",
    /// Nobody answered in time.
    Timeout = "timeout",
    /// The peer offers nothing that this phone does.
    UnsupportedApplications = "unsupported-applications",
    /// The peer offers no transport that this phone has.
    UnsupportedTransports = "unsupported-transports",
}

impl EndReason {
    /// A reason without a SIP status.
    pub(crate) fn new(condition: Condition, side: Side, text: impl Into<String>) -> Self {
        Self {
            condition,
            text: text.into(),
            side,
            sip: None,
            q850: None,
            targets: Vec::new(),
            summary: None,
        }
    }

    /// The reason that a final response to our INVITE gives. A `Reason` in it is what a gateway or a fork was told
    /// (RFC 6432, RFC 3326 §2), and its status often only the nearest: it counts where it says more.
    pub(crate) fn of_response(status: SipStatus, causes: &Causes) -> Self {
        Self {
            condition: causes.of_refusal().unwrap_or(of_status(status.code)),
            text: causes.text.clone().unwrap_or_else(|| status.reason.clone()),
            side: Side::Remote,
            sip: Some(status),
            q850: causes.q850,
            targets: Vec::new(),
            summary: None,
        }
    }

    /// The reason that a BYE gives.
    pub(crate) fn of_bye(causes: &Causes) -> Self {
        let condition = match (causes.q850, causes.sip) {
            (Some(cause), _) => of_q850(cause),
            (None, Some(200)) if causes.is_elsewhere() => Condition::AlternativeSession,
            (None, Some(code)) if code >= 300 => of_status(code),
            (None, Some(_) | None) => Condition::Success,
        };
        Self::of_causes(condition, causes, "The other party hung up")
    }

    /// The reason that a CANCEL gives, and what another device of the user did with the call.
    pub(crate) fn of_cancel(causes: &Causes) -> (Self, Option<Elsewhere>) {
        let (condition, elsewhere) = if causes.is_elsewhere() {
            (Condition::AlternativeSession, Some(Elsewhere::Answered))
        } else {
            // That the call was cancelled is no news: beside it the Q.850 cause counts.
            match (causes.sip.filter(|code| *code != 487), causes.q850) {
                (Some(486 | 600), _) | (None, Some(17)) => {
                    (Condition::Busy, Some(Elsewhere::Declined))
                }
                // "Not available" is what a device says on which nobody wants to be disturbed.
                (Some(480 | 603 | 607 | 608), _) | (None, Some(21)) => {
                    (Condition::Decline, Some(Elsewhere::Declined))
                }
                (Some(408), _) | (None, Some(18 | 19 | 102)) => (Condition::Timeout, None),
                (Some(_) | None, _) => (Condition::Cancel, None),
            }
        };
        let text = match elsewhere {
            Some(Elsewhere::Answered) => "Answered by another device",
            Some(Elsewhere::Declined) => "Declined by another device",
            None => "The caller gave up",
        };
        (Self::of_causes(condition, causes, text), elsewhere)
    }

    /// The reason of an end that the application wants; `None` if it gives neither condition nor cause.
    pub(crate) fn wanted(
        condition: Option<Condition>,
        cause: Option<u8>,
        text: Option<String>,
    ) -> Option<Self> {
        let meant = condition.or_else(|| cause.map(of_q850))?;
        Some(Self {
            text: text.unwrap_or_else(|| ENDED_HERE.into()),
            q850: cause.or(Some(q850_of(meant))),
            ..Self::new(meant, Side::Local, "")
        })
    }

    /// What a BYE says of it: what the application wants to say, or what went wrong (RFC 3326).
    pub(crate) fn to_header(&self) -> Option<Reason<'static>> {
        use Condition::{
            ConnectivityError, Expired, FailedApplication, FailedTransport, GeneralError,
            IncompatibleParameters, MediaError, SecurityError,
        };
        let went_wrong = [
            ConnectivityError,
            Expired,
            FailedApplication,
            FailedTransport,
            GeneralError,
            IncompatibleParameters,
            MediaError,
            SecurityError,
        ];
        let wrong = went_wrong.contains(&self.condition);
        let cause = self.q850.or(wrong.then(|| q850_of(self.condition)))?;
        let reason = Reason::new("Q.850").with_param("cause", &cause.to_string());
        // What we say to our own people of our own failures is not for the other party's.
        let said = self.q850.is_some() && self.text != ENDED_HERE;
        Some(match said {
            true => reason.with_param("text", &self.text),
            false => reason,
        })
    }

    /// What a CANCEL says of it, if the application wants to say something. That another of the parties called has
    /// answered is said as every phone reads it.
    pub(crate) fn to_cancel_header(&self) -> Option<Reason<'static>> {
        let elsewhere = self.condition == Condition::AlternativeSession && self.side == Side::Local;
        match elsewhere {
            true => Some(
                Reason::new("SIP")
                    .with_param("cause", "200")
                    .with_param("text", "Call completed elsewhere"),
            ),
            false => self.q850.and_then(|_| self.to_header()),
        }
    }

    fn of_causes(condition: Condition, causes: &Causes, text: &str) -> Self {
        Self {
            condition,
            text: causes.text.clone().unwrap_or_else(|| text.into()),
            side: Side::Remote,
            sip: causes.sip.map(|code| SipStatus {
                code,
                reason: causes.text.clone().unwrap_or_default(),
            }),
            q850: causes.q850,
            targets: Vec::new(),
            summary: None,
        }
    }
}

/// What the `Reason` headers of a message say (RFC 3326), the first of each protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Causes {
    pub(crate) sip: Option<u16>,
    pub(crate) q850: Option<u8>,
    pub(crate) text: Option<String>,
}

impl Causes {
    /// Takes one value of a `Reason` header.
    pub(crate) fn add(&mut self, protocol: &str, cause: Option<u16>, text: Option<&str>) {
        if protocol.eq_ignore_ascii_case("SIP") {
            let code = cause.filter(|code| (200..700).contains(code));
            self.sip = self.sip.or(code);
        }
        // Some leave the dot out.
        if ["Q.850", "Q850"]
            .iter()
            .any(|name| protocol.eq_ignore_ascii_case(name))
        {
            let cause = cause.and_then(|cause| u8::try_from(cause).ok());
            self.q850 = self
                .q850
                .or(cause.filter(|cause| (1..=127).contains(cause)));
        }
        if self.text.is_none() {
            self.text = text.filter(|text| !text.is_empty()).map(str::to_owned);
        }
    }

    /// What a refusal that holds them means; nothing if its status says as much.
    fn of_refusal(&self) -> Option<Condition> {
        let says_more = |condition: &Condition| {
            // A refusal is no success, whatever the cause of it is called.
            !matches!(condition, Condition::Success | Condition::GeneralError)
        };
        let by_cause = self.q850.map(of_q850).filter(says_more);
        let by_code = self.sip.filter(|code| *code >= 300).map(of_status);
        by_cause.or(by_code.filter(says_more))
    }

    /// Whether another device answered: the three forms that servers send.
    fn is_elsewhere(&self) -> bool {
        self.sip == Some(200)
            || self.q850 == Some(26)
            || self
                .text
                .as_deref()
                .is_some_and(|text| text.to_ascii_lowercase().contains("completed elsewhere"))
    }
}

pub(crate) fn of_status(code: u16) -> Condition {
    match code {
        408 | 480 => Condition::Timeout,
        487 => Condition::Cancel,
        486 | 600 => Condition::Busy,
        603 | 607 | 608 => Condition::Decline,
        301 | 404 | 410 | 481 | 604 => Condition::Gone,
        415 | 488 | 606 => Condition::IncompatibleParameters,
        401 | 403 | 407 | 494 => Condition::SecurityError,
        500..=599 => Condition::FailedApplication,
        _ => Condition::GeneralError,
    }
}

fn of_q850(cause: u8) -> Condition {
    match cause {
        16 | 31 => Condition::Success,
        17 => Condition::Busy,
        18..=20 | 102 => Condition::Timeout,
        21 => Condition::Decline,
        26 => Condition::AlternativeSession,
        1..=3 | 5 | 22 | 27 => Condition::Gone,
        57 | 58 | 65 | 88 => Condition::IncompatibleParameters,
        34 | 38 | 41..=44 | 46 | 47 => Condition::FailedApplication,
        _ => Condition::GeneralError,
    }
}

/// The cause that says what a condition does; of those that [`of_q850`] reads as something else, the nearest.
fn q850_of(condition: Condition) -> u8 {
    match condition {
        Condition::Success | Condition::Cancel => 16,
        Condition::Busy => 17,
        Condition::Decline => 21,
        Condition::AlternativeSession => 26,
        Condition::Gone => 27,
        Condition::ConnectivityError => 38,
        Condition::FailedApplication | Condition::FailedTransport => 41,
        Condition::MediaError => 47,
        Condition::SecurityError => 57,
        Condition::UnsupportedApplications | Condition::UnsupportedTransports => 65,
        Condition::IncompatibleParameters => 88,
        Condition::Timeout | Condition::Expired => 102,
        Condition::GeneralError => 127,
    }
}

/// What nobody else needs to read.
pub(crate) const ENDED_HERE: &str = "Ended here";

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(list: &[(&str, u16, &str)]) -> Causes {
        let mut causes = Causes::default();
        for (protocol, cause, text) in list {
            causes.add(protocol, Some(*cause), Some(*text));
        }
        causes
    }

    #[test]
    fn every_form_of_completed_elsewhere_is_handled() {
        for list in [
            [("SIP", 200, "Call completed elsewhere")],
            [("Q.850", 26, "")],
            [("sip", 487, "Call Completed Elsewhere")],
        ] {
            let (reason, elsewhere) = EndReason::of_cancel(&causes(&list));
            assert_eq!(elsewhere, Some(Elsewhere::Answered), "{list:?}");
            assert_eq!(reason.condition, Condition::AlternativeSession);
        }
    }

    #[test]
    fn declined_elsewhere_is_handled_too_and_told_apart() {
        for (protocol, cause, condition) in [
            ("SIP", 600, "busy"),
            ("SIP", 486, "busy"),
            ("SIP", 603, "decline"),
            ("SIP", 607, "decline"),
            ("SIP", 480, "decline"),
            ("Q.850", 17, "busy"),
            ("Q.850", 21, "decline"),
        ] {
            let list = causes(&[(protocol, cause, "")]);
            let (reason, elsewhere) = EndReason::of_cancel(&list);
            assert_eq!(elsewhere, Some(Elsewhere::Declined), "{cause}");
            assert_eq!(reason.to_string(), condition, "{cause}");
            assert_eq!(reason.text, "Declined by another device");
        }
        for (protocol, cause) in [("SIP", 487), ("SIP", 408), ("Q.850", 16), ("Q.850", 19)] {
            let list = causes(&[(protocol, cause, "")]);
            assert_eq!(EndReason::of_cancel(&list).1, None, "{cause}");
        }
    }

    #[test]
    fn a_plain_cancel_is_a_missed_call() {
        let (reason, elsewhere) = EndReason::of_cancel(&Causes::default());
        assert_eq!(elsewhere, None);
        assert_eq!(reason.to_string(), "cancel");
        assert_eq!(reason.side, Side::Remote);
    }

    #[test]
    fn status_codes_have_the_conditions_of_the_table() {
        for (code, condition) in [
            (486, "busy"),
            (600, "busy"),
            (603, "decline"),
            (408, "timeout"),
            (480, "timeout"),
            (404, "gone"),
            (410, "gone"),
            (301, "gone"),
            (302, "general-error"),
            (488, "incompatible-parameters"),
            (415, "incompatible-parameters"),
            (403, "security-error"),
            (487, "cancel"),
            (503, "failed-application"),
            (484, "general-error"),
        ] {
            assert_eq!(of_status(code).as_str(), condition, "{code}");
        }
    }

    fn refused(code: u16, list: &[(&str, u16, &str)]) -> EndReason {
        let reason = "No".into();
        EndReason::of_response(SipStatus { code, reason }, &causes(list))
    }

    #[test]
    fn a_refusal_means_what_its_q850_cause_says() {
        for code in [403, 404, 480, 486, 487, 500, 503, 600, 603] {
            for (cause, condition) in [
                (1, "gone"),
                (3, "gone"),
                (17, "busy"),
                (18, "timeout"),
                (19, "timeout"),
                (20, "timeout"),
                (21, "decline"),
                (22, "gone"),
                (26, "alternative-session"),
                (34, "failed-application"),
                (38, "failed-application"),
                (41, "failed-application"),
                (42, "failed-application"),
                (44, "failed-application"),
                (58, "incompatible-parameters"),
                (88, "incompatible-parameters"),
                (102, "timeout"),
            ] {
                let reason = refused(code, &[("Q.850", cause, "")]);
                assert_eq!(reason.to_string(), condition, "{code} {cause}");
                assert_eq!(reason.q850.map(u16::from), Some(cause));
                assert_eq!(reason.sip.unwrap().code, code);
            }
        }
    }

    #[test]
    fn a_refusal_whose_cause_says_nothing_means_what_its_status_says() {
        for (code, condition) in [(403, "security-error"), (486, "busy"), (404, "gone")] {
            for list in [
                &[][..],
                // Normal clearing, normal, interworking, none at all, out of range.
                &[("Q.850", 16, "")],
                &[("Q.850", 31, "")],
                &[("Q.850", 127, "")],
                &[("Q.850", 0, "")],
                &[("Q.850", 999, "")],
                &[("preemption", 1, "")],
                &[("SIP", 0, "")],
                &[("SIP", 21, "")],
                &[("SIP", 999, "")],
                &[("SIP", 200, "OK")],
            ] {
                assert_eq!(refused(code, list).to_string(), condition, "{list:?}");
            }
        }
    }

    #[test]
    fn of_several_reasons_the_first_that_can_be_read_counts_and_q850_before_sip() {
        for (list, condition) in [
            (&[("SIP", 603, ""), ("Q.850", 17, "")][..], "busy"),
            (&[("Q.850", 16, ""), ("SIP", 603, "")], "decline"),
            (&[("Q.850", 0, ""), ("Q.850", 21, "")], "decline"),
            (&[("Q.850", 999, ""), ("SIP", 486, "")], "busy"),
            (&[("Q.850", 17, ""), ("Q.850", 21, "")], "busy"),
            (&[("q850", 21, "")], "decline"),
            (&[("SIP", 487, ""), ("Q.850", 21, "")], "decline"),
        ] {
            assert_eq!(refused(500, list).to_string(), condition, "{list:?}");
        }
    }

    #[test]
    fn a_cancel_says_why_in_q850_beside_that_it_is_one() {
        for (cause, condition, elsewhere) in [
            (16, "cancel", None),
            (17, "busy", Some(Elsewhere::Declined)),
            (19, "timeout", None),
            (21, "decline", Some(Elsewhere::Declined)),
            (26, "alternative-session", Some(Elsewhere::Answered)),
        ] {
            let list = causes(&[("SIP", 487, "ORIGINATOR_CANCEL"), ("Q.850", cause, "")]);
            let (reason, told) = EndReason::of_cancel(&list);
            assert_eq!(reason.to_string(), condition, "{cause}");
            assert_eq!(told, elsewhere, "{cause}");
        }
    }

    #[test]
    fn a_bye_says_why_in_q850() {
        for (cause, condition) in [
            (16, "success"),
            (17, "busy"),
            (21, "decline"),
            (19, "timeout"),
        ] {
            let reason = EndReason::of_bye(&causes(&[("Q.850", cause, "")]));
            assert_eq!(reason.to_string(), condition);
            assert_eq!(reason.q850.map(u16::from), Some(cause));
        }
        assert_eq!(EndReason::of_bye(&Causes::default()).to_string(), "success");
    }
}
