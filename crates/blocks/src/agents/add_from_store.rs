//! Puts an agent of the marketplace into the account's library.

use super::without;
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_engine::ports::Failure;

/// Adding what is there changes nothing, so a crash may have it done twice.
pub(crate) const BLOCK: Block = Block {
    id: "2602a7b1-3f4d-4e5f-9c8b-1a2b3c4d5e6f",
    effect: |_| Effect::Idempotent,
    slow: never,
    run: Run::Work { provider: |_| None, work: run },
};

fn run<'a>(input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(add(input, cx, ports, out))
}

async fn add(mut input: Input, cx: &Cx, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let market = ports.market.as_ref().ok_or_else(|| without("marketplace"))?;
    let version = input.text("store_listing_version_id");
    let added = market.add(cx.user, &version).await.map_err(Failure::Unknown)?;
    let agent = added.ok_or_else(|| refuse(format!("the marketplace shows no version {version:?}")))?;
    // Only said: the agent keeps the name that its creator gave it.
    let name = Some(input.text("agent_name")).filter(|name| !name.is_empty()).unwrap_or(agent.agent_name);
    out.emit("success", true).await?;
    out.emit("library_agent_id", agent.library_agent_id).await?;
    out.emit("agent_id", agent.agent_id).await?;
    out.emit("agent_version", agent.agent_version).await?;
    let message = format!("{name} is in your library");
    out.emit("agent_name", name).await?;
    out.emit("message", message).await
}
