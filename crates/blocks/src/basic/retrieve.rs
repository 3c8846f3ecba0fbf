//! Reads what was kept under a name.

use super::persist::{key, no_storage};
use crate::block::{Block, Cx, Input, Run, never};
use crate::storage::Storage;
use heddle_engine::Effect;
use heddle_engine::ports::Failure;
use heddle_model::Value;

/// Waits for the disk, so that it sees what this run kept before.
pub(crate) const BLOCK: Block = Block {
    id: "d8710fc9-6e29-481e-a7d5-165eb16f8471",
    effect: |_| Effect::Idempotent,
    slow: never,
    run: Run::Retrieve,
};

/// The stored value, or the default when there is none.
pub(crate) async fn read(mut input: Input, cx: &Cx, storage: Option<&dyn Storage>) -> Result<Value, Failure> {
    let key = key(&mut input, cx)?;
    let stored = storage.ok_or_else(no_storage)?.get(cx.user, &key).await.map_err(Failure::Unknown)?;
    Ok(stored.filter(|value| !value.is_null()).unwrap_or_else(|| input.take("default_value")))
}
