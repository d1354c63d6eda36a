//! Transactions: a request and its answers, each repeated, absorbed and given up as RFC 3261 §17 says.
//!
//! One table per diagram, pure; [`Layer`] keeps the transactions, finds the one a message belongs to,
//! and does what its table's step asks for. A user agent sits on it ([`crate::endpoint`]); a stateful
//! proxy can use it alone.

mod flow;
mod layer;
mod stateless;
mod table;
mod timer;

pub mod client_invite;
pub mod client_non_invite;
pub mod server_invite;
pub mod server_non_invite;

pub use flow::{Flow, FlowId, Transport};
pub(crate) use layer::hop_request;
pub use layer::{Cancelling, ClientKey, Gone, Layer, LayerConfig, LayerOutput, ServerKey, TxEvent};
pub use stateless::{answer_to, ask_statelessly, read_request, refuse_statelessly};
pub use table::{Action, Class};
pub use timer::{Timer, Timings};
