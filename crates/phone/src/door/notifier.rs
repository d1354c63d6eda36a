//! Who subscribes to what this phone tells, and how that ends.

use serde::Serialize;

use crate::door::caller_identity::CallerIdentity;
use crate::door::peer::Peer;

/// Somebody wants to subscribe; answer with [`Command::AcceptSubscription`](crate::Command::AcceptSubscription)
/// or [`Command::RejectSubscription`](crate::Command::RejectSubscription) within ten seconds, else it is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionRequest {
    /// Accepts or rejects it; once it is accepted, names the subscriber.
    pub id: u64,
    /// The event package.
    pub event: String,
    /// The user part of the address that is subscribed to, or its host if it has none.
    pub target: String,
    /// Who asks.
    #[serde(flatten)]
    pub(crate) from: Peer,
    /// What servers and gateways say of them.
    pub identity: CallerIdentity,
    /// Media types that they understand; empty for the package's own.
    pub accept: Vec<String>,
    /// Seconds that they ask for; 0 only fetches the state.
    pub expires: u64,
    /// Every header, in order, credentials taken out.
    pub headers: Vec<(String, String)>,
}

/// Why a subscriber is told nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum NotifierEndReason {
    /// The application ended it, or the phone has ended.
    Local,
    /// The subscriber did not renew it in time.
    Expired,
    /// The subscriber gave it up, or only fetched the state.
    Unsubscribed,
    /// The subscriber refused a notification.
    Refused,
    /// The subscriber did not answer a notification.
    Silent,
}
