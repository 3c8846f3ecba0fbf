//! Passkeys: public keys by which people sign in, and the challenges that were answered. What proves anything is not known
//! here; what is proved happens once.

use crate::browser_sessions::{self, BrowserSession};
use crate::cell::{Row, args, unreadable};
use crate::db::Db;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{PasskeyId, Time, UserId};

macro_rules! columns {
    () => {
        "passkey.id, passkey.account, passkey.credential, passkey.public_key, passkey.party, passkey.sign_count, \
         passkey.can_be_backed_up, passkey.is_backed_up, passkey.name, passkey.created_at, passkey.last_used_at"
    };
}

/// An account has no more than that.
const MOST: i64 = 50;

const INSERT: Sql = both!(
    "INSERT INTO passkey (id, account, credential, public_key, party, sign_count, can_be_backed_up, is_backed_up, name, \
     created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);
const COUNT: Sql = both!("SELECT COUNT(*) FROM passkey WHERE account = ?1");
const OF_ACCOUNT: Sql =
    both!(concat!("SELECT ", columns!(), " FROM passkey WHERE account = ?1 ORDER BY created_at, id"));
const OF_CREDENTIAL: Sql = both!(concat!(
    "SELECT ",
    columns!(),
    " FROM passkey JOIN account ON account.id = passkey.account \
     WHERE passkey.account = ?1 AND passkey.credential = ?2 AND account.disabled_at IS NULL"
));
const RENAME: Sql =
    both!(concat!("UPDATE passkey SET name = ?3 WHERE account = ?1 AND id = ?2 RETURNING ", columns!()));
const REMOVE: Sql = both!("DELETE FROM passkey WHERE account = ?1 AND id = ?2");
const REMOVE_ALL: Sql = both!("DELETE FROM passkey WHERE account = ?1");
/// A counter that does not go up stays at nought.
const USE: Sql = both!(
    "UPDATE passkey SET sign_count = ?3, is_backed_up = ?4, last_used_at = ?5 WHERE account = ?1 AND id = ?2 \
     AND (sign_count < ?3 OR (sign_count = 0 AND ?3 = 0)) \
     AND (SELECT disabled_at FROM account WHERE account.id = ?1) IS NULL"
);
const TAKE: Sql = both!("INSERT INTO passkey_challenge (digest, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
const HAS_EXPIRED: Sql = both!("SELECT digest FROM passkey_challenge WHERE expires_at <= ?1 LIMIT 1");
const REMOVE_EXPIRED: Sql = both!(
    "DELETE FROM passkey_challenge WHERE digest IN \
     (SELECT digest FROM passkey_challenge WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 64)"
);

/// A passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    /// The record's id.
    pub id: PasskeyId,
    /// Whose.
    pub account: UserId,
    /// The credential's own id.
    pub credential: Vec<u8>,
    /// Its public key (COSE).
    pub public_key: Vec<u8>,
    /// The name of the server that it was made for.
    pub party: String,
    /// What it counted last; 0 for one that does not count.
    pub sign_count: u32,
    /// Whether it may exist on several devices.
    pub can_be_backed_up: bool,
    /// Whether it did when it was last used.
    pub is_backed_up: bool,
    /// For people.
    pub name: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used.
    pub last_used_at: Option<Time>,
}

/// The SHA-256 of a challenge that was answered, and when it would have been too old.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answered {
    /// Of the challenge.
    pub digest: [u8; 32],
    /// From then on nobody has to know any more that it was used.
    pub expires_at: Time,
}

/// What a sign-in has shown of a passkey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasskeyUse {
    /// Which.
    pub id: PasskeyId,
    /// What it counts now.
    pub sign_count: u32,
    /// Whether it exists on several devices.
    pub is_backed_up: bool,
    /// What it answered.
    pub answered: Answered,
}

fn read(row: &Row<'_>) -> Result<Passkey, Error> {
    Ok(Passkey {
        id: PasskeyId(row.id(0)?),
        account: UserId(row.id(1)?),
        credential: row.bytes(2)?.to_vec(),
        public_key: row.bytes(3)?.to_vec(),
        party: row.text(4)?,
        sign_count: u32::try_from(row.int(5)?).map_err(|_| unreadable(5, "a counter that no passkey has"))?,
        can_be_backed_up: row.flag(6)?,
        is_backed_up: row.flag(7)?,
        name: row.text(8)?,
        created_at: row.time(9)?,
        last_used_at: row.time_option(10)?,
    })
}

impl Store {
    /// Keeps a new passkey, once for its challenge. [`Error::NotFound`] when the challenge was answered before,
    /// [`Error::Exists`] when the credential is somebody's already or the account has enough of them.
    pub async fn insert_passkey(&self, new: Passkey, answered: Answered) -> Result<(), Error> {
        self.write(move |db| {
            take(db, answered)?;
            if db.one(COUNT, &args![new.account], |row| row.int(0))? >= MOST {
                return Err(Error::Exists);
            }
            let Passkey { id, account, credential, public_key, party, can_be_backed_up, .. } = &new;
            let (is_backed_up, name, created_at, count) =
                (&new.is_backed_up, &new.name, &new.created_at, u64::from(new.sign_count));
            let values = args![
                id,
                account,
                credential,
                public_key,
                party,
                count,
                can_be_backed_up,
                is_backed_up,
                name,
                created_at
            ];
            db.execute(INSERT, &values)?;
            Ok(())
        })
        .await
    }

    /// The account's passkeys, oldest first.
    pub async fn passkeys(&self, account: UserId) -> Result<Vec<Passkey>, Error> {
        self.read(move |db| db.all(OF_ACCOUNT, &args![account], read)).await
    }

    /// The account's passkey with this credential id, unless the account is disabled.
    pub async fn passkey(&self, account: UserId, credential: &[u8]) -> Result<Option<Passkey>, Error> {
        let credential = credential.to_vec();
        self.read(move |db| db.first(OF_CREDENTIAL, &args![account, credential], read)).await
    }

    /// Gives a passkey another name.
    pub async fn rename_passkey(&self, account: UserId, id: PasskeyId, name: String) -> Result<Passkey, Error> {
        self.write(move |db| db.one(RENAME, &args![account, id, name], read)).await
    }

    /// Removes a passkey; [`Error::NotFound`] when it is not there.
    pub async fn remove_passkey(&self, account: UserId, id: PasskeyId) -> Result<(), Error> {
        self.write(move |db| match db.execute(REMOVE, &args![account, id])? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        })
        .await
    }

    /// Notes that a passkey was used and begins the session that comes of it, all or nothing. [`Error::NotFound`] when its
    /// challenge was answered before, its counter has gone on meanwhile, it is gone, or the account is disabled.
    pub async fn open_session_by_passkey(
        &self,
        new: BrowserSession,
        digest: [u8; 32],
        used: PasskeyUse,
    ) -> Result<(), Error> {
        self.write(move |db| {
            take(db, used.answered)?;
            let PasskeyUse { id, is_backed_up, .. } = used;
            let count = u64::from(used.sign_count);
            let values = args![new.account, id, count, is_backed_up, new.created_at];
            match db.execute(USE, &values)? {
                0 => Err(Error::NotFound),
                _ => browser_sessions::insert(db, &new, &digest),
            }
        })
        .await
    }
}

/// Uses a challenge up; [`Error::NotFound`] when it was.
fn take(db: Db<'_>, answered: Answered) -> Result<(), Error> {
    match db.execute(TAKE, &args![answered.digest, answered.expires_at])? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Removes all passkeys of an account.
pub(crate) fn remove_all(db: Db<'_>, account: UserId) -> Result<u64, Error> {
    db.execute(REMOVE_ALL, &args![account])
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
    fn passkeys_are_found_by_an_index() {
        for (sql, index) in [
            (COUNT, "passkey_by_account (account=?)"),
            (OF_ACCOUNT, "passkey_by_account (account=?)"),
            (OF_CREDENTIAL, "(credential=?)"),
            (RENAME, "(id=?)"),
            (REMOVE, "(id=?)"),
            (REMOVE_ALL, "passkey_by_account (account=?)"),
            (USE, "(id=?)"),
            (HAS_EXPIRED, "passkey_challenge_by_expiry (expires_at<?)"),
            (REMOVE_EXPIRED, "passkey_challenge_by_expiry (expires_at<?)"),
        ] {
            let plan = crate::sql::plan(sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{sql:?}: {plan}");
        }
    }
}
