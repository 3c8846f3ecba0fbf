//! API keys. The key itself never comes here, only its digest.

use crate::accounts::{self, Account, read_account};
use crate::cell::{Row, args, unreadable};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{KeyId, OrgId, Scope, Time, UserId};

macro_rules! columns {
    () => {
        "api_key.id, api_key.owner, api_key.organization, api_key.name, api_key.head, api_key.tail, api_key.status, \
         api_key.scopes, api_key.description, api_key.created_at, api_key.last_used_at, api_key.revoked_at"
    };
}

/// How many columns that is.
const WIDTH: usize = 12;

const INSERT: Sql = both!(
    "INSERT INTO api_key (id, owner, organization, name, head, tail, digest, status, scopes, \
    description, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'ACTIVE', ?8, ?9, ?10)"
);
const BY_DIGEST: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    ", ",
    accounts::columns!(),
    " FROM api_key JOIN account ON account.id = api_key.owner WHERE api_key.digest = ?1 AND api_key.status = 'ACTIVE'"
));
const OF_OWNER: Sql =
    both!(concat!("SELECT ", columns!(), " FROM api_key WHERE owner = ?1 ORDER BY created_at DESC, id"));
const REVOKE: Sql = both!(concat!(
    "UPDATE api_key SET status = 'REVOKED', revoked_at = coalesce(revoked_at, ?3) WHERE owner = ?1 AND id = ?2 \
     RETURNING ",
    columns!()
));
const SUSPEND: Sql = both!(concat!(
    "UPDATE api_key SET status = CASE status WHEN 'ACTIVE' THEN 'SUSPENDED' ELSE status END \
     WHERE owner = ?1 AND id = ?2 RETURNING ",
    columns!()
));
const RESUME: Sql = both!(concat!(
    "UPDATE api_key SET status = CASE status WHEN 'SUSPENDED' THEN 'ACTIVE' ELSE status END \
     WHERE owner = ?1 AND id = ?2 RETURNING ",
    columns!()
));
const SET_SCOPES: Sql =
    both!(concat!("UPDATE api_key SET scopes = ?3 WHERE owner = ?1 AND id = ?2 RETURNING ", columns!()));
const TOUCH: Sql = both!("UPDATE api_key SET last_used_at = ?2 WHERE id = ?1");

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

fn read_key(row: &Row<'_>) -> Result<ApiKey, Error> {
    let status = row.str(6)?;
    Ok(ApiKey {
        id: KeyId(row.id(0)?),
        owner: UserId(row.id(1)?),
        organization: OrgId(row.id(2)?),
        name: row.text(3)?,
        head: row.text(4)?,
        tail: row.text(5)?,
        status: KeyStatus::parse(&status).ok_or_else(|| unreadable(6, &format!("the unknown status {status:?}")))?,
        // A name that only a newer release knows grants nothing here.
        scopes: row.str(7)?.split_whitespace().filter_map(Scope::parse).collect(),
        description: row.text_option(8)?,
        created_at: row.time(9)?,
        last_used_at: row.time_option(10)?,
        revoked_at: row.time_option(11)?,
    })
}

impl Store {
    /// Records a key. [`Error::NotFound`] when the owner or the organization is not there.
    pub async fn insert_key(&self, owner: UserId, new: NewKey) -> Result<(), Error> {
        let scopes = names(&new.scopes);
        self.write(move |db| {
            let NewKey { id, organization, name, head, tail, digest, scopes: _, description, created_at } = &new;
            let key = args![id, owner, organization, name, head, tail, digest, scopes, description, created_at];
            db.execute(INSERT, &key)?;
            Ok(())
        })
        .await
    }

    /// The active key with this digest and the account it belongs to, which may be disabled.
    pub async fn key_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(ApiKey, Account)>, Error> {
        let digest = *digest;
        self.read(move |db| db.first(BY_DIGEST, &args![digest], |row| Ok((read_key(row)?, read_account(row, WIDTH)?))))
            .await
    }

    /// The owner's keys of every status, newest first.
    pub async fn keys(&self, owner: UserId) -> Result<Vec<ApiKey>, Error> {
        self.read(move |db| db.all(OF_OWNER, &args![owner], read_key)).await
    }

    /// Ends a key for good; the record stays. Revoking again keeps the first time.
    pub async fn revoke_key(&self, owner: UserId, id: KeyId, at: Time) -> Result<ApiKey, Error> {
        self.write(move |db| db.one(REVOKE, &args![owner, id, at], read_key)).await
    }

    /// Stops an active key from opening anything; a revoked one stays revoked.
    pub async fn suspend_key(&self, owner: UserId, id: KeyId) -> Result<ApiKey, Error> {
        self.write(move |db| db.one(SUSPEND, &args![owner, id], read_key)).await
    }

    /// Lets a suspended key open things again; a revoked one stays revoked.
    pub async fn resume_key(&self, owner: UserId, id: KeyId) -> Result<ApiKey, Error> {
        self.write(move |db| db.one(RESUME, &args![owner, id], read_key)).await
    }

    /// Changes what a key may do.
    pub async fn set_key_scopes(&self, owner: UserId, id: KeyId, scopes: &[Scope]) -> Result<ApiKey, Error> {
        let scopes = names(scopes);
        self.write(move |db| db.one(SET_SCOPES, &args![owner, id, scopes], read_key)).await
    }

    /// Notes that a key was used. For the check of credentials, which has just found the key by its digest.
    pub async fn touch_key(&self, id: KeyId, at: Time) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(TOUCH, &args![id, at])?;
            Ok(())
        })
        .await
    }
}

fn names(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_digest_alone() {
        let plan = crate::sql::plan(BY_DIGEST);
        assert!(plan.contains("(digest=?)") && !plan.contains("SCAN"), "{plan}");
    }
}
