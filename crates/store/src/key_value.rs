//! What storage blocks keep for an account. Values written by a run come with its frames; here are the others.

use crate::cell::args;
use crate::sql::Sql;
use crate::{Error, Store, clock};
use heddle_model::{UserId, Value};

const GET: Sql = Sql {
    sqlite: "SELECT value FROM key_value WHERE owner = ?1 AND key = ?2",
    postgres: "SELECT value FROM key_value WHERE owner = $1 AND sha256(key) = sha256($2)",
};

/// Also used for the values that ride in frames.
pub(crate) const PUT: Sql = Sql {
    sqlite: "INSERT INTO key_value (owner, key, value, updated_at) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    postgres: "INSERT INTO key_value (owner, key, value, updated_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (owner, sha256(key)) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
};

impl Store {
    /// The value under this key.
    pub async fn get_value(&self, owner: UserId, key: &str) -> Result<Option<Value>, Error> {
        let key = key.to_owned();
        self.read(move |db| db.first(GET, &args![owner, key], |row| row.json(0))).await
    }

    /// Puts a value under this key in place of any other.
    pub async fn put_value(&self, owner: UserId, key: &str, value: &Value) -> Result<(), Error> {
        let (key, text) = (key.to_owned(), value.to_string());
        self.write(move |db| {
            db.execute(PUT, &args![owner, key, text, clock::now()])?;
            Ok(())
        })
        .await
    }
}
