//! Running one block.

use crate::call::{BodyRule, Input, Reading};
use crate::validate::{At, dictionary};
use heddle_model::Object;
use serde_json::Value;

/// A block and its inputs.
pub struct BlockInput {
    /// Block id as it came in.
    pub block: String,
    /// Pin → value.
    pub data: Object,
}

impl Input for BlockInput {
    const BODY: BodyRule = BodyRule::Required;

    fn read(request: &mut Reading) -> Option<Self> {
        let block = request.path("block_id");
        let data = match request.required_body()? {
            Value::Object(data) => data,
            other => dictionary(&other, &At::Source("body"), &mut request.items)?,
        };
        Some(Self { block, data })
    }
}
