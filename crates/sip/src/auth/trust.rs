use crate::header::grammar::unescape;

use super::{Algorithm, Credentials, Realms, Secret, Side, Unsupported, Way};

/// The most realms that are learned or whose algorithms are remembered.
const MAX_REALMS: usize = 8;

/// Which realms are ours, how strong each has been, and where a token has been asked for: what no
/// stranger's challenge changes.
#[derive(Debug)]
pub(super) struct Trust {
    /// The domain of our address.
    home: String,
    /// Those that our own servers have named, if none was given.
    realms: Vec<String>,
    floors: Vec<(String, Algorithm)>,
    /// The realms in which our own edge has asked for the token by 407, and has let it through.
    edges: Vec<String>,
    /// Whether there is a registrar whose word counts.
    registers: bool,
}

impl Trust {
    pub(super) fn new(home: &str) -> Self {
        Self {
            home: home.to_owned(),
            realms: Vec::new(),
            floors: Vec::new(),
            edges: Vec::new(),
            registers: false,
        }
    }

    /// Notes a request that goes out.
    pub(super) fn sends(&mut self, way: Way) {
        self.registers |= way.is_register();
    }

    /// Whether a challenge of `realm` in answer to a request of this way may be answered at all.
    pub(super) fn admits(
        &self,
        credentials: &Credentials,
        realm: &str,
        side: Side,
        way: Way,
    ) -> Result<(), Unsupported> {
        if side == Side::Server && !way.ends_at_home() {
            return Err(Unsupported::Stranger);
        }
        let realm = &unescape(realm);
        let ours = match &credentials.realms {
            Realms::Only(_) => credentials.realms.contains(realm),
            Realms::Any if way.is_register() || self.is_first_word(side, way) => true,
            Realms::Any if self.realms.is_empty() => realm.eq_ignore_ascii_case(&self.home),
            Realms::Any => holds(&self.realms, realm),
        };
        match ours {
            true => Ok(()),
            false => Err(Unsupported::Realm),
        }
    }

    /// Whether a token may be shown to whoever has asked for it in this realm.
    pub(super) fn admits_token(
        &self,
        credentials: &Credentials,
        realm: &str,
        side: Side,
        way: Way,
    ) -> bool {
        match side {
            // RFC 8898 §4: whoever has it is the user, and a user agent is no server of ours.
            Side::Server => way.is_register(),
            Side::Proxy if way.stays_at_home() => true,
            // An edge that asks, asks before it forwards: a stranger never gets as far as to ask.
            Side::Proxy if holds(&self.edges, &unescape(realm)) => true,
            // What is shown unasked is no secret to whoever asks there.
            Side::Proxy => credentials.goes_unasked(way),
        }
    }

    /// RFC 8760 §5: who asks for less than the realm had before may be somebody else.
    pub(super) fn is_weaker(&self, realm: &str, algorithm: Algorithm) -> bool {
        let realm = &unescape(realm);
        let floor = self.floors.iter().find(|(name, _)| is_same(name, realm));
        floor.is_some_and(|(_, floor)| algorithm < *floor)
    }

    /// Learns from a challenge that is answered.
    pub(super) fn answered(
        &mut self,
        realm: &str,
        algorithm: Option<Algorithm>,
        side: Side,
        way: Way,
    ) {
        let realm = &unescape(realm);
        let first = self.is_first_word(side, way);
        if (way.is_register() || first) && !holds(&self.realms, realm) {
            push(&mut self.realms, realm.to_owned());
        }
        let Some(algorithm) = algorithm else {
            return;
        };
        // Only the registrar raises what there is: another's algorithm could be too strong for it.
        let floor = self
            .floors
            .iter_mut()
            .find(|(name, _)| is_same(name, realm));
        match floor {
            Some((_, floor)) if way.is_register() => *floor = algorithm.max(*floor),
            Some(_) => {}
            None if way.is_register() || (way.stays_at_home() && !self.registers) => {
                push(&mut self.floors, (realm.to_owned(), algorithm));
            }
            None => {}
        }
    }

    /// Learns that an answer in this realm was let through by whoever had asked for it.
    pub(super) fn passed(&mut self, realm: &str, secret: &Secret, side: Side, way: Way) {
        let realm = unescape(realm);
        let token = matches!(secret, Secret::Bearer(_));
        let edge = token && side == Side::Proxy && way.stays_at_home();
        if edge && !holds(&self.edges, &realm) {
            push(&mut self.edges, realm);
        }
    }

    /// Forgets how strong the realms have been.
    pub(super) fn forget_algorithms(&mut self) {
        self.floors.clear();
    }

    /// Whether nobody has named a realm yet who could know it better. A server of ours that asks
    /// does so before its users can; if we register, the registrar comes first, and what is
    /// left is the proxy before one that trusts us.
    fn is_first_word(&self, side: Side, way: Way) -> bool {
        let by_server_of_ours = side == Side::Proxy || !self.registers;
        self.realms.is_empty() && way.stays_at_home() && by_server_of_ours
    }
}

fn holds(realms: &[String], realm: &str) -> bool {
    realms.iter().any(|own| is_same(own, realm))
}

pub(super) fn is_same(own: &str, realm: &str) -> bool {
    own.eq_ignore_ascii_case(realm)
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == MAX_REALMS {
        list.remove(0);
    }
    list.push(item);
}
