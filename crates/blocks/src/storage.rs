//! Where blocks keep an account's values between runs.
//!
//! A port: the database behind it is somebody else's. Every call names the owner, so one account can never read
//! another's values. Keys come with their scope (`agent#…`, `global#…`).

use async_trait::async_trait;
use heddle_model::{UserId, Value};

/// An account's key-value store.
#[async_trait]
pub trait Storage: Send + Sync {
    /// The value under this key; `None` when nothing was ever stored there.
    async fn get(&self, user: UserId, key: &str) -> Result<Option<Value>, String>;

    /// Stores a value, replacing what was there.
    async fn put(&self, user: UserId, key: &str, value: Value) -> Result<(), String>;
}
