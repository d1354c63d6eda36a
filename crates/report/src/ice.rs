//! The candidates of both sides, as their descriptions name them, and the pair that media took.

use std::fmt::Write;

use crate::journal::{Direction, Journal};
use crate::text::escaped;

/// So many are shown: a peer may name any number.
const MOST: usize = 64;

#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    ours: bool,
    address: String,
    kind: String,
    transport: String,
    related: String,
}

pub(crate) fn candidates(journal: &Journal) -> String {
    let mut all: Vec<Candidate> = Vec::new();
    for message in journal.messages() {
        let ours = message.direction == Direction::Sent;
        let text = String::from_utf8_lossy(&message.text);
        for candidate in text.lines().filter_map(|line| read(line, ours)) {
            if all.len() < MOST && !all.contains(&candidate) {
                all.push(candidate);
            }
        }
    }
    let selected = journal.selected();
    if all.is_empty() && selected.is_none() {
        return "<p>No candidates were exchanged.</p>".to_owned();
    }
    let mut out = String::new();
    if let Some([(local, ours), (remote, theirs)]) = selected {
        let _ = writeln!(
            out,
            "<p>Media took the way from <b>{}</b> ({ours}) to <b>{}</b> ({theirs}).</p>",
            escaped(local),
            escaped(remote),
        );
    }
    out.push_str("<table><tr><th>whose</th><th>address</th><th>type</th><th>transport</th><th>found as</th></tr>\n");
    for candidate in &all {
        row(&mut out, candidate, selected);
    }
    out.push_str("</table>");
    out
}

fn row(out: &mut String, candidate: &Candidate, selected: Option<&[(String, &'static str); 2]>) {
    let chosen = selected.is_some_and(|[(local, _), (remote, _)]| {
        let end = if candidate.ours { local } else { remote };
        *end == candidate.address
    });
    let _ = writeln!(
        out,
        "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        if chosen { " class=\"chosen\"" } else { "" },
        if candidate.ours { "ours" } else { "theirs" },
        escaped(&candidate.address),
        escaped(&candidate.kind),
        escaped(&candidate.transport),
        escaped(&candidate.related),
    );
}

/// Reads `a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ srflx raddr 10.0.0.1 rport 4000` (RFC 8839 §5.1).
fn read(line: &str, ours: bool) -> Option<Candidate> {
    let rest = line.trim_end().strip_prefix("a=candidate:")?;
    let words: Vec<&str> = rest.split(' ').take(20).collect();
    let [_, _, transport, _, address, port, "typ", kind, more @ ..] = words.as_slice() else {
        return None;
    };
    let after = |name| {
        more.iter()
            .position(|word| *word == name)
            .and_then(|at| more.get(at + 1))
    };
    let related = match (after("raddr"), after("rport")) {
        (Some(address), Some(port)) => socket(address, port),
        (Some(_), None) | (None, _) => String::new(),
    };
    Some(Candidate {
        ours,
        address: socket(address, port),
        kind: (*kind).to_owned(),
        transport: transport.to_ascii_uppercase(),
        related,
    })
}

fn socket(address: &str, port: &str) -> String {
    match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_read_from_its_line() {
        let line = "a=candidate:1 1 udp 1694498815 192.0.2.1 4000 typ srflx raddr 10.0.0.1 rport 4001 generation 0\r";
        let candidate = read(line, true).unwrap();
        assert_eq!(candidate.address, "192.0.2.1:4000");
        assert_eq!(candidate.kind, "srflx");
        assert_eq!(candidate.transport, "UDP");
        assert_eq!(candidate.related, "10.0.0.1:4001");
        assert_eq!(
            read("a=candidate:1 1 UDP 1 ::1 9 typ host", false)
                .unwrap()
                .address,
            "[::1]:9"
        );
        for line in [
            "a=candidate:",
            "a=candidate:1 1 UDP 1 ::1 9 host",
            "a=rtpmap:0 PCMU/8000",
        ] {
            assert_eq!(read(line, true), None, "{line}");
        }
    }
}
