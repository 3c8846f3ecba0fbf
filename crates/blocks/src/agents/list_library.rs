//! The agents of the account's library, a page of them.

use super::{shown, without};
use crate::block::{Block, Cx, Ended, Input, Outlet, Run, Working, never};
use crate::registry::Ports;
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block {
    id: "082602d3-a74d-4600-9e9c-15b3af7eae98",
    effect: |_| Effect::Read,
    slow: never,
    run: Run::Work { provider: |_| None, work: run },
};

fn run<'a>(input: Input, cx: &'a Cx, ports: &'a Ports, out: Outlet<'a>) -> Working<'a> {
    Box::pin(list(input, cx, ports, out))
}

async fn list(mut input: Input, cx: &Cx, ports: &Ports, mut out: Outlet<'_>) -> Ended {
    let library = ports.library.as_ref().ok_or_else(|| without("library"))?;
    let number = |pin: &str, default| input.integer(pin).and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
    let (limit, page) = (number("limit", 50), number("page", 1));
    let query = input.text("search_query");
    let found = library.agents(cx.user, query.trim(), page, limit).await.map_err(Failure::Unknown)?;
    let agents: Vec<Value> = found.agents.iter().map(shown).collect();
    out.emit("agents", agents.clone()).await?;
    out.emit("total_count", found.total).await?;
    out.emit("page", page).await?;
    out.emit("total_pages", found.total.div_ceil(u64::from(limit.max(1)))).await?;
    for agent in agents {
        out.emit("agent", agent).await?;
    }
    Ok(())
}
