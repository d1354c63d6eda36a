//! What SIP messages say, in the words of the door, and the little that is written into them.

pub(crate) mod arrival;
pub(crate) mod auto_answer;
pub(crate) mod caller_identity;
mod conference_info;
pub(crate) mod content;
pub(crate) mod conversation_id;
pub(crate) mod dtmf_relay;
pub(crate) mod headers;
pub(crate) mod invitation;
pub(crate) mod message_summary;
pub(crate) mod outcome;
pub(crate) mod parties;
pub(crate) mod refer_to;
pub(crate) mod sdp;
pub(crate) mod sipfrag;
pub(crate) mod state_document;
pub(crate) mod target;
pub(crate) mod user_to_user;
mod xml;
