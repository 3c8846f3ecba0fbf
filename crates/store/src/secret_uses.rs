//! The record of every use of a secret: who, which, where, when; never the secret.

use crate::cell::{Row, args};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{CredentialId, RunId, Time, UserId};

macro_rules! columns {
    () => {
        "used_at, owner, credential, provider, door, run, node, exec"
    };
}

const INSERT: Sql = both!(concat!("INSERT INTO secret_use (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
const TOUCH: Sql = both!(
    "UPDATE credential SET last_used_at = ?3 WHERE owner = ?1 AND id = ?2 AND (last_used_at IS NULL OR last_used_at < ?3)"
);
const OF_OWNER: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    " FROM secret_use WHERE owner = ?1 ORDER BY used_at DESC, number DESC LIMIT ?2"
));
const PRUNE: Sql = both!(
    "DELETE FROM secret_use WHERE number IN (SELECT number FROM secret_use WHERE used_at <= ?1 ORDER BY used_at LIMIT ?2)"
);

/// One use of one secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretUse {
    /// When.
    pub used_at: Time,
    /// For which account.
    pub owner: UserId,
    /// The credential's id; that of a host-wide one is in no table.
    pub credential: String,
    /// Its provider.
    pub provider: String,
    /// What it was used by: `run`, `block`, …
    pub door: String,
    /// In which run.
    pub run: Option<RunId>,
    /// By which node.
    pub node: Option<String>,
    /// By which execution of it, by its index within the run.
    pub exec: Option<u64>,
}

fn read(row: &Row<'_>) -> Result<SecretUse, Error> {
    let node = row.text_option(6)?;
    Ok(SecretUse {
        used_at: row.time(0)?,
        owner: UserId(row.id(1)?),
        credential: row.text(2)?,
        provider: row.text(3)?,
        door: row.text(4)?,
        run: row.id_option(5)?.map(RunId),
        exec: if node.is_some() { Some(row.count(7)?) } else { None },
        node,
    })
}

impl Store {
    /// Records a use, and that the credential was used just then.
    pub async fn note_secret_use(&self, noted: SecretUse) -> Result<(), Error> {
        self.write(move |db| {
            let SecretUse { used_at, owner, credential, provider, door, run, node, exec } = &noted;
            db.execute(INSERT, &args![used_at, owner, credential, provider, door, run, node, exec])?;
            if let Some(id) = CredentialId::parse(credential) {
                db.execute(TOUCH, &args![owner, id, used_at])?;
            }
            Ok(())
        })
        .await
    }

    /// The owner's latest uses, latest first.
    pub async fn secret_uses(&self, owner: UserId, limit: u64) -> Result<Vec<SecretUse>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner, limit], read)).await
    }

    /// Removes everybody's records up to a time, the oldest first, at most so many; says how many there were.
    pub async fn prune_secret_uses(&self, before: Time, limit: u64) -> Result<u64, Error> {
        self.write(move |db| db.execute(PRUNE, &args![before, limit])).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_found_by_an_index() {
        for (sql, index) in
            [(OF_OWNER, "secret_use_by_owner (owner=?)"), (PRUNE, "COVERING INDEX secret_use_by_age (used_at<?)")]
        {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
        }
    }
}
