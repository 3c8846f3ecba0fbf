//! Passwords being reset by mail. The token never comes here, only its digest; whoever shows it sets a new password,
//! once.

use crate::cell::args;
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store, browser_sessions, passkeys};
use heddle_model::{Time, UserId};

const INSERT: Sql =
    both!("INSERT INTO password_reset (digest, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)");
const BY_DIGEST: Sql = both!(
    "SELECT account FROM password_reset JOIN account ON account.id = password_reset.account \
     WHERE digest = ?1 AND expires_at > ?2 AND account.disabled_at IS NULL"
);
const TAKE: Sql = both!("DELETE FROM password_reset WHERE digest = ?1 AND expires_at > ?2 RETURNING account");
const REMOVE_OF_ACCOUNT: Sql = both!("DELETE FROM password_reset WHERE account = ?1");
const SET_PASSWORD_HASH: Sql = both!("UPDATE account SET password_hash = ?2 WHERE id = ?1 AND disabled_at IS NULL");
const HAS_EXPIRED: Sql = both!("SELECT digest FROM password_reset WHERE expires_at <= ?1 LIMIT 1");
const REMOVE_EXPIRED: Sql = both!(
    "DELETE FROM password_reset WHERE digest IN \
     (SELECT digest FROM password_reset WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 64)"
);

impl Store {
    /// Lets the account's password be set by whoever shows the token with this SHA-256, until then.
    pub async fn insert_password_reset(
        &self,
        account: UserId,
        digest: [u8; 32],
        created_at: Time,
        expires_at: Time,
    ) -> Result<(), Error> {
        self.write(move |db| {
            db.execute(INSERT, &args![digest, account, created_at, expires_at])?;
            Ok(())
        })
        .await
    }

    /// Whose password the token with this SHA-256 may set now.
    pub async fn password_reset(&self, digest: &[u8; 32], now: Time) -> Result<Option<UserId>, Error> {
        let digest = *digest;
        self.read(move |db| db.first(BY_DIGEST, &args![digest, now], |row| Ok(UserId(row.id(0)?)))).await
    }

    /// Sets the password, ends the account's sessions, its other resets and its passkeys, all or nothing. [`Error::NotFound`] when the
    /// token is unknown, used or too old, or the account is disabled.
    pub async fn reset_password(&self, digest: &[u8; 32], hash: String, now: Time) -> Result<UserId, Error> {
        let digest = *digest;
        self.write(move |db| {
            let account = db.one(TAKE, &args![digest, now], |row| Ok(UserId(row.id(0)?)))?;
            if db.execute(SET_PASSWORD_HASH, &args![account, hash])? == 0 {
                return Err(Error::NotFound);
            }
            browser_sessions::end(db, account, None)?;
            passkeys::remove_all(db, account)?;
            remove(db, account)?;
            Ok(account)
        })
        .await
    }
}

/// Forgets the account's resets: its password was just set in another way.
pub(crate) fn remove(db: Db<'_>, account: UserId) -> Result<u64, Error> {
    db.execute(REMOVE_OF_ACCOUNT, &args![account])
}

pub(crate) fn has_expired(db: Db<'_>, now: Time) -> Result<bool, Error> {
    Ok(db.first(HAS_EXPIRED, &args![now], |_| Ok(()))?.is_some())
}

pub(crate) fn remove_expired(db: Db<'_>, now: Time) -> Result<u64, Error> {
    db.execute(REMOVE_EXPIRED, &args![now])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_found_by_an_index() {
        for (sql, index) in [
            (BY_DIGEST, "(digest=?)"),
            (TAKE, "(digest=?)"),
            (REMOVE_OF_ACCOUNT, "password_reset_by_account (account=?)"),
            (HAS_EXPIRED, "password_reset_by_expiry (expires_at<?)"),
            (REMOVE_EXPIRED, "password_reset_by_expiry (expires_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index), "{sql:?}: {plan}");
        }
    }
}
