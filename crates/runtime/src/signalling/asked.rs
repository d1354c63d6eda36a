use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tunnel::{Proxy, Strength};

/// No application has more proxies; those that come later are not remembered.
const MOST_PROXIES: usize = 64;

/// How each proxy has asked for credentials: in no weaker way may it ask again.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<BTreeMap<String, Strength>>);

impl Asked {
    /// The weakest way in which this proxy may ask.
    pub(super) fn least(&self, proxy: &Proxy) -> Option<Strength> {
        self.known().get(&proxy.to_string()).copied()
    }

    /// A weaker way than one before, as of an attempt that began sooner, changes nothing.
    pub(super) fn remember(&self, proxy: &Proxy, asked: Strength) {
        let name = proxy.to_string();
        let mut known = self.known();
        if known.len() < MOST_PROXIES || known.contains_key(&name) {
            let strongest = known.entry(name).or_insert(asked);
            *strongest = asked.max(*strongest);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Strength>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
