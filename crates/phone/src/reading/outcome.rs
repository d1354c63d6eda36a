//! How requests and calls end: statuses, refusals, causes.

use sip::endpoint::{CommandError, RequestFailure};
use sip::header::Reason;
use sip::message::{Headers, Response};

use crate::door::end_reason::{Causes, RedirectTarget};
use crate::door::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
use crate::door::text::short;

/// The status line of a response.
pub(crate) fn status(response: &Response) -> SipStatus {
    SipStatus {
        code: response.status().code(),
        reason: short(response.reason()),
    }
}

/// What a request fails with whose answer is no 2xx.
pub(crate) fn refused(response: &Response) -> PhoneError {
    let status = status(response);
    let text = format!("The request was refused: {} {}", status.code, status.reason);
    PhoneError::new(ErrorCode::RequestRefused, text).with_sip(Some(status))
}

/// What a request fails with that had no answer.
pub(crate) fn unanswered(failure: RequestFailure) -> PhoneError {
    let (code, text) = match failure {
        RequestFailure::Timeout => (
            ErrorCode::RequestTimeout,
            "The request was not answered in time",
        ),
        RequestFailure::Transport => (ErrorCode::NotConnected, "The connection was lost"),
        RequestFailure::DialogEnded => (ErrorCode::SessionEnded, "The session has ended"),
    };
    PhoneError::new(code, text).with_kind(ErrorType::Generic)
}

/// What a command fails with whose request could not be sent.
pub(crate) fn not_sent(error: &CommandError) -> PhoneError {
    let code = match error {
        CommandError::NoFlow => ErrorCode::NotConnected,
        CommandError::Header { .. } | CommandError::Target { .. } | CommandError::Insecure => {
            ErrorCode::InvalidArgument
        }
        CommandError::Limit { .. } => {
            return PhoneError::new(ErrorCode::TooManySessions, error.to_string())
                .with_kind(ErrorType::Generic);
        }
        CommandError::Unknown
        | CommandError::WrongState { .. }
        | CommandError::OfferPending
        | CommandError::Code { .. } => ErrorCode::SessionState,
    };
    PhoneError::new(code, error.to_string())
}

/// Where a redirection sends a call.
pub(crate) fn targets(response: &Response) -> Vec<RedirectTarget> {
    let alternatives = sip::endpoint::alternatives(response).into_iter();
    let targets = alternatives.map(|next| RedirectTarget {
        uri: next.uri.to_string(),
        display_name: next.display_name.map(|name| short(&name)),
        q: f64::from(next.q) / 1000.0,
    });
    targets.collect()
}

/// What the `Reason` headers of a message say.
pub(crate) fn causes(headers: &Headers) -> Causes {
    let mut causes = Causes::default();
    for reason in headers.list::<Reason<'_>>().filter_map(Result::ok) {
        let text = reason.text().map(|text| short(&text));
        causes.add(reason.value(), reason.cause(), text.as_deref());
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::text::LONGEST_TEXT;
    use sip::message::HeaderName;

    #[test]
    fn a_reason_of_many_words_is_cut() {
        let mut headers = Headers::default();
        let long = "é".repeat(10_000);
        let value = format!("SIP;cause=486;text=\"{long}\"");
        headers.push(HeaderName::Reason, &value).unwrap();
        let causes = causes(&headers);
        assert_eq!(causes.sip, Some(486));
        assert_eq!(causes.text, Some("é".repeat(LONGEST_TEXT)));
    }
}
