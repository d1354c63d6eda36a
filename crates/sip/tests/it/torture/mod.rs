//! One message of our own for each case that RFC 4475 names, and the originals where they are.
//!
//! Each case says what the RFC asks for and what each leniency does; where `Interop` lets through
//! what the RFC calls invalid, the row says `Forgiven` or `Unread`, and these rows are the whole
//! list of our deliberate leniencies.

mod application;
mod invalid;
mod valid;

use std::path::PathBuf;

use sip::message::{Leniency, Message};

/// What comes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Read, nothing to forgive.
    Accepted,
    /// Read, with an entry in `Parsed::forgiven`.
    Forgiven,
    /// Read, although a header that nobody may ever ask for is malformed.
    Unread,
    /// Not read; a response with this status is to be sent.
    Refused(u16),
    /// Not read, and nothing is to be sent.
    Dropped,
}

pub(crate) struct Case {
    /// The name that RFC 4475 gives it.
    name: &'static str,
    /// Our own message for it.
    own: fn() -> Vec<u8>,
    strict: Verdict,
    interop: Verdict,
    /// What must be seen in the message once it is read leniently.
    look: fn(&Message),
}

fn cases() -> Vec<Case> {
    let mut cases = valid::cases();
    cases.extend(invalid::cases());
    cases.extend(application::cases());
    cases
}

fn judge(case: &Case, frame: Vec<u8>, which: &str) {
    for (leniency, expected) in [
        (Leniency::Strict, case.strict),
        (Leniency::Interop, case.interop),
    ] {
        let parsed = Message::parse(frame.clone().into(), leniency);
        let got = match &parsed {
            Ok(parsed) if parsed.forgiven.is_empty() => Verdict::Accepted,
            Ok(_) => Verdict::Forgiven,
            Err(error) => match error.reply() {
                Some(reply) => Verdict::Refused(reply.status().code()),
                None => Verdict::Dropped,
            },
        };
        let expected_here = match expected {
            Verdict::Unread => Verdict::Accepted,
            other => other,
        };
        assert_eq!(
            got, expected_here,
            "{which} {} {leniency:?}: {parsed:?}",
            case.name
        );
        if let (Leniency::Interop, Ok(parsed)) = (leniency, &parsed) {
            (case.look)(&parsed.message);
        }
    }
}

#[test]
fn each_case_of_rfc_4475_gets_its_verdict_in_words_of_our_own() {
    let cases = cases();
    assert_eq!(cases.len(), 49);
    for case in &cases {
        judge(case, (case.own)(), "own");
    }
}

#[test]
fn the_originals_of_rfc_4475_get_the_same_verdicts() {
    let Some(folder) = originals() else {
        let notice =
            "the 49 original messages of RFC 4475 did NOT run: ../shared/data/rfc4475 is not there";
        println!("\n*** {notice} ***\n");
        return;
    };
    for case in &cases() {
        let frame = std::fs::read(folder.join(format!("{}.dat", case.name))).unwrap();
        judge(case, frame, "original");
    }
}

/// `../shared/data/rfc4475` beside the workspace or one of the folders above it.
fn originals() -> Option<PathBuf> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let above = start
        .ancestors()
        .skip(2)
        .map(|folder| folder.join("../shared/data/rfc4475"));
    above
        .into_iter()
        .find(|folder| folder.join("wsinv.dat").is_file())
}

#[test]
fn the_deliberate_leniencies_are_these_and_no_others() {
    let lenient = cases().into_iter().filter(|case| {
        matches!(case.strict, Verdict::Refused(_) | Verdict::Dropped) && case.strict != case.interop
    });
    let names: Vec<&str> = lenient.map(|case| case.name).collect();
    let expected = [
        "dblreq", "lwsstart", "trws", "baddate", "regbadct", "badaspec", "baddn",
    ];
    assert_eq!(names, expected);
}
