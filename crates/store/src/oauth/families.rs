//! Families: whether what came of an authorization still counts.

use crate::cell::{Row, args, unreadable};
use crate::db::Db;
use crate::oauth::{apps, json, list, scopes};
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, FamilyId, Time, UserId};
use heddle_oauth::family::Ended;
use heddle_oauth::{Client, Family};

/// The columns that [`read`] reads.
macro_rules! columns {
    () => {
        "oauth_family.id, oauth_family.app, oauth_family.account, oauth_family.scopes, oauth_family.resources, \
         oauth_family.auth_time, oauth_family.created_at, oauth_family.last_used_at, oauth_family.expires_at, \
         oauth_family.ends_at, oauth_family.ended_at, oauth_family.ended_why"
    };
}
pub(super) use columns;

/// How many columns that is.
pub(super) const WIDTH: usize = 12;

const INSERT: Sql = both!(
    "INSERT INTO oauth_family (id, app, account, scopes, resources, auth_time, created_at, last_used_at, expires_at, \
    ends_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);
const USE: Sql = both!(
    "UPDATE oauth_family SET last_used_at = ?2, \
    expires_at = CASE WHEN expires_at < ?3 THEN ?3 ELSE expires_at END WHERE id = ?1 AND ended_at IS NULL"
);
const END: Sql = both!("UPDATE oauth_family SET ended_at = ?2, ended_why = ?3 WHERE id = ?1 AND ended_at IS NULL");
const END_ALL: Sql = both!(
    "UPDATE oauth_family SET ended_at = ?3, ended_why = ?4 WHERE account = ?1 AND app = ?2 AND ended_at IS NULL \
    RETURNING id"
);
const FORGET: Sql = both!("DELETE FROM oauth_consent WHERE account = ?1 AND app = ?2");
const LIVE: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    ", ",
    apps::columns!(),
    " FROM oauth_family JOIN oauth_app ON oauth_app.id = oauth_family.app WHERE oauth_family.account = ?1 \
     AND oauth_family.ended_at IS NULL AND oauth_family.expires_at > ?2 ORDER BY oauth_family.created_at, oauth_family.id"
));

/// Reads a family whose first column is number `first`.
pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Family, Error> {
    let ended = match row.time_option(first + 10)? {
        None => None,
        Some(at) => {
            let why = row.str(first + 11)?;
            let why = Ended::parse(&why).ok_or_else(|| unreadable(first + 11, &format!("the reason {why:?}")))?;
            Some((at, why))
        }
    };
    Ok(Family {
        id: FamilyId(row.id(first)?),
        app: AppId(row.id(first + 1)?),
        user: UserId(row.id(first + 2)?),
        scopes: scopes(row, first + 3)?,
        resources: list(row, first + 4)?,
        auth_time: row.time(first + 5)?,
        created_at: row.time(first + 6)?,
        last_used_at: row.time(first + 7)?,
        expires_at: row.time(first + 8)?,
        ends_at: row.time_option(first + 9)?,
        ended,
    })
}

/// Keeps a new family.
pub(super) fn insert(db: Db<'_>, new: &Family) -> Result<(), Error> {
    let (scopes, resources) = (new.scopes.to_string(), json(&new.resources));
    let values = args![
        new.id,
        new.app,
        new.user,
        scopes,
        resources,
        new.auth_time,
        new.created_at,
        new.last_used_at,
        new.expires_at,
        new.ends_at
    ];
    db.execute(INSERT, &values)?;
    Ok(())
}

/// Notes that tokens of a family were issued; [`Error::NotFound`] when it has ended.
pub(super) fn note_use(db: Db<'_>, id: FamilyId, at: Time, expires_at: Time) -> Result<(), Error> {
    match db.execute(USE, &args![id, at, expires_at])? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

impl Store {
    /// Ends a family; false when it had ended before.
    pub async fn end_family(&self, id: FamilyId, at: Time, why: Ended) -> Result<bool, Error> {
        self.write(move |db| Ok(db.execute(END, &args![id, at, why.as_str()])? > 0)).await
    }

    /// Ends all that a person allowed an application, and forgets that it was allowed. Which families that were.
    pub async fn end_grants(&self, account: UserId, app: AppId, at: Time, why: Ended) -> Result<Vec<FamilyId>, Error> {
        self.write(move |db| {
            db.execute(FORGET, &args![account, app])?;
            db.all(END_ALL, &args![account, app, at, why.as_str()], |row| Ok(FamilyId(row.id(0)?)))
        })
        .await
    }

    /// What a person allowed applications and neither has ended nor expired, oldest first.
    pub async fn grants(&self, account: UserId, now: Time) -> Result<Vec<(Family, Client)>, Error> {
        self.read(move |db| db.all(LIVE, &args![account, now], |row| Ok((read(row, 0)?, apps::read(row, WIDTH)?))))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_families_are_found_by_an_index() {
        for (sql, index) in [
            (END, "(id=?)"),
            (END_ALL, "oauth_family_by_account (account=? AND app=?)"),
            (LIVE, "oauth_family_by_account (account=?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{sql:?}: {plan}");
        }
    }
}
