//! What the marketplace says of one agent.

use super::without;
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never, refuse};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_engine::ports::Failure;

pub(crate) const BLOCK: Block = Block {
    id: "b604f0ec-6e0d-40a7-bf55-9fd09997cced",
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider: |_| None, work: run },
};

fn run<'a>(input: Input, _: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(details(input, ports, out))
}

async fn details(mut input: Input, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let market = ports.market.as_ref().ok_or_else(|| without("marketplace"))?;
    let (creator, slug) = (input.text("creator"), input.text("slug"));
    let found = market.find(&creator, &slug).await.map_err(Failure::Unknown)?;
    let agent = found.ok_or_else(|| refuse(format!("the marketplace has no agent {creator}/{slug}")))?;
    out.emit("found", true).await?;
    out.emit("store_listing_version_id", agent.version).await?;
    out.emit("agent_name", agent.name).await?;
    out.emit("description", agent.description).await?;
    out.emit("creator", agent.creator).await?;
    out.emit("categories", agent.categories).await?;
    out.emit("runs", agent.runs).await?;
    out.emit("rating", agent.rating).await
}
