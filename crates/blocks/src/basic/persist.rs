//! Keeps a value under a name, for one agent or for all agents of the account.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_engine::ports::Failure;

pub(crate) const BLOCK: Block = Block::local("1d055e55-a2b9-4547-8311-907d05b0304d", run);

fn run(mut input: Input, cx: &Cx, out: &mut Out<'_>) -> Ended {
    let key = key(&mut input, cx)?;
    let value = input.take("value");
    out.keep(key, value.clone());
    out.emit("value", value)
}

/// The storage key: a name within an agent is the agent's own, other names are shared by the account.
pub(crate) fn key(input: &mut Input, cx: &Cx) -> Result<String, Failure> {
    let name = input.text("key");
    if input.text("scope") == "across_agents" {
        return Ok(format!("global#{name}"));
    }
    let place = cx.place.as_ref().ok_or_else(|| {
        refuse("a value with the scope within_agent needs a graph run; use the scope across_agents outside of one")
    })?;
    Ok(format!("agent#{}#{name}", place.graph))
}

/// The failure of a build without storage.
pub(crate) fn no_storage() -> Failure {
    refuse("this server keeps no values between runs")
}
