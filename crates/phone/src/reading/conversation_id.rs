//! What links a call to the platform's conversation.

/// A header and how the id stands in it, in the order in which they are looked for.
const PRECEDENCE: [(&str, Form); 10] = [
    ("x-inin-cnv", Form::Whole),
    ("p-rc-api-ids", Form::Param("session-id")),
    ("X-Exotel-Callsid", Form::Whole),
    ("LegSid", Form::Whole),
    ("X-Twilio-CallSid", Form::Whole),
    ("X-Telnyx-Session-Id", Form::Whole),
    ("X-Conversation-Id", Form::Whole),
    ("X-Call-ID", Form::Whole),
    // Every call of ours has one, and many servers add one: what was named for the purpose counts more.
    ("Session-ID", Form::BeforeParams),
    ("User-to-User", Form::BeforeParams),
];

/// The header in which `call()` sends an id where the application names none.
pub(crate) const SENT_AS: &str = "X-Conversation-Id";

/// Longer ids are no ids: Retell's whole set of headers is below this.
const LONGEST: usize = 1024;

#[derive(Debug, Clone, Copy)]
enum Form {
    Whole,
    BeforeParams,
    Param(&'static str),
}

/// Finds the id in a call's headers: in those named by the application, or by the built-in
/// precedence; the Call-ID if there is none.
pub(crate) fn find(headers: &[(String, String)], named: &[String], call_id: &str) -> String {
    let id = match named {
        [] => PRECEDENCE
            .iter()
            .find_map(|(name, form)| read(headers, name, *form)),
        named => named
            .iter()
            .find_map(|name| read(headers, name, form_of(name))),
    };
    id.unwrap_or(call_id).to_owned()
}

fn form_of(name: &str) -> Form {
    PRECEDENCE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or(Form::Whole, |(_, form)| *form)
}

fn read<'a>(headers: &'a [(String, String)], name: &str, form: Form) -> Option<&'a str> {
    let (_, value) = headers
        .iter()
        .find(|(header, _)| header.eq_ignore_ascii_case(name))?;
    let id = match form {
        Form::Whole => value.as_str(),
        Form::BeforeParams => value.split(';').next().unwrap_or_default(),
        Form::Param(wanted) => value.split(';').find_map(|param| {
            let (name, value) = param.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then_some(value)
        })?,
    };
    let id = id.trim().trim_matches('"');
    (!id.is_empty() && id.len() <= LONGEST).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(n, v)| ((*n).into(), (*v).into()))
            .collect()
    }

    #[test]
    fn each_platform_is_read_in_its_own_form() {
        for (name, value, id) in [
            ("X-ININ-CNV", "c-1", "c-1"),
            ("P-RC-API-Ids", "party-id=p-1;session-id=s-1", "s-1"),
            ("x-exotel-callsid", "e-1", "e-1"),
            ("LegSid", "l-1", "l-1"),
            ("X-Twilio-CallSid", "CA1", "CA1"),
            ("X-Telnyx-Session-Id", "t-1", "t-1"),
            ("X-Call-ID", "y-1", "y-1"),
            (
                "Session-ID",
                "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",
                "ab30317f1a784dc48ff824d0d3715d86",
            ),
            ("User-to-User", "3031;encoding=hex", "3031"),
            ("X-Conversation-Id", " x-1 ", "x-1"),
        ] {
            assert_eq!(find(&headers(&[(name, value)]), &[], "call"), id, "{name}");
        }
    }

    #[test]
    fn genesys_comes_first_and_the_call_id_last() {
        let both = headers(&[("Session-ID", "s"), ("x-inin-cnv", "g")]);
        assert_eq!(find(&both, &[], "call"), "g");
        assert_eq!(find(&[], &[], "call"), "call");
        assert_eq!(find(&headers(&[("x-inin-cnv", "")]), &[], "call"), "call");
    }

    #[test]
    fn each_header_counts_before_those_below_it() {
        for ((higher, form), (lower, other)) in PRECEDENCE.iter().zip(&PRECEDENCE[1..]) {
            let value = |form: &Form, id: &str| match form {
                Form::Whole | Form::BeforeParams => id.to_owned(),
                Form::Param(name) => format!("{name}={id}"),
            };
            let both = vec![
                ((*lower).to_owned(), value(other, "lower")),
                ((*higher).to_owned(), value(form, "higher")),
            ];
            assert_eq!(
                find(&both, &[], "call"),
                "higher",
                "{higher} before {lower}"
            );
        }
    }

    /// Every call of ours has a Session-ID, and must not hide what the application named.
    #[test]
    fn what_was_named_for_the_purpose_counts_before_what_every_call_has() {
        let both = headers(&[("Session-ID", "s"), ("X-Conversation-Id", "c")]);
        assert_eq!(find(&both, &[], "call"), "c");
    }

    #[test]
    fn named_headers_replace_the_precedence() {
        let both = headers(&[("x-inin-cnv", "g"), ("X-Mine", "m")]);
        assert_eq!(
            find(&both, &["X-Other".into(), "x-mine".into()], "call"),
            "m"
        );
        assert_eq!(find(&both, &["X-Other".into()], "call"), "call");
    }
}
