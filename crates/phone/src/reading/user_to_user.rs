//! What one application hands over to the other (RFC 7433).

use crate::door::handed_over::UserToUser;
use crate::door::text::{is_printable, is_token};

/// Gateways take 128 bytes (RFC 7433 §4.1); a few pass on more.
const MOST_BYTES: usize = 1024;

/// The header's value; `None` if there is none that says this.
pub(crate) fn write(handed_over: &UserToUser) -> Option<String> {
    match handed_over {
        UserToUser::Text(text) if text.len() <= MOST_BYTES => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            (!hex.is_empty()).then(|| format!("{hex};encoding=hex"))
        }
        UserToUser::Text(_) => None,
        UserToUser::Data { data, encoding } => {
            let encoding = encoding.as_deref().unwrap_or("hex");
            let is_hex = encoding.eq_ignore_ascii_case("hex");
            let fits = match is_hex {
                true => bytes_of_hex(data).is_some(),
                false => !data.is_empty() && is_printable(data),
            };
            (fits && data.len() <= 2 * MOST_BYTES && is_token(encoding))
                .then(|| format!("{};encoding={encoding}", quoted(data)))
        }
    }
}

/// The text whose UTF-8 this is, without the protocol discriminator that gateways put before it (Q.931 §4.5.30).
pub(crate) fn text_of_hex(data: &str) -> Option<String> {
    let mut bytes = bytes_of_hex(data)?;
    if matches!(bytes.first(), Some(0x00 | 0x04)) {
        bytes.remove(0);
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && is_printable(&text)).then_some(text)
}

fn bytes_of_hex(data: &str) -> Option<Vec<u8>> {
    let whole = !data.is_empty() && data.len().is_multiple_of(2);
    if !whole || !data.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..data.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(data.get(at..at + 2)?, 16).ok())
        .collect()
}

fn quoted(data: &str) -> String {
    match is_token(data) {
        true => data.to_owned(),
        false => format!("\"{}\"", data.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_travels_in_hexadecimal_and_is_read_again() {
        let value = write(&UserToUser::Text("Grüße, 1\"2".into())).unwrap();
        let (hex, encoding) = value.split_once(';').unwrap();
        assert_eq!(encoding, "encoding=hex");
        assert_eq!(text_of_hex(hex).as_deref(), Some("Grüße, 1\"2"));
    }

    #[test]
    fn a_protocol_discriminator_is_no_part_of_the_text() {
        assert_eq!(text_of_hex("04414243").as_deref(), Some("ABC"));
        assert_eq!(text_of_hex("00414243").as_deref(), Some("ABC"));
        for nothing in ["", "0", "zz", "00", "00ff", "41c3"] {
            assert_eq!(text_of_hex(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn data_is_written_as_it_is_where_it_can_be() {
        let data = |data: &str, encoding: Option<&str>| {
            write(&UserToUser::Data {
                data: data.into(),
                encoding: encoding.map(str::to_owned),
            })
        };
        assert_eq!(data("00FF", None).as_deref(), Some("00FF;encoding=hex"));
        assert_eq!(
            data("a \"b\";c", Some("ascii")).as_deref(),
            Some("\"a \\\"b\\\";c\";encoding=ascii")
        );
        for (wrong, encoding) in [
            ("0", None),
            ("xy", None),
            ("", Some("ascii")),
            ("a\r\nX-Evil: 1", Some("ascii")),
            ("a", Some("b c")),
        ] {
            assert_eq!(data(wrong, encoding), None, "{wrong:?}");
        }
        assert_eq!(write(&UserToUser::Text("x".repeat(1025))), None);
    }
}
