//! Counters that outlive the process. What they count is their owner's business.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store};

const GET: Sql = both!("SELECT body FROM counter WHERE name = ?1");
const PUT: Sql =
    both!("INSERT INTO counter (name, body) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET body = excluded.body");

impl Store {
    /// What was put down last under this name.
    pub async fn counter(&self, name: &'static str) -> Result<Option<Vec<u8>>, Error> {
        self.read(move |db| db.first(GET, &args![name], |row| Ok(row.bytes(0)?.to_vec()))).await
    }

    /// Puts this down in place of what was there.
    pub async fn put_counter(&self, name: &'static str, body: Vec<u8>) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(PUT, &args![name, body])?;
            Ok(())
        })
        .await
    }
}
