//! The messages as a ladder: this phone on the left, its server on the right.

use std::fmt::Write;

use crate::journal::{Direction, Journal, Message};
use crate::text::{escaped, offset};

pub(crate) fn ladder(journal: &Journal) -> String {
    if journal.messages().is_empty() {
        return "<p>No message of it went over the line.</p>".to_owned();
    }
    let mut out = String::from(
        "<div class=\"ladder\"><div class=\"ends\"><span>this phone</span><span>server</span></div>\n",
    );
    for message in journal.messages() {
        rung(&mut out, message, journal);
    }
    out.push_str("</div>");
    out
}

fn rung(out: &mut String, message: &Message, journal: &Journal) {
    let text = String::from_utf8_lossy(&message.text);
    let at = offset(message.at.saturating_sub(journal.begin()));
    let way = match message.direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    };
    let kind = kind(&text);
    let _ = writeln!(
        out,
        "<details class=\"{way} {kind}\"><summary><time>{at}</time><span class=\"arrow\"><b>{}</b></span></summary><pre>{}</pre></details>",
        escaped(&title(&text)),
        escaped(text.trim_end()),
    );
}

/// What colour it has: a request, an answer that says yes, one that says no.
fn kind(text: &str) -> &'static str {
    match text
        .strip_prefix("SIP/2.0 ")
        .and_then(|rest| rest.chars().next())
    {
        None => "request",
        Some('1' | '2' | '3') => "good",
        Some(_) => "bad",
    }
}

/// `INVITE`, `INVITE (SDP)`, `200 OK (INVITE)`.
fn title(text: &str) -> String {
    let mut words = text.lines().next().unwrap_or_default().splitn(3, ' ');
    let first = words.next().unwrap_or_default();
    let mut title: String = if first == "SIP/2.0" {
        let code = words.next().unwrap_or_default();
        let phrase = words.next().unwrap_or_default();
        let cseq = header(text, &["cseq"]).unwrap_or_default();
        let method = cseq.split_whitespace().nth(1).unwrap_or_default();
        format!("{code} {phrase} ({method})")
    } else {
        first.to_owned()
    };
    if header(text, &["content-type", "c"]).is_some_and(|kind| kind.contains("sdp")) {
        title.push_str(" + SDP");
    }
    if let Some(reason) = header(text, &["reason"]) {
        let _ = write!(title, " · {reason}");
    }
    shortened(&title)
}

fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn header<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    text.lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is = |wanted: &&str| wanted.eq_ignore_ascii_case(name.trim());
            names.iter().any(is).then(|| value.trim())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rung_is_named_by_what_it_is() {
        let invite = "INVITE sip:bob@example.com SIP/2.0\r\nc: application/sdp\r\n\r\nv=0\r\n";
        assert_eq!(title(invite), "INVITE + SDP");
        let busy = "SIP/2.0 486 Busy Here\r\nCSeq: 2 INVITE\r\n\r\n";
        assert_eq!(title(busy), "486 Busy Here (INVITE)");
        assert_eq!(kind(busy), "bad");
        let bye = "BYE sip:bob SIP/2.0\r\nReason: Q.850;cause=16\r\n\r\nReason: x";
        assert_eq!(title(bye), "BYE · Q.850;cause=16");
        assert_eq!(title(""), "");
        assert!(title(&format!("{} x", "Ä".repeat(300))).chars().count() <= 81);
    }
}
