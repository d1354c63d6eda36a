//! What is kept of each call for its report: its messages as they went over the line, its events, and its figures.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use media::transport::{CandidateKind, SelectedPath};
use phone::event::{PendingSession, SessionChanges, SessionSnapshot};
use phone::media::Figures;
use phone::{EndReason, ErrorCode, Event, PhoneError, SessionId};
use report::{Direction, Journal, Message, Note, Sample};
use serde::Serialize;

/// Of calls that have ended the last so many are kept, for so long: a report is asked for when somebody complains.
const MOST_ENDED: usize = 16;
const KEPT: Duration = Duration::from_secs(600);
/// Of calls that never became a session of ours, such as those that were refused.
const MOST_STRAY: usize = 16;

/// The journals of one phone's calls.
#[derive(Debug, Default)]
pub(super) struct Journals {
    records: BTreeMap<u64, Record>,
    /// Several where both ends of a call are this phone.
    by_call: BTreeMap<String, Vec<u64>>,
    by_session: BTreeMap<SessionId, u64>,
    /// Those that no session has, oldest first.
    stray: VecDeque<u64>,
    ended: VecDeque<(Instant, u64)>,
    next: u64,
}

#[derive(Debug, Default)]
struct Record {
    journal: Journal,
    call_id: Option<String>,
    session: Option<SessionId>,
}

impl Journals {
    /// Takes a message from or to the server; most are of no call.
    pub(super) fn message(&mut self, direction: Direction, bytes: &Bytes, now: Instant) {
        let Some(call_id) = call_id(bytes) else {
            return;
        };
        if !self.by_call.contains_key(call_id) {
            if !bytes.starts_with(b"INVITE ") {
                return;
            }
            self.begin_stray(call_id);
        }
        self.forget_old(now);
        for number in self.by_call.get(call_id).into_iter().flatten() {
            if let Some(record) = self.records.get_mut(number) {
                record.journal.message(Message {
                    at: wall(),
                    direction,
                    // A copy: the frame that it lies in may be larger.
                    text: bytes.as_ref().into(),
                });
            }
        }
    }

    /// Takes what the application is told.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "what is not of a call is of no journal"
    )]
    pub(super) fn event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::PendingSession(pending) => self.rings(pending),
            Event::CancelPendingSession { id, details }
            | Event::HandledPendingSession { id, details } => {
                self.ends(*id, &details.reason);
                self.end(*id, now);
            }
            Event::SessionStarted { session } => self.starts(session),
            Event::SessionChanged { id, changes } => self.changes(*id, changes),
            Event::Progress {
                id, code, reason, ..
            } => self.note(*id, format!("{code} {reason}")),
            Event::Redirected { id, code, target } => {
                self.note(*id, format!("redirected by {code} to {target}"));
            }
            Event::Answered { id } => self.note(*id, "answered".to_owned()),
            Event::EndOfCandidates { id } => self.note(*id, "our addresses are known".to_owned()),
            // Which one it was may be a secret.
            Event::Dtmf { id, method, .. } => {
                self.note(*id, format!("a digit came ({})", word(method)));
            }
            Event::TransferProgress { id, code, reason } => {
                self.note(*id, format!("transfer: {code} {reason}"));
            }
            Event::TransferRequested { id, target, .. } => {
                self.note(*id, format!("asked to call {target} instead"));
            }
            Event::Info {
                id, content_type, ..
            } => self.note(*id, format!("INFO came ({content_type})")),
            Event::Warning {
                id,
                warning,
                text,
                explanation,
                ..
            } => {
                let advice = &explanation.advice;
                self.odd(*id, format!("{}: {text}. {advice}", word(warning)));
            }
            Event::WarningCleared { id, warning } => {
                self.note(*id, format!("{} is over", word(warning)));
            }
            Event::Error {
                error,
                id: Some(id),
            } => self.odd(*id, format!("error: {error}")),
            Event::Terminated { id, reason } => self.ends(*id, reason),
            Event::SessionEnded { id, .. } => self.end(*id, now),
            _ => {}
        }
    }

    /// Takes how a call sounded in the last second.
    pub(super) fn measured(&mut self, id: SessionId, figures: &Figures) {
        let level = |linear: f64| (20.0 * linear.max(1e-5).log10()) as f32;
        let known = |figure: Option<f64>| figure.map_or(f32::NAN, |figure| figure as f32);
        let sample = Sample {
            at: wall(),
            mos: figures.mos as f32,
            loss: figures.loss as f32,
            peer_loss: known(figures.peer_loss),
            concealed: figures.concealed as f32,
            jitter: figures.jitter as f32,
            buffer: figures.buffer as f32,
            round_trip: known(figures.rtt),
            delay: figures.delay as f32,
            near: level(figures.near_level),
            far: level(figures.far_level),
        };
        self.with(id, |journal| journal.sample(sample));
    }

    /// Takes the way that media go from now on.
    pub(super) fn path(&mut self, id: SessionId, path: &SelectedPath) {
        let local = (path.local.to_string(), kind(path.local_kind));
        let remote = (path.remote.to_string(), kind(path.remote_kind));
        self.note(id, format!("media go from {} to {}", local.0, remote.0));
        self.with(id, |journal| journal.path(local, remote));
    }

    /// What is kept of a session.
    pub(super) fn of(&self, id: SessionId) -> Option<&Journal> {
        let number = self.by_session.get(&id)?;
        Some(&self.records.get(number)?.journal)
    }

    fn rings(&mut self, pending: &PendingSession) {
        self.bind(pending.id, &pending.call_id);
        let party = party(pending.display_name.as_deref(), &pending.uri);
        self.with(pending.id, |journal| {
            journal.fact("Other side", party);
            journal.fact("Direction", "incoming");
            journal.fact("Call-ID", pending.call_id.as_str());
        });
        self.note(pending.id, "rings".to_owned());
    }

    fn starts(&mut self, session: &SessionSnapshot) {
        self.bind(session.id, &session.call_id);
        let party = party(session.display_name.as_deref(), &session.uri);
        self.with(session.id, |journal| {
            journal.fact("Other side", party);
            journal.fact("Direction", word(&session.direction));
        });
        self.in_conversation(session.id, &session.conversation_id);
        self.note(session.id, "session started".to_owned());
    }

    fn changes(&mut self, id: SessionId, changes: &SessionChanges) {
        if let Some(call_id) = &changes.call_id {
            self.bind(id, call_id);
            self.with(id, |journal| journal.fact("Call-ID", call_id.as_str()));
        }
        if let Some(conversation) = &changes.conversation_id {
            self.in_conversation(id, conversation);
        }
        if let Some(codec) = &changes.codec {
            self.with(id, |journal| journal.fact("Codec", codec.as_str()));
            self.note(id, format!("codec {codec}"));
        }
        if let Some(state) = &changes.state {
            self.note(id, format!("state {}", word(state)));
        }
        if let Some(state) = &changes.connection_state {
            let word = word(state);
            let text = format!("media connection {word}");
            match word == "interrupted" {
                true => self.odd(id, text),
                false => self.note(id, text),
            }
        }
        let switches = [
            (changes.muted, "muted", "unmuted"),
            (changes.held, "put on hold here", "taken off hold here"),
            (
                changes.remote_held,
                "put on hold by the other side",
                "taken off hold by the other side",
            ),
        ];
        for (switch, on, off) in switches {
            if let Some(switch) = switch {
                self.note(id, if switch { on } else { off }.to_owned());
            }
        }
    }

    fn in_conversation(&mut self, id: SessionId, conversation: &str) {
        if !conversation.is_empty() {
            self.with(id, |journal| journal.fact("Conversation", conversation));
        }
    }

    fn ends(&mut self, id: SessionId, reason: &EndReason) {
        let side = word(&reason.side);
        self.with(id, |journal| {
            journal.fact("Ended", format!("{reason} ({side})"));
            journal.fact("Reason", reason.text.as_str());
            if let Some(sip) = &reason.sip {
                journal.fact("SIP status", format!("{} {}", sip.code, sip.reason));
            }
            if let Some(summary) = &reason.summary {
                let seconds = summary.duration as f64 / 1_000.0;
                journal.fact("Talked for", format!("{seconds:.1} s"));
                let (least, mean) = (summary.mos.least, summary.mos.mean);
                journal.fact("MOS", format!("{mean:.2} in the mean, {least:.2} at worst"));
                journal.fact("Loss", format!("{:.1} %", summary.loss));
                journal.fact("Jitter", format!("{:.0} ms", summary.jitter));
                if let Some(rtt) = summary.rtt {
                    journal.fact("Round trip", format!("{rtt:.0} ms"));
                }
            }
        });
        self.note(id, format!("ended: {reason}, {}", reason.text));
    }

    fn note(&mut self, id: SessionId, text: String) {
        self.write(id, text, false);
    }

    fn odd(&mut self, id: SessionId, text: String) {
        self.write(id, text, true);
    }

    fn write(&mut self, id: SessionId, text: String, odd: bool) {
        let at = wall();
        self.with(id, |journal| journal.note(Note { at, text, odd }));
    }

    fn with(&mut self, id: SessionId, act: impl FnOnce(&mut Journal)) {
        let number = self.by_session.get(&id);
        if let Some(record) = number.and_then(|number| self.records.get_mut(number)) {
            act(&mut record.journal);
        }
    }

    /// Says that this Call-ID, which may not be known yet, is of this session.
    fn bind(&mut self, id: SessionId, call_id: &str) {
        let number = match self.by_session.get(&id) {
            Some(number) => *number,
            None => self.begin(),
        };
        self.by_session.insert(id, number);
        let others = self.by_call.get(call_id).cloned().unwrap_or_default();
        // What went over the line before it was said whose it is; of a call to this phone itself the other end's.
        let known = others.iter().find_map(|other| self.records.get(other));
        let known = known.map(|record| record.journal.clone());
        if let Some(record) = self.records.get_mut(&number) {
            record.session = Some(id);
            if !others.contains(&number)
                && let Some(known) = known
            {
                record.journal.join(known);
            }
        }
        for stray in others {
            if self.stray.contains(&stray) {
                self.forget(stray);
            }
        }
        self.name(number, call_id);
    }

    /// Says that a record is of this call, and of no other.
    fn name(&mut self, number: u64, call_id: &str) {
        let Some(record) = self.records.get_mut(&number) else {
            return;
        };
        if call_id.is_empty() || record.call_id.as_deref() == Some(call_id) {
            return;
        }
        let before = record.call_id.replace(call_id.to_owned());
        if let Some(before) = before {
            self.unname(number, &before);
        }
        self.by_call
            .entry(call_id.to_owned())
            .or_default()
            .push(number);
    }

    fn unname(&mut self, number: u64, call_id: &str) {
        if let Some(numbers) = self.by_call.get_mut(call_id) {
            numbers.retain(|known| *known != number);
            if numbers.is_empty() {
                self.by_call.remove(call_id);
            }
        }
    }

    fn begin(&mut self) -> u64 {
        self.next += 1;
        self.records.insert(self.next, Record::default());
        self.next
    }

    fn begin_stray(&mut self, call_id: &str) {
        while self.stray.len() >= MOST_STRAY
            && let Some(oldest) = self.stray.front().copied()
        {
            self.forget(oldest);
        }
        let number = self.begin();
        self.stray.push_back(number);
        self.name(number, call_id);
    }

    fn end(&mut self, id: SessionId, now: Instant) {
        if let Some(number) = self.by_session.get(&id) {
            self.ended.push_back((now, *number));
        }
        self.forget_old(now);
    }

    fn forget_old(&mut self, now: Instant) {
        let is_old = |(ended, _): &(Instant, u64)| now.saturating_duration_since(*ended) > KEPT;
        while self.ended.len() > MOST_ENDED || self.ended.front().is_some_and(is_old) {
            if let Some((_, number)) = self.ended.pop_front() {
                self.forget(number);
            }
        }
    }

    fn forget(&mut self, number: u64) {
        self.stray.retain(|stray| *stray != number);
        let Some(record) = self.records.remove(&number) else {
            return;
        };
        if let Some(call_id) = &record.call_id {
            self.unname(number, call_id);
        }
        if let Some(session) = &record.session {
            self.by_session.remove(session);
        }
    }
}

/// Nothing is kept of a session any more.
pub(super) fn forgotten() -> PhoneError {
    let text = format!(
        "Nothing is kept of this call any more: ask for its report within {} minutes of its end, and before {MOST_ENDED} other calls \
         have ended",
        KEPT.as_secs() / 60
    );
    PhoneError::new(ErrorCode::SessionEnded, text)
}

fn wall() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

fn party(name: Option<&str>, uri: &str) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} <{uri}>"),
        None => uri.to_owned(),
    }
}

/// The word that JSON has for one of an enum.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn kind(kind: CandidateKind) -> &'static str {
    match kind {
        CandidateKind::Host => "host",
        CandidateKind::ServerReflexive => "srflx",
        CandidateKind::PeerReflexive => "prflx",
        CandidateKind::Relayed => "relay",
    }
}

/// The Call-ID of a message, without reading the rest of it.
fn call_id(message: &[u8]) -> Option<&str> {
    let lines = message.split(|octet| *octet == b'\n').skip(1);
    for line in lines.map(<[u8]>::trim_ascii_end) {
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|octet| *octet == b':') else {
            continue;
        };
        let name = line[..colon].trim_ascii();
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            return str::from_utf8(line[colon + 1..].trim_ascii()).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(call: usize) -> Bytes {
        let text = format!("INVITE sip:bob@x SIP/2.0\r\nVia: x\r\ni: call-{call}\r\n\r\nv=0\r\n");
        Bytes::from(text)
    }

    fn ok(call: usize) -> Bytes {
        Bytes::from(format!("SIP/2.0 200 OK\r\nCall-ID : call-{call}\r\n\r\n"))
    }

    fn id(number: usize) -> SessionId {
        format!("00000000-0000-4000-8000-{number:012}")
            .parse()
            .expect("an id")
    }

    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn what_went_out_before_it_was_known_whose_it_is_belongs_to_the_session() {
        let mut journals = Journals::default();
        journals.bind(id(1), "");
        journals.note(id(1), "session started".to_owned());
        journals.message(Direction::Sent, &invite(1), now());
        let changes = SessionChanges {
            call_id: Some("call-1".to_owned()),
            ..SessionChanges::default()
        };
        journals.changes(id(1), &changes);
        journals.message(Direction::Received, &ok(1), now());
        let page = report::page(journals.of(id(1)).expect("a journal"), "test");
        for text in ["INVITE", "200 OK", "session started", "call-1"] {
            assert!(page.contains(text), "{text}");
        }
        assert_eq!(journals.records.len(), 1);
        assert!(journals.stray.is_empty());
    }

    #[test]
    fn both_ends_of_a_call_to_this_phone_itself_have_a_journal() {
        let mut journals = Journals::default();
        journals.bind(id(1), "");
        journals.message(Direction::Sent, &invite(1), now());
        journals.bind(id(1), "call-1");
        journals.message(Direction::Received, &invite(1), now());
        journals.bind(id(2), "call-1");
        journals.message(Direction::Sent, &ok(1), now());
        for (session, party) in [(1, "the callee"), (2, "the caller")] {
            journals.with(id(session), |journal| journal.fact("Other side", party));
        }
        for (session, party) in [(1, "the callee"), (2, "the caller")] {
            let page = report::page(journals.of(id(session)).expect("a journal"), "test");
            assert!(page.contains(&format!("Call with {party}")));
            assert!(page.contains("200 OK"), "{session}");
        }
        for session in [1, 2] {
            journals.end(id(session), now());
        }
        journals.forget_old(now() + KEPT + Duration::from_secs(1));
        assert!(journals.records.is_empty() && journals.by_session.is_empty());
        assert!(journals.by_call.is_empty());
    }

    #[test]
    fn what_is_of_no_call_is_not_kept() {
        let mut journals = Journals::default();
        journals.message(Direction::Received, &ok(1), now());
        let register = Bytes::from_static(b"REGISTER sip:x SIP/2.0\r\nCall-ID: r\r\n\r\n");
        journals.message(Direction::Sent, &register, now());
        journals.message(
            Direction::Received,
            &Bytes::from_static(b"\xff\n\n:"),
            now(),
        );
        assert!(journals.records.is_empty());
    }

    #[test]
    fn strangers_and_the_past_have_their_bounds() {
        let mut journals = Journals::default();
        for call in 0..1_000 {
            journals.message(Direction::Received, &invite(call), now());
        }
        assert_eq!(journals.records.len(), MOST_STRAY);
        for call in 2_000..3_000 {
            journals.message(Direction::Received, &invite(call), now());
            journals.bind(id(call), &format!("call-{call}"));
            journals.end(id(call), now());
        }
        assert!(journals.records.len() <= MOST_STRAY + MOST_ENDED);
        assert_eq!(journals.by_session.len(), MOST_ENDED);
        assert!(journals.by_call.len() <= MOST_STRAY + MOST_ENDED);
        assert!(journals.of(id(2_999)).is_some());
        assert!(journals.of(id(2_000)).is_none());
        journals.forget_old(now() + KEPT + Duration::from_secs(1));
        assert!(journals.of(id(2_999)).is_none());
    }
}
