//! Agents of the marketplace that fit a query.

use super::{Order, Search, shown, without};
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block {
    id: "39524701-026c-4328-87cc-1b88c8e2cb4c",
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider: |_| None, work: run },
};

fn run<'a>(input: Input, _: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(search(input, ports, out))
}

async fn search(mut input: Input, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let market = ports.market.as_ref().ok_or_else(|| without("marketplace"))?;
    let order = match input.text("sort_by").as_str() {
        "runs" => Order::Runs,
        "name" => Order::Name,
        "updated_at" => Order::UpdatedAt,
        _ => Order::Rating,
    };
    let limit = input.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(10);
    let mut words = |pin: &str| Some(input.text(pin).trim().to_owned()).filter(|text| !text.is_empty());
    let search = Search { query: words("query"), category: words("category"), order, limit };
    let found = market.search(search).await.map_err(Failure::Unknown)?;
    let agents: Vec<Value> = found.iter().map(shown).collect();
    let count = agents.len();
    out.emit("agents", agents.clone()).await?;
    out.emit("total_count", count).await?;
    for agent in agents {
        out.emit("agent", agent).await?;
    }
    Ok(())
}
