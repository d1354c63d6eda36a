//! What the documentation says of the codes is so.
#![allow(
    clippy::unwrap_used,
    reason = "what a test expects and does not get must end it"
)]

use std::collections::BTreeSet;
use std::path::Path;

use preflight::{CheckCode, CheckStatus};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/preflight.md");
    std::fs::read_to_string(path).unwrap()
}

fn row(code: CheckCode) -> String {
    let status = match code.status() {
        CheckStatus::Ok => "ok",
        CheckStatus::Skipped => "skipped",
        CheckStatus::Warning => "warning",
        CheckStatus::Failed => "failed",
    };
    let advice = code.advice().unwrap_or_default();
    let word = code.as_str();
    format!("| `{word}` | {status} | {} | {advice} |", code.meaning())
}

#[test]
fn every_code_is_on_its_page_with_its_status_meaning_and_advice() {
    let page = page();
    let (_, table) = page.split_once("<!-- codes:begin -->\n").unwrap();
    let (table, _) = table.split_once("<!-- codes:end -->").unwrap();
    let rows: Vec<String> = CheckCode::ALL.iter().map(|code| row(*code)).collect();
    let expected = format!(
        "| code | status | what was found | what to do |\n|---|---|---|---|\n{}\n",
        rows.join("\n")
    );
    assert!(
        table == expected,
        "docs/preflight.md should have:\n{expected}"
    );
}

#[test]
fn what_fails_or_warns_has_advice_and_what_is_well_has_none() {
    for code in CheckCode::ALL {
        let has_advice = code.advice().is_some();
        match code.status() {
            CheckStatus::Failed | CheckStatus::Warning => assert!(has_advice, "{code:?}"),
            CheckStatus::Ok => assert!(!has_advice, "{code:?}"),
            CheckStatus::Skipped => {}
        }
    }
}

#[test]
fn a_word_is_that_of_one_code() {
    let words: BTreeSet<&str> = CheckCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), CheckCode::ALL.len());
}
