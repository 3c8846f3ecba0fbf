//! The blocks' key-value storage, on the store.

use crate::patience::patiently;
use async_trait::async_trait;
use heddle_blocks::Storage;
use heddle_model::{UserId, Value};
use heddle_store::Store;

pub(crate) struct StoreStorage(pub(crate) Store);

#[async_trait]
impl Storage for StoreStorage {
    async fn get(&self, user: UserId, key: &str) -> Result<Option<Value>, String> {
        patiently(|| self.0.get_value(user, key)).await.map_err(|error| error.to_string())
    }

    async fn put(&self, user: UserId, key: &str, value: Value) -> Result<(), String> {
        patiently(|| self.0.put_value(user, key, &value)).await.map_err(|error| error.to_string())
    }
}
