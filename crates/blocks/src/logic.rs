//! Deciding and repeating.

pub(crate) mod condition;
pub(crate) mod if_matches;
pub(crate) mod step_through;
