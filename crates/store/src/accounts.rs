//! Accounts and the personal organization that each has. Knows nothing of passwords but where their hash is kept.

use crate::cell::{Cell, Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store, browser_sessions, passkeys, password_resets};
use heddle_model::{OrgId, SessionId, Time, UserId};

/// The columns that [`read_account`] reads.
macro_rules! columns {
    () => {
        "account.id, account.email, account.name, account.time_zone, account.is_admin, account.disabled_at, \
         account.created_at, account.organization"
    };
}

pub(crate) use columns;

const INSERT_ORGANIZATION: Sql =
    both!("INSERT INTO organization (id, name, is_personal, created_at) VALUES (?1, ?2, TRUE, ?3)");
const INSERT: Sql = both!(
    "INSERT INTO account (id, email, email_key, name, password_hash, is_admin, organization, \
    created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
);
const INSERT_MEMBER: Sql = both!(
    "INSERT INTO member (organization, account, role, status, created_at) \
    VALUES (?1, ?2, 'owner', 'ACTIVE', ?3)"
);
const BY_ID: Sql = both!(concat!("SELECT ", columns!(), " FROM account WHERE id = ?1"));
const BY_EMAIL: Sql = both!(concat!("SELECT ", columns!(), " FROM account WHERE email_key = ?1"));
const ALL: Sql = both!(concat!("SELECT ", columns!(), " FROM account ORDER BY created_at, id"));
const OPERATOR: Sql =
    both!(concat!("SELECT ", columns!(), " FROM account WHERE is_admin ORDER BY created_at, id LIMIT 1"));
const PASSWORD_HASH: Sql = both!("SELECT password_hash FROM account WHERE id = ?1");
const SET_PASSWORD_HASH: Sql = both!("UPDATE account SET password_hash = ?2 WHERE id = ?1");
const SET_DISABLED: Sql = both!("UPDATE account SET disabled_at = ?2 WHERE id = ?1");
const SET_PROFILE: Sql = both!("UPDATE account SET name = ?2, time_zone = ?3 WHERE id = ?1");
const SET_TIME_ZONE: Sql = both!("UPDATE account SET time_zone = ?2 WHERE id = ?1");

/// An account to be made.
pub struct NewAccount {
    /// Its id.
    pub id: UserId,
    /// As it was typed; compared without regard to case.
    pub email: String,
    /// For people.
    pub name: Option<String>,
    /// What the password check needs, opaque here. Without one nobody can sign in by password.
    pub password_hash: Option<String>,
    /// May operate the server.
    pub is_admin: bool,
    /// When.
    pub created_at: Time,
    /// The id of the personal organization that is made with it.
    pub organization: OrgId,
}

/// An account, without its password's hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// As it was typed.
    pub email: String,
    /// For people.
    pub name: Option<String>,
    /// IANA name; `None` when never set.
    pub time_zone: Option<String>,
    /// May operate the server.
    pub is_admin: bool,
    /// Since when nothing may be done with it.
    pub disabled_at: Option<Time>,
    /// When.
    pub created_at: Time,
    /// Its personal organization.
    pub organization: OrgId,
}

/// Reads the account's columns, the first of which is number `first`.
pub(crate) fn read_account(row: &Row<'_>, first: usize) -> Result<Account, Error> {
    Ok(Account {
        id: UserId(row.id(first)?),
        email: row.text(first + 1)?,
        name: row.text_option(first + 2)?,
        time_zone: row.text_option(first + 3)?,
        is_admin: row.flag(first + 4)?,
        disabled_at: row.time_option(first + 5)?,
        created_at: row.time(first + 6)?,
        organization: OrgId(row.id(first + 7)?),
    })
}

impl Store {
    /// Makes an account, its personal organization and its membership there. [`Error::Exists`] when the address or
    /// the id is taken.
    pub async fn create_account(&self, new: NewAccount) -> Result<(), Error> {
        self.write(move |db| insert(db, &new)).await
    }

    /// The account with this id.
    pub async fn account(&self, id: UserId) -> Result<Option<Account>, Error> {
        self.read(move |db| one(db, BY_ID, &args![id])).await
    }

    /// The account with this address, in any case.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, Error> {
        let key = email_key(email);
        self.read(move |db| one(db, BY_EMAIL, &args![key])).await
    }

    /// All accounts, oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.read(|db| db.all(ALL, &[], |row| read_account(row, 0))).await
    }

    /// The first admin that was made.
    pub async fn operator(&self) -> Result<Option<Account>, Error> {
        self.read(|db| one(db, OPERATOR, &[])).await
    }

    /// What the password check needs; `None` when there is no such account or it has no password.
    pub async fn password_hash(&self, id: UserId) -> Result<Option<String>, Error> {
        let hash = self.read(move |db| db.first(PASSWORD_HASH, &args![id], |row| row.text_option(0))).await?;
        Ok(hash.flatten())
    }

    /// Changes the password, ends the account's sessions and forgets its resets and passkeys: whoever needs this may have
    /// lost the account to somebody who made some.
    pub async fn set_password_hash(&self, id: UserId, hash: String) -> Result<(), Error> {
        self.change_password_hash(id, hash, None).await
    }

    /// Changes the password; one session stays, that in which it was changed, and so do the passkeys. `None`: as
    /// [`set_password_hash`](Self::set_password_hash).
    pub async fn change_password_hash(&self, id: UserId, hash: String, kept: Option<SessionId>) -> Result<(), Error> {
        self.write(move |db| {
            update(db, SET_PASSWORD_HASH, &args![id, hash])?;
            if kept.is_none() {
                passkeys::remove_all(db, id)?;
            }
            end_browser_sessions(db, id, kept)
        })
        .await
    }

    /// Shuts the account since then, which ends its sessions, or opens it again.
    pub async fn set_account_disabled(&self, id: UserId, since: Option<Time>) -> Result<(), Error> {
        self.write(move |db| {
            update(db, SET_DISABLED, &args![id, since])?;
            if since.is_some() { end_browser_sessions(db, id, None) } else { Ok(()) }
        })
        .await
    }

    /// Sets what the account's owner may set about himself.
    pub async fn set_profile(&self, id: UserId, name: Option<String>, time_zone: Option<String>) -> Result<(), Error> {
        self.write(move |db| update(db, SET_PROFILE, &args![id, name, time_zone])).await
    }

    /// Sets the account's IANA time zone, or forgets it.
    pub async fn set_time_zone(&self, id: UserId, time_zone: Option<String>) -> Result<(), Error> {
        self.write(move |db| update(db, SET_TIME_ZONE, &args![id, time_zone])).await
    }
}

fn insert(db: Db<'_>, new: &NewAccount) -> Result<(), Error> {
    let NewAccount { id, email, name, password_hash, is_admin, created_at, organization } = new;
    db.execute(INSERT_ORGANIZATION, &args![organization, organization_name(new), created_at])?;
    let key = email_key(email);
    let account = args![id, email, key, name, password_hash, is_admin, organization, created_at];
    db.execute(INSERT, &account)?;
    db.execute(INSERT_MEMBER, &args![organization, id, created_at])?;
    Ok(())
}

/// What a personal organization is called until somebody renames it.
fn organization_name(new: &NewAccount) -> String {
    let user = new.email.split('@').next().unwrap_or_default();
    format!("{}'s workspace", new.name.as_deref().unwrap_or(user))
}

fn end_browser_sessions(db: Db<'_>, account: UserId, kept: Option<SessionId>) -> Result<(), Error> {
    browser_sessions::end(db, account, kept)?;
    password_resets::remove(db, account)?;
    Ok(())
}

fn email_key(email: &str) -> String {
    email.to_lowercase()
}

fn one(db: Db<'_>, sql: Sql, key: &[Cell<'_>]) -> Result<Option<Account>, Error> {
    db.first(sql, key, |row| read_account(row, 0))
}

fn update(db: Db<'_>, sql: Sql, values: &[Cell<'_>]) -> Result<(), Error> {
    match db.execute(sql, values)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
