//! What storage blocks keep for an account. Values written by a run come with its frames; here are the others.

use crate::{Error, Store, clock, sql};
use heddle_model::{UserId, Value};
use rusqlite::{OptionalExtension, params};

const GET: &str = "SELECT value FROM key_value WHERE owner = ?1 AND key = ?2";

/// Also used for the values that ride in frames.
pub(crate) const PUT: &str = "INSERT INTO key_value (owner, key, value, updated_at) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";

impl Store {
    /// The value under this key.
    pub async fn get_value(&self, owner: UserId, key: &str) -> Result<Option<Value>, Error> {
        let key = key.to_owned();
        self.read(move |db| {
            let mut statement = db.prepare_cached(GET)?;
            Ok(statement.query_row(params![owner.0.as_bytes(), key], |row| sql::json(row, 0)).optional()?)
        })
        .await
    }

    /// Puts a value under this key in place of any other.
    pub async fn put_value(&self, owner: UserId, key: &str, value: &Value) -> Result<(), Error> {
        let (key, text) = (key.to_owned(), value.to_string());
        self.write(move |db| {
            db.prepare_cached(PUT)?.execute(params![owner.0.as_bytes(), key, text, clock::now().0])?;
            Ok(())
        })
        .await
    }
}
