//! API keys. The key itself never comes here, only its digest.

use crate::accounts::{self, Account, read_account};
use crate::{Error, Store, sql};
use heddle_model::{KeyId, OrgId, Scope, Time, UserId};
use rusqlite::{OptionalExtension, Row, params};
use std::sync::LazyLock;

macro_rules! columns {
    () => {
        "api_key.id, api_key.owner, api_key.organization, api_key.name, api_key.head, api_key.tail, api_key.status, \
         api_key.scopes, api_key.description, api_key.created_at, api_key.last_used_at, api_key.revoked_at"
    };
}

/// How many columns that is.
const WIDTH: usize = 12;

const INSERT: &str = "INSERT INTO api_key (id, owner, organization, name, head, tail, digest, status, scopes, \
    description, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'ACTIVE', ?8, ?9, ?10)";
static BY_DIGEST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {}, {} FROM api_key JOIN account ON account.id = api_key.owner \
         WHERE api_key.digest = ?1 AND api_key.status = 'ACTIVE'",
        columns!(),
        accounts::COLUMNS
    )
});
const OF_OWNER: &str = concat!("SELECT ", columns!(), " FROM api_key WHERE owner = ?1 ORDER BY created_at DESC, id");
const REVOKE: &str = concat!(
    "UPDATE api_key SET status = 'REVOKED', revoked_at = coalesce(revoked_at, ?3) WHERE owner = ?1 AND id = ?2 \
     RETURNING ",
    columns!()
);
const SUSPEND: &str = concat!(
    "UPDATE api_key SET status = CASE status WHEN 'ACTIVE' THEN 'SUSPENDED' ELSE status END \
     WHERE owner = ?1 AND id = ?2 RETURNING ",
    columns!()
);
const TOUCH: &str = "UPDATE api_key SET last_used_at = ?2 WHERE id = ?1";

/// Whether a key opens anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyStatus {
    /// Yes.
    Active,
    /// Never again.
    Revoked,
    /// Not now.
    Suspended,
}

impl KeyStatus {
    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Revoked => "REVOKED",
            Self::Suspended => "SUSPENDED",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Revoked, Self::Suspended].into_iter().find(|status| status.as_str() == name)
    }
}

/// A key to be recorded.
#[derive(Clone)]
pub struct NewKey {
    /// The record's id.
    pub id: KeyId,
    /// In which organization it acts.
    pub organization: OrgId,
    /// For people.
    pub name: String,
    /// The key's first characters, for display.
    pub head: String,
    /// The key's last characters, for display.
    pub tail: String,
    /// SHA-256 of the key.
    pub digest: [u8; 32],
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For people.
    pub description: Option<String>,
    /// When.
    pub created_at: Time,
}

/// A key's record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    /// The record's id.
    pub id: KeyId,
    /// Whose.
    pub owner: UserId,
    /// In which organization it acts.
    pub organization: OrgId,
    /// For people.
    pub name: String,
    /// The key's first characters.
    pub head: String,
    /// The key's last characters.
    pub tail: String,
    /// Whether it opens anything.
    pub status: KeyStatus,
    /// What it may do, in the order given.
    pub scopes: Vec<Scope>,
    /// For people.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, roughly.
    pub last_used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

fn read_key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let status = row.get_ref(6)?.as_str()?;
    Ok(ApiKey {
        id: KeyId(sql::id(row, 0)?),
        owner: UserId(sql::id(row, 1)?),
        organization: OrgId(sql::id(row, 2)?),
        name: row.get(3)?,
        head: row.get(4)?,
        tail: row.get(5)?,
        status: KeyStatus::parse(status).ok_or_else(|| sql::unreadable(6, status))?,
        // A name that only a newer release knows grants nothing here.
        scopes: row.get_ref(7)?.as_str()?.split_whitespace().filter_map(Scope::parse).collect(),
        description: row.get(8)?,
        created_at: sql::time(row, 9)?,
        last_used_at: sql::time_option(row, 10)?,
        revoked_at: sql::time_option(row, 11)?,
    })
}

impl Store {
    /// Records a key. [`Error::NotFound`] when the owner or the organization is not there.
    pub async fn insert_key(&self, owner: UserId, new: NewKey) -> Result<(), Error> {
        let scopes = new.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
        self.write(move |db| {
            db.prepare_cached(INSERT)?.execute(params![
                new.id.0.as_bytes(),
                owner.0.as_bytes(),
                new.organization.0.as_bytes(),
                new.name,
                new.head,
                new.tail,
                new.digest,
                scopes,
                new.description,
                new.created_at.0,
            ])?;
            Ok(())
        })
        .await
    }

    /// The active key with this digest and the account it belongs to, which may be disabled.
    pub async fn key_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(ApiKey, Account)>, Error> {
        let digest = *digest;
        self.read(move |db| {
            let mut statement = db.prepare_cached(&BY_DIGEST)?;
            let found = statement.query_row(params![digest], |row| Ok((read_key(row)?, read_account(row, WIDTH)?)));
            Ok(found.optional()?)
        })
        .await
    }

    /// The owner's keys of every status, newest first.
    pub async fn keys(&self, owner: UserId) -> Result<Vec<ApiKey>, Error> {
        self.read(move |db| {
            let mut statement = db.prepare_cached(OF_OWNER)?;
            let rows = statement.query_map(params![owner.0.as_bytes()], read_key)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Ends a key for good; the record stays. Revoking again keeps the first time.
    pub async fn revoke_key(&self, owner: UserId, id: KeyId, at: Time) -> Result<ApiKey, Error> {
        self.write(move |db| {
            let mut statement = db.prepare_cached(REVOKE)?;
            Ok(statement.query_row(params![owner.0.as_bytes(), id.0.as_bytes(), at.0], read_key)?)
        })
        .await
    }

    /// Stops an active key from opening anything; a revoked one stays revoked.
    pub async fn suspend_key(&self, owner: UserId, id: KeyId) -> Result<ApiKey, Error> {
        self.write(move |db| {
            let mut statement = db.prepare_cached(SUSPEND)?;
            Ok(statement.query_row(params![owner.0.as_bytes(), id.0.as_bytes()], read_key)?)
        })
        .await
    }

    /// Notes that a key was used. For the check of credentials, which has just found the key by its digest.
    pub async fn touch_key(&self, id: KeyId, at: Time) -> Result<(), Error> {
        self.write(move |db| {
            db.prepare_cached(TOUCH)?.execute(params![id.0.as_bytes(), at.0])?;
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_digest_alone() {
        let plan = sql::plan(&BY_DIGEST);
        assert!(plan.contains("(digest=?)") && !plan.contains("SCAN"), "{plan}");
    }
}
