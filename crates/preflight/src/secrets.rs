/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// What no check may show, though a server says it back to us.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Hides a text as it is, and as it is written in URLs.
    pub fn hide(&mut self, secret: &str) {
        for form in [secret.to_owned(), encoded(secret), decoded(secret)] {
            if !form.is_empty() && !self.0.contains(&form) {
                self.0.push(form);
            }
        }
        // A secret that is a part of another leaves none of the other's rest behind.
        self.0.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Hides the query of a URL, and each of its values.
    pub fn hide_query(&mut self, url: &str) {
        let Some((_, query)) = url.split_once('?') else {
            return;
        };
        let query = query.split('#').next().unwrap_or_default();
        self.hide(query);
        for pair in query.split('&') {
            self.hide(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
    }

    /// What somebody else wrote, fit to be shown: on one line, without secrets, and not longer than `most` characters.
    pub fn clean(&self, text: &str, most: usize) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret.as_str(), HIDDEN);
        }
        let visible = |c: char| if c.is_control() || is_odd(c) { ' ' } else { c };
        let line: String = text.chars().map(visible).collect();
        let words: Vec<&str> = line.split_whitespace().collect();
        let line = words.join(" ");
        match line.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

/// What turns the direction of writing, or is not seen.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn encoded(text: &str) -> String {
    let octet = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(octet).collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) => {
                out.push(octet);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_comes_back_is_hidden_in_each_of_its_forms() {
        let mut secrets = Secrets::default();
        secrets.hide("hün ter%2");
        secrets.hide_query("wss://a/ws?token=s3cret%21&x=yy#z");
        let shown = secrets.clean(
            "no /ws?token=s3cret%21&x=yy, s3cret!, h\u{fc}n ter%2, h%C3%BCn%20ter%252",
            200,
        );
        for secret in ["s3cret", "ter", "yy"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn one_secret_within_another_leaves_nothing_behind() {
        let mut secrets = Secrets::default();
        secrets.hide("abc");
        secrets.hide("abcdef");
        assert_eq!(secrets.clean("<abcdef>", 99), "<…>");
    }

    #[test]
    fn what_others_wrote_is_one_line_of_visible_characters() {
        let shown = Secrets::default().clean("<h1>\r\n\x1b[31mNo\u{202e}\t way</h1>", 12);
        assert_eq!(shown, "<h1> [31mNo …");
    }
}
