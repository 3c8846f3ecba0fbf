//! Browser sessions. The token itself never comes here, only its digest.

use crate::accounts::{self, Account, read_account};
use crate::cell::{Row, args};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{SessionId, Time, UserId};

macro_rules! columns {
    () => {
        "session.id, session.account, session.created_at, session.last_used_at, session.expires_at, session.ends_at, \
         session.address, session.user_agent"
    };
}

/// How many columns that is.
const WIDTH: usize = 8;

const INSERT: Sql = both!(
    "INSERT INTO session (id, account, digest, created_at, last_used_at, expires_at, ends_at, address, user_agent) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
);
/// Nobody has more browsers than that; the longest unused ones give way.
const CROWD_OUT: Sql = both!(
    "DELETE FROM session WHERE id IN \
     (SELECT id FROM session WHERE account = ?1 ORDER BY last_used_at DESC, id LIMIT 1000 OFFSET 100)"
);
const IS_HASH: Sql = both!("SELECT id FROM account WHERE id = ?1 AND password_hash = ?2 AND disabled_at IS NULL");
const BY_DIGEST: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    ", ",
    accounts::columns!(),
    " FROM session JOIN account ON account.id = session.account WHERE session.digest = ?1"
));
const OF_ACCOUNT: Sql =
    both!(concat!("SELECT ", columns!(), " FROM session WHERE account = ?1 ORDER BY last_used_at DESC, id"));
const TOUCH: Sql = both!("UPDATE session SET last_used_at = ?2, expires_at = ?3, address = ?4 WHERE id = ?1");
const END: Sql = both!("DELETE FROM session WHERE account = ?1 AND id = ?2");
const END_OTHERS: Sql = both!("DELETE FROM session WHERE account = ?1 AND id <> ?2");
const END_ALL: Sql = both!("DELETE FROM session WHERE account = ?1");
const HAS_EXPIRED: Sql = both!("SELECT id FROM session WHERE expires_at <= ?1 LIMIT 1");
const REMOVE_EXPIRED: Sql = both!(
    "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 64)"
);

/// Somebody who is signed in with one browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrowserSession {
    /// The record's id; it opens nothing.
    pub id: SessionId,
    /// Whose.
    pub account: UserId,
    /// When the password was given.
    pub created_at: Time,
    /// When it was last used, roughly.
    pub last_used_at: Time,
    /// When it is over unless it is used before.
    pub expires_at: Time,
    /// When it is over however much it is used.
    pub ends_at: Time,
    /// Where it was last used from.
    pub address: String,
    /// What the browser says it is.
    pub user_agent: Option<String>,
}

fn read_session(row: &Row<'_>) -> Result<BrowserSession, Error> {
    Ok(BrowserSession {
        id: SessionId(row.id(0)?),
        account: UserId(row.id(1)?),
        created_at: row.time(2)?,
        last_used_at: row.time(3)?,
        expires_at: row.time(4)?,
        ends_at: row.time(5)?,
        address: row.text(6)?,
        user_agent: row.text_option(7)?,
    })
}

impl Store {
    /// Keeps a new session, found by its token's SHA-256. [`Error::NotFound`] without such an account.
    pub async fn insert_session(&self, new: BrowserSession, digest: [u8; 32]) -> Result<(), Error> {
        self.write(move |db| insert(db, &new, &digest)).await
    }

    /// The same for somebody who gave the password with this hash: [`Error::NotFound`] as well when the account has another
    /// one by now or is disabled, so that a password that was just replaced opens nothing any more.
    pub async fn open_session(&self, new: BrowserSession, digest: [u8; 32], hash: String) -> Result<(), Error> {
        self.write(move |db| {
            db.one(IS_HASH, &args![new.account, hash], |_| Ok(()))?;
            insert(db, &new, &digest)
        })
        .await
    }

    /// The session with this digest, which may be over, and its account, which may be disabled.
    pub async fn session_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(BrowserSession, Account)>, Error> {
        let digest = *digest;
        self.read(move |db| {
            db.first(BY_DIGEST, &args![digest], |row| Ok((read_session(row)?, read_account(row, WIDTH)?)))
        })
        .await
    }

    /// The account's sessions, also those that are over and not yet removed, last used first.
    pub async fn sessions(&self, account: UserId) -> Result<Vec<BrowserSession>, Error> {
        self.read(move |db| db.all(OF_ACCOUNT, &args![account], read_session)).await
    }

    /// Notes that a session was used, and until when it lasts now. For the check of cookies, which has just found it by its
    /// digest.
    pub async fn touch_session(
        &self,
        id: SessionId,
        used_at: Time,
        expires_at: Time,
        address: String,
    ) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(TOUCH, &args![id, used_at, expires_at, address])?;
            Ok(())
        })
        .await
    }

    /// Ends a session; [`Error::NotFound`] when it is not there.
    pub async fn end_session(&self, account: UserId, id: SessionId) -> Result<(), Error> {
        self.write(move |db| match db.execute(END, &args![account, id])? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        })
        .await
    }

    /// Ends the account's sessions but this one; says how many there were.
    pub async fn end_other_sessions(&self, account: UserId, kept: SessionId) -> Result<u64, Error> {
        self.write(move |db| db.execute(END_OTHERS, &args![account, kept])).await
    }

    /// Removes some of everybody's sessions, password resets and passkeys' challenges that are over; says how many. It only writes when there
    /// are some.
    pub async fn remove_expired_sign_ins(&self, now: Time) -> Result<u64, Error> {
        let has_some = self
            .read(move |db| {
                let sessions = db.first(HAS_EXPIRED, &args![now], |_| Ok(()))?.is_some();
                let resets = crate::password_resets::has_expired(db, now)?;
                Ok(sessions || resets || crate::passkeys::has_expired(db, now)?)
            })
            .await?;
        if !has_some {
            return Ok(0);
        }
        self.write(move |db| {
            let sessions = db.execute(REMOVE_EXPIRED, &args![now])?;
            let resets = crate::password_resets::remove_expired(db, now)?;
            Ok(sessions + resets + crate::passkeys::remove_expired(db, now)?)
        })
        .await
    }
}

pub(crate) fn insert(db: Db<'_>, new: &BrowserSession, digest: &[u8; 32]) -> Result<(), Error> {
    let BrowserSession { id, account, created_at, last_used_at, expires_at, ends_at, address, user_agent } = new;
    db.execute(
        INSERT,
        &args![id, account, digest, created_at, last_used_at, expires_at, ends_at, address, user_agent],
    )?;
    db.execute(CROWD_OUT, &args![account])?;
    Ok(())
}

/// Ends the account's sessions but the one that is kept.
pub(crate) fn end(db: Db<'_>, account: UserId, kept: Option<SessionId>) -> Result<u64, Error> {
    match kept {
        Some(kept) => db.execute(END_OTHERS, &args![account, kept]),
        None => db.execute(END_ALL, &args![account]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_found_by_an_index() {
        for (sql, index) in [
            (BY_DIGEST, "(digest=?)"),
            (OF_ACCOUNT, "session_by_account (account=?)"),
            (CROWD_OUT, "session_by_account (account=?)"),
            (TOUCH, "(id=?)"),
            (END, "(id=?)"),
            (END_OTHERS, "session_by_account (account=?)"),
            (END_ALL, "session_by_account (account=?)"),
            (HAS_EXPIRED, "session_by_expiry (expires_at<?)"),
            (REMOVE_EXPIRED, "session_by_expiry (expires_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN session"), "{sql:?}: {plan}");
        }
    }
}
