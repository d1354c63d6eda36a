//! What SIP messages say, in the words of the door, and the little that is written into them.

pub(crate) mod auto_answer;
pub mod caller_identity;
pub mod conference_info;
pub(crate) mod content;
pub(crate) mod conversation_id;
pub(crate) mod dtmf_relay;
pub(crate) mod invitation;
pub mod message_summary;
pub(crate) mod refer_to;
pub(crate) mod sipfrag;
pub mod state_document;
pub(crate) mod target;
pub(crate) mod user_to_user;
pub(crate) mod wire;
