//! What a text may be that goes into a SIP header, or comes out of one.

/// Longer reason phrases, names and values are cut: they are for people.
pub(crate) const LONGEST_TEXT: usize = 256;

/// A text for people to read.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// Says whether a text is a `token` of RFC 3261 §25.1.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

/// Says whether a text can stand in a SIP header: no CR, LF, NUL or other control character.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\t')
}
