//! Accounts and the personal organization that each has. Knows nothing of passwords but where their hash is kept.

use crate::{Error, Store, sql};
use heddle_model::{OrgId, Time, UserId};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

macro_rules! columns {
    () => {
        "account.id, account.email, account.name, account.time_zone, account.is_admin, account.disabled_at, \
         account.created_at, account.organization"
    };
}

/// The columns that [`read_account`] reads, for statements that join.
pub(crate) const COLUMNS: &str = columns!();

const INSERT_ORGANIZATION: &str =
    "INSERT INTO organization (id, name, is_personal, created_at) VALUES (?1, ?2, TRUE, ?3)";
const INSERT: &str = "INSERT INTO account (id, email, email_key, name, password_hash, is_admin, organization, \
    created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const INSERT_MEMBER: &str = "INSERT INTO member (organization, account, role, status, created_at) \
    VALUES (?1, ?2, 'owner', 'ACTIVE', ?3)";
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM account WHERE id = ?1");
const BY_EMAIL: &str = concat!("SELECT ", columns!(), " FROM account WHERE email_key = ?1");
const ALL: &str = concat!("SELECT ", columns!(), " FROM account ORDER BY created_at, id");
const OPERATOR: &str = concat!("SELECT ", columns!(), " FROM account WHERE is_admin ORDER BY created_at, id LIMIT 1");
const PASSWORD_HASH: &str = "SELECT password_hash FROM account WHERE id = ?1";
const SET_PASSWORD_HASH: &str = "UPDATE account SET password_hash = ?2 WHERE id = ?1";
const SET_DISABLED: &str = "UPDATE account SET disabled_at = ?2 WHERE id = ?1";
const SET_TIME_ZONE: &str = "UPDATE account SET time_zone = ?2 WHERE id = ?1";

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

/// Reads [`COLUMNS`], the first of which is number `first`.
pub(crate) fn read_account(row: &Row<'_>, first: usize) -> rusqlite::Result<Account> {
    Ok(Account {
        id: UserId(sql::id(row, first)?),
        email: row.get(first + 1)?,
        name: row.get(first + 2)?,
        time_zone: row.get(first + 3)?,
        is_admin: row.get(first + 4)?,
        disabled_at: sql::time_option(row, first + 5)?,
        created_at: sql::time(row, first + 6)?,
        organization: OrgId(sql::id(row, first + 7)?),
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
        self.read(move |db| one(db, BY_ID, params![id.0.as_bytes()])).await
    }

    /// The account with this address, in any case.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<Account>, Error> {
        let key = email_key(email);
        self.read(move |db| one(db, BY_EMAIL, params![key])).await
    }

    /// All accounts, oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.read(|db| {
            let mut statement = db.prepare_cached(ALL)?;
            let rows = statement.query_map([], |row| read_account(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The first admin that was made.
    pub async fn operator(&self) -> Result<Option<Account>, Error> {
        self.read(|db| one(db, OPERATOR, [])).await
    }

    /// What the password check needs; `None` when there is no such account or it has no password.
    pub async fn password_hash(&self, id: UserId) -> Result<Option<String>, Error> {
        self.read(move |db| {
            let mut statement = db.prepare_cached(PASSWORD_HASH)?;
            let hash = statement.query_row(params![id.0.as_bytes()], |row| row.get(0)).optional()?;
            Ok(hash.flatten())
        })
        .await
    }

    /// Changes the password.
    pub async fn set_password_hash(&self, id: UserId, hash: String) -> Result<(), Error> {
        self.write(move |db| update(db, SET_PASSWORD_HASH, params![id.0.as_bytes(), hash])).await
    }

    /// Shuts the account since then, or opens it again.
    pub async fn set_account_disabled(&self, id: UserId, since: Option<Time>) -> Result<(), Error> {
        let since = since.map(|time| time.0);
        self.write(move |db| update(db, SET_DISABLED, params![id.0.as_bytes(), since])).await
    }

    /// Sets the account's IANA time zone, or forgets it.
    pub async fn set_time_zone(&self, id: UserId, time_zone: Option<String>) -> Result<(), Error> {
        self.write(move |db| update(db, SET_TIME_ZONE, params![id.0.as_bytes(), time_zone])).await
    }
}

fn insert(db: &Connection, new: &NewAccount) -> Result<(), Error> {
    let (id, organization, at) = (new.id.0.as_bytes(), new.organization.0.as_bytes(), new.created_at.0);
    db.prepare_cached(INSERT_ORGANIZATION)?.execute(params![organization, organization_name(new), at])?;
    db.prepare_cached(INSERT)?.execute(params![
        id,
        new.email,
        email_key(&new.email),
        new.name,
        new.password_hash,
        new.is_admin,
        organization,
        at,
    ])?;
    db.prepare_cached(INSERT_MEMBER)?.execute(params![organization, id, at])?;
    Ok(())
}

/// What a personal organization is called until somebody renames it.
fn organization_name(new: &NewAccount) -> String {
    let user = new.email.split('@').next().unwrap_or_default();
    format!("{}'s workspace", new.name.as_deref().unwrap_or(user))
}

fn email_key(email: &str) -> String {
    email.to_lowercase()
}

fn one(db: &Connection, sql: &str, key: impl Params) -> Result<Option<Account>, Error> {
    Ok(db.prepare_cached(sql)?.query_row(key, |row| read_account(row, 0)).optional()?)
}

fn update(db: &Connection, sql: &str, values: impl Params) -> Result<(), Error> {
    match db.prepare_cached(sql)?.execute(values)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
