//! What an endpoint knows, in parts that can be understood alone; what it does with them stands beside this folder.
//!
//! Nothing here knows the verbs: only the words that [`event`](super::event), [`command`](super::command) and
//! [`config`](super::config) have for both sides.

pub(in crate::endpoint) mod admission;
pub(in crate::endpoint) mod alarm;
pub(in crate::endpoint) mod calls;
pub(in crate::endpoint) mod draws;
pub(in crate::endpoint) mod exchanges;
pub(in crate::endpoint) mod flows;
pub(in crate::endpoint) mod notifiers;
pub(in crate::endpoint) mod registrar;
pub(in crate::endpoint) mod signer;
pub(in crate::endpoint) mod subscriptions;
pub(in crate::endpoint) mod timing;
pub(in crate::endpoint) mod unfinished;
pub(in crate::endpoint) mod usage;
