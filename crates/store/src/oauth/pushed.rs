//! Requests that applications handed over directly: shown soon, decided once.

use crate::cell::{Row, args};
use crate::db::Db;
use crate::oauth::codes::once;
use crate::oauth::digest;
use crate::sql::{Sql, both};
use crate::{Error, Store};
use heddle_model::{AppId, Time};
use heddle_oauth::{Digest, Pushed};

const INSERT: Sql = both!("INSERT INTO oauth_pushed (digest, app, parameters, created_at) VALUES (?1, ?2, ?3, ?4)");
const FIND: Sql =
    both!("SELECT digest, app, parameters, created_at, opened_at, used_at FROM oauth_pushed WHERE digest = ?1");
const OPEN: Sql = both!("UPDATE oauth_pushed SET opened_at = ?2 WHERE digest = ?1 AND opened_at IS NULL");
const USE: Sql = both!("UPDATE oauth_pushed SET used_at = ?2 WHERE digest = ?1 AND used_at IS NULL");

fn read(row: &Row<'_>) -> Result<Pushed, Error> {
    Ok(Pushed {
        digest: digest(row, 0)?,
        app: AppId(row.id(1)?),
        parameters: row.text(2)?,
        created_at: row.time(3)?,
        opened_at: row.time_option(4)?,
        used_at: row.time_option(5)?,
    })
}

/// Uses a pushed request up; [`Error::NotFound`] when it was.
pub(super) fn use_up(db: Db<'_>, digest: Digest, at: Time) -> Result<(), Error> {
    match db.execute(USE, &args![digest, at])? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

impl Store {
    /// Keeps a pushed request.
    pub async fn push(&self, new: Pushed) -> Result<(), Error> {
        self.write(move |db| {
            let Pushed { digest, app, parameters, created_at, .. } = &new;
            db.execute(INSERT, &args![digest, app, parameters, created_at])?;
            Ok(())
        })
        .await
    }

    /// The pushed request of this name.
    pub async fn pushed(&self, digest: Digest) -> Result<Option<Pushed>, Error> {
        self.read(move |db| db.first(FIND, &args![digest], read)).await
    }

    /// Notes when a browser first brought a pushed request's name; the first time counts.
    pub async fn open_pushed(&self, digest: Digest, at: Time) -> Result<(), Error> {
        self.write(move |db| db.execute(OPEN, &args![digest, at]).map(|_| ())).await
    }

    /// Uses a pushed request up without anything coming of it; false when it was used up before.
    pub async fn use_pushed(&self, digest: Digest, at: Time) -> Result<bool, Error> {
        once(self.write(move |db| use_up(db, digest, at)).await)
    }
}
