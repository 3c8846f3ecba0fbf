//! Asks a person. The engine does that; here are only the facts.

use crate::block::{Block, Run, never};
use heddle_engine::Effect;

/// The review's id is the execution's, so asking twice asks once.
pub(crate) const BLOCK: Block =
    Block { id: heddle_model::block::HUMAN_IN_THE_LOOP, effect: |_| Effect::Pure, slow: never, run: Run::Review };
