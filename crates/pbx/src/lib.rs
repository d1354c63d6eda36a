//! The embedded PBX: a registrar and forking proxy with extensions, for tests, demos and trying out.
//!
//! Between users it is a stateful proxy that leaves bodies and tags alone, so that whatever two
//! phones say to each other they say end to end. Its extensions are phones of its own, on flows
//! that never leave it; a click-to-call is a pair of user agents between two parties.
//!
//! ```text
//! connection ─ faults ─► transaction layer ─► gate ─┬─► registrar
//!                              ▲                    ├─► proxy ─► bindings of a user
//!                              │                    └─► attendant (echo, tone, menu, conference, …)
//!                              └──── flows inside ◄──── bridge (click-to-call)
//!
//! party's media ─► relay port ─ media faults ─► the other's relay port ─► other party
//! ```
//! Media go straight between the parties unless the relay is switched on: then every description that
//! a party sends names ports of the relay, and media can be disturbed too.
//!
//! **Give one input, then drain [`Pbx::poll_output`] until it returns `Timeout`.** No clock, no
//! socket: the server in `runtime` owns the WebSockets and the media of the extensions.
#![forbid(unsafe_code)]

mod pbx;
pub use pbx::Pbx;

mod routing;

mod calls;
mod contacts;
mod fork;
mod gate;
mod proxy;
mod registering;
mod registrar;

mod attendant;
mod bridge;
mod originating;

mod fault;
pub use fault::{Action, Direction, Fault};

mod relay;
mod relaying;
pub use relay::{MediaFault, PortId, RelayOrder};

mod config;
pub use config::{Algorithm, Authentication, Config, Extension, Line, Password, User};

mod command;
pub use command::{Command, Originate};

mod event;
pub use event::{Call, Event, MessageDirection, UnregisterCause};

mod output;
pub use output::{CommandError, Output, Reply};

pub use sip::transaction::FlowId;
