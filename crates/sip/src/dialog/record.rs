//! A dialog as another process can go on with it.

use super::{Dialog, DialogId, DialogState, Origin, Role, from_tag, to_tag};
use crate::dialog::routing::RouteSet;
use crate::message::{HeaderName, Method, Request};
use crate::uri::Uri;

/// What has to be known of a confirmed dialog to send requests in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogRecord {
    /// Call-ID.
    pub call_id: String,
    /// Our From of requests in it, with the tag.
    pub local: String,
    /// Their To of requests in it, with the tag.
    pub remote: String,
    /// The CSeq of our last request.
    pub local_cseq: u32,
    /// The highest of theirs, if there was any.
    pub remote_cseq: Option<u32>,
    /// Where the other side wants to be reached.
    pub target: String,
    /// The route set, nearest first.
    pub routes: Vec<String>,
    /// Whether we started it.
    pub is_caller: bool,
    /// Where our request went that began it, if one of ours did: by that it is judged who may challenge us.
    pub invited: Option<String>,
    /// Whether that request had answered a 401.
    pub is_signed: bool,
}

/// How many requests may have been sent after the record was made: gaps are fine (RFC 3261 §12.2.2), going back is not.
const UNRECORDED: u32 = 1000;

impl Dialog {
    /// What has to be known of it.
    pub fn record(&self) -> DialogRecord {
        DialogRecord {
            call_id: self.id.call_id.clone(),
            local: self.local.clone(),
            remote: self.remote.clone(),
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            target: self.target.to_string(),
            routes: self.routes.each().to_vec(),
            is_caller: self.role == Role::Caller,
            invited: match &self.origin {
                Origin::Ours { target, .. } => Some(target.to_string()),
                Origin::Theirs => None,
            },
            is_signed: matches!(self.origin, Origin::Ours { signed: true, .. }),
        }
    }

    /// The CSeq of our last request, and the highest of theirs.
    pub fn numbers(&self) -> (u32, Option<u32>) {
        (self.local_cseq, self.remote_cseq)
    }

    /// Makes the dialog again; nothing if a part of the record is not what messages hold. Its next requests are numbered far
    /// above the record.
    pub fn restore(record: &DialogRecord) -> Option<Self> {
        let target: Uri<'static> = record.target.parse().ok()?;
        let mut scratch = Request::new(Method::Bye, target.clone());
        let headers = scratch.headers_mut();
        headers.push(HeaderName::From, &record.local).ok()?;
        headers.push(HeaderName::To, &record.remote).ok()?;
        headers.push(HeaderName::CallId, &record.call_id).ok()?;
        for route in &record.routes {
            headers.push(HeaderName::Route, route).ok()?;
        }
        Some(Self {
            id: DialogId {
                call_id: record.call_id.clone(),
                local_tag: from_tag(headers)?,
                remote_tag: to_tag(headers).unwrap_or_default(),
            },
            state: DialogState::Confirmed,
            role: match record.is_caller {
                true => Role::Caller,
                false => Role::Callee,
            },
            origin: match &record.invited {
                Some(target) => Origin::Ours {
                    target: target.parse().ok()?,
                    signed: record.is_signed,
                },
                None => Origin::Theirs,
            },
            local: record.local.clone(),
            remote: record.remote.clone(),
            // The upper half is for nobody (RFC 3261 §8.1.1.5).
            local_cseq: record.local_cseq.min(u32::MAX / 2 - UNRECORDED) + UNRECORDED,
            remote_cseq: record.remote_cseq,
            may_repeat: false,
            target,
            routes: RouteSet::of_record(record.routes.clone()),
            session: None,
            private: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> DialogRecord {
        DialogRecord {
            call_id: "c1".into(),
            local: "<sip:alice@example.com>;tag=a".into(),
            remote: "\"Bob\" <sip:bob@example.com>;tag=b".into(),
            local_cseq: 7,
            remote_cseq: Some(3),
            target: "sip:bob@192.0.2.1:5060;transport=ws".into(),
            routes: vec!["<sip:proxy.example.com;lr>".into()],
            is_caller: true,
            invited: Some("sip:bob@example.com".into()),
            is_signed: true,
        }
    }

    #[test]
    fn a_restored_dialog_sends_what_the_other_side_expects() {
        let mut dialog = Dialog::restore(&record()).expect("a good record");
        let bye = dialog.request(Method::Bye);
        let get = |name| bye.headers().get(name).unwrap_or_default().to_owned();
        assert_eq!(bye.uri().to_string(), "sip:bob@192.0.2.1:5060;transport=ws");
        assert_eq!(get(HeaderName::Route), "<sip:proxy.example.com;lr>");
        assert_eq!(get(HeaderName::From), "<sip:alice@example.com>;tag=a");
        assert_eq!(get(HeaderName::To), "\"Bob\" <sip:bob@example.com>;tag=b");
        assert_eq!(get(HeaderName::CallId), "c1");
        assert!(bye.headers().cseq().expect("it has one").number > 7);
    }

    #[test]
    fn a_record_survives_being_restored() {
        let again = Dialog::restore(&record()).expect("a good record").record();
        let expected = DialogRecord {
            local_cseq: 1007,
            ..record()
        };
        assert_eq!(again, expected);
    }

    #[test]
    fn what_no_message_can_hold_is_no_record() {
        type Break = fn(&mut DialogRecord);
        let breaks: [Break; 6] = [
            |record| record.target = "not a uri\r\n".into(),
            |record| record.local = "<sip:alice@example.com>".into(),
            |record| record.remote = "<sip:bob@example.com>;tag=b\r\nVia: x".into(),
            |record| record.invited = Some("not a uri\r\n".into()),
            |record| record.call_id = "c1\r\nX: y".into(),
            |record| record.routes = vec!["<sip:a;lr>\r\nX: y".into()],
        ];
        for break_it in breaks {
            let mut bad = record();
            break_it(&mut bad);
            assert!(Dialog::restore(&bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_never_leave_their_range() {
        let full = DialogRecord {
            local_cseq: u32::MAX,
            ..record()
        };
        let mut dialog = Dialog::restore(&full).expect("a good record");
        let number = dialog.request(Method::Bye).headers().cseq();
        assert!(number.expect("it has one").number <= 1 << 31);
    }
}
