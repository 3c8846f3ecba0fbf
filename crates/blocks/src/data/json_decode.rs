//! Reads JSON.

use crate::block::{Block, Cx, Ended, Input, Out, refuse};
use heddle_model::Value;

pub(crate) const BLOCK: Block = Block::pure("2b935639-65bc-48fd-9f88-823cd706fcd9", run);

fn run(mut input: Input, _: &Cx, out: &mut Out<'_>) -> Ended {
    let data = serde_json::from_str::<Value>(&input.text("json_str"));
    out.emit("data", data.map_err(|error| refuse(format!("the text is not JSON: {error}")))?)
}
