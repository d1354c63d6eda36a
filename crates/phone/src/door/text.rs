//! What a text may be that goes into a SIP header, or comes out of one.

/// Longer reason phrases, names and values are cut: they are for people.
pub(crate) const LONGEST_TEXT: usize = 256;

/// A text for people to read: what would steer a terminal, or turn a line around, is U+FFFD.
pub(crate) fn short(text: &str) -> String {
    let shown = text.chars().map(|c| match c {
        '\t' => ' ',
        c if steers(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    });
    shown.take(LONGEST_TEXT).collect()
}

/// Whether a character is a command rather than a sign: control characters, and marks that change the direction of what
/// follows them.
pub(crate) fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
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
