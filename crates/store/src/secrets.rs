//! Sealed secrets of accounts. What is sealed in them, and with which key, is not known here.

use crate::cell::args;
use crate::sql::{Sql, both};
use crate::{Error, Store, clock};
use heddle_model::UserId;

const GET: Sql = both!("SELECT sealed FROM secret WHERE owner = ?1 AND name = ?2");
const ANY: Sql = both!("SELECT owner, name, sealed FROM secret LIMIT 1");
const MAKE: Sql = both!(
    "INSERT INTO secret (owner, name, sealed, updated_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (owner, name) DO NOTHING"
);
const PUT: Sql = both!(
    "INSERT INTO secret (owner, name, sealed, updated_at) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at"
);

/// A sealed secret and the row it was sealed for.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Whose.
    pub owner: UserId,
    /// What its owner has it for.
    pub name: String,
    /// What the vault made of it.
    pub sealed: Vec<u8>,
}

impl Store {
    /// The sealed secret of this name.
    pub async fn secret(&self, owner: UserId, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let name = name.to_owned();
        self.read(move |db| db.first(GET, &args![owner, name], |row| Ok(row.bytes(0)?.to_vec()))).await
    }

    /// Any secret of anybody's: to see whether the master key at hand is the right one.
    pub async fn any_secret(&self) -> Result<Option<SealedSecret>, Error> {
        self.read(|db| {
            db.first(ANY, &[], |row| {
                Ok(SealedSecret { owner: UserId(row.id(0)?), name: row.text(1)?, sealed: row.bytes(2)?.to_vec() })
            })
        })
        .await
    }

    /// Keeps a secret where there is none yet; one that is there stays. What is there then.
    pub async fn make_secret(&self, new: SealedSecret) -> Result<Vec<u8>, Error> {
        self.write(move |db| {
            let SealedSecret { owner, name, sealed } = &new;
            db.execute(MAKE, &args![owner, name, sealed, clock::now()])?;
            db.one(GET, &args![owner, name], |row| Ok(row.bytes(0)?.to_vec()))
        })
        .await
    }

    /// Keeps a secret in place of any other of its name.
    pub async fn put_secret(&self, new: SealedSecret) -> Result<(), Error> {
        self.write(move |db| {
            let SealedSecret { owner, name, sealed } = &new;
            db.execute(PUT, &args![owner, name, sealed, clock::now()])?;
            Ok(())
        })
        .await
    }
}
