//! The tolerant reader: bare LF, blank lines, missing `s=`, `t=` and `o=` and unknown lines are fine; size is not.

use super::description::{Attribute, Description, Media, MediaKind, Origin};

/// How much of a description we are willing to read.
pub mod limit {
    /// Bytes of a whole description: Chromium's with video and data stay under 10 kB.
    pub const BYTES: usize = 32 * 1024;
    /// Lines of a whole description.
    pub const LINES: usize = 1_024;
    /// Media sections.
    pub const MEDIA: usize = 64;
    /// Formats in one `m=` line: there are only 128 payload types.
    pub const FORMATS: usize = 128;
    /// Candidates taken from a section; the rest is left aside.
    pub const CANDIDATES: usize = 64;
    /// Fingerprints taken from a section; the rest is left aside.
    pub const FINGERPRINTS: usize = 8;
    /// `a=crypto` lines of a section: there are not as many suites.
    pub const CRYPTO: usize = 32;
    /// Bytes of an ICE user fragment or password (RFC 8839 §5.4).
    pub const ICE_TEXT: usize = 256;
}

/// Why a description cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The description is longer than [`limit::BYTES`].
    #[error("the description has {got} bytes, more than {}", limit::BYTES)]
    TooLong {
        /// Its length in bytes.
        got: usize,
    },
    /// The description has more than [`limit::LINES`] lines.
    #[error("the description has more than {} lines", limit::LINES)]
    TooManyLines,
    /// The description has more than [`limit::MEDIA`] media sections.
    #[error("the description has more than {} media sections", limit::MEDIA)]
    TooManyMedia,
    /// An `m=` line names more than [`limit::FORMATS`] formats.
    #[error("line {line} names more than {} formats", limit::FORMATS)]
    TooManyFormats {
        /// The line's number, from 1.
        line: usize,
    },
    /// The description does not begin with `v=0`.
    #[error("the description does not begin with v=0")]
    NoVersion,
    /// A line that is not `<letter>=<value>` or whose value cannot be read.
    #[error("line {line} cannot be read")]
    BadLine {
        /// The line's number, from 1.
        line: usize,
    },
}

impl Description {
    /// Reads a description; tolerant of style, strict about limits.
    ///
    /// # Errors
    /// Says which limit or line is at fault.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > limit::BYTES {
            return Err(ParseError::TooLong { got: text.len() });
        }
        let mut description = Self::default();
        let mut versioned = false;
        for (index, raw) in text.split('\n').enumerate() {
            if index >= limit::LINES {
                return Err(ParseError::TooManyLines);
            }
            let line = index + 1;
            let Some((kind, value)) = split(raw, line)? else {
                continue;
            };
            if !versioned {
                if kind != 'v' || value != "0" {
                    return Err(ParseError::NoVersion);
                }
                versioned = true;
                continue;
            }
            description.read(kind, value, line)?;
        }
        if versioned {
            Ok(description)
        } else {
            Err(ParseError::NoVersion)
        }
    }

    fn read(&mut self, kind: char, value: &str, line: usize) -> Result<(), ParseError> {
        match kind {
            'm' => {
                if self.media.len() >= limit::MEDIA {
                    return Err(ParseError::TooManyMedia);
                }
                self.media.push(media(value, line)?);
            }
            'a' => match self.media.last_mut() {
                Some(media) => media.attributes.push(attribute(value)),
                None => self.attributes.push(attribute(value)),
            },
            'c' => {
                let address = connection(value);
                match self.media.last_mut() {
                    Some(media) => media.connection = address.or(media.connection.take()),
                    None => self.connection = address.or(self.connection.take()),
                }
            }
            'o' => self.origin = origin(value),
            _unknown => {}
        }
        Ok(())
    }
}

fn split(raw: &str, line: usize) -> Result<Option<(char, &str)>, ParseError> {
    let text = raw.trim_end();
    if text.is_empty() {
        return Ok(None);
    }
    let bad = ParseError::BadLine { line };
    if text.chars().any(|c| c.is_control() && c != '\t') {
        return Err(bad);
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(kind), Some('=')) if kind.is_ascii_lowercase() => {
            // Nobody who hides secrets in descriptions looks for a name behind blanks, so there is none.
            let value = chars.as_str();
            Ok(Some((
                kind,
                if kind == 'a' {
                    value
                } else {
                    value.trim_start()
                },
            )))
        }
        (Some(_) | None, Some(_) | None) => Err(bad),
    }
}

fn media(value: &str, line: usize) -> Result<Media, ParseError> {
    let bad = ParseError::BadLine { line };
    let mut words = value.split_ascii_whitespace();
    let kind = words.next().ok_or(bad.clone())?;
    let port = words.next().ok_or(bad.clone())?;
    let protocol = words.next().ok_or(bad.clone())?;
    let port = port.split('/').next().unwrap_or(port);
    let formats: Vec<String> = words.take(limit::FORMATS + 1).map(str::to_owned).collect();
    if formats.len() > limit::FORMATS {
        return Err(ParseError::TooManyFormats { line });
    }
    Ok(Media {
        kind: [MediaKind::Audio, MediaKind::Video]
            .into_iter()
            .find(|known| kind.eq_ignore_ascii_case(known.as_str()))
            .unwrap_or_else(|| MediaKind::Other(kind.to_owned())),
        port: port.parse().map_err(|_| bad)?,
        protocol: protocol.to_owned(),
        formats,
        connection: None,
        attributes: Vec::new(),
    })
}

fn attribute(value: &str) -> Attribute {
    match value.split_once(':') {
        Some((name, value)) => Attribute::new(name, value.trim()),
        None => Attribute::flag(value),
    }
}

/// `IN IP4 192.0.2.1/127` → `192.0.2.1`.
fn connection(value: &str) -> Option<String> {
    let address = value.split_ascii_whitespace().nth(2)?;
    Some(address.split('/').next().unwrap_or(address).to_owned())
}

fn origin(value: &str) -> Origin {
    let mut words = value.split_ascii_whitespace();
    let mut next = |fallback: &str| words.next().unwrap_or(fallback).to_owned();
    let username = next("-");
    let session_id = next("0");
    let version = next("0").parse().unwrap_or(0);
    let _net_type = next("IN");
    let _address_type = next("IP4");
    Origin {
        username,
        session_id,
        version,
        address: next("0.0.0.0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_lf_and_missing_lines_are_fine() {
        let d = Description::parse("v=0\nm=audio 9 RTP/AVP 0\n").unwrap();
        assert_eq!(d.media.len(), 1);
        assert_eq!(d.media[0].formats, ["0"]);
    }

    #[test]
    fn what_hides_its_name_behind_blanks_is_no_secret_of_ours() {
        let text = "v=0\nm=audio 9 RTP/SAVP 0\na= crypto:1 x\na=crypto :1 x\na=\tice-pwd:x\na=ice-pwd :x\n";
        let d = Description::parse(text).unwrap();
        assert!(!d.has(0, "crypto") && !d.has(0, "ice-pwd"), "{d:?}");
    }

    #[test]
    fn a_second_connection_line_without_address_changes_nothing() {
        let d = Description::parse("v=0\r\nc=IN IP4 192.0.2.1/127\r\nc=IN\r\n").unwrap();
        assert_eq!(d.connection.as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn what_is_no_description_is_refused() {
        for (text, error) in [
            ("", ParseError::NoVersion),
            ("v=1\r\n", ParseError::NoVersion),
            ("o=- 1 1 IN IP4 1.1.1.1\r\nv=0\r\n", ParseError::NoVersion),
            ("v=0\r\nhello\r\n", ParseError::BadLine { line: 2 }),
            ("v=0\r\nm=audio\r\n", ParseError::BadLine { line: 2 }),
            (
                "v=0\r\nm=audio x RTP/AVP 0\r\n",
                ParseError::BadLine { line: 2 },
            ),
            (
                "v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
                ParseError::BadLine { line: 2 },
            ),
            ("v=0\r\na=mid:0\ra=x\r\n", ParseError::BadLine { line: 2 }),
            ("v=0\r\na=mid:\0\r\n", ParseError::BadLine { line: 2 }),
        ] {
            assert_eq!(Description::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn too_much_is_refused_before_it_is_stored() {
        let long = format!("v=0\r\ns={}\r\n", "x".repeat(limit::BYTES));
        assert!(matches!(
            Description::parse(&long),
            Err(ParseError::TooLong { .. })
        ));
        let lines = format!("v=0\r\n{}", "a=x\r\n".repeat(limit::LINES));
        assert_eq!(Description::parse(&lines), Err(ParseError::TooManyLines));
        let media = format!(
            "v=0\r\n{}",
            "m=audio 1 RTP/AVP 0\r\n".repeat(limit::MEDIA + 1)
        );
        assert_eq!(Description::parse(&media), Err(ParseError::TooManyMedia));
        let formats = format!(
            "v=0\r\nm=audio 1 RTP/AVP{}\r\n",
            " 0".repeat(limit::FORMATS + 1)
        );
        assert_eq!(
            Description::parse(&formats),
            Err(ParseError::TooManyFormats { line: 2 })
        );
    }
}
