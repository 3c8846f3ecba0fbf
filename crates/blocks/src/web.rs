//! Blocks that talk to web servers.

mod body;
pub(crate) mod send_authenticated;
pub(crate) mod send_request;
