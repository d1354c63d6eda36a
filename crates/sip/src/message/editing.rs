use std::fmt::{self, Write};

use super::entry::{Entry, HeadSpan};
use super::headers::Headers;
use super::lines::USUAL_HEADERS;
use super::name::{HeaderName, Name};
use crate::header::TypedHeader;
use crate::header::grammar::{Commas, PRINTABLE, is_token, run, trim};

/// Longer values than this are refused from an application.
const MAX_VALUE: usize = 32 * 1024;
/// Room for most values, so that few lines make the text grow twice.
const USUAL_VALUE: usize = 126;
/// Longer names than this are refused from an application.
const MAX_NAME: usize = 128;

/// Why a header of the application's is not put into a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header}: {fault}")]
pub struct InvalidHeader {
    /// The name that was given, control characters escaped.
    pub header: String,
    /// What is wrong.
    pub fault: InvalidHeaderFault,
}

/// What is wrong with a header of the application's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaderFault {
    /// The name is empty, too long or no token.
    #[error("the name is no token")]
    Name,
    /// The value holds CR, LF, NUL or another control character.
    #[error("the value has a control character at byte {0}")]
    ControlCharacter(usize),
    /// The value is longer than 32 KiB.
    #[error("the value is longer than 32 KiB")]
    TooLong,
}

/// Changes; each makes what parsing remembers forgotten where it stops being true.
impl Headers {
    /// Adds a header at the end.
    pub fn push<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let entry = self.checked(name.into(), value)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Adds a header before the first of its name, or before all others where it is the first.
    pub fn insert_front<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let name = name.into();
        let entry = self.checked(name, value)?;
        self.place_in_front(name, entry);
        Ok(())
    }

    /// Puts one header in the place of all those of its name, or at the end.
    pub fn replace<'n>(
        &mut self,
        name: impl Into<Name<'n>>,
        value: &str,
    ) -> Result<(), InvalidHeader> {
        let name = name.into();
        let entry = self.checked(name, value)?;
        self.place_instead(name, entry);
        Ok(())
    }

    /// Adds a typed header at the end.
    ///
    /// Typed values are checked where they are made. Should one hold a control character all the
    /// same, it is left out, so that no value can ever start a header of its own.
    pub fn push_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.entries.push(entry);
    }

    /// Adds a typed header before the first of its name, or before all others; control characters
    /// as in [`Headers::push_typed`].
    pub fn insert_front_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.place_in_front(H::NAME.into(), entry);
    }

    /// Puts a typed header in the place of all those of its name, or at the end; control
    /// characters as in [`Headers::push_typed`].
    pub fn replace_typed<'a, H: TypedHeader<'a> + fmt::Display>(&mut self, header: &H) {
        let entry = self.written(H::NAME, header);
        self.place_instead(H::NAME.into(), entry);
    }

    /// Adds all headers `name` of another message at the end, byte for byte.
    pub fn copy<'n>(&mut self, name: impl Into<Name<'n>>, other: &Headers) {
        let name = name.into();
        if self.entries.is_empty() {
            self.entries.reserve(USUAL_HEADERS);
            self.own.reserve(other.written_length());
        }
        match name {
            Name::Known(known) => {
                for entry in other.lines(known) {
                    self.copy_line(entry, other);
                }
            }
            Name::Other(_) => {
                for entry in other.entries.iter().filter(|entry| other.is(entry, name)) {
                    self.copy_line(entry, other);
                }
            }
        }
    }

    fn copy_line(&mut self, entry: &Entry, other: &Headers) {
        let copied = self.append(entry.name, other.name(entry), |own| {
            own.push_str(other.value(entry));
        });
        self.entries.push(copied);
    }

    /// Removes all headers `name` and says how many lines there were.
    pub fn remove<'n>(&mut self, name: impl Into<Name<'n>>) -> usize {
        let name = name.into();
        self.forget(name);
        let before = self.entries.len();
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| !self.is(entry, name));
        self.entries = entries;
        before - self.entries.len()
    }

    /// Removes and returns the first comma-separated element of the headers `name`, as a proxy
    /// does with its own `Via` or `Route`.
    pub fn pop_element<'n>(&mut self, name: impl Into<Name<'n>>) -> Option<String> {
        let name = name.into();
        self.forget(name);
        let at = self.entries.iter().position(|entry| self.is(entry, name))?;
        let entry = self.entries[at];
        let mut elements = Commas::new(self.value(&entry));
        let Some(first) = elements.next().map(str::to_owned) else {
            self.entries.remove(at);
            return self.pop_element(name);
        };
        let rest: Vec<&str> = elements.collect();
        if rest.is_empty() {
            self.entries.remove(at);
        } else {
            let rest = rest.join(", ");
            let shorter = self.append(entry.name, name.as_str(), |own| own.push_str(&rest));
            self.entries[at] = shorter;
        }
        Some(first)
    }

    fn checked(&mut self, name: Name<'_>, value: &str) -> Result<Entry, InvalidHeader> {
        let text = name.as_str();
        let token = !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(is_token);
        let fault = match (token, first_control(value)) {
            (false, _) => Some(InvalidHeaderFault::Name),
            (true, Some(at)) => Some(InvalidHeaderFault::ControlCharacter(at)),
            (true, None) if value.len() > MAX_VALUE => Some(InvalidHeaderFault::TooLong),
            (true, None) => None,
        };
        if let Some(fault) = fault {
            let header = text
                .chars()
                .take(MAX_NAME)
                .flat_map(char::escape_default)
                .collect();
            return Err(InvalidHeader { header, fault });
        }
        let known = match name {
            Name::Known(name) => Some(name),
            Name::Other(_) => None,
        };
        Ok(self.append(known, text, |own| own.push_str(trim(value))))
    }

    fn written(&mut self, name: HeaderName, value: &dyn fmt::Display) -> Entry {
        self.append(Some(name), name.as_str(), |own| {
            let start = own.len();
            write!(own, "{value}").expect("a String takes everything");
            if let Some(control) = first_control(&own[start..]) {
                let rest = own.split_off(start + control);
                own.extend(rest.chars().filter(|c| !c.is_ascii_control()));
            }
        })
    }

    fn append(
        &mut self,
        known: Option<HeaderName>,
        name: &str,
        write: impl FnOnce(&mut String),
    ) -> Entry {
        let start = self.own.len();
        self.own.reserve(name.len() + USUAL_VALUE);
        self.own.push_str(name);
        self.own.push_str(": ");
        let value = self.own.len();
        write(&mut self.own);
        let end = self.own.len();
        Entry {
            name: known,
            line_is_own: true,
            value_is_own: true,
            name_length: name.len() as u16,
            line: HeadSpan::new(start, end),
            value: HeadSpan::new(value, end),
        }
    }

    fn place_in_front(&mut self, name: Name<'_>, entry: Entry) {
        self.forget(name);
        let at = self.entries.iter().position(|other| self.is(other, name));
        self.entries.insert(at.unwrap_or(0), entry);
    }

    fn forget(&mut self, name: Name<'_>) {
        if let (Name::Known(name), Some(essentials)) = (name, &mut self.essentials) {
            essentials.forget(name);
        }
    }

    fn place_instead(&mut self, name: Name<'_>, entry: Entry) {
        let at = self.entries.iter().position(|other| self.is(other, name));
        self.remove(name);
        self.entries.insert(at.unwrap_or(self.entries.len()), entry);
    }
}

/// Offset of the first control character, of which only the tab is harmless.
pub(super) fn first_control(text: &str) -> Option<usize> {
    let plain = run(text.as_bytes(), 0, PRINTABLE);
    (plain < text.len()).then_some(plain)
}
