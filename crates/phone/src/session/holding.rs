//! Who is on hold.

use crate::door::error::PhoneError;

/// Who is on hold.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// The peer agreed to be.
    pub(super) held: bool,
    /// The user wants the peer there: no message takes it off.
    pub(super) kept: bool,
    /// Media plays the peer something else than our input.
    pub(super) hears_music: bool,
    /// The peer holds us.
    pub(super) remote: bool,
    /// The last hold (true) or resumption that did not come about, until another is asked for.
    failure: Option<(bool, PhoneError)>,
}

impl Holding {
    /// Another change is asked for: what became of the last is past.
    pub(super) fn asked(&mut self) {
        self.failure = None;
    }

    /// The peer is as it was: a hold or a resumption did not come about.
    pub(super) fn refused(&mut self, held: bool, error: PhoneError) {
        self.kept &= !held;
        self.failure = Some((held, error));
    }

    /// Why the peer is not held, or still is, if it did not agree.
    pub(super) fn failure(&self, held: bool) -> Option<&PhoneError> {
        let failure = self.failure.as_ref();
        failure.and_then(|(wanted, error)| (*wanted == held).then_some(error))
    }
}
