//! Writing headers whose values are ours or another message's.

use crate::message::{Headers, Name};

/// Adds what has been checked where it was made, and never fails.
///
/// A value that came from a peer may hold control characters: they are left out. One that is too
/// long for any message is left out whole; the message then is its receiver's to refuse.
pub(crate) trait Put {
    /// Adds a header at the end.
    fn put<'n>(&mut self, name: impl Into<Name<'n>>, value: &str);
    /// Adds a header before the first of its name, or before all others.
    fn put_front<'n>(&mut self, name: impl Into<Name<'n>>, value: &str);
    /// Puts one header in the place of all those of its name, or at the end.
    fn put_instead<'n>(&mut self, name: impl Into<Name<'n>>, value: &str);
}

impl Put for Headers {
    fn put<'n>(&mut self, name: impl Into<Name<'n>>, value: &str) {
        let name = name.into();
        if self.push(name, value).is_err() {
            let _too_long = self.push(name, &printable(value));
        }
    }

    fn put_front<'n>(&mut self, name: impl Into<Name<'n>>, value: &str) {
        let name = name.into();
        if self.insert_front(name, value).is_err() {
            let _too_long = self.insert_front(name, &printable(value));
        }
    }

    fn put_instead<'n>(&mut self, name: impl Into<Name<'n>>, value: &str) {
        let name = name.into();
        if self.replace(name, value).is_err() {
            let _too_long = self.replace(name, &printable(value));
        }
    }
}

fn printable(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}
