//! Blocks: the list, and running one outside any graph.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::BlockInput;
use crate::prepared::{Prepared, Wanted};
use crate::scopes::{ExecuteBlock, ReadBlock};
use crate::wire::{Block, BlockOutputs, Detail, Failure};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use heddle_platform::Blocks;
use http::HeaderValue;

/// The blocks that can be used, with the schemas of their pins.
///
/// The list does not change while the server runs; whoever sends the `ETag` it came with is told so in few bytes.
#[utoipa::path(
    get,
    path = "/blocks",
    tag = "blocks",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the list that the client has")),
    responses(
        (status = 200, description = "All blocks", body = Vec<Block>, headers(("ETag" = String, description = "Stands for this list"))),
        (status = 304, description = "The list is the one that the client has"),
    )
)]
pub async fn get_graph_blocks(State(app): State<App>, call: Call<ReadBlock, Wanted>) -> Result<Response, ApiError> {
    let blocks = app.platform.blocks.clone();
    let list = app.blocks.get_or_try_init(|| tokio::task::spawn_blocking(move || prepare(&blocks))).await;
    Ok(list.map_err(|_| ApiError::Panicked)?.answer(&call.input))
}

fn prepare(blocks: &Blocks) -> Prepared {
    let facts = blocks.list();
    let list: Vec<_> = facts.iter().map(|facts| Block::of(facts, blocks)).collect();
    let json = serde_json::to_vec(&list).expect("facts can always be written");
    Prepared::new(HeaderValue::from_static("application/json"), json.into())
}

/// Runs one block, outside any graph, and answers with everything it emitted.
///
/// The body is the block's inputs themselves. Members that are null count as absent.
#[utoipa::path(
    post,
    path = "/blocks/{block_id}/execute",
    tag = "blocks",
    params(("block_id" = String, Path, description = "Block id, compared exactly")),
    request_body(content = Object, description = "Input pin → value"),
    responses(
        (status = 200, description = "Output pin → values in order", body = BlockOutputs),
        (status = 400, description = "The input is not valid, or the block failed", body = Failure),
        (status = 402, description = "The account has too few credits; never where spending is free", body = Failure),
        (status = 403, description = "The credential lacks a scope, or the block is disabled", body = Detail),
        (status = 404, description = "There is no such block", body = Detail),
    )
)]
pub async fn execute_graph_block(
    State(app): State<App>,
    call: Call<ExecuteBlock, BlockInput>,
) -> Result<Json<BlockOutputs>, ApiError> {
    let BlockInput { block, data } = call.input;
    let outputs = app.platform.blocks.execute(call.caller.user, &block, data).await?;
    Ok(Json(BlockOutputs(outputs)))
}
