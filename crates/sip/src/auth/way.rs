/// The way of a request of ours, which decides who can have challenged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Whom its Request-URI names.
    pub target: Target,
    /// Whose dialog it is sent in.
    pub within: Within,
}

/// Whom a Request-URI names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Our registrar, by REGISTER.
    Registrar,
    /// Our own domain: its servers, or one of its users.
    OwnDomain,
    /// Anybody else.
    Elsewhere,
}

/// Whose dialog a request is sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// None.
    NoDialog,
    /// One that we began, by a request to our own domain.
    Ours,
    /// Such a one, whose first request answered a 401: a B2BUA's, as far as anybody can tell.
    Signed,
    /// One that the other side began, or that we began with somebody elsewhere.
    Theirs,
}

impl Way {
    /// That of a REGISTER.
    pub const REGISTER: Self = Self {
        target: Target::Registrar,
        within: Within::NoDialog,
    };

    pub(super) fn is_register(self) -> bool {
        self.target == Target::Registrar
    }

    /// Whether nobody but the servers and users of our own domain has seen the request.
    pub(super) fn stays_at_home(self) -> bool {
        match (self.target, self.within) {
            (Target::Registrar, _) | (Target::OwnDomain, Within::NoDialog) => true,
            // A Contact is the other side's to choose, so that one of our domain proves nothing.
            (Target::OwnDomain, Within::Ours | Within::Signed | Within::Theirs)
            | (Target::Elsewhere, _) => false,
        }
    }

    /// Whether a 401 may be a server's of ours: a B2BUA is the far end of every call. Its Contact is often its
    /// address, whose name we don't know. Whoever got past a 401 with our answer to it learns no more by another.
    pub(super) fn ends_at_home(self) -> bool {
        match (self.target, self.within) {
            (Target::Registrar, _) => true,
            (Target::OwnDomain, Within::NoDialog | Within::Ours) => true,
            (Target::OwnDomain | Target::Elsewhere, Within::Signed) => true,
            (Target::OwnDomain, Within::Theirs) => false,
            (Target::Elsewhere, Within::NoDialog | Within::Ours | Within::Theirs) => false,
        }
    }

    /// Whether it belongs to what we began by a request to our own domain.
    pub(super) fn began_at_home(self) -> bool {
        match self.within {
            Within::Ours | Within::Signed => true,
            Within::NoDialog | Within::Theirs => false,
        }
    }
}
