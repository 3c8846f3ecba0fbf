//! Runs another agent. The engine does that; here are only the facts.

use crate::block::{Block, Run, never};
use heddle_engine::Effect;

/// The child's id follows from the execution's, so starting it twice starts it once.
pub(crate) const BLOCK: Block =
    Block { id: heddle_model::block::AGENT_EXECUTOR, effect: |_| Effect::Idempotent, slow: never, run: Run::SubAgent };
