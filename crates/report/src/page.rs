//! The page: one file with nothing beside it, which runs nothing.

use std::fmt::Write;

use crate::journal::Journal;
use crate::text::{escaped, moment, offset};
use crate::{ice, ladder, plot};

/// A page that shows a call; `made_by` says whose it is.
pub fn page(journal: &Journal, made_by: &str) -> String {
    let title = journal
        .facts()
        .iter()
        .find(|(name, _)| *name == "Other side")
        .map_or("a call", |(_, party)| party);
    let style = include_str!("style.css");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>Call with {title}</title><style>\n{style}</style></head><body>\n\
         <h1>Call with <bdi>{title}</bdi></h1>\n<p class=\"lead\">{begin} · {made_by}</p>\n{facts}\n\
         <h2>Sound</h2>\n{plots}\n<h2>Events</h2>\n{events}\n<h2>SIP</h2>\n{ladder}\n\
         <h2>Ways through the network</h2>\n<div class=\"scroll\">{ice}</div>\n\
         <p class=\"end\">Passwords, tokens, keys and digits are replaced by “…”. {dropped}</p>\n</body></html>\n",
        title = escaped(title),
        begin = moment(journal.begin()),
        made_by = escaped(made_by),
        facts = facts(journal),
        plots = plot::plots(journal),
        events = events(journal),
        ladder = ladder::ladder(journal),
        ice = ice::candidates(journal),
        dropped = dropped(journal),
    )
}

fn facts(journal: &Journal) -> String {
    let mut out = String::from("<dl>\n");
    for (name, value) in journal.facts() {
        let _ = writeln!(
            out,
            "<div><dt>{}</dt><dd><bdi>{}</bdi></dd></div>",
            escaped(name),
            escaped(value)
        );
    }
    out.push_str("</dl>");
    out
}

fn events(journal: &Journal) -> String {
    let mut out = String::from("<table>\n");
    for note in journal.notes() {
        let _ = writeln!(
            out,
            "<tr{}><td>{}</td><td>{}</td></tr>",
            if note.odd { " class=\"odd\"" } else { "" },
            offset(note.at.saturating_sub(journal.begin())),
            escaped(&note.text)
        );
    }
    out.push_str("</table>");
    out
}

fn dropped(journal: &Journal) -> String {
    match journal.dropped() {
        0 => String::new(),
        count => format!("{count} messages and events of the middle of the call are left out."),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Direction, Message, Note, Sample};

    const HOSTILE: &str =
        "</title><script>alert(1)</script><img src=x onerror='alert(2)'>\" autofocus onfocus=\"x";

    fn hostile() -> Journal {
        let at = Duration::from_secs(1_800_000_000);
        let mut journal = Journal::default();
        journal.fact("Other side", HOSTILE);
        journal.fact("Reason", HOSTILE);
        let text = format!(
            "INVITE {HOSTILE} SIP/2.0\r\nReason: {HOSTILE}\r\nContent-Type: application/sdp\r\n\r\n\
             a=candidate:1 1 <b>UDP 1 <i>1 <u>2 typ <s>host\r\n{HOSTILE}\r\n"
        );
        for direction in [Direction::Sent, Direction::Received] {
            let text = text.clone().into_bytes().into();
            journal.message(Message {
                at,
                direction,
                text,
            });
        }
        let odd = true;
        journal.note(Note {
            at,
            text: HOSTILE.into(),
            odd,
        });
        journal.sample(Sample {
            at,
            mos: 4.0,
            ..Sample::default()
        });
        journal
    }

    /// The names of all elements of a page.
    fn elements(page: &str) -> Vec<&str> {
        page.split('<')
            .skip(1)
            .map(|rest| rest.trim_start_matches('/'))
            .map(|rest| {
                &rest[..rest
                    .find(|c: char| !c.is_alphanumeric() && c != '!')
                    .unwrap_or(0)]
            })
            .collect()
    }

    #[test]
    fn nothing_that_a_peer_says_is_markup() {
        let page = page(&hostile(), "offhook 0.1.0");
        for name in elements(&page) {
            assert!(
                !["script", "img", "i", "u", "s", "iframe", "a", "link"].contains(&name),
                "{name}"
            );
        }
        assert!(!page.contains("onfocus=\"") && !page.contains("onerror='"));
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn it_needs_nothing_beside_it() {
        let page = page(&hostile(), "offhook 0.1.0");
        let (_, after_style) = page.split_once("</style>").unwrap();
        let (before_style, _) = page.split_once("<style>").unwrap();
        for outside in ["http://", "https://", "src=\"", "href=", "url(", "@import"] {
            assert!(!before_style.contains(outside), "{outside}");
            assert!(!after_style.contains(outside), "{outside}");
        }
        assert!(!include_str!("style.css").contains("url("));
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn a_call_of_which_nothing_is_known_has_a_page() {
        let page = page(&Journal::default(), "offhook");
        assert!(page.starts_with("<!doctype html>"));
        assert!(page.contains("No message of it went over the line"));
        assert!(page.contains("Nothing was measured"));
    }

    #[test]
    fn a_call_that_failed_shows_its_ladder() {
        let mut journal = Journal::default();
        journal.fact("Other side", "bob");
        let mut say = |seconds, direction, text: &str| {
            let (at, text) = (Duration::from_secs(seconds), text.as_bytes().into());
            journal.message(Message {
                at,
                direction,
                text,
            });
        };
        say(
            1,
            Direction::Sent,
            "INVITE sip:bob@example.com SIP/2.0\r\n\r\n",
        );
        say(
            2,
            Direction::Received,
            "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n",
        );
        let page = page(&journal, "offhook");
        assert!(page.contains("<details class=\"sent request\"><summary><time>+0.000</time>"));
        assert!(page.contains("<details class=\"received bad\"><summary><time>+1.000</time>"));
        assert!(page.contains("486 Busy Here (INVITE)"));
    }
}
