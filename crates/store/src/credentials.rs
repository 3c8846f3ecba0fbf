//! Credentials of accounts. What is sealed in them, and with which key, is not known here.

use crate::cell::{Row, args};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{CredentialId, Time, UserId};

macro_rules! columns {
    () => {
        "id, owner, provider, kind, title, scopes, username, host, base_url, expires_at, created_at, last_used_at"
    };
}

/// How many columns that is.
const WIDTH: usize = 12;

const INSERT: Sql = both!(
    "INSERT INTO credential (id, owner, provider, kind, title, scopes, username, host, base_url, expires_at, \
    created_at, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
);
const OF_OWNER: Sql =
    both!(concat!("SELECT ", columns!(), " FROM credential WHERE owner = ?1 ORDER BY created_at, id"));
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), ", sealed FROM credential WHERE owner = ?1 AND id = ?2"));
const REMOVE: Sql = both!(concat!(
    "DELETE FROM credential WHERE owner = ?1 AND id = ?2 AND provider = ?3 RETURNING ",
    columns!(),
    ", sealed"
));
const REPLACE: Sql = both!(
    "UPDATE credential SET sealed = ?4, scopes = ?5, expires_at = ?6 WHERE owner = ?1 AND id = ?2 AND sealed = ?3"
);

/// What is known of a credential without opening it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialRecord {
    /// Its id.
    pub id: CredentialId,
    /// Whose.
    pub owner: UserId,
    /// For which provider.
    pub provider: String,
    /// The kind's name on the wire.
    pub kind: String,
    /// For people.
    pub title: Option<String>,
    /// What a connected account allows.
    pub scopes: Option<Vec<String>>,
    /// What a connected account is called.
    pub username: Option<String>,
    /// For which host headers are.
    pub host: Option<String>,
    /// Where the provider's API is for it, when that is not the usual place.
    pub base_url: Option<String>,
    /// When it is good no longer; of a connected account: its access token.
    pub expires_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Option<Time>,
}

/// A credential and its sealed secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// What is known of it.
    pub record: CredentialRecord,
    /// What the vault made of the rest.
    pub sealed: Vec<u8>,
}

fn read(row: &Row<'_>) -> Result<CredentialRecord, Error> {
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
    Ok(CredentialRecord {
        id: CredentialId(row.id(0)?),
        owner: UserId(row.id(1)?),
        provider: row.text(2)?,
        kind: row.text(3)?,
        title: row.text_option(4)?,
        scopes: row.text_option(5)?.map(words),
        username: row.text_option(6)?,
        host: row.text_option(7)?,
        base_url: row.text_option(8)?,
        expires_at: row.time_option(9)?,
        created_at: row.time(10)?,
        last_used_at: row.time_option(11)?,
    })
}

fn read_sealed(row: &Row<'_>) -> Result<SealedCredential, Error> {
    Ok(SealedCredential { record: read(row)?, sealed: row.bytes(WIDTH)?.to_vec() })
}

fn joined(scopes: &Option<Vec<String>>) -> Option<String> {
    scopes.as_ref().map(|scopes| scopes.join(" "))
}

impl Store {
    /// Keeps a new credential. [`Error::Exists`] when the id is taken.
    pub async fn insert_credential(&self, new: SealedCredential) -> Result<(), Error> {
        self.write(move |db| {
            let SealedCredential { record, sealed } = &new;
            let CredentialRecord { id, owner, provider, kind, title, username, host, base_url, expires_at, .. } =
                record;
            let (scopes, created_at) = (joined(&record.scopes), record.created_at);
            let row = args![
                id, owner, provider, kind, title, scopes, username, host, base_url, expires_at, created_at, sealed
            ];
            db.execute(INSERT, &row)?;
            Ok(())
        })
        .await
    }

    /// The owner's credentials, in the order in which they were made.
    pub async fn credentials(&self, owner: UserId) -> Result<Vec<CredentialRecord>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], read)).await
    }

    /// One credential of the owner's.
    pub async fn credential(&self, owner: UserId, id: CredentialId) -> Result<Option<SealedCredential>, Error> {
        self.read(move |db| db.first(BY_ID, &args![owner, id], read_sealed)).await
    }

    /// Removes a credential of the owner's for a provider, and gives back what it was; [`Error::NotFound`] when there is
    /// none.
    pub async fn remove_credential(
        &self,
        owner: UserId,
        id: CredentialId,
        provider: &str,
    ) -> Result<SealedCredential, Error> {
        let provider = provider.to_owned();
        self.write(move |db| db.one(REMOVE, &args![owner, id, provider], read_sealed)).await
    }

    /// Puts a new secret in the place of the one that was read; false when that is not there any more, so that of several
    /// who renew it one wins.
    pub async fn replace_credential(
        &self,
        read: &SealedCredential,
        sealed: Vec<u8>,
        scopes: Option<Vec<String>>,
        expires_at: Option<Time>,
    ) -> Result<bool, Error> {
        let (owner, id, old) = (read.record.owner, read.record.id, read.sealed.clone());
        let scopes = joined(&scopes);
        self.write(move |db| Ok(db.execute(REPLACE, &args![owner, id, old, sealed, scopes, expires_at])? > 0)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_by_an_index() {
        for (sql, index) in [
            (OF_OWNER, "credential_by_owner (owner=?)"),
            (BY_ID, "sqlite_autoindex_credential_1 (id=?)"),
            (REMOVE, "sqlite_autoindex_credential_1 (id=?)"),
            (REPLACE, "sqlite_autoindex_credential_1 (id=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql:?}: {plan}");
        }
    }
}
