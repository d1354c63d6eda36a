//! How many messages wait: `application/simple-message-summary` (RFC 3842 §5.2).

use sip::header::ContentType;
use sip::message::Request;

use crate::door::message_summary::{Counts, MessageSummary};
use crate::door::text::short;

/// Reads the summary in a notification, where it holds one.
pub(crate) fn read(request: &Request) -> Option<MessageSummary> {
    let content_type = request.headers().typed::<ContentType<'_>>()?.ok()?;
    if !content_type.is_media_type("application/simple-message-summary") {
        return None;
    }
    parse(&String::from_utf8_lossy(request.body()))
}

fn parse(body: &str) -> Option<MessageSummary> {
    let mut summary = MessageSummary::default();
    let mut said = false;
    // The first part ends at the first empty line; message headers follow.
    for line in body.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "messages-waiting" => {
                said = true;
                summary.waiting = value.eq_ignore_ascii_case("yes");
            }
            "message-account" => {
                summary.account = Some(short(value));
            }
            "voice-message" => summary.voice = counts(value),
            "fax-message" => summary.fax = counts(value),
            "text-message" => summary.text = counts(value),
            _another => {}
        }
    }
    said.then_some(summary)
}

/// `new/old`, and perhaps `(urgent new/urgent old)`.
fn counts(value: &str) -> Option<Counts> {
    let (all, urgent) = match value.split_once('(') {
        Some((all, urgent)) => (all, urgent.trim_end().strip_suffix(')')),
        None => (value, None),
    };
    let (new, old) = pair(all)?;
    let (urgent_new, urgent_old) = urgent.and_then(pair).unwrap_or_default();
    Some(Counts {
        new,
        old,
        urgent_new,
        urgent_old,
    })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (left, right) = text.split_once('/')?;
    Some((left.trim().parse().ok()?, right.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_whole() {
        let summary = parse(
            "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n\
             Voice-Message: 2/8 (0/2)\r\nfax-message: 1/0\r\n\r\nTo: <alice@atlanta.example.com>\r\n\
             Voice-Message: 99/99\r\n",
        )
        .unwrap();
        assert!(summary.waiting);
        assert_eq!(
            summary.account.as_deref(),
            Some("sip:alice@vmail.example.com")
        );
        let voice = Counts {
            new: 2,
            old: 8,
            urgent_new: 0,
            urgent_old: 2,
        };
        assert_eq!(summary.voice, Some(voice));
        assert_eq!(summary.fax.map(|fax| fax.new), Some(1));
        assert_eq!(summary.text, None);
    }

    #[test]
    fn what_says_nothing_of_messages_is_no_summary() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("Voice-Message: 1/0\r\n"), None);
        let odd = parse("Messages-Waiting: no\r\nVoice-Message: x/1\r\n").unwrap();
        assert_eq!((odd.waiting, odd.voice), (false, None));
        let many = parse("Messages-Waiting: YES\r\nVoice-Message: 99999999999/0\r\n").unwrap();
        assert_eq!((many.waiting, many.voice), (true, None));
    }
}
