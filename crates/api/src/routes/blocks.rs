//! Blocks: the list, and running one outside any graph.

use crate::app::App;
use crate::call::Call;
use crate::error::ApiError;
use crate::input::BlockInput;
use crate::scopes::{ExecuteBlock, ReadBlock};
use crate::wire::{Block, BlockOutputs, Detail, Failure};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;

/// The blocks that can be used, with the schemas of their pins.
#[utoipa::path(get, path = "/blocks", tag = "blocks", responses((status = 200, description = "All blocks", body = Vec<Block>)))]
pub async fn get_graph_blocks(State(app): State<App>, _call: Call<ReadBlock, ()>) -> Result<Response, ApiError> {
    let blocks = &app.platform.blocks;
    let json = app.blocks.get_or_init(|| {
        let facts = blocks.list();
        let list: Vec<_> = facts.iter().map(|facts| Block::of(facts, blocks)).collect();
        serde_json::to_vec(&list).map(Bytes::from).expect("facts can always be written")
    });
    Ok(([(CONTENT_TYPE, "application/json")], json.clone()).into_response())
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
