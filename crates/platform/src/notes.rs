//! What whoever runs this program keeps in the database about it, beside the values that blocks keep.

use crate::{Error, Platform};
use heddle_model::{UserId, Value};

/// No block makes such a key: theirs begin with `global#` and `agent#`.
fn key(name: &str) -> String {
    format!("heddle#{name}")
}

impl Platform {
    /// What is noted under this name beside an account.
    pub async fn note(&self, account: UserId, name: &str) -> Result<Option<Value>, Error> {
        Ok(self.store.get_value(account, &key(name)).await?)
    }

    /// Notes something under this name, in place of what was.
    pub async fn put_note(&self, account: UserId, name: &str, value: &Value) -> Result<(), Error> {
        Ok(self.store.put_value(account, &key(name), value).await?)
    }
}
