//! What enters and leaves an agent, and agents within agents.

pub(crate) mod date_input;
pub(crate) mod executor;
pub(crate) mod file_input;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod table_input;
pub(crate) mod time_input;
pub(crate) mod toggle_input;
